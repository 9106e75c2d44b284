/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_html.c - the small parts of the report: sections, tables, cards, pictures' frames.
 *
 * What is written is well-formed XML as well as HTML, so that a test can read it strictly. A cell
 * that shows a rounded value keeps the exact one in `data-v`, by which the table is sorted.
 */
#include "page.h"

#include <math.h>
#include <string.h>

void page_open_section(const struct page *p, const char *id, const char *title,
                       const char *explanation)
{
    fprintf(p->out, "<section id=\"%s\"><h2>%s</h2>\n<p class=\"about\">%s</p>\n", id, title,
            explanation);
}

void page_close_section(const struct page *p)
{
    fputs("</section>\n", p->out);
}

void page_open_table(const struct page *p, const char *columns)
{
    fputs("<div class=\"scroll\"><table><thead><tr>", p->out);
    for (const char *c = columns; *c;) {
        size_t n = strcspn(c, "|");
        bool is_text = *c == '<';
        fprintf(p->out, "<th%s>%.*s</th>", is_text ? " class=\"l\"" : "", (int)(n - is_text),
                c + is_text);
        c += n + (c[n] == '|');
    }
    fputs("</tr></thead><tbody>\n", p->out);
}

void page_close_table(const struct page *p)
{
    fputs("</tbody></table></div>\n", p->out);
}

void page_cell_text(const struct page *p, const char *text)
{
    fputs("<td class=\"l\">", p->out);
    view_print_escaped(p->out, text);
    fputs("</td>", p->out);
}

void page_cell_number(const struct page *p, uint64_t x)
{
    char text[32];
    fprintf(p->out, "<td data-v=\"%llu\">%s</td>", (unsigned long long)x,
            view_cycles_text(x, text));
}

void page_cell_percent(const struct page *p, double share)
{
    if (isnan(share))
        fputs("<td data-v=\"-1\">-</td>", p->out);
    else
        fprintf(p->out, "<td data-v=\"%.9g\">%.*f&#160;%%</td>", share, share < 0.1 ? 2 : 1,
                100 * share);
}

const char *page_bytes_text(uint64_t bytes, char out[32])
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double x = (double)bytes;
    int i = 0;
    for (; x >= 1000 && i < 6; i++)
        x /= 1000;
    snprintf(out, 32, "%.*f %s", i == 0 ? 0 : x < 10 ? 2 : x < 100 ? 1 : 0, x, unit[i]);
    return out;
}

void page_cell_bytes(const struct page *p, uint64_t bytes)
{
    char text[32];
    fprintf(p->out, "<td data-v=\"%llu\">%s</td>", (unsigned long long)bytes,
            page_bytes_text(bytes, text));
}

void page_card(const struct page *p, const char *name, const char *value, const char *unit)
{
    fprintf(p->out, "<div class=\"card\"><b>%s</b> %s<br/><span>%s</span></div>\n", value, unit,
            name);
}

void page_print_colour(const struct page *p, uint32_t layer)
{
    if (layer == UINT32_MAX)
        fputs("ax", p->out);
    else
        fprintf(p->out, "a%u", layer);
}

void page_cell_layer(const struct page *p, uint32_t layer, const char *name)
{
    fputs("<td class=\"l\" title=\"", p->out);
    view_print_escaped(p->out, name);
    fputs("\"><span class=\"key ", p->out);
    page_print_colour(p, layer);
    fputs("\"></span>", p->out);
    view_print_tail(p->out, name, 48);
    fputs("</td>", p->out);
}

void page_open_svg(const struct page *p, double width, double height, const char *label)
{
    fprintf(p->out,
            "<div class=\"wide\"><svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pic\" "
            "role=\"img\" aria-label=\"%s\" width=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
            label, width, width, height);
}

void page_close_svg(const struct page *p)
{
    fputs("</svg></div>\n", p->out);
}

void page_svg_text(const struct page *p, double x, double y, const char *anchor, const char *text)
{
    fputs("<text", p->out);
    view_print_attribute(p->out, "x", x);
    view_print_attribute(p->out, "y", y);
    fprintf(p->out, " text-anchor=\"%s\">%s</text>\n", anchor, text);
}
