/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_test.c - the pass manager; every file of tests/golden/passes; hand-computed lowerings; and
 * the property that no pass changes what a graph computes, on the golden inputs and on generated
 * graphs.
 */
#include "pass.h"

#include "eval.h"
#include "pass_graphs.h"
#include "pass_rig.h"
#include "../run_suite.h"

#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- evaluation before and after ---- */

enum { MOST_IO = 4 };
struct io {
    struct tensor in[MOST_IO], out[MOST_IO];
    size_t n_in, n_out;
};

/* Values in [-1, 1), or any bytes. */
static void fill(struct tensor *t, uint64_t *seed)
{
    int64_t n = ir_count(&t->type);
    for (int64_t i = 0; i < n; i++) {
        if (t->type.dtype == IR_F32)
            ((float *)t->data)[i] = (float)(random_next(seed) >> 40) * 0x1p-23f - 1.0f;
        else
            ((uint8_t *)t->data)[i] = (uint8_t)(random_next(seed) >> 40);
    }
}

static void io_fill(struct io *io, const struct ir_graph *g, uint64_t seed)
{
    *io = (struct io){0};
    for (const struct ir_op *op = g->first; op; op = op->next) {
        io->n_out += op->opcode == IR_output;
        if (op->opcode != IR_input)
            continue;
        struct ir_type outside = op->out->type;
        if (op->attrs->input.dtype == IR_I8)
            outside.dtype = IR_I8;
        struct tensor t = tensor_new(&outside);
        fill(&t, &seed);
        ck_assert(op->attrs->input.index < MOST_IO);
        io->in[op->attrs->input.index] = t;
        io->n_in++;
    }
    ck_assert(io->n_out <= MOST_IO);
}

static void io_eval(const struct io *io, const struct ir_graph *g, struct tensor *out)
{
    struct diag *d = diag_new();
    bool ok = eval_graph(g, io->in, io->n_in, out, io->n_out, NULL, d);
    if (!ok)
        diag_print(d, stderr);
    ck_assert(ok);
    diag_free(d);
}

/* Within 1e-4 of the largest value of each output; integers are equal; the same shapes. */
static bool io_same(const struct io *io, const struct tensor *out)
{
    for (size_t k = 0; k < io->n_out; k++) {
        const float *x = io->out[k].data, *y = out[k].data;
        double most = 0, error = 0;
        if (!ir_type_equal(&io->out[k].type, &out[k].type))
            return false;
        if (out[k].type.dtype != IR_F32) {
            size_t bytes =
                (size_t)ir_count(&out[k].type) * ir_dtype_bytes((enum ir_dtype)out[k].type.dtype);
            if (memcmp(x, y, bytes) != 0)
                return false;
            continue;
        }
        for (int64_t i = 0; i < ir_count(&out[k].type); i++) {
            most = fmax(most, fabs((double)x[i]));
            error = fmax(error, fabs((double)x[i] - (double)y[i]));
            if (isnan(x[i]) != isnan(y[i]))
                return false;
        }
        if (error > 1e-4 * most)
            return false;
    }
    return true;
}

static void io_free(struct io *io)
{
    for (size_t i = 0; i < io->n_in; i++)
        tensor_free(&io->in[i]);
    for (size_t i = 0; i < io->n_out; i++)
        tensor_free(&io->out[i]);
}

/* Runs the passes one by one and compares after each. True if all ran; false if one refused with
 * code LOWER, which a generated graph may ask for. */
static bool check_equivalent(struct rig *r, const char *pipeline, struct ir_graph **g,
                             const char *what)
{
    struct io io;
    io_fill(&io, *g, 1);
    io_eval(&io, *g, io.out);
    char *names = arena_strdup(r->arena, pipeline), *save = NULL;
    bool ok = true;
    for (char *name = strtok_r(names, ",", &save); name && ok; name = strtok_r(NULL, ",", &save)) {
        struct tensor out[MOST_IO];
        ok = run(r, name, g);
        if (!ok) {
            ck_assert_msg(has_error(r, DIAG_LOWER, ""), "%s fails at %s", what, name);
            break;
        }
        io_eval(&io, *g, out);
        ck_assert_msg(io_same(&io, out), "%s computes something else after %s", what, name);
        for (size_t k = 0; k < io.n_out; k++)
            tensor_free(&out[k]);
    }
    io_free(&io);
    return ok;
}

