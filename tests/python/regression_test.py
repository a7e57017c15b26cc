"""Regression from Python: numbers as labels, what is said of them, and what is refused."""

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
TASK = {"task": "regression"}


def planes(count, seed):
    """Samples of three values; targets of two units that they decide, but for noise: float64 [count, 2]."""
    random = numpy.random.default_rng(seed)
    x = random.normal(size=(count, 3)).astype(numpy.float32)
    y = x @ [[900.0, 0.2], [-400.0, 0.1], [50.0, -0.3]] + [5000.0, 1.0] + random.normal(size=(count, 2)) * [20.0, 0.01]
    return x, y


def r2_of(truth, predicted):
    return 1 - ((truth - predicted) ** 2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)


class RegressionTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.x, self.y = planes(400, 1)
        self.x_test, self.y_test = planes(150, 2)

    def one(self, **options):
        """A run that learns the first target."""
        return millrace.train((self.x, self.y[:, 0]), test=(self.x_test, self.y_test[:, 0]), **TASK, **{**QUICK, **options})

    def both(self, **options):
        return millrace.train((self.x, self.y), test=(self.x_test, self.y_test), **TASK, **{**QUICK, **options})

    def write(self):
        """Tables with a header."""
        for name, x, y in (("train", self.x, self.y), ("test", self.x_test, self.y_test)):
            numpy.savetxt(self.folder / f"{name}.csv", numpy.hstack([x, y]), "%.17g", ",", header="a,b,c,price,tax", comments="")
        return self.folder

    def test_columns_are_listed_whatever_their_names_hold(self):
        header = 'x,"price, EUR",price,"so ""called""",y'
        numpy.savetxt(self.folder / "train.csv", numpy.hstack([self.x, self.y]), "%.17g", ",", header=header, comments="")
        for columns in (["price, EUR", "x"], ['so "called"'], ["y"], "price"):
            run = millrace.train(self.folder, **TASK, **QUICK, label_column=columns)
            self.assertEqual(run.model.target_names, columns if isinstance(columns, list) else [columns])

    # Data sets

    def test_a_data_set_says_what_its_targets_are(self):
        data = millrace.from_arrays(self.x, self.y, **TASK, target_names=["price", "tax"])
        self.assertEqual((data.task, data.targets, data.target_names), ("regression", 2, ["price", "tax"]))
        self.assertEqual((data.classes, data.class_names), (0, []))
        self.assertIn("400 samples, 3 float32, 2 targets>", repr(data))
        self.assertIn("1 target>", repr(millrace.from_arrays(self.x, self.y[:, 0], **TASK)))
        classes = millrace.from_arrays(self.x, numpy.arange(400) % 3)
        self.assertEqual((classes.task, classes.targets, classes.target_names), ("classification", 0, []))

    def test_targets_are_read_as_float32(self):
        stored = self.y.astype(numpy.float32)
        data = millrace.from_arrays(self.x, self.y, **TASK)
        x, y = data.read([3, 399, 3])
        self.assertEqual((y.dtype, y.shape), (numpy.float32, (3, 2)))
        numpy.testing.assert_array_equal(y, stored[[3, 399, 3]])
        numpy.testing.assert_array_equal(x, self.x[[3, 399, 3]])
        for column in (self.y[:, 0], self.y[:, :1]):
            labels = millrace.from_arrays(self.x, column, **TASK).read([3, 399])[1]
            numpy.testing.assert_array_equal(labels, stored[[3, 399], 0])
        for dtype in ("uint8", "int64", "float16", ">f8", "bool"):
            numbers = (numpy.arange(400) % 2).astype(dtype)
            labels = millrace.from_arrays(self.x, numbers, **TASK).read([4, 7])[1]
            self.assertEqual((labels.dtype, labels.tolist()), (numpy.float32, [0.0, 1.0]))

    def test_a_table_s_columns_are_targets(self):
        folder = self.write()
        data = millrace.open(folder, **TASK, label="price,tax")
        self.assertEqual((data.train.target_names, data.train.shape, data.test.targets), (["price", "tax"], (3,), 2))
        numpy.testing.assert_allclose(data.train.read(range(400))[1], self.y, rtol=1e-6)
        self.assertEqual(millrace.open(folder, label="tax", **TASK).train.shape, (4,))

    def test_a_loader_delivers_targets(self):
        stored = self.y.astype(numpy.float32)
        for wanted in (stored, stored[:, 0]):
            data = millrace.from_arrays(self.x, wanted, **TASK)
            loader = millrace.Loader(data, batch=64, shuffle=False, chunk_batches=3)
            labels = [y.copy() for _, y in loader]
            self.assertEqual([len(y) for y in labels], [64] * 6 + [16])
            self.assertEqual(labels[0].dtype, numpy.float32)
            numpy.testing.assert_array_equal(numpy.concatenate(labels), wanted)
            chunks = [y.copy() for _, y in loader.chunks()]
            self.assertEqual([len(y) for y in chunks], [192, 192, 16])
            numpy.testing.assert_array_equal(numpy.concatenate(chunks), wanted)
        shuffled = [(x.copy(), y.copy()) for x, y in millrace.Loader(data, batch=64, seed=1)]
        order = {tuple(x): y for x, y in zip(self.x.tolist(), stored[:, 0])}
        for x, y in shuffled:
            self.assertEqual([order[tuple(sample)] for sample in x.tolist()], y.tolist())
        ranks = [[y.copy() for _, y in millrace.Loader(data, batch=64, seed=1, rank=rank, ranks=3)] for rank in range(3)]
        for (_, whole), shares in zip(shuffled, zip(*ranks)):
            numpy.testing.assert_array_equal(numpy.concatenate(shares), whole)

    # Runs

    def test_one_target_is_learnt(self):
        seen = []
        run = self.one(on_epoch=seen.append)
        self.assertEqual(seen, run.epochs)
        self.assertEqual({"train_r2", "val_r2", "val_rmse"} & set(seen[0]), {"train_r2", "val_r2", "val_rmse"})
        self.assertFalse({"train_acc", "val_acc"} & set(seen[0]))
        self.assertGreater(run.test_r2, 0.98)
        self.assertIsNone(run.test_acc)
        predicted = run.model.predict(self.x_test)
        self.assertEqual((predicted.dtype, predicted.shape), (numpy.float32, (150,)))
        truth = self.y_test[:, 0]
        self.assertAlmostEqual(run.test_r2, r2_of(truth, predicted), 5)
        self.assertAlmostEqual(run.test_rmse / ((truth - predicted) ** 2).mean() ** 0.5, 1, 5)
        self.assertEqual((run.summary["task"], run.summary["test_r2"]), ("regression", run.test_r2))

    def test_several_targets_are_learnt_at_once(self):
        run = self.both()
        self.assertGreater(run.test_r2, 0.98)
        self.assertIsNone(run.test_rmse)
        model = run.model
        self.assertEqual((model.task, model.widths, model.target_names, model.class_names), ("regression", [3, 32, 2], [], []))
        predicted = model.predict(self.x_test)
        self.assertEqual((predicted.dtype, predicted.shape), (numpy.float32, (150, 2)))
        self.assertTrue((r2_of(self.y_test, predicted) > 0.98).all())
        numpy.testing.assert_array_equal(model.predict(millrace.from_arrays(self.x_test, self.y_test, **TASK)), predicted)
        numpy.testing.assert_allclose(model.predict(self.x_test[:1]), predicted[:1], rtol=1e-5)
        mean, deviation = model.target_scales
        self.assertEqual((mean.dtype, mean.shape, deviation.shape), (numpy.float32, (2,), (2,)))
        x, w = self.x_test, model.parameters()
        outputs = numpy.maximum(x @ w["0.weight"].T + w["0.bias"], 0) @ w["2.weight"].T + w["2.bias"]
        numpy.testing.assert_allclose(outputs * deviation + mean, predicted, rtol=1e-4, atol=1e-4)

    def test_errors_are_numpy_s(self):
        data = millrace.from_arrays(self.x, self.y, **TASK, target_names=["price", "tax"])
        model = millrace.train(data, **QUICK).model
        self.assertEqual(model.target_names, ["price", "tax"])
        found = model.evaluate((self.x_test, self.y_test))
        self.assertEqual((set(found), found["samples"]), ({"loss", "r2", "samples", "targets"}, 150))
        truth, predicted = self.y_test.astype(numpy.float32).astype(float), model.predict(self.x_test)
        error = predicted - truth
        for t, name in enumerate(["price", "tax"]):
            self.assertEqual((found["targets"][t]["target"], found["targets"][t]["name"]), (t, name))
            for key, wanted in (("rmse", (error**2).mean(axis=0) ** 0.5), ("mae", abs(error).mean(axis=0)),
                                ("largest", abs(error).max(axis=0)), ("r2", r2_of(truth, predicted)),
                                ("mean", truth.mean(axis=0)), ("deviation", truth.std(axis=0))):
                self.assertAlmostEqual(found["targets"][t][key] / wanted[t], 1, 6, (key, t))
        scaled = error / model.target_scales[1]
        self.assertAlmostEqual(found["loss"] / (scaled**2).mean(), 1, 5)
        spread = ((truth - truth.mean(axis=0)) / model.target_scales[1]) ** 2
        self.assertAlmostEqual(found["r2"], 1 - (scaled**2).sum() / spread.sum(), 6)
        some = millrace.split(data, 50)[1]
        self.assertEqual(model.evaluate(data, subset=some)["samples"], 50)
        self.assertNotIn("name", self.both().model.evaluate((self.x_test, self.y_test))["targets"][0])

    def test_every_form_of_data_gives_the_same_bits(self):
        wanted = self.both().summary["weights_hash"]
        folder = self.folder / "arrays"
        folder.mkdir()
        for name, x, y in (("train", self.x, self.y), ("test", self.x_test, self.y_test)):
            numpy.save(folder / f"x_{name}.npy", x)
            numpy.save(folder / f"y_{name}.npy", y)
        opened = millrace.open(folder, **TASK)
        arrays = millrace.from_arrays(self.x, self.y, **TASK)
        for data, options in ((folder, TASK), (opened, {}), (opened.train, TASK), (arrays, {}), (arrays, {"lr": 0.1}),
                              (millrace.open(self.write(), label="price,tax", **TASK).train, {"task": None}),
                              (self.folder, {**TASK, "label_column": ["price", "tax"]})):
            run = millrace.train(data, **QUICK, **options)
            self.assertEqual(run.summary["weights_hash"], wanted)
        metrics = self.folder / "m.jsonl"
        subprocess.run([os.environ["MILLRACE_TRAINER"], "--data", folder, "--task", "regression", "--batch", "16", "--epochs",
                        "12", "--val-size", "60", "--device", "cpu", "--metrics", metrics, "--quiet"], check=True)
        self.assertIn(wanted, metrics.read_text())

    def test_options_of_regression(self):
        plain = self.both().summary["weights_hash"]
        hashes = {self.both(loss=loss).summary["weights_hash"] for loss in ("mse", "mae", "huber")}
        self.assertEqual((len(hashes), plain in hashes), (3, True))
        unscaled = self.one(standardize_targets=False, lr=1e-9, epochs=1)
        self.assertIsNone(unscaled.model.target_scales)
        run = self.both(epochs=500, target_r2=0.9)
        self.assertLess(len(run.epochs), 500)
        self.assertGreaterEqual(run.epochs[-1]["val_r2"], 0.9)
        validated = millrace.train((self.x, self.y), validation=(self.x_test, self.y_test), **TASK, batch=16, epochs=1)
        self.assertEqual(validated.summary["val_samples"], 150)

    def test_a_saved_model_is_the_same(self):
        data = millrace.from_arrays(self.x, self.y, **TASK, target_names=["price", "tax"])
        model = millrace.train(data, standardize=True, **QUICK).model
        model.save(self.folder / "m.safetensors")
        loaded = millrace.load(self.folder / "m.safetensors", device="cpu", threads=1)
        self.assertEqual((loaded.task, loaded.target_names), ("regression", ["price", "tax"]))
        numpy.testing.assert_array_equal(loaded.predict(self.x_test), model.predict(self.x_test))
        numpy.testing.assert_array_equal(loaded.target_scales, model.target_scales)
        model.save_onnx(self.folder / "m.onnx")
        self.assertGreater((self.folder / "m.onnx").stat().st_size, 3 * 32 * 4)

    def test_a_run_goes_on_to_the_same_bits(self):
        wanted = self.both().summary["weights_hash"]
        kept = {"checkpoint_dir": self.folder / "c"}
        self.both(**kept, on_epoch=lambda epoch: epoch["epoch"] == 5)
        self.assertEqual(self.both(**kept, resume=True).summary["weights_hash"], wanted)

    def test_the_program_finds_the_columns_that_a_model_calls_its_targets(self):
        data = millrace.from_arrays(self.x, self.y, **TASK, target_names=["price", "tax"])
        model = millrace.train(data, **QUICK).model
        model.save(self.folder / "m.safetensors")
        tables = self.folder / "tables"
        tables.mkdir()
        header = dict(header="tax,a,b,c,price", comments="")
        numpy.savetxt(tables / "test.csv", numpy.hstack([self.y_test[:, 1:], self.x_test, self.y_test[:, :1]]), "%.17g", ",",
                      **header)
        (tables / "train.csv").write_bytes((tables / "test.csv").read_bytes())
        done = subprocess.run([os.environ["MILLRACE_TRAINER"], "evaluate", "--checkpoint", self.folder / "m.safetensors",
                               "--data", tables, "--device", "cpu"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"R²: {model.evaluate((self.x_test, self.y_test))['r2']:.4f}", done.stdout)

    def test_the_manual_s_example_learns(self):
        section = MANUAL.read_text(encoding="utf-8").partition("## Regression\n")[2].partition("\n## ")[0]
        (example,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(example, MANUAL, "exec"), {})
        r2, rmse, mae, largest, deviation = map(float, said.getvalue().split())
        self.assertGreater(r2, 0.99)
        self.assertLess(mae, rmse)
        self.assertLess(rmse, largest)
        self.assertLess(largest, deviation)

    # What goes wrong

    def test_targets_that_are_none_are_named(self):
        wrong = self.y.copy()
        wrong[7, 1] = numpy.nan
        for message, error, y in (("y: expected a finite number .*target 1 of sample 7, found nan", millrace.DataError, wrong),
                                  ("y: expected .*target of sample 3, found 1e\\+300", millrace.DataError,
                                   numpy.where(numpy.arange(400) == 3, 1e300, 0.0)),
                                  ("y: expected 400 targets, .* found 3", millrace.DataError, self.y[:3, 0]),
                                  ("y: expected targets, .* found 400x2x1 float64", millrace.DataError, self.y[:, :, None]),
                                  ("y: expected an array of numbers", TypeError, ["a"] * 400),
                                  ("y: expected an array without a mask", TypeError, numpy.ma.masked_less(self.y, 0))):
            for call in (lambda: millrace.from_arrays(self.x, y, **TASK), lambda: millrace.train((self.x, y), **TASK, **QUICK)):
                with self.assertRaisesRegex(error, f"^{message}"):
                    call()
        with self.assertRaisesRegex(millrace.DataError, "y: .*whole number.*regression"):
            millrace.from_arrays(self.x, self.y[:, 0])
        with self.assertRaisesRegex(ValueError, "^task: expected 'classification', 'regression' or 'multilabel', found 'ranking'"):
            millrace.from_arrays(self.x, self.y, task="ranking")
        with self.assertRaisesRegex(ValueError, "^task: expected 'classification', 'regression' or 'multilabel', found ''"):
            millrace.open(self.folder, task="")
        with self.assertRaisesRegex(ValueError, "^target_names: expected 2, one for each target, found 1"):
            millrace.from_arrays(self.x, self.y, **TASK, target_names=["price"])
        with self.assertRaisesRegex(ValueError, "^target_names: expected task='regression' or 'multilabel' with them, found 'classification'"):
            millrace.from_arrays(self.x, numpy.arange(400), target_names=["price"])
        with self.assertRaisesRegex(ValueError, "^class_names: expected task='classification' with them, found 'regression'"):
            millrace.from_arrays(self.x, self.y, **TASK, class_names=["oak", "elm"])

    def test_tasks_are_not_mixed(self):
        numbers = millrace.from_arrays(self.x, self.y[:, 0], **TASK)
        classes = millrace.from_arrays(self.x, numpy.arange(400) % 3)
        for data, task, wanted in ((numbers, "classification", "regression"), (classes, "regression", "classification")):
            with self.assertRaisesRegex(ValueError, f"^task: expected {wanted}, for which the data were opened, found {task}"):
                millrace.train(data, task=task, **QUICK)
        recipe = self.folder / "r.toml"
        recipe.write_text('task = "regression"\n')
        with self.assertRaisesRegex(ValueError, "^task: expected classification, for which the data were opened"):
            millrace.train(classes, config=recipe, **QUICK)
        self.assertGreater(millrace.train((self.x, self.y), config=recipe, **QUICK).epochs[-1]["val_r2"], 0.9)
        for option in ({"loss": "mae"}, {"standardize_targets": False}, {"target_r2": 0.5}):
            (name,) = option
            with self.assertRaisesRegex(ValueError, f"^{name}: expected task regression with it"):
                millrace.train(classes, **option, **QUICK)
        with self.assertRaisesRegex(ValueError, "^label_smoothing: expected task classification with it"):
            millrace.train(numbers, label_smoothing=0.1, **QUICK)
        for other in (classes, (self.x_test, self.y_test)):
            for options in ({**QUICK, "test": other}, {"validation": other, "device": "cpu"}):
                with self.assertRaisesRegex(millrace.DataError, "expected 1 target, as in the training set, found [23] "):
                    millrace.train(numbers, **options)

    def test_a_model_of_targets_has_no_logits(self):
        model = self.one().model
        for ask in ("logits", "probabilities"):
            with self.assertRaisesRegex(ValueError, rf"^{ask}\(\): expected a model of classes, found one of targets"):
                getattr(model, ask)(self.x_test)
        with self.assertRaisesRegex(millrace.DataError, "to be predicted: model 1 target, .*2 targets"):
            model.evaluate((self.x_test, self.y_test))
        classes = millrace.from_arrays(self.x, numpy.arange(400) % 3)
        for call in (model.evaluate, model.predict):
            with self.assertRaisesRegex(millrace.DataError, "to be predicted: model 1 target, .*3 classes"):
                call(classes)
        bad = self.x_test.copy()
        bad[7, 2] = numpy.inf
        for ask in (model.predict, lambda x: model.evaluate((x, self.y_test[:, 0]))):
            with self.assertRaisesRegex(millrace.DataError, "sample 7, element 2: expected a number that is finite"):
                ask(bad)


if __name__ == "__main__":
    unittest.main()
