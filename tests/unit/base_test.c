/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * base_test.c - half precision over all values, the matrix product against plain loops, the hash
 * map, messages, output files and signals.
 */
#include "base/gemm.h"
#include "base/map.h"
#include "eval_rig.h"
#include "../run_suite.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* One node may be several operations, and all of them have the same to say. */
START_TEST(a_line_is_said_once)
{
    struct diag *d = diag_new();
    struct loc node = {.file = "m.onnx", .entity = "node 1"};
    for (int i = 0; i < 3; i++)
        diag_error(d, node, DIAG_CAPACITY, "too large by %d", 7);
    ck_assert_ptr_eq(d->first, d->last);
    ck_assert_uint_eq(d->n_errors, 3);
    diag_error(d, (struct loc){.file = "m.onnx", .entity = "node 2"}, DIAG_CAPACITY,
               "too large by 7");
    diag_error(d, node, DIAG_CAPACITY, "too large by 7");
    ck_assert_str_eq(d->first->next->loc.entity, "node 2");
    ck_assert_str_eq(d->last->loc.entity, "node 1");
    diag_free(d);
}
END_TEST

/* Names stand in messages as they are in the file, but nothing in them commands the terminal. */
START_TEST(messages_hold_no_control_characters)
{
    struct diag *d = diag_new();
    diag_error(d, (struct loc){.file = "a\nb", .entity = "node '\x1b[31m'"}, DIAG_IO, "'%s'",
               "\xc3\xa9\t\x7f");
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    ck_assert_ptr_nonnull(out);
    diag_print(d, out);
    fclose(out);
    ck_assert_str_eq(text, "a\\x0ab: node '\\x1b[31m': error: '\xc3\xa9\\x09\\x7f' [io]\n");
    free(text);
    diag_free(d);
}
END_TEST

/* A door that jumps back, as a library would set it. */
struct jumping_door {
    struct door door;
    jmp_buf back;
    enum mishap why;
    char message[256];
};

static void __attribute__((noreturn))
jump_back(struct door *d, enum mishap why, const char *message)
{
    struct jumping_door *j = (struct jumping_door *)d;
    j->why = why;
    snprintf(j->message, sizeof j->message, "%s", message);
    door_give_back(d);
    longjmp(j->back, 1);
}

static size_t count_files(const char *folder);

START_TEST(a_room_is_left_by_the_door)
{
    char folder[] = "/tmp/cimc-base-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    struct diag *d = diag_new();
    struct jumping_door outer = {.door = {.leave = jump_back}}, inner = outer;
    struct out o;
    door_set(&outer.door);
    bug_context("pass none");
    door_set(&inner.door);
    if (setjmp(inner.back) == 0) {
        bug_context("pass some");
        BUG("seven is %d", 8);
    }
    door_reset(&inner.door);
    ck_assert_int_eq(inner.why, MISHAP_BUG);
    ck_assert_ptr_nonnull(strstr(inner.message, "internal error at "));
    ck_assert_ptr_nonnull(strstr(inner.message, " in pass some: seven is 8"));
    if (setjmp(outer.back) == 0) {
        if (!out_open(&o, path, d))
            ck_abort_msg("cannot write %s", path);
        ck_assert_uint_eq(count_files(folder), 1);
        out_of_memory(4096);
    }
    ck_assert_int_eq(outer.why, MISHAP_MEMORY);
    ck_assert_str_eq(outer.message, "out of memory in pass none (4096 bytes)");
    ck_assert_uint_eq(count_files(folder), 0);
    ck_assert_ptr_null(outer.door.leftovers);
    /* What was put in its place is no leftover. */
    ck_assert(out_open(&o, path, d) && out_commit(&o, d));
    ck_assert_ptr_null(outer.door.leftovers);
    ck_assert_uint_eq(count_files(folder), 1);
    door_reset(&outer.door);
    unlink(path);
    rmdir(folder);
    diag_free(d);
}
END_TEST

