/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* value_calls.c - arrays of the caller, simulations, evaluations, runs. */
#include "fuzz_api.h"

#include <string.h>

/* ---- arrays ---- */

enum { MOST_BYTES = 1 << 16, MOST_FRAMES = 4 };

/* What it is full of: numbers from 0 to 1, nothing, or any bytes. */
static void fill(struct cimc_array *array, unsigned kind)
{
    uint8_t *bytes = array->data;
    uint64_t state = kind;
    memset(bytes, 0, array->n_bytes);
    if (kind == 0 && array->dtype == CIMC_F32) {
        for (size_t i = 0; i < array->n_bytes / sizeof(float); i++)
            ((float *)array->data)[i] = (float)(i % 17) / 16;
    } else if (kind != 1) {
        for (size_t i = 0; i < array->n_bytes; i++)
            bytes[i] = (uint8_t)(random_next(&state) & (array->dtype == CIMC_BOOL ? 1 : 255));
    }
}

/* array A DTYPE KIND EXCESS RANK DIM...: of EXCESS - 1 bytes more than its shape takes */
static void make_array(struct api *a)
{
    struct cimc_array *array = &a->arrays[api_place(a, N_ARRAYS)];
    struct cimc_array new = {.size = sizeof new, .dtype = (enum cimc_dtype)api_place(a, 9)};
    unsigned kind = (unsigned)api_place(a, 4);
    int64_t n = (int64_t)cimc_dtype_bytes(new.dtype), excess = (int64_t)api_place(a, 3) - 1;
    new.rank = (uint32_t)api_place(a, CIMC_MOST_DIMS + 2);
    for (uint32_t i = 0; i < CIMC_MOST_DIMS && i < new.rank; i++) {
        new.dims[i] = api_number(a);
        if (!mul_i64(n, new.dims[i], &n) || n < 0 || n > MOST_BYTES)
            n = 0;
    }
    new.n_bytes = (size_t)max_i64(n + excess, 0);
    new.data = malloc(new.n_bytes + !new.n_bytes);
    fuzz_require(new.data != NULL, "there is memory", NULL);
    fill(&new, kind);
    free(array->data);
    *array = new;
}

static void drop_array(struct api *a)
{
    struct cimc_array *array = &a->arrays[api_place(a, N_ARRAYS)];
    free(array->data);
    array->data = NULL;
}

/* A .npy file: npy NAME A */
static void make_npy(struct api *a)
{
    static const char *const descriptions[] = {"<f4", "<f2", "<f8", "|u1",
                                               "|i1", "<i4", "<i8", "|b1"};
    const char *name = api_word(a);
    const struct cimc_array *array = &a->arrays[api_place(a, N_ARRAYS)];
    struct text head = {0};
    FILE *f = array->data && (unsigned)array->dtype < 8 && *name ? api_new_file(name) : NULL;
    if (!f)
        return;
    text_add(&head, "{'descr': '%s', 'fortran_order': False, 'shape': (",
             descriptions[array->dtype]);
    for (uint32_t i = 0; i < array->rank && i < CIMC_MOST_DIMS; i++)
        text_add(&head, "%lld, ", (long long)array->dims[i]);
    text_add(&head, ")}");
    fprintf(f, "\x93NUMPY%c%c%c%c%s", 1, 0, (int)((head.n + 1) & 255), (int)((head.n + 1) >> 8),
            head.at);
    fputc('\n', f);
    fwrite(array->data, 1, array->n_bytes, f);
    fclose(f);
    text_free(&head);
}

/* ---- simulations ---- */

/* C S M O VALUES, or with P for M: what a simulation is made of. */
struct making {
    cimc_context *c;
    cimc_simulation **out;       /* nothing */
    size_t place;                /* of it */
    const cimc_model *model;     /* that the word names, */
    const cimc_program *program; /* and the program that the same word names */
    const struct cimc_options *o;
    const struct cimc_values *values; /* `given`, or NULL */
    struct cimc_values given;
    int64_t labels[MOST_FRAMES];
};

/* N_INPUTS N_EXPECTED N_LABELS; the first word "-": none at all */
static void read_values(struct api *a, struct making *m)
{
    struct cimc_values *v = &m->given;
    if (strcmp(api_has_word(a) ? a->words[a->next] : "-", "-") == 0)
        return;
    *v = (struct cimc_values){.size = sizeof *v};
    v->n_inputs = api_place(a, N_ARRAYS + 1);
    v->n_expected = api_place(a, N_ARRAYS + 1);
    v->n_labels = api_place(a, MOST_FRAMES + 1);
    v->inputs = a->arrays;
    v->expected = a->arrays + N_ARRAYS - v->n_expected; /* the last */
    v->labels = m->labels;
    for (int64_t i = 0; i < MOST_FRAMES; i++)
        m->labels[i] = 2 - i; /* the last is no class */
    m->values = v;
}

