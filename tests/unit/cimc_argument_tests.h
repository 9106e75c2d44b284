/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cimc_argument_tests.h - part of cimc_test.c: arguments at the edge of what cimc.h allows. */
#ifndef CIMC_CIMC_ARGUMENT_TESTS_H
#define CIMC_CIMC_ARGUMENT_TESTS_H

#include <errno.h>

START_TEST(options_that_are_not_given)
{
    struct rig r;
    struct cimc_simulation_info plain = {.size = sizeof plain}, info = plain;
    cimc_simulation *s = NULL;
    rig_open(&r);
    r.o.set = NULL;
    rig_compile(&r);
    r.o.input_fill = "ramp";
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    cimc_simulation_info(s, &plain);
    cimc_simulation_free(s);
    for (size_t i = 0; cimc_option_at(i); i++) {
        const struct cimc_option_info *option = cimc_option_at(i);
        if (option->kind == CIMC_OPTION_INTEGER)
            *(int64_t *)((char *)&r.o + option->offset) = option->least - 1;
    }
    r.o.latency_seed = 1; /* else nobody asks for extra cycles */
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    cimc_simulation_info(s, &info);
    ck_assert(info.ran && info.cycles == plain.cycles && info.frames == plain.frames);
    cimc_simulation_free(s);
    rig_close(&r);
}
END_TEST

START_TEST(options_that_were_freed)
{
    struct rig r;
    rig_open(&r);
    r.o.frames = 2;
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "dim", "N=1"), CIMC_OK);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "arch", "clsa"), CIMC_OK);
    cimc_options_free(&r.o);
    ck_assert(r.o.dims.n == 0 && !r.o.arch && r.o.frames == 0 && r.o.pes == -1);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "dim", "N=2"), CIMC_OK);
    ck_assert(r.o.dims.n == 1 && strcmp(r.o.dims.at[0], "N=2") == 0);
    cimc_options_free(NULL);
    rig_close(&r);
}
END_TEST

/* A handle of the bytes of the rig's program. */
static cimc_program *rig_read(struct rig *r, struct text *bytes)
{
    cimc_program *p = NULL;
    ck_assert_int_eq(cimc_program_write(r->c, r->program, collect, bytes), CIMC_OK);
    struct cimc_source s = in_memory(bytes->at, bytes->n);
    ck_assert_int_eq(cimc_program_read(r->c, &s, &p), CIMC_OK);
    return p;
}

START_TEST(names_outlive_binding)
{
    struct rig r;
    struct text bytes = {0};
    struct cimc_port in = {.size = sizeof in}, out = {.size = sizeof out};
    rig_open(&r);
    rig_compile(&r);
    cimc_program *p = rig_read(&r, &bytes);
    struct cimc_source model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert(cimc_program_input(p, 0, &in) && cimc_program_output(p, 0, &out));
    ck_assert_int_eq(cimc_program_bind(r.c, p, &model, 1, NULL), CIMC_OK);
    ck_assert_str_eq(in.name, "x");
    ck_assert_str_eq(out.name, "y");
    cimc_program_free(p);
    text_free(&bytes);
    rig_close(&r);
}
END_TEST

START_TEST(no_models)
{
    struct rig r;
    struct text bytes = {0};
    rig_open(&r);
    rig_compile(&r);
    cimc_program *p = rig_read(&r, &bytes);
    cimc_model *m = NULL;
    ck_assert_int_eq(cimc_import(r.c, NULL, 0, &r.o, &m), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_name_output(r.c, NULL, 0, ".cim", &r.o), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_program_bind(r.c, p, NULL, 0, NULL), CIMC_WRONG_USAGE);
    ck_assert(!m && !r.o.output);
    cimc_program_free(p);
    text_free(&bytes);
    rig_close(&r);
}
END_TEST

START_TEST(seeds_of_noise_have_a_range)
{
    struct rig r;
    struct text bytes = {0};
    cimc_simulation *s = NULL;
    rig_open(&r);
    rig_compile(&r);
    r.o.input_fill = "ramp";
    r.o.trials = 2;
    ck_assert_int_eq(cimc_program_set_noise(r.c, r.program, INT64_MAX), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_program_set_noise(r.c, r.program, INT64_C(1) << 31), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_program_set_noise(r.c, r.program, INT32_MAX), CIMC_OK);
    cimc_program *p = rig_read(&r, &bytes);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, p, &r.o, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, p, &r.o), CIMC_WRONG_USAGE);
    cimc_simulation_free(s);
    ck_assert_int_eq(cimc_program_set_noise(r.c, p, INT32_MAX - 1), CIMC_OK);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, p, &r.o, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, p, &r.o), CIMC_OK);
    cimc_simulation_free(s);
    cimc_program_free(p);
    text_free(&bytes);
    rig_close(&r);
}
END_TEST

