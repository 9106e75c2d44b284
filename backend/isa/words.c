/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* words.c - memories.def as data, its first fields being those of tables.def and stream_form.c. */
#include "words.h"

#include "stream.h"

enum word_from { FROM_RECORD, FROM_FORM, FROM_NONE };

/* The closing entry keeps those without more from being empty. */
#define WORD(name, from, which) static const struct word_field name##_more[] = {
#define MORE(word, sign, bits, name, doc) {#name, doc, bits, #sign[0] == 's'},
#define END_WORD(name)                                                                             \
    {                                                                                              \
        0                                                                                          \
    }                                                                                              \
    }                                                                                              \
    ;
#include "memories.def"
#undef WORD
#undef MORE
#undef END_WORD

static const struct {
    const char *name;
    enum word_from from;
    unsigned which; /* record_id, stream_part */
    const struct word_field *more;
} words[N_WORDS] = {
#define WORD(name, from, which) {#name, FROM_##from, which, name##_more},
#define MORE(word, sign, bits, name, doc)
#define END_WORD(name)
#include "memories.def"
#undef WORD
#undef MORE
#undef END_WORD
};

const char *word_name(enum word_id id)
{
    return words[id].name;
}

/* Not lists, not texts. */
static bool is_in_word(const struct record_field *f)
{
    return !f->list && f->bits;
}

static struct word_field of_record(const struct record_field *f)
{
    return (struct word_field){f->name, "", f->bits,
                               f->kind == RECORD_i32 || f->kind == RECORD_i64};
}

bool word_field_at(enum word_id id, unsigned i, struct word_field *out)
{
    if (words[id].from == FROM_RECORD) {
        const struct record *r = &isa_records[words[id].which];
        for (unsigned k = 0; k < r->n_fields; k++) {
            if (is_in_word(&r->fields[k]) && i-- == 0) {
                *out = of_record(&r->fields[k]);
                return true;
            }
        }
    }
    if (words[id].from == FROM_FORM) {
        const struct stream_form *form = &stream_forms[words[id].which];
        if (i < form->n) {
            const struct stream_field *f = &form->fields[i];
            *out = (struct word_field){f->name, "", f->bits, f->is_signed};
            return true;
        }
        i -= form->n;
    }
    const struct word_field *more = words[id].more;
    while (more->name && i > 0)
        more++, i--;
    *out = *more;
    return more->name;
}

/* "view | slot0 23 (meaning), origin_h s24" */
void words_print(struct text *out)
{
    text_add(out, "\n| word | bits | fields after those of its record: bits, s = signed |\n"
                  "|---|---|---|\n");
    for (unsigned id = 0; id < N_WORDS; id++) {
        text_add(out, "| %s | %u |", words[id].name, word_bits((enum word_id)id));
        for (const struct word_field *f = words[id].more; f->name; f++)
            text_add(out, "%s %s %s%u%s%s%s", f == words[id].more ? "" : ",", f->name,
                     f->is_signed ? "s" : "", f->bits, *f->doc ? " (" : "", f->doc,
                     *f->doc ? ")" : "");
        text_add(out, " |\n");
    }
}

unsigned word_n_fields(enum word_id id)
{
    struct word_field f;
    unsigned n = 0;
    while (word_field_at(id, n, &f))
        n++;
    return n;
}

unsigned word_bits(enum word_id id)
{
    struct word_field f;
    unsigned bits = 0;
    if (words[id].from == FROM_FORM)
        return 8u * stream_part_bytes[words[id].which];
    for (unsigned i = 0; word_field_at(id, i, &f); i++)
        bits += f.bits;
    return (bits + 31) / 32 * 32;
}
