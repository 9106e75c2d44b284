/*
 * check_map.c - VMAP: the vector program is matched with the graph once for each program, result
 * and kind of operands; each instruction then only shows that its operands are the elements it
 * needs.
 */
#include "check_internal.h"

#include <string.h>

struct map_plan {
    struct map_plan *next;
    uint32_t value, channel0, n_channels;
    uint32_t range_index[2];
    uint32_t preload_writes; /* of the tile, when the constants were compared */
    struct match match;
    bool right;
};

static const struct check_view *dst_view(const struct actor *a)
{
    return &a->t->views[a->in->dst.view];
}

/* The first pixel of an operand that is no padding, and the tag of its first channel. */
static void take_sample(const struct actor *a, unsigned i, struct match *m)
{
    const struct isa_region *r = i ? &a->in->b : &a->in->a;
    const struct check_view *v = &a->t->views[r->view];
    int64_t y = max_i64(r->y, 0), x = max_i64(r->x, 0);
    bool inside = y >= v->v->y0 && y < min_i64(r->y + (int64_t)a->in->h, v->v->y1) &&
                  x >= v->v->x0 && x < min_i64(r->x + (int64_t)a->in->w, v->v->x1) && v->cluster;
    if (!inside) {
        y = r->y;
        x = r->x;
    }
    m->at[i][0] = a->in->dst.y + y - r->y;
    m->at[i][1] = a->in->dst.x + x - r->x;
    m->at[i][2] = m->channel0;
    m->tag[i] = inside ? (uint32_t)check_mark(v, y, x, 0) : 0;
}

static uint32_t range_index(const struct check *k, uint32_t tag)
{
    const struct tag_range *r = tag ? check_range_of(k, tag) : NULL;
    return r ? (uint32_t)(r - k->tags.ranges.at) : CHECK_NONE;
}

/* Does what was found once hold for this instruction's sample? */
static bool still_fits(struct check *k, const struct map_plan *p, const struct match *sample)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!p->match.bound[i])
            continue;
        struct expected e = check_expect(k, &p->match.leaf[i], sample->at[i], 1);
        if (e.is_fill ? sample->tag[i] != 0 : e.tag != sample->tag[i] && !e.constant)
            return false;
    }
    return true;
}

static bool same_key(const struct map_plan *a, const struct map_plan *b)
{
    return a->value == b->value && a->channel0 == b->channel0 && a->n_channels == b->n_channels &&
           memcmp(a->range_index, b->range_index, sizeof a->range_index) == 0;
}

static void report_mismatch(struct actor *a, const struct match *m)
{
    char x[256], y[256];
    check_tag_text(a->k, m->tag[0], x, sizeof x);
    check_tag_text(a->k, m->tag[1], y, sizeof y);
    check_fault(a, "vector program %u does not compute '%s' from %s%s%s", a->in->obj,
                check_op_name(a->k, m->result->id), x, m->program->arity == 2 ? " and " : "",
                m->program->arity == 2 ? y : "");
}

static const struct map_plan *plan_of(struct actor *a, const struct ir_op *result)
{
    const struct isa_program_entry *e = &a->t->t->programs[a->in->obj];
    const struct isa_view *dst = dst_view(a)->v;
    struct map_plan key = {.value = dst->value,
                           .channel0 = dst->channel0,
                           .n_channels = dst->channels,
                           .preload_writes = a->t->preload_writes};
    key.match = (struct match){.k = a->k,
                               .program = e,
                               .constants = &a->t->views[e->constants_view],
                               .result = result,
                               .channel0 = dst->channel0,
                               .n_channels = dst->channels};
    take_sample(a, 0, &key.match);
    if (e->arity == 2)
        take_sample(a, 1, &key.match);
    for (unsigned i = 0; i < 2; i++)
        key.range_index[i] = range_index(a->k, key.match.tag[i]);
    struct map_plan **head = &a->t->map_plans[a->in->obj], *p = *head;
    while (p && !same_key(p, &key))
        p = p->next;
    if (p && p->right && p->preload_writes == key.preload_writes && still_fits(a->k, p, &key.match))
        return p;
    if (!p) {
        p = ARENA_NEW(a->k->arena, struct map_plan);
        key.next = *head;
        *head = p;
    } else {
        key.next = p->next;
    }
    *p = key;
    p->right = check_match(&p->match);
    if (!p->right)
        report_mismatch(a, &key.match);
    return p->right ? p : NULL;
}

/* The rows of constants that the program uses. */
static void read_constants(struct actor *a)
{
    const struct isa_program_entry *e = &a->t->t->programs[a->in->obj];
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->n_ops; i++) {
        uint32_t x = e->ops[i].x, y = e->ops[i].y, most = x > y ? x : y;
        if (most >= LANE_CONST0 && most - LANE_CONST0 >= n)
            n = most - LANE_CONST0 + 1;
    }
    const struct check_view *v = &a->t->views[e->constants_view];
    for (uint32_t i = 0; i < n; i++) {
        if (!a->k->g)
            check_read_span(a, e->constants_view, (struct span){i, 0, 1, 0, v->v->channels}, NULL,
                            (int64_t[3]){0});
        else
            check_note_read(a, v, i);
    }
}

void check_vmap(struct actor *a)
{
    const struct isa_inst *in = a->in;
    uint32_t value = dst_view(a)->v->value, arity = a->t->t->programs[in->obj].arity;
    const struct ir_op *op = a->k->g && value < a->k->tags.n_ops ? a->k->tags.ops[value] : NULL;
    const struct map_plan *p = NULL;
    if (a->k->g && !(op && op->out))
        check_fault(a, "its result is no value of the graph");
    else if (op && check_inside(a, op, in->h, in->w))
        p = plan_of(a, op);
    int64_t at[3] = {in->dst.y, in->dst.x, dst_view(a)->v->channel0};
    check_read_region(a, &in->a, p && p->match.bound[0] ? &p->match.leaf[0] : NULL, at);
    if (arity == 2)
        check_read_region(a, &in->b, p && p->match.bound[1] ? &p->match.leaf[1] : NULL, at);
    read_constants(a);
    check_write_dst(a, in->h, in->w, p ? &p->match.made : NULL);
}
