/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* findings.h - what holds the network up, and what would help: as sentences and as data. */
#ifndef CIMC_FINDINGS_H
#define CIMC_FINDINGS_H

#include "json.h"
#include "page.h"

/* A change that makes a unit of the slowest path faster, and what it makes of the schedule. */
struct finding_help {
    enum page_work unit;
    const char *field;     /* of the machine; NULL: copies of `layer` */
    uint32_t layer;        /* else UINT32_MAX */
    int64_t from, to, pes; /* pes: how many more than the machine has */
    uint64_t makespan_cycles;
};
/* All of one unit on the slowest path. */
struct finding_unit {
    enum page_work unit;
    uint64_t cycles;
    uint32_t n_steps, n_input_waits;
};
/* A number of the machine that a unit's time depends on: more of a rate is faster, of others less.
 */
struct finding_field {
    enum page_work unit;
    const char *name;
    size_t offset; /* of an int64_t in struct arch */
    bool is_rate;
};
enum { N_FINDING_FIELDS = 6 };
extern const struct finding_field finding_fields[N_FINDING_FIELDS];
int64_t finding_field_value(const struct finding_field *f, const struct arch *a);
enum { MOST_HELPS = 2 * N_PAGE_WORKS };
/*
 * Sentences are text with marks for those who can show them: around names of layers, what is typed,
 * and the name of a section.
 */
enum { MARK_NAME = 1, MARK_CODE, MARK_MOVEMENT /* a section */, MARK_END };
struct findings {
    struct finding_unit units[N_PAGE_WORKS]; /* most cycles first, none without */
    size_t n_units;
    struct page_share *pieces; /* of one value and kind of work, most cycles first */
    size_t n_pieces;
    uint32_t slowest_layer; /* whose products are the largest piece of these; UINT32_MAX: none */
    struct finding_help helps[MOST_HELPS]; /* in order of units, of one unit the best first */
    size_t n_helps;
    const char *first, **others; /* sentences */
    size_t n_others;
};
/* Everything is in the build's arena. */
struct findings *findings_new(const struct page *p);
/* Of the makespan. */
double findings_share(const struct page *p, uint64_t cycles);
/* Is it enough of it for a hint, and a sentence of its own? */
bool findings_counts(const struct page *p, const struct finding_unit *u);
/* The names in JSON and in sentences. */
const char *findings_unit_name(enum page_work unit);
/* `verdict`, in an open map; so many bottlenecks at most. */
void findings_json(const struct page *p, uint32_t most, struct json *j);

/* ---- findings_text.c: the sentences of all else ---- */
void findings_say(const struct page *p, struct findings *f);

/* ---- what_if.c: the makespan of one frame with another machine, or other copies. False: it cannot
 * be, or is hardly shorter ---- */
bool what_if_field(const struct page *p, const char *field, int64_t value, uint64_t *out_cycles);
bool what_if_copies(const struct page *p, uint32_t layer, int64_t copies, uint64_t *out_cycles);

#endif
