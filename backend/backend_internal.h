/*
 * backend_internal.h - the plan: what stands between a CROSSBAR graph and instruction streams.
 *
 *   nodes.c       groups operations into nodes: one stored value each; concat is an address map
 *   sets.c        cuts every stored value into a grid of cells, the least units of scheduling
 *   place.c       puts PEs on tiles; a copy's PEs on one tile are a group
 *   place_mesh.c  numbers the tiles of a mesh so that ways are short
 *   home.c        decides which tile finishes each cell
 *   tasks.c       one task an instruction, with every data dependency
 *   reads.c       who needs what where: the buffers, and the cells that a task waits for
 *   schedule.c    start times on the shared cost model; the order of starts is L, the law of all
 *                 streams
 *   memplan.c     ring sizes from that schedule, addresses
 *   access.c      which rows of which buffers a task touches
 *   emit*.c       prints L: streams, tables, counters
 *   box.c         boxes and rows of elements, which all of them use
 *   detail.c      reads the finished plan for reports, with critical.c
 *
 * Each stage fills its part and leaves the earlier parts alone. Everything lives in `arena`.
 */
#ifndef CIMC_BACKEND_INTERNAL_H
#define CIMC_BACKEND_INTERNAL_H

#include "backend.h"

#include "base/map.h"
#include "mvm_mapping.h"
#include "need.h"
#include "resource.h"

#define NONE UINT32_MAX
enum { PROGRESS_TASKS = 1 << 14 }; /* so many tasks from one word about progress to the next */

struct box { /* [lo, hi) on each axis */
    int32_t lo[3], hi[3];
};
struct rows { /* [lo, hi); empty if lo == hi */
    int32_t lo, hi;
};

/* ---- nodes.c ---- */

enum node_kind {
    NODE_INPUT,    /* in DRAM; not computed */
    NODE_CONSTANT, /* preloaded where it is read */
    NODE_MVM,      /* base layer and its fused epilogue */
    NODE_MAP,      /* elementwise on one or two operands */
    NODE_WINDOW,   /* pooling, overlap-add */
    NODE_GATHER,   /* pad, strided slice, nearest resize */
    NODE_REDUCE,
    NODE_RESHAPE,   /* one copy through a view of other shape */
    NODE_TRANSPOSE, /* one copy through a permuted view */
};

/* A buffer that cells are sent to, as part `part` of its value. Targets that want the same channels
 * of the node are one class: a message carries the channels of a cell that its class wants. */
struct target {
    uint32_t buffer, part, class;
};
struct send_class {
    int32_t lo, hi; /* channels of the node */
    uint32_t *send; /* per cell: the task that sends it, or NONE */
};

/* Operand of a node: a value as it is read (an alias or a stored one). */
struct operand {
    const struct ir_op *value;
    struct axis_map map[3];
    float pad_value; /* NODE_MVM: what a window reads outside the value */
};

/* Sorted cut points of one axis: cell i = [at[i], at[i+1]); cell_of[coordinate] = i. */
struct grid {
    uint32_t n; /* cells */
    int32_t *at;
    uint32_t *cell_of;
};

struct node {
    enum node_kind kind;
    const struct ir_op *root; /* the operation that starts the node */
    const struct ir_op *out;  /* the operation whose value is stored; fused operations in between */
    int32_t dim[3];           /* of the stored value */
    unsigned n_operands;
    struct operand operand[2];
    struct isa_program_entry program; /* constants_view unused */
    unsigned n_vectors;               /* per-channel constants of the program */
    const struct ir_op *vector[ISA_MAX_LANE_OPS];
    /* sets.c */
    struct grid grid[3];
    uint32_t n_cells;
    /* home.c: tile of each cell */
    uint32_t *home;
    uint32_t layer; /* NODE_MVM: index into layers */
    /* tasks.c: task that completes each cell; who last asked for it; how it is sent */
    uint32_t *done, *asked;
    VEC(struct send_class) classes;
    VEC(struct target) targets; /* buffers on other tiles, or of aliases, that receive cells */
    uint32_t target_words;      /* words of a cell's target set */
    uint64_t *target_sets;      /* n_cells * target_words bits */
};

/* A value as a reader sees it is made of parts of stored nodes: element e of the value, inside
 * `where`, is element e - shift of the node. */
