/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* blob_test.c - derived payloads: widened, scaled, permuted. */
#include "ir.h"
#include "../run_suite.h"

#include <setjmp.h>
#include <string.h>

static jmp_buf way_out;

static void __attribute__((noreturn)) jump_out(struct door *d, enum mishap why, const char *message)
{
    (void)why;
    (void)message;
    door_give_back(d);
    longjmp(way_out, 1);
}

/* References of a call that is left by the door end with it; a payload that it was first to ask for
 * stays, for it is the blob's. */
START_TEST(a_call_that_is_left_keeps_no_references)
{
    const float kernel[] = {1, 2, 3, 4};
    struct door door = {.leave = jump_out};
    struct blob *raw = blob_view(kernel, sizeof kernel, NULL, NULL);
    struct blob *wide = blob_widened(raw, BLOB_F32);
    const void *volatile data = NULL;
    door_set(&door);
    if (setjmp(way_out) == 0) {
        blob_ref(raw);
        blob_unref(blob_ref(raw));
        blob_unref(blob_widened(wide, BLOB_F32));
        blob_widened(raw, BLOB_F32);
        struct blob *own = blob_ref(blob_widened(wide, BLOB_F32));
        ck_assert_mem_eq(blob_data(own), kernel, sizeof kernel);
        data = blob_data(wide);
        ck_assert_uint_gt(raw->refs, 2);
        out_of_memory(0);
    }
    door_reset(&door);
    ck_assert_uint_eq(wide->refs, 1);
    ck_assert_uint_eq(raw->refs, 2);
    ck_assert_ptr_eq(blob_data(wide), data);
    ck_assert_mem_eq(data, kernel, sizeof kernel);
    blob_unref(wide);
    ck_assert_uint_eq(raw->refs, 1);
    blob_unref(raw);
}
END_TEST

/* What an earlier call made may be freed in one that is left: the references that go with it are
 * not those that the call has taken. */
START_TEST(a_call_that_is_left_may_free_what_was_before)
{
    const float kernel[] = {1, 2};
    const struct ir_type type = ir_type_of(IR_F32, 1, (int64_t[]){2});
    struct door door = {.leave = jump_out};
    struct blob *raw = blob_view(kernel, sizeof kernel, NULL, NULL);
    struct blob *wide = blob_widened(raw, BLOB_F32);
    struct ir_graph *g = ir_graph_new("g", IR_TENSOR);
    ir_const_new(g, NULL, type, blob_ref(raw), "c", (struct loc){0});
    ck_assert_uint_eq(raw->refs, 3);
    door_set(&door);
    if (setjmp(way_out) == 0) {
        struct ir_graph *copy = ir_clone(g);
        blob_ref(raw);
        ir_graph_free(g);
        blob_unref(wide);
        ck_assert_uint_eq(raw->refs, 3);
        ir_op_remove(copy->first);
        ck_assert_uint_eq(raw->refs, 2);
        out_of_memory(0);
    }
    door_reset(&door);
    ck_assert_uint_eq(raw->refs, 1);
    blob_unref(raw);
}
END_TEST

/* A kernel of O 2, I 2, KH 1, KW 3 and factors 10, 100 for its outputs: row (kw, i), column o. */
START_TEST(steps_are_joined)
{
    const float kernel[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const float matrix[] = {10, 700, 40, 1000, 20, 800, 50, 1100, 30, 900, 60, 1200};
    const float factors[] = {10, 100};
    const struct blob_axis axes[] = {{1, 3}, {3, 1}, {2, 3}, {2, 6}};
    char odd[sizeof kernel + 1]; /* the file's bytes may begin anywhere */
    memcpy(odd + 1, kernel, sizeof kernel);
    float *factor = heap_alloc(sizeof factors), scratch[12], x;
    memcpy(factor, factors, sizeof factors);
    struct blob *raw = blob_view(odd + 1, sizeof kernel, NULL, NULL);
    struct blob *wide = blob_widened(raw, BLOB_F32), *scaled = blob_scaled(wide, factor, 2, 6);
    struct blob *permuted = blob_permuted(scaled, axes, 4);
    ck_assert_ptr_eq(blob_read(permuted, scratch), scratch);
    ck_assert_mem_eq(scratch, matrix, sizeof matrix);
    ck_assert_mem_eq(blob_data(permuted), matrix, sizeof matrix);
    ck_assert_ptr_eq(blob_read(permuted, scratch), blob_data(permuted)); /* now it is somewhere */
    memcpy(&x, (const float *)blob_data(scaled) + 6, sizeof x);
    ck_assert(x == 700);
    /* Permuted back: from a payload that is there, and from one that cannot be joined. */
    const struct blob_axis back[] = {{2, 1}, {2, 2}, {3, 4}};
    struct blob *again = blob_permuted(permuted, back, 3);
    struct blob *shifted = blob_permuted(again, &(struct blob_axis){12, 1}, 1);
    ck_assert(blob_equal(scaled, shifted) && !blob_equal(shifted, permuted));
    ck_assert_uint_eq(blob_hash(shifted), blob_hash(scaled));
    struct blob *all[] = {raw, wide, scaled, permuted, again, shifted};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        blob_unref(all[i]);
}
END_TEST

/* 70 x 50 elements, more than tiles hold: each column its factor, each element in its place; from
 * binary16, whose 0x3c00 + 64 i are 1 + i/16. */
START_TEST(tiles_put_elements_in_their_places)
{
    enum { N = 50, K = 70 };
    uint16_t half[N * K];
    for (int e = 0; e < N * K; e++)
        half[e] = (uint16_t)(0x3c00 + 64 * (e % 16));
    float *factor = heap_alloc(N * sizeof *factor);
    for (int o = 0; o < N; o++)
        factor[o] = (float)(o + 1);
    struct blob *raw = blob_view(half, sizeof half, NULL, NULL);
    struct blob *wide = blob_widened(raw, BLOB_F16), *scaled = blob_scaled(wide, factor, N, K);
    struct blob *t = blob_permuted(scaled, (struct blob_axis[]){{K, 1}, {N, K}}, 2);
    uint64_t sample = blob_sample(t);
    const float *at = blob_data(t);
    ck_assert_uint_eq(blob_sample(t), sample); /* made or not */
    for (int k = 0; k < K; k++)
        for (int o = 0; o < N; o++)
            ck_assert(at[k * N + o] == (1 + (float)((o * K + k) % 16) / 16) * (float)(o + 1));
    struct blob *all[] = {raw, wide, scaled, t};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        blob_unref(all[i]);
}
END_TEST

/* And lie somewhere: functions of string.h take no null pointer. */
START_TEST(payloads_of_no_bytes_are_equal)
{
    struct blob *owned = blob_own(NULL, 0);
    struct blob *viewed = blob_view(NULL, 0, NULL, NULL);
    ck_assert_ptr_nonnull(blob_data(owned));
    ck_assert_ptr_nonnull(blob_data(viewed));
    ck_assert(blob_equal(owned, viewed));
    blob_unref(owned);
    blob_unref(viewed);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("blob");
    tcase_add_test(tc, steps_are_joined);
    tcase_add_test(tc, a_call_that_is_left_keeps_no_references);
    tcase_add_test(tc, a_call_that_is_left_may_free_what_was_before);
    tcase_add_test(tc, tiles_put_elements_in_their_places);
    tcase_add_test(tc, payloads_of_no_bytes_are_equal);
    Suite *suite = suite_create("blob");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
