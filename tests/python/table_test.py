"""Tables from Python: categories and missing values, as files, and the same of a model's later ones."""

import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

import interop

(numpy,) = interop.packages("numpy")

import millrace  # noqa: E402  (it needs NumPy)

QUICK = {"batch": 8, "epochs": 10, "val_size": 20, "device": "cpu", "standardize": True}
TABLE = {"one_hot": "text", "drop_columns": ["id", "a,b"], "missing": "mean"}


class TableTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        random = numpy.random.default_rng(5)
        colours = random.choice(["red", "blue"], 200)
        sizes = random.normal(10, 3, 200).round(2)
        self.labels = [int(colour == "red" or size > 13) for colour, size in zip(colours, sizes)]
        self.lines = [f"{i},{'' if i % 9 == 4 else size},{colour},7,{label}"
                      for i, (size, colour, label) in enumerate(zip(sizes, colours, self.labels))]
        self.path = self.write("train.csv", 'id,size,colour,"a,b",y', self.lines)

    def write(self, name, header, lines):
        path = self.folder / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    def test_is_trained_on_and_asked(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run = millrace.train(self.path, label_column="y", **TABLE, **QUICK)
            found = run.model.evaluate(self.path)
            self.assertEqual(found["samples"], 200)
            self.assertGreater(found["accuracy"], 0.85)
            new = self.write("new.csv", "colour,size", ["red,9", "blue,2", "blue,"])
            numpy.testing.assert_array_equal(run.model.predict(new)[:2], [1, 0])
            self.assertEqual(run.model.probabilities(str(new)).shape, (3, 2))
        odd = self.write("odd.csv", "colour,size", ["green,9"])
        with self.assertWarnsRegex(UserWarning, r'odd\.csv: 1 sample has categories that are not known, .* "green"'):
            run.model.predict(odd)
        mean, deviation = run.model.standardizer
        numpy.testing.assert_array_equal((mean[1:], deviation[1:]), ([0, 0, 0], [1, 1, 1]))

    def test_is_opened(self):
        opened = millrace.open(self.path, label="y", **TABLE)
        self.assertEqual(opened.train.column_names, ["size", "size missing", "colour=blue", "colour=red"])
        x, y = opened.train.read(range(200))
        self.assertEqual((x.dtype, x.shape), (numpy.float32, (200, 4)))
        numpy.testing.assert_array_equal(y, self.labels)
        numpy.testing.assert_array_equal(x[:, 2:].sum(axis=1), numpy.ones(200))
        whole = x[x[:, 1] == 0]
        numpy.testing.assert_allclose(x[4, 0], whole[:, 0].mean(), rtol=1e-6)
        run = millrace.train(opened, **QUICK)
        again = millrace.train(self.path, label_column="y", **TABLE, **QUICK)
        self.assertEqual(run.summary["weights_hash"], again.summary["weights_hash"])
        named = millrace.open(self.path, label="y", one_hot=["colour", 1], drop_columns='"a,b"', missing="mean")
        self.assertEqual(named.train.shape, (204,))

    def test_is_kept_with_the_model(self):
        run = millrace.train(self.path, label_column="y", **TABLE, **QUICK)
        run.model.save(self.folder / "m.safetensors")
        model = millrace.load(self.folder / "m.safetensors", device="cpu")
        numpy.testing.assert_array_equal(model.logits(self.path), run.model.logits(self.path))

    def test_the_benchmark_measures_it(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        build = pathlib.Path(millrace.__file__).resolve().parents[2]
        done = subprocess.run([sys.executable, "-B", root / "bench" / "tables.py", "--build", build, "--python", sys.executable,
                               "--rounds", "1", "--lines", "300", "--out", self.folder / "out.json"],
                              capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"^millrace +0\.\d+ s +\d")
        self.assertIn('"shape": [ 300, 57 ]', " ".join((self.folder / "out.json").read_text().split()))

    def test_the_benchmark_of_parquet_measures_it(self):
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            self.skipTest("pyarrow is not there")
        root = pathlib.Path(__file__).resolve().parents[2]
        build = pathlib.Path(millrace.__file__).resolve().parents[2]
        done = subprocess.run([sys.executable, "-B", root / "bench" / "parquet.py", "--build", build, "--python", sys.executable,
                               "--rounds", "1", "--rows", "300", "--pixel-rows", "50", "--out", self.folder / "out.json"],
                              capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"millrace +0\.\d+ s")
        self.assertIn("pyarrow", done.stdout)

    def test_what_is_wrong(self):
        with self.assertRaisesRegex(millrace.DataError, r"one_hot colour makes values of categories, drop_columns colour"):
            millrace.open(self.path, label="y", drop_columns="id", missing="mean")
        with self.assertRaisesRegex(ValueError, "missing: expected 'fail' or 'mean', found 'no'"):
            millrace.open(self.path, missing="no")
        with self.assertRaisesRegex(ValueError, "one_hot, drop_columns, missing: expected a path or a DataFrame"):
            millrace.train(millrace.open(self.path, label="y", **TABLE), one_hot="text", **QUICK)
        with self.assertRaisesRegex(TypeError, "one_hot: expected a number, text, a path or a list"):
            millrace.open(self.path, one_hot={"colour": 1})
        model = millrace.train(self.path, label_column="y", **TABLE, **QUICK).model
        with self.assertRaisesRegex(ValueError, "x: expected arrays, a Dataset, a data frame or the path of a CSV or Parquet file, found the path "):
            model.predict(self.folder)
        with self.assertRaisesRegex(millrace.DataError, "found none called"):
            model.predict(self.write("lacks.csv", "colour,width", ["red,1"]))


if __name__ == "__main__":
    unittest.main()
