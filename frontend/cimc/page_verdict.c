/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* page_verdict.c - the report's first sentences (findings_text.c), with their marks as markup. */
#include "findings.h"

#include <string.h>

enum { NAME_LETTERS = 60 };

/* " %" is one with the number before it. */
static void print_plain_part(const struct page *p, const char *text)
{
    for (const char *percent; (percent = strstr(text, " %")) != NULL; text = percent + 1) {
        view_print_escaped(p->out, arena_strndup(p->build->arena, text, (size_t)(percent - text)));
        fputs("&#160;", p->out);
    }
    view_print_escaped(p->out, text);
}

static void print_marked(const struct page *p, int mark, const char *text)
{
    static const char *const begin[] =
        {[MARK_NAME] = "<b>", [MARK_CODE] = "<code>", [MARK_MOVEMENT] = "<a href=\"#movement\">"},
                             *const end[] = {[MARK_NAME] = "</b>",
                                             [MARK_CODE] = "</code>",
                                             [MARK_MOVEMENT] = "</a>"};
    fputs(begin[mark], p->out);
    if (mark == MARK_NAME)
        view_print_tail(p->out, text, NAME_LETTERS);
    else
        view_print_escaped(p->out, text);
    fputs(end[mark], p->out);
}

static void print_sentence(const struct page *p, const char *s)
{
    static const char marks[] = {MARK_NAME, MARK_CODE, MARK_MOVEMENT, MARK_END, 0};
    while (*s) {
        bool is_marked = *s > 0 && *s < MARK_END;
        int mark = is_marked ? *s++ : 0;
        size_t n = strcspn(s, marks);
        const char *part = arena_strndup(p->build->arena, s, n);
        if (is_marked)
            print_marked(p, mark, part);
        else
            print_plain_part(p, part);
        s += n + (is_marked && s[n] == MARK_END);
    }
}

void page_verdict(const struct page *p)
{
    const struct findings *f = p->findings;
    fputs("<div class=\"verdict\">\n<p class=\"first\">", p->out);
    print_sentence(p, f->first);
    fputs("</p>\n", p->out);
    if (f->n_others)
        fputs("<ul>\n", p->out);
    for (size_t i = 0; i < f->n_others; i++) {
        fputs("<li>", p->out);
        print_sentence(p, f->others[i]);
        fputs("</li>\n", p->out);
    }
    fputs(f->n_others ? "</ul></div>\n" : "</div>\n", p->out);
}
