/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * batch_run.c - executes the batches, in steps.
 *
 * A step is a batch. The vector program that works on the results of a crossbar product is executed
 * with it, rows after rows, while they are in the cache, if nothing between them in the order has a
 * part in what it reads or writes. Memory of a store is there from the first to the last step that
 * uses it.
 */
#include "batch.h"

#include <stdlib.h>

/* Memory of all stores in use at one time; beyond this nothing is unrolled. */
#define MOST_UNROLLED_BYTES (UINT64_C(1) << 30)

static const struct sim_family *family_of(const struct batcher *b, uint32_t batch)
{
    return &b->s->families.at[b->batches.at[batch].family];
}

/* NULL if the view holds nothing. */
static struct sim_store *store_of(struct sim *s, uint32_t tile, uint32_t view)
{
    uint32_t store = s->tiles[tile].views[view].store;
    return store == SIM_NONE ? NULL : &s->stores.at[store];
}

/* ---- which batches share a step ---- */

/* `guess` becomes the last step that must be over before what reads, or writes, the view. */
static void after_writer(struct sim *s, uint32_t tile, uint32_t view)
{
    const struct sim_store *m = store_of(s, tile, view);
    raise(&s->guess, m ? m->written_at : 0);
}

static void after_user(struct sim *s, uint32_t tile, uint32_t view)
{
    const struct sim_store *m = store_of(s, tile, view);
    raise(&s->guess, m ? m->used_at : 0);
}

static void note_reader(struct sim *s, uint32_t tile, uint32_t view)
{
    struct sim_store *m = store_of(s, tile, view);
    if (m)
        raise(&m->used_at, s->step);
}

static void note_writer(struct sim *s, uint32_t tile, uint32_t view)
{
    struct sim_store *m = store_of(s, tile, view);
    note_reader(s, tile, view);
    if (m)
        raise(&m->written_at, s->step);
}

/* Does batch `map` read just what the product makes, row for row, and disturb none of its later
 * rows? */
static bool follows(const struct batcher *b, uint32_t product, uint32_t map)
{
    const struct batch *p = &b->batches.at[product], *m = &b->batches.at[map];
    const struct sim_family *from = family_of(b, product), *to = family_of(b, map);
    const struct isa_tile *t = &b->s->p->tiles[to->tile];
    const struct sim_view *views = b->s->tiles[to->tile].views;
    if (from->inst.op != ISA_mvm || to->inst.op != ISA_vmap || from->tile != to->tile ||
        p->frame != m->frame || from->inst.dst.view != to->inst.a.view)
        return false;
    uint32_t made = views[from->inst.dst.view].store;
    bool other = t->programs[to->inst.obj].arity == 1 || views[to->inst.b.view].store != made;
    bool rows = m->y + m->dy[0] == p->y && m->x + m->dx[0] == p->x && m->h == p->h && m->w == p->w;
    uint32_t source = t->groups[from->inst.obj].source_view;
    return other && rows && views[to->inst.dst.view].store != views[source].store;
}

static void share_steps(struct batcher *b)
{
    struct sim *s = b->s;
    size_t kept = 0;
    for (size_t i = 0; i < s->stores.n; i++)
        s->stores.at[i].used_at = s->stores.at[i].written_at = 0;
    for (size_t i = 0; i < b->steps.n; i++) {
        uint32_t batch = b->steps.at[i].batch;
        const struct sim_family *f = family_of(b, batch);
        s->guess = 0;
        sim_family_reads(s, f, after_writer);
        sim_family_writes(s, f, after_user);
        struct step *before = s->guess > 0 ? &b->steps.at[s->guess - 1] : NULL;
        if (before && before->map == 0 && follows(b, before->batch, batch)) {
            before->map = batch;
            s->step = s->guess;
        } else {
            b->steps.at[kept++] = b->steps.at[i];
            s->step = (uint32_t)kept;
        }
        sim_family_reads(s, f, note_reader);
        sim_family_writes(s, f, note_writer);
    }
    b->steps.n = kept;
}

/* ---- memory ---- */

static void use(struct sim *s, uint32_t tile, uint32_t view)
{
    struct sim_store *m = store_of(s, tile, view);
    if (!m)
        return;
    raise(&m->last, s->step);
    if (m->first == 0)
        m->first = s->step;
}

