/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * asm_lexer.c - assembly text -> tokens, values and {name=value} records (ISA.md 12).
 * Input is untrusted: every position is checked against the end, every number against its range.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

static char peek(const struct lexer *l, size_t ahead)
{
    return ahead < l->n - l->at ? l->text[l->at + ahead] : '\0';
}

static void step(struct lexer *l)
{
    if (l->text[l->at++] == '\n') {
        l->line++;
        l->line_start = l->at;
    }
}

static void skip_blanks(struct lexer *l)
{
    while (l->at < l->n) {
        if (is_space(l->text[l->at]))
            step(l);
        else if (l->text[l->at] == ';')
            while (l->at < l->n && l->text[l->at] != '\n')
                l->at++;
        else
            return;
    }
}

/* "123", "-0x1f", "1.5e-07", "-inf": everything that could belong to the number. */
static void scan_number(struct lexer *l)
{
    bool hex = peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X');
    for (char last = 0; l->at < l->n; l->at++) {
        char c = l->text[l->at];
        bool sign = (c == '-' || c == '+') && (last == 0 || (!hex && (last | 32) == 'e'));
        if (!is_word(c) && c != '.' && !sign)
            return;
        last = c;
    }
}

/* The token is what the quotes enclose; of a string without end, all of it with its quote. */
static void scan_string(struct lexer *l)
{
    struct token *t = &l->token;
    l->at++;
    while (l->at < l->n && l->text[l->at] != '"' && l->text[l->at] != '\n')
        l->at += l->text[l->at] == '\\' && l->at + 1 < l->n && peek(l, 1) != '\n' ? 2 : 1;
    t->kind = TOKEN_BAD;
    t->n = (size_t)(l->text + l->at - t->at);
    if (l->at < l->n && l->text[l->at] == '"') {
        t->kind = TOKEN_STRING;
        t->at++;
        t->n--;
        l->at++;
    }
}

void lex_next(struct lexer *l)
{
    skip_blanks(l);
    struct token *t = &l->token;
    *t = (struct token){TOKEN_END, l->text + l->at, 0, l->line,
                        (uint32_t)(l->at - l->line_start) + 1};
    if (l->at == l->n)
        return;
    char c = peek(l, 0), next = peek(l, 1);
    if (c == '"') {
        scan_string(l);
        return;
    }
    if (is_digit(c) || (c == '-' && (is_digit(next) || next == '.' || next == 'i'))) {
        t->kind = TOKEN_NUMBER;
        scan_number(l);
    } else if (is_word(c)) {
        t->kind = TOKEN_NAME;
        while (l->at < l->n && is_word(l->text[l->at]))
            l->at++;
    } else {
        t->kind = c > ' ' && c < 127 ? TOKEN_MARK : TOKEN_BAD;
        l->at += c == '>' && next == '=' ? 2 : 1;
    }
    t->n = (size_t)(l->text + l->at - t->at);
}

void lex_start(struct lexer *l, const char *text, size_t n, const char *file, struct arena *a,
               struct diag *d)
{
    *l = (struct lexer){.text = text, .file = file, .n = n, .line = 1, .arena = a, .d = d};
    lex_next(l);
}

static bool report(struct lexer *l, const struct token *at, const char *fmt, va_list ap)
{
    struct loc loc = {.file = l->file, .line = at->line, .col = at->col};
    return l->n_errors++ < ISA_MAX_SYNTAX_ERRORS &&
           diag_vat(l->d, loc, DIAG_ASM_SYNTAX, NULL, fmt, ap);
}

bool asm_lex_error(struct lexer *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, &l->token, fmt, ap);
    va_end(ap);
    return false;
}

bool lex_error_at(struct lexer *l, const struct token *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, at, fmt, ap);
    va_end(ap);
    return false;
}

/* "expected X, found Y"; always false. */
static bool unexpected(struct lexer *l, const char *expected)
{
    const struct token *t = &l->token;
    if (t->kind == TOKEN_END)
        return asm_lex_error(l, "expected %s, found the end of the text", expected);
    if (t->kind == TOKEN_STRING)
        return asm_lex_error(l, "expected %s, found a string", expected);
    if (t->kind == TOKEN_BAD)
        return asm_lex_error(l, "expected %s, found %s", expected,
                             *t->at == '"' ? "a string without end" : "a stray byte");
    return asm_lex_error(l, "expected %s, found '%.*s'", expected, t->n < 40 ? (int)t->n : 40,
                         t->at);
}

