/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cimc.h - the library libcimc: ONNX models become programs for a compute-in-memory chip, which are
 * simulated, checked, explained. The one public header. CIMC.md has the long form; `cimc COMMAND
 * --help` says what the options mean.
 *
 *     cimc_context *c = cimc_context_new();
 *     struct cimc_options o;
 *     cimc_model *model = NULL;
 *     cimc_program *program = NULL;
 *     cimc_options_init(&o, sizeof o);
 *     bool ok = cimc_options_set(c, &o, "extra-pes", "32") == CIMC_OK &&
 *               cimc_import(c, &(struct cimc_source){sizeof(struct cimc_source), "a.onnx"}, 1, &o,
 *                           &model) == CIMC_OK &&
 *               cimc_compile(c, model, &o, &program) == CIMC_OK &&
 *               cimc_print_program(c, program, CIMC_TABLE, &o, write, file) == CIMC_OK;
 *     if (!ok)
 *         cimc_print_diagnostics(c, CIMC_TEXT, true, write, file);
 *
 * Errors. Functions that can fail return a status and leave *out NULL; why stands in the context's
 * diagnostics. Nothing here ends the process, prints by itself, handles signals, or changes locale,
 * environment or OpenMP settings. Memory that runs out, and mistakes of the library itself, are
 * statuses too; what the call had allocated is given back.
 *
 * Threads. A context serves one call at a time; contexts are independent, so that each thread has
 * its own. Handles (model, program, simulation) belong to no context. Several threads may read a
 * model or program at once: what takes a const handle does not change it.
 *
 * Pointers that are passed in are not NULL unless that is said. Options that are only read may be
 * NULL, which is all defaults; so may an array of no elements. One of some that is NULL is
 * CIMC_INTERNAL. A callback's `user` is the caller's own.
 *
 * Memory. Strings and arrays that functions return live as long as the handle they were asked of,
 * unless something else is said; what is passed in is read during the call, unless something else
 * is said. `..._free` take NULL.
 *
 * Files. A path "-" is standard input or output. Models and programs that are read from files are
 * mapped: the files must not change while a handle that came from them is there. One that is cut
 * meanwhile is SIGBUS in the thread that reads it (cimc_mapped_file).
 *
 * Structures begin with `size`, which the caller sets to sizeof: they may grow at their end. What
 * an older caller's structure lacks has its default. One without a size, or options with a value
 * beyond what cimc_option_at says, are CIMC_INTERNAL where they come in; where they go out a
 * structure without a size is left alone.
 */
#ifndef CIMC_H
#define CIMC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define CIMC_API __attribute__((visibility("default")))
#else
#define CIMC_API
#endif

typedef struct cimc_context cimc_context;
typedef struct cimc_model cimc_model;           /* one or several imported models */
typedef struct cimc_program cimc_program;       /* compiled, read or assembled */
typedef struct cimc_simulation cimc_simulation; /* values, a run or evaluation of them, results */
typedef struct cimc_quantized cimc_quantized;   /* a quantised model, and what that did to it */
typedef struct cimc_output cimc_output;         /* a file that appears whole or not at all */

/* The first four are the exit codes of the command line. */
enum cimc_status {
    CIMC_OK = 0,
    CIMC_WRONG_INPUT = 1, /* or results that differ from what is expected */
    CIMC_WRONG_USAGE = 2, /* an option, an argument or a combination of them */
    CIMC_INTERNAL = 3,    /* a mistake of the library */
    CIMC_NO_MEMORY = 4,
    CIMC_CANCELLED = 5,
};

/* Gets text or bytes in pieces; false: nothing more is wanted, the call fails with an error of code
 * `io`. It must not call the library with the same context. */
typedef bool (*cimc_write_fn)(void *user, const void *bytes, size_t n);

/* The forms that things are printed in; each function says which it knows, others are
 * CIMC_WRONG_USAGE. */
enum cimc_form {
    CIMC_TEXT,       /* lines for people */
    CIMC_TABLE,      /* what commands print */
    CIMC_JSON,       /* the same and more as one JSON object: cimc-json(5) */
    CIMC_TIMES,      /* a table of the seconds that were spent */
    CIMC_CSV,        /* sets of the schedule */
    CIMC_SVG,        /* both schedules, drawn */
    CIMC_TRACE,      /* both schedules as trace events */
    CIMC_HTML,       /* the report, one page */
    CIMC_PLAN,       /* the backend's plan */
    CIMC_TIME_TRACE, /* where the seconds went, as trace events */
    CIMC_IR,         /* IR text */
    CIMC_DOT,        /* a graph for Graphviz */
    CIMC_ONNX,       /* an ONNX model */
    CIMC_REPORT,     /* what the report says, as one JSON object: cimc-json(5) */
    CIMC_SV,         /* a package of SystemVerilog */
    CIMC_C,          /* a header of C */
};

/* ---- version ---- */

