/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
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
        diag_note(d, (struct loc){0}, "%s", assumed);
}

/* ---- frames ---- */

size_t io_frame_bytes(const struct io_tensor *t)
{
    return (size_t)ir_count(&t->type) * ir_dtype_bytes((enum ir_dtype)t->type.dtype);
}

size_t io_frame_offset(const struct io_tensor *t, int64_t frame)
{
    return t->is_state ? 0 : (size_t)frame * io_frame_bytes(t);
}

void *io_frame(const struct io_tensor *t, int64_t frame)
{
    return (char *)t->data + io_frame_offset(t, frame);
}

int64_t io_frames(const struct io *io, const struct io_tensor *t)
{
    return t->is_state ? 1 : io->frames;
}

int64_t io_frames_in(const struct ir_type *read, const struct ir_type *port, bool is_batch)
{
    bool along_first = port->rank > 0 && (is_batch || port->dim[0] == 1);
    bool joined = along_first && read->rank == port->rank;
    bool lacks_one = port->rank == read->rank + 1 && port->dim[0] == 1 &&
                     memcmp(read->dim, port->dim + 1, read->rank * sizeof *port->dim) == 0;
    if (same_shape(read, port) || lacks_one)
        return 1;
    if ((!joined && read->rank != port->rank + 1) ||
        memcmp(read->dim + 1, port->dim + joined, (read->rank - 1u) * sizeof *port->dim) != 0)
        return 0;
    if (!joined)
        return read->dim[0];
    return read->dim[0] % port->dim[0] == 0 ? read->dim[0] / port->dim[0] : 0;
}

/* Which frames of a file are the port's: `first`, and each `step` after it. */
struct part {
    int64_t first, step;
};

/* Behind the frames that are there. A file of one frame is every port's. */
static bool take_frames(struct io_tensor *t, const struct tensor *read, int64_t n, struct part part,
                        struct loc loc, struct diag *d)
{
    if (n > 1 && n % part.step != 0)
        return diag_error(d, loc, DIAG_DATA, "holds %lld frames; '%s' takes one of each %lld",
                          (long long)n, t->name, (long long)part.step);
    int64_t own = n > 1 ? n / part.step : 1;
    size_t bytes = io_frame_bytes(t);
    t->data = heap_realloc(t->data, (size_t)(t->frames + own) * bytes);
    for (int64_t i = 0; i < own; i++)
        memcpy((char *)t->data + (size_t)(t->frames + i) * bytes,
               (const char *)read->data + (size_t)(n > 1 ? part.first + i * part.step : 0) * bytes,
               bytes);
    t->frames += own;
    return true;
}

/* A picture of h x w x c, as most programs keep it, where the model reads c x h x w. */
static bool has_channels_last(const struct ir_type *read, const struct ir_type *port)
{
    if (read->rank < 3 || port->rank < 3)
        return false;
    const int64_t *hwc = read->dim + read->rank - 3, *chw = port->dim + port->rank - 3;
    return hwc[0] == chw[1] && hwc[1] == chw[2] && hwc[2] == chw[0];
}

static bool misfit(const struct io *io, const struct io_tensor *t, const struct ir_type *read,
                   struct loc loc, struct diag *d)
{
    char have[200], want[200];
    diag_error(d, loc, DIAG_DATA, "the tensor is %s, '%s' of the model is %s",
               ir_type_text(read, have, sizeof have), t->name,
               ir_type_text(&t->type, want, sizeof want));
    if (has_channels_last(read, &t->type))
        diag_note(d, loc, "it has the channels last; numpy.moveaxis(x, -1, -3) puts them first");
    note_assumed(io, t, d);
    return false;
}

/* Pixels of 0 to 255 make a network that was trained on 0 to 1 yield nonsense without a word. Said
 * of files: a caller of the library knows what it gives. */
static void note_bytes(const struct io_tensor *t, const struct ir_type *read, struct loc loc,
                       struct diag *d)
{
    if (loc.file && t->frames == 0 && read->dtype == IR_U8 && t->type.dtype == IR_F32 &&
        t->scale == 0)
        diag_note(
            d, loc,
            "bytes of a float input are taken as 0 to 255; --input-scale 1/255 makes them 0 to 1");
}

/* Frees what was read. */
static bool take_values(struct io *io, struct io_tensor *t, struct tensor *read, struct part part,
                        struct loc loc, struct diag *d)
{
    int64_t n = io_frames_in(&read->type, &t->type, t->images > 1);
    if (n > 0)
        note_bytes(t, &read->type, loc, d);
    bool ok = n > 0 ? values_convert(read, (enum ir_dtype)t->type.dtype, t->scale, loc, d) &&
                          take_frames(t, read, n, part, loc, d)
                    : misfit(io, t, &read->type, loc, d);
    tensor_free(read);
    return ok;
}

static bool read_values(struct io *io, struct io_tensor *t, const char *path, struct part part,
                        struct diag *d)
{
    struct tensor read;
    return values_read(path, io->arena, d, &read) &&
           take_values(io, t, &read, part, (struct loc){.file = path}, d);
}

