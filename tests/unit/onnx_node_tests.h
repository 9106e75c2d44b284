/*
 * onnx_node_tests.h - runs ONNX's own operator tests through importer and evaluator.
 *
 * A test is a model of one or a few nodes, inputs and expected outputs. First try: input 0 is a
 * run-time input and the others are constants, as weights are in a network. Where that is refused
 * because of an operator or type that is possible only at compile time, all inputs are constants
 * and the outputs are cast to float (by nodes added to the model's bytes), so that shape arithmetic
 * and integers are compared too. Models of opsets below 7 are read as opset 7: most operators mean
 * the same; the others are listed.
 */
#ifndef CIMC_ONNX_NODE_TESTS_H
#define CIMC_ONNX_NODE_TESTS_H

#include "onnx.h"

#include "eval.h"
#include "onnx_model.h"

#include <dirent.h>
#include <math.h>

static const char node_tests[] = "/usr/share/libonnx-testdata/data";
static const char *const node_test_sets[] = {"node", "pytorch-converted", "pytorch-operator",
                                             "simple"};

/* Refused on purpose, although the operator is known. A name, or its beginning. */
static const struct {
    const char *prefix, *reason;
} out_of_scope[] = {
    {"test_averagepool_3d", "three spatial dimensions"},
    {"test_maxpool_3d", "three spatial dimensions"},
    {"test_AvgPool3d", "three spatial dimensions"},
    {"test_convtranspose_3d", "three spatial dimensions"},
    {"test_Conv3d", "three spatial dimensions"},
    {"test_MaxPool3d", "three spatial dimensions"},
    {"test_PReLU_1d_multiparam", "opset 6: one slope a channel"},
    {"test_PReLU_2d_multiparam", "opset 6: one slope a channel"},
    {"test_PReLU_3d_multiparam", "opset 6: one slope a channel"},
    {"test_operator_add_broadcast", "its constants are too large for float"},
    {"test_operator_add_size1_right_broadcast", "its constants are too large for float"},
    {"test_operator_add_size1_singleton_broadcast", "its constants are too large for float"},
    {"test_operator_addconstant", "its constants are too large for float"},
    {"test_batchnorm_epsilon_training_mode", "training"},
    {"test_batchnorm_example_training_mode", "training"},
    {"test_training_dropout", "training"},
    {"test_cast_BFLOAT16_to_FLOAT", "its input file says uint16"},
    {"test_cast_FLOAT_to_BFLOAT16", "its output file says uint16"},
    {"test_castlike_BFLOAT16_to_FLOAT", "its input file says uint16"},
    {"test_castlike_FLOAT_to_BFLOAT16", "its input file says uint16"},
    {"test_cast_FLOAT_to_STRING", "text"},
    {"test_cast_STRING_to_FLOAT", "text"},
    {"test_castlike_FLOAT_to_STRING", "text"},
    {"test_castlike_STRING_to_FLOAT", "text"},
    {"test_identity_opt", "no tensor"},
    {"test_identity_sequence", "no tensor"},
    {"test_resize_downsample_scales_cubic", "neither nearest nor linear"},
    {"test_resize_downsample_scales_linear_align_corners", "its expected output is wrong"},
    {"test_resize_downsample_sizes_cubic", "neither nearest nor linear"},
    {"test_resize_upsample_scales_cubic", "neither nearest nor linear"},
    {"test_resize_upsample_sizes_cubic", "neither nearest nor linear"},
    {"test_slice_start_out_of_bounds", "a result without elements"},
    {"test_scatternd_add", "reduction"},
    {"test_scatternd_multiply", "reduction"},
    {"test_split_zero_size_splits", "a result without elements"},
    {"test_reshape_allowzero_reordered", "a result without elements"},
    {"test_constantofshape_int_shape_zero", "a result without elements"},
};

enum outcome { PASSED, UNSUPPORTED, OTHER_TYPE, LISTED, FAILED, N_OUTCOMES };
struct node_test_counts {
    int at[N_OUTCOMES];
};

static struct ir_op *fold(void *self, struct ir_op *op)
{
    return eval_fold(op, (size_t)1 << 26, self);
}

static bool reports(const struct diag *d, enum diag_code code, const char *text)
{
    for (const struct diag_entry *e = d->first; e; e = e->next)
        if (e->severity != DIAG_WARNING && e->code == code && strstr(e->text, text))
            return true;
    return false;
}

/* ---- just enough of a reader ---- */

struct field {
    unsigned number, wire;
    const uint8_t *start, *body, *end; /* tag, contents, next field */
};

static uint64_t get_varint(const uint8_t **at)
{
    uint64_t x = 0;
    for (unsigned shift = 0;; shift += 7) {
        x |= (uint64_t)(**at & 127) << shift;
        if (*(*at)++ < 128)
            return x;
    }
}

