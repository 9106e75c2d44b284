/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * labels.c - `--labels FILE`: the right class of each frame, a number a line, and how many of them
 * the outputs have.
 *
 * A frame's class is the index of the largest element of output 0, of equal ones the first.
 */
#include "labels.h"

#include "values.h"

#include <ctype.h>

/* Classes are elements of one tensor in memory. */
static const long long MOST = 1ll << 31;

static bool wrong_line(const struct file *f, uint32_t line, struct diag *d)
{
    return diag_error(d, (struct loc){.file = f->path, .line = line}, DIAG_DATA,
                      "is not the number of a class");
}

static bool parse(const struct file *f, struct labels *out, struct diag *d)
{
    const char *at = (const char *)f->data, *end = f->size ? at + f->size : at;
    for (uint32_t line = 1; at < end; line++) {
        long long x = 0;
        const char *digits = at;
        while (at < end && isdigit((unsigned char)*at) && x < MOST)
            x = 10 * x + (*at++ - '0');
        bool ok = at > digits && x < MOST;
        while (at < end && (*at == ' ' || *at == '\r'))
            at++;
        if (!ok || (at < end && *at++ != '\n'))
            return wrong_line(f, line, d);
        VEC_PUSH(&out->of_frame, x);
    }
    return true;
}

static bool fit(const struct labels *l, const struct io *io, const char *path, struct diag *d)
{
    struct loc loc = {.file = path};
    if (io->n_outputs == 0 || !io->outputs[0].known || io->outputs[0].is_state)
        return diag_error(d, loc, DIAG_DATA, "output 0 has no class of each frame");
    if ((int64_t)l->of_frame.n != io->frames)
        return diag_error(d, loc, DIAG_DATA, "has %zu labels, the run %lld frame%s", l->of_frame.n,
                          (long long)io->frames, io->frames == 1 ? "" : "s");
    int64_t classes = ir_count(&io->outputs[0].type);
    for (size_t i = 0; i < l->of_frame.n; i++) {
        loc.line = (uint32_t)i + 1;
        if (l->of_frame.at[i] >= classes)
            return diag_error(d, loc, DIAG_DATA, "class %lld, output 0 has %lld elements",
                              (long long)l->of_frame.at[i], (long long)classes);
    }
    return true;
}

bool labels_read(struct labels *l, const char *path, const struct io *io, struct diag *d)
{
    struct file f;
    if (!file_open(path, io->arena, d, &f))
        return false;
    bool ok = parse(&f, l, d);
    file_close(&f);
    return ok && fit(l, io, path, d);
}

bool labels_take(struct labels *l, const int64_t *classes, size_t n, const struct io *io,
                 struct diag *d)
{
    for (size_t i = 0; i < n; i++) {
        if (classes[i] < 0)
            return diag_error(d, (struct loc){0}, DIAG_DATA, "label %zu is %lld", i,
                              (long long)classes[i]);
        VEC_PUSH(&l->of_frame, classes[i]);
    }
    return fit(l, io, NULL, d);
}

static int64_t class_of(const struct io_tensor *t, int64_t frame)
{
    int64_t best = 0, n = ir_count(&t->type);
    const void *x = io_frame(t, frame);
    for (int64_t i = 1; i < n; i++)
        if (values_at(t->type.dtype, x, i) > values_at(t->type.dtype, x, best))
            best = i;
    return best;
}

int64_t labels_right(const struct labels *l, const struct io *io)
{
    int64_t right = 0;
    for (size_t i = 0; i < l->of_frame.n; i++)
        right += class_of(&io->outputs[0], (int64_t)i) == l->of_frame.at[i];
    return right;
}

void labels_free(struct labels *l)
{
    VEC_FREE(&l->of_frame);
}
