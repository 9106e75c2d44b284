/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_report.c - `cimc report`: what `compile` finds out, as one HTML page instead of a program. */
#include "transition.h"

#include "outputs.h"
#include "report.h"
#include "time_trace.h"
#include "views.h"

static bool report_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    struct build b;
    struct cimc_options with_report = *s;
    bool ok = start_build(l, &b, s, d) && driver_take_models(&b, s, &l->args, d);
    if (ok)
        with_report.report = s->output ? s->output : driver_output_name(b.model, ".html", b.arena);
    with_report.output = NULL;
    b.wants_quality = true;
    b.writes = &with_report;
    ok = ok && outputs_check(&with_report, &l->args, d) && driver_import_all(&b, s, false, d) &&
         driver_lower(&b, s, d) && driver_compile(&b, &with_report, d) &&
         views_write(&b, &with_report, d) &&
         (!s->time_trace || time_trace_write(&b, NULL, s->time_trace, d));
    if (ok && s->time_passes)
        report_times(&b, NULL, stderr);
    driver_free(&b);
    return ok;
}

enum cimc_status cmd_report(struct command_line *l)
{
    return run_inner(l, report_inner);
}
