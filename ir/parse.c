/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * parse.c - text to graph (grammar in IR.md). One operation a line; a fault skips to the next line,
 * so that several are found in one run. A graph that comes out has passed the verifier.
 */
#include "ir_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ERRORS = 20 };

/* %id -> value. A NULL value stands for an operation that was wrong: its users say nothing. */
struct names {
    struct named {
        uint64_t id;
        struct ir_value *value;
        bool used;
    } * at;
    size_t n, slots; /* slots: a power of two */
};

struct parser {
    struct lex lex;
    struct diag *diag;
    unsigned errors_before;
    struct ir_graph *graph;
    struct arena *scratch;
    struct names names;
    uint64_t generated_bytes;
};

/* One line of text. */
struct line {
    struct loc loc;
    bool has_id, has_type, silent; /* silent: an operand was wrong, and that was reported */
    uint64_t id;
    enum ir_opcode opcode;
    struct ir_value *in[255]; /* max_in fits in uint8_t */
    uint32_t n_in;
    union ir_attrs attrs;
    struct blob *blob; /* a reference to drop when the line is done */
    uint64_t seen;     /* attributes, by bit */
    struct ir_type type;
    char *name, *entity;
};

/* ---- names ---- */

static struct named *slot(const struct names *names, uint64_t id)
{
    size_t at = (size_t)hash_bytes(&id, sizeof id, 0) & (names->slots - 1);
    while (names->at[at].used && names->at[at].id != id)
        at = (at + 1) & (names->slots - 1);
    return &names->at[at];
}

static void names_grow(struct names *names)
{
    struct names bigger = {.n = names->n, .slots = names->slots ? names->slots * 2 : 64};
    bigger.at = heap_alloc(bigger.slots * sizeof *bigger.at);
    for (size_t i = 0; i < names->slots; i++) {
        if (names->at[i].used)
            *slot(&bigger, names->at[i].id) = names->at[i];
    }
    heap_free(names->at);
    *names = bigger;
}

static void names_define(struct names *names, uint64_t id, struct ir_value *value)
{
    if (2 * names->n >= names->slots)
        names_grow(names);
    struct named *s = slot(names, id);
    names->n += !s->used;
    *s = (struct named){id, value, true};
}

static const struct named *names_find(const struct names *names, uint64_t id)
{
    const struct named *s = names->slots ? slot(names, id) : NULL;
    return s && s->used ? s : NULL;
}

/* ---- attributes ---- */

/* [a, b, ...], exactly n of them, or any number where n is negative. */
static bool parse_list(struct parser *p, int64_t *fixed, int n, struct ir_ints *any)
{
    struct lex *l = &p->lex;
    VEC(int64_t) list = {0};
    bool ok = lex_want(l, '[');
    if (ok && !lex_take(l, ']')) {
        do {
            int64_t x;
            ok = lex_i64(l, &x);
            VEC_PUSH(&list, ok ? x : 0);
        } while (ok && lex_take(l, ','));
        ok = ok && lex_want(l, ']');
    }
    if (ok && n >= 0 && list.n != (size_t)n)
        ok = lex_error(l, "%zu numbers in the list before, wants %d", list.n, n);
    if (ok && list.n > UINT32_MAX)
        ok = lex_error(l, "the list before is too long");
    if (ok && n < 0) {
        int64_t *copy = ARENA_ARRAY(p->scratch, int64_t, list.n);
        *any = (struct ir_ints){(uint32_t)list.n, copy};
        fixed = copy;
    }
    if (ok && list.n)
        memcpy(fixed, list.at, list.n * sizeof *fixed);
    VEC_FREE(&list);
    return ok;
}

static bool was_seen(const struct line *line, const char *attr)
{
    const struct ir_op_desc *desc = &ir_op_descs[line->opcode];
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        if (strcmp(desc->attrs[i].name, attr) == 0)
            return line->seen >> i & 1;
    }
    return false;
}

