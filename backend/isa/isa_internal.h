/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_internal.h - shared by the sources of this room only: the field tables behind encoder,
 * assembler and container, and the room's own view of a program.
 */
#ifndef CIMC_ISA_INTERNAL_H
#define CIMC_ISA_INTERNAL_H

#include "isa.h"
#include "isa_axis.h"
#include "isa_mapping.h"
#include "isa_stream.h"
#include "program.pb-c.h"

/* ---- instructions (isa.def) ---- */

/* Where a field of isa.def lies in struct isa_inst. */
#define MEMBER_dst dst
#define MEMBER_a a
#define MEMBER_b b
#define MEMBER_h h
#define MEMBER_w w
#define MEMBER_y y
#define MEMBER_x x
#define MEMBER_c c

/* Which fields an operation has. */
enum {
    USE_dst = 1,
    USE_a = 2,
    USE_b = 4,
    USE_h = 8,
    USE_w = 16,
    USE_y = 32,
    USE_x = 64,
    USE_c = 128,
};

enum isa_field_kind { FIELD_REGION, FIELD_ROWS, FIELD_COLUMNS, FIELD_COORD, FIELD_CHANNEL };
struct isa_field {
    const char *name;
    enum isa_field_kind kind;
    size_t offset; /* into struct isa_inst */
};
struct isa_op_desc {
    const char *name, *doc;
    unsigned code, n_fields;
    const struct isa_field *fields;
    char obj;      /* letter of what obj names: g, p, w, t, r, b; 0 = no obj */
    unsigned uses; /* of USE_dst.. */
};
/* b as it is where nothing names one: view 0 at dst's place. */
static inline bool isa_is_plain_b(const struct isa_inst *i)
{
    return i->b.view == 0 && i->b.y == i->dst.y && i->b.x == i->dst.x;
}
void isa_print_features(struct text *out); /* features.c: a Markdown table */
/* NULL if there is no such operation. */
const struct isa_op_desc *isa_op_desc(unsigned op);
enum { ISA_N_OPS = 32 }; /* codes */
/* The name of an operation of version 2 that nobody executes yet (ISA.md 9); NULL for others. */
const char *isa_op_reserved(unsigned op);
enum { ISA_COUNTER_BITS = 10 };

/* ---- records of the header (tables.def) ---- */

enum record_kind {
    RECORD_u8,
    RECORD_bool,
    RECORD_u32,
    RECORD_i32,
    RECORD_u64,
    RECORD_x64,
    RECORD_i64,
    RECORD_pattern, /* 32 bits of an f32 or i32 */
    RECORD_element, /* by name */
    RECORD_str
};
struct record_field {
    const char *name;
    enum record_kind kind;
    unsigned bits; /* of the value, or of an entry of the list; 0: text */
    bool list;
    unsigned each;                   /* numbers of an entry of the list */
    size_t offset, count_offset;     /* into struct isa_<rec>; count of a list */
    size_t pb_offset, pb_has_offset; /* into the message; n_ of a list; unused for strings */
};
enum record_id {
#define RECORD(rec, msg) REC_##rec,
#define ROW(rec, msg, kind, bits, name, member)
#define LIST(rec, msg, kind, bits, name, member, count, each)
#define END_RECORD(rec)
#include "tables.def"
#undef RECORD
#undef ROW
#undef LIST
#undef END_RECORD
    N_RECORDS
};
struct record {
    const char *name;
    const ProtobufCMessageDescriptor *message;
    size_t bytes; /* of struct isa_<rec> */
    unsigned n_fields;
    const struct record_field *fields;
};
extern const struct record isa_records[N_RECORDS];

/* The k-th field of a record that is specified but not yet possible; NULL behind the last one. */
const char *record_later(const struct record *r, unsigned k);
size_t record_value_bytes(enum record_kind kind);
/* A value that is no text, sign-extended. */
uint64_t record_number(enum record_kind kind, const void *at);
/* Fills an initialised message; strings and lists stay where they are. */
void record_to_message(enum record_id id, const void *rec, void *message);
/* Copies strings and lists into `a`. */
void record_from_message(enum record_id id, const void *message, void *rec, struct arena *a);
/* Of a list: its numbers. */
static inline size_t record_list_numbers(const struct record_field *f, const void *rec)
{
    return (size_t) * (const uint32_t *)((const char *)rec + f->count_offset) * f->each;
}
/* One value as assembly writes it. */
void record_print_value(const struct record_field *f, const void *rec, struct text *out);
/* "{name=value, ...}" without what is 0. */
void record_print(enum record_id id, const void *rec, struct text *out);
/* {"name": value, ...} with all fields, as JSON; a pattern is the string of its bits, 8 hexadecimal
 * digits. `more` members follow: the brace stays open. */