struct part {
    uint32_t node;
    struct box where;
    int32_t shift[3];
};
struct value_parts {
    uint32_t n;
    struct part *part;
};

/* ---- place.c ---- */

/* A run of K slices of one N block that one group holds. */
struct group_column {
    uint32_t ph, pv0, pv1;
};
struct group {
    uint32_t tile, number; /* number in the tile's table */
    uint32_t owner;    /* whose PEs and queue it uses: itself, or an earlier group of its weights */
    uint32_t last_mvm; /* owner: last MVM task given to its queue so far, or NONE */
    uint32_t layer, copy;
    uint32_t first_pe; /* number in the tile of its first PE */
    uint32_t n_pes, n_columns;
    struct group_column *column; /* ascending ph */
    uint32_t acc;                /* buffer */
    uint32_t *mvm;               /* task of each set */
    uint32_t source;             /* buffer of the operand */
    struct axis_map map[3];      /* what its K slices see of the operand: fewer taps, channels */
};
struct contributor { /* a group's share of an N block */
    uint32_t group, pv0, pv1;
    uint32_t landing; /* buffer at the home; NONE for the home's own group */
};
struct block { /* N blocks of a copy that have the same contributors */
    uint32_t n_contributors;
    struct contributor *contributor; /* ascending slices; the first one's tile is home */
    uint32_t *sums;                  /* buffers of running sums, n_contributors - 2 */
};
struct copy {
    struct box rect; /* rows and columns it owns */
    uint32_t first_group, n_groups;
    uint32_t n_sets, sets_y, sets_x; /* grid cells inside rect */
    uint32_t iy0, ix0;               /* first cell */
    struct block *block;             /* one per cell of grid[AXIS_C] */
};
struct layer {
    uint32_t node;
    struct ir_mapping mapping;
    uint32_t pv, ph; /* slices of K, blocks of N */
    uint32_t n_copies, copies_h, copies_w;
    struct copy *copy;
    uint32_t shares; /* earlier layer with the same weights, or NONE */
};
struct tile {
    uint32_t n_groups, n_pes;
    uint64_t bytes; /* memplan.c: of its buffers */
};

/* ---- tasks.c ---- */

/* Which of a tile's queues a task is in. */
enum task_unit { QUEUE_GROUP, QUEUE_VU, QUEUE_TX, QUEUE_DMA, QUEUE_NONE };
enum task_kind {
#define TASK(name, inst, unit, work) TASK_##name,
#include "tasks.def"
#undef TASK
};
extern const struct task_kind_info {
    enum isa_op op;
    enum task_unit unit;
    const char *work; /* for reports */
} task_kinds[];
struct task {
    uint8_t kind;
    bool demand; /* starts only when some task asks for it (LOAD) */
    uint16_t step;
    uint32_t tile;
    uint32_t queue; /* global number; NONE for TASK_barrier */
    uint32_t node, cell;
    uint32_t aux;  /* MVM, PARTIAL: group; SEND: class; LOAD: buffer; STORE: output record */
    uint32_t aux2; /* LOAD: part */
    int32_t row;   /* LOAD */
    /* rows of the cells that it, and no earlier task of its group, waits for: per operand */
    struct rows awaits[2];
    uint32_t pred0;          /* one predecessor, or NONE */
    uint32_t preds, n_preds; /* more: range of plan->preds */
    uint64_t start, end;
    uint32_t order; /* position in L */
};

/* Memory of one tile that holds rows of one value; rows share slots modulo `ring`. */
struct buffer {
    uint32_t tile;
    const struct ir_op *value; /* what readers see; NULL for partial sums and temporaries */
    const struct ir_op *shows; /* the operation whose elements it holds (partial sums: the mvm) */
    struct box held;           /* in the coordinates of `value` */
    int32_t dim[3];            /* logical extent */
    enum element element;
    bool constant;
    uint32_t *load_task;   /* value with input parts: [part][row of held] -> task, or NONE */
    struct row_life *life; /* schedule: per row of held */
    uint32_t ring;         /* memplan: slots */
    uint64_t base, bytes;
    int64_t pitch[3]; /* bytes per row, column, channel */
};
/* When the elements of a row are first written and last read, in cycles and in L. */
struct row_life {
    uint64_t write_start, read_end;
    uint32_t write_order, read_order;
    bool written;
};
/* One STORE, or LOAD + STORE pair for outputs that are inputs. */
struct output_store {
    const struct ir_op *output;
    struct box where; /* in the stored node's coordinates */
    int32_t shift[3]; /* output coordinates = where + shift */
    uint32_t buffer;
};
/* How a node's instruction reads one part of one operand: per axis and per output cell (or set) the
 * cells of the part's node; for an input the rows. List i of axis a = at[a][start[a][i] ..
 * start[a][i+1]). */