/* Values of the caller's; `*taken` false: there are none for port k. */
static bool take_given(struct io *io, struct io_tensor *t, const struct tensor *all, size_t n,
                       size_t k, bool *taken, struct diag *d)
{
    *taken = k < n && all[k].data;
    if (!*taken)
        return true;
    struct tensor own = all[k];
    size_t bytes = (size_t)ir_count(&own.type) * ir_dtype_bytes((enum ir_dtype)own.type.dtype);
    own.data = memcpy(heap_alloc(bytes), all[k].data, bytes);
    return take_values(io, t, &own, (struct part){0, 1}, (struct loc){0}, d);
}

/* One frame becomes those of all. */
static void repeat(struct io_tensor *t, int64_t frames)
{
    size_t bytes = io_frame_bytes(t);
    char *all = heap_alloc((size_t)frames * bytes);
    for (int64_t i = 0; i < frames; i++)
        memcpy(all + (size_t)i * bytes, t->data, bytes);
    heap_free(t->data);
    t->data = all;
    t->frames = frames;
}

/* `what`: "input". */
static bool fit_frames(const struct io *io, struct io_tensor *t, const char *what, struct diag *d)
{
    int64_t frames = io_frames(io, t);
    if (t->data && t->frames == 1 && frames > 1)
        repeat(t, frames);
    if (!t->data || t->frames == frames)
        return true;
    return t->is_state
               ? diag_error(d, (struct loc){0}, DIAG_DATA,
                            "%s '%s' has %lld frames; a state has one value", what, t->name,
                            (long long)t->frames)
               : diag_error(d, (struct loc){0}, DIAG_DATA, "%s '%s' has %lld frames, the run %lld",
                            what, t->name, (long long)t->frames, (long long)frames);
}

/* What one array in memory may hold. */
static bool check_size(const struct io *io, const struct io_tensor *t, struct diag *d)
{
    static const int64_t most = (int64_t)1 << 31;
    return !t->known || ir_count(&t->type) <= most / io_frames(io, t) ||
           diag_error(d, (struct loc){0}, DIAG_DATA,
                      "%lld frames of '%s' are more than 2^31 elements", (long long)io->frames,
                      t->name);
}

void io_settle_frames(struct io *io, const struct cimc_options *s)
{
    int64_t given = 0;
    for (size_t k = 0; k < io->n_inputs && given < 2; k++)
        given = io->inputs[k].frames;
    if (s->frames > 0 || given > 1)
        io->frames = s->frames > 0 ? s->frames : given;
}

struct ir_type io_type_of_all(const struct io *io, const struct io_tensor *t)
{
    struct ir_type all = t->type;
    int64_t frames = io_frames(io, t);
    if (frames == 1)
        return all;
    if (all.rank == 0)
        return ir_type_of((enum ir_dtype)all.dtype, 1, &frames);
    all.dim[0] *= frames;
    return all;
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

/* Of MODEL.I/...: I, and how many of MODEL there are; of other names the whole file. */
static struct part part_of(const struct ports *p, size_t k, size_t model)
{
    const char *name = p->at[k].name;
    struct part part = {0, 1};
    if (name[model] != '.')
        return part;
    part.first = strtoll(name + model + 1, NULL, 10);
    for (size_t i = 0; i < p->n; i++) {
        const char *other = p->at[i].name;
        if (other && strncmp(other, name, model + 1) == 0)
            part.step = max_i64(part.step, strtoll(other + model + 1, NULL, 10) + 1);
    }
    return part;
}

/* Reads DIR/<what>_K.pb if it exists, else those of DIR/test_data_set_0, _1 ..., a frame each. */
static bool read_folder(struct io *io, struct io_tensor *t, const char *dir, const char *file,
                        struct part part, const struct cimc_options *s, struct diag *d)
{
    const char *path = arena_printf(io->arena, "%s/%s", dir, file);
    if (access(path, F_OK) == 0)
        return read_values(io, t, path, part, d);
    struct part whole = {0, 1};
    for (int64_t i = 0; s->frames == 0 || i < s->frames * part.step; i++) {
        path = arena_printf(io->arena, "%s/test_data_set_%lld/%s", dir, (long long)i, file);
        if (access(path, F_OK) != 0)
            break;
        if (i % part.step == part.first && !read_values(io, t, path, whole, d))
            return false;
    }
    return true;
}

static bool read_test_data(struct io *io, const struct ports *p, size_t k,
                           const struct cimc_options *s, struct diag *d)
{
    for (size_t i = 0; i < s->test_data.n; i++) {
        const char *entry = s->test_data.at[i], *dir = dir_of_model(entry, p->at[k].name);
        if (!dir && names_a_model(io, entry))
            continue;
        size_t place = dir ? place_in_model(p, k) : k;
        struct part part = dir ? part_of(p, k, (size_t)(dir - entry) - 1) : (struct part){0, 1};
        const char *file = arena_printf(io->arena, "%s_%zu.pb", p->what, place);
        if (!read_folder(io, &p->at[k], dir ? dir : entry, file, part, s, d))
            return false;
        if (p->at[k].data)
            return true;
    }
    return true;
}

static bool check_folders(const struct io *io, const struct cimc_options *s, struct diag *d)
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
        errno = 0;
        *out_seed = strtoull(digits, &end, 10);
        if (*digits >= '0' && *digits <= '9' && !*end && !errno)
            return true;
    } else if (strcmp(fill, "ramp") == 0) {
        return true;
    }
    return diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "--input-fill: '%s' is none of ramp, random:SEED", fill);
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

