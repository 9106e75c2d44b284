/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* json_read.c - JSON text through YAJL's parser, whose events become a tree, or are passed on. */
#include "json_read.h"

#include "json.h"

#include <math.h>
#include <string.h>
#include <yajl/yajl_parse.h>

struct reader {
    struct arena *arena;
    struct json_value *root, *open; /* open: the array or map that is being read */
    const char *key;
};

static struct json_value *add(struct reader *r, enum json_kind kind)
{
    struct json_value *v = ARENA_NEW(r->arena, struct json_value), *to = r->open;
    *v = (struct json_value){.kind = kind, .key = r->key, .parent = to};
    r->key = NULL;
    if (!to)
        r->root = v;
    else if (to->last)
        to->last->next = v;
    else
        to->first = v;
    if (to)
        to->last = v;
    return v;
}

static int on_null(void *r)
{
    add(r, JSON_NULL);
    return 1;
}

static int on_bool(void *r, int value)
{
    add(r, JSON_BOOL)->text = value ? "true" : "false";
    return 1;
}

static int on_number(void *reader, const char *text, size_t n)
{
    struct reader *r = reader;
    add(r, JSON_NUMBER)->text = arena_strndup(r->arena, text, n);
    return 1;
}

static int on_string(void *reader, const unsigned char *text, size_t n)
{
    struct reader *r = reader;
    add(r, JSON_STRING)->text = arena_strndup(r->arena, (const char *)text, n);
    return 1;
}

static int on_key(void *reader, const unsigned char *text, size_t n)
{
    struct reader *r = reader;
    r->key = arena_strndup(r->arena, (const char *)text, n);
    return 1;
}

static int on_map(void *reader)
{
    struct reader *r = reader;
    r->open = add(r, JSON_MAP);
    return 1;
}

static int on_array(void *reader)
{
    struct reader *r = reader;
    r->open = add(r, JSON_ARRAY);
    return 1;
}

static int on_end(void *reader)
{
    struct reader *r = reader;
    r->open = r->open->parent;
    return 1;
}

/* The arena's functions for YAJL, so that it never sees NULL and nothing has to be freed. */
static void *move_block(void *arena, void *p, size_t bytes)
{
    size_t *block = arena_alloc(arena, bytes + 16); /* its size in front */
    size_t *old = p ? (size_t *)((char *)p - 16) : NULL;
    *block = bytes;
    if (old)
        memcpy((char *)block + 16, p, *old < bytes ? *old : bytes);
    return (char *)block + 16;
}

static void *take_block(void *arena, size_t bytes)
{
    return move_block(arena, NULL, bytes);
}

static void leave_block(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

/* `calls` NULL: whether it is one value is all that is seen. */
static bool parse(const void *text, size_t n, const yajl_callbacks *calls, void *self)
{
    struct arena *scratch = arena_new();
    yajl_alloc_funcs memory = {take_block, move_block, leave_block, scratch};
    yajl_handle parser = yajl_alloc(calls, &memory, self);
    bool ok = yajl_parse(parser, text, n) == yajl_status_ok &&
              yajl_complete_parse(parser) == yajl_status_ok;
    arena_free(scratch);
    return ok;
}

bool json_is_whole(const char *text, size_t n)
{
    return parse(text, n, NULL, NULL);
}

struct json_value *json_tree(const char *text, size_t n, struct arena *a, struct loc loc,
                             enum diag_code code, struct diag *d)
{
    static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                             .yajl_boolean = on_bool,
                                             .yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_map,
                                             .yajl_map_key = on_key,
                                             .yajl_end_map = on_end,
                                             .yajl_start_array = on_array,
                                             .yajl_end_array = on_end};
    struct reader r = {.arena = a};
    if (parse(text, n, &callbacks, &r) && r.root)
        return r.root;
    diag_error(d, loc, code, "not JSON");
    return NULL;
}

/* ---- a few events ---- */

struct listener {
    const struct json_events *events;
    void *self;
};

static int see_open(void *listener)
{
    const struct listener *l = listener;
    l->events->open(l->self);
    return 1;
}

static int see_close(void *listener)
{
    const struct listener *l = listener;
    l->events->close(l->self);
    return 1;
}

static int see_key(void *listener, const unsigned char *key, size_t n)
{
    const struct listener *l = listener;
    l->events->key(l->self, (const char *)key, n);
    return 1;
}

static int see_integer(void *listener, long long value)
{
    const struct listener *l = listener;
    l->events->integer(l->self, value);
    return 1;
}

bool json_read(const void *text, size_t n, const struct json_events *events, void *self)
{
    static const yajl_callbacks calls = {.yajl_integer = see_integer,
                                         .yajl_map_key = see_key,
                                         .yajl_start_map = see_open,
                                         .yajl_end_map = see_close,
                                         .yajl_start_array = see_open,
                                         .yajl_end_array = see_close};
    return parse(text, n, &calls, &(struct listener){events, self});
}

/* ---- looking at it ---- */

const struct json_value *json_first(const struct json_value *map)
{
    return map && map->kind == JSON_MAP ? map->first : NULL;
}

const struct json_value *json_find(const struct json_value *map, const char *key)
{
    for (const struct json_value *v = json_first(map); v; v = v->next) {
        if (strcmp(v->key, key) == 0)
            return v;
    }
    return NULL;
}

const char *json_text_of(const struct json_value *map, const char *key)
{
    const struct json_value *v = json_find(map, key);
    return v ? v->text : NULL;
}

double json_number_of(const struct json_value *v)
{
    return v && v->kind == JSON_NUMBER ? strtod(v->text, NULL) : NAN;
}

bool json_is_plain(const struct json_value *v)
{
    return v->kind != JSON_ARRAY && v->kind != JSON_MAP;
}

static void add_plain(const struct json_value *v, struct text *out)
{
    if (v->kind == JSON_STRING)
        text_add_json(out, v->text);
    else
        text_add(out, "%s", v->text ? v->text : "null");
}

/* Depth is the file's: without recursion. */
void json_add_value(const struct json_value *v, struct text *out)
{
    const struct json_value *at = v;
    while (at) {
        if (at != v && at != at->parent->first)
            text_add(out, ",");
        if (at != v && at->key) {
            text_add_json(out, at->key);
            text_add(out, ":");
        }
        if (json_is_plain(at))
            add_plain(at, out);
        else
            text_add(out, at->kind == JSON_MAP ? "{" : "[");
        if (at->first) {
            at = at->first;
            continue;
        }
        if (!json_is_plain(at))
            text_add(out, at->kind == JSON_MAP ? "}" : "]");
        while (at != v && !at->next) {
            at = at->parent;
            text_add(out, at->kind == JSON_MAP ? "}" : "]");
        }
        at = at == v ? NULL : at->next;
    }
}
