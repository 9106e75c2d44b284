/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_decode.c - a stream's section -> instructions (ISA.md 9).
 *
 * In: untrusted bytes. Out: the instructions in order, of each its walker; or what is wrong, and
 * where. The symbols are walked twice, with the same state: first to count, so that nothing is
 * allocated for a stream that is wrong or makes more instructions than a program may have, then to
 * write. Every phrase makes an instruction or takes back a SET, so this takes no longer than what
 * it makes is long.
 */
#include "stream.h"

#include <endian.h>
#include <string.h>

struct wait {
    uint16_t counter;
    uint8_t mode;
    uint16_t value;
};
struct template
{ /* with the waits of those that continue it */
    uint16_t walker;
    uint8_t n_waits;
    bool continues; /* is no symbol */
    bool takes_bytes;
    struct wait wait[ISA_MAX_WAITS];
};
struct walker {
    struct stream_walker k;
    struct stream_extension from;
    struct stream_state s, at_start; /* now, and when the body begins */
    unsigned uses;                   /* fields of its operation; 0: it has no region */
    struct isa_inst like;            /* all but what changes */
};
struct decoder {
    const uint8_t *part[N_STREAM_PARTS];
    uint32_t n[N_STREAM_PARTS];
    uint32_t n_walkers, n_templates;
    struct walker *walkers;
    struct template *templates;
    struct stream_phrase *phrases;
    uint32_t n_set;  /* walkers that wait for what SET said */
    bool only_walks; /* to where walkers are when the body ends: it begins there */
    uint32_t dispatched[ISA_N_QUEUES], last[STREAM_COUNTERS];
    uint32_t n_insts, most;
    struct isa_inst *insts; /* NULL: they are counted */
    uint16_t *walker_of;
    struct arena *arena;
    char *fault;
};

#define FAULT(d, ...) ((d)->fault = arena_printf((d)->arena, __VA_ARGS__), false)

static bool find_parts(struct decoder *d, const uint8_t *bytes, uint64_t n)
{
    if (n < STREAM_HEAD_BYTES)
        return FAULT(d, "it has no head");
    uint64_t at = STREAM_HEAD_BYTES;
    for (unsigned i = 0; i < N_STREAM_PARTS; i++) {
        uint32_t records;
        memcpy(&records, bytes + sizeof records * i, sizeof records);
        d->n[i] = le32toh(records);
        d->part[i] = bytes + (at < n ? at : n);
        at += (uint64_t)d->n[i] * stream_part_bytes[i];
    }
    if (at != n)
        return FAULT(d, "its parts have %llu bytes, it has %llu", (unsigned long long)at,
                     (unsigned long long)n);
    d->n_walkers = d->n[PART_SHORT_WALKERS] + d->n[PART_LONG_WALKERS];
    d->n_templates = d->n[PART_SMALL_TEMPLATES] + d->n[PART_LARGE_TEMPLATES];
    if (d->n[PART_SHORT_WALKERS] > STREAM_MAX_WALKERS || d->n_walkers > STREAM_MAX_WALKERS)
        return FAULT(d, "more than %d walkers", STREAM_MAX_WALKERS);
    if ((uint64_t)d->n_templates + d->n[PART_PHRASES] > STREAM_MAX_SYMBOLS)
        return FAULT(d, "more than %d templates and phrases", STREAM_MAX_SYMBOLS);
    return true;
}

static const uint8_t *record_at(const struct decoder *d, enum stream_part part, uint32_t i)
{
    return d->part[part] + (size_t)i * stream_part_bytes[part];
}

/* ---- walkers ---- */