/* ---- golden files ---- */

/* Else the test runs at the top of the tree. */
static const char *golden_dir(void)
{
    const char *dir = getenv("CIMC_GOLDEN_DIR");
    return dir ? dir : "tests/golden/passes";
}

static const char run_line[] = "; RUN: opt --passes=", separator[] = "; ---\n";

struct golden {
    const char *path, *pipeline;
    const char *input, *want; /* input includes the comment lines in front */
    size_t n_input;
};

static void golden_read(struct golden *x, const char *path, struct rig *r)
{
    struct file f;
    ck_assert_msg(file_open(path, r->arena, r->diag, &f), "cannot read %s", path);
    char *text = arena_strndup(r->arena, (const char *)f.data, f.size);
    file_close(&f);
    char *middle = strstr(text, separator);
    ck_assert_msg(strncmp(text, run_line, strlen(run_line)) == 0 && middle, "%s: no golden file",
                  path);
    const char *names = text + strlen(run_line);
    x->path = path;
    x->pipeline = arena_strndup(r->arena, names, strcspn(names, "\n"));
    x->input = text;
    x->n_input = (size_t)(middle - text);
    x->want = middle + strlen(separator);
}

static void golden_bless(const struct golden *x, const char *is)
{
    FILE *f = fopen(x->path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%.*s%s%s", (int)x->n_input, x->input, separator, is);
    fclose(f);
}

static void check_golden(const char *path)
{
    struct rig r;
    struct golden x;
    struct text is = {0};
    rig_open(&r);
    golden_read(&x, path, &r);
    struct ir_graph *g = parse(&r, x.input, x.n_input);
    r.options.roundtrip_each = true;
    run_ok(&r, x.pipeline, &g);
    ir_print(g, &(struct ir_print_options){0}, &is);
    if (getenv("CIMC_BLESS"))
        golden_bless(&x, is.at);
    else
        ck_assert_msg(strcmp(is.at, x.want) == 0, "%s: the result is\n%s", path, is.at);
    text_free(&is);
    ir_graph_free(g);

    g = parse(&r, x.input, x.n_input);
    ck_assert(check_equivalent(&r, x.pipeline, &g, path));
    ir_graph_free(g);
    rig_close(&r);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

START_TEST(test_golden)
{
    struct arena *a = arena_new();
    const char *dir = golden_dir();
    DIR *d = opendir(dir);
    ck_assert_msg(d != NULL, "no golden files in %s (CIMC_GOLDEN_DIR)", dir);
    VEC(const char *) paths = {0};
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        size_t n = strlen(e->d_name);
        if (n > 3 && strcmp(e->d_name + n - 3, ".ir") == 0)
            VEC_PUSH(&paths, arena_printf(a, "%s/%s", dir, e->d_name));
    }
    closedir(d);
    ck_assert_uint_ge(paths.n, 40);
    qsort(paths.at, paths.n, sizeof *paths.at, by_name);
    for (size_t i = 0; i < paths.n; i++)
        check_golden(paths.at[i]);
    VEC_FREE(&paths);
    arena_free(a);
}
END_TEST

/* ---- the manager ---- */

static const char small[] = "graph \"g\" tensor {\n"
                            "  %0 = input {index=0, dtype=\"f32\", shape=[2]}\n"
                            "  %1 = constant {dtype=\"f32\", shape=[2], data=dense(1.0, 2.0)}\n"
                            "  %2 = add %1, %1\n"
                            "  %3 = add %0, %2\n"
                            "  %4 = relu %3\n"
                            "  output %4 {index=0, dtype=\"f32\", shape=[2]}\n"
                            "}\n";

START_TEST(test_passes_are_listed)
{
    size_t n;
    const struct pass *const *list = pass_list(&n);
    ck_assert_uint_eq(n, 13);
    ck_assert_str_eq(list[0]->name, "fold");
    ck_assert_str_eq(list[n - 1]->name, "readout");
    for (size_t i = 0; i < n; i++) {
        ck_assert_ptr_eq(pass_find(list[i]->name), list[i]);
        ck_assert(list[i]->needs != 0 && *list[i]->summary);
    }
    ck_assert_ptr_null(pass_find("fold_bn"));
    ck_assert_ptr_nonnull(pass_find("fold-bn"));
}
END_TEST

START_TEST(test_wrong_names)
{
    static const struct {
        const char *pipeline;
        struct pass_options o;
        const char *part;
    } cases[] = {
        {"fold,,dce", {0}, "pipeline: there is no pass ''"},
        {"fold,folt", {0}, "pipeline: there is no pass 'folt'"},
        {"fold", {.skip = "dce,x"}, "--skip: there is no pass 'x'"},
        {"fold", {.stop_after = "y"}, "--stop-after: there is no pass 'y'"},
        {"fold", {.print_after = "z"}, "--print-after: there is no pass 'z'"},
        {"fold", {.print_before = "z"}, "--print-before: there is no pass 'z'"},
    };
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, small);
    uint64_t fingerprint = ir_fingerprint(g);
    r.options = cases[_i].o;
    ck_assert(!run(&r, cases[_i].pipeline, &g));
    ck_assert(has_error(&r, DIAG_PASS, cases[_i].part));
    ck_assert_uint_eq(ir_fingerprint(g), fingerprint); /* nothing ran */
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_wrong_stage)
{
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, small);
    ck_assert(!run(&r, "fold, im2col", &g));
    ck_assert(has_error(&r, DIAG_PASS, "'im2col' does not accept"));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_stop_and_skip)
{
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, small);
    r.options.skip = "fold";
    run_ok(&r, "fold,dce", &g);
    ck_assert_ptr_nonnull(find_op(g, IR_constant));
    ck_assert_uint_eq(g->n_ops, 6); /* skipped: nothing folded, nothing dead */
    r.options.skip = NULL;
    r.options.stop_after = "fold";
    run_ok(&r, "fold,dce", &g);
    ck_assert_uint_eq(g->n_ops, 6); /* stopped: the old constant is still there */
    r.options.stop_after = NULL;
    run_ok(&r, " dce , fold ", &g);
    ck_assert_uint_eq(g->n_ops, 5);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* The second fold finds nothing left to do. */
