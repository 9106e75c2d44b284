// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// sequencer_tb.sv - sequencer.sv with units that only take time. A word of 640 bits for each instruction, from the least
// significant bit on: occupancy 16, latency 16, instruction_t; one for each message that comes, in the order of time: the
// cycle 32, the inbound counter 16. +program= +n= +messages= +n_messages= +depth= +inflight= +out=
// A line for each event: what (0 dispatch, 1 start, 2 completion, 3 message), queue, cycle, and for 1 the obj of the
// instruction, for 3 the route.

module sequencer_tb;
  parameter int WAITS = 8;
  localparam int QUEUES = 5, DEPTH = 8, INBOUND = 4, INFLIGHT = 4, LAST = 1000;
  logic clk = 0, reset = 1, valid = 0, ready, empty;
  logic [639:0] program_words[0:(1<<14)-1];
  logic [47:0] messages[0:(1<<14)-1];
  logic [15:0] occupancy[0:QUEUES-1][0:(1<<14)-1];  // of the n-th instruction of a queue
  logic [15:0] latency[0:QUEUES-1][0:(1<<14)-1];
  int n = 0, n_messages = 0, depth = 8, inflight = 4, at = 0, message_at = 0, now = -1, quiet = 0, file;
  int dispatched[QUEUES], started[QUEUES], free_at[QUEUES], n_over[QUEUES], n_begun[QUEUES];
  int over_at[0:QUEUES-1][0:(1<<14)-1];  // when the work of the unit's n-th instruction is over
  string path, messages_path, out;
  cimc_pkg::instruction_t instruction;
  logic [QUEUES-1:0] exists, holds, start, at_once, complete, room, work_over, message;
  logic [QUEUES*cimc_pkg::INSTRUCTION_BITS-1:0] heads;
  logic [QUEUES*10-1:0] routes;
  logic [INBOUND-1:0] inbound;
  logic [(QUEUES+INBOUND+1)*22-1:0] counts;
  assign instruction = program_words[at][32+:cimc_pkg::INSTRUCTION_BITS];

  cimc_sequencer #(.QUEUES(QUEUES), .DEPTH(DEPTH), .INBOUND(INBOUND), .WAITS(WAITS)) dut (
      .clk(clk), .reset(reset), .queue_depth(depth[15:0]), .valid(valid), .ready(ready), .instruction(instruction),
      .exists(exists), .holds(holds), .heads(heads), .start(start), .complete(complete), .inbound(inbound), .pace(1'b0),
      .begins(1'b0), .iterations(22'd0), .counts(counts), .empty(empty));
  cimc_pkg::instruction_t head[QUEUES];
  for (genvar q = 0; q < QUEUES; q = q + 1) begin : started_list
    assign head[q] = heads[q*cimc_pkg::INSTRUCTION_BITS+:cimc_pkg::INSTRUCTION_BITS];
    assign at_once[q] = head[q].skipped || head[q].op == cimc_pkg::OP_NOP || head[q].op == cimc_pkg::OP_WAIT ||
                        head[q].op == cimc_pkg::OP_SIGNAL;
    cimc_started #(.INFLIGHT(INFLIGHT)) list (
        .clk(clk), .reset(reset), .inflight(inflight[15:0]), .start(start[q]), .start_at_once(at_once[q]),
        .start_route(head[q].obj), .start_message(head[q].op == cimc_pkg::OP_SEND || head[q].op == cimc_pkg::OP_SIGNAL),
        .work_over(work_over[q]), .room(room[q]), .complete(complete[q]), .message(message[q]), .route(routes[10*q+:10]));
    assign start[q] = holds[q] && room[q] && (at_once[q] || now >= free_at[q]);
  end

  always #1 clk = !clk;
  initial begin
    if (!$value$plusargs("program=%s", path) || !$value$plusargs("n=%d", n) || !$value$plusargs("out=%s", out))
      $fatal(1, "+program=, +n= and +out= are needed");
    if ($value$plusargs("depth=%d", depth)) begin end
    if ($value$plusargs("inflight=%d", inflight)) begin end
    if ($value$plusargs("n_messages=%d", n_messages)) begin end
    if (n_messages > 0 && $value$plusargs("messages=%s", messages_path)) $readmemh(messages_path, messages);
    $readmemh(path, program_words);
    file = $fopen(out, "w");
    for (int q = 0; q < QUEUES; q = q + 1) begin
      dispatched[q] = 0;
      started[q] = 0;
      free_at[q] = 0;
      n_over[q] = 0;
      n_begun[q] = 0;
    end
    repeat (2) @(posedge clk);
    @(negedge clk) reset = 0;
  end

  // In front of an edge: what the world does in the cycle `now`.
  always @(negedge clk) begin
    valid = !reset && at < n;
    inbound = '0;
    for (int k = 0; k < INBOUND; k = k + 1)  // one of each counter at most
      if (message_at < n_messages && messages[message_at][31:0] == now + 1) begin
        inbound[messages[message_at][33:32]] = 1;
        message_at = message_at + 1;
      end
    for (int q = 0; q < QUEUES; q = q + 1) begin
      work_over[q] = n_over[q] < n_begun[q] && over_at[q][n_over[q]] == now;
      if (work_over[q]) n_over[q] = n_over[q] + 1;
    end
  end

  always @(posedge clk)
    if (!reset) begin
      if (valid && ready) begin
        $fdisplay(file, "0 %0d %0d 0", instruction.queue, now + 1);
        occupancy[instruction.queue[2:0]][dispatched[instruction.queue[2:0]]] <= program_words[at][15:0];
        latency[instruction.queue[2:0]][dispatched[instruction.queue[2:0]]] <= program_words[at][31:16];
        dispatched[instruction.queue[2:0]] <= dispatched[instruction.queue[2:0]] + 1;
        at <= at + 1;
      end
      for (int q = 0; q < QUEUES; q = q + 1) begin
        if (start[q]) begin
          $fdisplay(file, "1 %0d %0d %0d", q, now + 1, head[q].obj);
          if (!at_once[q]) begin
            free_at[q] <= now + 1 + int'(occupancy[q][started[q]]);
            over_at[q][n_begun[q]] <= now + 1 + int'(latency[q][started[q]]);
            n_begun[q] <= n_begun[q] + 1;
          end
          started[q] <= started[q] + 1;
        end
        if (complete[q]) $fdisplay(file, "2 %0d %0d 0", q, now);
        if (message[q]) $fdisplay(file, "3 %0d %0d %0d", q, now, routes[10*q+:10]);
      end
      quiet <= start == 0 && complete == 0 && !(valid && ready) ? quiet + 1 : 0;
      now <= now + 1;
      if (quiet > LAST) begin
        $fclose(file);
        $finish;
      end
    end
endmodule
