/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* ir_test_tables.h - lines and texts that ir_test.c tries, with what must come out of them. */
#ifndef CIMC_IR_TEST_TABLES_H
#define CIMC_IR_TEST_TABLES_H

#include "ir.h"

#include <check.h>

/* Values that lines may use: %0 f32[1x4x6x8], %1 f32[3], %2 i64[2], %3 bool[3], %4 f32[2x1x3],
 * %5 f32[] . */
static const char tensor_values[] =
    "%0 = input {index=0, dtype=\"f32\", shape=[1,4,6,8]}\n"
    "%1 = constant {dtype=\"f32\", shape=[3], data=splat(1)}\n"
    "%2 = constant {dtype=\"i64\", shape=[2], data=dense(0, -1)}\n"
    "%3 = constant {dtype=\"bool\", shape=[3], data=splat(true)}\n"
    "%4 = constant {dtype=\"f32\", shape=[2,1,3], data=splat(1)}\n"
    "%5 = constant {dtype=\"f32\", shape=[], data=splat(1)}\n"
    "%6 = constant {dtype=\"f32\", shape=[2,2,3,3], data=splat(1)}\n"
    "%7 = constant {dtype=\"f32\", shape=[5,3], data=splat(1)}\n"
    "%8 = constant {dtype=\"f32\", shape=[4], data=splat(1)}\n"
    "%9 = constant {dtype=\"f32\", shape=[2], data=splat(1)}\n"
    "%10 = constant {dtype=\"i64\", shape=[], data=splat(10)}\n"
    "%11 = constant {dtype=\"i64\", shape=[1], data=splat(-3)}\n"
    "%12 = constant {dtype=\"i64\", shape=[], data=splat(0)}\n"
    "%13 = constant {dtype=\"f32\", shape=[2,3,5], data=splat(1)}\n"
    "%14 = cast %2 {to=\"i32\"}\n"
    "%15 = constant {dtype=\"f32\", shape=[0,3], data=dense()}\n"
    "%16 = constant {dtype=\"i32\", shape=[4,1], data=splat(9)}\n"
    "%17 = constant {dtype=\"i32\", shape=[5,2], data=splat(0)}\n";
/* %0 f32[6x8x4], %1 f32[36x10], %2 f32[1x1x4] */
static const char crossbar_values[] =
    "%0 = input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[6,8,4], strides=[8,1,48]}\n"
    "%1 = constant {dtype=\"f32\", shape=[36,10], data=splat(1)}\n"
    "%2 = constant {dtype=\"f32\", shape=[1,1,4], data=splat(1)}\n";

