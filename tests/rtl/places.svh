// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Memory as views show it (ISA.md 4), where regions are not walked in order.

// An element as lanes have it: 32 bits.
function automatic logic [31:0] load(input logic [40:0] address, input logic [2:0] element);
  /*verilator no_inline_task*/
  logic [31:0] word = buffer[address[BUFFER_BITS+1:2]];
  return element == ELEMENT_U8 ? 32'(8'(word >> 8 * address[1:0])) : word;
endfunction

task automatic write(input logic [40:0] address, input logic [2:0] element, input logic [31:0] value);
  /*verilator no_inline_task*/
  if (element == ELEMENT_U8) buffer[address[BUFFER_BITS+1:2]][8*address[1:0]+:8] = value[7:0];
  else buffer[address[BUFFER_BITS+1:2]] = value;
endtask

function automatic logic is_inside(input view_t v, input int y, input int x);
  return y >= 0 && y < int'(v.height) && x >= 0 && x < int'(v.width);
endfunction

function automatic longint place_of(input view_t v, input int y, input int x, input int c);
  /*verilator no_inline_task*/
  longint turned = longint'(work.frame) * longint'(v.frame_rows) + longint'(y) - longint'(v.ring_origin);
  longint slot = turned % longint'(v.ring_rows);
  if (slot < 0) slot += longint'(v.ring_rows);
  return longint'(v.address) + slot * longint'(v.row_pitch) + (longint'(x) - longint'(v.x0)) * longint'(v.col_pitch)
      + longint'(c) * longint'(v.channel_pitch);
endfunction

// (y, x, c) of a view: its padding outside.
function automatic logic [31:0] read(input logic [9:0] view, input int y, input int x, input int c);
  /*verilator no_inline_task*/
  view_t v = views[view];
  if (!is_inside(v, y, x)) return v.pad_value;
  if (y < int'(v.y0) || y >= int'(v.y1) || x < int'(v.x0) || x >= int'(v.x1))
    $fatal(1, "tile %0d, instruction %0d: view %0d does not hold (%0d, %0d)", number, work_index, view, y, x);
  return load(41'(place_of(v, y, x, c)), v.element);
endfunction
