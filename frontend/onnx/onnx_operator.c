/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_operator.c - the table of operators, found by domain and name.
 *
 * Several names of a domain mean one: an alias leads to the domain that operators.def writes.
 */
#include "onnx_operator.h"

#include "onnx.h"

#include <stdlib.h>
#include <string.h>

/* ---- domains ---- */

static const struct {
    const char *domain, *prefix; /* what a name of it begins with in the table */
} domains[] = {
    {"", ""},
    {"ai.onnx", ""},
    {"com.microsoft", "com.microsoft."},
    {"PACTOps", "PACTOps."},
    {"qonnx.custom_op.general", "qonnx."},
    {"finn.custom_op.general", "qonnx."}, /* its name before */
    {"onnx.brevitas", "qonnx."},          /* as Brevitas writes them */
};

/* NULL if no operator of it is known. */
static const char *prefix_of(const char *domain)
{
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (strcmp(domains[i].domain, domain ? domain : "") == 0)
            return domains[i].prefix;
    return NULL;
}

bool onnx_is_default_domain(const char *domain)
{
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

/* ---- operators ---- */

static const struct onnx_operator operators[] = {
#define OPERATOR(name, since, until, min_in, max_in, roles, function, opcode, variant)             \
    {name, since, until, min_in, max_in, roles, function, opcode, variant},
#include "operators.def"
#undef OPERATOR
};

static const char *const operator_names[] = {
#define OPERATOR(name, since, until, min_in, max_in, roles, function, opcode, variant) name,
#include "operators.def"
#undef OPERATOR
    NULL,
};

const struct onnx_operator *onnx_operator_table(size_t *n)
{
    *n = sizeof operators / sizeof *operators;
    return operators;
}

const char *const *onnx_operators(void)
{
    return operator_names;
}

struct full_name {
    const char *prefix, *name;
};

/* As strcmp of the whole name, of which the key holds two parts. */
static int by_name(const void *key, const void *entry)
{
    const struct full_name *k = key;
    const char *name = ((const struct onnx_operator *)entry)->name;
    size_t n = strlen(k->prefix);
    int c = strncmp(k->prefix, name, n);
    return c ? c : strcmp(k->name, name + n);
}

const struct onnx_operator *onnx_operator_find(const char *domain, const char *name)
{
    struct full_name key = {prefix_of(domain), name};
    if (!key.prefix || strchr(name, '.')) /* "a.b" is no name, but could be found in domain "a" */
        return NULL;
    return bsearch(&key, operators, sizeof operators / sizeof *operators, sizeof *operators,
                   by_name);
}
