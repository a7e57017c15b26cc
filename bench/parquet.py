#!/usr/bin/env python3
"""How long Parquet files take from the page cache to the samples of a training set, beside PyArrow, pandas and Polars.

  bench/parquet.py [--build DIR] [--rounds N] [--rows N] [--python PYTHON] [--out FILE.json]

The files are drawn anew and written by PyArrow as it does by default (Snappy, dictionaries): "pixels", 784 columns of whole
numbers, as many as MNIST has rows; "lists", the same as one column of lists of bytes; "numbers", 20 columns of float64;
"nulls", the same with 2 % of cells missing, which their columns' means replace; and "words", of seven numbers and three columns of
23 categories. All make the same array, of bytes or of float32, and labels. They take turns, each in a process of its own; imports are not
timed. Those that are not installed are left out and named (scripts/install_python.sh peers).
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

from contestants import ROOT, python_with, run
from rounds import Rounds, keep, say

PEERS = ("millrace", "pyarrow", "pandas", "polars")
FILES = ("pixels", "lists", "numbers", "nulls", "words")


def draw(folder, rows, pixel_rows):
    import numpy
    import pyarrow
    from pyarrow import parquet

    draw = numpy.random.default_rng(1)
    labels = {"label": draw.integers(0, 10, pixel_rows)}
    # Mostly black, as digits are.
    shape = (pixel_rows, 784)
    pixels = draw.integers(0, 256, shape, dtype=numpy.uint8) * (draw.random(shape) < 0.2)
    columns = {f"pixel{i}": pixels[:, i].astype(numpy.int64) for i in range(784)}
    parquet.write_table(pyarrow.table(labels | columns), folder / "pixels.parquet")
    lists = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(pixels.reshape(-1)), 784)
    parquet.write_table(pyarrow.table(labels | {"pixels": lists}), folder / "lists.parquet")
    labels = {"label": draw.integers(0, 10, rows)}
    numbers = {f"x{i}": draw.normal(size=rows) for i in range(20)}
    parquet.write_table(pyarrow.table(labels | numbers), folder / "numbers.parquet")
    nulls = {name: pyarrow.array(values, mask=draw.random(rows) < 0.02) for name, values in numbers.items()}
    parquet.write_table(pyarrow.table(labels | nulls), folder / "nulls.parquet")
    words = {f"x{i}": draw.normal(size=rows) for i in range(7)}
    for name, count in {"a": 3, "b": 5, "c": 15}.items():
        words[name] = pyarrow.array([f"{name}{i}" for i in range(count)]).take(draw.integers(0, count, rows))
    parquet.write_table(pyarrow.table(labels | words), folder / "words.parquet")


def millrace(path, kind):
    import millrace

    options = {"nulls": {"missing": "mean"}, "words": {"one_hot": "text"}}.get(kind, {})
    start = time.perf_counter()
    train = millrace.open(path, label="label", **options).train
    return time.perf_counter() - start, (len(train), *train.shape)


def filled(samples):
    """What is missing, by the means of columns, and columns that say where it was."""
    import numpy

    missing = numpy.isnan(samples)
    means = numpy.nanmean(samples, axis=0, dtype=numpy.float64)
    both = numpy.empty((samples.shape[0], samples.shape[1] * 2), numpy.float32)
    both[:, 0::2] = numpy.where(missing, means, samples)
    both[:, 1::2] = missing
    return both


def pyarrow(path, kind):
    import numpy
    from pyarrow import compute, parquet

    start = time.perf_counter()
    table = parquet.read_table(path)
    table["label"].to_numpy()
    if kind == "lists":
        samples = table["pixels"].combine_chunks().flatten().to_numpy().reshape(-1, 784)
    else:
        dtype = numpy.uint8 if kind == "pixels" else numpy.float32
        parts = []
        for name in table.column_names[1:]:
            column = table[name]
            if str(column.type) == "string":
                values = compute.unique(column).sort()
                parts += [compute.equal(column, value).to_numpy() for value in values]
            else:
                parts.append(column.to_numpy())
        samples = numpy.empty((len(table), len(parts)), dtype)
        for i, part in enumerate(parts):
            samples[:, i] = part
        if kind == "nulls":
            samples = filled(samples)
    return time.perf_counter() - start, samples.shape


def pandas(path, kind):
    import numpy
    import pandas

    start = time.perf_counter()
    table = pandas.read_parquet(path)
    table.pop("label").to_numpy()
    if kind == "lists":
        samples = numpy.stack(table["pixels"].to_numpy())
    elif kind == "words":
        samples = pandas.get_dummies(table, dtype="float32").to_numpy("float32")
    else:
        samples = table.to_numpy("uint8" if kind == "pixels" else "float32")
        if kind == "nulls":
            samples = filled(samples)
    return time.perf_counter() - start, samples.shape


def polars(path, kind):
    import numpy
    import polars

    start = time.perf_counter()
    table = polars.read_parquet(path)
    table["label"].to_numpy()
    table = table.drop("label")
    if kind == "lists":
        samples = table["pixels"].to_numpy()
    else:
        if kind == "words":
            table = table.to_dummies(["a", "b", "c"])
        samples = table.cast(polars.UInt8 if kind == "pixels" else polars.Float32).to_numpy(order="c")
        samples = numpy.ascontiguousarray(samples)
        if kind == "nulls":
            samples = filled(samples)
    return time.perf_counter() - start, samples.shape


def measure(options, name, kind, folder):
    python = options.python or python_with("numpy")
    out = run([python, "-B", __file__, "--peer", name, "--kind", kind, "--folder", folder, "--build", options.build])[0]
    return json.loads(out.splitlines()[-1])


def be_peer(options):
    sys.path.append(str(options.build / "python"))
    path = options.folder / f"{options.kind}.parquet"
    try:
        seconds, shape = globals()[options.peer](path, options.kind)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    print(json.dumps({"seconds": seconds, "shape": shape}))


def race(options, kind, folder):
    size = (folder / f"{kind}.parquet").stat().st_size
    say(f"{kind}, {size / 1e6:.0f} MB:")
    files = Rounds([])
    for name in PEERS:
        files.add(name, lambda n=name: measure(options, n, kind, folder))
    files.run(options.rounds)
    ours = files.median("millrace", "seconds")
    shapes = {tuple(one["shape"]) for result in files.results.values() for one in result}
    if len(shapes) != 1:
        raise SystemExit(f"parquet.py: the samples of {kind} have different shapes: {shapes}")
    for name in files.results:
        seconds = files.median(name, "seconds")
        times = f"{seconds / ours:.1f}×" if ours and name != "millrace" else ""
        print(f"{name:10} {seconds:6.3f} s  {times}".rstrip())
    return files.results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of all but pixels and lists")
    parser.add_argument("--pixel-rows", type=int, default=60_000, help="of pixels and lists")
    parser.add_argument("--python", help="interpreter of all [that of build/peers]")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=FILES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--draw", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.draw:
        draw(options.folder, options.rows, options.pixel_rows)
        return
    if options.peer:
        be_peer(options)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        python = options.python or python_with("pyarrow")
        run([python, "-B", __file__, "--draw", "--folder", folder, "--rows", str(options.rows),
             "--pixel-rows", str(options.pixel_rows)])
        results = {kind: race(options, kind, folder) for kind in FILES}
    keep("parquet", results, options.out)


if __name__ == "__main__":
    main()
