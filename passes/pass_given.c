/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_given.c - what a pass gets to see besides the graph: what it says it reads, and nothing
 * else. So the graph that it leaves depends on nothing else, and whoever declares too little, or
 * forgets a new member here, gets a graph that is wrong in every run and not just in one that goes
 * on from another.
 *
 * Whatever is given is hashed where it is given.
 */
#include "pass_steps.h"

/* ---- hashing ---- */

static void put(struct text *t, int64_t x)
{
    text_add_bytes(t, &x, sizeof x);
}

static void put_string(struct text *t, const char *s)
{
    put(t, s ? (int64_t)strlen(s) : -1);
    if (s)
        text_add_bytes(t, s, strlen(s));
}

/* A member that is a number, to the structure that is given. */
#define GIVE(to, from, member) put(t, (int64_t)((to)->member = (from)->member))

/* ---- one structure each ---- */

static const struct arch *give_arch(const struct arch *all, const struct arch *fields,
                                    struct arch *out, struct text *t)
{
    *out = (struct arch){.name = ""};
#define FIELD(name, part, state, initial, least, most, unit, doc)                                  \
    if (fields->name)                                                                              \
        GIVE(out, all, name);
#define CHOICE(name, part, state, initial, choices, doc)                                           \
    if (fields->name)                                                                              \
        GIVE(out, all, name);
#include "arch.def"
#undef FIELD
#undef CHOICE
    return out;
}

/* All that has to do with time: prices are not in it. */
static const struct arch *give_whole_arch(const struct arch *all, struct arch *out, struct text *t)
{
    static const struct arch fields = {
        .name = "",
#define FIELD(name, part, state, initial, least, most, unit, doc) .name = 1,
#define CHOICE(name, part, state, initial, choices, doc) .name = 1,
#include "arch.def"
#undef FIELD
#undef CHOICE
    };
    return give_arch(all, &fields, out, t);
}

static const struct quant_options *give_quant(const struct quant_options *all,
                                              struct quant_options *out, struct text *t)
{
    _Static_assert(sizeof *all->layers == 24, "all members of quant_override");
    *out = (struct quant_options){.layers = all->layers};
    GIVE(out, all, weight_bits);
    GIVE(out, all, activation_bits);
    GIVE(out, all, rounding);
    GIVE(out, all, bias_correction);
    GIVE(out, all, n_layers);
    for (size_t i = 0; i < all->n_layers; i++) {
        put_string(t, all->layers[i].layer);
        put(t, all->layers[i].weight_bits);
        put(t, all->layers[i].activation_bits);
    }
    return out;
}

static const struct dup_options *give_dup(const struct dup_options *all, struct dup_options *out,
                                          struct text *t)
{
    _Static_assert(sizeof *all->fixed == 16, "all members of dup_fixed");
    _Static_assert(sizeof *all->patches == 24, "all members of dup_patch");
    *out =
        (struct dup_options){.fixed = all->fixed, .patches = all->patches, .lp_file = all->lp_file};
    GIVE(out, all, objective);
    GIVE(out, all, cut);
    GIVE(out, all, windows);
    GIVE(out, all, pes);
    GIVE(out, all, extra_pes);
    GIVE(out, all, n_fixed);
    for (size_t i = 0; i < all->n_fixed; i++) {
        put_string(t, all->fixed[i].layer);
        put(t, all->fixed[i].copies);
    }
    GIVE(out, all, n_patches);
    for (size_t i = 0; i < all->n_patches; i++) {
        put_string(t, all->patches[i].layer);
        put(t, all->patches[i].patch[0]);
        put(t, all->patches[i].patch[1]);
    }
    put_string(t, all->lp_file);
    return out;
}

static const struct dup_schedule *give_schedule(const struct dup_schedule *all,
                                                struct pass_given *out, struct text *t)
{
    struct dup_schedule *s = &out->schedule;
    *s = (struct dup_schedule){.makespan = all->makespan, .self = all->self};
    if (all->arch)
        s->arch = give_whole_arch(all->arch, &out->schedule_arch, t);
    GIVE(s, all, set_rows);
    GIVE(s, all, set_columns);
    GIVE(s, all, set_budget);
    GIVE(s, all, layer_by_layer);
    GIVE(s, all, frames);
    return s;
}

/* ---- all of it ---- */

/* Whether there is something is given, too. */
static bool is_given(const struct pass *p, unsigned what, const void *thing, struct text *t)
{
    bool is = (p->reads & what) != 0 && thing != NULL;
    put(t, is);
    return is;
}

void pass_give(const struct pass *p, const struct pass_ctx *all, struct pass_given *out)
{
    struct text all_given = {0}, *t = &all_given;
    struct pass_ctx *ctx = &out->ctx;
    *ctx = (struct pass_ctx){.diag = all->diag, .progress = all->progress};
    if (p->fields && all->arch)
        ctx->arch = give_arch(all->arch, p->fields, &out->arch, t);
    if (p->reads & READS_MODE)
        GIVE(ctx, all, mode);
    if (p->reads & READS_UNQUANTISED)
        GIVE(ctx, all, unquantised_is_error);
    if (is_given(p, READS_QUANT, all->quant, t)) {
        ctx->quant = give_quant(all->quant, &out->quant, t);
        ctx->quant_report = all->quant_report;
        ctx->quant_test = all->quant_test;
    }
    if (is_given(p, READS_CALIBRATION, all->calibration, t)) {
        ctx->calibration = all->calibration;
        put(t, (int64_t)all->calibration->hash);
    }
    if (is_given(p, READS_DUP, all->dup, t)) {
        ctx->dup = give_dup(all->dup, &out->dup, t);
        ctx->dup_result = all->dup_result;
    }
    if (is_given(p, READS_SCHEDULE, all->schedule, t))
        ctx->schedule = give_schedule(all->schedule, out, t);
    out->hash = hash_bytes(t->at, t->n, 0);
    text_free(t);
}

bool pass_reads_more(struct pass_readings *all, const struct pass *p)
{
    static const struct arch nothing;
    const struct arch *fields = p->fields ? p->fields : &nothing;
    bool more = (p->reads & ~all->reads) != 0;
    all->reads |= p->reads;
#define FIELD(name, part, state, initial, least, most, unit, doc)                                  \
    more |= fields->name && !all->fields.name;                                                     \
    all->fields.name |= fields->name;
#define CHOICE(name, part, state, initial, choices, doc)                                           \
    more |= fields->name && !all->fields.name;                                                     \
    all->fields.name |= fields->name;
#include "arch.def"
#undef FIELD
#undef CHOICE
    return more;
}
