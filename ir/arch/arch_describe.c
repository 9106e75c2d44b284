/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * arch_describe.c - a machine for people: its fields and prices one by one, and as YAML in which
 * each has its meaning above it. What its text said of a value stands behind that value.
 */
#include "arch_internal.h"

#include <string.h>

enum { WIDTH = 100, NOTE_COLUMN = 26 };

/* arch.def once more, with its headings. */
static const struct {
    const char *group; /* NULL: it is a field */
    unsigned field;
} rows[] = {
#define GROUP(title) {title, 0},
#define FIELD(name, part, state, initial, least, most, unit, doc) {NULL, ARCH_FIELD_##name},
#define CHOICE(name, part, state, initial, choices, doc) {NULL, ARCH_FIELD_##name},
#include "arch.def"
#undef FIELD
#undef CHOICE
};

static const char *group_before(unsigned field)
{
    unsigned i = 1; /* a heading stands at the head */
    while (rows[i].group || rows[i].field != field)
        i++;
    return rows[i - 1].group;
}

static struct arch_item field_item(const struct arch *arch, unsigned i)
{
    const struct arch_field *f = &arch_fields[i];
    struct arch_item item = {.name = f->name,
                             .unit = f->unit,
                             .doc = f->doc,
                             .choices = f->choices,
                             .group = group_before(i),
                             .least = f->least,
                             .most = f->most,
                             .later = f->later};
    arch_field_text(arch, f, item.value, sizeof item.value);
    return item;
}

static struct arch_item price_item(const struct arch *arch, unsigned i)
{
    const struct arch_price *p = &arch_prices[i];
    struct arch_item item = {
        .name = p->name, .unit = p->unit, .doc = p->doc, .most = ARCH_MOST_PRICE, .is_price = true};
    if (i == 0)
        item.group = "prices: of energy and area; 0 = none";
    arch_price_text(arch, p, item.value, sizeof item.value);
    return item;
}

bool arch_item_at(const struct arch *arch, unsigned i, struct arch_item *out)
{
    if (i >= ARCH_N_FIELDS + ARCH_N_PRICES)
        return false;
    *out = i < ARCH_N_FIELDS ? field_item(arch, i) : price_item(arch, i - ARCH_N_FIELDS);
    return true;
}

/* ---- as commented YAML ---- */

/* Lines that begin with `before`. */
static void add_wrapped(struct text *out, const char *before, const char *words)
{
    size_t column = 0;
    for (const char *word = words; *word;) {
        size_t n = strcspn(word, " ");
        if (column == 0 || column + 1 + n > WIDTH) {
            text_add(out, "%s%s", column ? "\n" : "", before);
            column = strlen(before);
        }
        text_add(out, " %.*s", (int)n, word);
        column += 1 + n;
        word += n + (word[n] == ' ');
    }
    text_add(out, "\n");
}

static void add_meaning(struct text *out, const struct arch_item *item)
{
    struct text t = {0};
    text_add(&t, "%s", item->doc);
    if (item->is_price)
        text_add(&t, " [%s]", item->unit);
    else if (!item->choices)
        text_add(&t, " [%lld..%lld %s]", (long long)item->least, (long long)item->most, item->unit);
    if (item->later)
        text_add(&t, "; not yet: only the default");
    add_wrapped(out, item->is_price ? "  #" : "#", t.at);
    text_free(&t);
}

/* Of a value that is what the text said. */
static const char *note_of(const struct arch_notes *notes, unsigned i, const struct arch_item *now)
{
    struct arch_item then;
    bool same = arch_item_at(&notes->read, i, &then) && strcmp(then.value, now->value) == 0;
    return same ? notes->of[i] : NULL;
}

void arch_print_commented(const struct arch *arch, const struct arch_notes *notes, struct text *out)
{
    struct arch_item item;
    text_add(out, "%sname: ", notes->head ? notes->head : "");
    text_add_quoted(out, arch->name);
    text_add(out, "\n\n# Numbers may have units: 64KiB, 1400ns, 700MHz, 6.4GB/s, 250fJ. "
                  "All that may stand here: cimc-arch(5).\n");
    for (unsigned i = 0; arch_item_at(arch, i, &item); i++) {
        const char *note = note_of(notes, i, &item), *indent = item.is_price ? "  " : "";
        if (item.group)
            text_add(out, "\n# ---- %s ----\n%s", item.group, item.is_price ? "energy:\n" : "");
        add_meaning(out, &item);
        if (note) {
            int gap = NOTE_COLUMN - (int)(strlen(indent) + strlen(item.name) + strlen(item.value));
            text_add(out, "%s%s: %s%*s # %s\n", indent, item.name, item.value, max_i32(gap, 0), "",
                     note);
        } else {
            text_add(out, "%s%s: %s\n", indent, item.name, item.value);
        }
    }
}