void record_print_json(enum record_id id, const void *rec, bool more, struct text *out);
/* True if the field prints as 0, "" or []. */
bool record_field_is_zero(const struct record_field *f, const void *rec);
/* text_add_f32, but every NaN keeps its bits. */
void isa_print_f32(struct text *out, float x);
/* 32 bits that may be either: an integer where it looks like one, else a float. */
void isa_print_pattern(struct text *out, uint32_t bits);

/* ---- programs ---- */

/* The container: prefix, header, sections. */
enum { ISA_CONTAINER_VERSION = 2, ISA_PREFIX_BYTES = 24, ISA_SECTION_ALIGNMENT = 64 };
enum { ISA_MAX_HEADER_BYTES = 1 << 30 };
static inline uint64_t isa_section_aligned(uint64_t at)
{
    return (at + ISA_SECTION_ALIGNMENT - 1) / ISA_SECTION_ALIGNMENT * ISA_SECTION_ALIGNMENT;
}

/* Is this a header to unpack? False with a diagnostic. */
bool isa_header_guard(const uint8_t *header, size_t n, const struct file *f,
                      struct diag *d) CHECK_RESULT;
/* Maps a file that sections of the program lie in, once for each path; NULL with a diagnostic.
 * It lives as long as the program. */
const struct file *isa_program_map(struct isa_program *p, const char *path, struct loc at,
                                   struct diag *d) CHECK_RESULT;
/* The mapped file that holds these bytes, or NULL. */
const struct file *isa_program_file_of(const struct isa_program *p, const void *bytes);

/* ---- validation ---- */

enum { ISA_MAX_FAULTS = 20 }; /* reported for each tile, and for the rest of a program */
/* Limits beyond the widths of fields. */
enum { ISA_MAX_TABLE = 1024, ISA_LAST_CONSTANT = 254, ISA_MAX_SHIFT = 62, ISA_MAX_READ_SHIFT = 31 };
#define ISA_MAX_BYTES ((int64_t)1 << 40) /* of pitches and of all buffers together */

