/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * own_tests.c - ONNX's own operator tests, each compiled, simulated and compared as `cimc run` does
 * it, and held against the list of what is expected.
 *
 * usage: own_tests LIST [--growing | --refresh | --only TEXT]
 *
 * A test is a model, its inputs and its outputs. It is run as it is; where that is refused, once
 * more with --constant-weights. What comes out:
 *
 *   passed    the outputs are right, and instructions computed one of them from a run-time input:
 *             the lowered graph has an operation on the way (each element of which the checker
 *             finds in the program), or the output's elements are not an input's, in its order
 *   folded    the outputs are right, but constants, or an input under another name
 *   refused   there is an error, of a code that the list names
 *   wrong     all else: it is an error in any case, but for a test that the list calls disputed
 *
 * --refresh writes what comes out into LIST; --only runs the tests whose names contain TEXT and
 * shows all messages; --growing lets pass what is better than LIST says.
 */
#include "own_list.h"

#include "driver.h"
#include "onnx.h"
#include "options.h"
#include "simulate.h"
#include "weights.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char folder[] = "/usr/share/libonnx-testdata/data";
static const char *const sets[] = {"node", "pytorch-converted", "pytorch-operator", "simple", NULL};

/* ---- what a run gave ---- */

/* Is something of the graph done at run time? What has no use is not in it any more. */
static bool has_run_time_operation(const struct ir_graph *g)
{
    bool *varies = heap_alloc(g->n_ops * sizeof *varies), found = false;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        varies[op->id] = op->opcode == IR_input;
        for (uint32_t i = 0; i < op->n_in; i++)
            varies[op->id] |= varies[op->in[i].value->def->id];
        found |= varies[op->id] && op->opcode != IR_input && op->opcode != IR_output;
    }
    heap_free(varies);
    return found;
}

static size_t bytes_of(const struct io_tensor *t)
{
    return t->known ? (size_t)ir_count(&t->type) * ir_dtype_bytes(t->type.dtype) : 0;
}

/* Is it the input `in`, element for element and in the same type? */
static bool is_input(const struct io *io, const struct ir_op *out, const struct ir_op *in)
{
    const struct io_tensor *from = &io->inputs[in->attrs->input.index];
    const struct io_tensor *to = &io->outputs[out->attrs->output.index];
    return in->attrs->input.dtype == out->attrs->output.dtype && from->data &&
           bytes_of(from) == bytes_of(to) && memcmp(from->data, to->data, bytes_of(to)) == 0;
}

/* The lowered graph leads an input straight to an output, but LOAD and STORE do what is asked. */
static bool has_moved(const struct io *io, const struct ir_graph *g)
{
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == IR_output && ir_is(op->in[0].value, IR_input) &&
            !is_input(io, op, op->in[0].value->def))
            return true;
    return false;
}

static bool is_refusal(enum diag_code code)
{
    switch (code) {
    case DIAG_ONNX_WIRE:
    case DIAG_ONNX_MODEL:
    case DIAG_ONNX_ATTR:
    case DIAG_ONNX_UNSUPPORTED:
    case DIAG_SHAPE:
    case DIAG_LOWER:
    case DIAG_CAPACITY: return true;
    default: return false;
    }
}

/* Without the folder of the tests. */
static const char *plain_text(const char *text, struct arena *a)
{
    const char *at = strstr(text, folder);
    return at ? arena_printf(a, "%.*s%s", (int)(at - text), text,
                             plain_text(at + strlen(folder) + 1, a))
              : text;
}

static struct outcome first_error(const char *test, const struct diag *d, struct arena *a)
{
    const struct diag_entry *e = d->first;
    while (e && e->severity != DIAG_ERROR)
        e = e->next;
    if (!e)
        return (struct outcome){test, WRONG, "", "failed without an error"};
    return (struct outcome){test, is_refusal(e->code) ? REFUSED : WRONG, diag_code_name(e->code),
                            plain_text(arena_strdup(a, e->text), a)};
}

/* What `cimc run` lets pass: an output without a file, or with one of another type. */
static const char *wrong_file(const struct io *io, const struct ir_graph *g, const char *data,
                              struct arena *a, struct diag *d)
{
    for (const struct ir_op *op = g->first; op; op = op->next) {
        struct onnx_tensor want;
        if (op->opcode != IR_output)
            continue;
        int64_t k = op->attrs->output.index;
        enum ir_dtype is = op->attrs->output.dtype;
        if (!io->references[k].given)
            return "an output has no file to be compared with";
        if (!onnx_read_tensor(arena_printf(a, "%s/output_%lld.pb", data, (long long)k), &want, d))
            return "an output's file cannot be read";
        heap_free(want.data);
        if (want.type.dtype != (is == IR_F16 ? IR_F32 : is))
            return arena_printf(a, "output %lld is %s, its file %s", (long long)k,
                                ir_dtype_name(is), ir_dtype_name(want.type.dtype));
    }
    return NULL;
}

/* Of a run whose outputs are right. */
static struct outcome judge(const char *test, const struct simulation *sim,
                            const struct ir_graph *g, struct arena *a, struct diag *d)
{
    const char *wrong = wrong_file(&sim->io, g, sim->settings->test_data.at[0], a, d);
    if (wrong)
        return (struct outcome){test, WRONG, "", wrong};
    bool computed = has_run_time_operation(g) || has_moved(&sim->io, g);
    return (struct outcome){test, computed ? PASSED : FOLDED, "", ""};
}

