// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// What happened, in the format of `cimc dump` (DUMP.md): golden_QQQ, times_QQQ, receive_CCC, final_counters and
// final_buffer. The second run's lie in the folder run_2 of the first's.
int golden_files[QUEUES], times_files[QUEUES], receive_files[INBOUND];

int n_runs = 0;
string run_folder;

task automatic open_logs;
  n_runs++;
  run_folder = n_runs == 1 ? $sformatf("%s/tile_%04d", out_folder, number) : $sformatf("%s/run_%0d/tile_%04d", out_folder, n_runs, number);
  for (int q = 0; q < QUEUES; q++) begin
    if (64'(q) < sizes[SIZE_QUEUES]) begin
      golden_files[q] = $fopen({run_folder, $sformatf("/golden_%03d.hex", q)}, "w");
      times_files[q] = $fopen({run_folder, $sformatf("/times_%03d.hex", q)}, "w");
    end
  end
  for (int i = 0; i < INBOUND; i++)
    if (64'(i) < sizes[SIZE_INBOUND]) receive_files[i] = $fopen({run_folder, $sformatf("/receive_%03d.hex", FIRST_INBOUND + i)}, "w");
endtask

// Words of the buffer that still are what it was filled with are left out.
task automatic log_end;
  int file;
  for (int q = 0; q < QUEUES; q++)
    if (64'(q) < sizes[SIZE_QUEUES]) begin
      $fclose(golden_files[q]);
      $fclose(times_files[q]);
    end
  for (int i = 0; i < INBOUND; i++) if (64'(i) < sizes[SIZE_INBOUND]) $fclose(receive_files[i]);
  file = $fopen({run_folder, "/final_counters.hex"}, "w");
  for (int c = 0; c < QUEUES + INBOUND; c++)
    if (64'(c) < sizes[SIZE_QUEUES] || (c >= QUEUES && 64'(c) < QUEUES + sizes[SIZE_INBOUND])) $fdisplay(file, "%08x", counters[22*c+:22]);
  $fclose(file);
  file = $fopen({run_folder, "/final_buffer.hex"}, "w");
  for (int i = 0; i < $size(buffer); i++) if (buffer[i] != UNWRITTEN) $fdisplay(file, "@%x\n%08x", i, buffer[i]);
  $fclose(file);
endtask

task automatic log_record(input int file, input logic [15:0] kind, input logic [15:0] place, input logic [63:0] address, input logic [31:0] value);
  /*verilator no_inline_task*/
  $fdisplay(file, "%04x%04x%016x%08x", kind, place, address, value);
endtask

task automatic log_head(input logic [3:0] q, input instruction_t i, input logic [31:0] index);
  /*verilator no_inline_task*/
  automatic logic [31:0] n = 32'(i.h) * 32'(i.w);
  case (i.op)
    OP_STORE: n *= 32'(views[i.a_view].channels);
    OP_VRED: n = (i.flags & AXIS_H ? 1 : 32'(i.h)) * (i.flags & AXIS_W ? 1 : 32'(i.w)) * 32'(views[i.dst_view].channels);
    default: n = writes_buffer(i.op) ? n * 32'(views[i.dst_view].channels) : 0;
  endcase
  if (!i.skipped) log_record(golden_files[q], 16'h8000 + 16'(i.op), number, 64'(index), n);
endtask

task automatic log_write(input logic [3:0] q, input logic [15:0] kind, input logic [15:0] place, input logic [63:0] address, input logic [31:0] value);
  log_record(golden_files[q], kind, place, address, value);
endtask

task automatic log_times(input int q, input origin_t o, input cycle_t start, input cycle_t last);
  /*verilator no_inline_task*/
  $fdisplay(times_files[q], "%016x%016x%016x%08x%08x", last, start, o.dispatch, o.iteration, o.index);
endtask

// Rows, or columns, of [at, at + n) that are held.
function automatic logic [31:0] overlap(input int at, input int n, input int from, input int to);
  int first = at > from ? at : from, last = at + n < to ? at + n : to;
  return last > first ? 32'(last - first) : 0;
endfunction

// A message that is counted after this clock.
task automatic log_message(input int i, input message_t m);
  /*verilator no_inline_task*/
  automatic view_t v = views[m.view];
  automatic logic [31:0] n = overlap(int'(m.y), int'(m.h), int'(v.y0), int'(v.y1)) * overlap(int'(m.x), int'(m.w), int'(v.x0), int'(v.x1)) * 32'(v.channels);
  log_record(receive_files[i], 16'h9000, m.sender, now + 64'(clocked), m.has_payload ? n : 0);
endtask

task automatic log_delivery(input int i, input logic [40:0] address, input logic [31:0] value);
  log_record(receive_files[i], 0, number, 64'(address), value);
endtask
