# SPDX-License-Identifier: BSD-3-Clause
"""Plots as SVG, written by hand: bars and lines are little more than a few rectangles, and need no library."""
import math
from xml.sax.saxutils import escape

from .figures import quantile

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 80
COLOURS = ("#1b6ca8", "#e08e45", "#7a9e7e", "#a23b72", "#8d99ae", "#c9a227", "#444444")


class _Canvas:
    """An SVG in the making, with a y axis from 0 to a round number above `top`."""

    def __init__(self, title, unit, top):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
                      'font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
        self.text(WIDTH / 2, 20, title, size=15)
        self.step = _round_step(top)
        self.top = self.step * max(1, math.ceil(top / self.step))
        for i in range(round(self.top / self.step) + 1):
            y = self.y(i * self.step)
            self.line(LEFT, y, WIDTH - RIGHT, y, "#dddddd" if i else "black")
            self.text(LEFT - 6, y + 4, f"{i * self.step:g}", anchor="end")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        self.text(16, middle, unit, extra=f'transform="rotate(-90 16 {middle})"')

    def y(self, value):
        """Where a value of the y axis lies."""
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - BOTTOM - TOP)

    def line(self, x1, y1, x2, y2, colour, width=1):
        """A straight line."""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def text(self, x, y, text, size=12, anchor="middle", extra=""):
        """A line of text."""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>'
                          f'{escape(text)}</text>')

    def rect(self, x, y, width, height, colour):
        """A filled rectangle."""
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def legend(self, names):
        """The colours of the series, below the plot."""
        width = (WIDTH - LEFT - RIGHT) / len(names)
        for i, name in enumerate(names):
            x = LEFT + i * width
            self.rect(x, HEIGHT - 26, 12, 12, COLOURS[i % len(COLOURS)])
            self.text(x + 16, HEIGHT - 16, name, anchor="start", size=min(12, 1.8 * width / max(1, len(name))))

    def write(self, path):
        """Into a file."""
        path.write_text("\n".join([*self.parts, "</svg>"]) + "\n", encoding="utf-8")


def _round_step(top):
    """1, 2 or 5 times a power of ten, for about five steps up to `top`."""
    power = 10.0 ** math.floor(math.log10(max(top, 1e-9) / 5))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= top)


def bars(path, title, unit, series):
    """Bars side by side: {series: {group: values}}; each bar is the median, its line the quartiles' distance.

    A series need not have every group."""
    groups = list(dict.fromkeys(group for values in series.values() for group in values))
    canvas = _Canvas(title, unit, max(max(values) for of in series.values() for values in of.values()))
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    for g, group in enumerate(groups):
        here = [name for name in series if group in series[name]]
        width = 0.8 * room / len(here)
        for i, name in enumerate(here):
            low, middle, high = (quantile(series[name][group], q) for q in (0.25, 0.5, 0.75))
            x = LEFT + g * room + 0.1 * room + i * width
            canvas.rect(x, canvas.y(middle), 0.9 * width, canvas.y(0) - canvas.y(middle),
                        COLOURS[list(series).index(name) % len(COLOURS)])
            canvas.line(x + 0.45 * width, canvas.y(low), x + 0.45 * width, canvas.y(high), "black", 1.5)
            canvas.text(x + 0.45 * width, canvas.y(high) - 4, f"{middle:.3g}", size=min(11, 0.4 * width + 3))
        canvas.text(LEFT + (g + 0.5) * room, HEIGHT - BOTTOM + 18, group)
    canvas.legend(list(series))
    canvas.write(path)


def lines(path, title, unit, x_title, series):
    """Curves: {series: {x: values}}, x as a number on a linear axis; the points are medians."""
    xs = sorted({x for of in series.values() for x in of})
    canvas = _Canvas(title, unit, max(max(values) for of in series.values() for values in of.values()))

    def at(x):
        return LEFT + (x - xs[0]) / max(1e-9, xs[-1] - xs[0]) * (WIDTH - LEFT - RIGHT)

    for i, of in enumerate(series.values()):
        points = [(at(x), canvas.y(quantile(of[x], 0.5))) for x in sorted(of)]
        for (x1, y1), (x2, y2) in zip(points, points[1:]):
            canvas.line(x1, y1, x2, y2, COLOURS[i % len(COLOURS)], 2)
        for x, y in points:
            canvas.rect(x - 3, y - 3, 6, 6, COLOURS[i % len(COLOURS)])
    for x in xs:
        canvas.text(at(x), HEIGHT - BOTTOM + 18, f"{x:g}")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 36, x_title)
    canvas.legend(list(series))
    canvas.write(path)
