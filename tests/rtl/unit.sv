// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// What a queue's unit does in time (SIM.md 2): when the head starts, when the oldest that has started ends, and when that is
// counted. It is what hardware has to remember beside the queue. Instructions are numbers here, in the order of the queue.
module cimc_unit
  import cimc_pkg::*;
  import machine_pkg::*;
(
    input logic clk,
    input logic reset,
    input cycle_t now,
    input cycle_t then,
    input logic [15:0] inflight,          // 0: as many as there is room for
    input cycle_t start_delay,            // cycles of start and complete that are not this clock
    input cycle_t complete_delay,
    input logic one_a_cycle,              // ends
    input logic dispatches,               // an instruction enters the queue
    input taken_t dispatched,
    input logic holds,                    // its head is there and its waits hold
    input logic done,                     // the datapath has executed the oldest
    output logic starts,
    output logic due,                     // the oldest may end
    output logic ends,
    output logic counts,
    output number_t n_dispatched,
    output number_t n_started,            // the number of the head
    output number_t n_ended,              // the number of the oldest that has started and not ended
    output cycle_t oldest_start,
    output logic idle,
    output cycle_t next_time
);
  taken_t takes[NUMBERS];
  cycle_t start[NUMBERS], ready[NUMBERS], counted[NUMBERS];  // when it started, when its latency is over, when it is counted
  number_t n_counted;
  cycle_t free_at, start_at, end_at;       // end_at: not before that
  logic is_armed;                          // the head's conditions hold since start_at - start_delay

  wire taken_t head = takes[n_started];
  wire number_t n = n_started - n_counted;
  wire can_start = holds && (free_at <= now || !head.needs_unit) && n < NUMBERS - DEPTH - 1 && (inflight == 0 || 16'(n) < inflight);
  wire is_running = n_started != n_ended;
  assign idle = n == 0;
  assign oldest_start = start[n_ended];
  assign due = is_running && now >= ready[n_ended] && (end_at <= now || !one_a_cycle);
  assign starts = start_delay == 0 ? can_start : is_armed && now >= start_at;
  assign ends = due && done;
  assign counts = complete_delay == 0 ? ends : n_counted != n_ended && now >= counted[n_counted];

  always_ff @(posedge clk) begin
    if (reset) begin
      n_dispatched <= 0;
      n_started <= 0;
      n_ended <= 0;
      n_counted <= 0;
      free_at <= 0;
      end_at <= 0;
      is_armed <= 0;
    end else begin
      if (dispatches) begin
        takes[n_dispatched] <= dispatched;
        n_dispatched <= n_dispatched + 1;
      end
      is_armed <= !starts && (is_armed || can_start);
      if (!is_armed) start_at <= now + start_delay;
      if (starts) begin
        start[n_started] <= then;
        ready[n_started] <= then + head.latency;
        n_started <= n_started + 1;
        if (head.needs_unit) free_at <= then + head.occupancy;
      end
      if (ends) begin
        counted[n_ended] <= now + complete_delay;
        end_at <= now + 1;
        n_ended <= n_ended + 1;
      end
      if (counts) n_counted <= n_counted + 1;
    end
  end

  function automatic cycle_t earlier(input cycle_t t, input cycle_t least);
    return t > now && t < least ? t : least;
  endfunction
  always_comb begin
    next_time = earlier(free_at, NEVER);
    if (is_running) next_time = earlier(ready[n_ended], next_time);
    if (is_running && one_a_cycle) next_time = earlier(end_at, next_time);
    if (is_armed) next_time = earlier(start_at, next_time);
    if (n_counted != n_ended) next_time = earlier(counted[n_counted], next_time);
  end
endmodule
