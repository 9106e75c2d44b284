/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* rig.c - machines, reference results and the checks of the property tests. */
#include "rig.h"

#include "isa_stream.h"
#include "mvm_mapping.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_case(const struct rig *r, const char *message)
{
    struct text graph = {0};
    ir_print(r->graph, &(struct ir_print_options){.inline_blobs = true}, &graph);
    fprintf(stderr, "; %s, seed %llu: %s\n; %s\n%s\n", r->what, (unsigned long long)r->seed,
            message, r->config ? r->config : "", graph.at);
    text_free(&graph);
}

void rig_trace(const struct rig *r)
{
    if (getenv("CIMC_PROPERTY_TRACE"))
        print_case(r, "is tried");
}

_Noreturn void rig_fail(struct rig *r, const char *fmt, ...)
{
    struct text message = {0};
    va_list ap;
    va_start(ap, fmt);
    text_addv(&message, fmt, ap);
    va_end(ap);
    print_case(r, message.at);
    diag_print(r->diag, stderr);
    ck_abort_msg("seed %llu: %s", (unsigned long long)r->seed, message.at);
    abort();
}

int64_t rig_range(struct rig *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(random_next(&r->state) % (uint64_t)(hi - lo + 1));
}

/* ---- inputs and references ---- */

void rig_fill_input(struct rig *r, struct tensor *t)
{
    for (int64_t i = 0; i < ir_count(&t->type); i++) {
        uint64_t x = random_next(&r->state) >> 40;
        if (t->type.dtype == IR_F32)
            ((float *)t->data)[i] = (float)x * 0x1p-23f - 1;
        else if (t->type.dtype == IR_I32)
            ((int32_t *)t->data)[i] = (int32_t)(x & 2047) - 1024;
        else if (t->type.dtype == IR_I64)
            ((int64_t *)t->data)[i] = (int64_t)(x & 2047) - 1024;
        else if (t->type.dtype == IR_BOOL)
            ((uint8_t *)t->data)[i] = x & 1;
        else
            ((uint8_t *)t->data)[i] = (uint8_t)x;
    }
}

static void make_input(struct rig *r, const struct ir_op *op)
{
    const struct ir_attrs_input *a = &op->attrs->input;
    struct tensor *t = &r->inputs[a->index];
    if (t->data)
        return;
    struct ir_type type =
        ir_type_of(a->dtype == IR_F16 ? IR_F32 : a->dtype, a->shape.n, a->shape.at);
    *t = tensor_new(&type);
    rig_fill_input(r, t);
    if ((size_t)a->index >= r->n_inputs)
        r->n_inputs = (size_t)a->index + 1;
}

/* The largest of a dequantize's scales, 0 where they are not known. */
static double scale_of(const struct ir_op *dequantize)
{
    double most = 0;
    if (!ir_is(dequantize->in[1].value, IR_constant))
        return 0;
    const struct ir_op *scale = dequantize->in[1].value->def;
    for (int64_t i = 0; i < ir_count(&scale->out->type); i++)
        most = fmax(most, ir_const_f64(scale, i));
    return most;
}

/* What a step is to a value: of integers 1, of what is dequantised the largest scale, of a base
 * layer's sum that of one input, times its largest weight. */
static double step_of(const struct ir_value *v)
{
    if (v->type.dtype != IR_F32)
        return 1;
    while (ir_op_descs[v->def->opcode].traits & IR_MOVES)
        v = v->def->in[0].value;
    if (ir_is(v, IR_dequantize))
        return scale_of(v->def);
    bool sums = ir_is(v, IR_conv) || ir_is(v, IR_matmul);
    if (!sums || !ir_is(v->def->in[1].value, IR_dequantize))
        return 0;
    return step_of(v->def->in[0].value) * 128 * scale_of(v->def->in[1].value->def);
}

static void note_output(struct rig *r, const struct ir_op *op)
{
    const struct ir_attrs_output *a = &op->attrs->output;
    r->is_half[a->index] = a->dtype == IR_F16;
    r->step[a->index] = step_of(op->in[0].value);
    if ((size_t)a->index >= r->n_outputs)
        r->n_outputs = (size_t)a->index + 1;
}

void rig_open(struct rig *r, const char *what, uint64_t seed, const struct ir_graph *g)
{
    *r = (struct rig){.what = what, .seed = seed, .state = ~seed, .diag = diag_new(), .graph = g};
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_input)
            make_input(r, op);
        if (op->opcode == IR_output)
            note_output(r, op);
    }
    if (!eval_graph(g, r->inputs, r->n_inputs, r->reference, r->n_outputs, NULL, r->diag))
        rig_fail(r, "the evaluator gives up");
}

