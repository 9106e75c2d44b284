/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * validate.c - is a program safe to execute? The parts that belong to no single tile: images,
 * bindings, and that each inbound counter has one writer. ISA.md 10 lists the faults.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void fault(struct fault_sink *s, enum diag_code code, const char *what, uint32_t index,
                  const char *fmt, va_list ap)
{
    if (s->n++ >= ISA_MAX_FAULTS) {
        if (s->n == ISA_MAX_FAULTS + 1)
            diag_note(s->d, (struct loc){.file = s->path}, "more faults are not shown");
        return;
    }
    struct text where = {0};
    if (s->tile >= 0)
        text_add(&where, "tile %" PRId64 "%s", s->tile, what ? ", " : "");
    if (what)
        text_add(&where, "%s %u", what, index);
    diag_vat(s->d, (struct loc){.file = s->path, .entity = where.at}, code, NULL, fmt, ap);
    text_free(&where);
}

bool isa_fault(struct fault_sink *s, const char *what, uint32_t index, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault(s, DIAG_PROGRAM, what, index, fmt, ap);
    va_end(ap);
    return false;
}

bool isa_misfit(struct fault_sink *s, const char *what, uint32_t index, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault(s, DIAG_CAPACITY, what, index, fmt, ap);
    va_end(ap);
    return false;
}

bool isa_check_element(struct fault_sink *s, const char *what, uint32_t index, enum element e,
                       enum element_place place)
{
    if (!element_name(e))
        return isa_fault(s, what, index, "no element %u", (unsigned)e);
    if (!element_may_be(e, place, false))
        return isa_fault(s, what, index, "%s elements cannot be in %s %s", element_name(e),
                         *what == 'i' ? "an" : "a", what);
    return element_may_be(e, place, true) ||
           isa_fault(s, what, index, "%s elements are not supported yet", element_name(e));
}

static bool node_exists(const struct isa_program *p, uint32_t node)
{
    return node < p->n_nodes || node == ISA_NO_SOURCE;
}

bool isa_section_holds(const struct isa_program *p, uint32_t section, uint64_t offset,
                       uint64_t bytes)
{
    uint64_t length = section < p->n_sections ? p->sections[section].length : 0;
    return section < p->n_sections && bytes <= length && offset <= length - bytes;
}

static bool center_exists(const struct isa_program *p, const struct isa_image *i)
{
    return i->element == ELEMENT_i8 && i->center_offset % sizeof(int32_t) == 0 &&
           isa_section_holds(p, i->center - 1, i->center_offset, i->n * sizeof(int32_t));
}

/* None, or one for each slice of a weight, where sums are converted. */
static bool shift_fits(const struct isa_program *p, const struct isa_image *i)
{
    bool ok = i->n_shift == 0 || (i->element == ELEMENT_i8 && p->arch.adc_bits > 0 &&
                                  i->n_shift == arch_weight_slices(&p->arch, i->weight_bits));
    for (uint32_t k = 0; k < i->n_shift && ok; k++)
        ok = i->shift[k] <= ISA_MAX_READ_SHIFT;
    return ok;
}

static bool check_image(const struct isa_program *p, uint32_t index, struct fault_sink *s)
{
    const struct isa_image *i = &p->images[index];
    uint64_t bytes;
    if (!isa_check_element(s, "image", index, i->element, ELEMENT_IN_IMAGE))
        return false;
    if (i->section >= p->n_sections)
        return isa_fault(s, "image", index, "no section %u", i->section);
    if (i->k == 0 || i->n == 0 || i->offset % ISA_SECTION_ALIGNMENT != 0)
        return isa_fault(s, "image", index, "empty, or its offset is no multiple of %d",
                         ISA_SECTION_ALIGNMENT);
    if (p->no_weights && (p->sections[i->section].length || i->offset))
        return isa_fault(s, "image", index, "has weights in a program without weights");
    if (__builtin_mul_overflow((uint64_t)i->k * i->n, element_bytes(i->element), &bytes) ||
        (!p->no_weights && !isa_section_holds(p, i->section, i->offset, bytes)))
        return isa_fault(s, "image", index, "leaves section %u", i->section);
    if (i->center && !center_exists(p, i))
        return isa_fault(s, "image", index,
                         "a center is %u i32 in a section, at a multiple of 4, and of i8 weights",
                         i->n);
    if (!i->center && i->center_offset)
        return isa_fault(s, "image", index, "an offset of no center");
    if (i->weight_bits > (uint64_t)p->arch.weight_bits ||
        (i->weight_bits && i->element != ELEMENT_i8))
        return isa_fault(
            s, "image", index,
            "weights of %u bits: those of i8 have 1 to %lld, the machine's weight_bits, or 0",
            i->weight_bits, (long long)p->arch.weight_bits);
    if (!shift_fits(p, i))
        return isa_fault(s, "image", index,
                         "a shift for each of %lld slices, 0..%d, is of i8 weights and converters",
                         (long long)arch_weight_slices(&p->arch, i->weight_bits),
                         ISA_MAX_READ_SHIFT);
    return node_exists(p, i->node) || isa_fault(s, "image", index, "no node %u", i->node);
}

