/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * lex.c - the characters of IR text: blanks, comments, words, numbers, strings, with line and
 * column kept for diagnostics. Never reads at or past `end`; the text may hold any bytes.
 */
#include "ir_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip(struct lex *l)
{
    for (; l->at < l->end; l->at++) {
        if (*l->at == ';') {
            const char *end = memchr(l->at, '\n', (size_t)(l->end - l->at));
            l->at = end ? end : l->end;
            if (l->at == l->end)
                return;
        }
        if (*l->at == '\n') {
            if (!l->multiline)
                return;
            l->line++;
            l->line_start = l->at + 1;
        } else if (*l->at != ' ' && *l->at != '\t' && *l->at != '\r') {
            return;
        }
    }
}

struct loc lex_loc(struct lex *l)
{
    skip(l);
    return (struct loc){
        .file = l->file, .line = l->line, .col = (uint32_t)(l->at - l->line_start) + 1};
}

static const char *describe_next(const struct lex *l, char buf[16])
{
    if (l->at == l->end)
        return "the end of the text";
    if (*l->at == '\n')
        return "the end of the line";
    if (*l->at > ' ' && *l->at < 127)
        snprintf(buf, 16, "'%c'", *l->at);
    else
        snprintf(buf, 16, "byte 0x%02x", (unsigned char)*l->at);
    return buf;
}

bool lex_error(struct lex *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vat(l->diag, lex_loc(l), DIAG_IR_SYNTAX, NULL, fmt, ap);
    va_end(ap);
    return false;
}

bool lex_at_end(struct lex *l)
{
    skip(l);
    return l->at == l->end;
}

bool lex_peek(struct lex *l, char c)
{
    skip(l);
    return l->at < l->end && *l->at == c;
}

bool lex_take(struct lex *l, char c)
{
    bool next = lex_peek(l, c);
    l->at += next;
    return next;
}

bool lex_want(struct lex *l, char c)
{
    char buf[16];
    return lex_take(l, c) || lex_error(l, "expected '%c', found %s", c, describe_next(l, buf));
}

bool lex_word(struct lex *l, const char *what, struct span *out)
{
    char buf[16];
    skip(l);
    const char *start = l->at;
    if (l->at < l->end && !is_digit(*l->at)) {
        while (l->at < l->end && is_word_char(*l->at))
            l->at++;
    }
    *out = (struct span){start, (size_t)(l->at - start)};
    return out->n || lex_error(l, "expected %s, found %s", what, describe_next(l, buf));
}

bool lex_word_is(const struct span *w, const char *s)
{
    return strlen(s) == w->n && memcmp(s, w->at, w->n) == 0;
}

/* ---- numbers ---- */

bool lex_u64(struct lex *l, uint64_t *out)
{
    char buf[16];
    *out = 0;
    if (l->at == l->end || !is_digit(*l->at))
        return lex_error(l, "expected a digit, found %s", describe_next(l, buf));
    for (; l->at < l->end && is_digit(*l->at); l->at++) {
        uint64_t digit = (uint64_t)(*l->at - '0');
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, digit, out))
            return lex_error(l, "the number is too large");
    }
    return true;
}

bool lex_i64(struct lex *l, int64_t *out)
{
    uint64_t magnitude = 0;
    bool negative = lex_take(l, '-');
    skip(l);
    if (!lex_u64(l, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return lex_error(l, "the number is too large");
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

enum { MAX_NUMBER = 64 };

/* Characters that can be part of a number as strtod reads it, terminated. */
static bool number_text(struct lex *l, char buf[MAX_NUMBER])
{
    char found[16];
    size_t n = 0;
    skip(l);
    const char *at = l->at;
    while (at < l->end && (is_word_char(*at) || *at == '+' || *at == '-' || *at == '.')) {
        if (n + 1 == MAX_NUMBER)
            return lex_error(l, "the number is too long");
        buf[n++] = *at++;
    }
    buf[n] = '\0';
    return n || lex_error(l, "expected a number, found %s", describe_next(l, found));
}

/* After strto*: everything was read, and a finite text did not become infinite. */
static bool number_read(struct lex *l, const char *buf, const char *end, bool infinite)
{
    if (*end || end == buf)
        return lex_error(l, "'%s' is no number", buf);
    if (infinite && errno == ERANGE)
        return lex_error(l, "'%s' is out of range", buf);
    l->at += end - buf;
    return true;
}

bool lex_f64(struct lex *l, double *out)
{
    char buf[MAX_NUMBER], *end;
    if (!number_text(l, buf))
        return false;
    errno = 0;
    *out = strtod(buf, &end);
    return number_read(l, buf, end, isinf(*out));
}

bool lex_f32(struct lex *l, float *out)
{
    char buf[MAX_NUMBER], *end;
    if (!number_text(l, buf))
        return false;
    errno = 0;
    *out = strtof(buf, &end);
    return number_read(l, buf, end, isinf(*out));
}

/* ---- strings ---- */

/* One escape after the backslash. */
static bool escape(struct lex *l, char *out)
{
    char c = l->at < l->end ? *l->at : '\n';
    switch (c) {
    case '"':
    case '\\': *out = c; break;
    case 'n': *out = '\n'; break;
    case 't': *out = '\t'; break;
    case 'x': {
        int high = l->end - l->at > 2 ? hex_value(l->at[1]) : -1;
        int low = high >= 0 ? hex_value(l->at[2]) : -1;
        if (low < 0 || (high == 0 && low == 0))
            return lex_error(l, "\\x wants two hexadecimal digits, not 00");
        *out = (char)(unsigned char)(high * 16 + low);
        l->at += 2;
        break;
    }
    default: return lex_error(l, "unknown escape in a string");
    }
    l->at++;
    return true;
}

/* The closing quote, or NULL if the line ends first. */
static const char *closing_quote(const char *at, const char *end)
{
    for (; at < end && *at != '\n' && *at != '\0'; at++) {
        if (*at == '"')
            return at;
        if (*at == '\\' && at + 1 < end && at[1] != '\n' && at[1] != '\0')
            at++;
    }
    return NULL;
}

bool lex_string(struct lex *l, struct arena *a, char **out)
{
    if (!lex_want(l, '"'))
        return false;
    const char *close = closing_quote(l->at, l->end);
    if (!close)
        return lex_error(l, "the string does not end on its line, or holds a zero byte");
    char *s = arena_alloc(a, (size_t)(close - l->at) + 1);
    *out = s;
    while (l->at < close) {
        if (*l->at != '\\')
            *s++ = *l->at++;
        else if (l->at++, !escape(l, s++))
            return false;
    }
    l->at++;
    return true;
}

bool lex_raw_string(struct lex *l, struct span *out)
{
    if (!lex_want(l, '"'))
        return false;
    const char *close = memchr(l->at, '"', (size_t)(l->end - l->at));
    if (!close)
        return lex_error(l, "the string does not end");
    *out = (struct span){l->at, (size_t)(close - l->at)};
    l->at = close + 1;
    return true;
}

/* ---- lines ---- */

void lex_skip_line(struct lex *l)
{
    const char *end = memchr(l->at, '\n', (size_t)(l->end - l->at));
    l->at = end ? end : l->end;
    l->multiline = false;
}

void lex_skip_blank_lines(struct lex *l)
{
    bool before = l->multiline;
    l->multiline = true;
    skip(l);
    l->multiline = before;
}
