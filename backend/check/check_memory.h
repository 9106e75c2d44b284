/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_memory.h - a tile's buffer: which element each place holds, who wrote it, who still reads
 * it.
 */
#ifndef CIMC_CHECK_MEMORY_H
#define CIMC_CHECK_MEMORY_H

#include "check_clock.h"

struct slot_reader {
    uint32_t queue, stage; /* of one stage frames ascend with numbers */
    uint32_t now, before;  /* last completion number that read this life, earlier lives */
};
struct slot_writer {
    uint32_t dim, first; /* first number of this dimension that wrote this life */
};
/* One row's place in a ring, or a whole cluster. A life = the time of one logical row in it. */
struct ring_slot {
    int64_t life;
    bool used, lapped;
    bool read; /* this life: elements that were written in it */
    uint32_t n_readers, n_writers;
    struct slot_reader *readers;
    struct slot_writer *writers;
};
/* Views that overlap in memory. */
struct cluster {
    uint64_t lo, hi;      /* bytes [lo, hi) of the buffer */
    uint64_t place_bytes; /* a place holds one element of its views */
    uint64_t grain;       /* places that share a mark: their tags are consecutive */
    uint64_t *marks;      /* of each grain: event << 32 | tag of its first element */
    bool written, ringed, preloaded, state;
    uint64_t slot_lo, slot_bytes;
    uint64_t slot_hi; /* end of what is written in slot 0 */
    uint64_t n_slots;
    struct ring_slot *slots;
    uint32_t frame_rows; /* slots from a frame's row 0 to the next one's, if it is a ring */
};
struct check_view {
    const struct isa_view *v;
    struct cluster *cluster;      /* NULL if the view holds nothing */
    int64_t origin, row, col, ch; /* in places, from the cluster's first */
    bool written, state;          /* state: its first value is loaded in the first frame only */
    bool in_ring;                 /* its rows are the slots of the cluster */
    bool claimed;                 /* without a graph: its claims say which element lies where */
};

/* Elements [from, to) of a cluster. */
struct interval {
    uint64_t from, to;
};
struct check;
struct actor;
struct leaf;
/* An instruction or message that writes into tile `t`. */
struct writer {
    struct actor *a;
    struct tile_state *t;
    uint32_t dim, number;
    const uint32_t *known; /* what the writer knows of t */
    bool once;             /* the same element must not be written twice */
    struct ring_slot *slot;
    bool lives; /* the slot is a ring's row */
};

/* check_cluster.c */
bool check_clusters_prepare(struct check *k) CHECK_RESULT;
void check_clusters_free(struct check *k);
/* Bytes from a row's first address on: [*lo, *hi) over all held columns and channels. */
void check_row_bytes(const struct isa_view *v, int64_t *lo, int64_t *hi);
uint64_t check_n_places(const struct cluster *c);
/* Zeros for grains of so many places; NULL if there is no memory for them. */
uint64_t *check_new_marks(const struct cluster *c, uint64_t grain);
/* Row y of a frame as a row of the ring, where frames follow each other. */
static inline int64_t check_ring_row(const struct check_view *v, int64_t frame, int64_t y)
{
    return frame * v->v->frame_rows + y - v->v->ring_origin;
}
/* The element's place in its cluster; its mark: event << 32 | tag. */
uint64_t check_place(const struct check_view *v, int64_t frame, int64_t y, int64_t x, int64_t c);
uint64_t check_mark(const struct check_view *v, int64_t frame, int64_t y, int64_t x, int64_t c);

/* In a body: do all views of the same memory move alike from frame to frame? */
bool check_frame_rows(struct check *k) CHECK_RESULT;

/* check_life.c */
/* Row y of the view is read: for those who will write there. */
void check_note_read(struct actor *a, const struct check_view *v, int64_t y);
/* Before a row of a view is written. */
void check_begin_row(struct writer *w, const struct check_view *v, int64_t y);
/* A fault if the writer does not know that the reader is done. */
void check_want_reader(struct writer *w, uint32_t queue, uint32_t number, const char *what);

/* check_shadow.c */
/* n elements in a row of memory: each must have been written by an event that the reader knows, in
 * the frame `back` frames before. With a tag: they must be tag, tag + 1, ...; without a graph,
 * elements of other ranges are accepted. */
bool check_read_run(struct actor *a, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag,
                    int64_t back);
/* n elements become tag, tag + 1, ...; or what lies at `from` in the source. */
void check_write_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag);
void check_copy_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n,
                    struct cluster *source, uint64_t from);

/* check_access.c */
/* Part of a row of a view, inside its extents. */
struct span {
    int64_t y, x, n_x, c, n_c;
};
/* Element (y, x + j, c + i) must be element (at[0], at[1] + j, at[2] + i) of the leaf; leaf NULL:
 * must have been written, and without a graph agree with the view's claims. */
bool check_read_span(struct actor *a, uint32_t view, struct span s, const struct leaf *leaf,
                     const int64_t at[3]);
/* A region of h x w pixels with all its channels. Padding must be the fill of the leaf. */
bool check_read_extent(struct actor *a, const struct isa_region *r, int64_t h, int64_t w,
                       const struct leaf *leaf, const int64_t at[3]);
/* The same of the instruction's h x w pixels. */
bool check_read_region(struct actor *a, const struct isa_region *r, const struct leaf *leaf,
                       const int64_t at[3]);
void check_write_span(struct writer *w, uint32_t view, struct span s, const struct leaf *leaf,
                      const int64_t at[3]);
/* What dst is said to be a part of: the value that its view names, in the view's coordinates. If it
 * names none, the value of the instruction's source, whose row 0 is the first row of dst. */
struct claim {
    uint32_t value;
    int64_t row; /* of the view, that is the value's row 0 */
};
struct claim check_claim(const struct actor *a);
/* h x w pixels at dst, as elements of the leaf, in the coordinates of the claim. Leaf NULL: by the
 * view's claims. */
void check_write_dst(struct actor *a, int64_t h, int64_t w, const struct leaf *leaf);
struct writer check_local_writer(struct actor *a);

/* check_state.c */
struct words {
    uint64_t *at;
    size_t n, cap; /* a VEC */
};
/* The memory of all tiles before the iteration, relative to it. */
void check_state(const struct check *k, uint32_t iteration, struct words *out);

#endif
