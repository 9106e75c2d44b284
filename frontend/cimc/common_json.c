/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* common_json.c - keys that the JSON objects of all commands have. */
#include "common_json.h"

#include "options.h"

/* ---- where a result comes from ---- */

static void item_json(const struct arch_item *item, struct json *j)
{
    if (item->choices)
        json_text(j, item->name, item->value);
    else
        json_number(j, item->name, item->value);
}

/* As a YAML file has it. */
static void machine_json(const struct arch *arch, struct json *j)
{
    struct arch_item item;
    bool in_prices = false;
    json_open_map(j, "machine");
    json_text(j, "name", arch->name);
    for (unsigned i = 0; arch_item_at(arch, i, &item); i++) {
        if (item.is_price && !in_prices)
            json_open_map(j, "energy");
        in_prices = item.is_price;
        item_json(&item, j);
    }
    json_close_map(j);
    json_close_map(j);
}

static void recorded_json(const char *line, struct json *j)
{
    struct arena *words = arena_new();
    json_open_array(j, "options");
    for (char *word; (word = options_next_word(&line, words));)
        json_text(j, NULL, word);
    json_close_array(j);
    arena_free(words);
}

void origin_json(const char *options, const struct arch *arch, struct json *j)
{
    json_text(j, "version", CIMC_VERSION);
    if (options)
        recorded_json(options, j);
    if (arch)
        machine_json(arch, j);
}

void asked_json(const struct cimc_options *o, const struct arch *arch, struct json *j)
{
    struct text line = {0};
    options_record(o, &line);
    origin_json(line.at ? line.at : "", arch, j);
    text_free(&line);
}

/* ---- layers ---- */

void json_layer(struct json *j, const char *key, uint32_t layer)
{
    if (layer == UINT32_MAX)
        json_null(j, key);
    else
        json_integer(j, key, layer);
}

/* ---- diagnostics ---- */

void diagnostic_list_json(const struct diag *d, struct json *j)
{
    static const char *const severities[] = {
        [DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};
    for (const struct diag_entry *e = d->first; e; e = e->next) {
        json_open_map(j, NULL);
        json_text(j, "severity", severities[e->severity]);
        json_text(j, "code", diag_code_name(e->code));
        json_text(j, "file", e->loc.file);
        json_integer(j, "line", e->loc.line);
        json_integer(j, "column", e->loc.col);
        json_text(j, "entity", e->loc.entity);
        json_text(j, "text", e->text);
        json_close_map(j);
    }
}
