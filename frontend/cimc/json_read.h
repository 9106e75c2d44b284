/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* json_read.h - JSON text as a tree. */
#ifndef CIMC_JSON_READ_H
#define CIMC_JSON_READ_H

#include "base.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_MAP };
struct json_value {
    enum json_kind kind;
    const char *key;  /* in a map, else NULL */
    const char *text; /* of a plain value; a number's as it was written */
    struct json_value *first, *last, *next, *parent;
};
/* One value; NULL after an error of `code` at `loc`. Strings are copied. */
struct json_value *json_tree(const char *text, size_t n, struct arena *a, struct loc loc,
                             enum diag_code code, struct diag *d);
/* The text is one value and nothing else: what json_tree reads. */
bool json_is_whole(const char *text, size_t n);
/* The first member; NULL: there is none, or it is no map. */
const struct json_value *json_first(const struct json_value *map);
/* NULL: there is none; `map` may be NULL or no map. */
const struct json_value *json_find(const struct json_value *map, const char *key);
/* The text of a plain value, or NULL. */
const char *json_text_of(const struct json_value *map, const char *key);
/* NaN where it is no number. */
double json_number_of(const struct json_value *v);
bool json_is_plain(const struct json_value *v);
/* The value as compact JSON. */
void json_add_value(const struct json_value *v, struct text *out);

#endif
