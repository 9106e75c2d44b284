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

void text_free(struct text *t)
{
    free(t->at);
    *t = (struct text){0};
}
