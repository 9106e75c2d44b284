/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * progress_line.c - how far long work is, as one line on a terminal.
 *
 * In: what the library tells. Out: a line on standard error, drawn over itself at
 * most ten times a second, first after half a second, and erased when its work is done. Nothing at
 * all is written unless standard error is a terminal that can do that and NO_COLOR is not set.
 */
#include "progress_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double FIRST_SECONDS = 0.5, REDRAW_SECONDS = 0.1;
enum { BAR = 24 };

static bool is_wanted(void)
{
    const char *terminal = getenv("TERM"), *plain = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0 &&
           !(plain && *plain);
}

static void erase(struct progress_line *l)
{
    if (!l->is_drawn)
        return;
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
    l->is_drawn = false;
}

/* `total` 0: nobody knows. */
static void draw(struct progress_line *l, const char *what, uint64_t done, uint64_t total)
{
    char bar[BAR + 1];
    double share = total ? (double)done / (double)total : 0;
    size_t full = (size_t)(share * BAR);
    memset(bar, '-', BAR);
    memset(bar, '#', full < BAR ? full : BAR);
    bar[BAR] = 0;
    if (total)
        fprintf(stderr, "\r%-20s [%s] %3.0f %%\x1b[K", what, bar, 100 * share);
    else
        fprintf(stderr, "\r%-20s ...\x1b[K", what);
    fflush(stderr);
    l->is_drawn = true;
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool tell(void *self, const char *what, uint64_t done, uint64_t total)
{
    struct progress_line *l = self;
    double now = now_seconds();
    if (total && done >= total) {
        erase(l);
        return true;
    }
    if (now - l->started < FIRST_SECONDS || now - l->drawn < REDRAW_SECONDS)
        return true;
    l->drawn = now;
    draw(l, what, done, total);
    return true;
}

void progress_start(struct progress_line *l, cimc_context *c)
{
    *l = (struct progress_line){.started = now_seconds()};
    if (is_wanted())
        cimc_set_progress(c, tell, l);
}

void progress_end(struct progress_line *l)
{
    erase(l);
}
