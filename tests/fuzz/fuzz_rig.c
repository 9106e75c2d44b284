/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* fuzz_rig.c - promises, files and bounds that the fuzz targets share. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of one input; a target stays below a second, also under sanitizers. TESTS.md lists them. */
enum {
    MOST_OPS = 300,
    MOST_ELEMENTS = 1 << 15, /* of all values of a graph together */
    MOST_PRODUCTS = 1 << 22, /* multiplications, or cells of windows, of one operation */
    MOST_BUFFER = 1 << 22,   /* bytes of all tiles */
    MOST_OUTSIDE = 1 << 16,  /* elements of a tensor in DRAM */
    MOST_TENSORS = 64,       /* inputs, and outputs */
    MOST_WORK = 1 << 22,     /* elements, bytes and products of a program's instructions */
    MOST_INSTRUCTIONS = 1 << 14,
};

/* ---- promises ---- */

bool fuzz_is_written;

void fuzz_require(bool holds, const char *promise, const struct diag *d)
{
    if (holds)
        return;
    FILE *out = fdopen(STDERR_FILENO, "w"); /* whatever `stderr` is */
    if (out) {
        fprintf(out, "broken promise: %s\n", promise);
        if (d)
            diag_print(d, out);
        fflush(out);
    }
    abort();
}

void fuzz_judge(bool ok, const struct diag *d)
{
    FILE *nowhere = fopen("/dev/null", "w");
    fuzz_require(ok || d->n_errors > 0, "a failure has an error", d);
    fuzz_require(!ok || d->n_errors == 0, "a success has no error", d);
    if (nowhere) {
        diag_print(d, nowhere);
        fclose(nowhere);
    }
}

/* ---- files ---- */

static char folder[200], path[220];

static void remove_folder(void)
{
    remove_tree(folder);
}

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cimc-fuzz-XXXXXX", parent ? parent : "/tmp");
    fuzz_require(mkdtemp(folder) != NULL, "there is a folder for scratch files", NULL);
    snprintf(path, sizeof path, "%s/input", folder);
    atexit(remove_folder);
}

const char *fuzz_folder(void)
{
    if (*folder) {
        remove_tree(folder);
        fuzz_require(mkdir(folder, 0700) == 0, "the scratch folder can be made again", NULL);
    } else {
        make_folder();
    }
    return folder;
}

const char *fuzz_file(const uint8_t *data, size_t n)
{
    if (!*folder)
        make_folder();
    unlink(path); /* whoever still maps the last one keeps it */
    FILE *f = fopen(path, "w");
    bool ok = f && fwrite(data, 1, n, f) == n;
    fuzz_require(f && fclose(f) == 0 && ok, "a scratch file can be written", NULL);
    return path;
}

/* ---- bounds ---- */

/* Cells of the operation's window; 1 where it has none. */
static int64_t kernel_cells(const struct ir_op *op)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    int64_t cells = 1;
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        if (strcmp(desc->attrs[i].name, "kernel") != 0)
            continue;
        const int64_t *kernel = (const void *)((const char *)op->attrs + desc->attrs[i].offset);
        if (!mul_i64(kernel[0], kernel[1], &cells))
            return INT64_MAX;
    }
    return cells;
}

/* Multiplications of a base layer at most; else cells of windows. */
static bool work_is_small(const struct ir_op *op, int64_t n_results)
{
    int64_t each = kernel_cells(op), work;
    if (ir_op_descs[op->opcode].traits & IR_BASE)
        each = ir_count(&op->in[1].value->type);
    return mul_i64(n_results, each, &work) && work <= MOST_PRODUCTS;
}

bool fuzz_graph_is_small(const struct ir_graph *g)
{
    int64_t elements = 0;
    if (g->n_ops > MOST_OPS)
        return false;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        int64_t n = op->out ? ir_count(&op->out->type) : 0;
        if (n > MOST_ELEMENTS || (elements += n) > MOST_ELEMENTS || !work_is_small(op, n))
            return false;
    }
    return true;
}

/* Of a body, with those in which only some of it runs. */
static uint64_t frames_of(const struct isa_program *p)
{
    return p->frames ? (uint64_t)p->frames + ISA_MAX_STAGE : 1;
}

static bool bindings_are_small(const struct isa_program *p)
{
    for (uint32_t i = 0; i < p->n_bindings; i++) {
        const struct isa_binding *b = &p->bindings[i];
        uint64_t n = frames_of(p);
        for (uint32_t k = 0; k < b->rank; k++)
            if (__builtin_mul_overflow(n, b->shape[k], &n))
                return false;
        if (n > MOST_OUTSIDE || b->index >= MOST_TENSORS)
            return false;
    }
    return true;
}

/* Products of an MVM's pixel. */
static uint64_t group_products(const struct isa_tile *t, const struct isa_inst *inst)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < t->groups[inst->obj].n_pes; i++)
        n += (uint64_t)t->groups[inst->obj].pes[i].k * t->groups[inst->obj].pes[i].n;
    return n;
}

static bool streams_are_small(const struct isa_program *p)
{
    uint64_t work = 0, instructions = 0;
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        const struct isa_tile *t = &p->tiles[i];
        instructions += t->n_insts * frames_of(p);
        if (instructions > MOST_INSTRUCTIONS)
            return false;
        for (uint32_t k = 0; k < t->n_insts; k++) {
            const struct isa_inst *inst = &t->insts[k];
            struct cost_work w = isa_inst_work(p, i, inst);
            uint64_t each = inst->op == ISA_mvm ? group_products(t, inst) : 0, more;
            if (__builtin_mul_overflow(w.products, each, &more) ||
                __builtin_add_overflow(more, w.elements, &more) ||
                __builtin_add_overflow(more, w.bytes, &more) ||
                __builtin_mul_overflow(more, frames_of(p), &more) ||
                __builtin_add_overflow(work, more, &work) || work > MOST_WORK)
                return false;
        }
    }
    return true;
}

bool fuzz_program_is_small(const struct isa_program *p)
{
    uint64_t buffers = 0;
    for (uint32_t i = 0; i < p->n_tiles; i++)
        if (__builtin_add_overflow(buffers, p->tiles[i].buffer_bytes, &buffers))
            return false;
    return buffers <= MOST_BUFFER && bindings_are_small(p) && streams_are_small(p);
}
