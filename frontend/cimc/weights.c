/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * weights.c - `--constant-weights`: test data often gives weights, shapes and axes as inputs, and
 * no crossbar can hold what is not known before run time. Which inputs are meant is said by the
 * operators that read them (roles in operators.def), so that nobody has to name them.
 */
#include "weights.h"

#include "onnx.h"
#include "options.h"

bool weights_bind(struct cimc_options *o, const char *model, struct diag *d)
{
    struct onnx_inputs inputs;
    struct arena *a = arena_new();
    bool ok = onnx_input_roles(model, a, &inputs, d);
    for (size_t k = 0; ok && k < inputs.n; k++) {
        const char *file = arena_printf(a, "%s/input_%zu.pb", o->test_data.at[0], k);
        bool constant = inputs.at[k].role == 'w' || inputs.at[k].role == 'c';
        if (constant)
            options_append(o, &o->constants, arena_printf(a, "%s=%s", inputs.at[k].name, file));
        else
            options_append(o, &o->inputs, file);
    }
    arena_free(a);
    return ok;
}
