/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * machine.c - the machine that options ask for.
 */
#include "machine.h"

#include <string.h>

bool machine_load(const struct cimc_options *s, const char *name_or_path, struct arena *a,
                  struct diag *d, struct arch *out, const struct arch_notes **notes)
{
    if (!arch_load_noted(name_or_path, a, d, out, notes))
        return false;
    for (size_t i = 0; i < s->arch_fields.n; i++)
        if (!strchr(s->arch_fields.at[i], '='))
            return diag_error(d, (struct loc){0}, DIAG_USAGE,
                              "--arch-field: '%s' is not FIELD=VALUE", s->arch_fields.at[i]);
    return arch_set_all(out, s->arch_fields.at, s->arch_fields.n, d);
}
