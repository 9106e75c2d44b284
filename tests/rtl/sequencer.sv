// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// sequencer.sv - queues, heads, waits and counters of a tile (ISA.md 2, 3), and the list of what has started.
//
// In: instructions in stream order, one a clock. Out: the head of each queue, and whether its waits hold. Who
// knows the unit says `start`; who knows when the work is over says `complete`, which counts at the edge.
// A clock of this module is a cycle of SIM.md 2 where issue, start and complete take one: an instruction that
// is taken at edge T is a head that can start from T on, `holds` looks at counters as they are at T, `start`
// moves the queue on at T + 1, where a full queue takes the next one.

// What is kept of an instruction until it starts; DRAM's place lies where other operations have b.
package cimc_kept;
  typedef struct packed {
    logic [4:0] op;
    logic [3:0] flags;
    logic [9:0] obj;
    logic [11:0] h;
    logic [15:0] w;
    logic [9:0] dst_view;
    logic [23:0] dst_y, dst_x;
    logic [9:0] a_view;
    logic [23:0] a_y, a_x;
    logic [69:0] b_or_dram;
    logic skipped;
    logic [20:0] frame;
  } fields_t;
  localparam int FIELDS = 255;
endpackage

module cimc_pack (
    input cimc_pkg::instruction_t instruction,
    output cimc_kept::fields_t fields
);
  logic is_dram;
  assign is_dram = instruction.op == cimc_pkg::OP_LOAD || instruction.op == cimc_pkg::OP_STORE;
  always_comb begin
    fields.op = instruction.op;
    fields.flags = instruction.flags;
    fields.obj = instruction.obj;
    fields.h = instruction.h;
    fields.w = instruction.w;
    fields.dst_view = instruction.dst_view;
    fields.dst_y = instruction.dst_y;
    fields.dst_x = instruction.dst_x;
    fields.a_view = instruction.a_view;
    fields.a_y = instruction.a_y;
    fields.a_x = instruction.a_x;
    fields.b_or_dram = is_dram ? {instruction.y, instruction.x, instruction.c}
                               : {12'd0, instruction.b_view, instruction.b_y, instruction.b_x};
    fields.skipped = instruction.skipped;
    fields.frame = instruction.frame;
  end
endmodule

module cimc_unpack (
    input cimc_kept::fields_t fields,
    input logic [6:0] queue,
    output cimc_pkg::instruction_t instruction
);
  always_comb begin
    instruction = '0;
    instruction.op = fields.op;
    instruction.queue = queue;
    instruction.flags = fields.flags;
    instruction.obj = fields.obj;
    instruction.h = fields.h;
    instruction.w = fields.w;
    instruction.dst_view = fields.dst_view;
    instruction.dst_y = fields.dst_y;
    instruction.dst_x = fields.dst_x;
    instruction.a_view = fields.a_view;
    instruction.a_y = fields.a_y;
    instruction.a_x = fields.a_x;
    if (fields.op == cimc_pkg::OP_LOAD || fields.op == cimc_pkg::OP_STORE)
      {instruction.y, instruction.x, instruction.c} = fields.b_or_dram;
    else {instruction.b_view, instruction.b_y, instruction.b_x} = fields.b_or_dram[57:0];
    instruction.skipped = fields.skipped;
    instruction.frame = fields.frame;
  end
endmodule

// counts[place], as a tree of choices by one bit each.
module cimc_choose #(
    parameter int PLACE = 6
) (
    input logic [(22<<PLACE)-1:0] counts,
    input logic [PLACE-1:0] place,
    output logic [21:0] chosen
);
`ifdef VERILATOR  // of the tree it makes too much
  assign chosen = counts[22*place+:22];
`else
  logic [(22<<PLACE)-1:0] half;  // its lower half is the half in question, at each bit
  always_comb begin
    half = counts;
    for (int bit_at = PLACE - 1; bit_at >= 0; bit_at = bit_at - 1)
      for (int n = 0; n < 1 << bit_at; n = n + 1)
        half[22*n+:22] = place[bit_at] ? half[22*(n+(1<<bit_at))+:22] : half[22*n+:22];
  end
  assign chosen = half[21:0];
