/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream.h - the parts of an encoded stream (ISA.md 9), for its encoder and its decoder: records
 * and their bits, and how a walker steps.
 */
#ifndef CIMC_ISA_STREAM_H
#define CIMC_ISA_STREAM_H

#include "isa_internal.h"

/* Parts of a stream's section, in their order; each has its number of records in the first 32
 * bytes. */
enum stream_part {
    PART_SHORT_WALKERS,
    PART_LONG_WALKERS,
    PART_EXTENSIONS,
    PART_SMALL_TEMPLATES,
    PART_LARGE_TEMPLATES,
    PART_PHRASES,
    PART_PHRASE_MEMORY,
    PART_STREAM,
    N_STREAM_PARTS
};
extern const uint8_t stream_part_bytes[N_STREAM_PARTS]; /* of one record */
enum { STREAM_HEAD_BYTES = 4 * N_STREAM_PARTS, STREAM_MOST_RECORD_BYTES = 32 };
enum { STREAM_MAX_WALKERS = 1 << 14, STREAM_SMALL_WALKERS = 1 << 8, STREAM_MAX_DEPTH = 4 };

/* First bytes of symbols that are no number below SYMBOL_SET. */
enum {
    SYMBOL_SET = 0xf0,
    SYMBOL_RUN = 0xf1,
    SYMBOL_LONG_RUN = 0xf2,
    SYMBOL_PAGE = 0xf3, /* .. 0xfd: pages of 256 numbers, from SYMBOL_SET on */
    SYMBOL_FAR = 0xfe,  /* the numbers behind them, u16 */
    SYMBOL_HALT = 0xff,
    STREAM_FIRST_FAR = SYMBOL_SET + 256 * (SYMBOL_FAR - SYMBOL_PAGE),
    STREAM_MAX_SYMBOLS = STREAM_FIRST_FAR + (1 << 16),
    STREAM_SHORT_RUN = 4, /* SYMBOL_RUN says n - 4 */
    STREAM_SET_BYTES = 13,
    STREAM_FRAME = 1 << 15, /* with the walker behind SYMBOL_SET: FRAME, and no more */
    STREAM_FRAME_BYTES = 3
};
enum stream_mode { MODE_NONE, MODE_VALUE, MODE_BYTE, MODE_THREE_BYTES };
enum { STREAM_VALUE_BITS = 12, STREAM_FAR_BITS = 24, STREAM_COUNTERS = 1024 };
enum { STREAM_PHRASE_LENGTH_BITS = 12, STREAM_PHRASE_START_BITS = 20 };

/* All that one family's instructions have in common, and the raster of their regions. */
struct stream_walker {
    uint32_t op, queue, flags, stage, obj, dst, a, b;
    uint32_t xs, x1, ys, y1, w, w_first, w_last, h, h_first, h_last, gap;
    uint32_t extension; /* number + 1; 0 = none */
};
/* Where a, b and DRAM lie, from the region on; c is absolute. Numbers are two's complement. */
struct stream_extension {
    uint32_t a_y, a_x, b_y, b_x, c;
};
struct stream_template {
    uint32_t walker, more;
    struct stream_wait {
        uint32_t counter, mode, value;
    } wait[2];
};
struct stream_phrase {
    uint32_t start, length;
};

/* Fields of one record, from the least significant bit on; the rest of it is 0. */
struct stream_field {
    size_t offset; /* of an uint32_t */
    uint8_t bits;
    bool is_signed; /* two's complement */
    const char *name;
};
struct stream_form {
    unsigned n;
    const struct stream_field *fields;
};
extern const struct stream_form stream_forms[PART_PHRASE_MEMORY];
/* Bits that do not fit are a BUG. */
void stream_pack(enum stream_part part, const void *record, uint8_t *out);
/* False where a bit is set that is of no field. Fields that the form lacks stay as they are. */
bool stream_unpack(enum stream_part part, const uint8_t *in, void *record) CHECK_RESULT;
static inline int32_t stream_signed(uint32_t value)
{
    return (int32_t)(value << (32 - STREAM_FAR_BITS)) >> (32 - STREAM_FAR_BITS);
}

/* The region that an operation's walker steps over; NULL if it has none. */
const struct isa_region *stream_region(const struct isa_inst *i);
/* Of VWIN and VGAT, whose source begins at its origin. */
static inline bool stream_from_origin(unsigned op)
{
    return op == ISA_vwin || op == ISA_vgat;
}

/* Where a walker is; w 0: its raster says the extents of the next region. */
struct stream_state {
    int32_t y, x;
    uint32_t w, h;
};
struct stream_place {
    int32_t y, x, w, h;
};
static inline void stream_start(const struct stream_walker *k, struct stream_state *s)
{
    *s = (struct stream_state){(int32_t)k->ys, (int32_t)k->xs, 0, 0};
}
/* The next region, and one step on. False if its extents are none. */
bool stream_step(const struct stream_walker *k, struct stream_state *s,
                 struct stream_place *out) CHECK_RESULT;

#endif
