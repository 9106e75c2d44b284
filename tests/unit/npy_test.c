/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* npy_test.c - headers as NumPy writes them (numpy.lib.format), and what is not read. */
#include "npy.h"
#include "../run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of this version with this header and these bytes of elements; its size. */
static size_t make(char *out, int version, const char *header, const void *data, size_t bytes)
{
    size_t n = strlen(header), at = version > 1 ? 12 : 10;
    memcpy(out, "\x93NUMPY", 6);
    memset(out + 6, 0, 6);
    out[6] = (char)version;
    out[8] = (char)(n & 255);
    out[9] = (char)(n >> 8);
    memcpy(out + at, header, n);
    if (bytes)
        memcpy(out + at + n, data, bytes);
    return at + n + bytes;
}

START_TEST(c_order_keeps_its_bytes)
{
    static const int32_t data[6] = {1, 2, 3, 4, 5, 6};
    static const struct {
        int version;
        const char *header;
    } cases[] = {
        {1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }   \n"},
        {2, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {1, "\t{'descr':\t'<i4', 'fortran_order': False,\r\n'shape': (2, 3), }\n"},
        {3, "{\"shape\":(2,3,),\"fortran_order\":False,\"descr\":\"<i4\"}"}, /* any order */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[256], error[NPY_ERROR_BYTES];
        int32_t got[6];
        struct npy_array a;
        size_t n = make(file, cases[i].version, cases[i].header, data, sizeof data);
        ck_assert_msg(npy_parse(file, n, &a, error), "case %zu: %s", i, error);
        ck_assert(a.dtype == NPY_I32 && a.rank == 2 && a.dims[0] == 2 && a.dims[1] == 3);
        ck_assert_uint_eq(a.count, 6);
        npy_copy(&a, got);
        ck_assert_mem_eq(got, data, sizeof data);
    }
}
END_TEST

/* np.asfortranarray(np.arange(24, dtype='u1').reshape(2, 3, 4)): element (i, j, k) stands at
 * i + 2 j + 6 k. */
START_TEST(fortran_order_becomes_c_order)
{
    char file[256], error[NPY_ERROR_BYTES];
    uint8_t data[24], got[24];
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 3; j++)
            for (unsigned k = 0; k < 4; k++)
                data[i + 2 * j + 6 * k] = (uint8_t)(12 * i + 4 * j + k);
    struct npy_array a;
    size_t n = make(file, 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }\n",
                    data, sizeof data);
    ck_assert(npy_parse(file, n, &a, error) && a.is_fortran);
    npy_copy(&a, got);
    for (unsigned i = 0; i < 24; i++)
        ck_assert_uint_eq(got[i], i);
}
END_TEST

/* cnpy writes '<u1' where NumPy writes '|u1'. */
START_TEST(single_bytes_have_no_order)
{
    static const struct {
        const char *descr;
        enum npy_dtype dtype;
    } cases[] = {{"<u1", NPY_U8},   {">u1", NPY_U8},   {"=u1", NPY_U8}, {"<i1", NPY_I8},
                 {"<b1", NPY_BOOL}, {">b1", NPY_BOOL}, {"|i1", NPY_I8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[256], header[80], error[NPY_ERROR_BYTES] = "";
        struct npy_array a;
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }",
                 cases[i].descr);
        size_t n = make(file, 1, header, "\1\0", 2);
        ck_assert_msg(npy_parse(file, n, &a, error), "%s: %s", cases[i].descr, error);
        ck_assert(a.dtype == cases[i].dtype && a.count == 2);
    }
}
END_TEST

START_TEST(small_shapes)
{
    char file[256], error[NPY_ERROR_BYTES];
    double one = 2.5, got = 0;
    struct npy_array a;
    size_t n = make(file, 1, "{'descr': '<f8', 'fortran_order': True, 'shape': (), }\n", &one, 8);
    ck_assert(npy_parse(file, n, &a, error) && a.rank == 0 && a.count == 1);
    npy_copy(&a, &got);
    ck_assert(got == 2.5);
    n = make(file, 1, "{'descr': '<f2', 'fortran_order': True, 'shape': (9999999999, 0, 7), }\n",
             NULL, 0);
    ck_assert(npy_parse(file, n, &a, error) && a.rank == 3 && a.count == 0);
    npy_copy(&a, NULL);
}
END_TEST

