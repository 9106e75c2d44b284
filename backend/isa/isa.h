/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa.h - instructions, a tile's tables and program files, for emitter, checker, simulator,
 * assembler. ISA.md is the specification; isa.def and proto/program.proto are its tables.
 */
#ifndef CIMC_ISA_H
#define CIMC_ISA_H

#include "base/base.h"
#include "base/bits.h"
#include "base/element.h"
#include "energy.h"

enum { ISA_VERSION = 2, ISA_MAX_WAITS = 8 };
enum { ISA_MAX_TILES = UINT16_MAX };
enum { ISA_N_QUEUES = 128, ISA_FIRST_INBOUND = 128, ISA_LAST_COUNTER = 1022 };
/* The counter that counts by itself, in a program with a pace (ISA.md 14). */
enum { ISA_PACE_COUNTER = ISA_LAST_COUNTER };
enum { ISA_THRESHOLD_BITS = 22, ISA_MAX_COUNT = 1 << 21 }; /* no counter may exceed ISA_MAX_COUNT */
/* Buffers, and what is preloaded into them, are counted in such words. */
enum { ISA_WORD_BYTES = 4 };
enum { ISA_MAX_H = ARCH_MOST_ROWS, ISA_MAX_W = ARCH_MOST_COLUMNS };
/* Of views and bindings: rows and columns, and channels; of kernels, strides and dilations. */
enum {
    ISA_MAX_EXTENT = ARCH_MOST_EXTENT,
    ISA_MAX_CHANNELS = (1 << 24) - 1,
    ISA_MAX_STEP = ARCH_MOST_KERNEL
};
enum { ISA_MAX_INSTS = 1 << 23 }; /* of a program */
enum { ISA_MAX_BINDINGS = 1024 }; /* that LOAD and STORE can name */
#define ISA_NO_SOURCE UINT32_MAX

enum isa_op {
#define INST(name, code, obj, doc) ISA_##name = code,
#define FIELD(inst, field, kind)
#define END(inst)
#include "isa.def"
#undef INST
#undef FIELD
#undef END
};

/* Holds when counter >= threshold (modulo 2^22, window 2^21). Counters 0..127: instructions
 * completed by that queue of the own tile; 128..1022: messages received. In a body thresholds are
 * those of iteration 0, and may be below 0 (modulo 2^22). */
struct isa_wait {
    uint16_t counter;
    uint32_t threshold;
};
/* The threshold as a number with a sign. */
static inline int32_t isa_threshold(uint32_t threshold)
{
    const uint32_t sign = (uint32_t)1 << (ISA_THRESHOLD_BITS - 1);
    return (int32_t)(threshold > sign ? threshold - 2 * sign : threshold);
}
struct isa_region {
    uint16_t view;
    int32_t y, x;
};
/* An instruction. What its operation does not use is 0. */
struct isa_inst {
    uint8_t op, queue, stage, flags;
    uint16_t obj;
    uint16_t h, w;
    uint8_t n_waits;
    struct isa_region dst, a, b;
    int32_t y, x; /* LOAD, STORE: position in the binding */
    uint32_t c;   /* LOAD, STORE: first channel in the binding */
    struct isa_wait wait[ISA_MAX_WAITS];
};
/* Flags of VRED: axes, then the kind; of VTAKE: one axis. */
enum { VRED_H = 1, VRED_W = 2, VRED_C = 4, VRED_SUM = 8, VRED_AXES = 7, VRED_FLAGS = 15 };
/* Flags of LOAD and STORE: in the first frame of a run only, in the last one only. */
enum { DMA_FIRST = 1, DMA_LAST = 2, DMA_FLAGS = 3 };
enum { ISA_MAX_STAGE = 31, ISA_MAX_FRAMES = 1 << 20 };
/* Flag of VDOT: b is (k, n), not (n, k). */
enum { VDOT_KN = 1 };
struct isa_inst isa_inst_new(enum isa_op op, unsigned queue); /* all else zero, no waits */
/* There must be room. */
void isa_inst_wait(struct isa_inst *i, uint32_t counter, uint32_t threshold);
/* A static reason why no tile has such an instruction; NULL if one may. */
const char *isa_inst_illegal(const struct isa_inst *i);
bool isa_inst_equal(const struct isa_inst *a, const struct isa_inst *b);
bool isa_op_has_dst(unsigned op);     /* writes a region of its tile */
bool isa_op_has_extent(unsigned op);  /* works on h x w elements */
const char *isa_op_name(unsigned op); /* NULL if there is no such operation */
/* Does it work, or only wait or tell? */
static inline bool isa_op_works(unsigned op)
{
    return op != ISA_nop && op != ISA_wait && op != ISA_signal;
}
/* An instruction of a tile. */
struct isa_place {
    uint32_t tile, inst;
};

