// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// The decoder and the memories that it reads (ISA.md 9).
localparam int WALKERS = 256;
logic [7:0] symbols[1<<15], phrase_memory[1<<15];
phrase_t phrases[4096];
template_short_t templates_short[4096];
template_long_t templates_long[1024];
walker_short_t walkers_short[WALKERS];
walker_long_t walkers_long[WALKERS];
extension_t extensions[WALKERS];
logic [31:0] steps[INBOUND];

task automatic fill_stream;
  `FILL(symbols, "stream_symbols.hex")
  `FILL(phrase_memory, "stream_phrase_memory.hex")
  `FILL(phrases, "stream_phrases.hex")
  `FILL(templates_short, "stream_templates_short.hex")
  `FILL(templates_long, "stream_templates_long.hex")
  `FILL(walkers_short, "stream_walkers_short.hex")
  `FILL(walkers_long, "stream_walkers_long.hex")
  `FILL(extensions, "stream_extensions.hex")
  `FILL(steps, "table_steps.hex")
endtask

logic [23:0] symbols_address;
logic [19:0] phrase_memory_address;
logic [15:0] phrases_address, short_address_0, short_address_1, long_address_0, long_address_1;
logic [13:0] walkers_short_address, walkers_long_address, extensions_address;
logic [9:0] steps_address;
walker_short_t walkers_short_data;
walker_long_t walkers_long_data;
extension_t extensions_data;
always_ff @(posedge clk) begin
  walkers_short_data <= walkers_short[walkers_short_address];
  walkers_long_data <= walkers_long[walkers_long_address];
  extensions_data <= extensions[extensions_address];
end

// Four bytes from an address on.
`define BYTES(memory, at) {memory[at+3], memory[at+2], memory[at+1], memory[at]}

logic illegal;
// A machine may have more tiles than the program.
wire is_idle = sizes[SIZE_SYMBOLS] == 0;
logic stream_done, made_valid, made_ready, is_far_ahead;
instruction_t made;
assign decoder_done = (stream_done || is_idle) && !decoder_valid;
assign has_begun = is_far_ahead || stream_done || is_idle;
cimc_decoder #(.WALKERS(WALKERS), .QUEUES(QUEUES), .INBOUND(INBOUND)) decoder (
    .clk, .reset(reset || is_idle), .again, .frames(program_numbers[PROGRAM_FRAMES][20:0]), .n_stages(program_numbers[PROGRAM_STAGES][5:0]),
    .n_walkers_short(sizes[SIZE_WALKERS_SHORT][14:0]), .n_walkers(15'(sizes[SIZE_WALKERS_SHORT] + sizes[SIZE_WALKERS_LONG])),
    .n_extensions(sizes[SIZE_EXTENSIONS][14:0]),
    .n_templates_short(sizes[SIZE_TEMPLATES_SHORT][16:0]),
    .n_templates(17'(sizes[SIZE_TEMPLATES_SHORT] + sizes[SIZE_TEMPLATES_LONG])),
    .n_phrases(sizes[SIZE_PHRASES][16:0]), .n_phrase_bytes(sizes[SIZE_PHRASE_MEMORY][20:0]), .n_symbols(sizes[SIZE_SYMBOLS][23:0]),
    .symbols_address, .symbols_data(`BYTES(symbols, symbols_address)),
    .phrase_memory_address, .phrase_memory_data(`BYTES(phrase_memory, phrase_memory_address)),
    .phrases_address, .phrases_data(phrases[phrases_address]),
    .templates_short_address_0(short_address_0), .templates_short_data_0(templates_short[short_address_0]),
    .templates_short_address_1(short_address_1), .templates_short_data_1(templates_short[short_address_1]),
    .templates_long_address_0(long_address_0), .templates_long_data_0(templates_long[long_address_0]),
    .templates_long_address_1(long_address_1), .templates_long_data_1(templates_long[long_address_1]),
    .steps_address, .steps_data(steps[steps_address]),
    .walkers_short_address, .walkers_short_data, .walkers_long_address, .walkers_long_data, .extensions_address, .extensions_data,
    .valid(made_valid), .ready(made_ready), .instruction(made), .done(stream_done), .illegal);

cimc_ahead ahead (
    .clk, .reset, .in_valid(made_valid), .in_ready(made_ready), .in(made), .out_valid(decoder_valid), .out_ready(dispatches), .out(decoded),
    .is_full(is_far_ahead));


// Memories are filled once, in the first clock.
logic is_filled;
always_ff @(posedge clk) begin
  is_filled <= 1;
  if (!is_filled) begin
    fill_memories;
    fill_stream;
    open_logs;
  end
  if (illegal && !reset && !is_idle) $fatal(1, "tile %0d: the stream is no stream", number);
end
