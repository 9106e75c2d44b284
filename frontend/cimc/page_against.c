/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_against.c - the report beside another result (`--against FILE`): what is different, and both
 * mappings layer by layer.
 *
 * In: the build, and a result that `cimc diff` takes. Out: a section; nothing where there is no
 * other result.
 */
#include "page.h"

#include "diff.h"
#include "mapping.h"
#include "report.h"

#include <math.h>

/* What this build's own JSON says. */
static const struct json_value *result_here(const struct page *p)
{
    struct text all = {0};
    struct json *j = json_new_line();
    json_open_map(j, NULL);
    report_build_json(p->build, j);
    mapping_report_json(p->build, j);
    json_close_map(j);
    json_finish_text(j, &all);
    struct diag *nobody = diag_new();
    const struct json_value *v =
        json_tree(all.at, all.n, p->build->arena, (struct loc){0}, DIAG_DATA, nobody);
    if (!v)
        BUG("a result that is no JSON");
    diag_free(nobody);
    text_free(&all);
    return v;
}

static void value_cell(const struct page *p, const struct json_value *v)
{
    struct text all = {0};
    double number = json_number_of(v);
    if (v && v->kind != JSON_STRING)
        json_add_value(v, &all);
    if (isfinite(number))
        fprintf(p->out, "<td data-v=\"%.9g\">%.6g</td>", number, number);
    else
        page_cell_text(p, !v ? "-" : v->kind == JSON_STRING ? v->text : all.at);
    text_free(&all);
}

static void ratio_cell(const struct page *p, double ratio)
{
    if (isfinite(ratio))
        fprintf(p->out, "<td data-v=\"%.9g\">%.3g</td>", ratio, ratio);
    else
        fputs("<td data-v=\"-1\">-</td>", p->out);
}

/* Of all but the layers, which have a table of their own. */
static void print_differences(const struct page *p, const struct differences *all)
{
    page_open_table(p, "<of|<what|there|here|ratio");
    for (size_t i = 0; i < all->list.n; i++) {
        const struct difference_of *d = &all->list.at[i];
        if (d->layer)
            continue;
        fputs("<tr>", p->out);
        page_cell_text(p, d->section);
        page_cell_text(p, d->name);
        value_cell(p, d->a);
        value_cell(p, d->b);
        ratio_cell(p, diff_ratio(d));
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
}

static const char *const compared[] = {"copies", "pes", "cycles", "start", "end"};
enum { N_COMPARED = sizeof compared / sizeof *compared };

static void layer_row(const struct page *p, uint32_t layer, const char *name,
                      const struct json_value *there, const struct json_value *here)
{
    fputs("<tr>", p->out);
    page_cell_layer(p, layer, name);
    for (size_t i = 0; i < N_COMPARED; i++) {
        value_cell(p, json_find(there, compared[i]));
        value_cell(p, json_find(here, compared[i]));
    }
    fputs("</tr>\n", p->out);
}

static void print_layers(const struct page *p, const struct json_value *there,
                         const struct json_value *here)
{
    struct members x = members_of(json_find(there, "base_layers"), p->build->arena);
    struct members y = members_of(json_find(here, "base_layers"), p->build->arena);
    fputs("<h3>Both mappings</h3>\n", p->out);
    page_open_table(p, "<layer|copies there|here|PEs there|here|cycles there|here|start there|here|"
                       "end there|here");
    for (size_t i = 0; i < y.n; i++)
        layer_row(p, (uint32_t)i, y.at[i].name, member_find(&x, &y.at[i]), y.at[i].value);
    for (size_t i = 0; i < x.n; i++) {
        if (!member_find(&y, &x.at[i]))
            layer_row(p, UINT32_MAX, x.at[i].name, x.at[i].value, NULL);
    }
    page_close_table(p);
}

void page_against(const struct page *p)
{
    const struct json_value *here = result_here(p);
    struct differences all = {.arena = p->build->arena};
    diff_find(&all, p->against, here);
    page_open_section(p, "against", "Against another result",
                      "What is different there and here, as cimc diff finds it, and what each "
                      "layer has in both: copies, PEs of a copy, cycles of all its products by one "
                      "copy, when it starts and ends. A ratio is here to there.");
    fputs("<p>There: <b>", p->out);
    view_print_escaped(p->out, driver_file_name(p->options->against));
    fprintf(p->out, "</b>%s</p>\n", all.list.n ? "" : ". The results are equal.");
    if (all.list.n)
        print_differences(p, &all);
    if (json_find(p->against, "base_layers"))
        print_layers(p, p->against, here);
    page_close_section(p);
    VEC_FREE(&all.list);
}
