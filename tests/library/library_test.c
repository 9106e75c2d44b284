/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * library_test.c - the library as a guest: memory that runs out at any place, threads, a caller's
 * settings, cancellation.
 * With AddressSanitizer leaks show at the end.
 */
#include "../run_suite.h"
#include "cimc.h"
#include "failing_malloc.h"

#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of libgomp, whose header is gcc's alone. */
void omp_set_num_threads(int n);
int omp_get_max_threads(void);
void omp_set_dynamic(int on);
int omp_get_dynamic(void);

/* ---- the whole way of a model ---- */

enum { N_PIXELS = 784, N_CLASSES = 10 };

struct way {
    cimc_context *context;
    const cimc_model *given; /* NULL: it is imported */
    bool is_last;            /* what is imported here is compiled no more than once */
    float x[N_PIXELS], y[N_CLASSES];
};

static void way_open(struct way *w)
{
    *w = (struct way){.context = cimc_context_new()};
    for (int i = 0; i < N_PIXELS; i++)
        w->x[i] = (float)(i % 17) / 16;
}

static void way_close(struct way *w)
{
    cimc_context_free(w->context);
}

static enum cimc_status run(struct way *w, const cimc_program *p, const struct cimc_options *o)
{
    struct cimc_array x = {.size = sizeof x,
                           .dtype = CIMC_F32,
                           .rank = 4,
                           .dims = {1, 1, 28, 28},
                           .data = w->x,
                           .n_bytes = sizeof w->x};
    struct cimc_array y = {.size = sizeof y,
                           .dtype = CIMC_F32,
                           .rank = 2,
                           .dims = {1, N_CLASSES},
                           .data = w->y,
                           .n_bytes = sizeof w->y};
    return cimc_run(w->context, p, o, &x, 1, &y, 1);
}

static enum cimc_status compile_and_run(struct way *w, cimc_model *own,
                                        const struct cimc_options *o)
{
    cimc_program *p = NULL;
    enum cimc_status s = own && w->is_last ? cimc_compile_last(w->context, own, o, &p)
                                           : cimc_compile(w->context, own ? own : w->given, o, &p);
    if (!w->is_last)
        cimc_model_free(own);
    if (s == CIMC_OK)
        s = run(w, p, o);
    cimc_program_free(p);
    return s;
}

static enum cimc_status go(struct way *w)
{
    cimc_model *m = NULL;
    struct cimc_options o;
    cimc_options_init(&o, sizeof o);
    struct cimc_source source = {.size = sizeof source, .path = CIMC_DIGITS};
    enum cimc_status s = cimc_options_set(w->context, &o, "extra-pes", "32");
    if (s == CIMC_OK && !w->given)
        s = cimc_import(w->context, &source, 1, &o, &m);
    if (s == CIMC_OK)
        s = compile_and_run(w, m, &o);
    cimc_options_free(&o);
    return s;
}

/* ---- tests ---- */

START_TEST(each_allocation_may_fail)
{
    struct way w;
    way_open(&w);
    ck_assert_int_eq(go(&w), CIMC_OK);
    float want[N_CLASSES];
    memcpy(want, w.y, sizeof want);
    long n_tried = 0;
    bool has_failed = true;
    for (long n = 1; has_failed; n += 1 + n / 8, n_tried++) {
        memset(w.y, 0, sizeof w.y);
        w.is_last = n_tried % 2;
        malloc_fails_at(n);
        enum cimc_status s = go(&w);
        has_failed = malloc_has_failed();
        malloc_fails_at(0);
        if (s == CIMC_OK)
            ck_assert_mem_eq(w.y, want, sizeof want);
        else
            ck_assert_msg(has_failed && s == CIMC_NO_MEMORY, "allocation %ld: status %d, %s", n,
                          (int)s, cimc_failure(w.context));
    }
    ck_assert_int_ge(n_tried, 40);
    ck_assert_int_eq(go(&w), CIMC_OK);
    ck_assert_mem_eq(w.y, want, sizeof want);
    way_close(&w);
}
END_TEST