START_TEST(what_a_left_call_was_at_is_forgotten)
{
    struct jumping_door here = {.door = {.leave = jump_back}};
    for (int i = 0; i < 2; i++) {
        door_set(&here.door);
        if (setjmp(here.back) == 0) {
            if (i == 0)
                bug_context(
                    memcpy(heap_alloc(sizeof "pass some"), "pass some", sizeof "pass some"));
            out_of_memory(4096);
        }
        door_reset(&here.door);
        ck_assert_str_eq(here.message, i ? "out of memory (4096 bytes)"
                                         : "out of memory in pass some (4096 bytes)");
    }
}
END_TEST

/* An array that outlives the call is as it was where its growing leaves it. */
START_TEST(an_array_that_does_not_grow)
{
    static VEC(int) v;
    static const atomic_bool stop = true;
    struct jumping_door here = {.door = {.leave = jump_back, .stop = &stop}};
    do
        VEC_PUSH(&v, 1);
    while (v.n < v.cap);
    size_t cap = v.cap;
    door_set(&here.door);
    if (setjmp(here.back) == 0) {
        VEC_PUSH(&v, 2);
        ck_abort_msg("it has grown");
    }
    door_reset(&here.door);
    ck_assert_int_eq(here.why, MISHAP_CANCELLED);
    ck_assert_uint_eq(v.n, cap);
    ck_assert_uint_eq(v.cap, cap);
    VEC_FREE(&v);
}
END_TEST

static bool is_held(int signal)
{
    sigset_t held;
    sigprocmask(SIG_BLOCK, NULL, &held);
    return sigismember(&held, signal);
}

/* Two files of two doors: each is ended through the other's, signals wait for both. */
START_TEST(files_of_two_doors)
{
    char folder[] = "/tmp/cimc-base-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct diag *d = diag_new();
    struct jumping_door door[2] = {{.door = {.leave = jump_back}}, {.door = {.leave = jump_back}}};
    struct out o[2];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        door_set(&door[i].door);
        ck_assert(out_open(&o[i], path, d));
        door_reset(&door[i].door);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert(is_held(SIGINT));
        door_set(&door[1 - i].door);
        ck_assert(out_commit(&o[i], d));
        door_reset(&door[1 - i].door);
        ck_assert_ptr_null(door[i].door.leftovers);
        snprintf(path, sizeof path, "%s/%d", folder, i);
        unlink(path);
    }
    ck_assert(!is_held(SIGINT));
    rmdir(folder);
    diag_free(d);
}
END_TEST

static void count_release(void *p)
{
    ++**(int **)p;
}

static void count_thing(void *n)
{
    ++*(int *)n;
}

/* What a call took is given back when it is left by the door; what was there before, and what grew
 * by its side, stays. (Under AddressSanitizer leaks and what is used too late show.) */
START_TEST(what_a_call_took_is_given_back)
{
    struct jumping_door here = {.door = {.leave = jump_back}};
    struct diag *before = diag_new();
    volatile int n_released = 0, n_held = 0;
    char *volatile old = heap_alloc(1);
    door_set(&here.door);
    if (setjmp(here.back) == 0) {
        struct arena *a = arena_new();
        VEC(int) v = {0};
        struct map m = {0};
        for (uint32_t i = 0; i < 3000; i++) {
            uint64_t key = i;
            VEC_PUSH(&v, 1);
            map_intern(&m, &key, sizeof key, i);
            arena_alloc(a, 100);
            diag_error(before, (struct loc){.line = i}, DIAG_IO, "number %u", i);
        }
        old = heap_realloc(old, 100000);
        heap_free(heap_alloc(10));
        heap_free(heap_realloc(heap_alloc(10), 100000));
        *(volatile int **)heap_alloc_released(sizeof(int *), count_release) = &n_released;
        hold_new(count_thing)->thing = (void *)&n_held;
        hold_new(count_thing);
        ck_assert(heap_outlives_call(old) && heap_outlives_call(before));
        ck_assert(!heap_outlives_call(a) && !heap_outlives_call(v.at));
        leave_cancelled();
    }
    door_reset(&here.door);
    ck_assert_int_eq(here.why, MISHAP_CANCELLED);
    ck_assert_int_eq(n_released, 1);
    ck_assert_int_eq(n_held, 1);
    ck_assert_uint_eq(before->n_errors, 3000);
    ck_assert_str_eq(before->last->text, "number 2999");
    diag_free(before);
    heap_free(old);
}
END_TEST

