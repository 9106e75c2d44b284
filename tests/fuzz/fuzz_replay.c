/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuzz_replay.c - main of a target without libFuzzer: runs it on files, and on mutants of them, and
 * says so in TAP. What goes wrong ends the process; the name before it tells with which file.
 *
 * usage: fuzz_TARGET [--written] [--mutants N] FILE_OR_FOLDER...
 *
 * --written: the files are as somebody wrote them, findings that were made legible too:
 * fuzz_is_written.
 */
#include "base/asan.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST_GROWTH = 64 };
static uint64_t state; /* of the random changes */

/* Of libFuzzer's changes the plain ones: a byte, a bit, one more, one less. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most)
{
    size_t at = n ? random_next(&state) % n : 0;
    uint8_t byte = (uint8_t)random_next(&state);
    unsigned kind = random_next(&state) % 4;
    if (n < most && (n == 0 || kind == 0)) {
        memmove(data + at + 1, data + at, n - at);
        data[at] = byte;
        return n + 1;
    }
    if (n > 1 && kind == 1) {
        memmove(data + at, data + at + 1, n - at - 1);
        return n - 1;
    }
    if (n)
        data[at] = (uint8_t)(kind == 2 ? byte : data[at] ^ 1u << byte % 8);
    return n;
}

static void run_mutants(const struct file *f, unsigned n_mutants)
{
    uint8_t *copy = heap_alloc(f->size + MOST_GROWTH);
    state = hash_bytes(f->data, f->size, 0);
    for (unsigned i = 0; i < n_mutants; i++) {
        if (f->size)
            memcpy(copy, f->data, f->size);
        unsigned seed = (unsigned)random_next(&state);
        size_t n = LLVMFuzzerCustomMutator(copy, f->size, f->size + MOST_GROWTH, seed);
        LLVMFuzzerTestOneInput(copy, n);
    }
    heap_free(copy);
}

/* Reads beyond the end are found where the bytes are exactly as large as they say. */
static void run_bytes(const struct file *f)
{
    uint8_t *copy = malloc(f->size);
    if (f->size)
        memcpy(copy, f->data, f->size);
    LLVMFuzzerTestOneInput(copy, f->size);
    free(copy);
}

/* What is asked of each file. */
static struct {
    bool written;
    unsigned n_mutants;
} asked;

static void run_file(const char *path, unsigned number)
{
    struct diag *d = diag_new();
    struct file f;
    printf("# %s\n", path);
    fflush(stdout);
    fuzz_require(file_open(path, d->arena, d, &f), "the corpus can be read", d);
    fuzz_is_written = asked.written;
    run_bytes(&f);
    fuzz_is_written = false;
    run_mutants(&f, asked.n_mutants);
    file_close(&f);
    diag_free(d);
    const char *slash = strrchr(path, '/');
    printf("ok %u - %s\n", number, slash ? slash + 1 : path);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static unsigned run_path(const char *path, unsigned n_before)
{
    struct dirent **entries;
    int n = scandir(path, &entries, visible, alphasort);
    if (n < 0) {
        run_file(path, n_before + 1);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        struct text file = {0};
        text_add(&file, "%s/%s", path, entries[i]->d_name);
        run_file(file.at, n_before + (unsigned)i + 1);
        text_free(&file);
        free(entries[i]);
    }
    free(entries);
    return (unsigned)n;
}

/* As libFuzzer's -rss_limit_mb; AddressSanitizer needs more than it gives to the program. */
static void limit_memory(void)
{
#ifndef BASE_ASAN
    const struct rlimit two_gib = {(rlim_t)2 << 30, (rlim_t)2 << 30};
    fuzz_require(setrlimit(RLIMIT_DATA, &two_gib) == 0, "memory can be limited", NULL);
#endif
}

int main(int argc, char **argv)
{
    unsigned n = 0;
    int at = 1;
    limit_memory();
    if (at < argc && strcmp(argv[at], "--written") == 0) {
        asked.written = true;
        at++;
    }
    if (at + 1 < argc && strcmp(argv[at], "--mutants") == 0) {
        asked.n_mutants = (unsigned)strtoul(argv[at + 1], NULL, 10);
        at += 2;
    }
    for (; at < argc; at++)
        n += run_path(argv[at], n);
    printf("1..%u\n", n);
    return n == 0;
}
