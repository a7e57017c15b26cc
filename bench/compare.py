#!/usr/bin/env python3
"""Measures Millrace, and PyTorch beside it where it is installed; scripts/bench.sh builds and calls this.

Contestants take turns, all of them once a round, so that a slower minute of the machine slows them alike. What
is reported is the median over rounds. Writes all numbers as JSON; bench/report.py turns them into a page.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

from contestants import ROOT, BusyLoops, Failed, Missing, Ours, Peer, all_cores, random_idx_files, samples_in
from rounds import Rounds, say

PRECISION = {"fp32": "float32", "bf16": "bfloat16"}


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return ""


def commit():
    changed = first_line(["git", "status", "--porcelain", "--untracked-files=no"])
    return first_line(["git", "rev-parse", "--short=12", "HEAD"]) + (" with changes" if changed else "")


def machine():
    def field(path, key, separator):
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(separator)
            if name.strip() == key:
                return value.strip().strip('"')
        return ""

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": field("/proc/cpuinfo", "model name", ":") or platform.machine(), "cores": len(all_cores()),
            "memory_gib": round(memory), "system": field("/etc/os-release", "PRETTY_NAME", "="),
            "kernel": platform.release(), "compiler": first_line(["c++", "--version"]),
            "load": round(os.getloadavg()[0], 2)}


def count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ratio(above, below):
    return None if above is None or below is None else above / below


class Comparison:
    def __init__(self, arguments):
        self.options = arguments
        self.ours = Ours(arguments.build)
        self.notes = []
        self.raw = {}
        self.rows = []
        self.threads = [1] if len(all_cores()) == 1 else [1, len(all_cores())]
        self.peer = None
        if arguments.peer:
            try:
                self.peer = Peer(ROOT)
            except Missing as missing:
                self.notes.append(f"PyTorch was not measured: {missing}")
                say(self.notes[-1])

    def add_row(self, what, model, precision, value, unit, bar=None, at_most=False, ours=None, theirs=None, note=""):
        """One line of the table. `value` is what `bar` is for; None: not measured."""
        judged = bar is not None and value is not None and not self.options.smoke
        met = (value <= bar if at_most else value >= bar) if judged else None
        self.rows.append({"what": what, "model": model, "precision": precision, "value": value, "unit": unit,
                          "bar": bar, "at_most": at_most, "met": met, "ours": ours, "theirs": theirs, "note": note})

    def rounds(self, name, rounds, fill):
        say(f"{name}:")
        group = Rounds(self.notes)
        fill(group)
        self.raw[name] = group.run(rounds).results
        return group

    def peak(self):
        """Useful FLOPs of training against the processor's peak, measured in the same run."""
        smoke = ["--smoke"] if self.options.smoke else []
        models = [("32", {"fp32": 0.75, "bf16": 0.55}), ("512,512", {"fp32": 0.85, "bf16": 0.70})]

        def name(hidden, precision):
            return f"train_bench {hidden} {precision}"

        def fill(group):
            for hidden, bars in models:
                for precision in bars:
                    group.add(name(hidden, precision),
                              lambda h=hidden, p=precision: self.ours.train_bench(
                                  "--hidden", h, "--batch", 128, "--precision", p, "--threads", self.threads[-1],
                                  *smoke))

        group = self.rounds("FMA peak reached", self.options.rounds, fill)
        for hidden, bars in models:
            for precision, bar in bars.items():
                gflops = group.median(name(hidden, precision), "gflops")
                peak = group.median(name(hidden, precision), "peak_gflops")
                note = "" if gflops is None else f"{gflops:.0f} of {peak:.0f} GFLOP/s on {self.threads[-1]} threads"
                self.add_row("FMA peak reached by training", f"784-{hidden.replace(',', '-')}-10", precision,
                                     group.median(name(hidden, precision), "ratio"), "%", bar, note=note)

    def epochs(self, data, val_size, work):
        """Median epoch of both, each with the thread count that suits it."""
        models = [("32", {"fp32": 7, "bf16": 10}, 4, 10), ("512,512", {"fp32": None, "bf16": None}, 2, 3)]

        def name(who, hidden, precision):
            return lambda threads: f"{who} {hidden} {precision}, {count(threads, 'thread')}"

        def fill(group):
            for hidden, bars, peer_epochs, our_epochs in models:
                for precision in bars:
                    for threads in self.threads:
                        group.add(name("ours", hidden, precision)(threads),
                                  lambda h=hidden, p=precision, t=threads, e=our_epochs: self.ours.train(
                                      data, work, epochs=1 if self.options.smoke else e, val_size=val_size, hidden=h,
                                      precision=p, threads=t))
                        if self.peer:
                            group.add(name("PyTorch", hidden, precision)(threads),
                                      lambda h=hidden, p=precision, t=threads, e=peer_epochs: self.peer.train(
                                          data, mode="tuned", epochs=e, threads=t, bf16=p == "bf16", hidden=h))

        group = self.rounds("epochs", self.options.rounds, fill)
        for hidden, bars, *_ in models:
            for precision, bar in bars.items():
                ours, our_threads = group.fastest(name("ours", hidden, precision), self.threads, "epoch_s")
                theirs, their_threads = group.fastest(name("PyTorch", hidden, precision), self.threads, "epoch_s")
                note = "" if ours is None else f"ours with {count(our_threads, 'thread')}"
                if theirs is not None:
                    note += f", PyTorch with {their_threads}"
                self.add_row("Epoch, PyTorch tuned / ours", f"784-{hidden.replace(',', '-')}-10", precision,
                             ratio(theirs, ours), "×", bar, ours=ours, theirs=theirs, note=note)
        return group.fastest(name("ours", "32", "fp32"), self.threads, "epoch_s")[0]

    def whole_run(self, data, val_size, work, our_epoch):
        """From the .gz files to the checkpoint, as a user sees it: the whole process."""
        epochs = 1 if self.options.smoke else 10

        def fill(group):
            group.add("ours", lambda: self.ours.train(data, work, epochs=epochs, val_size=val_size,
                                                      threads=self.threads[-1], checkpoints=True))
            if self.peer:
                group.add("PyTorch tutorial", lambda: self.peer.train(data, mode="tutorial", epochs=epochs),
                          self.options.tutorial_rounds)

        group = self.rounds("whole run", self.options.rounds, fill)
        theirs = group.median("PyTorch tutorial", "epoch_s")
        self.add_row("Epoch, PyTorch tutorial / ours", "784-32-10", "fp32", ratio(theirs, our_epoch), "×", 80,
                             ours=our_epoch, theirs=theirs)
        ours, theirs = (group.median(name, "process_wall_s") for name in ("ours", "PyTorch tutorial"))
        accuracy = group.median("ours", "test_acc")
        self.add_row(f"Whole {epochs}-epoch run, PyTorch tutorial / ours", "784-32-10", "fp32",
                             ratio(theirs, ours), "×", 50, ours=ours, theirs=theirs,
                             note="" if accuracy is None else f"our test accuracy {100 * accuracy:.2f} %")
        theirs = group.median("PyTorch tutorial", "process_rss_mb")
        self.add_row("Peak resident memory of that run", "784-32-10", "fp32",
                             group.median("ours", "process_rss_mb"), "MB", 150, at_most=True,
                             note="" if theirs is None else f"PyTorch without its workers: {theirs:.0f} MB")

    def loader(self):
        smoke = ["--smoke"] if self.options.smoke else []

        def fill(group):
            group.add("loader_bench", lambda: self.ours.bench("loader_bench", *smoke))

        group = self.rounds("packed chunks", self.options.rounds, fill)
        self.add_row("Packed chunks of random samples, per core / memcpy", "28×28 uint8", "",
                             group.median("loader_bench", "ratio"), "%", 0.5)

    def width(self):
        say("width sweep:")
        arguments = ["--threads", ",".join(map(str, self.threads)), *(["--smoke"] if self.options.smoke else [])]
        try:
            return self.ours.bench("width_bench", *arguments)
        except (Missing, Failed) as problem:
            self.notes.append(str(problem))
            say(f"  not measured: {problem}")
            return None

    def busy(self, data, val_size, work):
        """How much slower an epoch gets beside as many busy loops as there are cores: 2× is their fair share."""
        loops = len(all_cores())
        epochs = 1 if self.options.smoke else 40  # about a second: many turns of the scheduler
        threads = self.threads[-1]

        def ours():
            return self.ours.train(data, work, epochs=epochs, val_size=val_size, threads=threads)

        def theirs():
            return self.peer.train(data, mode="tuned", epochs=2, threads=threads)

        def beside(call):
            with BusyLoops(loops):
                return call()

        def fill(group):
            group.add("ours alone", ours)
            group.add("ours beside busy loops", lambda: beside(ours))
            if self.peer:
                group.add("PyTorch alone", theirs, self.options.tutorial_rounds)
                group.add("PyTorch beside busy loops", lambda: beside(theirs), self.options.tutorial_rounds)

        group = self.rounds("busy machine", self.options.rounds, fill)
        for who, label in (("ours", "ours"), ("PyTorch", "PyTorch tuned")):
            alone, busy = (group.median(f"{who} {state}", "epoch_s") for state in ("alone", "beside busy loops"))
            note = "" if alone is None or busy is None else f"{1e3 * alone:.1f} ms alone, {1e3 * busy:.1f} ms beside them"
            self.add_row(f"Epoch beside {loops} busy loops / alone, {label}", "784-32-10", "fp32",
                                 ratio(busy, alone), "×", note=note)

    def run(self):
        facts = machine()
        with tempfile.TemporaryDirectory(prefix="millrace-bench-") as work:
            data = self.options.data
            if self.options.smoke:
                data = pathlib.Path(work) / "data"
                data.mkdir()
                random_idx_files(data)
            val_size = samples_in(data) // 6  # the peer's split
            self.peak()
            our_epoch = self.epochs(data, val_size, work)
            self.whole_run(data, val_size, work, our_epoch)
            self.loader()
            width = self.width()
            self.busy(data, val_size, work)
        torch = {result["torch"] for runs in self.raw.values() for results in runs.values() for result in results
                 if "torch" in result}
        return {"machine": facts, "commit": commit(),
                "data": "drawn digits" if data.resolve() == ROOT / "build" / "bench" / "digits" else "MNIST",
                "date": time.strftime("%Y-%m-%d", time.gmtime()), "rounds": self.options.rounds,
                "tutorial_rounds": self.options.tutorial_rounds, "smoke": self.options.smoke,
                "torch": sorted(torch)[0] if torch else None, "rows": self.rows, "width": width,
                "notes": self.notes, "raw": self.raw}


