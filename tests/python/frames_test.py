"""Data frames of pandas and Polars and tables of PyArrow, where a path of a file goes, too."""

import pathlib
import re
import tempfile
import unittest
import warnings

import interop

numpy, pandas, polars, pyarrow = interop.packages("numpy", "pandas", "polars", "pyarrow")

import millrace  # noqa: E402  (it needs NumPy)

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/python.md"
QUICK = {"batch": 8, "epochs": 3, "val_size": 20, "device": "cpu"}
TABLE = {"label_column": "y", "one_hot": "text", "drop_columns": "id", "missing": "mean", "standardize": True}
ROWS = 120


def hash_of(run):
    return run.summary["weights_hash"]


class FramesTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = pathlib.Path(scratch.name) / "train.csv"
        random = numpy.random.default_rng(5)
        self.columns = {
            "id": list(range(ROWS)),
            "size": [None if i % 9 == 4 else float(value) for i, value in enumerate(random.normal(10, 3, ROWS).round(2))],
            "colour": [[None, "red", "blue"][i] for i in random.integers(0, 3, ROWS)],
            "rooms": random.integers(1, 9, ROWS).tolist(),
            "y": [["no", "yes"][i] for i in random.integers(0, 2, ROWS)],
        }
        self.frame = pandas.DataFrame(self.columns)
        self.frame.to_csv(self.path, index=False)
        self.frames = {
            "pandas": self.frame,
            "categories": self.frame.astype({"colour": "category"}),
            "nullable": self.frame.convert_dtypes(),
            "polars": polars.DataFrame(self.columns),
            "pyarrow": pyarrow.table(self.columns),
        }

    def test_are_what_a_file_of_them_is(self):
        run = millrace.train(self.path, **TABLE, **QUICK)
        logits = run.model.logits(self.path)
        accuracy = run.model.evaluate(self.path)["accuracy"]
        for name, frame in self.frames.items():
            with self.subTest(name):
                self.assertEqual(hash_of(millrace.train(frame, **TABLE, **QUICK)), hash_of(run))
                numpy.testing.assert_array_equal(run.model.logits(frame), logits)
                self.assertEqual(run.model.evaluate(frame)["accuracy"], accuracy)

    def test_open(self):
        data = millrace.open(self.frame, label="y", one_hot="text", drop_columns="id", missing="mean")
        self.assertEqual(data.train.class_names, ["no", "yes"])
        self.assertEqual(data.train.column_names, ["size", "size missing", "colour=blue", "colour=red", "colour missing", "rooms"])
        x, y = data.train.read([0, 1])
        self.assertEqual(x[:, 5].tolist(), self.columns["rooms"][:2])
        self.assertEqual([["no", "yes"][i] for i in y], self.columns["y"][:2])
        self.assertIsNone(data.test)

    def test_bring_tests_and_validation_along(self):
        parts = {"test": self.frame[100:], "validation": self.frame[80:100]}
        quick = QUICK | {"val_size": None}
        run = millrace.train(self.frame[:80], **parts, **TABLE, **quick)
        others = {name: polars.DataFrame(part.where(part.notna(), None).to_dict("list")) for name, part in parts.items()}
        again = millrace.train(self.frame[:80], **others, **TABLE, **quick)
        self.assertEqual(again.summary["test_loss"], run.summary["test_loss"])
        found = run.model.evaluate(self.frame[100:])
        self.assertAlmostEqual(found["accuracy"], run.test_acc)

    def test_options_are_searched_on_them(self):
        search = millrace.search(self.frame, {"lr": [0.1, 0.3]}, **TABLE, **QUICK)
        self.assertEqual(len(search.trials), 2)

    def test_targets_and_labels(self):
        frame = pandas.DataFrame({"a": numpy.arange(60.0), "price": numpy.arange(60.0) * 2, "warm": numpy.arange(60) > 30, "wet": numpy.arange(60) % 2})
        run = millrace.train(frame, task="regression", label_column="price", drop_columns=["warm", "wet"], **QUICK)
        self.assertEqual(run.model.predict(frame).shape, (60,))
        run = millrace.train(frame, task="multilabel", label_column="warm,wet", drop_columns="price", **QUICK)
        self.assertEqual(run.model.predict(frame.drop(columns=["warm", "wet", "price"])).shape, (60, 2))

    def test_lists_are_columns(self):
        draw = numpy.random.default_rng(1)
        rows = draw.integers(0, 256, (ROWS, 6))
        label = draw.integers(0, 2, ROWS)
        whole = millrace.open(pandas.DataFrame({f"x[{i}]": rows[:, i] for i in range(6)} | {"label": label})).train
        for name, frame in {
            "pandas": pandas.DataFrame({"x": list(rows), "label": label}),
            "polars": polars.DataFrame({"x": rows, "label": label}),
            "polars, lists": polars.DataFrame({"x": rows.tolist(), "label": label}),
            "pyarrow": pyarrow.table({"x": rows.tolist(), "label": label}),
        }.items():
            with self.subTest(name):
                opened = millrace.open(frame).train
                self.assertEqual(opened.dtype, numpy.uint8)
                self.assertEqual(opened.hash(), whole.hash())
                self.assertEqual(opened.column_names, [f"x[{i}]" for i in range(6)])

    def test_columns_that_have_one_name(self):
        frame = pandas.DataFrame(numpy.arange(30).reshape(10, 3), columns=["a", "a", "label"])
        x, _ = millrace.open(frame).train.read([1])
        self.assertEqual(x.tolist(), [[3, 4]])

    def test_the_manual_says_so(self):
        section = MANUAL.read_text(encoding="utf-8").partition("## Tables\n")[2].partition("\n## ")[0]
        example = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[1]
        names = {}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(example, MANUAL, "exec"), names)
        self.assertGreater(names["run"].test_acc, 0.7)
        self.assertEqual(names["labels"].shape, (200,))

    def test_what_is_wrong(self):
        with self.assertRaisesRegex(millrace.DataError, r'^DataFrame: sample 4: expected a finite number in column 2 \("size"\), found a missing value \(missing mean'):
            millrace.train(self.frame, label_column="y", one_hot="text", **QUICK)
        with self.assertRaisesRegex(millrace.DataError, r'expected numbers, bools or text in column 6 \("born"\), found dates or times \(drop_columns born'):
            millrace.open(self.frame.assign(born=pandas.Timestamp("2020")), label="y", one_hot="text", missing="mean")
        with self.assertRaisesRegex(millrace.DataError, r'in column 6 \("what"\), found object objects|found dict objects'):
            millrace.open(self.frame.assign(what=[{} for _ in range(ROWS)]), label="y", one_hot="text", missing="mean")
        with self.assertRaisesRegex(millrace.DataError, "lists that are not as long in each row"):
            millrace.open(pandas.DataFrame({"x": [[1, 2], [3]], "label": [0, 1]}))
        with self.assertRaisesRegex(millrace.DataError, "expected rows of a table, found none"):
            millrace.open(self.frame[:0], label="y")
        with self.assertRaisesRegex(TypeError, "path: expected a path or a DataFrame, found "):
            millrace.open(3)
        with self.assertRaisesRegex(millrace.DataError, "a table in memory"):
            millrace.open(self.frame, label="y", one_hot="text", missing="mean", stream=True)
        model = millrace.train(self.frame, **TABLE, **QUICK).model
        with self.assertRaisesRegex(millrace.DataError, 'expected the columns of the model, found none called "rooms"'):
            model.predict(self.frame.drop(columns="rooms"))
        with self.assertWarnsRegex(UserWarning, r'DataFrame: 1 sample has categories that are not known, .* "green"'):
            model.predict(self.frame[:1].assign(colour="green"))

    def test_an_array_of_a_frame_is_an_array(self):
        numbers = self.frame[["rooms"]]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run = millrace.train((numbers, self.frame["y"] == "yes"), **QUICK)
        self.assertEqual(run.model.predict(numbers.to_numpy()).shape, (ROWS,))


if __name__ == "__main__":
    unittest.main()
