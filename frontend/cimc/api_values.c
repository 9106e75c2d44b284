/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_values.c - tensors of the caller: ports, arrays that come in, results that go out. */
#include "api_handles.h"

#include "eval.h"

#include <string.h>

/* ---- types ---- */

/* The order of enum cimc_dtype. */
static const enum ir_dtype dtypes[] = {IR_F32, IR_F16, IR_F64, IR_U8,
                                       IR_I8,  IR_I32, IR_I64, IR_BOOL};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

static enum cimc_dtype dtype_of(enum ir_dtype dtype)
{
    for (unsigned i = 0; i < N_DTYPES; i++) {
        if (dtypes[i] == dtype)
            return (enum cimc_dtype)i;
    }
    return CIMC_F32;
}

size_t cimc_dtype_bytes(enum cimc_dtype dtype)
{
    return (unsigned)dtype < N_DTYPES ? ir_dtype_bytes(dtypes[dtype]) : 0;
}

const char *cimc_dtype_name(enum cimc_dtype dtype)
{
    return (unsigned)dtype < N_DTYPES ? ir_dtype_name(dtypes[dtype]) : "?";
}

/* ---- arrays that come in ---- */

/* A tensor that views the array. */
static bool view_of(const struct cimc_array *a, const char *what, size_t k, struct tensor *out,
                    struct diag *d)
{
    int64_t n;
    *out = (struct tensor){.data = a->data};
    if (!a->data)
        return true;
    if ((unsigned)a->dtype >= N_DTYPES || a->rank > IR_MAX_RANK)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "%s %zu: no such dtype or rank", what, k);
    out->type = ir_type_of(dtypes[a->dtype], a->rank, a->dims);
    for (uint32_t i = 0; i < a->rank; i++) {
        if (a->dims[i] < 1)
            return diag_error(d, (struct loc){0}, DIAG_DATA, "%s %zu: a dimension is %lld", what, k,
                              (long long)a->dims[i]);
    }
    if (!ir_type_count(&out->type, &n) ||
        a->n_bytes != (size_t)n * ir_dtype_bytes((enum ir_dtype)out->type.dtype))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "%s %zu: n_bytes is %zu, which its shape does not take", what, k,
                          a->n_bytes);
    return true;
}

/* Elements of the caller's array are as far apart as its structure is long. */
static struct cimc_array array_at(const struct cimc_array *all, size_t i)
{
    struct cimc_array whole = {0};
    if (!all)
        BUG("the caller's arrays are NULL");
    struct_copy_in(&whole, sizeof whole, (const char *)all + i * all->size);
    return whole;
}

static bool view_all(const struct cimc_array *all, size_t n, const char *what, struct arena *a,
                     struct tensor **out, struct diag *d)
{
    *out = ARENA_ARRAY(a, struct tensor, n);
    for (size_t i = 0; i < n; i++) {
        struct cimc_array one = array_at(all, i);
        if (!view_of(&one, what, i, &(*out)[i], d))
            return false;
    }
    return true;
}

bool values_given(struct io_given *out, const struct cimc_values *given, struct arena *a,
                  struct diag *d)
{
    struct cimc_values v = {0};
    if (given)
        struct_copy_in(&v, sizeof v, given);
    if (v.n_labels > 0 && !v.labels)
        BUG("the caller's labels are NULL");
    out->n_inputs = v.n_inputs;
    out->n_expected = v.n_expected;
    out->labels = v.labels;
    out->n_labels = v.n_labels;
    return view_all(v.inputs, v.n_inputs, "input", a, &out->inputs, d) &&
           view_all(v.expected, v.n_expected, "expected output", a, &out->expected, d);
}

/* ---- results ---- */

bool port_of(const struct io_tensor *ports, size_t n, size_t i, struct cimc_port *out)
{
    if (i >= n)
        return false;
    const struct io_tensor *t = &ports[i];
    struct cimc_port whole = {.name = t->name,
                              .known = t->known,
                              .dtype = dtype_of((enum ir_dtype)t->type.dtype),
                              .rank = t->type.rank,
                              .is_state = t->is_state,
                              .images = t->images,
                              .scale = (double)t->scale,
                              .step = t->step};
    for (uint32_t k = 0; k < t->type.rank; k++)
        whole.dims[k] = t->type.dim[k];
    struct_copy_out(out, &whole, sizeof whole);
    return true;
}

bool cimc_simulation_input(const cimc_simulation *s, size_t i, struct cimc_port *out)
{
    return port_of(s->run.io.inputs, s->run.io.n_inputs, i, out);
}

bool cimc_simulation_output(const cimc_simulation *s, size_t i, struct cimc_port *out)
{
    return port_of(s->run.io.outputs, s->run.io.n_outputs, i, out);
}

static bool array_out(const struct io *io, const struct io_tensor *t, struct cimc_array *out)
{
    if (!t->known || !t->data)
        return false;
    struct ir_type type = io_type_of_all(io, t);
    struct cimc_array whole = {.dtype = dtype_of((enum ir_dtype)type.dtype),
                               .rank = type.rank,
                               .data = t->data,
                               .n_bytes = (size_t)io_frames(io, t) * io_frame_bytes(t)};
    for (uint32_t i = 0; i < type.rank; i++)
        whole.dims[i] = type.dim[i];
    struct_copy_out(out, &whole, sizeof whole);
    return true;
}

