"""Contestants that take turns, so that a slower minute of the machine slows all of them alike."""
import json
import statistics
import sys
import time

from contestants import Failed, Missing


def keep(bench, results, out, key="runs"):
    """Writes what bench/BENCH.py found as JSON, where `out` names a file; ends the program where it found nothing."""
    if out:
        out.write_text(json.dumps({"bench": bench, key: results}, indent=2) + "\n", encoding="utf-8")
    if not any(results.values()):
        raise SystemExit(f"{bench}.py: there was nothing to measure")


def say(text):
    print(text, file=sys.stderr, flush=True)


class Rounds:
    """Named contestants, run in turn; a contestant that is missing or fails is reported once, and left out."""

    def __init__(self, notes):
        self.contestants = {}
        self.results = {}
        self.notes = notes

    def add(self, name, call, rounds=None):
        self.contestants[name] = (call, rounds)

    def run(self, rounds):
        left_out = set()
        for number in range(rounds):
            for name, (call, limit) in self.contestants.items():
                if name in left_out or (limit is not None and number >= limit):
                    continue
                start = time.perf_counter()
                try:
                    self.results.setdefault(name, []).append(call())
                    say(f"  round {number + 1}: {name} ({time.perf_counter() - start:.1f} s)")
                except (Missing, Failed, OSError) as problem:
                    left_out.add(name)
                    self.results.pop(name, None)
                    if str(problem) not in self.notes:
                        self.notes.append(str(problem))
                    say(f"  {name}: not measured: {str(problem).splitlines()[-1]}")
        return self

    def median(self, name, key):
        """None if it was not measured."""
        values = [result[key] for result in self.results.get(name, [])]
        return statistics.median(values) if values else None

    def fastest(self, name_of, choices, key):
        """The lowest median of name_of(choice), and that choice; (None, None) if none was measured."""
        measured = [(self.median(name_of(choice), key), choice) for choice in choices
                    if self.results.get(name_of(choice))]
        return min(measured) if measured else (None, None)
