/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * states.c - `--state OUT=IN`: an output of a frame is an input of the next one.
 *
 * In: a graph as it was imported, and the names. Out: attribute `state` of the inputs; how many
 * tensors inputs and outputs are then is known from it (ports.c).
 */
#include "models.h"

#include "base/closest.h"

#include <string.h>

static struct ir_op *find_port(const struct ir_graph *g, enum ir_opcode opcode, const char *name,
                               size_t length, struct diag *d)
{
    struct closest c = {.to = name};
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != opcode)
            continue;
        if (strlen(op->name) == length && strncmp(op->name, name, length) == 0)
            return op;
        closest_offer(&c, op->name);
    }
    diag_error(d, (struct loc){0}, DIAG_USAGE, "--state: the model has no %s '%.*s'%s%s%s",
               opcode == IR_input ? "input" : "output", (int)length, name, CLOSEST(&c));
    return NULL;
}

static bool same_type(const struct ir_op *out, const struct ir_op *in)
{
    const struct ir_attrs_output *a = &out->attrs->output;
    const struct ir_attrs_input *b = &in->attrs->input;
    return a->dtype == b->dtype && a->shape.n == b->shape.n &&
           (a->shape.n == 0 ||
            memcmp(a->shape.at, b->shape.at, a->shape.n * sizeof *a->shape.at) == 0);
}

/* `text`: OUT=IN; OUT is a name of model `m`, IN too, with the name of the model in front where
 * there are several. */
static bool bind_state(struct ir_graph *g, const struct model *m, const char *text, struct diag *d)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--state: '%s' is not OUT=IN", text);
    const char *from = models_own(m, equals + 1);
    if (!from)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--state: '%s' is no input of model '%s', as the output is: %s/...",
                          equals + 1, m->name, m->name);
    const struct ir_op *out = find_port(g, IR_output, text, (size_t)(equals - text), d);
    struct ir_op *in = out ? find_port(g, IR_input, from, strlen(from), d) : NULL;
    if (!in)
        return false;
    if (!same_type(out, in))
        return diag_error(d, in->loc, DIAG_USAGE,
                          "--state: '%s' and '%s' differ in shape or type of elements", out->name,
                          in->name);
    if (in->attrs->input.state)
        return diag_error(d, in->loc, DIAG_USAGE, "--state: '%s' is given twice", in->name);
    in->attrs->input.state = out->attrs->output.index + 1;
    return true;
}

bool states_bind(struct ir_graph *g, const struct model *m, const struct cimc_strings *states,
                 struct diag *d)
{
    for (size_t i = 0; i < states->n; i++) {
        const char *own = models_own(m, states->at[i]);
        if (own && !bind_state(g, m, own, d))
            return false;
    }
    return true;
}
