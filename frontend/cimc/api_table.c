/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_table.c - the tables the compiler is made of, as Markdown for the documents, or for tools. */
#include "api.h"

#include "base/closest.h"
#include "energy.h"
#include "isa.h"
#include "onnx.h"
#include "pass.h"

#include <string.h>

static void list_ops(struct text *out)
{
    static const struct {
        unsigned stage;
        const char *name;
    } stages[] = {{IR_TENSOR, "TENSOR"},
                  {IR_CANONICAL, "CANONICAL"},
                  {IR_INTEGER, "INTEGER"},
                  {IR_CROSSBAR, "CROSSBAR"}};
    text_add(out, "| operation | operands | attributes | stages |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < IR_N_OPCODES; i++) {
        const struct ir_op_desc *op = &ir_op_descs[i];
        text_add(out, "| %s | %u", op->name, op->min_in);
        if (op->max_in != op->min_in)
            text_add(out, "..%u", op->max_in);
        text_add(out, " |");
        for (unsigned k = 0; k < op->n_attrs; k++)
            text_add(out, "%s %s", k ? "," : "", op->attrs[k].name);
        text_add(out, " |");
        for (size_t k = 0; k < sizeof stages / sizeof *stages; k++) {
            if (op->stages & stages[k].stage)
                text_add(out, " %s", stages[k].name);
        }
        text_add(out, " |\n");
    }
}

static void list_passes(struct text *out)
{
    size_t n;
    const struct pass *const *passes = pass_list(&n);
    text_add(out, "| pass | what it does |\n|---|---|\n");
    for (size_t i = 0; i < n; i++)
        text_add(out, "| %s | %s |\n", passes[i]->name, passes[i]->summary);
    text_add(out, "\nThe standard pipeline: `%s`.\n", pass_default_pipeline);
}

static void list_codes(struct text *out)
{
    text_add(out, "| code | meaning |\n|---|---|\n");
    for (unsigned i = 0; i < N_DIAG_CODES; i++)
        text_add(out, "| %s | %s |\n", diag_code_name((enum diag_code)i),
                 diag_code_doc((enum diag_code)i));
}

static void list_names(struct text *out, const char *title, const char *const *names)
{
    text_add(out, "| %s |\n|---|\n", title);
    for (; *names; names++)
        text_add(out, "| %s |\n", *names);
}

static void list_archs(struct text *out)
{
    list_names(out, "machine", arch_presets());
}

static const struct table {
    const char *name;
    void (*print)(struct text *out);
} tables[] = {
    {"ops", list_ops},
    {"passes", list_passes},
    {"isa", isa_print_tables},
    {"archs", list_archs},
    {"onnx", onnx_print_operators},
    {"arch", arch_print_fields},
    {"prices", arch_print_prices},
    {"counters", energy_print_counters},
    {"codes", list_codes},
};
enum { N_TABLES = sizeof tables / sizeof *tables };

struct table_call {
    const char *name;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

static bool no_table(const char *name, struct diag *d)
{
    struct closest near = {.to = name};
    struct text all = {0};
    for (size_t i = 0; i < N_TABLES; i++) {
        closest_offer(&near, tables[i].name);
        text_add(&all, "%s%s", i ? ", " : "; there are ", tables[i].name);
    }
    diag_error(d, (struct loc){0}, DIAG_USAGE, "there is no list '%s'%s%s%s", name,
               near.name ? "; did you mean '" : all.at, near.name ? near.name : "",
               near.name ? "'?" : "");
    text_free(&all);
    return false;
}

/* All are tables for documents; isa is also there for tools. */
static bool print_form(const struct table *table, enum cimc_form form, struct text *out,
                       struct diag *d)
{
    static const struct {
        enum cimc_form form;
        enum isa_language language;
    } languages[] = {{CIMC_SV, ISA_IN_SV}, {CIMC_C, ISA_IN_C}, {CIMC_JSON, ISA_IN_JSON}};
    if (form == CIMC_TABLE) {
        table->print(out);
        return true;
    }
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        if (languages[i].form == form && table->print == isa_print_tables) {
            isa_print_package(languages[i].language, out);
            return true;
        }
    }
    return diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "the list '%s' is only there as Markdown: --format is for isa", table->name);
}

static bool print_table(cimc_context *c, void *call)
{
    const struct table_call *p = call;
    struct text t = {0};
    size_t i = 0;
    while (i < N_TABLES && strcmp(tables[i].name, p->name) != 0)
        i++;
    if (i == N_TABLES)
        return no_table(p->name, c->diag);
    if (!print_form(&tables[i], p->form, &t, c->diag))
        return false;
    bool ok = writer_put(c, &t, p->write, p->user);
    text_free(&t);
    return ok;
}

enum cimc_status cimc_print_table(cimc_context *c, const char *name, enum cimc_form form,
                                  cimc_write_fn write, void *user)
{
    return guard_run(c, print_table, &(struct table_call){name, form, write, user});
}