/* ---- sweeps, whose points go on from what others kept ---- */

static bool count_rows(void *n, const void *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *(size_t *)n += ((const char *)text)[i] == '\n';
    return true;
}

static enum cimc_status sweep(struct way *w, const char *path, size_t *n_rows)
{
    struct cimc_options o;
    cimc_options_init(&o, sizeof o);
    *n_rows = 0;
    enum cimc_status s =
        cimc_options_set(w->context, &o, "vary", "arch-field.rows=64,128,64,64,100");
    if (s == CIMC_OK)
        s = cimc_sweep(w->context, &(struct cimc_strings){.at = &path, .n = 1}, &o, CIMC_JSON,
                       count_rows, n_rows);
    cimc_options_free(&o);
    return s;
}

START_TEST(each_allocation_of_a_sweep_may_fail)
{
    struct way w;
    size_t n_rows;
    way_open(&w);
    ck_assert_int_eq(sweep(&w, CIMC_DIGITS, &n_rows), CIMC_OK);
    ck_assert_uint_eq(n_rows, 5);
    bool has_failed = true, has_name = false;
    for (long n = 1; has_failed; n += 1 + n / 6, has_name = !has_name) {
        malloc_fails_at(n);
        enum cimc_status s = sweep(&w, has_name ? "net=" CIMC_DIGITS : CIMC_DIGITS, &n_rows);
        has_failed = malloc_has_failed();
        malloc_fails_at(0);
        ck_assert_msg(s == (has_failed ? CIMC_NO_MEMORY : CIMC_OK), "allocation %ld: status %d, %s",
                      n, (int)s, cimc_failure(w.context));
    }
    ck_assert_int_eq(sweep(&w, CIMC_DIGITS, &n_rows), CIMC_OK);
    ck_assert_uint_eq(n_rows, 5);
    way_close(&w);
}
END_TEST

START_TEST(a_callers_settings_survive)
{
    struct way w;
    sigset_t before, after;
    way_open(&w);
    ck_assert_int_eq(go(&w), CIMC_OK);
    float want[N_CLASSES];
    memcpy(want, w.y, sizeof want);
    omp_set_num_threads(7);
    omp_set_dynamic(1);
    fesetround(FE_UPWARD);
    mode_t mask = umask(027);
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ck_assert_int_eq(go(&w), CIMC_OK);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(omp_get_max_threads(), 7);
    ck_assert_int_eq(omp_get_dynamic(), 1);
    ck_assert_int_eq(umask(mask), 027);
    for (int i = 1; i < NSIG; i++)
        ck_assert_int_eq(sigismember(&before, i), sigismember(&after, i));
    ck_assert_mem_eq(w.y, want, sizeof want);
    way_close(&w);
}
END_TEST

enum { N_THREADS = 4 };

struct worker {
    struct way way;
    enum cimc_status status;
};

static void *work(void *worker)
{
    struct worker *w = worker;
    for (int i = 0; i < 2 && w->status == CIMC_OK; i++)
        w->status = go(&w->way);
    return NULL;
}

/* Half of them read one model. */
START_TEST(threads_do_not_meet)
{
    struct worker w[N_THREADS] = {0};
    pthread_t threads[N_THREADS];
    struct way first;
    cimc_model *m = NULL;
    struct cimc_source source = {.size = sizeof source, .path = CIMC_DIGITS};
    way_open(&first);
    ck_assert_int_eq(cimc_import(first.context, &source, 1, NULL, &m), CIMC_OK);
    for (int i = 0; i < N_THREADS; i++) {
        way_open(&w[i].way);
        w[i].way.given = i % 2 ? m : NULL;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    }
    ck_assert_int_eq(go(&first), CIMC_OK);
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(w[i].status, CIMC_OK);
        ck_assert_mem_eq(w[i].way.y, first.y, sizeof first.y);
        way_close(&w[i].way);
    }
    cimc_model_free(m);
    way_close(&first);
}
END_TEST

struct patience {
    unsigned n_told, most;
};

