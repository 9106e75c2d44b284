/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_dis.c - `cimc dis` and `cimc asm`: a program file as text, and back. */
#include "commands.h"

#include "isa.h"

#include <string.h>
#include <unistd.h>

bool cmd_dis(const struct settings *s, struct diag *d)
{
    const char *path = s->args.at[0];
    struct isa_program *p = isa_program_read(path, d);
    struct out o;
    if (!p)
        return false;
    bool ok = out_open(&o, s->output ? s->output : "-", d);
    if (ok) {
        /* Standard input cannot be named in the text. */
        bool is_inline = s->inline_blobs || strcmp(path, "-") == 0;
        isa_disassemble(p, &(struct isa_dis_options){.inline_sections = is_inline, .path = path},
                        o.f);
        ok = out_commit(&o, d);
    }
    isa_program_free(p);
    return ok;
}

static bool assemble(const struct file *f, const char *output, struct diag *d)
{
    struct isa_program *p = isa_assemble((const char *)f->data, f->size, f->path, d);
    uint64_t bytes;
    bool ok = p && isa_validate(p, d) && isa_program_write(p, output, &bytes, d);
    isa_program_free(p);
    return ok;
}

bool cmd_asm(const struct settings *s, struct diag *d)
{
    const char *output = s->output ? s->output : "-";
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "a program file is not for the terminal; give -o FILE");
    struct arena *names = arena_new();
    struct file f;
    bool ok = file_open(s->args.at[0], names, d, &f);
    if (ok) {
        ok = assemble(&f, output, d);
        file_close(&f);
    }
    arena_free(names);
    return ok;
}
