/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * arch_notes.c - comments of a YAML text, which libyaml passes over.
 *
 * In: the text and where a value of it ends. Out: the comment behind it. Lines end where they end
 * for libyaml, so that a comment which is printed again is one. UTF-16 has no comments here.
 */
#include "arch_notes.h"

#include <string.h>

/* Bytes of the line's end that stands at `at`; 0: there is none. */
static size_t break_bytes(const char *at, const char *end)
{
    static const char *const breaks[] = {"\r\n",     "\n",           "\r",
                                         "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        size_t n = strlen(breaks[i]);
        if ((size_t)(end - at) >= n && memcmp(at, breaks[i], n) == 0)
            return n;
    }
    return 0;
}

struct note_lines note_lines_of(const char *text, size_t n)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skip = n >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    bool is_wide = n >= 2 && ((unsigned char)*text == 0xfe || (unsigned char)*text == 0xff);
    return (struct note_lines){.at = text + skip, .end = is_wide ? text + skip : text + n};
}

/* To the end of the line. */
static size_t line_bytes(const char *at, const char *end)
{
    const char *first = at;
    while (at < end && !break_bytes(at, end))
        at++;
    return (size_t)(at - first);
}

/* To the beginning of the next. */
static void next_line(struct note_lines *x)
{
    x->at += line_bytes(x->at, x->end);
    if (x->at < x->end)
        x->at += break_bytes(x->at, x->end);
    x->line++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

const char *note_behind(struct note_lines *x, size_t line, size_t column, struct arena *a)
{
    while (x->line < line && x->at < x->end)
        next_line(x);
    const char *at = x->at, *end = at + line_bytes(at, x->end);
    for (; column > 0 && at < end; column--) {
        at++; /* a character: the bytes that continue it too */
        while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
            at++;
    }
    while (at < end && is_blank(*at))
        at++;
    if (at == end || *at != '#')
        return NULL;
    at++;
    while (at < end && is_blank(*at))
        at++;
    while (at < end && is_blank(end[-1]))
        end--;
    return at < end ? arena_strndup(a, at, (size_t)(end - at)) : NULL;
}

static bool begins_with(const struct note_lines *x, const char *words)
{
    size_t n = strlen(words);
    return (size_t)(x->end - x->at) >= n && memcmp(x->at, words, n) == 0;
}

const char *note_head(const char *text, size_t n, struct arena *a)
{
    struct note_lines x = note_lines_of(text, n);
    struct text head = {0};
    for (; x.at < x.end && *x.at == '#'; next_line(&x)) {
        int line = (int)line_bytes(x.at, x.end);
        if (!begins_with(&x, "# SPDX-License-Identifier:") && !begins_with(&x, "# Copyright "))
            text_add(&head, "%.*s\n", line, x.at);
    }
    const char *kept = head.n ? arena_strdup(a, head.at) : NULL;
    text_free(&head);
    return kept;
}
