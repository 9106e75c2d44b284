/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stacks.c - which buffers lie in stacks: those of one family's values on a tile that are alike.
 *
 * Its row says which member of the family a buffer is, so that a value and those made from it are
 * the same number of rows apart at each step.
 */
#include "plan.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* What the buffers of a stack have in common. Of the products of an mvm there are several on a
 * tile: `which` counts them, from 1. */
struct alike {
    uint32_t family, tile, which;
    enum element element;
    int32_t dim[3];
    struct box held;
};

/* The number of a buffer among those of partial sums of a layer on its tile; 0: it is no such one.
 */
static uint32_t which_products(const struct buffer *b, struct map *number_of, uint32_t *count)
{
    if (b->value)
        return 0;
    size_t n = number_of->n;
    return ++count[map_intern_u64(number_of, map_pair(b->shows->id, b->tile), (uint32_t)n)];
}

/* Members that are on other tiles leave gaps; where these are most of it a stack is not worth its
 * room. */
static void find_row(uint32_t number, const struct stack *stacks, struct storage *of)
{
    const struct stack *s = &stacks[of->stack];
    of->row = number - s->first;
    if (!s->needed && (s->members < 2 || s->last - s->first >= 2 * s->members))
        *of = (struct storage){.stack = NONE};
}

struct stack *find_stacks(const struct plan *p, struct storage *of)
{
    size_t n = p->tasks->buffers.n;
    struct stack *stacks = ARENA_ARRAY(p->arena, struct stack, n);
    struct map stack_of = {0}, number_of = {0};
    uint32_t *count = heap_alloc((n + 1) * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        const struct buffer *b = &p->tasks->buffers.at[i];
        struct member m = p->nodes->family[b->shows->id];
        struct alike key = {.family = m.family,
                            .tile = b->tile,
                            .which = which_products(b, &number_of, count),
                            .element = b->element,
                            .held = b->held};
        of[i].stack = NONE;
        if (m.family == NONE || b->constant || box_empty(&b->held))
            continue;
        memcpy(key.dim, b->dim, sizeof key.dim);
        uint32_t fresh = (uint32_t)stack_of.n;
        struct stack *s = &stacks[of[i].stack = map_intern(&stack_of, &key, sizeof key, fresh)];
        if (of[i].stack == fresh)
            *s = (struct stack){.first = m.number, .last = m.number};
        s->first = m.number < s->first ? m.number : s->first;
        s->last = m.number > s->last ? m.number : s->last;
        s->needed |= p->segment->stacked[m.family];
        s->members++;
    }
    for (size_t i = 0; i < n; i++)
        if (of[i].stack != NONE)
            find_row(p->nodes->family[p->tasks->buffers.at[i].shows->id].number, stacks, &of[i]);
    heap_free(count);
    map_free(&stack_of);
    map_free(&number_of);
    return stacks;
}
