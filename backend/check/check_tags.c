/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_tags.c - tags: a number for every logical element there is, so that "the right element" is
 * an integer comparison.
 *
 * Each stored value owns a range of tags, as do partial sums and preloaded bytes.
 * Without a graph a value's extents are the largest that any view claims.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int64_t check_dim(const struct ir_op *op, unsigned i)
{
    return op->out->type.dim[i];
}

const struct ir_op *check_op(const struct check *k, uint32_t id, enum ir_opcode opcode)
{
    if (!k->g || id >= k->tags.n_ops || k->tags.ops[id]->opcode != opcode)
        return NULL;
    return k->tags.ops[id];
}

/* Payloads of constants may be unaligned. */
uint32_t check_const(const struct ir_op *constant, int64_t index)
{
    const struct blob *b = constant->attrs->constant.data;
    if (constant->out->type.dtype != IR_F32)
        return (uint32_t)ir_const_i64(constant, index);
    uint32_t bits;
    memcpy(&bits, (const uint8_t *)blob_data(b) + (b->splat ? 0 : (size_t)index * sizeof bits),
           sizeof bits);
    return bits;
}

uint32_t check_pattern(float attribute, enum element element)
{
    return element == ELEMENT_f32 ? f32_bits(attribute) : (uint32_t)(int32_t)attribute;
}

const char *check_bits_text(struct check *k, uint32_t bits, enum element element)
{
    return element == ELEMENT_f32 ? arena_printf(k->arena, "%g", (double)f32_of_bits(bits))
                                  : arena_printf(k->arena, "%d", (int32_t)bits);
}

enum element check_element(const struct ir_op *op)
{
    return ir_dtype_element((enum ir_dtype)op->out->type.dtype);
}

/* ---- ranges ---- */

static uint32_t add_range(struct check *k, struct tag_range r)
{
    struct tags *t = &k->tags;
    r.base = t->used;
    if (r.n > UINT32_MAX - t->used) {
        check_fault_program(k, "more than 2^32 distinct elements: too large to be checked");
        k->n_faults = CHECK_MAX_FAULTS;
        r.n = 0;
    }
    t->used += r.n;
    VEC_PUSH(&t->ranges, r);
    return (uint32_t)t->ranges.n - 1;
}

/* What a range is for. */
struct range_key {
    uint32_t kind, op, part, zero;
    uint64_t bytes, n; /* TAG_RAW: where they are, and how many elements (so how long each) */
};

uint32_t check_range(struct check *k, enum tag_kind kind, uint32_t op, uint32_t part)
{
    struct tags *t = &k->tags;
    const struct range_key key = {kind, op, part, 0, 0, 0};
    uint32_t known = map_intern(&t->range_of, &key, sizeof key, (uint32_t)t->ranges.n);
    if (known < t->ranges.n)
        return known;
    struct tag_range r = {.kind = kind, .op = op, .part = part};
    for (unsigned i = 0; i < 3; i++)
        r.dim[i] = check_dim(k->tags.ops[op], i);
    r.n = (uint64_t)(r.dim[0] * r.dim[1] * r.dim[2]);
    if (kind == TAG_VALUE)
        t->value_range[op] = known;
    return add_range(k, r);
}

uint32_t check_range_raw(struct check *k, const uint8_t *bytes, uint64_t n, size_t element_bytes)
{
    const struct range_key key = {TAG_RAW, 0, 0, 0, (uintptr_t)bytes, n};
    uint32_t known = map_intern(&k->tags.range_of, &key, sizeof key, (uint32_t)k->tags.ranges.n);
    if (known < k->tags.ranges.n)
        return known;
    struct tag_range r = {.n = n, .kind = TAG_RAW, .bytes = bytes, .element_bytes = element_bytes};
    return add_range(k, r);
}

const struct tag_range *check_range_of(const struct check *k, uint32_t tag)
{
    const struct tag_range *r = k->tags.ranges.at;
    if (k->tags.ranges.n == 0 || tag < r->base)
        return NULL;
    for (size_t n = k->tags.ranges.n; n > 1;) { /* the last one that starts at or before tag */
        size_t half = n / 2;
        r += r[half].base <= tag ? half : 0;
        n -= half;
    }
    return tag < r->base + r->n ? r : NULL;
}

bool check_raw(const struct check *k, uint32_t tag, uint32_t *out)
{
    const struct tag_range *r = check_range_of(k, tag);
    if (!r || !r->bytes)
        return false;
    const uint8_t *at = r->bytes + (tag - r->base) * r->element_bytes;
    if (r->element_bytes == 1)
        *out = *at;
    else
        memcpy(out, at, sizeof *out);
    return true;
}

