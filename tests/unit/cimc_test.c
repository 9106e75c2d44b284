/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cimc_test.c - the library as its users see it, by cimc.h alone; onnx_model.h only writes bytes.
 *
 * The model is a convolution by hand: input 1x1x3x3, kernel 1 2 3 4 (2x2), no bias. Of 0 1 2, 3 4
 * 5, 6 7 8 its outputs are 0 + 2 + 9 + 16 = 27, 1 + 4 + 12 + 20 = 37, 57 and 67.
 */
#include "cimc.h"
#include "onnx_model.h"

#include "../run_suite.h"

#include <pthread.h>

static struct text conv_model(const char *op)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(1, 1, 3, 3));
    model_init(&m, FLOATS("w", DIMS(1, 1, 2, 2), 1, 2, 3, 4));
    model_node(&m, node(op, "conv", "x w", "y"));
    model_output(&m, "y");
    return model_bytes(&m);
}

static const float ramp[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, by_hand[4] = {27, 37, 57, 67};

static struct cimc_source in_memory(const void *bytes, size_t n)
{
    return (struct cimc_source){.size = sizeof(struct cimc_source), .bytes = bytes, .n_bytes = n};
}

/* f32; data is only read where it is an input. */
static struct cimc_array array(const float *data, int64_t h, int64_t w)
{
    return (struct cimc_array){.size = sizeof(struct cimc_array),
                               .dtype = CIMC_F32,
                               .rank = 4,
                               .dims = {1, 1, h, w},
                               .data = (void *)data,
                               .n_bytes = (size_t)(h * w) * sizeof *data};
}

static bool collect(void *text, const void *bytes, size_t n)
{
    text_add_bytes(text, bytes, n);
    return true;
}

static bool refuse(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
    return false;
}

/* ---- what most tests begin with ---- */

struct rig {
    cimc_context *c;
    struct cimc_options o;
    struct text bytes;
    cimc_model *model;
    cimc_program *program;
};

static void rig_open(struct rig *r)
{
    *r = (struct rig){.c = cimc_context_new(), .bytes = conv_model("Conv")};
    cimc_options_init(&r->o, sizeof r->o);
    ck_assert_ptr_nonnull(r->c);
}

static void rig_compile(struct rig *r)
{
    struct cimc_source s = in_memory(r->bytes.at, r->bytes.n);
    ck_assert_int_eq(cimc_import(r->c, &s, 1, &r->o, &r->model), CIMC_OK);
    ck_assert_int_eq(cimc_compile(r->c, r->model, &r->o, &r->program), CIMC_OK);
}

static void rig_close(struct rig *r)
{
    cimc_program_free(r->program);
    cimc_model_free(r->model);
    cimc_options_free(&r->o);
    cimc_context_free(r->c);
    text_free(&r->bytes);
}

static void expect_by_hand(cimc_context *c, const cimc_program *p, const struct cimc_options *o)
{
    float y[4] = {0};
    struct cimc_array in = array(ramp, 3, 3), out = array(y, 2, 2);
    ck_assert_int_eq(cimc_run(c, p, o, &in, 1, &out, 1), CIMC_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq(y[i], by_hand[i]);
}

/* ---- tests ---- */

START_TEST(runs_on_callers_arrays)
{
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    expect_by_hand(r.c, r.program, &r.o);
    /* The program differs from what the model says of the same values in nothing. */
    struct cimc_array in = array(ramp, 3, 3), y = {.size = sizeof y};
    struct cimc_values v = {.size = sizeof v, .inputs = &in, .n_inputs = 1};
    struct cimc_simulation_info info = {.size = sizeof info};
    cimc_simulation *e = NULL;
    ck_assert_int_eq(cimc_evaluate(r.c, r.model, &r.o, &v, &e), CIMC_OK);
    ck_assert(cimc_simulation_values(e, 0, &y));
    ck_assert_int_eq(memcmp(y.data, by_hand, sizeof by_hand), 0);
    cimc_simulation_info(e, &info);
    ck_assert(info.ran && info.n_outputs == 1 && info.frames == 1);
    cimc_simulation_free(e);
    rig_close(&r);
}
END_TEST

START_TEST(takes_other_dtypes_and_several_frames)
{
    struct rig r;
    rig_open(&r);
    r.o.frames = 2;
    rig_compile(&r);
    uint8_t x[18];
    float y[8] = {0};
    for (int i = 0; i < 18; i++)
        x[i] = (uint8_t)(i % 9);
    struct cimc_array in = array(NULL, 3, 3), out = array(y, 2, 2);
    in.dtype = CIMC_U8;
    in.dims[0] = out.dims[0] = 2;
    in.data = x;
    in.n_bytes = sizeof x;
    out.n_bytes = sizeof y;
    ck_assert_int_eq(cimc_run(r.c, r.program, &r.o, &in, 1, &out, 1), CIMC_OK);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq(y[i], by_hand[i % 4]);
    in.n_bytes--;
    ck_assert_int_eq(cimc_run(r.c, r.program, &r.o, &in, 1, &out, 1), CIMC_WRONG_USAGE);
    rig_close(&r);
}
END_TEST

START_TEST(expected_values_that_differ)
{
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    float wrong[4] = {27, 37, 57, 70};
    struct cimc_array in = array(ramp, 3, 3), want = array(wrong, 2, 2);
    struct cimc_values v = {
        .size = sizeof v, .inputs = &in, .n_inputs = 1, .expected = &want, .n_expected = 1};
    struct cimc_difference d = {.size = sizeof d};
    struct cimc_diagnostic why = {.size = sizeof why};
    cimc_simulation *s = NULL;
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, &v, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_WRONG_INPUT);
    ck_assert(cimc_diagnostic_at(r.c, 0, &why));
    ck_assert_str_eq(why.code, "mismatch");
    ck_assert(cimc_simulation_difference(s, 0, 0, &d));
    ck_assert(!d.pass && d.worst == 3);
    ck_assert_double_eq(d.max_abs_error, 3);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_WRONG_USAGE);
    cimc_simulation_free(s);
    rig_close(&r);
}
END_TEST

