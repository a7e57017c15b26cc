"""The trainer as users run it: what it prints, writes and returns."""

import re
import subprocess
import time

import programs

EPOCH = re.compile(r"^Epoch \[(\d+)\], val_loss: \d+\.\d{4}, val_acc: [01]\.\d{4}(, [a-z_/]+: [0-9.]+)*$")


class Trainer(programs.ProgramTest):
    def test_prints_what_it_trains_and_a_line_an_epoch(self):
        done = self.train("--epochs", "3", "--val-size", "200")
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        epochs = [line for line in lines if line.startswith("Epoch ")]
        for number, line in enumerate(epochs):
            self.assertEqual(EPOCH.match(line)[1], str(number), line)
        self.assertEqual(len(epochs), 3)
        before = "\n".join(lines[:lines.index(epochs[0])])
        for expected in ("Device: cpu (", "1200 training and 200 test samples, 28x28 uint8, 10 classes",
                         "1000 to train on, 200 for validation, 200 to test", "784-32-10, 25450 parameters",
                         "3 epochs of 8 steps"):
            self.assertIn(expected, before)
        after = "\n".join(lines[lines.index(epochs[-1]) + 1:])
        self.assertRegex(after, r"(?m)^Test, test_loss: \d+\.\d{4}, test_acc: [01]\.\d{4}$")
        self.assertRegex(after, r"(?m)^Time: ")
        self.assertRegex(after, r"(?m)^Verdict: \S")
        self.assertRegex(after, r"(?m)^Weights: [0-9a-f]{32}$")
        self.assertNotIn("\r", done.stdout)

    def test_learns(self):
        data = self.top / "more"
        self.call("synth", data, "--count", "6000", "--test-count", "500", program=programs.TOOLS)
        summary = self.summary("--epochs", "8", data=data)
        self.assertGreater(summary["test_acc"], 0.85)

    def test_takes_a_sixth_of_a_small_set_for_validation_and_says_so(self):
        done = self.train("--epochs", "1")
        self.assertEqual(done.stderr,
                         "trainer: note: validation takes 200 of 1200 samples; --val-size says otherwise\n")

    def test_trains_on_the_files_own_order_without_validation(self):
        done = self.train("--epochs", "2", "--shuffle", "off", "--val-size", "0")
        self.assertIn("1200 to train on, 0 for validation", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Epoch \[0\], train_loss: \d+\.\d{4}, train_acc: [01]\.\d{4}")
        self.assertNotIn("val_loss", done.stdout)

    def test_ends_with_validation_without_test_files(self):
        data = self.copy_of_digits()
        (data / programs.TEST_IMAGES).unlink()
        (data / programs.TEST_LABELS).unlink()
        done = self.train("--epochs", "1", "--val-size", "100", data=data)
        self.assertNotIn("Test,", done.stdout)
        self.assertIsNone(self.summary("--epochs", "1", "--val-size", "100", data=data)["test_acc"])

    def test_takes_the_folder_data_by_default(self):
        self.copy_of_digits("data")
        done = self.call("--epochs", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Data: data: 1200 training", done.stdout)

    def test_tests_a_model_without_training_it(self):
        self.train("--epochs", "2", "--checkpoint-dir", "c")
        trained = self.summary("--epochs", "2")
        tested = self.summary("--epochs", "0", "--init", "c/last.safetensors")
        self.assertEqual((tested["weights_hash"], tested["test_acc"]), (trained["weights_hash"], trained["test_acc"]))

    def test_says_which_options_turn_out_to_have_no_effect(self):
        done = self.train("--epochs", "1", "--val-size", "200", "--shuffle-window", "32")
        self.assertEqual(done.stderr, "trainer: note: --shuffle-window has no effect: the data set is not streamed "
                                      "(resident)\n")

    def test_names_what_a_range_depends_on(self):
        for words, expected in ((["--warmup", "3", "--epochs", "2"], "--warmup: expected fewer steps than the 16 of the run, found 24"),
                                (["--rotate", "181"], "--rotate: expected a number from 0 to 180, found 181"),
                                (["--batch-norm", "on", "--batch", "1"], "--batch-norm: expected a --batch above 1, found 1"),
                                (["--hidden", "1000000,1000000"], "--hidden: expected a model that fits in the ")):
            self.assertIn(f"trainer: {expected}", self.refuses(2, "--data", self.digits, "--val-size", "200", *words))

    def test_quiet_prints_nothing(self):
        done = self.train("--epochs", "1", "--quiet")
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_version_names_what_is_linked(self):
        done = self.call("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("trainer (Millrace) 0.", "oneTBB 20", "Highway 1.", "libdeflate ", "zstd 1.", "Instruction sets: "):
            self.assertIn(name, done.stdout)

    def test_cuda_says_what_is_missing(self):
        if self.call("--data", self.digits, "--val-size", "100", "--epochs", "1", "--device", "cuda").returncode == 0:
            self.skipTest("this machine has a GPU")
        line = self.refuses(1, "--data", self.digits, "--val-size", "100", "--device", "cuda")
        self.assertIn("cuda", line)


class Metrics(programs.ProgramTest):
    EPOCH = {"epoch": int, "train_loss": float, "val_loss": float, "val_acc": float, "lr": float, "train_s": float, "val_s": float}
    SUMMARY = {"test_acc": float, "wall_s": float, "load_s": float, "epoch_s": float, "samples_per_s": float,
               "peak_rss_mb": float, "weights_hash": str, "device": str, "precision": str, "threads": int,
               "stages": dict}

    def has(self, record, fields):
        for name, kind in fields.items():
            self.assertIsInstance(record.get(name), kind, f"{name} in {record}")

    def test_are_one_object_an_epoch_and_a_summary(self):
        done = self.train("--epochs", "3", "--val-size", "200", "--threads", "1", "--metrics", "m.jsonl")
        *epochs, summary = self.records(self.top / "m.jsonl")
        self.assertEqual([e["epoch"] for e in epochs], [0, 1, 2])
        for epoch in epochs:
            self.has(epoch, self.EPOCH)
            self.assertNotIn("summary", epoch)
            self.assertIn(f"Epoch [{epoch['epoch']}], val_loss: {epoch['val_loss']:.4f}, val_acc: {epoch['val_acc']:.4f}",
                          done.stdout)
        self.assertIs(summary["summary"], True)
        self.has(summary, self.SUMMARY)
        self.assertEqual((summary["device"], summary["precision"], summary["threads"]), ("cpu", "fp32", 1))
        self.assertIn(f"Weights: {summary['weights_hash']}", done.stdout)
        self.assertGreater(summary["wall_s"], summary["load_s"])
        self.assertGreater(summary["peak_rss_mb"], 1)
        self.assertEqual(sorted(e["train_s"] for e in epochs)[1], summary["epoch_s"])
        for stage in ("fill", "train", "engine"):
            self.assertIn("busy_s", summary["stages"][stage])

    def test_of_several_runs_count_time_from_the_beginning_of_each(self):
        before = time.monotonic()
        done = self.train("--epochs", "2", "--val-size", "200", "--repeat", "2", "--metrics", "m.jsonl")
        elapsed = time.monotonic() - before
        first, second = (record for record in self.records(self.top / "m.jsonl") if "summary" in record)
        self.assertGreater(first["load_s"], 0)
        self.assertEqual(second["load_s"], 0)
        self.assertGreater(second["wall_s"], second["fit_s"])
        self.assertLess(first["wall_s"] + second["wall_s"], elapsed)
        told = [float(seconds) for seconds in re.findall(r"(?m)^Time: ([\d.]+) s, of that ", done.stdout)]
        self.assertEqual(len(told), 2)
        for seconds, summary in zip(told, (first, second)):
            self.assertAlmostEqual(seconds, summary["wall_s"], delta=0.02)

    def test_replace_those_of_an_older_run_and_follow_those_of_a_resumed_one(self):
        arguments = ["--val-size", "200", "--checkpoint-dir", "c", "--metrics", "m.jsonl"]
        for _ in range(2):
            self.train("--epochs", "2", "--force", *arguments)
            self.assertEqual(len(self.records(self.top / "m.jsonl")), 3)
        with open(self.top / "m.jsonl", "a", encoding="utf-8") as file:
            file.write('{"epo')  # where a process was killed
        self.train("--epochs", "4", "--resume", *arguments)
        records = self.records(self.top / "m.jsonl")
        self.assertEqual([r.get("epoch") for r in records], [0, 1, 2, 3, None])
        self.train("--epochs", "4", "--resume", *arguments)
        self.assertEqual(len(self.records(self.top / "m.jsonl")), 5)

    def test_of_a_run_that_never_starts_stay(self):
        (self.top / "m.jsonl").write_text('{"old": 1}\n', encoding="utf-8")
        self.refuses(1, "--data", "nowhere", "--metrics", "m.jsonl")
        self.refuses(2, "--data", self.digits, "--val-size", "1200", "--metrics", "m.jsonl")
        self.assertEqual((self.top / "m.jsonl").read_text(encoding="utf-8"), '{"old": 1}\n')

    def test_that_cannot_be_written_end_a_run_before_it_starts(self):
        self.assertIn("none/m.jsonl: cannot open the metrics file: No such file",
                      self.refuses(1, "--data", self.digits, "--metrics", "none/m.jsonl"))

    def test_on_a_full_disk_lose_nothing_else(self):
        done = self.call("--data", self.digits, "--val-size", "200", "--epochs", "2", "--metrics", "/dev/full",
                         "--checkpoint-dir", "c")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.splitlines(),
                         ["trainer: warning: /dev/full: cannot write metrics: No space left on device; the run goes on "
                          "without metrics"])
        self.assertIn("Epoch [1]", done.stdout)
        self.assertTrue((self.top / "c/last.safetensors").is_file())


class ConfigFile(programs.ProgramTest):
    def config(self, text):
        (self.top / "run.toml").write_text(text, encoding="utf-8")
        return self.top / "run.toml"

    def test_stands_for_options(self):
        config = self.config('# a run\nepochs = 2\nhidden = [16, 8]\nlr = 0.25\nval-size = 1_00\nshuffle = "off"\n')
        written_out = ["--epochs", "2", "--hidden", "16,8", "--lr", "0.25", "--val-size", "100", "--shuffle", "off"]
        self.assertEqual(self.weights("--config", config), self.weights(*written_out))
        # The command line has precedence.
        self.assertEqual(self.weights("--lr", "0.5", "--config", config), self.weights(*written_out, "--lr", "0.5"))

    def test_may_leave_an_option_without_effect(self):
        self.config('optimizer = "adamw"\nbeta1 = 0.8\nlr = 0.01\nval-size = 200\n')
        done = self.train("--config", "run.toml", "--epochs", "1", "--optimizer", "sgd")
        self.assertEqual(done.stderr.splitlines(),
                         ["trainer: note: run.toml:2: beta1 has no effect: expected --optimizer adam or adamw with it, found sgd",
                          "trainer: note: run.toml:3: lr was chosen for adamw, and --optimizer is sgd: --lr may have to be "
                          "another"])

    def test_names_the_line_of_a_mistake(self):
        self.config("lr = 0.5\nepoch = 3\n")
        self.assertEqual(self.refuses(2, "--config", "run.toml"),
                         "trainer: run.toml:2: unknown option epoch; did you mean epochs? (see trainer --help)")
        self.config("batch = 0\n")
        self.assertIn("run.toml:1: batch: expected a whole number from 1", self.refuses(2, "--config", "run.toml"))
        self.assertIn("none.toml: cannot open: No such file", self.refuses(1, "--config", "none.toml"))


class Output(programs.ProgramTest):
    def test_of_a_reader_that_leaves_ends_no_run(self):
        process = self.start("--data", self.digits, "--val-size", "200", "--epochs", "5", "--checkpoint-dir", "c",
                             "--metrics", "m.jsonl")
        self.assertTrue(process.stdout.readline().startswith("Device: "))
        process.stdout.close()  # as head -1 does
        errors = process.stderr.read()
        self.assertEqual(process.wait(programs.TIMEOUT), 0)
        self.assertLessEqual(len(errors.splitlines()), 1, errors)
        self.assertNotIn("warning", errors)
        self.assertEqual(len(self.records(self.top / "m.jsonl")), 6)

    def test_to_a_full_disk_is_told_once_and_fails(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.call("--data", self.digits, "--val-size", "200", "--epochs", "2", "--checkpoint-dir", "c",
                             stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "trainer: warning: standard output: No space left on device; the work goes on "
                                      "without it\n")
        self.assertTrue((self.top / "c/last.safetensors").is_file())

    def test_that_is_closed_is_no_other_file(self):
        for closed in ("1", "2", "1 2"):
            with self.subTest(closed):
                options = "--val-size 200 --epochs 2 --checkpoint-dir c --force --metrics m.jsonl --tensorboard t"
                subprocess.run(f"exec '{programs.TRAINER}' --data '{self.digits}' {options} " +
                               " ".join(f"{fd}>&-" for fd in closed.split()), shell=True, cwd=self.top, check=False,
                               capture_output=True, timeout=programs.TIMEOUT, env=programs.environment())
                self.assertEqual(len(self.records(self.top / "m.jsonl")), 3)
                for file in (self.top / "t").iterdir():
                    self.assertNotIn(b"val_loss:", file.read_bytes())
                inspected = self.call("inspect", "c/last.safetensors", program=programs.TOOLS)
                self.assertIn("hash verified", inspected.stdout)

    def test_of_help_through_head(self):
        out = subprocess.run(f"'{programs.TRAINER}' --help | head -1", shell=True, capture_output=True, text=True,
                             timeout=programs.TIMEOUT, check=True, env=programs.environment())
        self.assertEqual((out.stdout, out.stderr), ("Usage: trainer [OPTIONS]\n", ""))


if __name__ == "__main__":
    programs.main()
