/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_report.c - `cimc report`: what `compile` finds out, as one HTML page instead of a program. */
#include "commands.h"

#include "outputs.h"
#include "report.h"
#include "views.h"

bool cmd_report(const struct settings *s, struct diag *d)
{
    struct build b;
    struct settings with_report = *s;
    bool ok = driver_start(&b, s, NULL, d) && driver_take_models(&b, s, &s->args, d);
    if (ok)
        with_report.report = s->output ? s->output : driver_output_name(b.model, ".html", b.arena);
    with_report.output = NULL;
    b.wants_quality = true;
    b.writes = &with_report;
    ok = ok && outputs_check(&with_report, d) && driver_import_all(&b, s, false, d) &&
         driver_lower(&b, s, d) && driver_compile(&b, &with_report, d) &&
         views_write(&b, &with_report, d);
    if (ok && s->time_passes)
        report_times(&b, NULL, stderr);
    driver_free(&b);
    return ok;
}
