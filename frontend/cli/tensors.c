/*
 * tensors.c - the values that go into and come out of a simulated model.
 *
 * Input k has its values from the k-th --input, else from --test-data, else from --input-fill.
 * Tensor names in the files do not matter; shapes do. Elements are in row-major order, in the type
 * and shape that the model's file gives the port outside; f16 is f32 there.
 */
#include "tensors.h"

#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct loc nowhere(void)
{
    return (struct loc){0};
}

static bool same_shape(const struct ir_type *a, const struct ir_type *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

/* What the tensor's model leaves open. */
static void note_assumed(const struct io *io, const struct io_tensor *t, struct diag *d)
{
    const char *assumed = NULL;
    size_t k = (size_t)(t - io->inputs);
    for (size_t i = 0; k < io->n_inputs && i < io->models.n; i++)
        if (io->models.at[i].first_input <= k)
            assumed = io->models.at[i].assumed;
    if (assumed && *assumed)
        diag_note(d, nowhere(), "%s", assumed);
}

static bool has_shape(const struct io *io, const struct io_tensor *t, const struct tensor *read,
                      const char *path, struct diag *d)
{
    char have[200], want[200];
    if (same_shape(&read->type, &t->type))
        return true;
    diag_error(d, (struct loc){.file = path}, DIAG_DATA,
               "the tensor is %s, '%s' of the model is %s",
               ir_type_text(&read->type, have, sizeof have), t->name,
               ir_type_text(&t->type, want, sizeof want));
    note_assumed(io, t, d);
    return false;
}

static bool read_values(struct io *io, struct io_tensor *t, const char *path, struct diag *d)
{
    struct tensor read;
    if (!values_read(path, io->arena, d, &read))
        return false;
    if (!has_shape(io, t, &read, path, d) ||
        !values_convert(&read, t->type.dtype, (struct loc){.file = path}, d)) {
        tensor_free(&read);
        return false;
    }
    t->data = read.data;
    return true;
}

/* ---- test data ---- */

/* Inputs or outputs, all of them. */
struct ports {
    const char *what; /* "input" */
    struct io_tensor *at;
    size_t n;
};

/* DIR, if the entry is MODEL=DIR and `name` is MODEL/... or MODEL.I/...; else NULL. */
static const char *dir_of_model(const char *entry, const char *name)
{
    const char *equals = strchr(entry, '=');
    size_t n = equals ? (size_t)(equals - entry) : 0;
    if (n == 0 || !name || strncmp(entry, name, n) != 0)
        return NULL;
    if (name[n] == '.')
        n += 1 + strspn(name + n + 1, "0123456789");
    return name[n] == '/' ? equals + 1 : NULL;
}

static bool names_a_model(const struct io *io, const char *entry)
{
    for (size_t k = 0; k < io->n_inputs; k++)
        if (dir_of_model(entry, io->inputs[k].name))
            return true;
    for (size_t k = 0; k < io->n_outputs; k++)
        if (dir_of_model(entry, io->outputs[k].name))
            return true;
    return false;
}

/* How many ports of its model are in front of port k. */
static size_t place_in_model(const struct ports *p, size_t k)
{
    size_t n = strcspn(p->at[k].name, "/") + 1, place = 0;
    while (place < k && p->at[k - place - 1].name &&
           strncmp(p->at[k - place - 1].name, p->at[k].name, n) == 0)
        place++;
    return place;
}

/* Reads DIR/<what>_K.pb if it exists. */
static bool read_test_data(struct io *io, const struct ports *p, size_t k, const struct settings *s,
                           struct diag *d)
{
    for (size_t i = 0; i < s->test_data.n; i++) {
        const char *entry = s->test_data.at[i], *dir = dir_of_model(entry, p->at[k].name);
        if (!dir && names_a_model(io, entry))
            continue;
        size_t place = dir ? place_in_model(p, k) : k;
        const char *path =
            arena_printf(io->arena, "%s/%s_%zu.pb", dir ? dir : entry, p->what, place);
        if (access(path, F_OK) == 0)
            return read_values(io, &p->at[k], path, d);
    }
    return true;
}

static bool check_folders(const struct io *io, const struct settings *s, struct diag *d)
{
    struct stat st;
    for (size_t i = 0; i < s->test_data.n; i++) {
        const char *entry = s->test_data.at[i], *dir = entry;
        if (names_a_model(io, entry))
            dir = strchr(entry, '=') + 1;
        if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
            return diag_error(d, (struct loc){.file = dir}, DIAG_IO, "is not a directory");
    }
    return true;
}

/* ---- made up ---- */

/* random:SEED; false for ramp. */
static bool parse_fill(const char *fill, bool *out_random, uint64_t *out_seed, struct diag *d)
{
    static const char random[] = "random:";
    char *end = NULL;
    *out_random = strncmp(fill, random, sizeof random - 1) == 0;
    if (*out_random) {
        const char *digits = fill + sizeof random - 1;
        *out_seed = strtoull(digits, &end, 10);
        if (*digits >= '0' && *digits <= '9' && !*end)
            return true;
    } else if (strcmp(fill, "ramp") == 0) {
        return true;
    }
    return diag_error(d, nowhere(), DIAG_USAGE, "--input-fill: '%s' is none of ramp, random:SEED",
                      fill);
}

/* ramp: i / n; integers count up from 0 and wrap around. random: 24-bit fractions in [0, 1), or any
 * integers (of i64 those of 32 bits); another stream for each input. */
static double fill_value(enum ir_dtype dtype, bool random, uint64_t *seed, int64_t i, int64_t n)
{
    uint64_t bits = random ? random_next(seed) >> 8 : (uint64_t)i;
    switch (dtype) {
    case IR_U8: return (uint8_t)bits;
    case IR_I8: return (int8_t)bits;
    case IR_I32:
    case IR_I64: return (int32_t)bits;
    case IR_BOOL: return (uint8_t)(bits & 1);
    default: return random ? (double)(bits >> 32) * 0x1p-24 : (double)((float)i / (float)n);
    }
}

static bool fill_values(struct io_tensor *t, size_t k, const char *fill, struct diag *d)
{
    bool random;
    uint64_t seed = 0;
    if (!parse_fill(fill, &random, &seed, d))
        return false;
    int64_t n = ir_count(&t->type);
    seed = hash_bytes(&seed, sizeof seed, k);
    t->data = heap_alloc((size_t)n * ir_dtype_bytes(t->type.dtype));
    for (int64_t i = 0; i < n; i++)
        values_put(t->type.dtype, t->data, i, fill_value(t->type.dtype, random, &seed, i, n));
    return true;
}

static bool load_input(struct io *io, size_t k, const struct settings *s, struct diag *d)
{
    struct io_tensor *t = &io->inputs[k];
    if (!t->known)
        return true; /* neither the program nor the model reads it */
    if (k < s->inputs.n)
        return read_values(io, t, s->inputs.at[k], d);
    struct ports all = {"input", io->inputs, io->n_inputs};
    if (!read_test_data(io, &all, k, s, d))
        return false;
    if (t->data)
        return true;
    if (s->input_fill)
        return fill_values(t, k, s->input_fill, d);
    char type[200];
    return diag_error(
        d, nowhere(), DIAG_DATA,
        "input %zu '%s', %s, has no values; give --test-data, --input or --input-fill", k, t->name,
        ir_type_text(&t->type, type, sizeof type));
}

bool io_load_inputs(struct io *io, const struct settings *s, struct diag *d)
{
    bool ok = true;
    if (!check_folders(io, s, d))
        return false;
    if (s->inputs.n > io->n_inputs)
        return diag_error(d, nowhere(), DIAG_DATA,
                          "--input is given %zu times, there are %zu inputs", s->inputs.n,
                          io->n_inputs);
    for (size_t k = 0; k < io->n_inputs; k++)
        ok &= load_input(io, k, s, d);
    return ok;
}

bool io_load_references(struct io *io, const struct settings *s, struct diag *d)
{
    bool ok = true;
    struct ports all = {"output", io->references, io->n_outputs};
    for (size_t k = 0; k < io->n_outputs; k++) {
        ok &= !all.at[k].known || read_test_data(io, &all, k, s, d);
        io->references[k].given = io->references[k].data != NULL;
    }
    return ok;
}

void io_alloc_outputs(struct io *io)
{
    for (size_t k = 0; k < io->n_outputs; k++) {
        struct io_tensor *t = &io->outputs[k];
        t->data =
            heap_alloc((t->known ? (size_t)ir_count(&t->type) : 0) * ir_dtype_bytes(t->type.dtype));
    }
}

bool io_has_references(const struct io *io)
{
    for (size_t k = 0; k < io->n_outputs; k++) {
        if (io->outputs[k].known && !io->references[k].data)
            return false;
    }
    return true;
}

bool io_can_evaluate(const struct io *io)
{
    for (size_t i = 0; i < io->models.n; i++)
        if (!io->models.at[i].reference)
            return false;
    return io->models.n > 0;
}

/* `g` on the inputs from `first` on. */
static bool evaluate(const struct io *io, const struct ir_graph *g, size_t first,
                     struct tensor *outputs, size_t n_outputs, const struct eval_observer *observer,
                     struct diag *d)
{
    size_t n = io->n_inputs - first;
    struct tensor *in = ARENA_ARRAY(io->arena, struct tensor, n);
    for (size_t k = 0; k < n; k++)
        in[k] =
            (struct tensor){.type = io->inputs[first + k].type, .data = io->inputs[first + k].data};
    return eval_graph(g, in, n, outputs, n_outputs, observer, d);
}

bool io_evaluate(const struct io *io, const struct eval_observer *observer, struct tensor *outputs,
                 struct diag *d)
{
    const struct io_models *all = &io->models;
    memset(outputs, 0, io->n_outputs * sizeof *outputs);
    for (size_t i = 0; i < all->n; i++) {
        const struct io_model *m = &all->at[i];
        size_t end = i + 1 < all->n ? all->at[i + 1].first_output : io->n_outputs;
        if (!evaluate(io, m->reference, m->first_input, outputs + m->first_output,
                      end - m->first_output, observer, d))
            return false;
    }
    return true;
}

bool io_evaluate_references(struct io *io, const struct eval_observer *observer, struct diag *d)
{
    struct tensor *out = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    bool ok = io_evaluate(io, observer, out, d);
    for (size_t k = 0; k < io->n_outputs; k++) {
        if (!ok || io->references[k].data)
            tensor_free(&out[k]);
        else
            io->references[k].data = out[k].data;
    }
    return ok;
}

bool io_observe(const struct io *io, const struct ir_graph *g, const struct eval_observer *observer,
                struct diag *d)
{
    struct tensor *out = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    bool ok = evaluate(io, g, 0, out, io->n_outputs, observer, d);
    for (size_t k = 0; k < io->n_outputs && ok; k++)
        tensor_free(&out[k]);
    return ok;
}

bool io_save_outputs(const struct io *io, const char *dir, struct diag *d)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return diag_error(d, (struct loc){.file = dir}, DIAG_IO, "cannot make the folder: %s",
                          strerror(errno));
    bool ok = true;
    for (size_t k = 0; k < io->n_outputs; k++) {
        const char *path = arena_printf(io->arena, "%s/output_%zu.npy", dir, k);
        ok &= npy_write(path, &io->outputs[k].type, io->outputs[k].data, d);
    }
    return ok;
}

void io_free(struct io *io)
{
    for (size_t k = 0; k < io->n_inputs; k++)
        free(io->inputs[k].data);
    for (size_t k = 0; k < io->n_outputs; k++) {
        free(io->outputs[k].data);
        free(io->references[k].data);
    }
    arena_free(io->arena);
}
