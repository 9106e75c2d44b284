/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cmd_compile.c - `cimc compile`: a model becomes a checked program file and a table.
 *
 * A program that nobody asked for by name is written only if nothing else was asked for.
 */
#include "transition.h"

#include "mapping.h"
#include "outputs.h"
#include "report.h"
#include "time_trace.h"
#include "views.h"

static void report(const struct build *b, const struct cimc_options *s, bool to_stdout)
{
    if (!s->json) {
        report_build(b, s, to_stdout ? stdout : stderr);
        mapping_report(b, to_stdout ? stdout : stderr);
        outputs_report(s, to_stdout ? stdout : stderr);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    report_build_json(b, j);
    mapping_report_json(b, j);
    report_costs_json(b, NULL, j);
    json_close_map(j);
    json_finish(j, stdout);
}

static bool compile_inner(const struct command_line *l, const struct cimc_options *s,
                          struct diag *d)
{
    struct build b;
    struct cimc_options all = *s;
    bool ok = start_build(l, &b, s, d) && driver_take_models(&b, s, &l->args, d);
    if (ok && !outputs_wanted(s))
        all.output = driver_output_name(b.model, ".cim", b.arena);
    b.writes = &all;
    ok = ok && outputs_check(&all, &l->args, d) && driver_import_all(&b, s, false, d) &&
         driver_lower(&b, s, d) && driver_compile(&b, s, d) && views_write(&b, s, d) &&
         (!all.output || driver_write(&b, all.output, d)) &&
         (!s->time_trace || time_trace_write(&b, NULL, s->time_trace, d));
    if (ok)
        report(&b, &all, !outputs_to_stdout(&all));
    if (ok && s->time_passes)
        report_times(&b, NULL, stderr);
    driver_free(&b);
    return ok;
}

enum cimc_status cmd_compile(struct command_line *l)
{
    return run_inner(l, compile_inner);
}
