/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sweep_spec.c - a sweep as a YAML file: one mapping from options to lists of values.
 *
 * In: a file that yaml_text.c has let pass, which libyaml reads into a tree. Out: axes in its
 * order. What is wrong is told with its line and column.
 */
#include "sweep.h"

#include "yaml_text.h"

#include <string.h>
#include <yaml.h>

enum { MOST_BYTES = 16 << 20 };

struct spec {
    struct sweep_plan *plan;
    const char *path;
    yaml_document_t *document;
    struct diag *diag;
};

static bool wrong(const struct spec *s, const yaml_node_t *node, const char *what)
{
    return diag_error(s->diag, yaml_text_loc(s->path, &node->start_mark), DIAG_USAGE, "%s", what);
}

static const yaml_node_t *node_at(const struct spec *s, int id)
{
    return yaml_document_get_node(s->document, id);
}

/* NULL after an error. */
static const char *text_of(const struct spec *s, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    if (node->type != YAML_SCALAR_NODE)
        wrong(s, node, "expected a plain value, found a mapping or sequence");
    else if (strlen(text) != node->data.scalar.length)
        wrong(s, node, "value holds a NUL character");
    else
        return text;
    return NULL;
}

static size_t count_items(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static size_t count_pairs(const yaml_node_t *node)
{
    return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

/* ---- one value of an axis ---- */

/* {rows: 64, cols: 32}: fields that change together */
static bool take_fields(struct spec *s, struct sweep_axis *axis, const yaml_node_t *node)
{
    struct cimc_strings texts = {.at =
                                     ARENA_ARRAY(s->plan->arena, const char *, count_pairs(node))};
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
         p < node->data.mapping.pairs.top; p++) {
        const char *field = text_of(s, node_at(s, p->key));
        const char *value = field ? text_of(s, node_at(s, p->value)) : NULL;
        if (!value)
            return false;
        texts.at[texts.n++] = arena_printf(s->plan->arena, "%s=%s", field, value);
    }
    return sweep_axis_take_all(s->plan, axis, &texts, yaml_text_loc(s->path, &node->start_mark),
                               s->diag);
}

/* [a, b]: an option that is given more than once */
static bool take_several(struct spec *s, struct sweep_axis *axis, const yaml_node_t *node)
{
    struct cimc_strings texts = {.at =
                                     ARENA_ARRAY(s->plan->arena, const char *, count_items(node))};
    for (size_t i = 0; i < count_items(node); i++) {
        const char *text = text_of(s, node_at(s, node->data.sequence.items.start[i]));
        if (!text)
            return false;
        texts.at[texts.n++] = text;
    }
    return sweep_axis_take_all(s->plan, axis, &texts, yaml_text_loc(s->path, &node->start_mark),
                               s->diag);
}

static bool take_value(struct spec *s, struct sweep_axis *axis, const yaml_node_t *node)
{
    bool is_list = axis->option && axis->option->kind == CIMC_OPTION_LIST &&
                   strcmp(axis->name, axis->option->name) == 0;
    if (is_list && node->type == YAML_SEQUENCE_NODE)
        return take_several(s, axis, node);
    if (is_list && node->type == YAML_MAPPING_NODE && strcmp(axis->name, "arch-field") == 0)
        return take_fields(s, axis, node);
    const char *text = text_of(s, node);
    return text &&
           sweep_axis_take(s->plan, axis, text, yaml_text_loc(s->path, &node->start_mark), s->diag);
}

/* ---- axes ---- */

/* A value, or a list of values. */
static bool take_values(struct spec *s, struct sweep_axis *axis, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return take_value(s, axis, node);
    if (count_items(node) == 0)
        return wrong(s, node, "the list has no values");
    for (size_t i = 0; i < count_items(node); i++) {
        if (!take_value(s, axis, node_at(s, node->data.sequence.items.start[i])))
            return false;
    }
    return true;
}

static bool take_axis(struct spec *s, const char *name, const yaml_node_t *key,
                      const yaml_node_t *node)
{
    struct sweep_axis *axis =
        sweep_axis_add(s->plan, name, yaml_text_loc(s->path, &key->start_mark), s->diag);
    return axis && take_values(s, axis, node);
}

/* arch-field: {rows: [64, 128], cols: [64, 128]}: an axis for each */
static bool take_field_axes(struct spec *s, const yaml_node_t *node)
{
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
         p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(s, p->key);
        const char *field = text_of(s, key);
        if (!field || !take_axis(s, arena_printf(s->plan->arena, "arch-field.%s", field), key,
                                 node_at(s, p->value)))
            return false;
    }
    return true;
}