struct reads {
    uint32_t part; /* index into the value's parts */
    uint32_t *start[3], *at[3];
};

struct plan {
    const struct ir_graph *graph;
    const struct arch *arch;
    const struct backend_options *options;
    struct arena *arena;
    struct diag *diag;
    bool single_copies; /* ignore copies: for layer_by_layer_cycles on machines with other costs */

    const uint32_t *position; /* on a mesh: number of each tile; NULL = as they were opened */

    uint32_t n_ops;
    const struct ir_op **ops;  /* by id */
    uint32_t *node_of;         /* op id -> node whose stored value it is, or NONE */
    struct value_parts *parts; /* op id -> parts (aliases and stored values that are read) */
    VEC(struct node) nodes;
    VEC(struct layer) layers;
    VEC(struct group) groups;
    VEC(struct tile) tiles;

    VEC(struct buffer) buffers;
    struct map buffer_of; /* (op id, tile) -> the value's buffer there */
    struct map target_of; /* (buffer, part) -> index into the targets of the part's node */
    VEC(struct task) tasks;
    VEC(uint32_t) preds;
    VEC(struct output_store) stores;
    uint32_t *barrier; /* per layer: a task that has all its cells as predecessors, or NONE */

    uint32_t *order; /* L: task ids by start */
    uint32_t n_order, n_queues;
    uint32_t *queue_base; /* per tile: global number of its queue 0 */
    uint64_t makespan, pe_busy_cycles;
    struct map arrival_of; /* (SEND, tile) -> arrival: when its messages there are counted */
    VEC(uint64_t) arrival;
};

/* ---- box.c ---- */
static inline bool box_empty(const struct box *b)
{
    return b->lo[0] >= b->hi[0] || b->lo[1] >= b->hi[1] || b->lo[2] >= b->hi[2];
}
struct box box_intersect(const struct box *a, const struct box *b);
void box_include(struct box *a, const struct box *b); /* an empty `a` becomes b */
void rows_include(struct rows *a, struct rows b);
struct box box_shift(const struct box *b, const int32_t shift[3], int sign);
struct box box_whole(const int32_t dim[3]);

/* ---- the stages ---- */
bool plan_nodes(struct plan *p) CHECK_RESULT;
bool plan_place(struct plan *p) CHECK_RESULT;
/* place_mesh.c: a better number for each tile of a trial plan that has its tasks; in `a`. */
uint32_t *plan_mesh_positions(const struct plan *p, struct arena *a);
void plan_sets(struct plan *p);
void plan_homes(struct plan *p);
bool plan_tasks(struct plan *p) CHECK_RESULT;
void plan_schedule(struct plan *p);
void plan_lives(struct plan *p); /* fills buffer->life from the schedule */
void plan_memory(struct plan *p);
struct isa_program *plan_emit(struct plan *p) CHECK_RESULT;

/* ---- shared by the stages ---- */
/* The elements of an operation's value in buffers and images; those of an input or output in DRAM.
 */
static inline enum element value_element(const struct ir_op *op)
{
    return ir_dtype_element((enum ir_dtype)op->out->type.dtype);
}
enum element plan_port_element(const struct ir_op *port);
static inline uint32_t node_cell(const struct node *n, uint32_t iy, uint32_t ix, uint32_t iz)
{
    return (iy * n->grid[AXIS_W].n + ix) * n->grid[AXIS_C].n + iz;
}
/* Does the cell go to target i of its node? */
static inline bool node_sends(const struct node *n, uint32_t cell, uint32_t i)
{
    return n->target_sets[(size_t)cell * n->target_words + i / 64] >> i % 64 & 1;
}
struct box node_cell_box(const struct node *n, uint32_t cell);
struct copy *layer_copy_at(const struct plan *p, struct layer *l, int32_t y, int32_t x);
/* Output channels that the group's PEs compute: [lo, hi). */
void group_channels(const struct plan *p, const struct group *g, int32_t *lo, int32_t *hi);
/* What a group multiplies: bounds of the kernel taps (per axis) and input channels of its K slices.
 */
