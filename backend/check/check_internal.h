/*
 * check_internal.h - what the files of the program checker share. CHECK.md is the description.
 *
 * One abstract run of the program visits every instruction once. It carries three things along: a
 * clock for each queue (what it can be sure has happened in its tile), a mark for each element of
 * each buffer (which logical element lies there, and which event wrote it) and the readers of ring
 * slots.
 */
#ifndef CIMC_CHECK_INTERNAL_H
#define CIMC_CHECK_INTERNAL_H

#include "backend.h"

enum { CHECK_MAX_FAULTS = 20 };
#define CHECK_NONE UINT32_MAX

/* ---- events, clocks ---- */

/*
 * The dimensions of a tile's clocks: its queues, then its channels. A channel is the messages that
 * one inbound counter counts: they arrive in order. An event is (dimension, number): the number-th
 * completion of a queue, the number-th message of a channel. Event 0 is the preload.
 */
enum { EVENT_NUMBER_BITS = 22 };
static inline uint32_t check_event(uint32_t dim, uint32_t number)
{
    return dim << EVENT_NUMBER_BITS | number;
}
static inline uint32_t event_dim(uint32_t event)
{
    return event >> EVENT_NUMBER_BITS;
}
static inline uint32_t event_number(uint32_t event)
{
    return event & ((1u << EVENT_NUMBER_BITS) - 1);
}

/* From the message on, whoever knows of it knows that `dim` of the sending tile has reached
 * `count`. */
struct news {
    uint32_t message, dim, count;
};
struct channel {
    uint32_t tile, queue; /* who sends; CHECK_NONE = nobody */
    uint32_t n_messages;  /* so far */
    bool wanted;          /* the receiver sends data back: it must hear what SIGNALs tell */
    uint32_t *told;       /* clock of the sending tile, as far as told */
    VEC(struct news) news;
    size_t heard; /* news that the receiver's TX queue has taken in */
};
struct counter {
    uint32_t count, total;  /* so far; in the whole program */
    uint32_t first_blocked; /* queue whose head waits for it */
};
struct queue_state {
    struct isa_inst head; /* the one instruction that has not started, if `full` */
    uint32_t head_index;
    bool full;
    uint32_t threshold; /* what the head waits for, if it is blocked */
    uint32_t next;      /* in a list of ready or blocked queues */
    uint32_t first;     /* its instruction number n is at [first + n - 1] of the tile's arrays */
    uint32_t *clock;
};
/* What the TX queue knows about another tile. */
struct knowledge {
    uint32_t tile;
    uint32_t *clock;
    uint32_t n_channels, *channels; /* from that tile */
};

/* ---- memory ---- */

struct slot_reader {
    uint32_t queue;
    uint32_t now, before; /* last completion number that read this life, earlier lives */
};
struct slot_writer {
    uint32_t dim, first; /* first number of this dimension that wrote this life */
};
/* One row's place in a ring, or a whole cluster. A life = the time of one logical row in it. */
struct ring_slot {
    int64_t life;
    bool used, lapped;
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
    bool written, ringed, preloaded;
    uint64_t slot_lo, slot_bytes;
    uint64_t slot_hi; /* end of what is written in slot 0 */
    uint64_t n_slots;
    struct ring_slot *slots;
};
struct check_view {
    const struct isa_view *v;
    struct cluster *cluster;      /* NULL if the view holds nothing */
    int64_t origin, row, col, ch; /* in places, from the cluster's first */
    bool written;
    bool in_ring; /* its rows are the slots of the cluster */
    bool claimed; /* without a graph: its claims say which element lies where */
};

/* ---- tags: names of logical elements ---- */

enum tag_kind {
    TAG_VALUE,
    TAG_PARTIAL, /* an mvm summed over slices [from, to) only */
    TAG_RAW      /* preloaded bytes */
};
/* Tags [base, base + n), element (y, x, c) of dim[0] x dim[1] x dim[2] in row-major order. */
struct tag_range {
    uint64_t base, n;
    enum tag_kind kind;
    uint32_t op, from, to;
    int64_t dim[3];
    const uint8_t *bytes; /* TAG_RAW */
    uint32_t next;        /* other range of the op */
};
/* A box of a value: element `at` has tag base + sum (at - lo) * pitch. */
struct map_piece {
    int64_t lo[3], hi[3], base, pitch[3];
    const struct ir_op *constant; /* whose elements they are, or NULL */
};
struct value_map {
    bool made;
    uint32_t n;
    struct map_piece *at;
};
struct tags {
    VEC(struct tag_range) ranges;
    uint64_t used;
    uint32_t anonymous;     /* without a graph: tags for what no claim names */
    uint32_t n_ops, *first; /* of each op */
    const struct ir_op **ops;
    struct value_map *maps;
};

