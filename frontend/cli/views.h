/*
 * views.h - what the views of a schedule share: runs of sets, times and names as text. CLI.md says
 * what a user sees.
 */
#ifndef CIMC_VIEWS_H
#define CIMC_VIEWS_H

#include "cli.h"

/* Sets of one copy of a layer on one PE group, one after the other with small gaps, as one bar. */
struct view_run {
    uint32_t layer, copy, tile, first_pe, n_pes, n_sets;
    int32_t y, x, h, w;               /* of the first set */
    uint64_t start, end, busy_cycles; /* busy: without the gaps */
};
typedef VEC(struct view_run) view_runs;

enum { VIEW_MODES = 2 };
struct view_mode {
    const char *name;
    struct backend_result result; /* its sets in order of tile, PE, start */
};
struct views {
    const struct build *build;
    struct view_mode mode[VIEW_MODES]; /* layer by layer, cross-layer: the same copies */
};

/* A run for each set. */
void view_each(const struct backend_result *r, view_runs *out);
/* Merges sets with gaps of at most `gap_cycles` between them. */
void view_merge(const struct backend_result *r, uint64_t gap_cycles, view_runs *out);
/* The same for both modes; the gaps grow, each to its double, until at most `most_runs` runs are
 * left, as far as gaps can do that. */
void view_merge_to(const struct views *v, const uint64_t gap_cycles[VIEW_MODES], size_t most_runs,
                   view_runs out[VIEW_MODES]);
/* Mean number of busy PEs in each of n equal parts of the makespan. */
void view_profile(const struct backend_result *r, size_t n, double *out);
/* 43945 -> 43,945. */
const char *view_cycles_text(uint64_t cycles, char out[32]);

/* Each writes one file; nothing is put in place after a failure. */
bool view_write_csv(const struct build *b, const char *path, struct diag *d) CHECK_RESULT;
bool view_write_svg(const struct views *v, bool is_stacked, const char *path,
                    struct diag *d) CHECK_RESULT;
bool view_write_trace(const struct views *v, const char *path, struct diag *d) CHECK_RESULT;

#endif
