/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_text.c - numbers and names as pictures and pages write them.
 *
 * Names come from a model and may be any bytes: what leaves here is valid UTF-8 without markup.
 */
#include "views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void view_print_number(FILE *out, double x)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.2f", x);
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    fprintf(out, "%.*s", n, text);
}

void view_print_attribute(FILE *out, const char *name, double x)
{
    fprintf(out, " %s=\"", name);
    view_print_number(out, x);
    fputc('"', out);
}

uint32_t view_label_step(double size, double least)
{
    uint32_t step = 1;
    for (uint32_t i = 0; step * size < least && step < 1 << 16; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

/* XML has no control characters, and not U+FFFE and U+FFFF. */
void view_print_escaped(FILE *out, const char *s)
{
    char *text = valid_utf8(s);
    for (char *p = text; *p; p++) {
        if (strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0)
            p[0] = p[1] = p[2] = '?';
        switch (*p) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p, out);
        }
    }
    heap_free(text);
}

static bool begins_letter(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The end of a long name tells more than its start. */
void view_print_tail(FILE *out, const char *s, size_t letters)
{
    size_t n = 0;
    const char *p = s + strlen(s);
    while (p > s && n < letters)
        n += begins_letter(*--p);
    if (p > s)
        fputs("\xe2\x80\xa6", out);
    view_print_escaped(out, p);
}

const char *view_time_text(uint64_t cycles, int64_t cycle_ps, char out[32])
{
    static const char *const unit[] = {"ns", "\xc2\xb5s", "ms", "s"};
    double x = (double)cycles * (double)cycle_ps / 1000;
    int i = 0;
    for (; x >= 1000 && i < 3; i++)
        x /= 1000;
    snprintf(out, 32, "%.4g %s", x, unit[i]);
    return out;
}