static const char *const good_tensor_lines[] = {
    "conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=2} : f32[1x2x4x6]",
    /* rows (6+1+2-(2*2+1))/3+1 = 2, columns (8+0+0-(2*1+1))/2+1 = 3 */
    "conv %0, %6, %9 {kernel=[3,3], stride=[3,2], dilation=[2,1], pad=[1,0,2,0], group=2}"
    " : f32[1x2x2x3]",
    "matmul %7, %1 : f32[5]",
    "matmul %1, %1 : f32[]",
    "matmul %1, %13 : f32[2x5]",
    "matmul %4, %13 : f32[2x1x5]",
    "matmul %7, %13 {weights=3} : f32[2x5x5]",
    "batch_norm %0, %8, %8, %8, %8 {epsilon=1e-5} : f32[1x4x6x8]",
    "layer_norm %0 {axes=[1,3], epsilon=1e-5} : f32[1x4x6x8]",
    "relu %14 : i32[2]",
    "clip %14 {lo=2147483520, hi=-2147483648} : i32[2]",
    "clip %10 {lo=inf, hi=-inf} : i64[]",
    "leaky_relu %0 {alpha=0.1} : f32[1x4x6x8]",
    "hard_sigmoid %0 {alpha=0.2, beta=0.5} : f32[1x4x6x8]",
    "interpolate %0, %8, %9 {axes=[3,1], low=[0,1,-1,7,0,3], high=[1,2,-1,7,1,3], value=0.5} :"
    " f32[1x2x6x4]",
    "add %7, %1 : f32[5x3]",
    "add %4, %7 : f32[2x5x3]",
    "mul %5, %4 : f32[2x1x3]",
    "sub %15, %1 : f32[0x3]",
    "div %2, %10 : i64[2]",
    "equal %3, %3 : bool[3]",
    "less %1, %5 : bool[3]",
    "greater %2, %10 : bool[2]",
    "where %3, %7, %5 : f32[5x3]",
    "where %3, %5, %5 : f32[3]",
    "min %3, %3 : bool[3]",
    "cast %3 {to=\"u8\"} : u8[3]",
    "max_pool %0 {kernel=[2,2], stride=[2,2], dilation=[1,1]} : f32[1x4x3x4]",
    "max_pool %0 {kernel=[3,3], stride=[2,2], dilation=[1,1], pad=[1,1,1,1]} : f32[1x4x3x4]",
    "avg_pool %0 {kernel=[3,3], stride=[1,1], dilation=[1,1], pad=[0,0,1,1], count_pad=1,"
    " counted=[0,0,1,0]} : f32[1x4x5x7]",
    /* rows (6-1)*2 + (2-1)*3 + 1 - 1 - 2 = 11, columns (8-1)*1 + (2-1)*1 + 1 - 0 + 1 = 10 */
    "overlap_add %0 {kernel=[2,2], stride=[2,1], dilation=[3,1], pad=[1,0,2,-1]} : f32[1x1x11x10]",
    "reduce %0 {kind=\"sum\", axes=[1,3]} : f32[1x1x6x1]",
    "reduce %13 {kind=\"max\", axes=[0,1,2]} : f32[1x1x1]",
    "reduce %15 {kind=\"max\", axes=[1]} : f32[0x1]",
    /* told without a look at each window */
    "avg_pool %0 {kernel=[1000000000001,1], stride=[1,1], dilation=[1,1],"
    " pad=[1000000000000,0,1000000000000,0]} : f32[1x4x1000000000006x8]",
    "avg_pool %0 {kernel=[3,1], stride=[1,1], dilation=[7,1], pad=[14,0,0,0]} : f32[1x4x6x8]",
    "global_avg_pool %0 : f32[1x4x1x1]",
    "global_avg_pool %13 : f32[2x3x1]",
    "softmax %0 {axis=3} : f32[1x4x6x8]",
    "concat %7, %7, %15 {axis=0} : f32[10x3]",
    "concat %1 {axis=0} : f32[3]",
    "slice %7 {start=[4,0], step=[-2,1], count=[3,0]} : f32[3x0]",
    "transpose %13 {perm=[2,0,1]} : f32[5x2x3]",
    "transpose %5 {perm=[]} : f32[]",
    "reshape %13 {shape=[6,1,5]} : f32[6x1x5]",
    "reshape %5 {shape=[1,1]} : f32[1x1]",
    "pad %7 {before=[1,0], after=[0,2], mode=\"constant\", value=-inf} : f32[6x5]",
    "pad %7 {before=[4,2], after=[4,0], mode=\"reflect\"} : f32[13x5]",
    "pad %7 {before=[9,0], after=[0,0], mode=\"edge\"} : f32[14x3]",
    "gather_grid %7 {count=[3,2], index=[4,-1,0, 2,2], value=7} : f32[3x2]",
    "take %7, %16 {axis=0, value=7} : f32[4x3]",
    "take %7, %17 {axis=1} : f32[5x2]",
    "gather %13, %2 {axis=1} : f32[2x2x5]",
    "gather %1, %12 {axis=0} : f32[]",
    "gather %13, %14 {axis=2} : f32[2x3x2]",
    "expand %4 {shape=[4,1]} : f32[2x4x3]",
    "expand %5 {shape=[0]} : f32[0]",
    "range %10, %12, %11 : i64[4]", /* 10 7 4 1 */
    "range %12, %10, %11 : i64[0]",
    "range %5, %5, %5 : f32[0]",
};