void rig_close(struct rig *r)
{
    for (size_t k = 0; k < r->n_inputs; k++)
        tensor_free(&r->inputs[k]);
    for (size_t k = 0; k < r->n_outputs; k++)
        tensor_free(&r->reference[k]);
    diag_free(r->diag);
}

static void repeat(struct tensor *t, uint32_t n)
{
    struct ir_type type = t->type;
    if (type.rank == 0)
        type = ir_type_of(type.dtype, 1, (int64_t[]){1});
    type.dim[0] *= n;
    tensor_free(t);
    *t = tensor_new(&type);
}

void rig_repeat(struct rig *r, uint32_t n)
{
    for (size_t k = 0; k < r->n_inputs && n; k++) {
        repeat(&r->inputs[k], n);
        rig_fill_input(r, &r->inputs[k]);
    }
    for (size_t k = 0; k < r->n_outputs && n; k++)
        repeat(&r->reference[k], n);
}

void rig_settle(struct rig *r, const struct ir_graph *g)
{
    for (size_t k = 0; k < r->n_outputs; k++)
        tensor_free(&r->reference[k]);
    if (!eval_graph(g, r->inputs, r->n_inputs, r->reference, r->n_outputs, NULL, r->diag))
        rig_fail(r, "the evaluator gives up");
    r->agreement = RIG_EXACT;
}

void outputs_new(const struct rig *r, struct tensor out[RIG_MAX_IO])
{
    memset(out, 0, RIG_MAX_IO * sizeof *out);
    for (size_t k = 0; k < r->n_outputs; k++)
        out[k] = tensor_new(&r->reference[k].type);
}

void outputs_free(struct tensor out[RIG_MAX_IO])
{
    for (size_t k = 0; k < RIG_MAX_IO; k++)
        tensor_free(&out[k]);
}

/* Where two tensors of equal type are farthest apart; NaN is infinitely far from all else. */
struct distance {
    double error, most; /* largest |got - want|, largest |want| */
    int64_t worst, n_different;
};

static double element(const struct tensor *t, int64_t i)
{
    switch (t->type.dtype) {
    case IR_F32: return (double)((const float *)t->data)[i];
    case IR_I64: return (double)((const int64_t *)t->data)[i];
    case IR_I32: return ((const int32_t *)t->data)[i];
    case IR_I8: return ((const int8_t *)t->data)[i];
    case IR_BOOL:
    case IR_U8: return ((const uint8_t *)t->data)[i];
    default: BUG("outputs of dtype %d", t->type.dtype);
    }
}

static struct distance distance_of(const struct tensor *got, const struct tensor *want)
{
    struct distance d = {0};
    size_t bytes = ir_dtype_bytes((enum ir_dtype)want->type.dtype);
    for (int64_t i = 0; i < ir_count(&want->type); i++) {
        size_t at = (size_t)i * bytes;
        bool same = memcmp((char *)got->data + at, (char *)want->data + at, bytes) == 0;
        double e = same ? 0 : fabs(element(got, i) - element(want, i));
        if (isnan(e))
            e = INFINITY;
        if (e > d.error) {
            d.error = e;
            d.worst = i;
        }
        d.n_different += !same;
        d.most = fmax(d.most, fabs(element(want, i)));
    }
    return d;
}

bool outputs_equal(const struct rig *r, const struct tensor *a, const struct tensor *b)
{
    for (size_t k = 0; k < r->n_outputs; k++)
        if (distance_of(&a[k], &b[k]).n_different)
            return false;
    return true;
}

static void scale(struct tensor *t, float factor)
{
    float *x = t->data;
    for (int64_t i = 0, n = t->type.dtype == IR_F32 ? ir_count(&t->type) : 0; i < n; i++)
        x[i] *= factor;
}

void rig_scale_inputs(struct rig *r, float factor)
{
    for (size_t k = 0; k < r->n_inputs; k++)
        scale(&r->inputs[k], factor);
}

bool rig_is_multiple(const struct rig *r, const struct rig *one, float factor)
{
    bool same = r->n_outputs == one->n_outputs;
    for (size_t k = 0; k < r->n_outputs && same; k++) {
        struct tensor want = tensor_copy(&one->reference[k]);
        scale(&want, factor);
        same = ir_type_equal(&want.type, &r->reference[k].type) &&
               distance_of(&r->reference[k], &want).n_different == 0;
        tensor_free(&want);
    }
    return same;
}

