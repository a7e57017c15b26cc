#!/usr/bin/env python3
"""Libraries of others that learn numbers, or which labels samples have, beside Millrace on the CPU.

  bench/regression.py [--task regression|multilabel] [--build DIR] [--rounds N] [--epochs N] [--hidden UNITS]...
                      [--python PYTHON] [--out FILE.json]

All train 10-UNITS-1, or of labels 10-UNITS-5, in float32 on the same drawn samples (bench/regression_peers.py), batch
and rate, with all cores; ours is the build's Python package. They take turns, each in a process of its own; an epoch is the median of those
after the first of each run, which others compile in. --hidden is given once for each network [32 and 256,256]. Those
that are not installed are left out and named (scripts/install_python.sh peers). Prints a table; --out keeps all
numbers as JSON.
"""
import argparse
import json
import pathlib
import statistics
import sys

from contestants import ROOT, python_with, run
from rounds import Rounds, keep, say

OUTPUTS = {"regression": (1, "R²"), "multilabel": (5, "accuracy")}
PEERS = ("millrace_python", "keras_jax", "pytorch", "scikit_learn")


def measure(options, name, hidden):
    python = options.python or python_with("numpy")
    out = run([python, "-B", __file__, "--peer", name, "--hidden", hidden, "--epochs", options.epochs,
               "--task", options.task, "--build", options.build])[0]
    found = json.loads(out.splitlines()[-1])
    return {"epoch_s": statistics.median(found["seconds"][1:] or found["seconds"]), "score": found["score"]}


def be_peer(options):
    sys.path.append(str(options.build / "python"))
    try:
        import regression_peers  # NumPy, which the process that races them may lack

        hidden = tuple(int(units) for units in options.hidden[0].split(","))
        task = regression_peers.TASKS[options.task]()
        seconds, score = getattr(regression_peers, options.peer)(task, hidden, options.epochs)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    print(json.dumps({"seconds": seconds, "score": score}))


def race(options, hidden):
    outputs, score = OUTPUTS[options.task]
    model = f"10-{hidden.replace(',', '-')}-{outputs}"
    say(f"{model}:")
    networks = Rounds([])
    for name in PEERS:
        networks.add(name, lambda n=name: measure(options, n, hidden))
    networks.run(options.rounds)
    rows = {name: {key: networks.median(name, key) for key in ("epoch_s", "score")} for name in networks.results}
    print(f"{model:18} {'epoch':>10} {score:>8}   it / Millrace")
    best = rows.get("millrace_python")
    for name, row in sorted(rows.items(), key=lambda pair: pair[1]["epoch_s"]):
        times = f"{row['epoch_s'] / best['epoch_s']:.1f}×" if best and row is not best else ""
        print(f"{name:18} {1e3 * row['epoch_s']:7.1f} ms {row['score']:8.4f}   {times}".rstrip())
    return networks.results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=OUTPUTS, default="regression")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--hidden", action="append", help="units of each hidden layer, with commas")
    parser.add_argument("--python", help="interpreter of all of them [that of build/peers]")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_peer(options)
        return
    results = {hidden: race(options, hidden) for hidden in options.hidden or ("32", "256,256")}
    keep(options.task, results, options.out)


if __name__ == "__main__":
    main()
