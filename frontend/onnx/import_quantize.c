/*
 * import_quantize.c - QuantizeLinear and DequantizeLinear of constants, so that weights kept as
 * integers, or passed through both by quantisation-aware training, become floats.
 *
 * q = saturate(round_half_to_even(x / scale) + zero_point), x = (q - zero_point) * scale.
 * A scale with one element holds for the whole tensor, whatever `axis` says; one with more has one
 * for each element of dimension `axis`, by default 1.
 */
#include "onnx_node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scales {
    const float *scale;
    const int64_t *zero; /* NULL: 0 */
    int64_t n, inner;    /* element i belongs to scale (i / inner) % n */
};

static bool is_run_time(struct onnx_node *n, struct ir_value *x)
{
    n->at_run_time |= !onnx_is_const(x);
    for (size_t i = 1; i < n->proto->n_input; i++)
        n->at_run_time |= onnx_has_in(n, i) && n->in[i]->value && !onnx_is_const(n->in[i]->value);
    return n->at_run_time;
}

/* Elements of an integer constant. */
static int64_t *integers(struct onnx_node *n, const struct ir_op *c)
{
    int64_t count = ir_count(&c->out->type);
    int64_t *at = ARENA_ARRAY(n->im->arena, int64_t, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        at[i] = ir_const_i64(c, i);
    return at;
}

static bool read_scales(struct onnx_node *n, const struct ir_type *x, struct scales *s)
{
    size_t count;
    int64_t axis = onnx_attr_i64(n, "axis", 1);
    *s = (struct scales){.n = 1, .inner = 1};
    if (onnx_attr_i64(n, "block_size", 0) != 0)
        return onnx_error(n, "blocks (block_size) are not supported");
    if (!onnx_const_f32s(n, 1, &s->scale, &count))
        return false;
    if (onnx_has_in(n, 2)) {
        const struct ir_type *zero = &onnx_in(n, 2)->type;
        if (ir_count(zero) != (int64_t)count)
            return onnx_error(n, "%zu scales, but %lld zero points", count,
                              (long long)ir_count(zero));
        s->zero = integers(n, onnx_in(n, 2)->def);
    }
    if (count == 1)
        return true;
    if (!onnx_axis(n, axis, x->rank, &axis))
        return false;
    if ((int64_t)count != x->dim[axis])
        return onnx_error(n, "%zu scales for dimension %lld, which is %lld", count, (long long)axis,
                          (long long)x->dim[axis]);
    s->n = (int64_t)count;
    for (int64_t i = axis + 1; i < x->rank; i++)
        s->inner *= x->dim[i];
    return true;
}

/* How many elements of x to convert: one where it is a splat that one scale holds for. */
static bool count_elements(struct onnx_node *n, const struct ir_op *x, const struct scales *s,
                           int64_t *out)
{
    static const int64_t most_expanded = 1 << 26; /* 256 MB, as a folded result */
    bool splat = x->attrs->constant.data->splat;
    *out = splat && s->n == 1 ? 1 : ir_count(&x->out->type);
    return !splat || *out <= most_expanded ||
           onnx_error(n, "%lld elements that are alike; at most %lld are supported",
                      (long long)*out, (long long)most_expanded);
}

/* A constant of x's dimensions from `count` elements; takes over `data`. */
static bool set_constant(struct onnx_node *n, struct ir_type type, enum ir_dtype dtype, void *data,
                         int64_t count)
{
    size_t elem = ir_dtype_bytes(dtype);
    type.dtype = (uint8_t)dtype;
    struct blob *b;
    if (count == 1 && ir_count(&type) != 1) {
        b = blob_splat(data, elem);
        free(data);
    } else {
        b = blob_own(data, (size_t)count * elem);
    }
    return onnx_set_out(n, 0, onnx_const(n, type, b));
}

bool import_dequantize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct scales s;
    int64_t count;
    if (!x || !onnx_in(n, 1) || (onnx_has_in(n, 2) && !onnx_in(n, 2)))
        return false;
    if (is_run_time(n, x))
        return onnx_set_out(n, 0, x); /* goes on, to name all such nodes */
    bool integer = x->type.dtype == IR_I8 || x->type.dtype == IR_U8 || x->type.dtype == IR_I32;
    if (!integer)
        return onnx_error(n, "the input is %s; i8, u8 and i32 are supported",
                          ir_dtype_name((enum ir_dtype)x->type.dtype));
    if (onnx_has_in(n, 2) && onnx_in(n, 2)->type.dtype != x->type.dtype)
        return onnx_error(n, "the zero point has another type than the input");
    if (!read_scales(n, &x->type, &s) || !count_elements(n, x->def, &s, &count))
        return false;
    float *out = heap_alloc(count ? (size_t)count * sizeof *out : 1);
    for (int64_t i = 0; i < count; i++) {
        int64_t k = i / s.inner % s.n;
        out[i] = (float)(ir_const_i64(x->def, i) - (s.zero ? s.zero[k] : 0)) * s.scale[k];
    }
    return set_constant(n, x->type, IR_F32, out, count);
}

/* The result's type: that of the zero point, else attribute output_dtype, else uint8. */
static bool quantized_type(struct onnx_node *n, enum ir_dtype *out)
{
    int64_t asked = onnx_attr_i64(n, "output_dtype", 0);
    *out = IR_U8;
    if (asked && !onnx_dtype_inside(asked, out))
        return onnx_error(n, "to %s is not supported", onnx_dtype_name(asked));
    if (onnx_has_in(n, 2))
        *out = (enum ir_dtype)onnx_in(n, 2)->type.dtype;
    return *out == IR_U8 || *out == IR_I8 ||
           onnx_error(n, "to %s is not supported", ir_dtype_name(*out));
}

bool import_quantize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct scales s;
    enum ir_dtype to;
    int64_t count;
    onnx_ignore_attr(n, "saturate"); /* of 8-bit floats */
    if (!x || !onnx_in(n, 1) || (onnx_has_in(n, 2) && !onnx_in(n, 2)))
        return false;
    if (is_run_time(n, x))
        return onnx_set_out(n, 0, x);
    if (x->type.dtype != IR_F32)
        return onnx_error(n, "the input is %s, not f32",
                          ir_dtype_name((enum ir_dtype)x->type.dtype));
    if (!quantized_type(n, &to) || !read_scales(n, &x->type, &s) ||
        !count_elements(n, x->def, &s, &count))
        return false;
    int64_t least = to == IR_I8 ? -128 : 0;
    uint8_t *out = heap_alloc(count ? (size_t)count : 1);
    for (int64_t i = 0; i < count; i++) {
        int64_t k = i / s.inner % s.n, zero = s.zero ? s.zero[k] : 0;
        float q = rintf((float)ir_const_f64(x->def, i) / s.scale[k]);
        q = fminf(fmaxf(q, (float)(least - zero)), (float)(least + 255 - zero));
        out[i] = (uint8_t)((int64_t)q + zero);
    }
    return set_constant(n, x->type, to, out, count);
}
