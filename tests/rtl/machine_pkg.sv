// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// What the parts of the machine say to each other, and how much of it there is room for.
package machine_pkg;
  import cimc_pkg::*;

  localparam int QUEUES = 10;      // of a tile
  localparam int DEPTH = 16;       // of a queue, at most
  localparam int INBOUND = 8;      // inbound counters of a tile
  localparam int TENSORS = 16;     // inputs, and outputs, of a program

  typedef logic [63:0] cycle_t;
  localparam cycle_t NEVER = '1;

  // Instructions of a queue are numbered as they come; so many are known of each, from those that wait to those not complete.
  localparam int NUMBERS = 256;
  typedef logic [$clog2(NUMBERS)-1:0] number_t;

  // What an instruction takes.
  typedef struct packed {
    cycle_t occupancy;
    cycle_t latency;
    logic needs_unit;
  } taken_t;

  // Where it comes from, and when it was dispatched.
  typedef struct packed {
    logic [31:0] index;
    logic [31:0] iteration;
    cycle_t dispatch;
  } origin_t;

  // What a message is about: a region of the target's view, or nothing (SIGNAL, and what is skipped).
  typedef struct packed {
    logic [15:0] sender;
    cycle_t arrival;
    logic has_payload;
    logic [9:0] view;
    logic signed [23:0] y;
    logic signed [23:0] x;
    logic [11:0] h;
    logic [15:0] w;
    logic [20:0] frame;
  } message_t;

  // A message travels as one flit for each element, then one of its head.
  typedef struct packed {
    logic valid;
    logic is_head;
    logic [15:0] tile;
    logic [9:0] counter;
    message_t head;
    logic [31:0] element;
  } flit_t;
endpackage
