/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit_tables.c - the tables of tiles and program: what instructions refer to by number.
 *
 * Equal entries of a tile are one entry. Everything a view says follows from its buffer: base, ring
 * and pitches from memplan.c, held rectangle and extents from the value.
 */
#include "emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t intern_view(struct emitter *e, uint32_t tile, const struct isa_view *v)
{
    struct emit_tile *t = &e->tiles[tile];
    uint32_t i = map_intern(&t->view_of, v, sizeof *v, (uint32_t)t->views.n);
    if (i == t->views.n)
        VEC_PUSH(&t->views, *v);
    return i;
}

/* What an entry is made for: the same question to the same tile has the same entry. */
struct key {
    enum { KEY_VIEW, KEY_PART, KEY_WINDOW, KEY_GATHER } what;
    uint32_t of; /* buffer or node */
    int32_t which[4];
    uint32_t pad_value;
};

static bool made(const struct emitter *e, uint32_t tile, const struct key *key, uint32_t *out)
{
    *out = map_find(&e->tiles[tile].made, key, sizeof *key);
    return *out != MAP_NONE;
}

static uint32_t remember(struct emitter *e, uint32_t tile, const struct key *key, uint32_t id)
{
    return map_intern(&e->tiles[tile].made, key, sizeof *key, id);
}

static struct isa_view whole_view(const struct emitter *e, uint32_t buffer)
{
    const struct buffer *b = buffer_at(e, buffer);
    const struct storage *at = storage_of(e, buffer);
    struct isa_view v;
    memset(&v, 0, sizeof v); /* compared as bytes */
    v.base = at->base;
    v.ring_rows = at->ring;
    v.ring_origin = v.y0 = b->held.lo[0];
    v.y1 = b->held.hi[0];
    v.x0 = b->held.lo[1];
    v.x1 = b->held.hi[1];
    v.height = (uint32_t)b->dim[0];
    v.width = (uint32_t)b->dim[1];
    v.channels = (uint32_t)(b->held.hi[2] - b->held.lo[2]);
    v.row_pitch = at->pitch[0];
    v.col_pitch = at->pitch[1];
    v.channel_pitch = at->pitch[2];
    v.value = b->shows->id;
    v.channel0 = (uint32_t)b->held.lo[2];
    v.element = b->element;
    if (schedule_repeats(e->p->schedule) && !b->constant && !b->state)
        v.frame_rows = (uint32_t)(v.y1 - v.y0);
    return v;
}

/* Rows of the view are not those of the buffer, which holds one frame at a time. */
static void show_one_frame(struct isa_view *v)
{
    if (v->frame_rows > 0)
        v->frame_rows = v->ring_rows;
}

/* Channels [lo, hi) of it. */
static struct isa_view channels_view(const struct emitter *e, uint32_t buffer, int32_t lo,
                                     int32_t hi, uint32_t pad_value)
{
    const struct buffer *b = buffer_at(e, buffer);
    struct isa_view v = whole_view(e, buffer);
    v.base += (uint64_t)((lo - b->held.lo[2]) * v.channel_pitch);
    v.channels = (uint32_t)(hi - lo);
    v.channel0 = (uint32_t)lo;
    v.pad_value = pad_value;
    return v;
}

uint32_t emit_view(struct emitter *e, uint32_t buffer, int32_t lo, int32_t hi, uint32_t pad_value)
{
    uint32_t tile = buffer_at(e, buffer)->tile;
    struct key key = {KEY_VIEW, buffer, {lo, hi}, pad_value};
    uint32_t id;
    if (made(e, tile, &key, &id))
        return id;
    struct isa_view v = channels_view(e, buffer, lo, hi, pad_value);
    return remember(e, tile, &key, intern_view(e, tile, &v));
}

/* The view of one row of a stack becomes one of all rows. */
static void show_stack(const struct emitter *e, uint32_t buffer, struct isa_view *v)
{
    const struct storage *at = storage_of(e, buffer);
    v->base -= at->row * (uint64_t)at->pitch[0];
    v->ring_rows = v->height = stack_of(e, buffer)->rows;
    v->ring_origin = v->y0 = 0;
    v->y1 = (int32_t)v->height;
    v->value = ISA_NO_SOURCE; /* each instruction says whose row it writes */
    show_one_frame(v);
}

