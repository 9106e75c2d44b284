/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* text.c - growing text, quoting, shortest round-trip floats. */
#include "base/base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *t, size_t more)
{
    t->at = vec_reserve(t->at, &t->cap, t->n + more + 1, 1);
}

void text_addv(struct text *t, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    reserve(t, 64);
    int n = vsnprintf(t->at + t->n, t->cap - t->n, fmt, ap);
    if (n < 0)
        BUG("format \"%s\"", fmt);
    if ((size_t)n >= t->cap - t->n) {
        reserve(t, (size_t)n);
        vsnprintf(t->at + t->n, t->cap - t->n, fmt, again);
    }
    va_end(again);
    t->n += (size_t)n;
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_addv(t, fmt, ap);
    va_end(ap);
}

void text_add_bytes(struct text *t, const void *bytes, size_t n)
{
    reserve(t, n);
    if (n)
        memcpy(t->at + t->n, bytes, n);
    t->n += n;
    t->at[t->n] = '\0';
}

void text_add_quoted(struct text *t, const char *s)
{
    text_add_bytes(t, "\"", 1);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_add(t, "\\%c", c);
        else if (c == '\n')
            text_add_bytes(t, "\\n", 2);
        else if (c == '\t')
            text_add_bytes(t, "\\t", 2);
        else if (c < 32 || c == 127)
            text_add(t, "\\x%02x", c);
        else
            text_add_bytes(t, s, 1);
    }
    text_add_bytes(t, "\"", 1);
}

/* Bytes of the UTF-8 sequence that starts here; 0: none does (RFC 3629, the table of section 4). */
static size_t utf8_length(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : 4;
    unsigned char least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[0] < 0xc2 || p[0] > 0xf4 || p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* Names from a model may be any bytes. */
char *valid_utf8(const char *s)
{
    char *copy = strcpy(heap_alloc(strlen(s) + 1), s);
    for (unsigned char *p = (unsigned char *)copy; *p;) {
        size_t n = utf8_length(p);
        if (n == 0)
            *p = '?';
        p += n ? n : 1;
    }
    return copy;
}

void text_add_json(struct text *t, const char *s)
{
    char *valid = valid_utf8(s);
    text_add_bytes(t, "\"", 1);
    for (const char *p = valid; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            text_add(t, "\\%c", c);
        else if (c < 32 || c == 127)
            text_add(t, "\\u%04x", c);
        else
            text_add_bytes(t, p, 1);
    }
    text_add_bytes(t, "\"", 1);
    heap_free(valid);
}

void text_add_f32(struct text *t, float x)
{
    char buf[40];
    if (isnan(x) || isinf(x)) {
        text_add(t, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(buf, sizeof buf, "%.*g", digits, (double)x);
        if (strtof(buf, NULL) == x)
            break;
    }
    text_add(t, "%s%s", buf, strpbrk(buf, ".e") ? "" : ".0");
}

void text_flush(struct text *t, FILE *out)
{
    if (t->n)
        fwrite(t->at, 1, t->n, out);
    t->n = 0;
}

void text_free(struct text *t)
{
    heap_free(t->at);
    *t = (struct text){0};
}

bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_control(unsigned char c)
{
    return c < ' ' || c == 0x7f;
}

void print_plain(const char *text, FILE *out)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (is_control(*c))
            fprintf(out, "\\x%02x", *c);
        else
            fputc(*c, out);
}

int plain_columns(const char *text)
{
    int n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        n += is_control(*c) ? 4 : (*c & 0xc0) != 0x80;
    return n;
}
