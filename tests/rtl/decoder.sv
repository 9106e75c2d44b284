// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// decoder.sv - the stream decoder of ISA.md 9: memories of `cimc dump` -> instructions, one a clock.
//
// In: the memories stream_* and table_steps of a tile, which lie outside, and how many records each has. Out:
// the instructions of all iterations in order, each as soon as `ready` took the one before. `done`: there are
// no more. After reset it clears its own state, as many clocks as the largest of WALKERS, QUEUES, INBOUND + 1.
// `again`, for one clock when it is done, begins another run: counts and iterations go on (ISA.md 16).
// Front and back run apart: the FIFO between them holds symbols for the clocks that the front needs longer for.
// A host that validated the program will not see `illegal`; of the faults of form it tells those of symbols,
// walkers and places, not bits that must be 0, symbols that name a template's continuation, counts, and a fifth
// open phrase where one of the five ends with its call.
// It decodes nothing behind a fault.

module cimc_decoder #(
    parameter int WALKERS = 256,
    parameter int QUEUES = 128,
    parameter int INBOUND = 64,
    parameter int FIFO = 16  // a power of two, at least 4
) (
    input logic clk, reset, again,
    input logic [20:0] frames,  // of this run; 0: the program has none
    input logic [5:0] n_stages,  // 1 without frames
    input logic [14:0] n_walkers_short, n_walkers, n_extensions,
    input logic [16:0] n_templates_short, n_templates, n_phrases,
    input logic [20:0] n_phrase_bytes,
    input logic [23:0] n_symbols,
    // Read in the same clock; of bytes four, from the address on, the first in the lowest bits.
    output logic [23:0] symbols_address,
    input logic [31:0] symbols_data,
    output logic [19:0] phrase_memory_address,
    input logic [31:0] phrase_memory_data,
    output logic [15:0] phrases_address,
    input cimc_pkg::phrase_t phrases_data,
    output logic [15:0] templates_short_address_0, templates_short_address_1,
    input cimc_pkg::template_short_t templates_short_data_0, templates_short_data_1,
    output logic [15:0] templates_long_address_0, templates_long_address_1,
    input cimc_pkg::template_long_t templates_long_data_0, templates_long_data_1,
    output logic [9:0] steps_address,
    input logic [31:0] steps_data,
    // Read in the clock after.
    output logic [13:0] walkers_short_address, walkers_long_address, extensions_address,
    input cimc_pkg::walker_short_t walkers_short_data,
    input cimc_pkg::walker_long_t walkers_long_data,
    input cimc_pkg::extension_t extensions_data,
    output logic valid,
    input logic ready,
    output cimc_pkg::instruction_t instruction,
    output logic done, illegal
);
  localparam int PLACE_BITS = $clog2(FIFO);
  logic clear, front_done, front_illegal, back_idle, back_illegal, step_ready;
  logic [1:0] room, n_steps;
  cimc_step::step_t step_0, step_1, even_data, odd_data, oldest;
  logic [21:0] bodies;
  assign bodies = frames == 0 ? 22'd1 : {1'b0, frames} + {16'd0, n_stages} - 22'd1;

  cimc_symbols front (
      .clk(clk), .reset(reset), .again(again), .run(!clear), .bodies(bodies), .n_templates_short(n_templates_short),
      .n_templates(n_templates), .n_phrases(n_phrases), .n_phrase_bytes(n_phrase_bytes), .n_symbols(n_symbols),
      .symbols_address(symbols_address), .symbols_data(symbols_data),
      .phrase_memory_address(phrase_memory_address), .phrase_memory_data(phrase_memory_data),
      .phrases_address(phrases_address), .phrases_data(phrases_data),
      .templates_short_address_0(templates_short_address_0), .templates_short_data_0(templates_short_data_0),
      .templates_short_address_1(templates_short_address_1), .templates_short_data_1(templates_short_data_1),
      .templates_long_address_0(templates_long_address_0), .templates_long_data_0(templates_long_data_0),
      .templates_long_address_1(templates_long_address_1), .templates_long_data_1(templates_long_data_1),
      .room(room), .n_steps(n_steps), .step_0(step_0), .step_1(step_1), .done(front_done), .illegal(front_illegal));

  // Steps between the two, in two memories, so that two can be written in a clock.
  logic [cimc_step::STEP_BITS-1:0] even[0:FIFO/2-1];
  logic [cimc_step::STEP_BITS-1:0] odd[0:FIFO/2-1];
  logic [PLACE_BITS:0] written, read, held;
  logic [PLACE_BITS-1:0] written_next;
  logic write_even, write_odd, take;
  assign held = written - read;
  assign room = clear || front_illegal ? 2'd0 : held == (PLACE_BITS+1)'(FIFO) ? 2'd0 : held == (PLACE_BITS+1)'(FIFO - 1) ? 2'd1 : 2'd2;
  assign written_next = written[PLACE_BITS-1:0] + 1'b1;
  assign write_even = written[0] ? n_steps[1] : n_steps != 0;
  assign write_odd = written[0] ? n_steps != 0 : n_steps[1];
  assign even_data = written[0] ? step_1 : step_0;
  assign odd_data = written[0] ? step_0 : step_1;
  always_ff @(posedge clk) if (write_even) even[written[0] ? written_next[PLACE_BITS-1:1] : written[PLACE_BITS-1:1]] <= even_data;
  always_ff @(posedge clk) if (write_odd) odd[written[PLACE_BITS-1:1]] <= odd_data;
  assign oldest = read[0] ? odd[read[PLACE_BITS-1:1]] : even[read[PLACE_BITS-1:1]];
  assign take = held != 0 && step_ready;
  always_ff @(posedge clk)
    if (reset) begin
      written <= '0;
      read <= '0;
    end else begin
      if (!clear && !front_illegal) written <= written + {{PLACE_BITS - 1{1'b0}}, n_steps};
      if (take) read <= read + 1'b1;
    end

  cimc_walkers #(.WALKERS(WALKERS), .QUEUES(QUEUES), .INBOUND(INBOUND)) back (
      .clk(clk), .reset(reset), .again(again), .frames(frames), .n_walkers_short(n_walkers_short), .n_walkers(n_walkers),
      .n_extensions(n_extensions), .walkers_short_address(walkers_short_address),
      .walkers_short_data(walkers_short_data), .walkers_long_address(walkers_long_address),
      .walkers_long_data(walkers_long_data), .extensions_address(extensions_address),
      .extensions_data(extensions_data), .steps_address(steps_address), .steps_data(steps_data), .clear(clear),
      .step_valid(held != 0), .step_ready(step_ready), .step(oldest), .valid(valid), .ready(ready),
      .instruction(instruction), .idle(back_idle), .illegal(back_illegal));

  assign illegal = front_illegal || back_illegal;
  assign done = front_done && held == 0 && back_idle && !illegal;
endmodule
