/*
 * onnx_quant_cases.h - part of onnx_test.c: integers in models. Numbers by hand, or from ONNX
 * Runtime 1.30 where that is said.
 */
#ifndef CIMC_ONNX_QUANT_CASES_H
#define CIMC_ONNX_QUANT_CASES_H

/* -8, 7, -1 or 8, 7, 15: the low half of a byte comes first. */
START_TEST(four_bit_integers_lie_two_in_a_byte)
{
    static const uint8_t raw[] = {0x78, 0x0f};
    static const struct {
        int type;
        bool typed;
        float want[3];
    } c[] = {
        {INT4, false, {-8, 7, -1}},
        {INT4, true, {-8, 7, -1}},
        {UINT4, false, {8, 7, 15}},
        {UINT4, true, {8, 7, 15}},
    };
    struct text t = {0};
    if (c[_i].typed) {
        put_int(&t, 1, 3);
        put_int(&t, 2, c[_i].type);
        put_str(&t, 8, "q");
        put_int(&t, 5, raw[0]);
        put_int(&t, 5, raw[1]);
    } else {
        t = tensor("q", c[_i].type, DIMS(3), raw, sizeof raw);
    }
    struct model m = one_node(21, node("Add", "", "x w", "y"), DIMS(3));
    struct text cast = node("Cast", "", "q", "w");
    attr_int(&cast, "to", FLOAT);
    model_node(&m, cast);
    model_init(&m, t);
    expect(&m, zeros, c[_i].want, 3);
}
END_TEST

static void add_quant_cases(TCase *tc)
{
    tcase_add_loop_test(tc, four_bit_integers_lie_two_in_a_byte, 0, 4);
}

#endif