/* Within so much of the largest magnitude; an fp16 tensor also within one step of fp16. Inputs are
 * of size 1, so 1e-6 is rounding, also where everything cancels. */
static bool is_close(const struct rig *r, size_t k, const struct distance *d, double most)
{
    return d->error <= fmax(fmax(r->is_half[k] ? 1e-3 : 0, most) * d->most, 1e-6);
}

static bool agrees(const struct rig *r, size_t k, const struct distance *d)
{
    switch (r->agreement) {
    case RIG_EXACT: return d->error == 0; /* 0 of either sign */
    case RIG_STEPS: return is_close(r, k, d, 0.1) || d->error <= 2.001 * r->step[k];
    case RIG_ROUNDED: break;
    }
    return is_close(r, k, d, 1e-4);
}

void rig_compare(struct rig *r, size_t k, const struct tensor *got, const struct tensor *want,
                 const char *who)
{
    if (!ir_type_equal(&got->type, &want->type))
        rig_fail(r, "%s: output %zu has another type", who, k);
    struct distance d = distance_of(got, want);
    if (!agrees(r, k, &d))
        rig_fail(r,
                 "%s: output %zu differs by %g of %g in %lld elements, worst at %lld (%g, want %g)",
                 who, k, d.error, d.most, (long long)d.n_different, (long long)d.worst,
                 element(got, d.worst), element(want, d.worst));
}

bool outputs_close(const struct rig *r, const struct tensor *a, const struct tensor *b)
{
    for (size_t k = 0; k < r->n_outputs; k++) {
        struct distance d = distance_of(&a[k], &b[k]);
        if (!is_close(r, k, &d, 1e-5))
            return false;
    }
    return true;
}

bool outputs_simulate(const struct rig *r, const struct isa_program *p, const struct sim_options *o,
                      struct tensor out[RIG_MAX_IO], struct sim_result *result, struct diag *d)
{
    const void *in[RIG_MAX_IO] = {0};
    void *to[RIG_MAX_IO] = {0};
    outputs_new(r, out);
    for (size_t k = 0; k < r->n_inputs; k++)
        in[k] = r->inputs[k].data;
    for (size_t k = 0; k < r->n_outputs; k++)
        to[k] = out[k].data;
    return sim_run(p, in, to, o, result, d);
}

/* ---- graphs ---- */

static void check_text(struct rig *r, const struct ir_graph *g)
{
    struct ir_print_options whole = {.inline_blobs = true};
    struct text first = {0}, second = {0};
    ir_print(g, &whole, &first);
    struct ir_graph *again = ir_parse(first.at, first.n, "printed", r->diag);
    if (!again)
        rig_fail(r, "the printed graph does not parse");
    ir_print(again, &whole, &second);
    if (ir_fingerprint(again) != ir_fingerprint(g) || strcmp(first.at, second.at) != 0)
        rig_fail(r, "the printed graph parses to another graph");
    ir_graph_free(again);
    text_free(&first);
    text_free(&second);
}

void rig_check_graph(struct rig *r, const struct ir_graph *g)
{
    struct tensor out[RIG_MAX_IO] = {0};
    r->graph = g;
    if (!ir_verify(g, r->diag))
        rig_fail(r, "the graph is invalid");
    if (!eval_graph(g, r->inputs, r->n_inputs, out, r->n_outputs, NULL, r->diag))
        rig_fail(r, "the evaluator gives up");
    for (size_t k = 0; k < r->n_outputs; k++) {
        rig_compare(r, k, &out[k], &r->reference[k], "evaluator");
        tensor_free(&out[k]);
    }
    check_text(r, g);
}

/* Products along rows and columns. */
static int64_t n_products(const struct ir_op *mvm, unsigned axis)
{
    return ceil_div_i64(mvm->out->type.dim[axis], mvm->attrs->mvm.patch[axis]);
}

/* The smallest extent of all results of these weights along the axis. */
static int64_t least_extent(const struct ir_graph *g, const struct ir_op *mvm, unsigned axis)
{
    int64_t least = mvm->out->type.dim[axis], weights = mvm->attrs->mvm.weights;
    for (const struct ir_op *op = g->first; op && weights; op = op->next)
        if (op->opcode == IR_mvm && op->attrs->mvm.weights == weights)
            least = min_i64(least, op->out->type.dim[axis]);
    return least;
}

