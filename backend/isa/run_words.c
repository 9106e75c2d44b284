/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * run_words.c - what happens in a run as words of memories.def, for who compares a machine with it.
 */
#include "pack.h"

unsigned isa_times_bytes(void)
{
    return word_bits(WORD_times) / 8;
}

unsigned isa_golden_bytes(void)
{
    return word_bits(WORD_golden) / 8;
}

unsigned isa_checksum_bytes(void)
{
    return word_bits(WORD_checksum) / 8;
}

void isa_put_times(const struct isa_times *t, uint8_t *to)
{
    struct packer p = pack_word(WORD_times, to);
    pack_number(&p, t->instruction);
    pack_number(&p, t->iteration);
    pack_number(&p, t->dispatch);
    pack_number(&p, t->start);
    pack_number(&p, t->end);
    pack_end(&p);
}

void isa_put_golden(const struct isa_golden *g, uint8_t *to)
{
    struct packer p = pack_word(WORD_golden, to);
    pack_number(&p, g->value);
    pack_number(&p, g->address);
    pack_number(&p, g->place);
    pack_number(&p, g->kind);
    pack_end(&p);
}

void isa_put_checksum(const struct isa_checksum *c, uint8_t *to)
{
    struct packer p = pack_word(WORD_checksum, to);
    pack_number(&p, c->records);
    pack_number(&p, c->hash);
    pack_end(&p);
}
