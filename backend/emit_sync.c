/*
 * emit_sync.c - what every instruction waits for.
 *
 * Data: the completion of each predecessor, as a count of its queue (same tile) or of messages
 * (other tile). Space: a writer into a ring row waits until every queue that read the row in that
 * slot before is past its last read: its counter on the same tile, a credit (SIGNAL in the reader's
 * queue) on another. A minimum over readers, never a sum. All of them point backwards in L. A wait
 * implied by an earlier one of the same queue is dropped.
 */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

static uint32_t rows_of(const struct emitter *e, uint32_t buffer)
{
    const struct box *held = &buffer_at(e, buffer)->held;
    return (uint32_t)(held->hi[0] - held->lo[0]);
}

static bool wraps(const struct emitter *e, uint32_t buffer)
{
    return !buffer_at(e, buffer)->constant && storage_of(e, buffer)->ring < rows_of(e, buffer);
}

uint32_t sync_inbound(struct emitter *e, uint32_t tile, uint32_t from_queue, enum message_kind kind)
{
    struct emit_tile *t = &e->tiles[tile];
    uint32_t i = map_intern_u64(&t->inbound_of, map_pair(from_queue, kind), (uint32_t)t->inbound.n);
    if (i == t->inbound.n)
        VEC_PUSH(&t->inbound, ((struct inbound){from_queue, kind, 0}));
    return i;
}

/* ---- before emission: who reads and writes each ring, who ends each layer ---- */

static struct ring_reader *reader_of(struct emitter *e, uint32_t buffer, uint32_t queue)
{
    struct ring *r = &e->rings[buffer];
    uint32_t i = map_intern_u64(&e->reader_of, map_pair(buffer, queue), (uint32_t)r->readers.n);
    if (i < r->readers.n)
        return &r->readers.at[i];
    uint32_t n = rows_of(e, buffer);
    struct ring_reader reader = {.queue = queue};
    reader.last_task = ARENA_ARRAY(e->arena, uint32_t, n);
    reader.count = ARENA_ARRAY(e->arena, uint32_t, n);
    memset(reader.last_task, 0xff, n * sizeof *reader.last_task);
    VEC_PUSH(&r->readers, reader);
    return &r->readers.at[i];
}

static struct ring_writer *writer_of(struct emitter *e, uint32_t buffer, uint32_t tile)
{
    struct ring *r = &e->rings[buffer];
    uint32_t i = map_intern_u64(&e->writer_of, map_pair(buffer, tile), (uint32_t)r->writers.n);
    if (i < r->writers.n)
        return &r->writers.at[i];
    struct ring_writer w = {tile, arena_alloc(e->arena, rows_of(e, buffer))};
    VEC_PUSH(&r->writers, w);
    return &r->writers.at[i];
}

/* What the reader's credits for a writer's tile are known by. */
struct credit_key {
    uint32_t buffer, queue, tile;
};

/* Does the end of the task tell that rows of the buffer are done with? That of a reader does; and
 * that of a writer on the buffer's tile whose cell nobody reads. */
static bool frees(const struct emitter *e, uint32_t id, const struct access *a)
{
    return !a->write ||
           (e->p->tasks->buffers.at[a->buffer].tile == e->p->tasks->tasks.at[id].tile &&
            !e->has_successor[id]);
}

/* Which tasks others wait for; layer ends are no readers. */
static void note_successors(struct emitter *e)
{
    const struct plan *p = e->p;
    e->has_successor = heap_alloc(p->tasks->tasks.n * sizeof *e->has_successor);
    for (size_t i = 0; i < p->tasks->tasks.n; i++) {
        const struct task *t = &p->tasks->tasks.at[i];
        if (t->kind == TASK_barrier)
            continue;
        if (p->schedule->asked_by[i] != NONE)
            e->has_successor[p->schedule->asked_by[i]] = true;
        for (uint32_t k = 0; k < t->n_preds; k++)
            e->has_successor[p->tasks->preds.at[t->preds + k]] = true;
    }
}

static void note_ring_use(struct emitter *e, uint32_t id, const struct accesses *accesses)
{
    const struct task *t = &e->p->tasks->tasks.at[id];
    for (size_t k = 0; k < accesses->v.n; k++) {
        const struct access *a = &accesses->v.at[k];
        const struct buffer *b = &e->p->tasks->buffers.at[a->buffer];
        if (a->rows.lo >= a->rows.hi || !wraps(e, a->buffer))
            continue;
        uint32_t lo = (uint32_t)(a->rows.lo - b->held.lo[0]);
        uint32_t hi = (uint32_t)(a->rows.hi - b->held.lo[0]);
        if (a->write && b->tile != t->tile)
            memset(writer_of(e, a->buffer, t->tile)->writes + lo, 1, hi - lo);
        if (frees(e, id, a)) {
            struct ring_reader *r = reader_of(e, a->buffer, t->queue);
            for (uint32_t y = lo; y < hi; y++)
                r->last_task[y] = id; /* tasks come in L order */
        }
    }
}

