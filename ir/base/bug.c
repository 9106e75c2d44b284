/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* bug.c - the one way out of a room that cannot go on. */
#include "base/heap_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 1024 }; /* on the stack: there may be no memory */

static _Thread_local struct door *door;

void door_set(struct door *d)
{
    d->outer = door;
    d->loans = NULL;
    d->blocks = (struct heap_link){&d->blocks, &d->blocks};
    d->activity = NULL; /* of a call that was left, it is gone */
    door = d;
}

void door_reset(struct door *d)
{
    loans_free(d->loans);
    d->loans = NULL;
    heap_keep(&d->blocks);
    door = d->outer;
}

void door_give_back(struct door *d)
{
    struct loans *loans = d->loans;
    d->loans = NULL; /* what gives them back ends none */
    loans_give_back(loans);
    heap_give_back(&d->blocks);
}

struct loans **door_loans(void)
{
    return door ? &door->loans : NULL;
}

struct heap_link *door_blocks(void)
{
    if (!door)
        return NULL;
    leave_if_cancelled();
    return &door->blocks;
}

void leftover_note(struct leftover *l)
{
    if (!door)
        return;
    l->next = door->leftovers;
    if (l->next)
        l->next->at = &l->next;
    l->at = &door->leftovers;
    door->leftovers = l;
}

void leftover_drop(struct leftover *l)
{
    if (!l->at)
        return;
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    l->at = NULL;
}

void leftovers_remove(struct door *d)
{
    while (d->leftovers) {
        struct leftover *newest = d->leftovers;
        leftover_drop(newest);
        newest->remove(newest);
    }
}

static const char *activity(void)
{
    return door && door->activity ? door->activity : "";
}

void bug_context(const char *what)
{
    if (door)
        door->activity = what;
}

static _Noreturn void leave(enum mishap why, const char *message)
{
    if (!door) {
        fprintf(stderr, "%s\n", message);
        abort();
    }
    door->leave(door, why, message);
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
    char what[MESSAGE_BYTES], message[MESSAGE_BYTES + 256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(message, sizeof message, "internal error at %s:%d%s%s: %s", file, line,
             *activity() ? " in " : "", activity(), what);
    leave(MISHAP_BUG, message);
}

void out_of_memory(size_t bytes)
{
    char message[MESSAGE_BYTES], size[64] = "";
    if (bytes)
        snprintf(size, sizeof size, " (%zu bytes)", bytes);
    snprintf(message, sizeof message, "out of memory%s%s%s", *activity() ? " in " : "", activity(),
             size);
    leave(MISHAP_MEMORY, message);
}

const struct door *door_here(void)
{
    return door;
}

bool door_is_stopped(const struct door *d)
{
    for (; d; d = d->outer) {
        if (d->stop && atomic_load_explicit(d->stop, memory_order_relaxed))
            return true;
    }
    return false;
}

void leave_if_cancelled(void)
{
    if (door_is_stopped(door))
        leave_cancelled();
}

void leave_cancelled(void)
{
    leave(MISHAP_CANCELLED, "cancelled");
}