/* A call that came to its end leaves its results, also for other threads and other calls. */
START_TEST(what_a_call_made_stays)
{
    struct jumping_door here = {.door = {.leave = jump_back}};
    struct arena *volatile a = NULL;
    static VEC(int) v; /* not a register across setjmp */
    door_set(&here.door);
    a = arena_new();
    VEC_PUSH(&v, 7);
    door_reset(&here.door);
    door_set(&here.door);
    if (setjmp(here.back) == 0) {
        arena_alloc(a, 1 << 20);
        VEC_RESERVE(&v, 1 << 20);
        out_of_memory(1);
    }
    door_reset(&here.door);
    ck_assert_ptr_nonnull(arena_strdup(a, "a"));
    ck_assert_int_eq(v.at[0], 7);
    VEC_FREE(&v);
    arena_free(a);
}
END_TEST

/* By whoever waits for it, or for the one that it is part of. */
START_TEST(an_inner_call_is_stopped_with_the_outer_one)
{
    atomic_bool stop = true;
    struct jumping_door outer = {.door = {.leave = jump_back, .stop = &stop}};
    struct jumping_door inner = {.door = {.leave = jump_back}};
    door_set(&outer.door);
    door_set(&inner.door);
    if (setjmp(inner.back) == 0)
        leave_if_cancelled();
    door_reset(&inner.door);
    stop = false;
    leave_if_cancelled();
    door_reset(&outer.door);
    ck_assert_int_eq(inner.why, MISHAP_CANCELLED);
}
END_TEST

/* Who waits has had enough: the next time that memory is taken. */
START_TEST(a_call_can_be_stopped)
{
    atomic_bool stop = false;
    struct jumping_door here = {.door = {.leave = jump_back, .stop = &stop}};
    volatile bool has_gone_on = false;
    door_set(&here.door);
    if (setjmp(here.back) == 0) {
        heap_alloc(1);
        stop = true;
        has_gone_on = true;
        heap_alloc(1);
        has_gone_on = false;
    }
    door_reset(&here.door);
    ck_assert_int_eq(here.why, MISHAP_CANCELLED);
    ck_assert(has_gone_on);
}
END_TEST

/* Of libgomp, whose header is gcc's alone. */
void omp_set_num_threads(int n);
int omp_get_max_threads(void);
void omp_set_dynamic(int on);
int omp_get_dynamic(void);

START_TEST(products_leave_the_callers_threads_alone)
{
    enum { N = 96 };
    float *a = heap_alloc(3 * N * N * sizeof *a);
    omp_set_num_threads(7);
    omp_set_dynamic(1);
    gemm_f32(N, N, N, a, N, a + N * N, N, a + 2 * N * N, N, false);
    gemm_f32_by_transpose(N, N, N, a, N, a + N * N, N, a + 2 * N * N, N);
    gemm_u8s8_onednn(N, N, N, (uint8_t *)a, N, (int8_t *)a, N, (int32_t *)(a + N * N), N, false);
    ck_assert_int_eq(omp_get_max_threads(), 7);
    ck_assert_int_eq(omp_get_dynamic(), 1);
    heap_free(a);
}
END_TEST