/* One tensor of all frames. */
static bool fill_values(const struct io *io, struct io_tensor *t, size_t k, const char *fill,
                        struct diag *d)
{
    bool random;
    uint64_t seed = 0;
    if (!parse_fill(fill, &random, &seed, d))
        return false;
    int64_t n = ir_count(&t->type) * io_frames(io, t);
    seed = hash_bytes(&seed, sizeof seed, k);
    t->data = heap_alloc((size_t)n * ir_dtype_bytes(t->type.dtype));
    t->frames = io_frames(io, t);
    for (int64_t i = 0; i < n; i++)
        values_put(t->type.dtype, t->data, i, fill_value(t->type.dtype, random, &seed, i, n));
    return true;
}

/* From files. */
static bool load_input(struct io *io, size_t k, const struct cimc_options *s, struct diag *d)
{
    struct io_tensor *t = &io->inputs[k];
    struct ports all = {"input", io->inputs, io->n_inputs};
    if (!t->known)
        return true; /* neither the program nor the model reads it */
    bool taken;
    if (!take_given(io, t, io->given.inputs, io->given.n_inputs, k, &taken, d) || taken)
        return taken;
    if (k < s->inputs.n)
        return read_values(io, t, s->inputs.at[k], (struct part){0, 1}, d);
    return read_test_data(io, &all, k, s, d);
}

/* With values for all frames. */
static bool complete_input(struct io *io, size_t k, const struct cimc_options *s, struct diag *d)
{
    struct io_tensor *t = &io->inputs[k];
    char type[200];
    if (!t->known || t->data)
        return fit_frames(io, t, "input", d);
    if (s->input_fill)
        return fill_values(io, t, k, s->input_fill, d);
    if (t->state) { /* begins with zeros */
        t->data = heap_alloc(io_frame_bytes(t));
        t->frames = 1;
        return true;
    }
    return diag_error(
        d, (struct loc){0}, DIAG_DATA,
        "input %zu '%s', %s, has no values; give --test-data, --input or --input-fill", k, t->name,
        ir_type_text(&t->type, type, sizeof type));
}

bool io_load_inputs(struct io *io, const struct cimc_options *s, struct diag *d)
{
    bool ok = true;
    if (!check_folders(io, s, d))
        return false;
    if (s->inputs.n > io->n_inputs)
        return diag_error(d, (struct loc){0}, DIAG_DATA,
                          "--input is given %zu times, there are %zu inputs", s->inputs.n,
                          io->n_inputs);
    if (io->given.n_inputs > io->n_inputs)
        return diag_error(d, (struct loc){0}, DIAG_DATA, "%zu inputs are given, there are %zu",
                          io->given.n_inputs, io->n_inputs);
    if (!input_scales(s, io->inputs, io->n_inputs, d))
        return false;
    for (size_t k = 0; k < io->n_inputs; k++)
        ok &= load_input(io, k, s, d);
    if (!ok)
        return false;
    io_settle_frames(io, s);
    for (size_t k = 0; k < io->n_inputs; k++)
        ok &= check_size(io, &io->inputs[k], d) && complete_input(io, k, s, d);
    for (size_t k = 0; k < io->n_outputs; k++)
        ok &= check_size(io, &io->outputs[k], d);
    return ok;
}

static bool load_reference(struct io *io, const struct ports *all, size_t k,
                           const struct cimc_options *s, struct diag *d)
{
    bool taken;
    const struct io_given *g = &io->given;
    return take_given(io, &all->at[k], g->expected, g->n_expected, k, &taken, d) &&
           (taken || read_test_data(io, all, k, s, d));
}

bool io_load_references(struct io *io, const struct cimc_options *s, struct diag *d)
{
    bool ok = true;
    struct ports all = {"output", io->references, io->n_outputs};
    if (io->given.n_expected > io->n_outputs)
        return diag_error(d, (struct loc){0}, DIAG_DATA,
                          "%zu expected outputs are given, there are %zu", io->given.n_expected,
                          io->n_outputs);
    for (size_t k = 0; k < io->n_outputs; k++) {
        struct io_tensor *t = &io->references[k];
        ok &= !t->known ||
              (load_reference(io, &all, k, s, d) && fit_frames(io, t, "expected output", d));
        t->given = t->data != NULL;
    }
    return ok;
}

void io_free(struct io *io)
{
    for (size_t k = 0; k < io->n_inputs; k++)
        heap_free(io->inputs[k].data);
    for (size_t k = 0; k < io->n_outputs; k++) {
        heap_free(io->outputs[k].data);
        heap_free(io->references[k].data);
    }
    arena_free(io->arena);
}
