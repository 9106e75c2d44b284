/* cmd_check.c - `cimc check`: proves a program file, with its model also what it means. */
#include "commands.h"

#include "driver.h"
#include "json.h"

static void report(const struct settings *s)
{
    if (!s->json) {
        printf("%s: form, progress, races%s: proved\n", s->args.at[0], s->model ? ", meaning" : "");
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "program", s->args.at[0]);
    json_text(j, "model", s->model);
    json_open_array(j, "proved");
    json_text(j, NULL, "form");
    json_text(j, NULL, "progress");
    json_text(j, NULL, "races");
    if (s->model)
        json_text(j, NULL, "meaning");
    json_close_array(j);
    json_close_map(j);
    json_finish(j, stdout);
}

bool cmd_check(const struct settings *s, struct diag *d)
{
    struct isa_program *p = isa_program_read(s->args.at[0], d);
    if (!p)
        return false;
    struct build b = {0};
    bool ok = (!s->model || driver_lower_again(&b, p, s, s->model, false, d)) &&
              backend_check(p, b.graph, d);
    if (ok)
        report(s);
    driver_free(&b);
    isa_program_free(p);
    return ok;
}