/* A process that gets `number` while it writes the file: the signal it ended by, 0 for none. */
static int signal_while_writing(const char *path, int number, void (*action)(int), bool commit)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct diag *d = diag_new();
        struct out o;
        signal(number, action);
        if (!out_open(&o, path, d))
            _exit(1);
        raise(number);
        fputs("whole", o.f);
        if (!commit)
            out_discard(&o);
        else if (!out_commit(&o, d))
            _exit(1);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "it failed");
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static size_t count_files(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

START_TEST(signals_leave_no_part_of_a_file)
{
    const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    const int number = numbers[_i / 2];
    const bool commit = _i % 2;
    char folder[] = "/tmp/cimc-test-XXXXXX", path[sizeof folder + 8];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    ck_assert_int_eq(signal_while_writing(path, number, SIG_DFL, commit), number);
    ck_assert_uint_eq(count_files(folder), commit ? 1 : 0);
    ck_assert_int_eq(access(path, F_OK), commit ? 0 : -1);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(ignored_signals_stay_ignored)
{
    char path[] = "/tmp/cimc-test-XXXXXX";
    close(mkstemp(path));
    ck_assert_int_eq(signal_while_writing(path, SIGHUP, SIG_IGN, true), 0);
    unlink(path);
}
END_TEST

/* c[m x n] + a[m x k] * b[k x n] in double, or without c; rows are `gap` elements apart where that
 * is asked for, and between them nothing may change. */
static void check_product(uint64_t *seed, int64_t m, int64_t n, int64_t k, const int64_t gap[3],
                          bool accumulate)
{
    int64_t lda = k + gap[0], ldb = n + gap[1], ldc = n + gap[2];
    struct tensor a = random_tensor(seed, SHAPE(m * lda + 1)),
                  b = random_tensor(seed, SHAPE(k * ldb + 1)),
                  c = random_tensor(seed, SHAPE(m * ldc + 1)), want = tensor_copy(&c);
    const float *x = a.data, *w = b.data;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = accumulate ? get(&want, i * ldc + j) : 0;
            for (int64_t p = 0; p < k; p++)
                sum += (double)x[i * lda + p] * w[p * ldb + j];
            put(&want, i * ldc + j, sum);
        }
    }
    gemm_f32(m, n, k, a.data, lda, b.data, ldb, c.data, ldc, accumulate);
    double error = 0;
    for (int64_t i = 0; i < m * ldc + 1; i++)
        error = fmax(error, fabs(get(&c, i) - get(&want, i)));
    ck_assert_double_le(error, k < 100 ? 1e-5 : 1e-4);
    tensor_free(&a);
    tensor_free(&b);
    tensor_free(&c);
    tensor_free(&want);
}

START_TEST(small_products_equal_plain_loops)
{
    uint64_t seed = 1;
    for (int round = 0; round < 200; round++) {
        int64_t gap[3] = {random_below(&seed, 4), random_below(&seed, 4), random_below(&seed, 4)};
        int64_t m = random_below(&seed, 9), n = random_below(&seed, 20);
        check_product(&seed, m, n, random_below(&seed, 18), gap, random_below(&seed, 2));
    }
}
END_TEST

/* With gaps between the rows of any of them; of b in several pieces. */
START_TEST(large_products_equal_plain_loops)
{
    static const int64_t sizes[][3] = {{40, 72, 1100}, {33, 300, 300}, {1, 700, 200}, {64, 64, 64}};
    const int64_t *size = sizes[_i / 8];
    const int64_t gap[3] = {_i & 1 ? 5 : 0, _i & 2 ? 24 : 0, _i & 4 ? 7 : 0};
    uint64_t seed = (uint64_t)_i + 1;
    check_product(&seed, size[0], size[1], size[2], gap, false);
    check_product(&seed, size[0], size[1], size[2], gap, true);
}
END_TEST

/* Full range, rows apart at any address, more rows than f32 sums exactly; on top of values that no
 * f32 holds. */
START_TEST(products_of_bytes_are_exact)
{
    static const int64_t sizes[][3] = {{7, 20, 33},  {1, 1, 1},     {1, 40, 64}, {40, 1, 65},
                                       {3, 5, 1100}, {65, 33, 129}, {4, 4, 0},   {256, 64, 64}};
    const int64_t *size = sizes[_i];
    int64_t m = size[0], n = size[1], k = size[2], lda = k + 3, ldb = n + 5, ldc = n + 2;
    uint64_t seed = (uint64_t)_i + 1;
    uint8_t *a = heap_alloc((size_t)(m * lda));
    int8_t *b = heap_alloc((size_t)(k * ldb + 1));
    int32_t *c = heap_alloc((size_t)(m * ldc) * sizeof *c);
    for (int64_t i = 0; i < m * lda; i++)
        a[i] = (uint8_t)(random_below(&seed, 2) ? 255 : random_below(&seed, 256));
    for (int64_t i = 0; i < k * ldb; i++)
        b[i] = (int8_t)(random_below(&seed, 2) ? 127 - 255 * random_below(&seed, 2)
                                               : random_below(&seed, 256) - 128);
    for (unsigned way = 0; way <= N_GEMM_WAYS; way++) /* the last one: whatever is taken here */
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            bool wrong = false;
            for (int64_t i = 0; i < m * ldc; i++)
                c[i] = (1 << 24) + 1 + (int32_t)i;
            if (way == N_GEMM_WAYS)
                gemm_u8s8(m, n, k, a, lda, b, ldb, c, ldc, accumulate);
            else
                gemm_u8s8_by(way, m, n, k, a, lda, b, ldb, c, ldc, accumulate);
            for (int64_t i = 0; i < m * ldc; i++) {
                bool inside = i % ldc < n;
                int32_t want = inside && !accumulate ? 0 : (1 << 24) + 1 + (int32_t)i;
                for (int64_t p = 0; inside && p < k; p++)
                    want += a[i / ldc * lda + p] * b[p * ldb + i % ldc];
                wrong |= c[i] != want;
            }
            ck_assert(!wrong || way == GEMM_BYTES); /* it may saturate, if it is not taken */
            ck_assert(!wrong || gemm_u8s8_way() != GEMM_BYTES);
        }
    heap_free(a);
    heap_free(b);
    heap_free(c);
}
END_TEST

