// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Tiles, the network between them, DRAM, and time.
//
// Clocked (`+clocked`): every clock of the machine is a cycle, and the registers are the machine's issue_cycles,
// start_cycles and complete_cycles, all 1. Else time is virtual, as SIM.md 2 has it where these are 0: it stands still
// while anything can happen, then goes on to the next thing that is known.
module cimc_machine
  import cimc_pkg::*;
  import machine_pkg::*;
#(
    parameter int TILES = 2
) (
    input logic clk,
    input logic clk_data,
    input logic reset,
    output logic data_busy,    // the datapaths still work for this clock: `clk` has to wait
    output logic finished,
    output logic stuck,
    output cycle_t cycles,     // the latest end
    output logic [63:0] n_starved
);
  logic clocked;
  logic [63:0] numbers[N_PROGRAM_NUMBERS];
  logic [TILES-1:0] tile_begun, tile_moving, tile_finished, tile_starved, tile_busy;
  cycle_t [TILES-1:0] tile_next, tile_end;
  flit_t [TILES-1:0] bus;

  // ---- time ----
  localparam int SETTLED = 3;  // clocks without any movement, after which a part that needs some has come to rest
  cycle_t now, then, next;
  logic go, moving;
  logic [1:0] quiet;
  always_comb begin
    next = NEVER;
    cycles = 0;
    for (int t = 0; t < TILES; t++) begin
      if (tile_next[t] < next) next = tile_next[t];
      if (tile_end[t] > cycles) cycles = tile_end[t];
    end
    moving = tile_moving != 0;
    if (clocked) then = go ? now + 1 : now;
    else then = !moving && quiet == SETTLED && next != NEVER ? next : now;
  end
  // `again` is a clock between two runs; nothing of the first is left in it but counters, buffers and inputs.
  int runs, repeats;
  logic again;
  wire over = tile_finished == '1 && !again;
  assign finished = over && runs == 1;
  assign stuck = !over && !again && !moving && quiet == SETTLED && next == NEVER;
  assign data_busy = |tile_busy;

  always_ff @(posedge clk) begin
    if (reset) begin
      clocked <= $test$plusargs("clocked") != 0;
      if (!$value$plusargs("runs=%d", runs)) runs = 1;
      if (!$value$plusargs("repeats=%d", repeats)) repeats = 0;
      again <= 0;
      n_starved <= 0;
    end else begin
      again <= over && runs > 1;
      if (again) runs = runs - 1;
      if (go && tile_starved != 0) n_starved <= n_starved + 1;
    end
    if (reset || again) begin
      now <= clocked ? NEVER : 0;                    // -1: the first instructions are dispatched at 0
      go <= 0;
      quiet <= 0;
    end else begin
      now <= then;
      go <= go || (&tile_begun);
      quiet <= !go || moving || then != now ? 0 : quiet == SETTLED ? quiet : quiet + 1;
    end
  end

  // ---- DRAM: tensors of the outside, words as in their files ----
  localparam int ELEMENTS = 1 << 16;
  logic [63:0] inputs[TENSORS*ELEMENTS], outputs[TENSORS*ELEMENTS];
  int output_elements[TENSORS];
  logic [3:0] dram_input[TILES], dram_output[TILES];
  logic [31:0] dram_element[TILES], dram_to[TILES];
  logic [63:0] dram_value[TILES], dram_stored[TILES];
  logic [TILES-1:0] dram_write;
  always_comb for (int t = 0; t < TILES; t++) dram_value[t] = inputs[32'(dram_input[t]) * ELEMENTS + dram_element[t]];
  always @(posedge clk_data)
    for (int t = 0; t < TILES; t++)
      if (dram_write[t]) begin
        outputs[32'(dram_output[t]) * ELEMENTS + dram_to[t]] = dram_stored[t];
        if (int'(dram_to[t]) >= output_elements[dram_output[t]]) output_elements[dram_output[t]] = int'(dram_to[t]) + 1;
      end

  string folder, out_folder;
  initial begin
    if (!$value$plusargs("dump=%s", folder)) $fatal(1, "no +dump=FOLDER");
    if (!$value$plusargs("out=%s", out_folder)) $fatal(1, "no +out=FOLDER");
    $readmemh({folder, "/program.hex"}, numbers);
    for (int i = 0; i < int'(numbers[PROGRAM_INPUTS]); i++) $readmemh($sformatf("%s/input_%0d.hex", folder, i), inputs, i * ELEMENTS);
  end

  int n_runs = 0;
  task automatic write_outputs;
    int file;
    string run_folder;
    n_runs++;
    run_folder = n_runs == 1 ? out_folder : $sformatf("%s/run_%0d", out_folder, n_runs);
    for (int i = 0; i < int'(numbers[PROGRAM_OUTPUTS]); i++) begin
      file = $fopen($sformatf("%s/output_%0d.hex", run_folder, i), "w");
      for (int e = 0; e < output_elements[i]; e++) $fdisplay(file, "%016x", outputs[i*ELEMENTS+e]);
      $fclose(file);
      output_elements[i] = 0;
    end
  endtask
  always @(posedge clk) if (over && !reset) write_outputs;

  // ---- tiles ----
  for (genvar t = 0; t < TILES; t++) begin : g_tile
    cimc_tile #(.TILES(TILES)) tile (
        .clk, .clk_data, .reset, .number(16'(t)), .clocked, .go, .over, .again, .repeated(again ? repeats : 0), .now, .then,
        .has_begun(tile_begun[t]), .moving(tile_moving[t]), .next_time(tile_next[t]), .finished(tile_finished[t]), .starved(tile_starved[t]),
        .data_busy(tile_busy[t]), .last_end(tile_end[t]), .sent(bus[t]), .bus,
        .dram_input(dram_input[t]), .dram_element(dram_element[t]), .dram_value(dram_value[t]),
        .dram_write(dram_write[t]), .dram_output(dram_output[t]), .dram_to(dram_to[t]), .dram_stored(dram_stored[t]));
  end
endmodule
