/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * interrupts.c - signals that ask the process to end wait while it has files to remove first.
 *
 * In: nothing. Out: the process's signal mask. They are held, not handled: no handler, no state of
 * the process but the mask, and a signal that is ignored stays ignored.
 */
#include "base/base.h"

#include <signal.h>

static const int end_signals[N_INTERRUPTS] = {SIGHUP, SIGINT, SIGTERM};

void interrupts_hold(struct interrupts *i)
{
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t k = 0; k < N_INTERRUPTS; k++)
        sigaddset(&set, end_signals[k]);
    sigprocmask(SIG_BLOCK, &set, &before);
    for (size_t k = 0; k < N_INTERRUPTS; k++)
        i->were_held[k] = sigismember(&before, end_signals[k]);
}

bool interrupts_waiting(void)
{
    sigset_t waiting;
    bool found = false;
    sigpending(&waiting);
    for (size_t k = 0; k < N_INTERRUPTS; k++)
        found |= sigismember(&waiting, end_signals[k]) == 1;
    return found;
}

void interrupts_release(const struct interrupts *i)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t k = 0; k < N_INTERRUPTS; k++) {
        if (!i->were_held[k])
            sigaddset(&set, end_signals[k]);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