bool lex_is_mark(const struct lexer *l, char mark)
{
    return l->token.kind == TOKEN_MARK && *l->token.at == mark &&
           l->token.n == (mark == '>' ? 2 : 1); /* '>' stands for ">=" */
}

bool lex_is_name(const struct lexer *l, const char *name)
{
    return l->token.kind == TOKEN_NAME && strlen(name) == l->token.n &&
           memcmp(name, l->token.at, l->token.n) == 0;
}

bool lex_take_mark(struct lexer *l, char mark)
{
    char expected[] = {'\'', mark, '\'', '\0'};
    if (!lex_is_mark(l, mark))
        return unexpected(l, mark == '>' ? "'>='" : expected);
    lex_next(l);
    return true;
}

/* Sign and digits, decimal or 0x, all of [s, s+n). */
static bool parse_integer(const char *s, size_t n, bool *negative, uint64_t *out)
{
    *negative = n && *s == '-';
    size_t i = *negative;
    int base = 10;
    if (n - i > 2 && s[i] == '0' && (s[i + 1] | 32) == 'x') {
        base = 16;
        i += 2;
    }
    if (i == n)
        return false;
    for (*out = 0; i < n; i++) {
        int digit = hex_value(s[i]);
        if (digit < 0 || digit >= base || __builtin_mul_overflow(*out, (uint64_t)base, out) ||
            __builtin_add_overflow(*out, (uint64_t)digit, out))
            return false;
    }
    return true;
}

bool lex_take_u64(struct lexer *l, uint64_t most, uint64_t *out)
{
    bool negative;
    if (l->token.kind != TOKEN_NUMBER)
        return unexpected(l, "an integer");
    if (!parse_integer(l->token.at, l->token.n, &negative, out) || (negative && *out) ||
        *out > most)
        return asm_lex_error(l, "'%.*s' is no integer from 0 to %" PRIu64,
                             l->token.n < 40 ? (int)l->token.n : 40, l->token.at, most);
    lex_next(l);
    return true;
}

bool lex_take_i64(struct lexer *l, int64_t least, int64_t most, int64_t *out)
{
    bool negative;
    uint64_t magnitude;
    if (l->token.kind != TOKEN_NUMBER)
        return unexpected(l, "an integer");
    bool ok = parse_integer(l->token.at, l->token.n, &negative, &magnitude) &&
              magnitude <= (uint64_t)INT64_MAX + negative;
    if (ok)
        *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    if (!ok || *out < least || *out > most)
        return asm_lex_error(l, "'%.*s' is no integer from %" PRId64 " to %" PRId64,
                             l->token.n < 40 ? (int)l->token.n : 40, l->token.at, least, most);
    lex_next(l);
    return true;
}

static bool take_nan(struct lexer *l, float *out)
{
    uint64_t bits;
    *out = NAN;
    lex_next(l);
    if (!lex_is_mark(l, ':'))
        return true;
    lex_next(l);
    if (!lex_take_u64(l, UINT32_MAX, &bits))
        return false;
    uint32_t bits32 = (uint32_t)bits;
    memcpy(out, &bits32, sizeof bits32);
    return isnan(*out) || asm_lex_error(l, "nan:0x%08x is not a NaN", bits32);
}

bool lex_take_f32(struct lexer *l, float *out)
{
    char buf[64], *end;
    const struct token *t = &l->token;
    if (lex_is_name(l, "nan"))
        return take_nan(l, out);
    if (t->kind != TOKEN_NUMBER && !lex_is_name(l, "inf"))
        return unexpected(l, "a number");
    if (t->n >= sizeof buf)
        return asm_lex_error(l, "the number is too long");
    memcpy(buf, t->at, t->n);
    buf[t->n] = '\0';
    *out = strtof(buf, &end);
    bool named_inf = strstr(buf, "inf") != NULL;
    if (*end || isnan(*out) || (isinf(*out) && !named_inf))
        return asm_lex_error(l, "'%s' is no 32-bit float", buf);
    lex_next(l);
    return true;
}

