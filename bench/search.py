#!/usr/bin/env python3
"""How long a search for the best options takes, beside scikit-learn's and a pool of PyTorch's processes.

  bench/search.py [--halving] [--build DIR] [--data DIR] [--rounds N] [--epochs N] [--python PYTHON] [--out FILE.json]

All try the same grid of learning rates and widths of one hidden layer on MNIST (plain SGD, batch 128, float32, 50,000
samples to train on and 10,000 to judge by), on all cores, and train with the best once more. Ours is `trainer search`,
its whole process; of the others imports and loading are not timed. With --halving all give up what is behind, two in
three at a time, as scikit-learn's HalvingGridSearchCV does; PyTorch has nothing of the kind and is left out. They take
turns, each in a process of its own; those that are not installed are left out and named (scripts/install_python.sh
peers). --data is a folder with MNIST's four .gz files [$MILLRACE_MNIST_DIR, else ../shared/data/mnist].
"""
import argparse
import concurrent.futures
import itertools
import json
import multiprocessing
import os
import pathlib
import re
import time

from contestants import ROOT, Failed, all_cores, python_with, run
from rounds import Rounds, keep, say

RATES = {False: (0.05, 0.1, 0.2, 0.5), True: (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)}
WIDTHS = (32, 64, 128)
EPOCHS = {False: 5, True: 9}
FACTOR = 3
BATCH = 128
VALIDATION = 10_000
PEERS = ("scikit_learn", "pytorch_pool")


def trainer_search(options):
    axes = [f"lr={'/'.join(map(str, RATES[options.halving]))}", f"hidden={'/'.join(map(str, WIDTHS))}"]
    halving = ["--halving", FACTOR] if options.halving else []
    out, wall, _ = run([options.build / "bin/trainer", "search", *axes, "--data", options.data, "--epochs", options.epochs,
                        "--batch", BATCH, "--val-size", VALIDATION, "--device", "cpu", *halving])
    best = re.search(r"(?m)^trial .*\n +\d+ +(0\.\d+)", out)
    if not best:
        raise Failed(f"trainer search ended without a ranking:\n{out[-2000:]}")
    return {"seconds": wall, "score": float(best[1])}


def samples(folder):
    """Features [n, 784] from 0 to 1 in float32, labels [n]: to train on, to judge by."""
    import numpy

    from mnist import digits

    images, labels = digits(folder, "train")
    features = images.reshape(len(images), -1).astype(numpy.float32) / 255
    order = numpy.random.default_rng(0).permutation(len(labels))
    features, labels = features[order], labels[order].astype(numpy.int64)
    return features, labels


def scikit_learn(options):
    """GridSearchCV, or HalvingGridSearchCV, with a process for each core."""
    import warnings

    import numpy
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, PredefinedSplit
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    os.environ["PYTHONWARNINGS"] = "ignore"  # of its processes, too
    x, y = samples(options.data)
    kept = PredefinedSplit(numpy.where(numpy.arange(len(y)) < len(y) - VALIDATION, -1, 0))
    model = MLPClassifier(solver="sgd", batch_size=BATCH, momentum=0, alpha=0, max_iter=options.epochs, tol=0,
                          n_iter_no_change=options.epochs + 1, random_state=0)
    grid = {"learning_rate_init": list(RATES[options.halving]), "hidden_layer_sizes": [(width,) for width in WIDTHS]}
    common = {"cv": kept, "n_jobs": len(all_cores())}
    if options.halving:
        search = HalvingGridSearchCV(model, grid, resource="max_iter", factor=FACTOR, min_resources=1,
                                     max_resources=options.epochs, **common)
    else:
        search = GridSearchCV(model, grid, **common)
    start = time.perf_counter()
    search.fit(x, y)
    return {"seconds": time.perf_counter() - start, "score": float(search.best_score_)}


class Pytorch:
    """One training in a process of the pool, which has the samples from its parent."""

    data = None

    @staticmethod
    def train(rate, width, epochs, threads=1):
        import torch

        torch.set_num_threads(threads)
        x, y = Pytorch.data
        kept = len(y) - VALIDATION
        model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], width), torch.nn.ReLU(), torch.nn.Linear(width, 10))
        optimizer = torch.optim.SGD(model.parameters(), rate)
        best = 0.0
        for _ in range(epochs):
            for rows in torch.randperm(kept).split(BATCH):
                torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
                optimizer.zero_grad()
            with torch.no_grad():
                best = max(best, float((model(x[kept:]).argmax(1) == y[kept:]).float().mean()))
        return best


def pytorch_pool(options):
    """The loop that people write, a process for each core, with all samples in one tensor."""
    import torch

    torch.set_num_threads(1)  # a pool of threads would not survive the fork
    Pytorch.data = tuple(torch.tensor(array) for array in samples(options.data))
    start = time.perf_counter()
    grid = list(itertools.product(RATES[False], WIDTHS))
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(len(all_cores()), context) as pool:
        scores = list(pool.map(Pytorch.train, *zip(*grid), [options.epochs] * len(grid)))
    best = max(range(len(grid)), key=scores.__getitem__)
    Pytorch.train(*grid[best], options.epochs, threads=len(all_cores()))
    return {"seconds": time.perf_counter() - start, "score": scores[best]}


def measure(options, name):
    python = options.python or python_with("numpy")
    halving = ["--halving"] if options.halving else []
    out = run([python, "-B", __file__, "--peer", name, "--data", options.data, "--epochs", options.epochs, *halving])[0]
    return json.loads(out.splitlines()[-1])


def be_peer(options):
    try:
        found = globals()[options.peer](options)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    print(json.dumps(found))


def race(options):
    runs = len(RATES[options.halving]) * len(WIDTHS)
    say(f"{runs} combinations of {options.epochs} epochs{', halved' if options.halving else ''}:")
    searches = Rounds([])
    searches.add("millrace", lambda: trainer_search(options))
    for name in PEERS[:1] if options.halving else PEERS:
        searches.add(name, lambda n=name: measure(options, n))
    searches.run(options.rounds)
    ours = searches.median("millrace", "seconds")
    for name in searches.results:
        seconds = searches.median(name, "seconds")
        times = f"{seconds / ours:.1f}×" if ours and name != "millrace" else ""
        print(f"{name:14} {seconds:7.2f} s  best {searches.median(name, 'score'):.4f}  {times}".rstrip())
    return searches.results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--halving", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--data", type=pathlib.Path,
                        default=os.environ.get("MILLRACE_MNIST_DIR", ROOT / "../shared/data/mnist"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--python", help="interpreter of the others [that of build/peers]")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.epochs = options.epochs or EPOCHS[options.halving]
    if options.peer:
        be_peer(options)
        return
    keep("search", race(options), options.out)


if __name__ == "__main__":
    main()