/* In a view that shows what this buffer shows and nothing else. */
static struct isa_region emit_alone(struct emitter *e, uint32_t buffer, const struct box *box,
                                    uint32_t pad_value)
{
    uint32_t view = emit_view(e, buffer, box->lo[2], box->hi[2], pad_value);
    return (struct isa_region){(uint16_t)view, box->lo[0], box->lo[1]};
}

struct isa_region emit_place(struct emitter *e, uint32_t buffer, const struct box *box,
                             uint32_t pad_value)
{
    struct isa_region r = {0, box->lo[0], box->lo[1]};
    if (!stack_of(e, buffer))
        return emit_alone(e, buffer, box, pad_value);
    struct isa_view v = channels_view(e, buffer, box->lo[2], box->hi[2], pad_value);
    show_stack(e, buffer, &v);
    r.view = (uint16_t)intern_view(e, buffer_at(e, buffer)->tile, &v);
    r.y += (int32_t)storage_of(e, buffer)->row;
    return r;
}

/* ---- targets of messages and loads ---- */

/* A part of what the buffer shows, in coordinates of the part's node, channels [lo, hi) of it. */
static struct isa_view part_view(const struct emitter *e, uint32_t buffer, uint32_t part_index,
                                 int32_t lo, int32_t hi)
{
    const struct plan *p = e->p;
    const struct buffer *b = buffer_at(e, buffer);
    const struct part *part = buffer_part(p, p->tasks, buffer, part_index);
    const struct node *n = &p->nodes->at[part->node];
    struct box held = box_intersect(&b->held, &part->where);
    struct isa_view v = whole_view(e, buffer);
    v.base += (uint64_t)((held.lo[1] - b->held.lo[1]) * v.col_pitch +
                         (lo + part->shift[2] - b->held.lo[2]) * v.channel_pitch);
    v.ring_origin -= part->shift[0];
    v.y0 = held.lo[0] - part->shift[0];
    v.y1 = held.hi[0] - part->shift[0];
    v.x0 = held.lo[1] - part->shift[1];
    v.x1 = held.hi[1] - part->shift[1];
    v.height = (uint32_t)n->dim[0];
    v.width = (uint32_t)n->dim[1];
    v.channels = (uint32_t)(hi - lo);
    v.channel0 = (uint32_t)lo;
    v.value = n->out->id;
    return v;
}

/* The view shows a row of the buffer's stack as one row or column of the source. It becomes one of
 * all rows, each a row or column further, so that what comes from there for others is shown by it
 * too. The box, which is all that is sent, must be of that one row or column. */
static void show_rows(const struct emitter *e, uint32_t buffer, const struct box *box,
                      struct isa_view *v)
{
    const struct storage *at = storage_of(e, buffer);
    bool down = v->height > 1 && v->y1 - v->y0 == 1 && box->hi[0] - box->lo[0] == 1;
    bool across = v->width > 1 && v->x1 - v->x0 == 1 && box->hi[1] - box->lo[1] == 1;
    int64_t here = down ? v->y0 : v->x0, pitch = at->pitch[0];
    int64_t behind = (int64_t)at->row - here, extent = down ? v->height : v->width;
    int64_t lo = max_i64(0, -behind), hi = min_i64(extent, stack_of(e, buffer)->rows - behind);
    if (!down && !across)
        return;
    v->base += (uint64_t)((lo - here) * pitch);
    if (down) {
        v->ring_origin = v->y0 = (int32_t)lo;
        v->y1 = (int32_t)hi;
        v->ring_rows = (uint32_t)(hi - lo);
        v->row_pitch = pitch;
        show_one_frame(v);
    } else {
        v->x0 = (int32_t)lo;
        v->x1 = (int32_t)hi;
        v->col_pitch = pitch;
    }
}

/* The view shows a row or column of the buffer, which is in no stack, as row `row` of a stack that
 * is sent. It becomes one of the rows or columns around, each from the next row of the stack, since
 * a concat is mostly made so. */
