/*
 * cli.h - what the files of the command line share. CLI.md says what a user sees.
 *
 * Every command is a function of its settings that returns false after a diagnostic; main.c prints
 * the diagnostics and turns them into an exit code.
 */
#ifndef CIMC_CLI_H
#define CIMC_CLI_H

#include "backend.h"
#include "eval.h"
#include "pass.h"
#include "sim.h"

/* ---- options.c ---- */

enum duplicate_choice { CHOOSE_NONE, CHOOSE_SUM, CHOOSE_MAKESPAN };
enum schedule_choice { CHOOSE_CROSS, CHOOSE_LAYER };
typedef VEC(const char *) string_list;

#define PES_ALL INT64_MAX /* --pes all */

/* What the command line says, for all commands; each reads its part. */
struct settings {
    const char *program_name; /* "cimc compile", for messages */
    string_list args;         /* operands: files and names */
    /* model */
    string_list dims, constants;
    /* machine and mapping */
    const char *arch;
    string_list arch_fields;
    int64_t schedule, cut, duplicate; /* index of the choice */
    const char *set, *copies;
    int64_t pes, extra_pes; /* < 0: not given */
    const char *lp_file;
    /* files and form of the output */
    const char *output;
    const char *schedule_out, *schedule_svg, *trace, *report, *report_arch, *print_plan;
    int64_t svg_layout; /* index of the choice */
    bool json, inline_blobs, dot, help;
    /* passes */
    const char *passes, *print_before, *print_after, *stop_after, *skip;
    bool time_passes, pass_stats, no_verify, roundtrip_each;
    /* simulation */
    const char *test_data, *input_fill, *save_outputs, *times, *program, *model;
    string_list inputs;
    bool compare_layers;
    double tolerance;
    int64_t latency_seed, max_extra_cycles;
    /* dump */
    int64_t dump_format; /* index of the choice */
    bool force;
    /* where */
    const char *layer, *cell;
    int64_t row, col, tile, pe;      /* < 0: not given */
    const struct progress *progress; /* of long work; NULL: nobody watches */
};

static const double DEFAULT_TOLERANCE = 1e-4;

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char * */
    OPTION_MAY_TEXT, /* const char *; without a value `fallback` */
    OPTION_LIST,     /* string_list, given more than once */
    OPTION_INTEGER,  /* int64_t in least..most */
    OPTION_CHOICE,   /* int64_t: index into `choices` */
    OPTION_REAL,     /* double in least..most */
};
struct option_desc {
    const char *name;
    char letter; /* 0 = none */
    enum option_kind kind;
    bool recorded;               /* in a program's `options`, so that the passes can be run again */
    size_t offset;               /* into struct settings */
    const char *argument, *help; /* argument: "word|word|NAME", capitals where it is free */
    const char *choices;         /* "a|b" */
    const char *(*known)(size_t i); /* values that a free one may have, NULL behind the last */
    const char *fallback;
    int64_t least, most;
    const char *all; /* of an integer: a word for `most` */
};
/* Groups of options, ended by an entry without name. */
extern const struct option_desc options_model[], options_mapping[], options_decisions[],
    options_output[], options_json[], options_passes[], options_inputs[], options_run_program[],
    options_sim_model[], options_times[], options_inline[], options_views[], options_page[],
    options_timing[], options_values[], options_dump[], options_where[];

enum { MOST_OPTION_GROUPS = 12 };
struct command {
    const char *name, *summary;
    const char *operands;                                 /* "MODEL", for the usage line */
    const char *text;                                     /* the manual page's body */
    const struct option_desc *groups[MOST_OPTION_GROUPS]; /* NULL-terminated */
    unsigned min_args, max_args;
    bool (*run)(const struct settings *s, struct diag *d);
};
/* All options of a command, one after another, --help last; then NULL. */
struct option_cursor {
    const struct command *command;
    size_t group;
    const struct option_desc *at; /* NULL at the start */
};
const struct option_desc *options_next(struct option_cursor *c);
void settings_init(struct settings *s);
void settings_free(struct settings *s);
/* argv[0] is the command's name. False: usage error, reported. */
bool options_parse(const struct command *c, int argc, char **argv, struct settings *s,
                   struct diag *d) CHECK_RESULT;
