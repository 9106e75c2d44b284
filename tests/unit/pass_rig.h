/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pass_rig.h - graphs of IR text, passes run on them, and what was reported. */
#ifndef CIMC_PASS_RIG_H
#define CIMC_PASS_RIG_H

#include "pass.h"

#include <check.h>
#include <string.h>

struct rig {
    struct diag *diag;
    struct arena *arena;
    struct arch arch;
    struct dup_options dup;
    struct pass_ctx ctx;
    struct pass_options options;
};

static inline void rig_open(struct rig *r)
{
    *r = (struct rig){.diag = diag_new(), .arena = arena_new()};
    ck_assert(arch_load("clsa", r->arena, r->diag, &r->arch));
    r->dup = (struct dup_options){.objective = DUP_NONE, .pes = -1};
    r->ctx = (struct pass_ctx){.diag = r->diag, .arch = &r->arch, .dup = &r->dup};
    r->options = (struct pass_options){.print_to = stderr};
}

static inline void rig_close(struct rig *r)
{
    diag_free(r->diag);
    arena_free(r->arena);
}

static inline struct ir_graph *parse(struct rig *r, const char *text, size_t n)
{
    struct ir_graph *g = ir_parse(text, n, "test.ir", r->diag);
    if (!g)
        diag_print(r->diag, stderr);
    ck_assert_ptr_nonnull(g);
    return g;
}

static inline struct ir_graph *parse_text(struct rig *r, const char *text)
{
    return parse(r, text, strlen(text));
}

static inline bool run(struct rig *r, const char *pipeline, struct ir_graph **g)
{
    return pass_run_pipeline(pipeline, g, &r->ctx, &r->options);
}

static inline void run_ok(struct rig *r, const char *pipeline, struct ir_graph **g)
{
    bool ok = run(r, pipeline, g);
    if (!ok)
        diag_print(r->diag, stderr);
    ck_assert(ok);
}

static inline const struct ir_op *find_op(const struct ir_graph *g, enum ir_opcode opcode)
{
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == opcode)
            return op;
    }
    return NULL;
}

static inline bool has_text(const struct rig *r, enum diag_severity severity, const char *part)
{
    for (const struct diag_entry *e = r->diag->first; e; e = e->next) {
        if (e->severity == severity && strstr(e->text, part))
            return true;
    }
    return false;
}

static inline bool has_error(const struct rig *r, enum diag_code code, const char *part)
{
    for (const struct diag_entry *e = r->diag->first; e; e = e->next) {
        if (e->severity == DIAG_ERROR && e->code == code && strstr(e->text, part))
            return true;
    }
    return false;
}

#endif