/* Which logical elements are expected somewhere: those of a value, or of a range. */
struct leaf {
    const struct ir_op *op; /* NULL: anything that was written */
    unsigned depth;         /* so many moving operations before op: their index maps apply */
    uint32_t range;         /* CHECK_NONE: the value of op */
};
struct expected {
    uint32_t n; /* this one and the next ones are consecutive; 0: there is no such element */
    bool is_fill;
    float fill;
    uint32_t tag;
    const struct ir_op *constant; /* the bytes of this constant will do, too */
    int64_t index;
};

/* ---- the run ---- */

struct tile_state {
    uint32_t number;
    const struct isa_tile *t;
    unsigned n_queues, n_channels, n_dims; /* of the clock: queues, then channels */
    struct queue_state *queues;
    struct counter *counters; /* queues, then inbound */
    struct channel *channels; /* of each inbound counter */
    uint32_t n_knowledge;
    struct knowledge *knowledge;
    bool *sends;         /* [route]: SENDs use it, not SIGNALs */
    uint32_t *wanted;    /* waits that will still ask for the clock of an instruction */
    uint32_t *snapshots; /* where it is kept, 0 = nowhere */
    VEC(uint32_t) pool, pool_free;
    uint32_t position, ready;
    bool next_decoded, halted, listed;
    struct isa_inst next;
    uint32_t n_clusters;
    struct cluster *clusters;
    struct check_view *views;
    uint32_t preload_writes; /* how often memory that was preloaded has been overwritten */
    const struct tap_boxes **group_boxes, **window_boxes; /* of each group and window */
    struct mvm_plan **mvm_plans;
    struct map_plan **map_plans; /* of each vector program */
};
/* Elements of an outside tensor that have been stored. */
struct coverage {
    uint32_t index;
    const char *name;
    uint64_t n, n_stored;
    uint8_t *bits;
};
struct check {
    const struct isa_program *p;
    const struct ir_graph *g; /* NULL: meaning is not checked */
    struct diag *d;
    struct arena *arena;
    unsigned n_faults;
    struct tile_state *tiles;
    struct tags tags;
    uint32_t n_coverage;
    struct coverage *coverage, **binding_coverage;
    const struct ir_op **binding_ops;
    VEC(struct interval) own_reads; /* of the instruction that runs */
    uint64_t *equal_images;         /* image << 32 | constant that have been compared */
    uint32_t n_equal_images;
};
/* Elements [from, to) of a cluster. */
struct interval {
    uint64_t from, to;
};
/* An instruction that runs. */
struct actor {
    struct check *k;
    struct tile_state *t;
    const struct isa_inst *in;
    uint32_t index, queue, number; /* position in the stream; it completes as number of its queue */
    const uint32_t *clock;
    bool faulted;
    /* Where its result lies, if it computes: what it reads there is kept in own_reads, since it
     * must not write it, unless each element is replaced by the one computed from it. */
    struct cluster *result;
    bool in_place, reads_sorted;
};
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

