/* isa_mapping.c - what a group's crossbars multiply; isa_mapping.h has the terms. */
#include "isa_mapping.h"

struct isa_mapping isa_mapping_of(const struct isa_program *p, const struct isa_group *g)
{
    const struct isa_image *image = &p->images[g->image];
    uint32_t groups = isa_conv_groups(g);
    return (struct isa_mapping){.k = image->k,
                                .columns = image->n / groups,
                                .channels = g->in_channels / groups,
                                .kernel_width = g->kernel[1]};
}

uint32_t isa_mapping_group(const struct isa_mapping *m, uint32_t column)
{
    return column / m->columns;
}

struct isa_span isa_mapping_groups(const struct isa_mapping *m, const struct isa_pe *pe)
{
    return (struct isa_span){isa_mapping_group(m, pe->n0),
                             isa_mapping_group(m, pe->n0 + pe->n - 1) + 1};
}

struct isa_tap isa_mapping_tap(const struct isa_mapping *m, uint32_t group, uint32_t row)
{
    uint32_t tap = row / m->channels;
    return (struct isa_tap){tap / m->kernel_width, tap % m->kernel_width,
                            group * m->channels + row % m->channels};
}

struct isa_segment isa_mapping_segment(const struct isa_mapping *m, uint32_t group, uint32_t row,
                                       uint32_t end)
{
    struct isa_segment s = {.tap = isa_mapping_tap(m, group, row), .taps = 1};
    uint32_t in_tap = m->channels - row % m->channels, in_row = m->kernel_width - s.tap.column;
    s.n = in_tap < end - row ? in_tap : end - row;
    if (s.n < m->channels)
        return s;
    uint32_t whole = (end - row) / m->channels;
    s.taps = whole < in_row ? whole : in_row;
    return s;
}

uint32_t isa_mapping_rows(const struct isa_mapping *m, const struct isa_pe *pe)
{
    struct isa_span q = isa_mapping_groups(m, pe);
    return pe->k * (q.to - q.from);
}

/* First crossbar row of the conv group of an image column. */
static uint32_t diagonal_start(const struct isa_mapping *m, const struct isa_pe *pe,
                               uint32_t column)
{
    return (isa_mapping_group(m, column) - isa_mapping_group(m, pe->n0)) * pe->k;
}

uint32_t isa_mapping_crossbar_row(const struct isa_mapping *m, const struct isa_pe *pe,
                                  uint32_t row, uint32_t column)
{
    return diagonal_start(m, pe, column) + row - pe->k0;
}

bool isa_mapping_image_row(const struct isa_mapping *m, const struct isa_pe *pe,
                           uint32_t crossbar_row, uint32_t column, uint32_t *out)
{
    uint32_t start = diagonal_start(m, pe, column);
    if (crossbar_row < start || crossbar_row - start >= pe->k)
        return false;
    *out = pe->k0 + crossbar_row - start;
    return true;
}
