/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* fuzz_ir.c - fuzz target: IR text of any stage. What parses prints and parses to the same graph.
 */
#include "fuzz.h"

static void read_back(const struct ir_graph *g)
{
    struct diag *d = diag_new();
    struct text t = {0};
    ir_print(g, &(struct ir_print_options){.inline_blobs = true}, &t);
    struct ir_graph *again = ir_parse(t.at, t.n, "printed", d);
    fuzz_require(again != NULL, "a printed graph parses", d);
    fuzz_require(ir_fingerprint(again) == ir_fingerprint(g),
                 "a printed graph parses to the same one", d);
    ir_graph_free(again);
    text_free(&t);
    diag_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct diag *d = diag_new();
    struct ir_graph *g = ir_parse((const char *)data, n, "input", d);
    bool ok = g && ir_verify(g, d);
    fuzz_judge(ok, d);
    if (ok && fuzz_graph_is_small(g)) {
        read_back(g);
        fuzz_graph(g, NULL);
    } else {
        ir_graph_free(g);
    }
    diag_free(d);
    return 0;
}