/* A line that must not parse, and the code it must report. */
struct bad_line {
    const char *text;
    enum diag_code code;
};
static const struct bad_line bad_tensor_lines[] = {
    {"clip %14 {lo=2147483648, hi=inf}", DIAG_SHAPE},
    {"clip %14 {lo=-inf, hi=-2147483904}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=0}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[0,1], dilation=[1,1], group=2}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[0,1], group=2}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,2], stride=[1,1], dilation=[1,1], group=2}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[3,1], group=2}", DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=2, pad=[0,-1,0,0]}",
     DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[9223372036854775807,1], group=2}",
     DIAG_SHAPE},
    {"conv %0, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=2,"
     " pad=[9223372036854775807,0,9223372036854775807,0]}",
     DIAG_SHAPE},
    {"conv %0, %6, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=2}", DIAG_SHAPE},
    {"conv %1, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=2}", DIAG_SHAPE},
    {"matmul %1, %7", DIAG_SHAPE},
    {"matmul %1, %5", DIAG_SHAPE},
    {"matmul %2, %2", DIAG_SHAPE},
    {"batch_norm %0, %8, %8, %8, %1", DIAG_SHAPE},
    {"hard_sigmoid %2", DIAG_SHAPE},
    {"interpolate %0, %9 {axes=[1,2], low=[0,1], high=[1,2]}", DIAG_SHAPE},
    {"interpolate %0, %9 {axes=[4], low=[0,1], high=[1,2]}", DIAG_SHAPE},
    {"interpolate %0, %9 {axes=[1], low=[0,1], high=[1,4]}", DIAG_SHAPE},
    {"interpolate %0, %9 {axes=[1], low=[-2,1], high=[1,2]}", DIAG_SHAPE},
    {"interpolate %0, %9 {axes=[1], low=[0], high=[1,2]}", DIAG_SHAPE},
    {"interpolate %0, %9 {axes=[1], low=[0,1], high=[1,2,3]}", DIAG_SHAPE},
    {"interpolate %0, %7 {axes=[1], low=[0,1,1,1,1], high=[1,2,1,1,1]}", DIAG_SHAPE},
    {"interpolate %0, %2 {axes=[1], low=[0,1], high=[1,2]}", DIAG_SHAPE},
    {"layer_norm %0 {axes=[]}", DIAG_SHAPE},
    {"layer_norm %0 {axes=[3,1]}", DIAG_SHAPE},
    {"layer_norm %0 {axes=[4]}", DIAG_SHAPE},
    {"batch_norm %1, %8, %8, %8, %8", DIAG_SHAPE},
    {"add %1, %9", DIAG_SHAPE},
    {"add %1, %2", DIAG_SHAPE},
    {"add %3, %3", DIAG_SHAPE},
    {"add %1", DIAG_SHAPE},
    {"relu %1, %1", DIAG_SHAPE},
    {"exp %2", DIAG_SHAPE},
    {"erf %2", DIAG_SHAPE},
    {"mask %3, %1", DIAG_IR_INVALID},
    {"merge %1, %1", DIAG_IR_INVALID},
    {"merge %1, %2", DIAG_SHAPE},
    {"less %3, %3", DIAG_SHAPE},
    {"where %1, %1, %1", DIAG_SHAPE},
    {"where %3, %1, %2", DIAG_SHAPE},
    {"where %3, %9, %9", DIAG_SHAPE},
    {"cast %1 {to=\"f8\"}", DIAG_IR_SYNTAX},
    {"cast %1", DIAG_IR_SYNTAX},
    {"max_pool %13 {kernel=[1,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"max_pool %0 {kernel=[7,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"avg_pool %0 {kernel=[1,1], stride=[1,1], dilation=[1,1], counted=[0,0,0,1]}", DIAG_SHAPE},
    {"avg_pool %0 {kernel=[1,1], stride=[1,1], dilation=[1,1], count_pad=2}", DIAG_SHAPE},
    {"avg_pool %0 {kernel=[2,2], stride=[1,1], dilation=[1,1], pad=[0,0,2,0]}", DIAG_SHAPE},
    /* taps of rows -8, -1 and 6 of 0..5 */
    {"avg_pool %0 {kernel=[3,1], stride=[1,1], dilation=[7,1], pad=[14,0,1,0]}", DIAG_SHAPE},
    {"avg_pool %0 {kernel=[2,2], stride=[1,1], dilation=[1,1], pad=[0,2,0,0], count_pad=1,"
     " counted=[0,0,0,0]}",
     DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,3], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[0,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,2], stride=[0,1], dilation=[1,1]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,2], stride=[1,1], dilation=[1,0]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,2], stride=[1,1], dilation=[1,1], pad=[4,0,3,0]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,2], stride=[9223372036854775807,1], dilation=[1,1]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,2], stride=[1,1], dilation=[9223372036854775807,1]}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[2,2], stride=[1,1], dilation=[1,1], "
     "pad=[0,-9223372036854775808,0,0]}",
     DIAG_SHAPE},
    {"overlap_add %0 {kernel=[9223372036854775807,2], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"overlap_add %13 {kernel=[1,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"reduce %7 {kind=\"mean\", axes=[0]}", DIAG_IR_SYNTAX},
    {"reduce %7 {kind=\"sum\"}", DIAG_SHAPE},
    {"reduce %7 {kind=\"sum\", axes=[2]}", DIAG_SHAPE},
    {"reduce %7 {kind=\"sum\", axes=[-1]}", DIAG_SHAPE},
    {"reduce %7 {kind=\"sum\", axes=[1,0]}", DIAG_SHAPE},
    {"reduce %7 {kind=\"sum\", axes=[1,1]}", DIAG_SHAPE},
    {"reduce %15 {kind=\"sum\", axes=[0]}", DIAG_SHAPE},
    {"reduce %2 {kind=\"sum\", axes=[0]}", DIAG_SHAPE},
    {"global_avg_pool %7", DIAG_SHAPE},
    {"softmax %7 {axis=2}", DIAG_SHAPE},
    {"softmax %7 {axis=-1}", DIAG_SHAPE},
    {"concat %7, %13 {axis=0}", DIAG_SHAPE},
    {"concat %7, %1 {axis=0}", DIAG_SHAPE},
    {"concat %1, %2 {axis=0}", DIAG_SHAPE},
    {"concat {axis=0}", DIAG_SHAPE},
    {"slice %1 {start=[0], step=[0], count=[1]}", DIAG_SHAPE},
    {"slice %1 {start=[0], step=[1], count=[4]}", DIAG_SHAPE},
    {"slice %1 {start=[3], step=[-1], count=[2]}", DIAG_SHAPE},
    {"slice %1 {start=[1], step=[-1], count=[3]}", DIAG_SHAPE},
    {"slice %1 {start=[1], step=[9223372036854775807], count=[3]}", DIAG_SHAPE},
    {"slice %1 {start=[1], step=[1], count=[-1]}", DIAG_SHAPE},
    {"slice %1 {start=[1], step=[1], count=[1,1]}", DIAG_SHAPE},
    {"transpose %7 {perm=[0,0]}", DIAG_SHAPE},
    {"transpose %7 {perm=[0,2]}", DIAG_SHAPE},
    {"transpose %7 {perm=[0,-1]}", DIAG_SHAPE},
    {"transpose %7 {perm=[0]}", DIAG_SHAPE},
    {"reshape %7 {shape=[5,4]}", DIAG_SHAPE},
    {"reshape %7 {shape=[-5,-3]}", DIAG_SHAPE},
    {"reshape %7 {shape=[15,1,1,1,1,1,1,1,1]}", DIAG_SHAPE},
    {"pad %1 {before=[0], after=[-1], mode=\"constant\"}", DIAG_SHAPE},
    {"pad %1 {before=[0], after=[1], mode=\"wrap\"}", DIAG_IR_SYNTAX},
    {"pad %1 {before=[0], after=[3], mode=\"reflect\"}", DIAG_SHAPE},
    {"pad %15 {before=[0,0], after=[1,0], mode=\"edge\"}", DIAG_SHAPE},
    {"pad %1 {before=[9223372036854775807], after=[1], mode=\"constant\"}", DIAG_SHAPE},
    {"gather_grid %1 {count=[2], index=[0]}", DIAG_SHAPE},
    {"gather_grid %1 {count=[2], index=[0,3]}", DIAG_SHAPE},
    {"gather_grid %1 {count=[2], index=[0,1,2]}", DIAG_SHAPE},
    {"gather_grid %1 {count=[9223372036854775807], index=[]}", DIAG_SHAPE},
    {"take %7, %16 {axis=2}", DIAG_SHAPE},
    {"take %7, %2 {axis=0}", DIAG_SHAPE},
    {"take %7, %17 {axis=0}", DIAG_SHAPE},
    {"take %16, %16 {axis=0, value=0.5}", DIAG_SHAPE},
    {"gather %1, %10 {axis=0}", DIAG_SHAPE},
    {"gather %1, %1 {axis=0}", DIAG_SHAPE},
    {"gather %1, %2 {axis=1}", DIAG_SHAPE},
    {"expand %1 {shape=[2]}", DIAG_SHAPE},
    {"range %10, %12, %12", DIAG_SHAPE},
    {"range %10, %12, %5", DIAG_SHAPE},
    {"range %2, %2, %2", DIAG_SHAPE},
    {"range %3, %3, %3", DIAG_SHAPE},
    {"constant {dtype=\"f32\", shape=[2], data=hex(\"00000000\")}", DIAG_IR_SYNTAX},
    {"constant {dtype=\"f32\", shape=[2]}", DIAG_SHAPE},
    {"input {index=1, dtype=\"f64\", shape=[2]}", DIAG_SHAPE},
    {"input {index=-1, dtype=\"f32\", shape=[2]}", DIAG_SHAPE},
    {"input {index=2, dtype=\"f32\", shape=[2]}", DIAG_IR_INVALID},
    {"input {index=0, dtype=\"f32\", shape=[2]}", DIAG_IR_INVALID},
    {"input {index=1, dtype=\"f32\", shape=[2], offset=1}", DIAG_IR_INVALID},
    {"mvm %13, %7 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1}", DIAG_IR_INVALID},
    {"matmul %7, %1, %9", DIAG_SHAPE},
    {"relu %0 : f32[1x4x6x9]", DIAG_SHAPE},
    {"relu %0 : f16[1x4x6x8]", DIAG_SHAPE},
};

static const char *const good_crossbar_lines[] = {
    "mvm %0, %1 {kernel=[3,3], stride=[1,2], dilation=[1,1], group=1} : f32[4x3x10]",
    "mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[2,1], group=1, weights=4, slices=[36,10], "
    "copies=6,"
    " cut=[1,6]} : f32[2x6x10]",
    "mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, slices=[80,60], copies=2, "
    "cut=[1,2], patch=[2,3]} : f32[4x6x10]",
    "add %0, %2 : f32[6x8x4]",
    "floor %0 : f32[6x8x4]",
    "pow %0, %2 : f32[6x8x4]",
    "equal %0, %2 : u8[6x8x4]",
    "max_pool %0 {kernel=[2,2], stride=[2,2], dilation=[1,1]} : f32[3x4x4]",
    "overlap_add %0 {kernel=[2,1], stride=[2,3], dilation=[1,1], pad=[0,0,0,1]} : f32[12x21x2]",
    "reduce %0 {kind=\"sum\", axes=[0,2]} : f32[1x8x1]",
    "global_avg_pool %0 : f32[1x1x4]",
    "reshape %0 {shape=[1,1,192], from=\"chw\", to=\"hwc\"} : f32[1x1x192]",
    "transpose %0 {perm=[2,0,1]} : f32[4x6x8]",
    "pad %0 {before=[1,1,0], after=[1,1,0], mode=\"constant\"} : f32[8x10x4]",
    /* row 5 of channel 3, backwards: 3*48 + 5*8 + 7 is the last column */
    ("input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[1,8,1],"
     " strides=[1152921504606846976,-1,0], offset=191}"
     " : f32[1x8x1]"),
    "constant {dtype=\"f32\", shape=[7,7], data=splat(0)} : f32[7x7]", /* unused weights */
    "dot %0, %0 : f32[6x8x8]",
    "dot %0, %2 : f32[6x8x1]",
};

static const struct bad_line bad_crossbar_lines[] = {
    {"mvm %0, %1 {kernel=[3,2], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=2}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=3}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[0,3], stride=[1,1], dilation=[1,1], group=1}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[3,1], group=1}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, copies=-1}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, copies=6, cut=[2,2]}",
     DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, copies=6, cut=[6,1]}",
     DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, slices=[1,0]}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, slices=[37,1]}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=-1}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, patch=[-1,1]}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, patch=[5,1]}", DIAG_SHAPE},
    {"mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, patch=[2,1], copies=3, "
     "cut=[3,1]}",
     DIAG_SHAPE},
    {"dot %0, %0 {kn=1}", DIAG_SHAPE},
    {"dot %0, %2 {kn=2}", DIAG_SHAPE},
    {"dot %2, %0", DIAG_SHAPE},
    {"dot %0, %1", DIAG_SHAPE},
    {"matmul %1, %1", DIAG_SHAPE},
    {"where %1, %1, %1", DIAG_SHAPE},
    {"mask %0, %2", DIAG_SHAPE},
    {"merge %0, %1", DIAG_SHAPE},
    {"cast %0 {to=\"u8\"}", DIAG_IR_INVALID},
    {"cast %0 {to=\"bool\"}", DIAG_IR_INVALID},
    {"relu %1", DIAG_IR_INVALID},
    {"constant {dtype=\"f32\", shape=[7,1,1,1], data=splat(0)}", DIAG_IR_INVALID},
    {"constant {dtype=\"i64\", shape=[1,1,7], data=splat(0)}", DIAG_IR_INVALID},
    {"reshape %0 {shape=[1,1,192], from=\"chw\", to=\"hhw\"}", DIAG_IR_SYNTAX},
    {"reshape %0 {shape=[1,1,192]}", DIAG_SHAPE},
    {"reshape %0 {shape=[192], from=\"chw\", to=\"hwc\"}", DIAG_SHAPE},
    {"overlap_add %0 {kernel=[3,1], stride=[2,3], dilation=[1,1]}", DIAG_SHAPE},
    {"reduce %0 {kind=\"sum\", axes=[3]}", DIAG_SHAPE},
    {"max_pool %1 {kernel=[1,1], stride=[1,1], dilation=[1,1]}", DIAG_SHAPE},
    {"input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[1,9,1], strides=[0,-1,0], offset=7}",
     DIAG_SHAPE},
    {"input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[2,2,2], strides=[96,48,48]}",
     DIAG_SHAPE},
    {"input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[2,2,2],"
     " strides=[9223372036854775807,9223372036854775807,1]}",
     DIAG_SHAPE},
    {"input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[-1,1,1]}", DIAG_SHAPE},
    {"input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[1,1,1],"
     " strides=[1152921504606846977,0,0]}",
     DIAG_SHAPE},
    {"input {index=0, dtype=\"f16\", shape=[1,4,6,8], extent=[1,1,1],"
     " strides=[0,-9223372036854775808,0]}",
     DIAG_SHAPE},
    {"input {index=0, dtype=\"f32\", shape=[1,4,6,8], extent=[1,1,1]}", DIAG_IR_INVALID},
};

