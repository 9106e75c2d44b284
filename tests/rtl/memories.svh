// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// The memories of a tile and how they are filled from the files of `cimc dump` (DUMP.md).

localparam int PE_ROWS = 256, PE_COLUMNS = 256, PES = 16;

logic [63:0] machine[N_MACHINE_NUMBERS];
logic [63:0] program_numbers[N_PROGRAM_NUMBERS];
logic [63:0] sizes[N_SIZE_NUMBERS];

view_t views[1024];
group_t groups[128];
pe_t pes[256];
run_t runs[4096];
window_t windows[256];
program_t programs[1024];
lane_t lanes[4096];
route_t routes[1024];
target_t targets[1024];
gather_t gathers[256];
entry_t entries[65536];
logic [31:0] luts[16384];
binding_t bindings[64];

localparam int BUFFER_BITS = 20;                         // of the number of a word
logic [31:0] buffer[1 << BUFFER_BITS];
localparam logic [31:0] UNWRITTEN = 32'h7fc0dead;
logic [31:0] weights[PES * PE_ROWS * PE_COLUMNS];        // of each PE its rows of n words
logic [31:0] centers[PES * PE_COLUMNS];

int latency_seed;
string folder, tile_folder, out_folder;

function automatic cycle_t program_number(input int i);
  return program_numbers[i];
endfunction

// A memory that is empty has no file. ($fclose of Verilator sets its variable to 0.)
function automatic logic exists(input string name);
  /*verilator no_inline_task*/
  int file;
  logic found;
  file = $fopen(name, "r");
  found = file != 0;
  if (found) $fclose(file);
  return found;
endfunction

`define FILL(memory, name) if (exists({tile_folder, name})) $readmemh({tile_folder, name}, memory);

task automatic fill_memories;
  string name;
  if (!$value$plusargs("dump=%s", folder)) $fatal(1, "no +dump=FOLDER");
  if (!$value$plusargs("out=%s", out_folder)) $fatal(1, "no +out=FOLDER");
  if (!$value$plusargs("latency-seed=%d", latency_seed)) latency_seed = 0;
  tile_folder = $sformatf("%s/tile_%04d/", folder, number);
  $readmemh({folder, "/machine.hex"}, machine);
  $readmemh({folder, "/program.hex"}, program_numbers);
  for (int i = 0; i < $size(buffer); i++) buffer[i] = UNWRITTEN;
  `FILL(sizes, "sizes.hex")
  if (sizes[SIZE_QUEUES] > QUEUES || sizes[SIZE_INBOUND] > INBOUND)
    $fatal(1, "tile %0d has %0d queues and %0d inbound counters, room is for %0d and %0d", number, sizes[SIZE_QUEUES], sizes[SIZE_INBOUND], QUEUES, INBOUND);
  `FILL(views, "table_views.hex")
  `FILL(groups, "table_groups.hex")
  `FILL(pes, "table_pes.hex")
  `FILL(runs, "table_runs.hex")
  `FILL(windows, "table_windows.hex")
  `FILL(programs, "table_programs.hex")
  `FILL(lanes, "table_lanes.hex")
  `FILL(routes, "table_routes.hex")
  `FILL(targets, "table_targets.hex")
  `FILL(gathers, "table_gathers.hex")
  `FILL(entries, "table_entries.hex")
  `FILL(luts, "table_luts.hex")
  `FILL(buffer, "buffer.hex")
  if (exists({folder, "/table_bindings.hex"})) $readmemh({folder, "/table_bindings.hex"}, bindings);
  for (int p = 0; p < PES; p++) begin
    name = $sformatf("%spe_%03d.hex", tile_folder, p);
    if (exists(name)) $readmemh(name, weights, p * PE_ROWS * PE_COLUMNS);
    name = $sformatf("%scenter_%03d.hex", tile_folder, p);
    if (exists(name)) $readmemh(name, centers, p * PE_COLUMNS);
    name = $sformatf("%scells_%03d.hex", tile_folder, p);
    if (exists(name)) $readmemh(name, cells, p * PE_ROWS * PE_COLUMNS);
    name = $sformatf("%sconductances_%03d.hex", tile_folder, p);
    if (exists(name)) $readmemh(name, cells, p * PE_ROWS * PE_COLUMNS);
    name = $sformatf("%sinverted_%03d.hex", tile_folder, p);
    if (exists(name)) $readmemh(name, inverted, p * PE_COLUMNS);
  end
endtask
