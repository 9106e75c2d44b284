/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * weights.c - `--constant-weights`: test data often gives weights, shapes and axes as inputs, and
 * no crossbar can hold what is not known before run time. Which inputs are meant is said by the
 * operators that read them (roles in operators.def), so that nobody has to name them.
 */
#include "weights.h"

#include "onnx.h"

bool weights_bind(struct settings *s, const char *model, struct arena *a, struct diag *d)
{
    struct onnx_inputs inputs;
    if (s->test_data.n != 1 || s->inputs.n || s->args.n != 1)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--constant-weights takes constants from --test-data, and no --input, "
                          "and one model");
    if (!onnx_input_roles(model, a, &inputs, d))
        return false;
    for (size_t k = 0; k < inputs.n; k++) {
        const char *file = arena_printf(a, "%s/input_%zu.pb", s->test_data.at[0], k);
        bool constant = inputs.at[k].role == 'w' || inputs.at[k].role == 'c';
        if (constant)
            VEC_PUSH(&s->constants, arena_printf(a, "%s=%s", inputs.at[k].name, file));
        else
            VEC_PUSH(&s->inputs, file);
    }
    return true;
}
