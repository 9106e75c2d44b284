// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// The vector unit (ISA.md 6).
logic [31:0] results[MAX_LANE_OPS];        // of the lane operations so far
logic [31:0] operand_a, operand_b;         // elements of a and b that the element of dst is made of, where these are walked like it

function automatic logic signed [31:0] saturated(input logic signed [63:0] v, input logic signed [31:0] least, input logic signed [31:0] most);
  /*verilator no_inline_task*/
  return v < 64'(least) ? least : v > 64'(most) ? most : v[31:0];
endfunction

function automatic logic [31:0] constant(input int k);
  /*verilator no_inline_task*/
  return read(programs[work.obj].constants_view, k, 0, int'(channel));
endfunction

function automatic logic [31:0] operand(input logic [7:0] code, input logic [31:0] imm);
  /*verilator no_inline_task*/
  if (code < 8'(OPERAND_A)) return results[code[3:0]];
  if (code == 8'(OPERAND_A)) return operand_a;
  if (code == 8'(OPERAND_B)) return operand_b;
  if (code == 8'(OPERAND_IMMEDIATE)) return imm;
  return constant(int'(code) - OPERAND_CONSTANT);
endfunction

function automatic logic signed [31:0] remainder(input logic signed [31:0] x, input logic signed [31:0] y);
  logic signed [63:0] r;
  if (y == 0) return 0;
  r = 64'(x) % 64'(y);
  if (r != 0 && (r < 0) != (y < 0)) r += 64'(y);
  return r[31:0];
endfunction

function automatic logic [31:0] quotient(input logic signed [31:0] x, input logic signed [31:0] y);
  logic signed [63:0] q;
  if (y == 0) return 0;
  q = 64'(x) / 64'(y);
  return q[31:0];
endfunction

// ---- requantisation: rq, and i2f, mul, f2i, iadd of one another, in the unit for it ----
wire [31:0] lane_place = programs[work.obj].first_lane + lane_number;
wire lane_t lane = lanes[lane_place];
wire is_requantised = lane.op == LANE_IADD && lane_number >= 3 && lane.x == 8'(lane_number - 1)
    && lanes[lane_place-1].op == LANE_F2I && lanes[lane_place-1].x == 8'(lane_number - 2)
    && lanes[lane_place-2].op == LANE_MUL && lanes[lane_place-2].x == 8'(lane_number - 3) && lanes[lane_place-3].op == LANE_I2F;
logic is_loaded;
wire is_loading = work.op == OP_VMAP && (lane.op == LANE_RQ || is_requantised) && !is_loaded;
logic signed [31:0] requantised_x, requantised_add, requantised;
logic [31:0] requantised_multiplier;
logic [5:0] requantised_shift;
cimc_requantise requantiser (
    .floating(lane.op != LANE_RQ), .x(requantised_x), .multiplier(requantised_multiplier), .add(requantised_add), .shift(requantised_shift),
    .result(requantised), .byte_result());

task automatic load_requantiser;
  automatic lane_t first = lane.op == LANE_RQ ? lane : lanes[lane_place-3], second = lanes[lane_place-2];
  automatic int k = int'(lane.y) - OPERAND_CONSTANT;
  requantised_x <= operand(first.x, first.imm);
  requantised_shift <= lane.imm[5:0];
  if (lane.op == LANE_RQ) begin
    requantised_multiplier <= constant(k);
    requantised_add <= constant(k + 1);
  end else begin
    requantised_multiplier <= operand(second.y, second.imm);
    requantised_add <= operand(lane.y, lane.imm);
  end
endtask

function automatic logic [31:0] lane_result(input lane_t l, input logic signed [31:0] x, input logic signed [31:0] y);
  /*verilator no_inline_task*/
  case (l.op)
    LANE_MOV: return x;
    LANE_IADD: return x + y;
    LANE_ISUB: return x - y;
    LANE_IMUL: return x * y;
    LANE_IMIN: return x < y ? x : y;
    LANE_IMAX: return x > y ? x : y;
    LANE_ILT: return 32'(x < y);
    LANE_IEQ: return 32'(x == y);
    LANE_IDIV: return quotient(x, y);
    LANE_IMOD: return remainder(x, y);
    LANE_IAND: return x & y;
    LANE_IOR: return x | y;
    LANE_MASK: return x != 0 ? y : 0;
    LANE_TAB: return luts[{l.imm[5:0], x[7:0]}];
    default: return cimc_lane_f32(32'(l.op), x, y);
  endcase
endfunction

// The next lane operation of an element; the value of the last one is stored.
task automatic run_lane(output logic [31:0] value);
  automatic logic [31:0] x = operand(lane.x, lane.imm), y = 0;
  value = requantised;
  if (is_loading) load_requantiser;
  else if (!is_loaded) begin
    if (is_binary(lane.op)) y = operand(lane.y, lane.imm);
    value = lane_result(lane, x, y);
  end
  results[lane_number[3:0]] = value;
  if (is_last_lane && views[work.dst_view].element == ELEMENT_U8) value = saturated(64'($signed(value)), 0, 255);
endtask

function automatic logic is_binary(input logic [5:0] op);
  return op inside {LANE_ADD, LANE_SUB, LANE_MUL, LANE_DIV, LANE_MIN, LANE_MAX, LANE_LEAKY, LANE_IADD, LANE_ISUB, LANE_IMUL, LANE_IMIN,
      LANE_IMAX, LANE_FMOD, LANE_FLT, LANE_FEQ, LANE_ILT, LANE_IEQ, LANE_IDIV, LANE_IMOD, LANE_IAND, LANE_IOR, LANE_MASK, LANE_POW};
endfunction

function automatic logic [31:0] f_add(input logic [31:0] x, input logic [31:0] y);
  /*verilator no_inline_task*/
  return cimc_lane_f32(32'(LANE_ADD), x, y);
endfunction

// ---- reductions: of elements of one type ----
function automatic logic [31:0] least(input logic [2:0] element);
  return element == ELEMENT_F32 ? 32'hff800000 : element == ELEMENT_I32 ? 32'h80000000 : 0;
endfunction

function automatic logic [31:0] larger(input logic [2:0] element, input logic [31:0] x, input logic [31:0] y);
  /*verilator no_inline_task*/
  return element == ELEMENT_F32 ? cimc_lane_f32(32'(LANE_MAX), x, y) : $signed(x) > $signed(y) ? x : y;
endfunction

function automatic logic [31:0] sum_of(input logic [2:0] element, input logic [31:0] x, input logic [31:0] y);
  /*verilator no_inline_task*/
  return element == ELEMENT_F32 ? f_add(x, y) : x + y;
endfunction

function automatic logic [31:0] window();
  /*verilator no_inline_task*/
  window_t w = windows[work.obj];
  view_t v = views[work.a_view];
  int oy = int'(work.dst_y) + int'(row), ox = int'(work.dst_x) + int'(column), n = 0;
  logic [31:0] r = w.kind == WINDOW_MAX ? least(v.element) : 0;
  if (w.kind == WINDOW_OVERLAP) return overlapped(w, v, oy, ox);
  for (int kh = 0; kh < int'(w.kernel_h); kh++)
    for (int kw = 0; kw < int'(w.kernel_w); kw++) begin
      int y = oy * int'(w.stride_h) - int'(w.pad_top) + kh * int'(w.dilation_h);
      int x = ox * int'(w.stride_w) - int'(w.pad_left) + kw * int'(w.dilation_w);
      if (w.kind == WINDOW_AVERAGE && (y < -int'(w.counted_top) || y >= int'(v.height) + int'(w.counted_bottom)
          || x < -int'(w.counted_left) || x >= int'(v.width) + int'(w.counted_right)))
        continue;
      if (w.kind == WINDOW_MAX && v.element != ELEMENT_F32 && !is_inside(v, y, x)) continue;
      n++;
      if (w.kind == WINDOW_MAX) r = larger(v.element, read(work.a_view, y, x, int'(channel)), r);
      else r = sum_of(v.element, r, read(work.a_view, y, x, int'(channel)));
    end
  if (w.kind != WINDOW_AVERAGE) return r;
  if (v.element != ELEMENT_F32) r = cimc_lane_f32(32'(LANE_I2F), r, 0);
  return cimc_lane_f32(32'(LANE_DIV), r, cimc_lane_f32(32'(LANE_I2F), 32'(n), 0));
endfunction

function automatic logic [31:0] overlapped(input window_t w, input view_t v, input int oy, input int ox);
  /*verilator no_inline_task*/
  logic [31:0] r = 0;
  for (int kh = 0; kh < int'(w.kernel_h); kh++)
    for (int kw = 0; kw < int'(w.kernel_w); kw++) begin
      int ty = oy + int'(w.pad_top) - kh * int'(w.dilation_h), tx = ox + int'(w.pad_left) - kw * int'(w.dilation_w);
      int iy = ty / int'(w.stride_h), ix = tx / int'(w.stride_w);
      if (ty < 0 || tx < 0 || iy * int'(w.stride_h) != ty || ix * int'(w.stride_w) != tx || !is_inside(v, iy, ix)) continue;
      r = sum_of(v.element, r, read(work.a_view, iy, ix, (kh * int'(w.kernel_w) + kw) * int'(views[work.dst_view].channels) + int'(channel)));
    end
  return r;
endfunction

function automatic logic [31:0] reduced();
  /*verilator no_inline_task*/
  view_t v = views[work.a_view];
  logic is_sum = (work.flags & REDUCE_SUM) != 0;
  logic all_h = (work.flags & AXIS_H) != 0, all_w = (work.flags & AXIS_W) != 0, all_c = (work.flags & AXIS_C) != 0;
  logic [31:0] r = is_sum ? 0 : least(v.element), e;
  for (int i = all_h ? 0 : int'(row); i < (all_h ? int'(work.h) : int'(row) + 1); i++)
    for (int j = all_w ? 0 : int'(column); j < (all_w ? int'(work.w) : int'(column) + 1); j++)
      for (int c = all_c ? 0 : int'(channel); c < (all_c ? int'(v.channels) : int'(channel) + 1); c++) begin
        e = read(work.a_view, int'(work.a_y) + i, int'(work.a_x) + j, c);
        r = is_sum ? sum_of(v.element, r, e) : larger(v.element, e, r);
      end
  return r;
endfunction

function automatic int listed(input logic [31:0] first, input logic [31:0] n, input int i);
  return n == 0 ? i : int'(entries[first+32'(i)].index);
endfunction

function automatic logic [31:0] gathered();
  /*verilator no_inline_task*/
  gather_t t = gathers[work.obj];
  int r = listed(t.first_row, t.n_rows, int'(work.dst_y) + int'(row));
  int q = listed(t.first_col, t.n_cols, int'(work.dst_x) + int'(column));
  int k = listed(t.first_channel, t.n_channels, int'(channel));
  if ((t.n_rows != 0 && r == -1) || (t.n_cols != 0 && q == -1) || (t.n_channels != 0 && k == -1)) return t.fill;
  return read(work.a_view, r, q, k);
endfunction

function automatic logic [31:0] taken();
  /*verilator no_inline_task*/
  view_t v = views[work.a_view];
  int y = int'(work.a_y) + int'(row), x = int'(work.a_x) + int'(column), c = int'(channel);
  int k = int'(operand_b);
  int extent = int'(work.flags == AXIS_H ? 24'(v.height) : work.flags == AXIS_W ? 24'(v.width) : v.channels);
  if (k < 0) k += extent;
  if (k < 0 || k >= extent) return v.pad_value;
  if (work.flags == AXIS_H) y = k;
  else if (work.flags == AXIS_W) x = k;
  else c = k;
  return read(work.a_view, y, x, c);
endfunction

function automatic logic [31:0] dot();
  /*verilator no_inline_task*/
  view_t v = views[work.a_view];
  logic [31:0] r = 0, x, y;
  for (int k = 0; k < int'(v.channels); k++) begin
    int n = int'(channel), by = int'(work.b_y) + int'(row);
    x = read(work.a_view, int'(work.a_y) + int'(row), int'(work.a_x) + int'(column), k);
    if (work.flags == VDOT_KN) y = read(work.b_view, by, k, n);
    else y = read(work.b_view, by, n, k);
    if (v.element == ELEMENT_F32) r = cimc_mac_f32(r, x, y);
    else r += x * y;
  end
  return r;
endfunction