CIMC_API const char *cimc_version(void);    /* "0.1.0" */
CIMC_API unsigned cimc_isa_version(void);   /* of program files */
CIMC_API const char *cimc_build_info(void); /* one line: commit, compiler, libraries */

/* ---- context: diagnostics, progress, cancellation ---- */

/* NULL: there is no memory. */
CIMC_API cimc_context *cimc_context_new(void);
CIMC_API void cimc_context_free(cimc_context *c);

enum cimc_severity { CIMC_ERROR, CIMC_WARNING, CIMC_NOTE };
struct cimc_diagnostic {
    size_t size;
    enum cimc_severity severity; /* a note belongs to the one before it */
    const char *code;            /* stable: "onnx-attr" (cimc_print_table "codes") */
    const char *file;            /* as it was given, or NULL */
    uint32_t line, column;       /* from 1; 0: none */
    const char *entity;          /* "node 12 'conv1' (Conv)", or NULL */
    const char *text;            /* without a full stop */
};
/* They are collected over calls, until they are cleared; their strings live as long. */
CIMC_API size_t cimc_diagnostic_count(const cimc_context *c);
/* False: there are not so many. */
CIMC_API bool cimc_diagnostic_at(cimc_context *c, size_t i, struct cimc_diagnostic *out);
CIMC_API enum cimc_status cimc_diagnostics_clear(cimc_context *c);
/* CIMC_TEXT, a line each: `FILE: ENTITY: error: TEXT [code]`; or CIMC_JSON, {version,
 * diagnostics}. Unless
 * `verbose`, one line of text stands for those that differ in their nodes alone. */
CIMC_API enum cimc_status cimc_print_diagnostics(cimc_context *c, enum cimc_form form, bool verbose,
                                                 cimc_write_fn write, void *user);

/* After CIMC_INTERNAL and CIMC_NO_MEMORY: what happened, one line; there may be no memory for a
 * diagnostic. */
CIMC_API const char *cimc_failure(const cimc_context *c);
/* An error of the caller's own among the diagnostics. `code` as above, one that is not known is
 * "usage"; `file` may be NULL, a `text` that is NULL is "". Returns CIMC_WRONG_USAGE if the code is
 * "usage", else CIMC_WRONG_INPUT. */
CIMC_API enum cimc_status cimc_complain(cimc_context *c, const char *code, const char *file,
                                        const char *text);

/* `done` of `total` of the work `what`; total 0: nobody knows. False: cancel. Called by the thread
 * of the call, some thousand times a second at most. It, and a cimc_write_fn, may call the library
 * with another context; such a call ends with the one that it is inside. */
typedef bool (*cimc_progress_fn)(void *user, const char *what, uint64_t done, uint64_t total);
CIMC_API void cimc_set_progress(cimc_context *c, cimc_progress_fn tell, void *user);
/* The call that runs in this context comes back soon, as CIMC_CANCELLED, or as what it is if it is
 * nearly done. Where none runs nothing happens: the next call is another one, and who cancels work
 * of several calls looks between them. May be called by any thread and by a signal handler. */
CIMC_API void cimc_cancel(cimc_context *c);
/* Where tables and graphs go that options ask for on the way (time-passes, stats, print-before,
 * print-after); NULL, as at first: nowhere. */
CIMC_API void cimc_set_log(cimc_context *c, cimc_write_fn write, void *user);

/* ---- options ---- */

/* A list of strings, for options that may be given more than once. */
struct cimc_strings {
    const char **at;
    size_t n, cap; /* cap: the library's; 0 in a list that the caller makes */
};

/* Indices of choices, in the order of their option's `choices`. */
enum cimc_mode { CIMC_MODE_AUTO, CIMC_MODE_F32, CIMC_MODE_INT };
enum cimc_schedule { CIMC_CROSS_LAYER, CIMC_LAYER_BY_LAYER };
enum cimc_duplicate {
    CIMC_DUPLICATE_NONE,
    CIMC_DUPLICATE_SUM,
    CIMC_DUPLICATE_MAKESPAN,
    CIMC_DUPLICATE_INTERVAL,
};
enum cimc_mapping { CIMC_MAPPING_IM2COL, CIMC_MAPPING_WINDOW };

#define CIMC_ALL_PES INT64_MAX              /* pes */
#define CIMC_PACE_STEADY ((int64_t)1 << 40) /* pace: the interval of the steady schedule */

/*
 * All options of all functions; each reads its part. cimc_option_at says what each means, by name;
 * here they are in the order of the library's table. An integer less than its option's `least` is
 * not given: it has its default. Texts that the caller puts here stay the caller's and must outlive
 * the structure's use; cimc_options_set copies.
 */
