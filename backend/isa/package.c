/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * package.c - what a machine and its testbench have to know of the format, as SystemVerilog, C and
 * JSON: codes, words of memories, indices of numbers.
 *
 * In: isa.def, lanes.def, element.def, tables.def, memories.def, arch.def. Out: text, which says
 * the same in each language.
 */
#include "stream.h"
#include "words.h"

#include <ctype.h>
#include <string.h>

struct code {
    const char *name;
    uint64_t value;
};

/* Numbers of the format that are no codes and no widths. */
static const struct code constants[] = {
    {"isa_version", ISA_VERSION},
    {"max_waits", ISA_MAX_WAITS},
    {"max_queues", ISA_N_QUEUES},
    {"first_inbound", ISA_FIRST_INBOUND},
    {"pace_counter", ISA_PACE_COUNTER},
    {"max_lane_ops", ISA_MAX_LANE_OPS},
    {"lut_entries", ISA_TABLE_ENTRIES},
    {"operand_a", LANE_A},
    {"operand_b", LANE_B},
    {"operand_immediate", LANE_IMM},
    {"operand_constant", LANE_CONST0},
    {"window_max", WINDOW_MAX},
    {"window_average", WINDOW_AVERAGE},
    {"window_sum", WINDOW_SUM},
    {"window_overlap", WINDOW_OVERLAP},
    {"axis_h", VRED_H},
    {"axis_w", VRED_W},
    {"axis_c", VRED_C},
    {"reduce_sum", VRED_SUM},
    {"vdot_kn", VDOT_KN},
    {"dma_first", DMA_FIRST},
    {"dma_last", DMA_LAST},
    {"symbol_set", SYMBOL_SET},
    {"symbol_run", SYMBOL_RUN},
    {"symbol_long_run", SYMBOL_LONG_RUN},
    {"symbol_page", SYMBOL_PAGE},
    {"symbol_far", SYMBOL_FAR},
    {"symbol_halt", SYMBOL_HALT},
    {"first_far", STREAM_FIRST_FAR},
    {"short_run", STREAM_SHORT_RUN},
    {"frame_flag", STREAM_FRAME},
    {"max_depth", STREAM_MAX_DEPTH},
    {"mode_none", MODE_NONE},
    {"mode_value", MODE_VALUE},
    {"mode_byte", MODE_BYTE},
    {"mode_three_bytes", MODE_THREE_BYTES},
};
enum { N_CONSTANTS = sizeof constants / sizeof *constants };

/* Codes that have names: what `code` says of each, NULL where there is none. */
struct codes {
    const char *prefix, *type;
    unsigned bits, end;
    const char *(*name)(unsigned code);
};
static const char *element_of(unsigned code)
{
    return element_name((enum element)code);
}
_Static_assert(ISA_N_OPS <= 1 << 5 && N_LANE_OPS <= 1 << 6 && N_ELEMENTS <= 1 << 3,
               "codes fit their bits");
static const struct codes all_codes[] = {{"op", "op_e", 5, ISA_N_OPS, isa_op_name},
                                         {"lane", "lane_e", 6, N_LANE_OPS, isa_lane_name},
                                         {"element", "element_e", 3, N_ELEMENTS, element_of}};
enum { N_CODES = sizeof all_codes / sizeof *all_codes };

/* What the indices of a list begin with. */
static const char *const list_prefixes[ISA_N_LISTS] = {"size", "program", "machine"};

static struct isa_numbers list_of(unsigned list, struct arena *a)
{
    return isa_numbers_of((enum isa_number_list)list, NULL, 0, a);
}

static void add_upper(struct text *out, const char *name)
{
    for (; *name; name++)
        text_add(out, "%c", toupper((unsigned char)*name));
}

static void add_constant(struct text *out, const char *before, const char *prefix, const char *name,
                         const char *after)
{
    text_add(out, "%s", before);
    add_upper(out, prefix);
    add_upper(out, name);
    text_add(out, "%s", after);
}

static unsigned bits_of_fields(enum word_id id)
{
    struct word_field f;
    unsigned bits = 0;
    for (unsigned i = 0; word_field_at(id, i, &f); i++)
        bits += f.bits;
    return bits;
}

/* ---- SystemVerilog ---- */

/* A field by its name, where that is no keyword. */
static void sv_member(struct text *out, const struct word_field *f)
{
    bool is_keyword = strcmp(f->name, "output") == 0;
    text_add(out, "    logic%s [%u:0] %s%s;", f->is_signed ? " signed" : "", f->bits - 1,
             is_keyword ? "is_" : "", f->name);
    text_add(out, *f->doc ? " // %s\n" : "\n", f->doc);
}