/* ---- lane operations of vector programs ---- */
enum isa_lane_op {
#define LANE(id, name, arity, x, y, to) LANE_##id,
#include "lanes.def"
#undef LANE
    N_LANE_OPS
};
/* Operand codes: 0..15 result of an earlier op; then: */
enum { LANE_A = 16, LANE_B = 17, LANE_IMM = 18, LANE_CONST0 = 32, ISA_MAX_LANE_OPS = 16 };
const char *isa_lane_name(unsigned op); /* NULL if none */
unsigned isa_lane_arity(unsigned op);   /* 1 or 2 */

/* What the 32 bits of a lane are. */
enum isa_type { ISA_TYPE_NONE, ISA_TYPE_F32, ISA_TYPE_I32 };
enum isa_type isa_type_of(enum element e); /* of its elements in a lane; NONE: it has none there */
/* What operand i takes and what it gives. NONE: any, all of one type; of tab, the table's. */
enum isa_type isa_lane_operand(unsigned op, unsigned i);
enum isa_type isa_lane_result(unsigned op);
/* rq, tab: imm is no operand, but a shift or the number of a table. */
static inline bool isa_lane_takes_number(unsigned op)
{
    return op == LANE_RQ || op == LANE_TAB;
}

struct isa_lane {
    uint8_t op, x, y;
    uint32_t imm; /* each op has its own: the bits of an f32 or i32 */
};
static inline float isa_lane_f32(const struct isa_lane *l)
{
    return f32_of_bits(l->imm);
}

/* ---- tables ---- */
struct isa_view {
    uint64_t base; /* bytes */
    uint32_t ring_rows;
    int32_t ring_origin, y0, y1, x0, x1;
    uint32_t height, width, channels;
    int64_t row_pitch, col_pitch, channel_pitch; /* bytes */
    uint32_t pad_value;                          /* pattern of its element: f32_bits, i32, 0..255 */
    uint32_t value, channel0;
    enum element element;
    uint32_t frame_rows; /* 0: all frames see the same */
};
static inline bool isa_view_is_empty(const struct isa_view *v)
{
    return v->y0 >= v->y1 || v->x0 >= v->x1 || v->channels == 0;
}
/* A pitch in elements, of which it is a multiple in a valid program. */
static inline int64_t isa_in_elements(const struct isa_view *v, int64_t bytes)
{
    return bytes / (int64_t)element_bytes(v->element);
}
/* Bytes [lo, hi) of the buffer: from the lowest to the highest held element, over all slots if rows
 * wrap. False if they cannot be counted; of a view that holds something. */