/* Every operation of stage tensor, on the values of tensor_values. */
static const char every_op[] =
    "%20 = conv %0, %6, %9 {kernel=[3,3], stride=[1,1], dilation=[1,1], pad=[1,1,1,1], group=2,"
    " weights=1} @\"c \\\"1\\\" \\xff\\x01\" loc(\"node 1 'c' (Conv)\")\n"
    "%21 = matmul %7, %1 {weights=2}\n"
    "%22 = batch_norm %0, %8, %8, %8, %8 {epsilon=1e-05}\n"
    "%23 = relu %0\n%24 = leaky_relu %0 {alpha=nan}\n%25 = clip %0 {lo=-inf, hi=6.0}\n"
    "%26 = exp %0\n%27 = sqrt %0\n%28 = sigmoid %0\n%29 = tanh %0\n%30 = neg %0\n%31 = abs %0\n"
    "%32 = floor %0\n%33 = ceil %0\n%34 = add %0, %5\n%35 = sub %0, %5\n%36 = mul %0, %5\n"
    "%37 = div %0, %5\n%38 = min %0, %5\n%39 = max %0, %5\n%40 = pow %0, %5\n%41 = mod %0, %5\n"
    "%42 = equal %0, %5\n%43 = less %0, %5\n%44 = greater %0, %5\n%45 = where %3, %1, %5\n"
    "%46 = max_pool %0 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[0,0,1,1]}\n"
    "%47 = avg_pool %0 {kernel=[2,2], stride=[2,2], dilation=[1,1], count_pad=1}\n"
    "%48 = global_avg_pool %0\n%49 = softmax %0 {axis=1}\n%50 = concat %7, %7 {axis=1}\n"
    "%51 = slice %7 {start=[4,0], step=[-1,1], count=[5,2]}\n%52 = transpose %7 {perm=[1,0]}\n"
    "%53 = reshape %7 {shape=[15]}\n"
    "%54 = pad %7 {before=[1,0], after=[0,1], mode=\"edge\", value=-0.0}\n"
    "%55 = gather_grid %7 {count=[1,1], index=[-1,0], value=1e-45}\n"
    "%59 = log %0\n%73 = erf %0\n%74 = sin %0\n%75 = cos %0\n%76 = round %0\n%71 = reduce %0 "
    "{kind=\"max\", axes=[0,2]}\n"
    "%77 = layer_norm %0 {axes=[1,3], epsilon=0.5}\n%78 = hard_sigmoid %0 {alpha=-0.0, beta=1.0}\n"
    "%79 = interpolate %0, %9 {axes=[1], low=[-1,0], high=[-1,1], value=2.0}\n"
    "%72 = overlap_add %0 {kernel=[2,2], stride=[2,3], dilation=[1,2], pad=[0,1,-1,0]}\n"
    "%19 = take %7, %16 {axis=0, value=-0.5}\n"
    "%56 = gather %7, %2 {axis=0}\n%57 = expand %1 {shape=[2,3]}\n%58 = range %12, %10, %10\n"
    /* payloads that need care: NaN bits, negative zero, denormals, odd bools, many elements */
    "%60 = constant {dtype=\"f32\", shape=[2], data=hex(\"010080ff0000c07f\")}\n"
    "%61 = constant {dtype=\"f32\", shape=[7], data=splat(hex(\"0100c0ff\"))}\n"
    "%62 = constant {dtype=\"f32\", shape=[6], data=dense(nan, -inf, -0.0, 1e-45, 0.1, "
    "3.4028235e38)}\n"
    "%63 = constant {dtype=\"bool\", shape=[3], data=hex(\"000102\")}\n"
    "%64 = constant {dtype=\"f64\", shape=[4], data=dense(0.1, nan, 5e-324, "
    "-1.7976931348623157e308)}\n"
    "%65 = constant {dtype=\"f16\", shape=[4], data=dense(nan, -inf, 0.1, -0.0)}\n"
    "%66 = constant {dtype=\"f16\", shape=[1], data=hex(\"017c\")}\n"
    "%67 = constant {dtype=\"f32\", shape=[65], data=random(3)}\n"
    "%68 = constant {dtype=\"f32\", shape=[64], data=random(4)}\n"
    "%69 = constant {dtype=\"i8\", shape=[1000], data=iota}\n"
    "%70 = constant {dtype=\"f64\", shape=[1], data=hex(\"010000000000f07f\")}\n";

