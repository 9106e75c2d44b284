/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_eval.c - `cimc eval`: what a model says, by the evaluator; nothing is compiled. */
#include "commands.h"
#include "text_out.h"

enum cimc_status cmd_eval(struct command_line *l)
{
    cimc_model *model = NULL;
    cimc_simulation *evaluation = NULL;
    cimc_context *c = l->context;
    const struct cimc_options *o = &l->options;
    struct sources s = sources_of(&l->args);
    enum cimc_status status = cimc_import(c, s.at, s.n, o, &model), shown = CIMC_OK;
    if (status == CIMC_OK)
        status = cimc_evaluate(c, model, o, NULL, &evaluation);
    l->has_result = evaluation; /* results that differ are shown, too */
    if (evaluation)
        shown = cimc_print_simulation(c, evaluation, o->json ? CIMC_JSON : CIMC_TABLE, o,
                                      write_text, stdout);
    cimc_simulation_free(evaluation);
    cimc_model_free(model);
    return status == CIMC_OK ? shown : status;
}
