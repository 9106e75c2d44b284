/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_external_cases.h - part of onnx_test.c: tensors kept in files beside the model, and every
 * way in which they are not there.
 */
#ifndef CIMC_ONNX_EXTERNAL_CASES_H
#define CIMC_ONNX_EXTERNAL_CASES_H

#include <fcntl.h>
#include <sys/stat.h>

/* TensorProto with data elsewhere; offset and length may be NULL. */
static struct text external_tensor(const char *name, int type, int64_t n, const char *location,
                                   const char *offset, const char *length)
{
    const char *const pairs[][2] = {{"location", location}, {"offset", offset}, {"length", length}};
    struct text t = {0};
    put_int(&t, 1, n);
    put_int(&t, 2, type);
    put_str(&t, 8, name);
    for (int i = 0; i < 3; i++) {
        struct text pair = {0};
        if (!pairs[i][1])
            continue;
        put_str(&pair, 1, pairs[i][0]);
        put_str(&pair, 2, pairs[i][1]);
        put_msg(&t, 13, pair);
    }
    put_int(&t, 14, 1);
    return t;
}

/* A folder with model.onnx, weights.bin (2048 floats 0, 1, ..) and sub/more.bin (the same). */
struct folder {
    char path[32], file[64];
};

static void write_file(const struct folder *f, const char *name, const void *data, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *out = fopen(path, "w");
    ck_assert(out && fwrite(data, 1, n, out) == n && fclose(out) == 0);
}

static struct folder folder_new(struct model *m)
{
    struct folder f = {.path = "onnx_test_XXXXXX"};
    float counting[2048];
    char sub[64];
    for (int i = 0; i < 2048; i++)
        counting[i] = (float)i;
    ck_assert_ptr_nonnull(mkdtemp(f.path));
    snprintf(sub, sizeof sub, "%s/sub", f.path);
    ck_assert_int_eq(mkdir(sub, 0700), 0);
    write_file(&f, "weights.bin", counting, sizeof counting);
    write_file(&f, "sub/more.bin", counting, sizeof counting);
    struct text bytes = model_bytes(m);
    write_file(&f, "model.onnx", bytes.at, bytes.n);
    snprintf(f.file, sizeof f.file, "%s/model.onnx", f.path);
    text_free(&bytes);
    return f;
}

static void folder_free(const struct folder *f)
{
    static const char *const names[] = {"model.onnx", "weights.bin", "sub/more.bin", "link.bin",
                                        "sub"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        (void)remove(path);
    }
    ck_assert_int_eq(rmdir(f->path), 0);
}

/* y = x + t */
static struct model adding(struct text t, int64_t n)
{
    struct model m = one_node(13, node("Add", "", "x t", "y"), DIMS(n));
    model_init(&m, t);
    return m;
}

/* With and without length, at any offset, small and large, aligned and not; the graph outlives the
 * importer's hold on the file. */
START_TEST(external_tensors)
{
    static const struct {
        const char *location, *offset, *length;
        int64_t n;
        int type;
        float first, last;
    } c[] = {
        {"weights.bin", NULL, NULL, 2048, FLOAT, 0, 2047},
        {"weights.bin", "8", NULL, 3, FLOAT, 2, 4},
        {"./sub/more.bin", "4096", "4096", 1024, FLOAT, 1024, 2047},
        {"weights.bin", "8191", "1", 1, INT8, 68, 68},           /* 2047 = 0x44ffe000, 0x44 = 68 */
        {"weights.bin", "5", "4", 2, FLOAT16, -0.0f, 0x3fp-24f}, /* 1.0f: bytes 00 80, 3f 00 */
    };
    struct text t =
        external_tensor("t", c[_i].type, c[_i].n, c[_i].location, c[_i].offset, c[_i].length);
    struct text cast = node("Cast", "", "t", "f");
    struct model m = one_node(13, node("Add", "", "x f", "y"), DIMS(c[_i].n));
    attr_int(&cast, "to", FLOAT);
    model_node(&m, cast);
    model_init(&m, t);
    struct folder f = folder_new(&m);
    struct onnx_options o = folding();
    struct ir_graph *g = onnx_import(f.file, &o, diag);
    ck_assert_ptr_nonnull(g);
    struct tensor x = {.type = ir_type_of(IR_F32, 1, &c[_i].n), .data = (void *)zeros}, y;
    ck_assert(eval_graph(g, &x, 1, &y, 1, NULL, diag));
    ck_assert(((float *)y.data)[0] == c[_i].first);
    ck_assert(((float *)y.data)[c[_i].n - 1] == c[_i].last);
    tensor_free(&y);
    ir_graph_free(g);
    folder_free(&f);
}
END_TEST

