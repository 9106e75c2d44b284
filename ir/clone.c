/* clone.c - a second graph with an arena of its own; payloads are shared by reference. */
#include "ir_internal.h"

#include <stdlib.h>

struct ir_graph *ir_clone(const struct ir_graph *g)
{
    struct ir_graph *to = ir_graph_new(g->name, g->stage);
    struct ir_index index;
    ir_index_init(&index, g);
    struct ir_value **values = heap_alloc(index.n * sizeof *values);
    VEC(struct ir_value *) in = {0};
    uint32_t position = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        in.n = 0;
        for (uint32_t i = 0; i < op->n_in; i++) {
            uint32_t at;
            if (!ir_index_find(&index, op->in[i].value->def, &at) || at >= position)
                BUG("cloning an unverified graph");
            VEC_PUSH(&in, values[at]);
        }
        struct ir_new desc = {.opcode = op->opcode,
                              .in = in.at,
                              .n_in = op->n_in,
                              .attrs = op->attrs,
                              .name = op->name,
                              .loc = op->loc};
        struct ir_op *copy = ir_op_detached(to, &desc);
        ir_op_attach(copy, NULL, op->out ? &op->out->type : NULL);
        values[position++] = copy->out;
    }
    VEC_FREE(&in);
    free(values);
    ir_index_free(&index);
    return to;
}
