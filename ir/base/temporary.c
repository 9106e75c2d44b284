/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * temporary.c - files and folders that stand under passing names until they are whole.
 *
 * In: the path that one will take. Out: the file or folder beside it. While one stands, interrupts
 * are held, and it is a leftover that is removed without memory.
 */
#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void remove_leftover(struct leftover *l)
{
    struct temporary *t = (struct temporary *)l;
    remove_tree(t->path);
    interrupts_release(&t->interrupts);
}

static struct temporary *beside(const char *path)
{
    static const char ending[] = ".tmpXXXXXX";
    size_t n = strlen(path);
    struct temporary *t = heap_alloc(sizeof *t + n + sizeof ending);
    t->leftover.remove = remove_leftover;
    memcpy(t->path, path, n);
    memcpy(t->path + n, ending, sizeof ending);
    interrupts_hold(&t->interrupts);
    return t;
}

static mode_t creation_mask(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return mask;
}

/* `t` with its name taken from the file system; NULL if that failed, errno is kept. */
static struct temporary *stands(struct temporary *t, bool made)
{
    int why = errno;
    if (made) {
        leftover_note(&t->leftover);
        return t;
    }
    interrupts_release(&t->interrupts);
    heap_free(t);
    errno = why;
    return NULL;
}

struct temporary *temporary_file(const char *path, FILE **out)
{
    struct temporary *t = beside(path);
    int fd = mkstemp(t->path);
    t = stands(t, fd >= 0);
    if (!t)
        return NULL;
    if (fchmod(fd, 0666 & ~creation_mask()) == 0 && (*out = fdopen(fd, "w")))
        return t;
    int why = errno;
    close(fd);
    temporary_end(t, true);
    errno = why;
    return NULL;
}

struct temporary *temporary_folder(const char *path)
{
    struct temporary *t = beside(path);
    bool made = mkdtemp(t->path) != NULL;
    t = stands(t, made);
    if (t && chmod(t->path, 0777 & ~creation_mask()) != 0) {
        int why = errno;
        temporary_end(t, true);
        errno = why;
        return NULL;
    }
    return t;
}

void temporary_end(struct temporary *t, bool remove)
{
    if (remove)
        remove_tree(t->path);
    leftover_drop(&t->leftover);
    interrupts_release(&t->interrupts);
    heap_free(t);
}

/* ---- removal without memory ---- */

static void remove_at(int parent, const char *name);

static void empty_folder(int folder)
{
    _Alignas(struct dirent64) char entries[2048];
    for (ssize_t n; (n = getdents64(folder, entries, sizeof entries)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *e = (const void *)(entries + at);
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                remove_at(folder, e->d_name);
            at += e->d_reclen;
        }
    }
}

static void remove_at(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0)
        return;
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return;
    empty_folder(folder);
    /* Some file systems leave out names when others are removed meanwhile. */
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && lseek(folder, 0, SEEK_SET) == 0) {
        empty_folder(folder);
        unlinkat(parent, name, AT_REMOVEDIR);
    }
    close(folder);
}

void remove_tree(const char *path)
{
    remove_at(AT_FDCWD, path);
}