/* The next field of a well-formed message; false at its end. */
static bool next_field(const uint8_t **at, const uint8_t *end, struct field *f)
{
    if (*at >= end)
        return false;
    f->start = *at;
    uint64_t tag = get_varint(at), length = 0;
    f->number = (unsigned)(tag >> 3);
    f->wire = tag & 7;
    if (f->wire == 2)
        length = get_varint(at);
    f->body = *at;
    if (f->wire == 0)
        get_varint(at);
    *at += f->wire == 2 ? length : f->wire == 1 ? 8 : f->wire == 5 ? 4 : 0;
    f->end = *at;
    return true;
}

/* The k-th occurrence of a length-delimited field. */
static bool find_field(const uint8_t *at, const uint8_t *end, unsigned number, size_t k,
                       struct field *f)
{
    while (next_field(&at, end, f))
        if (f->number == number && f->wire == 2 && k-- == 0)
            return true;
    return false;
}

/* OperatorSetIdProto with a version below 7 raised to it. */
static struct text raised_opset(const struct field *set)
{
    struct text out = {0};
    struct field f;
    for (const uint8_t *at = set->body; next_field(&at, set->end, &f);) {
        const uint8_t *value = f.body;
        if (f.number == 2 && get_varint(&value) < 7)
            put_int(&out, 2, 7);
        else
            text_add_bytes(&out, f.start, (size_t)(f.end - f.start));
    }
    return out;
}

/* The model with opsets below 7 raised to 7 and, if asked for, every graph output cast to float:
 * ModelProto.opset_import is field 8, graph is 7; GraphProto.output is field 12. */
static struct text rewritten_model(const struct file *file, bool float_outputs)
{
    struct text graph = {0}, model = {0};
    const uint8_t *at = file->data, *end = file->data + file->size;
    struct field f, g, name;
    size_t k = 0;
    while (next_field(&at, end, &f)) {
        if (f.number == 8) {
            put_msg(&model, 8, raised_opset(&f));
            continue;
        }
        if (f.number != 7 || !float_outputs) {
            text_add_bytes(&model, f.start, (size_t)(f.end - f.start));
            continue;
        }
        for (const uint8_t *in = f.body; next_field(&in, f.end, &g);) {
            if (g.number != 12) {
                text_add_bytes(&graph, g.start, (size_t)(g.end - g.start));
                continue;
            }
            char cast_name[32], *old = NULL;
            snprintf(cast_name, sizeof cast_name, "float output %zu", k++);
            if (!find_field(g.body, g.end, 1, 0, &name))
                BUG("an output without a name");
            old = strndup((const char *)name.body, (size_t)(name.end - name.body));
            struct text cast = {0}, info = {0};
            put_str(&cast, 1, old);
            put_str(&cast, 2, cast_name);
            put_str(&cast, 4, "Cast");
            attr_int(&cast, "to", FLOAT);
            put_msg(&graph, 1, cast);
            put_str(&info, 1, cast_name);
            put_msg(&graph, 12, info);
            free(old);
        }
    }
    if (float_outputs)
        put_msg(&model, 7, graph);
    return model;
}

/* ---- one test ---- */

struct node_test {
    const char *dir;
    size_t n_inputs; /* files */
    struct file model;
    struct arena *arena;
    struct diag *diag; /* of the attempt that is being made */
};

static char *data_path(struct node_test *t, const char *kind, size_t k)
{
    return arena_printf(t->arena, "%s/test_data_set_0/%s_%zu.pb", t->dir, kind, k);
}

/* With the inputs from `first_constant` on bound to their files. */
static struct ir_graph *import_bound(struct node_test *t, const char *path, size_t first_constant)
{
    struct onnx_constant_input *bound =
        ARENA_ARRAY(t->arena, struct onnx_constant_input, t->n_inputs);
    struct onnx_options o = {.constants = bound, .fold = fold, .fold_self = t->diag};
    struct field graph, input, name;
    if (!find_field(t->model.data, t->model.data + t->model.size, 7, 0, &graph))
        BUG("%s holds no graph", t->dir);
    for (size_t k = first_constant; k < t->n_inputs; k++) {
        if (!find_field(graph.body, graph.end, 11, k, &input) ||
            !find_field(input.body, input.end, 1, 0, &name))
            break;
        bound[o.n_constants++] = (struct onnx_constant_input){
            arena_strndup(t->arena, (const char *)name.body, (size_t)(name.end - name.body)),
            data_path(t, "input", k)};
    }
    return onnx_import(path, &o, t->diag);
}

static float to_float(enum ir_dtype t, const void *data, int64_t i)
{
    switch (t) {
    case IR_I64: return (float)((const int64_t *)data)[i];
    case IR_I32: return (float)((const int32_t *)data)[i];
    case IR_I8: return ((const int8_t *)data)[i];
    case IR_U8:
    case IR_BOOL: return ((const uint8_t *)data)[i];
    default: return ((const float *)data)[i];
    }
}

