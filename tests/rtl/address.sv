// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// address.sv - walks over elements of a view (ISA.md 4): one address a clock, rings and padding included.
//
// A walk goes through indices (i_y, i_x, i_c), channels fastest, of the elements at (y + i_y * step_y, x + i_x *
// step_x, c + i_c): a region with steps of 1, the rows of a PE with steps of the dilation (first_* then say with
// which tap and channel it begins, count how many rows there are), the cells of a window likewise.
// In: `start` for one clock; all other inputs stay as they are up to the end of the walk. Out, some clocks
// later: `valid`, and an element a clock that `step` is high. `held`: it is in memory, at `address`;
// else, if not `in_extents`, padding.
// Nothing is divided: before the walk begins one multiplier and one remainder, bit by bit, work out the steps
// of addresses; then there are only additions, modulo 2^ADDRESS, since addresses of what is held have no more.

module cimc_remainder (
    input logic clk, start,
    input logic [22:0] modulus,
    input logic [23:0] digits, by,  // (digits * by) mod modulus, by < modulus or 1
    output logic busy,
    output logic [22:0] remainder
);
  logic [23:0] rest;
  logic [4:0] left;
  logic [24:0] twice;
  assign busy = left != 0;
  assign twice = {1'b0, remainder, 1'b0} + (rest[23] ? {1'b0, by} : 25'd0);
  always_ff @(posedge clk)
    if (start) begin
      rest <= digits;
      remainder <= by == 24'd1 && digits < {1'b0, modulus} ? digits[22:0] : '0;
      left <= (by == 24'd1 && digits < {1'b0, modulus}) || digits == 0 || by == 0 ? 5'd0 : 5'd24;
    end else if (busy) begin
      rest <= rest << 1;
      left <= left - 1'b1;
      if (twice >= {1'b0, modulus, 1'b0}) remainder <= 23'(twice - {1'b0, modulus, 1'b0});
      else if (twice >= {2'b00, modulus}) remainder <= 23'(twice - {2'b00, modulus});
      else remainder <= twice[22:0];
    end
endmodule

module cimc_address #(
    parameter int ADDRESS = 41
) (
    input logic clk, reset,
    input logic start,
    input cimc_pkg::view_t view,
    input logic [20:0] frame,
    input logic signed [23:0] y, x, c,  // of index (0, 0, 0)
    input logic [23:0] n_y, n_x, n_c,
    input logic [15:0] step_y, step_x,
    input logic [23:0] first_y, first_x, first_c,
    input logic [39:0] count,  // elements, if that is less than to the end
    input logic step,
    output logic valid, last,
    output logic [40:0] address,
    output logic held, in_extents
);
  typedef enum logic [3:0] {
    IDLE, ROW, COLUMN, COLUMN_STEP, COLUMN_PART, CHANNEL_PART, COLUMN_SKIP, CHANNEL_SKIP, RING_STEP, ROW_STEP, RING_SPAN,
    FRAME, SLOT, ROW_PART, WALK
  } state_e;
  state_e state;
  logic waiting;  // for the remainder that was begun in the clock before

  // ---- one multiplier, one remainder: what they work on is a matter of the state ----
  logic signed [24:0] factor;
  logic [ADDRESS-1:0] pitch, product;
  logic remainder_start, remainder_busy;
  logic [23:0] digits, by, row_magnitude;
  logic [22:0] remainder, slot;
  logic [ADDRESS-1:0] at_row, at_column, at_channel, row_step, ring_span, column_step, column_skip, channel_skip;
  logic signed [23:0] row, column;
  assign product = ADDRESS'(factor * $signed({1'b0, pitch}));
  assign row_magnitude = row < 0 ? -row : row;
  always_comb begin
    factor = 25'sd0;
    pitch = view.col_pitch[ADDRESS-1:0];
    digits = {8'd0, step_y};
    by = 24'd1;
    case (state)
      ROW: begin
        factor = {1'b0, first_y};
        pitch = ADDRESS'(step_y);
      end
      COLUMN: begin
        factor = {1'b0, first_x};
        pitch = ADDRESS'(step_x);
      end
      COLUMN_STEP: factor = {9'd0, step_x};
      COLUMN_PART: factor = {x[23], x} - {view.x0[23], view.x0};
      CHANNEL_PART: begin
        factor = {c[23], c};
        pitch = view.channel_pitch[ADDRESS-1:0];
      end
      COLUMN_SKIP: begin
        factor = {1'b0, first_x};
        pitch = column_step;
      end
      CHANNEL_SKIP: begin
        factor = {1'b0, first_c};
        pitch = view.channel_pitch[ADDRESS-1:0];
      end
      ROW_STEP: begin
        factor = {2'b00, remainder};
        pitch = view.row_pitch[ADDRESS-1:0];
      end
      RING_SPAN: begin
        factor = {2'b00, view.ring_rows};
        pitch = view.row_pitch[ADDRESS-1:0];
      end
      FRAME: begin
        digits = {3'd0, frame};
        by = {1'b0, view.frame_step};
      end
      SLOT: digits = row_magnitude;
      ROW_PART: begin
        factor = {2'b00, slot};
        pitch = view.row_pitch[ADDRESS-1:0];
      end
      default: ;
    endcase
  end
  assign remainder_start = (state == RING_STEP || state == FRAME || state == SLOT) && !waiting;
  cimc_remainder modulo (
      .clk(clk), .start(remainder_start), .modulus(view.ring_rows), .digits(digits), .by(by), .busy(remainder_busy),
      .remainder(remainder));

  // Sums of two slots, and a slot less another.
  logic [22:0] slot_step, slot_other, slot_sum;
  logic [23:0] slot_wide;
  logic wraps;
  always_comb begin
    slot_other = remainder;
    if (state == WALK) slot_other = slot_step;
    else if (state == SLOT && row < 0 && remainder != 0) slot_other = view.ring_rows - remainder;
  end
  assign slot_wide = {1'b0, slot} + {1'b0, slot_other};
  assign wraps = slot_wide >= {1'b0, view.ring_rows};
  assign slot_sum = wraps ? 23'(slot_wide - {1'b0, view.ring_rows}) : slot_wide[22:0];

  // ---- the walk ----
  logic [23:0] left_y, left_x, left_c;
  logic [39:0] left;
  logic ends_c, ends_x, ends_y;
  logic [ADDRESS-1:0] row_next, column_next;
  assign ends_c = left_c == 24'd1;
  assign ends_x = left_x == 24'd1;
  assign ends_y = left_y == 24'd1;
  assign row_next = at_row + row_step - (wraps ? ring_span : '0);
  assign column_next = at_column + column_step;
  assign valid = state == WALK;
  assign last = left == 40'd1 || (ends_c && ends_x && ends_y);
  assign address = 41'(at_channel);
  assign held = row >= $signed(view.y0) && row < $signed(view.y1) && column >= $signed(view.x0) &&
                column < $signed(view.x1);
  assign in_extents = row >= 0 && column >= 0 && {1'b0, row[22:0]} < {1'b0, view.height} &&
                      {1'b0, column[22:0]} < {1'b0, view.width};

  always_ff @(posedge clk)
    if (reset) state <= IDLE;
    else if (start) begin
      state <= ROW;
      waiting <= 1'b0;
      slot <= view.slot0;
      left_y <= n_y - first_y;
      left_x <= n_x - first_x;
      left_c <= n_c - first_c;
      left <= count;
    end else
      case (state)
        ROW: begin
          row <= y + 24'(product);
          state <= COLUMN;
        end
        COLUMN: begin
          column <= x + 24'(product);
          state <= COLUMN_STEP;
        end
        COLUMN_STEP: begin
          column_step <= product;
          state <= COLUMN_PART;
        end
        COLUMN_PART: begin
          at_row <= view.address[ADDRESS-1:0] + product;
          state <= CHANNEL_PART;
        end
        CHANNEL_PART: begin
          at_row <= at_row + product;
          state <= COLUMN_SKIP;
        end
        COLUMN_SKIP: begin
          column_skip <= product;
          state <= CHANNEL_SKIP;
        end
        CHANNEL_SKIP: begin
          channel_skip <= product;
          state <= RING_STEP;
        end
        ROW_STEP: begin
          row_step <= product;
          state <= RING_SPAN;
        end
        RING_SPAN: begin
          ring_span <= product;
          state <= FRAME;
        end
        RING_STEP, FRAME, SLOT:
          if (!waiting) waiting <= 1'b1;
          else if (!remainder_busy) begin
            waiting <= 1'b0;
            if (state == RING_STEP) slot_step <= remainder;
            else slot <= slot_sum;
            state <= state == RING_STEP ? ROW_STEP : state == FRAME ? SLOT : ROW_PART;
          end
        ROW_PART: begin
          at_row <= at_row + product;
          at_column <= at_row + product + column_skip;
          at_channel <= at_row + product + column_skip + channel_skip;
          state <= WALK;
        end
        WALK:
          if (step) begin
            left <= left - 1'b1;
            left_c <= ends_c ? n_c : left_c - 1'b1;
            at_channel <= at_channel + view.channel_pitch[ADDRESS-1:0];
            if (ends_c) begin
              left_x <= ends_x ? n_x : left_x - 1'b1;
              column <= column + {8'd0, step_x};
              at_column <= column_next;
              at_channel <= column_next;
              if (ends_x) begin
                left_y <= left_y - 1'b1;
                row <= row + {8'd0, step_y};
                column <= x;
                slot <= slot_sum;
                at_row <= row_next;
                at_column <= row_next;
                at_channel <= row_next;
              end
            end
            if (last) state <= IDLE;
          end
        default: ;
      endcase
endmodule
