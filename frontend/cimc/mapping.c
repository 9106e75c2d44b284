/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mapping.c - options about the mapping that are more than one value: fixed copies and patches, and
 * the best of a grid of cuts and set shapes.
 *
 * `--set best` schedules every member of the grid without emission and takes the least makespan;
 * of equals the coarsest sets, then the first cut. The program records the choice, not the word
 * `best`, so running its passes again needs no search.
 */
#include "mapping.h"

#include <stdlib.h>
#include <string.h>

/* ---- --copies ---- */

/* Digits up to a comma or the end: where an entry LAYER=N ends; NULL if it does not. */
static const char *end_of_count(const char *digits)
{
    const char *end = digits + strspn(digits, "0123456789");
    return end > digits && (!*end || (*end == ',' && end[1])) ? end : NULL;
}

/* LAYER=N, where a layer's name may hold '=' and ','. Returns what follows, NULL if there is none.
 */
static const char *parse_entry(const char *at, struct arena *a, struct dup_fixed *out)
{
    for (const char *equals = at; (equals = strchr(equals, '=')) != NULL; equals++) {
        const char *end = end_of_count(equals + 1);
        if (!end || equals == at || end - equals > 18)
            continue;
        *out = (struct dup_fixed){.layer = arena_strndup(a, at, (size_t)(equals - at)),
                                  .copies = strtoll(equals + 1, NULL, 10)};
        return *end ? end + 1 : end;
    }
    return NULL;
}

bool mapping_parse_copies(const char *text, struct arena *a, struct dup_options *out,
                          struct diag *d)
{
    VEC(struct dup_fixed) fixed = {0};
    const char *at = text;
    struct dup_fixed one;
    do {
        at = parse_entry(at, a, &one);
        if (at)
            VEC_PUSH(&fixed, one);
    } while (at && *at);
    if (at) {
        struct dup_fixed *kept = ARENA_ARRAY(a, struct dup_fixed, fixed.n);
        memcpy(kept, fixed.at, fixed.n * sizeof *kept);
        out->fixed = kept;
        out->n_fixed = fixed.n;
    }
    VEC_FREE(&fixed);
    return at || diag_error(d, (struct loc){0}, DIAG_USAGE,
                            "--copies: '%s' is not LAYER=N,LAYER=N,...", text);
}

/* ---- --patch ---- */

/* Digits, to *end; -1 where there are none, or too many. */
static int64_t parse_extent(const char *at, const char **end)
{
    size_t n = strspn(at, "0123456789");
    *end = at + n;
    return n > 0 && n <= 18 ? strtoll(at, NULL, 10) : -1;
}

/* LAYER=AxB, where a layer's name may hold '='. */
static bool parse_patch(const char *text, struct arena *a, struct dup_patch *out)
{
    const char *equals = strrchr(text, '='), *end = text;
    if (!equals || equals == text)
        return false;
    out->layer = arena_strndup(a, text, (size_t)(equals - text));
    out->patch[0] = parse_extent(equals + 1, &end);
    if (*end != 'x')
        return false;
    out->patch[1] = parse_extent(end + 1, &end);
    return !*end && out->patch[0] >= 0 && out->patch[1] >= 0;
}

bool mapping_parse_patches(const struct cimc_strings *texts, struct arena *a,
                           struct dup_options *out, struct diag *d)
{
    struct dup_patch *patches = ARENA_ARRAY(a, struct dup_patch, texts->n);
    for (size_t i = 0; i < texts->n; i++)
        if (!parse_patch(texts->at[i], a, &patches[i]))
            return diag_error(d, (struct loc){0}, DIAG_USAGE, "--patch: '%s' is not LAYER=AxB",
                              texts->at[i]);
    out->patches = patches;
    out->n_patches = texts->n;
    return true;
}