struct isa_extent {
    int64_t lo, hi;
};
bool isa_view_extent(const struct isa_view *v, struct isa_extent *out) CHECK_RESULT;
/* Byte address of (y, x, 0) in a frame, for a held element. */
static inline uint64_t isa_address(const struct isa_view *v, uint32_t frame, int32_t y, int32_t x)
{
    int64_t row = (int64_t)frame * v->frame_rows + y - v->ring_origin, slot = row % v->ring_rows;
    if (slot < 0)
        slot += v->ring_rows;
    return v->base + (uint64_t)(slot * v->row_pitch + (int64_t)(x - v->x0) * v->col_pitch);
}
struct isa_run {
    uint32_t row, rows;
};
struct isa_pe {
    uint32_t k0, k, n0, n; /* rows and columns of the image it holds: k rows, the first is k0 */
    uint32_t pe;           /* its number in the tile */
    uint32_t n_runs;       /* 0: one, [k0, k0 + k); isa_pe_run() */
    struct isa_run *runs;  /* ascending, apart */
};
static inline uint32_t isa_pe_runs(const struct isa_pe *pe)
{
    return pe->n_runs ? pe->n_runs : 1;
}
static inline struct isa_run isa_pe_run(const struct isa_pe *pe, uint32_t i)
{
    return pe->n_runs ? pe->runs[i] : (struct isa_run){pe->k0, pe->k};
}
struct isa_group {
    uint32_t source_view, kernel[2], stride[2], dilation[2];
    int32_t pad_top, pad_left;
    uint32_t source_channel0, in_channels, image, channel0;
    uint32_t conv_groups; /* 0: one; isa_conv_groups() */
    uint32_t shares;      /* g + 1: the PEs and the queue of group g; 0: its own */
    uint32_t x_bits;      /* 0: f32; else of what drives the crossbars */
    uint32_t n_pes;
    struct isa_pe *pes;
    uint32_t patch[2]; /* output pixels of one product; 0: 1; isa_patch() */
};
static inline uint32_t isa_patch(const struct isa_group *g, unsigned axis)
{
    return g->patch[axis] ? g->patch[axis] : 1;
}
/* Rows (axis 0) or columns of the matrix's positions: taps, or those of a patch's window. */
static inline uint64_t isa_window(const struct isa_group *g, unsigned axis)
{
    uint64_t reach = (uint64_t)g->dilation[axis] * (g->kernel[axis] - 1);
    if (g->patch[0] <= 1 && g->patch[1] <= 1)
        return g->kernel[axis];
    return (uint64_t)(isa_patch(g, axis) - 1) * g->stride[axis] + reach + 1;
}
static inline bool isa_has_patch(const struct isa_group *g)
{
    return g->patch[0] > 1 || g->patch[1] > 1;
}
/* Conv groups: in how many groups input channels and image columns go together (ISA.md 5). */
static inline uint32_t isa_conv_groups(const struct isa_group *g)
{
    return g->conv_groups ? g->conv_groups : 1;
}
enum isa_window_kind { WINDOW_MAX, WINDOW_AVERAGE, WINDOW_SUM, WINDOW_OVERLAP };
struct isa_window {
    uint32_t kind, kernel[2], stride[2], dilation[2];
    int32_t pad_top, pad_left;
    uint32_t counted[4]; /* top, left, bottom, right */
};
struct isa_program_entry { /* a vector program */
    uint32_t arity, constants_view, n_ops;
    struct isa_lane ops[ISA_MAX_LANE_OPS];
};
struct isa_target {
    uint32_t tile, view, counter; /* SIGNAL: view unused, 0 */
};
struct isa_route {
    uint32_t n_targets;
    struct isa_target *targets;
};
struct isa_gather {
    uint32_t n_rows, n_cols, n_channels; /* 0 = identity */
    int32_t *rows, *cols, *channels;
    uint32_t fill; /* a pattern, as pad_value */
};
static inline uint64_t isa_gather_entries(const struct isa_gather *g)
{
    return (uint64_t)g->n_rows + g->n_cols + g->n_channels;
}
struct isa_preload {
    uint64_t address;
    uint32_t section;
    uint64_t offset, length;
};
struct isa_table { /* of lane operation tab: 256 entries of f32 or i32 */
    enum element element;
    uint32_t section;
    uint64_t offset;
};
enum { ISA_TABLE_ENTRIES = 256, ISA_MAX_LANE_TABLES = 64 };
struct isa_bytes {
    const uint8_t *at;
    uint64_t n;
};
struct isa_tile {
    uint32_t n_groups, n_views, n_windows, n_programs, n_routes, n_gathers, n_preloads, n_inbound;
    uint32_t n_tables;
    uint64_t buffer_bytes;
    uint32_t n_steps, *step; /* of a body: messages of each inbound counter in an iteration */
    struct isa_view *views;
    struct isa_group *groups;
    struct isa_window *windows;
    struct isa_program_entry *programs;
    struct isa_route *routes;
    struct isa_gather *gathers;
    struct isa_preload *preloads;
    struct isa_table *tables;
    uint32_t n_insts;
    const struct isa_inst *insts;
    const uint32_t *sources; /* n_insts node indices, or ISA_NO_SOURCE */
    /* The same as a file has it; at NULL: nobody has encoded it yet. */
    struct isa_bytes stream, source_map;
};
/* Makes `stream` and `source_map`, in the arena. Valid instructions; false if they are too many
 * kinds for a stream: walkers, or templates and phrases. */
