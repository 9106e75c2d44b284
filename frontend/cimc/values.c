/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* values.c - makes a tensor's elements those of the type that a port of the model has. */
#include "values.h"

#include "half.h"

#include <math.h>

double values_at(enum ir_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case IR_F32: return (double)((const float *)data)[i];
    case IR_F64: return ((const double *)data)[i];
    case IR_F16: return (double)f16_to_f32(((const uint16_t *)data)[i]);
    case IR_I64: return (double)((const int64_t *)data)[i];
    case IR_I32: return ((const int32_t *)data)[i];
    case IR_I8: return ((const int8_t *)data)[i];
    case IR_U8: return ((const uint8_t *)data)[i];
    case IR_BOOL: return ((const uint8_t *)data)[i] != 0;
    case IR_N_DTYPES: break;
    }
    BUG("dtype %d", (int)dtype);
}

bool values_range(enum ir_dtype dtype, double *lo, double *hi)
{
    bool is_word = dtype == IR_I32 || dtype == IR_I64;
    *lo = dtype == IR_I8 ? INT8_MIN : is_word ? INT32_MIN : 0;
    *hi = dtype == IR_I8 ? INT8_MAX : is_word ? INT32_MAX : UINT8_MAX;
    return dtype == IR_I8 || dtype == IR_U8 || is_word;
}

void values_put(enum ir_dtype dtype, void *data, int64_t i, double value)
{
    switch (dtype) {
    case IR_F32: ((float *)data)[i] = (float)value; return;
    case IR_I64: ((int64_t *)data)[i] = (int64_t)value; return;
    case IR_I32: ((int32_t *)data)[i] = (int32_t)value; return;
    case IR_I8: ((int8_t *)data)[i] = (int8_t)value; return;
    case IR_U8: ((uint8_t *)data)[i] = (uint8_t)value; return;
    case IR_BOOL: ((uint8_t *)data)[i] = value != 0; return;
    default: BUG("dtype %d", (int)dtype);
    }
}

/* One element for a port of `dtype`: of 64 bits rounded once. */
static double element(const struct tensor *t, int64_t i, enum ir_dtype dtype)
{
    if (t->type.dtype == IR_I64 && dtype == IR_F32)
        return (double)(float)((const int64_t *)t->data)[i];
    return values_at((enum ir_dtype)t->type.dtype, t->data, i);
}

static bool fits(double x, enum ir_dtype dtype)
{
    double lo, hi;
    if (values_range(dtype, &lo, &hi))
        return x >= lo && x <= hi && x == rint(x);
    return dtype != IR_F32 || !isfinite(x) || isfinite((float)x);
}

bool values_convert(struct tensor *t, enum ir_dtype dtype, float scale, struct loc loc,
                    struct diag *d)
{
    enum ir_dtype from = t->type.dtype;
    double lo, hi;
    bool is_scaled = scale != 0 && dtype == IR_F32 && values_range(from, &lo, &hi);
    if (from == dtype && dtype != IR_I64 && dtype != IR_BOOL) /* which say more than is taken */
        return true;
    struct tensor made = {.type = t->type};
    made.type.dtype = (uint8_t)dtype;
    int64_t n = ir_count(&t->type);
    made.data = heap_alloc((size_t)n * ir_dtype_bytes(dtype));
    for (int64_t i = 0; i < n; i++) {
        double x = element(t, i, dtype);
        if (is_scaled)
            x = (double)(float)x * (double)scale;
        if (!fits(x, dtype)) {
            tensor_free(&made);
            return diag_error(d, loc, DIAG_DATA, "element %lld is %.*g, which is no %s",
                              (long long)i, from == IR_I64 ? 17 : 9, x,
                              ir_dtype_name(dtype == IR_I64 ? IR_I32 : dtype));
        }
        values_put(dtype, made.data, i, x);
    }
    tensor_free(t);
    *t = made;
    return true;
}