static void show_around(const struct emitter *e, const struct access *to, int64_t row, int64_t rows,
                        struct isa_view *v)
{
    const struct buffer *b = buffer_at(e, to->buffer);
    const struct box *where = &buffer_part(e->p, e->p->tasks, to->buffer, to->part)->where;
    int a = b->dim[0] > 1 ? 0 : 1;
    if (b->dim[a] == 1 || where->hi[a] - where->lo[a] != 1)
        return;
    int64_t lo = max_i64(0, row - (where->lo[a] - b->held.lo[a]));
    v->y1 = (int32_t)min_i64(rows, row + b->held.hi[a] - where->lo[a]);
    v->y0 = (int32_t)lo;
    if (a == 0)
        return; /* the ring is the buffer's */
    v->row_pitch = storage_of(e, to->buffer)->pitch[a];
    v->base += (uint64_t)((lo - row) * v->row_pitch);
    v->ring_origin = v->y0;
    v->ring_rows = (uint32_t)(v->y1 - v->y0);
    show_one_frame(v);
}

uint32_t emit_target_view(struct emitter *e, const struct access *to, uint32_t source,
                          const struct box *box)
{
    uint32_t tile = buffer_at(e, to->buffer)->tile, id;
    const struct stack *from = source == NONE ? NULL : stack_of(e, source);
    bool plain = !from && !stack_of(e, to->buffer);
    struct key key = {KEY_PART, to->buffer, {(int32_t)to->part, box->lo[2], box->hi[2]}, 0};
    if (plain && made(e, tile, &key, &id))
        return id;
    struct isa_view v = to->part == NONE
                            ? channels_view(e, to->buffer, box->lo[2], box->hi[2], 0)
                            : part_view(e, to->buffer, to->part, box->lo[2], box->hi[2]);
    if (from) {
        int32_t row = (int32_t)storage_of(e, source)->row;
        v.y0 += row;
        v.y1 += row;
        v.ring_origin += row;
        v.height = from->rows;
        v.value = ISA_NO_SOURCE;
    }
    if (stack_of(e, to->buffer))
        show_rows(e, to->buffer, box, &v);
    else if (from && to->part != NONE)
        show_around(e, to, storage_of(e, source)->row, from->rows, &v);
    id = intern_view(e, tile, &v);
    return plain ? remember(e, tile, &key, id) : id;
}

/* ---- other views ---- */

struct isa_region emit_operand(struct emitter *e, uint32_t buffer, const struct operand *o,
                               const int32_t dim[3], const struct box *box, uint32_t pad_value)
{
    const struct buffer *b = buffer_at(e, buffer);
    bool whole = o->map[AXIS_H].kind == MAP_ALL;
    bool stacked = stack_of(e, buffer) && dim[0] == 1 && !whole, spread[3];
    for (int a = 0; a < 3; a++)
        spread[a] = o->map[a].kind == MAP_ZERO;
    spread[0] &= !stacked && (dim[0] > 1 || storage_of(e, buffer)->ring == 1);
    if (!spread[0] && !spread[1] && !spread[2])
        return whole ? emit_alone(e, buffer, box, pad_value)
                     : emit_place(e, buffer, box, pad_value);
    struct isa_view v = whole_view(e, buffer);
    struct isa_region r = {0, box->lo[0], box->lo[1]};
    if (stacked) {
        show_stack(e, buffer, &v);
        r.y += (int32_t)storage_of(e, buffer)->row;
    }
    if (spread[0]) {
        v.row_pitch = 0;
        v.ring_origin = v.y0 = 0;
        v.y1 = dim[0];
        v.height = (uint32_t)dim[0];
        v.ring_rows = (uint32_t)dim[0];
        show_one_frame(&v);
    }
    if (spread[1]) {
        v.col_pitch = 0;
        v.x0 = 0;
        v.x1 = dim[1];
        v.width = (uint32_t)dim[1];
    }
    if (spread[2])
        v.channel_pitch = 0;
    else
        v.base += (uint64_t)((box->lo[2] - b->held.lo[2]) * storage_of(e, buffer)->pitch[2]);
    v.channels = (uint32_t)(box->hi[2] - box->lo[2]);
    v.channel0 = spread[2] ? 0 : (uint32_t)box->lo[2];
    v.pad_value = pad_value;
    r.view = (uint16_t)intern_view(e, b->tile, &v);
    return r;
}

