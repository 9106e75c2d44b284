/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * option_tables.c - every option of the command line, in groups that commands share.
 *
 * An entry is everything there is to say about an option; options.c parses, explains and records by
 * it.
 */
#include "options.h"

#include "pass.h"

#define AT(field) offsetof(struct settings, field)

static const char *known_preset(size_t i)
{
    return arch_presets()[i];
}

static const char *known_pass(size_t i)
{
    size_t n;
    const struct pass *const *passes = pass_list(&n);
    return i < n ? passes[i]->name : NULL;
}

const struct option_desc options_model[] = {
    {.name = "dim",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(dims),
     .argument = "NAME=N",
     .help = "size of the model's dimension NAME (a batch is 1)"},
    {.name = "constant",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(constants),
     .argument = "NAME=FILE",
     .help = "the model's input NAME is not an input but the tensor in FILE (.pb)"},
    {.name = "input-type",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(input_types),
     .argument = "NAME=u8|i8",
     .help = "integers that float input NAME has, in a model of integers written as floats; "
             "default u8"},
    {.name = "inputs",
     .kind = OPTION_TEXT,
     .recorded = true,
     .offset = AT(cut_inputs),
     .argument = "NAME[:DxD],..",
     .help = "tensors that become the inputs: what comes before is left out. A shape (NAME:1x3x8) "
             "where the file does not say it; inputs of the file that are still needed follow"},
    {.name = "outputs",
     .kind = OPTION_TEXT,
     .recorded = true,
     .offset = AT(cut_outputs),
     .argument = "NAME,..",
     .help = "tensors that become the outputs: what only others need is left out"},
    {.name = "no-weights",
     .kind = OPTION_FLAG,
     .recorded = true,
     .offset = AT(no_weights),
     .help = "compiles a model whose external data is missing: the program has times but no "
             "weights, and computes nothing"},
    {.name = "verbose",
     .kind = OPTION_FLAG,
     .offset = AT(verbose),
     .help = "names every node that a message is about, not one of each kind"},
    {0},
};

/* The order of enum pass_mode. */
const struct option_desc options_mode[] = {
    {.name = "mode",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(mode),
     .choices = "auto|f32|int",
     .help =
         "crossbars hold floats (f32), or integers where the model is quantised (int); auto, the "
         "default, is int if a base layer's input is quantised"},
    {.name = "unquantised",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(unquantised),
     .choices = "warn|error",
     .help = "what a base layer is, in mode int, whose input the model leaves float; default warn"},
    {0},
};

const struct option_desc options_calibrate[] = {
    {.name = "calibrate",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(calibrate),
     .argument = "[INPUT=]PATH",
     .help = "what the model's inputs are like: a folder with test_data_set_K, a folder of .npy or "
             ".pb files, or a file, which may hold several images"},
    {.name = "weight-bits",
     .kind = OPTION_INTEGER,
     .recorded = true,
     .offset = AT(weight_bits),
     .argument = "N",
     .help = "bits of the weights that a float model gets; default: the machine's weight_bits",
     .least = 2,
     .most = 8},
    {.name = "activation-bits",
     .kind = OPTION_INTEGER,
     .recorded = true,
     .offset = AT(activation_bits),
     .argument = "N",
     .help = "bits of the values that its base layers read; default 8",
     .least = 4,
     .most = 8},
    {.name = "rounding",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(rounding),
     .choices = "auto|nearest|feedback",
     .help = "how its weights are rounded: each to the nearest integer, or so that those behind "
             "make up for the error; auto, the default, is feedback of fewer than 8 bits"},
    {.name = "bias-correction",
     .kind = OPTION_FLAG,
     .recorded = true,
     .offset = AT(bias_correction),
     .help = "biases make up for the mean error of a channel; for some thirty images that are like "
             "those in use"},
    {.name = "layer",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(quantised_layers),
     .argument = "LAYER=wNaM",
     .help = "other bits for one base layer (name, or number from 0): of its weights (w4), of what "
             "it reads (a6), or both (w4a6)"},
    {0},
};

