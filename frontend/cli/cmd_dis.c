/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_dis.c - `cimc dis` and `cimc asm`: a program file as text, and back. */
#include "transition.h"

#include "isa.h"

#include <string.h>
#include <unistd.h>

static bool dis_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    const char *path = l->args.at[0];
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

static bool asm_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    const char *output = s->output ? s->output : "-";
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "a program file is not for the terminal; give -o FILE");
    struct arena *names = arena_new();
    struct file f;
    bool ok = file_open(l->args.at[0], names, d, &f);
    if (ok) {
        ok = assemble(&f, output, d);
        file_close(&f);
    }
    arena_free(names);
    return ok;
}

enum cimc_status cmd_dis(struct command_line *l)
{
    return run_inner(l, dis_inner);
}

enum cimc_status cmd_asm(struct command_line *l)
{
    return run_inner(l, asm_inner);
}