START_TEST(program_bytes_read_back)
{
    struct rig r;
    struct text file = {0}, again = {0};
    cimc_program *p = NULL;
    struct cimc_program_info a = {.size = sizeof a}, b = {.size = sizeof b};
    rig_open(&r);
    rig_compile(&r);
    ck_assert_int_eq(cimc_program_write(r.c, r.program, collect, &file), CIMC_OK);
    struct cimc_source s = in_memory(file.at, file.n), model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert_int_eq(cimc_program_read(r.c, &s, &p), CIMC_OK);
    expect_by_hand(r.c, p, &r.o);
    ck_assert_int_eq(cimc_program_write(r.c, p, collect, &again), CIMC_OK);
    ck_assert(file.n == again.n && memcmp(file.at, again.at, file.n) == 0);
    ck_assert_int_eq(cimc_program_bind(r.c, p, &model, 1, NULL), CIMC_OK);
    expect_by_hand(r.c, p, &r.o);
    cimc_program_info(r.program, &a);
    cimc_program_info(p, &b);
    ck_assert(a.is_compiled && !b.is_compiled && a.fingerprint == b.fingerprint);
    ck_assert_uint_eq(a.scheduled_cycles, b.scheduled_cycles);
    /* bytes at an odd place */
    char *moved = malloc(file.n + 1);
    memcpy(moved + 1, file.at, file.n);
    cimc_program_free(p);
    s = in_memory(moved + 1, file.n);
    ck_assert_int_eq(cimc_program_read(r.c, &s, &p), CIMC_OK);
    expect_by_hand(r.c, p, &r.o);
    cimc_program_free(p);
    s.n_bytes /= 2;
    ck_assert_int_eq(cimc_program_read(r.c, &s, &p), CIMC_WRONG_INPUT);
    ck_assert_ptr_null(p);
    free(moved);
    text_free(&file);
    text_free(&again);
    rig_close(&r);
}
END_TEST

