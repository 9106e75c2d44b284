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
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static void let_interrupts(struct temporary *t)
{
    if (t->holds_interrupts)
        interrupts_release();
    t->holds_interrupts = false;
}

void temporary_remove(struct temporary *t)
{
    remove_tree(t->path);
    let_interrupts(t);
}

static void remove_leftover(struct leftover *l)
{
    temporary_remove((struct temporary *)l);
}

/* A call is left by the door: what it has put there goes. */
static void give_back(void *temporary)
{
    struct temporary *t = temporary;
    remove_leftover(&t->leftover);
    leftover_drop(&t->leftover);
}

static const char ending[] = ".tmp";
enum { N_LETTERS = 6, MOST_NAMES = 100 };

/* Other letters each time; which is no part of a result. */
static void write_letters(char *to)
{
    static const char letters[64] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    unsigned char bytes[N_LETTERS] = {0};
    if (getrandom(bytes, sizeof bytes, 0) < 0)
        memset(bytes, getpid(), sizeof bytes);
    for (size_t i = 0; i < N_LETTERS; i++)
        to[i] = letters[bytes[i] % sizeof letters];
}

/* Under a name that nothing has; `create` is as open and mkdir are. NULL with errno. */
static struct temporary *make_beside(const char *path, int (*create)(const char *), int *out)
{
    size_t n = strlen(path), bytes = n + sizeof ending + N_LETTERS;
    struct temporary *t = heap_alloc_released(sizeof *t + bytes, give_back);
    t->leftover.remove = remove_leftover;
    memcpy(t->path, path, n);
    memcpy(t->path + n, ending, sizeof ending);
    interrupts_hold();
    t->holds_interrupts = true;
    *out = -1;
    errno = EEXIST;
    for (int tries = 0; tries < MOST_NAMES && *out < 0 && errno == EEXIST; tries++) {
        write_letters(t->path + n + sizeof ending - 1);
        *out = create(t->path);
    }
    if (*out >= 0) {
        leftover_note(&t->leftover);
        return t;
    }
    int why = errno;
    let_interrupts(t);
    heap_free(t);
    errno = why;
    return NULL;
}

/* With the rights that any new file gets: the process's mask is neither asked for nor changed,
 * which other threads would see. */
static int create_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

static int create_folder(const char *path)
{
    return mkdir(path, 0777);
}

struct temporary *temporary_file(const char *path, FILE **out)
{
    int fd;
    struct temporary *t = make_beside(path, create_file, &fd);
    if (!t || (*out = fdopen(fd, "w")))
        return t;
    int why = errno;
    close(fd);
    temporary_end(t, true);
    errno = why;
    return NULL;
}

struct temporary *temporary_folder(const char *path)
{
    int made;
    return make_beside(path, create_folder, &made);
}

void temporary_end(struct temporary *t, bool remove)
{
    if (remove)
        remove_tree(t->path);
    leftover_drop(&t->leftover);
    let_interrupts(t);
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
