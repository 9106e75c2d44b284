/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * program.c - a program in memory: its life, its weights, and the files its sections lie in.
 */
#include "isa_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Every program is the first member of one of these. */
struct owned_program {
    struct isa_program program;
    VEC(struct file) more_files; /* mapped beside program.file, by the assembler */
};

static struct owned_program *owned(struct isa_program *p)
{
    return (struct owned_program *)p;
}

struct isa_program *isa_program_new(void)
{
    struct owned_program *o = heap_alloc(sizeof *o);
    o->program.arena = arena_new();
    o->program.compiler = o->program.model = o->program.options = "";
    return &o->program;
}

void isa_program_free(struct isa_program *p)
{
    if (!p)
        return;
    struct owned_program *o = owned(p);
    for (size_t i = 0; i < o->more_files.n; i++)
        file_close(&o->more_files.at[i]);
    VEC_FREE(&o->more_files);
    file_close(&p->file);
    arena_free(p->arena);
    heap_free(o);
}

const void *isa_section_data(const struct isa_section *s)
{
    return s->read ? s->read(s->owner, NULL) : s->data;
}

void isa_program_drop_weights(struct isa_program *p)
{
    p->no_weights = 1;
    for (uint32_t i = 0; i < p->n_images; i++) {
        struct isa_section *s = &p->sections[p->images[i].section];
        *s = (struct isa_section){.name = s->name, .data = ""};
        p->images[i].offset = 0;
    }
}

void isa_program_settle(const struct isa_program *p)
{
    struct isa_program *cache = (struct isa_program *)p; /* it says the same as before */
    if (!p->fingerprint)
        return;
    cache->graph_fingerprint = p->fingerprint(p->graph);
    cache->fingerprint = NULL;
}

static const void *section_at(const struct isa_program *p, uint32_t section, uint64_t offset)
{
    return (const char *)isa_section_data(&p->sections[section]) + offset;
}

const void *isa_image_data(const struct isa_program *p, uint32_t image)
{
    return section_at(p, p->images[image].section, p->images[image].offset);
}

const int32_t *isa_image_center(const struct isa_program *p, uint32_t image)
{
    const struct isa_image *i = &p->images[image];
    return i->center ? section_at(p, i->center - 1, i->center_offset) : NULL;
}

const uint32_t *isa_table_data(const struct isa_program *p, const struct isa_table *t)
{
    return section_at(p, t->section, t->offset);
}

const struct file *isa_program_map(struct isa_program *p, const char *path, struct loc at,
                                   struct diag *d)
{
    struct owned_program *o = owned(p);
    for (size_t i = 0; i < o->more_files.n; i++)
        if (strcmp(o->more_files.at[i].path, path) == 0)
            return &o->more_files.at[i];
    struct stat st;
    /* A pipe or device has no offsets and perhaps no end. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        diag_error(d, at, DIAG_ASM_SYNTAX, "'%s' is not a regular file", path);
        return NULL;
    }
    struct file f;
    if (!file_open(path, p->arena, d, &f)) {
        diag_note(d, at, "named here");
        return NULL;
    }
    VEC_PUSH(&o->more_files, f);
    return &o->more_files.at[o->more_files.n - 1];
}

static bool holds(const struct file *f, const void *bytes)
{
    uintptr_t at = (uintptr_t)bytes, from = (uintptr_t)f->data;
    return f->data && at >= from && at - from <= f->size;
}

const struct file *isa_program_file_of(const struct isa_program *p, const void *bytes)
{
    const struct owned_program *o = (const struct owned_program *)p;
    if (holds(&p->file, bytes))
        return &p->file;
    for (size_t i = 0; i < o->more_files.n; i++)
        if (holds(&o->more_files.at[i], bytes))
            return &o->more_files.at[i];
    return NULL;
}

bool isa_is_ideal(const struct isa_program *p)
{
    bool floats = true;
    for (uint32_t i = 0; i < p->n_images; i++)
        floats = floats && p->images[i].element == ELEMENT_f32;
    return floats || arch_readout_is_ideal(&p->arch);
}
