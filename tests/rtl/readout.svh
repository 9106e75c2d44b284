// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// The array as converters read it (ISA.md 5.2): cells of the crossbar as `cimc dump --cells all` has them, driven phase by
// phase, a column converted for each slice and part, shifted and added. Only where that can differ from the exact product.
logic [7:0] cells[PES * PE_ROWS * PE_COLUMNS], inverted[PES * PE_COLUMNS];

function automatic int number_of(input int i);
  return int'(machine[i]);
endfunction

function automatic logic is_read_out(input group_t g);
  return g.element != ELEMENT_F32 && (machine[MACHINE_ADC_BITS] != 0 || machine[MACHINE_NOISE_SEED] != 0);
endfunction

// a / 2^s to the nearest, ties to even.
function automatic longint rounded(input longint a, input int s);
  longint q = a >>> s, rest = a - (q << s), half = 64'd1 << (s - 1);
  if (s == 0) return a;
  return rest > half || (rest == half && q[0]) ? q + 1 : q;
endfunction

// A sum of conductances as its converter, whose step is 2^shift levels, tells it.
function automatic longint converted(input longint a, input int shift, input logic is_signed);
  int bits = number_of(MACHINE_ADC_BITS), fraction = machine[MACHINE_NOISE_SEED] != 0 ? number_of(MACHINE_CELL_FRACTION_BITS) : 0;
  longint code, least = is_signed ? -(64'd1 << (bits - 1)) : 0, most = is_signed ? (64'd1 << (bits - 1)) - 1 : (64'd1 << bits) - 1;
  if (bits == 0) return rounded(a, fraction);
  code = rounded(a, shift + fraction);
  return (code < least ? least : code > most ? most : code) << shift;
endfunction

// Column `at` of a PE and the rows of its conv group, `rows_from` on.
function automatic logic [31:0] read_out(input group_t g, input pe_t pe, input int first, input int rows_from, input int at);
  /*verilator no_inline_task*/
  int c = number_of(MACHINE_CELL_BITS), d = number_of(MACHINE_DAC_BITS);
  int slices = (int'(g.weight_bits) + c - 1) / c, phases = (int'(g.x_bits) + d - 1) / d;
  int parts = machine[MACHINE_ENCODING] == 0 ? 1 : 2, in_rows = parts == 2 ? number_of(MACHINE_PAIR_AXIS) : 0;
  int columns = slices * (in_rows != 0 ? 1 : parts), base = int'(pe.pe) * PE_ROWS * PE_COLUMNS;
  logic is_analog = machine[MACHINE_ENCODING] == 2;
  longint sum = 0, driven = 0, a[2], level, x;
  for (int k = 0; k < int'(pe.k); k++) driven += 64'(inputs[first+rows_from+k]);
  for (int f = 0; f < phases; f++)
    for (int j = 0; j < slices; j++) begin
      longint on = 0;
      for (int part = 0; part < parts; part++) begin
        int column = at * columns + j + (in_rows != 0 ? 0 : part * slices);
        a[part] = 0;
        on = 0;
        for (int k = 0; k < int'(pe.k); k++) begin
          int row_of_cell = in_rows != 0 ? 2 * (rows_from + k) + part : rows_from + k;
          x = 64'((inputs[first+rows_from+k] >> (d * f)) & ((1 << d) - 1));
          level = 64'(cells[base+row_of_cell*int'(pe.n)*columns+column]);
          a[part] += x * level;
          on += x;
        end
        if (!is_analog) begin
          a[part] = converted(a[part], int'(5'(g.shifts >> (5 * j))), 0);
          if (inverted[int'(pe.pe)*PE_COLUMNS+column][in_rows!=0?part : 0]) a[part] = (((64'd1 << c) - 1) * on) - a[part];
        end
      end
      if (parts == 1) a[1] = 0;
      sum += (is_analog ? converted(a[0] - a[1], int'(5'(g.shifts >> (5 * j))), 1) : a[0] - a[1]) << (c * j + d * f);
    end
  if (g.has_center != 0) sum += 64'($signed(centers[int'(pe.pe)*PE_COLUMNS+at])) * driven;
  if (parts == 1) sum -= driven << (g.weight_bits - 1);
  return sum[31:0];
endfunction
