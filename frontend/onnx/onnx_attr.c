/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_attr.c - attributes of a node, by name and type.
 *
 * A missing attribute gives the caller's default. One of another type, or given twice, is reported,
 * sets node->failed, and also gives the default, so that import functions need not check each one.
 */
#include "onnx_node.h"

#include <string.h>

static const Onnx__AttributeProto *find(struct onnx_node *n, const char *name)
{
    const Onnx__AttributeProto *found = NULL;
    for (size_t i = 0; i < n->proto->n_attribute; i++) {
        const Onnx__AttributeProto *a = n->proto->attribute[i];
        if (!a->name || strcmp(a->name, name) != 0)
            continue;
        n->attrs_read |= UINT64_C(1) << i;
        if (found) {
            n->failed = true;
            onnx_error(n, "attribute '%s' is given twice", a->name);
        }
        found = a;
    }
    return found;
}

static const Onnx__AttributeProto *find_typed(struct onnx_node *n, const char *name,
                                              Onnx__AttributeProto__AttributeType type,
                                              const char *type_name)
{
    const Onnx__AttributeProto *a = find(n, name);
    if (!a)
        return NULL;
    if (a->has_type && a->type == type)
        return a;
    n->failed = true;
    onnx_error(n, "attribute '%s' is not %s", name, type_name);
    return NULL;
}

bool onnx_has_attr(struct onnx_node *n, const char *name)
{
    return find(n, name) != NULL;
}

void onnx_ignore_attr(struct onnx_node *n, const char *name)
{
    (void)find(n, name);
}

int64_t onnx_attr_i64(struct onnx_node *n, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, "an integer");
    return a ? a->i : otherwise;
}

float onnx_attr_f32(struct onnx_node *n, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, "a float");
    return a ? a->f : otherwise;
}

const char *onnx_attr_str(struct onnx_node *n, const char *name, const char *otherwise)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, "a string");
    return a ? arena_strndup(n->im->arena, a->s.len ? (const char *)a->s.data : "", a->s.len)
             : otherwise;
}

struct choice {
    const char *text;
    int64_t since;
};
#define CHOICES(set) static const struct choice choices_##set[] = {
#define CHOICE(set, id, text, since) {text, since},
#define END_CHOICES(set)                                                                           \
    }                                                                                              \
    ;
#include "choices.def"
#undef CHOICES
#undef CHOICE
#undef END_CHOICES
static const struct {
    const struct choice *at;
    unsigned n;
} choices[] = {
#define CHOICES(set) {choices_##set, sizeof choices_##set / sizeof *choices_##set},
#define CHOICE(set, id, text, since)
#define END_CHOICES(set)
#include "choices.def"
#undef CHOICES
#undef CHOICE
#undef END_CHOICES
};

/* "a, b and c", of those that the opset has. */
static void list_choices(const struct onnx_node *n, enum onnx_choices set, struct text *out)
{
    unsigned left = 0;
    for (unsigned i = 0; i < choices[set].n; i++)
        left += choices[set].at[i].since <= n->im->opset;
    unsigned all = left;
    for (unsigned i = 0; i < choices[set].n; i++) {
        if (choices[set].at[i].since > n->im->opset)
            continue;
        text_add(out, "%s%s",
                 left == all ? ""
                 : left == 1 ? " and "
                             : ", ",
                 choices[set].at[i].text);
        left--;
    }
    text_add(out, " %s supported", all == 1 ? "is" : "are");
}

bool onnx_attr_choice(struct onnx_node *n, const char *name, enum onnx_choices set, unsigned *out)
{
    const char *text = onnx_attr_str(n, name, choices[set].at[0].text);
    struct text list = {0};
    for (*out = 0; *out < choices[set].n; ++*out) {
        const struct choice *c = &choices[set].at[*out];
        if (c->since <= n->im->opset && strcmp(text, c->text) == 0)
            return true;
    }
    list_choices(n, set, &list);
    onnx_error(n, "%s is '%s'; %s", name, text, list.at);
    text_free(&list);
    return false;
}

struct ir_ints onnx_attr_ints(struct onnx_node *n, const char *name)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, "a list of integers");
    if (!a || a->n_ints > UINT32_MAX)
        return (struct ir_ints){0};
    return (struct ir_ints){.n = (uint32_t)a->n_ints, .at = a->ints};
}

const float *onnx_attr_f32s(struct onnx_node *n, const char *name, size_t *n_out)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS, "a list of floats");
    *n_out = a ? a->n_floats : 0;
    return a ? a->floats : NULL;
}

const char *const *onnx_attr_strs(struct onnx_node *n, const char *name, size_t *n_out)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS, "a list of strings");
    *n_out = a ? a->n_strings : 0;
    const char **out = ARENA_ARRAY(n->im->arena, const char *, *n_out);
    for (size_t i = 0; i < *n_out; i++)
        out[i] =
            arena_strndup(n->im->arena, a->strings[i].len ? (const char *)a->strings[i].data : "",
                          a->strings[i].len);
    return out;
}

const Onnx__TensorProto *onnx_attr_tensor(struct onnx_node *n, const char *name)
{
    const Onnx__AttributeProto *a =
        find_typed(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR, "a tensor");
    if (a && !a->t) {
        n->failed = true;
        onnx_error(n, "attribute '%s' holds no tensor", name);
    }
    return a ? a->t : NULL;
}

double onnx_attr_number(struct onnx_node *n, const char *name, double otherwise)
{
    const Onnx__AttributeProto *a = find(n, name);
    struct ir_type type;
    struct blob *b;
    if (a && a->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT)
        return (double)a->i;
    if (!a || a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)
        return (double)onnx_attr_f32(n, name, (float)otherwise);
    const Onnx__TensorProto *t = onnx_attr_tensor(n, name);
    if (!t || !onnx_tensor_blob(&n->im->model, t, n->loc, n->im->diag, &type, &b)) {
        n->failed = true;
        return otherwise;
    }
    const struct ir_value *v = onnx_const(n, type, b);
    if (ir_count(&type) == 1)
        return ir_const_f64(v->def, 0);
    n->failed = true;
    onnx_error(n, "attribute '%s' is not one number", name);
    return otherwise;
}

void onnx_warn_unread(struct onnx_node *n)
{
    for (size_t i = 0; i < n->proto->n_attribute; i++)
        if (!(n->attrs_read >> i & 1))
            diag_warn(n->im->diag, n->loc, DIAG_ONNX_ATTR,
                      "attribute '%s' is not known and has no effect",
                      n->proto->attribute[i]->name ? n->proto->attribute[i]->name : "");
}

bool onnx_axis(struct onnx_node *n, int64_t axis, int64_t rank, int64_t *out)
{
    if (axis < -rank || axis >= rank)
        return onnx_error(n, "axis %lld is not one of %lld dimensions", (long long)axis,
                          (long long)rank);
    *out = axis < 0 ? axis + rank : axis;
    return true;
}

bool onnx_axes(struct onnx_node *n, struct ir_ints axes, int64_t rank, bool flags[IR_MAX_RANK])
{
    memset(flags, 0, IR_MAX_RANK * sizeof *flags);
    for (uint32_t i = 0; i < axes.n; i++) {
        int64_t axis = 0;
        if (!onnx_axis(n, axes.at[i], rank, &axis))
            return false;
        if (flags[axis])
            return onnx_error(n, "axis %lld is given twice", (long long)axis);
        flags[axis] = true;
    }
    return true;
}
