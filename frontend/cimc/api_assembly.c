/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_assembly.c - programs as text and back, and the proof that they are correct. */
#include "api_handles.h"
#include "common_json.h"
#include "where.h"

#include <string.h>

/* ---- text ---- */

/* The node that instructions come from: of that name, or the base layer that is meant. */
static bool find_node(const struct isa_program *p, const char *name, uint32_t *out, struct diag *d)
{
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        if (p->nodes[i].name && strcmp(p->nodes[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    struct where w;
    where_open(&w, p);
    const struct where_layer *layer = where_layer(&w, name, d);
    if (layer)
        *out = layer->node;
    where_free(&w);
    return layer != NULL;
}

struct text_call {
    const struct cimc_program *program;
    const struct cimc_options *options;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

static bool disassemble(cimc_context *c, void *call)
{
    const struct text_call *k = call;
    const struct isa_program *p = k->program->isa;
    const char *path = k->program->path;
    struct cimc_options o = options_whole(k->options);
    /* Standard input cannot be named in the text. */
    struct isa_dis_options dis = {
        .inline_sections = o.inline_blobs || !path || strcmp(path, "-") == 0, .path = path};
    uint32_t tile = (uint32_t)o.tile, node;
    struct writer w;
    if (o.tile >= p->n_tiles)
        return crossbar_out_of_range(c->diag, "tile", o.tile, p->n_tiles);
    if (o.layer && !find_node(p, o.layer, &node, c->diag))
        return false;
    dis.tile = o.tile >= 0 ? &tile : NULL;
    dis.node = o.layer ? &node : NULL;
    writer_open(&w, k->write, k->user);
    isa_disassemble(p, &dis, w.f);
    return writer_close(&w, c->diag);
}

enum cimc_status cimc_disassemble(cimc_context *c, const cimc_program *p,
                                  const struct cimc_options *o, cimc_write_fn write, void *user)
{
    return guard_run(c, disassemble, &(struct text_call){p, o, CIMC_TEXT, write, user});
}

struct assemble_call {
    const struct cimc_source *text;
    cimc_program **out;
};

static bool assemble(cimc_context *c, void *call)
{
    const struct assemble_call *k = call;
    struct arena *names = arena_new();
    struct file f;
    bool ok = source_open(sources_whole(k->text, 1, names), names, c->diag, &f);
    if (ok) {
        struct isa_program *p = isa_assemble((const char *)f.data, f.size, f.path, c->diag);
        ok = p != NULL;
        if (ok)
            *k->out = program_of(p);
        file_close(&f);
    }
    arena_free(names);
    return ok;
}

enum cimc_status cimc_assemble(cimc_context *c, const struct cimc_source *text, cimc_program **out)
{
    *out = NULL;
    return guard_run(c, assemble, &(struct assemble_call){text, out});
}

/* ---- proof ---- */

/* What CHECK.md says of a body that is run again and again. */
static void print_proved(const struct cimc_program *p, FILE *out)
{
    print_plain(p->path ? p->path : "", out);
    fprintf(out, ": form, progress, races%s: proved\n", p->build.graph ? ", meaning" : "");
    if (p->isa->frames)
        fprintf(out, "not proved: that no counter runs 2^%d ahead of a wait\n",
                ISA_THRESHOLD_BITS - 1);
}

static void print_proved_json(const struct cimc_program *p, FILE *out)
{
    struct json *j = json_new();
    json_open_map(j, NULL);
    origin_json(p->isa->options, &p->isa->arch, j);
    json_text(j, "program", p->path);
    json_text(j, "model", p->build.model);
    json_open_array(j, "proved");
    json_text(j, NULL, "form");
    json_text(j, NULL, "progress");
    json_text(j, NULL, "races");
    if (p->build.graph)
        json_text(j, NULL, "meaning");
    json_close_array(j);
    json_open_array(j, "not_proved");
    if (p->isa->frames)
        json_text(j, NULL, "counter_lead");
    json_close_array(j);
    json_close_map(j);
    json_finish(j, out);
}

static bool check(cimc_context *c, void *call)
{
    const struct text_call *k = call;
    const struct cimc_program *p = k->program;
    struct writer w;
    if (!form_is_known(c, k->form, FORM(CIMC_TEXT) | FORM(CIMC_JSON)) ||
        !backend_check(p->isa, p->build.graph, c->diag))
        return false;
    writer_open(&w, k->write, k->user);
    if (k->form == CIMC_JSON)
        print_proved_json(p, w.f);
    else
        print_proved(p, w.f);
    return writer_close(&w, c->diag);
}

enum cimc_status cimc_check(cimc_context *c, const cimc_program *p, enum cimc_form form,
                            cimc_write_fn write, void *user)
{
    return guard_run(c, check, &(struct text_call){p, NULL, form, write, user});
}
