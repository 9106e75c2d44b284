/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * images_apart_test.c - a batch as frames: what is kept apart is computed image by image and held
 * against the whole batch; what mixes images is refused, and where.
 */
#include "images.h"
#include "eval.h"
#include "../run_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3 };

/* Two inputs of three images each, 2 channels of 2x2 pixels, or 4 tokens of 2; one of no image; a
 * convolution, which makes it a batch; then the lines, whose last value is the output. */
static const char head[] =
    "graph \"\" tensor {\n"
    "  %0 = input {index=0, dtype=\"f32\", shape=[3,2,2,2]}\n"
    "  %1 = input {index=1, dtype=\"f32\", shape=[3,4,2]}\n"
    "  %2 = input {index=2, dtype=\"f32\", shape=[2]}\n"
    "  %3 = constant {dtype=\"f32\", shape=[2,2,1,1], data=dense(1.0, 2.0, 3.0, 4.0)}\n"
    "  %4 = conv %0, %3 {kernel=[1,1], stride=[1,1], dilation=[1,1], pad=[0,0,0,0], group=1}\n"
    "  %5 = constant {dtype=\"f32\", shape=[2,2], data=dense(1.0, -1.0, 2.0, 0.5)}\n"
    "  %6 = constant {dtype=\"f32\", shape=[3,1,2], data=dense(1.0, 5.0, 1.0, 5.0, 1.0, 5.0)}\n"
    "  %7 = constant {dtype=\"f32\", shape=[3,1,2], data=dense(1.0, 5.0, 1.0, 5.0, 1.0, 6.0)}\n";

static const struct kept {
    const char *lines, *shape; /* of the output of all images */
    int last;
} kept[] = {
    {"", "3,2,2,2", 4},
    {"  %8 = relu %4\n", "3,2,2,2", 8},
    {"  %8 = add %1, %6\n", "3,4,2", 8},             /* spelt out for each image */
    {"  %8 = mul %1, %2\n", "3,4,2", 8},             /* an input without images */
    {"  %8 = concat %6, %1 {axis=1}\n", "3,5,2", 8}, /* a class token */
    {"  %8 = reshape %1 {shape=[12,2]}\n"            /* tokens of all images */
     "  %9 = matmul %8, %5\n",
     "12,2", 9},
    {"  %8 = reshape %1 {shape=[12,2]}\n"
     "  %9 = matmul %8, %5\n"
     "  %10 = reshape %9 {shape=[3,1,8]}\n",
     "3,1,8", 10},
    {"  %8 = transpose %1 {perm=[1,0,2]}\n" /* tokens in front, and back */
     "  %9 = reshape %8 {shape=[4,3,2]}\n"
     "  %10 = softmax %9 {axis=0}\n"
     "  %11 = transpose %10 {perm=[1,0,2]}\n",
     "3,4,2", 11},
    {"  %8 = transpose %1 {perm=[1,0,2]}\n" /* all first tokens, then all second ones */
     "  %9 = reshape %8 {shape=[12,2]}\n"
     "  %10 = matmul %9, %5\n"
     "  %11 = reshape %10 {shape=[4,3,2]}\n"
     "  %12 = transpose %11 {perm=[1,0,2]}\n",
     "3,4,2", 12},
    {"  %8 = transpose %1 {perm=[0,2,1]}\n" /* tokens by tokens of one image */
     "  %9 = matmul %1, %8\n",
     "3,4,4", 9},
    {"  %8 = transpose %1 {perm=[2,0,1]}\n" /* columns of the product */
     "  %9 = reshape %8 {shape=[2,12]}\n"
     "  %10 = matmul %5, %9\n"
     "  %11 = reshape %10 {shape=[2,3,4]}\n"
     "  %12 = transpose %11 {perm=[1,2,0]}\n",
     "3,4,2", 12},
    {"  %8 = transpose %1 {perm=[1,2,0]}\n"
     "  %9 = matmul %5, %8\n"
     "  %10 = transpose %9 {perm=[2,0,1]}\n",
     "3,4,2", 10},
    {"  %8 = slice %1 {start=[0,3,0], step=[1,-2,1], count=[3,2,2]}\n", "3,2,2", 8},
    {"  %8 = pad %1 {before=[0,1,0], after=[0,0,2], mode=\"constant\", value=7.0}\n", "3,5,4", 8},
    {"  %8 = gather_grid %1 {count=[3,2,2], index=[0,1,2,3,0,1,0], value=0.0}\n", "3,2,2", 8},
    {"  %8 = reduce %4 {kind=\"sum\", axes=[1,3]}\n", "3,1,2,1", 8},
    {"  %8 = global_avg_pool %4\n"
     "  %9 = reshape %8 {shape=[3,2]}\n",
     "3,2", 9},
    {"  %8 = max_pool %4 {kernel=[2,1], stride=[1,1], dilation=[1,1], pad=[0,0,0,0]}\n", "3,2,1,2",
     8},
    {"  %8 = constant {dtype=\"f32\", shape=[2], data=splat(0.5)}\n"
     "  %9 = interpolate %1, %8 {axes=[1], low=[0,1], high=[1,2]}\n",
     "3,2,2", 9},
    {"  %8 = hard_sigmoid %1 {alpha=0.5, beta=0.5}\n", "3,4,2", 8},
    {"  %8 = layer_norm %1 {axes=[2], epsilon=0.001}\n", "3,4,2", 8},
};

