/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_package.c - what a testbench that is compiled once reads beside a program's memories:
 * packages of words, numbers of machine, program and tiles.
 */
#include "dump.h"

static bool write_text(const struct dump *dump, const char *name, const struct text *t,
                       struct diag *d)
{
    FILE *out = folder_file(&dump->folder, name, "w", d);
    if (out)
        fwrite(t->at, 1, t->n, out);
    return out && folder_close(&dump->folder, out, name, d);
}

static bool dump_words_of_language(const struct dump *dump, enum isa_language language,
                                   const char *name, struct diag *d)
{
    struct text t = {0};
    isa_print_package(language, &t);
    bool ok = write_text(dump, name, &t, d);
    text_free(&t);
    return ok;
}

/* Words of 64 bits, whose names are in the first line. */
static bool dump_numbers(const struct dump *dump, const char *name, const struct isa_numbers *n,
                         struct diag *d)
{
    uint64_t *values = ARENA_ARRAY(dump->folder.arena, uint64_t, n->n);
    struct text head = {0};
    for (size_t i = 0; i < n->n; i++) {
        values[i] = n->at[i].value;
        text_add(&head, "%s%s", i ? " " : "", n->at[i].name);
    }
    bool ok = dump_words(dump, name, head.at, values, n->n, sizeof *values, d);
    text_free(&head);
    return ok;
}

bool dump_tile_numbers(const struct dump *dump, uint32_t tile, struct diag *d)
{
    struct arena *a = arena_new();
    struct isa_numbers n = isa_numbers_of(ISA_TILE_NUMBERS, dump->program, tile, a);
    bool ok = dump_numbers(dump, arena_printf(a, "tile_%04u/sizes", tile), &n, d);
    arena_free(a);
    return ok;
}

bool dump_package(const struct dump *dump, struct diag *d)
{
    struct arena *a = arena_new();
    struct isa_numbers machine = isa_numbers_of(ISA_MACHINE_NUMBERS, dump->program, 0, a);
    struct isa_numbers program = isa_numbers_of(ISA_PROGRAM_NUMBERS, dump->program, 0, a);
    bool ok = dump_words_of_language(dump, ISA_IN_SV, "cimc_pkg.sv", d) &&
              dump_words_of_language(dump, ISA_IN_C, "cimc_isa.h", d) &&
              dump_numbers(dump, "machine", &machine, d) &&
              dump_numbers(dump, "program", &program, d);
    for (unsigned i = 0; ok && i < ISA_PROGRAM_MEMORIES; i++) {
        struct isa_memory m = isa_program_memory(dump->program, i, a);
        ok = dump_memory(dump, "", &m, d);
    }
    arena_free(a);
    return ok;
}
