/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* loans.c - how often the call of this thread's door refers to objects that outlive it. */
#include "base/heap_internal.h"
#include "base/map.h"

struct loan {
    void *object;
    void (*give_back)(void *object);
    int64_t n;
};
struct loans {
    struct map numbers; /* of objects, by address */
    VEC(struct loan) of;
};

/* The object's, a new one without any. */
static struct loan *loan_of(struct loans *l, void *object)
{
    uint32_t fresh = (uint32_t)l->of.n, i = map_intern(&l->numbers, &object, sizeof object, fresh);
    if (i == fresh)
        VEC_PUSH(&l->of, (struct loan){.object = object});
    return &l->of.at[i];
}

void loan_take(void *object, void (*give_back)(void *object))
{
    struct loans **l = door_loans();
    if (!l || !heap_outlives_call(object))
        return;
    if (!*l)
        *l = heap_alloc(sizeof **l);
    struct loan *loan = loan_of(*l, object);
    loan->give_back = give_back;
    loan->n++;
}

void loan_end(void *object)
{
    struct loans **l = door_loans();
    if (!l || !*l || !heap_outlives_call(object))
        return;
    uint32_t i = map_find(&(*l)->numbers, &object, sizeof object);
    if (i != MAP_NONE)
        (*l)->of.at[i].n--;
}

void loans_give_back(struct loans *l)
{
    for (size_t i = 0; l && i < l->of.n; i++)
        for (; l->of.at[i].n > 0; l->of.at[i].n--)
            l->of.at[i].give_back(l->of.at[i].object);
}

void loans_free(struct loans *l)
{
    if (!l)
        return;
    map_free(&l->numbers);
    VEC_FREE(&l->of);
    heap_free(l);
}
