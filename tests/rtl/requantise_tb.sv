// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// requantise_tb.sv - requantise.sv on the cases of a file: words of 32 bits, for each case floating, x, multiplier,
// add, shift and, expected, result and byte. +cases=FILE +n=CASES. Prints what differs, and how many.

module requantise_tb;
  logic [31:0] words[0:(1<<20)-1];
  logic [31:0] result;
  logic [7:0] byte_result;
  int n = 0, at = 0, wrong = 0;
  string cases;
  cimc_requantise dut (
      .floating(words[7*at][0]), .x(words[7*at+1]), .multiplier(words[7*at+2]), .add(words[7*at+3]),
      .shift(words[7*at+4][5:0]), .result(result), .byte_result(byte_result));
  initial begin
    if (!$value$plusargs("cases=%s", cases) || !$value$plusargs("n=%d", n)) $fatal(1, "+cases= and +n= are needed");
    $readmemh(cases, words);
    for (int i = 0; i < n; i = i + 1) begin
      at = i;
      #1;
      if (result != words[7*at+5] || {24'd0, byte_result} != words[7*at+6]) begin
        wrong = wrong + 1;
        if (wrong < 10)
          $display("floating %0d x %h multiplier %h add %h shift %0d: %h and %h, not %h and %h", words[7*at], words[7*at+1],
                   words[7*at+2], words[7*at+3], words[7*at+4], result, byte_result, words[7*at+5], words[7*at+6]);
      end
    end
    $display("%0d cases, %0d wrong", n, wrong);
    $finish;
  end
endmodule
