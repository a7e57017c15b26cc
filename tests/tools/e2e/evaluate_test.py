"""trainer evaluate as users run it: what training said of a checkpoint, it says too."""

import json
import re
import shutil

import programs


class Evaluate(programs.ProgramTest):
    def trained(self, *arguments):
        """Trains with checkpoints in c; returns the summary."""
        return self.summary("--epochs", "2", "--val-size", "200", "--checkpoint-dir", "c", "--force", *arguments)

    def evaluate(self, *arguments):
        done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.digits, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_says_what_training_said(self):
        for precision in ("fp32", "bf16"):
            with self.subTest(precision):
                summary = self.trained("--precision", precision)
                if summary["precision"] != precision:
                    self.skipTest("this processor has no bfloat16 arithmetic")
                self.assertEqual(sorted(p.name for p in (self.top / "c").iterdir()),
                                 ["best.safetensors", "last.safetensors"])
                found = json.loads(self.evaluate("--json"))
                self.assertEqual((found["accuracy"], found["loss"]), (summary["test_acc"], summary["test_loss"]))
                self.assertEqual((found["samples"], found["split"]), (200, "test"))
                self.assertEqual(sum(map(sum, found["confusion"])), 200)
                self.assertEqual(found["weights_hash"], summary["weights_hash"])

    def test_takes_the_average_of_the_weights(self):
        # Of any activation, and after steps of several batches.
        options = ["--ema", "0.99", "--accumulate", "2", "--clip-norm", "1", "--activation", "gelu", "--batch-norm", "on",
                   "--lr", "0.05"]
        summary = self.trained(*options)
        found = json.loads(self.evaluate("--json"))
        self.assertEqual((found["accuracy"], found["loss"]), (summary["test_acc"], summary["test_loss"]))
        self.assertEqual(found["weights_hash"], summary["weights_hash"])
        self.assertNotEqual(self.weights("--epochs", "2", "--val-size", "200", *options[2:]), summary["weights_hash"])

    def test_prints_within_80_columns(self):
        summary = self.trained()
        text = self.evaluate("--split", "test")
        self.assertIn(f"Loss: {summary['test_loss']:.4f}, accuracy: {summary['test_acc']:.4f}, wrong: ", text)
        self.assertRegex(text, r"(?m)^Confusion: truth downwards, guess to the right$")
        rows = re.findall(r"(?m)^ {4}\d(?: +[\d.]+){10}$", text)
        self.assertEqual(len(rows), 10)
        self.assertLessEqual(max(len(line) for line in text.splitlines() if not line.startswith(("Model:", "Data:"))), 80)

    def test_takes_images_of_another_size(self):
        asked = ["--resize", "14x10", "--rgb"]
        summary = self.trained(*asked)
        found = json.loads(self.evaluate("--json", *asked))
        self.assertEqual((found["accuracy"], found["loss"]), (summary["test_acc"], summary["test_loss"]))
        # The checkpoint knows them.
        known = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.digits, "--json")
        self.assertEqual(known.stderr, f"trainer evaluate: note: {self.digits / programs.TRAIN_IMAGES}: images of 28x28 "
                                       "are made the model's 10x14x3\n")
        self.assertEqual(json.loads(known.stdout), found)
        # Of WebDataset too, whose pictures are decoded to them.
        self.call("convert", self.digits, "tar", "--to", "tar", program=programs.TOOLS)
        known = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", "tar", "--json")
        self.assertEqual((known.returncode, known.stderr), (0, ""))
        self.assertEqual(json.loads(known.stdout)["loss"], found["loss"])
        # What is written once is the same as what is made on the way.
        self.call("convert", self.digits, "small", *asked, program=programs.TOOLS)
        self.assertEqual(self.summary("--epochs", "2", "--val-size", "200", "--checkpoint-dir", "d", data="small")
                         ["weights_hash"], summary["weights_hash"])
        self.assertEqual(self.weights("--epochs", "2", "--val-size", "200", *asked, "--residency", "host"),
                         summary["weights_hash"])
        # As a stream they are made on the way too, and what was trained on is known again.
        small = ["--resize", "7x7"]
        streamed = self.summary("--epochs", "2", "--val-size", "200", "--checkpoint-dir", "e", *small, "--residency",
                                "stream", data="small")
        of = lambda split: json.loads(self.call("evaluate", "--checkpoint", "e/last.safetensors", "--data", "small",
                                                "--split", split, "--json", *small).stdout)
        self.assertEqual(of("validation")["samples"], 200)
        found = of("test")
        self.assertEqual((found["accuracy"], found["loss"]), (streamed["test_acc"], streamed["test_loss"]))

    def test_takes_flat_samples_for_the_models_images_and_refuses_others(self):
        self.trained()
        arguments = ["evaluate", "--checkpoint", "c/last.safetensors", "--data"]
        of_images = json.loads(self.call(*arguments, self.digits, "--json").stdout)
        images = self.top / "flat" / programs.TEST_IMAGES
        for values in (784, 392):
            flat = self.copy_of_digits("flat")
            for name in (programs.TRAIN_IMAGES, programs.TEST_IMAGES):
                raw = (flat / name).read_bytes()
                count = int.from_bytes(raw[4:8], "big")
                (flat / name).write_bytes(programs.idx(8, [count, values], raw[16:16 + count * values]))
            if values == 784:
                self.assertEqual(json.loads(self.call(*arguments, flat, "--json").stdout)["loss"], of_images["loss"])
                shutil.rmtree(flat)
        line = self.refuses(1, *arguments, flat)
        self.assertEqual(line, f"trainer evaluate: c/last.safetensors: does not go with the data: samples: model 28x28 "
                               f"uint8, {images} 392 uint8")

    def test_refuses_a_file_that_is_no_checkpoint(self):
        (self.top / "x").write_bytes(b"nothing")
        self.assertIn("trainer evaluate: x: ", self.refuses(1, "evaluate", "--checkpoint", "x", "--data", self.digits))
        self.assertIn("none: cannot open", self.refuses(1, "evaluate", "--checkpoint", "none", "--data", self.digits))

    def test_takes_the_best_of_a_folder_and_says_so(self):
        self.trained()
        of_file = self.call("evaluate", "--checkpoint", "c/best.safetensors", "--data", self.digits)
        of_folder = self.call("evaluate", "--checkpoint", "c/", "--data", self.digits)
        self.assertEqual((of_folder.returncode, of_folder.stdout), (0, of_file.stdout))
        # What is read is not written to, also where its folder is named.
        self.assertIn("--outputs: expected another file than --checkpoint has",
                      self.refuses(2, "evaluate", "--checkpoint", "c", "--data", self.digits, "--outputs",
                                   "c/best.safetensors"))
        done = self.call("predict", "--checkpoint", "c", "--json", "none.png")
        self.assertEqual(done.stderr.splitlines()[0], "trainer predict: note: the model is c/best.safetensors")
        done = self.call("export", "--checkpoint", "c", "--onnx", "m.onnx")
        self.assertEqual((done.returncode, done.stderr), (0, "trainer export: note: the model is c/best.safetensors\n"))
        done = self.call("--data", self.digits, "--init", "c", "--epochs", "1")
        self.assertIn("trainer: note: the first weights are those of c/best.safetensors\n", done.stderr)
        self.assertEqual(self.refuses(1, "evaluate", "--checkpoint", self.digits, "--data", self.digits),
                         f"trainer evaluate: {self.digits}: expected best.safetensors or last.safetensors in this "
                         "folder, found neither")

    def test_takes_validation_samples_that_lie_beside_test_samples(self):
        self.call("convert", self.digits, "data", "--to", "npy", program=programs.TOOLS)
        data = self.top / "data"
        for name in "xy":
            (data / f"{name}_val.npy").write_bytes((data / f"{name}_test.npy").read_bytes())
        train = ["--data", data, "--epochs", "2", "--checkpoint-dir", "v"]
        done = self.call(*train)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1200 training, 200 validation and 200 test samples, 28x28 uint8, 10 classes\n"
                      "Split: 1200 to train on, 200 for validation, 200 to test; resident\n", done.stdout)
        test, validation = (json.loads(self.call("evaluate", "--checkpoint", "v/last.safetensors", "--data", data,
                                                 "--json", "--split", split).stdout) for split in ("test", "val"))
        self.assertEqual(validation["split"], "validation")
        self.assertEqual((validation["loss"], validation["samples"]), (test["loss"], 200))
        self.assertIn("test_loss: %.4f" % validation["loss"], done.stdout)
        # Asked for a number of the training samples, as ever; which is another run.
        line = self.refuses(1, *train, "--val-size", "200", "--resume")
        self.assertIn("validation size: checkpoint 0, this run 200; validation set: checkpoint content ", line)
        self.assertIn("; left out: x_val and 1 more\n", self.call(*train, "--val-size", "200", "--force").stdout)

    def test_refuses_bad_usage(self):
        self.assertEqual(self.refuses(2, "evaluate"),
                         "trainer evaluate: --checkpoint: expected a file or folder, found none (see trainer evaluate --help)")
        for option in ("--checkpoint", "--data", "--outputs"):
            self.assertIn(f"{option}: expected a path, found ''", self.refuses(2, "evaluate", option, ""))
        self.assertIn("--split: expected train, validation or test, found 'all'",
                      self.refuses(2, "evaluate", "--checkpoint", "x", "--split", "all"))
        self.assertIn("unknown command 'evalute'; did you mean evaluate?", self.refuses(2, "evalute"))

    def test_helps(self):
        done = self.call("evaluate", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Usage: trainer evaluate [OPTIONS]", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        for command in ("predict", "export"):
            lines = self.call(command, "--help").stdout.splitlines()
            self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn("evaluate ", self.call("--help").stdout)


if __name__ == "__main__":
    programs.main()
