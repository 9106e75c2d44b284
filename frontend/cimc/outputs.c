/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * outputs.c - the files that a command is to write: none may be one that it reads, nor be written
 * twice.
 *
 * In: settings, before anything is read. Out: a usage error that names both.
 */
#include "outputs.h"

#include "diff.h"
#include "models.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_OUTPUTS = 11, MOST_LINKS = 40 };
struct named_output {
    const char *what, *path; /* path NULL: not asked for */
};

static void list_outputs(const struct cimc_options *s, struct named_output out[N_OUTPUTS])
{
    const struct named_output all[N_OUTPUTS] = {
        {"output", s->output},         {"report", s->report},   {"schedule", s->schedule_out},
        {"picture", s->schedule_svg},  {"trace", s->trace},     {"duplication problem", s->lp_file},
        {"list of times", s->times},   {"plan", s->print_plan}, {"JSON", s->json ? "-" : NULL},
        {"time trace", s->time_trace}, {"table", s->csv}};
    memcpy(out, all, sizeof all);
}

bool outputs_wanted(const struct cimc_options *s)
{
    struct named_output out[N_OUTPUTS];
    bool found = false;
    list_outputs(s, out);
    for (size_t i = 0; i < N_OUTPUTS; i++)
        found |= out[i].path != NULL;
    return found;
}

bool outputs_to_stdout(const struct cimc_options *s)
{
    struct cimc_options files = *s;
    struct named_output out[N_OUTPUTS];
    bool found = false;
    files.json = false;
    list_outputs(&files, out);
    for (size_t i = 0; i < N_OUTPUTS; i++)
        found |= out[i].path && strcmp(out[i].path, "-") == 0;
    return found;
}

void outputs_report(const struct cimc_options *s, FILE *to)
{
    struct named_output out[N_OUTPUTS];
    const char *before = "wrote ";
    list_outputs(s, out);
    for (size_t i = 0; i < N_OUTPUTS; i++) {
        if (!out[i].path || strcmp(out[i].path, "-") == 0)
            continue;
        fputs(before, to);
        print_plain(out[i].path, to);
        before = ", ";
    }
    if (*before == ',')
        fputc('\n', to);
}

/* The folder of `path` that is there, and how the file in it is called; where a link leads is what
 * would be written. False: there is no such folder. */
static bool place_of(const char *path, struct stat *folder, char name[PATH_MAX])
{
    char at[PATH_MAX], to[PATH_MAX];
    if (snprintf(at, sizeof at, "%s", path) >= (int)sizeof at)
        return false;
    for (int links = 0; links < MOST_LINKS; links++) {
        char *slash = strrchr(at, '/');
        snprintf(name, PATH_MAX, "%s", slash ? slash + 1 : at);
        ssize_t n = readlink(at, to, sizeof to - 1);
        if (n < 0) {
            if (slash)
                slash[1] = 0;
            return stat(slash ? at : ".", folder) == 0;
        }
        to[n] = 0;
        size_t kept = slash && *to != '/' ? (size_t)(slash + 1 - at) : 0;
        if (kept + (size_t)n >= sizeof at)
            return false;
        memcpy(at + kept, to, (size_t)n + 1);
    }
    return false;
}

static bool is_same(const struct stat *x, const struct stat *y)
{
    return x->st_dev == y->st_dev && x->st_ino == y->st_ino;
}

/* Neither is there yet: both would be made in one folder under one name. */
static bool same_place(const char *a, const char *b)
{
    struct stat x, y;
    char first[PATH_MAX], second[PATH_MAX];
    return strcmp(a, b) == 0 || (place_of(a, &x, first) && place_of(b, &y, second) &&
                                 is_same(&x, &y) && strcmp(first, second) == 0);
}

/* One file would be written twice; a device may take anything. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return strcmp(a, b) == 0;
    if (stat(a, &x) != 0 || stat(b, &y) != 0)
        return same_place(a, b);
    return S_ISREG(x.st_mode) && is_same(&x, &y);
}

/* `folder` is there and holds the file, at any depth. */
static bool lies_in(const char *file, const char *folder)
{
    char inner[PATH_MAX], outer[PATH_MAX];
    struct stat st;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || !realpath(folder, outer) ||
        !realpath(file, inner))
        return false;
    size_t n = strlen(outer);
    return strncmp(inner, outer, n) == 0 && inner[n] == '/';
}

