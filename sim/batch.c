/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * batch.c - the function of a finished run: like instructions on adjacent pixels become one.
 *
 * In: the instructions in the order in which they completed. Out: output tensors, as if each had
 * been executed at its completion.
 *
 * Each instruction gets a rank above those of all earlier instructions that wrote what it reads,
 * or that wrote or read what it writes; so any order by rank is as good as the order of completion,
 * and instructions of one rank are independent. Instructions of one *family* (of one tile, alike in
 * all but their place) keep to one rank as long as they can, and those that are neighbours there
 * are joined, first along rows, then across rows. Rings are unrolled (sim_store.c), or else each
 * reuse of a slot would raise the rank. Where a program does not read the rows it names, that is
 * given up and the slots are taken as they are.
 */
#include "batch.h"

#include <stdlib.h>

/* First ranks of families are a guess that need not be right; circles would raise it for ever. */
enum { MOST_GUESSES = 1 << 19 };

struct order_key {
    uint64_t first, second, third;
    uint32_t batch;
};

/* ---- first ranks ---- */

/* Of a family: one more than those of what writes the stores that it reads. */

/* What a family writes in place does not raise its own rank. */
static void guess_written(struct sim *s, uint32_t tile, uint32_t view)
{
    uint32_t store = s->tiles[tile].views[view].store;
    if (store == SIM_NONE || s->stores.at[store].rank > s->guess)
        return;
    s->stores.at[store].rank = s->guess;
    s->stores.at[store].raised_by = s->guesser;
}

static void guess_read(struct sim *s, uint32_t tile, uint32_t view)
{
    uint32_t store = s->tiles[tile].views[view].store;
    if (store != SIM_NONE && s->stores.at[store].raised_by != s->guesser)
        raise(&s->guess, s->stores.at[store].rank + 1);
}

static void guess_ranks(struct sim *s)
{
    bool changed = true;
    for (size_t n = 0; changed && n < MOST_GUESSES; n += s->families.n) {
        changed = false;
        for (size_t i = 0; i < s->families.n; i++) {
            struct sim_family *f = &s->families.at[i];
            s->guesser = (uint32_t)i + 1;
            s->guess = 1;
            sim_family_reads(s, f, guess_read);
            changed = changed || s->guess > f->rank;
            raise(&f->rank, s->guess);
            s->guess = f->rank;
            sim_family_writes(s, f, guess_written);
        }
    }
}

/* ---- ranks ---- */

/*
 * An example: two layers L1 -> L2 by rows, completed as L1.0 L1.1 L2.0 L1.2 L2.1. L1 reads memory
 * nobody writes: rank 1 for all of its rows. L2.0 reads what L1 wrote: rank 2, and all later rows
 * of L2 find that the family's rank is above their sources' already. So three instructions of rank
 * 1 become one batch, then two of rank 2, though they came by turns. With a ring of two rows
 * between them L1.2 would take the slot of row 0, which L2.0 has read at rank 2: rank 3, a batch of
 * its own; unrolled rows avoid that, as each row then has cells of its own. Ranks of a family never
 * fall, so one pass in completion order gives them all: O(cells touched).
 */

/* A rank above all that wrote what is read; 0 if a row is read that is not there, or is another
 * frame's. */
static uint32_t rank_of_reads(const struct batcher *b)
{
    uint32_t rank = 0, last = 0;
    bool framed = false;
    for (size_t i = 0; i < b->reads.n; i++) {
        const struct sim_span *span = &b->reads.at[i];
        last = span->framed == framed ? last : 0;
        framed = span->framed;
        for (uint32_t k = 0; k < span->n; k++) {
            uint32_t writer = b->cells[span->cell + k].writer;
            if (writer == GONE || (writer == 0 && span->unrolled))
                return 0;
            if (writer == last)
                continue;
            if (framed && b->batches.at[writer].frame != b->s->at_frame)
                return 0;
            raise(&rank, b->batches.at[writer].rank);
            last = writer;
        }
    }
    return rank + 1;
}

/* A rank above all that wrote or read what is written; what is gone was there before. */
static uint32_t rank_of_writes(const struct batcher *b)
{
    uint32_t rank = 0;
    for (size_t i = 0; i < b->writes.n; i++)
        for (uint32_t k = 0; k < b->writes.at[i].n; k++) {
            const struct cell *cell = &b->cells[b->writes.at[i].cell + k];
            if (cell->writer != GONE)
                raise(&rank, b->batches.at[cell->writer].rank);
            raise(&rank, cell->read_rank);
        }
    return rank + 1;
}

