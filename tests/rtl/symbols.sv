// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// symbols.sv - the front of the stream decoder (ISA.md 9.3): bytes -> steps for the walkers behind it.
//
// In one clock it takes up to two templates of one byte and of plain waits, and behind them the call of a
// phrase; so calls, of which there is one for two or three instructions, cost no clock on the whole. What is
// rarer takes a clock for each part: runs (one for the count, then one for each instruction), templates
// that take bytes or have more than two waits (one for each wait), SET (four).
// A phrase that ends with a call is left before, so each place to return to has symbols left.

package cimc_step;
  typedef enum logic [2:0] {INSTRUCTION = 3'd0, PLACE = 3'd1, EXTENT = 3'd2, FRAME = 3'd3, HALT = 3'd4} kind_e;
  // Of an instruction: one of its steps, with up to two waits, of which one at most is for an inbound counter.
  // PLACE: y and x in value_0 and value_1; EXTENT: w and h.
  typedef struct packed {
    kind_e kind;
    logic last;  // the instruction is whole
    logic [13:0] walker;
    logic wait_0;
    logic [9:0] counter_0;
    logic [23:0] value_0;
    logic wait_1;
    logic [9:0] counter_1;
    logic [23:0] value_1;
  } step_t;
  localparam int STEP_BITS = 88;  // memories are of vectors: yosys makes none of structures
endpackage

// A template's record, short or long, as one thing.
module cimc_template (
    input logic [16:0] number, n_short,
    output logic [15:0] short_address, long_address,
    input cimc_pkg::template_short_t short_data,
    input cimc_pkg::template_long_t long_data,
    output logic is_short,
    output logic plain,  // takes no bytes, one step is enough
    output logic [1:0] more,
    output cimc_pkg::template_long_t record
);
  logic [16:0] behind;
  assign behind = number - n_short;
  assign is_short = number < n_short;
  assign short_address = number[15:0];
  assign long_address = behind[15:0];
  always_comb begin
    record = long_data;
    if (is_short) begin
      record = '0;
      record.walker = {6'd0, short_data.walker};
      record.wait0_counter = short_data.wait0_counter;
      record.wait0_mode = short_data.wait0_mode;
      record.wait0_value = short_data.wait0_value;
    end
  end
  assign more = record.more;
  assign plain = !record.wait0_mode[1] && !record.wait1_mode[1] && record.more == 0 &&
                 !(record.wait1_mode[0] && (!record.wait0_mode[0] ||
                   (record.wait0_counter[9:7] != 0 && record.wait1_counter[9:7] != 0)));
endmodule

module cimc_symbols (
    input logic clk, reset, again, run,
    input logic [21:0] bodies,
    input logic [16:0] n_templates_short, n_templates, n_phrases,
    input logic [20:0] n_phrase_bytes,
    input logic [23:0] n_symbols,
    // Four bytes from an address on, the first in the lowest bits.
    output logic [23:0] symbols_address,
    input logic [31:0] symbols_data,
    output logic [19:0] phrase_memory_address,
    input logic [31:0] phrase_memory_data,
    output logic [15:0] phrases_address,
    input cimc_pkg::phrase_t phrases_data,
    output logic [15:0] templates_short_address_0, templates_short_address_1,
    output logic [15:0] templates_long_address_0, templates_long_address_1,
    input cimc_pkg::template_short_t templates_short_data_0, templates_short_data_1,
    input cimc_pkg::template_long_t templates_long_data_0, templates_long_data_1,
    // Steps of this clock: none, one or two, and how many there is room for.
    input logic [1:0] room,
    output logic [1:0] n_steps,
    output cimc_step::step_t step_0, step_1,
    output logic done, illegal
);
  typedef enum logic [2:0] {SYMBOL, SET_Y, SET_X, SET_EXTENT, WAITS, STOPPED} state_e;
  typedef struct packed {
    logic [23:0] at, last;  // the next byte, and the one behind the string
    logic [19:0] start;
    logic [16:0] again;  // how often a phrase is still repeated
  } string_t;
  state_e state, state_next;
  string_t here, here_next, back;
  logic [84:0] stack[0:3];
  logic [2:0] depth, depth_next;  // open phrases
  logic [16:0] repeats, repeats_next;  // F1 and F2: 0, or how often what follows is meant
  logic [21:0] bodies_left, bodies_left_next;
  logic push, fault, done_next;
  // Of a template that takes several steps, or of a SET: what is known so far.
  logic [13:0] walker, walker_next;
  logic [16:0] number, number_next;
  logic [1:0] more, more_next;
  logic second, second_next;
  logic [23:0] y, y_next;

  // The bytes at hand, and the number that they begin with.
  logic [31:0] window;
  logic [7:0] byte_0, byte_1;
  logic [23:0] left;
  logic [1:0] length_0;
  logic [16:0] number_0, first_number;
  logic is_number_0;
  assign symbols_address = here.at;
  assign phrase_memory_address = here.at[19:0];
  assign window = depth == 0 ? symbols_data : phrase_memory_data;
  assign byte_0 = window[7:0];
  assign byte_1 = window[15:8];
  assign left = here.last - here.at;
  always_comb begin
    length_0 = 2'd1;
    number_0 = {9'd0, byte_0};
    if (byte_0 == 8'hfe) begin
      length_0 = 2'd3;
      number_0 = 17'd3056 + {1'b0, window[23:8]};
    end else if (byte_0 >= 8'hf3) begin
      length_0 = 2'd2;
      number_0 = 17'd240 + {1'b0, byte_0 - 8'hf3, byte_1};
    end
    is_number_0 = byte_0 < 8'hf0 || (byte_0 >= 8'hf3 && byte_0 != 8'hff);
  end
  assign first_number = state == WAITS ? number : number_0;

  logic is_short_0, is_short_1, plain_0, plain_1;
  logic [1:0] more_0, more_1;
  cimc_pkg::template_long_t record_0, record_1;
  cimc_template first (
      .number(first_number), .n_short(n_templates_short), .short_address(templates_short_address_0),
      .long_address(templates_long_address_0), .short_data(templates_short_data_0),
      .long_data(templates_long_data_0), .is_short(is_short_0), .plain(plain_0), .more(more_0), .record(record_0));
  cimc_template other (
      .number({9'd0, byte_1}), .n_short(n_templates_short), .short_address(templates_short_address_1),
      .long_address(templates_long_address_1), .short_data(templates_short_data_1),
      .long_data(templates_long_data_1), .is_short(is_short_1), .plain(plain_1), .more(more_1), .record(record_1));

  // What of it is taken in this clock: templates, and a call behind them.
  logic is_template_0, take_0, take_1, call;
  logic [16:0] called, phrase;
  logic [2:0] taken;
  always_comb begin
    is_template_0 = is_number_0 && number_0 < n_templates && left >= {22'd0, length_0};
    take_0 = is_template_0 && plain_0 && room != 0;
    take_1 = take_0 && repeats == 0 && length_0 == 2'd1 && room[1] && left >= 24'd2 && byte_1 < 8'hf0 &&
             {9'd0, byte_1} < n_templates && plain_1;
    called = number_0;
    taken = 3'd0;
    if (take_1) begin
      called = {9'd0, window[23:16]};
      taken = 3'd2;
    end else if (take_0) begin
      called = {9'd0, byte_1};
      taken = repeats > 17'd1 ? 3'd0 : {1'b0, length_0};
    end
    phrase = called - n_templates;
    // Behind templates only where each has one byte, as has the call.
    call = called >= n_templates && phrase < n_phrases &&
           (take_0 ? repeats == 0 && length_0 == 2'd1 && called < 17'd240 && left > {21'd0, taken}
                   : is_number_0 && left >= {22'd0, length_0});
    if (call) taken = taken + (take_0 ? 3'd1 : {1'b0, length_0});
  end
  assign phrases_address = phrase[15:0];

  // The wait at hand of a template that takes a step for each.
  logic [9:0] wait_counter;
  logic [1:0] wait_mode, wait_bytes;
  logic [23:0] wait_value;
  logic final_wait;
  always_comb begin
    wait_counter = second ? record_0.wait1_counter : record_0.wait0_counter;
    wait_mode = second ? record_0.wait1_mode : record_0.wait0_mode;
    wait_value = {12'd0, second ? record_0.wait1_value : record_0.wait0_value};
    wait_bytes = 2'd0;
    if (wait_mode == 2'd2) begin
      wait_bytes = 2'd1;
      wait_value = {16'd0, byte_0};
    end else if (wait_mode == 2'd3) begin
      wait_bytes = 2'd3;
      wait_value = window[23:0];
    end
    final_wait = (is_short_0 || second) && more == 0;
  end

  logic [23:0] after;
  logic ended;  // what stood at `here` is whole: the phrase may be over
  logic [2:0] used;
  always_comb begin
    state_next = state;
    here_next = here;
    depth_next = depth;
    repeats_next = repeats;
    bodies_left_next = bodies_left;
    walker_next = walker;
    number_next = number;
    more_next = more;
    second_next = second;
    y_next = y;
    push = 1'b0;
    back = here;
    fault = 1'b0;
    done_next = done;
    n_steps = 2'd0;
    used = 3'd0;
    ended = 1'b0;
    step_0 = {3'd0, 1'b1, record_0.walker, record_0.wait0_mode[0], record_0.wait0_counter, 12'd0, record_0.wait0_value,
              record_0.wait1_mode[0], record_0.wait1_counter, 12'd0, record_0.wait1_value};
    step_1 = {3'd0, 1'b1, record_1.walker, record_1.wait0_mode[0], record_1.wait0_counter, 12'd0, record_1.wait0_value,
              record_1.wait1_mode[0], record_1.wait1_counter, 12'd0, record_1.wait1_value};
    case (state)
      SYMBOL:
        if (take_0 || call) begin
          used = taken;
          n_steps = {take_1, take_0 && !take_1};
          ended = 1'b1;
          if (take_0 && repeats != 0) repeats_next = repeats - 1'b1;
          if (call) repeats_next = '0;
        end else if (is_template_0) begin  // several steps, or there is no room
          fault = plain_0 ? 1'b0 : repeats != 0 && (record_0.wait0_mode[1] || record_0.wait1_mode[1]);
          if (!plain_0) begin
            state_next = WAITS;
            number_next = number_0;
            walker_next = record_0.walker;
            more_next = more_0;
            second_next = 1'b0;
            used = repeats > 17'd1 ? 3'd0 : {1'b0, length_0};
          end
        end else if (is_number_0 || left == 0 || repeats != 0) begin  // no such number, no HALT, or a run of no symbol
          fault = 1'b1;
        end else if (byte_0 == 8'hff) begin
          if (depth != 0 || left != 24'd1) fault = 1'b1;
          else if (room != 0) begin
            n_steps = 2'd1;
            step_0.kind = cimc_step::HALT;
            here_next.at = '0;
            bodies_left_next = bodies_left - 1'b1;
            if (bodies_left == 22'd1) begin
              state_next = STOPPED;
              done_next = 1'b1;
            end
          end
        end else if (byte_0 == 8'hf1) begin
          fault = left < 24'd3;
          repeats_next = {9'd0, byte_1} + 17'd4;
          used = 3'd2;
        end else if (byte_0 == 8'hf2) begin
          fault = left < 24'd4 || window[23:8] == 0;
          repeats_next = {1'b0, window[23:8]};
          used = 3'd3;
        end else if (window[23]) begin
          fault = left < 24'd3;
          if (room != 0) begin
            n_steps = 2'd1;
            step_0.kind = cimc_step::FRAME;
            step_0.walker = window[21:8];
            used = 3'd3;
            ended = 1'b1;
          end
        end else begin
          fault = left < 24'd13;
          walker_next = window[21:8];
          state_next = SET_Y;
          used = 3'd3;
        end
      SET_Y: begin
        y_next = window[23:0];
        state_next = SET_X;
        used = 3'd3;
      end
      SET_X: begin
        step_0.kind = cimc_step::PLACE;
        step_0.walker = walker;
        step_0.value_0 = y;
        step_0.value_1 = window[23:0];
        if (room != 0) begin
          n_steps = 2'd1;
          state_next = SET_EXTENT;
          used = 3'd3;
        end
      end
      SET_EXTENT: begin
        step_0.kind = cimc_step::EXTENT;
        step_0.walker = walker;
        step_0.value_0 = {8'd0, window[15:0]};
        step_0.value_1 = {8'd0, window[31:16]};
        fault = window[15:0] == 0 || window[27:16] == 0 || window[31:28] != 0;
        if (room != 0) begin
          n_steps = 2'd1;
          state_next = SYMBOL;
          used = 3'd4;
          ended = 1'b1;
        end
      end
      WAITS: begin
        fault = left < {22'd0, wait_bytes};
        step_0 = {3'd0, final_wait, walker, wait_mode != 0, wait_counter, wait_value, 35'd0};
        if (room != 0) begin
          n_steps = {1'b0, wait_mode != 0 || final_wait};
          used = {1'b0, wait_bytes};
          if (final_wait) begin
            state_next = SYMBOL;
            ended = 1'b1;
            if (repeats != 0) repeats_next = repeats - 1'b1;
          end else if (is_short_0 || second) begin
            number_next = number + 1'b1;
            more_next = more - 1'b1;
            second_next = 1'b0;
          end else second_next = 1'b1;
        end
      end
      default: ;
    endcase

    // Where it goes on: in a phrase, in this string, or where the phrase was called.
    after = here.at + {21'd0, used};
    if (used != 0) here_next.at = after;
    if (state == SYMBOL && call) begin
      if (depth == 0 || after != here.last || here.again != 0) begin
        push = 1'b1;
        depth_next = depth + 1'b1;
        fault = depth == 3'd4;
        back.at = after;
        if (depth != 0 && after == here.last) begin
          back.at = {4'd0, here.start};
          back.again = here.again - 1'b1;
        end
      end
      here_next.at = {4'd0, phrases_data.start};
      here_next.start = phrases_data.start;
      here_next.last = {4'd0, phrases_data.start} + {12'd0, phrases_data.length};
      here_next.again = take_0 || repeats == 0 ? '0 : repeats - 1'b1;
      if (phrases_data.length == 0 || here_next.last > {3'd0, n_phrase_bytes}) fault = 1'b1;
    end else if (ended && repeats_next == 0 && depth != 0 && after == here.last) begin
      if (here.again != 0) begin
        here_next.at = {4'd0, here.start};
        here_next.again = here.again - 1'b1;
      end else begin
        here_next = stack[depth[1:0] - 2'd1];
        depth_next = depth - 1'b1;
      end
    end
  end

  always_ff @(posedge clk)
    if (reset) begin
      state <= SYMBOL;
      here <= '0;
      here.last <= n_symbols;
      depth <= '0;
      repeats <= '0;
      bodies_left <= bodies;
      done <= 1'b0;
      illegal <= 1'b0;
    end else if (again && done) begin
      state <= SYMBOL;
      bodies_left <= bodies;
      done <= 1'b0;
    end else if (run && !illegal) begin
      state <= state_next;
      here <= here_next;
      depth <= depth_next;
      repeats <= repeats_next;
      bodies_left <= bodies_left_next;
      walker <= walker_next;
      number <= number_next;
      more <= more_next;
      second <= second_next;
      y <= y_next;
      done <= done_next;
      illegal <= fault;
      if (push) stack[depth[1:0]] <= back;
    end
endmodule
