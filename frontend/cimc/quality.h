/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* quality.h - what quantising did to a model, as a table and as JSON. */
#ifndef CIMC_QUALITY_H
#define CIMC_QUALITY_H

#include "json.h"
#include "pass.h"

/* The rows with the most harm first. The list is in `a`. */
const struct quant_row *const *quality_by_harm(const struct quant_report *r, struct arena *a);
/* Of a row that has no name of its own, what it is. */
const char *quality_name(const struct quant_row *row);
/* A signal to noise with `unit` behind it, "37.8 dB"; "exact" or "unknown" if it is no number. */
enum { QUALITY_TEXT = 32 };
const char *quality_text(double snr, const char *unit, char buffer[QUALITY_TEXT]);
void quality_print(const struct quant_report *r, FILE *out);
/* Into an open map. */
void quality_json(const struct quant_report *r, struct json *j);

#endif
