/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* spans.c - a list of spans. */
#include "spans.h"

#include <stdlib.h>

void spans_add(struct spans *s, const char *kind, const char *name, double start, double end)
{
    VEC_PUSH(&s->list, ((struct span){kind, name, start, end}));
}

static int compare_start(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->end < y->end) - (x->end > y->end);
}

void spans_sort(struct spans *s)
{
    if (s->list.n)
        qsort(s->list.at, s->list.n, sizeof *s->list.at, compare_start);
}