struct cimc_options {
    size_t size;
    void *memory; /* the library's: of what cimc_options_set copied */
    /* the model: read by cimc_import, which the model remembers */
    struct cimc_strings dims, constants, input_types, rates, states;
    bool no_weights;
    const char *cut_inputs, *cut_outputs; /* inputs, outputs: names, separated by commas */
    int64_t mode;                         /* enum cimc_mode */
    int64_t unquantised;                  /* 0 warn, 1 error */
    /* integers of a float model */
    struct cimc_strings calibrate, quantised_layers; /* quantised_layers: `layer` */
    int64_t weight_bits, activation_bits;            /* < 1: not given */
    int64_t rounding;                                /* 0 auto, 1 nearest, 2 feedback */
    bool bias_correction;
    /* machine and mapping */
    const char *arch; /* name or file; NULL: clsa */
    struct cimc_strings arch_fields;
    int64_t noise_seed; /* < 0: not given */
    int64_t trials;     /* 0: not given */
    int64_t schedule;   /* enum cimc_schedule */
    int64_t cut;        /* 0 auto, 1 w, 2 h, 3 2d */
    int64_t duplicate;  /* enum cimc_duplicate */
    int64_t mapping;    /* enum cimc_mapping */
    const char *set;    /* NULL: auto */
    const char *copies;
    struct cimc_strings patches;
    int64_t pes, extra_pes; /* < 0: not given */
    const char *lp_file;    /* written by cimc_compile */
    int64_t frames;         /* < 1: not given */
    int64_t pace;           /* cycles */
    /* files that cimc_write_files writes; no function reads a file that stands here */
    const char *output;
    const char *schedule_out, *schedule_svg, *trace, *report, *print_plan;
    const char *report_arch;
    int64_t svg_layout; /* 0 stacked, 1 side, 2 one-scale */
    /* forms of what is printed */
    bool json, fill, energy, inline_blobs, dot, verbose;
    /* passes */
    const char *passes, *print_before, *print_after, *stop_after, *skip;
    bool time_passes, pass_stats, no_verify, roundtrip_each;
    const char *time_trace;
    /* values, runs, verdicts */
    const char *input_fill, *save_outputs, *labels, *times, *program;
    struct cimc_strings test_data, inputs, input_scales, models;
    bool constant_weights, compare_layers;
    double tolerance;
    int64_t tolerance_steps;
    int64_t at; /* 0 tensor, 1 canonical, 2 integer, 3 crossbar; < 0: not given */
    int64_t latency_seed, max_extra_cycles;
    /* cimc_dump, cimc_where */
    int64_t dump_format; /* format: 0 both, 1 hex, 2 bin */
    int64_t list_format; /* format of a list: 0 markdown, 1 sv, 2 c, 3 json */
    bool force, checksums;
    const char *layer, *cell, *cells; /* layer: `where.layer` */
    int64_t row, col, tile, pe;       /* < 0: not given */
    /* not in the table: what cimc_compile keeps for functions that say so. The files above ask for
     * it too. */
    bool keep_schedule, keep_detail, keep_plan;
    /* A run without values is an error, not one of times alone. */
    bool needs_values;
    /* A run is only compared with outputs that are given, not with what the models say. */
    bool no_references;
    /* cimc_sweep; csv is a file that the caller writes */
    struct cimc_strings vary;
    const char *shard, *csv;
    bool merge, missing;
    /* another result that CIMC_HTML has beside its own: as cimc_diff reads them */
    const char *against;
    bool print_changed;
    /* what `copies` and `patches` were read from (@FILE), by cimc_options_set; cimc_check_files
     * looks at it */
    struct cimc_strings mapping_files;
};

/* Defaults for all that `size` bytes hold. */
CIMC_API void cimc_options_init(struct cimc_options *o, size_t size);
/* Gives back what cimc_options_set copied; the structure is as after cimc_options_init. A copy of a
 * structure shares that memory: it may be read as long as the first one is there, but nothing may
 * be set in it, and it is not freed. */
CIMC_API void cimc_options_free(struct cimc_options *o);

enum cimc_option_kind {
    CIMC_OPTION_FLAG,     /* bool */
    CIMC_OPTION_TEXT,     /* const char * */
    CIMC_OPTION_MAY_TEXT, /* const char *; given without a value `fallback` */
    CIMC_OPTION_LIST,     /* struct cimc_strings, given more than once */
    CIMC_OPTION_INTEGER,  /* int64_t in least..most */
    CIMC_OPTION_CHOICE,   /* int64_t: index into `choices` */
    CIMC_OPTION_REAL,     /* double in least..most */
};
/* Everything there is to say about an option. */
struct cimc_option_info {
    const char *group; /* options that go together: "model", "machine", ...; what functions read */
    const char *name;  /* "extra-pes"; unique in its group */
    char letter;       /* 0 = none */
    enum cimc_option_kind kind;
    bool recorded;                  /* in a program, so that its passes can be run again */
    size_t offset;                  /* into struct cimc_options */
    const char *argument, *help;    /* argument: "word|word|NAME", capitals where it is free */
    const char *choices;            /* "a|b" */
    const char *(*known)(size_t i); /* values that a free one may have, NULL behind the last */
    const char *fallback;
    int64_t least, most;
    const char *all; /* of an integer: a word for `most` */
};
/* The i-th, by group; NULL behind the last. */
CIMC_API const struct cimc_option_info *cimc_option_at(size_t i);
/* By "name", or "group.name" where two groups have one (a bare name is the first's): "layer" is
 * that of quantising, "where.layer" that of cimc_where. '_' goes for '-'. NULL: there is none. */