bool isa_tile_encode(struct isa_tile *t, struct arena *a) CHECK_RESULT;
/* The tile's walkers and so on, each as records of some bytes: part number 0 .. ISA_STREAM_PARTS -
 * 1 of a stream. Its name, with `record` the bytes of one. */
enum { ISA_STREAM_PARTS = 8 };
const char *isa_stream_part(const struct isa_bytes *stream, unsigned part, struct isa_bytes *out,
                            unsigned *record);
/* Queues of a tile: groups 0..n_groups-1, then these. */
static inline unsigned isa_queue_group(const struct isa_tile *t, uint32_t group)
{
    return t->groups[group].shares ? t->groups[group].shares - 1 : group;
}
static inline unsigned isa_queue_vu(const struct isa_tile *t)
{
    return t->n_groups;
}
static inline unsigned isa_queue_tx(const struct isa_tile *t)
{
    return t->n_groups + 1;
}
static inline unsigned isa_queue_dma(const struct isa_tile *t)
{
    return t->n_groups + 2;
}
static inline unsigned isa_n_queues(const struct isa_tile *t)
{
    return t->n_groups + 3;
}

/* That hold weights. */
static inline uint32_t isa_tile_pes(const struct isa_tile *t)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < t->n_groups; g++)
        n += t->groups[g].shares ? 0 : t->groups[g].n_pes;
    return n;
}

struct isa_binding {
    bool output;
    uint32_t index;
    enum element element;
    const char *name;
    uint32_t rank;
    const uint64_t *shape;
    uint64_t offset;
    int64_t stride_h, stride_w, stride_c; /* elements */
    uint32_t height, width, channels, node;
    int64_t frame_stride; /* elements: all of the tensor, or 0: all frames share it */
};
struct isa_image {
    uint32_t section;
    uint64_t offset; /* bytes into the section, multiple of 64 */
    uint32_t k, n, node;
    enum element element;
    uint32_t center; /* section of n i32, + 1; 0: none */
    uint64_t center_offset;
    uint32_t weight_bits; /* of i8 weights: columns that one takes; 0: as many as the machine's */
    uint32_t n_shift, *shift; /* of the read-out, one a slice; none: all 0 */
};
struct isa_node {
    const char *name, *op, *entity;
};
/* Section contents: in memory, in a mapped file (loader), or made when somebody reads them: so
 * weights go from the model straight into the program file. */
