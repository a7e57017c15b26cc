#!/usr/bin/env python3
"""Loaders of others beside Millrace's: samples that a core delivers in a second of its time.

  bench/loaders.py [--build DIR] [--rounds N] [--side PIXELS] [--seconds S] [--python PYTHON] [--out FILE.json]

digits  MNIST's training images, in random order, as batches of 128: from $MILLRACE_MNIST_DIR, else
        ../shared/data/mnist. Millrace packs them from memory, where an IDX file is after its first look, and
        from the frames of a seekable zstd file, which it decodes anew each epoch.
        millrace_python is the loader as the others are, from Python (the build's Python module).
photos  JPEG photos to batches of 32, RGB of --side each way: from $MILLRACE_PHOTOS_DIR, else
        ../shared/data/photos, a folder of pictures at any depth.

Loaders take turns, each in a process with one worker; what counts is the time of all its threads.
bench/loader_peers.py says how each is used. Those that are not installed are left out and named
(scripts/install_python.sh peers; FFCV besides wants libopencv-dev and libturbojpeg0-dev, then `build/peers/bin/pip
install ffcv`). Prints a table; --out keeps all numbers as JSON.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

from contestants import ROOT, Ours, python_with, run
from rounds import Rounds, keep, say

PEERS = {"digits": ("millrace_python", "pytorch", "webdataset", "streaming", "ffcv"),
         "photos": ("millrace_python", "pillow", "pillow_draft", "torchvision", "spdl", "dali")}
OURS = {"digits": ("millrace", "millrace_zst"), "photos": ("millrace",)}
DIGIT_BYTES = 28 * 28


def ours(options, task, name, folder, scratch):
    """From the program that measures the loader's worker."""
    millrace = Ours(options.build)
    if task == "photos":
        bench = ["photos_bench", "--data", folder, "--side", options.side]
        key, unit = "photos_per_core_s", 1
    elif name == "millrace":
        bench = ["loader_bench", "--sample-bytes", DIGIT_BYTES]
        key, unit = "packed_gb_per_s", 1e9 / DIGIT_BYTES
    else:
        file = scratch / "train-images-idx3-ubyte.zst"
        if not file.exists():
            run([millrace.program("tools"), "convert", folder, scratch, "--quiet"])
        bench = ["zstd_bench", "--file", file]
        key, unit = "chunks_samples_per_s", 1
    return millrace.bench(*bench, "--seconds", options.seconds)[key] * unit


def theirs(options, task, name, folder, scratch):
    python = options.python or python_with("numpy")
    out, _, _ = run([python, "-B", __file__, "--peer", f"{task}/{name}", "--data", folder, "--scratch", scratch,
                     "--side", options.side, "--seconds", options.seconds, "--build", options.build])
    return json.loads(out.splitlines()[-1])


def be_peer(options):
    task, _, name = options.peer.partition("/")
    sys.path.append(str(options.build / "python"))
    try:
        import loader_peers  # NumPy, which the process that races them may lack

        load = getattr(loader_peers, f"{task}_{name}")
        if task == "digits":
            with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
                found = load(options.data, pathlib.Path(scratch), options.seconds)
        else:
            found = load(options.data, options.side, options.seconds)
    except ImportError as error:
        raise SystemExit(f"{error}") from None
    print(json.dumps(found))


def race(options, task, folder, scratch):
    """The rates of each loader by round."""
    say(f"{task}:")
    loaders = Rounds([])
    for name in (*OURS[task], *PEERS[task]):
        measure = ours if name in OURS[task] else theirs
        loaders.add(name, lambda m=measure, n=name: m(options, task, n, folder, scratch))
    return loaders.run(options.rounds).results


def table(task, rates):
    medians = {name: statistics.median(values) for name, values in rates.items()}
    lines = [f"{task + ', samples per core second':42} {'rate':>12}   Millrace / it"]
    best = medians.get("millrace")
    for name, median in sorted(medians.items(), key=lambda pair: -pair[1]):
        ratio = f"{best / median:.2f}×" if best and name not in OURS[task] else ""
        lines.append(f"{name:42} {median:12,.0f}   {ratio}".rstrip())
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--python", help="interpreter of the others [that of build/peers]")
    parser.add_argument("--out", type=pathlib.Path)
    for hidden in ("--peer", "--data", "--scratch"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_peer(options)
        return
    folders = {"digits": os.environ.get("MILLRACE_MNIST_DIR", ROOT / "../shared/data/mnist"),
               "photos": os.environ.get("MILLRACE_PHOTOS_DIR", ROOT / "../shared/data/photos")}
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        for task, folder in folders.items():
            if not pathlib.Path(folder).is_dir():
                say(f"  {task} are left out: there is no folder {folder}")
                continue
            results[task] = race(options, task, pathlib.Path(folder).resolve(), pathlib.Path(scratch))
    for task, rates in results.items():
        print(table(task, rates))
    keep("loaders", results, options.out, "samples_per_core_s")


if __name__ == "__main__":
    main()
