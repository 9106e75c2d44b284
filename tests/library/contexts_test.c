/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * contexts_test.c - eight contexts in eight threads: each with a model of its own, and all with one
 * model and one program that they only read. Every thread gets what one thread alone gets; what
 * ThreadSanitizer finds in it TESTS.md says how to see.
 */
#include "../run_suite.h"
#include "cimc.h"

#include <pthread.h>
#include <stdio.h>

enum { N_CONTEXTS = 8, N_PIXELS = 784, N_CLASSES = 10 };

struct shared {
    cimc_model *model;
    cimc_program *program;
};
struct work {
    const struct shared *shared;
    int k;
    enum cimc_status status;
    float own[N_CLASSES], common[N_CLASSES]; /* outputs of the own program and of the shared one */
    size_t n_printed;
};

static bool count(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)user += n;
    return true;
}

static enum cimc_status import_digits(cimc_context *c, const struct cimc_options *o,
                                      cimc_model **out)
{
    struct cimc_source source = {.size = sizeof source, .path = CIMC_DIGITS};
    return cimc_import(c, &source, 1, o, out);
}

static enum cimc_status run(cimc_context *c, const cimc_program *p, float *y)
{
    static const float pixels[N_PIXELS];
    struct cimc_array in = {.size = sizeof in,
                            .dtype = CIMC_F32,
                            .rank = 4,
                            .dims = {1, 1, 28, 28},
                            .data = (void *)pixels,
                            .n_bytes = sizeof pixels};
    struct cimc_array out = {.size = sizeof out,
                             .dtype = CIMC_F32,
                             .rank = 2,
                             .dims = {1, N_CLASSES},
                             .data = y,
                             .n_bytes = N_CLASSES * sizeof *y};
    return cimc_run(c, p, NULL, &in, 1, &out, 1);
}

static enum cimc_status look_at(cimc_context *c, const cimc_program *p,
                                const struct cimc_options *o, size_t *n)
{
    static const enum cimc_form forms[] = {CIMC_TABLE, CIMC_JSON, CIMC_SVG, CIMC_HTML};
    enum cimc_status status = CIMC_OK;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && status == CIMC_OK; i++)
        status = cimc_print_program(c, p, forms[i], o, count, n);
    return status == CIMC_OK ? cimc_check(c, p, CIMC_TEXT, count, n) : status;
}

/* Each with other copies; one searches for the shortest schedule. */
static enum cimc_status options_of(cimc_context *c, int k, struct cimc_options *o)
{
    char pes[8];
    snprintf(pes, sizeof pes, "%d", 4 * k);
    cimc_options_init(o, sizeof *o);
    o->keep_schedule = o->keep_detail = true;
    o->duplicate = k == 1 ? CIMC_DUPLICATE_MAKESPAN : CIMC_DUPLICATE_SUM;
    return cimc_options_set(c, o, "extra-pes", pes);
}

static void *work(void *self)
{
    struct work *w = self;
    struct cimc_options o;
    cimc_model *model = NULL;
    cimc_program *own = NULL, *again = NULL;
    cimc_context *c = cimc_context_new();
    enum cimc_status status = options_of(c, w->k, &o);
    if (status == CIMC_OK)
        status = import_digits(c, &o, &model);
    if (status == CIMC_OK)
        status = cimc_compile(c, model, &o, &own);
    if (status == CIMC_OK)
        status = cimc_compile(c, w->shared->model, &o, &again);
    if (status == CIMC_OK)
        status = look_at(c, again, &o, &w->n_printed);
    if (status == CIMC_OK)
        status = look_at(c, w->shared->program, &o, &w->n_printed);
    if (status == CIMC_OK)
        status = run(c, own, w->own);
    if (status == CIMC_OK)
        status = run(c, w->shared->program, w->common);
    w->status = status;
    cimc_program_free(again);
    cimc_program_free(own);
    cimc_model_free(model);
    cimc_options_free(&o);
    cimc_context_free(c);
    return NULL;
}

START_TEST(contexts_do_not_meet)
{
    struct shared shared = {0};
    struct cimc_options o;
    struct work alone[N_CONTEXTS], together[N_CONTEXTS];
    pthread_t threads[N_CONTEXTS];
    cimc_context *c = cimc_context_new();
    ck_assert_int_eq(options_of(c, 0, &o), CIMC_OK);
    ck_assert_int_eq(import_digits(c, &o, &shared.model), CIMC_OK);
    ck_assert_int_eq(cimc_compile(c, shared.model, &o, &shared.program), CIMC_OK);
    for (int k = 0; k < N_CONTEXTS; k++) {
        alone[k] = together[k] = (struct work){.shared = &shared, .k = k};
        work(&alone[k]);
        ck_assert_int_eq(alone[k].status, CIMC_OK);
    }
    for (int k = 0; k < N_CONTEXTS; k++)
        ck_assert_int_eq(pthread_create(&threads[k], NULL, work, &together[k]), 0);
    for (int k = 0; k < N_CONTEXTS; k++) {
        pthread_join(threads[k], NULL);
        ck_assert_int_eq(together[k].status, CIMC_OK);
        ck_assert_mem_eq(together[k].own, alone[k].own, sizeof alone[k].own);
        ck_assert_mem_eq(together[k].common, alone[0].common, sizeof alone[0].common);
    }
    cimc_program_free(shared.program);
    cimc_model_free(shared.model);
    cimc_options_free(&o);
    cimc_context_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("contexts");
    TCase *tcase = tcase_create("contexts");
    tcase_set_timeout(tcase, 200);
    tcase_add_test(tcase, contexts_do_not_meet);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
