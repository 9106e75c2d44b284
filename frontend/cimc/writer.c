/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * writer.c - a stream of stdio whose bytes go to a cimc_write_fn, for rooms that print.
 *
 * Once the function refuses bytes it is not asked again, and the stream fails.
 */
#include "api.h"

static ssize_t give(void *cookie, const char *bytes, size_t n)
{
    struct writer *w = cookie;
    if (!w->is_closed && !w->failed && w->write)
        w->failed = !w->write(w->user, bytes, n);
    return w->failed ? 0 : (ssize_t)n; /* 0: an error */
}

static void close_unfinished(void *writer)
{
    struct writer *w = writer;
    w->is_closed = true;
    fclose(w->f);
}

void writer_open(struct writer *w, cimc_write_fn write, void *user)
{
    *w = (struct writer){.hold = hold_new(close_unfinished), .write = write, .user = user};
    w->f = fopencookie(w, "w", (cookie_io_functions_t){.write = give});
    if (!w->f)
        out_of_memory(0);
    w->hold->thing = w;
}

bool writer_close(struct writer *w, struct diag *d)
{
    heap_free(w->hold);
    bool ok = ferror(w->f) == 0;
    ok &= fclose(w->f) == 0 && !w->failed;
    return ok || diag_error(d, (struct loc){0}, DIAG_IO, "what was to be written was not taken");
}

void log_open(cimc_context *c, struct writer *w)
{
    writer_open(w, c->log, c->log_user);
    setvbuf(w->f, NULL, _IOLBF, 0);
}

bool writer_put(cimc_context *c, struct text *t, cimc_write_fn write, void *user)
{
    struct writer w;
    writer_open(&w, write, user);
    text_flush(t, w.f);
    return writer_close(&w, c->diag);
}
