/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* program_calls.c - models and programs: made, looked at, freed. */
#include "fuzz_api.h"

#include <string.h>

/* ---- bounds ---- */

enum { MOST_ELEMENTS = 1 << 12, MOST_OPS = 60 };

static bool graph_is_small(const struct ir_graph *g)
{
    int64_t n = 0;
    for (const struct ir_op *op = g->first; op && n <= MOST_ELEMENTS; op = op->next)
        n += op->out ? ir_count(&op->out->type) : 0;
    return n <= MOST_ELEMENTS && g->n_ops <= MOST_OPS && fuzz_graph_is_small(g);
}

static bool model_is_small(const cimc_model *m)
{
    for (size_t i = 0; i < m->build.n_models; i++) {
        if (!graph_is_small(m->build.models[i].imported))
            return false;
    }
    return true;
}

/* What is too large is left alone. */
static void bound_program(cimc_program **p)
{
    if (*p && !fuzz_program_is_small((*p)->isa)) {
        cimc_program_free(*p);
        *p = NULL;
    }
}

/* ---- structures that come out ---- */

/* A structure as long as its size says. */
static void *structure(struct api *a, size_t whole)
{
    size_t size = whole - 8 * api_place(a, whole / 8 + 1);
    size_t *out = calloc(1, size > sizeof size ? size : sizeof size);
    fuzz_require(out != NULL, "there is memory", NULL);
    *out = size;
    return out;
}

static void look_at_text(const char *text)
{
    fuzz_require(!text || strlen(text) < SIZE_MAX, "a text ends", NULL);
}

/* Of the i-th of something, `i` and what it lacks words of the line. */
#define LOOK_AT(A, TYPE, TEXT, CALL)                                                               \
    do {                                                                                           \
        size_t i = api_place((A), 8);                                                              \
        TYPE *out = structure((A), sizeof(TYPE));                                                  \
        if ((CALL) && out->size == sizeof(TYPE))                                                   \
            look_at_text(out->TEXT);                                                               \
        free(out);                                                                                 \
    } while (0)

/* ---- models ---- */

/* import C M O SOURCE... */
static void import(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_model **m = api_new_model(a);
    const struct cimc_options *o = api_options(a);
    struct cimc_source sources[3];
    size_t n = 0;
    while (n < 3 && api_has_word(a))
        sources[n++] = api_source(a);
    if (!m)
        return;
    enum cimc_status s = API_CALL(a, c, cimc_import(c, sources, n, o, m));
    fuzz_require((s == CIMC_OK) == (*m != NULL), "what is made is there", NULL);
    if (*m && !model_is_small(*m)) {
        cimc_model_free(*m);
        *m = NULL;
    }
}

static void free_model(struct api *a)
{
    size_t place = a->next;
    api_model(a); /* it is there */
    a->next = place;
    api_new_model(a);
}

/* look_at_model M O I LACKING I LACKING */
static void look_at_model(struct api *a)
{
    const cimc_model *m = api_model(a);
    const struct cimc_options *o = api_options(a);
    if (!m)
        return;
    fuzz_require(cimc_model_frames(m, o) >= 0, "frames are counted", NULL);
    LOOK_AT(a, struct cimc_port, name, cimc_model_input(m, i, out));
    LOOK_AT(a, struct cimc_port, name, cimc_model_output(m, i, out));
}

/* ---- programs ---- */

/* compile C M O P */
static void compile(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_model *m = api_model(a);
    const struct cimc_options *o = api_options(a);
    cimc_program **p = api_new_program(a);
    if (!m || !p)
        return;
    enum cimc_status s = API_CALL(a, c, cimc_compile(c, m, o, p));
    fuzz_require((s == CIMC_OK) == (*p != NULL), "what is made is there", NULL);
    bound_program(p);
}

/* compile_last C M O P */
static void compile_last(struct api *a)
{
    cimc_context *c = api_context(a);
    size_t place = a->next;
    cimc_model *m = api_model(a);
    const struct cimc_options *o = api_options(a);
    cimc_program **p = api_new_program(a);
    if (!m || !p || api_is_needed(a, m))
        return;
    a->next = place;
    a->models[api_place(a, N_PLACES)] = NULL;
    API_CALL(a, c, cimc_compile_last(c, m, o, p));
    bound_program(p);
}

/* read C P SOURCE */
static void read_program(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_program **p = api_new_program(a);
    struct cimc_source source = api_source(a);
    if (!p)
        return;
    enum cimc_status s = API_CALL(a, c, cimc_program_read(c, &source, p));
    fuzz_require((s == CIMC_OK) == (*p != NULL), "what is made is there", NULL);
    bound_program(p);
}

/* assemble C P SOURCE */
static void assemble(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_program **p = api_new_program(a);
    struct cimc_source source = api_source(a);
    if (!p)
        return;
    enum cimc_status s = API_CALL(a, c, cimc_assemble(c, &source, p));
    fuzz_require((s == CIMC_OK) == (*p != NULL), "what is made is there", NULL);
    bound_program(p);
}

/* bind C P O SOURCE... */
static void bind(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    struct cimc_source sources[2];
    size_t n = 0;
    while (n < 2 && api_has_word(a))
        sources[n++] = api_source(a);
    if (p)
        API_CALL(a, c, cimc_program_bind(c, p, sources, n, o));
}

static void set_noise(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_program *p = api_program(a);
    if (p)
        API_CALL(a, c, cimc_program_set_noise(c, p, api_number(a)));
}

static void free_program(struct api *a)
{
    size_t place = a->next;
    api_program(a); /* it is there */
    a->next = place;
    api_new_program(a);
}

/* look_at_program P, and then I LACKING of each kind */
static void look_at_program(struct api *a)
{
    const cimc_program *p = api_program(a);
    struct cimc_program_info *info = structure(a, sizeof *info);
    if (p) {
        cimc_program_info(p, info);
        if (info->size == sizeof *info)
            look_at_text(info->options);
        LOOK_AT(a, struct cimc_layer, name, cimc_program_layer(p, i, out));
        LOOK_AT(a, struct cimc_port, name, cimc_program_input(p, i, out));
        LOOK_AT(a, struct cimc_port, name, cimc_program_output(p, i, out));
        struct cimc_tile *tile = structure(a, sizeof *tile);
        cimc_program_tile(p, api_place(a, 8), tile);
        free(tile);
    }
    free(info);
}

/* schedule P N */
static void schedule(struct api *a)
{
    const cimc_program *p = api_program(a);
    if (!p)
        return;
    size_t all = cimc_program_schedule(p, NULL, 0), n = api_place(a, all + 2);
    struct cimc_set *sets = malloc((n + !n) * sizeof *sets);
    fuzz_require(sets != NULL, "there is memory", NULL);
    fuzz_require(cimc_program_schedule(p, sets, n) == all, "sets are counted", NULL);
    for (size_t i = 1; i < n && i < all; i++)
        fuzz_require(sets[i - 1].start <= sets[i].start, "sets are in order", NULL);
    free(sets);
}

const struct api_call api_program_calls[] = {{"import", import},
                                             {"free_model", free_model},
                                             {"look_at_model", look_at_model},
                                             {"compile", compile},
                                             {"compile_last", compile_last},
                                             {"read", read_program},
                                             {"assemble", assemble},
                                             {"bind", bind},
                                             {"set_noise", set_noise},
                                             {"free_program", free_program},
                                             {"look_at_program", look_at_program},
                                             {"schedule", schedule},
                                             {0}};