static bool read_data(struct node_test *t, const char *kind, size_t k, struct tensor *out)
{
    struct onnx_tensor x;
    if (!onnx_read_tensor(data_path(t, kind, k), &x, t->diag))
        return false;
    *out = (struct tensor){.type = x.type, .data = x.data};
    return true;
}

/* The tolerances of ONNX's own test runner. */
static bool is_near(float a, float b)
{
    return a == b || (isnan(a) && isnan(b)) || fabsf(a - b) <= 1e-5f + 1e-3f * fabsf(b);
}

/* Integers are exact; they may have been cast to float. */
static bool equals_file(struct node_test *t, size_t k, const struct tensor *have)
{
    struct tensor want;
    if (!read_data(t, "output", k, &want))
        return false;
    enum ir_dtype is = (enum ir_dtype)have->type.dtype, as = (enum ir_dtype)want.type.dtype;
    struct ir_type type = want.type;
    type.dtype = (uint8_t)is;
    bool same = ir_type_equal(&type, &have->type) && (is == as || is == IR_F32);
    for (int64_t i = 0; same && i < ir_count(&want.type); i++) {
        float a = to_float(is, have->data, i), b = to_float(as, want.data, i);
        same = as == IR_F32 ? is_near(a, b) : a == b;
    }
    tensor_free(&want);
    return same;
}

static bool evaluates(struct node_test *t, const struct ir_graph *g)
{
    struct tensor in[8] = {0}, out[8] = {0};
    size_t n_in = 0, n_out = 0;
    bool ok = ir_verify(g, t->diag);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_input && ok)
            ok = n_in < 8 && read_data(t, "input", n_in++, &in[op->attrs->input.index]);
        n_out += op->opcode == IR_output;
    }
    ok = ok && n_out <= 8 && eval_graph(g, in, n_in, out, n_out, NULL, t->diag);
    for (size_t k = 0; ok && k < n_out; k++)
        ok = equals_file(t, k, &out[k]);
    for (size_t k = 0; k < 8; k++) {
        tensor_free(&in[k]);
        tensor_free(&out[k]);
    }
    return ok;
}

static enum outcome attempt(struct node_test *t, bool float_outputs, size_t first_constant)
{
    enum outcome result = FAILED;
    struct text bytes = rewritten_model(&t->model, float_outputs);
    struct memory_file f = memory_file(bytes.at, bytes.n);
    text_free(&bytes);
    t->diag = diag_new();
    struct ir_graph *g = import_bound(t, f.path, first_constant);
    if (g)
        result = evaluates(t, g) ? PASSED : FAILED;
    else if (reports(t->diag, DIAG_ONNX_UNSUPPORTED, ""))
        result = UNSUPPORTED;
    else if (reports(t->diag, DIAG_ONNX_MODEL, "; only float") ||
             reports(t->diag, DIAG_ONNX_MODEL, "which is not supported"))
        result = OTHER_TYPE;
    if (result == FAILED)
        diag_print(t->diag, stderr);
    ir_graph_free(g);
    diag_free(t->diag);
    close(f.fd);
    return result;
}

static enum outcome run_node_test(const char *dir)
{
    struct node_test t = {.dir = dir, .arena = arena_new()};
    struct diag *d = diag_new();
    const char *path = arena_printf(t.arena, "%s/model.onnx", dir);
    if (!file_open(path, t.arena, d, &t.model))
        BUG("cannot read %s", path);
    while (access(data_path(&t, "input", t.n_inputs), R_OK) == 0)
        t.n_inputs++;
    enum outcome result = attempt(&t, false, 1);
    if (result == UNSUPPORTED || result == OTHER_TYPE)
        result = attempt(&t, true, 0);
    file_close(&t.model);
    diag_free(d);
    arena_free(t.arena);
    return result;
}

static bool is_listed(const char *test)
{
    for (size_t k = 0; k < sizeof out_of_scope / sizeof *out_of_scope; k++)
        if (strncmp(test, out_of_scope[k].prefix, strlen(out_of_scope[k].prefix)) == 0)
            return true;
    return false;
}

static void run_node_test_set(const char *set, struct node_test_counts *counts)
{
    struct dirent **list;
    struct text folder = {0};
    text_add(&folder, "%s/%s", node_tests, set);
    int n = scandir(folder.at, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        struct text dir = {0};
        text_add(&dir, "%s/%s", folder.at, list[i]->d_name);
        if (list[i]->d_name[0] != '.') {
            enum outcome result = is_listed(list[i]->d_name) ? LISTED : run_node_test(dir.at);
            counts->at[result]++;
            if (result == FAILED)
                fprintf(stderr, "# failed: %s/%s\n", set, list[i]->d_name);
        }
        text_free(&dir);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    text_free(&folder);
}

/* All zero if the tests are not installed. */
static struct node_test_counts run_node_tests(void)
{
    struct node_test_counts counts = {0};
    for (size_t i = 0; i < sizeof node_test_sets / sizeof *node_test_sets; i++)
        run_node_test_set(node_test_sets[i], &counts);
    return counts;
}

#endif