struct isa_section {
    const char *name;
    const void *data; /* through isa_section_data; NULL: `read` gives them */
    uint64_t length;
    /* The bytes, in `scratch` if they are nowhere yet; scratch NULL: they are kept. */
    const void *(*read)(void *owner, void *scratch);
    void *owner; /* whose bytes they are, or NULL */
    /* Where the hash of the bytes is kept once it is known (0: it is not), or NULL. */
    _Atomic uint64_t *hash;
};
struct isa_program {
    struct arena *arena; /* owns the tables; owned by the program */
    struct file file;    /* mapped file behind the sections, if loaded */
    const char *compiler, *model, *options;
    struct arch arch;
    uint64_t graph_fingerprint, scheduled_cycles, layer_by_layer_cycles, pes;
    /* Until isa_program_settle, which writing and printing call: what gives graph_fingerprint. It
     * covers the weights, which have been read by then. */
    uint64_t (*fingerprint)(const void *graph);
    const void *graph;
    uint32_t frames; /* 0: streams run once; else they are the body of a run of so many frames */
    uint64_t pace;   /* cycles; 0: there is no pace counter */
    uint64_t interval_cycles, latency_cycles; /* of the steady state, of frame 0 */
    uint32_t no_weights; /* 1: sections of images are empty; there are times, but no values */
    uint32_t n_tiles, n_bindings, n_images, n_nodes, n_sections;
    struct isa_tile *tiles;
    struct isa_binding *bindings;
    struct isa_image *images;
    struct isa_node *nodes;
    struct isa_section *sections;
    /* section indices of tile streams and sources are derived when written: sections[] holds images
     * and constants only while in memory */
};
struct isa_program *isa_program_new(void);
void isa_program_free(struct isa_program *p); /* NULL is fine */
/* Makes graph_fingerprint right; afterwards what takes a const program does not change it. */
void isa_program_settle(const struct isa_program *p);
/* The weights that it was made with are not known: it keeps none. */
void isa_program_drop_weights(struct isa_program *p);
const void *isa_section_data(const struct isa_section *s);
/* Weights of an image, of its element: K x N row-major. */
const void *isa_image_data(const struct isa_program *p, uint32_t image);
/* What the sum of a column's inputs is multiplied with, N i32; NULL: nothing is added. */
const int32_t *isa_image_center(const struct isa_program *p, uint32_t image);
/* Patterns of a tile's table. */
const uint32_t *isa_table_data(const struct isa_program *p, const struct isa_table *t);

/* Types of the program's results, where views of types a and b are its operands (b of a unary one
 * does not matter). Returns n_ops, or the first operation with an operand of another type. The
 * tables must be valid. */
uint32_t isa_lane_types(const struct isa_tile *t, const struct isa_program_entry *e,
                        enum isa_type a, enum isa_type b, enum isa_type types[ISA_MAX_LANE_OPS]);

/* ---- what a chip may leave out (features.def, ISA.md 16) ---- */
enum isa_feature {
#define FEATURE(id, name, bit, doc) ISA_FEATURE_##id = bit,
#include "features.def"
    ISA_N_FEATURES
};
/* Bits of the features that a valid program needs; first (may be NULL): of each the first
 * instruction that needs it. */
uint32_t isa_features(const struct isa_program *p, struct isa_place first[ISA_N_FEATURES]);
const char *isa_feature_name(unsigned bit); /* NULL: there is none */

/* ---- frames (frames.c, ISA.md 14) ---- */
/* Of the instructions, at least 1; iterations of a body in a run of so many frames. */
uint32_t isa_stages(const struct isa_program *p);
uint32_t isa_iterations(const struct isa_program *p, uint32_t frames);
/* Flags of what acts in some frames only, LOAD and STORE: DMA_FIRST, DMA_LAST. */
static inline uint8_t isa_frame_flags(const struct isa_inst *i)
{
    return i->op == ISA_load || i->op == ISA_store ? i->flags : 0;
}
/* The frame that an instruction of the stage, with these flags, acts on in an iteration of a run of
 * so many frames; ISA_NO_FRAME: it is skipped. */
#define ISA_NO_FRAME UINT32_MAX
static inline uint32_t isa_frame_of(uint32_t stage, unsigned flags, uint32_t iteration,
                                    uint32_t frames)
{
    uint32_t frame = iteration - stage;
    bool acts = frame < frames && (!(flags & DMA_FIRST) || frame == 0) &&
                (!(flags & DMA_LAST) || frame == frames - 1);
    return acts ? frame : ISA_NO_FRAME;
}

/* ---- cost: the work of an instruction, for arch_cost (isa_cost.c) ---- */
/* Along one axis: how many taps one pixel of a transposed window meets at most. The taps whose
 * distance to it is a multiple of the stride are every (stride / gcd(stride, dilation))-th. */
