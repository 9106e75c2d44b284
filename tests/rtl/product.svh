// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Crossbars (ISA.md 5): input registers are filled once for each pixel, then columns are read one after the other.
logic [31:0] inputs[PES * PE_ROWS];        // what each PE of the group is driven with

// Does a pixel of the patch that is kept read position w of an axis of the window?
function automatic logic is_read(input int w, input int kept, input int stride, input int dilation, input int kernel);
  for (int p = 0; p < kept; p++)
    if (w >= p * stride && w - p * stride <= dilation * (kernel - 1) && (w - p * stride) % dilation == 0) return 1;
  return 0;
endfunction

// Where the product begins of which (row, column) is a pixel, and how many pixels of its patch are kept.
typedef struct packed {
  int y, x, kept_h, kept_w;
} patch_t;

function automatic patch_t patch_of(input group_t g);
  int a = g.patch_h == 0 ? 1 : int'(g.patch_h), b = g.patch_w == 0 ? 1 : int'(g.patch_w);
  int top = int'(row) - int'(row) % a, left = int'(column) - int'(column) % b;
  return '{y: int'(work.dst_y) + top, x: int'(work.dst_x) + left,
           kept_h: int'(work.h) - top < a ? int'(work.h) - top : a, kept_w: int'(work.w) - left < b ? int'(work.w) - left : b};
endfunction

function automatic logic [31:0] input_of(input group_t g, input patch_t p, input int wy, input int wx, input int c);
  /*verilator no_inline_task*/
  if (g.patch_h > 1 || g.patch_w > 1)
    if (!is_read(wy, p.kept_h, int'(g.stride_h), int'(g.dilation_h), int'(g.kernel_h))
        || !is_read(wx, p.kept_w, int'(g.stride_w), int'(g.dilation_w), int'(g.kernel_w)))
      return 0;
  return read(g.source_view, p.y * int'(g.stride_h) + wy * int'(g.step_h) - int'(g.pad_top),
              p.x * int'(g.stride_w) + wx * int'(g.step_w) - int'(g.pad_left), c - int'(g.source_channel0));
endfunction

// The rows of a PE, run by run, for each conv group that it has columns of.
task automatic drive(input group_t g, input pe_t pe, input int first);
  /*verilator no_inline_task*/
  automatic patch_t p = patch_of(g);
  automatic int at = first, wy, wx, c, rows;
  for (int q = 0; q < int'(pe.n_conv_groups); q++)
    for (int r = 0; r < (pe.n_runs == 0 ? 1 : int'(pe.n_runs)); r++) begin
      automatic run_t run = runs[pe.first_run + 32'(r)];
      wy = int'(pe.n_runs == 0 ? pe.wy : run.wy);
      wx = int'(pe.n_runs == 0 ? pe.wx : run.wx);
      c = int'(pe.n_runs == 0 ? pe.channel : run.channel);
      rows = int'(pe.n_runs == 0 ? 32'(pe.k) : run.rows);
      for (int k = 0; k < rows; k++) begin
        inputs[at] = input_of(g, p, wy, wx, (int'(pe.conv_group) + q) * int'(g.channels) + c);
        at++;
        c++;
        if (c == int'(g.channels)) begin
          c = 0;
          wx++;
          if (wx == int'(g.window_w)) begin
            wx = 0;
            wy++;
          end
        end
      end
    end
endtask

// What column `at` of a PE gives: the sum over the rows of its conv group, k ascending.
function automatic logic [31:0] column_sum(input group_t g, input pe_t pe, input int first, input int rows_from, input int at);
  /*verilator no_inline_task*/
  int from = int'(pe.pe) * PE_ROWS * PE_COLUMNS + rows_from * int'(pe.n) + at;
  logic [31:0] sum = 0, driven = 0;
  for (int k = 0; k < int'(pe.k); k++) begin
    logic [31:0] x = inputs[first + rows_from + k], w = weights[from];
    from += int'(pe.n);
    if (g.element == ELEMENT_F32) sum = cimc_mac_f32(sum, x, w);
    else begin
      sum += x * 32'($signed(w[7:0]));
      driven += x;
    end
  end
  if (g.has_center != 0) sum += centers[int'(pe.pe)*PE_COLUMNS+at] * driven;
  return sum;
endfunction

// Element (row, column, channel) of the region: PE by PE.
task automatic product(output logic [31:0] value);
  /*verilator no_inline_task*/
  automatic group_t g = groups[work.obj];
  automatic int b = g.patch_w == 0 ? 1 : int'(g.patch_w), a = g.patch_h == 0 ? 1 : int'(g.patch_h);
  automatic int layer_channel = int'(g.channel0) + int'(channel);
  automatic int q = layer_channel / int'(g.pixel_columns);
  automatic int n = ((q * a + int'(row) % a) * b + int'(column) % b) * int'(g.pixel_columns) + layer_channel % int'(g.pixel_columns);
  value = 0;
  for (int p = 0; p < int'(g.n_pes); p++) begin
    automatic pe_t pe = pes[g.first_pe + 32'(p)];
    if (channel == 0) drive(g, pe, p * PE_ROWS);
    if (n >= int'(pe.n0) && n < int'(pe.n0) + int'(pe.n)) begin
      automatic int rows_from = (q - int'(pe.conv_group)) * int'(pe.k);
      automatic logic [31:0] part;
      if (is_read_out(g)) part = read_out(g, pe, p * PE_ROWS, rows_from, n - int'(pe.n0));
      else part = column_sum(g, pe, p * PE_ROWS, rows_from, n - int'(pe.n0));
      value = g.element == ELEMENT_F32 ? cimc_lane_f32(32'(LANE_ADD), value, part) : value + part;
    end
  end
endtask