START_TEST(one_model_many_programs)
{
    struct rig r;
    struct cimc_program_info few = {.size = sizeof few}, more = {.size = sizeof more};
    cimc_program *second = NULL, *last = NULL;
    rig_open(&r);
    rig_compile(&r);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "extra-pes", "3"), CIMC_OK);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "mapping", "im2col"), CIMC_OK);
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &second), CIMC_OK);
    cimc_program_info(r.program, &few);
    cimc_program_info(second, &more);
    ck_assert_uint_eq(more.pes, few.pes + 3);
    ck_assert_uint_lt(more.makespan_cycles, 4 * 1400); /* four pixels, one after another */
    ck_assert_int_eq(cimc_compile_last(r.c, r.model, &r.o, &last), CIMC_OK);
    r.model = NULL;
    expect_by_hand(r.c, last, &r.o);
    cimc_program_free(second);
    cimc_program_free(last);
    rig_close(&r);
}
END_TEST

START_TEST(schedule_layers_and_ports)
{
    struct rig r;
    struct cimc_layer layer = {.size = sizeof layer};
    struct cimc_port port = {.size = sizeof port};
    struct cimc_tile tile = {.size = sizeof tile};
    struct cimc_set sets[4];
    rig_open(&r);
    r.o.keep_schedule = r.o.keep_detail = true;
    cimc_options_set(r.c, &r.o, "mapping", "im2col");
    cimc_options_set(r.c, &r.o, "set", "pixel");
    rig_compile(&r);
    ck_assert_uint_eq(cimc_program_schedule(r.program, NULL, 0), 4);
    ck_assert_uint_eq(cimc_program_schedule(r.program, sets, 4), 4);
    for (int i = 0; i < 4; i++) /* a product takes the machine's 1400 ns, a cycle each */
        ck_assert(sets[i].end - sets[i].start == sets[0].end && sets[i].h == 1 && sets[i].w == 1);
    ck_assert_uint_eq(sizeof *sets, 64);
    ck_assert(cimc_program_layer(r.program, 0, &layer));
    ck_assert_str_eq(layer.name, "conv");
    ck_assert(layer.height == 2 && layer.width == 2 && layer.channels == 1 && layer.pes == 1);
    ck_assert(!cimc_program_layer(r.program, 1, &layer));
    ck_assert(cimc_program_input(r.program, 0, &port));
    ck_assert_str_eq(port.name, "x");
    ck_assert(port.dtype == CIMC_F32 && port.rank == 4 && port.dims[2] == 3);
    ck_assert(cimc_model_output(r.model, 0, &port));
    ck_assert(port.dims[2] == 2 && port.dims[3] == 2);
    ck_assert(cimc_program_tile(r.program, 0, &tile));
    ck_assert_uint_eq(tile.pe_busy_cycles, 4 * sets[0].end);
    rig_close(&r);
}
END_TEST

START_TEST(texts)
{
    static const struct {
        enum cimc_form form;
        const char *begins;
    } cases[] = {{CIMC_TABLE, "layer"}, {CIMC_JSON, "{"},  {CIMC_CSV, "layer,copy,"},
                 {CIMC_SVG, "<?xml"},   {CIMC_TRACE, "{"}, {CIMC_HTML, "<!DOCTYPE html>"},
                 {CIMC_REPORT, "{"}};
    struct rig r;
    rig_open(&r);
    r.o.keep_schedule = r.o.keep_detail = true;
    rig_compile(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t = {0};
        ck_assert_int_eq(cimc_print_program(r.c, r.program, cases[i].form, &r.o, collect, &t),
                         CIMC_OK);
        ck_assert_msg(strncmp(t.at, cases[i].begins, strlen(cases[i].begins)) == 0, "%.40s", t.at);
        text_free(&t);
        ck_assert_int_eq(cimc_print_program(r.c, r.program, cases[i].form, &r.o, refuse, NULL),
                         CIMC_WRONG_INPUT);
    }
    /* What was not kept is not there. */
    ck_assert_int_eq(cimc_print_program(r.c, r.program, CIMC_PLAN, &r.o, refuse, NULL),
                     CIMC_WRONG_USAGE);
    rig_close(&r);
}
END_TEST

