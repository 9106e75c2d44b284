/* cmd_dump.c - `cimc dump`: a program as files that hardware reads. DUMP.md. */
#include "dump.h"

/* In a folder that --force may replace. */
static const char mark[] = "program.json";
enum { FORMAT_BOTH, FORMAT_HEX, FORMAT_BIN };

static bool write_files(const struct dump *dump, struct diag *d)
{
    const struct settings *s = dump->settings;
    bool ok = dump_map(dump, d);
    for (uint32_t t = 0; ok && t < dump->program->n_tiles; t++)
        ok = dump_tile(dump, t, d);
    if (ok && (s->test_data || s->inputs.n || s->input_fill))
        ok = dump_golden(dump, d);
    return ok;
}

bool cmd_dump(const struct settings *s, struct diag *d)
{
    if (!s->output)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "give the folder to write, -o DIR");
    struct isa_program *p = isa_program_read(s->args.at[0], d);
    if (!p)
        return false;
    struct dump dump = {.settings = s,
                        .program = p,
                        .hex = s->dump_format != FORMAT_BIN,
                        .bin = s->dump_format != FORMAT_HEX};
    bool ok = folder_open(&dump.folder, s->output, s->force, mark, d);
    if (ok) {
        ok = write_files(&dump, d);
        if (ok)
            ok = folder_commit(&dump.folder, d);
        else
            folder_discard(&dump.folder);
    }
    isa_program_free(p);
    return ok;
}
