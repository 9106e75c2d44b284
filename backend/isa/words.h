/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * words.h - the words of a dump's memories: their fields and bits (memories.def). What fills
 * memories and what prints packages both ask here, so that bits are the same in each.
 */
#ifndef CIMC_ISA_WORDS_H
#define CIMC_ISA_WORDS_H

#include "isa_internal.h"

enum word_id {
#define WORD(name, from, which) WORD_##name,
#define MORE(word, sign, bits, name, doc)
#define END_WORD(name)
#include "memories.def"
#undef WORD
#undef MORE
#undef END_WORD
    N_WORDS
};
struct word_field {
    const char *name, *doc; /* doc "": see the field before */
    unsigned bits;
    bool is_signed;
};
const char *word_name(enum word_id id);
/* The i-th field, the least significant first; false behind the last. */
bool word_field_at(enum word_id id, unsigned i, struct word_field *out);
unsigned word_n_fields(enum word_id id);
/* Of a memory's word: a multiple of 32. */
unsigned word_bits(enum word_id id);
/* As a table of ISA.md. */
void words_print(struct text *out);

#endif
