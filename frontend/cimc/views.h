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
/* After driver_compile: the files that are asked for. */
bool views_write(const struct build *b, const struct cimc_options *s, struct diag *d) CHECK_RESULT;

/* Sets of one copy of a layer on one PE group, one after the other with small gaps, as one bar. */
struct view_run {
    uint32_t layer, copy, tile, first_pe, n_pes, n_sets, frames_ago;
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
/* For both modes: merges sets with gaps of at most `gap_cycles` between them; the gaps grow, each
 * to its double, until at most `most_runs` runs are left, as far as gaps can do that. */
void view_merge_to(const struct views *v, const uint64_t gap_cycles[VIEW_MODES], size_t most_runs,
                   view_runs out[VIEW_MODES]);
/* By tile, PE, start. */
void view_sort_sets(struct set_report *sets, uint32_t n);
/* Mean number of busy PEs in each of n equal parts of the makespan. */
void view_profile(const struct backend_result *r, size_t n, double *out);
/* 43945 -> 43,945. */
const char *view_cycles_text(uint64_t cycles, char out[32]);

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
/* "#rrggbb" of a base layer. */
const char *view_colour(uint32_t layer, char out[8]);

/* ---- views_svg.c ---- */
/* Side by side; one below the other on one scale; the same with a scale each, for a page. */
enum view_layout { VIEW_SIDE, VIEW_STACKED, VIEW_PAGE };
/* An <svg> element with both schedules. */
void view_draw_schedules(const struct views *v, enum view_layout how, FILE *out);
/* One with an interval of the steady state, of a result that has it; colours tell images apart. */
void view_draw_steady(const struct build *b, FILE *out);

/* Each writes one file; nothing is put in place after a failure. */
bool view_write_csv(const struct build *b, const char *path, struct diag *d) CHECK_RESULT;
bool view_write_svg(const struct views *v, enum view_layout how, const char *path,
                    struct diag *d) CHECK_RESULT;
bool view_write_trace(const struct views *v, const char *path, struct diag *d) CHECK_RESULT;

/* ---- page*.c: the report, one HTML page ---- */

/* The schedule asked for, where moving data is free and where it is not. */
struct page_machine {
    struct arch arch;
    struct backend_result result;
    bool exists; /* else the network does not fit there */
};
struct page {
    FILE *out;
    const struct views *views;
    const struct build *build;
    const struct backend_result *result; /* of the mode asked for; its sets by tile, PE, start */
    struct page_machine free, priced;
    bool asked_is_free; /* the machine asked for is `free`, else `priced` */
    const char *priced_name, *problem;
};
bool page_write(const struct views *v, const struct cimc_options *s, const char *path,
                struct diag *d) CHECK_RESULT;

/* The sections, in the order of the page. */
void page_summary(const struct page *p);
void page_mapping(const struct page *p);
void page_utilisation(const struct page *p);
void page_memory(const struct page *p);
void page_traffic(const struct page *p);
void page_path(const struct page *p);
void page_costs(const struct page *p);
void page_energy(const struct page *p);
void page_quality(const struct page *p); /* of a build that has one */
/* Cycles of one product, in words. */
void page_print_product(const struct page *p, const struct arch *a);
/* What the page shows, as JSON in a script element. */
void page_data(const struct page *p);

/* page_html.c. A section has a heading, an id and a paragraph that explains it. */
void page_open_section(const struct page *p, const char *id, const char *title,
                       const char *explanation);
void page_close_section(const struct page *p);
/* Column heads, '|' between them; those that begin with '<' hold text, the others numbers. */
void page_open_table(const struct page *p, const char *columns);
void page_close_table(const struct page *p);
void page_cell_text(const struct page *p, const char *text);
void page_cell_number(const struct page *p, uint64_t x);
void page_cell_percent(const struct page *p, double share); /* NaN: "-" */
void page_cell_bytes(const struct page *p, uint64_t bytes);
/* Bytes over the links of a mesh: of tile t towards the right, left, lower, upper neighbour. */
struct page_links {
    uint32_t columns, rows;
    uint64_t *bytes, most; /* bytes[4 * t + way]; heap */
};
void page_count_links(const struct page_machine *m, struct page_links *out);
void page_draw_mesh(const struct page *p, const struct page_machine *m, const struct page_links *l);
/* "1.25 MB". */
const char *page_bytes_text(uint64_t bytes, char out[32]);
/* A value of the summary with its name. */
void page_card(const struct page *p, const char *name, const char *value, const char *unit);
/* White to blue. */
const char *page_heat(double share, char out[8]);
void page_open_svg(const struct page *p, double width, double height);
void page_svg_text(const struct page *p, double x, double y, const char *anchor, const char *text);

#endif