const struct option_desc options_machine[] = {
    {.name = "arch",
     .kind = OPTION_TEXT,
     .offset = AT(arch),
     .argument = "NAME|FILE",
     .known = known_preset,
     .help = "the machine: a preset (cimc list archs) or a YAML file; default clsa"},
    {.name = "arch-field",
     .kind = OPTION_LIST,
     .offset = AT(arch_fields),
     .argument = "FIELD=VALUE",
     .help = "changes one field of the machine (cimc list arch) or a price (cimc list prices), for "
             "example crossbars=64"},
    {0},
};

const struct option_desc options_mapping[] = {
    {.name = "schedule",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(schedule),
     .choices = "cross|layer",
     .help = "cross-layer, or one layer after the other; default cross"},
    {.name = "set",
     .kind = OPTION_TEXT,
     .recorded = true,
     .offset = AT(set),
     .argument = "auto|best|pixel|RxC",
     .help = "unit of scheduling: R rows by C columns of an output, * = all (1x* = rows), pixel = "
             "1x1; auto (the default): parts of rows as small as a program of some 100,000 "
             "instructions allows; best: the fastest of several, cuts included"},
    {.name = "cut",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(cut),
     .choices = "auto|w|h|2d",
     .help = "how copies of a layer share its output; default auto"},
    {.name = "duplicate",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(duplicate),
     .choices = "none|sum|makespan|interval",
     .help =
         "copies of weights: none, those with the least sum of the layers' cycles, the least "
         "makespan, or the least interval between images (cycles of the copy that works longest); "
         "default sum"},
    {.name = "mapping",
     .kind = OPTION_CHOICE,
     .recorded = true,
     .offset = AT(mapping),
     .choices = "im2col|window",
     .help = "output pixels that one product of a base layer yields: one (im2col), or as many as "
             "serve --duplicate best (window, the default)"},
    {.name = "patch",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(patches),
     .argument = "LAYER=AxB",
     .help = "a product of this base layer (name, or number from 0) yields A rows by B columns of "
             "its output; --mapping goes for the other layers"},
    {.name = "copies",
     .kind = OPTION_TEXT,
     .recorded = true,
     .offset = AT(copies),
     .argument = "LAYER=N,..",
     .help = "so many copies of these base layers (names, or numbers from 0), one of the others; "
             "replaces --duplicate"},
    {.name = "pes",
     .kind = OPTION_INTEGER,
     .recorded = true,
     .offset = AT(pes),
     .argument = "N|all",
     .all = "all",
     .help = "PEs (crossbars) of the machine; all, the default where it has a fixed number of "
             "tiles: as many as they have",
     .least = 0,
     .most = INT64_MAX},
    {.name = "extra-pes",
     .kind = OPTION_INTEGER,
     .recorded = true,
     .offset = AT(extra_pes),
     .argument = "X",
     .help = "PEs beyond the fewest that hold the network; 0, the default where there are as many "
             "tiles as needed, asks for the fewest",
     .least = 0,
     .most = INT64_MAX},
    {0},
};

const struct option_desc options_noise[] = {
    {.name = "noise-seed",
     .kind = OPTION_INTEGER,
     .offset = AT(noise_seed),
     .argument = "N",
     .help = "the machine is the one with this noise of its cells (noise_seed); 0: without noise",
     .least = 0,
     .most = INT32_MAX},
    {0},
};

const struct option_desc options_trials[] = {
    {.name = "trials",
     .kind = OPTION_INTEGER,
     .offset = AT(trials),
     .argument = "N",
     .help = "runs on N machines, with the seed of the noise and those that follow: mean and "
             "spread of accuracy (--labels) and of the signal-to-noise ratio against what the "
             "model says as it was read",
     .least = 1,
     .most = 1000000},
    {0},
};

const struct option_desc options_several[] = {
    {.name = "rate",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(rates),
     .argument = "MODEL=R",
     .help = "with several models: this one takes R images where the others take one"},
    {0},
};

const struct option_desc options_frames[] = {
    {.name = "frames",
     .kind = OPTION_INTEGER,
     .offset = AT(frames),
     .argument = "N",
     .help = "images in a row: how many the program is for, or are run; default: as many as the "
             "files of its inputs hold, else the model's batch, or what the program is for",
     .least = 1,
     .most = 1000000},
    {0},
};

