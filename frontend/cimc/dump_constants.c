/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_constants.c - what is known of a program and its machine as constants: numbers, sizes of
 * memories, the memory map; program_pkg.sv and program.h.
 *
 * In: a program, and what other files say of themselves. Out: names and values, twice.
 */
#include "dump.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void dump_constant(const struct dump *dump, uint64_t value, const char *format, ...)
{
    struct dump_constant c = {.value = value};
    char name[128];
    va_list ap;
    va_start(ap, format);
    vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    c.name = arena_strdup(dump->folder.arena, name);
    VEC_PUSH(dump->constants, c);
}

static void add_numbers(const struct dump *dump, const char *prefix, const struct isa_numbers *n)
{
    for (size_t i = 0; i < n->n; i++)
        dump_constant(dump, n->at[i].value, "%s%s", prefix, n->at[i].name);
}

/* Bytes of the buffer that a view can show: from the first on, not the last. */
static void add_view(const struct dump *dump, uint32_t tile, uint32_t i)
{
    const struct isa_view *v = &dump->program->tiles[tile].views[i];
    struct isa_extent e;
    dump_constant(dump, v->base, "tile_%u_view_%u_address", tile, i);
    if (isa_view_is_empty(v) || !isa_view_extent(v, &e))
        return;
    dump_constant(dump, (uint64_t)e.lo, "tile_%u_view_%u_from", tile, i);
    dump_constant(dump, (uint64_t)e.hi, "tile_%u_view_%u_to", tile, i);
}

static void add_tile(const struct dump *dump, uint32_t tile, struct arena *a)
{
    const struct isa_tile *t = &dump->program->tiles[tile];
    struct isa_numbers n = isa_numbers_of(ISA_TILE_NUMBERS, dump->program, tile, a);
    char prefix[32];
    snprintf(prefix, sizeof prefix, "tile_%u_", tile);
    add_numbers(dump, prefix, &n);
    dump_constant(dump, isa_queue_vu(t), "tile_%u_queue_vu", tile);
    dump_constant(dump, isa_queue_tx(t), "tile_%u_queue_tx", tile);
    dump_constant(dump, isa_queue_dma(t), "tile_%u_queue_dma", tile);
    for (uint32_t i = 0; i < t->n_views; i++)
        add_view(dump, tile, i);
    for (uint32_t i = 0; i < t->n_preloads; i++) {
        dump_constant(dump, t->preloads[i].address, "tile_%u_preload_%u_address", tile, i);
        dump_constant(dump, t->preloads[i].length, "tile_%u_preload_%u_bytes", tile, i);
    }
}

static void print_sv(const struct dump *dump, FILE *out)
{
    fprintf(out, "// Of one program: names as in DUMP.md.\npackage program_pkg;\n");
    for (size_t i = 0; i < dump->constants->n; i++)
        fprintf(out, "  localparam logic [63:0] %s = 64'd%" PRIu64 ";\n",
                dump->constants->at[i].name, dump->constants->at[i].value);
    fprintf(out, "endpackage\n");
}

static void print_c(const struct dump *dump, FILE *out)
{
    fprintf(out, "/* Of one program: names as in DUMP.md. */\n#ifndef CIMC_PROGRAM_H\n"
                 "#define CIMC_PROGRAM_H\n\n#include <stdint.h>\n\n");
    for (size_t i = 0; i < dump->constants->n; i++)
        fprintf(out, "#define CIMC_%s UINT64_C(%" PRIu64 ")\n", dump->constants->at[i].name,
                dump->constants->at[i].value);
    fprintf(out, "\n#endif\n");
}

static bool write_constants(const struct dump *dump, const char *name,
                            void (*print)(const struct dump *dump, FILE *out), struct diag *d)
{
    FILE *out = folder_file(&dump->folder, name, "w", d);
    if (out)
        print(dump, out);
    return out && folder_close(&dump->folder, out, name, d);
}

bool dump_constants(const struct dump *dump, struct diag *d)
{
    struct arena *a = arena_new();
    struct isa_numbers program = isa_numbers_of(ISA_PROGRAM_NUMBERS, dump->program, 0, a);
    struct isa_numbers machine = isa_numbers_of(ISA_MACHINE_NUMBERS, dump->program, 0, a);
    add_numbers(dump, "", &program);
    add_numbers(dump, "m_", &machine);
    for (uint32_t t = 0; t < dump->program->n_tiles; t++)
        add_tile(dump, t, a);
    arena_free(a);
    return write_constants(dump, "program_pkg.sv", print_sv, d) &&
           write_constants(dump, "program.h", print_c, d);
}