/* Where faults of one tile (or of the program: tile < 0) go. */
struct fault_sink {
    struct diag *d;
    const char *path;
    int64_t tile;
    unsigned n;
};
/* Always false. `what` and `index` name the entry: ("view", 3); NULL = the tile itself. */
bool isa_fault(struct fault_sink *s, const char *what, uint32_t index, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Likewise of what this machine lacks, and another may have. */
bool isa_misfit(struct fault_sink *s, const char *what, uint32_t index, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Has a field of so many bits room for the number, sign-extended where it has a sign? */
static inline bool isa_number_fits(uint64_t value, unsigned bits, bool is_signed)
{
    if (is_signed)
        value += (uint64_t)1 << (bits - 1);
    return bits == 64 || value >> bits == 0;
}
/* False with faults if a valid program needs features that its machine does not have. */
bool isa_check_features(const struct isa_program *p, struct fault_sink *s);

/* Is this an element that a program may have in that place, and that today's machine works on? A
 * fault if not. */
bool isa_check_element(struct fault_sink *s, const char *what, uint32_t index, enum element e,
                       enum element_place place) CHECK_RESULT;

/* Does the section exist, and the bytes in it? */
bool isa_section_holds(const struct isa_program *p, uint32_t section, uint64_t offset,
                       uint64_t bytes);
/* What is wrong with the elements of the instruction's operands, or NULL. Its tables must be
 * valid, its operands exist. */
const char *isa_type_fault(const struct isa_program *p, const struct isa_tile *t,
                           const struct isa_inst *i);
/* Is the pattern a value of that element? */
bool isa_is_value(uint32_t pattern, enum element e);

/* What instructions ask of a group again and again. */
struct group_facts {
    struct isa_mapping mapping;
    uint32_t n_columns; /* output channels from channel0 on: covered, with a patch there are */
    uint32_t n_spans;
    struct isa_span *spans; /* rows of the image that its PEs hold: ascending, apart */
};
/* How a tile's stream uses one of its routes. */
struct route_use {
    bool used;
    uint8_t queue;
    uint32_t channels;    /* of the views it is sent from; 0 = signalled */
    enum element element; /* of these views */
    uint64_t messages;
    bool shares; /* a target holds elements that share a place */
};
/* Widths of a record's fields, and of all tables of a tile. */
bool isa_record_fits(struct fault_sink *s, const char *what, uint32_t index, enum record_id id,
                     const void *rec);
bool isa_validate_widths(const struct isa_tile *t, struct fault_sink *s);
static inline bool isa_within(int64_t v, int64_t least, int64_t most)
{
    return v >= least && v <= most;
}
bool isa_geometry_fits(const uint32_t *kernel, const uint32_t *stride, const uint32_t *dilation,
                       int32_t pad_top, int32_t pad_left);
/* taken[crossbars]: those that a group has, which this one adds its own to. */
bool isa_validate_group(const struct isa_program *p, const struct isa_tile *t, uint32_t index,
                        bool *taken, struct arena *scratch, struct group_facts *facts,
                        struct fault_sink *s) CHECK_RESULT;
/* facts[n_groups]; what they point to lives in `scratch`. */
bool isa_validate_tables(const struct isa_program *p, uint32_t tile, struct group_facts *facts,
                         struct arena *scratch, struct fault_sink *s) CHECK_RESULT;
/* The tile's tables must be valid. uses[n_routes], zero at first. */
bool isa_validate_stream(const struct isa_program *p, uint32_t tile,
                         const struct group_facts *facts, struct route_use *uses,
                         struct fault_sink *s) CHECK_RESULT;

/* ---- assembly ---- */

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_MARK, TOKEN_BAD };
struct token {
    enum token_kind kind;
    const char *at; /* in the source; a string without its quotes */
    size_t n;
    uint32_t line, col;
};
/* Source text and the token in hand; where errors go. */
struct lexer {
    const char *text, *file;
    size_t n, at, line_start;
    uint32_t line;
    struct token token;
    struct arena *arena; /* for strings */
    struct diag *d;
    unsigned n_errors;
};
enum { ISA_MAX_SYNTAX_ERRORS = 20 };
void lex_start(struct lexer *l, const char *text, size_t n, const char *file, struct arena *a,
               struct diag *d);
void lex_next(struct lexer *l);
/* Error at the token in hand, or at an earlier one; always false. */
bool asm_lex_error(struct lexer *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool lex_error_at(struct lexer *l, const struct token *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool lex_is_mark(const struct lexer *l, char mark); /* ">=" counts as '>' */
bool lex_is_name(const struct lexer *l, const char *name);
/* The lex_take_* take what they name and step on, or report an error. */
bool lex_take_mark(struct lexer *l, char mark) CHECK_RESULT;
bool lex_take_u64(struct lexer *l, uint64_t most, uint64_t *out) CHECK_RESULT;
bool lex_take_i64(struct lexer *l, int64_t least, int64_t most, int64_t *out) CHECK_RESULT;
bool lex_take_f32(struct lexer *l, float *out) CHECK_RESULT;
/* The bits of a float; an integer is an i32, or its bits as an u32. */
bool lex_take_pattern(struct lexer *l, uint32_t *out) CHECK_RESULT;
/* Neighbouring strings are joined. */
bool lex_take_string(struct lexer *l, const char **out) CHECK_RESULT;
/* A name that is one letter and a number: "g12". */
bool lex_take_numbered(struct lexer *l, char letter, uint64_t most, uint64_t *out) CHECK_RESULT;
bool lex_is_numbered(const struct lexer *l, char letter);
/* Bytes in hex up to '}', which must be what follows "{"; the token in hand is "{". */
bool lex_take_hex(struct lexer *l, const uint8_t **out, uint64_t *n) CHECK_RESULT;
/* {name=value, ...} */
bool lex_take_record(struct lexer *l, enum record_id id, void *rec) CHECK_RESULT;
/* Is the name at hand such a field? Reported, then. */
bool lex_is_later(struct lexer *l, const struct record *r);
bool lex_take_value(struct lexer *l, const struct record_field *f, void *rec) CHECK_RESULT;

struct asm_inst {
    struct isa_inst inst;
    uint32_t source;
};
bool asm_take_inst(struct lexer *l, struct asm_inst *out) CHECK_RESULT;
bool asm_take_lane(struct lexer *l, struct isa_lane *out) CHECK_RESULT;

#endif
