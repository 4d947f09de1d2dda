# SPDX-License-Identifier: MIT
"""The ratios as bars, as an SVG file. By hand: there is little to draw, and nothing to install."""

from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, GAP, TOP = 760, 320, 18, 10, 46


def bar(number, name, ratio, scale):
    top = TOP + number * (BAR + GAP)
    length = ratio * scale
    middle = top + BAR - 5
    return (
        f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" fill="#4878a8"/>'
        f'<text x="{LEFT + length + 6:.1f}" y="{middle}">{ratio:.2f}</text>\n'
    )


def draw(ratios, path):
    longest = max([ratio for _, ratio in ratios] + [1.0])
    scale = (WIDTH - LEFT - 60) / longest
    height = TOP + len(ratios) * (BAR + GAP) + 10
    one = LEFT + scale
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            'font-family="sans-serif" font-size="13">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
            f'<text x="{LEFT}" y="20">with the library, as a multiple of without</text>\n'
            f'<line x1="{one:.1f}" y1="{TOP - 12}" x2="{one:.1f}" y2="{height}" '
            'stroke="black" stroke-dasharray="3,3"/>\n'
        )
        for number, (name, ratio) in enumerate(ratios):
            file.write(bar(number, name, ratio, scale))
        file.write("</svg>\n")
