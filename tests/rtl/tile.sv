// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// A tile (ISA.md 1): decoder, sequencer, what has started, and the datapath behind its queues.
//
// Two clocks. `clk` is the machine's: queues, counters and times move with it. The datapath works with `clk_data`, an
// element a clock, while `clk` stands still (`data_busy`): what many ports and lanes do side by side in a machine
// happens here one after the other, at the cycle in which an instruction ends.
module cimc_tile
  import cimc_pkg::*;
  import machine_pkg::*;
#(
    parameter int TILES = 2
) (
    input logic clk,
    input logic clk_data,
    input logic reset,
    input logic [15:0] number,
    input logic clocked,                  // a clock is a cycle
    input logic go,                       // streams may begin
    input logic over,                     // a run ends
    input logic again,                    // another begins: nothing is reset but what counts time
    input logic [31:0] repeated,          // runs before it count as if they had been repeated so often
    input cycle_t now,
    input cycle_t then,                   // what `now` will be after this clock

    output logic moving,                  // something happens in this clock, so time stands
    output cycle_t next_time,             // of what is known, the first after now
    output logic finished,
    output logic has_begun,               // enough is decoded for the streams to begin
    output logic starved,                 // the decoder has nothing though there is room
    output logic data_busy,
    output cycle_t last_end,

    output flit_t sent,
    input flit_t [TILES-1:0] bus,

    output logic [3:0] dram_input,        // LOAD: this element of this tensor
    output logic [31:0] dram_element,
    input logic [63:0] dram_value,
    output logic dram_write,              // STORE
    output logic [3:0] dram_output,
    output logic [31:0] dram_to,
    output logic [63:0] dram_stored
);
  `include "memories.svh"
  `include "costs.svh"

  // ---- decoder and sequencer ----
  logic decoder_valid, sequencer_ready, decoder_done, queues_empty, pace_count;
  instruction_t decoded;
  logic [QUEUES-1:0] holds, starts, ends, counts;
  logic [QUEUES*INSTRUCTION_BITS-1:0] heads;
  logic [INBOUND-1:0] counted;
  logic [(QUEUES+INBOUND+1)*22-1:0] counters;
  logic [21:0] iterations;                // since reset
  wire begins = reset || again;

  `include "stream.svh"

  cimc_sequencer #(.QUEUES(QUEUES), .DEPTH(DEPTH), .INBOUND(INBOUND)) sequencer (
      .clk, .reset, .queue_depth(machine[MACHINE_QUEUE_DEPTH][15:0]), .valid(decoder_valid && may_issue), .ready(sequencer_ready),
      .instruction(decoded), .exists(), .holds, .heads, .start(starts), .complete(counts), .inbound(counted), .pace(pace_count),
      .begins(again), .iterations, .counts(counters), .empty(queues_empty));

  // Of the cycles that issue, start and complete take, a clock is one where clocks are cycles.
  wire cycle_t start_delay = machine[MACHINE_START_CYCLES] - 64'(clocked);
  wire cycle_t complete_delay = machine[MACHINE_COMPLETE_CYCLES] - 64'(clocked);
  wire one_a_cycle = machine[MACHINE_COMPLETE_CYCLES] != 0;
  cycle_t next_issue;
  wire may_issue = go && $signed(now) >= $signed(next_issue);
  wire dispatches = decoder_valid && may_issue && sequencer_ready;
  always_ff @(posedge clk)
    if (begins) next_issue <= NEVER;
    else if (dispatches) next_issue <= now + machine[MACHINE_ISSUE_CYCLES];
  assign starved = !decoder_valid && !decoder_done;

  // The pace counts 1 at cycle 0 and one more each `pace` cycles.
  wire cycle_t pace = program_number(PROGRAM_PACE);
  cycle_t next_pace;
  assign pace_count = go && pace != 0 && $signed(now + 64'(clocked)) >= $signed(next_pace);
  always_ff @(posedge clk)
    if (begins) next_pace <= 0;
    else if (pace_count) next_pace <= next_pace + pace;

  // ---- what is dispatched, and what becomes of it ----
  logic [31:0] index, iteration, random;
  wire is_last = index + 1 == sizes[SIZE_INSTRUCTIONS][31:0];
  taken_t dispatched;
  logic [QUEUES-1:0] due, done, idle;     // the oldest that has started may end; the datapath has executed it
  number_t n_dispatched[QUEUES], n_started[QUEUES], n_ended[QUEUES];
  cycle_t oldest_start[QUEUES], unit_times[QUEUES];
  instruction_t instructions[QUEUES][NUMBERS];  // as the sequencer gives them when they start
  origin_t origins[QUEUES][NUMBERS];

  assign dispatched = '{occupancy: occupancy(decoded), latency: latency(decoded) + extra(random), needs_unit: needs_unit(decoded)};
  always_ff @(posedge clk)
    if (begins) begin
      index <= 0;
      iteration <= 0;
      random <= (latency_seed + 1) * 32'h9e3779b1 + 32'(number);
    end else if (dispatches) begin
      index <= is_last ? 0 : index + 1;
      iteration <= iteration + 32'(is_last);
      random <= next_random(random);
    end

  for (genvar q = 0; q < QUEUES; q++) begin : g_unit
    cimc_unit unit (
        .clk, .reset(begins), .now, .then, .inflight(machine[MACHINE_INFLIGHT][15:0]), .start_delay, .complete_delay, .one_a_cycle,
        .dispatches(dispatches && decoded.queue == q), .dispatched, .holds(holds[q]), .done(done[q]),
        .starts(starts[q]), .due(due[q]), .ends(ends[q]), .counts(counts[q]), .n_dispatched(n_dispatched[q]), .n_started(n_started[q]),
        .n_ended(n_ended[q]), .oldest_start(oldest_start[q]), .idle(idle[q]), .next_time(unit_times[q]));
    always_ff @(posedge clk) begin
      if (dispatches && decoded.queue == q) origins[q][n_dispatched[q]] <= '{index: index, iteration: iteration, dispatch: then};
      if (starts[q]) instructions[q][n_started[q]] <= heads[q*INSTRUCTION_BITS+:INSTRUCTION_BITS];
    end
  end

  always_ff @(posedge clk)
    if (begins) last_end <= 0;
    else begin
      for (int q = 0; q < QUEUES; q++)
        if (ends[q]) begin
          if (!instructions[q][n_ended[q]].skipped) last_end <= now;
          log_times(q, origins[q][n_ended[q]], oldest_start[q], now);
        end
    end

  // The files of a run.
  always @(posedge clk)
    if (!reset && over) log_end;
    else if (!reset && again) open_logs;

  // ---- time ----
  assign moving = dispatches || starts != 0 || ends != 0 || counts != 0 || counted != 0 || pace_count || starved;
  logic nothing_arrives;
  always_comb begin
    nothing_arrives = !incoming && counted == 0;
    for (int i = 0; i < INBOUND; i++) if (n_messages[i] != 0) nothing_arrives = 0;
  end
  assign finished = decoder_done && queues_empty && (&idle) && nothing_arrives;
  always_comb begin
    next_time = NEVER;
    for (int q = 0; q < QUEUES; q++) if (unit_times[q] < next_time) next_time = unit_times[q];
    for (int i = 0; i < INBOUND; i++) if (n_messages[i] != 0 && arrivals[i] > now && arrivals[i] < next_time) next_time = arrivals[i];
    if (decoder_valid && $signed(next_issue) > $signed(now) && next_issue < next_time) next_time = next_issue;
    if (pace != 0 && !finished && next_pace > now && next_pace < next_time) next_time = next_pace;
  end

  `include "datapath.svh"
endmodule
