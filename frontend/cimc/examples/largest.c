/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * largest.c - an ONNX model with one input and one output of f32 is compiled with further crossbars
 * and simulated on a ramp; prints cycles, and the largest element of what comes out.
 *
 *     cc largest.c $(pkg-config --cflags --libs cimc) -o largest
 *     ./largest MODEL EXTRA_PES
 */
#include <cimc.h>

#include <stdio.h>
#include <stdlib.h>

static bool to_stderr(void *user, const void *bytes, size_t n)
{
    (void)user;
    return fwrite(bytes, 1, n, stderr) == n;
}

static struct cimc_array array_for(const struct cimc_port *port)
{
    struct cimc_array a = {.size = sizeof a, .dtype = port->dtype, .rank = port->rank};
    a.n_bytes = cimc_dtype_bytes(port->dtype);
    for (uint32_t i = 0; i < port->rank; i++)
        a.n_bytes *= (size_t)(a.dims[i] = port->dims[i]);
    a.data = malloc(a.n_bytes);
    return a;
}

/* 0, 1/16 ... 16/16, 0 ... */
static void fill(const struct cimc_array *a)
{
    float *x = a->data;
    for (size_t i = 0; i < a->n_bytes / sizeof *x; i++)
        x[i] = (float)(i % 17) / 16;
}

static void print_largest(const struct cimc_array *a)
{
    const float *y = a->data;
    size_t best = 0;
    for (size_t i = 1; i < a->n_bytes / sizeof *y; i++)
        best = y[i] > y[best] ? i : best;
    printf("largest: %zu, %.9g\n", best, (double)y[best]);
}

static enum cimc_status run(cimc_context *c, const cimc_program *program,
                            const struct cimc_options *o)
{
    struct cimc_port in = {.size = sizeof in}, out = {.size = sizeof out};
    struct cimc_program_info info = {.size = sizeof info};
    cimc_program_info(program, &info);
    printf("cycles: %llu\n", (unsigned long long)info.makespan_cycles);
    if (!cimc_program_input(program, 0, &in) || !cimc_program_output(program, 0, &out) ||
        in.dtype != CIMC_F32 || out.dtype != CIMC_F32)
        return CIMC_WRONG_INPUT;
    struct cimc_array x = array_for(&in), y = array_for(&out);
    enum cimc_status status = CIMC_NO_MEMORY;
    if (x.data && y.data) {
        fill(&x);
        status = cimc_run(c, program, o, &x, 1, &y, 1);
    }
    if (status == CIMC_OK)
        print_largest(&y);
    free(x.data);
    free(y.data);
    return status;
}

int main(int argc, char **argv)
{
    cimc_context *c = cimc_context_new();
    cimc_model *model = NULL;
    cimc_program *program = NULL;
    struct cimc_options o;
    if (argc != 3 || !c)
        return CIMC_WRONG_USAGE;
    cimc_options_init(&o, sizeof o);
    struct cimc_source source = {.size = sizeof source, .path = argv[1]};
    enum cimc_status status = cimc_options_set(c, &o, "extra-pes", argv[2]);
    if (status == CIMC_OK)
        status = cimc_import(c, &source, 1, &o, &model);
    if (status == CIMC_OK)
        status = cimc_compile(c, model, &o, &program);
    if (status == CIMC_OK)
        status = run(c, program, &o);
    cimc_print_diagnostics(c, CIMC_TEXT, false, to_stderr, NULL);
    cimc_program_free(program);
    cimc_model_free(model);
    cimc_options_free(&o);
    cimc_context_free(c);
    return (int)status;
}