/* The last task of a base layer on each tile that finishes cells of it. */
static void note_barrier(struct emitter *e, uint32_t layer)
{
    const struct plan *p = e->p;
    const struct task *barrier = &p->tasks->tasks.at[p->tasks->barrier[layer]];
    uint32_t *last = heap_alloc(p->segment->n_tiles * sizeof *last);
    memset(last, 0xff, p->segment->n_tiles * sizeof *last);
    for (uint32_t i = 0; i < barrier->n_preds; i++) {
        uint32_t id = p->tasks->preds.at[barrier->preds + i], tile = p->tasks->tasks.at[id].tile;
        if (last[tile] == NONE || p->schedule->rank[last[tile]] < p->schedule->rank[id])
            last[tile] = id;
    }
    for (size_t t = 0; t < p->segment->n_tiles; t++)
        if (last[t] != NONE) {
            VEC_PUSH(&e->barrier_ends, ((struct barrier_end){.layer = layer, .task = last[t]}));
            e->barrier_end_of[last[t]] = (uint32_t)e->barrier_ends.n;
        }
    free(last);
}

void sync_prepare(struct emitter *e)
{
    const struct plan *p = e->p;
    struct accesses accesses = {0};
    e->rings = heap_alloc(p->tasks->buffers.n * sizeof *e->rings);
    note_successors(e);
    for (uint32_t i = 0; i < p->schedule->n; i++) {
        task_accesses(p, &p->tasks->tasks.at[p->schedule->order[i].task], &accesses);
        note_ring_use(e, p->schedule->order[i].task, &accesses);
    }
    VEC_FREE(&accesses.v);
    e->barrier_end_of = heap_alloc(p->tasks->tasks.n * sizeof *e->barrier_end_of);
    e->signalled = ARENA_ARRAY(e->arena, uint32_t, p->segment->n_tiles);
    e->first_barrier_end = ARENA_ARRAY(e->arena, uint32_t, p->segment->n_layers + 1);
    for (uint32_t l = 0; l < p->segment->n_layers; l++) {
        if (p->options->mode == SCHEDULE_LAYER_BY_LAYER && p->tasks->barrier[l] != NONE)
            note_barrier(e, l);
        e->first_barrier_end[l + 1] = (uint32_t)e->barrier_ends.n;
    }
}

void sync_free(struct emitter *e)
{
    for (size_t i = 0; e->rings && i < e->p->tasks->buffers.n; i++) {
        struct ring *r = &e->rings[i];
        for (size_t k = 0; k < r->readers.n; k++)
            VEC_FREE(&r->readers.at[k].credits);
        VEC_FREE(&r->readers);
        VEC_FREE(&r->writers);
    }
    free(e->rings);
    free(e->has_successor);
    free(e->barrier_end_of);
    for (size_t i = 0; i < e->barrier_ends.n; i++)
        VEC_FREE(&e->barrier_ends.at[i].told);
    VEC_FREE(&e->barrier_ends);
    map_free(&e->reader_of);
    map_free(&e->writer_of);
    map_free(&e->credit_of);
    map_free(&e->told_of);
}

/* ---- waits ---- */

static void add_wait(struct emitter *e, uint32_t counter, uint32_t threshold)
{
    for (uint32_t i = 0; i < e->waits.n; i++)
        if (e->waits.at[i].counter == counter) {
            if (e->waits.at[i].threshold < threshold)
                e->waits.at[i].threshold = threshold;
            return;
        }
    VEC_PUSH(&e->waits, ((struct isa_wait){(uint16_t)counter, threshold}));
}

/* PE groups and vector units run one instruction after the other: no wait on oneself. */
static bool runs_in_order(const struct task *t)
{
    return task_kinds[t->kind].unit <= QUEUE_VU;
}

static void wait_for_queue(struct emitter *e, const struct task *t, uint32_t queue, uint32_t count)
{
    if (queue != t->queue || !runs_in_order(t))
        add_wait(e, queue - e->p->tasks->queue_base[t->tile], count);
}

static void wait_for_message(struct emitter *e, const struct task *t, uint32_t pred)
{
    for (uint32_t i = 0; i < e->n_messages[pred]; i++) {
        const struct message *m = &e->messages.at[e->first_message[pred] + i];
        if (m->tile == t->tile)
            add_wait(e, ISA_FIRST_INBOUND + m->counter, m->number);
    }
}