/* ---- what is read ---- */

typedef VEC(const char *) path_list;

/* DIR/<what>_0<ending>, DIR/<what>_1<ending> ... that are there. */
static void add_numbered(const char *dir, const char *what, const char *ending, struct arena *a,
                         path_list *paths)
{
    struct stat st;
    for (unsigned k = 0; dir; k++) {
        const char *path = arena_printf(a, "%s/%s_%u%s", dir, what, k, ending);
        if (stat(path, &st) != 0)
            return;
        VEC_PUSH(paths, path);
    }
}

static void list_inputs(const struct cimc_options *s, const struct cimc_strings *operands,
                        struct arena *a, path_list *paths)
{
    const char *against = s->against ? diff_file(s->against, a) : NULL;
    const char *single[] = {s->arch, s->report_arch, s->program, against, s->labels};
    for (size_t i = 0; i < operands->n; i++)
        VEC_PUSH(paths, models_file(operands->at[i]));
    for (size_t i = 0; i < s->models.n; i++)
        VEC_PUSH(paths, models_file(s->models.at[i]));
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (single[i])
            VEC_PUSH(paths, single[i]);
    }
    for (size_t i = 0; i < s->inputs.n; i++)
        VEC_PUSH(paths, s->inputs.at[i]);
    for (size_t i = 0; i < s->mapping_files.n; i++)
        VEC_PUSH(paths, s->mapping_files.at[i]);
    for (size_t i = 0; i < s->constants.n; i++) {
        const char *file = strchr(s->constants.at[i], '=');
        if (file)
            VEC_PUSH(paths, file + 1);
    }
    for (size_t i = 0; i < s->test_data.n; i++) {
        add_numbered(models_file(s->test_data.at[i]), "input", ".pb", a, paths);
        add_numbered(models_file(s->test_data.at[i]), "output", ".pb", a, paths);
    }
}

/* Only --force replaces a folder that is there. */
static bool replaces(const struct cimc_options *s, const struct named_output *out,
                     const char *input, struct diag *d)
{
    if (strcmp(input, "-") == 0 ||
        (!same_file(input, out->path) && !(s->force && lies_in(input, out->path))))
        return false;
    diag_error(d, (struct loc){0}, DIAG_USAGE, "the %s would replace the input '%s'", out->what,
               input);
    return true;
}

bool outputs_check_input(const struct cimc_options *s, const char *input, struct diag *d)
{
    struct named_output out[N_OUTPUTS];
    struct arena *a = arena_new();
    path_list saved = {0};
    bool ok = true;
    list_outputs(s, out);
    add_numbered(s->save_outputs, "output", ".npy", a, &saved);
    for (size_t k = 0; k < N_OUTPUTS && ok; k++)
        ok = !out[k].path || !replaces(s, &out[k], input, d);
    for (size_t k = 0; k < saved.n && ok; k++)
        ok = !replaces(s, &(struct named_output){"saved output", saved.at[k]}, input, d);
    VEC_FREE(&saved);
    arena_free(a);
    return ok;
}

static bool check_inputs(const struct cimc_options *s, const struct cimc_strings *operands,
                         struct diag *d)
{
    struct arena *a = arena_new();
    path_list inputs = {0};
    bool ok = true;
    list_inputs(s, operands, a, &inputs);
    for (size_t i = 0; i < inputs.n && ok; i++)
        ok = outputs_check_input(s, inputs.at[i], d);
    VEC_FREE(&inputs);
    arena_free(a);
    return ok;
}

bool outputs_check(const struct cimc_options *s, const struct cimc_strings *operands,
                   struct diag *d)
{
    struct named_output out[N_OUTPUTS];
    bool ok = check_inputs(s, operands, d);
    list_outputs(s, out);
    for (size_t i = 0; i < N_OUTPUTS && ok; i++) {
        for (size_t k = 0; out[i].path && k < i; k++) {
            bool is_stdout = strcmp(out[i].path, "-") == 0;
            if (out[k].path && same_file(out[k].path, out[i].path))
                return diag_error(d, (struct loc){0}, DIAG_USAGE, "%s and %s cannot both go to %s",
                                  out[k].what, out[i].what,
                                  is_stdout ? "standard output" : out[i].path);
        }
    }
    return ok;
}
