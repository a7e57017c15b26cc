#!/usr/bin/env python3
"""Photos to chunks, per core: the loader's worker beside a worker of PyTorch's DataLoader with Pillow, in turn.

  python3 bench/photos.py [--build build/release] [--rounds 5] [--side 64] [--seconds 2]

The photos are those in $MILLRACE_PHOTOS_DIR, else ../shared/data/photos: a sub-folder for each class. What is counted
is processor time of the worker, so that a busy machine slows both alike. Pillow runs twice: as torchvision's
ImageFolder and Resize do it, and with draft(), its own scaled decoding. Prints one JSON object.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def peer(folder, side, seconds, draft):
    """Photos that a DataLoader's worker delivers in a second of its processor time."""
    import numpy
    import torch
    from PIL import Image

    torch.set_num_threads(1)
    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not paths:
        raise SystemExit(f"photos.py: {folder}: no JPEG files")

    class Photos(torch.utils.data.Dataset):
        def __init__(self, count):
            self.count = count

        def __len__(self):
            return self.count

        def __getitem__(self, index):
            with Image.open(paths[index % len(paths)]) as image:
                if draft:
                    image.draft("RGB", (side, side))
                small = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
            return torch.from_numpy(numpy.array(small)), index % 10

    def worker_seconds(count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        loader = torch.utils.data.DataLoader(Photos(count), batch_size=32, num_workers=1)
        for _ in loader:
            pass
        del loader
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # The start of the worker is not what is measured: the difference of a long run and a short one is.
    short = 32
    count = short + 64
    while True:
        took = worker_seconds(count) - worker_seconds(short)
        if took >= seconds:
            return (count - short) / took
        count = short + int((count - short) * max(2.0, min(20.0, 1.3 * seconds / max(took, 1e-3))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--peer", choices=["plain", "draft"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = os.environ.get("MILLRACE_PHOTOS_DIR", ROOT / "../shared/data/photos")
    if options.peer:
        print(json.dumps(peer(folder, options.side, options.seconds, options.peer == "draft")))
        return
    if not pathlib.Path(folder).is_dir():
        raise SystemExit(f"photos.py: {folder}: no such folder; MILLRACE_PHOTOS_DIR names another one")

    size = ["--side", str(options.side), "--seconds", str(options.seconds)]
    contestants = {
        "millrace": [options.build / "bin/photos_bench", "--data", folder, *size],
        "pytorch": [sys.executable, "-B", __file__, "--peer", "plain", *size],
        "pytorch_draft": [sys.executable, "-B", __file__, "--peer", "draft", *size],
    }
    rates = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, command in contestants.items():
            out = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            rates[name].append(out["photos_per_core_s"] if isinstance(out, dict) else out)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(json.dumps({"bench": "photos", "side": options.side, "rounds": options.rounds, "photos_per_core_s": medians,
                      "ratio": medians["millrace"] / medians["pytorch"],
                      "ratio_draft": medians["millrace"] / medians["pytorch_draft"]}, indent=2))


if __name__ == "__main__":
    main()