CIMC_API const struct cimc_option_info *cimc_option_find(const char *name);
/* Of `names` the one that `to` was probably meant to be; NULL: none is near. */
CIMC_API const char *cimc_closest(const char *to, const char *const *names, size_t n);
/* A value as on the command line, which is copied; a list grows by it. Of a flag NULL, "true" or
 * "false". CIMC_WRONG_USAGE: no such option, or a value that it cannot have; `o` is as before. */
CIMC_API enum cimc_status cimc_options_set(cimc_context *c, struct cimc_options *o,
                                           const char *name, const char *value);
/* The same for an option that was found. */
CIMC_API enum cimc_status cimc_options_put(cimc_context *c, struct cimc_options *o,
                                           const struct cimc_option_info *option,
                                           const char *value);
/* What a program keeps of them, as words "--name=value", a blank between them, blanks and
 * backslashes in them behind a backslash. */
CIMC_API enum cimc_status cimc_print_options(cimc_context *c, const struct cimc_options *o,
                                             cimc_write_fn write, void *user);

/* ---- machines ---- */

/* A preset or a file, with the options of group fields: CIMC_TEXT, commented YAML that reads back
 * to the same machine; CIMC_JSON. */
CIMC_API enum cimc_status cimc_print_machine(cimc_context *c, const char *name_or_path,
                                             enum cimc_form form, const struct cimc_options *o,
                                             cimc_write_fn write, void *user);

/* ---- models ---- */

/* Something that is read: a file, or bytes in memory. */
struct cimc_source {
    size_t size;
    /* FILE, or NAME=FILE where no file has that whole name: a model's name among several. With
     * bytes, what messages call them, and beside which external data lies; may be NULL. */
    const char *path;
    const void *bytes; /* NULL: the file. Must outlive what is made of them. */
    size_t n_bytes;
};
/*
 * Reads ONNX models: one, or several that become one program. Reads the options of groups model,
 * several, flow; looks at all others, so that a mistake shows before the work. CIMC_WRONG_INPUT
 * with diagnostics for each node that is in the way.
 */
CIMC_API enum cimc_status cimc_import(cimc_context *c, const struct cimc_source *sources, size_t n,
                                      const struct cimc_options *o, cimc_model **out);
CIMC_API void cimc_model_free(cimc_model *m);
/* Images along the batch of the model's file; the frames it is compiled for where no option says
 * more. 0: it is of one. */
CIMC_API int64_t cimc_model_frames(const cimc_model *m, const struct cimc_options *o);
/* constant_weights: of the model's inputs those that operators read as weights become `constants`
 * with the values in test_data, the others `inputs`. `operands`: the one model. */
CIMC_API enum cimc_status cimc_bind_weights(cimc_context *c, const struct cimc_strings *operands,
                                            struct cimc_options *o);

/* ---- types and ports ---- */

enum { CIMC_MOST_DIMS = 8 };
enum cimc_dtype {
    CIMC_F32,
    CIMC_F16,
    CIMC_F64,
    CIMC_U8,
    CIMC_I8,
    CIMC_I32,
    CIMC_I64,
    CIMC_BOOL, /* a byte, 0 or 1 */
};
CIMC_API size_t cimc_dtype_bytes(enum cimc_dtype dtype);
CIMC_API const char *cimc_dtype_name(enum cimc_dtype dtype); /* "f32" */

/* An input or output, as it is outside: of one frame. */
struct cimc_port {
    size_t size;
    const char *name;
    bool known; /* false: nobody reads it; there is no type, and it takes no values */
    enum cimc_dtype dtype;
    uint32_t rank;
    int64_t dims[CIMC_MOST_DIMS];
    bool is_state;  /* one tensor for all frames: an input's first, an output's last value */
    int64_t images; /* frames that the model's file has along the first dimension; mostly 1 */
    double scale;   /* of an input: what integers are times (input-scale); 0: as they are */
    double step;    /* of an output: its values are multiples of this; 0: of nothing */
};
/* By index; false: there are not so many. */
CIMC_API bool cimc_model_input(const cimc_model *m, size_t i, struct cimc_port *out);
CIMC_API bool cimc_model_output(const cimc_model *m, size_t i, struct cimc_port *out);
/* Elements in the caller's memory, in C order. */
struct cimc_array {
    size_t size;
    enum cimc_dtype dtype;
    uint32_t rank;
    int64_t dims[CIMC_MOST_DIMS];
    void *data; /* only read where it is an input */
    size_t n_bytes;
};

