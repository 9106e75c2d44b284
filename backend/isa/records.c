/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * records.c - the records of tables.def as data: copied to and from protobuf messages, printed as
 * assembly. One table serves all, so a field cannot be forgotten in one of them.
 */
#include "isa_internal.h"

#include <math.h>
#include <string.h>

#define HAS_u8(type, name) offsetof(type, has_##name)
#define HAS_bool(type, name) offsetof(type, has_##name)
#define HAS_u32(type, name) offsetof(type, has_##name)
#define HAS_i32(type, name) offsetof(type, has_##name)
#define HAS_u64(type, name) offsetof(type, has_##name)
#define HAS_x64(type, name) offsetof(type, has_##name)
#define HAS_i64(type, name) offsetof(type, has_##name)
#define HAS_pattern(type, name) offsetof(type, has_##name)
#define HAS_element(type, name) offsetof(type, has_##name)
#define HAS_str(type, name) 0 /* a string is there if it is not NULL */

#define RECORD(rec, msg) static const struct record_field rec##_fields[] = {
#define ROW(rec, msg, kind, bits, name, member)                                                    \
    {#name,                                                                                        \
     RECORD_##kind,                                                                                \
     bits,                                                                                         \
     false,                                                                                        \
     1,                                                                                            \
     offsetof(struct isa_##rec, member),                                                           \
     0,                                                                                            \
     offsetof(Cimc__##msg, name),                                                                  \
     HAS_##kind(Cimc__##msg, name)},
#define LIST(rec, msg, kind, bits, name, member, count, each)                                      \
    {#name,                                                                                        \
     RECORD_##kind,                                                                                \
     bits,                                                                                         \
     true,                                                                                         \
     each,                                                                                         \
     offsetof(struct isa_##rec, member),                                                           \
     offsetof(struct isa_##rec, count),                                                            \
     offsetof(Cimc__##msg, name),                                                                  \
     offsetof(Cimc__##msg, n_##name)},
#define END_RECORD(rec)                                                                            \
    }                                                                                              \
    ;
#include "tables.def"
#undef RECORD
#undef ROW
#undef LIST
#undef END_RECORD

/* The descriptors' C names are the messages' in lower case with underscores. */
#define DESCRIPTOR_view cimc__view__descriptor
#define DESCRIPTOR_pe cimc__pe__descriptor
#define DESCRIPTOR_group cimc__group__descriptor
#define DESCRIPTOR_window cimc__window__descriptor
#define DESCRIPTOR_lane cimc__lane_op__descriptor
#define DESCRIPTOR_program_entry cimc__vector_program__descriptor
#define DESCRIPTOR_target cimc__target__descriptor
#define DESCRIPTOR_gather cimc__gather__descriptor
#define DESCRIPTOR_table cimc__table__descriptor
#define DESCRIPTOR_preload cimc__preload__descriptor
#define DESCRIPTOR_tile cimc__tile__descriptor
#define DESCRIPTOR_binding cimc__binding__descriptor
#define DESCRIPTOR_image cimc__image__descriptor
#define DESCRIPTOR_node cimc__node__descriptor
#define DESCRIPTOR_program cimc__program__descriptor

const struct record isa_records[N_RECORDS] = {
#define RECORD(rec, msg)                                                                           \
    {#rec, &DESCRIPTOR_##rec, sizeof(struct isa_##rec),                                            \
     sizeof rec##_fields / sizeof rec##_fields[0], rec##_fields},
#define ROW(rec, msg, kind, bits, name, member)
#define LIST(rec, msg, kind, bits, name, member, count, each)
#define END_RECORD(rec)
#include "tables.def"
#undef RECORD
#undef ROW
#undef LIST
#undef END_RECORD
};

const char *record_later(const struct record *r, unsigned k)
{
    static const struct {
        const char *record, *name;
    } later[] = {
#define RECORD(rec, msg)
#define ROW(rec, msg, kind, bits, name, member)
#define LIST(rec, msg, kind, bits, name, member, count, each)
#define END_RECORD(rec)
#define LATER(rec, name) {#rec, #name},
#include "tables.def"
#undef RECORD
#undef ROW
#undef LIST
#undef END_RECORD
    };
    for (unsigned i = 0; i < sizeof later / sizeof later[0]; i++)
        if (strcmp(later[i].record, r->name) == 0 && k-- == 0)
            return later[i].name;
    return NULL;
}

size_t record_value_bytes(enum record_kind kind)
{
    static const size_t bytes[] = {[RECORD_u8] = 1,
                                   [RECORD_bool] = sizeof(bool),
                                   [RECORD_u32] = 4,
                                   [RECORD_i32] = 4,
                                   [RECORD_u64] = 8,
                                   [RECORD_x64] = 8,
                                   [RECORD_i64] = 8,
                                   [RECORD_pattern] = 4,
                                   [RECORD_element] = sizeof(enum element),
                                   [RECORD_str] = sizeof(char *)};
    return bytes[kind];
}

uint64_t record_number(enum record_kind kind, const void *at)
{
    switch (kind) {
    case RECORD_i32: return (uint64_t)(int64_t) * (const int32_t *)at;
    case RECORD_u8: return *(const uint8_t *)at;
    case RECORD_bool: return *(const bool *)at;
    case RECORD_element: return *(const enum element *)at;
    case RECORD_u32:
    case RECORD_pattern: return *(const uint32_t *)at;
    case RECORD_u64:
    case RECORD_x64:
    case RECORD_i64: return *(const uint64_t *)at;
    case RECORD_str: break;
    }
    BUG("a text is no number");
}

bool record_field_is_zero(const struct record_field *f, const void *rec)
{
    static const uint8_t zeros[sizeof(uint64_t)] = {0};
    const char *at = (const char *)rec + f->offset;
    if (f->list)
        return *(const uint32_t *)((const char *)rec + f->count_offset) == 0;
    if (f->kind == RECORD_str) {
        const char *s = *(const char *const *)at;
        return !s || !*s;
    }
    return memcmp(at, zeros, record_value_bytes(f->kind)) == 0;
}

void record_to_message(enum record_id id, const void *rec, void *message)
{
    const struct record *r = &isa_records[id];
    for (unsigned i = 0; i < r->n_fields; i++) {
        const struct record_field *f = &r->fields[i];
        if (record_field_is_zero(f, rec))
            continue;
        const char *from = (const char *)rec + f->offset;
        char *to = (char *)message + f->pb_offset, *has = (char *)message + f->pb_has_offset;
        if (f->list) {
            memcpy(to, from, sizeof(void *));
            *(size_t *)has = record_list_numbers(f, rec);
            continue;
        }
        if (f->kind == RECORD_u8)
            *(uint32_t *)to = *(const uint8_t *)from;
        else if (f->kind == RECORD_bool)
            *(protobuf_c_boolean *)to = *(const bool *)from;
        else
            memcpy(to, from, record_value_bytes(f->kind));
        if (f->kind != RECORD_str)
            *(protobuf_c_boolean *)has = 1;
    }
}

static void list_from_message(const struct record_field *f, const void *message, void *rec,
                              struct arena *a)
{
    size_t n = *(const size_t *)((const char *)message + f->pb_has_offset);
    const void *const *from = (const void *const *)((const char *)message + f->pb_offset);
    size_t entries = (n + f->each - 1) / f->each; /* what an entry lacks is 0 */
    void *copy = arena_alloc_array(a, entries * f->each, record_value_bytes(f->kind));
    if (n)
        memcpy(copy, *from, n * record_value_bytes(f->kind));
    *(void **)((char *)rec + f->offset) = copy;
    *(uint32_t *)((char *)rec + f->count_offset) = (uint32_t)entries;
}

void record_from_message(enum record_id id, const void *message, void *rec, struct arena *a)
{
    const struct record *r = &isa_records[id];
    for (unsigned i = 0; i < r->n_fields; i++) {
        const struct record_field *f = &r->fields[i];
        const char *from = (const char *)message + f->pb_offset;
        char *to = (char *)rec + f->offset;
        if (f->list) {
            list_from_message(f, message, rec, a);
        } else if (f->kind == RECORD_str) {
            const char *s = *(char *const *)from;
            *(const char **)to = s ? arena_strdup(a, s) : "";
        } else if (f->kind == RECORD_u8) {
            /* A lane's codes have 8 bits here; larger ones stay invalid. */
            uint32_t v = *(const uint32_t *)from;
            *(uint8_t *)to = (uint8_t)(v > UINT8_MAX ? UINT8_MAX : v);
        } else if (f->kind == RECORD_bool) {
            *(bool *)to = *(const protobuf_c_boolean *)from != 0;
        } else {
            memcpy(to, from, record_value_bytes(f->kind));
        }
    }
}

void isa_print_f32(struct text *out, float x)
{
    if (isnan(x) && f32_bits(x) != f32_bits(NAN))
        text_add(out, "nan:0x%08x", f32_bits(x));
    else
        text_add_f32(out, x);
}

/* As an i32 what as a float would be next to 0 or a NaN with much in it: nobody means those. */
void isa_print_pattern(struct text *out, uint32_t bits)
{
    enum { MOST = 1 << 16 };
    int32_t i = (int32_t)bits;
    if (i != 0 && i > -MOST && i < MOST)
        text_add(out, "%d", i);
    else
        isa_print_f32(out, f32_of_bits(bits));
}

/* A number that is no element's, which only a faulty program has, as it is. */
static void print_element(enum element e, struct text *out)
{
    if (element_name(e))
        text_add(out, "%s", element_name(e));
    else
        text_add(out, "%u", (unsigned)e);
}

static void print_scalar(enum record_kind kind, const void *at, struct text *out)
{
    switch (kind) {
    case RECORD_u8: text_add(out, "%u", *(const uint8_t *)at); return;
    case RECORD_bool: text_add(out, "%d", *(const bool *)at); return;
    case RECORD_u32: text_add(out, "%u", *(const uint32_t *)at); return;
    case RECORD_i32: text_add(out, "%d", *(const int32_t *)at); return;
    case RECORD_u64: text_add(out, "%llu", (unsigned long long)*(const uint64_t *)at); return;
    case RECORD_x64: text_add(out, "0x%016llx", (unsigned long long)*(const uint64_t *)at); return;
    case RECORD_i64: text_add(out, "%lld", (long long)*(const int64_t *)at); return;
    case RECORD_pattern: isa_print_pattern(out, *(const uint32_t *)at); return;
    case RECORD_element: print_element(*(const enum element *)at, out); return;
    case RECORD_str: {
        const char *s = *(const char *const *)at;
        text_add_quoted(out, s ? s : "");
        return;
    }
    }
}

void record_print_value(const struct record_field *f, const void *rec, struct text *out)
{
    const char *at = (const char *)rec + f->offset;
    if (!f->list) {
        print_scalar(f->kind, at, out);
        return;
    }
    size_t n = record_list_numbers(f, rec);
    const char *items = *(const char *const *)at;
    text_add(out, "[");
    for (size_t i = 0; i < n; i++) {
        text_add(out, "%s", i ? ", " : "");
        print_scalar(f->kind, items + i * record_value_bytes(f->kind), out);
    }
    text_add(out, "]");
}

void record_print(enum record_id id, const void *rec, struct text *out)
{
    const struct record *r = &isa_records[id];
    const char *separator = "";
    text_add(out, "{");
    for (unsigned i = 0; i < r->n_fields; i++) {
        const struct record_field *f = &r->fields[i];
        if (record_field_is_zero(f, rec))
            continue;
        text_add(out, "%s%s=", separator, f->name);
        record_print_value(f, rec, out);
        separator = ", ";
    }
    text_add(out, "}");
}

static void json_scalar(enum record_kind kind, const void *at, struct text *out)
{
    const char *s;
    switch (kind) {
    case RECORD_element:
        s = element_name(*(const enum element *)at);
        text_add(out, s ? "\"%s\"" : "null", s);
        return;
    case RECORD_pattern: text_add(out, "\"%08x\"", *(const uint32_t *)at); return;
    case RECORD_x64:
        text_add(out, "\"%016llx\"", (unsigned long long)*(const uint64_t *)at);
        return;
    case RECORD_bool: text_add(out, *(const bool *)at ? "true" : "false"); return;
    case RECORD_str:
        s = *(const char *const *)at;
        text_add_json(out, s ? s : "");
        return;
    default: print_scalar(kind, at, out);
    }
}

void record_print_json(enum record_id id, const void *rec, bool more, struct text *out)
{
    const struct record *r = &isa_records[id];
    for (unsigned i = 0; i < r->n_fields; i++) {
        const struct record_field *f = &r->fields[i];
        const char *at = (const char *)rec + f->offset;
        text_add(out, "%s\"%s\": ", i ? ", " : "{", f->name);
        if (!f->list) {
            json_scalar(f->kind, at, out);
            continue;
        }
        size_t n = record_list_numbers(f, rec);
        for (size_t k = 0; k < n; k++) {
            text_add(out, k ? ", " : "[");
            json_scalar(f->kind, *(const char *const *)at + k * record_value_bytes(f->kind), out);
        }
        text_add(out, n ? "]" : "[]");
    }
    text_add(out, more ? ", " : "}");
}
