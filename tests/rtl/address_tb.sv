// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// address_tb.sv - address.sv on the walks of a file: a word of 1280 bits each, from the least significant bit on count 40;
// first_c, first_x, first_y, n_c, n_x, n_y, c, x, y 24 each; frame 24; step_x, step_y 16; the view.
// +walks=FILE +n=WALKS +out=FILE: a line for each element, number of the walk, address, held, in_extents.

module address_tb;
  logic clk = 0, reset = 1, start = 0, step = 0, valid, last, held, in_extents;
  logic [1279:0] walks[0:(1<<16)-1];
  logic [1279:0] walk;
  logic [40:0] address;
  cimc_pkg::view_t view;
  int n = 0, at = 0, file, clocks = 0, begun = 0;
  string path, out;
  assign walk = walks[at];
  assign view = walk[312+:cimc_pkg::VIEW_BITS];
  cimc_address dut (
      .clk(clk), .reset(reset), .start(start), .view(view), .frame(walk[256+:21]), .y(walk[232+:24]), .x(walk[208+:24]),
      .c(walk[184+:24]), .n_y(walk[160+:24]), .n_x(walk[136+:24]), .n_c(walk[112+:24]), .step_y(walk[296+:16]),
      .step_x(walk[280+:16]), .first_y(walk[88+:24]), .first_x(walk[64+:24]), .first_c(walk[40+:24]), .count(walk[39:0]),
      .step(step), .valid(valid), .last(last), .address(address), .held(held), .in_extents(in_extents));
  always #1 clk = !clk;
  initial begin
    if (!$value$plusargs("walks=%s", path) || !$value$plusargs("n=%d", n) || !$value$plusargs("out=%s", out))
      $fatal(1, "+walks=, +n= and +out= are needed");
    $readmemh(path, walks);
    file = $fopen(out, "w");
    repeat (2) @(posedge clk);
    @(negedge clk) reset = 0;
    while (at < n) begin
      start = 1;
      @(negedge clk) start = 0;
      clocks = 0;
      while (!valid && clocks < 1000) begin
        clocks = clocks + 1;
        @(negedge clk);
      end
      begun = begun + clocks;
      while (valid) begin
        step = $urandom_range(3) != 0;
        if (step) $fdisplay(file, "%0d %0d %0d %0d", at, address, held, in_extents);
        @(negedge clk);
      end
      step = 0;
      at = at + 1;
    end
    $fclose(file);
    $display("%0d walks, %0d clocks in front", n, begun);
    $finish;
  end
endmodule
