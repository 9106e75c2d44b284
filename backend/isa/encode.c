/*
 * encode.c - instruction words <-> struct isa_inst, from isa.def alone.
 * Word: bit n is bit n % 8 of byte n / 8. Invariant: decode(encode(i)) == i, and only words that
 * encode can produce decode.
 */
#include "isa_internal.h"

#include <endian.h>
#include <string.h>

enum { WORD_BITS = ISA_INST_BYTES * 8, ISA_NO_COUNTER = 1023 };

struct writer {
    uint8_t *at;
    unsigned bit;
};
struct reader {
    const uint8_t *at;
    unsigned bit;
};

static void put(struct writer *w, uint32_t value, unsigned bits)
{
    if (bits < 32 && value >> bits)
        BUG("value %u does not fit in %u bits of an instruction", value, bits);
    for (unsigned done = 0; done < bits;) {
        unsigned shift = w->bit % 8, take = 8 - shift < bits - done ? 8 - shift : bits - done;
        uint32_t part = (value >> done) & ((1u << take) - 1);
        w->at[w->bit / 8] = (uint8_t)(w->at[w->bit / 8] | part << shift);
        done += take;
        w->bit += take;
    }
}

/* At most 57 bits of the word: one load of 8 bytes, which never leaves it, holds them. */
static inline uint64_t get(struct reader *r, unsigned bits)
{
    enum { LAST_LOAD = ISA_INST_BYTES - 8 };
    unsigned byte = r->bit / 8 < LAST_LOAD ? r->bit / 8 : LAST_LOAD;
    uint64_t eight;
    memcpy(&eight, r->at + byte, sizeof eight);
    eight = le64toh(eight) >> (r->bit - 8 * byte);
    r->bit += bits;
    return eight & ((UINT64_C(1) << bits) - 1);
}

static void put_field(struct writer *w, const struct isa_field *f, const struct isa_inst *in)
{
    const void *at = (const char *)in + f->offset;
    switch (f->kind) {
    case FIELD_WAIT: {
        const struct isa_wait *wait = at;
        bool has = wait < in->wait + in->n_waits;
        put(w, has ? wait->counter : ISA_NO_COUNTER, ISA_COUNTER_BITS);
        put(w, has ? wait->threshold : 0, ISA_THRESHOLD_BITS);
        return;
    }
    case FIELD_REGION: {
        const struct isa_region *region = at;
        put(w, region->view, ISA_VIEW_BITS);
        put(w, (uint16_t)region->y, 16);
        put(w, (uint16_t)region->x, 16);
        return;
    }
    case FIELD_U12:
    case FIELD_U16: put(w, *(const uint16_t *)at, isa_field_bits(f->kind)); return;
    case FIELD_S16: put(w, (uint16_t) * (const int32_t *)at, 16); return;
    case FIELD_CHANNEL: put(w, *(const uint32_t *)at, 16); return;
    }
}

static inline void get_WAIT(struct reader *r, struct isa_wait *out)
{
    uint64_t value = get(r, ISA_COUNTER_BITS + ISA_THRESHOLD_BITS);
    out->counter = value & ((1u << ISA_COUNTER_BITS) - 1);
    out->threshold = (uint32_t)(value >> ISA_COUNTER_BITS);
}

static inline void get_REGION(struct reader *r, struct isa_region *out)
{
    uint64_t value = get(r, ISA_VIEW_BITS + 32);
    out->view = value & ((1u << ISA_VIEW_BITS) - 1);
    out->y = (int16_t)(value >> ISA_VIEW_BITS);
    out->x = (int16_t)(value >> (ISA_VIEW_BITS + 16));
}

static inline void get_U12(struct reader *r, uint16_t *out)
{
    *out = (uint16_t)get(r, 12);
}

static inline void get_U16(struct reader *r, uint16_t *out)
{
    *out = (uint16_t)get(r, 16);
}

static inline void get_S16(struct reader *r, int32_t *out)
{
    *out = (int16_t)get(r, 16);
}

static inline void get_CHANNEL(struct reader *r, uint32_t *out)
{
    *out = (uint32_t)get(r, 16);
}

/* A case for each operation, in which all bit positions are constants. */
static void get_fields(struct reader *r, struct isa_inst *out)
{
    switch (out->op) {
#define INST(name, code, obj, doc) case code:
#define FIELD(inst, field, kind) get_##kind(r, &out->MEMBER_##field);
#define END(inst) break;
#include "isa.def"
#undef INST
#undef FIELD
#undef END
    }
}

void isa_encode(const struct isa_inst *in, uint8_t out[ISA_INST_BYTES])
{
    const struct isa_op_desc *op = isa_op_desc(in->op);
    const char *reason = isa_inst_illegal(in);
    if (reason || in->n_waits > isa_max_waits(in->op))
        BUG("cannot encode %u: %s", in->op, reason ? reason : "too many waits");
    memset(out, 0, ISA_INST_BYTES);
    struct writer w = {out, 0};
    put(&w, in->op, ISA_OP_BITS);
    put(&w, in->queue, ISA_QUEUE_BITS);
    put(&w, in->stage, ISA_STAGE_BITS);
    put(&w, in->flags, ISA_FLAG_BITS);
    put(&w, in->obj, ISA_OBJ_BITS);
    for (unsigned k = 0; k < op->n_fields; k++)
        put_field(&w, &op->fields[k], in);
}

bool isa_decode(const uint8_t in[ISA_INST_BYTES], struct isa_inst *out, const char **reason)
{
    static const struct isa_inst blank = {0};
    struct reader r = {in, 0};
    *out = blank;
    out->op = (uint8_t)get(&r, ISA_OP_BITS);
    out->queue = (uint8_t)get(&r, ISA_QUEUE_BITS);
    out->stage = (uint8_t)get(&r, ISA_STAGE_BITS);
    out->flags = (uint8_t)get(&r, ISA_FLAG_BITS);
    out->obj = (uint16_t)get(&r, ISA_OBJ_BITS);
    const struct isa_op_desc *op = isa_op_desc(out->op);
    if (!op) {
        *reason = "unknown operation";
        return false;
    }
    get_fields(&r, out);
    uint64_t rest = 0;
    while (r.bit < WORD_BITS)
        rest |= get(&r, WORD_BITS - r.bit < 57 ? WORD_BITS - r.bit : 57);
    for (unsigned k = 0; k < isa_max_waits(out->op); k++)
        if (out->wait[k].counter != ISA_NO_COUNTER)
            out->wait[out->n_waits++] = out->wait[k];
    *reason = rest ? "bits after the last field must be 0" : NULL;
    return *reason == NULL;
}

const uint8_t isa_halt_word[ISA_INST_BYTES] = {13};

const uint8_t *isa_tile_stream(const struct isa_tile *t, struct arena *a, uint64_t *bytes)
{
    *bytes = ((uint64_t)t->n_insts + 1) * ISA_INST_BYTES;
    uint8_t *words = arena_alloc(a, *bytes);
    for (uint32_t i = 0; i < t->n_insts; i++)
        isa_encode(&t->insts[i], words + (size_t)i * ISA_INST_BYTES);
    memcpy(words + *bytes - ISA_INST_BYTES, isa_halt_word, ISA_INST_BYTES);
    return words;
}
