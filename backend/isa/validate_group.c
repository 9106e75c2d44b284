/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * validate_group.c - the groups of a tile's crossbars (ISA.md 5): geometry, patches, what each PE
 * holds, and that it fits. Out: facts that the stream's checks need for each MVM.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool isa_geometry_fits(const uint32_t *kernel, const uint32_t *stride, const uint32_t *dilation,
                       int32_t pad_top, int32_t pad_left)
{
    for (int i = 0; i < 2; i++)
        if (!isa_within(kernel[i], 1, ISA_MAX_STEP) || !isa_within(stride[i], 1, ISA_MAX_STEP) ||
            !isa_within(dilation[i], 1, ISA_MAX_STEP))
            return false;
    return isa_within(pad_top, -ISA_MAX_EXTENT, ISA_MAX_EXTENT) &&
           isa_within(pad_left, -ISA_MAX_EXTENT, ISA_MAX_EXTENT);
}

/* ---- a PE ---- */

/* Are the channels that a run of image rows reads shown by the source view? */
static bool run_shown(const struct isa_mapping *m, const struct isa_group *g, struct isa_span q,
                      struct isa_run run, const struct isa_view *v)
{
    uint32_t last = run.row + run.rows - 1;
    uint64_t least = run.row % m->channels, most = last % m->channels;
    if (run.row / m->channels != last / m->channels) /* to the last of a tap, from the first on */
        least = 0, most = m->channels - 1;
    least += (uint64_t)q.from * m->channels;
    most += (uint64_t)(q.to - 1) * m->channels;
    return least >= g->source_channel0 && most - g->source_channel0 < v->channels;
}

static bool channels_shown(const struct isa_mapping *m, const struct isa_group *g,
                           const struct isa_pe *pe, const struct isa_view *v)
{
    struct isa_span q = isa_mapping_groups(m, pe);
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++)
        if (!run_shown(m, g, q, isa_pe_run(pe, i), v))
            return false;
    return true;
}

/* Columns of several conv groups: whole groups, block by block along the PE's diagonal. */
static bool diagonal_fits(const struct isa_program *p, const struct isa_group *g,
                          const struct isa_mapping *m, const struct isa_pe *pe)
{
    struct isa_span q = isa_mapping_groups(m, pe);
    if (q.to - q.from == 1)
        return pe->k <= arch_logical_rows(&p->arch);
    return pe->n0 % m->columns == 0 && pe->n % m->columns == 0 &&
           (pe->k == m->k || isa_has_patch(g)) &&
           (uint64_t)pe->k * (q.to - q.from) <= (uint64_t)arch_logical_rows(&p->arch);
}

/* Ascending, apart, together the PE's rows, inside the image. */
static bool runs_fit(const struct isa_pe *pe, uint32_t image_rows)
{
    uint64_t end = 0, rows = 0;
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run r = isa_pe_run(pe, i);
        if (r.rows == 0 || (i > 0 && r.row <= end))
            return false;
        end = (uint64_t)r.row + r.rows;
        rows += r.rows;
    }
    return pe->n_runs != 1 && isa_pe_run(pe, 0).row == pe->k0 && rows == pe->k && end <= image_rows;
}

static bool check_pe(const struct isa_program *p, const struct isa_tile *t, uint32_t group,
                     const struct isa_pe *pe, bool *taken, struct fault_sink *s)
{
    const struct isa_group *g = &t->groups[group];
    const struct isa_image *image = &p->images[g->image];
    struct isa_mapping m = isa_mapping_of(p, g);
    if (pe->k == 0 || pe->n == 0 || (uint64_t)pe->n0 + pe->n > image->n ||
        (!pe->n_runs && (uint64_t)pe->k0 + pe->k > image->k))
        return isa_fault(s, "group", group,
                         "PE %u: rows %u+%u, columns %u+%u leave the %u x %u image", pe->pe, pe->k0,
                         pe->k, pe->n0, pe->n, image->k, image->n);
    if (!runs_fit(pe, image->k))
        return isa_fault(s, "group", group,
                         "PE %u: its runs are not at least two, ascending, apart, %u rows from %u "
                         "on of the image's %u",
                         pe->pe, pe->k, pe->k0, image->k);
    if (!diagonal_fits(p, g, &m, pe) || pe->n > arch_logical_cols(&p->arch, image->weight_bits))
        return isa_fault(s, "group", group, "PE %u: %u x %u do not fit on a crossbar", pe->pe,
                         pe->k, pe->n);
    if (pe->pe >= p->arch.crossbars || (taken[pe->pe] && !g->shares))
        return isa_fault(s, "group", group, "PE %u does not exist or has two groups", pe->pe);
    taken[pe->pe] = true;
    return channels_shown(&m, g, pe, &t->views[g->source_view]) ||
           isa_fault(s, "group", group, "PE %u reads channels that view %u does not show", pe->pe,
                     g->source_view);
}

