/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sweep_plan.c - all points of a sweep: what is given, their number, the options of each. */
#include "sweep.h"

#include "options.h"

#include <stdlib.h>
#include <string.h>

/* ---- points ---- */

const struct sweep_value *sweep_value_of(const struct sweep_plan *p, size_t axis, uint64_t point)
{
    for (size_t i = p->axes.n; --i > axis;)
        point /= p->axes.at[i].values.n;
    const struct sweep_axis *a = &p->axes.at[axis];
    return &a->values.at[point % a->values.n];
}

struct cimc_options sweep_options(const struct sweep_plan *p, uint64_t point, struct diag *d)
{
    struct cimc_options o = options_copy(&p->options);
    for (size_t i = 0; i < p->axes.n; i++) {
        const struct sweep_axis *axis = &p->axes.at[i];
        const struct sweep_value *v = sweep_value_of(p, i, point);
        for (size_t k = 0; axis->option && k < v->texts.n; k++) {
            if (!options_put(&o, axis->option, v->texts.at[k], d))
                BUG("a value was taken that --%s does not have", axis->option->name);
        }
    }
    return o;
}

bool sweep_is_mine(const struct sweep_plan *p, uint64_t point)
{
    return point % p->n_shards == p->shard;
}

/* ---- what is given ---- */

static bool is_spec(const char *operand)
{
    return ends_with(operand, ".yaml") || ends_with(operand, ".yml");
}

static bool take_operands(struct sweep_plan *p, const struct cimc_strings *operands, struct diag *d)
{
    static const struct loc nowhere = {0};
    struct sweep_axis *models = sweep_axis_add(p, "model", nowhere, d);
    const char *spec = NULL;
    bool ok = models != NULL;
    for (size_t i = 0; ok && i < operands->n; i++) {
        const char *operand = operands->at[i];
        if (!is_spec(operand))
            ok = sweep_axis_take(p, models, operand, nowhere, d);
        else if (spec)
            ok = diag_error(d, nowhere, DIAG_USAGE, "two specifications: %s, %s", spec, operand);
        else
            spec = operand;
    }
    ok = ok && (!spec || sweep_spec_read(p, spec, d));
    if (ok && p->axes.at[0].values.n == 0)
        return diag_error(d, (struct loc){.file = spec}, DIAG_USAGE, "there is no model");
    return ok;
}

/* "K/N", K from 1 */
static bool take_shard(struct sweep_plan *p, const char *text, struct diag *d)
{
    char which[9] = "1", of[9] = "1"; /* digits alone: no blanks, no signs */
    int end = 0;
    bool ok = !text || (sscanf(text, "%8[0-9]/%8[0-9]%n", which, of, &end) == 2 && !text[end]);
    unsigned long k = strtoul(which, NULL, 10), n = strtoul(of, NULL, 10);
    ok = ok && k >= 1 && k <= n && n <= SWEEP_MOST_POINTS;
    p->shard = k - 1;
    p->n_shards = n;
    return ok || diag_error(d, (struct loc){0}, DIAG_USAGE,
                            "--shard: '%s' is not K/N with K from 1 to N", text);
}

static size_t shared_folder(const struct sweep_axis *models)
{
    const char *first = models->values.at[0].label;
    size_t n = strlen(first);
    for (size_t i = 0; i < models->values.n; i++) {
        const char *label = models->values.at[i].label;
        size_t same = 0;
        while (same < n && label[same] == first[same])
            same++;
        n = same;
    }
    while (n > 0 && first[n - 1] != '/')
        n--;
    return n;
}

bool sweep_plan_make(struct sweep_plan *p, const struct cimc_strings *operands,
                     const struct cimc_options *o, struct arena *a, struct diag *d)
{
    *p = (struct sweep_plan){.arena = a, .options = options_copy(o), .n_points = 1};
    if (!take_shard(p, o->shard, d) || !take_operands(p, operands, d))
        return false;
    for (size_t i = 0; i < o->vary.n; i++) {
        if (!sweep_axis_parse(p, o->vary.at[i], d))
            return false;
    }
    p->folder = shared_folder(&p->axes.at[0]);
    /* files of the sweep are none of a point */
    p->options.vary = (struct cimc_strings){0};
    p->options.output = p->options.csv = NULL;
    p->options.json = false;
    return true;
}
