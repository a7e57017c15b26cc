"""The same seed gives the same weights, whatever the machine's part of the options says."""

import programs


class SameBits(programs.ProgramTest):
    # 1,000 training samples: 24 steps, the last of 11 samples; 2 of 3 chunk sizes do not divide them.
    RUN = ["--epochs", "2", "--val-size", "200", "--hidden", "48,24", "--batch", "43", "--lr", "0.1", "--momentum", "0.9",
           "--weight-decay", "1e-4", "--seed", "11"]

    def test_whatever_the_options_of_the_machine(self):
        base = self.summary(*self.RUN)
        for more in (["--threads", "1"], ["--threads", "2"], ["--threads", "3"], ["--workers", "1"], ["--workers", "3"],
                     ["--slots", "1"], ["--slots", "7"], ["--chunk-batches", "1"], ["--chunk-batches", "5"],
                     ["--chunk-batches", "1000"], ["--residency", "resident"], ["--residency", "host"],
                     ["--residency", "host", "--threads", "1", "--workers", "3", "--slots", "2", "--chunk-batches", "3"],
                     ["--residency", "host", "--slots", "1", "--workers", "2"]):
            with self.subTest(more):
                other = self.summary(*self.RUN, *more)
                for field in ("weights_hash", "test_acc", "test_loss"):
                    self.assertEqual(other[field], base[field])

    def test_in_the_files_own_order_too(self):
        arguments = [*self.RUN, "--shuffle", "off"]
        expected = self.weights(*arguments)
        self.assertNotEqual(expected, self.weights(*self.RUN))
        self.assertEqual(self.weights(*arguments, "--residency", "host", "--chunk-batches", "3", "--threads", "1"), expected)

    def test_of_compressed_files_too(self):
        data = self.copy_of_digits()
        expected = self.summary(*self.RUN)
        for path in list(data.iterdir()):
            programs.gzipped(path)
        found = self.summary(*self.RUN, data=data)
        self.assertEqual(found["weights_hash"], expected["weights_hash"])
        self.assertEqual(found["dataset_hash"], expected["dataset_hash"])

    def test_but_not_of_another_seed(self):
        self.assertNotEqual(self.weights(*self.RUN), self.weights(*self.RUN, "--seed", "12"))

    def test_checkpoints_change_nothing(self):
        self.assertEqual(self.weights(*self.RUN),
                         self.weights(*self.RUN, "--checkpoint-dir", "c", "--checkpoint-every", "5"))
        steps = sorted(int(p.stem.removeprefix("step-")) for p in (self.top / "c").glob("step-*.safetensors"))
        self.assertEqual(steps, [35, 40, 45])  # of 48: the newest three


if __name__ == "__main__":
    programs.main()
