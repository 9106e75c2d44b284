/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass.h - passes and their manager. A pass is declared data plus a run function; it holds no
 * state. One file defines one `const struct pass pass_<name>`; passes.def lists them all.
 * PASSES.md.
 */
#ifndef CIMC_PASS_H
#define CIMC_PASS_H

#include "arch.h"
#include "ir.h"
#include "spans.h"

/* BLOCKED: failed, but inputs stand for what it failed at, so that later passes can tell what else
 * is in the way. */
enum pass_result { PASS_FAILED = -2, PASS_BLOCKED, PASS_UNCHANGED, PASS_CHANGED };

enum { PASS_MAX_STATS = 48 };

/* How copies are chosen (pass dup). */
enum dup_objective { DUP_NONE, DUP_SUM, DUP_MAKESPAN, DUP_INTERVAL };
enum dup_cut { CUT_AUTO, CUT_W, CUT_H, CUT_2D };
/* Copies that the user fixed; layers not named get one. */
struct dup_fixed {
    const char *layer; /* name, or number among the base layers */
    int64_t copies;
};
/* A patch that the user fixed: output rows and columns of one product. */
struct dup_patch {
    const char *layer; /* name, or number among the base layers */
    int64_t patch[2];
};
struct dup_options {
    enum dup_objective objective;
    enum dup_cut cut;
    bool windows;      /* layers choose among patches; else each product is one pixel */
    int64_t pes;       /* PEs of the machine; -1 = not given */
    int64_t extra_pes; /* else beyond PE_min; -1 = not given: the whole machine if it has a fixed
                          number of tiles, else none */
    const struct dup_fixed *fixed; /* if any, nothing is solved */
    size_t n_fixed;
    const struct dup_patch *patches;
    size_t n_patches;
    const char *lp_file; /* write the integer program there (CPLEX LP); NULL = no */
};
/* What a schedule says. */
struct dup_timing {
    uint64_t cycles;               /* until the last value is stored */
    int64_t set_rows, set_columns; /* sets that it used; 0 = whole extent */
    uint64_t n_tasks;              /* that it placed: the work it was */
};
/* The schedule that will be made of the graph; who runs the passes binds it. What it depends on is
 * here, for a pass that asks it depends on that too. */
struct dup_schedule {
    /* False after a diagnostic. The graph is numbered. */
    bool (*makespan)(const struct dup_schedule *, const struct ir_graph *g, struct dup_timing *out);
    void *self;
    const struct arch *arch;       /* as it knows the machine */
    int64_t set_rows, set_columns; /* sets that it is to use; 0 = whole extent */
    /* > 0: their shape is the schedule's choice, for about so many instructions, and depends on the
     * copies */
    int64_t set_budget;
    bool layer_by_layer;
    uint32_t frames; /* that the makespan is of, one after the other; 0 = one */
};
/* What was decided, for reports. */
struct dup_result {
    const char *objective,
        *status; /* "sum", "makespan", "interval", "given", "none"; "optimal", "feasible", "none" */
    double value;                  /* objective value recomputed from the integers, cycles */
    int64_t pe_min, pes, pes_used; /* for one copy each; of the machine; of all copies */
    bool has_bound;
    uint64_t lower_bound_cycles; /* no copies that fit give a shorter schedule */
    bool has_sets;               /* objective makespan: with these, as in dup_timing */
    int64_t set_rows, set_columns;
    bool has_interval;              /* objective interval: */
    uint64_t interval_bound_cycles; /* all PEs together work no faster, whatever the cut */
    int64_t next_pes;               /* the fewest with a shorter interval; 0: none, or too many */
    const char *bottleneck;         /* the base layer that takes longest; in the graph's arena */
    uint64_t bottleneck_cycles;     /* of its largest copy; the rest of the makespan is fill */
};

/* Tensors that a model is given in use: what its values are like. The caller's. */
struct tensor;
struct pass_calibration {
    const struct tensor *inputs; /* [n_images][n_inputs], each as the model takes it outside (f32
                                    for f16) */
    size_t n_inputs, n_images;
    uint64_t hash; /* of all of them, if graphs are kept (pass_cache) */
};

/* How a float model becomes integers (pass quant). */
enum quant_rounding {
    QUANT_AUTO,
    QUANT_NEAREST,
    QUANT_FEEDBACK
}; /* AUTO: feedback of fewer than
      8 bits */
/* What is said of one base layer; 0 = as of all. */
struct quant_override {
    const char *layer; /* name, or number among the base layers */
    int64_t weight_bits, activation_bits;
};
struct quant_options {
    int64_t weight_bits;     /* 2..8 */
    int64_t activation_bits; /* 4..8: of what base layers read */
    enum quant_rounding rounding;
    bool bias_correction;
    const struct quant_override *layers;
    size_t n_layers;
};

/* What quantising did, for reports. Signal to noise in dB: of squares of the float values, by those
 * of the errors; infinite where there are none. Of an output that is a softmax what is in front of
 * it counts. */
struct quant_row { /* a base layer with what its chain yields, or another value that became bytes */
    const char *name, *kind; /* kind: "conv" */
    int64_t weight_bits;     /* 0: it has no weights */
    int64_t bits;            /* of what it yields; 0: that stays float, or gets its grid behind a
                                concat */
    float least, most;       /* of the elements on the calibration tensors */
    float scale;             /* (q - zero) * scale */
    int64_t zero;
    double cut_off;   /* share of the elements beyond the grid */
    double layer_snr; /* of what it yields, where its input is the float model's */
    double own_snr;   /* of the model's outputs, where it alone is quantised */
};
struct quant_report {
    struct arena *arena;    /* the caller's, for what follows */
    struct quant_row *rows; /* in the graph's order */
    size_t n_rows;
    size_t n_images, n_row_images, n_test_images; /* that snr, the rows, test_snr are of */
    double snr, test_snr; /* of the model's outputs, all quantised: on the calibration tensors, on
                             others */
};

