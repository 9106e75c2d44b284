# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Products of a patch of pixels each: ISA.md, section 5.1, formula by formula.

One product reads a window of the source and yields patch_h x patch_w pixels; a PE holds runs of rows of the window's matrix.
"""
from array import array

from program_file import F32, OUTSIDE
from readout import read_out


def runs_of(pe):
    """[(first row, rows)]; a PE that lists none has one."""
    return list(zip(pe.runs[::2], pe.runs[1::2])) or [(pe.k0, pe.k)]


def has_patch(g):
    return max(g.patch_h, g.patch_w) > 1


def window_of(g):
    """Rows and columns of the source that one product's window covers."""
    return tuple((patch - 1) * stride + dilation * (kernel - 1) + 1
                 for patch, stride, dilation, kernel in ((g.patch_h or 1, g.stride_h, g.dilation_h, g.kernel_h),
                                                         (g.patch_w or 1, g.stride_w, g.dilation_w, g.kernel_w)))


class Patches:
    """A group's crossbars: of each PE its rows, and its columns with the weights of these rows."""

    def __init__(self, program, g, center):
        image = program.images[g.image]
        self.g, self.patch, self.window = g, (g.patch_h or 1, g.patch_w or 1), window_of(g)
        self.code, self.readout = 'f' if image.element == F32 else 'i', read_out(program, g)
        self.center = [c - self.readout.offset for c in center]
        self.groups = g.conv_groups or 1
        self.channels, self.group_columns = g.in_channels // self.groups, image.n // self.groups
        self.pixel_columns = self.group_columns // (self.patch[0] * self.patch[1])
        n_bytes = image.k * image.n * (4 if image.element == F32 else 1)
        weights = program.data[image.section][image.offset:image.offset + n_bytes].cast(OUTSIDE[image.element]).tolist()
        self.pes, self.rows, self.read = [], {}, {}    # rows: of each conv group, those that some PE holds
        for pe in g.pes:
            rows = [r for first, n in runs_of(pe) for r in range(first, first + n)]
            self.pes.append((rows, [(n, self.readout.column([weights[r * image.n + n] for r in rows], rows, n)) for n in range(pe.n0, pe.n0 + pe.n)]))
            for q in {n // self.group_columns for n, _ in self.pes[-1][1]}:
                self.rows.setdefault(q, set()).update(rows)

    def is_read(self, position, kept):
        """Does one of the kept pixels, kept[0] x kept[1] of the patch, read the position?"""
        g, (wy, wx) = self.g, divmod(position, self.window[1])
        sizes = (wy, kept[0], g.stride_h, g.dilation_h, g.kernel_h), (wx, kept[1], g.stride_w, g.dilation_w, g.kernel_w)
        return all(any((w - p * stride) % dilation == 0 and 0 <= w - p * stride <= dilation * (kernel - 1) for p in range(n))
                   for w, n, stride, dilation, kernel in sizes)

    def spans(self, q, kept):
        """[(position, first channel, channels)]: the held rows of a conv group that kept pixels read."""
        if (q, kept) not in self.read:
            spans = self.read[q, kept] = []
            for r in sorted(self.rows[q]):
                position, c = divmod(r, self.channels)
                if spans and spans[-1][0] == position and sum(spans[-1][1:]) == c:
                    spans[-1] = (position, spans[-1][1], spans[-1][2] + 1)
                elif self.is_read(position, kept):
                    spans.append((position, c, 1))
        return self.read[q, kept]

    def inputs(self, source, oy, ox, q, kept):
        """{r: in(r)} for the conv group's rows that are read; the others are 0."""
        g, values = self.g, {}
        for position, c, n in self.spans(q, kept):
            wy, wx = divmod(position, self.window[1])
            y, x = oy * g.stride_h + wy - g.pad_top, ox * g.stride_w + wx - g.pad_left
            taken = source.pixel(y, x, q * self.channels + c - g.source_channel0, n)
            values.update(zip(range(position * self.channels + c, position * self.channels + c + n), taken))
        return values

    def pixel(self, n):
        """What column n makes: row and column of the patch, channel."""
        q, n = divmod(n, self.group_columns)
        pixel, ko = divmod(n, self.pixel_columns)
        return (*divmod(pixel, self.patch[1]), q * self.pixel_columns + ko)

    def product(self, source, oy, ox, kept, n_channels):
        """{(py, px): the values of a kept pixel}: sums over each PE's rows, added up in the order of the table."""
        pixels = {(py, px): array(self.code, [0]) * n_channels for py in range(kept[0]) for px in range(kept[1])}
        known = {q: self.inputs(source, oy, ox, q, kept) for q in self.rows}
        for rows, columns in self.pes:
            inputs = {}    # of each conv group: as they are driven, and their sum
            for n, column in columns:
                py, px, channel = self.pixel(n)
                j, q = channel - self.g.channel0, n // self.group_columns
                if (py, px) not in pixels or not 0 <= j < n_channels:
                    continue
                if q not in inputs:
                    held = [known[q].get(r, 0) for r in rows]
                    inputs[q] = self.readout.drive(held), sum(held)
                driven, total = inputs[q]
                part = self.readout.product(column, driven) + (self.center[n] and self.center[n] * total)
                values = pixels[py, px]
                values[j:j + 1] = array(self.code, [values[j] + array(self.code, [part])[0]])
        return pixels

    def region(self, source, y, x, h, w, n_channels):
        """Yields (y, x, values) of each pixel of the region, row by row."""
        a, b = self.patch
        for oy in range(y, y + h, a):
            rows = min(a, y + h - oy)
            made = {(py, ox + px): values for ox in range(x, x + w, b)
                    for (py, px), values in self.product(source, oy, ox, (rows, min(b, x + w - ox)), n_channels).items()}
            for py in range(rows):
                for ox in range(x, x + w):
                    yield oy + py, ox, made[py, ox]
