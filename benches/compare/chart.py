"""A curve as an SVG of its own: time above, memory below, both axes logarithmic, every number written at its point.

Readable in light and dark: colours follow the reader's scheme. Text is text, so it can be searched and copied.
"""
import html
import math

WIDTH, LEFT, RIGHT = 720, 62, 24
TIME_TOP, TIME_HEIGHT = 64, 250
MEMORY_TOP, MEMORY_HEIGHT = 376, 96
HEIGHT = 530

STYLE = """
svg { background: #ffffff; }
text { font: 12px system-ui, sans-serif; fill: #3c4043; }
.title { font-size: 16px; font-weight: 600; fill: #17191c; }
.name { font-weight: 600; }
.grid { stroke: #e3e6ea; stroke-width: 1; }
.guide { stroke: #9aa0a6; stroke-width: 1; stroke-dasharray: 2 4; fill: none; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.wall { stroke: #1f6fb4; } .wall-mark { fill: #1f6fb4; }
.cpu { stroke: #b3541e; stroke-dasharray: 7 4; } .cpu-mark { fill: #b3541e; }
.peak { stroke: #5b7f2b; } .peak-mark { fill: #5b7f2b; }
@media (prefers-color-scheme: dark) {
  svg { background: #15181c; }
  text { fill: #c3c8ce; } .title { fill: #f2f4f6; }
  .grid { stroke: #2c3138; } .guide { stroke: #737a83; }
  .wall { stroke: #6db3f2; } .wall-mark { fill: #6db3f2; }
  .cpu { stroke: #f0a06a; } .cpu-mark { fill: #f0a06a; }
  .peak { stroke: #a9cf72; } .peak-mark { fill: #a9cf72; }
}"""


def short(value):
    """1500000 as 1.5M; three digits at most."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


class Scale:
    """A logarithmic axis from pixel to pixel."""

    def __init__(self, low, high, start, end, decades_min):
        low, high = math.log10(low), math.log10(high)
        room = max(0.0, decades_min - (high - low)) / 2
        self.low, self.high, self.start, self.end = low - room - 0.1, high + room + 0.15, start, end

    def at(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def decades(self):
        return [10.0 ** power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def _line(x_of, y_of, points, key, name):
    at = [(x_of(point["x"]), y_of(point[key])) for point in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    marks = "".join(f'<circle class="{name}-mark" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>' for x, y in at)
    return f'<polyline class="line {name}" points="{path}"/>{marks}'


def _numbers(x_of, y_of, points, key, form, above):
    shift = -9 if above else 18
    return "".join(f'<text x="{x_of(point["x"]):.1f}" y="{y_of(point[key]) + shift:.1f}" text-anchor="middle">{form(point[key])}</text>'
                   for point in points)


def svg(title, axis, points, percent=False):
    """The points: dictionaries of x, wall_median, cpu_median (seconds) and peak_bytes."""
    xs = [point["x"] for point in points]
    x = Scale(min(xs), max(xs), LEFT + 26, WIDTH - RIGHT - 26, 0.5)
    times = [point[key] for point in points for key in ("wall_median", "cpu_median")]
    time = Scale(min(times), max(times), TIME_TOP + TIME_HEIGHT, TIME_TOP, 2)
    peaks = [point["peak_bytes"] / 1e6 for point in points]
    memory = Scale(min(peaks), max(peaks), MEMORY_TOP + MEMORY_HEIGHT, MEMORY_TOP, 1.2)
    shown = [dict(point, peak=point["peak_bytes"] / 1e6) for point in points]
    label = (lambda value: f"{value * 100:.3g} %") if percent else short
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
             f'aria-label="{html.escape(title)}"><style>{STYLE}</style>',
             f'<text class="title" x="{LEFT}" y="26">{html.escape(title)}</text>',
             f'<text x="{LEFT}" y="48"><tspan class="name wall-mark">wall time</tspan>, <tspan class="name cpu-mark">processor time</tspan> '
             "in seconds; dotted: growth in proportion</text>",
             f'<text x="{LEFT}" y="{MEMORY_TOP - 12}"><tspan class="name peak-mark">peak memory</tspan> in MB</text>']
    for scale in (time, memory):
        for decade in scale.decades():
            y = scale.at(decade)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                         f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(decade)}</text>')
    for point in shown:
        at = x.at(point["x"])
        parts.append(f'<path class="grid" d="M{at:.1f} {TIME_TOP}v{TIME_HEIGHT}M{at:.1f} {MEMORY_TOP}v{MEMORY_HEIGHT}"/>'
                     f'<text x="{at:.1f}" y="{MEMORY_TOP + MEMORY_HEIGHT + 18}" text-anchor="middle">{label(point["x"])}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{html.escape(axis)}</text>')
    # What growth in proportion would be, from the last point back, as far as it is in the picture.
    last = shown[-1]
    bottom = 10 ** time.low
    start = max(min(xs), last["x"] * bottom / last["wall_median"])
    if start < last["x"]:
        parts.append(f'<line class="guide" x1="{x.at(start):.1f}" y1="{time.at(last["wall_median"] * start / last["x"]):.1f}" '
                     f'x2="{x.at(last["x"]):.1f}" y2="{time.at(last["wall_median"]):.1f}"/>')
    wall_above = shown[0]["wall_median"] >= shown[0]["cpu_median"]
    for key, name, above in (("cpu_median", "cpu", not wall_above), ("wall_median", "wall", wall_above)):
        parts += [_line(x.at, time.at, shown, key, name), _numbers(x.at, time.at, shown, key, lambda value: f"{value:.2f}" if value < 10 else f"{value:.1f}", above)]
    parts += [_line(x.at, memory.at, shown, "peak", "peak"), _numbers(x.at, memory.at, shown, "peak", lambda value: f"{value:.0f}", True)]
    return "\n".join(parts) + "\n</svg>\n"