START_TEST(test_printing_what_changed)
{
    struct rig r;
    char *text = NULL;
    size_t n;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, small);
    r.options = (struct pass_options){.print_changed = true, .print_to = open_memstream(&text, &n)};
    run_ok(&r, "fold,cse,fold,dce", &g);
    fclose(r.options.print_to);
    const char *fold = strstr(text, "; after fold\ngraph \"g\" tensor {");
    ck_assert_ptr_eq(fold, text);
    ck_assert_ptr_null(strstr(fold + 1, "; after fold\n"));
    ck_assert_ptr_null(strstr(text, "; after cse\n"));
    ck_assert_ptr_nonnull(strstr(text, "; after dce\ngraph \"g\" tensor {"));
    free(text);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_printing)
{
    struct rig r;
    char *text = NULL;
    size_t n;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, small);
    r.options = (struct pass_options){.print_before = "fold,dce",
                                      .print_after = "all",
                                      .stats = true,
                                      .time_passes = true,
                                      .roundtrip_each = true,
                                      .print_to = open_memstream(&text, &n)};
    run_ok(&r, "fold,cse", &g);
    fclose(r.options.print_to);
    ck_assert_ptr_nonnull(strstr(text, "; before fold\ngraph \"g\" tensor {"));
    ck_assert_ptr_nonnull(strstr(text, "; after fold\ngraph \"g\" tensor {"));
    ck_assert_ptr_nonnull(strstr(text, "; after cse\n"));
    ck_assert_ptr_null(strstr(text, "; before cse\n"));
    /* the add of two constants is folded; its operands are left for dce */
    ck_assert_ptr_nonnull(strstr(text, "pass            seconds  operations   change  statistics\n"
                                       "fold  "));
    ck_assert_ptr_nonnull(strstr(text, "           6       +0  1 operations folded\ncse  "));
    ck_assert_ptr_nonnull(strstr(text, "\nall passes "));
    free(text);
    r.options = (struct pass_options){
        .print_after = "fold", .dot = true, .stats = true, .print_to = open_memstream(&text, &n)};
    run_ok(&r, "fold,dce", &g);
    fclose(r.options.print_to);
    ck_assert_ptr_eq(strstr(text, "// after fold\ndigraph \"g\" {\n"), text);
    ck_assert_ptr_nonnull(strstr(text,
                                 "}\npass          operations   change  statistics\n"
                                 "fold                   6       +0\n"
                                 "dce                    5       -1  1 operations removed\n"));
    ck_assert_ptr_null(strstr(text, "seconds"));
    free(text);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_empty_pipeline)
{
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, small);
    run_ok(&r, "", &g);
    ck_assert_uint_eq(g->n_ops, 6);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* ---- what cannot be lowered ---- */

