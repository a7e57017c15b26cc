"""Parquet files that Apache Arrow writes, in every way it has, against the same data as arrays and as CSV.

Run as: parquet_test.py PATH_OF_trainer PATH_OF_tools. Skipped without the packages pyarrow, numpy and pillow.
"""

import decimal
import io
import itertools
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import interop  # noqa: E402

numpy, pyarrow, parquet, image, csv = interop.packages("numpy", "pyarrow", "pyarrow.parquet", "PIL.Image", "pyarrow.csv")

TRAINER, TOOLS = sys.argv.pop(1), sys.argv.pop(1)
ROWS = 1000


def floats(kind, missing=False, rows=ROWS):
    draw = numpy.random.default_rng(len(kind) + rows)
    values = draw.normal(0, 100, rows)
    if kind.startswith(("int", "uint")):
        low = 0 if kind.startswith("u") else -100
        values = draw.integers(low, 100, rows)
    if kind == "bool":
        values = draw.integers(0, 2, rows)
    array = values.astype(kind)
    mask = draw.random(rows) < 0.1 if missing else None
    return pyarrow.array(array, mask=mask)


def png(draw, side=9, colour=False):
    pixels = draw.integers(0, 256, (side, side, 3) if colour else (side, side), dtype=numpy.uint8)
    file = io.BytesIO()
    image.fromarray(pixels).save(file, "PNG")
    return file.getvalue(), pixels