/* What options ask passes to print goes to the log, and without one nowhere. */
START_TEST(passes_print_to_the_log)
{
    struct rig r;
    rig_open(&r);
    struct text log = {0};
    char *heard;
    size_t n;
    FILE *was = stderr;
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "stats", NULL), CIMC_OK);
    stderr = open_memstream(&heard, &n);
    rig_compile(&r);
    cimc_set_log(r.c, collect, &log);
    cimc_program_free(r.program);
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &r.program), CIMC_OK);
    fclose(stderr);
    stderr = was;
    ck_assert_uint_eq(n, 0);
    ck_assert_ptr_nonnull(strstr(log.at, "im2col"));
    free(heard);
    text_free(&log);
    rig_close(&r);
}
END_TEST

START_TEST(diagnostics_are_data)
{
    struct text bytes = conv_model("Conf"), printed = {0};
    cimc_context *c = cimc_context_new();
    struct cimc_source s = in_memory(bytes.at, bytes.n);
    struct cimc_diagnostic d = {.size = sizeof d};
    cimc_model *m = (cimc_model *)&s;
    s.path = "broken.onnx";
    ck_assert_int_eq(cimc_import(c, &s, 1, NULL, &m), CIMC_WRONG_INPUT);
    ck_assert_ptr_null(m);
    ck_assert_uint_ge(cimc_diagnostic_count(c), 1);
    ck_assert(cimc_diagnostic_at(c, 0, &d));
    ck_assert(d.severity == CIMC_ERROR);
    ck_assert_str_eq(d.code, "onnx-unsupported");
    ck_assert_str_eq(d.file, "broken.onnx");
    ck_assert(!cimc_diagnostic_at(c, cimc_diagnostic_count(c), &d));
    ck_assert_int_eq(cimc_print_diagnostics(c, CIMC_JSON, false, collect, &printed), CIMC_OK);
    ck_assert(printed.at[0] == '{' && strstr(printed.at, "onnx-unsupported"));
    ck_assert_int_eq(cimc_diagnostics_clear(c), CIMC_OK);
    ck_assert_uint_eq(cimc_diagnostic_count(c), 0);
    text_free(&printed);
    text_free(&bytes);
    cimc_context_free(c);
}
END_TEST

/* What is wrong again is said again, with the same status. */
START_TEST(the_same_mistake_twice)
{
    struct rig r;
    rig_open(&r);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(cimc_options_set(r.c, &r.o, "mode", "nonsense"), CIMC_WRONG_USAGE);
        ck_assert_uint_eq(cimc_diagnostic_count(r.c), i + 1);
    }
    rig_close(&r);
}
END_TEST

START_TEST(options_by_name)
{
    static const struct {
        const char *name, *value;
        enum cimc_status status;
    } cases[] = {{"extra-pes", "32", CIMC_OK},
                 {"extra_pes", "32", CIMC_OK},
                 {"extra-pes", "-1", CIMC_WRONG_USAGE},
                 {"extra-pes", NULL, CIMC_WRONG_USAGE},
                 {"mode", "int", CIMC_OK},
                 {"mode", "integer", CIMC_WRONG_USAGE},
                 {"no-weights", NULL, CIMC_OK},
                 {"no-weights", "false", CIMC_OK},
                 {"no-weights", "2", CIMC_WRONG_USAGE},
                 {"pes", "all", CIMC_OK},
                 {"dim", "a=1", CIMC_OK},
                 {"dim", "b=2", CIMC_OK},
                 {"tolerance", "1e-3", CIMC_OK},
                 {"tolerance", "2", CIMC_WRONG_USAGE},
                 {"layer", "conv1=w4", CIMC_OK},
                 {"where.layer", "conv1", CIMC_OK},
                 {"extra", "1", CIMC_WRONG_USAGE},
                 {"mode.dim", "a=1", CIMC_WRONG_USAGE}};
    struct rig r;
    rig_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(cimc_options_set(r.c, &r.o, cases[i].name, cases[i].value) == cases[i].status,
                      "%s", cases[i].name);
    ck_assert(r.o.extra_pes == 32 && r.o.mode == CIMC_MODE_INT && !r.o.no_weights);
    ck_assert(r.o.pes == CIMC_ALL_PES && r.o.dims.n == 2);
    ck_assert_str_eq(r.o.dims.at[1], "b=2");
    ck_assert_double_eq(r.o.tolerance, 1e-3);
    ck_assert_str_eq(r.o.quantised_layers.at[0], "conv1=w4");
    ck_assert_str_eq(r.o.layer, "conv1");
    /* Every option is found by its full name, and a list of the caller's own may grow. */
    for (size_t i = 0; cimc_option_at(i); i++) {
        char full[80];
        const struct cimc_option_info *o = cimc_option_at(i);
        snprintf(full, sizeof full, "%s.%s", o->group, o->name);
        ck_assert_ptr_eq(cimc_option_find(full), o);
    }
    const char *own[] = {"x=1"};
    r.o.constants = (struct cimc_strings){.at = own, .n = 1};
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "constant", "y=2"), CIMC_OK);
    ck_assert(r.o.constants.n == 2 && strcmp(r.o.constants.at[0], "x=1") == 0);
    rig_close(&r);
}
END_TEST