/* The cell is in its slot now, and what was there is gone. */
static void take_slot(struct batcher *b, uint32_t cell, uint32_t tag)
{
    uint32_t before = b->tags[tag];
    if (before > 0 && before != cell + 1) {
        struct cell *old = &b->cells[before - 1];
        if (old->writer != GONE) /* whoever writes the row again comes after it */
            raise(&old->read_rank, b->batches.at[old->writer].rank);
        old->writer = GONE;
    }
    b->tags[tag] = cell + 1;
}

static void leave_marks(struct batcher *b, uint32_t batch)
{
    uint32_t rank = b->batches.at[batch].rank;
    for (size_t i = 0; i < b->reads.n; i++)
        for (uint32_t k = 0; k < b->reads.at[i].n; k++)
            raise(&b->cells[b->reads.at[i].cell + k].read_rank, rank);
    for (size_t i = 0; i < b->writes.n; i++) {
        const struct sim_span *span = &b->writes.at[i];
        for (uint32_t k = 0; k < span->n; k++) {
            b->cells[span->cell + k] = (struct cell){batch, 0};
            if (span->unrolled)
                take_slot(b, span->cell + k, span->tag + k);
        }
    }
}

/* ---- joining ---- */

static struct batch batch_of(const struct sim *s, const struct isa_inst *i, uint32_t id)
{
    const struct sim_family *f = &s->families.at[s->family[id]];
    bool pairs = i->op == ISA_vdot || i->op == ISA_vtake;
    bool is_binary =
        pairs || (i->op == ISA_vmap && s->p->tiles[f->tile].programs[i->obj].arity == 2);
    bool moves = i->op == ISA_send || i->op == ISA_store;
    struct isa_region at = moves ? i->a : i->dst;
    struct batch b = {.rank = f->rank,
                      .family = s->family[id],
                      .frame = s->at_frame,
                      .inst = id,
                      .y = at.y,
                      .x = at.x,
                      .h = i->h,
                      .w = i->w,
                      .c = i->c};
    if (i->op == ISA_vmap || pairs)
        b.dy[0] = i->a.y - at.y, b.dx[0] = i->a.x - at.x;
    if (is_binary)
        b.dy[1] = i->b.y - at.y, b.dx[1] = i->b.x - at.x;
    if (i->op == ISA_load || i->op == ISA_store)
        b.dy[0] = i->y - at.y, b.dx[0] = i->x - at.x;
    return b;
}

static bool alike(const struct batch *a, const struct batch *b)
{
    return a->rank == b->rank && a->family == b->family && a->frame == b->frame && a->c == b->c &&
           a->dy[0] == b->dy[0] && a->dx[0] == b->dx[0] && a->dy[1] == b->dy[1] &&
           a->dx[1] == b->dx[1];
}

static bool join_right(struct batch *a, const struct batch *b)
{
    if (!alike(a, b) || a->y != b->y || a->h != b->h || a->x + a->w != b->x ||
        a->w + b->w > ISA_MAX_W)
        return false;
    a->w = (uint16_t)(a->w + b->w);
    return true;
}

static bool join_below(struct batch *a, const struct batch *b)
{
    if (!alike(a, b) || a->x != b->x || a->w != b->w || a->y + a->h != b->y ||
        a->h + b->h > ISA_MAX_H)
        return false;
    a->h = (uint16_t)(a->h + b->h);
    return true;
}

/* The batch that the instruction's left neighbour may be in, or 0. */
static uint32_t neighbour(const struct batcher *b, unsigned op, const struct sim_family *f)
{
    if (op == ISA_vred)
        return 0;
    if (op == ISA_store)
        return b->last_store;
    uint32_t to = b->left == SIM_NONE ? f->last : b->cells[b->left].writer;
    return to == GONE ? 0 : to;
}

static bool place(struct batcher *b, uint32_t id)
{
    struct sim *s = b->s;
    struct sim_family *f = &s->families.at[s->family[id]];
    const struct isa_inst *inst = inst_of(s, id, f->tile);
    if (!sim_touch(s, f->tile, inst, &b->reads, &b->writes, &b->left) && b->unrolls)
        return false;
    uint32_t reads = rank_of_reads(b);
    if (reads == 0)
        return false;
    raise(&f->rank, s->at_frame * b->depth + f->guess);
    raise(&f->rank, reads);
    raise(&f->rank, rank_of_writes(b));
    if (inst->op == ISA_store) {
        raise(&b->store_rank, f->rank);
        f->rank = b->store_rank;
    }
    struct batch new = batch_of(s, inst, id);
    uint32_t to = neighbour(b, inst->op, f);
    if (to == 0 || !join_right(&b->batches.at[to], &new)) {
        to = (uint32_t)b->batches.n;
        VEC_PUSH(&b->batches, new);
    }
    f->last = to;
    if (inst->op == ISA_store)
        b->last_store = to;
    leave_marks(b, to);
    return true;
}

