"""Products of a patch of pixels each: ISA.md, section 5.1, formula by formula.

One product reads a window of the source and yields patch_h x patch_w pixels; a PE holds runs of rows of the window's matrix.
"""
from array import array
from operator import add

from program_file import F32, OUTSIDE


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
    """A group's crossbars, column by column."""

    def __init__(self, program, g, center):
        image = program.images[g.image]
        self.g, self.patch, self.window = g, (g.patch_h or 1, g.patch_w or 1), window_of(g)
        self.code, self.center = 'f' if image.element == F32 else 'i', center
        self.groups = g.conv_groups or 1
        self.channels = g.in_channels // self.groups
        self.pixel_columns = image.n // (self.groups * self.patch[0] * self.patch[1])
        n_bytes = image.k * image.n * (4 if image.element == F32 else 1)
        weights = program.data[image.section][image.offset:image.offset + n_bytes].cast(OUTSIDE[image.element])
        self.columns = {}    # n: [(rows, weights)], a PE after the other
        for pe in g.pes:
            rows = [r for first, n in runs_of(pe) for r in range(first, first + n)]
            for n in range(pe.n0, pe.n0 + pe.n):
                self.columns.setdefault(n, []).append((rows, [weights[r * image.n + n] for r in rows]))

    def is_read(self, wy, wx, kept):
        """Does one of the kept pixels, kept[0] x kept[1] of the patch, read the position?"""
        g = self.g
        sizes = (wy, kept[0], g.stride_h, g.dilation_h, g.kernel_h), (wx, kept[1], g.stride_w, g.dilation_w, g.kernel_w)
        return all(any((w - p * stride) % dilation == 0 and 0 <= w - p * stride <= dilation * (kernel - 1) for p in range(n))
                   for w, n, stride, dilation, kernel in sizes)

    def input(self, source, oy, ox, q, r, kept):
        g, (position, c) = self.g, divmod(r, self.channels)
        wy, wx = divmod(position, self.window[1])
        if not self.is_read(wy, wx, kept):
            return 0
        y, x = oy * g.stride_h + wy - g.pad_top, ox * g.stride_w + wx - g.pad_left
        return source.pixel(y, x, q * self.channels + c - g.source_channel0, 1)[0]

    def column(self, py, px, channel):
        q, ko = divmod(channel, self.pixel_columns)
        return ((q * self.patch[0] + py) * self.patch[1] + px) * self.pixel_columns + ko, q

    def product(self, source, oy, ox, kept, n_channels):
        """{(py, px): the values of a kept pixel}"""
        known, pixels = {}, {}    # (q, r): in(r)
        for py in range(kept[0]):
            for px in range(kept[1]):
                values = array(self.code)
                for j in range(n_channels):
                    n, q = self.column(py, px, self.g.channel0 + j)
                    total = array(self.code, [0])
                    for rows, weights in self.columns.get(n, []):
                        for r in rows:
                            if (q, r) not in known:
                                known[q, r] = self.input(source, oy, ox, q, r, kept)
                        inputs = [known[q, r] for r in rows]
                        part = sum(x * (w + self.center[n]) for x, w in zip(inputs, weights))
                        total = array(self.code, map(add, total, array(self.code, [part])))
                    values.extend(total)
                pixels[py, px] = values
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
