/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit_sync.c - what every instruction waits for.
 *
 * Data: the completion of each predecessor, as a count of its queue (same tile) or of messages
 * (other tile). With frames the predecessor is of an earlier stage, so of the same iteration of the
 * body or of one before, and so is who read a slot in a frame before. Space: a writer into a ring
 * row waits until every queue that read the row in that slot before is past its last read: its
 * counter on the same tile, a credit (SIGNAL in the reader's queue) on another. A minimum over
 * readers, never a sum. All of them point backwards in L. A wait implied by an earlier one of the
 * same queue is dropped.
 */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

static uint32_t rows_of(const struct emitter *e, uint32_t buffer)
{
    const struct box *held = &buffer_at(e, buffer)->held;
    return (uint32_t)(held->hi[0] - held->lo[0]);
}

/* Are its slots written more than once? With frames each frame does. */
static bool wraps(const struct emitter *e, uint32_t buffer)
{
    const struct storage *s = storage_of(e, buffer);
    return !buffer_at(e, buffer)->constant && s->bytes > 0 &&
           (schedule_repeats(e->p->schedule) || s->ring < rows_of(e, buffer));
}

uint32_t sync_inbound(struct emitter *e, uint32_t tile, uint32_t from_queue, enum message_kind kind)
{
    struct emit_tile *t = &e->tiles[tile];
    uint32_t i = map_intern_u64(&t->inbound_of, map_pair(from_queue, kind), (uint32_t)t->inbound.n);
    if (i == t->inbound.n)
        VEC_PUSH(&t->inbound, ((struct inbound){.from_queue = from_queue, .kind = kind}));
    return i;
}

uint32_t sync_message(struct emitter *e, uint32_t tile, uint32_t task, enum message_kind kind)
{
    uint32_t from_queue = e->p->tasks->tasks.at[task].queue;
    uint32_t counter = sync_inbound(e, tile, from_queue, kind);
    struct inbound *in = &e->tiles[tile].inbound.at[counter];
    in->count++;
    if (in->sent.n == 0 || in->sent.at[in->sent.n - 1].task != task)
        VEC_PUSH(&in->sent, ((struct sent){task, 0}));
    in->sent.at[in->sent.n - 1].number = in->count;
    return ISA_FIRST_INBOUND + counter;
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
    reader.before = ARENA_ARRAY(e->arena, uint32_t, n);
    reader.back = ARENA_ARRAY(e->arena, uint32_t, n);
    memset(reader.last_task, 0xff, n * sizeof *reader.last_task);
    memset(reader.before, 0xff, n * sizeof *reader.before);
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
    for (size_t i = 0; i < p->tasks->carries.n; i++)
        e->has_successor[p->tasks->carries.at[i].send] = true;
}

/* Of two tasks of a frame. */
static bool is_later(const struct emitter *e, uint32_t a, uint32_t b)
{
    return schedule_place(e->p->schedule, a) > schedule_place(e->p->schedule, b);
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
                if (r->last_task[y] == NONE || is_later(e, id, r->last_task[y]))
                    r->last_task[y] = id;
        }
    }
}

/* Goes from row to row of a slot, over frames if there are several; false after the last one. */
static bool next_in_slot(const struct emitter *e, uint32_t buffer, uint32_t *row, uint32_t *frames)
{
    uint32_t n = rows_of(e, buffer);
    uint64_t next = (uint64_t)*row + storage_of(e, buffer)->ring;
    if (next >= n && !schedule_repeats(e->p->schedule))
        return false;
    *row = (uint32_t)(next % n);
    *frames += (uint32_t)(next / n);
    return true;
}