/* ---- compiling ---- */

/*
 * Chooses copies, schedules, emits, proves. Reads the groups mode, calibrate, scale, machine,
 * mapping, noise, frames, flow, decisions; the model's own options come from cimc_import. The model
 * may be compiled again, with others. What is returned has passed the checker.
 */
CIMC_API enum cimc_status cimc_compile(cimc_context *c, const cimc_model *m,
                                       const struct cimc_options *o, cimc_program **out);
/* The same, and frees the model, whatever it returns: that saves memory, but the program has no
 * references then (cimc_simulate). */
CIMC_API enum cimc_status cimc_compile_last(cimc_context *c, cimc_model *m,
                                            const struct cimc_options *o, cimc_program **out);
/* A program file, whose form is valid afterwards; what it does is not yet proved (cimc_check). */
CIMC_API enum cimc_status cimc_program_read(cimc_context *c, const struct cimc_source *source,
                                            cimc_program **out);
/* Text of cimc_disassemble. The program is the same, byte for byte. */
CIMC_API enum cimc_status cimc_assemble(cimc_context *c, const struct cimc_source *text,
                                        cimc_program **out);
CIMC_API void cimc_program_free(cimc_program *p);
/* The models that a program which was read was made from: their passes run again, as the program's
 * own options say, and the graph must have the program's fingerprint. Needed for references, for
 * compare-layers, and to prove its meaning. `o`: files that must not be read. CIMC_WRONG_USAGE of a
 * program that was compiled here, or that has its models. */
CIMC_API enum cimc_status cimc_program_bind(cimc_context *c, cimc_program *p,
                                            const struct cimc_source *sources, size_t n,
                                            const struct cimc_options *o);
/* The machine becomes the one with this noise of its cells, up to INT32_MAX; 0: without noise. < 0:
 * as it is. */
CIMC_API enum cimc_status cimc_program_set_noise(cimc_context *c, cimc_program *p, int64_t seed);
/* The bytes of the program file. */
CIMC_API enum cimc_status cimc_program_write(cimc_context *c, cimc_program *p, cimc_write_fn write,
                                             void *user);
/* Form, progress for any timing, absence of races; of a program with its models (compiled, or
 * bound) also meaning. Writes what was proved, and of a program of frames what was not, as
 * CIMC_TEXT or CIMC_JSON; `write` may be NULL. */
CIMC_API enum cimc_status cimc_check(cimc_context *c, const cimc_program *p, enum cimc_form form,
                                     cimc_write_fn write, void *user);
/* Assembly: raw sections as parts of the file that it was read from, or (inline) as hex. A part of
 * it, which cannot be assembled, with options of the group part. */
CIMC_API enum cimc_status cimc_disassemble(cimc_context *c, const cimc_program *p,
                                           const struct cimc_options *o, cimc_write_fn write,
                                           void *user);
/* CIMC_TABLE, CIMC_JSON, CIMC_TIMES, CIMC_TIME_TRACE; with keep_schedule CIMC_CSV, CIMC_SVG; with
 * keep_schedule and keep_detail CIMC_TRACE, CIMC_HTML, CIMC_REPORT; with keep_plan CIMC_PLAN. Only
 * programs that were compiled here have them; CIMC_WRONG_USAGE else. Reads the groups table,
 * energy, views, page; the table names the files of `o`. */
CIMC_API enum cimc_status cimc_print_program(cimc_context *c, const cimc_program *p,
                                             enum cimc_form form, const struct cimc_options *o,
                                             cimc_write_fn write, void *user);

/* ---- what a program is, as data ---- */

/* Cycles and PEs; what a program that was read does not know is 0, NaN or NULL. */
struct cimc_program_info {
    size_t size;
    bool is_compiled;     /* here; else it was read or assembled */
    const char *model;    /* "a.onnx"; of several "a+b" */
    const char *compiler; /* "cimc 0.1.0" */
    const char *options;  /* that were recorded */
    const char *mode;     /* "f32" or "int" */
    uint64_t fingerprint; /* of the graph */
    uint32_t n_tiles, n_layers, n_inputs, n_outputs;
    uint64_t pes, pe_min,
        pes_used;             /* of the machine; fewest that hold the network; by all copies */
    uint64_t cycle_ps;        /* a cycle, in picoseconds */
    uint64_t makespan_cycles; /* of one frame */
    uint64_t layer_by_layer_cycles; /* of one frame, without copies */
    uint64_t scheduled_cycles;      /* of all frames */
    double speedup, utilisation;
    uint32_t frames;          /* 0: it is for one, and says nothing of frames */
    uint64_t interval_cycles; /* from frame to frame */
    uint64_t latency_min_cycles, latency_max_cycles;
    uint64_t n_instructions, code_bytes;
    uint64_t file_bytes; /* 0: not written yet */
    bool has_weights;    /* else (no-weights) there are times but no values */
};
CIMC_API void cimc_program_info(const cimc_program *p, struct cimc_program_info *out);

