/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * unpack.c - what protobuf-c alone takes to unpack a model: the measure for compiling it.
 *
 * usage: unpack MODEL: prints seconds by the clock and of CPU time, of protoc-c's own unpacking of
 * a file that is in memory. One model a process: the allocator's state is then the same for each.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "onnx.pb-c.h"

static double clock_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint8_t *read_file(const char *path, size_t *out_bytes)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0)
        return NULL;
    size_t n = (size_t)st.st_size;
    uint8_t *data = malloc(n + 1);
    *out_bytes = data ? fread(data, 1, n, f) : 0;
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    size_t n = 0;
    uint8_t *data = argc == 2 ? read_file(argv[1], &n) : NULL;
    if (!data) {
        fprintf(stderr, "usage: unpack MODEL (a file that can be read)\n");
        return 2;
    }
    double start = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    bool ok = onnx__model_proto__unpack(NULL, n, data) != NULL;
    cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double seconds = clock_seconds(CLOCK_MONOTONIC) - start;
    if (!ok) {
        fprintf(stderr, "%s is no ONNX file\n", argv[1]);
        return 1;
    }
    printf("%.6f %.6f\n", seconds, cpu);
    return 0;
}
