/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump.h - what the files behind `cimc dump` share. DUMP.md is the specification of what they
 * write.
 */
#ifndef CIMC_DUMP_H
#define CIMC_DUMP_H

#include "tensors.h"

/* ---- folder.c: a folder that appears whole or not at all ---- */

/* Filled beside its place and renamed onto it by folder_commit. */
struct folder {
    struct arena *arena;
    const char *path;
    struct temporary *temp;
    struct folder_stream **open; /* files that are written, the newest first */
};
/* `path` may not be there, or be empty; with `replace` also be a folder that holds a file `mark`.
 */
bool folder_open(struct folder *f, const char *path, bool replace, const char *mark,
                 struct diag *d) CHECK_RESULT;
bool folder_make(const struct folder *f, const char *name, struct diag *d) CHECK_RESULT;
/* A file in it, opened in this mode; NULL with a diagnostic. If an interrupt waits, it ends the
 * process here, and the folder goes first. */
FILE *folder_file(const struct folder *f, const char *name, const char *mode,
                  struct diag *d) CHECK_RESULT;
/* Closes the file; false if something could not be written. */
bool folder_close(const struct folder *f, FILE *file, const char *name,
                  struct diag *d) CHECK_RESULT;
bool folder_commit(struct folder *f, struct diag *d) CHECK_RESULT;
/* Removes what was written so far. */
void folder_discard(struct folder *f);

struct dump_constant {
    const char *name;
    uint64_t value;
};
typedef VEC(struct dump_constant) dump_constant_list;

struct dump {
    dump_constant_list *constants; /* of program_pkg.sv, so far */
    const struct cimc_options *settings;
    const struct isa_program *program;
    struct folder folder;
    bool hex, bin;
};

/* ---- dump_words.c: streams, crossbars, buffers, tensors ---- */

/* A new hexadecimal file: words of `bytes` bytes, little endian in memory, most significant digit
 * first in the text; `head` is its first line, a comment. */
void dump_hex_words(const void *data, size_t n, size_t bytes, FILE *out);
bool dump_words(const struct dump *dump, const char *name, const char *head, const void *data,
                size_t n, size_t bytes, struct diag *d) CHECK_RESULT;
bool dump_memory(const struct dump *dump, const char *folder, const struct isa_memory *m,
                 struct diag *d) CHECK_RESULT;
bool dump_tile(const struct dump *dump, uint32_t tile, struct diag *d) CHECK_RESULT;

/* ---- dump_package.c: words, and numbers of machine, program and tiles ---- */

bool dump_package(const struct dump *dump, struct diag *d) CHECK_RESULT;
bool dump_tile_numbers(const struct dump *dump, uint32_t tile, struct diag *d) CHECK_RESULT;

/* ---- dump_constants.c: constants of the program; last, behind those that others add ---- */

void dump_constant(const struct dump *dump, uint64_t value, const char *format, ...)
    PRINTF_LIKE(3, 4);
bool dump_constants(const struct dump *dump, struct diag *d) CHECK_RESULT;

/* ---- dump_cells.c: levels of cells, of PEs that hold integers ---- */

bool dump_cells(const struct dump *dump, uint32_t tile, const struct isa_group *g,
                const struct isa_pe *pe, struct diag *d) CHECK_RESULT;
/* `which`: TILE.PE or all. */
bool dump_is_asked(const char *which, uint32_t tile, uint32_t pe);
/* The PE that TILE.PE names, with levels. */
bool dump_find_cells(const struct isa_program *p, const char *which, uint32_t *out_tile,
                     const struct isa_group **out_group, const struct isa_pe **out_pe,
                     struct diag *d) CHECK_RESULT;
/* As text. */
bool dump_print_cells(const struct isa_program *p, const char *which, FILE *out,
                      struct diag *d) CHECK_RESULT;

/* ---- dump_map.c ---- */
bool dump_map(const struct dump *dump, struct diag *d) CHECK_RESULT;

/* ---- dump_golden.c: one run, of inputs that are loaded ---- */
bool dump_golden(const struct dump *dump, struct io *io, struct diag *d) CHECK_RESULT;

#endif