/* The payload's form depends on its type, so dtype and shape must stand before it. */
static bool parse_data(struct parser *p, struct line *line, struct blob **out)
{
    const struct ir_attrs_constant *at = &line->attrs.constant;
    struct ir_type type;
    int64_t count;
    if (!was_seen(line, "dtype") || !was_seen(line, "shape"))
        return lex_error(&p->lex, "dtype and shape must stand before data");
    if (at->shape.n > IR_MAX_RANK)
        return lex_error(&p->lex, "rank %u, the most is %d", at->shape.n, IR_MAX_RANK);
    type = ir_type_of(at->dtype, at->shape.n, at->shape.at);
    if (!ir_type_count(&type, &count))
        return lex_error(&p->lex, "the shape is negative or has too many elements");
    bool ok = ir_parse_blob(&p->lex, &type, p->scratch, &p->generated_bytes, &line->blob);
    *out = line->blob;
    return ok;
}

static bool parse_choice(struct parser *p, const struct ir_attr_desc *desc, void *field)
{
    struct loc at = lex_loc(&p->lex);
    char *text;
    unsigned choice;
    if (!lex_string(&p->lex, p->scratch, &text))
        return false;
    if (!ir_choice_parse(desc->kind, text, strlen(text), &choice))
        return diag_error(p->lex.diag, at, DIAG_IR_SYNTAX, "%s cannot be \"%s\"", desc->name, text);
    memcpy(field, &choice, sizeof choice);
    return true;
}

static bool parse_value_of(struct parser *p, struct line *line, const struct ir_attr_desc *desc)
{
    void *field = (char *)&line->attrs + desc->offset;
    switch (desc->kind) {
    case IR_ATTR_i64:
    case IR_ATTR_opt:
    case IR_ATTR_loose: return lex_i64(&p->lex, field);
    case IR_ATTR_i64x2:
    case IR_ATTR_ones: return parse_list(p, field, 2, NULL);
    case IR_ATTR_i64x3: return parse_list(p, field, 3, NULL);
    case IR_ATTR_i64x4: return parse_list(p, field, 4, NULL);
    case IR_ATTR_f32: return lex_f32(&p->lex, field);
    case IR_ATTR_ints: return parse_list(p, NULL, -1, field);
    case IR_ATTR_blob: return parse_data(p, line, field);
    default: return parse_choice(p, desc, field);
    }
}

static bool parse_attr(struct parser *p, struct line *line)
{
    const struct ir_op_desc *desc = &ir_op_descs[line->opcode];
    struct span word;
    if (!lex_word(&p->lex, "an attribute", &word))
        return false;
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        if (!lex_word_is(&word, desc->attrs[i].name))
            continue;
        if (line->seen >> i & 1)
            return lex_error(&p->lex, "attribute %s is given twice", desc->attrs[i].name);
        line->seen |= (uint64_t)1 << i;
        return lex_want(&p->lex, '=') && parse_value_of(p, line, &desc->attrs[i]);
    }
    return lex_error(&p->lex, "%s has no attribute '%.*s'", desc->name,
                     (int)min_i64((int64_t)word.n, 60), word.at);
}

/* A choice can be left out only where "" is one. */
static bool choices_given(struct parser *p, const struct line *line)
{
    const struct ir_op_desc *desc = &ir_op_descs[line->opcode];
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        const struct ir_attr_desc *a = &desc->attrs[i];
        if (ir_attr_is_enum(a->kind) && !(line->seen >> i & 1) && *ir_choice_text(a->kind, 0))
            return lex_error(&p->lex, "%s wants attribute %s", desc->name, a->name);
    }
    return true;
}

/* May go over several lines. Attributes that are left out are 0, "" or []. */
static bool parse_attrs(struct parser *p, struct line *line)
{
    if (!lex_take(&p->lex, '{'))
        return true;
    p->lex.multiline = true;
    if (!lex_take(&p->lex, '}')) {
        do {
            if (!parse_attr(p, line))
                return false;
        } while (lex_take(&p->lex, ','));
        if (!lex_want(&p->lex, '}'))
            return false;
    }
    p->lex.multiline = false;
    return true;
}