/* What its instructions have in common; the waits, the places and the extents are still 0. */
static bool fill_walker(struct decoder *d, struct walker *w, uint32_t number, bool is_long)
{
    const struct stream_walker *k = &w->k;
    w->like = (struct isa_inst){.op = (uint8_t)k->op,
                                .queue = (uint8_t)k->queue,
                                .stage = (uint8_t)k->stage,
                                .flags = (uint8_t)k->flags,
                                .obj = (uint16_t)k->obj,
                                .dst.view = (uint16_t)k->dst,
                                .a.view = (uint16_t)k->a,
                                .b.view = (uint16_t)k->b};
    const char *reason = isa_inst_illegal(&w->like);
    const char *name = isa_op_reserved(k->op) ? isa_op_reserved(k->op) : isa_op_name(k->op);
    if (reason)
        return FAULT(d, "walker %u: operation %u (%s): %s", number, k->op, name ? name : "?",
                     reason);
    w->uses = stream_region(&w->like) ? isa_op_desc(k->op)->uses : 0;
    if (!w->uses && (is_long || k->xs || k->x1 || k->ys || k->y1 || k->w))
        return FAULT(d, "walker %u: %s has no region", number, isa_op_name(k->op));
    if (k->extension > d->n[PART_EXTENSIONS])
        return FAULT(d, "walker %u: no extension %u", number, k->extension - 1);
    stream_start(k, &w->at_start);
    return true;
}

static bool read_extension(struct decoder *d, uint32_t number, struct stream_extension *out)
{
    return stream_unpack(PART_EXTENSIONS, record_at(d, PART_EXTENSIONS, number), out) ||
           FAULT(d, "extension %u: bits set that must be 0", number);
}

static bool read_walkers(struct decoder *d)
{
    d->walkers = ARENA_ARRAY(d->arena, struct walker, d->n_walkers);
    for (uint32_t i = 0; i < d->n[PART_EXTENSIONS]; i++) {
        struct stream_extension unused;
        if (!read_extension(d, i, &unused))
            return false;
    }
    for (uint32_t i = 0; i < d->n_walkers; i++) {
        struct walker *w = &d->walkers[i];
        bool is_long = i >= d->n[PART_SHORT_WALKERS];
        enum stream_part part = is_long ? PART_LONG_WALKERS : PART_SHORT_WALKERS;
        uint32_t number = is_long ? i - d->n[PART_SHORT_WALKERS] : i;
        w->k.h = w->k.h_first = w->k.h_last = 1;
        if (!stream_unpack(part, record_at(d, part, number), &w->k))
            return FAULT(d, "walker %u: bits set that must be 0", i);
        if (!is_long)
            w->k.w_first = w->k.w_last = w->k.w;
        if (!fill_walker(d, w, i, is_long) ||
            (w->k.extension && !read_extension(d, w->k.extension - 1, &w->from)))
            return false;
    }
    return true;
}

/* The walker's instruction at a place. */
static void place_inst(const struct walker *w, const struct stream_place *p, struct isa_inst *out)
{
    const struct stream_extension *from = &w->from;
    bool far = w->k.extension != 0;
    int32_t a_y = p->y + stream_signed(from->a_y), a_x = p->x + stream_signed(from->a_x);
    out->h = (uint16_t)p->h;
    out->w = (uint16_t)p->w;
    if (w->uses & USE_dst)
        out->dst.y = p->y, out->dst.x = p->x;
    if (w->uses & USE_a && w->uses & USE_dst && (far || !stream_from_origin(w->k.op)))
        out->a.y = a_y, out->a.x = a_x;
    else if (w->uses & USE_a && !(w->uses & USE_dst))
        out->a.y = p->y, out->a.x = p->x;
    if (w->uses & USE_b)
        out->b.y = p->y + stream_signed(from->b_y), out->b.x = p->x + stream_signed(from->b_x);
    if (w->uses & USE_c)
        out->y = a_y, out->x = a_x, out->c = from->c;
}

/* ---- templates and phrases ---- */

