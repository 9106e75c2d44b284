/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* stream_rig.h - a stream's section, packed bit by bit as ISA.md 9 says, without the encoder. */
#ifndef CIMC_TEST_STREAM_RIG_H
#define CIMC_TEST_STREAM_RIG_H

#include "isa_stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT, LONG, EXTENSION, SMALL, LARGE, PHRASE, MEMORY, SYMBOLS, N_PARTS };
struct section {
    uint8_t bytes[N_PARTS][1 << 15];
    uint32_t n[N_PARTS]; /* bytes */
    struct arena *arena;
};

static struct section *section_new(void)
{
    struct section *s = calloc(1, sizeof *s);
    s->arena = arena_new();
    return s;
}

static void section_free(struct section *s)
{
    arena_free(s->arena);
    free(s);
}

/* Fields as (value, bits) pairs up to 0 bits, least significant first. */
struct bits {
    uint64_t value;
    unsigned bits;
};

static void add_record(struct section *s, int part, const struct bits *fields)
{
    unsigned bit = 0;
    uint8_t *at = s->bytes[part] + s->n[part];
    for (; fields->bits; fields++)
        for (unsigned k = 0; k < fields->bits; k++, bit++)
            at[bit / 8] = (uint8_t)(at[bit / 8] | (k < 64 ? fields->value >> k & 1 : 0) << bit % 8);
    ck_assert_uint_eq(bit % 8, 0);
    s->n[part] += bit / 8;
}
#define ADD(s, part, ...) add_record((s), (part), (const struct bits[]){__VA_ARGS__, {0, 0}})

/* op 5, queue 7, flags 4, stage 5, obj 10, dst 10, a 10, b 10 */
#define STAGED(op, queue, stage, obj, dst, a, b)                                                   \
    {op, 5}, {queue, 7}, {0, 4}, {stage, 5}, {obj, 10}, {dst, 10}, {a, 10},                        \
    {                                                                                              \
        b, 10                                                                                      \
    }
#define COMMON(op, queue, obj, dst, a, b) STAGED(op, queue, 0, obj, dst, a, b)

/* An MVM of one row. */
static void mvm(struct section *s, unsigned xs, unsigned x1, unsigned ys, unsigned y1, unsigned w)
{
    ADD(s, SHORT, COMMON(ISA_mvm, 0, 2, 7, 0, 0), {xs, 14}, {x1, 14}, {ys, 13}, {y1, 13}, {w, 13});
}

/* A WAIT or SIGNAL: no region. */
static void plain(struct section *s, unsigned op, unsigned queue)
{
    ADD(s, SHORT, COMMON(op, queue, 0, 0, 0, 0), {0, 14}, {0, 14}, {0, 13}, {0, 13}, {0, 13});
}

enum { M_NONE, M_VALUE, M_BYTE, M_THREE };
#define WAITS(counter, mode, value)                                                                \
    {counter, 10}, {mode, 2},                                                                      \
    {                                                                                              \
        value, 12                                                                                  \
    }

static void small(struct section *s, unsigned walker, unsigned counter, unsigned mode,
                  unsigned value)
{
    ADD(s, SMALL, {walker, 8}, WAITS(counter, mode, value));
}

static void phrase(struct section *s, unsigned start, unsigned length)
{
    ADD(s, PHRASE, {start, 20}, {length, 12});
}

/* Bytes in hexadecimal; spaces are for the reader. */
static void hex(struct section *s, int part, const char *text)
{
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        int high = hex_value(text[0]), low = hex_value(text[1]);
        s->bytes[part][s->n[part]++] = (uint8_t)(high << 4 | low);
        text++;
    }
}

static struct isa_bytes section_bytes(struct section *s)
{
    static const uint8_t sizes[N_PARTS] = {16, 32, 16, 4, 8, 4, 1, 1};
    uint8_t *at = arena_alloc(s->arena, 32 + sizeof s->bytes);
    uint64_t n = 32;
    for (int i = 0; i < N_PARTS; i++) {
        uint32_t records = s->n[i] / sizes[i];
        memcpy(at + 4 * (size_t)i, &records, 4);
        memcpy(at + n, s->bytes[i], s->n[i]);
        n += s->n[i];
    }
    return (struct isa_bytes){at, n};
}

/* ---- what it means ---- */

static void inst_text(const struct isa_inst *i, struct text *t)
{
    text_add(t, "q%u.%s", i->queue, isa_op_name(i->op));
    if (isa_op_has_dst(i->op))
        text_add(t, " dst=v%u(%d,%d)", i->dst.view, i->dst.y, i->dst.x);
    if (i->a.view)
        text_add(t, " a=v%u(%d,%d)", i->a.view, i->a.y, i->a.x);
    if (i->b.view)
        text_add(t, " b=v%u(%d,%d)", i->b.view, i->b.y, i->b.x);
    if (isa_op_has_extent(i->op))
        text_add(t, " %ux%u", i->h, i->w);
    if (i->op == ISA_load || i->op == ISA_store)
        text_add(t, " from(%d,%d,%u)", i->y, i->x, i->c);
    if (i->stage)
        text_add(t, " stage=%u", i->stage);
    for (unsigned k = 0; k < i->n_waits; k++)
        text_add(t, " %u>=%u", i->wait[k].counter, i->wait[k].threshold);
}

/* The section decodes to these lines. */
static void means(struct section *s, const char *lines)
{
    struct isa_bytes b = section_bytes(s);
    struct isa_stream out;
    const char *fault = "";
    struct text t = {0};
    ck_assert_msg(isa_stream_decode(b.at, b.n, 100000, s->arena, &out, &fault), "%s", fault);
    for (uint32_t i = 0; i < out.n; i++) {
        text_add(&t, i ? "; " : "");
        inst_text(&out.insts[i], &t);
    }
    ck_assert_str_eq(t.at ? t.at : "", lines);
    text_free(&t);
    section_free(s);
}

static void is_wrong(struct section *s, const char *words)
{
    struct isa_bytes b = section_bytes(s);
    struct isa_stream out;
    const char *fault = "";
    ck_assert_msg(!isa_stream_decode(b.at, b.n, 100000, s->arena, &out, &fault), "accepted: %s",
                  words);
    ck_assert_msg(strstr(fault, words), "expected: %s, found: %s", words, fault);
    section_free(s);
}

#endif
