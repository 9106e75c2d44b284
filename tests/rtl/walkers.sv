// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// walkers.sv - the back of the stream decoder (ISA.md 9.1, 9.2, 14): steps -> instructions, one a clock.
//
// Three stages: the step at hand names its walker, whose word comes a clock later, with it the walker's state
// and the counts that waits are relative to; in the third stage is the instruction, with its extension.
// Nothing is worked out anew when an iteration begins: `parity` of a state says of which one it is.

// What operations have (isa.def).
module cimc_operation (
    input logic [4:0] op,
    output logic exists, has_obj, has_flags, has_dst, has_a, has_b, has_dram, from_origin
);
  always_comb begin
    {exists, has_obj, has_flags, has_dst, has_a, has_b, has_dram, from_origin} = 8'b0000_0000;
    case (op)
      cimc_pkg::OP_NOP, cimc_pkg::OP_WAIT: exists = 1'b1;
      cimc_pkg::OP_MVM: {exists, has_obj, has_dst} = 3'b111;
      cimc_pkg::OP_VMAP: {exists, has_obj, has_dst, has_a, has_b} = 5'b11111;
      cimc_pkg::OP_VWIN, cimc_pkg::OP_VGAT: {exists, has_obj, has_dst, has_a, from_origin} = 5'b11111;
      cimc_pkg::OP_VRED: {exists, has_flags, has_dst, has_a} = 4'b1111;
      cimc_pkg::OP_VDOT, cimc_pkg::OP_VTAKE: {exists, has_flags, has_dst, has_a, has_b} = 5'b11111;
      cimc_pkg::OP_SEND: {exists, has_obj, has_a} = 3'b111;
      cimc_pkg::OP_SIGNAL: {exists, has_obj} = 2'b11;
      cimc_pkg::OP_LOAD: {exists, has_obj, has_flags, has_dst, has_dram} = 5'b11111;
      cimc_pkg::OP_STORE: {exists, has_obj, has_flags, has_a, has_dram} = 5'b11111;
      default: ;
    endcase
  end
endmodule