/* For each row that takes the slot of one that is read, until another that is. */
static void find_rows_before(const struct emitter *e, uint32_t buffer, struct ring_reader *r)
{
    for (uint32_t y = 0; y < rows_of(e, buffer); y++) {
        uint32_t next = y, frames = 0;
        if (r->last_task[y] == NONE)
            continue;
        while (next_in_slot(e, buffer, &next, &frames)) {
            r->before[next] = y;
            r->back[next] = frames;
            if (r->last_task[next] != NONE)
                break;
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
        if (last[tile] == NONE || is_later(e, id, last[tile]))
            last[tile] = id;
    }
    for (size_t t = 0; t < p->segment->n_tiles; t++)
        if (last[t] != NONE) {
            VEC_PUSH(&e->barrier_ends, ((struct barrier_end){layer, last[t]}));
            e->barrier_end_of[last[t]] = (uint32_t)e->barrier_ends.n;
        }
    heap_free(last);
}

void sync_prepare(struct emitter *e)
{
    const struct plan *p = e->p;
    struct accesses accesses = {0};
    e->rings = heap_alloc(p->tasks->buffers.n * sizeof *e->rings);
    note_successors(e);
    for (uint32_t i = 0; i < p->schedule->n; i++) {
        task_accesses(p, &p->tasks->tasks.at[p->schedule->order[i]], &accesses);
        note_ring_use(e, p->schedule->order[i], &accesses);
    }
    VEC_FREE(&accesses.v);
    for (uint32_t i = 0; i < p->tasks->buffers.n; i++)
        for (size_t k = 0; k < e->rings[i].readers.n; k++)
            find_rows_before(e, i, &e->rings[i].readers.at[k]);
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
        VEC_FREE(&e->rings[i].readers);
        VEC_FREE(&e->rings[i].writers);
    }
    heap_free(e->rings);
    heap_free(e->has_successor);
    heap_free(e->barrier_end_of);
    VEC_FREE(&e->barrier_ends);
    map_free(&e->reader_of);
    map_free(&e->writer_of);
}

/* ---- waits ---- */

/* For what is counted when the task, of the frame `frames` before that of the one being emitted, is
 * complete. */
static void add_wait(struct emitter *e, uint32_t counter, uint32_t task, uint32_t frames)
{
    const struct schedule *s = e->p->schedule;
    struct waiting w = {.counter = (uint16_t)counter, .task = task};
    w.back = frames + e->stage - s->stage[task];
    w.place = (int64_t)s->rank[task] - (int64_t)w.back * s->n;
    for (uint32_t i = 0; i < e->waits.n; i++)
        if (e->waits.at[i].counter == counter) {
            if (e->waits.at[i].place < w.place)
                e->waits.at[i] = w;
            return;
        }
    VEC_PUSH(&e->waits, w);
}

/* PE groups and vector units run one instruction after the other: no wait on oneself. */
static bool runs_in_order(const struct task *t)
{
    return task_kinds[t->kind].unit <= QUEUE_VU;
}

static void wait_for_end(struct emitter *e, const struct task *t, uint32_t task, uint32_t frames)
{
    uint32_t queue = e->p->tasks->tasks.at[task].queue;
    if (queue != t->queue || !runs_in_order(t))
        add_wait(e, queue - e->p->tasks->queue_base[t->tile], task, frames);
}

static void wait_for_message(struct emitter *e, const struct task *t, uint32_t task,
                             enum message_kind kind, uint32_t frames)
{
    uint32_t queue = e->p->tasks->tasks.at[task].queue;
    add_wait(e, ISA_FIRST_INBOUND + sync_inbound(e, t->tile, queue, kind), task, frames);
}

static void wait_for_barrier(struct emitter *e, const struct task *t, uint32_t layer)
{
    for (uint32_t i = e->first_barrier_end[layer]; i < e->first_barrier_end[layer + 1]; i++) {
        uint32_t last = e->barrier_ends.at[i].task;
        if (e->p->tasks->tasks.at[last].tile == t->tile)
            wait_for_end(e, t, last, 0);
        else
            wait_for_message(e, t, last, MESSAGE_LAYER_END, 0);
    }
}