/* ---- one test ---- */

struct door_back {
    struct door door;
    jmp_buf back;
    char message[300];
};

static void __attribute__((noreturn)) go_back(struct door *d, enum mishap why, const char *message)
{
    struct door_back *back = (struct door_back *)d;
    (void)why;
    leftovers_remove(d);
    snprintf(back->message, sizeof back->message, "%s", message);
    longjmp(back->back, 1);
}

/* As `cimc run` does it. */
static bool run(struct cimc_options *s, const char *test, bool weights, struct arena *a,
                struct outcome *out, struct diag *d)
{
    const char *where = arena_printf(a, "%s/%s", folder, test);
    const char *model = arena_printf(a, "%s/model.onnx", where);
    struct build b;
    struct simulation sim = {.settings = s, .is_compiled = true};
    const struct cimc_source file = {.size = sizeof file, .path = model};
    const char *data = arena_printf(a, "%s/test_data_set_0", where);
    options_append(s, &s->test_data, data);
    if (weights && !weights_bind(s, model, d))
        return false;
    bool ok = driver_start(&b, s, NULL, NULL, d) && driver_take_models(&b, s, &file, 1, d) &&
              driver_import_all(&b, s, true, d);
    if (ok)
        sim.models = driver_io_models(&b, b.arena);
    ok = ok && simulation_load(&sim, driver_frames(&b, s), d) && driver_lower(&b, s, d) &&
         driver_compile(&b, s, d);
    if (ok) {
        sim.program = b.program;
        sim.models = driver_io_models(&b, b.arena);
        ok = simulate(&sim, d);
    }
    if (ok)
        *out = judge(test, &sim, b.graph, a, d);
    simulation_free(&sim);
    driver_free(&b);
    return ok;
}

/* With `weights`: --constant-weights. */
static struct outcome attempt(const char *test, bool weights, bool show, struct arena *a)
{
    struct door_back here = {.door = {.leave = go_back}};
    struct outcome out = {0};
    struct cimc_options s;
    struct diag *d = diag_new();
    cimc_options_init(&s, sizeof s);
    door_set(&here.door);
    if (setjmp(here.back)) {
        out = (struct outcome){test, WRONG, "", arena_strdup(a, here.message)};
    } else if (!run(&s, test, weights, a, &out, d)) {
        out = first_error(test, d, a);
        if (show)
            diag_print(d, stderr);
    }
    door_reset(&here.door);
    cimc_options_free(&s);
    diag_free(d);
    return out;
}

static struct outcome run_test(const char *test, bool show, struct arena *a)
{
    struct outcome out = attempt(test, false, show, a);
    if (out.verdict != REFUSED)
        return out;
    return attempt(test, true, show, a);
}

/* ---- all tests ---- */

static bool find_tests(struct outcomes *out, const char *only, struct arena *a)
{
    for (size_t i = 0; sets[i]; i++) {
        const char *where = arena_printf(a, "%s/%s", folder, sets[i]);
        DIR *dir = opendir(where);
        if (!dir)
            return false;
        for (const struct dirent *e; (e = readdir(dir));) {
            const char *test = arena_printf(a, "%s/%s", sets[i], e->d_name);
            if (*e->d_name != '.' && strstr(test, only))
                VEC_PUSH(out, (struct outcome){.test = test});
        }
        closedir(dir);
    }
    own_list_sort(out);
    return true;
}

/* ---- the command ---- */

enum action { REPORT, GROW, REFRESH, ONLY };

static bool parse(int argc, char **argv, enum action *action)
{
    static const char *const words[] = {"--growing", "--refresh", "--only"};
    *action = REPORT;
    for (unsigned i = 0; argc > 2 && i < sizeof words / sizeof *words; i++)
        if (strcmp(argv[2], words[i]) == 0)
            *action = (enum action)(i + 1);
    return argc == (*action == ONLY ? 4 : *action == REPORT ? 2 : 3);
}

int main(int argc, char **argv)
{
    struct outcomes have = {0}, want = {0};
    struct arena *a = arena_new();
    enum action action;
    bool ok = true;
    if (!parse(argc, argv, &action) || !own_list_read(argv[1], &want, a)) {
        fprintf(stderr, "usage: own_tests LIST [--growing | --refresh | --only TEXT]\n");
        ok = false;
    } else if (!find_tests(&have, action == ONLY ? argv[3] : "", a)) {
        printf("1..0 # SKIP libonnx-testdata is not installed\n");
    } else {
        for (size_t i = 0; i < have.n; i++)
            have.at[i] = run_test(have.at[i].test, action == ONLY, a);
        for (size_t i = 0; action == ONLY && i < have.n; i++)
            own_list_print(&have.at[i], stdout);
        if (action == REFRESH)
            ok = own_list_write(argv[1], &have, &want);
        else if (action != ONLY)
            ok = own_list_report(sets, &have, &want, action == GROW);
    }
    VEC_FREE(&have);
    VEC_FREE(&want);
    arena_free(a);
    return !ok;
}
