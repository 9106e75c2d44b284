/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cmd_quantize.c - `cimc quantize`: a float model becomes a quantised one, as an ONNX model that
 * any runtime takes, and a table of what that did to each layer.
 */
#include "write.h"

static enum cimc_status name_model(struct command_line *l, const struct sources *s)
{
    struct cimc_options *o = &l->options;
    enum cimc_status status = CIMC_OK;
    if (!o->calibrate.n)
        return usage_error(l->context,
                           "--calibrate is missing: tensors that the model's inputs are like");
    if (!o->output && !o->json)
        status = cimc_name_output(l->context, s->at, s->n, ".qdq.onnx", o);
    return status == CIMC_OK ? cimc_check_files(l->context, o, &l->args) : status;
}

static enum cimc_status write_model(struct command_line *l, const cimc_quantized *q)
{
    cimc_output *out;
    enum cimc_status status = output_open(l, &out);
    if (status != CIMC_OK)
        return status;
    return output_close(
        l, out, cimc_print_quantized(l->context, q, CIMC_ONNX, &l->options, write_output, out));
}

static enum cimc_status show(struct command_line *l, const cimc_quantized *q)
{
    const struct cimc_options *o = &l->options;
    enum cimc_status status = o->output ? write_model(l, q) : CIMC_OK;
    if (status != CIMC_OK)
        return status;
    return cimc_print_quantized(l->context, q, o->json ? CIMC_JSON : CIMC_TABLE, o, write_text,
                                report_stream(o));
}

enum cimc_status cmd_quantize(struct command_line *l)
{
    cimc_model *model = NULL;
    cimc_quantized *quantized = NULL;
    struct sources s = sources_of(&l->args);
    enum cimc_status status = name_model(l, &s);
    if (status == CIMC_OK)
        status = cimc_import(l->context, s.at, s.n, &l->options, &model);
    if (status == CIMC_OK)
        status = cimc_quantize(l->context, model, &l->options, &quantized);
    cimc_model_free(model);
    if (status == CIMC_OK)
        status = show(l, quantized);
    cimc_quantized_free(quantized);
    return status;
}