static const struct mixed {
    const char *lines, *shape;
    int last;
    const char *what; /* the operation that is named */
} mixed[] = {
    {"  %8 = add %1, %7\n", "3,4,2", 8, "add"}, /* a constant of each image */
    {"  %8 = softmax %1 {axis=0}\n", "3,4,2", 8, "softmax"},
    {"  %8 = reduce %1 {kind=\"max\", axes=[0]}\n", "1,4,2", 8, "reduce"},
    {"  %8 = slice %1 {start=[1,0,0], step=[1,1,1], count=[2,4,2]}\n", "2,4,2", 8, "slice"},
    {"  %8 = slice %1 {start=[2,0,0], step=[-1,1,1], count=[3,4,2]}\n", "3,4,2", 8, "slice"},
    {"  %8 = gather_grid %1 {count=[3,4,2], index=[0,0,2,0,1,2,3,0,1], value=0.0}\n", "3,4,2", 8,
     "gather_grid"},
    {"  %8 = concat %1, %1 {axis=0}\n", "6,4,2", 8, "concat"},
    {"  %8 = reshape %1 {shape=[2,12]}\n", "2,12", 8, "reshape"},
    {"  %8 = reshape %1 {shape=[4,3,2]}\n", "4,3,2", 8, "reshape"},
    {"  %8 = reshape %1 {shape=[12,2]}\n" /* all tokens by all tokens */
     "  %9 = transpose %8 {perm=[1,0]}\n"
     "  %10 = matmul %8, %9\n",
     "12,12", 10, "matmul"},
    {"  %8 = reshape %1 {shape=[12,2]}\n"
     "  %9 = softmax %8 {axis=0}\n",
     "12,2", 9, "softmax"},
    {"  %8 = pad %1 {before=[1,0,0], after=[0,0,0], mode=\"constant\", value=0.0}\n", "4,4,2", 8,
     "pad"},
    {"  %8 = transpose %1 {perm=[1,0,2]}\n"
     "  %9 = reshape %8 {shape=[12,2]}\n",
     "12,2", 9, "output"},
    {"  %8 = transpose %1 {perm=[1,0,2]}\n", "4,3,2", 8, "output"}, /* images not in front */
    {"  %8 = slice %1 {start=[0,0,0], step=[1,1,1], count=[3,0,2]}\n"
     "  %9 = concat %8, %1 {axis=1}\n",
     "3,4,2", 9, "slice"}, /* nothing of each image */
    {"  %8 = relu %2\n", "2", 8, "output"},
};

/* ---- graphs ---- */

