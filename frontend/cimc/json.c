/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* json.c - JSON text through YAJL: keys and values in one call, numbers that read back exactly. */
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

struct json {
    yajl_gen gen;
};

static void expect_ok(yajl_gen_status status)
{
    if (status != yajl_gen_status_ok && status != yajl_gen_generation_complete)
        BUG("JSON generator: status %d", (int)status);
}

/* The heap's functions for YAJL, so that it never sees NULL and all is in the account. */
static void *yajl_alloc_block(void *context, size_t bytes)
{
    (void)context;
    return heap_alloc(bytes);
}

static void *yajl_realloc(void *context, void *p, size_t bytes)
{
    (void)context;
    return heap_realloc(p, bytes);
}

static void yajl_free_block(void *context, void *p)
{
    (void)context;
    heap_free(p);
}

static const yajl_alloc_funcs heap_of_yajl = {yajl_alloc_block, yajl_realloc, yajl_free_block,
                                              NULL};

struct json *json_new(void)
{
    struct json *j = heap_alloc(sizeof *j);
    yajl_alloc_funcs heap = heap_of_yajl;
    j->gen = yajl_gen_alloc(&heap);
    if (!j->gen)
        out_of_memory(0);
    yajl_gen_config(j->gen, yajl_gen_beautify, 1);
    yajl_gen_config(j->gen, yajl_gen_indent_string, "  ");
    return j;
}

struct json *json_new_line(void)
{
    struct json *j = json_new();
    yajl_gen_config(j->gen, yajl_gen_beautify, 0);
    return j;
}

static void write_piece(void *out, const char *text, size_t n)
{
    fwrite(text, 1, n, out);
}

struct json *json_new_stream(FILE *out)
{
    struct json *j = json_new_line();
    yajl_gen_config(j->gen, yajl_gen_print_callback, write_piece, out);
    return j;
}

static void add_string(struct json *j, const char *s)
{
    expect_ok(yajl_gen_string(j->gen, (const unsigned char *)s, strlen(s)));
}

static void add_key(struct json *j, const char *key)
{
    if (key)
        add_string(j, key);
}

void json_open_map(struct json *j, const char *key)
{
    add_key(j, key);
    expect_ok(yajl_gen_map_open(j->gen));
}

void json_close_map(struct json *j)
{
    expect_ok(yajl_gen_map_close(j->gen));
}

void json_open_array(struct json *j, const char *key)
{
    add_key(j, key);
    expect_ok(yajl_gen_array_open(j->gen));
}

void json_close_array(struct json *j)
{
    expect_ok(yajl_gen_array_close(j->gen));
}

void json_null(struct json *j, const char *key)
{
    add_key(j, key);
    expect_ok(yajl_gen_null(j->gen));
}

void json_bool(struct json *j, const char *key, bool value)
{
    add_key(j, key);
    expect_ok(yajl_gen_bool(j->gen, value));
}

void json_integer(struct json *j, const char *key, int64_t value)
{
    add_key(j, key);
    expect_ok(yajl_gen_integer(j->gen, value));
}

void json_real(struct json *j, const char *key, double value)
{
    char text[40];
    if (!isfinite(value)) {
        json_null(j, key);
        return;
    }
    int digits = 15; /* the fewest that read back to the same number */
    do {
        snprintf(text, sizeof text, "%.*g", digits, value);
    } while (strtod(text, NULL) != value && ++digits <= 17);
    add_key(j, key);
    expect_ok(yajl_gen_number(j->gen, text, strlen(text)));
}

void json_number(struct json *j, const char *key, const char *text)
{
    add_key(j, key);
    expect_ok(yajl_gen_number(j->gen, text, strlen(text)));
}

void json_seconds(struct json *j, const char *key, double seconds)
{
    json_real(j, key, round(1e6 * seconds) / 1e6);
}

void json_cycles_seconds(struct json *j, const char *key, uint64_t cycles, int64_t cycle_ps)
{
    __extension__ typedef unsigned __int128 wide;
    static const uint64_t second = UINT64_C(1000000000000);
    wide ps = (wide)cycles * (uint64_t)cycle_ps;
    uint64_t fraction = (uint64_t)(ps % second);
    char text[48];
    int places = 12;
    for (; fraction != 0 && fraction % 10 == 0; fraction /= 10)
        places--;
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)(ps / second));
    if (fraction != 0)
        snprintf(text + n, sizeof text - (size_t)n, ".%0*llu", places,
                 (unsigned long long)fraction);
    json_number(j, key, text);
}

void json_cycles(struct json *j, const char *name, uint64_t cycles, int64_t cycle_ps)
{
    char key[64];
    snprintf(key, sizeof key, "%s%scycles", name, *name ? "_" : "");
    json_integer(j, key, (int64_t)cycles);
    snprintf(key, sizeof key, "%s%sseconds", name, *name ? "_" : "");
    json_cycles_seconds(j, key, cycles, cycle_ps);
}

void json_text(struct json *j, const char *key, const char *value)
{
    if (!value) {
        json_null(j, key);
        return;
    }
    char *text = valid_utf8(value);
    add_key(j, key);
    add_string(j, text);
    heap_free(text);
}

void json_finish(struct json *j, FILE *out)
{
    const unsigned char *text;
    size_t n;
    if (yajl_gen_get_buf(j->gen, &text, &n) == yajl_gen_status_ok)
        fwrite(text, 1, n, out);
    yajl_gen_free(j->gen);
    heap_free(j);
}

void json_finish_text(struct json *j, struct text *out)
{
    const unsigned char *text;
    size_t n;
    if (yajl_gen_get_buf(j->gen, &text, &n) == yajl_gen_status_ok)
        text_add_bytes(out, text, n);
    yajl_gen_free(j->gen);
    heap_free(j);
}
