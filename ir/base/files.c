/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* files.c - whole files in, atomic files out, and what the host says of time and memory. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };
static const size_t MAX_STREAM_BYTES = (size_t)4 << 30;

static struct loc at_file(const char *path)
{
    return (struct loc){.file = path};
}

/* Reads a pipe, device or stdin to its end. */
static bool read_stream(int fd, struct diag *d, struct file *out)
{
    size_t cap = 0, n = 0;
    uint8_t *data = NULL;
    for (;;) {
        data = vec_reserve(data, &cap, n + 65536, 1);
        ssize_t got = read(fd, data + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || n > MAX_STREAM_BYTES) {
            heap_free(data);
            return diag_error(d, at_file(out->path), DIAG_IO, "cannot read: %s",
                              got < 0 ? strerror(errno) : "longer than 4 GiB");
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    out->data = data;
    out->size = n;
    return true;
}

/* What the call that is left by the door must give back. */
struct opened {
    int fd; /* -1: closed */
    void *at;
    size_t size; /* mapped bytes */
};

static void give_back(void *opened)
{
    struct opened *o = opened;
    if (o->size > 0)
        munmap(o->at, o->size);
    if (o->fd >= 0)
        close(o->fd);
}

static bool map_file(size_t size, struct diag *d, struct file *out)
{
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, out->opened->fd, 0);
    if (p == MAP_FAILED)
        return diag_error(d, at_file(out->path), DIAG_IO, "cannot map: %s", strerror(errno));
    out->opened->at = p;
    out->opened->size = out->size = size;
    out->data = p;
    return true;
}

static bool read_opened(const char *path, struct diag *d, struct file *out)
{
    struct stat st;
    struct opened *o = out->opened;
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0 || fstat(o->fd, &st) < 0)
        return diag_error(d, at_file(path), DIAG_IO, "cannot open: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return diag_error(d, at_file(path), DIAG_IO, "is a directory");
    if (!S_ISREG(st.st_mode))
        return read_stream(o->fd, d, out);
    if (st.st_size > 0)
        return map_file((size_t)st.st_size, d, out);
    out->data = heap_alloc(1); /* nothing to read, but a place that readers may point at */
    return true;
}

bool file_open(const char *path, struct arena *names, struct diag *d, struct file *out)
{
    *out = (struct file){.path = strcmp(path, "-") == 0 ? "<stdin>" : arena_strdup(names, path)};
    if (strcmp(path, "-") == 0)
        return read_stream(STDIN_FILENO, d, out);
    out->opened = heap_alloc_released(sizeof *out->opened, give_back);
    bool ok = read_opened(path, d, out);
    if (out->opened->fd >= 0)
        close(out->opened->fd);
    out->opened->fd = -1;
    if (!ok)
        file_close(out);
    return ok;
}

bool file_is_mapped(const struct file *f)
{
    return f->opened && f->opened->size > 0;
}

void file_close(struct file *f)
{
    if (file_is_mapped(f))
        munmap((void *)f->data, f->size);
    else if (!f->borrowed)
        heap_free((void *)f->data);
    heap_free(f->opened);
    *f = (struct file){0};
}

void file_forget(const struct file *f, const void *at, size_t n)
{
    if (!file_is_mapped(f))
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)at + page - 1) & ~(page - 1),
              to = ((uintptr_t)at + n) & ~(page - 1);
    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

void *heap_in_large_pages(void *p, size_t bytes)
{
    enum { LARGE = 1 << 21 };
    uintptr_t from = ((uintptr_t)p + LARGE - 1) & ~(uintptr_t)(LARGE - 1);
    uintptr_t to = ((uintptr_t)p + bytes) & ~(uintptr_t)(LARGE - 1);
    if (p && from < to)
        madvise((void *)from, to - from, MADV_HUGEPAGE);
    return p;
}

/* /dev/stdout may be a file that the shell has opened. */
static bool is_stdout_file(const struct stat *st)
{
    struct stat out;
    return fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == st->st_dev && out.st_ino == st->st_ino;
}

/* The file that is to be written: where the path is a link, what it leads to, there or not. NULL
 * with errno where it leads nowhere. */
static char *place_of(const char *path)
{
    char *place = strcpy(heap_alloc(strlen(path) + 1), path), target[PATH_MAX];
    for (int hops = 0; hops < MAX_LINKS; hops++) {
        ssize_t n = readlink(place, target, sizeof target);
        if (n < 0)
            return place;
        const char *slash = strrchr(place, '/');
        size_t folder = *target == '/' || !slash ? 0 : (size_t)(slash - place) + 1;
        char *next = heap_alloc(folder + (size_t)n + 1);
        memcpy(next, place, folder);
        memcpy(next + folder, target, (size_t)n);
        heap_free(place);
        place = next;
    }
    heap_free(place);
    errno = ELOOP;
    return NULL;
}

static void open_place(struct out *o, const char *path)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (strcmp(path, "-") == 0 || (exists && is_stdout_file(&st))) {
        o->f = stdout;
    } else if (exists && !S_ISREG(st.st_mode)) {
        o->f = o->held->thing = fopen(path, "w");
    } else if ((o->temp = temporary_file(o->path, &o->f))) {
        o->held->thing = o->f;
    }
}

static void close_stream(void *f)
{
    fclose(f);
}

static void release(struct out *o)
{
    heap_free(o->held);
    heap_free(o->path);
    *o = (struct out){0};
}

bool out_open(struct out *o, const char *path, struct diag *d)
{
    *o = (struct out){.held = hold_new(close_stream), .path = place_of(path)};
    if (o->path)
        open_place(o, path);
    if (o->f)
        return true;
    diag_error(d, at_file(path), DIAG_IO, "cannot write: %s", strerror(errno));
    release(o);
    return false;
}

bool out_commit(struct out *o, struct diag *d)
{
    bool ok = !ferror(o->f);
    o->held->thing = NULL;
    if (o->f == stdout)
        ok &= fflush(stdout) == 0;
    else
        ok &= fclose(o->f) == 0;
    if (ok && o->temp)
        ok = rename(o->temp->path, o->path) == 0;
    /* It may be of an earlier call, which keeps nothing for this one: all goes before that may be
     * left. */
    int why = errno;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", o->path);
    if (o->temp)
        temporary_end(o->temp, !ok);
    release(o);
    return ok || diag_error(d, at_file(path), DIAG_IO, "cannot write: %s", strerror(why));
}

void out_discard(struct out *o)
{
    if (o->f && o->f != stdout)
        fclose(o->f);
    o->held->thing = NULL;
    if (o->temp)
        temporary_end(o->temp, true);
    release(o);
}

double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A field of /proc/self/status, in kB; 0 if there is none. */
static uint64_t status_kb(const char *field)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    unsigned long long kb = 0;
    size_t n = strlen(field);
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, n) == 0 && sscanf(line + n, ": %llu kB", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

/* Not getrusage's ru_maxrss: Linux starts that at the size of the process that launched this one.
 */
uint64_t peak_rss_bytes(void)
{
    uint64_t kb = status_kb("VmHWM");
    struct rusage r;
    if (kb == 0 && getrusage(RUSAGE_SELF, &r) == 0)
        kb = (uint64_t)r.ru_maxrss;
    return kb * 1024;
}