static void wait_for_barrier(struct emitter *e, const struct task *t, uint32_t layer)
{
    for (uint32_t i = e->first_barrier_end[layer]; i < e->first_barrier_end[layer + 1]; i++) {
        const struct barrier_end *end = &e->barrier_ends.at[i];
        const struct task *last = &e->p->tasks->tasks.at[end->task];
        if (last->tile == t->tile)
            wait_for_queue(e, t, last->queue, e->count_after[end->task]);
        uint32_t told = map_find_u64(&e->told_of, map_pair(i, t->tile));
        if (told != MAP_NONE)
            add_wait(e, ISA_FIRST_INBOUND + end->told.at[told].counter, end->told.at[told].number);
    }
}

static void wait_for(struct emitter *e, const struct task *t, uint32_t pred)
{
    if (pred == NONE)
        return;
    const struct task *before = &e->p->tasks->tasks.at[pred];
    if (before->kind == TASK_barrier)
        wait_for_barrier(e, t, e->p->segment->layer_of[before->node]);
    else if (before->kind == TASK_send || before->kind == TASK_partial)
        wait_for_message(e, t, pred);
    else
        wait_for_queue(e, t, before->queue, e->count_after[pred]);
}

/* A writer of `row` takes the slot of earlier rows: for each queue that read any, its last one. */
static void wait_for_row(struct emitter *e, const struct task *t, uint32_t buffer, uint32_t row)
{
    const struct buffer *b = &e->p->tasks->buffers.at[buffer];
    const struct ring *r = &e->rings[buffer];
    uint32_t ring = storage_of(e, buffer)->ring;
    for (size_t i = 0; i < r->readers.n; i++) {
        const struct ring_reader *reader = &r->readers.at[i];
        uint32_t old = row;
        while (old >= ring && reader->last_task[old - ring] == NONE)
            old -= ring;
        if (old < ring)
            continue;
        old -= ring;
        if (b->tile == t->tile) {
            wait_for_queue(e, t, reader->queue, reader->count[old]);
            continue;
        }
        struct credit_key key = {buffer, reader->queue, t->tile};
        uint32_t k = map_find(&e->credit_of, &key, sizeof key);
        if (k != MAP_NONE)
            add_wait(e, ISA_FIRST_INBOUND + reader->credits.at[k].counter,
                     reader->credits.at[k].number[old]);
    }
}

/* Keeps what this queue has not waited for already. */
static void drop_implied(struct emitter *e, const struct task *t)
{
    struct waited *w = &e->waited[t->queue];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->waits.n; i++) {
        struct isa_wait wait = e->waits.at[i];
        if (wait.threshold == 0)
            continue;
        if (wait.counter >= w->at.n) {
            size_t from = w->at.n;
            VEC_RESERVE(&w->at, (size_t)wait.counter + 1);
            w->at.n = (size_t)wait.counter + 1;
            memset(w->at.at + from, 0, (w->at.n - from) * sizeof *w->at.at);
        }
        if (w->at.at[wait.counter] >= wait.threshold)
            continue;
        w->at.at[wait.counter] = wait.threshold;
        e->waits.at[kept++] = wait;
    }
    e->waits.n = kept;
}

void sync_waits(struct emitter *e, uint32_t id, const struct accesses *accesses)
{
    const struct task *t = &e->p->tasks->tasks.at[id];
    e->waits.n = 0;
    wait_for(e, t, e->p->schedule->asked_by[id]);
    for (uint32_t i = 0; i < t->n_preds; i++)
        wait_for(e, t, e->p->tasks->preds.at[t->preds + i]);
    for (size_t k = 0; k < accesses->v.n; k++) {
        const struct access *a = &accesses->v.at[k];
        const struct buffer *b = &e->p->tasks->buffers.at[a->buffer];
        if (!a->write || !wraps(e, a->buffer))
            continue;
        for (int32_t y = a->rows.lo; y < a->rows.hi; y++)
            wait_for_row(e, t, a->buffer, (uint32_t)(y - b->held.lo[0]));
    }
    drop_implied(e, t);
}

/* ---- after an instruction: credits and layer ends ---- */

struct signal {
    enum message_kind kind;
    VEC(struct isa_target) targets;
};