/* ---- its PEs together ---- */

static int compare_spans(const void *a, const void *b)
{
    const struct isa_span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

static bool check_order(const struct isa_group *g, uint32_t group, struct fault_sink *s)
{
    for (uint32_t i = 1; i < g->n_pes; i++) {
        const struct isa_pe *before = &g->pes[i - 1], *pe = &g->pes[i];
        if (pe->n0 < before->n0 || (pe->n0 == before->n0 && pe->k0 < before->k0))
            return isa_fault(s, "group", group, "PE %u is listed after PE %u: by n0, then k0",
                             pe->pe, before->pe);
    }
    return true;
}

/* The row behind a PE's last one. */
static uint32_t rows_end(const struct isa_pe *pe)
{
    struct isa_run last = isa_pe_run(pe, isa_pe_runs(pe) - 1);
    return last.row + last.rows;
}

/* N ranges are equal or disjoint, with other rows in each of the equal ones. Without a patch they
 * adjoin, from channel0 on. */
static bool check_cover(const struct isa_program *p, const struct isa_group *g, uint32_t group,
                        struct group_facts *facts, struct fault_sink *s)
{
    bool patch = isa_has_patch(g);
    uint32_t end = patch ? 0 : g->channel0;
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i], *before = pe - 1;
        bool same = i && before->n0 == pe->n0;
        bool adjoins = patch ? pe->n0 >= end : pe->n0 == end;
        if (same ? before->n != pe->n : !adjoins)
            return isa_fault(s, "group", group,
                             "columns %u+%u of PE %u overlap others in part or leave a gap from %u",
                             pe->n0, pe->n, pe->pe, end);
        if (same && rows_end(before) > pe->k0)
            return isa_fault(s, "group", group, "PEs %u and %u hold the same rows", before->pe,
                             pe->pe);
        end = pe->n0 + pe->n;
    }
    facts->n_columns = end - g->channel0;
    if (patch) {
        uint32_t channels = p->images[g->image].n / (isa_patch(g, 0) * isa_patch(g, 1));
        if (g->channel0 >= channels)
            return isa_fault(s, "group", group, "channel %u of %u", g->channel0, channels);
        facts->n_columns = channels - g->channel0;
    }
    return true;
}

static void merge_spans(const struct isa_group *g, struct arena *scratch, struct group_facts *facts)
{
    uint32_t n_runs = 0, at = 0;
    for (uint32_t i = 0; i < g->n_pes; i++)
        n_runs += isa_pe_runs(&g->pes[i]);
    struct isa_span *spans = ARENA_ARRAY(scratch, struct isa_span, n_runs);
    for (uint32_t i = 0; i < g->n_pes; i++)
        for (uint32_t k = 0; k < isa_pe_runs(&g->pes[i]); k++) {
            struct isa_run r = isa_pe_run(&g->pes[i], k);
            spans[at++] = (struct isa_span){r.row, r.row + r.rows};
        }
    qsort(spans, n_runs, sizeof *spans, compare_spans);
    uint32_t n = 1;
    for (uint32_t i = 1; i < n_runs; i++) {
        if (spans[i].from > spans[n - 1].to)
            spans[n++] = spans[i];
        else if (spans[i].to > spans[n - 1].to)
            spans[n - 1].to = spans[i].to;
    }
    facts->spans = spans;
    facts->n_spans = n;
}

static bool same_pes(const struct isa_group *a, const struct isa_group *b)
{
    if (a->n_pes != b->n_pes)
        return false;
    for (uint32_t i = 0; i < a->n_pes; i++) {
        const struct isa_pe *x = &a->pes[i], *y = &b->pes[i];
        if (x->k0 != y->k0 || x->k != y->k || x->n0 != y->n0 || x->n != y->n || x->pe != y->pe ||
            x->n_runs != y->n_runs ||
            (x->n_runs && memcmp(x->runs, y->runs, x->n_runs * sizeof *x->runs) != 0))
            return false;
    }
    return true;
}

