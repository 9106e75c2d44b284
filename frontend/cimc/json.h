/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* json.h - JSON text through YAJL, with fewer words. */
#ifndef CIMC_JSON_H
#define CIMC_JSON_H

#include "base.h"

struct json *json_new(void);
/* Compact, for one line. */
struct json *json_new_line(void);
/* Compact, written to `out` as it is made. */
struct json *json_new_stream(FILE *out);
/* `key` NULL: an array element or the outermost value. */
void json_open_map(struct json *j, const char *key);
void json_close_map(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);
void json_text(struct json *j, const char *key, const char *value); /* NULL = null */
void json_integer(struct json *j, const char *key, int64_t value);
void json_real(struct json *j, const char *key, double value);       /* not finite = null */
void json_number(struct json *j, const char *key, const char *text); /* as it is */
/* To the microsecond. */
void json_seconds(struct json *j, const char *key, double seconds);
/* Keys NAME_cycles, and NAME_seconds as an exact decimal; of no name cycles and seconds. */
void json_cycles(struct json *j, const char *name, uint64_t cycles, int64_t cycle_ps);
/* The second of them, under any key. */
void json_cycles_seconds(struct json *j, const char *key, uint64_t cycles, int64_t cycle_ps);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
/* Prints and frees. */
void json_finish(struct json *j, FILE *out);
/* Adds it to `out` and frees. */
void json_finish_text(struct json *j, struct text *out);

/* What is seen of a JSON text, in its order. */
struct json_events {
    void (*open)(void *self); /* an object or array, and where it ends */
    void (*close)(void *self);
    void (*key)(void *self, const char *key, size_t n);
    void (*integer)(void *self, int64_t value);
};
/* False: it is no JSON. */
bool json_read(const void *text, size_t n, const struct json_events *events,
               void *self) CHECK_RESULT;

#endif
