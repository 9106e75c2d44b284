/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* report.h - what `compile`, `run` and `sim` tell: tables and JSON. */
#ifndef CIMC_REPORT_H
#define CIMC_REPORT_H

#include "driver.h"
#include "energy_report.h"
#include "json.h"
#include "simulate.h"

/* By the interval of the steady schedule; NaN where there is none. */
double report_images_per_second(const struct build *b);
/* Of the schedule, with the build's prices; the build keeps what it points to. */
struct energy_report report_build_energy(const struct build *b);
void report_build(const struct build *b, const struct cimc_options *s, FILE *out);
/* The seconds of `--json` as a table (either may be NULL). */
void report_times(const struct build *b, const struct simulation *sim, FILE *out);
/* A line for each output, and the accuracy. */
void report_outputs(const struct simulation *sim, FILE *out);
void report_simulation(const struct simulation *sim, FILE *out);
/* The keys of `compile --json` but `tiles`, `seconds` and `peak_rss_bytes`, into an open map. */
void report_build_json(const struct build *b, struct json *j);
/* What the memories of a tile hold, as keys of an open map; of all tiles: key `tiles`. */
void report_tile_json(const struct isa_program *p, uint32_t tile, struct json *j);
void report_tiles_json(const struct isa_program *p, struct json *j);
/* Key `outputs`; `accuracy` with labels. */
void report_outputs_json(const struct simulation *sim, struct json *j);
/* Those of `run` and `sim`, likewise. */
void report_simulation_json(const struct simulation *sim, struct json *j);
/* `seconds` of what there is (either may be NULL) and `peak_rss_bytes`. */
void report_costs_json(const struct build *b, const struct simulation *sim, struct json *j);

#endif
