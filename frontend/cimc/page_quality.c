/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_quality.c - the report's quantisation: what each layer's integers stand for and what they
 * cost the answers.
 *
 * In: the report of pass quant, of a float model that was quantised here. The layer that alone
 * harms the outputs most comes first.
 */
#include "page.h"

#include "quality.h"

#include <math.h>

enum { LEFT = 300, BAR_WIDTH = 700, STEP = 16, MOST_BARS = 100 };
static const double MOST_DB = 80; /* a bar of full length */

static void cell_db(const struct page *p, double snr)
{
    char text[QUALITY_TEXT];
    fprintf(p->out, "<td data-v=\"%.9g\">%s</td>", isfinite(snr) ? snr : 1e9,
            quality_text(snr, "", text));
}

/* What is 0 is not there. */
static void cell_bits(const struct page *p, int64_t bits)
{
    if (bits)
        page_cell_number(p, (uint64_t)bits);
    else
        fputs("<td data-v=\"0\">-</td>", p->out);
}

static void cell_real(const struct page *p, bool exists, double x)
{
    if (exists)
        fprintf(p->out, "<td data-v=\"%.9g\">%.4g</td>", x, x);
    else
        fputs("<td data-v=\"0\">-</td>", p->out);
}

static void print_row(const struct page *p, const struct quant_row *row)
{
    fputs("<tr>", p->out);
    page_cell_text(p, quality_name(row));
    page_cell_text(p, row->kind);
    cell_bits(p, row->weight_bits);
    cell_bits(p, row->bits);
    cell_real(p, row->bits, (double)row->least);
    cell_real(p, row->bits, (double)row->most);
    page_cell_percent(p, row->bits ? row->cut_off : NAN);
    cell_db(p, row->layer_snr);
    cell_db(p, row->own_snr);
    fputs("</tr>\n", p->out);
}

static void draw_row(const struct page *p, const struct quant_row *row, size_t i)
{
    double share = fmin(fmax(row->own_snr, 0), MOST_DB) / MOST_DB;
    char text[QUALITY_TEXT];
    fprintf(p->out, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">", LEFT - 8, STEP * i + 12);
    view_print_tail(p->out, quality_name(row), 44);
    fprintf(p->out, "</text>\n<rect x=\"%d\" y=\"%zu\" height=\"%d\" class=\"c h%d\"", LEFT,
            STEP * i + 2, STEP - 4, view_shade(1 - share));
    view_print_attribute(p->out, "width", 1 + share * BAR_WIDTH);
    fprintf(p->out, "><title>%s</title></rect>\n", quality_text(row->own_snr, " dB", text));
}

/* The shorter a bar, the more harm. */
static void draw_rows(const struct page *p, const struct quant_row *const *rows, size_t n)
{
    n = n < MOST_BARS ? n : MOST_BARS;
    fprintf(p->out, "<h3>Signal to noise of the outputs where one layer alone is quantised</h3>\n");
    page_open_svg(p, LEFT + BAR_WIDTH + 10, (double)(STEP * n) + 4,
                  "signal to noise of each layer");
    for (size_t i = 0; i < n; i++)
        draw_row(p, rows[i], i);
    page_close_svg(p);
}

static void print_total(const struct page *p, const struct quant_report *r)
{
    char text[QUALITY_TEXT];
    fprintf(p->out,
            "<p>All of it quantised, the outputs have a signal to noise of <b>%s</b> on %zu "
            "calibration image%s; the layers were measured on %zu.</p>\n",
            quality_text(r->snr, " dB", text), r->n_images, r->n_images == 1 ? "" : "s",
            r->n_row_images);
}

void page_quality(const struct page *p)
{
    const struct quant_report *r = &p->build->quality;
    const struct quant_row *const *rows = quality_by_harm(r, p->build->arena);
    page_open_section(
        p, "quantisation", "Quantisation",
        "What the calibration images say of each value, and what its integers cost. <i>cut off</i> "
        "is the share of the elements beyond the largest or smallest integer; <i>layer dB</i> the "
        "signal to noise of what the layer yields from the float network's values; <i>alone dB</i> "
        "that of the network's outputs where nothing but this layer is quantised: the layer's own "
        "harm. What converters and noise of cells do comes on top, and is seen in the simulator.");
    print_total(p, r);
    page_open_table(p, "<layer|<kind|weight bits|bits|least|most|cut off|layer dB|alone dB");
    for (size_t i = 0; i < r->n_rows; i++)
        print_row(p, rows[i]);
    page_close_table(p);
    draw_rows(p, rows, r->n_rows);
    page_close_section(p);
}