bool cimc_simulation_values(const cimc_simulation *s, size_t i, struct cimc_array *out)
{
    const struct io *io = &s->run.io;
    bool has_values = s->run.ran && !s->run.times_only && !s->has_trials;
    return has_values && i < io->n_outputs && array_out(io, &io->outputs[i], out);
}

bool cimc_simulation_expected(const cimc_simulation *s, size_t i, struct cimc_array *out)
{
    const struct io *io = &s->run.io;
    return i < io->n_outputs && array_out(io, &io->references[i], out);
}

int64_t cimc_simulation_frames(const cimc_simulation *s)
{
    return s->run.io.frames;
}

void cimc_simulation_info(const cimc_simulation *s, struct cimc_simulation_info *out)
{
    const struct simulation *r = &s->run;
    struct cimc_simulation_info whole = {.ran = r->ran,
                                         .times_only = r->times_only,
                                         .frames = r->io.frames,
                                         .n_inputs = r->io.n_inputs,
                                         .n_outputs = r->io.n_outputs,
                                         .cycles = s->is_evaluation ? 0 : r->result.cycles,
                                         .n_right = r->labels.of_frame.n ? r->n_right : -1,
                                         .simulate_seconds = r->simulate_seconds,
                                         .evaluate_seconds = r->evaluate_seconds};
    struct_copy_out(out, &whole, sizeof whole);
}

bool cimc_simulation_difference(const cimc_simulation *s, size_t i, int64_t f,
                                struct cimc_difference *out)
{
    const struct io *io = &s->run.io;
    if (!s->run.ran || i >= io->n_outputs || f < 0 || f >= io_frames(io, &io->outputs[i]) ||
        !io->references[i].data || !s->run.differences)
        return false;
    const struct difference *r = simulation_difference(&s->run, i, f);
    struct cimc_difference whole = {.pass = r->pass,
                                    .max_abs_error = r->max_abs_error,
                                    .max_abs_reference = r->max_abs_reference,
                                    .step = r->step,
                                    .max_steps = r->max_steps,
                                    .worst = r->worst};
    struct_copy_out(out, &whole, sizeof whole);
    return true;
}

/* ---- the usual way in one call ---- */

/* That of all frames of the port together, or the port's with the frames in front. */
static bool has_shape(const struct cimc_array *array, const struct io *io,
                      const struct io_tensor *t)
{
    struct ir_type all = io_type_of_all(io, t);
    if (array->rank == all.rank && memcmp(array->dims, all.dim, all.rank * sizeof *all.dim) == 0)
        return true;
    return array->rank == t->type.rank + 1u && array->rank <= IR_MAX_RANK &&
           array->dims[0] == io_frames(io, t) &&
           memcmp(array->dims + 1, t->type.dim, t->type.rank * sizeof *t->type.dim) == 0;
}

static bool copy_result(const struct io *io, size_t k, const struct cimc_array *result,
                        const struct cimc_array *wanted, struct diag *d)
{
    char type[200];
    if (wanted->dtype != result->dtype || wanted->n_bytes != result->n_bytes)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "output %zu is %zu bytes of %s, the caller's array %zu of %s", k,
                          result->n_bytes, cimc_dtype_name(result->dtype), wanted->n_bytes,
                          cimc_dtype_name(wanted->dtype));
    if (!has_shape(wanted, io, &io->outputs[k])) {
        struct ir_type all = io_type_of_all(io, &io->outputs[k]);
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "output %zu is %s, the caller's array has another shape", k,
                          ir_type_text(&all, type, sizeof type));
    }
    memcpy(wanted->data, result->data, result->n_bytes);
    return true;
}

static bool copy_results(const struct cimc_simulation *s, const struct cimc_array *outputs,
                         size_t n, struct diag *d)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        struct cimc_array result = {.size = sizeof result}, wanted = array_at(outputs, i);
        if (!wanted.data)
            continue;
        ok = cimc_simulation_values(s, i, &result)
                 ? copy_result(&s->run.io, i, &result, &wanted, d)
                 : diag_error(d, (struct loc){0}, DIAG_USAGE, "there is no output %zu", i);
    }
    return ok;
}

struct run_call {
    const struct cimc_program *program;
    const struct cimc_options *options;
    const struct cimc_array *inputs, *outputs;
    size_t n_inputs, n_outputs;
};

static bool run(cimc_context *c, void *call)
{
    const struct run_call *k = call;
    cimc_simulation *s;
    struct cimc_values v = {.size = sizeof v, .inputs = k->inputs, .n_inputs = k->n_inputs};
    if (!simulation_of_program(c, k->program, k->options, &v, &s))
        return false;
    bool ok = simulation_go(c, s, k->program, k->options);
    if (s->run.ran)
        ok = copy_results(s, k->outputs, k->n_outputs, c->diag) && ok;
    cimc_simulation_free(s);
    return ok;
}

enum cimc_status cimc_run(cimc_context *c, const cimc_program *p, const struct cimc_options *o,
                          const struct cimc_array *inputs, size_t n_inputs,
                          const struct cimc_array *outputs, size_t n_outputs)
{
    return guard_run(c, run, &(struct run_call){p, o, inputs, outputs, n_inputs, n_outputs});
}
