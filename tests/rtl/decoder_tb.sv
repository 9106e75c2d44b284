// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// decoder_tb.sv - the stream decoder alone: reads a tile's memories, prints the instructions as they come.
//
// +tile=FOLDER of a dump; the sizes of its memories, +n_symbols=... as the decoder's ports name them; +out=FILE.
// +pause=P: `ready` is low in about P of 100 clocks. +runs=R: so often, one after the other.

module decoder_tb;
  logic clk = 0, reset = 1, again = 0, valid, ready = 1, done, illegal;
  int frames = 0, n_stages = 1, n_walkers_short = 0, n_walkers = 0, n_extensions = 0, n_templates_short = 0;
  int n_templates = 0, n_phrases = 0, n_phrase_bytes = 0, n_symbols = 0, n_steps = 0, pause = 0, runs = 1;
  logic [7:0] symbols[0:(1<<20)-1];
  logic [7:0] phrase_memory[0:(1<<20)-1];
  logic [31:0] phrases[0:(1<<16)-1];
  logic [31:0] templates_short[0:(1<<12)-1];
  logic [63:0] templates_long[0:(1<<12)-1];
  logic [127:0] walkers_short[0:(1<<12)-1];
  logic [255:0] walkers_long[0:(1<<12)-1];
  logic [127:0] extensions[0:(1<<12)-1];
  logic [31:0] steps[0:1023];

  logic [23:0] symbols_address;
  logic [19:0] phrase_memory_address;
  logic [15:0] phrases_address, templates_short_address_0, templates_short_address_1;
  logic [15:0] templates_long_address_0, templates_long_address_1;
  logic [13:0] walkers_short_address, walkers_long_address, extensions_address;
  logic [9:0] steps_address;
  logic [31:0] symbols_data, phrase_memory_data;
  logic [127:0] walkers_short_data, extensions_data;
  logic [255:0] walkers_long_data;
  cimc_pkg::instruction_t i;

  assign symbols_data = {symbols[symbols_address[19:0] + 20'd3], symbols[symbols_address[19:0] + 20'd2],
                         symbols[symbols_address[19:0] + 20'd1], symbols[symbols_address[19:0]]};
  assign phrase_memory_data = {phrase_memory[phrase_memory_address + 20'd3], phrase_memory[phrase_memory_address + 20'd2],
                               phrase_memory[phrase_memory_address + 20'd1], phrase_memory[phrase_memory_address]};
  always_ff @(posedge clk) begin
    walkers_short_data <= walkers_short[walkers_short_address[11:0]];
    walkers_long_data <= walkers_long[walkers_long_address[11:0]];
    extensions_data <= extensions[extensions_address[11:0]];
  end

  cimc_decoder #(.WALKERS(4096)) decoder (
      .clk(clk), .reset(reset), .again(again), .frames(frames[20:0]), .n_stages(n_stages[5:0]),
      .n_walkers_short(n_walkers_short[14:0]), .n_walkers(n_walkers[14:0]), .n_extensions(n_extensions[14:0]),
      .n_templates_short(n_templates_short[16:0]), .n_templates(n_templates[16:0]), .n_phrases(n_phrases[16:0]),
      .n_phrase_bytes(n_phrase_bytes[20:0]), .n_symbols(n_symbols[23:0]), .symbols_address(symbols_address),
      .symbols_data(symbols_data), .phrase_memory_address(phrase_memory_address),
      .phrase_memory_data(phrase_memory_data), .phrases_address(phrases_address),
      .phrases_data(phrases[phrases_address]), .templates_short_address_0(templates_short_address_0),
      .templates_short_address_1(templates_short_address_1),
      .templates_short_data_0(templates_short[templates_short_address_0[11:0]]),
      .templates_short_data_1(templates_short[templates_short_address_1[11:0]]),
      .templates_long_address_0(templates_long_address_0), .templates_long_address_1(templates_long_address_1),
      .templates_long_data_0(templates_long[templates_long_address_0[11:0]]),
      .templates_long_data_1(templates_long[templates_long_address_1[11:0]]), .steps_address(steps_address),
      .steps_data(steps[steps_address]), .walkers_short_address(walkers_short_address),
      .walkers_long_address(walkers_long_address), .extensions_address(extensions_address),
      .walkers_short_data(walkers_short_data), .walkers_long_data(walkers_long_data),
      .extensions_data(extensions_data), .valid(valid), .ready(ready), .instruction(i), .done(done),
      .illegal(illegal));

  string tile, out;
  int file, clocks = 0, quiet = 0;

  always #1 clk = !clk;
  initial begin
    if ($value$plusargs("frames=%d", frames)) begin end
    if ($value$plusargs("n_stages=%d", n_stages)) begin end
    if ($value$plusargs("n_walkers_short=%d", n_walkers_short)) begin end
    if ($value$plusargs("n_walkers=%d", n_walkers)) begin end
    if ($value$plusargs("n_extensions=%d", n_extensions)) begin end
    if ($value$plusargs("n_templates_short=%d", n_templates_short)) begin end
    if ($value$plusargs("n_templates=%d", n_templates)) begin end
    if ($value$plusargs("n_phrases=%d", n_phrases)) begin end
    if ($value$plusargs("n_phrase_bytes=%d", n_phrase_bytes)) begin end
    if ($value$plusargs("n_symbols=%d", n_symbols)) begin end
    if ($value$plusargs("n_steps=%d", n_steps)) begin end
    if ($value$plusargs("pause=%d", pause)) begin end
    if ($value$plusargs("runs=%d", runs)) begin end
    if (!$value$plusargs("tile=%s", tile) || !$value$plusargs("out=%s", out)) $fatal(1, "+tile= and +out= are needed");
    if (n_symbols > 0) $readmemh({tile, "/stream_symbols.hex"}, symbols);
    if (n_phrase_bytes > 0) $readmemh({tile, "/stream_phrase_memory.hex"}, phrase_memory);
    if (n_phrases > 0) $readmemh({tile, "/stream_phrases.hex"}, phrases);
    if (n_templates_short > 0) $readmemh({tile, "/stream_templates_short.hex"}, templates_short);
    if (n_templates > n_templates_short) $readmemh({tile, "/stream_templates_long.hex"}, templates_long);
    if (n_walkers_short > 0) $readmemh({tile, "/stream_walkers_short.hex"}, walkers_short);
    if (n_walkers > n_walkers_short) $readmemh({tile, "/stream_walkers_long.hex"}, walkers_long);
    if (n_extensions > 0) $readmemh({tile, "/stream_extensions.hex"}, extensions);
    if (n_steps > 0) $readmemh({tile, "/table_steps.hex"}, steps);
    file = $fopen(out, "w");
    repeat (2) @(posedge clk);
    @(negedge clk) reset = 0;
  end

  always @(negedge clk) if (!reset) ready = $urandom_range(99) >= pause;
  always @(posedge clk)
    if (!reset) begin
      clocks <= clocks + 1;
      quiet <= valid ? 0 : quiet + 1;
      if (valid && ready)
        $fdisplay(file, "%0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %0d %h",
                  i.op, i.queue, i.flags, i.stage, i.obj, i.h, i.w, i.dst_view, i.dst_y, i.dst_x, i.a_view, i.a_y, i.a_x,
                  i.b_view, i.b_y, i.b_x, i.y, i.x, i.c, i.skipped, i.frame, clocks, i.n_waits, i.waits);
      again <= done && !again && runs > 1;
      if (done && !again && runs > 1) runs <= runs - 1;
      else if ((done && !again) || illegal || quiet > 10000) begin
        if (illegal) $fdisplay(file, "illegal");
        else if (done) $fdisplay(file, "done");
        else $fdisplay(file, "stuck");
        $fclose(file);
        $finish;
      end
    end
endmodule
