/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * exec_map.c - VMAP: vector programs. ISA.md section 6.
 *
 * In: regions of views. Out: a region of the destination view. Works on chunks of SIM_CHUNK
 * elements: some pixels with all their channels, or some channels of one pixel; each operation of
 * the program is a loop over the lanes of a chunk (lane_ops.c).
 */
#include "lane_ops.h"
#include "sim_view.h"

#include <string.h>

/* ---- plan, once for a program ---- */

static uint8_t operand_slot(struct lane_plan *plan, unsigned code, unsigned op)
{
    if (code < LANE_A)
        return (uint8_t)code;
    if (code == LANE_A || code == LANE_B)
        return code == LANE_A ? SLOT_A : SLOT_B;
    if (code < LANE_CONST0)
        return (uint8_t)(SLOT_IMM + op);
    uint32_t i = 0;
    while (i < plan->n_constants && plan->constants[i] != code - LANE_CONST0)
        i++;
    if (i == plan->n_constants)
        plan->constants[plan->n_constants++] = (uint8_t)(code - LANE_CONST0);
    return (uint8_t)(SLOT_CONST + i);
}

void lane_plan_make(const struct isa_program_entry *program, struct lane_plan *plan)
{
    for (unsigned i = 0; i < program->n_ops; i++) {
        plan->x[i] = operand_slot(plan, program->ops[i].x, i);
        plan->y[i] = plan->add[i] = plan->x[i];
        if (isa_lane_arity(program->ops[i].op) == 2)
            plan->y[i] = operand_slot(plan, program->ops[i].y, i);
        if (program->ops[i].op == LANE_RQ) /* rows k and k + 1 of the constants */
            plan->add[i] = operand_slot(plan, program->ops[i].y + 1u, i);
    }
}

/* ---- execution ---- */

static void fill(uint32_t *out, uint32_t value, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = value;
}

/* Immediates and constants for a chunk: `n` pixels of `nc` channels each, or less of the same. */
static bool fill_constants(struct sim *s, const struct isa_program_entry *program,
                           const struct lane_plan *plan, const struct chunk *k)
{
    for (unsigned i = 0; i < program->n_ops; i++)
        if (plan->x[i] == SLOT_IMM + i || plan->y[i] == SLOT_IMM + i)
            fill(s->slot[SLOT_IMM + i], program->ops[i].imm, k->n * k->nc);
    for (uint32_t i = 0; i < plan->n_constants; i++) {
        uint32_t *out = s->slot[SLOT_CONST + i];
        struct run r = {.y = plan->constants[i], .step = 1, .n = 1, .c0 = k->c0, .nc = k->nc};
        if (!view_read(s, s->at_tile, program->constants_view, r, out, k->nc))
            return false;
        for (uint32_t j = 1; j < k->n; j++)
            memcpy(out + j * k->nc, out, k->nc * sizeof *out);
    }
    return true;
}

/* Where the last operation may put its values: into place, where it may read the same elements but
 * no others. */
static void *map_target(struct sim *s, const struct isa_inst *inst, const struct chunk *k,
                        const void *a, const void *b)
{
    void *direct = lanes_direct(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k));
    const struct sim_view *views = s->tiles[s->at_tile].views;
    uint32_t store = views[inst->dst.view].store;
    bool a_fits = a == s->slot[SLOT_A] || a == direct || views[inst->a.view].store != store;
    bool b_fits =
        b == a || b == s->slot[SLOT_B] || b == direct || views[inst->b.view].store != store;
    return a_fits && b_fits ? direct : NULL;
}

/* Runs the program on operands a and b; the last operation writes to `target`. */
static void run_program(struct sim *s, const struct isa_inst *inst, const void *a, const void *b,
                        void *target, uint32_t n)
{
    const struct isa_tile *t = &s->p->tiles[s->at_tile];
    const struct isa_program_entry *program = &t->programs[inst->obj];
    const struct lane_plan *plan = &s->tiles[s->at_tile].lanes[inst->obj];
    const void *at[N_SLOTS];
    memcpy(at, s->slot, sizeof at);
    at[SLOT_A] = a;
    at[SLOT_B] = b;
    for (unsigned i = 0; i < program->n_ops; i++) {
        const struct isa_lane *l = &program->ops[i];
        struct lane_work w = {
            .x = at[plan->x[i]], .y = at[plan->y[i]], .add = at[plan->add[i]], .shift = l->imm};
        if (l->op == LANE_TAB)
            w.table = isa_table_data(s->p, &t->tables[l->imm]);
        lane_run(l->op, &w, i + 1 == program->n_ops ? target : s->slot[i], n);
    }
}

static bool map_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_program_entry *program = &s->p->tiles[s->at_tile].programs[inst->obj];
    const struct lane_plan *plan = &s->tiles[s->at_tile].lanes[inst->obj];
    /* The first chunk of a channel range is the longest: its constants serve the others. */
    if (k->y == 0 && k->x == 0 && !fill_constants(s, program, plan, k))
        return false;
    const void *a =
        lanes_read(s, s->at_tile, inst->a.view, chunk_run(&inst->a, k), s->slot[SLOT_A]);
    const void *b = a;
    if (program->arity == 2)
        b = lanes_read(s, s->at_tile, inst->b.view, chunk_run(&inst->b, k), s->slot[SLOT_B]);
    if (!a || !b)
        return false;
    void *target = map_target(s, inst, k, a, b), *last = s->slot[program->n_ops - 1];
    run_program(s, inst, a, b, target ? target : last, k->n * k->nc);
    return target || lanes_write(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k), last);
}

bool exec_vmap(struct sim *s, const struct isa_inst *inst)
{
    struct chunks all =
        chunks_of(inst->h, inst->w, view_of(s, s->at_tile, inst->dst.view)->channels);
    all.by_channel = true;
    for (struct chunk k; chunks_next(&all, &k);)
        if (!map_chunk(s, inst, &k))
            return false;
    return true;
}
