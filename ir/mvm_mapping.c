/* mvm_mapping.c - the cut of a base layer's matrix into PEs; mvm_mapping.h has the rule. */
#include "mvm_mapping.h"

struct ir_mapping ir_mapping_of(const struct ir_op *mvm, int64_t rows, int64_t cols)
{
    const struct ir_type *w = &mvm->in[1].value->type;
    struct ir_mapping m = {.k = w->dim[0],
                           .n = w->dim[1],
                           .groups = mvm->attrs->mvm.group,
                           .rows = rows,
                           .cols = cols};
    m.channels = mvm->in[0].value->type.dim[2] / m.groups;
    m.columns = m.n / m.groups;
    m.per_pe = min_i64(rows / m.k, cols / m.columns);
    if (m.per_pe > 0) {
        m.n_slices = 1;
        m.n_blocks = ceil_div_i64(m.groups, m.per_pe);
    } else {
        m.n_slices = ceil_div_i64(m.k, rows);
        m.n_blocks = m.groups * ceil_div_i64(m.columns, cols);
    }
    return m;
}

void ir_mapping_slice(const struct ir_mapping *m, int64_t slice, int64_t *lo, int64_t *hi)
{
    *lo = slice * m->rows;
    *hi = min_i64(*lo + m->rows, m->k);
}

void ir_mapping_block(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi)
{
    if (m->per_pe > 0) {
        *lo = block * m->per_pe * m->columns;
        *hi = min_i64(*lo + m->per_pe * m->columns, m->n);
        return;
    }
    int64_t of_group = m->n_blocks / m->groups, start = block / of_group * m->columns;
    *lo = start + block % of_group * m->cols;
    *hi = min_i64(*lo + m->cols, start + m->columns);
}

int64_t ir_mapping_block_of(const struct ir_mapping *m, int64_t column)
{
    if (m->per_pe > 0)
        return column / m->columns / m->per_pe;
    return column / m->columns * (m->n_blocks / m->groups) + column % m->columns / m->cols;
}

void ir_mapping_groups(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi)
{
    int64_t from, to;
    ir_mapping_block(m, block, &from, &to);
    *lo = from / m->columns;
    *hi = (to - 1) / m->columns + 1;
}