void mapping_list_patches(const struct ir_graph *g, struct arena *a, struct cimc_strings *out)
{
    size_t layer = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        const int64_t *patch = op->attrs->mvm.patch;
        struct text t = {0};
        text_add(&t, "%zu=%lldx%lld", layer, (long long)patch[0], (long long)patch[1]);
        if (patch[0] * patch[1] > 1)
            VEC_PUSH(out, arena_strdup(a, t.at));
        text_free(&t);
        layer++;
    }
}

/* ---- both ---- */

const char *mapping_copies_text(const struct ir_graph *g, struct arena *a)
{
    struct text all = {0};
    size_t layer = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        if (layer == 0 || op->attrs->mvm.copies > 1)
            text_add(&all, "%s%zu=%lld", layer ? "," : "", layer, (long long)op->attrs->mvm.copies);
        layer++;
    }
    const char *kept = all.at ? arena_strdup(a, all.at) : NULL;
    text_free(&all);
    return kept;
}

/* ---- --set ---- */

const char *mapping_set_text(const struct set_shape *set, char buffer[64])
{
    char extent[2][24] = {"*", "*"};
    if (set->rows)
        snprintf(extent[0], sizeof extent[0], "%lld", (long long)set->rows);
    if (set->cols)
        snprintf(extent[1], sizeof extent[1], "%lld", (long long)set->cols);
    snprintf(buffer, 64, "%sx%s", extent[0], extent[1]);
    return buffer;
}

/* Coarse to fine; the last ones of equal makespan lose. */
static const struct shape {
    const char *name;
    int64_t rows, columns; /* 0 = whole extent */
} shapes[] = {{"4x*", 4, 0},   {"2x*", 2, 0}, {"1x*", 1, 0},  {"1x32", 1, 32},
              {"1x16", 1, 16}, {"1x8", 1, 8}, {"pixel", 1, 1}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };
/* Of --cut's choices: w, which auto means too, h, 2d. */
static const int64_t cuts[] = {1, 2, 3};
/* Finer shapes than this many sets are left out: they would not fit a schedule into memory. */
static const int64_t MOST_SETS = 1 << 22;

static int64_t count_sets(const struct ir_graph *g, const struct shape *s)
{
    int64_t total = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        const int64_t *dim = op->out->type.dim, *cut = op->attrs->mvm.cut;
        const int64_t *patch = op->attrs->mvm.patch;
        int64_t rows = ceil_div_i64(dim[0], patch[0]), columns = ceil_div_i64(dim[1], patch[1]), n;
        int64_t y = (s->rows ? ceil_div_i64(rows, s->rows) : 1) + cut[0] - 1;
        int64_t x = (s->columns ? ceil_div_i64(columns, s->columns) : 1) + cut[1] - 1;
        if (!mul_i64(y, x, &n) || !add_i64(total, n, &total))
            return INT64_MAX;
    }
    return total;
}

struct search {
    struct build *b;
    struct cimc_options settings; /* the command's, with the cut on trial */
    struct mapping_choice best;
    size_t best_shape;
    const char *best_copies;
    struct cimc_strings best_patches;
    struct dup_result best_dup;
    unsigned n_tries;              /* at most */
    struct backend_trials *trials; /* of the copies on trial */
};

/* Copies for the cut on trial, chosen for the finest sets. */
static bool choose_copies(struct search *x, struct diag *d)
{
    x->b->set = (struct set_shape){.rows = 1, .cols = 1};
    bool ok = driver_run_passes(x->b, &x->settings, "dup", &(struct pass_options){0}, d);
    if (ok)
        ir_number(x->b->graph);
    return ok;
}

static void keep(struct search *x, size_t shape, uint64_t cycles)
{
    x->best.set = shapes[shape].name;
    x->best.cut = x->settings.cut;
    x->best.cycles = cycles;
    x->best_shape = shape;
    x->best_copies = mapping_copies_text(x->b->graph, x->b->arena);
    x->best_patches.n = 0;
    mapping_list_patches(x->b->graph, x->b->arena, &x->best_patches);
    x->best_dup = x->b->dup;
}