/* The value of a finite half straight from its definition. */
static double half_value(unsigned h)
{
    unsigned exponent = h >> 10 & 31, fraction = h & 1023;
    double magnitude = exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -magnitude : magnitude;
}

/* One assertion a loop: Check notes each one that holds, which takes long for 65536. */
static bool half_round_trips(unsigned h)
{
    float x = f16_to_f32((uint16_t)h);
    if ((h & 0x7fff) > 0x7c00)
        return isnan(x) && isnan(f16_to_f32(f32_to_f16(x)));
    bool right = (h & 0x7fff) == 0x7c00 ? isinf(x) != 0 : (double)x == half_value(h);
    return right && !signbit(x) == !(h & 0x8000) && f32_to_f16(x) == h;
}

START_TEST(every_half_converts_and_comes_back)
{
    unsigned h = 0;
    while (h < 65536 && half_round_trips(h))
        h++;
    ck_assert_uint_eq(h, 65536);
}
END_TEST

/* Halfway between h and its successor: to the even one; a float's breadth off: to the nearer one.
 */
static bool half_rounds(unsigned h)
{
    double above = h == 0x7bff ? 65536 : half_value(h + 1);
    float middle = (float)((half_value(h) + above) / 2);
    return f32_to_f16(middle) == h + (h & 1) && f32_to_f16(-middle) == (0x8000 | (h + (h & 1))) &&
           f32_to_f16(nextafterf(middle, 0)) == h && f32_to_f16(nextafterf(middle, 1e9f)) == h + 1;
}

START_TEST(halves_round_to_nearest_even)
{
    unsigned h = 0;
    while (h < 0x7c00 && half_rounds(h))
        h++;
    ck_assert_uint_eq(h, 0x7c00);
    ck_assert_uint_eq(f32_to_f16(3e38f), 0x7c00);
    ck_assert_uint_eq(f32_to_f16(1e-30f), 0);
    ck_assert_float_eq(f16_round(0.1f), 0.0999755859375f);
}
END_TEST

/* So many keys that the map grows often and slots are taken by others. */
START_TEST(a_map_keeps_the_first_value_of_each_key)
{
    enum { N = 5000 };
    struct map m = {0};
    ck_assert_uint_eq(map_find_u64(&m, 0), MAP_NONE);
    for (uint32_t i = 0; i < N; i++)
        ck_assert_uint_eq(map_intern_u64(&m, map_pair(i, 0), i), i);
    for (uint32_t i = 0; i < N; i++) {
        ck_assert_uint_eq(map_intern_u64(&m, map_pair(i, 0), N), i);
        ck_assert_uint_eq(map_find_u64(&m, map_pair(i, 0)), i);
        ck_assert_uint_eq(map_find_u64(&m, map_pair(i, 1)), MAP_NONE);
    }
    ck_assert_uint_eq(m.n, N);
    map_free(&m);
    ck_assert_uint_eq(map_find_u64(&m, 0), MAP_NONE);
}
END_TEST