uint32_t isa_overlap_taps(uint32_t kernel, uint32_t stride, uint32_t dilation);
/* What the work of an instruction follows from. */
struct isa_outline {
    unsigned op;                     /* enum isa_op */
    uint32_t h, w, channels;         /* of the result; VRED, SEND, STORE: of the source */
    uint32_t patch[2];               /* MVM: rows and columns of pixels a product makes */
    uint32_t x_bits;                 /* MVM: of the group; 0: f32 */
    uint64_t columns;                /* MVM: cells that a row of its fullest PE reads */
    uint32_t n_lane_ops;             /* VMAP */
    const struct isa_window *window; /* VWIN */
    uint32_t n_products;             /* VDOT: for each element of the result */
    enum element element;            /* SEND: of the view; LOAD, STORE: in DRAM */
    uint32_t hops;                   /* SEND, SIGNAL: to the farthest target */
    bool reads_b;                    /* VMAP: its program has two operands */
};
struct cost_work isa_work(const struct isa_outline *o);
/* The same of an instruction that is valid for the tile's tables. */
struct cost_work isa_inst_work(const struct isa_program *p, uint32_t tile,
                               const struct isa_inst *inst);
/* More of it, that no time depends on. */
struct isa_amounts {
    /* MVM: PEs of the group; rows and columns of the matrix that they hold, together */
    uint64_t pes, inputs, outputs;
    uint32_t weight_bits;         /* MVM: 0 = the machine's */
    enum element a, b, to;        /* of operands (MVM: the source) and result in buffers */
    uint64_t results;             /* VRED */
    uint32_t n_targets, all_hops; /* SEND: links to each of them, together */
};
/* What it adds to the counters of energy.h: SIM.md. */
struct energy_counts isa_counts(const struct arch *arch, const struct isa_outline *o,
                                const struct isa_amounts *m);
struct energy_counts isa_inst_counts(const struct isa_program *p, uint32_t tile,
                                     const struct isa_inst *inst);

/* The counts of a run. */
struct isa_energy {
    uint32_t frames, n_nodes, n_tiles;
    struct energy_counts total;
    struct energy_counts *of_node, *of_tile; /* each adds up to it; [n_nodes]: of no node */
    uint64_t rows_written;                   /* of crossbars, before the first frame */
};
/* Of `frames` frames of the program, arrays in `a`. */
struct isa_energy isa_program_energy(const struct isa_program *p, uint32_t frames, struct arena *a);
/* Room for one. */
struct isa_energy isa_energy_new(uint32_t n_nodes, uint32_t n_tiles, uint32_t frames,
                                 struct arena *a);
/* Adds work of the tile that is done `times` times for the node (ISA_NO_SOURCE: none). */
void isa_energy_add(struct isa_energy *e, uint32_t tile, uint32_t node, uint64_t times,
                    const struct energy_counts *counts);
void isa_energy_sum_up(struct isa_energy *e); /* once all is added: the total */

/* ---- tables as memories (memories.c) ---- */
enum { ISA_MEMORIES = 13, ISA_PROGRAM_MEMORIES = 1 };
struct isa_memory {
    const char *name;
    const uint8_t *words; /* little endian */
    uint32_t n;
    unsigned word_bytes; /* a multiple of 4 */
};
/* The i-th of a tile, of a valid program; its words are in `a`. Then those of the whole program. */
struct isa_memory isa_tile_memory(const struct isa_program *p, uint32_t tile, unsigned i,
                                  struct arena *a);
/* The same without its words. */
struct isa_memory isa_tile_memory_size(const struct isa_program *p, uint32_t tile, unsigned i);
struct isa_memory isa_program_memory(const struct isa_program *p, unsigned i, struct arena *a);
/* Instructions as they are dispatched in an iteration of a run of so many frames (0 frames: of the
 * one there is), each a word. */
unsigned isa_instruction_bytes(void);
struct isa_memory isa_tile_instructions(const struct isa_program *p, uint32_t tile, uint32_t frames,
                                        uint32_t iteration, struct arena *a);
/* Records of a run, each a word (run_words.c; DUMP.md has their meaning): the bytes of one, and one
 * put there. */
