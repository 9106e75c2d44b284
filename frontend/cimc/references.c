/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * references.c - what the models say that their outputs should be, frame by frame, and outputs as
 * files.
 *
 * A model whose file has a batch takes so many frames at once; where there are fewer left, the last
 * one stands in for the rest. An input that is a state is what the frame before made of it.
 */
#include "tensors.h"
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool io_can_evaluate(const struct io *io)
{
    for (size_t i = 0; i < io->models.n; i++)
        if (!io->models.at[i].reference)
            return false;
    return io->models.n > 0;
}

/* The frames from `first` on as the graph takes them; `own` gets memory where they are copied. */
static struct tensor frames_of(const struct io *io, const struct io_tensor *t, int64_t first,
                               int64_t images, void **own)
{
    struct tensor x = {.type = t->type, .data = t->data ? io_frame(t, first) : NULL};
    size_t bytes = io_frame_bytes(t);
    if (images == 1 || t->images == 1 || !t->data)
        return x;
    x.type.dim[0] *= images;
    if (first + images <= io->frames)
        return x;
    x.data = *own = heap_alloc((size_t)images * bytes);
    for (int64_t i = 0; i < images; i++)
        memcpy((char *)x.data + (size_t)i * bytes, io_frame(t, min_i64(first + i, io->frames - 1)),
               bytes);
    return x;
}

/* What is evaluated: a graph whose inputs are those from `first_input` on, on `images` frames. */
struct evaluation {
    const struct ir_graph *graph;
    size_t first_input, first_output, n_outputs;
    int64_t images, frame;
    const struct tensor *before; /* the outputs of the frame before; NULL: of the first */
    const struct eval_observer *observer;
};

static bool evaluate(const struct io *io, const struct evaluation *e, struct tensor *outputs,
                     struct diag *d)
{
    size_t n = io->n_inputs - e->first_input;
    struct tensor *in = heap_alloc(n * sizeof *in);
    void **own = heap_alloc(n * sizeof *own);
    for (size_t k = 0; k < n; k++) {
        const struct io_tensor *t = &io->inputs[e->first_input + k];
        in[k] = frames_of(io, t, e->frame, e->images, &own[k]);
        /* of this model: the inputs of those behind it are here, too */
        if (t->state && e->before && t->state - 1 - e->first_output < e->n_outputs)
            in[k].data = e->before[t->state - 1 - e->first_output].data;
    }
    bool ok = eval_graph(e->graph, in, n, outputs, e->n_outputs, e->observer, d);
    for (size_t k = 0; k < n; k++)
        heap_free(own[k]);
    heap_free(own);
    heap_free(in);
    return ok;
}

/* Into the outputs of all frames, which are made with the first. */
static void keep_frames(const struct io *io, const struct evaluation *e, const struct tensor *of,
                        struct tensor *outputs)
{
    for (size_t k = 0; k < e->n_outputs; k++) {
        const struct io_tensor *t = &io->outputs[e->first_output + k];
        struct tensor *to = &outputs[e->first_output + k];
        size_t bytes = io_frame_bytes(t);
        if (!to->data)
            *to = (struct tensor){.type = t->type,
                                  .data = heap_alloc((size_t)io_frames(io, t) * bytes)};
        memcpy((char *)to->data + io_frame_offset(t, e->frame), of[k].data,
               (size_t)min_i64(e->images, io->frames - e->frame) * bytes);
    }
}

static void free_all(struct tensor *t, size_t n)
{
    for (size_t k = 0; k < n; k++)
        tensor_free(&t[k]);
}

/* All frames of it. */
static bool evaluate_frames(const struct io *io, struct evaluation e, struct tensor *outputs,
                            struct diag *d)
{
    struct tensor *of = heap_alloc(2 * e.n_outputs * sizeof *of); /* of two frames */
    bool ok = true;
    for (; e.frame < io->frames && ok; e.frame += e.images) {
        struct tensor *now = e.before == of ? of + e.n_outputs : of;
        free_all(now, e.n_outputs);
        ok = evaluate(io, &e, now, d);
        if (ok)
            keep_frames(io, &e, now, outputs);
        e.before = now;
    }
    free_all(of, 2 * e.n_outputs);
    heap_free(of);
    return ok;
}

static bool evaluate_model(const struct io *io, size_t i, const struct eval_observer *observer,
                           struct tensor *outputs, struct diag *d)
{
    const struct io_models *all = &io->models;
    const struct io_model *m = &all->at[i];
    size_t end = i + 1 < all->n ? all->at[i + 1].first_output : io->n_outputs;
    struct evaluation e = {.graph = m->reference,
                           .first_input = m->first_input,
                           .first_output = m->first_output,
                           .n_outputs = end - m->first_output,
                           .images = max_i64(m->reference_images, 1),
                           .observer = observer};
    return evaluate_frames(io, e, outputs, d);
}

bool io_evaluate(const struct io *io, const struct eval_observer *observer, struct tensor *outputs,
                 struct diag *d)
{
    for (size_t k = 0; k < io->n_outputs; k++)
        outputs[k] = (struct tensor){0};
    if (io->models.joined) {
        struct evaluation e = {.graph = io->models.joined,
                               .n_outputs = io->n_outputs,
                               .images = 1,
                               .observer = observer};
        return evaluate_frames(io, e, outputs, d);
    }
    for (size_t i = 0; i < io->models.n; i++)
        if (!evaluate_model(io, i, observer, outputs, d))
            return false;
    return true;
}

bool io_evaluate_references(struct io *io, const struct eval_observer *observer, struct diag *d)
{
    struct tensor *out = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    bool ok = io_evaluate(io, observer, out, d);
    for (size_t k = 0; k < io->n_outputs; k++) {
        struct io_tensor *t = &io->references[k];
        if (!ok || t->data) {
            tensor_free(&out[k]);
            continue;
        }
        t->data = out[k].data;
        t->frames = io_frames(io, t);
    }
    return ok;
}

bool io_observe(const struct io *io, const struct ir_graph *g, const struct eval_observer *observer,
                struct diag *d)
{
    struct tensor *out = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    struct evaluation e = {
        .graph = g, .n_outputs = io->n_outputs, .images = 1, .observer = observer};
    bool ok = evaluate(io, &e, out, d);
    for (size_t k = 0; k < io->n_outputs && ok; k++)
        tensor_free(&out[k]);
    return ok;
}

bool io_has_references(const struct io *io)
{
    for (size_t k = 0; k < io->n_outputs; k++) {
        if (io->outputs[k].known && !io->references[k].data)
            return false;
    }
    return true;
}

void io_alloc_outputs(struct io *io)
{
    for (size_t k = 0; k < io->n_outputs; k++) {
        struct io_tensor *t = &io->outputs[k];
        t->frames = io_frames(io, t);
        t->data = t->known ? heap_alloc((size_t)t->frames * io_frame_bytes(t)) : NULL;
    }
}

bool io_save_outputs(const struct io *io, const char *dir, struct diag *d)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return diag_error(d, (struct loc){.file = dir}, DIAG_IO, "cannot make the folder: %s",
                          strerror(errno));
    bool ok = true;
    for (size_t k = 0; k < io->n_outputs; k++) {
        if (!io->outputs[k].known)
            continue;
        const char *path = arena_printf(io->arena, "%s/output_%zu.npy", dir, k);
        struct ir_type type = io_type_of_all(io, &io->outputs[k]);
        ok &= values_write_npy(path, &type, io->outputs[k].data, d);
    }
    return ok;
}
