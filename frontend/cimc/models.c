/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * models.c - several models in one program: a machine that holds all of them, one interval.
 *
 * In: operands FILE or NAME=FILE and rates. Each model is imported and lowered by itself, in its
 * own mode, up to the pass that chooses copies; here their graphs become one, in which all names
 * begin with `MODEL/`, those of a model that is there more than once with `MODEL.I/`. The instances
 * of one model share their crossbars.
 */
#include "models.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t MOST_RATE = 255;

/* ---- names ---- */

/* Where the name of NAME=FILE ends; NULL if the operand is a file. */
static const char *end_of_name(const char *operand)
{
    const char *equals = strchr(operand, '=');
    const char *slash = strchr(operand, '/');
    bool named = equals && equals > operand && !(slash && slash < equals);
    return named && access(operand, F_OK) != 0 ? equals : NULL;
}

const char *models_file(const char *operand)
{
    const char *end = end_of_name(operand);
    return end ? end + 1 : operand;
}

static const char *name_of(const char *operand, struct arena *a)
{
    const char *end = end_of_name(operand);
    return end ? arena_strndup(a, operand, (size_t)(end - operand))
               : driver_output_name(operand, "", a);
}

static bool add_model(struct build *b, const struct cimc_source *source, struct diag *d)
{
    struct model *m = &b->models[b->n_models];
    const char *operand = source->path ? source->path : "<memory>";
    *m = (struct model){.name = name_of(operand, b->arena),
                        .path = arena_strdup(b->arena, models_file(operand)),
                        .bytes = source->bytes,
                        .n_bytes = source->n_bytes,
                        .rate = 1};
    for (size_t i = 0; i < b->n_models; i++)
        if (strcmp(b->models[i].name, m->name) == 0)
            return diag_error(d, (struct loc){0}, DIAG_USAGE,
                              "two models are called '%s'; NAME=FILE gives one another name",
                              m->name);
    b->n_models++;
    return true;
}

/* "NAME=R" */
static bool set_rate(struct build *b, const char *text, struct diag *d)
{
    const char *equals = strrchr(text, '=');
    char *end = NULL;
    int64_t rate = equals ? strtoll(equals + 1, &end, 10) : 0;
    if (!equals || end == equals + 1 || *end || rate < 1 || rate > MOST_RATE)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--rate: '%s' is not MODEL=R with R from 1 to %lld", text,
                          (long long)MOST_RATE);
    size_t n = (size_t)(equals - text);
    for (size_t i = 0; i < b->n_models; i++) {
        struct model *m = &b->models[i];
        if (strlen(m->name) != n || strncmp(m->name, text, n) != 0)
            continue;
        m->rate = rate;
        return true;
    }
    return diag_error(d, (struct loc){0}, DIAG_USAGE, "--rate: there is no model '%.*s'", (int)n,
                      text);
}

bool driver_take_models(struct build *b, const struct cimc_options *s,
                        const struct cimc_source *sources, size_t n, struct diag *d)
{
    if (n == 0)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "there is no model");
    struct text title = {0};
    bool is_named = n == 1 && sources->path && end_of_name(sources->path);
    bool ok = true, is_alone = n == 1 && !s->rates.n && !is_named;
    b->models = ARENA_ARRAY(b->arena, struct model, n);
    for (size_t i = 0; i < n && ok; i++)
        ok = add_model(b, &sources[i], d);
    for (size_t i = 0; i < s->rates.n && ok; i++)
        ok = set_rate(b, s->rates.at[i], d);
    if (is_alone)
        b->models[0].name = "";
    for (size_t i = 0; i < b->n_models; i++)
        text_add(&title, "%s%s", i ? "+" : "", b->models[i].name);
    b->model = is_alone ? b->models[0].path : arena_strdup(b->arena, title.at);
    text_free(&title);
    return ok;
}

/* ---- options ---- */

const char *models_own(const struct model *m, const char *text)
{
    size_t n = strlen(m->name);
    if (n == 0)
        return text;
    return strncmp(text, m->name, n) == 0 && text[n] == '/' ? text + n + 1 : NULL;
}

static bool check_name(const struct build *b, const char *option, const char *name, size_t length,
                       struct diag *d)
{
    for (size_t i = 0; i < b->n_models; i++)
        if (models_own(&b->models[i], name))
            return true;
    return diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "--%s: '%.*s' begins with no model's name: MODEL/...", option, (int)length,
                      name);
}