START_TEST(mapped_files_leave_other_memory)
{
    char path[4] = "abc", on_stack = 0;
    static const char here = 0; /* in the test's own program, a file that is mapped */
    errno = ENOTTY;
    ck_assert(cimc_mapped_file(&here, path, 0));
    ck_assert_str_eq(path, "abc");
    ck_assert(!cimc_mapped_file(&on_stack, path, sizeof path));
    ck_assert_str_eq(path, "abc");
    ck_assert(!cimc_mapped_file(NULL, path, sizeof path));
    ck_assert_str_eq(path, "abc");
    ck_assert(cimc_mapped_file(&here, path, 3));
    ck_assert_int_eq(path[0], '/');
    ck_assert_uint_eq(strlen(path), 2);
    ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

START_TEST(fingerprints_are_there_at_once)
{
    struct rig r;
    struct text bytes = {0};
    struct cimc_program_info info = {.size = sizeof info}, read = info;
    cimc_program *last = NULL;
    rig_open(&r);
    rig_compile(&r);
    cimc_program_info(r.program, &info);
    cimc_program *p = rig_read(&r, &bytes);
    cimc_program_info(p, &read);
    ck_assert(info.fingerprint != 0 && info.fingerprint == read.fingerprint);
    struct cimc_source model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert_int_eq(cimc_compile_last(r.c, r.model, &r.o, &last), CIMC_OK);
    r.model = NULL;
    ck_assert_int_eq(cimc_program_bind(r.c, last, &model, 1, &r.o), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_program_bind(r.c, r.program, &model, 1, &r.o), CIMC_WRONG_USAGE);
    cimc_program_info(last, &info);
    ck_assert(info.is_compiled && info.n_layers == 1 && info.fingerprint == read.fingerprint);
    cimc_program_free(last);
    cimc_program_free(p);
    text_free(&bytes);
    rig_close(&r);
}
END_TEST

enum { N_FORMS = CIMC_C + 1 };
/* Of each form, whether the function prints it: not, if the status is CIMC_WRONG_USAGE. */
#define EXPECT_FORMS(known, call)                                                                  \
    for (unsigned f = 0; f <= N_FORMS; f++) {                                                      \
        enum cimc_form form = (enum cimc_form)(f < N_FORMS ? f : 99);                              \
        bool is_known = f < N_FORMS && (known) >> f & 1;                                           \
        ck_assert_msg(((call) == CIMC_WRONG_USAGE) == !is_known, "form %u", f);                    \
    }

static bool ignore(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
    return true;
}

START_TEST(forms_that_are_not_known)
{
    const unsigned text = 1u << CIMC_TEXT, json = 1u << CIMC_JSON, table = 1u << CIMC_TABLE;
    const unsigned times = table | json | 1u << CIMC_TIMES | 1u << CIMC_TIME_TRACE;
    const unsigned views = 1u << CIMC_CSV | 1u << CIMC_SVG | 1u << CIMC_TRACE | 1u << CIMC_HTML |
                           1u << CIMC_REPORT | 1u << CIMC_PLAN;
    const unsigned graphs = 1u << CIMC_IR | 1u << CIMC_DOT | 1u << CIMC_ONNX;
    struct rig r;
    bool equal;
    cimc_simulation *s = NULL;
    struct cimc_strings none = {0};
    rig_open(&r);
    r.o.keep_schedule = r.o.keep_detail = r.o.keep_plan = true;
    rig_compile(&r);
    r.o.stop_after = "partition";
    struct cimc_source model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, NULL, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, NULL), CIMC_OK);
    EXPECT_FORMS(text | json, cimc_print_machine(r.c, "clsa", form, NULL, ignore, NULL));
    EXPECT_FORMS(text | json, cimc_check(r.c, r.program, form, NULL, NULL));
    EXPECT_FORMS(graphs, cimc_pass_run(r.c, &model, &r.o, form, ignore, NULL));
    EXPECT_FORMS(times, cimc_print_simulation(r.c, s, form, NULL, ignore, NULL));
    EXPECT_FORMS(times | views, cimc_print_program(r.c, r.program, form, NULL, ignore, NULL));
    EXPECT_FORMS(table | json, cimc_diff(r.c, "/", "/", form, &equal, ignore, NULL));
    EXPECT_FORMS(json | 1u << CIMC_CSV, cimc_sweep_merge(r.c, &none, form, ignore, NULL));
    r.o.cell = "0,0";
    r.o.tile = r.o.pe = 0;
    EXPECT_FORMS(text | json, cimc_where(r.c, r.program, &r.o, form, ignore, NULL));
    ck_assert_int_eq(cimc_diagnostics_clear(r.c), CIMC_OK);
    EXPECT_FORMS(text | json, cimc_print_diagnostics(r.c, form, true, ignore, NULL));
    cimc_simulation_free(s);
    rig_close(&r);
}
END_TEST

