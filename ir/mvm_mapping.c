/* mvm_mapping.c - a base layer's matrix, cut into PEs; mvm_mapping.h has the rule. */
#include "mvm_mapping.h"

struct ir_mapping ir_mapping_of(const struct ir_op *mvm, int64_t rows, int64_t cols)
{
    const struct ir_type *w = &mvm->in[1].value->type;
    struct ir_mapping m = {.k = w->dim[0],
                           .n = w->dim[1],
                           .groups = mvm->attrs->mvm.group,
                           .kernel_width = mvm->attrs->mvm.kernel[1],
                           .rows = rows,
                           .cols = cols};
    m.channels = mvm->in[0].value->type.dim[2] / m.groups;
    m.columns = m.n / m.groups;
    m.per_pe = min_i64(rows / m.k, cols / m.columns);
    m.kind = m.per_pe > 0 ? MAPPING_DIAGONAL : MAPPING_IM2COL;
    if (m.kind == MAPPING_DIAGONAL) {
        m.n_slices = 1;
        m.n_blocks = ceil_div_i64(m.groups, m.per_pe);
    } else {
        m.n_slices = ceil_div_i64(m.k, rows);
        m.n_blocks = m.groups * ceil_div_i64(m.columns, cols);
    }
    return m;
}

int64_t ir_mapping_products(const struct ir_mapping *m, int64_t h, int64_t w)
{
    (void)m; /* both kinds: one output pixel a product */
    return h * w;
}

int64_t ir_mapping_most_columns(const struct ir_mapping *m)
{
    int64_t lo, hi;
    ir_mapping_block(m, 0, &lo, &hi); /* only the last of a conv group, or of all, is smaller */
    return hi - lo;
}

bool ir_mapping_run(const struct ir_mapping *m, int64_t block, int64_t slice, uint32_t i,
                    int64_t *lo, int64_t *hi)
{
    (void)block; /* all blocks hold the same rows */
    *lo = slice * m->rows;
    *hi = min_i64(*lo + m->rows, m->k);
    return i == 0;
}

void ir_mapping_block(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi)
{
    if (m->kind == MAPPING_DIAGONAL) {
        *lo = block * m->per_pe * m->columns;
        *hi = min_i64(*lo + m->per_pe * m->columns, m->n);
        return;
    }
    int64_t of_group = m->n_blocks / m->groups, start = block / of_group * m->columns;
    *lo = start + block % of_group * m->cols;
    *hi = min_i64(*lo + m->cols, start + m->columns);
}

void ir_mapping_channels(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi)
{
    ir_mapping_block(m, block, lo, hi); /* column n computes channel n */
}

int64_t ir_mapping_block_of(const struct ir_mapping *m, int64_t channel)
{
    if (m->kind == MAPPING_DIAGONAL)
        return channel / m->columns / m->per_pe;
    return channel / m->columns * (m->n_blocks / m->groups) + channel % m->columns / m->cols;
}

struct ir_mapping_tap ir_mapping_tap(const struct ir_mapping *m, int64_t group, int64_t row)
{
    int64_t tap = row / m->channels;
    return (struct ir_mapping_tap){.row = tap / m->kernel_width,
                                   .column = tap % m->kernel_width,
                                   .channel = group * m->channels + row % m->channels};
}

/* Widens the bounds by a run of rows of conv group `group`. What goes on into a further tap has
 * reached the last channel of one and begins at the first of the next; kernel columns alike. */
static void include_run(const struct ir_mapping *m, int64_t group, int64_t from, int64_t to,
                        int64_t lo[3], int64_t hi[3])
{
    struct ir_mapping_tap a = ir_mapping_tap(m, group, from), b = ir_mapping_tap(m, group, to - 1);
    bool one_row = a.row == b.row, one_tap = one_row && a.column == b.column;
    int64_t channel0 = group * m->channels;
    const int64_t first[3] = {a.row, one_row ? a.column : 0, one_tap ? a.channel : channel0};
    const int64_t end[3] = {b.row + 1, one_row ? b.column + 1 : m->kernel_width,
                            one_tap ? b.channel + 1 : channel0 + m->channels};
    for (int axis = 0; axis < 3; axis++) {
        lo[axis] = min_i64(lo[axis], first[axis]);
        hi[axis] = max_i64(hi[axis], end[axis]);
    }
}

void ir_mapping_taps(const struct ir_mapping *m, int64_t block, int64_t slice0, int64_t slice1,
                     int64_t lo[3], int64_t hi[3])
{
    int64_t column, end, from, to;
    ir_mapping_block(m, block, &column, &end);
    for (int axis = 0; axis < 3; axis++) {
        lo[axis] = INT64_MAX;
        hi[axis] = 0;
    }
    for (int64_t slice = slice0; slice < slice1; slice++)
        for (uint32_t i = 0; ir_mapping_run(m, block, slice, i, &from, &to); i++) {
            include_run(m, column / m->columns, from, to, lo, hi);
            include_run(m, (end - 1) / m->columns, from, to, lo, hi);
        }
}