/* ---- the rest of a line ---- */

static bool parse_id(struct parser *p, uint64_t *id)
{
    return lex_want(&p->lex, '%') && lex_u64(&p->lex, id);
}

static bool parse_operands(struct parser *p, struct line *line)
{
    if (!lex_peek(&p->lex, '%'))
        return true;
    do {
        uint64_t id;
        if (line->n_in == sizeof line->in / sizeof *line->in)
            return lex_error(&p->lex, "too many operands");
        if (!parse_id(p, &id))
            return false;
        const struct named *named = names_find(&p->names, id);
        if (!named)
            return lex_error(&p->lex, "%%%llu is not defined above", (unsigned long long)id);
        line->silent |= !named->value;
        line->in[line->n_in++] = named->value;
    } while (lex_take(&p->lex, ','));
    return true;
}

/* f32[1x3x224x224]; the dimensions stand without blanks. */
static bool parse_type(struct parser *p, struct ir_type *out)
{
    struct lex *l = &p->lex;
    struct span word;
    enum ir_dtype dtype;
    int64_t dims[IR_MAX_RANK];
    uint32_t rank = 0;
    if (!lex_word(l, "a type", &word))
        return false;
    if (!ir_dtype_parse(word.at, word.n, &dtype))
        return lex_error(l, "unknown dtype '%.*s'", (int)min_i64((int64_t)word.n, 60), word.at);
    if (!lex_want(l, '['))
        return false;
    if (!lex_take(l, ']')) {
        do {
            uint64_t dim;
            if (rank == IR_MAX_RANK)
                return lex_error(l, "a type has at most %d dimensions", IR_MAX_RANK);
            if (!lex_u64(l, &dim))
                return false;
            if (dim > INT64_MAX)
                return lex_error(l, "the dimension is too large");
            dims[rank++] = (int64_t)dim;
        } while (l->at < l->end && *l->at == 'x' && l->at++);
        if (!lex_want(l, ']'))
            return false;
    }
    *out = ir_type_of(dtype, rank, dims);
    return true;
}

static bool parse_opcode(struct parser *p, enum ir_opcode *out)
{
    struct span word;
    if (!lex_word(&p->lex, "an operation", &word))
        return false;
    for (unsigned i = 0; i < IR_N_OPCODES; i++) {
        if (lex_word_is(&word, ir_op_descs[i].name)) {
            *out = (enum ir_opcode)i;
            return true;
        }
    }
    return lex_error(&p->lex, "unknown operation '%.*s'", (int)min_i64((int64_t)word.n, 60),
                     word.at);
}

static bool parse_location(struct parser *p, char **out)
{
    struct span word;
    if (!lex_word(&p->lex, "loc", &word))
        return false;
    if (!lex_word_is(&word, "loc"))
        return lex_error(&p->lex, "expected loc(\"...\")");
    return lex_want(&p->lex, '(') && lex_string(&p->lex, p->scratch, out) && lex_want(&p->lex, ')');
}

static bool parse_line(struct parser *p, struct line *line)
{
    struct lex *l = &p->lex;
    line->loc = lex_loc(l);
    if (lex_peek(l, '%')) {
        if (!parse_id(p, &line->id))
            return false;
        line->has_id = true;
        if (names_find(&p->names, line->id))
            return lex_error(l, "%%%llu is defined twice", (unsigned long long)line->id);
        if (!lex_want(l, '='))
            return false;
    }
    if (!parse_opcode(p, &line->opcode) || !parse_operands(p, line) || !parse_attrs(p, line) ||
        !choices_given(p, line))
        return false;
    if (lex_take(l, ':')) {
        line->has_type = true;
        if (!parse_type(p, &line->type))
            return false;
    }
    if (lex_take(l, '@') && !lex_string(l, p->scratch, &line->name))
        return false;
    if (lex_peek(l, 'l') && !parse_location(p, &line->entity))
        return false;
    return lex_at_end(l) || lex_peek(l, '\n') || lex_peek(l, '}') ||
           lex_error(l, "expected the end of the line");
}

