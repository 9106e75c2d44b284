/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * validate_types.c - do the elements of an instruction's operands go together? Vector programs are
 * typed here, for the views at hand (ISA.md 5, 6, 7, 8).
 */
#include "isa_internal.h"

bool isa_is_value(uint32_t pattern, enum element e)
{
    return e != ELEMENT_u8 || pattern <= UINT8_MAX;
}

static enum element element_of(const struct isa_tile *t, const struct isa_region *r)
{
    return t->views[r->view].element;
}

static const char *mvm_fault(const struct isa_program *p, const struct isa_tile *t,
                             const struct isa_inst *i)
{
    const struct isa_group *g = &t->groups[i->obj];
    bool floats = p->images[g->image].element == ELEMENT_f32;
    bool fits = t->views[g->source_view].element == (floats ? ELEMENT_f32 : ELEMENT_u8) &&
                element_of(t, &i->dst) == (floats ? ELEMENT_f32 : ELEMENT_i32);
    return fits ? NULL : "multiplies f32 with f32 to f32, or u8 with i8 to i32";
}

static const char *vmap_fault(const struct isa_tile *t, const struct isa_inst *i)
{
    const struct isa_program_entry *e = &t->programs[i->obj];
    enum isa_type types[ISA_MAX_LANE_OPS];
    uint32_t n = isa_lane_types(t, e, isa_type_of(element_of(t, &i->a)),
                                isa_type_of(element_of(t, &i->b)), types);
    if (n < e->n_ops)
        return "an operation of its program takes operands of another type";
    bool fits =
        types[n - 1] == ISA_TYPE_NONE || types[n - 1] == isa_type_of(element_of(t, &i->dst));
    return fits ? NULL : "the result is of another type than dst";
}

/* ---- windows ---- */

/* Has each window of the region a cell that counts along the axis? */
static bool all_count(const struct isa_window *w, const struct isa_view *a, unsigned axis,
                      int64_t from, uint32_t n)
{
    struct isa_axis at = isa_window_axis(w, axis, from, n);
    return isa_axis_counts(&at, -(int64_t)w->counted[axis],
                           (int64_t)(axis == 0 ? a->height : a->width) + w->counted[axis + 2]);
}

static const char *vwin_fault(const struct isa_tile *t, const struct isa_inst *i)
{
    static const struct {
        enum isa_window_kind kind;
        enum element from, to;
    } legal[] = {{WINDOW_MAX, ELEMENT_u8, ELEMENT_u8},
                 {WINDOW_SUM, ELEMENT_u8, ELEMENT_i32},
                 {WINDOW_AVERAGE, ELEMENT_u8, ELEMENT_f32},
                 {WINDOW_OVERLAP, ELEMENT_i32, ELEMENT_i32}};
    const struct isa_window *w = &t->windows[i->obj];
    const struct isa_view *a = &t->views[i->a.view];
    enum element to = element_of(t, &i->dst);
    bool fits = a->element == ELEMENT_f32 && to == ELEMENT_f32;
    for (size_t k = 0; k < sizeof legal / sizeof *legal; k++)
        fits |= legal[k].kind == w->kind && legal[k].from == a->element && legal[k].to == to;
    if (!fits)
        return "a window of this kind does not take these elements to those of dst";
    bool counted = w->kind != WINDOW_AVERAGE ||
                   (all_count(w, a, 0, i->dst.y, i->h) && all_count(w, a, 1, i->dst.x, i->w));
    return counted ? NULL : "the mean of a window without a counted cell";
}

static const char *vred_fault(const struct isa_tile *t, const struct isa_inst *i)
{
    enum element from = element_of(t, &i->a), to = element_of(t, &i->dst);
    if (from == ELEMENT_f32)
        return to == ELEMENT_f32 ? NULL : "reduces f32 to f32";
    if (i->flags & VRED_SUM)
        return to == ELEMENT_i32 ? NULL : "sums of u8 and i32 are i32";
    return from == to ? NULL : "the greatest of u8 is an u8, of i32 an i32";
}

static const char *vdot_fault(const struct isa_tile *t, const struct isa_inst *i)
{
    enum element a = element_of(t, &i->a), b = element_of(t, &i->b), to = element_of(t, &i->dst);
    bool fits = a == b &&
                ((a == ELEMENT_f32 && to == ELEMENT_f32) || (a == ELEMENT_u8 && to == ELEMENT_i32));
    return fits ? NULL : "multiplies f32 with f32 to f32, or u8 with u8 to i32";
}

/* ---- moves ---- */

static const char *vgat_fault(const struct isa_tile *t, const struct isa_inst *i)
{
    enum element e = element_of(t, &i->a);
    if (e != element_of(t, &i->dst))
        return "a and dst have other elements";
    return isa_is_value(t->gathers[i->obj].fill, e) ? NULL : "the fill is no value of the element";
}

static const char *vtake_fault(const struct isa_tile *t, const struct isa_inst *i)
{
    if (element_of(t, &i->b) != ELEMENT_i32)
        return "indices are i32";
    return element_of(t, &i->a) == element_of(t, &i->dst) ? NULL : "a and dst have other elements";
}

static const char *dma_fault(const struct isa_program *p, const struct isa_inst *i, enum element e)
{
    static const enum element in_buffer[N_ELEMENTS] = {
        [ELEMENT_f32] = ELEMENT_f32, [ELEMENT_f16] = ELEMENT_f32, [ELEMENT_u8] = ELEMENT_u8,
        [ELEMENT_i8] = ELEMENT_u8,   [ELEMENT_i32] = ELEMENT_i32, [ELEMENT_i64] = ELEMENT_i32};
    bool fits = in_buffer[p->bindings[i->obj].element] == e;
    return fits ? NULL
                : "f32 and f16 go with f32 in the buffer, u8 and i8 with u8, i32 and i64 with i32";
}

const char *isa_type_fault(const struct isa_program *p, const struct isa_tile *t,
                           const struct isa_inst *i)
{
    switch (i->op) {
    case ISA_mvm: return mvm_fault(p, t, i);
    case ISA_vmap: return vmap_fault(t, i);
    case ISA_vwin: return vwin_fault(t, i);
    case ISA_vred: return vred_fault(t, i);
    case ISA_vgat: return vgat_fault(t, i);
    case ISA_vdot: return vdot_fault(t, i);
    case ISA_vtake: return vtake_fault(t, i);
    case ISA_load: return dma_fault(p, i, element_of(t, &i->dst));
    case ISA_store: return dma_fault(p, i, element_of(t, &i->a));
    default: return NULL;
    }
}