static void add_signal(struct emitter *e, struct signal *s, uint32_t tile, uint32_t queue,
                       uint32_t *out_counter, uint32_t *out_number)
{
    uint32_t counter = sync_inbound(e, tile, queue, s->kind);
    struct inbound *in = &e->tiles[tile].inbound.at[counter];
    *out_counter = counter;
    if (e->signalled[tile] == e->n_signals + 1) {
        *out_number = in->count; /* one message tells that tile of several rows */
        return;
    }
    e->signalled[tile] = e->n_signals + 1;
    VEC_PUSH(&s->targets, ((struct isa_target){tile, 0, ISA_FIRST_INBOUND + counter}));
    *out_number = ++in->count;
}

static void credit_row(struct emitter *e, struct signal *s, struct ring_reader *reader,
                       uint32_t buffer, uint32_t row, uint32_t to_tile)
{
    struct credit_key key = {buffer, reader->queue, to_tile};
    uint32_t i = map_intern(&e->credit_of, &key, sizeof key, (uint32_t)reader->credits.n);
    if (i == reader->credits.n) {
        struct credit fresh = {.tile = to_tile};
        fresh.number = ARENA_ARRAY(e->arena, uint32_t, rows_of(e, buffer));
        VEC_PUSH(&reader->credits, fresh);
    }
    struct credit *c = &reader->credits.at[i];
    add_signal(e, s, to_tile, reader->queue, &c->counter, &c->number[row]);
}

/* The reader is past its last read of the row: tells every other tile that will write its slot
 * next. */
static void release_row(struct emitter *e, struct signal *s, uint32_t buffer,
                        struct ring_reader *reader, uint32_t row)
{
    const struct buffer *b = buffer_at(e, buffer);
    struct ring *r = &e->rings[buffer];
    uint32_t ring = storage_of(e, buffer)->ring, n = rows_of(e, buffer);
    for (uint32_t next = row + ring; next < n; next += ring) {
        for (size_t i = 0; i < r->writers.n; i++)
            if (r->writers.at[i].tile != b->tile && r->writers.at[i].writes[next])
                credit_row(e, s, reader, buffer, row, r->writers.at[i].tile);
        if (reader->last_task[next] != NONE)
            break; /* that row's release says it again */
    }
}

static void end_layer(struct emitter *e, struct signal *s, uint32_t id)
{
    const struct plan *p = e->p;
    struct barrier_end *end = &e->barrier_ends.at[e->barrier_end_of[id] - 1];
    const struct layer *next = &p->segment->layer[end->layer + 1];
    const struct task *t = &p->tasks->tasks.at[id];
    for (uint32_t c = 0; c < next->n_copies; c++)
        for (uint32_t g = 0; g < next->copy[c].n_groups; g++) {
            uint32_t tile = p->segment->group[next->copy[c].first_group + g].tile;
            uint64_t key = map_pair(e->barrier_end_of[id] - 1, tile);
            uint32_t n = (uint32_t)end->told.n;
            if (tile == t->tile || map_intern_u64(&e->told_of, key, n) < n)
                continue;
            struct message m = {.tile = tile};
            add_signal(e, s, tile, t->queue, &m.counter, &m.number);
            VEC_PUSH(&end->told, m);
        }
}

/* In the reader's queue: leaves when the task is complete. */
static void emit_signal(struct emitter *e, const struct task *t, struct signal *s)
{
    if (s->targets.n == 0)
        return;
    struct isa_inst inst = isa_inst_new(ISA_signal, 0);
    inst.obj = (uint16_t)emit_route(e, t->tile, s->targets.at, (uint32_t)s->targets.n);
    emit_inst(e, t->tile, t->queue, inst, e->p->nodes->at[t->node].out->id);
    s->targets.n = 0;
    e->n_signals++;
}

void sync_after(struct emitter *e, uint32_t id, const struct accesses *accesses)
{
    const struct task *t = &e->p->tasks->tasks.at[id];
    struct signal s = {.kind = MESSAGE_CREDIT};
    for (size_t k = 0; k < accesses->v.n; k++) {
        const struct access *a = &accesses->v.at[k];
        const struct buffer *b = &e->p->tasks->buffers.at[a->buffer];
        if (!wraps(e, a->buffer) || !frees(e, id, a))
            continue;
        struct ring_reader *reader = reader_of(e, a->buffer, t->queue);
        for (int32_t y = a->rows.lo; y < a->rows.hi; y++) {
            uint32_t row = (uint32_t)(y - b->held.lo[0]);
            if (reader->last_task[row] != id)
                continue;
            reader->count[row] = e->count_after[id];
            release_row(e, &s, a->buffer, reader, row);
        }
    }
    emit_signal(e, t, &s);
    if (e->barrier_end_of[id]) {
        s.kind = MESSAGE_LAYER_END;
        end_layer(e, &s, id);
        emit_signal(e, t, &s);
    }
    VEC_FREE(&s.targets);
}
