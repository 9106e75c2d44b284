/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pass_steps.h - what the manager's parts share: the steps of a run, what a pass is given, what is
 * kept. */
#ifndef CIMC_PASS_STEPS_H
#define CIMC_PASS_STEPS_H

#include "passes_internal.h"

struct pass_step {
    const struct pass *pass;
    bool skipped;
    bool reads_more; /* than all before it */
};
struct pass_steps {
    struct pass_step *at;
    size_t n;
    uint64_t hash;                        /* of their names */
    const struct diag_entry *said_before; /* the last entry that is of none of them; NULL: none */
};

/* ---- pass_given.c ---- */

struct pass_given {
    struct pass_ctx ctx; /* without an arena of its own; points to what follows */
    struct arch arch, schedule_arch;
    struct quant_options quant;
    struct dup_options dup;
    struct dup_schedule schedule;
    uint64_t hash; /* of all that the graph may depend on */
};
void pass_give(const struct pass *p, const struct pass_ctx *all, struct pass_given *out);
/* Does the pass read what none has that was added before? Adds it. */
struct pass_readings {
    unsigned reads;
    struct arch fields;
};
bool pass_reads_more(struct pass_readings *all, const struct pass *p);

/* ---- pass_cache.c, of a cache that has a graph to begin with ---- */

/* *g becomes the last graph that this run comes to as well; the step that comes next. */
size_t pass_cache_resume(struct pass_cache *c, const struct pass_steps *s, struct ir_graph **g,
                         struct pass_ctx *ctx);
/* The graph before this step; s->n: at the end. */
void pass_cache_keep(struct pass_cache *c, const struct pass_steps *s, size_t step,
                     const struct ir_graph *g, const struct pass_ctx *ctx);

#endif