struct isa_times {
    uint32_t instruction, iteration;
    uint64_t dispatch, start, end;
};
struct isa_golden {
    uint32_t value;
    uint64_t address;
    uint32_t place, kind;
};
struct isa_checksum {
    uint64_t records, hash;
};
unsigned isa_times_bytes(void);
unsigned isa_golden_bytes(void);
unsigned isa_checksum_bytes(void);
void isa_put_times(const struct isa_times *t, uint8_t *to);
void isa_put_golden(const struct isa_golden *g, uint8_t *to);
void isa_put_checksum(const struct isa_checksum *c, uint8_t *to);
/* What a tile's memories hold (tile_bytes.c): its stream; its tables, as isa_tile_memory has them;
 * weights, of the bits that cells hold; the buffer. */
struct isa_tile_bytes {
    uint64_t code, tables, weights, buffer;
};
/* Of a valid program that is encoded. */
struct isa_tile_bytes isa_tile_bytes(const struct isa_program *p, uint32_t tile);
/* Code and tables, as a share of the weights; NaN of a tile that has none. */
double isa_tile_share(const struct isa_tile_bytes *b);
/* The words of memories and the numbers beside them as source text (package.c). */
enum isa_language { ISA_IN_SV, ISA_IN_C, ISA_IN_JSON };
void isa_print_package(enum isa_language language, struct text *out);
/* Lists of numbers that a testbench needs (numbers.c): of a tile, its memories' words and more. */
enum isa_number_list { ISA_TILE_NUMBERS, ISA_PROGRAM_NUMBERS, ISA_MACHINE_NUMBERS, ISA_N_LISTS };
struct isa_number {
    const char *name;
    uint64_t value;
};
struct isa_numbers {
    const struct isa_number *at;
    size_t n;
};
/* p NULL: names alone. */
struct isa_numbers isa_numbers_of(enum isa_number_list list, const struct isa_program *p,
                                  uint32_t tile, struct arena *a);

/* ---- program files ---- */
/* Encodes all tiles that are not yet. False with a diagnostic. */
bool isa_program_encode(struct isa_program *p, struct diag *d) CHECK_RESULT;
/* They must be. False with a diagnostic, too, where isa_program_read would refuse the header. */
bool isa_program_write(const struct isa_program *p, const char *path, uint64_t *out_bytes,
                       struct diag *d) CHECK_RESULT;
/* The same bytes to a stream, from front to back. Errors of writing stay in the stream. */
bool isa_program_print(const struct isa_program *p, FILE *out, uint64_t *out_bytes,
                       struct diag *d) CHECK_RESULT;
/* Maps and validates form: magic, versions, hashes, section bounds, arch fingerprint, table sizes.
 * Every index and limit that isa_validate covers holds afterwards. */
struct isa_program *isa_program_read(const char *path, struct diag *d) CHECK_RESULT;
/* The same of bytes, which stay the caller's as long as the program is there; `name`: in messages.
 */
struct isa_program *isa_program_read_bytes(const void *bytes, size_t n, const char *name,
                                           struct diag *d) CHECK_RESULT;
/* All table indices, PE ranges, view extents within buffer_bytes, targets, bindings, decodability
 * of every instruction and its static operands. Reports every fault (code PROGRAM), at most 20 per
 * tile. */
bool isa_validate(const struct isa_program *p, struct diag *d) CHECK_RESULT;

/* Are all products exact? Those of f32 are on any machine. */
bool isa_is_ideal(const struct isa_program *p);

/* ---- text ---- */
struct isa_dis_options {
    bool inline_sections; /* raw sections as hex instead of file(path, offset, length, hash) */
    const char *path;     /* program file the sections are named by */
    /* A part of the program, which cannot be assembled: one tile; instructions that one node is the
     * source of, and the entries of tables that these name. NULL: all. */
    const uint32_t *tile, *node;
};
void isa_disassemble(const struct isa_program *p, const struct isa_dis_options *o, FILE *out);
/* Everything but the streams and the sections' bytes, as JSON: names as in program.proto, every
 * field, one entry of a table a line. DUMP.md. */
void isa_print_json(const struct isa_program *p, FILE *out);
struct isa_program *isa_assemble(const char *text, size_t n, const char *file,
                                 struct diag *d) CHECK_RESULT;
/* Markdown tables of operations and fields for ISA.md. */
void isa_print_tables(struct text *out);

#endif