uint32_t emit_permuted_view(struct emitter *e, uint32_t buffer, const int64_t *perm)
{
    const struct buffer *b = buffer_at(e, buffer);
    const struct storage *at = storage_of(e, buffer);
    struct isa_view v = whole_view(e, buffer);
    v.height = (uint32_t)b->dim[perm[0]];
    v.width = (uint32_t)b->dim[perm[1]];
    v.channels = (uint32_t)b->dim[perm[2]];
    v.ring_rows = v.height;
    v.ring_origin = v.y0 = v.x0 = 0;
    v.y1 = b->dim[perm[0]];
    v.x1 = b->dim[perm[1]];
    v.row_pitch = at->pitch[perm[0]];
    v.col_pitch = at->pitch[perm[1]];
    v.channel_pitch = at->pitch[perm[2]];
    show_one_frame(&v);
    return intern_view(e, b->tile, &v);
}

uint32_t emit_reshaped_view(struct emitter *e, uint32_t buffer, const struct ir_op *reshape)
{
    const struct buffer *b = buffer_at(e, buffer);
    const struct ir_type *source = &reshape->in[0].value->type;
    const uint8_t *from = ir_order_axes(reshape->attrs->reshape.from);
    int64_t pitch[3], next = (int64_t)element_bytes(b->element);
    for (int i = 2; i >= 0; i--) {
        pitch[from[i]] = next;
        next *= source->dim[from[i]];
    }
    struct isa_view v = whole_view(e, buffer);
    v.value = reshape->in[0].value->def->id; /* its coordinates are the operand's */
    v.height = v.ring_rows = (uint32_t)source->dim[0];
    v.width = (uint32_t)source->dim[1];
    v.channels = (uint32_t)source->dim[2];
    v.ring_origin = v.y0 = v.x0 = 0;
    v.y1 = (int32_t)source->dim[0];
    v.x1 = (int32_t)source->dim[1];
    v.row_pitch = pitch[0];
    v.col_pitch = pitch[1];
    v.channel_pitch = pitch[2];
    show_one_frame(&v);
    return intern_view(e, b->tile, &v);
}

/* ---- constants ---- */

uint64_t emit_bytes(struct emitter *e, const void *bytes, size_t n)
{
    size_t at = e->constants.n, end = at + (n + 63) / 64 * 64;
    VEC_RESERVE(&e->constants, end);
    memcpy(e->constants.at + at, bytes, n);
    memset(e->constants.at + at + n, 0, end - at - n);
    e->constants.n = end;
    return at;
}

uint64_t emit_constant(struct emitter *e, const struct ir_op *c)
{
    uint64_t *known = &e->constant_offset[c->id];
    size_t n = (size_t)ir_count(&c->out->type) * element_bytes(value_element(c));
    if (!*known)
        *known = emit_bytes(e, ir_const_data(c, e->arena), n) + 1;
    return *known - 1;
}

/* n values of the constant as lanes read them, 32 bits each; one value is repeated. */
static void lane_values(const struct ir_op *c, uint32_t n, uint32_t *out)
{
    bool one = ir_count(&c->out->type) == 1, real = value_element(c) == ELEMENT_f32;
    for (uint32_t i = 0; i < n; i++) {
        int64_t at = one ? 0 : i;
        out[i] = real ? f32_bits((float)ir_const_f64(c, at)) : (uint32_t)ir_const_i64(c, at);
    }
}

/* Where a row of n values of the constant is, as lanes read them. */
static uint64_t emit_row(struct emitter *e, const struct ir_op *c, uint32_t n)
{
    if (element_bytes(value_element(c)) == sizeof(uint32_t) && ir_count(&c->out->type) == n)
        return emit_constant(e, c);
    uint32_t fresh = (uint32_t)e->row_offset.n;
    uint32_t i = map_intern_u64(&e->row_of, map_pair(c->id, n), fresh);
    if (i == fresh) {
        uint32_t *values = heap_alloc((size_t)n * sizeof *values);
        lane_values(c, n, values);
        uint64_t offset = emit_bytes(e, values, (size_t)n * sizeof *values);
        heap_free(values);
        VEC_PUSH(&e->row_offset, offset);
    }
    return e->row_offset.at[i];
}

static uint64_t reserve_bytes(struct emitter *e, uint32_t tile, uint64_t n)
{
    uint64_t at = e->tiles[tile].bytes;
    e->tiles[tile].bytes += (n + 63) / 64 * 64;
    return at;
}