START_TEST(external_tensors_that_are_not_there)
{
    static const struct {
        const char *location, *offset, *length, *says;
        enum diag_code code;
    } c[] = {
        {"nowhere.bin", NULL, NULL, "external data 'nowhere.bin': No such file", DIAG_IO},
        {"sub", NULL, NULL, "is no regular file", DIAG_IO},
        {"weights.bin", "8188", NULL, "8 bytes from byte 8188 on reach beyond its 8192",
         DIAG_ONNX_MODEL},
        {"weights.bin", "8188", "8", "reach beyond its 8192 bytes", DIAG_ONNX_MODEL},
        {"weights.bin", "18446744073709551615", "8", "reach beyond", DIAG_ONNX_MODEL},
        {"weights.bin", "0", "12", "has 12 bytes where its dimensions ask for 8", DIAG_ONNX_MODEL},
        {"weights.bin", "-4", NULL, "offset is '-4', not a number", DIAG_ONNX_MODEL},
        {"weights.bin", NULL, "99999999999999999999", "not a number", DIAG_ONNX_MODEL},
        {"weights.bin", "", NULL, "offset is '', not a number", DIAG_ONNX_MODEL},
        {"/etc/hostname", NULL, NULL, "absolute path", DIAG_ONNX_MODEL},
        {"sub/../weights.bin", NULL, NULL, "'..'", DIAG_ONNX_MODEL},
        {"..", NULL, NULL, "'..'", DIAG_ONNX_MODEL},
        {"link.bin", NULL, NULL, "a link leads out", DIAG_ONNX_MODEL},
        {"", NULL, NULL, "has no location", DIAG_ONNX_MODEL},
        {NULL, NULL, NULL, "has no location", DIAG_ONNX_MODEL},
    };
    struct model m =
        adding(external_tensor("t", FLOAT, 2, c[_i].location, c[_i].offset, c[_i].length), 2);
    struct folder f = folder_new(&m);
    char link[128];
    snprintf(link, sizeof link, "%s/link.bin", f.path);
    ck_assert_int_eq(symlink("/etc/hostname", link), 0);
    struct onnx_options o = folding();
    struct ir_graph *g = onnx_import(f.file, &o, diag);
    ck_assert_ptr_null(g);
    if (!reports(diag, c[_i].code, c[_i].says))
        diag_print(diag, stderr);
    ck_assert(reports(diag, c[_i].code, c[_i].says));
    folder_free(&f);
}
END_TEST

/* A link that stays inside, and a model that is a link itself, as stores by content lay them. */
START_TEST(external_tensors_behind_links)
{
    struct model m = adding(external_tensor("t", FLOAT, 2, "link.bin", NULL, NULL), 2);
    struct folder f = folder_new(&m);
    char link[128], model[] = "onnx_test_link_XXXXXX", data[64];
    snprintf(link, sizeof link, "%s/link.bin", f.path);
    ck_assert_int_eq(symlink("sub/more.bin", link), 0);
    struct onnx_options o = folding();
    struct ir_graph *g = onnx_import(f.file, &o, diag);
    ck_assert_ptr_nonnull(g);
    ir_graph_free(g);
    ck_assert_ptr_nonnull(mkdtemp(model));
    snprintf(data, sizeof data, "%s/link.bin", model);
    snprintf(link, sizeof link, "../%s/weights.bin", f.path);
    ck_assert_int_eq(symlink(link, data), 0);
    char path[64];
    snprintf(path, sizeof path, "%s/model.onnx", model);
    snprintf(link, sizeof link, "../%s/model.onnx", f.path);
    ck_assert_int_eq(symlink(link, path), 0);
    g = onnx_import(path, &o, diag);
    ck_assert_ptr_nonnull(g);
    ir_graph_free(g);
    unlink(data);
    unlink(path);
    ck_assert_int_eq(rmdir(model), 0);
    folder_free(&f);
}
END_TEST

START_TEST(external_tensors_need_a_folder)
{
    struct model m = adding(external_tensor("t", FLOAT, 2, "weights.bin", NULL, NULL), 2);
    struct text bytes = model_bytes(&m);
    struct memory_file f = memory_file(bytes.at, bytes.n);
    text_free(&bytes);
    ck_assert_int_eq(lseek(f.fd, 0, SEEK_SET), 0);
    ck_assert_int_eq(dup2(f.fd, STDIN_FILENO), STDIN_FILENO);
    struct onnx_options o = folding();
    ck_assert_ptr_null(onnx_import("-", &o, diag));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "standard input, which has no folder"));
    close(f.fd);
}
END_TEST

static void add_external_cases(TCase *tc)
{
    tcase_add_loop_test(tc, external_tensors, 0, 5);
    tcase_add_loop_test(tc, external_tensors_that_are_not_there, 0, 15);
    tcase_add_test(tc, external_tensors_behind_links);
    tcase_add_test(tc, external_tensors_need_a_folder);
}

#endif
