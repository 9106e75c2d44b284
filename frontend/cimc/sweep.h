/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sweep.h - `cimc sweep`: points, which are the product of lists of values, and their rows.
 *
 * A plan has an axis for each list, the models first. Point i takes a value of each, the last axis
 * fastest. A row is a line of JSON: index and key of its point, the point itself, and the result of
 * compiling it or what is in the way; behind that what it cost, which is another in each run.
 */
#ifndef CIMC_SWEEP_H
#define CIMC_SWEEP_H

#include "driver.h"
#include "json.h"

enum { SWEEP_MOST_POINTS = 10000000, SWEEP_MOST_VALUES = 1000000 };

struct sweep_value {
    const char *label;         /* as it was written: "64", "rows=64 cols=32" */
    struct cimc_strings texts; /* what the option is given, one after another */
};
struct sweep_axis {
    const char *name;                      /* "model", "extra-pes", "arch-field.rows" */
    const struct cimc_option_info *option; /* NULL: of models */
    VEC(struct sweep_value) values;
};
struct sweep_plan {
    struct arena *arena;
    struct cimc_options options; /* of all points, the arena's */
    VEC(struct sweep_axis) axes;
    size_t folder;            /* bytes that the labels of all models begin with, as far as a '/' */
    uint64_t n_points;        /* of the axes that have a value; at most SWEEP_MOST_POINTS */
    uint64_t shard, n_shards; /* points whose index mod n_shards is shard */
};

/* ---- sweep_plan.c ---- */

/* Operands are models, and at most one specification, whose name ends in .yaml or .yml. */
bool sweep_plan_make(struct sweep_plan *p, const struct cimc_strings *operands,
                     const struct cimc_options *o, struct arena *a, struct diag *d) CHECK_RESULT;
/* The value of this axis that a point has. */
const struct sweep_value *sweep_value_of(const struct sweep_plan *p, size_t axis, uint64_t point);
/* Options of a point, with strings of the plan. */
struct cimc_options sweep_options(const struct sweep_plan *p, uint64_t point, struct diag *d);
/* Is it one of this shard? */
bool sweep_is_mine(const struct sweep_plan *p, uint64_t point);

/* ---- sweep_axis.c ---- */

/* An axis called `name`: an option that may vary, a field of the machine ("arch-field.rows") that
 * no other axis gives, or "model". NULL after an error. */
struct sweep_axis *sweep_axis_add(struct sweep_plan *p, const char *name, struct loc loc,
                                  struct diag *d);
/* One value, or a range of integers (`0..32:8`). What would make too many points is refused before
 * there is memory for it. */
bool sweep_axis_take(struct sweep_plan *p, struct sweep_axis *axis, const char *text,
                     struct loc loc, struct diag *d) CHECK_RESULT;
/* One value that gives the option several texts. */
bool sweep_axis_take_all(struct sweep_plan *p, struct sweep_axis *axis,
                         const struct cimc_strings *texts, struct loc loc,
                         struct diag *d) CHECK_RESULT;
/* "NAME=VALUE,VALUE,.." as on the command line. */
bool sweep_axis_parse(struct sweep_plan *p, const char *text, struct diag *d) CHECK_RESULT;
/* An option that holds for all points, where it stands in a specification. */
bool sweep_fix(struct sweep_plan *p, const struct cimc_option_info *option, const char *text,
               struct loc loc, struct diag *d) CHECK_RESULT;

/* ---- sweep_files.c ---- */

/* False: a file that points read, wherever it is named, can be read only once, or `o` would have it
 * written. */
bool sweep_files_check(const struct sweep_plan *p, const struct cimc_options *o,
                       struct diag *d) CHECK_RESULT;
/* For each value of the first axis: the bytes of the model's file, and its name where it has one.
 */
bool sweep_models_hash(const struct sweep_plan *p, uint64_t **out, struct diag *d) CHECK_RESULT;

/* ---- sweep_spec.c ---- */

bool sweep_spec_read(struct sweep_plan *p, const char *path, struct diag *d) CHECK_RESULT;

/* ---- sweep_rows.c ---- */

struct sweep_row {
    uint64_t index, key;
    const char *line; /* without its end */
    const char *file; /* it came from, or NULL */
    size_t number;    /* of its line */
};
struct sweep_rows {
    struct arena *arena;
    VEC(struct sweep_row) list;
};
/* The file's rows. `end`: bytes of the lines that are whole, for who goes on behind them; a last
 * line without an end is no row then. NULL: it is one if it is whole, else there is a warning. */
bool sweep_rows_read(struct sweep_rows *rows, const char *path, uint64_t *end,
                     struct diag *d) CHECK_RESULT;
/* By index; the same row twice becomes one. False: two rows of one point differ. */
bool sweep_rows_join(struct sweep_rows *rows, struct diag *d) CHECK_RESULT;
/* The part of the line without what it cost, as a line that is whole. */
void sweep_row_add_result(const struct sweep_row *row, struct text *out);
/* A table for programs: a column for each plain value of the rows. */
bool sweep_rows_csv(const struct sweep_rows *rows, struct text *out, struct diag *d) CHECK_RESULT;

#endif