static const char crossbar_op[] =
    "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, "
    "weights=9, slices=[2,3], copies=4,"
    " cut=[2,2], patch=[2,3], encoding=\"\"} @\"m\"\n"
    "%21 = less %0, %2\n%22 = mask %21, %2\n%23 = merge %22, %2\n%24 = dot %0, %2\n";

/* Whole graphs whose lines are fine one by one. */
static const struct {
    const char *stage, *lines;
    bool good;
} interfaces[] = {
    {"crossbar", "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n", true},
    /* a state continues an output that there is, of its type, in all its parts */
    {"crossbar",
     "%20 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,1,4], strides=[0,0,1], state=1}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     true},
    {"crossbar",
     "%20 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,1,4], strides=[0,0,1], state=2}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar",
     "%20 = input {index=1, dtype=\"f16\", shape=[4], extent=[1,1,4], strides=[0,0,1], state=1}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar",
     "%20 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,1,4], strides=[0,0,1], state=1}\n"
     "%21 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,1,2], strides=[0,0,1]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar", "output %2 {index=0, dtype=\"f32\", shape=[4]}\n", false}, /* 4 times element 0 */
    {"crossbar", "output %2 {index=0, dtype=\"f32\", shape=[5], strides=[0,0,1]}\n", false},
    {"crossbar", "output %2 {index=0, dtype=\"f32\", shape=[7], strides=[0,0,2]}\n", false},
    {"crossbar",
     "output %2 {index=0, dtype=\"f32\", shape=[8], strides=[0,0,2]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[8], strides=[0,0,-2], offset=7}\n",
     true},
    {"crossbar",
     "output %2 {index=0, dtype=\"f32\", shape=[8], strides=[0,0,1]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[8], strides=[0,0,1], offset=3}\n",
     false},
    {"crossbar",
     "output %2 {index=0, dtype=\"f32\", shape=[8], strides=[0,0,1]}\n"
     "output %2 {index=0, dtype=\"f16\", shape=[8], strides=[0,0,1], offset=4}\n",
     false},
    {"crossbar",
     "%9 = constant {dtype=\"f32\", shape=[36,10], data=splat(1)}\n"
     "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, copies=2, "
     "cut=[1,2]}\n"
     "%21 = mvm %0, %9 {kernel=[3,3], stride=[2,2], dilation=[1,1], group=1, weights=1, copies=2, "
     "cut=[2,1]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     true},
    {"crossbar",
     "%9 = constant {dtype=\"f32\", shape=[36,10], data=splat(2)}\n"
     "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1}\n"
     "%21 = mvm %0, %9 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar",
     "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, copies=1, "
     "cut=[1,1]}\n"
     "%21 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, copies=2, "
     "cut=[2,1]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar", /* patches read windows of equal form */
     "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, "
     "patch=[1,2]}\n"
     "%21 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, "
     "patch=[1,2]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     true},
    {"crossbar",
     "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, "
     "patch=[1,2]}\n"
     "%21 = mvm %0, %1 {kernel=[3,3], stride=[1,2], dilation=[1,1], group=1, weights=1, "
     "patch=[1,2]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar",
     "%20 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1}\n"
     "%21 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, "
     "patch=[1,2]}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
    {"crossbar", /* one matrix, but with other conv groups it lies otherwise on a crossbar */
     "%9 = constant {dtype=\"f32\", shape=[2,4], data=splat(2)}\n"
     "%10 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,1,4], strides=[0,0,1]}\n"
     "%11 = input {index=2, dtype=\"f32\", shape=[8], extent=[1,1,8], strides=[0,0,1]}\n"
     "%20 = mvm %10, %9 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=2, weights=1}\n"
     "%21 = mvm %11, %9 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=4, weights=1}\n"
     "output %2 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]}\n",
     false},
};

/* Text that does not parse. */
static const struct {
    const char *text;
    unsigned line, col; /* of the first error */
} malformed[] = {
    {"", 1, 1},
    {"\n\n  grap \"x\" tensor {}", 3, 8},
    {"graph x tensor {}", 1, 7},
    {"graph \"x\" tens {}", 1, 16},
    {"graph \"x tensor {}", 1, 8},
    {"graph \"x\" tensor", 1, 17},
    {"graph \"x\" tensor {", 1, 19},
    {"graph \"x\" tensor {\n} }", 2, 3},
    {"graph \"x\\q\" tensor {\n}", 1, 10},
    {"graph \"x\\x00\" tensor {\n}", 1, 10},
    {"graph \"\" tensor {\n foo\n}", 2, 5},
    {"graph \"\" tensor {\n %0 relu\n}", 2, 5},
    {"graph \"\" tensor {\n %0 = relu %1\n}", 2, 14},
    {"graph \"\" tensor {\n %0 = relu %0\n}", 2, 14},
    {"graph \"\" tensor {\n %x = relu %0\n}", 2, 3},
    {"graph \"\" tensor {\n %99999999999999999999 = relu\n}", 2, 22},
    {"graph \"\" tensor {\n relu\n}", 2, 2},
    {"graph \"\" tensor {\n %0 = softmax {axes=1}\n}", 2, 20},
    {"graph \"\" tensor {\n %0 = softmax {axis=1, axis=1}\n}", 2, 28},
    {"graph \"\" tensor {\n %0 = softmax {axis=x}\n}", 2, 21},
    {"graph \"\" tensor {\n %0 = softmax {axis=9223372036854775808}\n}", 2, 40},
    {"graph \"\" tensor {\n %0 = softmax {axis=1\n%1 = relu\n}", 3, 1},
    {"graph \"\" tensor {\n %0 = constant {data=splat(1)}\n}", 2, 22},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f3\", shape=[], data=splat(1)}\n}", 2, 23},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[-1], data=splat(1)}\n}", 2, 47},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=splat(1e99)}\n}", 2, 52},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"i8\", shape=[1], data=splat(128)}\n}", 2, 54},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"i8\", shape=[1], data=dense(1,)}\n}", 2, 53},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"i8\", shape=[2], data=dense(1)}\n}", 2, 52},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"i8\", shape=[1], data=dense(1,2,3)}\n}", 2, 54},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"i8\", shape=[1], data=hex(\"0g\")}\n}", 2, 53},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"i8\", shape=[1], data=random(1)}\n}", 2, 53},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"bool\", shape=[1], data=dense(yes)}\n}", 2, 56},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=what(1)}\n}", 2, 50},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=hash(\"0\", 4)}\n}", 2,
     50},
    /* a shape that is too large to count; one too large to generate; one that only dense could fill
     */
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[4611686018427387904], "
     "data=splat(1)}\n}",
     2, 64},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[268435457], data=iota}\n}", 2, 58},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1000000000000], data=dense(1, "
     "2)}\n}",
     2, 68},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=splat(1)} : f32[1] f\n}",
     2, 65},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=splat(1)} : f32[2]\n}", 2,
     2},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=splat(1)} : f32[1 x2]\n}",
     2, 64},
    {"graph \"\" tensor {\n %0 = constant {dtype=\"f32\", shape=[1], data=splat(1)} : "
     "f32[1x1x1x1x1x1x1x1x1]\n}",
     2, 78},
    {"graph \"\" tensor {\n}", 0, 0}, /* no output: the verifier's, which has no line */
};