/* Appends the waits of one record to the template. */
static bool add_waits(struct decoder *d, struct template *t, const struct stream_template *r,
                      unsigned n, uint32_t number)
{
    for (unsigned k = 0; k < n; k++) {
        uint32_t counter = r->wait[k].counter, mode = r->wait[k].mode, value = r->wait[k].value;
        if (counter > ISA_LAST_COUNTER || (mode != MODE_VALUE && value) ||
            (mode == MODE_NONE && counter))
            return FAULT(d, "template %u: a wait that means nothing", number);
        if (mode == MODE_NONE)
            continue;
        t->takes_bytes |= mode != MODE_VALUE;
        t->wait[t->n_waits++] = (struct wait){(uint16_t)counter, (uint8_t)mode, (uint16_t)value};
    }
    return true;
}

static bool read_templates(struct decoder *d)
{
    struct template *head = NULL;
    uint32_t more = 0;
    d->templates = ARENA_ARRAY(d->arena, struct template, d->n_templates);
    for (uint32_t i = 0; i < d->n_templates; i++) {
        bool small = i < d->n[PART_SMALL_TEMPLATES];
        enum stream_part part = small ? PART_SMALL_TEMPLATES : PART_LARGE_TEMPLATES;
        struct stream_template r = {0};
        struct template *t = &d->templates[i];
        if (!stream_unpack(part, record_at(d, part, small ? i : i - d->n[PART_SMALL_TEMPLATES]),
                           &r))
            return FAULT(d, "template %u: bits set that must be 0", i);
        if (more ? r.walker || r.more : r.walker >= d->n_walkers)
            return FAULT(d, "template %u: walker %u", i, r.walker);
        t->walker = (uint16_t)r.walker;
        t->continues = more > 0;
        head = more ? head : t;
        more = more ? more - 1 : r.more;
        if (!add_waits(d, head, &r, small ? 1 : 2, i))
            return false;
    }
    return !more || FAULT(d, "the last template goes on");
}

static bool read_phrases(struct decoder *d)
{
    uint32_t n = d->n[PART_PHRASES];
    d->phrases = ARENA_ARRAY(d->arena, struct stream_phrase, n);
    for (uint32_t i = 0; i < n; i++) {
        struct stream_phrase *p = &d->phrases[i];
        if (!stream_unpack(PART_PHRASES, record_at(d, PART_PHRASES, i), p) || !p->length ||
            p->start + p->length > d->n[PART_PHRASE_MEMORY])
            return FAULT(d, "phrase %u: it is empty or leaves its memory", i);
    }
    return true;
}

/* ---- symbols ---- */

/* What is left of a string of symbols. */
struct string {
    const uint8_t *at, *end;
    unsigned depth; /* open phrases */
};

static bool symbol_fault(struct decoder *d, const struct string *s, const char *what)
{
    enum stream_part part = s->depth ? PART_PHRASE_MEMORY : PART_STREAM;
    return FAULT(d, "byte %td of the %s: %s", s->at - d->part[part],
                 s->depth ? "phrase memory" : "symbols", what);
}

/* n bytes, least significant first. */
static bool take(struct decoder *d, struct string *s, unsigned n, uint32_t *out)
{
    if (s->end - s->at < n)
        return symbol_fault(d, s, "a symbol is cut off");
    *out = 0;
    for (unsigned k = 0; k < n; k++)
        *out |= (uint32_t)*s->at++ << 8 * k;
    return true;
}

static bool take_number(struct decoder *d, struct string *s, uint32_t *out)
{
    uint32_t byte, low;
    if (!take(d, s, 1, &byte))
        return false;
    *out = byte;
    if (byte < SYMBOL_SET)
        return true;
    if (byte < SYMBOL_PAGE || byte == SYMBOL_HALT)
        return symbol_fault(d, s, "it names no template or phrase");
    if (!take(d, s, byte == SYMBOL_FAR ? 2 : 1, &low))
        return false;
    *out =
        byte == SYMBOL_FAR ? STREAM_FIRST_FAR + low : SYMBOL_SET + 256 * (byte - SYMBOL_PAGE) + low;
    return true;
}

