/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* transition.h - commands that do not know the library by cimc.h alone yet. */
#ifndef CIMC_TRANSITION_H
#define CIMC_TRANSITION_H

#include "api.h"
#include "commands.h"
#include "driver.h"

typedef bool (*inner_command)(const struct command_line *l, const struct cimc_options *s,
                              struct diag *d);
struct inner_call {
    const struct command_line *l;
    inner_command run;
};
static inline bool inner_body(cimc_context *c, void *call)
{
    const struct inner_call *i = call;
    return i->run(i->l, &i->l->options, c->diag);
}
static inline enum cimc_status run_inner(struct command_line *l, inner_command run)
{
    return guard_run(l->context, inner_body, &(struct inner_call){l, run});
}
static inline bool start_build(const struct command_line *l, struct build *b,
                               const struct cimc_options *s, struct diag *d)
{
    bool ok = driver_start(b, s, NULL, &l->context->progress, d);
    if (ok)
        driver_set_noise(&b->arch, s->noise_seed, (struct loc){0}, d);
    return ok;
}
static inline bool take_operands(const struct command_line *l, struct build *b,
                                 const struct cimc_options *s, struct diag *d)
{
    struct sources files = sources_of(&l->args);
    return driver_take_models(b, s, files.at, files.n, d);
}

#endif
