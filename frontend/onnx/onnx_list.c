/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* onnx_list.c - `cimc list onnx`: the operators, as Markdown, from operators.def,
 * int_forms.def and run_types.def.
 */
#include "onnx.h"

#include "onnx_operator.h"

#include <stdlib.h>
#include <string.h>

enum int_form { F32, EXACT, TABLE, CONSTANT };
static const char *const form_names[] = {"f32", "exact", "table", "constant"};

static const struct int_form_of {
    const char *name;
    enum int_form form;
} forms[] = {
#define INT_FORM(name, form) {name, form},
#include "int_forms.def"
#undef INT_FORM
};

static int by_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct int_form_of *)entry)->name);
}

static const char *form_of(const char *name)
{
    const struct int_form_of *f =
        bsearch(name, forms, sizeof forms / sizeof *forms, sizeof *forms, by_name);
    return form_names[f ? f->form : F32];
}

static const struct run_types {
    const char *name, *types;
} run_types[] = {
#define RUN_TYPES(name, types) {name, types},
#include "run_types.def"
#undef RUN_TYPES
};

static int by_run_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct run_types *)entry)->name);
}

static const char *run_types_of(const char *name)
{
    const struct run_types *t = bsearch(name, run_types, sizeof run_types / sizeof *run_types,
                                        sizeof *run_types, by_run_name);
    return t ? t->types : "f32";
}

/* The operands with that letter, from 0; "and on" where it holds for all that follow. */
static void add_operands(struct text *out, const struct onnx_operator *op, char role)
{
    size_t n = strlen(op->roles), found = 0;
    for (size_t i = 0; i < n; i++) {
        if (op->roles[i] != role)
            continue;
        bool goes_on = i + 1 == n && op->max_in > n;
        text_add(out, "%s%zu%s", found++ ? ", " : "", i, goes_on ? " and on" : "");
    }
    text_add(out, " |");
}

static void add_operator(struct text *out, const struct onnx_operator *op)
{
    text_add(out, "| %s | %d..%d | %d", op->name, op->since, op->until, op->min_in);
    if (op->max_in == ONNX_MANY)
        text_add(out, " or more");
    else if (op->max_in > op->min_in)
        text_add(out, "..%d", op->max_in);
    text_add(out, " | ");
    add_operands(out, op, 'w');
    text_add(out, " ");
    add_operands(out, op, 'c');
    text_add(out, " %s | %s |\n", run_types_of(op->name), form_of(op->name));
}

void onnx_print_operators(struct text *out)
{
    size_t n;
    const struct onnx_operator *all = onnx_operator_table(&n);
    text_add(out, "| ONNX operator | opsets | operands | weights | constant | types | mode int |\n"
                  "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++)
        add_operator(out, &all[i]);
}