/* The walker begins its raster again, for the next frame. */
static bool begin_frame(struct decoder *d, const struct string *s, uint32_t number)
{
    struct walker *w = number < d->n_walkers ? &d->walkers[number] : NULL;
    if (!w || !w->like.stage || w->s.w)
        return symbol_fault(d, s, "FRAME of a walker that has no stage left, or is SET");
    w->like.stage--;
    stream_start(&w->k, &w->s);
    return true;
}

static bool take_set(struct decoder *d, struct string *s)
{
    uint32_t number, y, x, w, h;
    if (!take(d, s, 2, &number))
        return false;
    if (number & STREAM_FRAME)
        return begin_frame(d, s, number - STREAM_FRAME);
    if (!take(d, s, 3, &y) || !take(d, s, 3, &x) || !take(d, s, 2, &w) || !take(d, s, 2, &h))
        return false;
    if (number >= d->n_walkers || !d->walkers[number].uses)
        return symbol_fault(d, s, "SET of a walker that has no region");
    struct walker *k = &d->walkers[number];
    if (k->s.w || !w || !h || h > ISA_MAX_H)
        return symbol_fault(d, s, "a SET without effect, or of no region");
    k->s = (struct stream_state){stream_signed(y), stream_signed(x), w, h};
    d->n_set++;
    return true;
}

static bool take_waits(struct decoder *d, struct string *s, const struct template *t,
                       struct isa_inst *inst)
{
    const uint32_t mask = (1u << ISA_THRESHOLD_BITS) - 1;
    for (unsigned k = 0; k < t->n_waits; k++) {
        const struct wait *w = &t->wait[k];
        uint32_t v = w->value;
        if (w->mode != MODE_VALUE && !take(d, s, w->mode == MODE_BYTE ? 1 : 3, &v))
            return false;
        if (w->counter < ISA_FIRST_INBOUND)
            v = d->dispatched[w->counter] - (uint32_t)stream_signed(v);
        else
            v = d->last[w->counter] += (uint32_t)stream_signed(v);
        if (inst)
            inst->wait[k] = (struct isa_wait){w->counter, v & mask};
    }
    return true;
}

static bool make_inst(struct decoder *d, struct string *s, const struct template *t)
{
    struct walker *w = &d->walkers[t->walker];
    struct stream_place place;
    if (d->n_insts == d->most)
        return symbol_fault(d, s, "the program has too many instructions");
    d->n_set -= w->s.w != 0;
    if (w->uses && !stream_step(&w->k, &w->s, &place) && !d->only_walks)
        return symbol_fault(d, s, "a walker that is beyond its raster");
    struct isa_inst *inst = d->insts ? &d->insts[d->n_insts] : NULL;
    if (inst) {
        *inst = w->like;
        inst->n_waits = t->n_waits;
        d->walker_of[d->n_insts] = t->walker;
        if (w->uses)
            place_inst(w, &place, inst);
    }
    if (!take_waits(d, s, t, inst))
        return false;
    if (++d->dispatched[w->like.queue] > ISA_MAX_COUNT)
        return symbol_fault(d, s, "a queue counts too far");
    d->n_insts++;
    return true;
}

static bool run_string(struct decoder *d, struct string *s);

static bool run_number(struct decoder *d, struct string *s, uint32_t number)
{
    if (number < d->n_templates)
        return d->templates[number].continues ? symbol_fault(d, s, "the template continues another")
                                              : make_inst(d, s, &d->templates[number]);
    number -= d->n_templates;
    if (number >= d->n[PART_PHRASES])
        return symbol_fault(d, s, "no such template or phrase");
    if (s->depth == STREAM_MAX_DEPTH)
        return symbol_fault(d, s, "phrases are nested too deep");
    const uint8_t *body = d->part[PART_PHRASE_MEMORY] + d->phrases[number].start;
    struct string inner = {body, body + d->phrases[number].length, s->depth + 1};
    return run_string(d, &inner);
}