/* The first member of a packed structure is the most significant. */
static void sv_word(struct text *out, enum word_id id)
{
    unsigned rest = word_bits(id) - bits_of_fields(id);
    text_add(out, "\n  typedef struct packed {\n");
    if (rest)
        text_add(out, "    logic [%u:0] unused;\n", rest - 1);
    for (unsigned i = word_n_fields(id); i-- > 0;) {
        struct word_field f;
        if (word_field_at(id, i, &f))
            sv_member(out, &f);
    }
    text_add(out, "  } %s_t;\n", word_name(id));
    add_constant(out, "  localparam int ", word_name(id), "_bits", "");
    text_add(out, " = %u;\n", word_bits(id));
}

static void sv_codes(struct text *out, const struct codes *c)
{
    const char *separator = "";
    text_add(out, "\n  typedef enum logic [%u:0] {", c->bits - 1);
    for (unsigned code = 0; code < c->end; code++) {
        const char *name = c->name(code);
        if (!name)
            continue;
        text_add(out, "%s\n    ", separator);
        add_constant(out, "", c->prefix, "_", "");
        add_upper(out, name);
        text_add(out, " = %u'd%u", c->bits, code);
        separator = ",";
    }
    text_add(out, "\n  } %s;\n", c->type);
}

static void sv_widths(struct text *out)
{
    static const enum word_id ids[] = {WORD_wait, WORD_instruction};
    text_add(out, "\n  // widths of the fields of an instruction\n");
    for (unsigned k = 0; k < 2; k++) {
        struct word_field f;
        for (unsigned i = 0; word_field_at(ids[k], i, &f); i++) {
            add_constant(out, "  localparam int W_", "", f.name, "");
            text_add(out, " = %u;\n", f.bits);
        }
    }
}

static void sv_list(struct text *out, unsigned list, struct arena *a)
{
    struct isa_numbers n = list_of(list, a);
    text_add(out, "\n");
    for (size_t i = 0; i < n.n; i++) {
        add_constant(out, "  localparam int ", list_prefixes[list], "_", "");
        add_upper(out, n.at[i].name);
        text_add(out, " = %zu;\n", i);
    }
    add_constant(out, "  localparam int N_", list_prefixes[list], "_numbers", "");
    text_add(out, " = %zu;\n", n.n);
}

static void print_sv(struct text *out, struct arena *a)
{
    text_add(out, "// Made by: cimc list isa --format sv. Words of the memories of cimc dump "
                  "(DUMP.md):\n// the last member of a structure is the least significant.\n"
                  "package cimc_pkg;\n");
    for (unsigned i = 0; i < N_CONSTANTS; i++) {
        add_constant(out, "  localparam int ", "", constants[i].name, "");
        text_add(out, " = %llu;\n", (unsigned long long)constants[i].value);
    }
    for (unsigned i = 0; i < N_CODES; i++)
        sv_codes(out, &all_codes[i]);
    sv_widths(out);
    for (unsigned id = 0; id < N_WORDS; id++)
        sv_word(out, (enum word_id)id);
    text_add(out, "\n  // indices into sizes.hex, program.hex, machine.hex\n");
    for (unsigned i = 0; i < ISA_N_LISTS; i++)
        sv_list(out, i, a);
    text_add(out, "endpackage\n");
}

/* ---- C ---- */

static const char c_head[] =
    "/* Made by: cimc list isa --format c. Words of the memories of cimc dump (DUMP.md). */\n"
    "#ifndef CIMC_ISA_WORDS_H\n#define CIMC_ISA_WORDS_H\n\n#include <stdint.h>\n\n"
    "/* Bits from `lsb` on, at most 64, of a word as it lies in a .bin file. */\n"
    "static inline uint64_t cimc_field(const uint8_t *word, unsigned lsb, unsigned bits)\n{\n"
    "    uint64_t value = 0;\n"
    "    for (unsigned i = 0; i < bits; i++)\n"
    "        value |= (uint64_t)(word[(lsb + i) / 8] >> (lsb + i) % 8 & 1) << i;\n"
    "    return value;\n}\n\n"
    "static inline int64_t cimc_signed_field(const uint8_t *word, unsigned lsb, unsigned bits)\n{\n"
    "    uint64_t value = cimc_field(word, lsb, bits), sign = (uint64_t)1 << (bits - 1);\n"
    "    return (int64_t)((value ^ sign) - sign);\n}\n\n"
    "/* CIMC_GET(word, VIEW, ADDRESS), CIMC_GET_SIGNED(word, VIEW, ROW_PITCH) */\n"
    "#define CIMC_GET(word, record, field) \\\n"
    "    cimc_field(word, CIMC_##record##_##field##_LSB, CIMC_##record##_##field##_BITS)\n"
    "#define CIMC_GET_SIGNED(word, record, field) \\\n"
    "    cimc_signed_field(word, CIMC_##record##_##field##_LSB, CIMC_##record##_##field##_BITS)\n";

/* An enumerator is an int: larger values than that there are none. */
static void c_enumerator(struct text *out, const char *prefix, const char *name, uint64_t value)
{
    text_add(out, "    CIMC_");
    add_upper(out, prefix);
    add_upper(out, name);
    text_add(out, " = %llu,\n", (unsigned long long)value);
}

