/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * arch_yaml.c - reads machine descriptions: one YAML mapping from field names to plain values, with
 * one of prices in it.
 *
 * libyaml's event stream is walked directly, of a text that yaml_text.c has let pass: the grammar
 * accepted is these two flat mappings, so a deeper node ends the reading at once. At most MAX_BYTES
 * are read and at most MAX_FAULTS faults reported; entries are bounded by the fields there are,
 * since names repeat or are unknown only as faults.
 */
#include "arch_internal.h"

#include "arch_notes.h"
#include "yaml_text.h"

#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 1 << 20, MAX_FAULTS = 20, MAX_NAME = 64 };
/* Keys beside the fields. */
enum {
    KEY_NAME = ARCH_N_FIELDS,
    KEY_BASE,
    KEY_ENERGY,
    KEY_PRICES,
    N_KEYS = KEY_PRICES + ARCH_N_PRICES,
    KEY_UNKNOWN = N_KEYS
};

struct entry {
    const char *text; /* NULL: not given */
    const char *note; /* what is said of it */
    bool plain;       /* without quotes */
    struct loc key, value;
};

struct reader {
    yaml_parser_t *parser;
    const char *text; /* whole input */
    struct note_lines lines;
    struct arch_notes *notes; /* NULL: nobody asks for comments */
    const char *file;
    struct arena *arena;
    struct diag *diag;
    unsigned n_faults;
    bool in_energy; /* inside its mapping */
    struct entry entry[N_KEYS];
};

static bool syntax_error(struct reader *r, const yaml_event_t *at, const char *what)
{
    return diag_error(r->diag, yaml_text_loc(r->file, &at->start_mark), DIAG_ARCH_SYNTAX, "%s",
                      what);
}

/* libyaml's memory is its own: it goes through these also where the call is left by the door. */
static void delete_event(void *event)
{
    yaml_event_delete(event);
}

static void event_free(yaml_event_t *event)
{
    yaml_event_delete(event);
    heap_free(event);
}

/* NULL: there is an error. */
static yaml_event_t *next_event(struct reader *r)
{
    yaml_event_t *event = heap_alloc_released(sizeof *event, delete_event);
    if (yaml_parser_parse(r->parser, event))
        return event;
    const yaml_parser_t *p = r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        out_of_memory(0);
    diag_error(r->diag, yaml_text_loc(r->file, &p->problem_mark), DIAG_ARCH_SYNTAX, "not YAML: %s",
               p->problem ? p->problem : "unreadable");
    event_free(event);
    return NULL;
}

static bool check_scalar(struct reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT)
        return syntax_error(r, event, "expected a plain value, found a nested mapping or sequence");
    if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return syntax_error(r, event, "value holds a NUL character");
    return true;
}

static unsigned find_key(const struct reader *r, const char *name, size_t n)
{
    if (r->in_energy) {
        unsigned price = arch_price_find(name, n);
        return price < ARCH_N_PRICES ? KEY_PRICES + price : KEY_UNKNOWN;
    }
    unsigned key = arch_field_find(name, n);
    if (key < ARCH_N_FIELDS)
        return key;
    return n == 4 && memcmp(name, "name", n) == 0     ? KEY_NAME
           : n == 4 && memcmp(name, "base", n) == 0   ? KEY_BASE
           : n == 6 && memcmp(name, "energy", n) == 0 ? KEY_ENERGY
                                                      : KEY_UNKNOWN;
}

/* A fault that does not hinder reading on; false once there are enough of them. */
static bool fault(struct reader *r, struct loc loc, const char *what, const char *name)
{
    diag_error(r->diag, loc, DIAG_ARCH_VALUE, "%s '%.64s'", what, name);
    return ++r->n_faults < MAX_FAULTS;
}

/* Reads one value and files it under `key`. */
static bool read_value(struct reader *r, unsigned key, struct loc key_loc)
{
    yaml_event_t *event = next_event(r);
    if (!event)
        return false;
    bool ok = check_scalar(r, event);
    const yaml_mark_t *end = &event->end_mark;
    const char *note = r->notes ? note_behind(&r->lines, end->line, end->column, r->arena) : NULL;
    if (ok && key != KEY_UNKNOWN)
        r->entry[key] =
            (struct entry){.text = arena_strdup(r->arena, (const char *)event->data.scalar.value),
                           .note = note,
                           .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
                           .key = key_loc,
                           .value = yaml_text_loc(r->file, &event->start_mark)};
    event_free(event);
    return ok;
}

static bool read_prices(struct reader *r, struct loc key_loc);