/* ---- operations and graph ---- */

static struct ir_op *make_op(struct parser *p, struct line *line)
{
    const struct ir_op_desc *desc = &ir_op_descs[line->opcode];
    line->loc.entity = line->entity;
    if (line->has_id != !!desc->n_out || (line->has_type && !desc->n_out)) {
        diag_error(p->diag, line->loc, DIAG_IR_SYNTAX, "%s %s", desc->name,
                   desc->n_out ? "has a result, which needs an id" : "has no result");
        return NULL;
    }
    struct ir_new new = {.opcode = line->opcode,
                         .in = line->in,
                         .n_in = line->n_in,
                         .attrs = &line->attrs,
                         .name = line->name,
                         .loc = line->loc};
    struct ir_op *op = ir_op_new(p->graph, NULL, &new, p->diag);
    if (op && line->has_type && !ir_type_equal(&line->type, &op->out->type)) {
        char wrote[200], is[200];
        diag_error(p->diag, line->loc, DIAG_SHAPE, "the text says %s, the operation gives %s",
                   ir_type_text(&line->type, wrote, sizeof wrote),
                   ir_type_text(&op->out->type, is, sizeof is));
    }
    return op;
}

static void parse_op(struct parser *p)
{
    struct line line = {0};
    struct ir_op *op = NULL;
    if (!parse_line(p, &line))
        lex_skip_line(&p->lex);
    else if (!line.silent)
        op = make_op(p, &line);
    if (line.has_id && !names_find(&p->names, line.id))
        names_define(&p->names, line.id, op ? op->out : NULL);
    blob_unref(line.blob);
}

static bool parse_header(struct parser *p)
{
    static const enum ir_stage stages[] = {IR_TENSOR, IR_CANONICAL, IR_INTEGER, IR_CROSSBAR};
    struct lex *l = &p->lex;
    struct span word;
    char *name;
    lex_skip_blank_lines(l);
    if (!lex_word(l, "graph", &word))
        return false;
    if (!lex_word_is(&word, "graph"))
        return lex_error(l, "expected graph \"name\" stage {");
    if (!lex_string(l, p->scratch, &name) || !lex_word(l, "a stage", &word))
        return false;
    for (size_t i = 0; i < sizeof stages / sizeof *stages && !p->graph; i++) {
        if (lex_word_is(&word, ir_stage_name(stages[i])))
            p->graph = ir_graph_new(name, stages[i]);
    }
    if (!p->graph)
        return lex_error(l, "unknown stage '%.*s'", (int)min_i64((int64_t)word.n, 60), word.at);
    return lex_want(l, '{');
}

static unsigned errors(const struct parser *p)
{
    return p->diag->n_errors - p->errors_before;
}

static void parse_graph(struct parser *p)
{
    struct lex *l = &p->lex;
    if (!parse_header(p))
        return;
    for (lex_skip_blank_lines(l); !lex_peek(l, '}'); lex_skip_blank_lines(l)) {
        if (lex_at_end(l)) {
            lex_error(l, "the graph does not end with '}'");
            return;
        }
        if (errors(p) >= MAX_ERRORS)
            return;
        parse_op(p);
    }
    lex_take(l, '}');
    lex_skip_blank_lines(l);
    if (!lex_at_end(l))
        lex_error(l, "expected nothing after the graph");
}

struct ir_graph *ir_parse(const char *text, size_t n, const char *file, struct diag *d)
{
    struct parser p = {
        .lex =
            {.at = text, .end = text + n, .line_start = text, .file = file, .line = 1, .diag = d},
        .diag = d,
        .errors_before = d->n_errors,
        .scratch = arena_new(),
    };
    parse_graph(&p);
    if (errors(&p) == 0 && !ir_verify(p.graph, d) && errors(&p) == 0)
        BUG("the verifier found a fault and did not report it");
    heap_free(p.names.at);
    arena_free(p.scratch);
    if (errors(&p) == 0)
        return p.graph;
    ir_graph_free(p.graph);
    return NULL;
}
