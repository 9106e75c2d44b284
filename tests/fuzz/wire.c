/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* wire.c - protobuf messages as trees: parsing, writing, changing at random. */
#include "wire.h"

#include "fuzz.h"

#include <string.h>

enum { MOST_DEPTH = 24, MOST_NUMBER = 64, MOST_GROWTH = 24 };

/* ---- parsing ---- */

struct reader {
    const uint8_t *at, *end;
};

static bool read_varint(struct reader *r, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        uint8_t byte = *r->at++;
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool read_fixed(struct reader *r, size_t n, uint64_t *out)
{
    if ((size_t)(r->end - r->at) < n)
        return false;
    *out = 0;
    memcpy(out, r->at, n);
    r->at += n;
    return true;
}

static bool parse(const uint8_t *at, size_t n, unsigned depth, struct arena *a,
                  struct wire_field **out);

static bool read_bytes(struct reader *r, unsigned depth, struct arena *a, struct wire_field *f)
{
    uint64_t n;
    if (!read_varint(r, &n) || n > (uint64_t)(r->end - r->at))
        return false;
    f->bytes = r->at;
    f->n = (size_t)n;
    r->at += n;
    if (n < 2 || depth == MOST_DEPTH || !parse(f->bytes, f->n, depth + 1, a, &f->inner))
        f->inner = NULL;
    return true;
}

static bool read_field(struct reader *r, unsigned depth, struct arena *a, struct wire_field *f)
{
    uint64_t key;
    if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 > MOST_NUMBER)
        return false;
    f->number = key >> 3;
    f->type = (enum wire_type)(key & 7);
    switch (f->type) {
    case WIRE_VARINT: return read_varint(r, &f->value);
    case WIRE_FIXED64: return read_fixed(r, 8, &f->value);
    case WIRE_FIXED32: return read_fixed(r, 4, &f->value);
    case WIRE_BYTES: return read_bytes(r, depth, a, f);
    default: return false;
    }
}

static bool parse(const uint8_t *at, size_t n, unsigned depth, struct arena *a,
                  struct wire_field **out)
{
    struct reader r = {at, at + n};
    *out = NULL;
    while (r.at < r.end) {
        struct wire_field *f = ARENA_NEW(a, struct wire_field);
        if (!read_field(&r, depth, a, f))
            return false;
        *out = f;
        out = &f->next;
    }
    return true;
}

bool wire_parse(const uint8_t *at, size_t n, struct arena *a, struct wire_field **out)
{
    return parse(at, n, 0, a, out);
}

/* ---- writing ---- */

static void put_varint(struct text *t, uint64_t x)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; x >= 128; x >>= 7)
        bytes[n++] = (uint8_t)(x | 128);
    bytes[n++] = (uint8_t)x;
    text_add_bytes(t, bytes, n);
}

void wire_write(const struct wire_field *f, struct text *out)
{
    for (; f; f = f->next) {
        put_varint(out, f->number << 3 | f->type);
        if (f->type == WIRE_VARINT) {
            put_varint(out, f->value);
        } else if (f->type != WIRE_BYTES) {
            text_add_bytes(out, &f->value, f->type == WIRE_FIXED64 ? 8 : 4);
        } else if (f->inner) {
            struct text inner = {0};
            wire_write(f->inner, &inner);
            put_varint(out, inner.n);
            text_add_bytes(out, inner.at, inner.n);
            text_free(&inner);
        } else {
            put_varint(out, f->n);
            if (f->n)
                text_add_bytes(out, f->bytes, f->n);
        }
    }
}

/* ---- fields by number ---- */

struct wire_field *wire_find(struct wire_field *f, uint64_t number)
{
    while (f && f->number != number)
        f = f->next;
    return f;
}

uint64_t wire_value(struct wire_field *fields, uint64_t number)
{
    const struct wire_field *f = wire_find(fields, number);
    return f && f->type != WIRE_BYTES ? f->value : 0;
}

