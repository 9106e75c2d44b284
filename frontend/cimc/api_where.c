/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_where.c - which cells hold a weight of a layer, which weight a cell holds. */
#include "api_handles.h"
#include "where.h"

/* One of the two forms, whole. */
static bool check_form(const struct cimc_options *s, struct diag *d)
{
    bool weight = s->layer || s->row >= 0 || s->col >= 0;
    bool cell = s->tile >= 0 || s->pe >= 0 || s->cell;
    if (weight != cell && (s->layer && s->row >= 0 && s->col >= 0) == weight &&
        (s->tile >= 0 && s->pe >= 0 && s->cell) == cell)
        return true;
    return diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "give --layer, --row and --col, or --tile, --pe and --cell");
}

static bool find_weight(struct where *w, const struct cimc_options *s, struct diag *d)
{
    const struct where_layer *l = where_layer(w, s->layer, d);
    if (!l)
        return false;
    struct isa_mapping m = isa_mapping_of(w->program, l->group);
    struct isa_weight n = isa_mapping_weights(&m);
    if (s->row >= n.row)
        return crossbar_out_of_range(d, "row", s->row, n.row);
    if (s->col >= n.column)
        return crossbar_out_of_range(d, "column", s->col, n.column);
    where_find(w, l, (struct isa_weight){(uint32_t)s->row, (uint32_t)s->col});
    return true;
}

static bool find_cell(struct where *w, const struct cimc_options *s, struct where_asked *out,
                      struct diag *d)
{
    const struct isa_program *p = w->program;
    int64_t row, column;
    if (!crossbar_parse_pair(s->cell, ',', &row, &column))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--cell: '%s' is not ROW,COLUMN of a crossbar", s->cell);
    if (s->tile >= p->n_tiles)
        return crossbar_out_of_range(d, "tile", s->tile, p->n_tiles);
    if (s->pe >= p->arch.crossbars)
        return crossbar_out_of_range(d, "PE", s->pe, p->arch.crossbars);
    if (row >= p->arch.rows)
        return crossbar_out_of_range(d, "crossbar row", row, p->arch.rows);
    if (column >= p->arch.cols)
        return crossbar_out_of_range(d, "crossbar column", column, p->arch.cols);
    *out = (struct where_asked){true, (uint32_t)s->tile, (uint32_t)s->pe, (uint32_t)row,
                                (uint32_t)column};
    return where_cell(w, out->tile, out->pe, out->row, out->column, d);
}

struct where_call {
    const struct cimc_program *program;
    const struct cimc_options *options;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

static bool where(cimc_context *c, void *call)
{
    const struct where_call *k = call;
    const struct isa_program *p = k->program->isa;
    struct cimc_options o = options_whole(k->options);
    struct where w;
    struct where_asked asked = {0};
    struct writer out;
    if (!form_is_known(c, k->form, FORM(CIMC_TEXT) | FORM(CIMC_JSON)) || !check_form(&o, c->diag) ||
        !driver_has_weights(NULL, p, c->diag))
        return false;
    where_open(&w, p);
    bool ok = o.layer ? find_weight(&w, &o, c->diag) : find_cell(&w, &o, &asked, c->diag);
    if (ok) {
        writer_open(&out, k->write, k->user);
        if (k->form == CIMC_JSON)
            where_print_json(&w, &asked, k->program->path, out.f);
        else
            where_print_text(&w, &asked, out.f);
        ok = writer_close(&out, c->diag);
    }
    where_free(&w);
    return ok;
}

enum cimc_status cimc_where(cimc_context *c, const cimc_program *p, const struct cimc_options *o,
                            enum cimc_form form, cimc_write_fn write, void *user)
{
    return guard_run(c, where, &(struct where_call){p, o, form, write, user});
}
