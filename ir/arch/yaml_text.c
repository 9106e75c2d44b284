/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * yaml_text.c - refuses YAML that takes long to read: of tokens alone, before anything is made of
 * them.
 *
 * libyaml compares each anchor, and each %TAG, with all before it, looks at all open brackets for
 * each token, and an alias repeats what it names as often as it stands there.
 */
#include "yaml_text.h"

#include <yaml.h>

struct scan {
    yaml_parser_t *parser;
    const char *text, *file;
    enum diag_code code;
    struct diag *diag;
    unsigned depth;
    bool begun, ended; /* the document */
};

struct loc yaml_text_loc(const char *file, const yaml_mark_t *mark)
{
    return (struct loc){
        .file = file, .line = (uint32_t)mark->line + 1, .col = (uint32_t)mark->column + 1};
}

/* libyaml's memory is its own: it goes through these also where the call is left by the door. */
static void delete_parser(void *parser)
{
    yaml_parser_delete(parser);
}

yaml_parser_t *yaml_text_open(const char *text, size_t n)
{
    yaml_parser_t *parser = heap_alloc_released(sizeof *parser, delete_parser);
    if (!yaml_parser_initialize(parser))
        out_of_memory(0);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, n);
    return parser;
}

void yaml_text_close(yaml_parser_t *parser)
{
    yaml_parser_delete(parser);
    heap_free(parser);
}

/* Undecodable bytes are met before lines are counted: libyaml gives their offset only. */
static struct loc loc_of_offset(const struct scan *s, size_t offset)
{
    struct loc loc = {.file = s->file, .line = 1, .col = 1};
    for (size_t i = 0; i < offset; i++) {
        loc.col++;
        if (s->text[i] == '\n') {
            loc.line++;
            loc.col = 1;
        }
    }
    return loc;
}

static void delete_token(void *token)
{
    yaml_token_delete(token);
}

static bool unreadable(const struct scan *s)
{
    const yaml_parser_t *p = s->parser;
    if (p->error == YAML_MEMORY_ERROR)
        out_of_memory(0);
    struct loc loc = p->error == YAML_READER_ERROR ? loc_of_offset(s, p->problem_offset)
                                                   : yaml_text_loc(s->file, &p->problem_mark);
    return diag_error(s->diag, loc, s->code, "not YAML: %s",
                      p->problem ? p->problem : "unreadable");
}

static bool wrong(const struct scan *s, const yaml_token_t *at, const char *what)
{
    return diag_error(s->diag, yaml_text_loc(s->file, &at->start_mark), s->code, "%s", what);
}

static bool is_second(const struct scan *s, const yaml_token_t *token)
{
    switch (token->type) {
    case YAML_STREAM_START_TOKEN:
    case YAML_STREAM_END_TOKEN:
    case YAML_VERSION_DIRECTIVE_TOKEN:
    case YAML_DOCUMENT_END_TOKEN: return false;
    case YAML_DOCUMENT_START_TOKEN: return s->begun;
    default: return s->ended;
    }
}

static bool take_content(struct scan *s, const yaml_token_t *token)
{
    switch (token->type) {
    case YAML_ALIAS_TOKEN: return wrong(s, token, "aliases are not allowed");
    case YAML_ANCHOR_TOKEN:
    case YAML_TAG_TOKEN:
    case YAML_TAG_DIRECTIVE_TOKEN: return wrong(s, token, "anchors and tags are not allowed");
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        return s->depth++ < YAML_MOST_DEPTH || wrong(s, token, "nested too deep");
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN: s->depth -= s->depth > 0; return true;
    default: return true;
    }
}

static bool take(struct scan *s, const yaml_token_t *token)
{
    if (is_second(s, token))
        return wrong(s, token, "there is more than one document");
    s->ended |= s->begun && token->type == YAML_DOCUMENT_END_TOKEN;
    s->begun |= token->type != YAML_STREAM_START_TOKEN &&
                token->type != YAML_VERSION_DIRECTIVE_TOKEN &&
                token->type != YAML_DOCUMENT_END_TOKEN;
    return take_content(s, token);
}

static bool take_tokens(struct scan *s, yaml_token_t *token)
{
    for (bool is_last = false; !is_last;) {
        if (!yaml_parser_scan(s->parser, token))
            return unreadable(s);
        is_last = token->type == YAML_STREAM_END_TOKEN;
        bool ok = take(s, token);
        yaml_token_delete(token);
        if (!ok)
            return false;
    }
    return true;
}

bool yaml_text_check(const char *text, size_t n, const char *file, enum diag_code code,
                     struct diag *d)
{
    struct scan s = {.text = text, .file = file, .code = code, .diag = d};
    s.parser = yaml_text_open(text, n);
    yaml_token_t *token = heap_alloc_released(sizeof *token, delete_token);
    bool ok = take_tokens(&s, token);
    heap_free(token);
    yaml_text_close(s.parser);
    return ok;
}
