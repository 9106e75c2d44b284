/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * arch.h - the machine: its fields (arch.def), presets, YAML files, limits, and the ONE cost model
 * that scheduler and simulator both ask.
 */
#ifndef CIMC_ARCH_H
#define CIMC_ARCH_H

#include "base/base.h"

/* In millionths of their units; 0: there is no price. */
enum { ARCH_PRICE_ONE = 1000000 };
struct arch_prices {
#define PRICE(name, unit, doc) int64_t name;
#include "prices.def"
#undef PRICE
};

struct arch {
    const char *name;
#define FIELD(name, part, state, initial, least, most, unit, doc) int64_t name;
#define CHOICE(name, part, state, initial, choices, doc) int64_t name;
#include "arch.def"
#undef FIELD
#undef CHOICE
    struct arch_prices price;
};
/* On every machine: rows and columns of a value, and how many of them one instruction covers. */
enum { ARCH_MOST_EXTENT = 1 << 22, ARCH_MOST_ROWS = 4095, ARCH_MOST_COLUMNS = 65535 };
enum { ARCH_MOST_KERNEL = 65535 }; /* rows, or columns, of a window, its steps and dilations */
enum arch_topology { ARCH_IDEAL, ARCH_MESH };
enum arch_encoding { ARCH_OFFSET, ARCH_DIFFERENTIAL, ARCH_ANALOG_DIFFERENTIAL };
enum arch_pair_axis { ARCH_PAIR_COLUMNS, ARCH_PAIR_ROWS };
enum arch_adc_range { ARCH_RANGE_UNIT, ARCH_RANGE_FULL, ARCH_RANGE_CALIBRATED };
enum { ARCH_MOST_FINE_BITS = 7 }; /* of a cell that has bits of fraction */

/* A preset by name ("clsa"), or a YAML file's path. Strings live in `a`. */
bool arch_load(const char *name_or_path, struct arena *a, struct diag *d,
               struct arch *out) CHECK_RESULT;
/* YAML text; fields not named keep the value of `base:` preset (default clsa). */
bool arch_parse(const char *yaml, size_t n, const char *file, struct arena *a, struct diag *d,
                struct arch *out) CHECK_RESULT;
/* Both, with what the text says in comments at its head and behind values. */
struct arch_notes;
bool arch_load_noted(const char *name_or_path, struct arena *a, struct diag *d, struct arch *out,
                     const struct arch_notes **notes) CHECK_RESULT;
bool arch_parse_noted(const char *yaml, size_t n, const char *file, struct arena *a, struct diag *d,
                      struct arch *out, const struct arch_notes **notes) CHECK_RESULT;
/* "crossbars=64", "adc_convert_pj=1.67" as on the command line. */
bool arch_set(struct arch *arch, const char *assignment, struct diag *d) CHECK_RESULT;
/* One after another, but the length of a cycle first: times are counted in it. */
bool arch_set_all(struct arch *arch, const char *const *assignments, size_t n,
                  struct diag *d) CHECK_RESULT;
/* YAML text that arch_parse reads back to the same machine. */
void arch_print(const struct arch *arch, struct text *out);
/* The same with the meaning of each field and price above it. What `notes`, of the text that it
 * came from, say of a value stands behind it, as long as the value is still that one. */
void arch_print_commented(const struct arch *arch, const struct arch_notes *notes,
                          struct text *out);
/* A field of a machine, or a price of it. */
enum { ARCH_VALUE_TEXT = 48 };
struct arch_item {
    const char *name, *unit, *doc;
    const char *choices; /* "ideal|mesh"; NULL: it is a number from least to most */
    const char *group;   /* a heading, of the first of several that go together; else NULL */
    int64_t least, most;
    bool is_price; /* a number with places behind its point */
    bool later;    /* specified: only the default is accepted so far */
    char value[ARCH_VALUE_TEXT];
};
/* The i-th, fields first, in the order of the tables; false: there are not so many. */
bool arch_item_at(const struct arch *arch, unsigned i, struct arch_item *out);
/* Is a field or a price called so, of `n` letters? Else an error with what was probably meant. */
bool arch_has_field(const char *name, size_t n, struct loc loc, struct diag *d) CHECK_RESULT;
int64_t arch_field_most(const char *field); /* of all machines; INT64_MAX: there is no such field */
/* What a program's bytes depend on, and the rest: times and prices. A chip with other times runs
 * the same program. */
