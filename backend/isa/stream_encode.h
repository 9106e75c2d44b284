/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_encode.h - the encoder's steps, each in a file of its own:
 *   stream_walk.c     instructions -> walkers, and where one has to be SET
 *   stream_units.c    waits made relative; equal behaviour gets one number, a unit
 *   stream_phrases.c  units -> a grammar of nested phrases
 *   stream_encode.c   units and phrases -> templates, symbols, bytes
 */
#ifndef CIMC_ISA_STREAM_ENCODE_H
#define CIMC_ISA_STREAM_ENCODE_H

#include "stream.h"

/* ---- walkers ---- */

struct stream_walks {
    uint32_t n_walkers, n_short, n_extensions;
    struct stream_walker *walkers;
    struct stream_extension *extensions;
    uint32_t *walker_of; /* [instruction] */
    bool *set;           /* [instruction]: its walker would be elsewhere */
    bool *frame;         /* [instruction]: with it its walker goes on to the next frame */
};
/* False if there are too many. Arrays are in `a`. */
bool stream_walk(const struct isa_inst *insts, uint32_t n, struct arena *a,
                 struct stream_walks *out) CHECK_RESULT;

/* ---- units ---- */

/* What an instruction's template and bytes say; or a SET, or FRAME, of its walker. */
struct stream_unit {
    uint32_t walker;
    uint8_t order_bytes; /* of SET or FRAME; 0: it is neither */
    uint8_t n_waits;
    struct stream_place place; /* SET */
    uint16_t counter[ISA_MAX_WAITS];
    int32_t value[ISA_MAX_WAITS];
};
struct stream_units {
    uint32_t n_units;
    const struct stream_unit *units; /* in order of first appearance */
    size_t n;
    uint32_t *sequence;
};
void stream_units(const struct isa_inst *insts, uint32_t n, const struct stream_walks *walks,
                  struct arena *a, struct stream_units *out);
/* Bytes that a unit's values take behind its symbol. */
unsigned stream_unit_bytes(const struct stream_unit *u);

/* ---- phrases ---- */

/* Strings of numbers: units below n_units, then phrases; phrase i is string i, what is left of the
 * sequence the last one. Phrases name only those before them. */
struct stream_strings {
    uint32_t n_phrases;
    size_t *first; /* [n_phrases + 2] */
    uint32_t *at;
};
void stream_phrases(const struct stream_units *units, struct arena *a, struct stream_strings *out);

#endif