#define IN(id, shape) "%" #id " = input {index=" #id ", dtype=\"f32\", shape=[" shape "]}\n"
#define OUT(id, shape) "output %" #id " {index=0, dtype=\"f32\", shape=[" shape "]}\n"
#define W "%1 = constant {dtype=\"f32\", shape=[1,1,1,1], data=splat(1.0)}\n"
#define CONV(group) "{kernel=[1,1], stride=[1,1], dilation=[1,1], group=" group "}"

START_TEST(test_refused)
{
    static const struct {
        const char *body, *part;
    } cases[] = {
        {IN(0, "1,1,2,2")
             IN(1, "1,1,1,1") "%2 = conv %0, %1 " CONV("1") " @\"c\"\n" OUT(2, "1,1,2,2"),
         "the weights must be constant: 'c' (conv)"},
        {IN(0, "2") "%1 = expand %0 {shape=[2,2]} @\"e\"\n%2 = expand %0 {shape=[2]}\n" OUT(2, "2"),
         "must be computable at compile time: 'e' (expand), expand"},
        {IN(0, "2") "%1 = slice %0 {start=[0], step=[1], count=[0]} @\"s\"\n" OUT(1, "0"),
         "without elements: 's' (slice)"},
        {IN(0, "16385,16385") "%1 = relu %0 @\"r\"\n" OUT(1, "16385,16385"),
         "of more than 2^28 elements, which is the most on the machine: input, 'r' (relu)"},
        {IN(0, "1,1,1,1") "%1 = constant {dtype=\"f32\", shape=[1,1,1,1], data=splat(1.0)}\n"
                          "%2 = conv %0, %1 {kernel=[1,1], stride=[1000000000,1000000000], "
                          "dilation=[1,1], "
                          "pad=[1000000000,1000000000,0,0], group=1} @\"huge\"\n" OUT(2, "1,1,2,2"),
         "the padded input is too large"},
    };
    struct rig r;
    rig_open(&r);
    char *text = arena_printf(r.arena, "graph \"g\" tensor {\n%s}\n", cases[_i].body);
    struct ir_graph *g = parse_text(&r, text);
    ck_assert(!run(&r, "partition,int,im2col", &g));
    if (!has_error(&r, DIAG_LOWER, cases[_i].part))
        diag_print(r.diag, stderr);
    ck_assert(has_error(&r, DIAG_LOWER, cases[_i].part));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_integers_are_refused)
{
    static const char text[] =
        "graph \"g\" tensor {\n" IN(0, "2") "%1 = constant {dtype=\"i64\", shape=[2], "
                                            "data=dense(1, 2)}\n" OUT(0, "2") "}\n";
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, text);
    ck_assert(!run(&r, "partition", &g));
    ck_assert(has_error(&r, DIAG_LOWER, "of a type that exists at compile time only: constant"));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_two_errors_in_one_run)
{
    static const char text[] =
        "graph \"g\" integer {\n" IN(0, "2,1,4,5") W "%2 = conv %0, %1 " CONV(
            "1") " @\"x\"\n"
                 "%3 = conv %0, %1 " CONV("1") " @\"y\"\n"
                                               "%4 = add %2, %3 @\"z\"\n" OUT(4, "2,1,4,5") "}\n";
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, text);
    ck_assert(!run(&r, "im2col", &g));
    ck_assert(has_error(&r, DIAG_LOWER, "'x' (conv): the batch dimension must be 1"));
    ck_assert(has_error(&r, DIAG_LOWER, "'y' (conv)"));
    ck_assert(!has_error(&r, DIAG_LOWER, "'z' (add)")); /* only a consequence */
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* ---- limits and sharing ---- */

