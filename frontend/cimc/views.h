/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views.h - what the views of a schedule share: runs of sets, times and names as text. CLI.md says
 * what a user sees.
 */
#ifndef CIMC_VIEWS_H
#define CIMC_VIEWS_H

#include "driver.h"

bool views_wanted(const struct cimc_options *s);
/* After driver_compile: one of CIMC_CSV, _SVG, _TRACE, _HTML, _PLAN. False with a diagnostic where
 * the build did not keep what it shows. */
bool views_print(const struct build *b, const struct cimc_options *s, enum cimc_form form,
                 FILE *out, struct diag *d) CHECK_RESULT;
/* The files that are asked for. */
bool views_write(const struct build *b, const struct cimc_options *s, struct diag *d) CHECK_RESULT;

/* Sets of one copy of a layer on one PE group, one after the other with small gaps, as one bar; or
 * works of one value by another unit. Where those of several values are too short to be seen, they
 * are one bar too. */
struct view_run {
    enum cost_unit unit;
    const char *name, *work; /* of works; NULL: of several values */
    uint32_t layer;          /* of works: UINT32_MAX if it is not a base layer's */
    uint32_t copy, tile, first_pe, n_pes, n_sets, frames_ago;
    uint32_t task, waited_for;        /* of the first set or work */
    int32_t y, x, h, w;               /* of the first set */
    uint64_t start, end, busy_cycles; /* busy: without the gaps */
};
typedef VEC(struct view_run) view_runs;

enum { VIEW_MODES = 2 };
struct view_mode {
    const char *name;
    struct backend_result result; /* sets in order of tile, PE, start; works of tile, unit, start */
};
struct views {
    const struct build *build;
    struct view_mode mode[VIEW_MODES]; /* layer by layer, cross-layer: the same copies */
};

/* A run for each set, then one for each work. */
void view_each(const struct backend_result *r, view_runs *out);
/* The same, those with gaps of at most `gap_cycles` between them merged; the gaps grow, each to its
 * double, until at most `most_runs` runs are left, as far as gaps can do that. */
void view_merge_to(const struct backend_result *r, uint64_t gap_cycles, size_t most_runs,
                   view_runs *out);
/* By tile, PE or unit, start. */
void view_sort(struct backend_result *r);
/* Mean number of busy PEs in each of n equal parts of the makespan. */
void view_profile(const struct backend_result *r, size_t n, double *out);
/* 43945 -> 43,945. */
const char *view_cycles_text(uint64_t cycles, char out[32]);
/* "4.75 ms": in ns, us, ms or s, less than 1000 of them. */
const char *view_time_text(uint64_t cycles, int64_t cycle_ps, char out[32]);

/* ---- views_text.c ---- */
/* At most two decimals, none of them a trailing zero. */
void view_print_number(FILE *out, double x);
void view_print_attribute(FILE *out, const char *name, double x);
/* A label every so many tiles, of `size` each, that labels are `least` apart: 1, 2, 5, 10 ... */
uint32_t view_label_step(double size, double least);
/* Valid UTF-8 without markup and control characters, for XML and HTML, in quotes too. */
void view_print_escaped(FILE *out, const char *s);
/* The last `letters` of it, behind an ellipsis if there are more. */
void view_print_tail(FILE *out, const char *s, size_t letters);

/* ---- views_style.c: colours, for light and for dark screens ---- */
/* Style sheet of pictures, with the classes a0, a1 ... (if `kind` is 'a') for n things in their
 * order: one ramp from the first to the last. */
enum { VIEW_OPACITIES = 8 }; /* classes o0 ... of bars: the last has no gaps */
void view_print_style(FILE *out);
void view_print_colours(FILE *out, char kind, uint32_t n);
/* Classes h0 ... h20: from the background's colour to a strong one. */
enum { VIEW_SHADES = 20 };
void view_print_shades(FILE *out);
int view_shade(double share);

/* ---- views_svg.c ---- */
/* One below the other, side by side, each with its own scale of time; below each other on one. */
enum view_layout { VIEW_STACKED, VIEW_SIDE, VIEW_ONE_SCALE };
/* An <svg> element with one schedule, for a page with the style and colours 'a'. */
void view_draw_mode(const struct views *v, int mode, FILE *out);
/* An interval of the steady state, of a result that has it; colours 'f' tell images apart: so many.
 */
void view_draw_steady(const struct build *b, FILE *out);
uint32_t view_steady_images(const struct backend_result *r);

void view_print_csv(const struct build *b, FILE *out);
void view_print_svg(const struct views *v, enum view_layout how, FILE *out);
void view_print_trace(const struct views *v, FILE *out);

#endif
