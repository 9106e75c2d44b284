/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* ir_test_quantized.h - the lines of ir_test_tables.h for operations of integers and what leads
 * there. */
#ifndef CIMC_IR_TEST_QUANTIZED_H
#define CIMC_IR_TEST_QUANTIZED_H

#include "ir_test_tables.h"

/* %0 is what every graph of ir_test.c returns. */
static const char quantized_values[] =
    "%0 = input {index=0, dtype=\"f32\", shape=[1,4,6,8]}\n"
    "%21 = input {index=1, dtype=\"i8\", shape=[1,4,6,8]}\n"
    "%22 = input {index=2, dtype=\"u8\", shape=[1,4,6,8]}\n"
    "%23 = input {index=3, dtype=\"i32\", shape=[2,4]}\n"
    "%24 = constant {dtype=\"f32\", shape=[], data=splat(0.5)}\n"
    "%25 = constant {dtype=\"f32\", shape=[4], data=splat(0.5)}\n"
    "%26 = constant {dtype=\"i8\", shape=[], data=splat(-128)}\n"
    "%27 = constant {dtype=\"i8\", shape=[4], data=splat(3)}\n"
    "%28 = constant {dtype=\"u8\", shape=[], data=splat(3)}\n"
    "%29 = constant {dtype=\"i32\", shape=[], data=splat(0)}\n"
    "%30 = constant {dtype=\"f32\", shape=[2], data=dense(0.25, 2)}\n"
    "%31 = constant {dtype=\"f32\", shape=[], data=splat(-1)}\n"
    "%32 = constant {dtype=\"f32\", shape=[], data=splat(inf)}\n"
    "%33 = constant {dtype=\"f32\", shape=[], data=splat(nan)}\n"
    "%34 = constant {dtype=\"f32\", shape=[4], data=dense(1, 1, 1e-39, 1)}\n"
    "%35 = constant {dtype=\"f32\", shape=[1,1], data=splat(1)}\n"
    "%36 = constant {dtype=\"f32\", shape=[1], data=splat(1)}\n"
    "%37 = constant {dtype=\"f32\", shape=[3], data=splat(1)}\n"
    "%38 = constant {dtype=\"i8\", shape=[2,4,3,3], data=splat(-128)}\n";

static const char *const good_quantized_lines[] = {
    "clip %22 {lo=255, hi=0} : u8[1x4x6x8]",
    "clip %21 {lo=127, hi=-128} : i8[1x4x6x8]",
    "quantize %0, %24 {dtype=\"u8\", hi=255} : u8[1x4x6x8]",
    "quantize %0, %24, %26 {dtype=\"i8\", axis=9, lo=-128, hi=127} : i8[1x4x6x8]",
    "quantize %0, %25, %27 {dtype=\"i8\", axis=1, lo=-8, hi=7} : i8[1x4x6x8]",
    "quantize %0, %25 {dtype=\"i32\", axis=1, lo=-1073741824, hi=1073741824} : i32[1x4x6x8]",
    "requantize %23, %29, %24 {kind=\"f32\", hi=255} : u8[2x4]",
    "dequantize %21, %24 : f32[1x4x6x8]",
    "dequantize %21, %25, %27 {axis=1} : f32[1x4x6x8]",
    "dequantize %22, %24, %28 : f32[1x4x6x8]",
    "dequantize %23, %30 {axis=0} : f32[2x4]",
    "dequantize %23, %24 : f32[2x4]",
    "max_pool %21 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[1,1,1,1]} : i8[1x4x4x5]",
    "avg_pool %22 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[1,1,1,1]} : f32[1x4x4x5]",
    "reduce %22 {kind=\"sum\", axes=[2,3]} : i32[1x4x1x1]",
    "reduce %22 {kind=\"max\", axes=[2,3]} : u8[1x4x1x1]",
    "reduce %23 {kind=\"sum\", axes=[1]} : i32[2x1]",
    "pad %21 {before=[0,0,1,1], after=[0,0,1,1], mode=\"constant\", value=-128} : i8[1x4x8x10]",
    "transpose %22 {perm=[0,2,3,1]} : u8[1x6x8x4]",
    "min %22, %28 : u8[1x4x6x8]",
    "mul %23, %23 : i32[2x4]",
};