static void wait_for(struct emitter *e, const struct task *t, uint32_t pred)
{
    if (pred == NONE)
        return;
    const struct task *before = &e->p->tasks->tasks.at[pred];
    if (before->kind == TASK_barrier)
        wait_for_barrier(e, t, e->p->segment->layer_of[before->node]);
    else if (task_is_message(before))
        wait_for_message(e, t, pred, MESSAGE_DATA, 0);
    else if (before->tile == t->tile) /* else it has read state, and gives credit for it */
        wait_for_end(e, t, pred, 0);
}

/* Before the row may be written (for the next frame?), its slot must be read: of the rows that had
 * it before, for each queue that read any, its last one. */
static void wait_for_row(struct emitter *e, const struct task *t, uint32_t buffer, uint32_t row,
                         bool next)
{
    const struct ring *r = &e->rings[buffer];
    for (size_t i = 0; i < r->readers.n; i++) {
        const struct ring_reader *reader = &r->readers.at[i];
        if (reader->before[row] == NONE)
            continue;
        uint32_t last = reader->last_task[reader->before[row]];
        if (buffer_at(e, buffer)->tile == t->tile)
            wait_for_end(e, t, last, reader->back[row] - next);
        else
            wait_for_message(e, t, last, MESSAGE_CREDIT, reader->back[row] - next);
    }
}

static size_t first_carry(const struct task_graph *g, uint32_t reader)
{
    size_t lo = 0, hi = g->carries.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (g->carries.at[mid].reader < reader)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* What the frame before has left. */
static void wait_for_state(struct emitter *e, const struct task *t, uint32_t id)
{
    const struct task_graph *g = e->p->tasks;
    for (size_t i = first_carry(g, id); i < g->carries.n && g->carries.at[i].reader == id; i++)
        wait_for_message(e, t, g->carries.at[i].send, MESSAGE_DATA, 1);
}

/* What waits for nothing else would begin all frames at once. */
static void wait_for_pace(struct emitter *e, uint32_t id)
{
    struct waiting w = {ISA_PACE_COUNTER, id, e->stage, 0};
    if (e->p->schedule->pace > 0)
        VEC_PUSH(&e->waits, w);
}

/* Keeps what this queue has not waited for already. A transfer of one frame waits in that alone. */
static void drop_implied(struct emitter *e, const struct task *t)
{
    struct waited *w = &e->waited[(size_t)t->queue * e->p->schedule->n_stages + e->stage];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->waits.n; i++) {
        struct waiting wait = e->waits.at[i];
        while (wait.counter >= w->at.n)
            VEC_PUSH(&w->at, INT64_MIN);
        if (w->at.at[wait.counter] >= wait.place)
            continue;
        if (!task_is_of_one_frame(e->p, t))
            w->at.at[wait.counter] = wait.place;
        e->waits.at[kept++] = wait;
    }
    e->waits.n = kept;
}

void sync_waits(struct emitter *e, uint32_t id, const struct accesses *accesses)
{
    const struct task *t = &e->p->tasks->tasks.at[id];
    e->waits.n = 0;
    if (t->n_preds == 0 && e->p->schedule->asked_by[id] == NONE)
        wait_for_pace(e, id);
    wait_for(e, t, e->p->schedule->asked_by[id]);
    for (uint32_t i = 0; i < t->n_preds; i++)
        wait_for(e, t, e->p->tasks->preds.at[t->preds + i]);
    wait_for_state(e, t, id);
    for (size_t k = 0; k < accesses->v.n; k++) {
        const struct access *a = &accesses->v.at[k];
        const struct buffer *b = &e->p->tasks->buffers.at[a->buffer];
        if (!a->write || !wraps(e, a->buffer) || task_is_of_one_frame(e->p, t))
            continue; /* in front of the first frame there is none */
        for (int32_t y = a->rows.lo; y < a->rows.hi; y++)
            wait_for_row(e, t, a->buffer, (uint32_t)(y - b->held.lo[0]), a->next);
    }
    drop_implied(e, t);
}

/* ---- after an instruction: credits and layer ends ---- */