/* Calls `body` for each view of the step. */
static void step_views(const struct batcher *b, const struct step *step, sim_view_body *body)
{
    const uint32_t batches[] = {step->batch, step->map};
    for (unsigned i = 0; i < 2 && batches[i] > 0; i++) {
        sim_family_reads(b->s, family_of(b, batches[i]), body);
        sim_family_writes(b->s, family_of(b, batches[i]), body);
    }
}

bool batch_plan_steps(struct batcher *b)
{
    struct sim *s = b->s;
    share_steps(b);
    int64_t *change = heap_alloc((b->steps.n + 2) * sizeof *change), sum = 0, most = 0;
    for (s->step = 1; s->step <= b->steps.n; s->step++)
        step_views(b, &b->steps.at[s->step - 1], use);
    for (size_t i = 0; i < s->stores.n; i++) {
        const struct sim_store *m = &s->stores.at[i];
        change[m->first] += m->first > 0 ? (int64_t)m->bytes : 0;
        change[m->last + 1] -= m->first > 0 ? (int64_t)m->bytes : 0;
    }
    for (size_t i = 1; i <= b->steps.n; i++) {
        sum += change[i];
        most = sum > most ? sum : most;
    }
    heap_free(change);
    s->pool.most = (uint64_t)most;
    return (uint64_t)most <= MOST_UNROLLED_BYTES;
}

static void open_view(struct sim *s, uint32_t tile, uint32_t view)
{
    struct sim_store *m = store_of(s, tile, view);
    if (m && !s->failed)
        s->failed = !sim_open_store(s, m);
}

static void close_view(struct sim *s, uint32_t tile, uint32_t view)
{
    struct sim_store *m = store_of(s, tile, view);
    if (m && m->last == s->step)
        sim_close_store(s, m);
}

/* ---- execution ---- */

/* Rows [from, from + h) of the batch. */
static bool execute_rows(const struct batcher *b, uint32_t batch, uint32_t from, uint32_t h)
{
    struct sim *s = b->s;
    const struct batch *k = &b->batches.at[batch];
    const struct sim_family *f = family_of(b, batch);
    struct isa_inst inst = *inst_of(s, k->inst, f->tile);
    s->at_inst = k->inst - s->tiles[f->tile].first_inst;
    s->at_tile = f->tile;
    s->at_frame = k->frame;
    inst.h = (uint16_t)h;
    inst.w = k->w;
    inst.dst.y += (int32_t)from;
    inst.a.y += (int32_t)from;
    inst.b.y += (int32_t)from;
    return sim_execute(s, f->tile, s->at_inst, &inst);
}

/* Rows of pixels that are made at a time, in whole patches. */
static uint32_t product_rows(const struct batcher *b, const struct batch *k)
{
    const struct sim_family *f = &b->s->families.at[k->family];
    const uint32_t *patch = b->s->tiles[f->tile].mvm[f->inst.obj].m.patch;
    uint32_t rows = (uint32_t)ceil_div_i64(k->h, patch[0]);
    uint32_t products = (uint32_t)ceil_div_i64(k->w, patch[1]);
    uint32_t most = products < SIM_PANEL_PRODUCTS ? SIM_PANEL_PRODUCTS / products : 1;
    return patch[0] * mvm_panel_part(rows, most);
}

static bool execute_step(const struct batcher *b, const struct step *step)
{
    const struct batch *k = &b->batches.at[step->batch];
    uint32_t rows = k->h;
    if (step->map > 0)
        rows = product_rows(b, k);
    for (uint32_t y = 0; y < k->h; y += rows) {
        uint32_t h = rows < k->h - y ? rows : k->h - y;
        leave_if_cancelled();
        if (!execute_rows(b, step->batch, y, h) ||
            (step->map > 0 && !execute_rows(b, step->map, y, h)))
            return false;
    }
    return true;
}

bool batch_run_steps(struct batcher *b)
{
    struct sim *s = b->s;
    for (s->step = 1; s->step <= b->steps.n; s->step++) {
        const struct step *step = &b->steps.at[s->step - 1];
        progress_tell(s->o.progress, "simulate: values", s->step - 1, b->steps.n);
        step_views(b, step, open_view);
        if (s->failed || !execute_step(b, step))
            return false;
        step_views(b, step, close_view);
    }
    return true;
}
