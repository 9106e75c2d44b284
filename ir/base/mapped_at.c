/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mapped_at.c - which file is mapped where, as the kernel says it: no list that threads would have
 * to share. In lines "7f00-7f10 r--p 00000000 08:01 123   /path". Allocates nothing.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct maps {
    int fd;
    size_t at, n;
    char block[1024];
};

/* -1 behind the last. */
static int next_byte(struct maps *m)
{
    if (m->at == m->n) {
        ssize_t n = read(m->fd, m->block, sizeof m->block);
        m->at = 0;
        m->n = n > 0 ? (size_t)n : 0;
    }
    return m->at < m->n ? (unsigned char)m->block[m->at++] : -1;
}

/* Up to the byte `end`. */
static uintptr_t read_hex(struct maps *m, char end)
{
    uintptr_t value = 0;
    for (int c; (c = next_byte(m)) >= 0 && c != end;)
        value = value << 4 | (unsigned)hex_value((char)c);
    return value;
}

/* The rest of the line from its first '/' on, cut to `size`, of which 0 writes nothing; false:
 * there is none. */
static bool read_path(struct maps *m, char *path, size_t size)
{
    size_t n = 0;
    bool found = false;
    for (int c; (c = next_byte(m)) >= 0 && c != '\n';) {
        found |= c == '/';
        if (found && n + 1 < size)
            path[n++] = (char)c;
    }
    if (found && size > 0)
        path[n] = '\0';
    return found;
}

bool file_mapped_at(const void *address, char *path, size_t size)
{
    int callers = errno; /* who calls is a signal handler */
    struct maps m = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    bool found = false, ended = m.fd < 0;
    while (!found && !ended) {
        uintptr_t from = read_hex(&m, '-'), to = read_hex(&m, ' ');
        bool is_here = (uintptr_t)address >= from && (uintptr_t)address < to;
        found = read_path(&m, path, is_here ? size : 0) && is_here;
        ended = m.n == 0;
    }
    if (m.fd >= 0)
        close(m.fd);
    errno = callers;
    return found;
}
