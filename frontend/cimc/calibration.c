/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * calibration.c - reads the tensors of --calibrate.
 *
 * In: files and folders, each of which may be named for one input of the model. A folder has data
 * sets (test_data_set_K/input_I.pb), or is one, or holds nothing but the images of one input as
 * .npy and .pb files, which are taken by name. Out: the images of all inputs, in that order.
 */
#include "calibration.h"

#include "outputs.h"
#include "tensors.h"
#include "values.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t MOST_ELEMENTS = (int64_t)1 << 30; /* of all images, so 4 GiB */
enum { MOST_ELEMENT_BYTES = 8 };

typedef VEC(const void *) image_list;
struct reader {
    struct calibration *c;
    struct arena *arena;
    struct io_tensor *ports; /* the model's inputs */
    image_list *images;      /* of each */
    size_t n_ports;
    bool is_batch;
    int64_t n_elements;
    const struct cimc_options *writes;
    const char *option;
    struct diag *diag;
};

/* ---- files ---- */

static bool check_finite(const struct tensor *t, struct loc loc, struct diag *d)
{
    if (t->type.dtype != IR_F32)
        return true;
    for (int64_t i = 0, n = ir_count(&t->type); i < n; i++) {
        if (!isfinite(((const float *)t->data)[i]))
            return diag_error(d, loc, DIAG_DATA, "element %lld is not a finite number",
                              (long long)i);
    }
    return true;
}

static bool too_many(const struct reader *r, struct loc loc)
{
    return diag_error(r->diag, loc, DIAG_DATA,
                      "there are more than 2^30 elements to calibrate by; some tens of images do");
}

/* The buffer is the calibration's from here on. */
static bool take_images(struct reader *r, struct io_tensor *port, struct tensor *read,
                        struct loc loc)
{
    char have[200], want[200];
    int64_t n = io_frames_in(&read->type, &port->type, r->is_batch);
    int64_t all = r->n_elements + ir_count(&read->type);
    if (n <= 0)
        return diag_error(r->diag, loc, DIAG_DATA, "the tensor is %s, '%s' of the model is %s",
                          ir_type_text(&read->type, have, sizeof have), port->name,
                          ir_type_text(&port->type, want, sizeof want));
    if (all > MOST_ELEMENTS)
        return too_many(r, loc);
    if (!values_convert(read, (enum ir_dtype)port->type.dtype, port->scale, loc, r->diag) ||
        !check_finite(read, loc, r->diag))
        return false;
    size_t bytes = (size_t)ir_count(&port->type) * ir_dtype_bytes((enum ir_dtype)port->type.dtype);
    for (int64_t i = 0; i < n; i++)
        VEC_PUSH(&r->images[port - r->ports], (const char *)read->data + (size_t)i * bytes);
    VEC_PUSH(&r->c->buffers, read->data);
    read->data = NULL;
    r->n_elements = all;
    return true;
}

static bool read_file(struct reader *r, struct io_tensor *port, const char *path)
{
    struct loc loc = {.file = path};
    struct tensor read;
    struct stat st;
    if (!outputs_check_input(r->writes, path, r->diag))
        return false;
    if (stat(path, &st) == 0 && st.st_size / MOST_ELEMENT_BYTES > MOST_ELEMENTS)
        return too_many(r, loc); /* before all of it is in memory */
    if (!values_read(path, r->arena, r->diag, &read))
        return false;
    bool ok = take_images(r, port, &read, loc);
    tensor_free(&read);
    return ok;
}

/* Where only one input can be meant. */
static struct io_tensor *only_port(struct reader *r, const char *path)
{
    if (r->n_ports == 1)
        return &r->ports[0];
    diag_error(r->diag, (struct loc){.file = path}, DIAG_DATA,
               "the model has %zu inputs; --%s INPUT=PATH says which is meant, or a folder "
               "has test_data_set_K/input_I.pb",
               r->n_ports, r->option);
    return NULL;
}

/* ---- folders ---- */

typedef VEC(char *) name_list;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_folder(void *folder)
{
    closedir(folder);
}

static bool list_tensors(struct reader *r, const char *dir, name_list *out)
{
    struct hold *held = hold_new(close_folder);
    DIR *d = held->thing = opendir(dir);
    if (!d) {
        heap_free(held);
        return diag_error(r->diag, (struct loc){.file = dir}, DIAG_IO, "cannot read the folder: %s",
                          strerror(errno));
    }
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] != '.' && (ends_with(e->d_name, ".npy") || ends_with(e->d_name, ".pb")))
            VEC_PUSH(out, arena_printf(r->arena, "%s/%s", dir, e->d_name));
    }
    heap_free(held);
    closedir(d);
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_name);
    return out->n || diag_error(r->diag, (struct loc){.file = dir}, DIAG_DATA,
                                "the folder has neither test_data_set_0 nor .npy or .pb files");
}