void emit_constant_buffers(struct emitter *e)
{
    for (uint32_t i = 0; i < e->p->tasks->buffers.n; i++) {
        const struct buffer *b = buffer_at(e, i);
        const struct storage *at = storage_of(e, i);
        if (!b->constant)
            continue;
        struct isa_preload pre = {at->base, e->constants_section, emit_constant(e, b->value),
                                  (at->bytes + ISA_WORD_BYTES - 1) / ISA_WORD_BYTES *
                                      ISA_WORD_BYTES};
        VEC_PUSH(&e->tiles[b->tile].preloads, pre);
    }
}

/* View of the program's constants for channels [lo, hi) of n, preloaded into the tile. Its rows are
 * f32 and i32, as the lanes say; the element is that of the last. */
static uint32_t vectors_view(struct emitter *e, uint32_t tile, const struct lanes *l, uint32_t n,
                             int32_t lo, int32_t hi)
{
    const uint64_t size = sizeof(uint32_t), row = (uint64_t)(hi - lo) * size;
    const uint64_t base = reserve_bytes(e, tile, row * l->n_vectors);
    struct isa_view v;
    memset(&v, 0, sizeof v);
    for (unsigned k = 0; k < l->n_vectors; k++) {
        struct isa_preload pre = {base + k * row, e->constants_section,
                                  emit_row(e, l->vector[k], n) + (uint64_t)lo * size, row};
        VEC_PUSH(&e->tiles[tile].preloads, pre);
        bool real = value_element(l->vector[k]) == ELEMENT_f32;
        v.element = real ? ELEMENT_f32 : ELEMENT_i32;
    }
    v.base = base;
    v.ring_rows = v.height = l->n_vectors;
    v.y1 = (int32_t)l->n_vectors;
    v.x1 = 1;
    v.width = 1;
    v.channels = (uint32_t)(hi - lo);
    v.row_pitch = (int64_t)row;
    v.col_pitch = (int64_t)row;
    v.channel_pitch = (int64_t)size;
    v.value = l->vector[0]->id;
    v.channel0 = (uint32_t)lo;
    return intern_view(e, tile, &v);
}

/* The tile's table with the constant's entries; tables of equal contents are one. */
static uint32_t emit_table(struct emitter *e, uint32_t tile, const struct ir_op *c)
{
    struct emit_tile *t = &e->tiles[tile];
    struct isa_table table = {.section = e->constants_section};
    table.element = value_element(c) == ELEMENT_f32 ? ELEMENT_f32 : ELEMENT_i32;
    table.offset = emit_row(e, c, ISA_TABLE_ENTRIES);
    uint32_t content[ISA_TABLE_ENTRIES + 1] = {table.element};
    lane_values(c, ISA_TABLE_ENTRIES, content + 1);
    uint32_t i = map_intern(&t->table_of, content, sizeof content, (uint32_t)t->tables.n);
    if (i == t->tables.n)
        VEC_PUSH(&t->tables, table);
    return i;
}

/* What two vector programs have in common that are one: lanes, constants, tables, and of which
 * channels. */
static void program_content(const struct lanes *l, uint32_t n, const struct box *box,
                            struct number_list *out)
{
    const uint32_t head[] = {l->program.arity,
                             l->program.n_ops,
                             l->n_vectors,
                             l->n_tables,
                             l->n_vectors ? n : 0,
                             l->n_vectors ? (uint32_t)box->lo[2] : 0,
                             l->n_vectors ? (uint32_t)box->hi[2] : 0};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        VEC_PUSH(&out->v, head[i]);
    for (unsigned i = 0; i < l->program.n_ops; i++) {
        const struct isa_lane *lane = &l->program.ops[i];
        VEC_PUSH(&out->v, (uint32_t)lane->op << 16 | (uint32_t)lane->x << 8 | lane->y);
        VEC_PUSH(&out->v, lane->imm);
    }
    for (unsigned i = 0; i < l->n_vectors; i++)
        VEC_PUSH(&out->v, l->vector[i]->id);
    for (unsigned i = 0; i < l->n_tables; i++)
        VEC_PUSH(&out->v, l->table[i]->id);
}

