/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * folder.c - a folder of files that appears whole or not at all.
 *
 * In: a path. Out: the folder, put in place in one step when everything in it was written.
 * Invariant: what stood there before is gone only if it was empty, or was replaced on purpose.
 */
#include "dump.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool io_error(const char *path, const char *what, struct diag *d)
{
    return diag_error(d, (struct loc){.file = path}, DIAG_IO, "%s: %s", what, strerror(errno));
}

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    bool empty = dir != NULL;
    for (const struct dirent *e; dir && empty && (e = readdir(dir));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (dir)
        closedir(dir);
    return empty;
}

static bool may_replace(const struct folder *f, bool replace, const char *mark, struct diag *d)
{
    struct stat st;
    struct loc at = {.file = f->path};
    if (lstat(f->path, &st) != 0)
        return errno == ENOENT || io_error(f->path, "cannot write", d);
    if (!S_ISDIR(st.st_mode))
        return diag_error(d, at, DIAG_IO, "is there and is no folder");
    if (is_empty(f->path))
        return true;
    if (!replace)
        return diag_error(d, at, DIAG_IO, "the folder is not empty; --force replaces a dump");
    return access(arena_printf(f->arena, "%s/%s", f->path, mark), F_OK) == 0 ||
           diag_error(d, at, DIAG_IO, "the folder holds no %s: it is no dump and stays", mark);
}

bool folder_open(struct folder *f, const char *path, bool replace, const char *mark, struct diag *d)
{
    struct arena *a = arena_new();
    *f = (struct folder){.arena = a, .open = ARENA_NEW(a, struct folder_stream *)};
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    f->path = arena_strndup(f->arena, path, n);
    if (!may_replace(f, replace, mark, d)) {
        folder_discard(f);
        return false;
    }
    f->temp = temporary_folder(f->path);
    if (f->temp)
        return true;
    io_error(f->path, "cannot write", d);
    folder_discard(f);
    return false;
}

bool folder_make(const struct folder *f, const char *name, struct diag *d)
{
    const char *path = arena_printf(f->arena, "%s/%s", f->temp->path, name);
    return mkdir(path, 0777) == 0 || io_error(f->path, "cannot write", d);
}

/* One that is open: if the call is left it is closed. */
struct folder_stream {
    FILE *f; /* or NULL */
    struct folder_stream *next;
};

static void close_unfinished(void *stream)
{
    struct folder_stream *s = stream;
    if (s->f)
        fclose(s->f);
}

FILE *folder_file(const struct folder *f, const char *name, const char *mode, struct diag *d)
{
    struct text path = {0};
    text_add(&path, "%s/%s", f->temp->path, name);
    if (interrupts_waiting())
        temporary_remove(f->temp);
    struct folder_stream *s = heap_alloc_released(sizeof *s, close_unfinished);
    FILE *file = s->f = fopen(path.at, mode);
    text_free(&path);
    if (file) {
        s->next = *f->open;
        *f->open = s;
    } else {
        heap_free(s);
        io_error(f->path, "cannot write", d);
    }
    return file;
}

bool folder_close(const struct folder *f, FILE *file, const char *name, struct diag *d)
{
    struct folder_stream **at = f->open, *s;
    while ((*at)->f != file)
        at = &(*at)->next;
    s = *at;
    *at = s->next;
    heap_free(s);
    bool ok = !ferror(file);
    ok &= fclose(file) == 0;
    return ok || diag_error(d, (struct loc){.file = f->path}, DIAG_IO, "cannot write %s: %s", name,
                            strerror(errno));
}

/* Where the file system cannot exchange two names: for a moment nothing has the folder's name. */
static bool replace(const struct folder *f)
{
    const char *old = arena_printf(f->arena, "%s.old", f->temp->path);
    if (rename(f->path, old) != 0)
        return false;
    if (rename(f->temp->path, f->path) == 0)
        return rename(old, f->temp->path) == 0;
    int why = errno;
    if (rename(old, f->path) != 0)
        why = errno;
    errno = why;
    return false;
}

/* Puts the new folder in the place of what is there, which gets the passing name. */
static bool exchange(const struct folder *f)
{
    if (renameat2(AT_FDCWD, f->temp->path, AT_FDCWD, f->path, RENAME_EXCHANGE) == 0)
        return true;
    return (errno == EINVAL || errno == ENOSYS) && replace(f);
}

bool folder_commit(struct folder *f, struct diag *d)
{
    bool exists = access(f->path, F_OK) == 0;
    bool ok = exists ? exchange(f) : rename(f->temp->path, f->path) == 0;
    if (!ok)
        io_error(f->path, exists ? "cannot replace" : "cannot write", d);
    if (ok && !exists) {
        temporary_end(f->temp, false);
        f->temp = NULL;
    }
    folder_discard(f);
    return ok;
}

void folder_discard(struct folder *f)
{
    if (f->temp)
        temporary_end(f->temp, true);
    arena_free(f->arena);
    *f = (struct folder){0};
}
