/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_lp.c - an integer program as text in CPLEX LP format, which every solver reads.
 */
#include "dup_flow.h"
#include "dup_mip.h"

#include <math.h>
#include <stdlib.h>

enum { LINE = 72 };

/* A sum, term by term; lines end before they are too long for readers of the format. */
struct sum {
    struct text *text;
    size_t n_terms, start; /* of its line */
};

static void add_term(struct sum *s, double coef, const char *name)
{
    struct text term = {0};
    if (coef == 0)
        return;
    text_add(&term, " %c ", coef < 0 ? '-' : '+');
    if (fabs(coef) != 1)
        text_add(&term, "%.15g ", fabs(coef));
    text_add(&term, "%s", name);
    if (s->n_terms++ > 0 && s->text->n - s->start + term.n > LINE) {
        text_add(s->text, "\n");
        s->start = s->text->n;
    }
    text_add_bytes(s->text, term.at, term.n);
    text_free(&term);
}

static void add_goal(struct text *t, const struct mip *p)
{
    struct sum s = {.text = t, .start = t->n};
    text_add(t, "Minimize\n %s:", p->goal);
    for (size_t i = 0; i < p->n_columns; i++)
        add_term(&s, p->columns[i].cost, p->columns[i].name);
    if (s.n_terms == 0)
        text_add(t, " 0 %s", p->n_columns > 0 ? p->columns[0].name : "nothing");
    text_add(t, "\n\\* constant term = %.15g *\\\n\n", p->constant);
}

struct matrix_element {
    size_t row, column;
    double coef;
};

static int by_row(const void *a, const void *b)
{
    const struct matrix_element *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

/* Of the whole matrix, by rows, with one of no row at the end. */
static const struct matrix_element *list_elements(const struct mip *p, struct arena *a)
{
    size_t n = 0, most = 0;
    for (size_t i = 0; i < p->n_columns; i++)
        most += p->columns[i].n;
    for (size_t i = 0; i < p->n_rows; i++)
        most += p->rows[i].n;
    struct matrix_element *e = ARENA_ARRAY(a, struct matrix_element, most + 1);
    for (size_t i = 0; i < p->n_columns; i++)
        for (size_t k = 0; k < p->columns[i].n; k++)
            e[n++] = (struct matrix_element){p->columns[i].rows[k], i, p->columns[i].coefs[k]};
    for (size_t i = 0; i < p->n_rows; i++)
        for (size_t k = 0; k < p->rows[i].n; k++)
            e[n++] = (struct matrix_element){i, p->rows[i].columns[k], p->rows[i].coefs[k]};
    qsort(e, n, sizeof *e, by_row);
    e[n].row = p->n_rows;
    return e;
}

static void add_rows(struct text *t, const struct mip *p, const struct matrix_element *e)
{
    text_add(t, "Subject To\n");
    for (size_t i = 0; i < p->n_rows; i++) {
        const struct mip_row *r = &p->rows[i];
        struct sum s = {.text = t, .start = t->n};
        if (r->name)
            text_add(t, " %s:", r->name);
        else
            text_add(t, " row%zu:", i);
        for (; e->row == i; e++)
            add_term(&s, e->coef, p->columns[e->column].name);
        if (s.n_terms == 0)
            text_add(t, " 0 %s", p->n_columns > 0 ? p->columns[0].name : "nothing");
        if (r->low == r->high)
            text_add(t, " = %.15g\n", r->low);
        else if (isinf(r->low))
            text_add(t, " <= %.15g\n", r->high);
        else
            text_add(t, " >= %.15g\n", r->low);
    }
}

static void add_columns(struct text *t, const struct mip *p)
{
    text_add(t, "\nBounds\n");
    for (size_t i = 0; i < p->n_columns; i++) {
        const struct mip_column *c = &p->columns[i];
        if (c->low == c->high)
            text_add(t, " %s = %.15g\n", c->name, c->low);
        else
            text_add(t, " %.15g <= %s <= %.15g\n", c->low, c->name, c->high);
    }
    text_add(t, "\nGenerals\n");
    for (size_t i = 0; i < p->n_columns; i++)
        if (p->columns[i].is_whole)
            text_add(t, " %s\n", p->columns[i].name);
}

bool mip_write(const struct mip *p, const char *path, struct diag *d)
{
    struct out out;
    struct text t = {0};
    if (!out_open(&out, path, d))
        return false;
    struct arena *a = arena_new();
    text_add(&t, "\\* Problem: duplication *\\\n\n");
    add_goal(&t, p);
    add_rows(&t, p, list_elements(p, a));
    add_columns(&t, p);
    text_add(&t, "\nEnd\n");
    text_flush(&t, out.f);
    text_free(&t);
    arena_free(a);
    return out_commit(&out, d); /* reports what could not be written */
}