enum arch_part { ARCH_structure, ARCH_timing };
uint64_t arch_fingerprint(const struct arch *arch, enum arch_part part); /* not of the name */
const char *const *arch_presets(void);                                   /* NULL-terminated names */
/* Markdown tables of the fields and the prices, for ARCH.md. */
void arch_print_fields(struct text *out);
void arch_print_prices(struct text *out);

/* Of a weight of `weight_bits` bits, 0 = as many as the machine's: its slices of cell_bits, and the
 * neighbouring columns that it takes, slices of the positive part first, the lowest bits first. */
int64_t arch_weight_slices(const struct arch *arch, int64_t weight_bits);
int64_t arch_weight_columns(const struct arch *arch, int64_t weight_bits);
/* All cells of it, wherever the negative part lies. */
int64_t arch_weight_cells(const struct arch *arch, int64_t weight_bits);
/* Values that are converted for it in a phase. */
int64_t arch_weight_conversions(const struct arch *arch, int64_t weight_bits);
/* Rows of a crossbar that one input drives. */
int64_t arch_input_rows(const struct arch *arch);
/* Rows of a crossbar that take different inputs, columns that hold different output channels. */
int64_t arch_logical_rows(const struct arch *arch);
int64_t arch_logical_cols(const struct arch *arch, int64_t weight_bits);

/* With a seed for their noise: are cells other than what is meant? */
bool arch_has_noise(const struct arch *arch);
/* The machine that it would be without noise of its cells. */
struct arch arch_without_noise(const struct arch *arch);
/* Are products of integers exact, neither converters nor cells being in their way? Whether there is
 * a seed for the cells' noise is not asked: a program is the same for chips without and with it. */
bool arch_readout_is_ideal(const struct arch *arch);
/* With noise, an input's part times a cell has to stay below 2^14: products are then exact on any
 * host, at the full speed of it. */
bool arch_noise_fits(const struct arch *arch);
/* Is a deviation or a loss of cells, of those that there are, less than half of the least step of
 * their conductance, so that it mostly rounds to nothing? */
bool arch_noise_is_lost(const struct arch *arch);

/* ---- cost ---- */
/* Is there a time or a limit of instructions besides their work? */
bool arch_instructions_take_time(const struct arch *arch);
uint64_t arch_phases(const struct arch *arch, uint32_t x_bits); /* of an input; 0: of f32 */
enum cost_kind { COST_MVM, COST_VECTOR, COST_SEND, COST_SIGNAL, COST_DMA, COST_NONE };
struct cost_work {
    enum cost_kind kind;
    uint64_t products; /* MVM: one after the other on all PEs of the group */
    uint32_t x_bits;   /* MVM: of what drives the crossbars; 0: f32, which takes the time of 8 */
    uint64_t columns;  /* MVM: cells that a row of the fullest PE reads */
    uint64_t elements; /* VECTOR: results times lane operations each */
    uint64_t bytes;    /* SEND, DMA: payload */
    uint32_t hops;     /* SEND, SIGNAL: links to the farthest target */
};
/* UNIT_NETWORK: a tile's port into the network; UNIT_LINK: the ways between ports. */
enum cost_unit { UNIT_PE, UNIT_VECTOR, UNIT_NETWORK, UNIT_DRAM, UNIT_LINK };
/* A chain of stages, one after the other. Those on links are the way of the work's messages: they
 * begin when the work is complete. */
struct cost {
    unsigned n_stages;
    struct cost_stage {
        enum cost_unit unit;
        uint64_t cycles;
    } stage[2];
};
struct cost arch_cost(const struct arch *arch, const struct cost_work *work);
/* From the start: until the issuing queue's unit is free again, and until the work is complete. */
uint64_t cost_occupancy_cycles(const struct cost *c);
uint64_t cost_latency_cycles(const struct cost *c);
/* From its completion until its messages are there. */
uint64_t cost_flight_cycles(const struct cost *c);

#endif