// One extent of a walker's next region, and its place behind it.
module cimc_extent #(
    parameter int W = 16
) (
    input logic [23:0] at, first, last,
    input logic [W-1:0] usual, at_first, at_last,
    output logic [W-1:0] extent,
    output logic beyond  // there is none
);
  logic signed [24:0] rest;
  assign rest = $signed({1'b0, last}) - $signed({at[23], at});
  always_comb begin
    beyond = rest <= 0;
    extent = usual;
    if (rest <= $signed({9'd0, 16'(at_last)})) extent = rest[W-1:0];
    else if (at == first) extent = at_first;
    if (extent == 0) beyond = 1'b1;
  end
endmodule

module cimc_walkers #(
    parameter int WALKERS = 256,
    parameter int QUEUES = 128,
    parameter int INBOUND = 64
) (
    input logic clk, reset, again,
    input logic [20:0] frames,  // 0: the program has none
    input logic [14:0] n_walkers_short, n_walkers, n_extensions,
    // Words that come in the clock after their address; steps in the same.
    output logic [13:0] walkers_short_address, walkers_long_address, extensions_address,
    input cimc_pkg::walker_short_t walkers_short_data,
    input cimc_pkg::walker_long_t walkers_long_data,
    input cimc_pkg::extension_t extensions_data,
    output logic [9:0] steps_address,
    input logic [31:0] steps_data,
    output logic clear,  // its state is not there yet
    input logic step_valid,
    output logic step_ready,
    input cimc_step::step_t step,
    output logic valid,
    input logic ready,
    output cimc_pkg::instruction_t instruction,
    output logic idle, illegal
);
  localparam int STATES = WALKERS > QUEUES ? (WALKERS > INBOUND + 1 ? WALKERS : INBOUND + 1)
                                           : (QUEUES > INBOUND + 1 ? QUEUES : INBOUND + 1);
  localparam int WALKER_BITS = $clog2(WALKERS);
  localparam int QUEUE_BITS = $clog2(QUEUES);
  localparam int INBOUND_BITS = $clog2(INBOUND + 1);
  typedef struct packed {
    logic parity;
    logic [4:0] later;  // FRAMEs so far
    logic [15:0] set_w;  // 0: the raster says the extents
    logic [11:0] set_h;
    logic [23:0] y, x;
  } state_t;
  typedef struct packed {
    logic parity;
    logic [21:0] base, last;  // at the start of the body, and now
  } inbound_t;
  logic [81:0] states[0:WALKERS-1];
  logic [21:0] dispatched[0:QUEUES-1];
  logic [44:0] inbounds[0:INBOUND];

  // ---- the first clocks: no state yet ----
  logic [15:0] cleared;
  assign clear = cleared != 16'(STATES);
  always_ff @(posedge clk)
    if (reset) cleared <= '0;
    else if (clear) cleared <= cleared + 1'b1;

  // ---- the step and its walker ----
  logic stall, valid_2;
  cimc_step::step_t step_2;
  logic [13:0] named;
  assign stall = valid && !ready;
  assign step_ready = !stall && !clear;
  assign named = stall ? step_2.walker : step.walker;
  assign walkers_short_address = named;
  assign walkers_long_address = named - n_walkers_short[13:0];
  always_ff @(posedge clk)
    if (reset) valid_2 <= 1'b0;
    else if (!stall) begin
      valid_2 <= step_valid && step_ready;
      step_2 <= step;
    end

  logic is_short;
  cimc_pkg::walker_long_t k;
  assign is_short = {1'b0, step_2.walker} < n_walkers_short;
  always_comb begin
    k = walkers_long_data;
    if (is_short) begin
      k = '0;
      k.op = walkers_short_data.op;
      k.queue = walkers_short_data.queue;
      k.flags = walkers_short_data.flags;
      k.stage = walkers_short_data.stage;
      k.obj = walkers_short_data.obj;
      k.dst = walkers_short_data.dst;
      k.a = walkers_short_data.a;
      k.b = walkers_short_data.b;
      k.xs = {9'd0, walkers_short_data.xs};
      k.x1 = {9'd0, walkers_short_data.x1};
      k.ys = {10'd0, walkers_short_data.ys};
      k.y1 = {10'd0, walkers_short_data.y1};
      k.w = {3'd0, walkers_short_data.w};
      k.w_first = k.w;
      k.w_last = k.w;
      k.h = 12'd1;
      k.h_first = 12'd1;
      k.h_last = 12'd1;
    end
  end
  logic exists, has_obj, has_flags, has_dst, has_a, has_b, has_dram, from_origin, has_region;
  cimc_operation operation (
      .op(k.op), .exists(exists), .has_obj(has_obj), .has_flags(has_flags), .has_dst(has_dst), .has_a(has_a),
      .has_b(has_b), .has_dram(has_dram), .from_origin(from_origin));
  assign has_region = has_dst || has_a;

  // ---- where the walker is, and goes ----
  logic parity, first_body;  // since reset
  logic [21:0] iteration;  // of this run
  logic instruction_2;
  logic [WALKER_BITS-1:0] walker_2;
  state_t state, state_next, stored;
  logic [15:0] raster_w, w;
  logic [11:0] raster_h, h;
  logic beyond_x, beyond_y;
  logic [23:0] x_after, y_after;
  logic signed [24:0] y_behind;
  assign walker_2 = clear ? cleared[WALKER_BITS-1:0] : step_2.walker[WALKER_BITS-1:0];
  assign stored = states[walker_2];
  always_comb begin
    state = stored;
    if (stored.parity != parity) begin  // its first step in this body
      state.later = '0;
      state.set_w = '0;
      if (stored.later == 0) begin
        state.y = {1'b0, k.ys};
        state.x = {1'b0, k.xs};
      end
    end
    state.parity = parity;
  end
  cimc_extent #(.W(16)) along_x (
      .at(state.x), .first({1'b0, k.xs}), .last({1'b0, k.x1}), .usual(k.w), .at_first(k.w_first), .at_last(k.w_last),
      .extent(raster_w), .beyond(beyond_x));
  cimc_extent #(.W(12)) along_y (
      .at(state.y), .first({1'b0, k.ys}), .last({1'b0, k.y1}), .usual(k.h), .at_first(k.h_first), .at_last(k.h_last),
      .extent(raster_h), .beyond(beyond_y));
  assign w = state.set_w != 0 ? state.set_w : raster_w;
  assign h = state.set_w != 0 ? state.set_h : raster_h;
  assign x_after = state.x + {8'd0, w};
  assign y_after = state.y + {12'd0, h} + {20'd0, k.gap};
  assign y_behind = $signed({y_after[23], y_after}) - $signed({2'b00, k.y1});
  always_comb begin
    state_next = state;
    case (step_2.kind)
      cimc_step::INSTRUCTION: begin
        state_next.set_w = '0;
        state_next.x = x_after;
        if (x_after == {1'b0, k.x1}) begin
          state_next.x = {1'b0, k.xs};
          state_next.y = y_behind[24] ? y_after : {1'b0, k.ys};
        end
      end
      cimc_step::PLACE: begin
        state_next.y = step_2.value_0;
        state_next.x = step_2.value_1;
      end
      cimc_step::EXTENT: begin
        state_next.set_w = step_2.value_0[15:0];
        state_next.set_h = step_2.value_1[11:0];
      end
      cimc_step::FRAME: begin
        state_next.later = state.later + 1'b1;
        state_next.y = {1'b0, k.ys};
        state_next.x = {1'b0, k.xs};
      end
      default: ;
    endcase
    if (clear) begin
      state_next = '0;
      state_next.parity = 1'b1;
    end
  end
  assign instruction_2 = valid_2 && !stall && step_2.kind == cimc_step::INSTRUCTION;
  always_ff @(posedge clk)
    if (clear || (valid_2 && !stall && step_2.kind != cimc_step::HALT &&
                  !(step_2.kind == cimc_step::INSTRUCTION && !step_2.last)))
      states[walker_2] <= state_next;
  always_ff @(posedge clk)
    if (reset) begin
      parity <= 1'b0;
      first_body <= 1'b1;
      iteration <= '0;
    end else if (valid_2 && !stall && step_2.kind == cimc_step::HALT) begin
      parity <= !parity;
      first_body <= 1'b0;
      iteration <= iteration + 1'b1;
    end else if (again) iteration <= '0;

  // ---- which frame it is for ----
  logic [4:0] stage;
  logic signed [22:0] frame;
  logic is_first, is_last, skipped;
  assign stage = k.stage - state.later;
  assign frame = $signed({1'b0, iteration}) - $signed({18'd0, stage});
  assign is_first = frame == 0;
  assign is_last = frame == $signed({2'b00, frames}) - 23'sd1;
  assign skipped = frames != 0 && (frame < 0 || frame >= $signed({2'b00, frames}) ||
                                   (has_dram && ((k.flags[0] && !is_first) || (k.flags[1] && !is_last))));

  // ---- waits: relative to what was dispatched, or to the last message ----
  logic inbound_0, inbound_1, any_inbound;
  logic [9:0] inbound_counter;
  logic [23:0] inbound_value;
  logic [INBOUND_BITS-1:0] inbound_at;
  inbound_t inbound_stored, inbound_next;
  logic [21:0] base, threshold_0, threshold_1, own;
  assign inbound_0 = step_2.wait_0 && step_2.counter_0[9:7] != 0;
  assign inbound_1 = step_2.wait_1 && step_2.counter_1[9:7] != 0;
  assign any_inbound = inbound_0 || inbound_1;
  assign inbound_counter = inbound_0 ? step_2.counter_0 : step_2.counter_1;
  assign inbound_value = inbound_0 ? step_2.value_0 : step_2.value_1;
  assign steps_address = inbound_counter - 10'd128;
  always_comb begin
    inbound_at = inbound_counter == 10'd1022 ? INBOUND_BITS'(INBOUND) : steps_address[INBOUND_BITS-1:0];
    if (clear) inbound_at = cleared[INBOUND_BITS-1:0];
  end
  assign inbound_stored = inbounds[inbound_at];
  always_comb begin
    base = inbound_stored.base;
    inbound_next = inbound_stored;
    if (inbound_stored.parity != parity) begin
      base = first_body ? 22'd0 :
             inbound_stored.base + (inbound_counter == 10'd1022 ? 22'd1 : steps_data[21:0]);
      inbound_next.last = base;
    end
    inbound_next.base = base;
    inbound_next.parity = parity;
    inbound_next.last = inbound_next.last + inbound_value[21:0];
    if (clear) begin
      inbound_next = '0;
      inbound_next.parity = 1'b1;
    end
  end
  always_ff @(posedge clk)
    if (clear ? cleared <= 16'(INBOUND) : instruction_2 && any_inbound) inbounds[inbound_at] <= inbound_next;
  assign threshold_0 = inbound_0 ? inbound_next.last
                                 : dispatched[step_2.counter_0[QUEUE_BITS-1:0]] - step_2.value_0[21:0];
  assign threshold_1 = inbound_1 ? inbound_next.last
                                 : dispatched[step_2.counter_1[QUEUE_BITS-1:0]] - step_2.value_1[21:0];
  logic [QUEUE_BITS-1:0] queue_2;
  assign queue_2 = clear ? cleared[QUEUE_BITS-1:0] : k.queue[QUEUE_BITS-1:0];
  assign own = clear ? '0 : dispatched[queue_2] + 1'b1;
  always_ff @(posedge clk)
    if (clear ? cleared < 16'(QUEUES) : instruction_2 && step_2.last) dispatched[queue_2] <= own;

  // ---- the instruction ----
  cimc_pkg::walker_long_t k_3;
  logic [255:0] waits;
  logic [3:0] n_waits;
  logic whole;  // the step before was an instruction's last
  logic [23:0] y_3, x_3;
  logic [15:0] w_3;
  logic [11:0] h_3;
  logic [4:0] stage_3;
  logic [20:0] frame_3;
  logic skipped_3, dst_3, a_3, b_3, dram_3, origin_3, region_3;
  logic [3:0] filled;
  assign extensions_address = (stall ? k_3.extension[13:0] : k.extension[13:0]) - 14'd1;
  assign filled = whole ? 4'd0 : n_waits;
  always_ff @(posedge clk)
    if (instruction_2) begin
      k_3 <= k;
      {y_3, x_3, w_3, h_3} <= {state.y, state.x, w, h};
      {dst_3, a_3, b_3, dram_3, origin_3, region_3} <= {has_dst, has_a, has_b, has_dram, from_origin, has_region};
      stage_3 <= stage;
      skipped_3 <= skipped;
      frame_3 <= frame[20:0];
      if (whole) waits <= '0;
      for (int i = 0; i < 8; i = i + 1)
        if (step_2.wait_0 && filled == i[3:0]) waits[32*i+:32] <= {threshold_0, step_2.counter_0};
      if (step_2.wait_1) waits[63:32] <= {threshold_1, step_2.counter_1};
      n_waits <= filled + {3'd0, step_2.wait_0} + {3'd0, step_2.wait_1};
    end
  always_ff @(posedge clk)
    if (reset) begin
      valid <= 1'b0;
      whole <= 1'b1;
    end else if (!stall) begin
      valid <= instruction_2 && step_2.last && !illegal;
      if (instruction_2) whole <= step_2.last;
    end

  logic far;
  logic [23:0] a_y, a_x;
  assign far = k_3.extension != 0;
  assign a_y = y_3 + (far ? extensions_data.a_y : '0);
  assign a_x = x_3 + (far ? extensions_data.a_x : '0);
  always_comb begin
    instruction = '0;
    instruction.op = k_3.op;
    instruction.queue = k_3.queue;
    instruction.flags = k_3.flags;
    instruction.stage = stage_3;
    instruction.obj = k_3.obj;
    instruction.dst_view = k_3.dst;
    instruction.a_view = k_3.a;
    instruction.b_view = k_3.b;
    if (region_3) {instruction.h, instruction.w} = {h_3, w_3};
    if (dst_3) {instruction.dst_y, instruction.dst_x} = {y_3, x_3};
    if (a_3) {instruction.a_y, instruction.a_x} = !dst_3 ? {y_3, x_3} : origin_3 && !far ? 48'd0 : {a_y, a_x};
    if (b_3) begin
      instruction.b_y = y_3 + (far ? extensions_data.b_y : '0);
      instruction.b_x = x_3 + (far ? extensions_data.b_x : '0);
    end
    if (dram_3) begin
      {instruction.y, instruction.x} = {a_y[22:0], a_x[22:0]};
      if (far) instruction.c = extensions_data.c;
    end
    instruction.waits = waits;
    instruction.n_waits = n_waits;
    instruction.skipped = skipped_3;
    if (!skipped_3) instruction.frame = frame_3;
  end

  // ---- faults of form ----
  logic flags_wrong, fields_wrong, raster_wrong, place_wrong, set_wrong, fault;
  always_comb begin
    case (k.op)
      cimc_pkg::OP_VRED: flags_wrong = k.flags[2:0] == 0;
      cimc_pkg::OP_VTAKE: flags_wrong = k.flags != 4'd1 && k.flags != 4'd2 && k.flags != 4'd4;
      cimc_pkg::OP_VDOT: flags_wrong = k.flags[3:1] != 0;
      cimc_pkg::OP_LOAD, cimc_pkg::OP_STORE: flags_wrong = k.flags[3:2] != 0;
      default: flags_wrong = k.flags != 0;
    endcase
  end
  assign fields_wrong = !exists || flags_wrong || (!has_obj && k.obj != 0) || (!has_dst && k.dst != 0) ||
                        (!has_a && k.a != 0) || (!has_b && k.b != 0) || k.extension > n_extensions ||
                        {1'b0, step_2.walker} >= n_walkers;
  assign raster_wrong = !has_region && (!is_short || {k.xs, k.x1, k.ys, k.y1, k.w} != 0);
  assign place_wrong = has_region && !skipped && state.set_w == 0 && (beyond_x || beyond_y);
  always_comb begin
    set_wrong = 1'b0;
    case (step_2.kind)
      cimc_step::PLACE: set_wrong = !has_region || state.set_w != 0;
      cimc_step::FRAME: set_wrong = stage == 0 || state.set_w != 0;
      cimc_step::INSTRUCTION: set_wrong = place_wrong;
      default: ;
    endcase
  end
  assign fault = step_2.kind != cimc_step::HALT && (fields_wrong || raster_wrong || set_wrong);
  assign idle = !valid_2 && !valid;
  always_ff @(posedge clk)
    if (reset) illegal <= 1'b0;
    else if (valid_2 && !stall && fault) illegal <= 1'b1;
endmodule
