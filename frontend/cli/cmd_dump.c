/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_dump.c - `cimc dump`: a program as files that hardware reads. DUMP.md. */
#include "dump.h"

#include "transition.h"
#include "driver.h"

#include <string.h>

/* In a folder that --force may replace. */
static const char mark[] = "program.json";
enum { FORMAT_BOTH, FORMAT_HEX, FORMAT_BIN };

/* `io`: the inputs of a run; NULL: none is wanted. */
static bool write_files(const struct dump *dump, struct io *io, struct diag *d)
{
    bool ok = dump_map(dump, d);
    for (uint32_t t = 0; ok && t < dump->program->n_tiles; t++)
        ok = dump_tile(dump, t, d);
    if (ok && io)
        ok = dump_golden(dump, io, d);
    return ok;
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

/* The PE that --cells names is there. */
static bool check_cells(const struct isa_program *p, const struct cimc_options *s, struct diag *d)
{
    uint32_t tile;
    const struct isa_group *g;
    const struct isa_pe *pe;
    return !s->cells || strcmp(s->cells, "all") == 0 ||
           dump_find_cells(p, s->cells, &tile, &g, &pe, d);
}

static bool dump_folder(const struct isa_program *p, const struct cimc_options *s, struct diag *d)
{
    struct dump dump = {.settings = s,
                        .program = p,
                        .hex = s->dump_format != FORMAT_BIN,
                        .bin = s->dump_format != FORMAT_HEX};
    /* Inputs may come from a pipe: they are read before the folder holds interrupts. */
    bool has_run = s->test_data.n || s->inputs.n || s->input_fill;
    struct io io = {0};
    bool ok = check_cells(p, s, d) && (!has_run || load_inputs(&io, p, s, d));
    ok = ok && write_folder(&dump, has_run ? &io : NULL, d);
    if (has_run)
        io_free(&io);
    return ok;
}

static bool dump_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    bool has_folder = s->output && strcmp(s->output, "-") != 0;
    if (!has_folder && !s->cells)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "give the folder to write, -o DIR");
    struct isa_program *p = isa_program_read(l->args.at[0], d);
    bool ok = p && driver_has_weights(NULL, p, d) &&
              (has_folder ? dump_folder(p, s, d) : dump_print_cells(p, s->cells, d));
    isa_program_free(p);
    return ok;
}

enum cimc_status cmd_dump(struct command_line *l)
{
    return run_inner(l, dump_inner);
}
