/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sweep_files.c - the files that a sweep reads, wherever they are named: of models what they hold;
 * all can be read again for each point, and none is written.
 */
#include "sweep.h"

#include "mapping_file.h"
#include "models.h"
#include "outputs.h"

#include <string.h>
#include <sys/stat.h>

/* ---- can they be read ---- */

static bool lasts(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 &&
           (stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* What is not there is told where it is read. */
static bool check(const char *path, bool again, const struct cimc_options *o, struct diag *d)
{
    if (again && !lasts(path))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "'%s' cannot be read again for each point: a sweep reads files", path);
    return outputs_check_input(o, path, d);
}

/* Each is FILE or INPUT=FILE, and names of inputs are any: every end behind a '=' may be it. */
static bool check_all(const struct cimc_strings *texts, bool again, const struct cimc_options *o,
                      struct diag *d)
{
    bool ok = true;
    for (size_t i = 0; ok && i < texts->n; i++) {
        const char *path = texts->at[i], *equals;
        ok = check(path, again, o, d);
        for (; ok && (equals = strchr(path, '=')); path = equals + 1)
            ok = check(equals + 1, again, o, d);
    }
    return ok;
}

static bool check_machine(const char *machine, const struct cimc_options *o, struct diag *d)
{
    for (const char *const *name = arch_presets(); machine && *name; name++) {
        if (strcmp(*name, machine) == 0)
            return true;
    }
    return !machine || check(machine, true, o, d);
}

static bool check_value(const struct sweep_axis *axis, const struct sweep_value *v,
                        const struct cimc_options *o, struct diag *d)
{
    if (!axis->option)
        return check(models_file(v->label), true, o, d);
    if (strcmp(axis->name, "arch") == 0)
        return check_machine(v->label, o, d);
    if (mapping_is_file(axis->option, v->label)) /* which was read, for all points */
        return outputs_check_input(o, v->label + 1, d);
    return strcmp(axis->name, "calibrate") != 0 || check_all(&v->texts, true, o, d);
}

bool sweep_files_check(const struct sweep_plan *p, const struct cimc_options *o, struct diag *d)
{
    bool several = p->axes.at[0].values.n > 1; /* models; constants are read with theirs */
    bool ok = check_machine(p->options.arch, o, d) &&
              check_all(&p->options.calibrate, true, o, d) &&
              check_all(&p->options.constants, several, o, d);
    for (size_t i = 0; i < p->axes.n; i++) {
        const struct sweep_axis *axis = &p->axes.at[i];
        for (size_t k = 0; ok && k < axis->values.n; k++)
            ok = check_value(axis, &axis->values.at[k], o, d);
    }
    return ok;
}

/* ---- what models hold ---- */

/* Piece by piece, so that no more of it than that is in memory. */
static uint64_t hash_file(const struct file *f)
{
    static const size_t piece = (size_t)4 << 20;
    uint64_t hash = f->size;
    for (size_t at = 0; at < f->size; at += piece) {
        size_t n = f->size - at < piece ? f->size - at : piece;
        hash = hash_bytes(f->data + at, n, hash);
        file_forget(f, f->data + at, n);
    }
    return hash;
}

bool sweep_models_hash(const struct sweep_plan *p, uint64_t **out, struct diag *d)
{
    const struct sweep_axis *models = &p->axes.at[0];
    *out = ARENA_ARRAY(p->arena, uint64_t, models->values.n);
    for (size_t i = 0; i < models->values.n; i++) {
        const char *label = models->values.at[i].label, *path = models_file(label);
        struct file f;
        if (!file_open(path, p->arena, d, &f))
            return false;
        (*out)[i] = hash_file(&f);
        if (path > label) /* layers are called by the name, too */
            (*out)[i] = hash_bytes(label, (size_t)(path - label), (*out)[i]);
        file_close(&f);
    }
    return true;
}
