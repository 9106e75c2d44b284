/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* diff.h - two results compared: `cimc diff`, `cimc report --against`. */
#ifndef CIMC_DIFF_H
#define CIMC_DIFF_H

#include "json.h"
#include "json_read.h"

/* Of a map by key, of an array of maps by their name, of one of options ("--name=value") by theirs:
 * with the list of its values, where an option is given more than once. */
struct member {
    const char *name;
    size_t nth; /* of those that are called so, from 0 */
    const struct json_value *value;
};
struct members {
    struct member *at, *sorted; /* as they stand; by name */
    size_t n;
};
struct members members_of(const struct json_value *v, struct arena *a); /* of NULL: none */
/* Of the same name and number; NULL: there is none. */
const struct json_value *member_find(const struct members *m, const struct member *like);

/* One number or text that is not the same; NULL: that result does not have it. */
struct difference_of {
    const char *section; /* options, machine, totals, layers */
    const char *layer;   /* or NULL */
    const char *name;    /* "" : the layer itself */
    const struct json_value *a, *b;
};
struct differences {
    struct arena *arena;
    VEC(struct difference_of) list;
};

/* The result in a file: JSON of `compile`, a row of a sweep (the only one, or FILE#INDEX), or a
 * program. */
bool diff_read(const char *path, struct arena *a, struct diag *d,
               const struct json_value **out) CHECK_RESULT;
/* The file that diff_read reads: FILE of FILE#INDEX. */
const char *diff_file(const char *path, struct arena *a);
/* Its strings live as long as both, and the arena. */
void diff_find(struct differences *out, const struct json_value *a, const struct json_value *b);
/* Second to first; NaN where these are no numbers. */
double diff_ratio(const struct difference_of *d);
void diff_print(const struct differences *all, FILE *out);
/* Keys `equal`, `differences`, into an open map. */
void diff_json(const struct differences *all, struct json *j);

#endif