static bool read_pair(struct reader *r, const yaml_event_t *name)
{
    if (!check_scalar(r, name))
        return false;
    const char *text = (const char *)name->data.scalar.value;
    struct loc loc = yaml_text_loc(r->file, &name->start_mark);
    unsigned key = find_key(r, text, name->data.scalar.length);
    bool go_on = true;
    if (key == KEY_UNKNOWN) {
        go_on = fault(r, loc, r->in_energy ? "there is no price" : "there is no field", text);
        const char *now = arch_field_successor(text, name->data.scalar.length);
        struct closest near = arch_closest(text, name->data.scalar.length);
        if (now)
            diag_note(r->diag, loc, "%s", now);
        else if (near.name)
            diag_note(r->diag, loc, "did you mean '%s'?", near.name);
    } else if (r->entry[key].text) {
        go_on = fault(r, loc, "given twice: field", text) && key != KEY_ENERGY;
        diag_note(r->diag, r->entry[key].key, "first given here");
        key = KEY_UNKNOWN; /* the value is read over */
    }
    if (key == KEY_ENERGY)
        return read_prices(r, loc);
    return go_on && read_value(r, key, loc);
}

/* Reads one event, which has to be of `type`. */
static bool expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
    yaml_event_t *event = next_event(r);
    if (!event)
        return false;
    bool ok = event->type == type || syntax_error(r, event, otherwise);
    event_free(event);
    return ok;
}

static bool read_pairs(struct reader *r)
{
    for (;;) {
        yaml_event_t *event = next_event(r);
        if (!event)
            return false;
        bool end = event->type == YAML_MAPPING_END_EVENT;
        bool ok = end || read_pair(r, event);
        event_free(event);
        if (end || !ok)
            return ok;
    }
}

static bool read_prices(struct reader *r, struct loc key_loc)
{
    r->entry[KEY_ENERGY] = (struct entry){.text = "", .key = key_loc};
    r->in_energy = true;
    bool ok =
        expect(r, YAML_MAPPING_START_EVENT, "expected prices: lines of the form 'price: value'") &&
        read_pairs(r);
    r->in_energy = false;
    return ok;
}

/* stream = one document = one mapping of scalars */
static bool read_stream(struct reader *r)
{
    return expect(r, YAML_STREAM_START_EVENT, "not a YAML stream") &&
           expect(r, YAML_DOCUMENT_START_EVENT, "the file describes no machine") &&
           expect(r, YAML_MAPPING_START_EVENT, "expected lines of the form 'field: value'") &&
           read_pairs(r) &&
           expect(r, YAML_DOCUMENT_END_EVENT, "expected the end of the document") &&
           expect(r, YAML_STREAM_END_EVENT, "there is more than one document") && r->n_faults == 0;
}

static bool read_entries(struct reader *r, size_t n)
{
    if (n > MAX_BYTES)
        return diag_error(r->diag, (struct loc){.file = r->file, .line = 1, .col = 1},
                          DIAG_ARCH_SYNTAX, "longer than %d bytes", MAX_BYTES);
    if (!yaml_text_check(r->text, n, r->file, DIAG_ARCH_SYNTAX, r->diag))
        return false;
    r->parser = yaml_text_open(r->text, n);
    bool ok = read_stream(r);
    yaml_text_close(r->parser);
    return ok;
}

/* Printable ASCII, so that arch_print can quote it without loss. */
static bool name_is_good(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        if (name[i] < ' ' || name[i] > '~')
            return false;
    }
    return n >= 1 && n <= MAX_NAME;
}

static bool apply_field(const struct reader *r, unsigned i, struct arch *arch)
{
    const struct entry *e = &r->entry[i];
    if (!e->text)
        return true;
    if (!e->plain && !arch_fields[i].choices)
        return diag_error(r->diag, e->value, DIAG_ARCH_VALUE,
                          "field '%s' is a number, not a quoted text", arch_fields[i].name);
    return arch_set_field(arch, &arch_fields[i], e->text, e->value, r->diag);
}

/* Gives the fields that the text names: the length of a cycle first, times are counted in it. */
static bool apply_fields(const struct reader *r, struct arch *arch)
{
    bool ok = apply_field(r, ARCH_FIELD_cycle_ps, arch);
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++)
        ok &= i == ARCH_FIELD_cycle_ps || apply_field(r, i, arch);
    for (unsigned i = 0; i < ARCH_N_PRICES; i++) {
        const struct entry *e = &r->entry[KEY_PRICES + i];
        if (e->text && !e->plain)
            ok = diag_error(r->diag, e->value, DIAG_ARCH_VALUE,
                            "price '%s' is a number, not a quoted text", arch_prices[i].name);
        else if (e->text)
            ok &= arch_set_price(arch, &arch_prices[i], e->text, e->value, r->diag);
    }
    const struct entry *name = &r->entry[KEY_NAME];
    if (name->text && !name_is_good(name->text))
        ok = diag_error(r->diag, name->value, DIAG_ARCH_VALUE,
                        "a name is 1 to %d printable ASCII characters", MAX_NAME);
    else if (name->text)
        arch->name = name->text;
    return ok && arch_check(arch, (struct loc){.file = r->file, .line = 1, .col = 1}, r->diag);
}

