/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pack.c - words of memories, bit by bit; pack.h. */
#include "pack.h"

#include <string.h>

static struct word_field take_field(struct packer *p)
{
    struct word_field f;
    if (!word_field_at(p->id, p->field++, &f))
        BUG("word %s has no field %u", word_name(p->id), p->field - 1);
    if (p->out && p->out->n == p->room)
        BUG("%s: more than %u words", p->out->name, p->room);
    return f;
}

/* The low bits of the value, as many at a time as a byte has left. */
static void put_bits(struct packer *p, uint64_t value, unsigned bits)
{
    while (bits > 0) {
        unsigned at = p->bit % 8, n = bits < 8 - at ? bits : 8 - at;
        p->at[p->bit / 8] |= (uint8_t)((value & ((1u << n) - 1)) << at);
        value >>= n;
        bits -= n;
        p->bit += n;
    }
}

void pack_number(struct packer *p, uint64_t value)
{
    struct word_field f = take_field(p);
    if (!isa_number_fits(value, f.bits, f.is_signed))
        BUG("word %s: 0x%llx does not fit the %u bits of %s", word_name(p->id),
            (unsigned long long)value, f.bits, f.name);
    put_bits(p, value, f.bits);
}

void pack_bytes(struct packer *p, const void *value, size_t bytes)
{
    const uint8_t *at = value;
    if (take_field(p).bits != 8 * bytes)
        BUG("word %s: a field of another width than %zu bytes", word_name(p->id), bytes);
    for (size_t i = 0; i < bytes; i++)
        put_bits(p, at[i], 8);
}

struct packer pack_word(enum word_id id, uint8_t *to)
{
    memset(to, 0, word_bits(id) / 8);
    return (struct packer){.id = id, .at = to};
}

void pack_end(const struct packer *p)
{
    struct word_field f;
    if (word_field_at(p->id, p->field, &f))
        BUG("word %s lacks %s", word_name(p->id), f.name);
}

void pack_begin(struct packer *p, uint32_t n)
{
    p->out->word_bytes = word_bits(p->id) / 8;
    p->room = n;
    p->at = arena_alloc_array(p->a, n, p->out->word_bytes);
    memset(p->at, 0, (size_t)n * p->out->word_bytes);
    p->out->words = p->at;
}

void pack_next(struct packer *p)
{
    pack_end(p);
    p->at += p->out->word_bytes;
    p->bit = p->field = 0;
    p->out->n++;
}