/* ---- options of all points ---- */

static bool is_of_models(const struct cimc_option_info *o)
{
    return strcmp(o->group, "model") == 0 || strcmp(o->name, "state") == 0;
}

static bool fix_option(struct spec *s, const struct cimc_option_info *o, const yaml_node_t *node)
{
    bool is_sequence = node->type == YAML_SEQUENCE_NODE;
    size_t n = is_sequence ? count_items(node) : 1;
    if (n != 1 && o->kind != CIMC_OPTION_LIST)
        return wrong(s, node, "this is read with the model and the same for all points");
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *item =
            is_sequence ? node_at(s, node->data.sequence.items.start[i]) : node;
        const char *text = text_of(s, item);
        if (!text ||
            !sweep_fix(s->plan, o, text, yaml_text_loc(s->path, &item->start_mark), s->diag))
            return false;
    }
    return true;
}

/* ---- the file ---- */

/* However it is spelt. */
static bool is_same(const char *a, const char *b)
{
    const struct cimc_option_info *o = cimc_option_find(a);
    return strcmp(a, b) == 0 || (o && o == cimc_option_find(b));
}

/* All keys before it are known and others, so that they are few. */
static bool is_first(const struct spec *s, const yaml_node_t *map, const yaml_node_t *key)
{
    const char *name = (const char *)key->data.scalar.value;
    const yaml_node_pair_t *p = map->data.mapping.pairs.start;
    for (const yaml_node_t *other; (other = node_at(s, p->key)) != key; p++) {
        if (is_same((const char *)other->data.scalar.value, name))
            return diag_error(s->diag, yaml_text_loc(s->path, &key->start_mark), DIAG_USAGE,
                              "'%s' is given twice", name);
    }
    return true;
}

static bool take_pair(struct spec *s, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = node_at(s, pair->key), *value = node_at(s, pair->value);
    const char *name = text_of(s, key);
    if (!name || !is_first(s, map, key))
        return false;
    if (strcmp(name, "models") == 0)
        return take_values(s, &s->plan->axes.at[0], value);
    if (strcmp(name, "arch-field") == 0 && value->type == YAML_MAPPING_NODE)
        return take_field_axes(s, value);
    const struct cimc_option_info *o = cimc_option_find(name);
    return o && is_of_models(o) ? fix_option(s, o, value) : take_axis(s, name, key, value);
}

static bool take_document(struct spec *s)
{
    const yaml_node_t *root = yaml_document_get_root_node(s->document);
    if (!root || root->type != YAML_MAPPING_NODE)
        return diag_error(s->diag, (struct loc){.file = s->path, .line = 1, .col = 1}, DIAG_USAGE,
                          "expected lines of the form 'option: [values]'");
    for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
         p < root->data.mapping.pairs.top; p++) {
        if (!take_pair(s, root, p))
            return false;
    }
    return true;
}

/* libyaml's memory is its own: it goes through these also where the call is left by the door. */
static void delete_document(void *document)
{
    yaml_document_delete(document);
}

static bool load(struct spec *s, yaml_parser_t *parser)
{
    if (yaml_parser_load(parser, s->document))
        return true;
    if (parser->error == YAML_MEMORY_ERROR)
        out_of_memory(0);
    return diag_error(s->diag, yaml_text_loc(s->path, &parser->problem_mark), DIAG_USAGE,
                      "not YAML: %s", parser->problem ? parser->problem : "unreadable");
}

static bool read_text(struct spec *s, const struct file *f)
{
    if (f->size > MOST_BYTES)
        return diag_error(s->diag, (struct loc){.file = s->path}, DIAG_USAGE,
                          "longer than %d bytes", MOST_BYTES);
    if (!yaml_text_check((const char *)f->data, f->size, s->path, DIAG_USAGE, s->diag))
        return false;
    yaml_parser_t *parser = yaml_text_open((const char *)f->data, f->size);
    s->document = heap_alloc_released(sizeof *s->document, delete_document);
    bool loaded = load(s, parser), ok = loaded && take_document(s);
    if (loaded)
        yaml_document_delete(s->document);
    heap_free(s->document);
    yaml_text_close(parser);
    return ok;
}

bool sweep_spec_read(struct sweep_plan *p, const char *path, struct diag *d)
{
    struct spec s = {.plan = p, .path = arena_strdup(p->arena, path), .diag = d};
    struct file f;
    if (!file_open(path, p->arena, d, &f))
        return false;
    bool ok = read_text(&s, &f);
    file_close(&f);
    return ok;
}