const char *check_op_name(const struct check *k, uint32_t id)
{
    if (id < k->p->n_nodes && k->p->nodes[id].name && k->p->nodes[id].name[0])
        return k->p->nodes[id].name;
    return arena_printf(k->arena, "node %u", id);
}

const char *check_tag_text(struct check *k, uint32_t tag, char *buf, size_t n)
{
    const struct tag_range *r = tag ? check_range_of(k, tag) : NULL;
    if (!r) {
        snprintf(buf, n, "nothing");
        return buf;
    }
    uint64_t at = tag - r->base;
    if (r->kind == TAG_RAW) {
        snprintf(buf, n, "preloaded element %" PRIu64, at);
        return buf;
    }
    char part[64] = "";
    if (r->kind == TAG_PARTIAL)
        check_part_text(k, r->part, part, sizeof part);
    uint64_t c = (uint64_t)r->dim[2], w = (uint64_t)r->dim[1];
    snprintf(buf, n, "'%s' (%" PRIu64 ", %" PRIu64 ", %" PRIu64 ")%s", check_op_name(k, r->op),
             at / c / w, at / c % w, at % c, part);
    return buf;
}

/* ---- without a graph ---- */

uint32_t check_claimed_tag(struct check *k, const struct check_view *v, int64_t y, int64_t x,
                           int64_t c)
{
    if (v->v->value >= k->tags.n_ops || k->tags.value_range[v->v->value] == CHECK_NONE)
        return 0;
    const struct tag_range *r = &k->tags.ranges.at[k->tags.value_range[v->v->value]];
    return (uint32_t)((int64_t)r->base + (y * r->dim[1] + x) * r->dim[2] + v->v->channel0 + c);
}

static void claim_extents(struct check *k)
{
    int64_t(*dims)[3] = heap_alloc(((size_t)k->tags.n_ops + 1) * sizeof *dims);
    for (uint32_t t = 0; t < k->p->n_tiles; t++)
        for (uint32_t i = 0; i < k->p->tiles[t].n_views; i++) {
            const struct isa_view *v = &k->p->tiles[t].views[i];
            if (v->value >= k->tags.n_ops)
                continue;
            int64_t *d = dims[v->value];
            d[0] = max_i64(d[0], v->height);
            d[1] = max_i64(d[1], v->width);
            d[2] = max_i64(d[2], (int64_t)v->channel0 + v->channels);
        }
    for (uint32_t op = 0; op < k->tags.n_ops; op++) {
        struct tag_range r = {.kind = TAG_VALUE, .op = op};
        memcpy(r.dim, dims[op], sizeof r.dim);
        int64_t n;
        if (r.dim[2] == 0 || !mul_i64(r.dim[0] * r.dim[1], r.dim[2], &n))
            continue;
        r.n = (uint64_t)n;
        k->tags.value_range[op] = add_range(k, r);
    }
    heap_free(dims);
    struct tag_range any = {.kind = TAG_RAW, .n = 1 << 24};
    uint32_t range = add_range(k, any); /* may move the ranges */
    k->tags.anonymous = (uint32_t)k->tags.ranges.at[range].base;
}

/* ---- set-up ---- */

static bool list_ops(struct check *k)
{
    uint32_t n = 0;
    for (const struct ir_op *op = k->g->first; op; op = op->next, n++) {
        if (n >= k->tags.n_ops || op->id != n)
            return check_fault_program(k, "the graph is not numbered");
        k->tags.ops[n] = op;
        if (op->out && op->opcode != IR_constant && op->out->type.rank != 3)
            return check_fault_program(k, "value '%s' is not (h, w, c)", op->name);
    }
    return n == k->tags.n_ops || check_fault_program(k, "the graph is not numbered");
}

bool check_tags_prepare(struct check *k)
{
    struct tags *t = &k->tags;
    t->used = 1; /* tag 0 = nothing */
    t->n_ops = k->g ? k->g->n_ops : k->p->n_nodes;
    t->value_range = ARENA_ARRAY(k->arena, uint32_t, (size_t)t->n_ops + 1);
    memset(t->value_range, 0xff, t->n_ops * sizeof *t->value_range);
    if (!k->g) {
        claim_extents(k);
        return !check_gave_up(k);
    }
    t->ops = ARENA_ARRAY(k->arena, const struct ir_op *, (size_t)t->n_ops + 1);
    t->maps = ARENA_ARRAY(k->arena, struct value_map, (size_t)t->n_ops + 1);
    return list_ops(k);
}

void check_tags_free(struct check *k)
{
    VEC_FREE(&k->tags.ranges);
    map_free(&k->tags.range_of);
}