/* Elements of the outside tensor; false if they cannot be counted in bytes. */
static bool count_elements(const struct isa_binding *b, int64_t *out)
{
    int64_t bytes;
    *out = 1;
    for (uint32_t i = 0; i < b->rank; i++)
        if (b->shape[i] > INT64_MAX || !mul_i64(*out, (int64_t)b->shape[i], out))
            return false;
    return mul_i64(*out, (int64_t)element_bytes(b->element), &bytes);
}

/* Adds the least and the greatest of 0, 1*stride, .. (n-1)*stride to *least and *most. */
static bool add_extremes(uint32_t n, int64_t stride, int64_t *least, int64_t *most)
{
    int64_t last;
    if (!mul_i64((int64_t)n - 1, stride, &last))
        return false;
    return add_i64(last < 0 ? last : 0, *least, least) && add_i64(last > 0 ? last : 0, *most, most);
}

static bool check_binding(const struct isa_program *p, uint32_t index, struct fault_sink *s)
{
    const struct isa_binding *b = &p->bindings[index];
    int64_t n, least = 0, most = 0;
    if (!isa_check_element(s, "binding", index, b->element, ELEMENT_IN_DRAM))
        return false;
    if (b->index > UINT16_MAX || !node_exists(p, b->node))
        return isa_fault(s, "binding", index, "no such index or node");
    if (b->frame_stride && !p->frames)
        return isa_fault(s, "binding", index, "has a frame_stride, but the program no frames");
    if (b->height == 0 || b->width == 0 || b->channels == 0 || b->offset > INT64_MAX)
        return isa_fault(s, "binding", index, "its extents or offset are out of range");
    if (!count_elements(b, &n))
        return isa_fault(s, "binding", index, "its shape is too large");
    if (b->frame_stride && b->frame_stride != n)
        return isa_fault(s, "binding", index,
                         "frame_stride %" PRId64 " is neither 0 nor the %" PRId64
                         " elements of its tensor",
                         b->frame_stride, n);
    if (!add_extremes(b->height, b->stride_h, &least, &most) ||
        !add_extremes(b->width, b->stride_w, &least, &most) ||
        !add_extremes(b->channels, b->stride_c, &least, &most) ||
        !add_i64(least, (int64_t)b->offset, &least) || !add_i64(most, (int64_t)b->offset, &most) ||
        least < 0 || most >= n)
        return isa_fault(s, "binding", index, "reaches outside its tensor of %" PRId64 " elements",
                         n);
    return true;
}

static int compare_bindings(const void *a, const void *b)
{
    const struct isa_binding *x = *(const struct isa_binding *const *)a;
    const struct isa_binding *y = *(const struct isa_binding *const *)b;
    if (x->output != y->output)
        return x->output ? 1 : -1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Several bindings may show one outside tensor; then they agree on what it is. */
static bool check_binding_tensors(const struct isa_program *p, struct arena *scratch,
                                  struct fault_sink *s)
{
    const struct isa_binding **sorted =
        ARENA_ARRAY(scratch, const struct isa_binding *, p->n_bindings);
    bool ok = true;
    for (uint32_t i = 0; i < p->n_bindings; i++)
        sorted[i] = &p->bindings[i];
    qsort(sorted, p->n_bindings, sizeof *sorted, compare_bindings);
    for (uint32_t i = 1; i < p->n_bindings; i++) {
        const struct isa_binding *a = sorted[i - 1], *b = sorted[i];
        if (a->output == b->output && a->index == b->index &&
            (a->element != b->element || a->rank != b->rank || a->frame_stride != b->frame_stride ||
             (a->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) != 0)))
            ok = isa_fault(s, "binding", (uint32_t)(b - p->bindings),
                           "shows another tensor than binding %td of the same index",
                           a - p->bindings);
    }
    return ok;
}

/* ---- inbound counters ---- */

struct inbound_write {
    uint32_t to_tile, counter, tile, queue;
    uint64_t messages;
};
typedef VEC(struct inbound_write) inbound_writes;

static void collect_writes(const struct isa_tile *t, uint32_t tile, const struct route_use *uses,
                           inbound_writes *out)
{
    for (uint32_t r = 0; r < t->n_routes; r++)
        for (uint32_t k = 0; uses[r].used && k < t->routes[r].n_targets; k++) {
            const struct isa_target *to = &t->routes[r].targets[k];
            struct inbound_write w = {to->tile, to->counter, tile, uses[r].queue, uses[r].messages};
            VEC_PUSH(out, w);
        }
}

static int compare_writes(const void *a, const void *b)
{
    const struct inbound_write *x = a, *y = b;
    if (x->to_tile != y->to_tile)
        return x->to_tile < y->to_tile ? -1 : 1;
    if (x->counter != y->counter)
        return x->counter < y->counter ? -1 : 1;
    if (x->tile != y->tile)
        return x->tile < y->tile ? -1 : 1;
    return x->queue < y->queue ? -1 : x->queue > y->queue;
}

