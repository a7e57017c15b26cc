#!/usr/bin/env python3
"""What it costs to watch: the tutorial run plain, and with a progress bar, metrics, TensorBoard and a trace, in turn.

  python3 bench/cost_of_seeing.py [--build build/release] [--data DIR] [--rounds 31] [--epochs 10] [--each]

The bar is drawn on a pseudo-terminal of 80 columns, which somebody reads. A run's time is that of its whole process,
so that files opened before and written after training count too; the cost is the median over rounds of the
difference to the plain run of the same round, as a share of the plain run's fitting time. --each measures what every
one of them costs alone, too. Prints one JSON object. The data: --data, $MILLRACE_MNIST_DIR or ../shared/data/mnist.
"""
import argparse
import fcntl
import json
import os
import pathlib
import pty
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BAR = 0.03
FITTING = re.compile(r"([\d.]+) s fitting")


def drain(descriptor, into):
    try:
        while block := os.read(descriptor, 65536):
            into.append(block)
    except OSError:  # that is how a terminal ends
        pass


def run(command, terminal):
    """Seconds of the process, and of what it calls fitting."""
    blocks = []
    if terminal:
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    else:
        outer, inner = os.pipe()
    reader = threading.Thread(target=drain, args=(outer, blocks))
    reader.start()
    environment = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=inner, stderr=inner,
                               env=environment)
    os.close(inner)
    status = process.wait()
    seconds = time.perf_counter() - start
    reader.join()
    os.close(outer)
    text = b"".join(blocks).decode("utf-8", "replace")
    if status != 0:
        raise SystemExit(f"cost_of_seeing.py: {command[0]} ended with status {status}: {text[-500:]}")
    if terminal and " left" not in text and seconds > 1.0:
        raise SystemExit("cost_of_seeing.py: no progress bar was drawn")
    return seconds, float(FITTING.search(text)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--data", default=os.environ.get("MILLRACE_MNIST_DIR", ROOT / "../shared/data/mnist"))
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()

    trainer = [options.build / "bin/trainer", "--data", options.data, "--epochs", options.epochs]
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: pathlib.Path(folder) / name for name in ("metrics", "tensorboard", "trace")}
        ways = {"plain": (False, []), "all": (True, list(paths))}
        if options.each:
            ways |= {"progress": (True, [])} | {name: (False, [name]) for name in paths}
        seconds = {name: [] for name in ways}
        fitting = []
        for index in range(options.rounds + 1):
            order = list(ways)
            for name in order if index % 2 else reversed(order):
                terminal, files = ways[name]
                for path in paths.values():  # each run writes new ones
                    if path.is_dir():
                        for old in path.iterdir():
                            old.unlink()
                    else:
                        path.unlink(missing_ok=True)
                more = [part for file in files for part in (f"--{file}", paths[file])]
                took, fit = run([*trainer, *more], terminal)
                if index == 0:  # warms caches up
                    continue
                seconds[name].append(took)
                if name == "plain":
                    fitting.append(fit)
    fit = statistics.mean(fitting)
    result = {"bench": "cost_of_seeing", "epochs": options.epochs, "rounds": options.rounds,
              "load": round(os.getloadavg()[0], 2), "plain_s": statistics.median(seconds["plain"]), "fitting_s": fit}
    for name in ways:
        if name != "plain":
            lost = statistics.median(a - b for a, b in zip(seconds[name], seconds["plain"]))
            result[name] = {"seconds": lost, "share": lost / fit}
    result["bar"] = BAR
    result["passed"] = result["all"]["share"] <= BAR
    print(json.dumps(result, indent=2))
    sys.exit(0 if result["passed"] else 1)


if __name__ == "__main__":
    main()