void wire_set(struct wire_field **fields, uint64_t number, enum wire_type type, uint64_t value,
              struct arena *a)
{
    struct wire_field *f = wire_find(*fields, number);
    if (!f) {
        f = ARENA_NEW(a, struct wire_field);
        f->number = number;
        f->next = *fields;
        *fields = f;
    }
    f->type = type;
    f->value = value;
}

/* ---- changes ---- */

typedef VEC(struct wire_field **) links; /* what points at each field of the tree */

static void collect(struct wire_field **link, links *out)
{
    for (; *link; link = &(*link)->next) {
        VEC_PUSH(out, link);
        collect(&(*link)->inner, out);
    }
}

static uint64_t other_value(uint64_t value, uint64_t *state)
{
    static const uint64_t edges[] = {0,          1,          2,          127,          128,
                                     255,        256,        32767,      32768,        65535,
                                     65536,      0x7fffffff, 0x80000000, 0xffffffff,   UINT64_MAX,
                                     0x3f800000, 0x7fc00000, 0x7f800000, INT64_MAX - 1};
    switch (random_next(state) % 4) {
    case 0: return edges[random_next(state) % (sizeof edges / sizeof *edges)];
    case 1: return value ^ UINT64_C(1) << random_next(state) % 64;
    case 2: return value + random_next(state) % 9 - 4;
    default: return random_next(state) % 64;
    }
}

const uint8_t *wire_mutate_bytes(const uint8_t *at, size_t n, struct arena *a, size_t *out_n)
{
    uint8_t *copy = arena_alloc(a, n + MOST_GROWTH);
    if (n)
        memcpy(copy, at, n);
    *out_n = LLVMFuzzerMutate(copy, n, n + MOST_GROWTH);
    return copy;
}

static struct wire_field *copy_of(const struct wire_field *f, struct arena *a)
{
    struct wire_field *copy = ARENA_NEW(a, struct wire_field);
    *copy = *f;
    copy->next = NULL;
    copy->inner = NULL;
    struct wire_field **link = &copy->inner;
    for (const struct wire_field *i = f->inner; i; i = i->next) {
        *link = copy_of(i, a);
        link = &(*link)->next;
    }
    return copy;
}

static void change_content(struct wire_field *f, struct arena *a, uint64_t *state)
{
    if (f->type != WIRE_BYTES) {
        f->value = other_value(f->value, state);
    } else if (!f->inner || random_next(state) % 8 == 0) {
        f->bytes = wire_mutate_bytes(f->bytes, f->n, a, &f->n);
        f->inner = NULL;
    }
}

/* The content of `from`, which may hold `f`, replaces that of `f`. */
static void take_content(struct wire_field *f, const struct wire_field *from, struct arena *a)
{
    const struct wire_field *copy = copy_of(from, a);
    f->type = copy->type;
    f->value = copy->value;
    f->bytes = copy->bytes;
    f->n = copy->n;
    f->inner = copy->inner;
}

static void change(struct wire_field **fields, struct arena *a, uint64_t *state)
{
    links all = {0};
    collect(fields, &all);
    if (all.n) {
        struct wire_field **link = all.at[random_next(state) % all.n], *f = *link, *copy;
        const struct wire_field *other = *all.at[random_next(state) % all.n];
        switch (random_next(state) % 8) {
        case 0: *link = f->next; break;
        case 1:
            copy = copy_of(f, a);
            copy->next = f->next;
            f->next = copy;
            break;
        case 2: /* a field of another place */
            copy = copy_of(other, a);
            copy->next = f->next;
            f->next = copy;
            break;
        case 3:
            if (other->number == f->number)
                take_content(f, other, a);
            break;
        default: change_content(f, a, state);
        }
    }
    VEC_FREE(&all);
}

void wire_mutate(struct wire_field **fields, struct arena *a, uint64_t *state)
{
    for (uint64_t n = 1 + random_next(state) % 4; n > 0; n--)
        change(fields, a, state);
}