void rig_random_patches(struct rig *r, struct ir_graph *g)
{
    uint64_t layer = 0;
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        struct ir_attrs_mvm *m = &op->attrs->mvm;
        bool one = !ir_mapping_has_zero(op, m->weight_bits ? m->weight_bits : 8);
        uint64_t state = r->seed + 1000 * (m->weights ? (uint64_t)m->weights : 500 + ++layer);
        for (unsigned i = 0; i < 2; i++) {
            static const int64_t most[] = {1, 1, 2, 2, 3, 4};
            int64_t patch = most[random_next(&state) % 6];
            m->patch[i] = one ? 1 : min_i64(patch, least_extent(g, op, i));
        }
    }
}

/* Most copies along rows and columns that all users of these weights can be cut into. */
static bool all_can_be_halved(const struct ir_graph *g, int64_t weights)
{
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == IR_mvm && op->attrs->mvm.weights == weights && n_products(op, 0) < 2 &&
            n_products(op, 1) < 2)
            return false;
    return true;
}

void rig_random_copies(struct rig *r, struct ir_graph *g)
{
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        struct ir_attrs_mvm *m = &op->attrs->mvm;
        const int64_t d[2] = {n_products(op, 0), n_products(op, 1)};
        if (m->weights > 0) { /* the number alone decides, so that all users agree */
            bool two = (m->weights + (int64_t)r->seed) % 2 && all_can_be_halved(g, m->weights);
            int cut = d[0] < 2 ? 1 : d[1] < 2 ? 0 : (int)rig_range(r, 0, 1);
            m->cut[0] = m->cut[1] = 1;
            m->cut[cut] = two ? 2 : 1;
        } else {
            static const int64_t rows[] = {1, 1, 1, 2, 3}, columns[] = {1, 1, 2, 3, 4};
            m->cut[0] = min_i64(rows[rig_range(r, 0, 4)], d[0]);
            m->cut[1] = min_i64(columns[rig_range(r, 0, 4)], d[1]);
        }
        m->copies = m->cut[0] * m->cut[1];
    }
}

/* ---- machines ---- */

void config_machine(struct rig *r, struct config *c)
{
    static const int64_t crossbars[] = {1, 2, 8, 64}, cells[][2] = {{8, 4}, {16, 16}, {256, 256}};
    *c = (struct config){.options = {.pes = 1 << 20}};
    if (!arch_parse("base: clsa\n", 11, "machine", r->diag->arena, r->diag, &c->arch))
        rig_fail(r, "there is no machine");
    c->arch.crossbars = crossbars[rig_range(r, 0, 3)];
    const int64_t *size = cells[rig_range(r, 0, 2)];
    c->arch.rows = size[0];
    c->arch.cols = size[1];
    c->arch.queue_depth = rig_range(r, 0, 3) ? 8 : rig_range(r, 1, 2);
    c->free = rig_range(r, 0, 2) == 0;
    if (c->free)
        return;
    static const int64_t lanes[] = {0, 1, 4, 32}, rates[] = {0, 1, 7, 64}, hops[] = {0, 1, 4, 90};
    c->arch.mvm_cycles = rig_range(r, 0, 5); /* 0: times depend on columns and bits */
    c->arch.dac_bits = 3;
    c->arch.phase_cycles = 2;
    c->arch.adc_columns_per_cycle = 4;
    c->arch.lanes = lanes[rig_range(r, 0, 3)];
    c->arch.vector_setup_cycles = rig_range(r, 0, 3);
    c->arch.link_bytes_per_cycle = rates[rig_range(r, 0, 3)];
    c->arch.hop_cycles = hops[rig_range(r, 0, 3)]; /* 90: ways are longer than work */
    c->arch.dram_cycles = rig_range(r, 0, 20);
    c->arch.dram_bytes_per_cycle = rates[rig_range(r, 0, 3)];
    c->arch.topology = rig_range(r, 0, 1) ? ARCH_MESH : ARCH_IDEAL;
    if (rig_range(r, 0, 1))
        return;
    static const int64_t registers[] = {0, 1, 1, 2, 9}, places[] = {0, 1, 2, 4};
    c->arch.issue_cycles = registers[rig_range(r, 0, 4)];
    c->arch.start_cycles = registers[rig_range(r, 0, 4)];
    c->arch.complete_cycles = registers[rig_range(r, 0, 4)];
    c->arch.inflight = places[rig_range(r, 0, 3)];
}

