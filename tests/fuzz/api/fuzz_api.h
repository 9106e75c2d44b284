/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuzz_api.h - what the parts of the fuzz target `api` share. Its input is a program of calls of
 * cimc.h, a line each: the call's name and what it is given, separated by blanks.
 *
 *     text b1 graph "g" tensor {          a line more in buffer 1
 *     pass_run c0 b1 - onnx b2            IR text in buffer 1 becomes an ONNX model in buffer 2
 *     import c0 m0 o0 b2                  context, model, options, what is read
 *
 * A handle or buffer is a number, of which only the digits count; c0, m0 are for the eye. Its
 * place may be empty: then the call is left out, as is every call that cimc.h does not allow. What
 * is made takes the place of what was there, which is freed, unless something needs it.
 *
 *     expect ok compile c0 m0 - p0        is not left out, and succeeds
 *
 * Of what somebody wrote (fuzz_is_written) no word is wrong, what a call names is there, and calls
 * end as they are expected to. What is made by a call that may fail is made again before it is
 * named.
 */
#ifndef CIMC_FUZZ_API_H
#define CIMC_FUZZ_API_H

#include "api_handles.h"
#include "cimc.h"
#include "fuzz.h"

enum { N_PLACES = 4, N_CONTEXTS = 2, N_BUFFERS = 8, N_ARRAYS = 6, MOST_WORDS = 40 };

struct buffer {
    uint8_t *at; /* as long as it says, so that whoever reads beyond its end is found */
    size_t n;
};

struct api {
    /* of the line */
    const char *words[MOST_WORDS];
    size_t n_words, next;
    const char *name;   /* of its call */
    const char *status; /* that a call of cimc.h ended with; NULL: there was none */
    unsigned number;
    bool *is_poked; /* of the options that it names; NULL: it names none */
    /* what there is */
    cimc_context *contexts[N_CONTEXTS];
    struct cimc_options *options[N_PLACES]; /* each as many bytes as its size says */
    bool are_poked[N_PLACES];               /* they may have values that they cannot have */
    cimc_model *models[N_PLACES];
    cimc_program *programs[N_PLACES];
    struct {
        cimc_simulation *at;
        const cimc_model *model;     /* must outlive it, */
        const cimc_program *program; /* and so must this */
    } simulations[N_PLACES];
    cimc_quantized *quantized[N_PLACES];
    struct {
        cimc_output *at;
        cimc_context *context; /* that it was opened in */
    } outputs[N_PLACES];
    struct buffer buffers[N_BUFFERS];
    struct cimc_array arrays[N_ARRAYS];
    VEC(uint8_t *) spent; /* bytes that handles may still view */
    /* of the next call; 0: never */
    long fails_at;     /* the n-th allocation fails */
    uint64_t stops_at; /* the n-th piece of text is not taken */
    uint64_t patience; /* the n-th time that it is told of progress it is cancelled */
    /* of the call that runs */
    cimc_context *context;
    size_t n_diagnostics; /* before */
    uint64_t n_told;
    bool was_cancelled;
};

/* ---- fuzz_api.c: words, places, calls ---- */

/* What need not hold of mutants: they go on without what is wrong with them. */
void api_require_written(const struct api *a, bool holds, const char *promise);
bool api_has_word(const struct api *a);
const char *api_word(struct api *a); /* "" behind the last */
int64_t api_number(struct api *a);   /* of the next word its first digits, with their sign */
size_t api_place(struct api *a, size_t n);
enum cimc_form api_form(struct api *a);

/* What stands in the place that the next word names; NULL where nothing does. */
cimc_context *api_context(struct api *a);
struct cimc_options *api_options(struct api *a); /* also of "-" */
cimc_model *api_model(struct api *a);
cimc_program *api_program(struct api *a);
size_t api_simulation(struct api *a); /* its place */
struct buffer *api_buffer(struct api *a);
/* For something new: freed, or NULL if that must stay. */
cimc_model **api_new_model(struct api *a);
cimc_program **api_new_program(struct api *a);
/* FILE, [NAME=]bN */
struct cimc_source api_source(struct api *a);

/* The status of CALL, a call in context C, which keeps what cimc.h promises. */
#define API_CALL(A, C, CALL) (api_begin((A), (C)), api_end((A), (CALL)))
void api_begin(struct api *a, cimc_context *c);
enum cimc_status api_end(struct api *a, enum cimc_status status);

/* A cimc_write_fn; `sink` is a struct sink. Its memory is the caller's, not taken in a call of the
 * library: that gives back all that is its own when it is left. */
struct sink {
    struct api *api;
    struct buffer text;
    uint64_t n_pieces;
};
bool api_write(void *sink, const void *bytes, size_t n);
/* What was written becomes the buffer's; NULL: nobody's. */
void api_keep(struct sink *s, struct buffer *to);
/* API_CALL of a CALL that prints: it writes by api_write to `&sink`. What came is then kept in TO.
 */
#define API_PRINT(A, C, TO, CALL)                                                                  \
    do {                                                                                           \
        struct sink sink = {.api = (A)};                                                           \
        API_CALL((A), (C), (CALL));                                                                \
        api_keep(&sink, (TO));                                                                     \
    } while (0)
void api_set_buffer(struct api *a, struct buffer *b, const void *bytes, size_t n);
FILE *api_new_file(const char *name); /* who maps the one before keeps it; or NULL */

/* Something that is there must not be without it. */
bool api_is_needed(const struct api *a, const void *handle);
void api_free_simulation(struct api *a, size_t i);
void api_discard_outputs(struct api *a, const cimc_context *c); /* NULL: of all */

/* ---- the calls, by name ---- */

struct api_call {
    const char *name;
    void (*run)(struct api *a);
};
extern const struct api_call api_rig_calls[]; /* rig_calls.c: buffers, files, options, contexts */
extern const struct api_call api_program_calls[]; /* program_calls.c: models, programs */
extern const struct api_call api_value_calls[];   /* value_calls.c: simulations, values */
extern const struct api_call api_text_calls[];    /* text_calls.c: texts, tables, sweeps, files */

#endif
