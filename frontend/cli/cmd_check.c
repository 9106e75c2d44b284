/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_check.c - `cimc check`: proves a program file, with its model also what it means. */
#include "transition.h"

#include "common_json.h"
#include "driver.h"

static void report(const struct command_line *l, const struct isa_program *p, const struct build *b,
                   const struct cimc_options *s)
{
    if (!s->json) {
        printf("%s: form, progress, races%s: proved\n", l->args.at[0],
               s->models.n ? ", meaning" : "");
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    origin_json(p->options, &p->arch, j);
    json_text(j, "program", l->args.at[0]);
    json_text(j, "model", b->model);
    json_open_array(j, "proved");
    json_text(j, NULL, "form");
    json_text(j, NULL, "progress");
    json_text(j, NULL, "races");
    if (s->models.n)
        json_text(j, NULL, "meaning");
    json_close_array(j);
    json_close_map(j);
    json_finish(j, stdout);
}

static bool check_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    struct isa_program *p = isa_program_read(l->args.at[0], d);
    if (!p)
        return false;
    struct build b = {0};
    struct sources models = sources_of(&s->models);
    bool ok = (!s->models.n ||
               driver_lower_again(&b, p, s, models.at, models.n, &l->context->progress, d)) &&
              backend_check(p, b.graph, d);
    if (ok)
        report(l, p, &b, s);
    driver_free(&b);
    isa_program_free(p);
    return ok;
}

enum cimc_status cmd_check(struct command_line *l)
{
    return run_inner(l, check_inner);
}