/* All files of the folder, one after another. */
static bool read_list(struct reader *r, struct io_tensor *port, const char *dir)
{
    name_list files = {0};
    bool ok = list_tensors(r, dir, &files);
    if (ok && !port)
        ok = (port = only_port(r, dir)) != NULL;
    for (size_t i = 0; i < files.n && ok; i++)
        ok = read_file(r, port, files.at[i]);
    VEC_FREE(&files);
    return ok;
}

/* input_I.pb for each input, or the one that is meant. */
static bool read_set(struct reader *r, const struct io_tensor *only, const char *dir)
{
    for (size_t k = 0; k < r->n_ports; k++) {
        struct io_tensor *port = &r->ports[k];
        const char *path = arena_printf(r->arena, "%s/input_%zu.pb", dir, k);
        if ((only && only != port) || access(path, F_OK) != 0)
            continue; /* what lacks is told of all sets together */
        if (!read_file(r, port, path))
            return false;
    }
    return true;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool read_folder(struct reader *r, struct io_tensor *port, const char *dir)
{
    size_t i = 0;
    for (;; i++) {
        const char *set = arena_printf(r->arena, "%s/test_data_set_%zu", dir, i);
        if (!is_folder(set))
            break;
        if (!read_set(r, port, set))
            return false;
    }
    if (i > 0)
        return true;
    if (access(arena_printf(r->arena, "%s/input_0.pb", dir), F_OK) == 0)
        return read_set(r, port, dir);
    return read_list(r, port, dir);
}

/* ---- entries ---- */

/* PATH or INPUT=PATH. */
static bool read_entry(struct reader *r, const char *entry)
{
    const char *equals = strchr(entry, '='), *path = entry;
    struct io_tensor *port = NULL;
    for (size_t k = 0; k < r->n_ports && equals && !port; k++) {
        const char *name = r->ports[k].name;
        size_t n = strlen(name);
        if (!r->ports[k].known || strncmp(name, entry, n) != 0 || entry[n] != '=')
            continue;
        port = &r->ports[k];
        path = entry + n + 1;
    }
    if (is_folder(path))
        return read_folder(r, port, path);
    if (!port && equals && access(path, F_OK) != 0)
        return diag_error(r->diag, (struct loc){0}, DIAG_USAGE,
                          "--%s: '%s' is neither a file nor INPUT=PATH with an input of the "
                          "model",
                          r->option, entry);
    if (!port)
        port = only_port(r, path);
    return port && read_file(r, port, path);
}

/* ---- all together ---- */

static void list_ports(struct reader *r, const struct ir_graph *g)
{
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == IR_input)
            r->n_ports = (size_t)max_i64((int64_t)r->n_ports, op->attrs->input.index + 1);
    r->ports = ARENA_ARRAY(r->arena, struct io_tensor, r->n_ports);
    r->images = ARENA_ARRAY(r->arena, image_list, r->n_ports);
    for (size_t k = 0; k < r->n_ports; k++)
        r->ports[k].name = "";
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_input)
            continue;
        const struct ir_attrs_input *at = &op->attrs->input;
        struct io_tensor *port = &r->ports[at->index];
        enum ir_dtype dtype = at->dtype == IR_F16 ? IR_F32 : at->dtype;
        port->known = true;
        port->name = op->name;
        port->type = ir_type_of(dtype, at->shape.n, at->shape.at);
    }
}

static uint64_t hash_tensors(const struct pass_calibration *c)
{
    uint64_t hash = c->n_images;
    for (size_t i = 0; i < c->n_images * c->n_inputs; i++) {
        const struct tensor *t = &c->inputs[i];
        size_t bytes = (size_t)ir_count(&t->type) * ir_dtype_bytes((enum ir_dtype)t->type.dtype);
        hash = hash_bytes(&t->type.dtype, sizeof t->type.dtype, hash);
        hash = hash_bytes(t->type.dim, sizeof t->type.dim, hash);
        hash = t->data ? hash_bytes(t->data, bytes, hash) : hash;
    }
    return hash;
}