void options_print_help(const struct command *c, FILE *out);
/* The recorded options as one line, and back (other settings get their defaults; settings_free even
 * after a failure). */
void options_record(const struct settings *s, struct text *out);
bool options_recall(const char *line, struct arena *a, struct settings *s,
                    struct diag *d) CHECK_RESULT;

/* ---- outputs.c ---- */

/* No file that would be written is one that is read or another one that would be written, and at
 * most one goes to standard output. */
bool outputs_check(const struct settings *s, struct diag *d) CHECK_RESULT;
/* The same for one more file that turns out to be read, before anything is written. */
bool outputs_check_input(const struct settings *s, const char *input, struct diag *d) CHECK_RESULT;
/* A file goes to standard output, so that nothing else may. */
bool outputs_to_stdout(const struct settings *s);
/* Something is asked for by name, or as JSON. */
bool outputs_wanted(const struct settings *s);
/* "wrote a.cim, a.svg"; nothing if there is nothing. */
void outputs_report(const struct settings *s, FILE *to);

/* ---- progress.c ---- */

struct progress_line {
    struct progress progress;
    double started, drawn; /* seconds */
    bool is_drawn;
};
/* NULL where there is no terminal to show it. */
const struct progress *progress_start(struct progress_line *l);
void progress_end(struct progress_line *l);

/* ---- cut_file.c ---- */
/* For the files that this thread reads; `d`: its door. */
void cut_file_watch(struct door *d);