static struct ir_graph *parse(const char *lines, const char *shape, int last)
{
    struct diag *d = diag_new();
    struct text text = {0};
    text_add(&text, "%s%s  output %%%d {index=0, dtype=\"f32\", shape=[%s]}\n}\n", head, lines,
             last, shape);
    struct ir_graph *g = ir_parse(text.at, text.n, "t.ir", d);
    diag_print(d, stderr);
    ck_assert_ptr_nonnull(g);
    text_free(&text);
    diag_free(d);
    return g;
}

static struct tensor ramp(const struct ir_type *t, int seed)
{
    struct tensor x = tensor_new(t);
    for (int64_t i = 0; i < ir_count(t); i++)
        ((float *)x.data)[i] = (float)((i * 7 + seed) % 11) - 4;
    return x;
}

static struct tensor evaluate(const struct ir_graph *g, const struct tensor *in)
{
    struct diag *d = diag_new();
    struct tensor out;
    ck_assert(eval_graph(g, in, 3, &out, 1, NULL, d));
    diag_free(d);
    return out;
}

/* Image i of inputs that hold all. */
static void image(const struct tensor all[3], int i, struct tensor out[3])
{
    for (int k = 0; k < 3; k++) {
        out[k] = all[k];
        if (k == 2)
            continue;
        out[k].type.dim[0] = 1;
        out[k].data = (float *)all[k].data + i * ir_count(&out[k].type);
    }
}

/* ---- tests ---- */

START_TEST(test_kept)
{
    const struct kept *c = &kept[_i];
    struct diag *d = diag_new();
    struct ir_graph *all = parse(c->lines, c->shape, c->last), *one = ir_clone(all);
    ck_assert_int_eq(ir_batch(all), IMAGES);
    ck_assert(ir_keeps_images(all, IMAGES, d));
    ck_assert_msg(ir_take_image(one, IMAGES, d) && ir_verify(one, d), "%s: %s", c->lines,
                  d->first ? d->first->text : "");
    ck_assert_int_eq(ir_batch(one), 1);
    struct tensor in[3], out;
    for (int k = 0; k < 3; k++) {
        static const int64_t dims[3][4] = {{3, 2, 2, 2}, {3, 4, 2}, {2}};
        struct ir_type t = ir_type_of(IR_F32, (uint32_t[]){4, 3, 1}[k], dims[k]);
        in[k] = ramp(&t, k);
    }
    out = evaluate(all, in);
    int64_t n = ir_count(&out.type) / IMAGES;
    for (int i = 0; i < IMAGES; i++) {
        struct tensor of_image[3];
        image(in, i, of_image);
        struct tensor got = evaluate(one, of_image);
        ck_assert_int_eq(ir_count(&got.type), n);
        ck_assert_msg(memcmp(got.data, (float *)out.data + i * n, (size_t)n * sizeof(float)) == 0,
                      "image %d:\n%s", i, c->lines);
        tensor_free(&got);
    }
    tensor_free(&out);
    for (int k = 0; k < 3; k++)
        tensor_free(&in[k]);
    ir_graph_free(all);
    ir_graph_free(one);
    diag_free(d);
}
END_TEST

START_TEST(test_mixed)
{
    const struct mixed *c = &mixed[_i];
    struct diag *d = diag_new();
    struct text message = {0};
    struct ir_graph *g = parse(c->lines, c->shape, c->last);
    ck_assert(!ir_keeps_images(g, IMAGES, d) && ir_batch(g) == IMAGES && ir_verify(g, d));
    ck_assert(!ir_take_image(g, IMAGES, d));
    text_add(&message, "%s does not keep the 3 images of the batch apart", c->what);
    ck_assert_msg(strncmp(d->first->text, message.at, message.n) == 0, "%s%s", c->lines,
                  d->first->text);
    ck_assert_int_eq(d->first->code, DIAG_LOWER);
    ir_graph_free(g);
    text_free(&message);
    diag_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("images_apart");
    TCase *c = tcase_create("images_apart");
    tcase_add_loop_test(c, test_kept, 0, sizeof kept / sizeof *kept);
    tcase_add_loop_test(c, test_mixed, 0, sizeof mixed / sizeof *mixed);
    suite_add_tcase(s, c);
    return run_suite(s);
}