static bool check_names(const struct build *b, const char *option, const char *list, struct diag *d)
{
    bool ok = true;
    while (list && *list && ok) {
        size_t n = strcspn(list, ",");
        ok = check_name(b, option, list, n, d);
        list += n + (list[n] == ',');
    }
    return ok;
}

bool models_check_options(const struct build *b, const struct cimc_options *s, struct diag *d)
{
    const struct {
        const char *option;
        const struct cimc_strings *list;
    } lists[] = {{"dim", &s->dims},
                 {"constant", &s->constants},
                 {"input-type", &s->input_types},
                 {"state", &s->states}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t k = 0; k < lists[i].list->n; k++) {
            const char *text = lists[i].list->at[k];
            if (!check_name(b, lists[i].option, text, strlen(text), d))
                return false;
        }
    return check_names(b, "inputs", s->cut_inputs, d) &&
           check_names(b, "outputs", s->cut_outputs, d);
}

/* ---- one graph ---- */

/* How far the numbers go that a graph gives away. */
struct numbers {
    int64_t inputs, outputs, weights;
};

static struct numbers numbers_of(const struct ir_graph *g)
{
    struct numbers n = {0};
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_input)
            n.inputs = max_i64(n.inputs, op->attrs->input.index + 1);
        if (op->opcode == IR_output)
            n.outputs = max_i64(n.outputs, op->attrs->output.index + 1);
        if (op->opcode == IR_mvm)
            n.weights = max_i64(n.weights, op->attrs->mvm.weights);
    }
    return n;
}

/* A model that is there more than once holds each matrix once. */
static void share_weights(struct ir_graph *g)
{
    int64_t last = numbers_of(g).weights;
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_mvm && op->attrs->mvm.weights == 0)
            op->attrs->mvm.weights = ++last;
    }
}

/* "A/", "A.1/", "" */
static const char *prefix_of(const struct model *m, int64_t instance, struct arena *a)
{
    if (m->rate > 1)
        return arena_printf(a, "%s.%lld/", m->name, (long long)instance);
    return *m->name ? arena_printf(a, "%s/", m->name) : "";
}

void models_join(struct build *b)
{
    int64_t weights = 0;
    struct numbers first = {0};
    b->graph = ir_graph_new(b->model, IR_CROSSBAR);
    for (size_t i = 0; i < b->n_models; i++) {
        struct model *m = &b->models[i];
        if (m->rate > 1)
            share_weights(m->graph);
        struct numbers n = numbers_of(m->graph);
        for (int64_t k = 0; k < m->rate; k++) {
            struct ir_append how = {.prefix = prefix_of(m, k, b->arena),
                                    .first_input = first.inputs,
                                    .first_output = first.outputs,
                                    .first_weights = weights};
            ir_append(b->graph, m->graph, &how);
            first.inputs += n.inputs;
            first.outputs += n.outputs;
        }
        weights += n.weights;
    }
}

/* What the machine reads out of several models' crossbars is known of the graph of all alone. */
static const struct ir_graph *joined_reference(const struct build *b)
{
    bool several = b->n_models > 0 && b->models[0].graph;
    return several && b->mode == PASS_MODE_INT && !arch_readout_is_ideal(&b->arch) ? b->graph
                                                                                   : NULL;
}

struct io_models driver_io_models(const struct build *b, struct arena *a)
{
    size_t n = 0;
    struct numbers first = {0};
    for (size_t i = 0; i < b->n_models; i++)
        n += (size_t)b->models[i].rate;
    if (n == 0)
        return (struct io_models){0};
    struct io_model *all = ARENA_ARRAY(a, struct io_model, n), *at = all;
    for (size_t i = 0; i < b->n_models; i++) {
        const struct model *m = &b->models[i];
        const struct ir_graph *lowered = m->graph ? m->graph : b->graph;
        const struct ir_graph *graph = lowered ? lowered : m->imported;
        struct numbers own = numbers_of(graph);
        bool is_lowered = m->mode == PASS_MODE_INT;
        for (int64_t k = 0; k < m->rate; k++) {
            *at++ = (struct io_model){.prefix = prefix_of(m, k, a),
                                      .described = m->imported,
                                      .reference = is_lowered ? graph : m->imported,
                                      .images = m->images,
                                      .reference_images = is_lowered ? 1 : m->images,
                                      .assumed = m->assumed,
                                      .first_input = (size_t)first.inputs,
                                      .first_output = (size_t)first.outputs};
            first.inputs += own.inputs;
            first.outputs += own.outputs;
        }
    }
    return (struct io_models){.at = all, .n = n, .joined = joined_reference(b)};
}
