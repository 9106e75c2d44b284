/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_check.c - is this a model that can be looked at? Versions, and what a graph may not hold.
 */
#include "onnx_importer.h"

#include <string.h>

enum { LEAST_IR = 3, MOST_IR = 13, LEAST_OPSET = 6, MOST_OPSET = 24 };

const char *onnx_node_entity(struct arena *a, const Onnx__NodeProto *p, uint32_t index)
{
    const char *op_type = p->op_type ? p->op_type : "";
    if (p->name && *p->name)
        return arena_printf(a, "node %u '%s' (%s)", index, p->name, op_type);
    return arena_printf(a, "node %u (%s)", index, op_type);
}

/* ---- versions and form ---- */

int64_t onnx_default_opset(Onnx__OperatorSetIdProto *const *imports, size_t n)
{
    int64_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const Onnx__OperatorSetIdProto *o = imports[i];
        if (!onnx_is_default_domain(o->domain))
            continue;
        if (found && found != o->version)
            return -1;
        found = o->version;
    }
    return found;
}

static bool check_versions(struct onnx_importer *im)
{
    struct loc loc = {.file = im->path};
    bool ok = true;
    if (im->proto->ir_version < LEAST_IR || im->proto->ir_version > MOST_IR)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "IR version %lld; %d to %d are supported",
                        (long long)im->proto->ir_version, LEAST_IR, MOST_IR);
    if (im->opset < 0)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "imports two versions of the default operator set");
    if (im->opset == 0)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "imports no version of the default operator set");
    if (im->opset < LEAST_OPSET || im->opset > MOST_OPSET)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "opset %lld; %d to %d are supported",
                          (long long)im->opset, LEAST_OPSET, MOST_OPSET);
    return ok;
}

bool onnx_check_model(struct onnx_importer *im)
{
    struct loc loc = {.file = im->path};
    if (!im->proto->graph)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "holds no graph");
    im->graph = im->proto->graph;
    im->opset = onnx_default_opset(im->proto->opset_import, im->proto->n_opset_import);
    bool ok = check_versions(im);
    if (im->graph->n_sparse_initializer)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "sparse initializers are not supported");
    if (im->graph->n_output == 0)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "the graph has no output");
    return onnx_check_functions(im) && ok;
}