START_TEST(complaints)
{
    struct rig r;
    struct cimc_diagnostic d = {.size = sizeof d};
    rig_open(&r);
    ck_assert_int_eq(cimc_complain(r.c, "no such code", NULL, "text"), CIMC_WRONG_USAGE);
    ck_assert(cimc_diagnostic_at(r.c, 0, &d));
    ck_assert_str_eq(d.code, "usage");
    ck_assert_int_eq(cimc_complain(r.c, "io", NULL, NULL), CIMC_WRONG_INPUT);
    ck_assert(cimc_diagnostic_at(r.c, 1, &d));
    ck_assert_str_eq(d.text, "");
    rig_close(&r);
}
END_TEST

START_TEST(arrays_of_something_are_there)
{
    struct rig r;
    cimc_model *m = NULL;
    cimc_simulation *s = NULL;
    struct cimc_strings none = {.n = 1};
    struct cimc_values inputs = {.size = sizeof inputs, .n_inputs = 1};
    struct cimc_values labels = {.size = sizeof labels, .n_labels = 1};
    rig_open(&r);
    rig_compile(&r);
    struct cimc_source model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, NULL, &inputs, &s), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, NULL, &labels, &s), CIMC_INTERNAL);
    r.o.input_fill = "ramp";
    ck_assert_int_eq(cimc_run(r.c, r.program, &r.o, NULL, 0, NULL, 0), CIMC_OK);
    ck_assert_int_eq(cimc_run(r.c, r.program, &r.o, NULL, 0, NULL, 1), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_run(r.c, r.program, &r.o, NULL, 1, NULL, 0), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_import(r.c, NULL, 1, &r.o, &m), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_name_output(r.c, NULL, 1, ".cim", &r.o), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_check_files(r.c, &r.o, &none), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_bind_weights(r.c, &none, &r.o), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_sweep(r.c, &none, &r.o, CIMC_JSON, ignore, NULL), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_sweep_missing(r.c, &none, &r.o, ignore, NULL), CIMC_INTERNAL);
    ck_assert_int_eq(cimc_sweep_merge(r.c, &none, CIMC_JSON, ignore, NULL), CIMC_INTERNAL);
    r.o.dims = none;
    ck_assert_int_eq(cimc_import(r.c, &model, 1, &r.o, &m), CIMC_INTERNAL);
    ck_assert_ptr_nonnull(strstr(cimc_failure(r.c), "dim"));
    ck_assert_ptr_null(m);
    rig_close(&r);
}
END_TEST

START_TEST(files_of_options_count_whole_or_not_at_all)
{
    static const char broken[] = "{\"base_layers\": [{\"patch\": [2, 3]}, {\"patch\": [4, 5]},";
    char path[] = "/tmp/cimc_testXXXXXX", value[sizeof path + 1];
    struct rig r;
    int fd = mkstemp(path);
    rig_open(&r);
    ck_assert_int_eq(write(fd, broken, sizeof broken - 1), sizeof broken - 1);
    close(fd);
    snprintf(value, sizeof value, "@%s", path);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "patch", "0=1x2"), CIMC_OK);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "patch", value), CIMC_WRONG_INPUT);
    ck_assert(r.o.patches.n == 1 && strcmp(r.o.patches.at[0], "0=1x2") == 0);
    ck_assert_int_eq(unlink(path), 0);
    rig_close(&r);
}
END_TEST

static void add_argument_tests(TCase *t)
{
    tcase_add_test(t, options_that_are_not_given);
    tcase_add_test(t, options_that_were_freed);
    tcase_add_test(t, names_outlive_binding);
    tcase_add_test(t, no_models);
    tcase_add_test(t, seeds_of_noise_have_a_range);
    tcase_add_test(t, mapped_files_leave_other_memory);
    tcase_add_test(t, fingerprints_are_there_at_once);
    tcase_add_test(t, forms_that_are_not_known);
    tcase_add_test(t, complaints);
    tcase_add_test(t, arrays_of_something_are_there);
    tcase_add_test(t, files_of_options_count_whole_or_not_at_all);
}

#endif