/* 2^27 elements of 4 bytes are 512 MB, over the limit of one folded result. */
START_TEST(test_fold_is_bounded)
{
    static const char text[] = "graph \"g\" tensor {\n" IN(
        0, "1") "%1 = constant {dtype=\"f32\", shape=[2,1], data=dense(1.0, 2.0)}\n"
                "%2 = expand %1 {shape=[2,134217728]}\n"
                "%3 = slice %2 {start=[0,5], step=[1,1], count=[1,1]}\n%4 = add %0, %3\n" OUT(
                    4, "1,1") "}\n";
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, text);
    run_ok(&r, "fold", &g);
    ck_assert_ptr_nonnull(find_op(g, IR_expand));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* The bits of bytes that are all alike are those of one: there are 2^40. */
START_TEST(test_splat_of_bytes)
{
    static const char text[] =
        "graph \"g\" crossbar {\n%0 = constant {dtype=\"u8\", shape=[1,1,1099511627776], "
        "data=splat(3)}\noutput %0 {index=0, dtype=\"u8\", shape=[1099511627776], "
        "strides=[0,0,1]}\n}\n";
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, text);
    run_ok(&r, "tile", &g);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* A transposed matrix in front of a product is not folded but turned when it becomes K x N. */
START_TEST(test_transposed_matrix)
{
    static const char text[] = "graph \"g\" integer {\n" IN(
        0,
        "1,2") "%1 = constant {dtype=\"f32\", shape=[3,2], data=dense(1.0,2.0,3.0,4.0,5.0,6.0)}\n"
               "%2 = transpose %1 {perm=[1,0]}\n%3 = matmul %0, %2 {weights=0}\n" OUT(3,
                                                                                      "1,3") "}\n";
    static const float want[6] = {1, 3, 5, 2, 4, 6};
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, text);
    run_ok(&r, "im2col,dce", &g);
    const struct ir_op *w = find_op(g, IR_mvm)->in[1].value->def;
    for (int i = 0; i < 6; i++)
        ck_assert(ir_const_f64(w, i) == (double)want[i]);
    ck_assert_uint_eq(g->n_ops, 4); /* input, weights, mvm, output */
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* ---- generated graphs ---- */

enum { SEEDS_A_TEST = 60 };

START_TEST(test_generated)
{
    int n_lowered = 0;
    for (uint64_t seed = (uint64_t)_i * SEEDS_A_TEST; seed < (uint64_t)(_i + 1) * SEEDS_A_TEST;
         seed++) {
        char what[40];
        struct rig r;
        struct diag *misfits = diag_new();
        snprintf(what, sizeof what, "seed %llu", (unsigned long long)seed);
        rig_open(&r);
        r.options.roundtrip_each = seed % 4 == 0;
        struct ir_graph *g = make_graph(seed, misfits);
        n_lowered += check_equivalent(&r, pass_default_pipeline, &g, what);
        ir_graph_free(g);
        diag_free(misfits);
        rig_close(&r);
    }
    ck_assert_int_ge(n_lowered, SEEDS_A_TEST / 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pass");
    TCase *t = tcase_create("pass");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_passes_are_listed);
    tcase_add_loop_test(t, test_wrong_names, 0, 6);
    tcase_add_test(t, test_wrong_stage);
    tcase_add_test(t, test_stop_and_skip);
    tcase_add_test(t, test_printing);
    tcase_add_test(t, test_printing_what_changed);
    tcase_add_test(t, test_empty_pipeline);
    tcase_add_test(t, test_golden);
    tcase_add_loop_test(t, test_refused, 0, 5);
    tcase_add_test(t, test_integers_are_refused);
    tcase_add_test(t, test_two_errors_in_one_run);
    tcase_add_test(t, test_fold_is_bounded);
    tcase_add_test(t, test_splat_of_bytes);
    tcase_add_test(t, test_transposed_matrix);
    tcase_add_loop_test(t, test_generated, 0, 6);
    suite_add_tcase(s, t);
    return run_suite(s);
}
