/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_form.c - records of a stream: their bits (ISA.md 9) in one table for both directions, and
 * the step of a walker.
 */
#include "stream.h"

#include <string.h>

const uint8_t stream_part_bytes[N_STREAM_PARTS] = {16, 32, 16, 4, 8, 4, 1, 1};

#define AT(field, bits)                                                                            \
    {                                                                                              \
        offsetof(struct stream_walker, field), bits, false, #field                                 \
    }
#define COMMON                                                                                     \
    AT(op, 5), AT(queue, 7), AT(flags, 4), AT(stage, 5), AT(obj, 10), AT(dst, 10), AT(a, 10),      \
        AT(b, 10)
static const struct stream_field short_walker[] = {COMMON,     AT(xs, 14), AT(x1, 14),
                                                   AT(ys, 13), AT(y1, 13), AT(w, 13)};
static const struct stream_field long_walker[] = {
    COMMON,         AT(xs, 23),      AT(x1, 23),       AT(ys, 23), AT(y1, 23),
    AT(w, 16),      AT(w_first, 16), AT(w_last, 16),   AT(h, 12),  AT(h_first, 12),
    AT(h_last, 12), AT(gap, 4),      AT(extension, 15)};
#undef AT
#define AT(field, is_signed)                                                                       \
    {                                                                                              \
        offsetof(struct stream_extension, field), STREAM_FAR_BITS, is_signed, #field               \
    }
static const struct stream_field extension[] = {AT(a_y, true), AT(a_x, true), AT(b_y, true),
                                                AT(b_x, true), AT(c, false)};
#undef AT
#define AT(field, bits, name)                                                                      \
    {                                                                                              \
        offsetof(struct stream_template, field), bits, false, name                                 \
    }
#define WAIT(k)                                                                                    \
    AT(wait[k].counter, ISA_COUNTER_BITS, "wait" #k "_counter"),                                   \
        AT(wait[k].mode, 2, "wait" #k "_mode"),                                                    \
        AT(wait[k].value, STREAM_VALUE_BITS, "wait" #k "_value")
static const struct stream_field small_template[] = {AT(walker, 8, "walker"), WAIT(0)};
static const struct stream_field large_template[] = {AT(walker, 14, "walker"), AT(more, 2, "more"),
                                                     WAIT(0), WAIT(1)};
#undef AT
static const struct stream_field phrase[] = {
    {offsetof(struct stream_phrase, start), STREAM_PHRASE_START_BITS, false, "start"},
    {offsetof(struct stream_phrase, length), STREAM_PHRASE_LENGTH_BITS, false, "length"}};

#define FORM(fields)                                                                               \
    {                                                                                              \
        sizeof(fields) / sizeof *(fields), fields                                                  \
    }
const struct stream_form stream_forms[PART_PHRASE_MEMORY] = {
    [PART_SHORT_WALKERS] = FORM(short_walker),     [PART_LONG_WALKERS] = FORM(long_walker),
    [PART_EXTENSIONS] = FORM(extension),           [PART_SMALL_TEMPLATES] = FORM(small_template),
    [PART_LARGE_TEMPLATES] = FORM(large_template), [PART_PHRASES] = FORM(phrase)};

void stream_pack(enum stream_part part, const void *record, uint8_t *out)
{
    const struct stream_form *form = &stream_forms[part];
    unsigned bit = 0;
    memset(out, 0, stream_part_bytes[part]);
    for (unsigned i = 0; i < form->n; i++) {
        uint32_t value;
        memcpy(&value, (const char *)record + form->fields[i].offset, sizeof value);
        if (value >> form->fields[i].bits)
            BUG("%u does not fit in %u bits of a stream", value, form->fields[i].bits);
        for (unsigned left = form->fields[i].bits; left > 0;) {
            unsigned room = 8 - bit % 8, take = room < left ? room : left;
            out[bit / 8] |= (uint8_t)((value & ((1u << take) - 1)) << bit % 8);
            value >>= take;
            bit += take;
            left -= take;
        }
    }
}

bool stream_unpack(enum stream_part part, const uint8_t *in, void *record)
{
    const struct stream_form *form = &stream_forms[part];
    unsigned bit = 0;
    for (unsigned i = 0; i < form->n; i++) {
        uint32_t value = 0;
        for (unsigned done = 0; done < form->fields[i].bits;) {
            unsigned room = 8 - bit % 8, left = form->fields[i].bits - done;
            unsigned take = room < left ? room : left;
            value |= (in[bit / 8] >> bit % 8 & ((1u << take) - 1)) << done;
            bit += take;
            done += take;
        }
        memcpy((char *)record + form->fields[i].offset, &value, sizeof value);
    }
    unsigned rest = 0;
    for (; bit < 8u * stream_part_bytes[part]; bit++)
        rest |= in[bit / 8] >> bit % 8 & 1;
    return rest == 0;
}

const struct isa_region *stream_region(const struct isa_inst *i)
{
    unsigned uses = isa_op_desc(i->op)->uses;
    return uses & USE_dst ? &i->dst : uses & USE_a ? &i->a : NULL;
}

/* One extent, by the distance to the end. */
static inline int32_t extent(int32_t at, uint32_t first, uint32_t end, uint32_t usual,
                             uint32_t at_first, uint32_t at_last)
{
    int32_t rest = (int32_t)end - at;
    return rest <= (int32_t)at_last ? rest : (int32_t)(at == (int32_t)first ? at_first : usual);
}

bool stream_step(const struct stream_walker *k, struct stream_state *s, struct stream_place *out)
{
    *out = (struct stream_place){s->y, s->x, (int32_t)s->w, (int32_t)s->h};
    if (!s->w) {
        out->w = extent(s->x, k->xs, k->x1, k->w, k->w_first, k->w_last);
        out->h = extent(s->y, k->ys, k->y1, k->h, k->h_first, k->h_last);
    }
    if (out->w < 1 || out->w > ISA_MAX_W || out->h < 1 || out->h > ISA_MAX_H)
        return false;
    s->w = s->h = 0;
    s->x += out->w;
    if (s->x != (int32_t)k->x1)
        return true;
    s->x = (int32_t)k->xs;
    s->y += out->h + (int32_t)k->gap;
    if (s->y >= (int32_t)k->y1)
        s->y = (int32_t)k->ys;
    return true;
}