/* A group that shares: an earlier one's PEs, with the same weights. */
static bool check_shared(const struct isa_tile *t, uint32_t index, struct fault_sink *s)
{
    const struct isa_group *g = &t->groups[index], *owner = &t->groups[g->shares - 1];
    if (g->shares > index || owner->shares)
        return isa_fault(s, "group", index, "shares %u does not name an earlier group's own PEs",
                         g->shares);
    if (g->image != owner->image || g->conv_groups != owner->conv_groups ||
        isa_patch(g, 0) != isa_patch(owner, 0) || isa_patch(g, 1) != isa_patch(owner, 1) ||
        !same_pes(g, owner))
        return isa_fault(s, "group", index, "shares the PEs of group %u, but not their weights",
                         g->shares - 1);
    return true;
}

/* ---- the whole group ---- */

/* Rows and columns of the image are those of the kernel, or of the patch's window. */
static bool check_matrix(const struct isa_program *p, const struct isa_group *g, uint32_t index,
                         struct fault_sink *s)
{
    const struct isa_image *image = &p->images[g->image];
    uint32_t groups = isa_conv_groups(g);
    if (!isa_within(g->patch[0], 0, ISA_MAX_STEP) || !isa_within(g->patch[1], 0, ISA_MAX_STEP))
        return isa_fault(s, "group", index, "a patch of %u x %u is out of range", g->patch[0],
                         g->patch[1]);
    if (g->conv_groups == 1 || g->in_channels % groups || image->n % groups)
        return isa_fault(s, "group", index,
                         "%u conv groups of %u input channels and %u columns (1 is written 0)",
                         g->conv_groups, g->in_channels, image->n);
    uint64_t height = isa_window(g, 0), width = isa_window(g, 1), rows;
    if (height > ISA_MAX_STEP || width > ISA_MAX_STEP)
        return isa_fault(s, "group", index, "a window of %" PRIu64 " x %" PRIu64 " is out of range",
                         height, width);
    if (__builtin_mul_overflow(height, width, &rows) ||
        __builtin_mul_overflow(rows, g->in_channels / groups, &rows) || rows != image->k)
        return isa_fault(s, "group", index,
                         "%" PRIu64 " x %" PRIu64 " x %u inputs, but image %u has %u rows", height,
                         width, g->in_channels / groups, g->image, image->k);
    uint64_t pixels = (uint64_t)isa_patch(g, 0) * isa_patch(g, 1);
    return image->n / groups % pixels == 0 ||
           isa_fault(s, "group", index, "%u columns are not those of %" PRIu64 " pixels", image->n,
                     pixels);
}

bool isa_validate_group(const struct isa_program *p, const struct isa_tile *t, uint32_t index,
                        bool *taken, struct arena *scratch, struct group_facts *facts,
                        struct fault_sink *s)
{
    const struct isa_group *g = &t->groups[index];
    if (g->source_view >= t->n_views || g->image >= p->n_images)
        return isa_fault(s, "group", index, "no view %u or no image %u", g->source_view, g->image);
    if (!isa_geometry_fits(g->kernel, g->stride, g->dilation, g->pad_top, g->pad_left) ||
        g->in_channels == 0)
        return isa_fault(s, "group", index, "kernel, stride, dilation or padding is out of range");
    if (!check_matrix(p, g, index, s))
        return false;
    bool floats = p->images[g->image].element == ELEMENT_f32;
    if (floats ? g->x_bits != 0 : !isa_within(g->x_bits, 1, 8))
        return isa_fault(s, "group", index, "x_bits %u with %s weights: 0 for f32, 1 to 8 for i8",
                         g->x_bits, element_name(p->images[g->image].element));
    if (g->n_pes == 0 || g->n_pes > p->arch.crossbars)
        return isa_fault(s, "group", index, "%u PEs", g->n_pes);
    for (uint32_t i = 0; i < g->n_pes; i++)
        if (!check_pe(p, t, index, &g->pes[i], taken, s))
            return false;
    if (g->shares && !check_shared(t, index, s))
        return false;
    facts->mapping = isa_mapping_of(p, g);
    merge_spans(g, scratch, facts);
    return check_order(g, index, s) && check_cover(p, g, index, facts, s);
}