`endif
endmodule

// One queue. Waits are kept with the counter's place in `counts`; WAITS of them are compared in a clock, so
// with WAITS = SLOTS all of them.
module cimc_queue #(
    parameter int DEPTH = 8,
    parameter int SLOTS = 8,
    parameter int WAITS = 8,
    parameter int PLACE = 6,  // bits of a place in counts
    parameter int FIELDS = 255,
    parameter int COUNTS = 64
) (
    input logic clk, reset,
    input logic push,
    input logic [FIELDS-1:0] fields,
    input logic [SLOTS*(PLACE+23)-1:0] waits,  // of each: it is one, place, threshold
    input logic [COUNTS*22-1:0] counts,
    input logic start,
    output logic [$clog2(DEPTH):0] held,
    output logic [FIELDS-1:0] head,
    output logic holds
);
  localparam int WAIT = PLACE + 23;
  localparam int GROUPS = (SLOTS + WAITS - 1) / WAITS;
  localparam int INDEX = $clog2(DEPTH);
  logic [FIELDS-1:0] entries[0:DEPTH-1];
  logic [SLOTS*WAIT-1:0] slots[0:DEPTH-1];
  logic [INDEX-1:0] first, next;
  logic [GROUPS*WAITS*WAIT-1:0] all;
  logic [WAITS*WAIT-1:0] looked_at;
  logic [WAITS-1:0] reached;
  logic [3:0] group;

  assign head = entries[first];
  always_comb begin
    all = '0;
    all[SLOTS*WAIT-1:0] = slots[first];
  end
  always_ff @(posedge clk)
    if (push) begin
      entries[next] <= fields;
      slots[next] <= waits;
    end
  always_ff @(posedge clk)
    if (reset) begin
      first <= '0;
      next <= '0;
      held <= '0;
    end else begin
      if (push) next <= next == INDEX'(DEPTH - 1) ? '0 : next + 1'b1;
      if (start) first <= first == INDEX'(DEPTH - 1) ? '0 : first + 1'b1;
      held <= held + {{INDEX{1'b0}}, push} - {{INDEX{1'b0}}, start};
    end

  always_comb begin
    looked_at = all[WAITS*WAIT-1:0];
    for (int g = 1; g < GROUPS; g = g + 1)
      if (group == g[3:0]) looked_at = all[g*WAITS*WAIT+:WAITS*WAIT];
  end
  for (genvar i = 0; i < WAITS; i = i + 1) begin : compare
    logic [PLACE-1:0] place;
    logic [21:0] threshold, chosen, ahead;
    assign threshold = looked_at[i*WAIT+:22];
    assign place = looked_at[i*WAIT+22+:PLACE];
    cimc_choose #(.PLACE(PLACE)) count (.counts(counts), .place(place), .chosen(chosen));
    assign ahead = chosen - threshold;
    assign reached[i] = !ahead[21] || !looked_at[i*WAIT+22+PLACE];
  end
  assign holds = held != 0 && (&reached) && group == 4'(GROUPS - 1);
  always_ff @(posedge clk)
    if (reset || start) group <= '0;
    else if (held != 0 && (&reached) && group != 4'(GROUPS - 1)) group <= group + 1'b1;
endmodule

module cimc_sequencer #(
    parameter int QUEUES = 9,
    parameter int DEPTH = 8,
    parameter int INBOUND = 16,
    parameter int SLOTS = 8,  // waits that an instruction may have
    parameter int WAITS = 8  // of a head that are looked at in one clock
) (
    input logic clk, reset,
    input logic [15:0] queue_depth,  // at most DEPTH
    input logic valid,
    output logic ready,
    input cimc_pkg::instruction_t instruction,
    // Of each queue. Heads without stage, queue and waits.
    output logic [QUEUES-1:0] exists, holds,
    output logic [QUEUES*cimc_pkg::INSTRUCTION_BITS-1:0] heads,
    input logic [QUEUES-1:0] start,
    input logic [QUEUES-1:0] complete,
    // Messages: inbound counter 128 + i counts one; so does the counter of the pace.
    input logic [INBOUND-1:0] inbound,
    input logic pace,
    // A run begins: what the counter of the pace is set to, iterations since reset.
    input logic begins,
    input logic [21:0] iterations,
    output logic [(QUEUES+INBOUND+1)*22-1:0] counts,  // queues, inbound counters, pace
    output logic empty
);
  localparam int COUNTERS = QUEUES + INBOUND + 1;
  localparam int PLACE = $clog2(COUNTERS);
  localparam int COUNTS = 1 << PLACE;
  localparam int WAIT = PLACE + 23;
  // ---- counters ----
  logic [COUNTERS-1:0] more;
  logic [COUNTS*22-1:0] padded;
  assign more = {pace, inbound, complete};
  assign padded = {{(COUNTS - COUNTERS) * 22{1'b0}}, counts};
  always_ff @(posedge clk)
    for (int i = 0; i < COUNTERS; i = i + 1)
      if (reset) counts[22*i+:22] <= '0;
      else if (begins && i == COUNTERS - 1) counts[22*i+:22] <= iterations;
      else if (more[i]) counts[22*i+:22] <= counts[22*i+:22] + 22'd1;

  // ---- the instruction that comes in: what is kept of it ----
  logic [cimc_kept::FIELDS-1:0] fields;
  logic [SLOTS*WAIT-1:0] waits;
  cimc_pack pack (.instruction(instruction), .fields(fields));
  for (genvar i = 0; i < SLOTS; i = i + 1) begin : slot
    logic [9:0] counter, place;
    assign counter = instruction.waits[32*i+:10];
    assign place = counter == 10'd1022 ? 10'(QUEUES + INBOUND)
                                       : counter[9:7] == 0 ? counter : counter - 10'd128 + 10'(QUEUES);
    assign waits[i*WAIT+:WAIT] = {instruction.n_waits > 4'(i) && !instruction.skipped, place[PLACE-1:0],
                                  instruction.waits[32*i+10+:22]};
  end

  // ---- queues ----
  logic [QUEUES-1:0] room, chosen;
  assign ready = |(room & chosen);
  assign empty = exists == 0;
  for (genvar q = 0; q < QUEUES; q = q + 1) begin : queue
    logic [$clog2(DEPTH):0] held;
    logic [cimc_kept::FIELDS-1:0] kept;
    assign chosen[q] = instruction.queue == 7'(q);
    assign room[q] = 16'(held) < queue_depth || start[q];
    assign exists[q] = held != 0;
    cimc_queue #(.DEPTH(DEPTH), .SLOTS(SLOTS), .WAITS(WAITS), .PLACE(PLACE), .FIELDS(cimc_kept::FIELDS), .COUNTS(COUNTS)) line (
        .clk(clk), .reset(reset), .push(valid && chosen[q] && room[q]), .fields(fields), .waits(waits), .counts(padded),
        .start(start[q]), .held(held), .head(kept), .holds(holds[q]));
    cimc_unpack unpack (
        .fields(kept), .queue(7'(q)), .instruction(heads[q*cimc_pkg::INSTRUCTION_BITS+:cimc_pkg::INSTRUCTION_BITS]));
  end
endmodule

// What has started in a queue and is not counted, in order; one completes in a clock. `work_over`: the unit's
// work for the oldest of its instructions that it has not said it of. What waits for no unit (WAIT, NOP,
// SIGNAL, skipped) completes when what is before it has.
module cimc_started #(
    parameter int INFLIGHT = 4
) (
    input logic clk, reset,
    input logic [15:0] inflight,  // of the machine, at most INFLIGHT
    input logic start, start_at_once,
    input logic [9:0] start_route,
    input logic start_message,  // SEND, SIGNAL: it tells the targets of a route when it completes
    input logic work_over,
    output logic room,
    output logic complete,
    output logic message,
    output logic [9:0] route
);
  localparam int BITS = $clog2(INFLIGHT + 1);
  localparam int INDEX = INFLIGHT == 1 ? 1 : $clog2(INFLIGHT);
  logic [11:0] list[0:INFLIGHT-1];
  logic [BITS-1:0] held, over;
  logic [INDEX-1:0] first, next;
  logic at_once, is_message, exists;
  assign exists = held != 0;
  assign {at_once, is_message, route} = list[first];
  assign room = 16'(held) < inflight;
  assign complete = exists && (at_once || over != 0 || work_over);
  assign message = complete && is_message;
  always_ff @(posedge clk) if (start) list[next] <= {start_at_once, start_message, start_route};
  always_ff @(posedge clk)
    if (reset) begin
      held <= '0;
      over <= '0;
      first <= '0;
      next <= '0;
    end else begin
      held <= held + {{BITS - 1{1'b0}}, start} - {{BITS - 1{1'b0}}, complete};
      over <= over + {{BITS - 1{1'b0}}, work_over} - {{BITS - 1{1'b0}}, complete && !at_once};
      if (start) next <= next == INDEX'(INFLIGHT - 1) ? '0 : next + 1'b1;
      if (complete) first <= first == INDEX'(INFLIGHT - 1) ? '0 : first + 1'b1;
    end
endmodule
