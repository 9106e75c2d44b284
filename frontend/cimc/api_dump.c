/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_dump.c - a program as files that hardware reads, or cells as text. DUMP.md. */
#include "api_handles.h"
#include "crossbar_cells.h"
#include "dump.h"

#include <string.h>

/* In a folder that --force may replace. */
static const char mark[] = "program.json";
enum { FORMAT_BOTH, FORMAT_HEX, FORMAT_BIN };

/* `io`: the inputs of a run; NULL: none is wanted. */
static bool write_files(const struct dump *dump, struct io *io, struct diag *d)
{
    bool ok = dump_map(dump, d) && dump_package(dump, d);
    for (uint32_t t = 0; ok && t < dump->program->n_tiles; t++)
        ok = dump_tile(dump, t, d);
    if (ok && io)
        ok = dump_golden(dump, io, d);
    return ok && dump_constants(dump, d);
}

static bool write_folder(struct dump *dump, struct io *io, struct diag *d)
{
    const struct cimc_options *s = dump->settings;
    if (!folder_open(&dump->folder, s->output, s->force, mark, d))
        return false;
    if (write_files(dump, io, d))
        return folder_commit(&dump->folder, d);
    folder_discard(&dump->folder);
    return false;
}

/* Of as many frames as the program is for. */
static bool load_inputs(struct io *io, const struct isa_program *p, const struct cimc_options *s,
                        struct diag *d)
{
    if (!io_describe(io, p, (struct io_models){0}, d))
        return false;
    io->frames = max_i64(p->frames, 1);
    return io_load_inputs(io, s, d);
}

static bool has_levels(const struct isa_program *p)
{
    for (uint32_t t = 0; t < p->n_tiles; t++)
        for (uint32_t g = 0; g < p->tiles[t].n_groups; g++)
            if (crossbar_has_levels(p, &p->tiles[t].groups[g]))
                return true;
    return false;
}

/* The PE that --cells names is there; of all at least one. */
static bool check_cells(const struct isa_program *p, const struct cimc_options *s, struct diag *d)
{
    uint32_t tile;
    const struct isa_group *g;
    const struct isa_pe *pe;
    if (!s->cells)
        return true;
    if (strcmp(s->cells, "all") != 0)
        return dump_find_cells(p, s->cells, &tile, &g, &pe, d);
    return has_levels(p) || diag_error(d, (struct loc){0}, DIAG_WHERE,
                                       "--cells all: the crossbars hold floats, which have no "
                                       "levels: compile with --mode int");
}

/* The first option about a run that gives it no values; NULL: there is none. */
static const char *run_option(const struct cimc_options *s)
{
    return s->checksums          ? "--checksums"
           : s->latency_seed     ? "--latency-seed"
           : s->max_extra_cycles ? "--max-extra-cycles"
                                 : NULL;
}

static bool check_run(const struct cimc_options *s, bool has_run, struct diag *d)
{
    const char *unused = run_option(s);
    return has_run || !unused ||
           diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "%s: there is no run without values for the inputs: --test-data, --input or "
                      "--input-fill",
                      unused);
}

static bool dump_folder(const struct isa_program *p, const struct cimc_options *s, struct diag *d)
{
    dump_constant_list constants = {0};
    struct dump dump = {.constants = &constants,
                        .settings = s,
                        .program = p,
                        .hex = s->dump_format != FORMAT_BIN,
                        .bin = s->dump_format != FORMAT_HEX};
    /* Inputs may come from a pipe: they are read before the folder holds interrupts. */
    bool has_run = s->test_data.n || s->inputs.n || s->input_fill;
    struct io io = {0};
    bool ok =
        check_run(s, has_run, d) && check_cells(p, s, d) && (!has_run || load_inputs(&io, p, s, d));
    ok = ok && write_folder(&dump, has_run ? &io : NULL, d);
    VEC_FREE(&constants);
    if (has_run)
        io_free(&io);
    return ok;
}

/* What only the files of a folder have. */
static bool dump_text(const struct isa_program *p, const struct cimc_options *s, FILE *out,
                      struct diag *d)
{
    const char *unused = s->test_data.n                  ? "--test-data"
                         : s->inputs.n                   ? "--input"
                         : s->input_fill                 ? "--input-fill"
                         : s->dump_format != FORMAT_BOTH ? "--format"
                         : s->force                      ? "--force"
                                                         : run_option(s);
    if (!s->cells)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "give the folder to write, -o DIR");
    if (unused)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "%s: without a folder, -o DIR, only the cells of --cells are printed",
                          unused);
    return driver_has_weights(NULL, p, d) && dump_print_cells(p, s->cells, out, d);
}

struct dump_call {
    const struct cimc_program *program;
    const struct cimc_options *options;
    cimc_write_fn write;
    void *user;
};

static bool dump(cimc_context *c, void *call)
{
    const struct dump_call *k = call;
    const struct isa_program *p = k->program->isa;
    struct cimc_options s = options_whole(k->options);
    struct writer w;
    if (s.output && strcmp(s.output, "-") != 0)
        return driver_has_weights(NULL, p, c->diag) && dump_folder(p, &s, c->diag);
    writer_open(&w, k->write, k->user);
    bool ok = dump_text(p, &s, w.f, c->diag);
    return writer_close(&w, c->diag) && ok;
}

enum cimc_status cimc_dump(cimc_context *c, const cimc_program *p, const struct cimc_options *o,
                           cimc_write_fn write, void *user)
{
    return guard_run(c, dump, &(struct dump_call){p, o, write, user});
}