void config_set(struct config *c, unsigned shape, enum schedule_mode mode)
{
    static const struct set_shape sets[N_SET_SHAPES] = {{.rows = 1, .cols = 1},
                                                        {.rows = 1},
                                                        {.rows = 2},
                                                        {.rows = 2, .cols = 3},
                                                        {.budget = 100000}};
    const struct arch *a = &c->arch;
    c->options.mode = mode;
    c->options.set = sets[shape];
    snprintf(c->text, sizeof c->text,
             "crossbars=%d rows=%d cols=%d queue_depth=%d mvm_cycles=%d lanes=%d setup=%d link=%d "
             "hop=%d dram=%d,%d issue=%d start=%d complete=%d inflight=%d topology=%d encoding=%d "
             "pair=%d flip=%d cell=%d+%d dac=%d adc=%d "
             "range=%d noise=%d,%d,%d,%d,%d,%d set=%dx%d%s %s",
             (int)a->crossbars, (int)a->rows, (int)a->cols, (int)a->queue_depth, (int)a->mvm_cycles,
             (int)a->lanes, (int)a->vector_setup_cycles, (int)a->link_bytes_per_cycle,
             (int)a->hop_cycles, (int)a->dram_cycles, (int)a->dram_bytes_per_cycle,
             (int)a->issue_cycles, (int)a->start_cycles, (int)a->complete_cycles, (int)a->inflight,
             (int)a->topology, (int)a->encoding, (int)a->pair_axis, (int)a->column_flip,
             (int)a->cell_bits, (int)a->cell_fraction_bits, (int)a->dac_bits, (int)a->adc_bits,
             (int)a->adc_range, (int)a->noise_seed, (int)a->program_sigma_low_permille,
             (int)a->program_sigma_high_permille, (int)a->stuck_low_ppm, (int)a->stuck_high_ppm,
             (int)a->drift_permille, (int)sets[shape].rows, (int)sets[shape].cols,
             sets[shape].budget ? " auto" : "",
             mode == SCHEDULE_LAYER_BY_LAYER ? "layer by layer" : "cross-layer");
}

/* ---- programs ---- */

bool rig_is_too_large(const struct diag *d)
{
    for (const struct diag_entry *e = d->first; e; e = e->next)
        if (e->severity == DIAG_ERROR && e->code != DIAG_CAPACITY)
            return false;
    return d->n_errors > 0;
}

struct isa_program *rig_compile(struct rig *r, const struct ir_graph *g, const struct config *c,
                                struct backend_result *out)
{
    struct diag *d = diag_new();
    r->graph = g;
    r->config = c->text;
    rig_trace(r);
    struct isa_program *p = backend_compile(g, &c->arch, &c->options, out, d);
    if (!p && !rig_is_too_large(d)) {
        diag_print(d, stderr);
        rig_fail(r, "does not compile");
    }
    diag_free(d);
    return p;
}

uint8_t *program_bytes(const struct isa_program *p, size_t *out_n)
{
    const char *folder = getenv("TMPDIR");
    struct text path = {0};
    struct diag *d = diag_new();
    struct arena *a = arena_new();
    struct file f = {0};
    text_add(&path, "%s/cimc-property-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(path.at);
    bool ok = fd >= 0 && isa_program_write(p, path.at, NULL, d) && file_open(path.at, a, d, &f);
    uint8_t *bytes = heap_alloc(f.size);
    if (ok)
        memcpy(bytes, f.data, f.size);
    else
        diag_print(d, stderr);
    ck_assert(ok);
    *out_n = f.size;
    file_close(&f);
    close(fd);
    unlink(path.at);
    text_free(&path);
    arena_free(a);
    diag_free(d);
    return bytes;
}

/* With CIMC_PROPERTY_PROGRAMS=FOLDER: leaves the program there for other tests. */
static void keep_program(const struct rig *r, const uint8_t *bytes, size_t n)
{
    const char *folder = getenv("CIMC_PROPERTY_PROGRAMS");
    if (!folder)
        return;
    struct text path = {0};
    text_add(&path, "%s/%s-%llu-%016llx.cim", folder, r->what, (unsigned long long)r->seed,
             (unsigned long long)hash_bytes(bytes, n, 0));
    FILE *f = fopen(path.at, "wb");
    ck_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
    text_free(&path);
}

static void check_bytes(struct rig *r, const struct isa_program *p, const uint8_t *want, size_t n,
                        const char *what)
{
    size_t got_n;
    uint8_t *got = program_bytes(p, &got_n);
    if (got_n != n || memcmp(got, want, n) != 0)
        rig_fail(r, "%s: other bytes (%zu, were %zu)", what, got_n, n);
    heap_free(got);
}

static void check_text_form(struct rig *r, const struct isa_program *p, const uint8_t *want,
                            size_t n)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    isa_disassemble(p, &(struct isa_dis_options){.inline_sections = true}, f);
    fclose(f);
    struct isa_program *again = isa_assemble(text, size, "disassembled", r->diag);
    if (!again)
        rig_fail(r, "the disassembled program does not assemble");
    check_bytes(r, again, want, n, "assembled again");
    isa_program_free(again);
    free(text);
}