/* ---- order ---- */

static int by_order(const void *a, const void *b)
{
    const struct order_key *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    if (x->third != y->third)
        return x->third < y->third ? -1 : 1;
    return (x->batch > y->batch) - (x->batch < y->batch);
}

/* By rank, family and column, so that rows that can be joined follow each other; STOREs after the
 * others of their rank, as they completed. Then joins them: a step each. */
static void sort_batches(struct batcher *b)
{
    size_t n = b->batches.n - 1;
    struct order_key *order = heap_alloc((n + 1) * sizeof *order);
    for (uint32_t i = 0; i < n; i++) {
        const struct batch *k = &b->batches.at[i + 1];
        bool stores = b->s->families.at[k->family].inst.op == ISA_store;
        order[i] = (struct order_key){(uint64_t)k->rank << 32 | (stores ? UINT32_MAX : k->family),
                                      stores ? i : (uint64_t)(uint32_t)k->x << 32 | k->w,
                                      stores ? 0 : (uint32_t)k->y, i + 1};
    }
    qsort(order, n, sizeof *order, by_order);
    b->steps.n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct batch *k = &b->batches.at[order[i].batch];
        bool joins = b->s->families.at[k->family].inst.op != ISA_vred;
        if (b->steps.n > 0 && joins &&
            join_below(&b->batches.at[b->steps.at[b->steps.n - 1].batch], k))
            continue;
        VEC_PUSH(&b->steps, ((struct step){.batch = order[i].batch}));
    }
    heap_free(order);
}

/* Completions jump between tiles: what is needed some steps later is asked for now. */
static void fetch_ahead(const struct sim *s, size_t at)
{
    enum { AHEAD = 16 };
    if (at + AHEAD >= s->completed.n)
        return;
    uint32_t id = s->completed.at[at + AHEAD];
    __builtin_prefetch(inst_of(s, id, s->families.at[s->family[id]].tile));
}

/* The frame of an instruction that comes next in the order: it acts on one after the other. */
static uint32_t next_frame(struct batcher *b, uint32_t id)
{
    const struct sim *s = b->s;
    if (s->frames == 1)
        return 0;
    return s->insts[id].frames & DMA_LAST ? s->frames - 1 : b->seen[id]++;
}

static bool place_all(struct batcher *b)
{
    struct sim *s = b->s;
    b->seen = heap_alloc((s->n_insts + (size_t)1) * sizeof *b->seen);
    bool good = true;
    for (size_t i = 0; i < s->completed.n && good; i++) {
        fetch_ahead(s, i);
        s->at_frame = next_frame(b, s->completed.at[i]);
        good = place(b, s->completed.at[i]);
    }
    heap_free(b->seen);
    return good;
}

/* A frame's ranks are above those of the frames before it, as far as can be guessed: so each is
 * executed as if it were alone. */
static void guess_depth(struct batcher *b)
{
    const struct sim *s = b->s;
    b->depth = 0;
    for (size_t i = 0; i < s->families.n; i++) {
        s->families.at[i].guess = s->families.at[i].rank;
        raise(&b->depth, s->families.at[i].rank);
    }
    if ((uint64_t)b->depth * s->frames > UINT32_MAX / 2)
        b->depth = 0;
}

static bool plan(struct batcher *b, bool may_unroll)
{
    struct sim *s = b->s;
    if (!sim_prepare_stores(s, may_unroll))
        return false;
    for (size_t i = 0; i < s->families.n; i++)
        s->families.at[i].rank = s->families.at[i].last = 0;
    size_t cells = (s->n_cells + 1) * sizeof *b->cells, tags = (s->n_tags + 1) * sizeof *b->tags;
    b->cells = heap_in_large_pages(heap_alloc(cells), cells);
    b->tags = heap_in_large_pages(heap_alloc(tags), tags);
    b->batches.n = 0;
    VEC_PUSH(&b->batches, (struct batch){0});
    b->store_rank = b->last_store = 0;
    b->unrolls = may_unroll;
    guess_ranks(s);
    guess_depth(b);
    bool good = place_all(b);
    heap_free(b->cells);
    heap_free(b->tags);
    if (!good)
        return false;
    sort_batches(b);
    return batch_plan_steps(b) || !may_unroll;
}

bool sim_run_batches(struct sim *s)
{
    struct batcher b = {.s = s};
    bool good = (plan(&b, true) || plan(&b, false)) && batch_run_steps(&b);
    VEC_FREE(&b.batches);
    VEC_FREE(&b.steps);
    VEC_FREE(&b.reads);
    VEC_FREE(&b.writes);
    return good;
}
