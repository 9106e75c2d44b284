// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// requantise.sv - the two ends of an integer layer (ISA.md 6), combinational.
//
// floating 0: rq, (x * K[k] + K[k + 1] + half) >> shift in 64 bits, saturated to i32: multiplier K[k], add K[k + 1].
// floating 1: i2f, mul by the f32 `multiplier`, f2i, iadd `add`. Each of the three rounds to nearest, ties to
// even, as binary32 does; no unit for floats is needed: what is too small for half an integer is 0, what
// exceeds 2^30 is clamped, so exponents matter only in between.
// byte_result: the result as a view of u8 keeps it, saturated to 0..255.

module cimc_requantise (
    input logic floating,
    input logic signed [31:0] x,
    input logic [31:0] multiplier,
    input logic signed [31:0] add,
    input logic [5:0] shift,
    output logic signed [31:0] result,
    output logic [7:0] byte_result
);
  // One multiplier for both: 32 x 32 bits with signs, of which a product of mantissas takes 24 x 24.
  logic signed [31:0] factor_x, factor_k;
  logic signed [63:0] product;
  assign product = factor_x * factor_k;

  // ---- rq ----
  logic signed [63:0] half, shifted;
  logic signed [31:0] fixed_result;
  assign half = shift == 0 ? 64'sd0 : 64'sd1 <<< (shift - 6'd1);
  assign shifted = (product + 64'(add) + half) >>> shift;
  always_comb begin
    fixed_result = shifted[31:0];
    if (shifted > 64'sd2147483647) fixed_result = 32'sh7fffffff;
    else if (shifted < -64'sd2147483648) fixed_result = 32'sh80000000;
  end

  // ---- i2f: 24 bits of x and their exponent ----
  logic [31:0] magnitude, aligned;
  logic [5:0] leading;  // zeros in front of x
  logic [24:0] x_rounded;
  logic [23:0] x_mantissa, k_mantissa;
  logic [5:0] x_exponent;  // of the last bit of the mantissa, + 32
  assign magnitude = x[31] ? 32'd0 - x : x;
  always_comb begin
    leading = 6'd0;
    aligned = magnitude;
    if (aligned[31:16] == 0) begin leading = leading + 6'd16; aligned = aligned << 16; end
    if (aligned[31:24] == 0) begin leading = leading + 6'd8; aligned = aligned << 8; end
    if (aligned[31:28] == 0) begin leading = leading + 6'd4; aligned = aligned << 4; end
    if (aligned[31:30] == 0) begin leading = leading + 6'd2; aligned = aligned << 2; end
    if (!aligned[31]) begin leading = leading + 6'd1; aligned = aligned << 1; end
  end
  assign x_rounded = {1'b0, aligned[31:8]} + {24'd0, aligned[7] && (aligned[6:0] != 0 || aligned[8])};
  assign x_mantissa = x_rounded[24] ? 24'h800000 : x_rounded[23:0];
  assign x_exponent = 6'd40 - leading + {5'd0, x_rounded[24]};

  // ---- mul: 24 bits of the product ----
  logic [7:0] k_exponent;
  logic [47:0] m;
  logic high;
  logic [24:0] p_rounded;
  logic [23:0] p_mantissa;
  logic signed [10:0] p_exponent;  // of the last bit of the mantissa
  assign k_exponent = multiplier[30:23];
  assign k_mantissa = {1'b1, multiplier[22:0]};
  assign factor_x = floating ? {8'd0, x_mantissa} : x;
  assign factor_k = floating ? {8'd0, k_mantissa} : $signed(multiplier);
  assign m = product[47:0];
  assign high = m[47];
  always_comb begin
    if (high) p_rounded = {1'b0, m[47:24]} + {24'd0, m[23] && (m[22:0] != 0 || m[24])};
    else p_rounded = {1'b0, m[46:23]} + {24'd0, m[22] && (m[21:0] != 0 || m[23])};
  end
  assign p_mantissa = p_rounded[24] ? 24'h800000 : p_rounded[23:0];
  assign p_exponent = $signed({5'd0, x_exponent}) - 11'sd32 + $signed({3'd0, k_exponent}) - 11'sd150 + 11'sd23 +
                      (high ? 11'sd1 : 11'sd0) + (p_rounded[24] ? 11'sd1 : 11'sd0);

  // ---- f2i, and the sign ----
  logic negative, is_zero, is_nan, too_large, too_small;
  logic [54:0] placed;  // 31 bits of the integer, 24 behind the point
  logic signed [10:0] behind;
  logic [30:0] integer_part;
  logic signed [31:0] rounded, floating_result;
  assign negative = x[31] ^ multiplier[31];
  assign is_nan = k_exponent == 8'hff && (multiplier[22:0] != 0 || x == 0);
  assign is_zero = x == 0 || k_exponent == 0;  // subnormal multipliers: less than half an integer for every x
  assign too_large = k_exponent == 8'hff || p_exponent >= 11'sd7;  // 2^30 and more
  assign too_small = p_exponent < -11'sd24;  // less than a half
  assign behind = -p_exponent;
  always_comb begin
    placed = {7'd0, p_mantissa, 24'd0};
    if (p_exponent >= 0) placed = placed << p_exponent[2:0];
    else placed = placed >> behind[4:0];
    integer_part = placed[54:24] + {30'd0, placed[23] && (placed[22:0] != 0 || placed[24])};
    rounded = {1'b0, integer_part};
    if (is_nan || is_zero || (too_small && !too_large)) rounded = 32'sd0;
    if (too_large && !is_nan && !is_zero) rounded = 32'sh40000000;
    floating_result = (negative ? 32'sd0 - rounded : rounded) + add;
  end

  assign result = floating ? floating_result : fixed_result;
  always_comb begin
    byte_result = result[7:0];
    if (result < 0) byte_result = 8'd0;
    else if (result > 32'sd255) byte_result = 8'd255;
  end
endmodule