struct signal {
    enum message_kind kind;
    VEC(struct isa_target) targets;
};

static void add_signal(struct emitter *e, struct signal *s, uint32_t tile, uint32_t task)
{
    if (e->signalled[tile] == e->n_signals + 1)
        return; /* one message tells that tile of several rows */
    e->signalled[tile] = e->n_signals + 1;
    uint32_t counter = sync_message(e, tile, task, s->kind);
    VEC_PUSH(&s->targets, ((struct isa_target){tile, 0, counter}));
}

/* The reader is past its last read of the row: tells every other tile that will write its slot
 * next. */
static void release_row(struct emitter *e, struct signal *s, uint32_t buffer,
                        const struct ring_reader *reader, uint32_t row)
{
    const struct ring *r = &e->rings[buffer];
    uint32_t next = row, frames = 0;
    while (next_in_slot(e, buffer, &next, &frames)) {
        for (size_t i = 0; i < r->writers.n; i++)
            if (r->writers.at[i].writes[next])
                add_signal(e, s, r->writers.at[i].tile, reader->last_task[row]);
        if (reader->last_task[next] != NONE)
            break; /* that row's release says it again */
    }
}

static void end_layer(struct emitter *e, struct signal *s, uint32_t id)
{
    const struct plan *p = e->p;
    uint32_t layer = e->barrier_ends.at[e->barrier_end_of[id] - 1].layer;
    const struct layer *next = &p->segment->layer[layer + 1];
    for (uint32_t c = 0; c < next->n_copies; c++)
        for (uint32_t g = 0; g < next->copy[c].n_groups; g++) {
            uint32_t tile = p->segment->group[next->copy[c].first_group + g].tile;
            if (tile != p->tasks->tasks.at[id].tile)
                add_signal(e, s, tile, id);
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
            if (reader->last_task[row] == id)
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

/* ---- when all is counted ---- */

/* Number of the last message of the task. */
static uint32_t number_sent(const struct emitter *e, const struct inbound *in, uint32_t task)
{
    const uint32_t *rank = e->p->schedule->rank;
    size_t lo = 0, hi = in->sent.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (rank[in->sent.at[mid].task] < rank[task])
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == in->sent.n || in->sent.at[lo].task != task)
        BUG("task %u sends no message that is waited for", task);
    return in->sent.at[lo].number;
}

/* What the counter counts in an iteration. */
uint32_t sync_step(const struct emitter *e, uint32_t tile, uint32_t counter)
{
    if (counter < ISA_FIRST_INBOUND)
        return e->queue_count[e->p->tasks->queue_base[tile] + counter];
    if (counter == ISA_PACE_COUNTER)
        return 1;
    return e->tiles[tile].inbound.at[counter - ISA_FIRST_INBOUND].count;
}

/* What the counter has when the task, so many iterations earlier, is counted; from the beginning of
 * this iteration. */
static uint32_t threshold_of(const struct emitter *e, uint32_t tile, const struct waiting *w)
{
    uint32_t number = 1; /* of the pace */
    if (w->counter < ISA_FIRST_INBOUND)
        number = e->count_after[w->task];
    else if (w->counter < ISA_PACE_COUNTER)
        number =
            number_sent(e, &e->tiles[tile].inbound.at[w->counter - ISA_FIRST_INBOUND], w->task);
    return (number - w->back * sync_step(e, tile, w->counter)) & ((1u << ISA_THRESHOLD_BITS) - 1);
}

void sync_resolve(struct emitter *e)
{
    for (uint32_t i = 0; i < e->p->segment->n_tiles; i++) {
        struct emit_tile *t = &e->tiles[i];
        for (size_t k = 0; k < t->insts.n; k++)
            for (unsigned w = 0; w < t->insts.at[k].n_waits; w++) {
                struct isa_wait *wait = &t->insts.at[k].wait[w];
                wait->threshold = threshold_of(e, i, &t->waits.at[wait->threshold]);
            }
        leads_round(e, i);
    }
}
