/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * input_scale.c - `--input-scale [NAME=]FACTOR`: what the integers of a file mean that gives them
 * for a float input, as pixels of 0 to 255 that a model takes as 0 to 1.
 *
 * In: the options. Out: a factor for each float input; 0 where nothing is said of it.
 */
#include "values.h"

#include "tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The factor's text; the name in front of it, if there is one, is `*out_n` long. */
static const char *split(const char *option, size_t *out_n)
{
    const char *equals = strrchr(option, '=');
    *out_n = equals ? (size_t)(equals - option) : 0;
    return equals ? equals + 1 : option;
}

/* "0.5" or "1/255", which is the quotient rounded once. */
static bool parse_factor(const char *text, float *out)
{
    char *end;
    double x = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *divisor = end + 1;
        x /= strtod(divisor, &end);
        end = end == divisor ? NULL : end;
    }
    *out = (float)x;
    return end && end != text && !*end && isfinite(*out) && *out != 0;
}

static bool is_named(const char *option, size_t n, const struct io_tensor *t)
{
    return t->name && strlen(t->name) == n && strncmp(option, t->name, n) == 0;
}

static bool takes_factor(const struct io_tensor *t)
{
    return t->known && t->type.dtype == IR_F32;
}

static bool scale_one(struct io_tensor *inputs, size_t n_inputs, const char *option, bool named,
                      struct diag *d)
{
    struct loc nowhere = {0};
    float factor;
    size_t n;
    bool found = false;
    if (!parse_factor(split(option, &n), &factor))
        return diag_error(d, nowhere, DIAG_USAGE,
                          "--input-scale: '%s' has no factor such as 0.5 or 1/255", option);
    for (size_t k = 0; k < n_inputs; k++) {
        struct io_tensor *t = &inputs[k];
        if ((n > 0) != named || !takes_factor(t) || (named && !is_named(option, n, t)))
            continue;
        t->scale = factor;
        found = true;
    }
    return found || !named || n == 0 ||
           diag_error(d, nowhere, DIAG_USAGE, "--input-scale: there is no float input '%.*s'",
                      (int)n, option);
}

bool input_scales(const struct cimc_options *s, struct io_tensor *inputs, size_t n, struct diag *d)
{
    for (int named = 0; named < 2; named++) /* what is said of one goes before what is of all */
        for (size_t i = 0; i < s->input_scales.n; i++)
            if (!scale_one(inputs, n, s->input_scales.at[i], named, d))
                return false;
    return true;
}
