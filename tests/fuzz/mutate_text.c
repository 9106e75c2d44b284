/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mutate_text.c - mutants of texts, made of their lines and words, so that many of them still
 * parse: a line left out, twice or elsewhere; a word or number in the place of another.
 */
#include "fuzz.h"

#include <ctype.h>
#include <string.h>

struct part {
    const uint8_t *at;
    size_t n;
};
typedef VEC(struct part) parts;

static bool in_word(uint8_t c)
{
    return isalnum(c) || c == '_' || c == '.' || c == '-';
}

/* Lines with their ends, and words. */
static void split(const uint8_t *data, size_t n, parts *lines, parts *words)
{
    for (size_t at = 0, end; at < n; at = end) {
        const uint8_t *newline = memchr(data + at, '\n', n - at);
        end = newline ? (size_t)(newline - data) + 1 : n;
        struct part line = {data + at, end - at};
        VEC_PUSH(lines, line);
    }
    for (size_t at = 0, end; at < n; at = end) {
        end = at + 1;
        if (!in_word(data[at]))
            continue;
        while (end < n && in_word(data[end]))
            end++;
        struct part word = {data + at, end - at};
        VEC_PUSH(words, word);
    }
}

static struct part pick(const parts *of, uint64_t *state)
{
    return of->at[random_next(state) % of->n];
}

static bool is_number(struct part p)
{
    return isdigit(p.at[0]) || p.at[0] == '-';
}

/* Another word of the text, of the same kind; or a number at an edge, or near. */
static struct part other_word(const parts *words, struct part word, uint64_t *state,
                              char buffer[32])
{
    static const char *const edges[] = {"0",
                                        "1",
                                        "-1",
                                        "2",
                                        "3",
                                        "8",
                                        "127",
                                        "255",
                                        "256",
                                        "1e9",
                                        "nan",
                                        "inf",
                                        "32767",
                                        "65536",
                                        "2147483647",
                                        "4096",
                                        "-2147483648",
                                        "4294967296",
                                        "9223372036854775807"};
    uint64_t kind = random_next(state) % 4;
    if (is_number(word) && kind == 0) {
        const char *edge = edges[random_next(state) % (sizeof edges / sizeof *edges)];
        return (struct part){(const uint8_t *)edge, strlen(edge)};
    }
    if (is_number(word) && kind == 1 && word.n < 10) {
        long long x = strtoll(memcpy(buffer, word.at, word.n), NULL, 10);
        int n = snprintf(buffer, 32, "%lld", x + (long long)(random_next(state) % 5) - 2);
        return (struct part){(const uint8_t *)buffer, (size_t)n};
    }
    struct part other = word;
    for (unsigned tries = 0; tries < 8; tries++) {
        other = pick(words, state);
        if (is_number(other) == is_number(word))
            break;
    }
    return other;
}

/* The text with `with` in the place of the n bytes at `at`. */
static void replace(const uint8_t *data, size_t n_data, const uint8_t *at, size_t n,
                    struct part with, struct text *out)
{
    size_t before = (size_t)(at - data);
    text_add_bytes(out, data, before);
    text_add_bytes(out, with.at, with.n);
    text_add_bytes(out, at + n, n_data - before - n);
}

static void mutate(const uint8_t *data, size_t n, uint64_t *state, struct text *out)
{
    parts lines = {0}, words = {0};
    char buffer[32] = "";
    split(data, n, &lines, &words);
    uint64_t kind = random_next(state) % 8;
    struct part line = lines.n ? pick(&lines, state) : (struct part){data, 0};
    if (kind == 0 && lines.n) {
        replace(data, n, line.at, line.n, (struct part){line.at, 0}, out);
    } else if (kind == 1 && lines.n) {
        replace(data, n, line.at, 0, pick(&lines, state), out);
    } else if (kind == 2 && lines.n) {
        replace(data, n, line.at, line.n, pick(&lines, state), out);
    } else if (words.n) {
        struct part word = pick(&words, state);
        replace(data, n, word.at, word.n, other_word(&words, word, state, buffer), out);
    }
    VEC_FREE(&lines);
    VEC_FREE(&words);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    uint64_t state = seed;
    for (uint64_t times = 1 + random_next(&state) % 3; times > 0; times--) {
        struct text out = {0};
        if (random_next(&state) % 6)
            mutate(data, n, &state, &out);
        if (out.n && out.n <= most)
            memcpy(data, out.at, n = out.n);
        else
            n = LLVMFuzzerMutate(data, n, most);
        text_free(&out);
    }
    return n;
}
