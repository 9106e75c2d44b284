/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* energy_report.h - energy of a run and area of the chip: as lines, tables and JSON. */
#ifndef CIMC_ENERGY_REPORT_H
#define CIMC_ENERGY_REPORT_H

#include "isa.h"
#include "json.h"

struct energy_report {
    const struct arch *arch;
    const struct isa_energy *counts;
    const struct isa_node *nodes; /* of the program: names of the counts' nodes */
    uint64_t tiles, cycles;       /* of the chip; of the run */
    bool has_prices, has_areas;   /* of an event or leakage; of anything */
    /* Of all frames. Loading, of the weights once, is not in the total. */
    millionths total, by_unit[N_ENERGY_UNITS], leakage, loading;
    millionths area, area_by_unit[N_ENERGY_UNITS];
};
struct energy_report energy_report_new(const struct isa_program *p, const struct isa_energy *counts,
                                       uint64_t cycles);
/* "6.67 mJ". */
enum { ENERGY_TEXT = 32 };
const char *energy_text(millionths pj, char buffer[ENERGY_TEXT]);
/* "vector units"; behind them, one more: "leakage". */
enum { ENERGY_UNIT_TEXT = 32 };
const char *energy_unit_text(unsigned unit, char buffer[ENERGY_UNIT_TEXT]);
/* Of a frame. */
double energy_report_frame_pj(const struct energy_report *r);
/* A line; nothing where nothing has a price. */
void energy_report_line(const struct energy_report *r, FILE *out);
/* --energy: counters, operations, areas. */
void energy_report_table(const struct energy_report *r, FILE *out);
/* Keys `energy`, `area_um2`, `area_by_unit_um2` of an open map. */
void energy_report_json(const struct energy_report *r, struct json *j);
/* As an exact decimal. */
void energy_json(struct json *j, const char *key, millionths value);

#endif
