/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* fuzz_onnx.c - fuzz target: an ONNX file. Its external data is the file itself, if anything. */
#include "fuzz.h"

#include "onnx.h"

enum { MOST_FOLDED_BYTES = 1 << 20 };

static struct ir_op *fold(void *self, struct ir_op *op)
{
    return eval_fold(op, MOST_FOLDED_BYTES, self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct diag *d = diag_new();
    struct ir_graph *rest = NULL;
    struct onnx_options o = {.fold = fold, .fold_self = d, .rest = &rest};
    struct ir_graph *g = onnx_import(fuzz_file(data, n), &o, d);
    fuzz_judge(g != NULL, d);
    if (g) {
        fuzz_require(ir_verify(g, d), "an imported graph is valid", d);
        fuzz_graph(g, NULL);
    }
    if (rest) {
        fuzz_require(!g && ir_verify(rest, d), "what can be imported in spite of errors is valid",
                     d);
        ir_graph_free(rest);
    }
    diag_free(d);
    return 0;
}