uint32_t emit_program(struct emitter *e, const struct task *t, const struct box *box)
{
    struct emit_tile *tile = &e->tiles[t->tile];
    uint32_t n = (uint32_t)task_node(e->p, t)->dim[2], fresh = (uint32_t)tile->programs.n;
    struct number_list content = {0};
    struct lanes l;
    task_program(e->p, t, &l);
    program_content(&l, n, box, &content);
    uint32_t id =
        map_intern(&tile->program_of, content.v.at, content.v.n * sizeof *content.v.at, fresh);
    VEC_FREE(&content.v);
    if (id < fresh)
        return id;
    if (l.n_vectors)
        l.program.constants_view = vectors_view(e, t->tile, &l, n, box->lo[2], box->hi[2]);
    for (unsigned i = 0; i < l.program.n_ops; i++)
        if (l.program.ops[i].op == LANE_TAB)
            l.program.ops[i].imm = emit_table(e, t->tile, l.table[l.program.ops[i].imm]);
    VEC_PUSH(&tile->programs, l.program);
    return id;
}

uint32_t emit_window(struct emitter *e, const struct task *t)
{
    const struct node *n = &e->p->nodes->at[t->node];
    struct key key = {KEY_WINDOW, t->node, {0}, 0};
    uint32_t id;
    if (made(e, t->tile, &key, &id))
        return id;
    VEC_PUSH(&e->tiles[t->tile].windows, node_window(n));
    return remember(e, t->tile, &key, (uint32_t)e->tiles[t->tile].windows.n - 1);
}

/* Source index of element o of a padded axis; -1 = the pad value. */
static int32_t pad_index(const struct ir_attrs_pad *pad, int a, int32_t o, int32_t extent)
{
    int32_t at = o - (int32_t)pad->before.at[a];
    if (at >= 0 && at < extent)
        return at;
    if (pad->mode == IR_PAD_CONSTANT)
        return -1;
    if (pad->mode == IR_PAD_EDGE)
        return at < 0 ? 0 : extent - 1;
    int32_t period = extent > 1 ? 2 * (extent - 1) : 1; /* reflect: the border is not repeated */
    at = ((at % period) + period) % period;
    return at < extent ? at : period - at;
}

static int32_t *gather_axis(struct emitter *e, const struct node *n, int a, int32_t lo, int32_t hi,
                            uint32_t *count)
{
    const struct ir_op *op = n->root;
    const int64_t *index = op->opcode == IR_gather_grid ? op->attrs->gather_grid.index.at : NULL;
    for (int i = 0; index && i < a; i++)
        index += n->dim[i];
    int32_t extent = (int32_t)op->in[0].value->type.dim[a];
    int32_t *list = ARENA_ARRAY(e->out->arena, int32_t, (size_t)(hi - lo));
    bool identity = true;
    for (int32_t o = lo; o < hi; o++) {
        list[o - lo] = index ? (int32_t)index[o] : pad_index(&op->attrs->pad, a, o, extent);
        identity &= list[o - lo] == o - lo;
    }
    *count = identity && (a == AXIS_C ? hi - lo == extent : true) ? 0 : (uint32_t)(hi - lo);
    return list;
}

uint32_t emit_gather(struct emitter *e, const struct task *t, const struct box *box)
{
    const struct node *n = &e->p->nodes->at[t->node];
    struct key key = {KEY_GATHER, t->node, {box->lo[2], box->hi[2]}, 0};
    uint32_t id;
    if (made(e, t->tile, &key, &id))
        return id;
    const union ir_attrs *attrs = n->root->attrs;
    float fill = n->root->opcode == IR_pad ? attrs->pad.value : attrs->gather_grid.value;
    struct isa_gather g = {.fill = element_bits(fill, value_element(n->root))};
    g.rows = gather_axis(e, n, AXIS_H, 0, n->dim[0], &g.n_rows);
    g.cols = gather_axis(e, n, AXIS_W, 0, n->dim[1], &g.n_cols);
    g.channels = gather_axis(e, n, AXIS_C, box->lo[2], box->hi[2], &g.n_channels);
    VEC_PUSH(&e->tiles[t->tile].gathers, g);
    return remember(e, t->tile, &key, (uint32_t)e->tiles[t->tile].gathers.n - 1);
}

uint32_t emit_route(struct emitter *e, uint32_t tile, const struct isa_target *targets, uint32_t n)
{
    struct emit_tile *t = &e->tiles[tile];
    uint32_t i = map_intern(&t->route_of, targets, n * sizeof *targets, (uint32_t)t->routes.n);
    if (i < t->routes.n)
        return i;
    struct isa_route r = {n, ARENA_ARRAY(e->out->arena, struct isa_target, n)};
    memcpy(r.targets, targets, n * sizeof *targets);
    VEC_PUSH(&t->routes, r);
    return i;
}