/* `m` is filled where it stays. */
static void read_making(struct api *a, struct making *m)
{
    *m = (struct making){.c = api_context(a)};
    m->place = api_place(a, N_PLACES);
    api_free_simulation(a, m->place);
    m->out = &a->simulations[m->place].at;
    size_t of = api_place(a, N_PLACES);
    m->model = a->models[of];
    m->program = a->programs[of];
    m->o = api_options(a);
    read_values(a, m);
}

/* values_of_model C S M O VALUES */
static void values_of_model(struct api *a)
{
    struct making m;
    read_making(a, &m);
    api_require_written(a, m.model != NULL, "there is such a model");
    if (!m.model)
        return;
    a->simulations[m.place].model = m.model;
    enum cimc_status status =
        API_CALL(a, m.c, cimc_simulation_of_model(m.c, m.model, m.o, m.values, m.out));
    fuzz_require((status == CIMC_OK) == (*m.out != NULL), "what is made is there", NULL);
}

/* values_of_program C S P O VALUES */
static void values_of_program(struct api *a)
{
    struct making m;
    read_making(a, &m);
    api_require_written(a, m.program != NULL, "there is such a program");
    if (!m.program)
        return;
    a->simulations[m.place].program = m.program;
    enum cimc_status status =
        API_CALL(a, m.c, cimc_simulation_of_program(m.c, m.program, m.o, m.values, m.out));
    fuzz_require((status == CIMC_OK) == (*m.out != NULL), "what is made is there", NULL);
}

/* evaluate C S M O VALUES. A failure may leave a simulation, by which the caller sees how its
 * outputs differ from what is expected; only a success must. */
static void evaluate(struct api *a)
{
    struct making m;
    read_making(a, &m);
    api_require_written(a, m.model != NULL, "there is such a model");
    if (!m.model)
        return;
    a->simulations[m.place].model = m.model;
    enum cimc_status status = API_CALL(a, m.c, cimc_evaluate(m.c, m.model, m.o, m.values, m.out));
    fuzz_require(status != CIMC_OK || *m.out, "what is made is there", NULL);
}

/* simulate C S P O */
static void simulate_program(struct api *a)
{
    cimc_context *c = api_context(a);
    size_t place = api_simulation(a);
    const cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    cimc_simulation *s = a->simulations[place].at;
    if (!s || !p)
        return;
    if (!a->simulations[place].program)
        a->simulations[place].program = p;
    API_CALL(a, c, cimc_simulate(c, s, p, o));
}

static void free_simulation(struct api *a)
{
    api_free_simulation(a, api_simulation(a));
}

/* Every byte of what is told can be read. */
static void read_all(const struct cimc_array *array)
{
    static uint64_t seen;
    seen = hash_bytes(array->data, array->n_bytes, seen);
}

/* look_at_simulation S I FRAME */
static void look_at_simulation(struct api *a)
{
    const cimc_simulation *s = a->simulations[api_simulation(a)].at;
    size_t i = api_place(a, 4);
    struct cimc_simulation_info info = {.size = sizeof info};
    struct cimc_port port = {.size = sizeof port};
    struct cimc_array array = {.size = sizeof array};
    struct cimc_difference difference = {.size = sizeof difference};
    if (!s)
        return;
    cimc_simulation_info(s, &info);
    fuzz_require(info.frames == cimc_simulation_frames(s), "frames are frames", NULL);
    fuzz_require(cimc_simulation_input(s, i, &port) == (i < info.n_inputs), "inputs are counted",
                 NULL);
    fuzz_require(cimc_simulation_output(s, i, &port) == (i < info.n_outputs), "outputs are counted",
                 NULL);
    if (cimc_simulation_values(s, i, &array))
        read_all(&array);
    if (cimc_simulation_expected(s, i, &array))
        read_all(&array);
    cimc_simulation_difference(s, i, api_number(a), &difference);
}

/* print_simulation C S FORM O B */
static void print_simulation(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_simulation *s = a->simulations[api_simulation(a)].at;
    enum cimc_form form = api_form(a);
    const struct cimc_options *o = api_options(a);
    if (!s)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_print_simulation(c, s, form, o, api_write, &sink));
}

/* run C P O N_INPUTS N_OUTPUTS: outputs are the last arrays */
static void run(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    size_t n_inputs = api_place(a, N_ARRAYS + 1), n_outputs = api_place(a, N_ARRAYS + 1 - n_inputs);
    if (p)
        API_CALL(
            a, c,
            cimc_run(c, p, o, a->arrays, n_inputs, a->arrays + N_ARRAYS - n_outputs, n_outputs));
}

const struct api_call api_value_calls[] = {{"array", make_array},
                                           {"drop_array", drop_array},
                                           {"npy", make_npy},
                                           {"values_of_model", values_of_model},
                                           {"values_of_program", values_of_program},
                                           {"evaluate", evaluate},
                                           {"simulate", simulate_program},
                                           {"free_simulation", free_simulation},
                                           {"look_at_simulation", look_at_simulation},
                                           {"print_simulation", print_simulation},
                                           {"run", run},
                                           {0}};
