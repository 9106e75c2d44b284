/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pack.c - words of memories, bit by bit; pack.h. */
#include "pack.h"

#include <string.h>

static unsigned take_field(struct packer *p)
{
    struct word_field f;
    if (!word_field_at(p->id, p->field++, &f))
        BUG("word %s has no field %u", word_name(p->id), p->field - 1);
    return f.bits;
}

static void put_bits(struct packer *p, uint64_t value, unsigned bits)
{
    for (; bits > 0; bits--, value >>= 1, p->bit++)
        p->at[p->bit / 8] |= (uint8_t)((value & 1) << p->bit % 8);
}

void pack_number(struct packer *p, uint64_t value)
{
    put_bits(p, value, take_field(p));
}

void pack_bytes(struct packer *p, const void *value, size_t bytes)
{
    const uint8_t *at = value;
    if (take_field(p) != 8 * bytes)
        BUG("word %s: a field of another width than %zu bytes", word_name(p->id), bytes);
    for (size_t i = 0; i < bytes; i++)
        put_bits(p, at[i], 8);
}

void pack_begin(struct packer *p, uint32_t n)
{
    p->out->word_bytes = word_bits(p->id) / 8;
    p->at = arena_alloc_array(p->a, n, p->out->word_bytes);
    memset(p->at, 0, (size_t)n * p->out->word_bytes);
    p->out->words = p->at;
}

void pack_next(struct packer *p)
{
    struct word_field f;
    if (word_field_at(p->id, p->field, &f))
        BUG("word %s lacks %s", word_name(p->id), f.name);
    p->at += p->out->word_bytes;
    p->bit = p->field = 0;
    p->out->n++;
}
