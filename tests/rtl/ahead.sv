// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Instructions decoded ahead: a sequencer always has its next one (ISA.md 1), also where the decoder takes a clock longer.
module cimc_ahead
  import cimc_pkg::*;
#(
    parameter int DEPTH = 16
) (
    input logic clk,
    input logic reset,
    input logic in_valid,
    output logic in_ready,
    input instruction_t in,
    output logic out_valid,
    input logic out_ready,
    output instruction_t out,
    output logic is_full
);
  instruction_t words[DEPTH];
  logic [$clog2(DEPTH):0] n_in, n_out, n;
  assign n = n_in - n_out;  // modulo: not within the comparison, which has 32 bits
  assign is_full = n == DEPTH;
  assign in_ready = !is_full;
  assign out_valid = n_in != n_out;
  assign out = words[n_out[$clog2(DEPTH)-1:0]];
  always_ff @(posedge clk)
    if (reset) begin
      n_in <= 0;
      n_out <= 0;
    end else begin
      if (in_valid && in_ready) begin
        words[n_in[$clog2(DEPTH)-1:0]] <= in;
        n_in <= n_in + 1;
      end
      if (out_valid && out_ready) n_out <= n_out + 1;
    end
endmodule
