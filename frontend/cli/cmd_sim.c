/* cmd_sim.c - `cimc sim`: executes a program file; a model, if given, is the reference. */
#include "commands.h"

#include "outputs.h"
#include "report.h"

static void report(const struct simulation *sim, const struct settings *s)
{
    if (!s->json) {
        report_simulation(sim, outputs_to_stdout(s) ? stderr : stdout);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "program", s->args.at[0]);
    report_simulation_json(sim, j);
    report_costs_json(NULL, sim, j);
    json_close_map(j);
    json_finish(j, stdout);
}

static bool simulate_and_report(const struct isa_program *p, const struct build *b,
                                const struct settings *s, struct diag *d)
{
    struct simulation sim = {.settings = s,
                             .program = p,
                             .may_lack_values = true,
                             .models = driver_io_models(b),
                             .graph = b->graph};
    bool ok = simulate(&sim, d);
    if (sim.ran)
        report(&sim, s);
    simulation_free(&sim);
    return ok;
}

bool cmd_sim(const struct settings *s, struct diag *d)
{
    if (s->compare_layers && !s->models.n)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--compare-layers needs --model");
    struct isa_program *p = isa_program_read(s->args.at[0], d);
    if (!p)
        return false;
    struct build b = {0};
    bool ok = (!s->models.n || driver_lower_again(&b, p, s, &s->models, true, d)) &&
              simulate_and_report(p, &b, s, d);
    driver_free(&b);
    isa_program_free(p);
    return ok;
}