static bool wait_on(void *patience, const char *what, uint64_t done, uint64_t total)
{
    struct patience *p = patience;
    (void)what;
    (void)done;
    (void)total;
    return p->n_told++ < p->most;
}

/* Wherever it is told of progress, the caller may have enough; the next call works. */
static void cancel_wherever_it_tells(struct way *w)
{
    struct patience p = {.most = UINT32_MAX};
    cimc_set_progress(w->context, wait_on, &p);
    ck_assert_int_eq(go(w), CIMC_OK);
    unsigned n_all = p.n_told;
    ck_assert_uint_gt(n_all, 4);
    for (unsigned most = 0; most < n_all; most++) {
        p = (struct patience){.most = most};
        ck_assert_int_eq(go(w), CIMC_CANCELLED);
        ck_assert_uint_eq(p.n_told, most + 1);
    }
    cimc_set_progress(w->context, NULL, NULL);
}

START_TEST(work_can_be_cancelled)
{
    struct way w;
    way_open(&w);
    cancel_wherever_it_tells(&w);
    w.is_last = true;
    cancel_wherever_it_tells(&w);
    cimc_cancel(w.context); /* no call runs */
    ck_assert_int_eq(go(&w), CIMC_OK);
    way_close(&w);
}
END_TEST

/* ---- another thread has enough ---- */

struct canceller {
    cimc_context *context;
    atomic_bool is_done;
};

static void *cancel_on(void *canceller)
{
    struct canceller *c = canceller;
    while (!c->is_done)
        cimc_cancel(c->context);
    return NULL;
}

struct things {
    struct way way;
    cimc_model *model;
    cimc_program *program;
};

static enum cimc_status do_import(struct things *t)
{
    struct cimc_source source = {.size = sizeof source, .path = CIMC_DIGITS};
    cimc_model *m = NULL;
    enum cimc_status s = cimc_import(t->way.context, &source, 1, NULL, &m);
    cimc_model_free(m);
    return s;
}

static enum cimc_status do_compile(struct things *t)
{
    cimc_program *p = NULL;
    enum cimc_status s = cimc_compile(t->way.context, t->model, NULL, &p);
    cimc_program_free(p);
    return s;
}

static enum cimc_status do_check(struct things *t)
{
    return cimc_check(t->way.context, t->program, CIMC_TEXT, NULL, NULL);
}

static enum cimc_status do_run(struct things *t)
{
    return run(&t->way, t->program, NULL);
}

/* Whatever runs is left, sooner or later in it; what comes after it is not. */
START_TEST(another_thread_cancels)
{
    static enum cimc_status (*const calls[])(struct things *) = {do_import, do_compile, do_check,
                                                                 do_run};
    struct cimc_source source = {.size = sizeof source, .path = CIMC_DIGITS};
    struct things t = {0};
    way_open(&t.way);
    cimc_context *c = t.way.context;
    ck_assert_int_eq(cimc_import(c, &source, 1, NULL, &t.model), CIMC_OK);
    ck_assert_int_eq(cimc_compile(c, t.model, NULL, &t.program), CIMC_OK);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct canceller other = {.context = c};
        pthread_t thread;
        enum cimc_status s = CIMC_OK;
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_on, &other), 0);
        while (s == CIMC_OK)
            s = calls[i](&t);
        other.is_done = true;
        pthread_join(thread, NULL);
        ck_assert_int_eq(s, CIMC_CANCELLED);
        ck_assert_int_eq(calls[i](&t), CIMC_OK);
    }
    ck_assert_uint_eq(cimc_diagnostic_count(c), 0);
    cimc_program_free(t.program);
    cimc_model_free(t.model);
    way_close(&t.way);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("library");
    TCase *tc = tcase_create("library");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, each_allocation_may_fail);
    tcase_add_test(tc, each_allocation_of_a_sweep_may_fail);
    tcase_add_test(tc, a_callers_settings_survive);
    tcase_add_test(tc, threads_do_not_meet);
    tcase_add_test(tc, work_can_be_cancelled);
    tcase_add_test(tc, another_thread_cancels);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