const struct option_desc options_flow[] = {
    {.name = "state",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(states),
     .argument = "OUT=IN",
     .help =
         "output OUT of an image is input IN of the next one; what is given for IN is the first "
         "image's, and of OUT there is the last one's"},
    {.name = "pace",
     .kind = OPTION_INTEGER,
     .offset = AT(pace),
     .argument = "N|ii",
     .all = "ii",
     .help = "cycles from the start of one image to the next; ii (the default): the least that the "
             "schedule reaches; 0: as soon as there is room",
     .least = 0,
     .most = PACE_STEADY},
    {0},
};

const struct option_desc options_decisions[] = {
    {.name = "lp-file",
     .kind = OPTION_TEXT,
     .offset = AT(lp_file),
     .argument = "FILE",
     .help = "writes the duplication problem there, in CPLEX LP format"},
    {.name = "print-plan",
     .kind = OPTION_TEXT,
     .offset = AT(print_plan),
     .argument = "FILE",
     .help = "writes the backend's plan there, as text: nodes, groups, cells, tasks, buffers"},
    {0},
};

const struct option_desc options_table[] = {
    {.name = "fill",
     .kind = OPTION_FLAG,
     .offset = AT(fill),
     .help = "the table of layers also says how full their crossbars are: the share of the cells "
             "that hold a weight"},
    {0},
};

const struct option_desc options_energy[] = {
    {.name = "energy",
     .kind = OPTION_FLAG,
     .offset = AT(energy),
     .help = "also prints what is counted for energy, and what it costs at the machine's prices "
             "(cimc list prices): counters, operations, areas"},
    {0},
};

const struct option_desc options_output[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = AT(output),
     .argument = "FILE",
     .help = "where the result goes; - is standard output"},
    {0},
};

const struct option_desc options_json[] = {
    {.name = "json", .kind = OPTION_FLAG, .offset = AT(json), .help = "prints the report as JSON"},
    {0},
};

const struct option_desc options_views[] = {
    {.name = "schedule-out",
     .kind = OPTION_TEXT,
     .offset = AT(schedule_out),
     .argument = "FILE",
     .help = "writes every set of the schedule there, as CSV"},
    {.name = "schedule-svg",
     .kind = OPTION_TEXT,
     .offset = AT(schedule_svg),
     .argument = "FILE",
     .help = "draws what every tile does over time, layer by layer and cross-layer"},
    {.name = "svg-layout",
     .kind = OPTION_CHOICE,
     .offset = AT(svg_layout),
     .choices = "side|stacked",
     .help = "side by side, each schedule with its own scale of time, or one below the other on "
             "one scale; default side"},
    {.name = "trace",
     .kind = OPTION_TEXT,
     .offset = AT(trace),
     .argument = "FILE",
     .help = "writes both schedules as trace events (JSON) for Perfetto; 1 us there is 1 cycle"},
    {0},
};

const struct option_desc options_page[] = {
    {.name = "report-arch",
     .kind = OPTION_TEXT,
     .offset = AT(report_arch),
     .argument = "NAME|FILE",
     .known = known_preset,
     .help = "where data moves for free on the machine: the costs that the report compares with; "
             "default: the first preset on which it takes time"},
    {0},
};

const struct option_desc options_held_out[] = {
    {.name = "test-data",
     .kind = OPTION_LIST,
     .offset = AT(test_data),
     .argument = "[INPUT=]PATH",
     .help = "tensors that nothing is calibrated by, to measure the result: as --calibrate takes "
             "them"},
    {0},
};

const struct option_desc options_inline[] = {
    {.name = "inline",
     .kind = OPTION_FLAG,
     .offset = AT(inline_blobs),
     .help = "prints all data, so that the text stands alone"},
    {0},
};

