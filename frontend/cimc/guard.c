/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * guard.c - the door of the library: what happens inside a call becomes its status.
 *
 * In: a body that returns false after a diagnostic, or leaves by the door. Out: a status. The door
 * is this thread's only while the body runs; what the body took before it left is given back.
 */
#include "api.h"

#include <fenv.h>
#include <locale.h>
#include <setjmp.h>
#include <stdio.h>

struct guard {
    cimc_context *context;
    jmp_buf way_out;
    enum mishap why;
    bool has_left;
};
static _Thread_local struct guard *guard; /* of the call that runs in this thread */

static void __attribute__((noreturn)) leave(struct door *door, enum mishap why, const char *message)
{
    guard->why = why;
    snprintf(guard->context->failure, sizeof guard->context->failure, "%s", message);
    door_give_back(door);
    longjmp(guard->way_out, 1);
}

bool guard_is_here(void)
{
    return guard != NULL;
}

/* What of the caller's thread decides how numbers are computed and written. */
struct surroundings {
    locale_t locale, plain;
    fenv_t floats;
};

/* Points in numbers, rounding to nearest, no flush to zero, no traps; nothing is allocated. */
static void settle(struct surroundings *s)
{
    s->plain = newlocale(LC_ALL_MASK, "C", NULL);
    s->locale = uselocale(s->plain);
    fegetenv(&s->floats);
    fesetenv(FE_DFL_ENV);
}

static void restore(const struct surroundings *s)
{
    fesetenv(&s->floats);
    uselocale(s->locale);
    freelocale(s->plain);
}

/* False also where the body left by the door. */
static bool enter(struct guard *g, guard_body body, void *call)
{
    if (setjmp(g->way_out) == 0)
        return body(g->context, call);
    g->has_left = true;
    return false;
}

/* Of the entries behind `last`. */
static enum cimc_status status_of(const struct diag *d, const struct diag_entry *last)
{
    for (const struct diag_entry *e = last ? last->next : d->first; e; e = e->next) {
        if (e->severity == DIAG_ERROR && e->code == DIAG_USAGE)
            return CIMC_WRONG_USAGE;
    }
    return CIMC_WRONG_INPUT;
}

static enum cimc_status status_of_leaving(const struct guard *g)
{
    static const enum cimc_status statuses[] = {[MISHAP_BUG] = CIMC_INTERNAL,
                                                [MISHAP_MEMORY] = CIMC_NO_MEMORY,
                                                [MISHAP_CANCELLED] = CIMC_CANCELLED};
    return statuses[g->why];
}

enum cimc_status guard_run(cimc_context *c, guard_body body, void *call)
{
    struct guard g = {.context = c}, *outer = guard;
    const struct diag_entry *last = c->diag ? c->diag->last : NULL;
    struct surroundings callers;
    guard = &g;
    if (c->diag)
        c->diag->earlier = last;
    c->is_cancelled = false; /* whatever came before this call is not about it */
    settle(&callers);
    c->door.leave = leave;
    c->door.stop = &c->is_cancelled;
    door_set(&c->door);
    bool ok = enter(&g, body, call);
    door_reset(&c->door);
    restore(&callers);
    guard = outer;
    return ok ? CIMC_OK : g.has_left ? status_of_leaving(&g) : status_of(c->diag, last);
}
