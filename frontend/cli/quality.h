/* quality.h - what quantising did to a model, as a table and as JSON. */
#ifndef CIMC_QUALITY_H
#define CIMC_QUALITY_H

#include "json.h"
#include "pass.h"

/* The rows with the most harm first. The list is in `a`. */
const struct quant_row *const *quality_by_harm(const struct quant_report *r, struct arena *a);
/* What stands for a signal to noise that is no number of dB; NULL if it is one. */
const char *quality_word(double snr);
void quality_print(const struct quant_report *r, FILE *out);
/* Into an open map. */
void quality_json(const struct quant_report *r, struct json *j);

#endif
