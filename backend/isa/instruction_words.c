/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * instruction_words.c - the decoded instructions of a run as words of memories.def, for who checks
 * a decoder.
 *
 * In: a tile's body, the number of frames, an iteration. Out: a word for each instruction, with the
 * thresholds of that iteration (ISA.md 14).
 */
#include "pack.h"

unsigned isa_instruction_bytes(void)
{
    return word_bits(WORD_instruction) / 8;
}

/* Messages, or instructions, that a counter counts in an iteration. */
static uint32_t step_of(const struct isa_tile *t, const uint32_t *in_queue, uint32_t counter)
{
    if (counter == ISA_PACE_COUNTER)
        return 1;
    if (counter < ISA_FIRST_INBOUND)
        return in_queue[counter];
    return t->n_steps > 0 ? t->step[counter - ISA_FIRST_INBOUND] : 0;
}

static void put_region(struct packer *p, const struct isa_region *r)
{
    pack_number(p, r->view);
    pack_number(p, (uint64_t)(int64_t)r->y);
    pack_number(p, (uint64_t)(int64_t)r->x);
}

static void put_fields(struct packer *p, const struct isa_inst *i)
{
    pack_number(p, i->op);
    pack_number(p, i->queue);
    pack_number(p, i->flags);
    pack_number(p, i->stage);
    pack_number(p, i->obj);
    pack_number(p, i->h);
    pack_number(p, i->w);
    put_region(p, &i->dst);
    put_region(p, &i->a);
    put_region(p, &i->b);
    pack_number(p, (uint64_t)i->y);
    pack_number(p, (uint64_t)i->x);
    pack_number(p, i->c);
    pack_number(p, i->n_waits);
}

static void put_waits(struct packer *p, const struct isa_tile *t, const uint32_t *in_queue,
                      const struct isa_inst *i, uint32_t iteration)
{
    uint32_t waits[ISA_MAX_WAITS] = {0};
    for (unsigned k = 0; k < i->n_waits; k++) {
        const struct isa_wait *w = &i->wait[k];
        uint32_t threshold = w->threshold + iteration * step_of(t, in_queue, w->counter);
        waits[k] = w->counter | threshold << ISA_COUNTER_BITS;
    }
    pack_bytes(p, waits, sizeof waits);
}

struct isa_memory isa_tile_instructions(const struct isa_program *program, uint32_t tile,
                                        uint32_t frames, uint32_t iteration, struct arena *a)
{
    const struct isa_tile *t = &program->tiles[tile];
    struct isa_memory out = {.name = "instructions"};
    struct packer p = {
        .program = program, .tile = tile, .a = a, .id = WORD_instruction, .out = &out};
    uint32_t in_queue[ISA_N_QUEUES] = {0};
    for (uint32_t i = 0; i < t->n_insts; i++)
        in_queue[t->insts[i].queue]++;
    pack_begin(&p, t->n_insts);
    for (uint32_t i = 0; i < t->n_insts; i++, pack_next(&p)) {
        const struct isa_inst *inst = &t->insts[i];
        uint32_t frame = isa_frame_of(inst->stage, isa_frame_flags(inst), iteration,
                                      program->frames ? frames : 1);
        put_fields(&p, inst);
        put_waits(&p, t, in_queue, inst, iteration);
        pack_number(&p, frame == ISA_NO_FRAME);
        pack_number(&p, frame == ISA_NO_FRAME ? 0 : frame);
    }
    return out;
}