static const struct bad_line bad_quantized_lines[] = {
    {"clip %22 {lo=255.5, hi=inf}", DIAG_SHAPE},
    {"clip %22 {lo=0, hi=-128}", DIAG_SHAPE},
    {"clip %21 {lo=128, hi=inf}", DIAG_SHAPE},
    {"clip %21 {lo=-inf, hi=-129}", DIAG_SHAPE},
    {"quantize %0, %24 {dtype=\"i64\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %24 {dtype=\"i32\", hi=1073741825}", DIAG_SHAPE},
    {"quantize %0, %24, %29 {dtype=\"i32\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %24 {hi=255}", DIAG_IR_SYNTAX},
    {"quantize %21, %24 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %24 {dtype=\"u8\", hi=256}", DIAG_SHAPE},
    {"quantize %0, %24 {dtype=\"u8\", lo=-1, hi=255}", DIAG_SHAPE},
    {"quantize %0, %24 {dtype=\"i8\", lo=-129, hi=127}", DIAG_SHAPE},
    {"quantize %0, %24 {dtype=\"u8\", lo=9, hi=8}", DIAG_SHAPE},
    {"quantize %0, %24, %26 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %24, %27 {dtype=\"i8\", axis=1, hi=127}", DIAG_SHAPE},
    {"quantize %0, %25, %27 {dtype=\"i8\", axis=2, hi=127}", DIAG_SHAPE},
    {"quantize %0, %25, %27 {dtype=\"i8\", axis=4, hi=127}", DIAG_SHAPE},
    {"quantize %0, %25, %27 {dtype=\"i8\", axis=-3, hi=127}", DIAG_SHAPE},
    {"quantize %0, %31 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %32 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %33 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %34 {dtype=\"u8\", axis=1, hi=255}", DIAG_SHAPE},
    {"quantize %0, %35 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"quantize %0, %36 {dtype=\"u8\", axis=1, hi=255}", DIAG_SHAPE},
    {"quantize %0, %28 {dtype=\"u8\", hi=255}", DIAG_SHAPE},
    {"dequantize %0, %24", DIAG_SHAPE},
    {"dequantize %21, %37 {axis=1}", DIAG_SHAPE},
    {"dequantize %21, %24, %28", DIAG_SHAPE},
    {"dequantize %23, %24, %29", DIAG_SHAPE},
    {"dequantize %23, %30 {axis=1}", DIAG_SHAPE},
    {"dequantize %23, %30 {axis=0}, %24", DIAG_IR_SYNTAX},
    {"requantize %23, %29, %31 {kind=\"f32\", hi=255}", DIAG_SHAPE},
    {"table %22, %25", DIAG_SHAPE},
    {"conv %22, %38 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"max_pool %21 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[2,0,0,0]}", DIAG_SHAPE},
    {"max_pool %23 {kernel=[1,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"avg_pool %21 {kernel=[1,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"reduce %21 {kind=\"sum\", axes=[1]}", DIAG_SHAPE},
    {"pad %22 {before=[0,0,1,1], after=[0,0,1,1], mode=\"constant\", value=256}", DIAG_SHAPE},
    {"pad %22 {before=[0,0,1,1], after=[0,0,1,1], mode=\"constant\", value=0.5}", DIAG_SHAPE},
    {"pad %21 {before=[0,0,1,1], after=[0,0,1,1], mode=\"constant\", value=nan}", DIAG_SHAPE},
    {"gather_grid %23 {count=[1,1], index=[0,0], value=inf}", DIAG_SHAPE},
    {"min %22, %26", DIAG_SHAPE},
};

/* %0 f32, %20 u8[1x4x6x8], i8 outside; %21 i32[1x2x4x6]; %22 i8 weights, %23 centers, %24 i8[8x3].
 */
static const char integer_values[] =
    "%0 = input {index=0, dtype=\"f32\", shape=[1,4,6,8]}\n"
    "%20 = input {index=2, dtype=\"i8\", shape=[1,4,6,8]}\n"
    "%21 = input {index=1, dtype=\"i32\", shape=[1,2,4,6]}\n"
    "%22 = constant {dtype=\"i8\", shape=[2,4,3,3], data=splat(-128)}\n"
    "%23 = constant {dtype=\"i32\", shape=[2], data=splat(1)}\n"
    "%24 = constant {dtype=\"i8\", shape=[8,3], data=splat(7)}\n"
    "%25 = constant {dtype=\"i32\", shape=[3], data=splat(1)}\n"
    "%26 = constant {dtype=\"f32\", shape=[2], data=splat(0.5)}\n"
    "%27 = constant {dtype=\"i32\", shape=[], data=splat(7)}\n"
    "%28 = constant {dtype=\"f32\", shape=[], data=splat(-0.5)}\n"
    "%29 = constant {dtype=\"u8\", shape=[256], data=iota}\n"
    "%30 = constant {dtype=\"f32\", shape=[256], data=iota}\n"
    "%31 = constant {dtype=\"f32\", shape=[2,4,3,3], data=splat(1)}\n"
    "%33 = constant {dtype=\"u8\", shape=[], data=splat(7)}\n"
    "%34 = slice %21 {start=[0,0,0,0], step=[1,1,1,1], count=[1,1,1,1]}\n"
    "%35 = reshape %34 {shape=[]}\n"
    "%36 = constant {dtype=\"i8\", shape=[], data=splat(7)}\n";

static const char *const good_integer_lines[] = {
    "max_pool %20 {kernel=[2,2], stride=[2,2], dilation=[1,1]} : u8[1x4x3x4]",
    "conv %20, %22 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1} : i32[1x2x4x6]",
    "conv %20, %22, %23 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1} : i32[1x2x4x6]",
    "conv %0, %31 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1} : f32[1x2x4x6]",
    "matmul %20, %24, %25 : i32[1x4x6x3]",
    "requantize %21, %23, %26 {kind=\"f32\", axis=1, hi=255, scale=0.1} : u8[1x2x4x6]",
    "requantize %21, %27, %26 {kind=\"f32\", axis=1, zero=3, hi=255} : u8[1x2x4x6]",
    "requantize %21, %23, %27, %23 {kind=\"fixed\", axis=1, lo=3, hi=7, shift=62} : u8[1x2x4x6]",
    "table %20, %29 : u8[1x4x6x8]",
    "table %21, %30 : f32[1x2x4x6]",
    "cast %20 {to=\"i32\"} : i32[1x4x6x8]",
    "cast %0 {to=\"i32\"} : i32[1x4x6x8]",
    "cast %21 {to=\"u8\"} : u8[1x2x4x6]",
    "div %21, %27 : i32[1x2x4x6]",
    "less %20, %20 : u8[1x4x6x8]",
    "where %20, %0, %0 : f32[1x4x6x8]",
    "cast %20 {to=\"f32\"} : f32[1x4x6x8]",
    "cast %21 {to=\"f32\"} : f32[1x2x4x6]",
    "clip %20 {lo=3, hi=inf} : u8[1x4x6x8]",
    "max %20, %33 : u8[1x4x6x8]",
    "sub %21, %27 : i32[1x2x4x6]",
    "relu %0 : f32[1x4x6x8]",
};

static const struct bad_line bad_integer_lines[] = {
    {"conv %20, %31 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"conv %20, %22, %25 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"conv %20, %22, %26 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"conv %20, %22 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, pad=[1,0,0,0]}",
     DIAG_IR_INVALID},
    {"conv %0, %31, %26 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_IR_INVALID},
    {"matmul %21, %24", DIAG_SHAPE},
    {"matmul %20, %22", DIAG_SHAPE},
    {"matmul %20, %20", DIAG_SHAPE},
    {"requantize %21, %23, %26 {kind=\"f32\", axis=2, hi=255}", DIAG_SHAPE},
    {"requantize %21, %23, %26 {kind=\"f32\", axis=4, hi=255}", DIAG_SHAPE},
    {"requantize %21, %23, %26, %23 {kind=\"f32\", axis=1, hi=255}", DIAG_SHAPE},
    {"requantize %21, %23, %23 {kind=\"fixed\", axis=1, hi=255}", DIAG_SHAPE},
    {"requantize %21, %23, %23 {kind=\"f32\", axis=1, hi=255}", DIAG_SHAPE},
    {"requantize %21, %27, %28 {kind=\"f32\", hi=255}", DIAG_SHAPE},
    {"requantize %21, %27, %27, %27 {kind=\"fixed\", hi=255, shift=63}", DIAG_SHAPE},
    {"requantize %21, %27, %27, %27 {kind=\"fixed\", hi=255, shift=-1}", DIAG_SHAPE},
    {"requantize %21, %23, %26 {kind=\"f32\", axis=1, hi=255, shift=1}", DIAG_SHAPE},
    {"requantize %21, %23, %26 {kind=\"f32\", axis=1, hi=256}", DIAG_SHAPE},
    {"requantize %21, %23, %26 {kind=\"f32\", axis=1, lo=5, hi=4}", DIAG_SHAPE},
    {"requantize %21, %23, %26 {kind=\"f32\", axis=1, hi=255, zero=-1}", DIAG_SHAPE},
    {"requantize %20, %27, %27 {kind=\"f32\", hi=255}", DIAG_SHAPE},
    {"requantize %21, %35, %26 {kind=\"f32\", axis=1, hi=255}", DIAG_IR_INVALID},
    {"table %20, %22", DIAG_SHAPE},
    {"table %0, %29", DIAG_SHAPE},
    {"cast %0 {to=\"u8\"}", DIAG_IR_INVALID},
    {"cast %0 {to=\"f32\"}", DIAG_IR_INVALID},
    {"quantize %0, %26 {dtype=\"i8\", axis=1, hi=127}", DIAG_SHAPE},
    {"clip %20 {lo=0.5, hi=3}", DIAG_IR_INVALID},
    {"clip %20 {lo=inf, hi=inf}", DIAG_SHAPE},
    {"clip %20 {lo=0, hi=-inf}", DIAG_SHAPE},
    {"clip %20 {lo=0, hi=2147483648}", DIAG_IR_INVALID},
    {"add %20, %33", DIAG_IR_INVALID},
    {"pow %21, %27", DIAG_IR_INVALID},
    {"mod %20, %20", DIAG_IR_INVALID},
    {"where %21, %0, %0", DIAG_SHAPE},
    {"relu %21", DIAG_IR_INVALID},
    {"reshape %36 {shape=[1]}", DIAG_IR_INVALID},
    {"batch_norm %0, %30, %30, %30, %30", DIAG_SHAPE},
    {"expand %0 {shape=[2,4,6,8]}", DIAG_IR_INVALID},
};

/* %20 u8[6x8x4], %21 i8[36x10], %22 i32[10], %23 i32[4x6x10] */
static const char integer_crossbar_values[] =
    "%0 = input {index=0, dtype=\"f32\", shape=[192], extent=[6,8,4], strides=[32,4,1]}\n"
    "%20 = input {index=2, dtype=\"i8\", shape=[1,4,6,8], extent=[6,8,4], strides=[8,1,48]}\n"
    "%21 = constant {dtype=\"i8\", shape=[36,10], data=iota}\n"
    "%22 = constant {dtype=\"i32\", shape=[10], data=splat(128)}\n"
    "%23 = input {index=1, dtype=\"i32\", shape=[240], extent=[4,6,10], strides=[60,10,1]}\n"
    "%24 = constant {dtype=\"i32\", shape=[1,1,10], data=iota}\n"
    "%25 = constant {dtype=\"f32\", shape=[1,1,10], data=splat(0.01)}\n"
    "%26 = constant {dtype=\"i32\", shape=[256], data=iota}\n"
    "%27 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(0.5)}\n"
    "%28 = constant {dtype=\"u8\", shape=[1,1,1], data=splat(3)}\n"
    "%29 = constant {dtype=\"f32\", shape=[4,1,1], data=splat(3)}\n"
    "%30 = constant {dtype=\"f32\", shape=[10], data=splat(3)}\n"
    "%31 = constant {dtype=\"u8\", shape=[8192,4096,1], data=splat(3)}\n";

/* All that a read-out has to say. */
#define READ_OUT                                                                                   \
    "{kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, encoding=\"offset\","         \
    " weight_bits=8, rows=1, cols=65536, cell_bits=2, dac_bits=1, adc_bits=16"
static const char *const good_integer_crossbar_lines[] = {
    "mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8} : i32[4x6x10]",
    ("mvm %20, %21, %22 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8,"
     " encoding=\"\", shift=[]} : i32[4x6x10]"),
    "mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=4} : i32[4x6x10]",
    ("mvm %20, %21 " READ_OUT ", shift=[]} : i32[4x6x10]"),
    ("mvm %20, %21 " READ_OUT ", shift=[0,1,31,0], flip=1, object=7, noise_seed=1, fraction_bits=4,"
     " sigma_low=1000, sigma_high=1000, stuck_low=400000, stuck_high=600000, drift=1000}"
     " : i32[4x6x10]"),
    "requantize %23, %24, %25 {kind=\"f32\", axis=2, hi=255} : u8[4x6x10]",
    "dequantize %23, %25 {axis=2} : f32[4x6x10]",
    "dequantize %23, %29 {axis=0} : f32[4x6x10]",
    "dequantize %20, %27, %28 : f32[6x8x4]",
    "table %20, %26 : i32[6x8x4]",
    "avg_pool %20 {kernel=[2,2], stride=[2,2], dilation=[1,1]} : f32[3x4x4]",
};

static const struct bad_line bad_integer_crossbar_lines[] = {
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=9}", DIAG_SHAPE},
    {"mvm %20, %21, %24 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, rows=128}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, weight_bits=9}",
     DIAG_SHAPE},
    {"avg_pool %31 {kernel=[8192,4096], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, cell_bits=2}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, dac_bits=1}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, adc_bits=8}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, flip=1}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, shift=[0]}",
     DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8,"
     " encoding=\"offset\"}",
     DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", shift=[0,0,0]}", DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", shift=[0,0,0,32]}", DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", noise_seed=2147483648}", DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", fraction_bits=5}", DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", sigma_low=1001}", DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", stuck_low=500000, stuck_high=500001}", DIAG_SHAPE},
    {"mvm %20, %21 " READ_OUT ", drift=-1}", DIAG_SHAPE},
    {"mvm %20, %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, object=1}",
     DIAG_SHAPE},
    {"mvm %23, %21 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, x_bits=8}", DIAG_SHAPE},
    {"requantize %23, %22, %25 {kind=\"f32\", axis=2, hi=255}", DIAG_SHAPE},
    {"requantize %23, %24, %25 {kind=\"f32\", axis=1, hi=255}", DIAG_SHAPE},
    {"dequantize %23, %30 {axis=2}", DIAG_SHAPE},
    {"dequantize %21, %27", DIAG_SHAPE},
    {"pad %26 {before=[1], after=[0], mode=\"constant\"}", DIAG_IR_INVALID},
    {"constant {dtype=\"i8\", shape=[1,1,7], data=splat(0)}", DIAG_IR_INVALID},
};

/* The operations of quantised graphs: at stage tensor, and those that begin with stage integer. */
static const char quantized_op[] =
    "%60 = quantize %0, %25, %27 {dtype=\"i8\", axis=1, lo=-8, hi=7}\n"
    "%61 = dequantize %60, %25, %27 {axis=1}\n";
static const char integer_op[] =
    "%60 = conv %20, %22, %23 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=2}\n"
    "%61 = requantize %60, %23, %26 {kind=\"f32\", axis=1, zero=3, hi=255, scale=0.1}\n"
    "%62 = requantize %60, %23, %23, %27 {kind=\"fixed\", axis=1, lo=1, hi=9, shift=16}\n"
    "%63 = table %61, %30\n%64 = cast %61 {to=\"i32\"}\n";

#endif
