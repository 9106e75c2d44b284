/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_stream.h - a tile's stream: instructions <-> bytes (ISA.md 9). isa_tile_encode and
 * isa_program_encode, for everybody, are in isa.h.
 */
#ifndef CIMC_ISA_STREAM_CODE_H
#define CIMC_ISA_STREAM_CODE_H

#include "isa.h"

struct isa_stream {
    uint32_t n, n_walkers;
    const struct isa_inst *insts;
    const uint16_t *walker_of; /* [instruction] */
};
/* Of bytes that nobody has looked at. False with a reason if they are no stream, or one of more
 * than `most` instructions. */
bool isa_stream_decode(const uint8_t *bytes, uint64_t n, uint32_t most, struct arena *a,
                       struct isa_stream *out, const char **fault) CHECK_RESULT;
struct isa_stream_bytes {
    struct isa_bytes section;
    uint32_t n_walkers;
    const uint16_t *walker_of;
};
/* Instructions that are valid. False if they need too many walkers, or
 * templates and phrases. */
bool isa_stream_encode(const struct isa_inst *insts, uint32_t n, struct arena *a,
                       struct isa_stream_bytes *out) CHECK_RESULT;
struct isa_bytes isa_sources_encode(const struct isa_tile *t, const struct isa_stream_bytes *s,
                                    struct arena *a);
/* NULL if the bytes are not those that isa_sources_encode makes. */
const uint32_t *isa_sources_decode(const struct isa_bytes *in, const struct isa_stream *s,
                                   struct arena *a) CHECK_RESULT;
/* Sets insts, sources and the bytes themselves, which must stay. False with a reason. */
bool isa_tile_decode(struct isa_tile *t, const struct isa_bytes *stream,
                     const struct isa_bytes *source_map, uint32_t most, struct arena *a,
                     const char **fault) CHECK_RESULT;

/* Has a walker a stage? */
bool isa_stream_has_stages(const struct isa_bytes *stream);

/* What the machine limits of a stream, by the field of arch.def; most 0: it does not. */
struct isa_stream_limit {
    const char *what, *field;
    uint64_t n, most;
};
enum { ISA_STREAM_LIMITS = 4 };
void isa_stream_limits(const struct arch *arch, const struct isa_bytes *stream,
                       struct isa_stream_limit out[ISA_STREAM_LIMITS]);

#endif
