/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cut_file.c - what becomes of a file that someone cuts while it is mapped.
 *
 * Reading behind its new end is SIGBUS. Nothing can go on from there: the handler says which file
 * it was, removes what stands under passing names and ends the process as wrong input does.
 */
#include "cut_file.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_INPUT = 1 };

static _Thread_local cimc_context *reader; /* that reads files */

static void say(const char *text)
{
    for (ssize_t n; *text && (n = write(STDERR_FILENO, text, strlen(text))) > 0;)
        text += n;
}

/* Control characters of a name must not reach a terminal. */
static void say_plain(const char *name)
{
    for (; *name; name++)
        say((char[]){(unsigned char)*name < ' ' || *name == 127 ? '?' : *name, '\0'});
}

/* A path below the current folder without that folder. */
static const char *from_here(const char *path)
{
    char folder[PATH_MAX];
    size_t n = getcwd(folder, sizeof folder) ? strlen(folder) : 0;
    return n > 1 && strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    char path[PATH_MAX];
    if (!cimc_mapped_file(info->si_addr, path, sizeof path)) {
        signal(number, SIG_DFL); /* the fault comes again and ends the process */
        return;
    }
    say_plain(from_here(path));
    say(": error: the file was cut while it was read [io]\n");
    cimc_discard_unfinished(reader);
    _exit(EXIT_INPUT);
}

void cut_file_watch(cimc_context *c)
{
    reader = c;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
