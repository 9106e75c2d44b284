/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* page.h - the report, one HTML page: its sections and what they share. CLI.md says what a user
 * sees. */
#ifndef CIMC_PAGE_H
#define CIMC_PAGE_H

#include "views.h"

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
    const struct cimc_options *options;
    const struct backend_result *result; /* of the mode asked for; in the order of its view_mode */
    bool is_cross;                       /* the mode asked for */
    struct page_machine free, priced;
    bool asked_is_free; /* the machine asked for is `free`, else `priced` */
    const char *priced_name, *problem;
    const struct json_value *against; /* another result, or NULL */
    const struct findings *findings;  /* what holds the network up */
};
/* CIMC_HTML, or CIMC_REPORT: what the page says as JSON. */
bool page_print(const struct views *v, const struct cimc_options *s, enum cimc_form form, FILE *out,
                struct diag *d) CHECK_RESULT;

/* ---- the sections, in the order of the page ---- */
void page_verdict(const struct page *p);
void page_summary(const struct page *p);
void page_against(const struct page *p); /* of a page that has another result */
void page_path(const struct page *p);
void page_schedule(const struct page *p);
void page_steady(const struct page *p); /* of a build that has frames */
void page_mapping(const struct page *p);
void page_utilisation(const struct page *p);
void page_memory(const struct page *p);
void page_traffic(const struct page *p);
void page_costs(const struct page *p);
void page_energy(const struct page *p);
void page_quality(const struct page *p); /* of a build that has one */
/* What the page shows, as JSON in a script element, and by itself. */
void page_data(const struct page *p);
void page_json(const struct page *p);

/* ---- page.c ---- */
/* Cycles of one product, in words. */
void page_print_product(const struct page *p, const struct arch *a);

/* ---- page_path.c ---- */
enum page_work { WORK_MVM, WORK_VECTOR, WORK_NETWORK, WORK_DRAM, WORK_BARRIER, N_PAGE_WORKS };
enum page_work page_work_of(const struct path_report *e);
/* Entries of the slowest path with the same name and work. */
struct page_share {
    const struct path_report *first;
    uint32_t n_steps, n_input_waits;
    uint64_t cycles;
};
/* Those with most cycles first; returns how many. out: d->n_path elements. */
size_t page_path_shares(const struct backend_detail *d, struct page_share *out);

/* ---- page_traffic.c ---- */
/* Bytes over the links of a mesh: of tile t towards the right, left, lower, upper neighbour. */
struct page_links {
    uint32_t columns, rows;
    uint64_t *bytes, most; /* bytes[4 * t + way]; heap */
};
void page_count_links(const struct page_machine *m, struct page_links *out);
void page_draw_mesh(const struct page *p, const struct page_machine *m, const struct page_links *l);

/* ---- page_html.c ---- */
/* A section has a heading, an id and a paragraph that explains it. */
void page_open_section(const struct page *p, const char *id, const char *title,
                       const char *explanation);
void page_close_section(const struct page *p);
/* Column heads, '|' between them; those that begin with '<' hold text, the others numbers. The
 * page's filter looks at columns `layer` and `value`. */
void page_open_table(const struct page *p, const char *columns);
void page_close_table(const struct page *p);
void page_cell_text(const struct page *p, const char *text);
/* A name of a base layer, or (UINT32_MAX) of a value that is not one's, with its colour. */
void page_cell_layer(const struct page *p, uint32_t layer, const char *name);
void page_cell_number(const struct page *p, uint64_t x);
void page_cell_percent(const struct page *p, double share); /* NaN: "-" */
void page_cell_bytes(const struct page *p, uint64_t bytes);
/* "1.25 MB". */
const char *page_bytes_text(uint64_t bytes, char out[32]);
/* A value of the summary with its name. */
void page_card(const struct page *p, const char *name, const char *value, const char *unit);
/* The class of a layer's colour, or of what is not a base layer's. */
void page_print_colour(const struct page *p, uint32_t layer);
/* A picture with words for those who do not see it. */
void page_open_svg(const struct page *p, double width, double height, const char *label);
void page_close_svg(const struct page *p);
void page_svg_text(const struct page *p, double x, double y, const char *anchor, const char *text);

#endif
