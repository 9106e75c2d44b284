/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_files.c - files that appear whole or not at all, and which may be written. */
#include "api.h"

#include "options.h"
#include "outputs.h"
#include "weights.h"

#include <errno.h>
#include <string.h>

/* ---- one file ---- */

struct cimc_output {
    struct out out;
};

struct open_call {
    const char *path;
    cimc_output **out;
};

static bool open_output(cimc_context *c, void *call)
{
    const struct open_call *p = call;
    struct cimc_output *o = heap_alloc(sizeof *o);
    if (out_open(&o->out, p->path, c->diag)) {
        *p->out = o;
        return true;
    }
    heap_free(o);
    return false;
}

enum cimc_status cimc_output_open(cimc_context *c, const char *path, cimc_output **out)
{
    *out = NULL;
    return guard_run(c, open_output, &(struct open_call){path, out});
}

bool cimc_output_write(void *output, const void *bytes, size_t n)
{
    struct cimc_output *o = output;
    return n == 0 || fwrite(bytes, 1, n, o->out.f) == n;
}

static bool commit(cimc_context *c, void *call)
{
    struct cimc_output *o = call;
    struct out out = o->out;
    heap_free(o);
    return out_commit(&out, c->diag);
}

enum cimc_status cimc_output_commit(cimc_context *c, cimc_output *output)
{
    return guard_run(c, commit, output);
}

static bool discard(cimc_context *c, void *call)
{
    struct cimc_output *o = call;
    (void)c;
    out_discard(&o->out);
    heap_free(o);
    return true;
}

void cimc_output_discard(cimc_context *c, cimc_output *output)
{
    if (output)
        guard_run(c, discard, output);
}

/* ---- which may be written ---- */

struct check_call {
    const struct cimc_options *options;
    const struct cimc_strings *operands;
};

static bool check(cimc_context *c, void *call)
{
    const struct check_call *p = call;
    struct cimc_options whole = options_whole(p->options);
    strings_check(p->operands);
    return outputs_check(&whole, p->operands, c->diag);
}

enum cimc_status cimc_check_files(cimc_context *c, const struct cimc_options *o,
                                  const struct cimc_strings *operands)
{
    return guard_run(c, check, &(struct check_call){o, operands});
}

bool cimc_files_wanted(const struct cimc_options *o)
{
    struct cimc_options whole = options_whole(o);
    return outputs_wanted(&whole);
}

bool cimc_files_to_stdout(const struct cimc_options *o)
{
    struct cimc_options whole = options_whole(o);
    return outputs_to_stdout(&whole);
}

/* ---- weights ---- */

struct weights_call {
    const struct cimc_strings *operands;
    struct cimc_options *options;
};

static bool bind_weights(cimc_context *c, void *call)
{
    const struct weights_call *p = call;
    const struct cimc_options *o = p->options;
    strings_check(p->operands);
    if (!options_reach(o, "input", c->diag))
        return false;
    if (o->test_data.n != 1 || o->inputs.n || p->operands->n != 1)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE,
                          "--constant-weights takes constants from --test-data, and no --input, "
                          "and one model");
    return weights_bind(p->options, p->operands->at[0], c->diag);
}

enum cimc_status cimc_bind_weights(cimc_context *c, const struct cimc_strings *operands,
                                   struct cimc_options *o)
{
    return options_run(c, bind_weights, &(struct weights_call){operands, o}, o);
}
