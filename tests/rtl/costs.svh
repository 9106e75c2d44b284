// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// What an instruction takes: SIM.md 1.

function automatic cycle_t ceil_div(input cycle_t a, input cycle_t b);
  return (a + b - 1) / b;
endfunction

function automatic cycle_t paid(input cycle_t amount, input cycle_t rate);
  return rate == 0 ? 0 : ceil_div(amount, rate);
endfunction

function automatic cycle_t vector_cycles(input cycle_t elements);
  return machine[MACHINE_LANES] == 0 ? 0 : machine[MACHINE_VECTOR_SETUP_CYCLES] + ceil_div(elements, machine[MACHINE_LANES]);
endfunction

function automatic int element_bytes(input logic [2:0] element);
  case (element)
    ELEMENT_U8, ELEMENT_I8: return 1;
    ELEMENT_F16: return 2;
    ELEMENT_I64: return 8;
    default: return 4;
  endcase
endfunction

// Taps of an axis of an overlap window that can meet one pixel: ceil(kernel / (stride / gcd(stride, dilation))).
function automatic cycle_t taps(input logic [15:0] kernel, input logic [15:0] stride, input logic [15:0] dilation);
  logic [15:0] a = stride, b = dilation, rest;
  while (b != 0) begin
    rest = a % b;
    a = b;
    b = rest;
  end
  return ceil_div(64'(kernel), 64'(stride / a));
endfunction

function automatic cycle_t window_cells(input window_t w);
  if (w.kind != WINDOW_OVERLAP) return 64'(w.kernel_h) * 64'(w.kernel_w);
  return taps(w.kernel_h, w.stride_h, w.dilation_h) * taps(w.kernel_w, w.stride_w, w.dilation_w);
endfunction

// Stage 1: the unit of the queue is busy.
function automatic cycle_t occupancy(input instruction_t e);
  /*verilator no_inline_task*/
  cycle_t pixels = 64'(e.h) * 64'(e.w);
  cycle_t made = pixels * 64'(views[e.dst_view].channels);
  cycle_t read_ = pixels * 64'(views[e.a_view].channels);
  group_t g = groups[e.obj];
  if (e.skipped) return 0;
  case (e.op)
    OP_MVM: return ceil_div(64'(e.h), at_least_one(g.patch_h)) * ceil_div(64'(e.w), at_least_one(g.patch_w)) * 64'(g.product_cycles);
    OP_VMAP: return vector_cycles(made * 64'(programs[e.obj].n_lanes));
    OP_VWIN: return vector_cycles(made * window_cells(windows[e.obj]));
    OP_VRED: return vector_cycles(read_);
    OP_VGAT, OP_VTAKE: return vector_cycles(made);
    OP_VDOT: return vector_cycles(made * 64'(views[e.a_view].channels));
    OP_SEND: return paid(read_ * 64'(element_bytes(views[e.a_view].element)), machine[MACHINE_LINK_BYTES_PER_CYCLE]);
    OP_LOAD: return paid(made * 64'(element_bytes(bindings[e.obj].element)), machine[MACHINE_DRAM_BYTES_PER_CYCLE]);
    OP_STORE: return paid(read_ * 64'(element_bytes(bindings[e.obj].element)), machine[MACHINE_DRAM_BYTES_PER_CYCLE]);
    default: return 0;
  endcase
endfunction

function automatic cycle_t at_least_one(input logic [15:0] n);
  return n == 0 ? 1 : 64'(n);
endfunction

function automatic cycle_t latency(input instruction_t e);
  /*verilator no_inline_task*/
  if (!e.skipped && (e.op == OP_LOAD || e.op == OP_STORE)) return occupancy(e) + machine[MACHINE_DRAM_CYCLES];
  return occupancy(e);
endfunction

// The way of the messages of a SEND or SIGNAL.
function automatic cycle_t flight(input instruction_t e);
  /*verilator no_inline_task*/
  return e.skipped ? 0 : 64'(routes[e.obj].hops) * machine[MACHINE_HOP_CYCLES];
endfunction

// SIGNAL, WAIT and NOP ask for no unit.
function automatic logic needs_unit(input instruction_t e);
  return !e.skipped && !(e.op inside {OP_SIGNAL, OP_WAIT, OP_NOP});
endfunction

function automatic logic [31:0] next_random(input logic [31:0] r);
  logic [31:0] s = r ^ r << 13;
  s = s ^ s >> 17;
  return s ^ s << 5;
endfunction

// With random latencies: 0 to 63 cycles more.
function automatic cycle_t extra(input logic [31:0] r);
  return latency_seed == 0 ? 0 : 64'(r[31:26]);
endfunction
