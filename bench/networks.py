#!/usr/bin/env python3
"""Libraries of others that train multilayer perceptrons, beside Millrace on the CPU.

  bench/networks.py [--build DIR] [--data DIR] [--rounds N] [--epochs N] [--hidden UNITS]... [--python PYTHON]
                    [--out FILE.json]

All train 784-UNITS-10 in float32 on the same split, batch and rate, with all cores, each as bench/network_peers.py
uses it. They take turns; an epoch is the median of those after the first of each run, which others compile in, and
the start is all else that the process took. millrace_python is ours from Python (the build's package), on the arrays
that the others get. --data is a folder with MNIST's four .gz files [$MILLRACE_MNIST_DIR, else ../shared/data/mnist],
--hidden is given once for each network [32 and 512,512]. Those that are not installed are left out and named
(scripts/install_python.sh peers). mlpack, which is C++, is compiled into the build first; that is not timed. Prints a
table; --out keeps all numbers as JSON.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

from contestants import ROOT, Failed, Missing, Ours, all_cores, python_with, run, samples_in
from rounds import Rounds, keep, say

PEERS = ("millrace_python", "jax_scan", "keras_jax", "keras_tensorflow_tuned", "keras_tensorflow", "pytorch",
         "pytorch_compiled", "scikit_learn", "mlpack")
MLPACK = ROOT / "bench/mlpack"


def ours(options, hidden, scratch):
    found = Ours(options.build).train(options.data, scratch, epochs=options.epochs, hidden=hidden,
                                      val_size=samples_in(options.data) // 6, threads=len(all_cores()))
    return {"epoch_s": found["epoch_s"], "accuracy": found["test_acc"],
            "start_s": found["process_wall_s"] - options.epochs * found["epoch_s"]}


def compile_mlpack(python, build):
    """build/bin/mlpack_net, with the headers of `python`'s package; anew where they or its source are newer."""
    packages = run([python, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"])[0].strip()
    headers = pathlib.Path(packages) / "mlpack/include"
    if not headers.is_dir():
        raise Missing("there is no mlpack (scripts/install_python.sh peers)")
    program = build / "bin/mlpack_net"
    sources = [*MLPACK.iterdir(), headers / "mlpack/config.hpp"]
    if not program.exists() or program.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        # Without the wrapper Armadillo calls OpenBLAS itself, whatever the distribution's alternative for BLAS is.
        command = [os.environ.get("CXX", "c++"), "-std=c++17", "-O3", "-march=native", "-fopenmp", "-DNDEBUG",
                   "-DARMA_NO_DEBUG", "-DARMA_DONT_USE_WRAPPER", f"-I{MLPACK}", "-isystem", headers,
                   MLPACK / "net.cpp", "-lopenblas", "-o", program]
        try:
            run(command)
        except Failed as failed:
            raise Failed(f"{failed}\nmlpack does not compile (scripts/install_deps.sh peer)") from None


def theirs(options, name, hidden):
    python = options.python or python_with("numpy")
    if name == "mlpack":
        compile_mlpack(python, options.build)
    out, wall, _ = run([python, "-B", __file__, "--peer", name, "--data", options.data, "--hidden", hidden,
                        "--epochs", options.epochs, "--build", options.build])
    found = json.loads(out.splitlines()[-1])
    epoch = statistics.median(found["seconds"][1:] or found["seconds"])
    return {"epoch_s": epoch, "accuracy": found["accuracy"], "start_s": wall - options.epochs * epoch}


def be_peer(options):
    sys.path.append(str(options.build / "python"))
    os.environ["PATH"] = f"{options.build / 'bin'}{os.pathsep}{os.environ['PATH']}"
    try:
        import network_peers  # NumPy, which the process that races them may lack

        train = getattr(network_peers, options.peer)
        hidden = tuple(int(units) for units in options.hidden[0].split(","))
        seconds, accuracy = train(options.data, hidden, options.epochs)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    print(json.dumps({"seconds": seconds, "accuracy": accuracy}))


def race(options, hidden, scratch):
    model = f"784-{hidden.replace(',', '-')}-10"
    say(f"{model}:")
    networks = Rounds([])
    networks.add("millrace", lambda: ours(options, hidden, scratch))
    for name in PEERS:
        networks.add(name, lambda n=name: theirs(options, n, hidden))
    networks.run(options.rounds)
    rows = {name: {key: networks.median(name, key) for key in ("epoch_s", "start_s", "accuracy")}
            for name in networks.results}
    print(f"{model:26} {'epoch':>10} {'start':>8} {'accuracy':>9}   it / Millrace")
    best = rows.get("millrace")
    for name, row in sorted(rows.items(), key=lambda pair: pair[1]["epoch_s"]):
        times = f"{row['epoch_s'] / best['epoch_s']:.1f}×" if best and row is not best else ""
        print(f"{name:26} {1e3 * row['epoch_s']:7.1f} ms {row['start_s']:6.2f} s {100 * row['accuracy']:7.2f} %   "
              f"{times}".rstrip())
    return networks.results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--data", type=pathlib.Path,
                        default=os.environ.get("MILLRACE_MNIST_DIR", ROOT / "../shared/data/mnist"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--hidden", action="append", help="units of each hidden layer, with commas")
    parser.add_argument("--python", help="interpreter of the others [that of build/peers]")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_peer(options)
        return
    if not options.data.is_dir():
        raise SystemExit(f"networks.py: there is no folder {options.data}; --data names one with MNIST's .gz files")
    with tempfile.TemporaryDirectory() as scratch:
        results = {hidden: race(options, hidden, scratch) for hidden in options.hidden or ("32", "512,512")}
    keep("networks", results, options.out)


if __name__ == "__main__":
    main()
