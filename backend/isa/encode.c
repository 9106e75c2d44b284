/*
 * encode.c - instruction words <-> struct isa_inst, from the field table alone.
 * Word: bit n is bit n % 8 of byte n / 8. Invariant: decode(encode(i)) == i, and only words that
 * encode can produce decode.
 */
#include "isa_internal.h"

#include <endian.h>
#include <string.h>

enum { WORD_BITS = ISA_INST_BYTES * 8 };

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

/* At most 32 bits of the word: one load of 8 bytes, which never leaves it, holds them. */
static uint32_t get(struct reader *r, unsigned bits)
{
    enum { LAST_LOAD = ISA_INST_BYTES - 8 };
    unsigned byte = r->bit / 8 < LAST_LOAD ? r->bit / 8 : LAST_LOAD;
    uint64_t eight;
    memcpy(&eight, r->at + byte, sizeof eight);
    eight = le64toh(eight) >> (r->bit - 8 * byte);
    r->bit += bits;
    return (uint32_t)(eight & ((UINT64_C(1) << bits) - 1));
}

static void put_field(struct writer *w, const struct isa_field *f, const struct isa_inst *in)
{
    const void *at = (const char *)in + f->offset;
    switch (f->kind) {
    case FIELD_WAIT: {
        const struct isa_wait *wait = at;
        put(w, wait->counter, ISA_COUNTER_BITS);
        put(w, wait->threshold, ISA_THRESHOLD_BITS);
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
    case FIELD_S16: put(w, (uint16_t) * (const int16_t *)at, 16); return;
    }
}

static void get_field(struct reader *r, const struct isa_field *f, struct isa_inst *out)
{
    void *at = (char *)out + f->offset;
    switch (f->kind) {
    case FIELD_WAIT: {
        struct isa_wait *wait = at;
        wait->counter = (uint16_t)get(r, ISA_COUNTER_BITS);
        wait->threshold = get(r, ISA_THRESHOLD_BITS);
        return;
    }
    case FIELD_REGION: {
        struct isa_region *region = at;
        region->view = (uint16_t)get(r, ISA_VIEW_BITS);
        region->y = (int16_t)get(r, 16);
        region->x = (int16_t)get(r, 16);
        return;
    }
    case FIELD_U12:
    case FIELD_U16: *(uint16_t *)at = (uint16_t)get(r, isa_field_bits(f->kind)); return;
    case FIELD_S16: *(int16_t *)at = (int16_t)get(r, 16); return;
    }
}

/* What decodes must obey beyond its field widths; NULL = fine. */
static const char *illegal(const struct isa_op_desc *op, const struct isa_inst *i)
{
    if (i->stage)
        return "stage must be 0";
    if (op->code == ISA_vred ? i->flags & ~VRED_FLAGS || !(i->flags & VRED_AXES) : i->flags != 0)
        return op->code == ISA_vred ? "flags must be axes and kind" : "flags must be 0";
    if (!op->obj && i->obj)
        return "obj must be 0";
    if (op->code == ISA_halt && i->queue)
        return "queue must be 0";
    for (unsigned k = 0; k < ISA_MAX_WAITS; k++)
        if (i->wait[k].counter == ISA_NO_COUNTER && i->wait[k].threshold)
            return "a wait for no counter must have threshold 0";
    return NULL;
}

void isa_encode(const struct isa_inst *in, uint8_t out[ISA_INST_BYTES])
{
    const struct isa_op_desc *op = isa_op_desc(in->op);
    if (!op)
        BUG("no operation %u", in->op);
    const char *reason = illegal(op, in);
    for (unsigned k = isa_max_waits(in->op); k < ISA_MAX_WAITS && !reason; k++)
        if (in->wait[k].counter != ISA_NO_COUNTER)
            reason = "more waits than the operation can carry";
    if (reason)
        BUG("cannot encode %s: %s", op->name, reason);
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
    struct reader r = {in, 0};
    *out = isa_inst_new(ISA_nop, 0);
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
    for (unsigned k = 0; k < op->n_fields; k++)
        get_field(&r, &op->fields[k], out);
    uint32_t rest = 0;
    while (r.bit < WORD_BITS)
        rest |= get(&r, WORD_BITS - r.bit < 32 ? WORD_BITS - r.bit : 32);
    *reason = rest ? "bits after the last field must be 0" : illegal(op, out);
    return *reason == NULL;
}
