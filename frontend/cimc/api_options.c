/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_options.c - options by name, for callers, whose structures may be older than the library. */
#include "api.h"
#include "base/closest.h"
#include "options.h"

#include <string.h>

void struct_copy_in(void *whole, size_t bytes, const void *given)
{
    size_t size;
    memcpy(&size, given, sizeof size); /* every structure begins with it */
    if (size < sizeof size && guard_is_here())
        BUG("a structure of the caller has no size"); /* and what stands in it would not count */
    memcpy(whole, given, size < bytes ? size : bytes);
    memcpy(whole, &bytes, sizeof bytes);
}

void struct_copy_out(void *wanted, const void *whole, size_t bytes)
{
    size_t size;
    memcpy(&size, wanted, sizeof size);
    if (size <= sizeof size)
        return;
    memcpy((char *)wanted + sizeof size, (const char *)whole + sizeof size,
           (size < bytes ? size : bytes) - sizeof size);
}

void strings_check(const struct cimc_strings *given)
{
    if (given->n > 0 && !given->at)
        BUG("the caller's list of %zu strings is NULL", given->n);
}

struct cimc_options options_whole(const struct cimc_options *given)
{
    struct cimc_options whole;
    cimc_options_init(&whole, sizeof whole);
    if (given)
        struct_copy_in(&whole, sizeof whole, given);
    options_settle(&whole);
    const struct cimc_option_info *wrong = options_first_wrong(&whole);
    if (wrong && guard_is_here())
        BUG("the caller's options have a value for %s that it cannot have", wrong->name);
    return whole;
}

const char *cimc_closest(const char *to, const char *const *names, size_t n)
{
    struct closest near = {.to = to};
    for (size_t i = 0; i < n; i++)
        closest_offer(&near, names[i]);
    return near.name;
}

static bool no_option(const char *name, struct diag *d)
{
    struct closest near = {.to = name};
    for (const struct cimc_option_info *o = option_table; o->name; o++)
        closest_offer(&near, o->name);
    return diag_error(d, (struct loc){0}, DIAG_USAGE, "there is no option '%s'%s%s%s", name,
                      CLOSEST(&near));
}

struct put_call {
    struct cimc_options *options;
    const struct cimc_option_info *option;
    const char *name, *value;
};

static bool put(cimc_context *c, void *call)
{
    struct put_call *p = call;
    if (!p->option)
        p->option = cimc_option_find(p->name);
    if (!p->option)
        return no_option(p->name, c->diag);
    return options_put(p->options, p->option, p->value, c->diag);
}

/* A call that is left takes what it had copied with it. */
enum cimc_status options_run(cimc_context *c, guard_body body, void *call, struct cimc_options *o)
{
    struct cimc_options before;
    size_t n = o->size < sizeof before ? o->size : sizeof before;
    memcpy(&before, o, n);
    enum cimc_status status = guard_run(c, body, call);
    if (status >= CIMC_INTERNAL)
        memcpy(o, &before, n);
    return status;
}

enum cimc_status cimc_options_set(cimc_context *c, struct cimc_options *o, const char *name,
                                  const char *value)
{
    return options_run(c, put, &(struct put_call){o, NULL, name, value}, o);
}

enum cimc_status cimc_options_put(cimc_context *c, struct cimc_options *o,
                                  const struct cimc_option_info *option, const char *value)
{
    return options_run(c, put, &(struct put_call){o, option, option->name, value}, o);
}

struct print_call {
    const struct cimc_options *options;
    cimc_write_fn write;
    void *user;
};

static bool print(cimc_context *c, void *call)
{
    const struct print_call *p = call;
    struct cimc_options whole = options_whole(p->options);
    struct text line = {0};
    struct writer w;
    writer_open(&w, p->write, p->user);
    options_record(&whole, &line);
    text_flush(&line, w.f);
    text_free(&line);
    return writer_close(&w, c->diag);
}

enum cimc_status cimc_print_options(cimc_context *c, const struct cimc_options *o,
                                    cimc_write_fn write, void *user)
{
    return guard_run(c, print, &(struct print_call){o, write, user});
}
