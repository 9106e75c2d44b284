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

enum { N_INTERRUPTS = 3 };
static const int end_signals[N_INTERRUPTS] = {SIGHUP, SIGINT, SIGTERM};
static _Thread_local unsigned n_holds;
static _Thread_local sigset_t before; /* the first of them */

void interrupts_hold(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t k = 0; k < N_INTERRUPTS; k++)
        sigaddset(&set, end_signals[k]);
    if (n_holds++ == 0)
        sigprocmask(SIG_BLOCK, &set, &before);
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

void interrupts_release(void)
{
    sigset_t set;
    if (n_holds == 0 || --n_holds > 0)
        return;
    sigemptyset(&set);
    for (size_t k = 0; k < N_INTERRUPTS; k++) {
        if (!sigismember(&before, end_signals[k]))
            sigaddset(&set, end_signals[k]);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
