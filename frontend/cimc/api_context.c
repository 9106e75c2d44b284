/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * api_context.c - the context of calls: diagnostics as data, progress, cancellation, what signal
 * handlers may ask.
 */
#include "api.h"

#include "common_json.h"
#include "isa.h"

#include <stdlib.h>
#include <string.h>

const char *cimc_version(void)
{
    return CIMC_VERSION;
}

unsigned cimc_isa_version(void)
{
    return ISA_VERSION;
}

/* ---- context ---- */

/* What rooms tell goes to the caller, who may not want to go on. */
static void tell(void *self, const char *what, uint64_t done, uint64_t total)
{
    cimc_context *c = self;
    if (!guard_is_here()) /* a thread that helps */
        return;
    if (c->tell && !c->tell(c->tell_user, what, done, total))
        c->is_cancelled = true;
    if (c->is_cancelled)
        leave_cancelled();
}

static bool start(cimc_context *c, void *call)
{
    (void)call;
    c->diag = diag_new();
    return true;
}

cimc_context *cimc_context_new(void)
{
    cimc_context *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->progress = (struct progress){.tell = tell, .self = c};
    if (guard_run(c, start, NULL) == CIMC_OK)
        return c;
    free(c);
    return NULL;
}

void cimc_context_free(cimc_context *c)
{
    if (!c)
        return;
    leftovers_remove(&c->door);
    diag_free(c->diag);
    free(c);
}

void cimc_set_progress(cimc_context *c, cimc_progress_fn tell_caller, void *user)
{
    c->tell = tell_caller;
    c->tell_user = user;
}

void cimc_set_log(cimc_context *c, cimc_write_fn write, void *user)
{
    c->log = write;
    c->log_user = user;
}

void cimc_cancel(cimc_context *c)
{
    c->is_cancelled = true;
}

/* ---- diagnostics ---- */

size_t cimc_diagnostic_count(const cimc_context *c)
{
    size_t n = 0;
    for (const struct diag_entry *e = c->diag->first; e; e = e->next)
        n++;
    return n;
}

bool cimc_diagnostic_at(cimc_context *c, size_t i, struct cimc_diagnostic *out)
{
    static const enum cimc_severity severities[] = {
        [DIAG_ERROR] = CIMC_ERROR, [DIAG_WARNING] = CIMC_WARNING, [DIAG_NOTE] = CIMC_NOTE};
    if (!c->seen || i < c->n_seen) {
        c->seen = c->diag->first;
        c->n_seen = 0;
    }
    for (; c->seen && c->n_seen < i && c->seen->next; c->n_seen++)
        c->seen = c->seen->next;
    const struct diag_entry *e = c->seen;
    if (!e || c->n_seen != i)
        return false;
    struct cimc_diagnostic whole = {.severity = severities[e->severity],
                                    .code = diag_code_name(e->code),
                                    .file = e->loc.file,
                                    .line = e->loc.line,
                                    .column = e->loc.col,
                                    .entity = e->loc.entity,
                                    .text = e->text};
    struct_copy_out(out, &whole, sizeof whole);
    return true;
}

static bool clear(cimc_context *c, void *call)
{
    (void)call;
    struct diag *fresh = diag_new();
    diag_free(c->diag);
    c->diag = fresh;
    c->seen = NULL;
    return true;
}

enum cimc_status cimc_diagnostics_clear(cimc_context *c)
{
    c->failure[0] = 0;
    return guard_run(c, clear, NULL);
}

const char *cimc_failure(const cimc_context *c)
{
    return c->failure;
}

static enum diag_code code_of(const char *name)
{
    for (unsigned i = 0; i < N_DIAG_CODES; i++) {
        if (strcmp(diag_code_name((enum diag_code)i), name) == 0)
            return (enum diag_code)i;
    }
    return DIAG_USAGE;
}

struct complaint {
    const char *code, *file, *text;
};

static bool complain(cimc_context *c, void *call)
{
    const struct complaint *p = call;
    return diag_error(c->diag, (struct loc){.file = p->file}, code_of(p->code), "%s",
                      p->text ? p->text : "");
}

enum cimc_status cimc_complain(cimc_context *c, const char *code, const char *file,
                               const char *text)
{
    return guard_run(c, complain, &(struct complaint){code, file, text});
}

/* ---- forms ---- */

bool form_is_known(cimc_context *c, enum cimc_form form, unsigned known)
{
    static const char *const names[] = {[CIMC_TEXT] = "TEXT",   [CIMC_TABLE] = "TABLE",
                                        [CIMC_JSON] = "JSON",   [CIMC_TIMES] = "TIMES",
                                        [CIMC_CSV] = "CSV",     [CIMC_SVG] = "SVG",
                                        [CIMC_TRACE] = "TRACE", [CIMC_HTML] = "HTML",
                                        [CIMC_PLAN] = "PLAN",   [CIMC_TIME_TRACE] = "TIME_TRACE",
                                        [CIMC_IR] = "IR",       [CIMC_DOT] = "DOT",
                                        [CIMC_ONNX] = "ONNX",   [CIMC_REPORT] = "REPORT",
                                        [CIMC_SV] = "SV",       [CIMC_C] = "C"};
    enum { N = sizeof names / sizeof *names };
    struct text list = {0};
    bool is_form = (unsigned)form < N;
    if (is_form && known & FORM(form))
        return true;
    for (unsigned i = 0; i < N; i++) {
        if (known & FORM(i))
            text_add(&list, "%sCIMC_%s", list.n ? ", " : "", names[i]);
    }
    diag_error(c->diag, (struct loc){0}, DIAG_USAGE, "form %s%s is none of %s",
               is_form ? "CIMC_" : "", is_form ? names[form] : "without a name", list.at);
    text_free(&list);
    return false;
}

/* ---- printing diagnostics ---- */

static void print_json(const struct diag *d, FILE *out)
{
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "version", CIMC_VERSION);
    json_open_array(j, "diagnostics");
    diagnostic_list_json(d, j);
    json_close_array(j);
    json_close_map(j);
    json_finish(j, out);
}

struct print_call {
    enum cimc_form form;
    bool verbose;
    cimc_write_fn write;
    void *user;
};

static bool print(cimc_context *c, void *call)
{
    const struct print_call *p = call;
    struct writer w;
    if (!form_is_known(c, p->form, FORM(CIMC_TEXT) | FORM(CIMC_JSON)))
        return false;
    writer_open(&w, p->write, p->user);
    c->diag->brief = !p->verbose;
    if (p->form == CIMC_JSON)
        print_json(c->diag, w.f);
    else
        diag_print(c->diag, w.f);
    return writer_close(&w, c->diag);
}

enum cimc_status cimc_print_diagnostics(cimc_context *c, enum cimc_form form, bool verbose,
                                        cimc_write_fn write, void *user)
{
    return guard_run(c, print, &(struct print_call){form, verbose, write, user});
}

/* ---- for signal handlers ---- */

void cimc_discard_unfinished(cimc_context *c)
{
    leftovers_remove(&c->door);
}

bool cimc_mapped_file(const void *address, char *path, size_t size)
{
    return file_mapped_at(address, path, size);
}
