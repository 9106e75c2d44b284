/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * api.h - what the functions of cimc.h share behind their door.
 *
 * A function of cimc.h packs its arguments into a struct, and guard_run calls the static function
 * that does the work: in it rooms may be called, diagnostics go to c->diag, and what is wrong comes
 * back as false. Nothing that may allocate or fail stands outside of it.
 */
#ifndef CIMC_API_H
#define CIMC_API_H

#include "base.h"
#include "cimc.h"

#include <stdatomic.h>

struct cimc_context {
    struct diag *diag;
    struct door door; /* of the call that runs; its leftovers stand between calls too */
    struct progress progress;
    cimc_progress_fn tell;
    void *tell_user;
    cimc_write_fn log;
    void *log_user;
    atomic_bool is_cancelled;
    char failure[1024]; /* what happened, after CIMC_INTERNAL, _NO_MEMORY, _CANCELLED */
    /* of cimc_diagnostic_at: the entry with this number */
    const struct diag_entry *seen;
    size_t n_seen;
};

/* ---- guard.c ---- */

typedef bool (*guard_body)(cimc_context *c, void *call);
/* Calls body(c, call) behind a door. */
enum cimc_status guard_run(cimc_context *c, guard_body body, void *call);
/* This thread runs a body. */
bool guard_is_here(void);

/* ---- api_context.c ---- */

/* A form is a bit of a set of them: FORM(CIMC_TEXT) | FORM(CIMC_JSON). */
#define FORM(form) (1u << (form))
/* The function prints this form, which is one of `known`; else false with a diagnostic. */
bool form_is_known(cimc_context *c, enum cimc_form form, unsigned known) CHECK_RESULT;

/* ---- api_options.c ---- */

/* What a caller gives, whole: fields that its structure is too old for, and all of NULL, have their
 * defaults. Shares its strings. */
struct cimc_options options_whole(const struct cimc_options *given);
/* As guard_run; if the call is left the caller's structure is as it was. */
enum cimc_status options_run(cimc_context *c, guard_body body, void *call, struct cimc_options *o);
/* A list of a caller has its strings, else the call is left. */
void strings_check(const struct cimc_strings *given);
/* The structure that a caller gives or wants, up to its size. */
void struct_copy_in(void *whole, size_t bytes, const void *given);
void struct_copy_out(void *wanted, const void *whole, size_t bytes);

/* ---- writer.c: text for a cimc_write_fn ---- */

struct writer {
    struct hold *hold;
    FILE *f;
    cimc_write_fn write;
    void *user;
    bool is_closed, failed;
};
/* `write` NULL: what is written goes nowhere. Must stay where it is until writer_close. */
void writer_open(struct writer *w, cimc_write_fn write, void *user);
/* False with a diagnostic: it was not taken. */
bool writer_close(struct writer *w, struct diag *d) CHECK_RESULT;
/* Lines for cimc_set_log, as they are made. */
void log_open(cimc_context *c, struct writer *w);
/* All of the text, which is empty then. */
bool writer_put(cimc_context *c, struct text *t, cimc_write_fn write, void *user) CHECK_RESULT;

#endif