/* A base layer: a convolution or matrix product that crossbars compute. Of compiled programs. */
struct cimc_layer {
    size_t size;
    const char *name;
    int64_t height, width, channels;   /* of its output */
    int64_t patch_height, patch_width; /* output pixels of one product */
    int64_t pes, copies;               /* pes: of one copy */
    int64_t cycles;                    /* of all products, by one copy */
    int64_t weight_bits;
    int64_t crossbars; /* > 0: layers with this number share their crossbars */
    double fill;       /* share of a copy's cells that hold a weight */
};
CIMC_API bool cimc_program_layer(const cimc_program *p, size_t i, struct cimc_layer *out);
CIMC_API bool cimc_program_input(const cimc_program *p, size_t i, struct cimc_port *out);
CIMC_API bool cimc_program_output(const cimc_program *p, size_t i, struct cimc_port *out);

struct cimc_tile {
    size_t size;
    uint32_t n_pes;
    uint64_t code_bytes, buffer_bytes, n_instructions;
    uint64_t pe_busy_cycles, vector_busy_cycles, network_busy_cycles, dram_busy_cycles;
    uint64_t sent_bytes, read_bytes, written_bytes, peak_bytes; /* with keep_detail, else 0 */
    uint64_t table_bytes, weight_bytes; /* of the memories that DUMP.md names; of cells */
};
CIMC_API bool cimc_program_tile(const cimc_program *p, size_t i, struct cimc_tile *out);

/* A set on one group of PEs: what a schedule is made of. It never grows: an array of them is a
 * numpy structured array of 64 bytes an element. */
struct cimc_set {
    uint32_t layer, copy;           /* index of the layer; copy of it, from 0 */
    uint32_t tile, first_pe, n_pes; /* PEs first_pe .. first_pe + n_pes - 1 of the tile */
    int32_t y, x, h, w;             /* rectangle of the layer's output */
    uint32_t frame;                 /* 0: of the first */
    uint64_t start, end;            /* cycles */
    uint64_t reserved;              /* 0 */
};
/* In order of start, of a program compiled with keep_schedule; else 0. NULL counts only. */
CIMC_API size_t cimc_program_schedule(const cimc_program *p, struct cimc_set *out, size_t n);

/* ---- values, runs, evaluation ---- */

/*
 * Values in the caller's memory. Any dtype: elements become those of the port as CLI.md says for
 * --input. An array holds one frame, which all take, or several: along its first dimension where
 * that is the batch or 1, or along one more in front.
 */
struct cimc_values {
    size_t size;
    const struct cimc_array *inputs; /* by index; data NULL: as options say */
    size_t n_inputs;
    const struct cimc_array *expected; /* outputs, by index; data NULL: none */
    size_t n_expected;
    const int64_t *labels; /* the right class of each frame */
    size_t n_labels;
};
/*
 * Values for a model, before it is compiled (their number of frames is what to compile for), or for
 * a program. `v` may be NULL: then, and for inputs it does not have, values come from files as the
 * groups values and scale of the options say. Values are copied. Program and model must outlive it.
 * A program without values for its inputs is simulated for its times alone, unless needs_values;
 * CIMC_WRONG_USAGE where expected outputs or labels are given all the same.
 */
CIMC_API enum cimc_status cimc_simulation_of_model(cimc_context *c, const cimc_model *m,
                                                   const struct cimc_options *o,
                                                   const struct cimc_values *v,
                                                   cimc_simulation **out);
CIMC_API enum cimc_status cimc_simulation_of_program(cimc_context *c, const cimc_program *p,
                                                     const struct cimc_options *o,
                                                     const struct cimc_values *v,
                                                     cimc_simulation **out);
CIMC_API void cimc_simulation_free(cimc_simulation *s);
CIMC_API int64_t cimc_simulation_frames(const cimc_simulation *s);
/*
 * Executes the program (of the simulation's model, or the simulation's own), once; compares with
 * expected outputs, or with what the models say where they are there. CIMC_WRONG_INPUT where the
 * machine faults or results differ (code `mismatch`): `ran` of the info says that there are results
 * all the same; where there are none the simulation is as it was before the call. CIMC_WRONG_USAGE
 * where the program's inputs and outputs are not the simulation's: their number, names, types,
 * images, states. Reads the groups verdict (labels where the simulation was made without),
 * simulation, times, trials; what of them needs values is CIMC_WRONG_USAGE where there are times
 * alone. With `trials` it runs on so many chips instead, and has no outputs.
 */
CIMC_API enum cimc_status cimc_simulate(cimc_context *c, cimc_simulation *s, const cimc_program *p,
                                        const struct cimc_options *o);
