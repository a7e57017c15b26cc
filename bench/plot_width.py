#!/usr/bin/env python3
"""Draws step time and arithmetic rate by hidden width, from the JSON of bench/width_bench.

    bench/plot_width.py WIDTH.json OUT.svg      (also takes the results of scripts/bench.sh)

Plain SVG without any library; the background is part of the picture, so that it reads on dark pages too.
"""
import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 408
PANEL, TOP, BOTTOM = 320, 112, 342
INK, FAINT, GRID = "#24292f", "#57606a", "#d8dee4"
COLORS = {"fp32": "#0a5cc2", "bf16": "#c2500a"}
NAMES = {"fp32": "float32", "bf16": "bfloat16"}


def dash(threads):
    return ' stroke-dasharray="5 4"' if threads == 1 else ""


def text(x, y, content, anchor="middle", size=12, color=INK, extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{color}"{extra}>'
            f"{escape(content)}</text>")


def duration(us):
    return f"{us:g} µs" if us < 1000 else f"{us / 1000:g} ms"


def nice_step(top):
    """A round step that puts four to eight ticks below `top`."""
    power = 10 ** math.floor(math.log10(top / 4))
    return next(power * factor for factor in (1, 2, 5, 10) if top / (power * factor) <= 8)


class Panel:
    """One diagram: hidden width, on a logarithmic axis, against one value of the rows."""

    def __init__(self, left, title, rows, value, ticks, to_height, tick_text):
        self.left, self.title, self.rows, self.value = left, title, rows, value
        self.ticks, self.to_height, self.tick_text = ticks, to_height, tick_text
        self.widths = sorted({row["width"] for row in rows})

    def x(self, width):
        low, high = math.log2(self.widths[0]), math.log2(self.widths[-1])
        return self.left + (PANEL * (math.log2(width) - low) / (high - low) if high > low else PANEL / 2)

    def y(self, value):
        return BOTTOM - (BOTTOM - TOP) * self.to_height(value)

    def svg(self):
        out = [text(self.left, TOP - 16, self.title, "start", 13, extra=' font-weight="600"')]
        for tick in self.ticks:
            y = self.y(tick)
            out.append(f'<path d="M{self.left} {y:.1f}H{self.left + PANEL}" stroke="{GRID}"/>')
            out.append(text(self.left - 8, y + 4, self.tick_text(tick), "end", 11, FAINT))
        for width in self.widths:
            x = self.x(width)
            out.append(f'<path d="M{x:.1f} {BOTTOM}v5" stroke="{FAINT}"/>')
            out.append(text(x, BOTTOM + 19, str(width), size=11, color=FAINT))
        out.append(f'<path d="M{self.left} {BOTTOM}H{self.left + PANEL}" stroke="{FAINT}"/>')
        out.append(text(self.left + PANEL / 2, BOTTOM + 42, "units of the hidden layer", color=FAINT))
        for precision, threads in series(self.rows):
            points = sorted((row["width"], row[self.value]) for row in self.rows
                            if (row["precision"], row["threads"]) == (precision, threads))
            path = "L".join(f"{self.x(width):.1f} {self.y(value):.1f}" for width, value in points)
            out.append(f'<path d="M{path}" fill="none" stroke="{COLORS[precision]}" stroke-width="2"'
                       f'{dash(threads)}/>')
            out += [f'<circle cx="{self.x(width):.1f}" cy="{self.y(value):.1f}" r="3" fill="{COLORS[precision]}">'
                    f"<title>{width} units, {NAMES[precision]}, {threads_text(threads)}: {value:.4g}</title></circle>"
                    for width, value in points]
        return out


def series(rows):
    return sorted({(row["precision"], row["threads"]) for row in rows}, key=lambda s: (s[0] != "fp32", s[1]))


def threads_text(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


def draw(results):
    rows = results["rows"]
    times = [row["step_us"] for row in rows]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    top = 1.08 * max(row["gflops"] for row in rows)
    step = nice_step(top)
    panels = [
        Panel(78, f"Time of a training step (batch {results['batch']})", rows, "step_us",
              [10.0**power for power in range(low, high + 1)],
              lambda us: (math.log10(us) - low) / (high - low), duration),
        Panel(508, "Useful arithmetic, GFLOP/s", rows, "gflops",
              [step * i for i in range(int(top / step) + 1)], lambda gflops: gflops / top, lambda g: f"{g:g}"),
    ]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
           f'height="{HEIGHT}" font-family="system-ui, sans-serif" role="img" '
           f'aria-label="Step time and GFLOP/s of 784-W-10 by hidden width W">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
           text(24, 32, "784-W-10 as the hidden layer grows", "start", 15, extra=' font-weight="600"')]
    x = 24
    for precision, threads in series(rows):
        out.append(f'<path d="M{x} 52h28" stroke="{COLORS[precision]}" stroke-width="2"{dash(threads)}/>')
        out.append(f'<circle cx="{x + 14}" cy="52" r="3" fill="{COLORS[precision]}"/>')
        out.append(text(x + 36, 56, f"{NAMES[precision]}, {threads_text(threads)}", "start"))
        x += 164
    for panel in panels:
        out += panel.svg()
    return "\n".join([*out, "</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    results = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    out = pathlib.Path(sys.argv[2])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(draw(results.get("width", results)), encoding="utf-8")


if __name__ == "__main__":
    main()
