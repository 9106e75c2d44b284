/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quality.c - what quantising did to a model, layer by layer.
 *
 * In: the report of pass quant. Out: a table, the layer first that harms the outputs most by
 * itself; JSON in the graph's order.
 */
#include "quality.h"

#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 40 };

static int by_harm(const void *a, const void *b)
{
    const struct quant_row *x = *(const struct quant_row *const *)a;
    const struct quant_row *y = *(const struct quant_row *const *)b;
    double harm_x = isnan(x->own_snr) ? INFINITY : x->own_snr; /* behind those that are known */
    double harm_y = isnan(y->own_snr) ? INFINITY : y->own_snr;
    if (harm_x != harm_y)
        return harm_x < harm_y ? -1 : 1;
    return x < y ? -1 : x > y; /* as in the graph */
}

const struct quant_row *const *quality_by_harm(const struct quant_report *r, struct arena *a)
{
    const struct quant_row **rows = ARENA_ARRAY(a, const struct quant_row *, r->n_rows);
    for (size_t i = 0; i < r->n_rows; i++)
        rows[i] = &r->rows[i];
    if (r->n_rows)
        qsort(rows, r->n_rows, sizeof(const struct quant_row *), by_harm);
    return rows;
}

const char *quality_name(const struct quant_row *row)
{
    return *row->name ? row->name : row->kind;
}

const char *quality_text(double snr, const char *unit, char buffer[QUALITY_TEXT])
{
    if (!isfinite(snr))
        return snr == INFINITY ? "exact" : "unknown";
    snprintf(buffer, QUALITY_TEXT, "%.1f%s", snr, unit);
    return buffer;
}

/* ---- the table ---- */

static void print_bits(int64_t bits, FILE *out)
{
    if (bits)
        fprintf(out, "  %7lld", (long long)bits);
    else
        fprintf(out, "  %7s", "-");
}

static void print_snr(double snr, FILE *out)
{
    char text[QUALITY_TEXT];
    fprintf(out, "  %8s", quality_text(snr, "", text));
}

static void print_row(const struct quant_row *row, int width, FILE *out)
{
    const char *name = quality_name(row);
    print_plain(name, out);
    fprintf(out, "%*s", max_i32(width - plain_columns(name), 0), "");
    print_bits(row->weight_bits, out);
    print_bits(row->bits, out);
    if (row->bits)
        fprintf(out, "  %10.4g %10.4g  %10.4g  %4lld  %7.3f %%", (double)row->least,
                (double)row->most, (double)row->scale, (long long)row->zero, 100 * row->cut_off);
    else
        fprintf(out, "  %10s %10s  %10s  %4s  %9s", "-", "-", "-", "-", "-");
    print_snr(row->layer_snr, out);
    print_snr(row->own_snr, out);
    fputc('\n', out);
}

static void print_total(const char *what, double snr, size_t n_images, FILE *out)
{
    char text[QUALITY_TEXT];
    fprintf(out, "%s on %zu %s image%s", quality_text(snr, " dB", text), n_images, what,
            n_images == 1 ? "" : "s");
}

void quality_print(const struct quant_report *r, FILE *out)
{
    struct arena *a = arena_new();
    const struct quant_row *const *rows = quality_by_harm(r, a);
    int width = (int)strlen("layer");
    for (size_t i = 0; i < r->n_rows; i++)
        width = max_i32(width, plain_columns(quality_name(rows[i])));
    width = min_i32(width, MOST_COLUMNS);
    fprintf(out, "%-*s  %7s  %7s  %10s %10s  %10s  %4s  %9s  %8s  %8s\n", width, "layer", "weights",
            "values", "least", "most", "scale", "zero", "cut off", "layer dB", "alone dB");
    for (size_t i = 0; i < r->n_rows; i++)
        print_row(rows[i], width, out);
    arena_free(a);
    fputs("\nsignal to noise of the outputs: ", out);
    print_total("calibration", r->snr, r->n_images, out);
    if (r->n_test_images) {
        fputs(", ", out);
        print_total("other", r->test_snr, r->n_test_images, out);
    }
    fprintf(out,
            "\nlayer dB: of what a layer yields from float inputs; alone dB: of the outputs "
            "where it alone\nis quantised; both on %zu image%s\n",
            r->n_row_images, r->n_row_images == 1 ? "" : "s");
}

/* ---- JSON ---- */

static void row_json(const struct quant_row *row, struct json *j)
{
    json_open_map(j, NULL);
    json_text(j, "name", row->name);
    json_text(j, "kind", row->kind);
    json_integer(j, "weight_bits", row->weight_bits);
    json_integer(j, "bits", row->bits);
    json_real(j, "least", (double)row->least);
    json_real(j, "most", (double)row->most);
    json_real(j, "scale", (double)row->scale);
    json_integer(j, "zero", row->zero);
    json_real(j, "cut_off", row->cut_off);
    json_real(j, "layer_snr_db", row->layer_snr);
    json_real(j, "own_snr_db", row->own_snr);
    json_close_map(j);
}

void quality_json(const struct quant_report *r, struct json *j)
{
    json_integer(j, "images", (int64_t)r->n_images);
    json_real(j, "snr_db", r->snr);
    json_integer(j, "test_images", (int64_t)r->n_test_images);
    json_real(j, "test_snr_db", r->n_test_images ? r->test_snr : NAN);
    json_integer(j, "layer_images", (int64_t)r->n_row_images);
    json_open_array(j, "layers");
    for (size_t i = 0; i < r->n_rows; i++)
        row_json(&r->rows[i], j);
    json_close_array(j);
}