static bool is_integer(const struct token *t)
{
    size_t i = t->n > 0 && *t->at == '-';
    bool hex = t->n >= i + 2 && t->at[i] == '0' && (t->at[i + 1] | 32) == 'x';
    for (; i < t->n && !hex; i++)
        if (!is_digit(t->at[i]))
            return false;
    return t->kind == TOKEN_NUMBER;
}

bool lex_take_pattern(struct lexer *l, uint32_t *out)
{
    if (is_integer(&l->token)) {
        int64_t i;
        if (!lex_take_i64(l, INT32_MIN, UINT32_MAX, &i))
            return false;
        *out = (uint32_t)i;
        return true;
    }
    float x;
    if (!lex_take_f32(l, &x))
        return false;
    *out = f32_bits(x);
    return true;
}

/* Appends the string in hand with its escapes resolved. */
static bool add_string(struct lexer *l, struct text *out)
{
    const char *s = l->token.at, *end = s + l->token.n;
    while (s < end) {
        char c = *s++;
        if (c == '\\') {
            char e = s < end ? *s++ : '\0';
            int high = e == 'x' && end - s >= 2 ? hex_value(s[0]) : -1;
            int low = high >= 0 ? hex_value(s[1]) : -1;
            if (e == 'n' || e == 't')
                c = e == 'n' ? '\n' : '\t';
            else if (e == '"' || e == '\\')
                c = e;
            else if (low >= 0 && high * 16 + low > 0)
                c = (char)(high * 16 + low), s += 2;
            else
                return asm_lex_error(l, "a string has an unknown escape");
        }
        if (c == '\0')
            return asm_lex_error(l, "a string holds a zero byte");
        text_add_bytes(out, &c, 1);
    }
    return true;
}

bool lex_take_string(struct lexer *l, const char **out)
{
    struct text t = {0};
    if (l->token.kind != TOKEN_STRING)
        return unexpected(l, "a string");
    bool ok = true;
    while (ok && l->token.kind == TOKEN_STRING) {
        ok = add_string(l, &t);
        lex_next(l);
    }
    if (ok)
        *out = arena_strndup(l->arena, t.at ? t.at : "", t.n);
    text_free(&t);
    return ok;
}

bool lex_is_numbered(const struct lexer *l, char letter)
{
    return l->token.kind == TOKEN_NAME && l->token.n >= 2 && *l->token.at == letter &&
           is_digit(l->token.at[1]);
}

bool lex_take_numbered(struct lexer *l, char letter, uint64_t most, uint64_t *out)
{
    bool negative;
    char expected[] = {'\'', letter, '<', 'n', '>', '\'', '\0'};
    if (!lex_is_numbered(l, letter))
        return unexpected(l, expected);
    if (!parse_integer(l->token.at + 1, l->token.n - 1, &negative, out) || *out > most)
        return asm_lex_error(l, "'%.*s' is not from %c0 to %c%" PRIu64,
                             l->token.n < 40 ? (int)l->token.n : 40, l->token.at, letter, letter,
                             most);
    lex_next(l);
    return true;
}

bool lex_take_hex(struct lexer *l, const uint8_t **out, uint64_t *n)
{
    VEC(uint8_t) bytes = {0};
    int high = -1;
    bool ok = lex_is_mark(l, '{') || unexpected(l, "'{'");
    /* The bytes follow the brace in hand; they are not tokens. */
    for (; ok && l->at < l->n && l->text[l->at] != '}'; step(l)) {
        char c = l->text[l->at];
        int digit = hex_value(c);
        if (is_space(c) && high < 0)
            continue;
        if (digit < 0)
            ok = asm_lex_error(l, "line %u: hex bytes are pairs of hex digits", l->line);
        else if (high < 0)
            high = digit;
        else
            VEC_PUSH(&bytes, (uint8_t)(high * 16 + digit)), high = -1;
    }
    if (ok && (high >= 0 || l->at == l->n))
        ok = asm_lex_error(l, "hex bytes without end");
    if (!ok) { /* what is left of it is no statement */
        while (l->at < l->n && l->text[l->at] != '}')
            step(l);
        l->at += l->at < l->n;
    } else {
        l->at++;
        lex_next(l);
        uint8_t *copy = arena_alloc(l->arena, bytes.n);
        if (bytes.n)
            memcpy(copy, bytes.at, bytes.n);
        *out = copy;
        *n = bytes.n;
    }
    VEC_FREE(&bytes);
    return ok;
}