/* Values that a caller puts there himself. */
START_TEST(options_that_cannot_be)
{
    struct rig r;
    cimc_program *p = NULL;
    rig_open(&r);
    rig_compile(&r);
    r.o.schedule = 2;
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &p), CIMC_INTERNAL);
    ck_assert_ptr_nonnull(strstr(cimc_failure(r.c), "schedule"));
    r.o.schedule = 1;
    r.o.frames = INT64_MAX;
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &p), CIMC_INTERNAL);
    r.o.frames = -7; /* not given */
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &p), CIMC_OK);
    cimc_program_free(p);
    rig_close(&r);
}
END_TEST

/* A caller of a version whose options ended before `frames`. */
START_TEST(older_callers)
{
    struct rig r;
    struct {
        char bytes[offsetof(struct cimc_options, frames)];
        char guard[64];
    } old;
    struct cimc_options *o = (void *)&old;
    memset(&old, 0x55, sizeof old);
    rig_open(&r);
    cimc_options_init(o, sizeof old.bytes);
    for (size_t i = 0; i < sizeof old.guard; i++)
        ck_assert_int_eq(old.guard[i], 0x55);
    ck_assert_int_eq(cimc_options_set(r.c, o, "extra-pes", "2"), CIMC_OK);
    ck_assert_int_eq(cimc_options_set(r.c, o, "tolerance", "0.5"), CIMC_WRONG_USAGE);
    struct cimc_source s = in_memory(r.bytes.at, r.bytes.n);
    const char *name = "a.onnx";
    struct cimc_strings operands = {.at = &name, .n = 1};
    ck_assert_int_eq(cimc_name_output(r.c, &s, 1, ".cim", o), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_bind_weights(r.c, &operands, o), CIMC_WRONG_USAGE);
    for (size_t i = 0; i < sizeof old.guard; i++)
        ck_assert_int_eq(old.guard[i], 0x55);
    ck_assert_int_eq(cimc_import(r.c, &s, 1, o, &r.model), CIMC_OK);
    ck_assert_int_eq(cimc_compile(r.c, r.model, o, &r.program), CIMC_OK);
    expect_by_hand(r.c, r.program, o);
    struct {
        size_t size;
        enum cimc_severity severity;
        char guard[16];
    } small = {.size = offsetof(struct cimc_diagnostic, severity) + sizeof(enum cimc_severity),
               .guard = "guard"};
    ck_assert(cimc_diagnostic_at(r.c, 0, (void *)&small));
    ck_assert(small.severity == CIMC_ERROR && strcmp(small.guard, "guard") == 0);
    cimc_options_free(o);
    struct cimc_options none = {0};
    struct cimc_port port = {0};
    cimc_program *p = NULL;
    ck_assert_int_eq(cimc_compile(r.c, r.model, &none, &p), CIMC_INTERNAL);
    ck_assert_ptr_nonnull(strstr(cimc_failure(r.c), "no size"));
    ck_assert(cimc_program_input(r.program, 0, &port) && !port.name);
    rig_close(&r);
}
END_TEST