const struct option_desc options_timing[] = {
    {.name = "time-passes",
     .kind = OPTION_FLAG,
     .offset = AT(time_passes),
     .help = "prints a table: the time of each pass, how many operations it leaves"},
    {.name = "stats",
     .kind = OPTION_FLAG,
     .offset = AT(pass_stats),
     .help = "prints a table: what each pass counted"},
    {0},
};

const struct option_desc options_passes[] = {
    {.name = "passes",
     .kind = OPTION_TEXT,
     .offset = AT(passes),
     .argument = "A,B,C",
     .known = known_pass,
     .help = "the passes to run (cimc list passes); default: the whole pipeline"},
    {.name = "print-before",
     .kind = OPTION_MAY_TEXT,
     .offset = AT(print_before),
     .argument = "PASS,..",
     .fallback = "all",
     .known = known_pass,
     .help = "prints the graph before these passes, or all"},
    {.name = "print-after",
     .kind = OPTION_MAY_TEXT,
     .offset = AT(print_after),
     .argument = "PASS,..",
     .fallback = "all",
     .known = known_pass,
     .help = "prints the graph after these passes, or all"},
    {.name = "stop-after",
     .kind = OPTION_TEXT,
     .offset = AT(stop_after),
     .argument = "PASS",
     .known = known_pass,
     .help = "ends the pipeline after that pass"},
    {.name = "skip",
     .kind = OPTION_TEXT,
     .offset = AT(skip),
     .argument = "PASS,..",
     .known = known_pass,
     .help = "leaves these passes out"},
    {.name = "no-verify",
     .kind = OPTION_FLAG,
     .offset = AT(no_verify),
     .help = "does not verify the graph after each pass"},
    {.name = "roundtrip-each",
     .kind = OPTION_FLAG,
     .offset = AT(roundtrip_each),
     .help = "after each pass prints the graph, parses it and goes on with that"},
    {.name = "dot",
     .kind = OPTION_FLAG,
     .offset = AT(dot),
     .help = "prints graphs as DOT, not as IR text; those of --print-before and --print-after too"},
    {0},
};

const struct option_desc options_values[] = {
    {.name = "test-data",
     .kind = OPTION_LIST,
     .offset = AT(test_data),
     .argument = "[MODEL=]DIR",
     .help = "inputs from DIR/input_K.pb, expected outputs from DIR/output_K.pb; of several models "
             "one for each"},
    {.name = "input",
     .kind = OPTION_LIST,
     .offset = AT(inputs),
     .argument = "FILE",
     .help = "values of the next input, from a .npy or .pb file; once for each input"},
    {.name = "input-fill",
     .kind = OPTION_TEXT,
     .offset = AT(input_fill),
     .argument = "ramp|random:SEED",
     .help = "values of inputs that have no file: i/n, or numbers in [0, 1)"},
    {0},
};

const struct option_desc options_scale[] = {
    {.name = "input-scale",
     .kind = OPTION_LIST,
     .recorded = true,
     .offset = AT(input_scales),
     .argument = "[NAME=]FACTOR",
     .help = "what the integers of a file are multiplied by that gives them for a float input: "
             "0.5, 1/255; NAME: of this input only"},
    {0},
};

const struct option_desc options_weights[] = {
    {.name = "constant-weights",
     .kind = OPTION_FLAG,
     .offset = AT(constant_weights),
     .help = "inputs that operators read as weights, shapes or axes are constants, from "
             "--test-data"},
    {0},
};

const struct option_desc options_stage[] = {
    {.name = "at",
     .kind = OPTION_CHOICE,
     .offset = AT(at),
     .choices = "tensor|canonical|integer|crossbar",
     .help = "the graph that is evaluated: as it was read, or after the passes up to the end of "
             "this stage; default tensor, with --mode crossbar"},
    {0},
};