def formatted(value, unit):
    if value is None:
        return "not measured"
    return {"%": f"{100 * value:.1f} %", "×": f"{value:.1f}×"}.get(unit, f"{value:.0f} {unit}")


def print_table(rows):
    lines = [("what", "model", "precision", "measured", "bar", "")]
    for r in rows:
        bar = "" if r["bar"] is None else ("≤ " if r["at_most"] else "≥ ") + formatted(r["bar"], r["unit"])
        verdict = {True: "met", False: "MISSED", None: ""}[r["met"]]
        lines.append((r["what"], r["model"], PRECISION.get(r["precision"], r["precision"]),
                      formatted(r["value"], r["unit"]), bar, verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build" / "release", help="build folder of the release preset")
    parser.add_argument("--data", type=pathlib.Path, help="folder with MNIST's four .gz files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tutorial-rounds", type=int, default=1, help="of what takes minutes: PyTorch's tutorial "
                        "loop, and PyTorch on the busy machine")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="leave PyTorch out")
    parser.add_argument("--out", type=pathlib.Path, help="default: build/bench/results.json, or smoke.json")
    parser.add_argument("--smoke", action="store_true", help="seconds: tiny data, one round, no PyTorch, nothing "
                        "to conclude from the numbers")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.peer = 1, False
    elif arguments.data is None:
        parser.error("--data is needed")
    arguments.out = arguments.out or ROOT / "build" / "bench" / ("smoke.json" if arguments.smoke else "results.json")
    return arguments


def main():
    arguments = parse()
    load = os.getloadavg()[0]
    if load > 0.5 and not arguments.smoke:
        say(f"Something else is running here (load average {load:.2f}): the numbers will be worse than they need be.")
    results = Comparison(arguments).run()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print_table(results["rows"])
    print(f"All numbers: {arguments.out}")
    # A smoke run is there to fail when something does not run.
    sys.exit(1 if arguments.smoke and results["notes"] else 0)


if __name__ == "__main__":
    main()
