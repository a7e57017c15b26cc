#!/usr/bin/env python3
"""Puts the numbers of scripts/bench.sh into docs/performance.md, so that none is ever typed by hand.

    bench/report.py [RESULTS.json]      (default: build/bench/results.json)

Rewrites what stands between the two marks of the page and the plot beside it; the prose around them stays.
"""
import json
import pathlib
import sys

from compare import PRECISION, count, formatted
from plot_width import draw, duration, series, threads_text

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "step-time-by-width.svg"
BEGIN = "<!-- measured: written by bench/report.py from here -->"
END = "<!-- measured: to here -->"


def speed(value):
    return "" if value is None else duration(float(f"{1e6 * value:.3g}")) if value < 1 else f"{value:.3g} s"


def machine_lines(results):
    m = results["machine"]
    lines = [f"{m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB; {m['system']}, Linux {m['kernel']}; "
             f"{m['compiler']}."]
    if results["width"]:
        lines[0] += f" Engine: {results['width']['engine']}."
    peer = f"PyTorch {results['torch']}" if results["torch"] else "PyTorch was not measured"
    lines.append(f"{peer}. Millrace {results['commit']}, {results['date']}, on {results['data']}; "
                 f"{count(results['rounds'], 'round')}, {results['tutorial_rounds']} of what takes PyTorch minutes.")
    return lines


def table(results):
    lines = ["| what | model | precision | measured | bar | ours | PyTorch | |", "|---|---|---|--:|--:|--:|--:|---|"]
    for r in results["rows"]:
        bar = "" if r["bar"] is None else ("≤ " if r["at_most"] else "≥ ") + formatted(r["bar"], r["unit"])
        value = formatted(r["value"], r["unit"])
        if r["met"] is False:
            bar += " (missed)"
        precision = PRECISION.get(r["precision"], r["precision"])
        lines.append(f"| {r['what']} | {r['model']} | {precision} | **{value}** | {bar} | {speed(r['ours'])} | "
                     f"{speed(r['theirs'])} | {r['note']} |")
    return lines


def width_table(width):
    columns = series(width["rows"])
    head = ["units"] + [f"{PRECISION[precision]}, {threads_text(threads)}" for precision, threads in columns]
    lines = ["| " + " | ".join(head) + " |", "|--:" * len(head) + "|"]
    found = {(r["width"], r["precision"], r["threads"]): r for r in width["rows"]}
    for units in sorted({r["width"] for r in width["rows"]}):
        cells = [found[units, *column] for column in columns]
        texts = [f"{speed(1e-6 * r['step_us'])} ({100 * r['ratio']:.0f} %)" for r in cells]
        lines.append(f"| {units} | " + " | ".join(texts) + " |")
    return lines


def measured(results):
    lines = [*machine_lines(results), "", *table(results)]
    if results["notes"]:
        lines += ["", "Not measured:", "", *(f"- {note.splitlines()[0]}" for note in results["notes"])]
    if results["width"]:
        lines += ["", "## From 32 to 4096 hidden units", "",
                  f"![Step time and GFLOP/s by hidden width]({PLOT.relative_to(PAGE.parent)})", "",
                  f"Time of a step of 784-W-10 at batch {results['width']['batch']}, and the share of the threads' FMA "
                  "peak that it reaches:", "", *width_table(results["width"])]
    return "\n".join(lines)


def filled(page, results):
    """`page` with the numbers between its two marks; ValueError where it has not exactly these two."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(END) < page.index(BEGIN):
        raise ValueError("expected the two marks that the numbers go between, found other")
    return f"{page.split(BEGIN)[0]}{BEGIN}\n{measured(results)}\n{END}{page.split(END)[1]}"


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / "build" / "bench" / "results.json"
    results = json.loads(source.read_text(encoding="utf-8"))
    if results["smoke"]:
        sys.exit(f"{source}: the numbers of a smoke run are no measurements")
    try:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"{PAGE}: {error}")
    if results["width"]:
        PLOT.parent.mkdir(parents=True, exist_ok=True)
        PLOT.write_text(draw(results["width"]), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(ROOT)}" + (f" and {PLOT.relative_to(ROOT)}" if results["width"] else ""))


if __name__ == "__main__":
    main()