/* The length is part of a key, zeros and the empty key are keys. */
START_TEST(keys_of_a_map_are_bytes)
{
    static const char zeros[64];
    struct map m = {0};
    for (uint32_t n = 0; n <= sizeof zeros; n++)
        ck_assert_uint_eq(map_intern(&m, zeros, n, n), n);
    for (uint32_t n = 0; n <= sizeof zeros; n++)
        ck_assert_uint_eq(map_find(&m, zeros, n), n);
    ck_assert_uint_eq(map_find(&m, "\1", 1), MAP_NONE);
    map_free(&m);
}
END_TEST

/* Numbers that are in program files, and their sizes; a tensor type of that name has the same. */
START_TEST(elements_have_names_sizes_and_places)
{
    static const struct {
        const char *name;
        enum element e;
        size_t bytes;
        bool in_buffer, in_dram, in_image;
    } all[] = {{"f32", 0, 4, true, true, true},  {"f16", 1, 2, false, true, false},
               {"u8", 2, 1, true, true, false},  {"i8", 3, 1, false, true, true},
               {"i32", 4, 4, true, true, false}, {"i64", 5, 8, false, true, false}};
    for (size_t i = 0; i < N_ELEMENTS; i++) {
        enum ir_dtype dtype = IR_BOOL;
        ck_assert_str_eq(element_name(all[i].e), all[i].name);
        ck_assert_uint_eq(element_find(all[i].name, strlen(all[i].name)), all[i].e);
        ck_assert_uint_eq(element_bytes(all[i].e), all[i].bytes);
        ck_assert_int_eq(element_may_be(all[i].e, ELEMENT_IN_BUFFER, false), all[i].in_buffer);
        ck_assert_int_eq(element_may_be(all[i].e, ELEMENT_IN_DRAM, false), all[i].in_dram);
        ck_assert_int_eq(element_may_be(all[i].e, ELEMENT_IN_IMAGE, false), all[i].in_image);
        ck_assert(ir_dtype_parse(all[i].name, strlen(all[i].name), &dtype));
        ck_assert_uint_eq(ir_dtype_element(dtype), all[i].e);
        ck_assert_uint_eq(ir_dtype_bytes(dtype), all[i].bytes);
    }
    ck_assert_uint_eq(element_find("f3", 2), N_ELEMENTS);
    ck_assert_uint_eq(ir_dtype_element(IR_BOOL), ELEMENT_u8);
    ck_assert_uint_eq(ir_dtype_element(IR_F64), N_ELEMENTS);
    ck_assert_ptr_null(element_name(N_ELEMENTS));
    ck_assert_uint_eq(element_bytes(N_ELEMENTS), 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("base");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, messages_hold_no_control_characters);
    tcase_add_test(tc, a_line_is_said_once);
    tcase_add_test(tc, a_room_is_left_by_the_door);
    tcase_add_test(tc, what_a_left_call_was_at_is_forgotten);
    tcase_add_test(tc, an_array_that_does_not_grow);
    tcase_add_test(tc, files_of_two_doors);
    tcase_add_test(tc, what_a_call_took_is_given_back);
    tcase_add_test(tc, what_a_call_made_stays);
    tcase_add_test(tc, a_call_can_be_stopped);
    tcase_add_test(tc, an_inner_call_is_stopped_with_the_outer_one);
    tcase_add_test(tc, products_leave_the_callers_threads_alone);
    tcase_add_loop_test(tc, signals_leave_no_part_of_a_file, 0, 6);
    tcase_add_test(tc, ignored_signals_stay_ignored);
    tcase_add_test(tc, every_half_converts_and_comes_back);
    tcase_add_test(tc, halves_round_to_nearest_even);
    tcase_add_test(tc, a_map_keeps_the_first_value_of_each_key);
    tcase_add_test(tc, keys_of_a_map_are_bytes);
    tcase_add_test(tc, elements_have_names_sizes_and_places);
    TCase *products = tcase_create("products");
    tcase_set_timeout(products, 60);
    tcase_add_test(products, small_products_equal_plain_loops);
    tcase_add_loop_test(products, large_products_equal_plain_loops, 0, 32);
    tcase_add_loop_test(products, products_of_bytes_are_exact, 0, 8);
    Suite *suite = suite_create("base");
    suite_add_tcase(suite, products);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