static bool stop_at_check(void *seen, const char *what, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    *(bool *)seen |= strcmp(what, "check") == 0;
    return strcmp(what, "check") != 0;
}

START_TEST(cancelling)
{
    struct rig r;
    bool seen = false;
    cimc_program *p = NULL;
    rig_open(&r);
    rig_compile(&r);
    cimc_set_progress(r.c, stop_at_check, &seen);
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &p), CIMC_CANCELLED);
    ck_assert(seen && !p);
    cimc_set_progress(r.c, NULL, NULL);
    cimc_cancel(r.c);
    ck_assert_int_eq(cimc_compile(r.c, r.model, &r.o, &p), CIMC_OK); /* another call */
    expect_by_hand(r.c, p, &r.o);
    cimc_program_free(p);
    rig_close(&r);
}
END_TEST

static bool stop_at_once(void *user, const char *what, uint64_t done, uint64_t total)
{
    (void)user;
    (void)what;
    (void)done;
    (void)total;
    return false;
}

/* A handle that a call was left with is as it was before. */
START_TEST(after_a_call_that_was_left)
{
    struct rig r;
    cimc_simulation *s = NULL;
    cimc_program *p = NULL;
    struct text file = {0};
    struct cimc_array in = array(ramp, 3, 3), y = {.size = sizeof y};
    struct cimc_values v = {.size = sizeof v, .inputs = &in, .n_inputs = 1};
    rig_open(&r);
    rig_compile(&r);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, &v, &s), CIMC_OK);
    cimc_set_progress(r.c, stop_at_once, NULL);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_CANCELLED);
    ck_assert(!cimc_simulation_values(s, 0, &y));
    cimc_set_progress(r.c, NULL, NULL);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    ck_assert(cimc_simulation_values(s, 0, &y));
    ck_assert_int_eq(memcmp(y.data, by_hand, sizeof by_hand), 0);
    cimc_simulation_free(s);
    ck_assert_int_eq(cimc_program_write(r.c, r.program, collect, &file), CIMC_OK);
    struct cimc_source bytes = in_memory(file.at, file.n), model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert_int_eq(cimc_program_read(r.c, &bytes, &p), CIMC_OK);
    model.n_bytes /= 2; /* no model */
    ck_assert_int_eq(cimc_program_bind(r.c, p, &model, 1, NULL), CIMC_WRONG_INPUT);
    expect_by_hand(r.c, p, &r.o);
    model.n_bytes = r.bytes.n;
    ck_assert_int_eq(cimc_program_bind(r.c, p, &model, 1, NULL), CIMC_OK);
    expect_by_hand(r.c, p, &r.o);
    cimc_program_free(p);
    text_free(&file);
    rig_close(&r);
}
END_TEST

static void *compile_and_run(void *user)
{
    struct rig r;
    (void)user;
    rig_open(&r);
    for (int i = 0; i < 3; i++) {
        rig_compile(&r);
        expect_by_hand(r.c, r.program, &r.o);
        cimc_program_free(r.program);
        cimc_model_free(r.model);
        r.program = NULL;
        r.model = NULL;
    }
    rig_close(&r);
    return NULL;
}

START_TEST(two_threads)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, compile_and_run, NULL), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

START_TEST(outputs_are_whole_or_not_there)
{
    char folder[] = "/tmp/cimc_testXXXXXX", path[64];
    cimc_context *c = cimc_context_new();
    cimc_output *o = NULL;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    ck_assert_int_eq(cimc_output_open(c, path, &o), CIMC_OK);
    ck_assert(cimc_output_write(o, "text", 4) && access(path, F_OK) != 0);
    cimc_output_discard(c, o);
    ck_assert(access(path, F_OK) != 0);
    ck_assert_int_eq(cimc_output_open(c, path, &o), CIMC_OK);
    ck_assert(cimc_output_write(o, "text", 4));
    ck_assert_int_eq(cimc_output_commit(c, o), CIMC_OK);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(cimc_output_open(c, path, &o), CIMC_OK);
    cimc_discard_unfinished(c);
    ck_assert_int_eq(cimc_output_commit(c, o), CIMC_WRONG_INPUT); /* it is gone */
    ck_assert_int_eq(rmdir(folder), 0);
    cimc_context_free(c);
}
END_TEST