static bool try_shape(struct search *x, size_t shape)
{
    const struct shape *s = &shapes[shape];
    if (shape > 0 && count_sets(x->b->graph, s) > MOST_SETS)
        return true;
    struct backend_makespan found;
    x->b->set = (struct set_shape){.rows = s->rows, .cols = s->columns};
    struct backend_options o = driver_backend_options(x->b, &x->settings);
    o.progress = NULL; /* the grid's is told */
    progress_tell(x->b->progress, "best sets", x->best.n_tried, x->n_tries);
    if (!backend_trial_makespan(x->trials, &o, &found))
        return false;
    x->best.n_tried++;
    if (!x->best.set || found.cycles < x->best.cycles ||
        (found.cycles == x->best.cycles && shape < x->best_shape))
        keep(x, shape, found.cycles);
    return true;
}

static bool try_shapes(struct search *x, struct diag *d)
{
    x->trials = backend_trials_new(x->b->graph, &x->b->arch, d);
    bool ok = x->trials != NULL;
    for (size_t i = 0; i < N_SHAPES && ok; i++)
        ok = try_shape(x, i);
    backend_trials_free(x->trials);
    return ok;
}

/* Copies that the user fixed may have no such cut: then there is nothing to try. */
static bool try_cut(struct search *x, int64_t cut, struct diag *d)
{
    struct diag *trial = diag_new();
    x->settings.cut = cut;
    bool has_cut = choose_copies(x, x->settings.copies ? trial : d);
    diag_free(trial);
    return has_cut ? try_shapes(x, d) : x->settings.copies != NULL;
}

/* The graph has copies for the first cut. */
static bool search(struct search *x, struct diag *d)
{
    bool ok = try_shapes(x, d), is_open = x->settings.cut == 0;
    if (is_open && ok)
        x->best.cut = cuts[0];
    for (size_t i = 1; is_open && i < sizeof cuts / sizeof *cuts && ok; i++)
        ok = try_cut(x, cuts[i], d);
    return ok;
}

bool mapping_choose_best(struct build *b, const struct cimc_options *s, struct diag *d)
{
    unsigned n_cuts = s->cut == 0 ? sizeof cuts / sizeof *cuts : 1;
    struct search x = {.b = b, .settings = *s, .n_tries = n_cuts * N_SHAPES};
    bool ok = search(&x, d);
    progress_tell(b->progress, "best sets", x.n_tries, x.n_tries);
    x.settings.cut = x.best.cut;
    x.settings.copies = x.best_copies; /* known: nothing is solved again */
    x.settings.patches = x.best_patches;
    ok = ok && choose_copies(&x, d) &&
         driver_run_passes(b, &x.settings, "readout", &(struct pass_options){0}, d);
    VEC_FREE(&x.best_patches);
    if (!ok)
        return false;
    b->dup = x.best_dup;
    b->set =
        (struct set_shape){.rows = shapes[x.best_shape].rows, .cols = shapes[x.best_shape].columns};
    b->chosen = x.best;
    return true;
}

const char *mapping_cut_name(int64_t cut)
{
    static const char *const names[] = {"auto", "w", "h", "2d"};
    return names[cut];
}

void mapping_report(const struct build *b, FILE *out)
{
    if (b->chosen.set)
        fprintf(out, "best of %u: sets %s, cut %s\n", b->chosen.n_tried, b->chosen.set,
                mapping_cut_name(b->chosen.cut));
}

void mapping_report_json(const struct build *b, struct json *j)
{
    if (!b->chosen.set)
        return;
    json_open_map(j, "best");
    json_text(j, "set", b->chosen.set);
    json_text(j, "cut", mapping_cut_name(b->chosen.cut));
    json_integer(j, "n_tried", b->chosen.n_tried);
    json_close_map(j);
}