/* What the model says, as its file has it or at a later stage (`at`, `mode`): nothing is compiled.
 * Compares likewise. *out may be there after a failure: its outputs then differ. */
CIMC_API enum cimc_status cimc_evaluate(cimc_context *c, const cimc_model *m,
                                        const struct cimc_options *o, const struct cimc_values *v,
                                        cimc_simulation **out);

struct cimc_simulation_info {
    size_t size;
    bool ran; /* to its end: there are results */
    bool times_only;
    int64_t frames;
    size_t n_inputs, n_outputs;
    uint64_t cycles; /* of all frames; 0 of an evaluation */
    int64_t n_right; /* with labels: frames whose class is right; else -1 */
    double simulate_seconds, evaluate_seconds;
};
CIMC_API void cimc_simulation_info(const cimc_simulation *s, struct cimc_simulation_info *out);
CIMC_API bool cimc_simulation_input(const cimc_simulation *s, size_t i, struct cimc_port *out);
CIMC_API bool cimc_simulation_output(const cimc_simulation *s, size_t i, struct cimc_port *out);
/* Type and place of output i of all frames, as one array: its data is the simulation's. False:
 * there is none. */
CIMC_API bool cimc_simulation_values(const cimc_simulation *s, size_t i, struct cimc_array *out);
/* What it was compared with; false: with nothing. */
CIMC_API bool cimc_simulation_expected(const cimc_simulation *s, size_t i, struct cimc_array *out);
struct cimc_difference {
    size_t size;
    bool pass;
    double max_abs_error, max_abs_reference;
    double step, max_steps; /* step 0: not compared in steps */
    int64_t worst;          /* element of the frame */
};
/* Of output i, frame f; false: nothing was compared. */
CIMC_API bool cimc_simulation_difference(const cimc_simulation *s, size_t i, int64_t f,
                                         struct cimc_difference *out);
/* CIMC_TABLE, CIMC_JSON, CIMC_TIMES, CIMC_TIME_TRACE: as `run`, `sim` and `eval` print them. */
CIMC_API enum cimc_status cimc_print_simulation(cimc_context *c, const cimc_simulation *s,
                                                enum cimc_form form, const struct cimc_options *o,
                                                cimc_write_fn write, void *user);

/* The usual way in one call: simulates a program on the caller's arrays, and copies outputs to the
 * caller's. An output's dtype and shape must be its port's, with the frames of several in front or
 * along its first dimension; else CIMC_WRONG_USAGE. `data` NULL: not wanted. */
CIMC_API enum cimc_status cimc_run(cimc_context *c, const cimc_program *p,
                                   const struct cimc_options *o, const struct cimc_array *inputs,
                                   size_t n_inputs, const struct cimc_array *outputs,
                                   size_t n_outputs);

/* ---- quantising, passes, cells, files for hardware, tables ---- */

/* A float model, one alone, with QuantizeLinear and DequantizeLinear in it. Reads the groups
 * calibrate (which must name tensors), scale, held-out, machine. */
CIMC_API enum cimc_status cimc_quantize(cimc_context *c, const cimc_model *m,
                                        const struct cimc_options *o, cimc_quantized **out);
CIMC_API void cimc_quantized_free(cimc_quantized *q);
/* CIMC_ONNX the model; CIMC_TABLE, CIMC_JSON what that did to each layer, the worst first. */
CIMC_API enum cimc_status cimc_print_quantized(cimc_context *c, const cimc_quantized *q,
                                               enum cimc_form form, const struct cimc_options *o,
                                               cimc_write_fn write, void *user);
/* Runs passes on IR text or an ONNX model (told apart by content) and prints the graph as CIMC_IR,
 * CIMC_DOT or CIMC_ONNX. Reads the groups passes, inline and those of cimc_compile; print_plan is
 * written as a file. */
CIMC_API enum cimc_status cimc_pass_run(cimc_context *c, const struct cimc_source *source,
                                        const struct cimc_options *o, enum cimc_form form,
                                        cimc_write_fn write, void *user);
/* Which cells hold a weight (layer, row, col), or which weight a cell holds (tile, pe, cell), as
 * CIMC_TEXT or CIMC_JSON. */
CIMC_API enum cimc_status cimc_where(cimc_context *c, const cimc_program *p,
                                     const struct cimc_options *o, enum cimc_form form,
                                     cimc_write_fn write, void *user);
/* The folder `output` (group dump; with values also golden vectors), or, without one, the levels of
 * the PE that `cells` names, as text. DUMP.md. */
CIMC_API enum cimc_status cimc_dump(cimc_context *c, const cimc_program *p,
                                    const struct cimc_options *o, cimc_write_fn write, void *user);
/* Tables that the compiler is made of, as CIMC_TABLE (Markdown): ops, passes, isa, arch, prices,
 * counters, archs, onnx, codes. isa also as CIMC_SV, CIMC_C, CIMC_JSON: codes and words of the
 * memories of cimc_dump, DUMP.md. */