/* check.c */
/* Reports at most one fault an instruction, CHECK_MAX_FAULTS in all. Always false. */
bool check_fault(struct actor *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Of instruction `index` of a tile, without the limit of one. */
bool check_fault_at(struct check *k, uint32_t tile, uint32_t index, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
bool check_fault_program(struct check *k, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool check_decode(const struct isa_tile *t, uint32_t index, struct isa_inst *out) CHECK_RESULT;
static inline bool check_gave_up(const struct check *k)
{
    return k->n_faults >= CHECK_MAX_FAULTS;
}

/* check_clock.c */
bool check_clock_prepare(struct check *k) CHECK_RESULT;
void check_clock_free(struct check *k);
/* The head of q starts: its clock takes in the predecessor and the waits. */
void check_clock_start(struct tile_state *t, uint32_t q);
/* It has completed: keeps its clock for those who will wait for it. */
void check_clock_complete(struct tile_state *t, uint32_t q, uint32_t number);
/* A message on its way: counts it in its channel and returns its number there. */
uint32_t check_clock_message(struct check *k, const struct actor *a, const struct isa_target *to);
/* What the TX queue of `t` knows about tile `of`. */
const uint32_t *check_clock_known(const struct actor *a, uint32_t of);

/* check_progress.c */
bool check_progress_run(struct check *k) CHECK_RESULT;

/* check_shadow.c */
bool check_shadow_prepare(struct check *k) CHECK_RESULT;
void check_shadow_free(struct check *k);
/* Row y of the view is read: for those who will write there. */
void check_note_read(struct actor *a, const struct check_view *v, int64_t y);
/* The element's place in its cluster; its mark: event << 32 | tag. */
uint64_t check_place(const struct check_view *v, int64_t y, int64_t x, int64_t c);
uint64_t check_mark(const struct check_view *v, int64_t y, int64_t x, int64_t c);
/* n elements in a row of memory: each must have been written by an event that the reader knows.
 * With a tag: they must be tag, tag + 1, ...; without a graph, elements of other ranges are
 * accepted. */
bool check_read_run(struct actor *a, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag);
/* Before a row of a view is written. */
void check_begin_row(struct writer *w, const struct check_view *v, int64_t y);
/* n elements become tag, tag + 1, ...; or what lies at `from` in the source. */
void check_write_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag);
void check_copy_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n,
                    struct cluster *source, uint64_t from);

/* check_tags.c */
bool check_tags_prepare(struct check *k) CHECK_RESULT;
void check_tags_free(struct check *k);
/* The range of an op, made if need be. */
uint32_t check_range(struct check *k, enum tag_kind kind, uint32_t op, uint32_t from, uint32_t to);
uint32_t check_range_raw(struct check *k, const uint8_t *bytes, uint64_t n);
const struct tag_range *check_range_of(const struct check *k, uint32_t tag); /* NULL if none */
const float *check_raw_bytes(const struct check *k, uint32_t tag);           /* NULL if not raw */
/* What must lie at element `at` of the leaf, and for how many channels (at most n) on. */
struct expected check_expect(struct check *k, const struct leaf *leaf, const int64_t at[3],
                             uint32_t n);
/* One piece that covers the whole leaf with consecutive tags, or NULL. */
const struct map_piece *check_plain_leaf(struct check *k, const struct leaf *leaf,
                                         struct map_piece *room);
/* By the claims of a view; 0 if they say nothing. */
uint32_t check_claimed_tag(struct check *k, const struct check_view *v, int64_t y, int64_t x,
                           int64_t c);
int64_t check_dim(const struct ir_op *op, unsigned i); /* of its value */
/* Where a reshape puts the operand's element `at`. */
void check_reshape_forward(const struct ir_op *op, int64_t at[3]);
const struct ir_op *check_op(const struct check *k, uint32_t id, enum ir_opcode opcode);
float check_const(const struct ir_op *constant, int64_t index);
bool check_same_bits(float a, float b);
const char *check_tag_text(struct check *k, uint32_t tag, char *buf, size_t n);
const char *check_op_name(const struct check *k, uint32_t id);

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
bool check_read_region(struct actor *a, const struct isa_region *r, const struct leaf *leaf,
                       const int64_t at[3]);
void check_write_span(struct writer *w, uint32_t view, struct span s, const struct leaf *leaf,
                      const int64_t at[3]);
/* h x w pixels at dst, as elements of the leaf: the view's coordinates are the leaf's. Leaf NULL:
 * by the view's claims. */
void check_write_dst(struct actor *a, int64_t h, int64_t w, const struct leaf *leaf);
struct writer check_local_writer(struct actor *a);

/* check_walk.c */
/* Taps (kh, [kw0, kw1)) and channels [c0, c1) of a kernel. */
struct tap_box {
    uint32_t kh, kw0, kw1, c0, c1;
};
struct tap_boxes {
    uint32_t n;
    struct tap_box *at;
    uint32_t *first; /* of each kernel row; [kernel height] = n */
};
/* Reads all elements under the boxes of the windows of the destination pixels, each row once. */
struct walk {
    const uint32_t *kernel, *stride, *dilation;
    int64_t pad[2];
    uint32_t view, channel0; /* the leaf's channel that the view shows as channel 0 */
    bool whole;              /* all of the view's channels, whatever the boxes say */
    const struct tap_boxes *boxes;
};
const struct tap_boxes *check_boxes_of_group(struct check *k, const struct isa_group *g);
const struct tap_boxes *check_boxes_of_kernel(struct check *k, const uint32_t kernel[2]);
void check_walk(struct actor *a, const struct walk *w, const struct leaf *leaf);

/* check_meaning.c */
/* Is dst, h x w pixels, a part of the op's value? */
bool check_inside(struct actor *a, const struct ir_op *op, int64_t h, int64_t w);
bool check_meaning_prepare(struct check *k) CHECK_RESULT;
void check_meaning_free(struct check *k);
bool check_meaning_finish(struct check *k) CHECK_RESULT;
void check_effect(struct actor *a); /* of MVM, V*, SEND, LOAD, STORE */

/* check_mvm.c */
void check_mvm(struct actor *a);
/* check_window.c */
void check_vwin(struct actor *a);
void check_vgat(struct actor *a);
void check_vred(struct actor *a);
/* check_map.c */
void check_vmap(struct actor *a);

/* check_match.c */
struct match {
    struct check *k;
    const struct isa_program_entry *program;
    const struct check_view *constants; /* or NULL */
    const struct ir_op *result;
    int64_t channel0, n_channels; /* of the result */
    /* For a and b: an element of the result, and the tag that the operand has for it (0: padding).
     */
    int64_t at[2][3];
    uint32_t tag[2];
    bool bound[2];
    struct leaf leaf[2]; /* found: what a and b must be */
    struct leaf made;    /* found: what the result is */
    unsigned steps;
};
/* Is the program what the graph says about `result`? */
bool check_match(struct match *m);
/* Can the leaf be found through `op` (itself or before its moving operations)? */
bool check_find_leaf(struct check *k, const struct ir_op *op, const int64_t at[3], uint32_t tag,
                     struct leaf *out);

#endif
