#!/usr/bin/env python3
"""How long a table with text and gaps takes from its file to numbers, beside pandas and scikit-learn.

  bench/tables.py [--build DIR] [--rounds N] [--lines N] [--python PYTHON] [--out FILE.json]

The table is drawn anew: nine columns, four of them of 51 categories together, one with 2 % of its cells missing, and
labels. All make the same float32 matrix of 57 values a line. They take turns, each in a process of its own; imports are not
timed. Those that are not installed are left out and named (scripts/install_python.sh peers).
"""
import argparse
import json
import pathlib
import random
import sys
import tempfile
import time

from contestants import ROOT, python_with, run
from rounds import Rounds, keep, say

PEERS = ("millrace", "pandas_scikit_learn")
HEADER = "age,work,weight,degree,years,sex,gain,hours,country,income\n"


def draw(path, lines):
    draw = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for line in range(lines):
            file.write(f"{draw.randrange(17, 90)},{draw.choice(['private', 'self', 'state', 'none'])},"
                       f"{draw.randrange(10**6)},{draw.choice(['BA', 'MA', 'PhD', 'HS', '10th'])},"
                       f"{'' if line % 50 == 0 else draw.randrange(1, 17)},{draw.choice('MF')},{draw.randrange(9999)},"
                       f"{draw.randrange(99)},C{draw.randrange(40)},{draw.choice(['<=50K', '>50K'])}\n")


def millrace(path):
    import millrace

    start = time.perf_counter()
    train = millrace.open(path, label="income", one_hot="text", missing="mean").train
    seconds = time.perf_counter() - start
    return seconds, (len(train), *train.shape)


def pandas_scikit_learn(path):
    import pandas
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import LabelEncoder, OneHotEncoder

    categories = ["work", "degree", "sex", "country"]
    start = time.perf_counter()
    table = pandas.read_csv(path)
    LabelEncoder().fit_transform(table.pop("income"))
    form = ColumnTransformer([("categories", OneHotEncoder(sparse_output=False, dtype="float32"), categories)],
                             remainder=SimpleImputer(add_indicator=True))
    samples = form.fit_transform(table.astype({name: "float32" for name in table.columns.difference(categories)}))
    return time.perf_counter() - start, samples.astype("float32", copy=False).shape


def measure(options, name, table):
    python = options.python or python_with("numpy")
    out = run([python, "-B", __file__, "--peer", name, "--table", table, "--build", options.build])[0]
    return json.loads(out.splitlines()[-1])


def be_peer(options):
    sys.path.append(str(options.build / "python"))
    try:
        seconds, shape = globals()[options.peer](options.table)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    print(json.dumps({"seconds": seconds, "shape": shape}))


def race(options, table):
    say(f"{options.lines} lines, {table.stat().st_size / 1e6:.0f} MB:")
    tables = Rounds([])
    for name in PEERS:
        tables.add(name, lambda n=name: measure(options, n, table))
    tables.run(options.rounds)
    ours = tables.median("millrace", "seconds")
    for name in tables.results:
        seconds = tables.median(name, "seconds")
        times = f"{seconds / ours:.1f}×" if ours and name != "millrace" else ""
        print(f"{name:20} {seconds:6.2f} s  {options.lines / seconds / 1e6:5.2f} M lines/s  {times}".rstrip())
    return tables.results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--python", help="interpreter of both [that of build/peers]")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--table", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_peer(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "table.csv"
        draw(table, options.lines)
        results = race(options, table)
    keep("tables", results, options.out)


if __name__ == "__main__":
    main()
