// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// The datapath of a tile: what instructions do when they end, and what arrives, an element for each `clk_data`.
`include "f32.svh"
`include "places.svh"
`include "readout.svh"
`include "product.svh"
`include "vector.svh"

typedef enum logic [3:0] {IDLE, BEGIN, OPEN, RUN, SEND_HEAD, SEND_OPEN, SEND, DELIVER_OPEN, DELIVER} state_e;
state_e state;
logic phase, phase_seen;                  // has this clock of the machine been seen?
logic [INBOUND-1:0] arrived, delivered;   // messages that are to be written, and that are
logic [$clog2(QUEUES)-1:0] queue;         // whose instruction is executed
logic [$clog2(INBOUND)-1:0] inbound;      // whose message is written
logic [31:0] target_number, lane_number;
message_t delivery;

// ---- messages: of each counter in order ----
message_t messages[INBOUND][$];
logic [31:0] payload[INBOUND][$];
logic [31:0] n_messages[INBOUND];
cycle_t arrivals[INBOUND], count_at[INBOUND];  // when its first counts; not before count_at

always_ff @(posedge clk) phase <= reset ? 0 : ~phase;
always_comb for (int i = 0; i < INBOUND; i++) arrived[i] = n_messages[i] != 0 && now >= arrivals[i];
logic incoming;
always_comb begin
  incoming = sent.valid;
  for (int t = 0; t < TILES; t++) incoming |= bus[t].valid && bus[t].tile == number;
end
assign data_busy = !reset && (phase != phase_seen || (due & ~done) != 0 || (arrived & ~delivered) != 0 || state != IDLE || incoming);
assign counted = delivered;

task automatic take_flits;
  /*verilator no_inline_task*/
  for (int t = 0; t < TILES; t++) begin
    automatic flit_t f = bus[t];
    automatic int i = int'(f.counter) - FIRST_INBOUND;
    if (f.valid && f.tile == number) begin
      if (f.is_head) messages[i].push_back(f.head);
      else payload[i].push_back(f.element);
    end
  end
endtask

// What its head waits for. A head comes behind the elements of its message.
task automatic show_messages;
  for (int i = 0; i < INBOUND; i++) begin
    n_messages[i] <= messages[i].size();
    arrivals[i] <= messages[i].size() == 0 ? NEVER : messages[i][0].arrival > count_at[i] ? messages[i][0].arrival : count_at[i];
  end
endtask

// ---- places: of dst, a and b ----
logic dst_open, a_open, step;
logic dst_valid, dst_held, dst_last, a_valid, a_inside, a_last, b_valid, b_inside;
logic [40:0] dst_address, a_address, b_address;
wire delivers = state == DELIVER_OPEN || state == DELIVER;
wire walks_a = state == SEND_OPEN || state == SEND || work.op == OP_STORE;
wire [11:0] dst_h = delivers ? delivery.h : work.op == OP_VRED && (work.flags & AXIS_H) != 0 ? 1 : work.h;
wire [15:0] dst_w = delivers ? delivery.w : work.op == OP_VRED && (work.flags & AXIS_W) != 0 ? 1 : work.w;
assign dst_open = state == OPEN || state == DELIVER_OPEN;
assign a_open = state == OPEN || state == SEND_OPEN;

wire view_t dst_view = delivers ? views[delivery.view] : views[work.dst_view];
wire view_t a_view = views[work.a_view], b_view = views[work.b_view];
`define WHOLE_REGION .c(0), .step_y(1), .step_x(1), .first_y(0), .first_x(0), .first_c(0), .count('1)
cimc_address dst_places (
    .clk(clk_data), .reset, .start(dst_open), .view(dst_view), .frame(delivers ? delivery.frame : work.frame),
    .y(delivers ? delivery.y : work.dst_y), .x(delivers ? delivery.x : work.dst_x), .n_y(24'(dst_h)), .n_x(24'(dst_w)),
    .n_c(dst_view.channels), `WHOLE_REGION, .step, .valid(dst_valid), .last(dst_last), .address(dst_address), .held(dst_held), .in_extents());
cimc_address a_places (
    .clk(clk_data), .reset, .start(a_open), .view(a_view), .frame(work.frame), .y(work.a_y), .x(work.a_x), .n_y(24'(work.h)),
    .n_x(24'(work.w)), .n_c(a_view.channels), `WHOLE_REGION, .step, .valid(a_valid), .last(a_last), .address(a_address), .held(),
    .in_extents(a_inside));
cimc_address b_places (
    .clk(clk_data), .reset, .start(a_open), .view(b_view), .frame(work.frame), .y(work.b_y), .x(work.b_x), .n_y(24'(work.h)),
    .n_x(24'(work.w)), .n_c(b_view.channels), `WHOLE_REGION, .step, .valid(b_valid), .last(), .address(b_address), .held(),
    .in_extents(b_inside));

// ---- the instruction at hand, and which element of its region is next ----
instruction_t work;
logic [31:0] work_index;
logic [31:0] row, column, channel;
wire [31:0] walked_channels = 32'(walks_a ? a_view.channels : dst_view.channels);
wire [31:0] walked_w = 32'(delivers ? delivery.w : walks_a ? work.w : dst_w);
wire sends_elements = work.op == OP_SEND && !work.skipped;
wire walks_b = work.op == OP_VTAKE || (work.op == OP_VMAP && programs[work.obj].arity == 2);
wire ready = delivers ? dst_valid : walks_a ? a_valid : dst_valid && (a_valid || work.op != OP_VMAP) && (b_valid || !walks_b);
wire walked_last = walks_a ? a_last : dst_last;
wire is_last_lane = work.op != OP_VMAP || lane_number + 1 == programs[work.obj].n_lanes;
assign step = ready && (state == SEND || state == DELIVER || (state == RUN && is_last_lane && !is_loading));

task automatic begin_region;
  row <= 0;
  column <= 0;
  channel <= 0;
  lane_number <= 0;
endtask

task automatic next_element;
  channel <= channel + 1 == walked_channels ? 0 : channel + 1;
  if (channel + 1 == walked_channels) begin
    column <= column + 1 == walked_w ? 0 : column + 1;
    if (column + 1 == walked_w) row <= row + 1;
  end
endtask

// ---- DRAM ----
wire binding_t binding = bindings[work.obj];
wire [63:0] element_number = binding.offset + 64'(work.frame) * binding.frame_stride
    + (64'(work.y) + 64'(row)) * binding.stride_h + (64'(work.x) + 64'(column)) * binding.stride_w
    + (64'(work.c) + 64'(channel)) * binding.stride_c;
assign dram_input = binding.index[3:0];
assign dram_element = element_number[31:0];

// What the buffer has of an element of DRAM, and the reverse.
function automatic logic [31:0] of_dram(input logic [63:0] word);
  case (binding.element)
    ELEMENT_U8: return 32'(word[7:0]);
    ELEMENT_I8: return 32'(word[7:0] ^ 8'h80);
    ELEMENT_F16: return cimc_round_f16(word[31:0]);
    default: return word[31:0];
  endcase
endfunction

task automatic store(input logic [31:0] value);
  logic [63:0] word = 64'(value);
  case (binding.element)
    ELEMENT_I8: word = 64'(value[7:0] ^ 8'h80);
    ELEMENT_F16: word = 64'(cimc_round_f16(value));
    ELEMENT_I64: word = 64'($signed(value));
    default: ;
  endcase
  dram_write <= 1;
  dram_output <= binding.index[3:0];
  dram_to <= element_number[31:0];
  dram_stored <= word;
  log_write(queue, 1, binding.index, element_number, word[31:0]);
endtask

// ---- one step ----
function automatic logic writes_buffer(input logic [4:0] op);
  return op inside {OP_MVM, OP_VMAP, OP_VWIN, OP_VRED, OP_VGAT, OP_VTAKE, OP_VDOT, OP_LOAD};
endfunction

task automatic begin_instruction;
  for (int q = QUEUES - 1; q >= 0; q--)
    if (due[q] && !done[q]) queue = $clog2(QUEUES)'(q);
  work <= instructions[queue][n_ended[queue]];
  work_index <= origins[queue][n_ended[queue]].index;
  state <= BEGIN;
endtask

task automatic choose_state;
  state <= IDLE;
  if (sends_elements) state <= SEND_OPEN;
  else if (work.op == OP_SEND || work.op == OP_SIGNAL) state <= SEND_HEAD;
  else if (work.skipped || work.op == OP_NOP || work.op == OP_WAIT) done[queue] <= 1;
  else state <= OPEN;
  target_number <= routes[work.obj].first_target;
  log_head(queue, work, work_index);
endtask

// Of one counter one message in a cycle counts, where counting takes time.
task automatic is_delivered;
  delivered[inbound] <= 1;
  count_at[inbound] = one_a_cycle ? now + 1 : 0;
endtask

task automatic begin_delivery;
  for (int i = INBOUND - 1; i >= 0; i--)
    if (arrived[i] && !delivered[i]) inbound = $clog2(INBOUND)'(i);
  delivery <= messages[inbound][0];
  log_message(inbound, messages[inbound][0]);
  if (messages[inbound][0].has_payload) state <= DELIVER_OPEN;
  else begin
    void'(messages[inbound].pop_front());
    is_delivered;
  end
endtask

function automatic message_t message_head(input cycle_t at);
  return '{sender: number, arrival: at + complete_delay + flight(work) + extra(random), has_payload: sends_elements, view: targets[target_number].view,
           y: work.a_y, x: work.a_x, h: work.h, w: work.w, frame: work.frame};