/* A body says how many messages of each counter an iteration brings; sorted writes. */
static bool check_steps(const struct isa_program *p, const inbound_writes *writes,
                        struct fault_sink *s)
{
    bool ok = true;
    size_t i = 0;
    for (uint32_t tile = 0; tile < p->n_tiles; tile++)
        for (uint32_t c = 0; c < p->tiles[tile].n_steps; c++) {
            uint64_t messages = 0;
            while (i < writes->n && writes->at[i].to_tile == tile &&
                   writes->at[i].counter == c + ISA_FIRST_INBOUND)
                messages += writes->at[i++].messages;
            s->tile = tile;
            if (messages != p->tiles[tile].step[c])
                ok = isa_fault(s, "counter", c + ISA_FIRST_INBOUND,
                               "receives %" PRIu64 " messages an iteration, its step is %u",
                               messages, p->tiles[tile].step[c]);
        }
    return ok;
}

static bool check_writers(inbound_writes *writes, struct fault_sink *s)
{
    bool ok = true;
    uint64_t messages = 0;
    if (writes->n)
        qsort(writes->at, writes->n, sizeof *writes->at, compare_writes);
    for (size_t i = 0; i < writes->n; i++) {
        const struct inbound_write *w = &writes->at[i], *before = w - 1;
        s->tile = w->to_tile;
        bool same = i && before->to_tile == w->to_tile && before->counter == w->counter;
        messages = (same ? messages : 0) + w->messages;
        if (messages > ISA_MAX_COUNT && messages - w->messages <= ISA_MAX_COUNT)
            ok = isa_fault(s, "counter", w->counter, "receives more than %d messages",
                           ISA_MAX_COUNT);
        if (same && (before->tile != w->tile || before->queue != w->queue))
            ok = isa_fault(s, "counter", w->counter,
                           "has two writers: tile %u queue %u and tile %u queue %u", before->tile,
                           before->queue, w->tile, w->queue);
    }
    return ok;
}

static bool check_tiles(const struct isa_program *p, struct arena *scratch, struct diag *d)
{
    inbound_writes writes = {0};
    bool ok = true;
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        const struct isa_tile *t = &p->tiles[i];
        struct fault_sink s = {d, p->file.path, i, 0};
        struct group_facts *facts = ARENA_ARRAY(scratch, struct group_facts, t->n_groups);
        struct route_use *uses = ARENA_ARRAY(scratch, struct route_use, t->n_routes);
        if (!isa_validate_tables(p, i, facts, scratch, &s) ||
            !isa_validate_stream(p, i, facts, uses, &s))
            ok = false;
        else
            collect_writes(t, i, uses, &writes);
    }
    struct fault_sink s = {d, p->file.path, 0, 0};
    if (!check_writers(&writes, &s) || (ok && !check_steps(p, &writes, &s)))
        ok = false;
    VEC_FREE(&writes);
    return ok;
}

static bool check_frames(const struct isa_program *p, struct fault_sink *s)
{
    if (p->frames > ISA_MAX_FRAMES)
        return isa_fault(s, NULL, 0, "%u frames, more than %d", p->frames, ISA_MAX_FRAMES);
    if (!p->frames && (p->pace || p->interval_cycles || p->latency_cycles))
        return isa_fault(s, NULL, 0, "a pace, interval or latency without frames");
    return true;
}

static bool check_totals(const struct isa_program *p, struct fault_sink *s)
{
    bool ok = true;
    uint64_t bytes = 0;
    if (p->n_tiles > ISA_MAX_TILES || (p->arch.tiles && p->n_tiles > p->arch.tiles))
        ok = isa_misfit(s, NULL, 0, "%u tiles, more than the machine has", p->n_tiles);
    for (uint32_t i = 0; i < p->n_tiles; i++)
        if (__builtin_add_overflow(bytes, p->tiles[i].buffer_bytes, &bytes))
            bytes = UINT64_MAX, i = p->n_tiles - 1;
    if (bytes > ISA_MAX_BYTES)
        ok = isa_fault(s, NULL, 0, "the buffers of all tiles take more than %" PRId64 " bytes",
                       ISA_MAX_BYTES);
    return ok;
}

bool isa_validate(const struct isa_program *p, struct diag *d)
{
    struct fault_sink s = {d, p->file.path, -1, 0};
    struct arena *scratch = arena_new();
    bool ok =
        check_frames(p, &s) && check_totals(p, &s) && isa_record_fits(&s, NULL, 0, REC_program, p);
    for (uint32_t i = 0; i < p->n_images; i++)
        ok &= check_image(p, i, &s) && isa_record_fits(&s, "image", i, REC_image, &p->images[i]);
    for (uint32_t i = 0; i < p->n_bindings; i++)
        ok &= check_binding(p, i, &s) &&
              isa_record_fits(&s, "binding", i, REC_binding, &p->bindings[i]);
    ok &= check_binding_tensors(p, scratch, &s);
    /* Tiles refer to images and bindings. */
    ok = ok && check_tiles(p, scratch, d) && isa_check_features(p, &s);
    arena_free(scratch);
    return ok;
}