/* ---- commands ---- */
bool cmd_compile(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_report(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_run(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_sim(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_opt(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_dis(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_asm(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_dump(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_where(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_check(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_list(const struct settings *s, struct diag *d) CHECK_RESULT;

/* ---- main.c ---- */

const struct command *command_list(size_t *n);
/* NULL, reported: there is no such command. */
const struct command *command_find(const char *name, struct diag *d) CHECK_RESULT;

/* ---- completion.c, man.c: made from the tables ---- */

bool cmd_completion(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_man(const struct settings *s, struct diag *d) CHECK_RESULT;

struct json;

/* ---- driver.c: from file to checked program ---- */

/* What `--set best` found. */
struct mapping_choice {
    const char *set; /* NULL: not asked */
    int64_t cut;     /* index of --cut's choice */
    uint64_t cycles;
    unsigned n_tried;
};
struct build {
    const char *model;             /* path as given */
    const struct settings *writes; /* the files that must not be among those that the model names */
    struct arena *arena;
    struct arch arch;
    struct set_shape set;
    bool wants_best; /* --set best: `set` is not known before the passes */
    struct mapping_choice chosen;
    const char *assumed;       /* what the model leaves open, and what was taken; may be "" */
    struct ir_graph *imported; /* TENSOR, only if it was asked for */
    struct ir_graph *graph;    /* as far as it was lowered */
    struct dup_result dup;
    struct isa_program *program;
    struct backend_result backend;
    uint64_t program_bytes; /* 0: not written */
    double import_seconds, passes_seconds, check_seconds, write_seconds;
};
/* Machine and defaults; `arch` NULL = as the settings say. */
bool driver_start(struct build *b, const struct settings *s, const struct arch *arch,
                  struct diag *d) CHECK_RESULT;
bool driver_import(struct build *b, const struct settings *s, const char *model,
                   struct diag *d) CHECK_RESULT;
/* Runs passes on b->graph; the driver binds machine and duplication. */
bool driver_run_passes(struct build *b, const struct settings *s, const char *pipeline,
                       const struct pass_options *o, struct diag *d) CHECK_RESULT;
/* Import and standard pipeline: b->graph is a numbered CROSSBAR graph. */
bool driver_lower(struct build *b, const struct settings *s, const char *model, bool keep_imported,
                  struct diag *d) CHECK_RESULT;
/* After the passes. */
struct backend_options driver_backend_options(const struct build *b, const struct settings *s);
/* After driver_lower: b->program, checked. */
bool driver_compile(struct build *b, const struct settings *s, struct diag *d) CHECK_RESULT;
bool driver_write(struct build *b, const char *path, struct diag *d) CHECK_RESULT;
/* The plan that the result holds. */
bool driver_write_plan(const struct backend_result *r, const char *path,
                       struct diag *d) CHECK_RESULT;
/* Lowers `model` as the program's own options and machine say (`s` only says what is written); its
 * graph must have the fingerprint. */
bool driver_lower_again(struct build *b, const struct isa_program *p, const struct settings *s,
                        const char *model, bool keep_imported, struct diag *d) CHECK_RESULT;
void driver_free(struct build *b);
/* Behind the last '/'. */
const char *driver_file_name(const char *path);
/* MODEL's file name with `ending` instead of .onnx, in the current directory. */
const char *driver_output_name(const char *model, const char *ending, struct arena *a);

/* ---- mapping.c: --copies and --set best ---- */

bool mapping_parse_copies(const char *text, struct arena *a, struct dup_options *out,
                          struct diag *d) CHECK_RESULT;
/* What --copies would say of this graph; NULL where it has no base layer. */
const char *mapping_copies_text(const struct ir_graph *g, struct arena *a);
/* After the passes, for b->wants_best: sets and cut with the least makespan; fills b->set and
 * b->chosen and leaves b->graph with that cut. */
bool mapping_choose_best(struct build *b, const struct settings *s, struct diag *d) CHECK_RESULT;
/* What was chosen; nothing if there was no choice. */
void mapping_report(const struct build *b, FILE *out);
void mapping_report_json(const struct build *b, struct json *j);

/* ---- views.c: schedules to look at ---- */

bool views_wanted(const struct settings *s);
/* After driver_compile: the files that are asked for. */
bool views_write(const struct build *b, const struct settings *s, struct diag *d) CHECK_RESULT;

/* ---- tensors.c: values in and out ---- */

struct io_tensor {
    const char *name;
    bool known;          /* name and type are set */
    struct ir_type type; /* f32, the shape outside */
    float *data;         /* NULL: no values */
    bool given;          /* of a reference: a file's, not the evaluator's */
};
struct io {
    struct arena *arena;
    size_t n_inputs, n_outputs;
    struct io_tensor *inputs, *outputs, *references;
    const char *assumed; /* said where a shape does not fit: build.assumed, or NULL */
};
/* Names and shapes from the program and, for what it does not use, from `g` (may be NULL). */
bool io_describe(struct io *io, const struct isa_program *p, const struct ir_graph *g,
                 struct diag *d) CHECK_RESULT;
bool io_load_inputs(struct io *io, const struct settings *s, struct diag *d) CHECK_RESULT;
/* output_K.pb of --test-data; what is missing stays without values. */
bool io_load_references(struct io *io, const struct settings *s, struct diag *d) CHECK_RESULT;
void io_alloc_outputs(struct io *io);
bool io_has_references(const struct io *io);
bool io_evaluate_references(struct io *io, const struct ir_graph *g,
                            const struct eval_observer *observer, struct diag *d) CHECK_RESULT;
bool io_save_outputs(const struct io *io, const char *dir, struct diag *d) CHECK_RESULT;
void io_free(struct io *io);

/* ---- npy.c ---- */
/* f32 values of a .npy file of any real dtype, C order. Data from heap_alloc. */
bool npy_read(const char *path, struct arena *names, struct diag *d, struct ir_type *out_type,
              float **out_data) CHECK_RESULT;
bool npy_write(const char *path, const struct ir_type *type, const float *data,
               struct diag *d) CHECK_RESULT;

/* Worst absolute difference and largest magnitude of two tensors. */
struct difference {
    double max_abs_error, max_abs_reference;
    int64_t worst; /* element */
    bool pass;     /* error <= tolerance * reference, or is_absolute */
    bool is_absolute;
};

/* ---- simulate.c: runs a program and compares ---- */

struct simulation {
    const struct settings *settings;
    const struct isa_program *program;
    bool is_compiled;                /* by this very command */
    bool may_lack_values;            /* then only times are simulated */
    const struct ir_graph *imported; /* gives references; may be NULL */
    const struct ir_graph *graph;    /* CROSSBAR, for --compare-layers; may be NULL */
    const char *assumed;             /* of the model, as in struct build; may be NULL */
    /* results */
    bool ran; /* to the end */
    bool times_only;
    struct io io;
    struct sim_result result;
    struct difference *differences; /* per output; only where there is a reference */
    uint32_t n_compared;            /* --compare-layers: operations */
    double simulate_seconds, evaluate_seconds;
};
/* False where the machine faults or anything differs. `sim->ran`: there is something to report. */
bool simulate(struct simulation *sim, struct diag *d) CHECK_RESULT;
void simulation_free(struct simulation *sim);

/* ---- times.c: when each instruction ran ---- */
struct times;
struct times *times_new(const struct isa_program *p);
void times_free(struct times *t); /* NULL is fine */
void times_completed(struct times *t, uint32_t tile, uint32_t inst_index, uint64_t start_cycle,
                     uint64_t end_cycle);
/* Of a run that came to its end. */
bool times_write(const struct times *t, const char *path, struct diag *d) CHECK_RESULT;

/* ---- verdict.c: are they right? ---- */

/* Compares the outputs with the references; false with MISMATCH errors where one fails. */
bool verdict(struct simulation *sim, struct diag *d) CHECK_RESULT;
/* Of `n` > 0 values; NaN equals NaN and infinity itself, else they are infinitely far. */
struct difference compare_f32(const float *got, const float *want, int64_t n, double tolerance);
/* So small that the value was rounded away beside others of this magnitude. */
bool is_rounded_away(const struct difference *r, double largest, double tolerance);

/* ---- layers.c ---- */
struct layers;
struct layers *layers_new(const struct isa_program *p, const struct ir_graph *g, double tolerance,
                          struct diag *d);
void layers_free(struct layers *l);
/* To be called from sim_options.executed. */
void layers_executed(struct layers *l, const struct sim *s, uint32_t tile,
                     const struct isa_inst *inst);
/* To be given to io_evaluate_references. */
void layers_seen(void *layers, const struct ir_op *op, const struct tensor *value);
/* Reports the first node that differs (MISMATCH). */
bool layers_verdict(const struct layers *l, struct diag *d) CHECK_RESULT;
uint32_t layers_compared(const struct layers *l);

/* ---- json.c: YAJL with fewer words ---- */
struct json *json_new(void);
/* Compact, written to `out` as it is made. */
struct json *json_new_stream(FILE *out);
/* `key` NULL: an array element or the outermost value. */
void json_open_map(struct json *j, const char *key);
void json_close_map(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);
void json_text(struct json *j, const char *key, const char *value); /* NULL = null */
void json_integer(struct json *j, const char *key, int64_t value);
void json_real(struct json *j, const char *key, double value); /* not finite = null */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
/* Prints and frees. */
void json_finish(struct json *j, FILE *out);

/* ---- table.c: reports of a build and of a simulation ---- */
void report_build(const struct build *b, FILE *out);
/* The seconds of `--json` as a table (either may be NULL). */
void report_times(const struct build *b, const struct simulation *sim, FILE *out);
void report_simulation(const struct simulation *sim, FILE *out);
/* The keys of `compile --json` but `seconds` and `peak_rss_bytes`, into an open map. */
void report_build_json(const struct build *b, struct json *j);
/* Those of `run` and `sim`, likewise. */
void report_simulation_json(const struct simulation *sim, struct json *j);
/* `seconds` of what there is (either may be NULL) and `peak_rss_bytes`. */
void report_costs_json(const struct build *b, const struct simulation *sim, struct json *j);

#endif