const struct option_desc options_verdict[] = {
    {.name = "tolerance",
     .kind = OPTION_REAL,
     .offset = AT(tolerance),
     .argument = "T",
     .help = "largest error that passes, of the largest expected magnitude; default 1e-4",
     .least = 0,
     .most = 1},
    {.name = "tolerance-steps",
     .kind = OPTION_INTEGER,
     .offset = AT(tolerance_steps),
     .argument = "N",
     .help =
         "each element of an output of integers, or, where the model is given, of multiples of a "
         "step, may differ by N steps; default 0",
     .least = 0,
     .most = INT32_MAX},
    {.name = "labels",
     .kind = OPTION_TEXT,
     .offset = AT(labels),
     .argument = "FILE",
     .help = "the right class of each image, a number a line: prints how many images have the "
             "largest element of the first output there"},
    {.name = "save-outputs",
     .kind = OPTION_TEXT,
     .offset = AT(save_outputs),
     .argument = "DIR",
     .help = "writes the outputs to DIR/output_K.npy"},
    {0},
};

const struct option_desc options_simulation[] = {
    {.name = "compare-layers",
     .kind = OPTION_FLAG,
     .offset = AT(compare_layers),
     .help = "compares every stored value with the evaluator and names the first that differs"},
    {.name = "latency-seed",
     .kind = OPTION_INTEGER,
     .offset = AT(latency_seed),
     .argument = "N",
     .help = "random extra latencies and orders of simultaneous events, by this seed",
     .least = 0,
     .most = INT64_MAX},
    {.name = "max-extra-cycles",
     .kind = OPTION_INTEGER,
     .offset = AT(max_extra_cycles),
     .argument = "M",
     .help = "with a seed, each instruction takes 0 to M more cycles; default 0",
     .least = 0,
     .most = 1000000000},
    {0},
};

const struct option_desc options_run_program[] = {
    {.name = "program",
     .kind = OPTION_TEXT,
     .offset = AT(program),
     .argument = "FILE",
     .help = "simulates this program file of the model; nothing is compiled"},
    {0},
};

const struct option_desc options_sim_model[] = {
    {.name = "model",
     .kind = OPTION_LIST,
     .offset = AT(models),
     .argument = "[NAME=]FILE",
     .help = "the ONNX model behind the program; once for each of several, in their order"},
    {0},
};

const struct option_desc options_times[] = {
    {.name = "times",
     .kind = OPTION_TEXT,
     .offset = AT(times),
     .argument = "FILE",
     .help = "writes start and end of each instruction there, as CSV"},
    {0},
};

const struct option_desc options_dump[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = AT(output),
     .argument = "DIR",
     .help = "the folder to write; it must not be there, or be empty"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .offset = AT(force),
     .help = "replaces the folder if it is an earlier dump"},
    {.name = "format",
     .kind = OPTION_CHOICE,
     .offset = AT(dump_format),
     .choices = "both|hex|bin",
     .help = "files as text for $readmemh, as bytes, or both; default both"},
    {.name = "cells",
     .kind = OPTION_TEXT,
     .offset = AT(cells),
     .argument = "TILE.PE|all",
     .help = "also the levels that the cells of this PE, or of all, are programmed to; without -o "
             "those of one PE as text"},
    {0},
};

const struct option_desc options_where[] = {
    {.name = "layer",
     .kind = OPTION_TEXT,
     .offset = AT(layer),
     .argument = "LAYER",
     .help = "a base layer: its name, its number from 0, or a part of its name that no other has"},
    {.name = "row",
     .kind = OPTION_INTEGER,
     .offset = AT(row),
     .argument = "K",
     .help = "row of the layer's matrix",
     .least = 0,
     .most = UINT32_MAX},
    {.name = "col",
     .kind = OPTION_INTEGER,
     .offset = AT(col),
     .argument = "N",
     .help = "column of the layer's matrix",
     .least = 0,
     .most = UINT32_MAX},
    {.name = "tile",
     .kind = OPTION_INTEGER,
     .offset = AT(tile),
     .argument = "T",
     .help = "number of a tile",
     .least = 0,
     .most = UINT32_MAX},
    {.name = "pe",
     .kind = OPTION_INTEGER,
     .offset = AT(pe),
     .argument = "P",
     .help = "number of a PE in the tile",
     .least = 0,
     .most = UINT32_MAX},
    {.name = "cell",
     .kind = OPTION_TEXT,
     .offset = AT(cell),
     .argument = "ROW,COLUMN",
     .help = "row and column of the PE's crossbar"},
    {0},
};