CIMC_API enum cimc_status cimc_print_table(cimc_context *c, const char *name, enum cimc_form form,
                                           cimc_write_fn write, void *user);

/* ---- many points ---- */

/* It may have a list of values in a sweep, `0,4,8` or `0..32:8`: NAME=LIST in `vary`. */
CIMC_API bool cimc_option_varies(const struct cimc_option_info *option);
/*
 * Compiles every point of the product of lists: models, and options that vary; the last list is the
 * fastest. Operands are models and at most one specification (.yaml); lists of `vary` follow its
 * own. A model is imported once. Points with index mod N == K-1 of `shard` K/N only.
 *
 * CIMC_JSON: a line for each point, of those that fail too; CIMC_CSV; CIMC_TABLE, for people. With
 * `output` lines go there instead, each in one piece and synchronised; points whose row is there
 * already are left out, a last line that is not whole is cut off; CIMC_TABLE then is one line that
 * says how many points there are. CIMC_WRONG_INPUT where rows are of another sweep.
 */
CIMC_API enum cimc_status cimc_sweep(cimc_context *c, const struct cimc_strings *operands,
                                     const struct cimc_options *o, enum cimc_form form,
                                     cimc_write_fn write, void *user);
/* The indices of points that have no row in `output` yet, one a line. */
CIMC_API enum cimc_status cimc_sweep_missing(cimc_context *c, const struct cimc_strings *operands,
                                             const struct cimc_options *o, cimc_write_fn write,
                                             void *user);
/* Rows of these files by index, without what they cost: the same bytes however the points were
 * shared out. CIMC_JSON or CIMC_CSV. */
CIMC_API enum cimc_status cimc_sweep_merge(cimc_context *c, const struct cimc_strings *files,
                                           enum cimc_form form, cimc_write_fn write, void *user);

/*
 * What is different in two results: options, machine, numbers with ratios, layers. Each is a file:
 * CIMC_JSON of a program, a row of a sweep (the only one of a file, or FILE#INDEX), or a program.
 * CIMC_TABLE or CIMC_JSON. Seconds, memory and messages are no part of a result.
 */
CIMC_API enum cimc_status cimc_diff(cimc_context *c, const char *a, const char *b,
                                    enum cimc_form form, bool *equal, cimc_write_fn write,
                                    void *user);

/* ---- files ---- */

/* The models' name with this ending in the current directory, "a.cim", for `output`; a copy that
 * `o` owns. */
CIMC_API enum cimc_status cimc_name_output(cimc_context *c, const struct cimc_source *sources,
                                           size_t n, const char *ending, struct cimc_options *o);
/* No file that `o` writes is one that it or the operands (FILE or NAME=FILE) read, none is written
 * twice, and at most one goes to standard output; else CIMC_WRONG_USAGE. */
CIMC_API enum cimc_status cimc_check_files(cimc_context *c, const struct cimc_options *o,
                                           const struct cimc_strings *operands);
/* Something is asked for by name or as JSON; something goes to standard output. */
CIMC_API bool cimc_files_wanted(const struct cimc_options *o);
CIMC_API bool cimc_files_to_stdout(const struct cimc_options *o);
/* Of a compiled program: the views (schedule_out, schedule_svg, trace, report, print_plan) and the
 * program itself (output) that `o` names, each whole or not at all. */
CIMC_API enum cimc_status cimc_write_files(cimc_context *c, cimc_program *p,
                                           const struct cimc_options *o);

/* A new file beside `path`, which takes its name by cimc_output_commit. Devices, pipes and "-" are
 * written directly. Until then the signals that ask a process to end (hang-up, interrupt,
 * termination) wait in this thread, which is the one to end it. cimc_context_free removes what is
 * still open; the handle is to be ended all the same, by any context. */
CIMC_API enum cimc_status cimc_output_open(cimc_context *c, const char *path, cimc_output **out);
/* A cimc_write_fn; `output` is the cimc_output. */
CIMC_API bool cimc_output_write(void *output, const void *bytes, size_t n);
/* Both end the handle, whatever they return. */
CIMC_API enum cimc_status cimc_output_commit(cimc_context *c, cimc_output *output);
CIMC_API void cimc_output_discard(cimc_context *c, cimc_output *output);

/* ---- for signal handlers, which the library does not install ---- */

/* Removes files and folders of this context that are not whole yet, in the thread that makes them.
 * The process ends after it. Async signal safe. */
CIMC_API void cimc_discard_unfinished(cimc_context *c);
/* The absolute path of the file that is mapped at this address, cut to `size`, for a handler of
 * SIGBUS: someone cut it while it was read. False: there is none, and `path` is as before. Keeps
 * errno. Async signal safe. */
CIMC_API bool cimc_mapped_file(const void *address, char *path, size_t size);

#ifdef __cplusplus
}
#endif
#endif