/* What the encoded streams say is what was scheduled. */
static void check_streams(struct rig *r, const struct isa_program *p)
{
    struct arena *a = arena_new();
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        const struct isa_tile *t = &p->tiles[i];
        struct isa_tile back = {0};
        const char *fault = "";
        if (!isa_tile_decode(&back, &t->stream, &t->source_map, t->n_insts, a, &fault))
            rig_fail(r, "tile %u: its stream does not decode: %s", i, fault);
        bool same = back.n_insts == t->n_insts;
        for (uint32_t k = 0; same && k < t->n_insts; k++)
            same = isa_inst_equal(&back.insts[k], &t->insts[k]) && back.sources[k] == t->sources[k];
        if (!same)
            rig_fail(r, "tile %u: its stream is not what was scheduled", i);
    }
    arena_free(a);
}

static void simulate(struct rig *r, const struct isa_program *p, const struct sim_options *o,
                     struct tensor out[RIG_MAX_IO], struct sim_result *result)
{
    if (!outputs_simulate(r, p, o, out, result, r->diag))
        rig_fail(r, "the simulator stops (latency seed %llu)", (unsigned long long)o->latency_seed);
}

static void check_latencies(struct rig *r, const struct isa_program *p, const struct tensor *want)
{
    static const uint64_t most[] = {1, 9, 200};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct tensor out[RIG_MAX_IO];
        struct sim_result result;
        struct sim_options o = {.latency_seed = r->seed * 4 + i + 1, .max_extra_cycles = most[i]};
        simulate(r, p, &o, out, &result);
        if (!outputs_equal(r, out, want))
            rig_fail(r, "latency seed %llu changes the outputs",
                     (unsigned long long)o.latency_seed);
        outputs_free(out);
    }
}

static bool same_counts(const struct energy_counts *a, const struct energy_counts *b, uint32_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* What the plan's tasks are counted as is what the program's instructions are. */
static void check_energy(struct rig *r, const struct isa_program *p,
                         const struct isa_energy *planned)
{
    struct arena *a = arena_new();
    struct isa_energy e = isa_program_energy(p, planned->frames, a);
    if (!same_counts(&e.total, &planned->total, 1) ||
        !same_counts(e.of_node, planned->of_node, e.n_nodes + 1) ||
        !same_counts(e.of_tile, planned->of_tile, e.n_tiles) ||
        e.rows_written != planned->rows_written)
        rig_fail(r, "the program's counters of energy are not the plan's");
    arena_free(a);
}

void rig_check_form(struct rig *r, const struct ir_graph *g, const struct config *c,
                    struct isa_program *p)
{
    struct backend_result again;
    size_t n;
    if (!isa_validate(p, r->diag))
        rig_fail(r, "the program is malformed");
    check_streams(r, p);
    if (!backend_check(p, g, r->diag))
        rig_fail(r, "the checker rejects the program");
    uint8_t *bytes = program_bytes(p, &n);
    keep_program(r, bytes, n);
    check_text_form(r, p, bytes, n);
    struct isa_program *second = rig_compile(r, g, c, &again);
    check_bytes(r, second, bytes, n, "compiled again");
    check_energy(r, second, &again.energy);
    isa_program_free(second);
    heap_free(bytes);
}

void rig_check_program(struct rig *r, const struct ir_graph *g, const struct config *c,
                       struct isa_program *p)
{
    struct tensor out[RIG_MAX_IO];
    struct sim_result result;
    rig_check_form(r, g, c, p);
    simulate(r, p, &(struct sim_options){0}, out, &result);
    for (size_t k = 0; k < r->n_outputs; k++)
        rig_compare(r, k, &out[k], &r->reference[k], "simulator");
    check_latencies(r, p, out);
    outputs_free(out);
    if (result.cycles != p->scheduled_cycles)
        rig_fail(r, "%llu cycles simulated, %llu scheduled", (unsigned long long)result.cycles,
                 (unsigned long long)p->scheduled_cycles);
}