/* What base layers compute in: f32, or exact integers where their inputs are quantised. */
enum pass_mode { PASS_MODE_AUTO, PASS_MODE_F32, PASS_MODE_INT };

/* A pass is given of this what it says it reads; the rest is 0. */
struct pass_ctx {
    struct diag *diag;
    const struct arch *arch;             /* fields that a pass does not read are 0 */
    struct arena *scratch;               /* rewound after each pass */
    uint64_t stats[PASS_MAX_STATS];      /* by index into pass->stats */
    const struct dup_options *dup;       /* never NULL */
    struct dup_result *dup_result;       /* may be NULL */
    const struct dup_schedule *schedule; /* for objective makespan, else may be NULL */
    const struct progress *progress;     /* of a long search; may be NULL */
    enum pass_mode mode;       /* AUTO: the first pipeline decides, by the graph it is given */
    const char *mode_reason;   /* what it decided by; NULL until then */
    bool unquantised_is_error; /* a base layer that a model in mode int leaves float; else a warning
                                */
    const struct pass_calibration *calibration; /* NULL = none */
    const struct quant_options *quant;          /* NULL = a float model stays one */
    struct quant_report *quant_report;          /* gets what it lost; may be NULL */
    const struct pass_calibration *quant_test;  /* tensors to measure that by, too; may be NULL */
};

/* Of the context, besides the machine. */
enum pass_reads {
    READS_MODE = 1,
    READS_UNQUANTISED = 2, /* unquantised_is_error */
    READS_QUANT = 4,       /* quant, quant_report, quant_test */
    READS_CALIBRATION = 8,
    READS_DUP = 16, /* dup, dup_result */
    READS_SCHEDULE = 32,
};

struct pass {
    const char *name, *summary;
    unsigned needs;            /* stages accepted (bit set) */
    enum ir_stage gives;       /* stage produced; 0 = unchanged */
    unsigned reads;            /* what the graph that it leaves may depend on (bit set) */
    const struct arch *fields; /* of the machine: those that are not 0 here; NULL: none */
    const char *const *stats;  /* names, NULL-terminated; may be NULL */
    enum pass_result (*run)(struct pass_ctx *, struct ir_graph *);
};

#define PASS(id, file) extern const struct pass pass_##id;
#include "passes.def"
#undef PASS

/* ---- graphs that are kept between runs ---- */

/*
 * For runs that begin with one graph and have other machines and options: the graph as it was
 * before each pass that read something new, at the beginning and at the end. The next run goes on
 * behind the passes that would be given the same again. All zero: nothing is kept. Of what passes
 * tell beside the graph it keeps dup_result, but no quant_report: a run that asks for one has no
 * cache.
 *
 * It may outlive the call (base.h, door) that a run is in. What it came to hold there is sure once
 * pass_cache_settle says that the call has ended; if it was left, that is gone.
 */
enum { PASS_CACHE_MOST = 12 };
struct pass_cache {
    struct pass_kept *at[PASS_CACHE_MOST]; /* in the order of the pipeline */
    size_t n, n_sure;
    uint64_t serial;   /* another one whenever some graph is not what it was */
    unsigned n_passes; /* that the latest run left out */
    double seconds;    /* it took instead of them */
};
void pass_cache_settle(struct pass_cache *c, bool has_ended);
/* Nothing is kept then. */
void pass_cache_drop(struct pass_cache *c);
/* The graph that runs begin with, the cache's; NULL: nothing is kept. */
struct ir_graph *pass_cache_start(const struct pass_cache *c);

/* ---- manager ---- */
struct pass_options {
    const char *print_before, *print_after; /* pass name or "all"; NULL = none */
    const char *stop_after, *skip;          /* comma-separated names for skip */
    enum ir_stage last_stage; /* stops before a pass that leads to a later one; 0 = never */
    bool print_changed, time_passes, stats, no_verify, roundtrip_each;
    bool dot;            /* graphs as DOT, not as IR text */
    FILE *print_to;      /* graphs; at the end a table of times and statistics; NULL: nowhere */
    struct spans *spans; /* gets the time of each pass; may be NULL */
    struct pass_cache *cache; /* of runs on this graph; may be NULL */
};
/* Finds a pass by name; NULL if there is none. */
const struct pass *pass_find(const char *name);
/* All passes in list order; *n = how many. */
const struct pass *const *pass_list(size_t *n);
/* The standard pipeline from TENSOR to CROSSBAR, comma-separated names. */
extern const char pass_default_pipeline[];
/*
 * Runs comma-separated passes on *g (which a round trip may replace, and a graph that the cache
 * has; if that has one to begin with *g may be NULL). After every change the graph is verified; an
 * "unchanged" answer is held against the fingerprint. False with diagnostics. Behind a pass that is
 * blocked the others run up to the CROSSBAR graph, for what they find in the way.
 */
bool pass_run_pipeline(const char *pipeline, struct ir_graph **g, struct pass_ctx *ctx,
                       const struct pass_options *o) CHECK_RESULT;

#endif
