/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * main.c - the command table, and the way from diagnostics to an exit code.
 *
 * Exit codes: 0 success, 1 wrong input or result, 2 wrong command line, 3 internal error or out
 * of memory.
 */
#include "commands.h"

#include "cut_file.h"
#include "progress_line.h"
#include "text_out.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static enum cimc_status cmd_version(struct command_line *l)
{
    (void)l;
    printf("cimc %s (instruction set %u)\n%s\n", cimc_version(), cimc_isa_version(),
           cimc_build_info());
    return CIMC_OK;
}

static enum cimc_status cmd_help(struct command_line *l);

static const struct command commands[] = {
    {.name = "compile",
     .summary = "compiles an ONNX model into a program file",
     .operands = "MODEL...",
     .text =
         "Reads an ONNX model, chooses how many copies of each layer's weights the machine's\n"
         "PEs hold, schedules the layers and writes one program: an instruction stream for\n"
         "each tile, with the crossbars' contents. The program is proved correct before it\n"
         "is written. Prints a table of the base layers with PEs, copies and cycles.\n"
         "\n"
         "If no output is asked for, neither by -o nor by --json, --schedule-out,\n"
         "--schedule-svg, --trace, --lp-file or --print-plan, the program goes to MODEL's\n"
         "name with .cim instead of .onnx, in the current directory. With `-o -` it goes to\n"
         "standard output and the table to standard error. --set best takes the cut and the\n"
         "sets with the least makespan.\n"
         "\n"
         "With --frames N the program takes images one after another, each as soon as there is\n"
         "room: the table has latency, interval and images per second.\n"
         "\n"
         "Several models become one program: FILE or NAME=FILE each. Names of layers, inputs\n"
         "and outputs begin with MODEL/.\n"
         "\n"
         "Examples:\n"
         "  cimc compile model.onnx -o model.cim\n"
         "  cimc compile model.onnx --extra-pes 32 --set 1x* --arch-field crossbars=64\n"
         "  cimc compile model.onnx --schedule layer --duplicate none --json\n"
         "  cimc compile model.onnx --set best --schedule-svg model.svg --trace model.json\n"
         "  cimc compile voice.onnx image.onnx --rate voice=2 -o both.cim\n",
     .groups = {"model", "mode", "calibrate", "scale", "machine", "mapping", "noise", "several",
                "frames", "flow", "decisions", "views", "timing", "time-trace", "output", "table",
                "energy", "json"},
     .min_args = 1,
     .max_args = MOST_MODELS,
     .run = cmd_compile},
    {.name = "report",
     .summary = "compiles and shows the result as one HTML page",
     .operands = "MODEL...",
     .text =
         "Compiles as `cimc compile` does and writes, instead of a program, one HTML page that\n"
         "needs nothing else: how the layers lie on the PEs, both schedules, how busy each PE\n"
         "is, buffers and how full they get, traffic between tiles, the path that makes the\n"
         "schedule as long as it is, and what moving the data would cost.\n"
         "\n"
         "Without -o the page goes to MODEL's name with .html instead of .onnx, in the current\n"
         "directory. Tables are sorted by a click on a column's head. --json prints what the page\n"
         "says as data, and writes a page only where -o names one.\n"
         "\n"
         "Examples:\n"
         "  cimc report model.onnx -o report.html\n"
         "  cimc report model.onnx --extra-pes 32 --set 1x*\n"
         "  cimc report model.onnx --extra-pes 32 --against before.json\n"
         "  cimc report model.onnx --arch mesh --json\n",
     .groups = {"model", "mode", "calibrate", "scale", "machine", "mapping", "noise", "several",
                "frames", "flow", "decisions", "page", "timing", "time-trace", "output", "json"},
     .min_args = 1,
     .max_args = MOST_MODELS,
     .run = cmd_report},
    {.name = "sweep",
     .summary = "compiles many points: lists of models, machines, options",
     .operands = "MODEL|SPEC.yaml...",
     .text =
         "Points are the product of lists, the last list fastest: models, then those of a\n"
         "specification, then those of the command line. Options of the machine and the mapping\n"
         "take lists (0,4,8) and ranges (0..32:8). A model is imported once. What does not fit\n"
         "is told in its line, and the sweep goes on.\n"
         "\n"
         "Prints a table, a line a point. With -o FILE rows go there instead, as JSON Lines, each\n"
         "synchronised as it is done: a sweep that was interrupted goes on where it was when it\n"
         "is started again. --shard shares the points out among processes, each with its own\n"
         "file; --merge makes one of them. SWEEP.md has specifications, rows, recipes.\n"
         "\n"
         "Examples:\n"
         "  cimc sweep model.onnx --extra-pes 0,4,8,16,32 --set pixel,1x* --arch-field "
         "rows=64,128\n"
         "  cimc sweep model.onnx --extra-pes 0..32:8 --csv points.csv\n"
         "  cimc sweep points.yaml --shard 1/4 -o rows1.jsonl\n"
         "  cimc sweep --merge rows1.jsonl rows2.jsonl -o all.jsonl --csv all.csv\n",
     .groups = {"sweep", "model", "mode", "calibrate", "scale", "machine", "mapping", "noise",
                "frames", "flow", "output", "json"},
     .min_args = 1,
     .max_args = UINT32_MAX,
     .takes_lists = true,
     .run = cmd_sweep},
    {.name = "diff",
     .summary = "tells what is different in two results",
     .operands = "FIRST SECOND",
     .text =
         "Each is a program, a file that `cimc compile --json` printed, or a row of `cimc sweep`:\n"
         "the only one of a file, or FILE#INDEX. Prints what is not the same: options, fields of\n"
         "the machine, numbers with their ratio, of each layer copies, cycles, tiles. Seconds and\n"
         "memory are not compared.\n"
         "\n"
         "Exit status: 0 if they are equal, 1 if anything is different (or wrong).\n"
         "\n"
         "Examples:\n"
         "  cimc diff before.json after.json\n"
         "  cimc diff rows.jsonl#0 rows.jsonl#7 --json\n",
     .groups = {"json"},
     .min_args = 2,
     .max_args = 2,
     .run = cmd_diff},
    {.name = "run",
     .summary = "compiles, simulates and compares with the model",
     .operands = "MODEL...",
     .text =
         "Compiles as `cimc compile` does, simulates the program and compares each output\n"
         "with the expected ones (--test-data), or with the reference evaluator. An output\n"
         "passes if its largest absolute error is at most 1e-4 of the largest expected\n"
         "magnitude (--tolerance), or 2^-22 where values on the way are 2^-10 or more. Outputs\n"
         "of integers, and floats that are quantised, are compared in steps of their scale\n"
         "(--tolerance-steps). The simulated cycles must be the scheduled ones.\n"
         "\n"
         "Values of an input: --input, else --test-data, else --input-fill. The program is\n"
         "written only if -o is given. Files of N images, or --frames N, are images in a row:\n"
         "each is compared, and latency and interval are shown. Several models run as one\n"
         "program; each has its own --test-data MODEL=DIR. With --program nothing is compiled:\n"
         "the options that the program was compiled with stand in it, those on the command line\n"
         "do not count.\n"
         "\n"
         "Examples:\n"
         "  cimc run model.onnx --test-data test_data_set_0\n"
         "  cimc run model.onnx --input image.npy --extra-pes 8 --save-outputs answers\n"
         "  cimc run model.onnx --frames 20 --duplicate interval --input-fill random:1\n"
         "  cimc run model.onnx --program edited.cim --input-fill ramp --compare-layers\n",
     .groups = {"model",   "mode",       "calibrate",  "scale",   "machine",     "mapping",
                "noise",   "several",    "frames",     "flow",    "decisions",   "values",
                "weights", "verdict",    "simulation", "latency", "run-program", "views",
                "timing",  "time-trace", "output",     "table",   "energy",      "json"},
     .min_args = 1,
     .max_args = MOST_MODELS,
     .run = cmd_run},
    {.name = "sim",
     .summary = "simulates a program file",
     .operands = "PROGRAM",
     .text = "Executes the program's bytes, function and timing together. Outputs are compared\n"
             "with --test-data or, if --model is given, with the reference evaluator. Without\n"
             "values for the inputs (--test-data, --input, --input-fill) only times are\n"
             "simulated.\n"
             "\n"
             "Examples:\n"
             "  cimc sim model.cim --model model.onnx --test-data test_data_set_0\n"
             "  cimc sim model.cim --model model.onnx --input images.npy --labels labels.txt "
             "--trials 20\n",
     .groups = {"sim-model", "values", "scale", "verdict", "simulation", "latency", "noise",
                "trials", "frames", "times", "energy", "json"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_sim},
    {.name = "eval",
     .summary = "evaluates a model and compares",
     .operands = "MODEL",
     .text =
         "Computes the model's outputs with the reference evaluator, as the file says it, and\n"
         "compares them with the expected ones (--test-data). Nothing is compiled: no machine,\n"
         "no base layer is needed. With --at the passes of a stage run first (`cimc opt`), with\n"
         "--mode int or f32 all of them: what a machine computes is evaluated. So a wrong result\n"
         "is found in a stage, and what no machine can run is compared as far as it comes.\n"
         "Values and tolerances are those of `cimc run`.\n"
         "\n"
         "Examples:\n"
         "  cimc eval model.onnx --test-data test_data_set_0\n"
         "  cimc eval model.onnx --test-data test_data_set_0 --at canonical\n"
         "  cimc eval model.onnx --input-fill random:1 --save-outputs answers\n",
     .groups = {"model", "mode", "calibrate", "machine", "mapping", "noise", "frames", "values",
                "scale", "weights", "stage", "verdict", "json"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_eval},
    {.name = "arch",
     .summary = "prints a machine as commented YAML",
     .operands = "[NAME|FILE]",
     .text =
         "Prints a preset (`cimc list archs`; default clsa) or a file, with --arch-field changed,\n"
         "as a file that --arch takes: each field with its meaning, limits and unit, and behind\n"
         "it what the preset or file says of its value. To begin a machine of your own.\n"
         "\n"
         "Examples:\n"
         "  cimc arch mesh > my.yaml\n"
         "  cimc arch isaac --arch-field crossbars=64 -o my.yaml\n"
         "  cimc arch my.yaml --json\n",
     .groups = {"fields", "output", "json"},
     .max_args = 1,
     .run = cmd_arch},
    {.name = "opt",
     .summary = "runs passes on a model or on IR text",
     .operands = "FILE",
     .text =
         "FILE is IR text (it begins with `graph` or a comment) or an ONNX model; - is IR text\n"
         "from standard input. Prints the graph after the passes; where the output's name\n"
         "ends in .onnx it is an ONNX model (after pass partition, unless --passes or\n"
         "--stop-after say otherwise). What --print-before, --print-after, --print-changed,\n"
         "--time-passes and --stats show goes to standard error.\n"
         "\n"
         "Examples:\n"
         "  cimc opt model.onnx --print-after=fold-bn\n"
         "  cimc opt layer.ir --passes=partition,int,im2col,tile,dup --extra-pes 4\n"
         "  cimc opt model.onnx -o folded.onnx\n"
         "  cimc opt model.onnx --dot | dot -Tsvg > model.svg\n",
     .groups = {"passes", "timing", "inline", "model", "mode", "calibrate", "scale", "machine",
                "mapping", "noise", "decisions", "output"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_opt},
    {.name = "quantize",
     .summary = "makes a quantised model of a float one",
     .operands = "MODEL",
     .text =
         "Runs the model on the tensors of --calibrate, chooses ranges for what base layers read\n"
         "and yield, rounds weights to a few bits, and writes an ONNX model with\n"
         "QuantizeLinear and DequantizeLinear that any runtime takes; cimc compiles it in mode\n"
         "int. Prints what that did to each layer, the one that harms the outputs most by itself\n"
         "first. With --test-data the result is measured on other tensors too.\n"
         "\n"
         "Some tens of images like those in use are enough. The model is that of one image, with\n"
         "batch normalisation folded in. Without -o and --json it goes to MODEL's name with\n"
         ".qdq.onnx instead of .onnx, in the current directory. `cimc compile --calibrate` does\n"
         "the same without a file in between.\n"
         "\n"
         "Examples:\n"
         "  cimc quantize model.onnx --calibrate images -o model.qdq.onnx\n"
         "  cimc quantize model.onnx --calibrate images.npy --input-scale 1/255 --weight-bits 4\n"
         "  cimc quantize model.onnx --calibrate a --test-data b --layer conv1=w8a8 --json\n",
     .groups = {"model", "calibrate", "scale", "held-out", "machine", "timing", "output", "json"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_quantize},
    {.name = "dis",
     .summary = "disassembles a program file",
     .operands = "PROGRAM",
     .text = "Prints the program as assembly text. Raw sections are named as parts of the program\n"
             "file, file(path, offset, length, hash), or printed as hex with --inline. --tile and\n"
             "--layer print a part, to be looked at: tables and instructions of one tile, or what\n"
             "one layer does on each. It cannot be assembled.\n"
             "\n"
             "Examples:\n"
             "  cimc dis model.cim -o model.s\n"
             "  cimc dis model.cim --inline | cimc asm - -o same.cim\n"
             "  cimc dis model.cim --tile 3 --layer conv1\n",
     .groups = {"inline", "part", "output"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_dis},
    {.name = "asm",
     .summary = "assembles text into a program file",
     .operands = "TEXT",
     .text =
         "The inverse of `cimc dis`: the program is the same, byte for byte. Writes to standard\n"
         "output unless -o is given.\n"
         "\n"
         "Examples:\n"
         "  cimc asm model.s -o model.cim\n",
     .groups = {"output"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_asm},
    {.name = "where",
     .summary = "tells which weight sits in which cell",
     .operands = "PROGRAM",
     .text =
         "With --layer, --row and --col: the cells that hold this weight of the layer's matrix,\n"
         "one line for each copy and each pixel that a product yields. With --tile, --pe and\n"
         "--cell: the weight that a cell of a crossbar holds, and where else it is. A weight may\n"
         "take several columns: slices of its bits, the lowest first, and a negative part. The\n"
         "matrix has a row for each element of the kernel's window, a column for each output\n"
         "channel; its values are those in the program, with batch normalisation folded in.\n"
         "\n"
         "Examples:\n"
         "  cimc where model.cim --layer conv1 --row 0 --col 3\n"
         "  cimc where model.cim --tile 0 --pe 2 --cell 17,3 --json\n",
     .groups = {"where", "json"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_where},
    {.name = "dump",
     .summary = "writes a program as files for hardware",
     .operands = "PROGRAM",
     .text =
         "Writes a folder: for each tile its stream, the contents of its crossbars and of its\n"
         "buffer, as text for $readmemh and as bytes; all tables as JSON; a memory map. With\n"
         "values for the inputs the program is simulated, and what every instruction writes is\n"
         "recorded for each queue, in order: golden vectors; when it did, what comes to each\n"
         "inbound counter, and what is in the buffers at the end. DUMP.md has the formats.\n"
         "\n"
         "The folder appears whole or not at all.\n"
         "\n"
         "Examples:\n"
         "  cimc dump model.cim -o rtl\n"
         "  cimc dump model.cim -o rtl --force --test-data test_data_set_0 --format hex\n"
         "  cimc dump model.cim --cells 0.2\n",
     .groups = {"dump", "values", "scale", "latency"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_dump},
    {.name = "check",
     .summary = "proves a program file correct",
     .operands = "PROGRAM",
     .text =
         "Proves form, progress (no deadlock for any timing) and the absence of races. With\n"
         "--model the passes run again as the program's options say, the graph must be the one\n"
         "the program was made from, and its meaning is proved too: every output element is\n"
         "produced once and every read sees the right element.\n"
         "\n"
         "Examples:\n"
         "  cimc check model.cim\n"
         "  cimc check model.cim --model model.onnx\n",
     .groups = {"sim-model", "json"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_check},
    {.name = "list",
     .summary = "prints the tables the compiler is made of",
     .operands = "ops|passes|isa|arch|prices|counters|archs|onnx|codes",
     .text = "Markdown tables: ops (the IR's operations), passes, isa, arch (the fields of a\n"
             "machine), prices (its energies and areas), counters (of energy), archs\n"
             "(presets), onnx (supported operators), codes (diagnostics).\n"
             "\n"
             "isa is also there as a package of SystemVerilog, a header of C and JSON, for\n"
             "machines and tools that read the files of `cimc dump`.\n"
             "\n"
             "Examples:\n"
             "  cimc list archs\n"
             "  cimc list onnx\n"
             "  cimc list isa --format sv > cimc_pkg.sv\n",
     .groups = {"list"},
     .min_args = 1,
     .max_args = 1,
     .run = cmd_list},
    {.name = "completion",
     .summary = "prints a completion script for a shell",
     .operands = "bash|zsh|fish",
     .text = "The script completes commands, options and their values where these are known, file "
             "names.\n"
             "\n"
             "Examples:\n"
             "  source <(cimc completion bash)\n"
             "  cimc completion fish > ~/.config/fish/completions/cimc.fish\n",
     .min_args = 1,
     .max_args = 1,
     .run = cmd_completion},
    {.name = "man",
     .summary = "prints a manual page",
     .operands = "[COMMAND]",
     .text = "The page cimc(1), or that of a command, in man(7) format.\n"
             "\n"
             "Examples:\n"
             "  cimc man run | man -l -\n",
     .max_args = 1,
     .run = cmd_man},
    {.name = "version",
     .summary = "prints the version",
     .operands = "",
     .text =
         "Prints the versions of the program and of the instruction set, and what it was built\n"
         "of: commit, compiler, libraries.\n"
         "\n"
         "Examples:\n"
         "  cimc version\n",
     .run = cmd_version},
    {.name = "help",
     .summary = "explains a command",
     .operands = "[COMMAND]",
     .text = "Without a command: what there is.\n"
             "\n"
             "Examples:\n"
             "  cimc help run\n",
     .max_args = 1,
     .run = cmd_help},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const struct command *command_list(size_t *n)
{
    *n = N_COMMANDS;
    return commands;
}

enum cimc_status usage_error(cimc_context *c, const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    enum cimc_status status = n < 0 ? CIMC_NO_MEMORY : cimc_complain(c, "usage", NULL, text);
    if (n >= 0)
        free(text);
    return status;
}

const struct command *command_find(cimc_context *c, const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = cimc_closest(name, names, N_COMMANDS);
    if (near)
        usage_error(c, "there is no command '%s'; did you mean '%s'?", name, near);
    else
        usage_error(c, "there is no command '%s'; see cimc --help", name);
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("cimc - compiles ONNX models for tiled compute-in-memory chips\n\n"
          "Usage: cimc COMMAND [OPTION...] [FILE...]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-12s%s\n", commands[i].name, commands[i].summary);
    fputs("\n`cimc COMMAND --help` explains a command. Results go to standard output, messages to\n"
          "standard error. Exit status: 0 success, 1 wrong input or result, 2 wrong command line,\n"
          "3 internal error or out of memory.\n",
          out);
}

static enum cimc_status cmd_help(struct command_line *l)
{
    if (l->args.n == 0) {
        print_overview(stdout);
        return CIMC_OK;
    }
    const struct command *c = command_find(l->context, l->args.at[0]);
    if (!c)
        return CIMC_WRONG_USAGE;
    print_command_help(c, stdout);
    return CIMC_OK;
}

static enum cimc_status run_command(struct command_line *l)
{
    struct cimc_options *o = &l->options;
    enum cimc_status status = CIMC_OK;
    if (o->constant_weights)
        status = cimc_bind_weights(l->context, &l->args, o);
    if (status == CIMC_OK)
        status = cimc_check_files(l->context, o, &l->args);
    return status == CIMC_OK ? l->command->run(l) : status;
}

static enum cimc_status read_and_run(struct command_line *l, int argc, char **argv)
{
    struct progress_line line = {0};
    enum cimc_status status = command_line_read(l, argc, argv);
    if (!l->quiet)
        progress_start(&line, l->context);
    if (status == CIMC_OK && l->help)
        print_command_help(l->command, stdout);
    else if (status == CIMC_OK)
        status = run_command(l);
    progress_end(&line);
    return status;
}

static enum cimc_status dispatch(struct command_line *l, int argc, char **argv)
{
    if (argc < 2)
        return usage_error(l->context, "a command is missing; see cimc --help");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    l->command = command_find(l->context, name);
    return l->command ? read_and_run(l, argc - 1, argv + 1) : CIMC_WRONG_USAGE;
}

static bool to_stderr(void *user, const void *bytes, size_t n)
{
    (void)user;
    return fwrite(bytes, 1, n, stderr) == n;
}

/* Ends with what stands in no diagnostic: there may be no memory for one. */
static int fail(cimc_context *c)
{
    const char *why = c ? cimc_failure(c) : "";
    fprintf(stderr, "cimc: %s\n", *why ? why : "out of memory");
    return CIMC_INTERNAL;
}

int main(int argc, char **argv)
{
    struct command_line l = {.context = cimc_context_new()};
    cimc_context *c = l.context;
    if (!c)
        return fail(NULL);
    cut_file_watch(c);
    cimc_set_log(c, to_stderr, NULL);
    enum cimc_status status = dispatch(&l, argc, argv);
    if (status >= CIMC_INTERNAL)
        return fail(c);
    if (status != CIMC_OK && l.options.json && !l.has_result && !cimc_files_to_stdout(&l.options))
        cimc_print_diagnostics(c, CIMC_JSON, l.options.verbose, write_text, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = cimc_complain(c, "io", "<stdout>", "cannot write");
    if (status != CIMC_OK || !l.quiet)
        cimc_print_diagnostics(c, CIMC_TEXT, l.options.verbose, to_stderr, NULL);
    command_line_free(&l);
    cimc_context_free(c);
    return (int)status;
}
