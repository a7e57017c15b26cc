"""Labels that samples have or have not, from Python: what is said of them, and what is refused."""

import contextlib
import io
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import interop

(numpy,) = interop.packages("numpy")

import millrace  # noqa: E402  (it needs NumPy)

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/python.md"
QUICK = {"batch": 16, "epochs": 12, "val_size": 60, "device": "cpu"}
TASK = {"task": "multilabel"}


def halves(count, seed):
    """Samples of four values; which of three half-spaces they lie in: bool [count, 3]."""
    x = numpy.random.default_rng(seed).normal(size=(count, 4)).astype(numpy.float32)
    return x, x @ numpy.array([[1, 0, 1], [0, 2, -1], [0, 0, 1], [0.5, 1, 0]]) > [0, 1, 0.5]


class MultilabelTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.x, self.y = halves(400, 1)
        self.x_test, self.y_test = halves(150, 2)

    def run_of(self, **options):
        return millrace.train((self.x, self.y), test=(self.x_test, self.y_test), **TASK, **{**QUICK, **options})

    def test_labels_are_learnt(self):
        seen = []
        run = self.run_of(on_epoch=seen.append)
        self.assertEqual(seen, run.epochs)
        self.assertGreater(run.test_acc, 0.9)
        self.assertIsNone(run.test_r2)
        self.assertEqual(run.summary["task"], "multilabel")
        model = run.model
        self.assertEqual((model.task, model.widths, model.target_scales), ("multilabel", [4, 32, 3], None))
        logits, shares, said = model.logits(self.x_test), model.probabilities(self.x_test), model.predict(self.x_test)
        self.assertEqual((said.dtype, said.shape, shares.dtype), (bool, (150, 3), numpy.float32))
        numpy.testing.assert_allclose(shares, 1 / (1 + numpy.exp(-logits.astype(float))), rtol=1e-6)
        numpy.testing.assert_array_equal(said, shares >= 0.5)
        self.assertEqual(run.test_acc, (said == self.y_test).mean())

    def test_scores_are_numpy_s(self):
        data = millrace.from_arrays(self.x, self.y, **TASK, target_names=["a", "b", "c"])
        model = millrace.train(data, **QUICK).model
        self.assertEqual(model.target_names, ["a", "b", "c"])
        found = model.evaluate((self.x_test, self.y_test))
        self.assertEqual(set(found), {"loss", "accuracy", "exact", "f1_micro", "f1_macro", "samples", "labels"})
        said, truth = model.predict(self.x_test), self.y_test
        both = (said & truth).sum(axis=0)
        f1 = 2 * both / (said.sum(axis=0) + truth.sum(axis=0))
        p = model.probabilities(self.x_test).astype(float)
        loss = -numpy.log(numpy.where(truth, p, 1 - p)).mean()
        for key, wanted in (("samples", 150), ("accuracy", (said == truth).mean()), ("exact", (said == truth).all(axis=1).mean()),
                            ("f1_micro", 2 * both.sum() / (said.sum() + truth.sum())), ("f1_macro", f1.mean())):
            self.assertAlmostEqual(found[key], wanted, 12, key)
        self.assertAlmostEqual(found["loss"], loss, 5)
        for t, label in enumerate(found["labels"]):
            for key, wanted in (("label", t), ("name", "abc"[t]), ("samples", truth[:, t].sum()), ("guesses", said[:, t].sum()),
                                ("precision", both[t] / said[:, t].sum()), ("recall", both[t] / truth[:, t].sum()),
                                ("f1", f1[t]), ("accuracy", (said == truth)[:, t].mean())):
                self.assertEqual(label[key], wanted, (key, t))

    def test_every_form_of_data_gives_the_same_bits(self):
        wanted = self.run_of().summary["weights_hash"]
        folder = self.folder / "arrays"
        folder.mkdir()
        for name, x, y in (("train", self.x, self.y), ("test", self.x_test, self.y_test)):
            numpy.save(folder / f"x_{name}.npy", x)
            numpy.save(folder / f"y_{name}.npy", y.astype(numpy.uint8))
        opened = millrace.open(folder, **TASK)
        self.assertEqual(opened.train.task, "multilabel")
        numbers = millrace.open(folder, task="regression")
        arrays = millrace.from_arrays(self.x, self.y.astype(float), **TASK)
        for data, options in ((folder, TASK), (opened, {}), (opened.train, {}), (numbers, TASK), (arrays, {}), (arrays, TASK)):
            self.assertEqual(millrace.train(data, **QUICK, **options).summary["weights_hash"], wanted)
        metrics = self.folder / "m.jsonl"
        subprocess.run([os.environ["MILLRACE_TRAINER"], "--data", folder, "--task", "multilabel", "--batch", "16", "--epochs",
                        "12", "--val-size", "60", "--device", "cpu", "--metrics", metrics, "--quiet"], check=True)
        self.assertIn(wanted, metrics.read_text())

    def test_one_label_is_a_table_of_one_column(self):
        run = millrace.train((self.x, self.y[:, 0]), **TASK, **QUICK)
        self.assertEqual(run.model.predict(self.x_test).shape, (150, 1))
        self.assertGreater(run.model.evaluate((self.x_test, self.y_test[:, 0]))["accuracy"], 0.9)

    def test_a_saved_model_is_the_same(self):
        model = self.run_of(standardize=True).model
        model.save(self.folder / "m.safetensors")
        loaded = millrace.load(self.folder / "m.safetensors", device="cpu", threads=1)
        self.assertEqual(loaded.task, "multilabel")
        numpy.testing.assert_array_equal(loaded.predict(self.x_test), model.predict(self.x_test))
        model.save_onnx(self.folder / "m.onnx")
        self.assertIn(b"Sigmoid", (self.folder / "m.onnx").read_bytes())

    def test_the_manual_s_example_learns(self):
        section = MANUAL.read_text(encoding="utf-8").partition("## Several labels\n")[2].partition("\n## ")[0]
        (example,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(example, MANUAL, "exec"), {})
        accuracy, exact, f1 = map(float, said.getvalue().split())
        self.assertGreater(exact, 0.8)
        self.assertGreater(accuracy, exact)
        self.assertGreater(f1, 0.9)

    def test_what_is_no_label_is_named(self):
        wrong = self.y.astype(float)
        wrong[7, 1] = 0.5
        with self.assertRaisesRegex(millrace.DataError, r"^x: expected labels of 0 and 1 .*, found 0\.5 as label 1 of sample 7"):
            millrace.train((self.x, wrong), **TASK, **QUICK)
        numbers = millrace.from_arrays(self.x, wrong, task="regression")
        model = self.run_of().model
        for call in (lambda: model.evaluate((self.x, wrong)), lambda: model.evaluate(numbers), lambda: model.predict(numbers)):
            with self.assertRaisesRegex(millrace.DataError, "found 0\\.5 as label 1 of sample 7"):
                call()
        with self.assertRaisesRegex(millrace.DataError, "to be predicted: model 3 targets, .*3 classes"):
            model.evaluate(millrace.from_arrays(self.x, numpy.arange(400) % 3))

    def test_tasks_are_not_mixed(self):
        labels = millrace.from_arrays(self.x, self.y, **TASK)
        classes = millrace.from_arrays(self.x, numpy.arange(400) % 3)
        for data, task, wanted in ((labels, "classification", "multilabel"), (labels, "regression", "multilabel"),
                                   (classes, "multilabel", "classification")):
            with self.assertRaisesRegex(ValueError, f"^task: expected {wanted}, for which the data were opened, found {task}"):
                millrace.train(data, task=task, **QUICK)
        with self.assertRaisesRegex(ValueError, "^loss: expected task regression with it"):
            millrace.train(labels, loss="mae", **QUICK)
        with self.assertRaisesRegex(ValueError, "^class_names: expected task='classification' with them, found 'multilabel'"):
            millrace.from_arrays(self.x, self.y, **TASK, class_names=["a", "b", "c"])


if __name__ == "__main__":
    unittest.main()
