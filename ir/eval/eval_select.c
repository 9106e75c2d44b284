/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_select.c - elements chosen by conditions, and elements of another type: nothing is computed
 * with their values, so one walk serves every dtype.
 */
#include "eval_internal.h"

#include <string.h>

struct select {
    const struct tensor *in[3];
    struct tensor *out;
    size_t elem;
};

static void run_select(const struct tensor *const *in, unsigned n_in, struct tensor *out,
                       void (*row)(void *self, const struct broadcast_row *r))
{
    struct select s = {.out = out, .elem = ir_dtype_bytes((enum ir_dtype)out->type.dtype)};
    memcpy(s.in, in, n_in * sizeof *in);
    broadcast_rows(&out->type, in, n_in, row, &s);
}

/* Element i of a row of operand k, or of the result (k = -1). */
static char *element(const struct select *s, const struct broadcast_row *r, int k, int64_t i)
{
    const struct tensor *t = k < 0 ? s->out : s->in[k];
    int64_t at = k < 0 ? r->out_at + i : r->at[k] + i * r->step[k];
    return (char *)t->data + (size_t)at * s->elem;
}

static bool holds(const struct select *s, const struct broadcast_row *r, int64_t i)
{
    return tensor_load_i64(s->in[0], r->at[0] + i * r->step[0]) != 0;
}

static void where_row(void *self, const struct broadcast_row *r)
{
    const struct select *s = self;
    for (int64_t i = 0; i < r->n; i++)
        memcpy(element(s, r, -1, i), element(s, r, holds(s, r, i) ? 1 : 2, i), s->elem);
}

/* The result is zero where nothing is written. */
static void mask_row(void *self, const struct broadcast_row *r)
{
    const struct select *s = self;
    for (int64_t i = 0; i < r->n; i++) {
        if (holds(s, r, i))
            memcpy(element(s, r, -1, i), element(s, r, 1, i), s->elem);
    }
}

static void merge_row(void *self, const struct broadcast_row *r)
{
    const struct select *s = self;
    for (int64_t i = 0; i < r->n; i++) {
        const char *a = element(s, r, 0, i), *b = element(s, r, 1, i);
        char *out = element(s, r, -1, i);
        for (size_t k = 0; k < s->elem; k++)
            out[k] = (char)(a[k] | b[k]);
    }
}

bool eval_where(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                struct diag *d)
{
    (void)op;
    (void)d;
    run_select(in, 3, out, where_row);
    return true;
}

bool eval_mask(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
               struct diag *d)
{
    (void)op;
    (void)d;
    run_select(in, 2, out, mask_row);
    return true;
}

bool eval_merge(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                struct diag *d)
{
    (void)op;
    (void)d;
    run_select(in, 2, out, merge_row);
    return true;
}

/* Of integers of 32 bits and less that floats become, which then wrap. */
static const int64_t CAST_MOST = (int64_t)1 << 30;

static bool truncates(enum ir_dtype from, enum ir_dtype to)
{
    return dtype_is_float((uint8_t)from) && !dtype_is_float((uint8_t)to) && to != IR_BOOL;
}

bool eval_cast(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
               struct diag *d)
{
    (void)op;
    (void)d;
    enum ir_dtype from = (enum ir_dtype)in[0]->type.dtype, to = (enum ir_dtype)out->type.dtype;
    bool narrow = truncates(from, to) && to != IR_I64;
    for (int64_t i = 0, n = ir_count(&out->type); i < n; i++) {
        if (narrow)
            tensor_store_i64(out, i,
                             max_i64(-CAST_MOST, min_i64(tensor_load_i64(in[0], i), CAST_MOST)));
        else if (dtype_is_float((uint8_t)from))
            tensor_store_f64(out, i, tensor_load_f64(in[0], i));
        else
            tensor_store_i64(out, i, tensor_load_i64(in[0], i));
    }
    return true;
}