struct box group_taps(const struct plan *p, const struct group *g);
/* What outputs `out` read of an operand, as a box of the operand's coordinates. */
struct box read_box(const struct axis_map map[3], const struct box *out);
static inline uint32_t queue_vu(const struct plan *p, uint32_t tile)
{
    return p->queue_base[tile] + p->tiles.at[tile].n_groups;
}
static inline uint32_t queue_tx(const struct plan *p, uint32_t tile)
{
    return queue_vu(p, tile) + 1;
}
static inline uint32_t queue_dma(const struct plan *p, uint32_t tile)
{
    return queue_vu(p, tile) + 2;
}

/* ---- work.c ---- */
/* The window of a pooling or overlap-add. */
struct isa_window node_window(const struct node *n);
/* The amounts of work that the task's times come from; `machine`: arch and number of tiles. */
struct cost_work plan_task_work(const struct plan *p, const struct isa_program *machine,
                                const struct task *t);
/* When what the task makes is there for tasks of the tile: at `end`; of a SEND at the arrival of
 * its message, UINT64_MAX if there is none. */
uint64_t plan_arrival(const struct plan *p, uint32_t id, uint32_t tile);

/* ---- detail.c, critical.c: what a report shows of a finished plan; strings and arrays in `a` ----
 */
/* Its name, or "(add)" where it has none. */
const char *plan_op_title(const struct ir_op *op, struct arena *a);
void plan_report(const struct plan *p, struct arena *a, struct backend_result *out);
/* Bytes and messages from tile to tile, from the tasks alone: one entry a pair, sorted, in `a`. */
struct traffic_report *plan_traffic(const struct plan *p, struct arena *a, uint32_t *out_n);
void plan_report_path(const struct plan *p, struct arena *a, struct backend_detail *out);

/* ---- access.c ---- */
/* One buffer that a task reads or writes; the box is in the coordinates of what the buffer shows.
 */
struct access {
    uint32_t buffer;
    struct box box;
    /* A write: those of the box. A read: from the first to the last row of the box and of the cells
     * waited for. Every cell that comes to a tile so lies in the rows of a task that waited for it,
     * and whoever knows that task to be over may write there. */
    struct rows rows;
    bool write;
    uint32_t part; /* SEND, LOAD: the part of the buffer's value that is written; else NONE */
};
struct accesses {
    VEC(struct access) v;
};
/* What the task touches, reads first (operand order), then writes. Clears `out` first. */
void task_accesses(const struct plan *p, const struct task *t, struct accesses *out);
/* The box of its node's value that the task computes or moves. */
struct box task_box(const struct plan *p, const struct task *t);
/* Its vector program: the node's, with the addition of a partial sum in front where it adds one. */
void task_program(const struct plan *p, const struct task *t, struct isa_program_entry *out);

/* ---- reads.c ---- */
/* The buffer of a value on a tile, made at first use; plan_find_buffer: one that there is. */
uint32_t plan_find_buffer(const struct plan *p, uint32_t tile, const struct ir_op *value);
uint32_t plan_buffer(struct plan *p, uint32_t tile, const struct ir_op *value);
uint32_t plan_new_buffer(struct plan *p, uint32_t tile, const struct ir_op *shows,
                         const int32_t dim[3], const struct box *held);
/* Read lists of operand `o` for output intervals cut[a][0..n[a]] on each axis; one entry a part. */
struct reads *plan_reads(struct plan *p, const struct operand *o, const uint32_t n[3],
                         int32_t *const cut[3], const struct axis_map map[3]);
/* Adds the predecessors that deliver list (i[0], i[1], i[2]) of every part into `buffer`; cells
 * that the reader already asked for are left out; it has serial numbers reader, reader+1, ... for
 * the parts. Returns the rows of the cells added, in the value's coordinates. */
struct rows plan_add_reads(struct plan *p, const struct operand *o, const struct reads *reads,
                           const uint32_t i[3], uint32_t buffer, uint32_t reader);
/* Adds a task whose predecessors are p->preds from first_pred on (and t.pred0). */
uint32_t plan_add_task(struct plan *p, struct task t, size_t first_pred);
uint32_t plan_load(struct plan *p, uint32_t buffer, uint32_t part, int32_t row);

#endif
