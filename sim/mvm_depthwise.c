/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mvm_depthwise.c - depthwise products: tap by tap over all channels, as a matrix product of each
 * would be too small.
 *
 * In: a group of one channel in and out of each conv group, whose PEs hold the same rows of whole
 * conv groups, one after the other. Out: its panel, a position after the other, and how the weights
 * lie; then products. With a patch, whose pixels are the columns of a conv group, weights are
 * copied, so that those of a pixel lie side by side as the channels of the panel do.
 */
#include "sim_internal.h"

#include "base/clones.h"

#include <string.h>

static bool same_rows(const struct isa_pe *a, const struct isa_pe *b)
{
    if (a->k0 != b->k0 || a->k != b->k || a->n_runs != b->n_runs)
        return false;
    return a->n_runs == 0 || memcmp(a->runs, b->runs, a->n_runs * sizeof *a->runs) == 0;
}

static bool is_depthwise(const struct isa_group *g, const struct isa_mapping *m)
{
    bool ok = isa_conv_groups(g) > 1 && m->channels == 1 && m->pixel_columns == 1;
    for (uint32_t i = 0; i < g->n_pes && ok; i++) {
        const struct isa_pe *pe = &g->pes[i];
        ok = pe->n0 % m->columns == 0 && pe->n % m->columns == 0 && same_rows(pe, g->pes) &&
             (i == 0 || pe->n0 == pe[-1].n0 + pe[-1].n);
    }
    return ok;
}

static void plan_segments(struct arena *a, const struct isa_group *g, struct mvm_plan *plan)
{
    const struct isa_mapping *m = &plan->m;
    const struct mvm_depthwise *d = &plan->depthwise;
    plan->segments = ARENA_ARRAY(a, struct mvm_segment, g->pes->k);
    for (uint32_t i = 0; i < isa_pe_runs(g->pes); i++) {
        struct isa_run run = isa_pe_run(g->pes, i);
        for (uint32_t row = run.row; row < run.row + run.rows; row++) {
            struct isa_position at = isa_mapping_position(m, d->channel, row);
            bool read = isa_mapping_reader(m, 1, at.column) < m->patch[1];
            plan->segments[plan->n_segments++] = (struct mvm_segment){
                .y = at.row,
                .x = at.column,
                .taps = 1,
                .channel = at.channel - g->source_channel0,
                .n = d->n,
                .at = plan->panel_width,
                .reader = read ? isa_mapping_reader(m, 0, at.row) : m->patch[0]};
            plan->panel_width += d->n;
        }
    }
}

/* [pixel][position][channel], where the image has [row][channel][pixel]; centers likewise. */
static void turn_weights(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                         struct mvm_depthwise *d)
{
    const struct isa_image *image = &p->images[g->image];
    const int32_t *center = isa_image_center(p, g->image);
    size_t size = element_bytes(image->element), to = 0;
    const char *from = isa_image_data(p, g->image);
    char *weights = arena_alloc(a, (size_t)d->pixels * g->pes->k * d->n * size);
    int32_t *centers = center ? ARENA_ARRAY(a, int32_t, (size_t)d->pixels * d->n) : NULL;
    for (uint32_t pixel = 0; pixel < d->pixels; pixel++) {
        size_t column = (size_t)d->channel * d->pixels + pixel;
        for (uint32_t i = 0; i < isa_pe_runs(g->pes); i++) {
            struct isa_run run = isa_pe_run(g->pes, i);
            for (size_t row = run.row; row < run.row + run.rows; row++)
                for (uint32_t c = 0; c < d->n; c++, to += size)
                    memcpy(weights + to,
                           from + (row * image->n + column + (size_t)c * d->pixels) * size, size);
        }
        for (uint32_t c = 0; center && c < d->n; c++)
            centers[(size_t)pixel * d->n + c] = center[column + (size_t)c * d->pixels];
    }
    d->weights = weights;
    d->center = centers;
}

bool depthwise_plan(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                    struct mvm_plan *plan)
{
    struct mvm_depthwise *d = &plan->depthwise;
    const struct isa_mapping *m = &plan->m;
    if (!is_depthwise(g, m))
        return false;
    const struct isa_pe *last = &g->pes[g->n_pes - 1];
    *d = (struct mvm_depthwise){.channel = isa_mapping_group(m, g->pes->n0),
                                .pixels = m->patch[0] * m->patch[1]};
    d->n = isa_mapping_group(m, last->n0 + last->n - 1) + 1 - d->channel;
    plan_segments(a, g, plan);
    turn_weights(a, p, g, d);
    return true;
}

/* ---- products ---- */

/* out(i, pixel, c) = sum over positions of panel(i, position, c) * weights(pixel, position, c) */
CLONES static void channels_f32(const struct mvm_plan *plan, const struct mvm_factor *in,
                                int64_t products, float *out, int64_t pitch)
{
    const struct mvm_depthwise *d = &plan->depthwise;
    size_t n = d->n;
    for (int64_t i = 0; i < products; i++) {
        const float *w = d->weights;
        for (uint32_t pixel = 0; pixel < d->pixels; pixel++) {
            const float *x = (const float *)in->at + i * in->pitch;
            float *restrict to = out + i * pitch + pixel * n;
            for (size_t c = 0; c < n; c++)
                to[c] = x[c] * w[c];
            for (uint32_t k = 1; k < plan->n_segments; k++) {
                const float *restrict tap = x + k * n, *restrict weight = w + k * n;
                for (size_t c = 0; c < n; c++)
                    to[c] += tap[c] * weight[c];
            }
            w += plan->n_segments * n;
        }
    }
}

/* The same modulo 2^32. What center adds to a weight is added to it: it meets the same input. */
CLONES static void channels_u8(const struct mvm_plan *plan, const struct mvm_factor *in,
                               int64_t products, uint32_t *out, int64_t pitch)
{
    const struct mvm_depthwise *d = &plan->depthwise;
    size_t n = d->n;
    for (int64_t i = 0; i < products; i++) {
        const int8_t *w = d->weights;
        for (uint32_t pixel = 0; pixel < d->pixels; pixel++) {
            const uint8_t *x = (const uint8_t *)in->at + i * in->pitch;
            const int32_t *center = d->center ? d->center + pixel * n : NULL;
            uint32_t *restrict to = out + i * pitch + pixel * n;
            memset(to, 0, n * sizeof *to);
            for (uint32_t k = 0; k < plan->n_segments; k++, x += n, w += n) {
                const uint8_t *restrict tap = x;
                const int8_t *restrict weight = w;
                for (size_t c = 0; c < n; c++)
                    to[c] += (uint32_t)(tap[c] * weight[c]);
                for (size_t c = 0; center && c < n; c++)
                    to[c] += tap[c] * (uint32_t)center[c];
            }
        }
    }
}

void depthwise_multiply(const struct mvm_plan *plan, bool floats, const struct mvm_factor *in,
                        int64_t products, void *out, int64_t pitch)
{
    if (floats)
        channels_f32(plan, in, products, out, pitch);
    else
        channels_u8(plan, in, products, out, pitch);
}