static bool run_repeated(struct decoder *d, struct string *s, bool is_long)
{
    uint32_t n, number;
    if (!take(d, s, is_long ? 2 : 1, &n) || !take_number(d, s, &number))
        return false;
    if (is_long && n == 0)
        return symbol_fault(d, s, "a run of none");
    if (number < d->n_templates && d->templates[number].takes_bytes)
        return symbol_fault(d, s, "a run of a template that takes bytes");
    for (n += is_long ? 0 : STREAM_SHORT_RUN; n > 0; n--)
        if (!run_number(d, s, number))
            return false;
    return true;
}

/* All symbols up to the end, of a phrase, or up to HALT. */
static bool run_string(struct decoder *d, struct string *s)
{
    while (s->at < s->end) {
        uint32_t number;
        bool ok;
        switch (*s->at) {
        case SYMBOL_HALT: s->at++; return s->depth == 0 || symbol_fault(d, s, "HALT in a phrase");
        case SYMBOL_SET:
            s->at++;
            ok = take_set(d, s);
            break;
        case SYMBOL_RUN:
        case SYMBOL_LONG_RUN:
            s->at++;
            ok = run_repeated(d, s, s->at[-1] == SYMBOL_LONG_RUN);
            break;
        default: ok = take_number(d, s, &number) && run_number(d, s, number);
        }
        if (!ok)
            return false;
    }
    return s->depth > 0 || symbol_fault(d, s, "HALT is missing");
}

/* The whole body, from the state at its start. */
static bool run_body(struct decoder *d)
{
    struct string s = {d->part[PART_STREAM], d->part[PART_STREAM] + d->n[PART_STREAM], 0};
    for (uint32_t i = 0; i < d->n_walkers; i++) {
        d->walkers[i].s = d->walkers[i].at_start;
        d->walkers[i].like.stage = (uint8_t)d->walkers[i].k.stage;
    }
    memset(d->dispatched, 0, sizeof d->dispatched);
    memset(d->last, 0, sizeof d->last);
    d->n_insts = d->n_set = 0;
    if (!run_string(d, &s))
        return false;
    if (s.at != s.end)
        return symbol_fault(d, &s, "bytes after HALT");
    return d->n_set == 0 || symbol_fault(d, &s, "a SET without effect");
}

/* Walkers that go on to another frame end a body where they begin it. */
static bool find_starts(struct decoder *d)
{
    bool any = false;
    for (uint32_t i = 0; i < d->n_walkers; i++)
        any |= d->walkers[i].k.stage > 0;
    d->only_walks = true;
    if (any && !run_body(d))
        return false;
    d->only_walks = false;
    for (uint32_t i = 0; any && i < d->n_walkers; i++)
        if (d->walkers[i].like.stage < d->walkers[i].k.stage)
            d->walkers[i].at_start = d->walkers[i].s;
    return true;
}

bool isa_stream_decode(const uint8_t *bytes, uint64_t n, uint32_t most, struct arena *a,
                       struct isa_stream *out, const char **fault)
{
    struct arena *scratch = arena_new();
    struct decoder d = {.arena = scratch, .most = most};
    bool ok = find_parts(&d, bytes, n) && read_walkers(&d) && read_templates(&d) &&
              read_phrases(&d) && find_starts(&d) && run_body(&d);
    if (ok) {
        struct isa_inst *insts = d.insts = ARENA_ARRAY(a, struct isa_inst, d.n_insts);
        d.walker_of = ARENA_ARRAY(a, uint16_t, d.n_insts);
        if (!run_body(&d))
            BUG("a stream decodes once, and then not: %s", d.fault);
        *out = (struct isa_stream){d.n_insts, d.n_walkers, insts, d.walker_of};
    } else {
        *fault = arena_strdup(a, d.fault);
    }
    arena_free(scratch);
    return ok;
}