/* Sets in *out what the text names; a preset may not name a base. */
static bool parse_over(struct reader *r, size_t n, bool is_preset, struct arch *out);

static bool load_preset(const struct arch_preset *p, struct arena *a, struct diag *d,
                        struct arch *out, struct arch_notes *notes)
{
    struct reader r = {.text = (const char *)p->yaml,
                       .file = arena_printf(a, "preset:%s", p->name),
                       .arena = a,
                       .diag = d,
                       .notes = notes};
    *out = arch_initial(p->name);
    return parse_over(&r, p->n, true, out);
}

static bool apply_base(const struct reader *r, bool is_preset, struct arch *out)
{
    const struct entry *base = &r->entry[KEY_BASE];
    if (!base->text)
        return true;
    const struct arch_preset *p = is_preset ? NULL : arch_preset_find(base->text);
    if (!p)
        return diag_error(r->diag, base->value, DIAG_ARCH_VALUE,
                          "there is no preset '%.64s' to start from", base->text);
    const char *name = out->name;
    bool ok = load_preset(p, r->arena, r->diag, out, r->notes);
    out->name = name;
    return ok;
}

/* What the text says goes before what its base says. */
static void take_notes(const struct reader *r, size_t n, struct arch_notes *out)
{
    const char *head = note_head(r->text, n, r->arena), *base = out->head;
    if (base && head)
        out->head = arena_printf(r->arena, "%s# Of the base:\n%s", head, base);
    else if (head)
        out->head = head;
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++)
        out->of[i] = r->entry[i].text ? r->entry[i].note : out->of[i];
    for (unsigned i = 0; i < ARCH_N_PRICES; i++) {
        const struct entry *e = &r->entry[KEY_PRICES + i];
        out->of[ARCH_N_FIELDS + i] = e->text ? e->note : out->of[ARCH_N_FIELDS + i];
    }
}

static bool parse_over(struct reader *r, size_t n, bool is_preset, struct arch *out)
{
    r->lines = note_lines_of(r->text, n);
    bool ok = read_entries(r, n) && apply_base(r, is_preset, out) && apply_fields(r, out);
    if (ok && r->notes) {
        take_notes(r, n, r->notes);
        r->notes->read = *out;
    }
    return ok;
}

static bool parse(const char *yaml, size_t n, const char *file, struct arena *a, struct diag *d,
                  struct arch *out, struct arch_notes *notes)
{
    struct reader r = {.text = n ? yaml : "", .file = file, .arena = a, .diag = d, .notes = notes};
    *out = arch_initial("custom");
    return parse_over(&r, n, false, out);
}

bool arch_parse(const char *yaml, size_t n, const char *file, struct arena *a, struct diag *d,
                struct arch *out)
{
    return parse(yaml, n, file, a, d, out, NULL);
}

bool arch_parse_noted(const char *yaml, size_t n, const char *file, struct arena *a, struct diag *d,
                      struct arch *out, const struct arch_notes **notes)
{
    struct arch_notes *all = ARENA_NEW(a, struct arch_notes);
    *notes = all;
    return parse(yaml, n, file, a, d, out, all);
}

static void note_presets(const char *asked, struct diag *d)
{
    struct text names = {0};
    struct closest near = {.to = asked};
    for (const char *const *name = arch_presets(); *name; name++) {
        text_add(&names, " %s", *name);
        closest_offer(&near, *name);
    }
    diag_note(d, (struct loc){.file = asked}, "presets:%s%s%s%s", names.at ? names.at : "",
              CLOSEST(&near));
    text_free(&names);
}

static bool load(const char *name_or_path, struct arena *a, struct diag *d, struct arch *out,
                 struct arch_notes *notes)
{
    const struct arch_preset *p = arch_preset_find(name_or_path);
    if (p)
        return load_preset(p, a, d, out, notes);
    struct file f;
    if (!file_open(name_or_path, a, d, &f)) {
        note_presets(name_or_path, d);
        return false;
    }
    bool ok = parse((const char *)f.data, f.size, f.path, a, d, out, notes);
    file_close(&f);
    return ok;
}

bool arch_load(const char *name_or_path, struct arena *a, struct diag *d, struct arch *out)
{
    return load(name_or_path, a, d, out, NULL);
}

bool arch_load_noted(const char *name_or_path, struct arena *a, struct diag *d, struct arch *out,
                     const struct arch_notes **notes)
{
    struct arch_notes *all = ARENA_NEW(a, struct arch_notes);
    *notes = all;
    return load(name_or_path, a, d, out, all);
}
