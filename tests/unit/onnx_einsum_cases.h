/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_einsum_cases.h - part of onnx_test.c: Einsum. Numbers by hand.
 */
#ifndef CIMC_ONNX_EINSUM_CASES_H
#define CIMC_ONNX_EINSUM_CASES_H

/* x of dims 2 x 2 x .. and the constant w = (1 2; 3 4) */
static struct model einsum(const char *equation, const char *operands, int n_dims)
{
    struct text n = node("Einsum", "e", operands, "y");
    attr_str(&n, "equation", equation);
    struct model m = one_node(13, n, n_dims, ((const int64_t[]){2, 2, 2}));
    model_init(&m, FLOATS("w", DIMS(2, 2), 1, 2, 3, 4));
    return m;
}

START_TEST(einsum_of_one_operand)
{
    static const struct {
        const char *equation;
        int64_t n;
        float want[4];
    } c[] = {
        {"ij->ji", 4, {1, 3, 2, 4}}, {"ba", 4, {1, 3, 2, 4}}, {"ij->i", 2, {3, 7}},
        {"ij -> ", 1, {10}},         {"ii->i", 2, {1, 4}},    {"ii", 1, {5}},
        {"...j->...", 2, {3, 7}},
    };
    struct model m = einsum(c[_i].equation, "x", 2);
    expect(&m, AT(1, 2, 3, 4), c[_i].want, c[_i].n);
}
END_TEST

START_TEST(einsum_of_two_operands)
{
    static const struct {
        const char *equation, *operands;
        int64_t n;
        float want[4];
    } c[] = {
        {"ij,jk->ik", "x w", 4, {1, 2, 6, 8}},
        {"ij,jk->ik", "w x", 4, {1, 4, 3, 8}},
        {"ij,jk->ki", "x w", 4, {1, 6, 2, 8}},
        {"ij,ij->ij", "x w", 4, {1, 0, 0, 8}},
        {"ij,ji->", "x w", 1, {9}},
        {"ij,kj->i", "x w", 2, {4, 12}},
        {"...j,jk", "x w", 4, {1, 2, 6, 8}},
        {"ij,jk,kl->il", "x w x", 4, {1, 4, 6, 16}},
    };
    struct model m = einsum(c[_i].equation, c[_i].operands, 2);
    expect(&m, AT(1, 0, 0, 2), c[_i].want, c[_i].n);
}
END_TEST

START_TEST(einsum_equations_that_are_wrong)
{
    static const struct {
        const char *equation, *operands, *says;
    } c[] = {
        {"ij,jk->ik", "x", "more terms than there are operands"},
        {"ij->i", "x w", "fewer terms than there are operands"},
        {"ijk->i", "x", "operand 0 has 2 dimensions, the equation says 3"},
        {"ij->k", "x", "one that no operand has"},
        {"ij->ii", "x", "has a label twice"},
        {"i1->i", "x", "an unexpected '1'"},
        {"ij-i", "x", "an unexpected '-'"},
        {"aaaaaaaaa->a", "x", "more than 8 labels"},
    };
    struct model m = einsum(c[_i].equation, c[_i].operands, 2);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, c[_i].says));
}
END_TEST

static void add_einsum_cases(TCase *tc)
{
    tcase_add_loop_test(tc, einsum_of_one_operand, 0, 7);
    tcase_add_loop_test(tc, einsum_of_two_operands, 0, 8);
    tcase_add_loop_test(tc, einsum_equations_that_are_wrong, 0, 8);
}

#endif
