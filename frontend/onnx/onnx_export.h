/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* onnx_export.h - writes a graph as an ONNX model. ONNX.md says what becomes of each operation. */
#ifndef CIMC_ONNX_EXPORT_H
#define CIMC_ONNX_EXPORT_H

#include "ir.h"

/*
 * Appends a verified graph of stage TENSOR or CANONICAL, as a serialised ModelProto, to `out`. The
 * same graph gives the same bytes. False with diagnostics, and `out` as it was, where an operation
 * has no form in ONNX or the file would be 2 GiB or more.
 */
bool onnx_export(const struct ir_graph *g, struct text *out, struct diag *d) CHECK_RESULT;

/* Is there a form for operations of this kind? Of every one that is legal at these stages. */
bool onnx_exports(enum ir_opcode opcode);

#endif
