#!/usr/bin/env python3
"""How soon a trained network answers from Python: Millrace, PyTorch and ONNX Runtime on the CPU.

  bench/latency.py [--build DIR] [--rounds N] [--hidden UNITS]... [--samples N]... [--peer NAME]... [--python PYTHON]
                   [--smoke] [--out FILE.json]

All are asked for the logits of the same number of samples that lie in memory, each in a process of its own and with
all cores, as it comes (bench/latency_peers.py). They take turns; a time is the median of a round's calls, and of the
rounds. Two are given: of calls in a row, and of calls after a rest of 2 ms, in which caches cool down and threads
fall asleep. --hidden and --samples are given once for each network and number [32 and 512,512; 1, 8, 64, 512 and
10000]. Those that are not installed are left out and named (scripts/install_python.sh peers; ONNX Runtime comes with
scripts/install_python.sh alone). --smoke makes a few calls each. Prints tables; --out keeps all numbers as JSON.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

from contestants import ROOT, python_with, run
from rounds import Rounds, keep, say

# Each with a module that its interpreter must have.
PEERS = {"millrace": "numpy", "millrace_bytes": "numpy", "millrace_bf16": "numpy", "millrace_batch_norm": "numpy",
         "onnxruntime": "onnxruntime", "pytorch": "torch", "pytorch_compiled": "torch"}
SAMPLES = (1, 8, 64, 512, 10_000)
REST = 0.002


def times(ask, rest, calls, seconds):
    """Of each call, in microseconds; at least `calls`."""
    found = []
    end = time.perf_counter() + seconds
    while len(found) < calls or time.perf_counter() < end:
        if rest:
            time.sleep(rest)
        start = time.perf_counter_ns()
        ask()
        found.append((time.perf_counter_ns() - start) / 1e3)
    return found


def be_peer(options):
    sys.path.append(str(options.build / "python"))
    try:
        import latency_peers
        import numpy

        hidden = [int(units) for units in options.hidden[0].split(",")]
        ask, made = getattr(latency_peers, options.be)(hidden)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    found = {}
    calls, seconds = (3, 0.0) if options.smoke else (15, 0.25)
    for count in options.samples:
        samples = made(numpy.random.default_rng(1).random((count, latency_peers.FEATURES), numpy.float32))
        times(lambda x=samples: ask(x), 0, calls, seconds / 2)  # compiles, chooses kernels, starts threads
        found[count] = {"in_a_row_us": statistics.median(times(lambda x=samples: ask(x), 0, calls, seconds)),
                        "rested_us": statistics.median(times(lambda x=samples: ask(x), REST, calls, seconds))}
    print(json.dumps(found))


def ask_peer(options, name, hidden):
    python = options.python or python_with("numpy", PEERS[name])
    command = [python, "-B", __file__, "--be", name, "--hidden", hidden, "--build", options.build]
    for count in options.samples:
        command += ["--samples", count]
    out, _, _ = run(command + ["--smoke"] * options.smoke)
    answers = json.loads(out.splitlines()[-1])
    return {f"{count} {key}": answer[key] for count, answer in answers.items() for key in answer}


def race(options, hidden):
    model = f"784-{hidden.replace(',', '-')}-10"
    say(f"{model}:")
    asked = Rounds([])
    for name in options.peer or PEERS:
        asked.add(name, lambda n=name: ask_peer(options, n, hidden))
    asked.run(options.rounds)
    print(f"{model + ', µs':20}" + "".join(f"{count:>18,}" for count in options.samples) + "   (after a rest)")
    for name in asked.results:
        cells = ("{:.1f} ({:.1f})".format(*(asked.median(name, f"{count} {key}") for key in ("in_a_row_us", "rested_us")))
                 for count in options.samples)
        print(f"{name:20}" + "".join(f"{cell:>18}" for cell in cells))
    return asked.results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hidden", action="append", help="units of each hidden layer, with commas")
    parser.add_argument("--samples", type=int, action="append", help="that are asked about at once")
    parser.add_argument("--peer", action="append", choices=PEERS, help="to be asked [all]")
    parser.add_argument("--python", help="interpreter of all [the first of build/peers, build/python and others that "
                                         "has what is asked]")
    parser.add_argument("--smoke", action="store_true", help="one round of a few calls")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--be", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.samples = options.samples or list(SAMPLES)
    if options.smoke:
        options.rounds = 1
    if options.be:
        be_peer(options)
        return
    results = {hidden: race(options, hidden) for hidden in options.hidden or ("32", "512,512")}
    keep("latency", results, options.out)


if __name__ == "__main__":
    main()