endfunction

task automatic send_head;
  sent <= '{valid: 1, is_head: 1, tile: targets[target_number].tile, counter: targets[target_number].counter,
            head: message_head(now), element: 0};
  target_number <= target_number + 1;
  if (sends_elements) state <= SEND_OPEN;
  if (target_number + 1 == routes[work.obj].first_target + routes[work.obj].n_targets) begin
    state <= IDLE;
    done[queue] <= 1;
  end
endtask

task automatic send_element;
  sent <= '{valid: 1, is_head: 0, tile: targets[target_number].tile, counter: targets[target_number].counter,
            head: '0, element: load(a_address, a_view.element)};
  next_element;
  if (a_last) state <= SEND_HEAD;
endtask

task automatic deliver_element;
  automatic logic [31:0] value = payload[inbound].pop_front();
  if (dst_held) begin
    write(dst_address, views[delivery.view].element, value);
    log_delivery(inbound, dst_address, value);
  end
  next_element;
  if (dst_last) begin
    void'(messages[inbound].pop_front());
    is_delivered;
    state <= IDLE;
  end
endtask

task automatic run_element;
  automatic logic [31:0] value;
  operand_a = a_inside ? load(a_address, a_view.element) : a_view.pad_value;
  operand_b = b_inside ? load(b_address, b_view.element) : b_view.pad_value;
  is_loaded <= is_loading;
  case (work.op)
    OP_VMAP: run_lane(value);
    OP_STORE: store(operand_a);
    OP_LOAD: value = of_dram(dram_value);
    OP_MVM: product(value);
    OP_VWIN: value = window();
    OP_VRED: value = reduced();
    OP_VGAT: value = gathered();
    OP_VTAKE: value = taken();
    default: value = dot();
  endcase
  if (is_last_lane && !is_loading) begin
    if (writes_buffer(work.op)) begin
      write(dst_address, views[work.dst_view].element, value);
      log_write(queue, 0, number, 64'(dst_address), value);
    end
    next_element;
    lane_number <= 0;
    if (walked_last) begin
      done[queue] <= 1;
      state <= IDLE;
    end
  end else if (!is_loading) lane_number <= lane_number + 1;
endtask

// Another run. What came before it may count as if it had been repeated `repeated` times: in the counters, and in what the
// decoder knows of them (dispatched, and where messages and pace were at the start of the last body).
task automatic begin_again;
  automatic logic [21:0] more = repeated[21:0], past = iterations + decoder.bodies;
  iterations = past * (more + 1);
  for (int i = 0; i < INBOUND; i++) begin
    count_at[i] = 0;
    decoder.back.inbounds[i][43:22] += more * counters[22*(QUEUES+i)+:22];
  end
  decoder.back.inbounds[INBOUND][43:22] += more * past;
  for (int q = 0; q < QUEUES; q++) decoder.back.dispatched[q] *= more + 1;
  for (int c = 0; c < QUEUES + INBOUND; c++) sequencer.counts[22*c+:22] <= counters[22*c+:22] * (more + 1);
endtask

always @(posedge clk_data) begin
  sent.valid <= 0;
  dram_write <= 0;
  if (reset) begin
    state <= IDLE;
    phase_seen <= 0;
    done <= 0;
    delivered <= 0;
    is_loaded <= 0;
    iterations = 0;
    for (int i = 0; i < INBOUND; i++) begin
      n_messages[i] <= 0;
      count_at[i] = 0;
    end
  end else begin
    take_flits;
    case (state)
      IDLE:
        if (phase != phase_seen) begin
          phase_seen <= phase;
          done <= 0;
          delivered <= 0;
          if (again) begin_again;
        end else if ((due & ~done) != 0) begin_instruction;
        else if ((arrived & ~delivered) != 0 && !incoming) begin_delivery;
      BEGIN: choose_state;
      OPEN: begin
        begin_region;
        state <= RUN;
      end
      RUN: if (ready) run_element;
      SEND_HEAD: send_head;
      SEND_OPEN: begin
        begin_region;
        state <= SEND;
      end
      SEND: if (ready) send_element;
      DELIVER_OPEN: begin
        begin_region;
        state <= DELIVER;
      end
      DELIVER: if (ready) deliver_element;
    endcase
    show_messages;
  end
end

`include "log.svh"