static void c_codes(struct text *out, const struct codes *c)
{
    text_add(out, "\nenum cimc_%s {\n", c->prefix);
    for (unsigned code = 0; code < c->end; code++)
        if (c->name(code)) {
            char prefix[16];
            snprintf(prefix, sizeof prefix, "%s_", c->prefix);
            c_enumerator(out, prefix, c->name(code), code);
        }
    text_add(out, "};\n");
}

static void c_word(struct text *out, enum word_id id)
{
    struct word_field f;
    unsigned lsb = 0;
    add_constant(out, "\n#define CIMC_", word_name(id), "_bits", "");
    text_add(out, " %u\n", word_bits(id));
    for (unsigned i = 0; word_field_at(id, i, &f); i++, lsb += f.bits) {
        if (*f.doc)
            text_add(out, "/* %s */\n", f.doc);
        add_constant(out, "#define CIMC_", word_name(id), "_", "");
        add_constant(out, "", f.name, "_lsb", "");
        text_add(out, " %u\n", lsb);
        add_constant(out, "#define CIMC_", word_name(id), "_", "");
        add_constant(out, "", f.name, "_bits", "");
        text_add(out, " %u\n", f.bits);
    }
}

static void c_list(struct text *out, unsigned list, struct arena *a)
{
    struct isa_numbers n = list_of(list, a);
    char prefix[16];
    snprintf(prefix, sizeof prefix, "%s_", list_prefixes[list]);
    text_add(out, "\nenum cimc_%s_number {\n", list_prefixes[list]);
    for (size_t i = 0; i < n.n; i++)
        c_enumerator(out, prefix, n.at[i].name, i);
    add_constant(out, "    CIMC_N_", list_prefixes[list], "_numbers\n};\n", "");
}

static void print_c(struct text *out, struct arena *a)
{
    text_add(out, "%s\nenum {\n", c_head);
    for (unsigned i = 0; i < N_CONSTANTS; i++)
        c_enumerator(out, "", constants[i].name, constants[i].value);
    text_add(out, "};\n");
    for (unsigned i = 0; i < N_CODES; i++)
        c_codes(out, &all_codes[i]);
    for (unsigned id = 0; id < N_WORDS; id++)
        c_word(out, (enum word_id)id);
    text_add(out, "\n/* indices into sizes.hex, program.hex, machine.hex */\n");
    for (unsigned i = 0; i < ISA_N_LISTS; i++)
        c_list(out, i, a);
    text_add(out, "\n#endif\n");
}

/* ---- JSON ---- */

static void json_codes(struct text *out, const struct codes *c)
{
    const char *separator = "";
    text_add(out, ",\n\"%ss\": [", c->prefix);
    for (unsigned code = 0; code < c->end; code++)
        if (c->name(code)) {
            text_add(out, "%s\n{\"name\": \"%s\", \"code\": %u}", separator, c->name(code), code);
            separator = ",";
        }
    text_add(out, "]");
}

static void json_word(struct text *out, enum word_id id)
{
    struct word_field f;
    unsigned lsb = 0;
    text_add(out, "%s\n{\"name\": \"%s\", \"bits\": %u, \"fields\": [", id ? "," : "",
             word_name(id), word_bits(id));
    for (unsigned i = 0; word_field_at(id, i, &f); i++, lsb += f.bits)
        text_add(out, "%s\n  {\"name\": \"%s\", \"lsb\": %u, \"bits\": %u, \"signed\": %s}",
                 i ? "," : "", f.name, lsb, f.bits, f.is_signed ? "true" : "false");
    text_add(out, "]}");
}

static void json_list(struct text *out, unsigned list, struct arena *a)
{
    struct isa_numbers n = list_of(list, a);
    text_add(out, ",\n\"%s_numbers\": [", list_prefixes[list]);
    for (size_t i = 0; i < n.n; i++)
        text_add(out, "%s\"%s\"", i ? ", " : "", n.at[i].name);
    text_add(out, "]");
}

static void print_json(struct text *out, struct arena *a)
{
    text_add(out, "{\"constants\": [");
    for (unsigned i = 0; i < N_CONSTANTS; i++)
        text_add(out, "%s\n{\"name\": \"%s\", \"value\": %llu}", i ? "," : "", constants[i].name,
                 (unsigned long long)constants[i].value);
    text_add(out, "]");
    for (unsigned i = 0; i < N_CODES; i++)
        json_codes(out, &all_codes[i]);
    text_add(out, ",\n\"words\": [");
    for (unsigned id = 0; id < N_WORDS; id++)
        json_word(out, (enum word_id)id);
    text_add(out, "]");
    for (unsigned i = 0; i < ISA_N_LISTS; i++)
        json_list(out, i, a);
    text_add(out, "}\n");
}

void isa_print_package(enum isa_language language, struct text *out)
{
    static void (*const print[])(struct text *, struct arena *) = {print_sv, print_c, print_json};
    struct arena *a = arena_new();
    print[language](out, a);
    arena_free(a);
}