class Parquet(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def convert(self, source, *options):
        """What Millrace reads: x, y."""
        out = self.folder / "out"
        done = subprocess.run(
            [TOOLS, "convert", source, out, "--to", "npy", "--force", "--quiet", *options], capture_output=True, encoding="utf-8"
        )
        self.assertEqual(done.stderr, "")
        return numpy.load(out / "x_train.npy"), numpy.load(out / "y_train.npy")

    def error(self, source, *options):
        done = subprocess.run(
            [TOOLS, "convert", source, self.folder / "out", "--to", "npy", "--force", *options], capture_output=True, encoding="utf-8"
        )
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def write(self, table, name="train.parquet", **how):
        path = self.folder / name
        parquet.write_table(table, path, **how)
        return path

    def check(self, table, *options, **how):
        """The columns of a table, in order, but the label's."""
        x, y = self.convert(self.write(table, **how), *options)
        self.assertEqual(y.tolist(), table["y"].to_pylist())
        for i, name in enumerate(name for name in table.column_names if name != "y"):
            expected = table[name].to_numpy(zero_copy_only=False).astype(numpy.float32)
            numpy.testing.assert_array_equal(x[:, i], expected, err_msg=f"{name} {how}")

    def labels(self, rows=ROWS):
        return pyarrow.array(numpy.random.default_rng(1).integers(0, 7, rows))

    def test_every_type(self):
        kinds = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]
        table = pyarrow.table({kind: floats(kind) for kind in kinds} | {"y": self.labels()})
        for codec, version in itertools.product(["none", "snappy", "gzip", "zstd"], ["1.0", "2.0"]):
            self.check(table, compression=codec, data_page_version=version)

    def test_large_numbers(self):
        table = pyarrow.table(
            {
                "u64": pyarrow.array([2**64 - 1, 2**63, 0], pyarrow.uint64()),
                "i64": pyarrow.array([-(2**63), 2**63 - 1, 16777217]),
                "u32": pyarrow.array([2**32 - 1, 2**31, 0], pyarrow.uint32()),
                "f64": pyarrow.array([3.4028234e38, 1e-45, 0.1]),
                "y": [0, 1, 0],
            }
        )
        self.check(table)

    def test_every_encoding(self):
        for kind, encodings in {
            "bool": ["PLAIN", "RLE"],
            "int32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
            "int64": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
            "float16": ["PLAIN", "BYTE_STREAM_SPLIT"],
            "float32": ["PLAIN", "BYTE_STREAM_SPLIT"],
            "float64": ["PLAIN", "BYTE_STREAM_SPLIT"],
        }.items():
            table = pyarrow.table({"a": floats(kind), "y": self.labels()})
            for encoding in encodings:
                self.check(table, use_dictionary=False, column_encoding={"a": encoding, "y": "PLAIN"}, data_page_size=500)

    def test_numbers_that_are_missing(self):
        for kind, version in itertools.product(["bool", "int32", "int64", "float32", "float64"], ["1.0", "2.0"]):
            table = pyarrow.table({"a": floats(kind, missing=True), "y": self.labels()})
            x, y = self.convert(self.write(table, data_page_version=version, data_page_size=700, row_group_size=300), "--missing", "mean", "--label-column", "y")
            there = numpy.array(table["a"].is_valid().to_pylist())
            values = numpy.array([0 if a is None else a for a in table["a"].to_pylist()], numpy.float32)
            numpy.testing.assert_array_equal(x[there, 0], values[there])
            self.assertEqual(len(set(x[~there, 0].tolist())), 1)
            numpy.testing.assert_allclose(x[~there, 0], values[there].mean(), rtol=1e-6)
            numpy.testing.assert_array_equal(x[:, 1], ~there)
            self.assertEqual(y.tolist(), table["y"].to_pylist())

    def test_text(self):
        draw = numpy.random.default_rng(2)
        words = ["", "a", "a longer one", "ä", 'with "quotes"', "b" * 200]
        for encoding, large in itertools.product(["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", None], [False, True]):
            texts = [None if draw.random() < 0.1 else words[draw.integers(1, 6)] for _ in range(ROWS)]
            kind = pyarrow.large_string() if large else pyarrow.string()
            table = pyarrow.table({"c": pyarrow.array(texts, kind), "d": floats("float32"), "y": self.labels()})
            how = {"use_dictionary": True} if encoding is None else {"use_dictionary": False, "column_encoding": {"c": encoding}}
            x, _ = self.convert(self.write(table, row_group_size=128, **how), "--one-hot", "c", "--missing", "mean", "--label-column", "y")
            names = sorted(words[1:], key=lambda word: word.encode())
            for i, name in enumerate(names):
                numpy.testing.assert_array_equal(x[:, i], [text == name for text in texts], err_msg=f"{name} {encoding}")
            numpy.testing.assert_array_equal(x[:, len(names)], [text is None for text in texts])

    def test_names_of_classes(self):
        draw = numpy.random.default_rng(3)
        names = [["cat", "dog", "cow"][i] for i in draw.integers(0, 3, ROWS)]
        table = pyarrow.table({"a": floats("float64"), "label": pyarrow.array(names).dictionary_encode()})
        _, y = self.convert(self.write(table, row_group_size=100))
        self.assertEqual([["cat", "cow", "dog"][i] for i in y], names)

    def test_lists(self):
        draw = numpy.random.default_rng(4)
        rows = draw.integers(0, 256, (ROWS, 12))
        for kind in [pyarrow.list_(pyarrow.uint8()), pyarrow.list_(pyarrow.uint8(), 12), pyarrow.large_list(pyarrow.float32())]:
            table = pyarrow.table({"x": pyarrow.array(rows.tolist(), kind), "y": self.labels()})
            x, _ = self.convert(self.write(table, row_group_size=300, data_page_size=512))
            self.assertEqual(x.dtype, numpy.float32 if kind.value_type == pyarrow.float32() else numpy.uint8)
            numpy.testing.assert_array_equal(x, rows)
        nested = pyarrow.array(rows.reshape(ROWS, 3, 4).tolist(), pyarrow.list_(pyarrow.list_(pyarrow.int16())))
        x, _ = self.convert(self.write(pyarrow.table({"x": nested, "y": self.labels()})))
        numpy.testing.assert_array_equal(x, rows)

    def test_lists_that_are_not_as_long(self):
        path = self.write(pyarrow.table({"x": [[1, 2], [3], [4, 5, 6]], "y": [0, 1, 0]}))
        self.assertIn('train.parquet: expected 2 values of "x" in each row, found another number in samples 0 to 2', self.error(path))
        path = self.write(pyarrow.table({"x": [[1, 2], [3]], "y": [0, 1]}))
        self.assertIn('expected lists that are as long in each row in column 1 ("x"), found some that are longer than others', self.error(path))
        x, _ = self.convert(self.write(pyarrow.table({"x": [[1, 2], [3]], "z": [7, 8], "y": [0, 1]})), "--drop-columns", "x", "--label-column", "y")
        self.assertEqual(x.tolist(), [[7], [8]])

    def test_targets(self):
        draw = numpy.random.default_rng(5)
        targets = draw.normal(size=(ROWS, 2)).astype(numpy.float32)
        table = pyarrow.table({"a": floats("int32"), "u": targets[:, 0], "v": targets[:, 1]})
        _, y = self.convert(self.write(table), "--task", "regression", "--label-column", "u,v")
        numpy.testing.assert_array_equal(y, targets)
        table = pyarrow.table({"a": floats("int32"), "y": targets.tolist()})
        _, y = self.convert(self.write(table), "--task", "regression")
        numpy.testing.assert_array_equal(y, targets)

    def test_decimals(self):
        values = [decimal.Decimal(text) for text in ["0.00", "-1.25", "12345.67", "-99999.99"]]
        for kind in [pyarrow.decimal128(7, 2), pyarrow.decimal128(16, 2), pyarrow.decimal128(30, 2), pyarrow.decimal256(50, 2)]:
            for integers in [False, True]:
                table = pyarrow.table({"a": pyarrow.array(values, kind), "y": [0, 1, 0, 1]})
                x, _ = self.convert(self.write(table, store_decimal_as_integer=integers))
                self.assertEqual(x[:, 0].tolist(), numpy.array([float(value) for value in values], numpy.float32).tolist())

    def test_structs_are_columns(self):
        table = pyarrow.table({"s": [{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}], "y": [0, 1]})
        x, _ = self.convert(self.write(table), "--drop-columns", "s.a", "--label-column", "y")
        self.assertEqual(x.tolist(), [[2.5], [4.5]])

    def test_what_is_no_number(self):
        table = pyarrow.table({"when": pyarrow.array([1, 2], pyarrow.timestamp("us")), "a": [1.5, 2.5], "y": [0, 1]})
        path = self.write(table)
        self.assertIn('expected numbers, bools or text in column 1 ("when"), found dates or times (--drop-columns when leaves it out)', self.error(path))
        x, _ = self.convert(path, "--drop-columns", "when", "--label-column", "y")
        self.assertEqual(x.tolist(), [[1.5], [2.5]])
        self.assertIn("LZ4", self.error(self.write(pyarrow.table({"a": [1.5], "y": [0]}), compression="lz4")))

    def test_several_files_are_one_table(self):
        tables = [pyarrow.table({"a": floats("float32", rows=n), "y": self.labels(n)}) for n in [100, 1, 37]]
        for i, table in enumerate(tables):
            self.write(table if i != 1 else table.select(["y", "a"]), f"train-0000{i}-of-00003.parquet")
        self.write(tables[2], "test-00000-of-00001.parquet")
        x, y = self.convert(self.folder)
        numpy.testing.assert_array_equal(x[:, 0], numpy.concatenate([table["a"].to_numpy() for table in tables]))
        self.assertEqual(y.tolist(), sum((table["y"].to_pylist() for table in tables), []))
        self.assertEqual(len(numpy.load(self.folder / "out" / "x_test.npy")), 37)

    def test_a_damaged_page_is_told_by_its_checksum(self):
        path = self.write(pyarrow.table({"a": floats("float32"), "y": self.labels()}), write_page_checksum=True, use_dictionary=False, compression="none")
        content = bytearray(path.read_bytes())
        content[500] ^= 1
        path.write_bytes(content)
        self.assertRegex(self.error(path), "train.parquet: byte [0-9]+: expected a page with checksum [0-9a-f]{8}, found [0-9a-f]{8}")

    def test_the_same_as_csv(self):
        draw = numpy.random.default_rng(6)
        table = pyarrow.table(
            {
                "age": floats("float64", missing=True),
                "fare": pyarrow.array(draw.integers(0, 300, ROWS)),
                "sex": pyarrow.array([["male", "female", None][i] for i in draw.integers(0, 3, ROWS)]),
                "deck": pyarrow.array([["A", "B", "C"][i] for i in draw.integers(0, 3, ROWS)]).dictionary_encode(),
                "label": pyarrow.array([["yes", "no"][i] for i in draw.integers(0, 2, ROWS)]),
            }
        )
        options = ["--one-hot", "text,fare", "--missing", "mean", "--drop-columns", "deck"]
        from_parquet = self.convert(self.write(table, row_group_size=77), *options)
        text = self.folder / "train.csv"
        csv.write_csv(table.set_column(3, "deck", table["deck"].cast(pyarrow.string())), text)
        for ours, theirs in zip(from_parquet, self.convert(text, *options)):
            numpy.testing.assert_array_equal(ours, theirs)

    def test_pixels_are_bytes(self):
        pixels = numpy.random.default_rng(7).integers(0, 256, (ROWS, 20))
        columns = {f"pixel{i}": pixels[:, i] for i in range(20)}
        x, _ = self.convert(self.write(pyarrow.table({"label": self.labels()} | columns), row_group_size=64))
        self.assertEqual(x.dtype, numpy.uint8)
        numpy.testing.assert_array_equal(x, pixels)
        columns["pixel3"] = pixels[:, 3].astype(numpy.float32)
        x, _ = self.convert(self.write(pyarrow.table({"label": self.labels()} | columns)))
        self.assertEqual(x.dtype, numpy.float32)

    def train(self, data, *options):
        """The hash of weights, and all that was told."""
        done = subprocess.run(
            [TRAINER, "--data", data, "--epochs", "2", "--batch", "16", "--val-size", "20", *options], capture_output=True, encoding="utf-8"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.partition("Weights: ")[2].strip(), done.stdout

    def predict(self, checkpoints, data):
        done = subprocess.run([TRAINER, "predict", "--checkpoint", checkpoints, data, "--json"], check=True, capture_output=True, encoding="utf-8")
        said = [json.loads(line) for line in done.stdout.splitlines()]
        for one in said:
            del one["table"]
        return said

    def test_a_model_of_one_form_takes_the_other(self):
        draw = numpy.random.default_rng(8)
        table = pyarrow.table(
            {
                "a": floats("float64", missing=True),
                "c": [["red", "green", "blue"][i] for i in draw.integers(0, 3, ROWS)],
                "label": [["no", "yes"][i] for i in draw.integers(0, 2, ROWS)],
            }
        )
        one, other = self.write(table), self.folder / "other.csv"
        csv.write_csv(table, other)
        options = ["--one-hot", "text", "--missing", "mean", "--standardize", "on", "--checkpoint-dir", self.folder / "checkpoints"]
        by_parquet, _ = self.train(one, *options)
        by_csv, _ = self.train(other, *options, "--force")
        self.assertEqual(by_parquet, by_csv)
        unlabelled = self.write(table.select(["c", "a"]), "new.parquet")
        self.assertEqual(self.predict(self.folder / "checkpoints", unlabelled), self.predict(self.folder / "checkpoints", other))

    def test_images_train_streamed_and_resumed_alike(self):
        contents, pixels = self.images(120)
        labels = [i % 3 for i in range(120)]
        table = pyarrow.table({"image": [{"bytes": content, "path": None} for content in contents], "label": labels})
        path = self.write(table, row_group_size=25, data_page_size=900)
        whole, told = self.train(path)
        self.assertIn('120 training images, 9x9 uint8, 3 classes; labels in column 3 ("label")', told)
        numpy.save(self.folder / "x_train.npy", pixels)
        numpy.save(self.folder / "y_train.npy", numpy.array(labels))
        self.assertEqual(self.train(self.folder / "x_train.npy")[0], whole)
        streams = {self.train(path, "--residency", "stream", "--workers", n, "--threads", n)[0] for n in ("1", "2")}
        self.assertEqual(len(streams), 1)
        kept = ["--residency", "stream", "--checkpoint-dir", self.folder / "kept", "--schedule", "constant"]
        self.train(path, *kept, "--epochs", "1")
        self.assertEqual({self.train(path, *kept, "--resume")[0]}, streams)

    def test_images_are_found_by_the_name_of_their_column(self):
        first, pixels = self.images(4)
        masks, _ = self.images(5)
        struct = lambda contents: [{"bytes": content, "path": None} for content in contents]  # noqa: E731
        self.write(pyarrow.table({"image": struct(first[:2]), "mask": struct(masks[:2]), "label": [0, 1]}), "train-0.parquet")
        self.write(pyarrow.table({"mask": struct(masks[2:4]), "image": struct(first[2:]), "label": [0, 1]}), "train-1.parquet")
        x, _ = self.convert(self.folder)
        numpy.testing.assert_array_equal(x, pixels)
        x, _ = self.convert(self.folder, "--drop-columns", "image")
        self.assertFalse(numpy.array_equal(x, pixels))
        self.write(pyarrow.table({"depth": struct(first[2:]), "label": [0, 1]}), "train-1.parquet")
        self.assertIn('train-1.parquet: expected images in a column "image.bytes", found none of that name', self.error(self.folder))

    def named(self, columns, names):
        features = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        return pyarrow.table(columns, metadata={"huggingface": json.dumps(features)})

    def test_names_of_classes_that_differ_are_an_error(self):
        self.write(self.named({"a": [1.5, 2], "label": [0, 1]}, ["cat", "dog"]), "train-0.parquet")
        other = self.write(self.named({"a": [1.5, 2], "label": [0, 1]}, ["dog", "cat"]), "train-1.parquet")
        self.assertIn("train-1.parquet: expected the classes of ", self.error(self.folder))
        other.unlink()
        self.write(pyarrow.table({"a": [3.5], "label": [1]}), "test-0.parquet")
        self.convert(self.folder)
        self.assertEqual(numpy.load(self.folder / "out/y_test.npy").tolist(), [1])

    def test_labels_that_nobody_is_to_see(self):
        contents, _ = self.images(30)
        self.write(pyarrow.table({"image": contents[:20], "label": [i % 2 for i in range(20)]}), "train.parquet")
        for test in [{"label": [-1] * 10}, {}]:
            self.write(pyarrow.table({"image": contents[20:]} | test), "test.parquet")
            _, told = self.train(self.folder, "--val-size", "5")
            self.assertIn("test.parquet has no labels and is left out", told)
        self.write(pyarrow.table({"a": floats("float32", rows=30), "label": [i % 2 for i in range(30)]}), "train.parquet")
        for test in [{"label": [-1] * 10}, {}]:
            self.write(pyarrow.table({"a": floats("float32", rows=10)} | test), "test.parquet")
            _, told = self.train(self.folder, "--val-size", "5")
            self.assertIn("test.parquet has no labels and is left out", told)

    def test_a_list_of_labels_is_no_class(self):
        path = self.write(pyarrow.table({"age": [1, 2, 3, 4], "labels": [[0, 1], [1, 1], [0, 0], [1, 0]]}))
        self.assertIn('expected a class in column "labels", found lists of 2 (of 0 and 1 for each label: --task multilabel', self.error(path))
        _, y = self.convert(path, "--task", "multilabel")
        self.assertEqual(y.tolist(), [[0, 1], [1, 1], [0, 0], [1, 0]])

    def test_lists_within_lists_are_as_long_too(self):
        for rows in ([[[1, 2], [3]], [[1], [2, 3]]], [[[1, 2], [3]], [[1, 2, 3], []]]):
            path = self.write(pyarrow.table({"x": rows, "label": [0, 1]}))
            self.assertRegex(self.error(path, "--missing", "mean"), "expected (3 values of .x. in each row|lists that are as long)")
        path = self.write(pyarrow.table({"x": [[1.0], [], None], "label": [0, 1, 0]}))
        self.assertIn('expected 1 value of "x" in each row', self.error(path, "--missing", "mean"))

    def test_an_index_is_a_column_where_it_is_asked_for(self):
        pandas = interop.packages("pandas")[0]
        frame = pandas.DataFrame({"id": [5, 6, 7, 8], "a": [1.5, 2, 3, 4], "label": [0, 1, 0, 1]})
        path = self.folder / "train.parquet"
        frame.set_index("id").to_parquet(path)
        self.assertEqual(self.convert(path)[0].shape, (4, 1))
        frame.set_index("label").to_parquet(path)
        _, y = self.convert(path, "--label-column", "label")
        self.assertEqual(y.tolist(), [0, 1, 0, 1])

    def test_columns_of_one_name(self):
        for i, (names, columns) in enumerate([(["a", "a", "label"], [[1.5, 2], [10.0, 20], [0, 1]]), (["label", "a", "a"], [[0, 1], [3.5, 4], [30.0, 40]])]):
            self.write(pyarrow.Table.from_arrays([pyarrow.array(column) for column in columns], names=names), f"train-{i}.parquet")
        x, _ = self.convert(self.folder)
        self.assertEqual(x.tolist(), [[1.5, 10], [2, 20], [3.5, 30], [4, 40]])

    def test_a_damaged_image_is_no_prediction(self):
        contents, _ = self.images(40)
        table = {"image": contents, "label": [i % 2 for i in range(40)]}
        kept = self.folder / "kept"
        self.train(self.write(pyarrow.table(table)), "--checkpoint-dir", kept)
        contents[5] = b"no image"
        path = self.write(pyarrow.table({"image": contents}), "new.parquet")
        done = subprocess.run([TRAINER, "predict", "--checkpoint", kept, path], capture_output=True, encoding="utf-8")
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (1, 39))
        self.assertIn("new.parquet: sample 5: ", done.stderr)
        done = subprocess.run([TRAINER, "predict", "--checkpoint", kept, path, "--on-bad", "skip", "--bad-budget", "2"], capture_output=True, encoding="utf-8")
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 39))

    def test_images_beside_a_table_are_left_out_for_good(self):
        contents, _ = self.images(20)
        path = self.write(pyarrow.table({"icon": contents, "a": floats("float32", rows=20), "label": [i % 2 for i in range(20)]}))
        kept = self.folder / "kept"
        self.train(path, "--drop-columns", "icon", "--label-column", "label", "--checkpoint-dir", kept, "--val-size", "5")
        done = subprocess.run([TRAINER, "evaluate", "--checkpoint", kept, "--data", path, "--split", "train"], capture_output=True, encoding="utf-8")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_repository_of_a_data_set(self):
        (self.folder / "data").mkdir()
        self.write(pyarrow.table({"a": [1.5, 2], "label": [0, 1]}), "data/train-00000-of-00001.parquet")
        self.assertEqual(self.convert(self.folder)[0].tolist(), [[1.5], [2]])

    def test_a_damaged_image_is_left_out(self):
        contents, _ = self.images(60)
        contents[7] = contents[7][:40]
        contents[31] = b"no image"
        table = pyarrow.table({"image": contents, "label": [i % 2 for i in range(60)]})
        path = self.write(table)
        _, told = self.train(path, "--on-bad", "skip", "--bad-budget", "0.1")
        self.assertIn("Bad samples: 2 of 60 skipped", told)
        done = subprocess.run([TRAINER, "--data", path, "--epochs", "1"], capture_output=True, encoding="utf-8")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"train.parquet: sample (7|31): ")

    def images(self, rows=50, colour=False):
        draw = numpy.random.default_rng(rows)
        made = [png(draw, colour=colour) for _ in range(rows)]
        return [content for content, _ in made], numpy.array([pixels for _, pixels in made])

    def test_images_as_datasets_stores_them(self):
        contents, pixels = self.images()
        labels = [i % 3 for i in range(len(contents))]
        names = {"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["one", "two", "three"], "_type": "ClassLabel"}}}}
        table = pyarrow.table(
            {"image": [{"bytes": content, "path": f"{i}.png"} for i, content in enumerate(contents)], "label": labels},
            metadata={"huggingface": json.dumps(names)},
        )
        for how in [{}, {"use_dictionary": False}, {"compression": "none"}, {"data_page_size": 600, "row_group_size": 20, "compression": "zstd"}]:
            x, y = self.convert(self.write(table, **how))
            numpy.testing.assert_array_equal(x, pixels)
            self.assertEqual(y.tolist(), labels)
        shown = subprocess.run([TOOLS, "inspect", "--json", self.folder / "train.parquet"], check=True, capture_output=True, encoding="utf-8")
        self.assertIn("three", shown.stdout)

    def test_images_in_a_column_of_bytes(self):
        contents, pixels = self.images(colour=True)
        table = pyarrow.table({"png": contents, "weight": floats("float32", rows=50), "kind": [["b", "a"][i % 2] for i in range(50)]})
        x, y = self.convert(self.write(table), "--label-column", "kind")
        numpy.testing.assert_array_equal(x, pixels)
        self.assertEqual(y.tolist(), [1 - i % 2 for i in range(50)])
        _, y = self.convert(self.write(table), "--label-column", "weight", "--task", "regression")
        numpy.testing.assert_array_equal(y.ravel(), table["weight"].to_numpy())

    def test_an_image_that_is_missing_is_named(self):
        contents, _ = self.images(5)
        contents[3] = None
        path = self.write(pyarrow.table({"image": pyarrow.array(contents, pyarrow.binary()), "label": [0, 1, 0, 1, 0]}))
        self.assertIn("train.parquet: sample 3: expected an image, found none", self.error(path, "--resize", "9x9", "--gray"))


if __name__ == "__main__":
    unittest.main()
