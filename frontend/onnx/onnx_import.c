/*
 * onnx_import.c - from an ONNX file to a TENSOR graph: the table of contents of this room.
 *
 * In: a path and options. Out: a graph in which every node became operations of ops.def, shapes are
 * static, and what can be computed now is a constant. Invariant: either a complete graph comes
 * back, or NULL with at least one error.
 */
#include "onnx_node.h"

#include <stdlib.h>
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

static int by_sharing(const void *a, const void *b)
{
    const struct onnx_weight_use *x = *(const struct onnx_weight_use *const *)a;
    const struct onnx_weight_use *y = *(const struct onnx_weight_use *const *)b;
    if (x->symbol != y->symbol) /* both in one array, sorted by name: no order of addresses */
        return x->symbol < y->symbol ? -1 : 1;
    if (x->variant != y->variant)
        return x->variant < y->variant ? -1 : 1;
    return x < y ? -1 : 1;
}

static void set_weights(struct ir_op *op, int64_t number)
{
    if (op->opcode == IR_conv)
        op->attrs->conv.weights = number;
    else
        op->attrs->matmul.weights = number;
}

static int64_t get_weights(const struct ir_op *op)
{
    return op->opcode == IR_conv ? op->attrs->conv.weights : op->attrs->matmul.weights;
}

/* Numbers the initializers that several base operations use, from 1 in order of first use. */
static void number_weights(struct onnx_importer *im)
{
    size_t n = im->weights.n;
    int64_t next = 1;
    const struct onnx_weight_use **sorted =
        ARENA_ARRAY(im->arena, const struct onnx_weight_use *, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &im->weights.at[i];
    if (n)
        qsort(sorted, n, sizeof *sorted, by_sharing);
    /* First a mark on all that share, the place of their first use; then numbers by that place. */
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end]->symbol == sorted[i]->symbol &&
                          sorted[end]->variant == sorted[i]->variant;)
            end++;
        for (size_t k = i; end - i > 1 && k < end; k++)
            set_weights(sorted[k]->op, sorted[i] - im->weights.at + 1);
    }
    int64_t *number = ARENA_ARRAY(im->arena, int64_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        int64_t first = get_weights(im->weights.at[i].op);
        if (first && !number[first])
            number[first] = next++;
        set_weights(im->weights.at[i].op, number[first]);
    }
}

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
    im->g = ir_graph_new(im->graph->name, IR_TENSOR);
    if (!onnx_make_inputs(im) || !walk(im) || !onnx_make_outputs(im))
        return false;
    number_weights(im);
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