/* As many images of each input; of one that is given once it is the same in all. */
static bool join(struct reader *r)
{
    struct pass_calibration *all = &r->c->tensors;
    for (size_t k = 0; k < r->n_ports; k++)
        all->n_images = r->images[k].n > all->n_images ? r->images[k].n : all->n_images;
    for (size_t k = 0; k < r->n_ports; k++) {
        size_t n = r->images[k].n;
        if (r->ports[k].known && n != all->n_images && n != 1)
            return diag_error(r->diag, (struct loc){0}, DIAG_DATA,
                              "--%s: there are %zu images of input '%s', %zu of another", r->option,
                              n, r->ports[k].name, all->n_images);
    }
    if (all->n_images == 0)
        return diag_error(r->diag, (struct loc){0}, DIAG_DATA,
                          "--%s: the folders have no input_I.pb of the model's inputs", r->option);
    struct tensor *inputs = heap_alloc(all->n_images * r->n_ports * sizeof *inputs);
    for (size_t i = 0; i < all->n_images; i++) {
        for (size_t k = 0; k < r->n_ports; k++) {
            const image_list *p = &r->images[k];
            if (p->n)
                inputs[i * r->n_ports + k] = (struct tensor){
                    .type = r->ports[k].type, .data = (void *)p->at[p->n > 1 ? i : 0]};
        }
    }
    all->inputs = inputs;
    all->n_inputs = r->n_ports;
    all->hash = hash_tensors(all);
    return true;
}

bool calibration_read(struct calibration *c, const struct calibration_source *from,
                      const char *option, const struct cimc_strings *entries, struct diag *d)
{
    struct reader r = {.c = c,
                       .option = option,
                       .arena = arena_new(),
                       .is_batch = from->is_batch,
                       .writes = from->writes,
                       .diag = d};
    *c = (struct calibration){0};
    list_ports(&r, from->graph);
    bool ok = input_scales(from->settings, r.ports, r.n_ports, d);
    if (ok && r.n_ports == 0)
        ok = diag_error(d, (struct loc){0}, DIAG_DATA, "--%s: the model has no inputs", option);
    for (size_t i = 0; i < entries->n && ok; i++)
        ok = read_entry(&r, entries->at[i]);
    ok = ok && join(&r);
    for (size_t k = 0; k < r.n_ports; k++)
        VEC_FREE(&r.images[k]);
    arena_free(r.arena);
    return ok;
}

/* ---- options ---- */

/* "w4" or "a8" at *text; false if what follows the letter is no number of bits. */
static bool take_bits(const char **text, char letter, int64_t least, int64_t *out)
{
    if (**text != letter)
        return true;
    *out = (*text)[1] - '0';
    *text += *out >= least && *out <= 8 ? 2 : 0;
    return *out >= least && *out <= 8;
}

/* "LAYER=w4a8" */
static bool parse_override(const char *text, struct arena *a, struct quant_override *out,
                           struct diag *d)
{
    const char *equals = strrchr(text, '='), *at = equals ? equals + 1 : "";
    *out = (struct quant_override){
        .layer = arena_strndup(a, text, equals ? (size_t)(equals - text) : 0)};
    bool ok = *at && take_bits(&at, 'w', 2, &out->weight_bits) &&
              take_bits(&at, 'a', 4, &out->activation_bits);
    return (ok && !*at && *out->layer) ||
           diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "--layer: '%s' is not LAYER=wNaM with 2 to 8 bits of weights, 4 to 8 of what "
                      "they multiply",
                      text);
}

/* An option that says how a float model is quantised; NULL: none is given. */
static const char *given_option(const struct cimc_options *s)
{
    return s->weight_bits > 0          ? "weight-bits"
           : s->activation_bits > 0    ? "activation-bits"
           : s->rounding > 0           ? "rounding"
           : s->bias_correction        ? "bias-correction"
           : s->quantised_layers.n > 0 ? "layer"
                                       : NULL;
}

bool calibration_options(const struct cimc_options *s, const struct arch *machine, struct arena *a,
                         struct quant_options *out, struct diag *d)
{
    const char *given = s->calibrate.n ? NULL : given_option(s);
    if (given)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--%s: a float model is quantised by --calibrate, which is missing",
                          given);
    struct quant_override *layers = ARENA_ARRAY(a, struct quant_override, s->quantised_layers.n);
    for (size_t i = 0; i < s->quantised_layers.n; i++) {
        if (!parse_override(s->quantised_layers.at[i], a, &layers[i], d))
            return false;
    }
    int64_t own = min_i64(max_i64(machine->weight_bits, 2), 8);
    *out =
        (struct quant_options){.weight_bits = s->weight_bits > 0 ? s->weight_bits : own,
                               .activation_bits = s->activation_bits > 0 ? s->activation_bits : 8,
                               .rounding = (enum quant_rounding)s->rounding,
                               .bias_correction = s->bias_correction,
                               .layers = layers,
                               .n_layers = s->quantised_layers.n};
    return true;
}

void calibration_free(struct calibration *c)
{
    heap_free((void *)c->tensors.inputs);
    for (size_t i = 0; i < c->buffers.n; i++)
        heap_free(c->buffers.at[i]);
    VEC_FREE(&c->buffers);
    *c = (struct calibration){0};
}