static size_t count_of(const struct text *t, const char *what)
{
    size_t n = 0;
    for (const char *at = t->at; at && (at = strstr(at, what)); at++)
        n++;
    return n;
}

START_TEST(sweeps)
{
    struct rig r;
    char folder[] = "/tmp/cimc_testXXXXXX", path[64];
    const char *operands[] = {path};
    struct cimc_strings models = {.at = operands, .n = 1};
    struct text rows = {0}, left = {0};
    cimc_output *file = NULL;
    rig_open(&r);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.onnx", folder);
    ck_assert_int_eq(cimc_output_open(r.c, path, &file), CIMC_OK);
    ck_assert(cimc_output_write(file, r.bytes.at, r.bytes.n));
    ck_assert_int_eq(cimc_output_commit(r.c, file), CIMC_OK);
    /* no crossbar is no machine */
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "vary", "pes=0..2"), CIMC_OK);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "vary", "set=pixel,1x*"), CIMC_OK);
    ck_assert_int_eq(cimc_sweep(r.c, &models, &r.o, CIMC_JSON, collect, &rows), CIMC_OK);
    ck_assert_int_eq(count_of(&rows, "\n"), 6);
    ck_assert_int_eq(count_of(&rows, "\"error\":["), 2);
    ck_assert_int_eq(count_of(&rows, "\"result\":{"), 4);
    ck_assert_int_eq(cimc_diagnostic_count(r.c), 0);
    cimc_set_progress(r.c, stop_at_once, NULL);
    ck_assert_int_eq(cimc_sweep(r.c, &models, &r.o, CIMC_JSON, collect, &left), CIMC_CANCELLED);
    cimc_set_progress(r.c, NULL, NULL);
    ck_assert_int_eq(cimc_sweep(r.c, &models, &r.o, CIMC_JSON, refuse, NULL), CIMC_WRONG_INPUT);
    ck_assert_int_eq(cimc_sweep(r.c, &models, &r.o, CIMC_CSV, collect, &left), CIMC_OK);
    ck_assert_int_eq(count_of(&left, "\n"), 7);
    r.o.output = "-"; /* rows go to a file */
    ck_assert_int_eq(cimc_sweep(r.c, &models, &r.o, CIMC_TABLE, collect, &left), CIMC_WRONG_INPUT);
    ck_assert_int_eq(cimc_sweep_missing(r.c, &models, &r.o, collect, &left), CIMC_WRONG_INPUT);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    text_free(&rows);
    text_free(&left);
    rig_close(&r);
}
END_TEST

#include "cimc_argument_tests.h"
#include "cimc_tool_tests.h"

#include "cimc_simulation_tests.h"

int main(void)
{
    Suite *s = suite_create("cimc");
    TCase *t = tcase_create("cimc");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, runs_on_callers_arrays);
    tcase_add_test(t, takes_other_dtypes_and_several_frames);
    tcase_add_test(t, expected_values_that_differ);
    tcase_add_test(t, program_bytes_read_back);
    tcase_add_test(t, one_model_many_programs);
    tcase_add_test(t, schedule_layers_and_ports);
    tcase_add_test(t, texts);
    tcase_add_test(t, passes_print_to_the_log);
    tcase_add_test(t, diagnostics_are_data);
    tcase_add_test(t, the_same_mistake_twice);
    tcase_add_test(t, options_by_name);
    tcase_add_test(t, options_that_cannot_be);
    tcase_add_test(t, older_callers);
    tcase_add_test(t, cancelling);
    tcase_add_test(t, after_a_call_that_was_left);
    tcase_add_test(t, two_threads);
    tcase_add_test(t, outputs_are_whole_or_not_there);
    tcase_add_test(t, sweeps);
    add_argument_tests(t);
    add_tool_tests(t);
    add_simulation_tests(t);
    suite_add_tcase(s, t);
    return run_suite(s);
}
