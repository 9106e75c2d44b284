/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_machine.c - machines as text. */
#include "api.h"

#include "common_json.h"
#include "machine.h"

struct print_call {
    const char *name_or_path;
    enum cimc_form form;
    const struct cimc_options *options;
    cimc_write_fn write;
    void *user;
};

static void print_json(const struct arch *arch, FILE *out)
{
    struct json *j = json_new();
    json_open_map(j, NULL);
    origin_json(NULL, arch, j);
    json_close_map(j);
    json_finish(j, out);
}

static void print_yaml(const struct arch *arch, const struct arch_notes *notes, FILE *out)
{
    struct text t = {0};
    arch_print_commented(arch, notes, &t);
    fputs(t.at, out);
    text_free(&t);
}

static bool print_machine(cimc_context *c, const struct print_call *p, struct arena *a)
{
    struct cimc_options options = options_whole(p->options);
    const struct arch_notes *notes;
    struct arch arch;
    struct writer w;
    if (!form_is_known(c, p->form, FORM(CIMC_TEXT) | FORM(CIMC_JSON)) ||
        !machine_load(&options, p->name_or_path, a, c->diag, &arch, &notes))
        return false;
    writer_open(&w, p->write, p->user);
    if (p->form == CIMC_JSON)
        print_json(&arch, w.f);
    else
        print_yaml(&arch, notes, w.f);
    return writer_close(&w, c->diag);
}

static bool print(cimc_context *c, void *call)
{
    struct arena *a = arena_new();
    bool ok = print_machine(c, call, a);
    arena_free(a);
    return ok;
}

enum cimc_status cimc_print_machine(cimc_context *c, const char *name_or_path, enum cimc_form form,
                                    const struct cimc_options *o, cimc_write_fn write, void *user)
{
    return guard_run(c, print, &(struct print_call){name_or_path, form, o, write, user});
}