START_TEST(what_is_not_read_is_told)
{
    static const struct {
        const char *header, *error;
    } cases[] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", "of type '>f4'"},
        {"{'descr': '!u1', 'fortran_order': False, 'shape': (1,), }\n", "of type '!u1'"},
        {"{'descr': '<u10', 'fortran_order': False, 'shape': (1,), }\n", "of type '<u10'"},
        {"{'descr': '<c8\n\x1b[31m', 'fortran_order': False, 'shape': (1,), }\n", "'<c8[31m'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", "structures"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }\n", "has 16 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n",
         "shorter"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }\n",
         "more than 8 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n",
         "no dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", "no dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }x\n", "no dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, }\n", "no dictionary"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }\n", "no dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "no dictionary"},
        {"{'descr': '<f4', 'fortran_order': Fals", "no dictionary"},
        {"{'descr': '<f4", "no dictionary"},
        {"", "no dictionary"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[256], error[NPY_ERROR_BYTES] = "";
        struct npy_array a;
        size_t n = make(file, 1, cases[i].header, "0123456789abcdef", 16);
        if (!strchr(cases[i].header, '}'))
            n -= 16; /* the header ends where it stops */
        ck_assert_msg(!npy_parse(file, n, &a, error), "case %zu is read", i);
        ck_assert_msg(strstr(error, cases[i].error) != NULL, "case %zu: %s", i, error);
    }
}
END_TEST

/* Each beginning of a file, in memory of just that size. */
START_TEST(cut_files_are_told)
{
    char file[256], error[NPY_ERROR_BYTES];
    struct npy_array a;
    for (int version = 1; version <= 4; version++) {
        size_t n = make(file, version, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }",
                        "\1\0", 2);
        for (size_t i = 0; i < n; i++) {
            char *part = malloc(i);
            if (i)
                memcpy(part, file, i);
            ck_assert(!npy_parse(part, i, &a, error));
            free(part);
        }
        ck_assert(npy_parse(file, n, &a, error) == (version < 4));
    }
    ck_assert(strstr(error, "version 4") != NULL);
}
END_TEST

START_TEST(headers_come_back)
{
    static const int64_t large[NPY_MOST_DIMS] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                                                 INT64_MAX, INT64_MAX, INT64_MAX, 0};
    for (int dtype = 0; dtype < NPY_N_DTYPES; dtype++) {
        for (unsigned rank = 0; rank <= NPY_MOST_DIMS; rank++) {
            char header[NPY_HEADER_BYTES], error[NPY_ERROR_BYTES];
            struct npy_array a;
            const int64_t *dims = large + NPY_MOST_DIMS - rank;
            size_t n = npy_header((enum npy_dtype)dtype, rank, dims, header);
            ck_assert(n % 64 == 0 && header[n - 1] == '\n');
            if (rank == 0)
                continue; /* one element, which is not there */
            ck_assert_msg(npy_parse(header, n, &a, error), "%s", error);
            ck_assert((int)a.dtype == dtype && a.rank == rank && a.count == 0);
            ck_assert_mem_eq(a.dims, dims, rank * sizeof *dims);
        }
    }
    /* numpy.save of a float32 [2, 3]. */
    char header[NPY_HEADER_BYTES];
    static const char want[] = "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': "
                               "(2, 3,), }";
    ck_assert_uint_eq(npy_header(NPY_F32, 2, (int64_t[]){2, 3}, header), 128);
    ck_assert_mem_eq(header, want, sizeof want - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("npy");
    TCase *tests = tcase_create("npy");
    tcase_add_test(tests, c_order_keeps_its_bytes);
    tcase_add_test(tests, fortran_order_becomes_c_order);
    tcase_add_test(tests, single_bytes_have_no_order);
    tcase_add_test(tests, small_shapes);
    tcase_add_test(tests, what_is_not_read_is_told);
    tcase_add_test(tests, cut_files_are_told);
    tcase_add_test(tests, headers_come_back);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
