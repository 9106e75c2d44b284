# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Grouped bar charts as SVG, written by hand: panels one below the other, one legend.

In:  chart(title, series, panels); a series is (label, colour); a panel is a dict of `title`, `unit`,
     `groups` [label], `values` {(group, series label): number}, and `marks`, the same for numbers
     that stand elsewhere: each a dashed line across its bar.
Out: the text of an SVG file, without scripts or outside fonts.
"""

import html
import math

BAR, GAP, GROUP_GAP = 17, 2, 26
LEFT, RIGHT, HEIGHT = 62, 24, 250
TOP, PANEL_TOP, PANEL_BOTTOM = 84, 46, 34
STYLE = ("text{font-family:system-ui,'DejaVu Sans',sans-serif;font-size:12px;fill:#333}"
         ".t{font-size:19px;font-weight:600;fill:#111}.h{font-size:14px;font-weight:600;fill:#111}"
         ".v{font-size:10.5px}.e{text-anchor:end}.m{text-anchor:middle}"
         ".g{stroke:#dfe2e6}.a{stroke:#888}.p{stroke:#b00020;stroke-width:2;stroke-dasharray:4 2}"
         ".q{font-size:10.5px;fill:#b00020;font-weight:600}")
LABEL, MARK_LABEL = 36, 100  # pixels above a bar for its label, without and with a mark's


def text(x, y, content, css="", extra=""):
    return '<text x="%.1f" y="%.1f"%s%s>%s</text>' % (
        x, y, ' class="%s"' % css if css else "", extra, html.escape(content))


def line(x1, y1, x2, y2, css):
    return '<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>' % (css, x1, y1, x2, y2)


def tick_step(top):
    """1, 2 or 5 times a power of ten; four to eight steps."""
    power = 10 ** math.floor(math.log10(top / 4))
    return next(power * m for m in (1, 2, 5, 10) if top / (power * m) <= 8)


def format_value(value):
    return "%.1f" % value if value >= 10 else "%.2f" % value


def draw_axis(panel, y0, width, top):
    base = y0 + HEIGHT
    out = [text(LEFT, y0 - 16, panel["title"], "h")]
    step = tick_step(top)
    for k in range(int(top / step) + 1):
        y = base - HEIGHT * k * step / top
        out.append(line(LEFT, y, width - RIGHT, y, "a" if k == 0 else "g"))
        out.append(text(LEFT - 6, y + 4, "%g%s" % (k * step, panel["unit"]), "e"))
    return out


def draw_bar(panel, key, colour, x, scale):
    """scale: (y of the base line, pixels of one unit)"""
    base, unit = scale
    value, mark = panel["values"].get(key), panel["marks"].get(key)
    if value is None:
        return []
    y, middle = base - value * unit, x + BAR / 2
    tip = "%s, %s: %s%s" % (key[0], key[1], format_value(value), panel["unit"])
    out = ['<rect x="%.1f" y="%.1f" width="%d" height="%.1f" fill="%s"><title>%s</title></rect>'
           % (x, y, BAR, base - y, colour, html.escape(tip))]
    highest = min(y, base - mark * unit) if mark is not None else y
    turn = ' transform="rotate(-90 %.1f %.1f)"' % (middle + 4, highest - 5)
    out.append(text(middle + 4, highest - 5, format_value(value), "v", turn))
    if mark is not None:
        paper = base - mark * unit
        out.append(line(x - 3, paper, x + BAR + 3, paper, "p"))
        turn = ' transform="rotate(-90 %.1f %.1f)"' % (middle + 4, highest - 38)
        out.append(text(middle + 4, highest - 38, "paper %g" % mark, "q", turn))
    return out


def full_scale(panel):
    """The value at a panel's top: every bar's label fits below."""
    return max(HEIGHT * max(value or 0, panel["marks"].get(key, 0))
               / (HEIGHT - (MARK_LABEL if key in panel["marks"] else LABEL))
               for key, value in panel["values"].items())


def draw_panel(panel, series, y0, width):
    top = full_scale(panel)
    out = draw_axis(panel, y0, width, top)
    group_width = len(series) * (BAR + GAP) - GAP
    for i, group in enumerate(panel["groups"]):
        x = LEFT + GROUP_GAP / 2 + i * (group_width + GROUP_GAP)
        out.append(text(x + group_width / 2, y0 + HEIGHT + 19, group, "m"))
        for k, (label, colour) in enumerate(series):
            out += draw_bar(panel, (group, label), colour, x + k * (BAR + GAP),
                            (y0 + HEIGHT, HEIGHT / top))
    return out


def draw_legend(series, width):
    """Wraps where the line is full."""
    out, x, y = [], LEFT, 52
    for label, colour in series:
        advance = 30 + 7.4 * len(label)
        if x + advance > width - RIGHT:
            x, y = LEFT, y + 19
        out.append('<rect x="%.1f" y="%.1f" width="13" height="13" fill="%s"/>' % (x, y, colour))
        out.append(text(x + 18, y + 11, label))
        x += advance
    return out, y - 52


def chart(title, series, panels):
    n_groups = max(len(panel["groups"]) for panel in panels)
    group_width = len(series) * (BAR + GAP) - GAP + GROUP_GAP
    width = max(LEFT + n_groups * group_width + RIGHT, 640)
    legend, more = draw_legend(series, width)
    out, y = [text(LEFT, 32, title, "t")] + legend, TOP + more
    for panel in panels:
        out += draw_panel(panel, series, y + PANEL_TOP, width)
        y += PANEL_TOP + HEIGHT + PANEL_BOTTOM
    head = ('<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
            'width="%d" height="%d" viewBox="0 0 %d %d">\n<style>%s</style>\n'
            '<rect width="100%%" height="100%%" fill="#fff"/>\n' % (width, y, width, y, STYLE))
    return head + "\n".join(out) + "\n</svg>\n"