static struct ir_op *nth(const struct ir_graph *g, unsigned n)
{
    struct ir_op *op = g->first;
    while (n-- && op)
        op = op->next;
    ck_assert_ptr_nonnull(op);
    return op;
}

/* Each breaks the diamond in one way that the verifier must see. */
static void break_type(struct ir_graph *g)
{
    nth(g, 1)->out->type.dim[0] = 5;
}
static void break_rank(struct ir_graph *g)
{
    nth(g, 0)->out->type.rank = 200;
}
static void break_dtype(struct ir_graph *g)
{
    nth(g, 2)->out->type.dtype = 99;
}
static void break_opcode(struct ir_graph *g)
{
    nth(g, 2)->opcode = (enum ir_opcode)1000;
}
static void break_arity(struct ir_graph *g)
{
    nth(g, 3)->n_in = 1;
}
static void break_order(struct ir_graph *g)
{
    ir_op_move_before(nth(g, 2), nth(g, 1));
}
static void break_self_use(struct ir_graph *g)
{
    ir_set_operand(nth(g, 1), 0, nth(g, 1)->out);
}
static void break_use_value(struct ir_graph *g)
{
    nth(g, 3)->in[0].value = nth(g, 0)->out; /* without relinking */
}
static void break_use_null(struct ir_graph *g)
{
    nth(g, 3)->in[1].value = NULL;
}
static void break_use_user(struct ir_graph *g)
{
    nth(g, 3)->in[1].user = nth(g, 2);
}
static void break_use_lost(struct ir_graph *g)
{
    nth(g, 1)->out->uses = nth(g, 1)->out->uses->next;
}
static void break_use_cycle(struct ir_graph *g)
{
    struct ir_use *u = nth(g, 1)->out->uses;
    u->next->next = u;
}
static void break_removed_operand(struct ir_graph *g)
{
    struct ir_op *relu = nth(g, 1);
    g->first->next = relu->next; /* cut out of the list while used */
    relu->next->prev = g->first;
    g->n_ops--;
}
static void break_list_cycle(struct ir_graph *g)
{
    g->last->next = g->first;
}
static void break_prev(struct ir_graph *g)
{
    nth(g, 2)->prev = g->first;
}
static void break_count(struct ir_graph *g)
{
    g->n_ops = 77;
}
static void break_last(struct ir_graph *g)
{
    g->last = g->first;
}
static void break_stage(struct ir_graph *g)
{
    g->stage = IR_CROSSBAR;
}
static void break_stage_number(struct ir_graph *g)
{
    g->stage = (enum ir_stage)3;
}
static void break_output_gone(struct ir_graph *g)
{
    ir_op_remove(g->last);
}
static void break_output_index(struct ir_graph *g)
{
    g->last->attrs->output.index = 1;
}
static void break_output_shape(struct ir_graph *g)
{
    g->last->attrs->output.shape.n = 1;
}
static void break_choice(struct ir_graph *g)
{
    g->first->attrs->input.dtype = IR_N_DTYPES;
}
static void break_list_attr(struct ir_graph *g)
{
    g->first->attrs->input.shape.at = NULL;
}
static void break_attrs(struct ir_graph *g)
{
    nth(g, 1)->attrs = NULL;
}
static void break_result(struct ir_graph *g)
{
    g->last->out = nth(g, 1)->out;
}
static void break_result_gone(struct ir_graph *g)
{
    nth(g, 3)->out = NULL;
}
static void break_strides(struct ir_graph *g)
{
    g->first->attrs->input.strides[1] = 1;
}

static void (*const breaks[])(struct ir_graph *) = {
    break_type,
    break_rank,
    break_dtype,
    break_opcode,
    break_arity,
    break_order,
    break_self_use,
    break_use_value,
    break_use_null,
    break_use_user,
    break_use_lost,
    break_use_cycle,
    break_removed_operand,
    break_list_cycle,
    break_prev,
    break_count,
    break_last,
    break_stage,
    break_stage_number,
    break_output_gone,
    break_output_index,
    break_output_shape,
    break_choice,
    break_list_attr,
    break_attrs,
    break_result,
    break_result_gone,
    break_strides,
};

#endif
