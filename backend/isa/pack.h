/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pack.h - fills words of memories.def, field by field in their order, least significant first. A
 * field too many or too few is a BUG, and so is a number that its field has no room for.
 */
#ifndef CIMC_ISA_PACK_H
#define CIMC_ISA_PACK_H

#include "words.h"

struct packer {
    const struct isa_program *program;
    uint32_t tile;
    struct arena *a;
    enum word_id id;
    struct isa_memory *out;
    uint32_t room;       /* words; a word beyond it is a BUG, too */
    uint8_t *at;         /* the word at hand */
    unsigned bit, field; /* the next of it */
    uint32_t first;      /* of the parts that belong to it */
};
/* Room for n words, all 0. */
void pack_begin(struct packer *p, uint32_t n);
/* Sign-extended where the field has a sign. */
void pack_number(struct packer *p, uint64_t value);
/* A field of as many bytes. */
void pack_bytes(struct packer *p, const void *value, size_t bytes);
void pack_next(struct packer *p); /* word */
/* One word, at `to`: it begins, and is complete. */
struct packer pack_word(enum word_id id, uint8_t *to);
void pack_end(const struct packer *p);

#endif
