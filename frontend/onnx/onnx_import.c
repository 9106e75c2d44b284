/*
 * onnx_import.c - from an ONNX file to a TENSOR graph: the table of contents of this room.
 *
 * In: a path and options. Out: a graph in which every node became operations of ops.def, shapes are
 * static, and what can be computed now is a constant. Invariant: either a complete graph comes
 * back, or NULL with at least one error.
 */
#include "onnx_node.h"

#include <string.h>

/* ---- the walk ---- */

static bool import_node(struct onnx_node *n)
{
    unsigned errors = n->im->diag->n_errors;
    n->before = n->im->g->last;
    bool ok = n->op->import(n) && !n->failed;
    if (!ok && !n->at_run_time && n->im->diag->n_errors == errors)
        BUG("%s failed without a message", n->loc.entity);
    if (ok)
        onnx_warn_unread(n);
    return ok;
}

/* Operations that exist only at compile time but got run-time operands: one error, all nodes. */
static bool report_run_time(struct onnx_importer *im)
{
    struct text t = {0};
    size_t n = 0;
    for (size_t i = 0; i < im->graph->n_node; i++)
        if (im->nodes[i].at_run_time)
            text_add(&t, "%s%s '%s'", n++ ? ", " : "", im->nodes[i].proto->op_type,
                     im->nodes[i].name);
    if (n)
        diag_error(im->diag, (struct loc){.file = im->path}, DIAG_ONNX_UNSUPPORTED,
                   "%zu %s not supported on values computed at run time: %s", n,
                   n == 1 ? "operator is" : "operators are", t.at);
    text_free(&t);
    return n == 0;
}

/* Stops at the first node that fails: its result has no type to go on with. */
static bool walk(struct onnx_importer *im)
{
    bool ok = true;
    for (size_t i = 0; ok && i < im->graph->n_node; i++)
        ok = import_node(&im->nodes[im->order[i]]);
    return report_run_time(im) && ok;
}

/* ---- after the walk ---- */

/* Initializers and folded constants that nothing reads any more. */
static void drop_unused_constants(struct ir_graph *g)
{
    for (struct ir_op *op = g->last, *prev; op; op = prev) {
        prev = op->prev;
        if (op->opcode == IR_constant && !op->out->uses)
            ir_op_remove(op);
    }
}

static bool import(struct onnx_importer *im)
{
    if (!onnx_check_model(im) || !onnx_collect_symbols(im) || !onnx_collect_nodes(im) ||
        !onnx_order_nodes(im) || !onnx_bind_constants(im))
        return false;
    for (size_t i = 0; i < im->graph->n_node; i++)
        im->integral |= im->nodes[i].op->import == import_requant_shift;
    im->g = ir_graph_new(im->graph->name, IR_TENSOR);
    if (!onnx_make_inputs(im) || !walk(im) || !onnx_make_outputs(im))
        return false;
    onnx_number_weights(im);
    drop_unused_constants(im->g);
    ir_number(im->g);
    return true;
}

struct ir_graph *onnx_import(const char *path, const struct onnx_options *o, struct diag *d)
{
    static const struct onnx_options none = {0};
    unsigned errors = d->n_errors;
    struct onnx_importer im = {
        .path = strcmp(path, "-") == 0 ? "<stdin>" : path, .options = o ? o : &none, .diag = d};
    if (!onnx_source_open(path, &onnx__model_proto__descriptor, &im.model, d))
        return NULL;
    im.model.options = im.options;
    im.arena = arena_new();
    im.proto = (const Onnx__ModelProto *)im.model.root;
    bool ok = import(&im) && d->n_errors == errors;
    if (!ok) {
        ir_graph_free(im.g);
        im.g = NULL;
    }
    for (size_t i = 0; im.constants && i < im.options->n_constants; i++)
        onnx_source_close(&im.constants[i]);
    onnx_source_close(&im.model);
    VEC_FREE(&im.weights);
    arena_free(im.arena);
    return im.g;
}
