/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* driver.h - from a model to a checked program. */
#ifndef CIMC_DRIVER_H
#define CIMC_DRIVER_H

#include "backend.h"
#include "calibration.h"
#include "pass.h"
#include "base.h"
#include "spans.h"
#include "cimc.h"
#include "tensors.h"

/* What `--set best` found. */
struct mapping_choice {
    const char *set; /* NULL: not asked */
    int64_t cut;     /* index of --cut's choice */
    uint64_t cycles;
    unsigned n_tried;
};
/* One of the models of a program. */
struct model {
    const char *name; /* in front of all its names, NAME/; "" where it is alone and not named */
    const char *path;
    int64_t rate;      /* how many times it is in the program */
    const void *bytes; /* of the file, if they are in memory; else NULL */
    size_t n_bytes;
    struct ir_graph *imported; /* TENSOR, as it was read; NULL: not kept */
    int64_t batch;             /* images in the file's; mostly 1 */
    int64_t images;            /* frames in the file: batch, or 1 where it mixes its images */
    struct ir_graph *graph;    /* as far as it was lowered by itself; NULL: it is build.graph */
    enum pass_mode mode;
    const char *mode_reason;
    size_t n_missing;    /* tensors without data, of a model compiled by --no-weights */
    const char *assumed; /* what the model leaves open, and what was taken; may be "" */
};
/* Graphs that are kept from build to build of one model (pass.h). */
struct build_cache {
    struct pass_cache model; /* by itself */
    struct pass_cache named; /* as part of a program in which it has a name */
    uint64_t model_serial;   /* that of `model`, when `named` began */
};
struct build {
    struct model *models;
    size_t n_models;
    const char *model; /* path as given; of several their names: "A+B" */
    const struct cimc_options
        *writes; /* the files that must not be among those that the model names */
    struct arena *arena;
    const struct progress *progress; /* NULL: nobody watches */
    FILE *log;                       /* what options ask passes to print; NULL: nowhere */
    struct build_cache *cache;       /* NULL: nothing is kept */
    struct arch arch;
    struct set_shape set;
    int64_t cut;     /* index of --cut's choice, of the latest copies */
    bool wants_best; /* --set best: `set` is not known before the passes */
    struct mapping_choice chosen;
    enum pass_mode mode;     /* settled once mode_reason is set; of several: int if one is */
    const char *mode_reason; /* of several "" */
    size_t n_missing;        /* tensors without data, of all models */
    struct calibration calibration, test; /* of --calibrate; of `held_out` */
    const struct cimc_strings *held_out;  /* tensors that the quality is measured by too, or NULL */
    bool wants_quality;                   /* asks pass quant for */
    struct quant_report quality;          /* no rows: nothing was quantised */
    struct ir_graph *rest;                /* what could be imported of a model that cannot be */
    struct ir_graph *graph;               /* as far as it was lowered */
    struct dup_result dup;
    struct isa_program *program;
    struct backend_result backend;
    uint64_t program_bytes; /* 0: not written */
    double import_seconds, passes_seconds, check_seconds, write_seconds;
    struct spans spans; /* of stages and passes */
};
/* Machine and defaults; `arch` NULL = as the settings say. */
bool driver_start(struct build *b, const struct cimc_options *s, const struct arch *arch,
                  const struct progress *progress, struct diag *d) CHECK_RESULT;
/* The machine becomes that with this noise; < 0: as it is. Notes where it makes no difference. */
void driver_set_noise(struct arch *a, int64_t seed, struct loc loc, struct diag *d);
/* The models to compile: b->models, b->model. */
bool driver_take_models(struct build *b, const struct cimc_options *s,
                        const struct cimc_source *sources, size_t n, struct diag *d) CHECK_RESULT;
/* The models' graphs as their files have them: `imported`. */
bool driver_import_models(struct build *b, const struct cimc_options *s,
                          struct diag *d) CHECK_RESULT;
/* The models of another build, which were imported; without their graphs where the cache has them.
 */
void driver_copy_models(struct build *b, const struct build *from);
/* The models' graphs, of one image each, from what was imported, which may be kept. */
bool driver_take_images(struct build *b, bool keep_imported, struct diag *d) CHECK_RESULT;
/* Says what of the models mixes the images of its batch, which driver_take_images refuses. */
bool driver_keeps_images(const struct build *b, struct diag *d) CHECK_RESULT;
/* Both. */
bool driver_import_all(struct build *b, const struct cimc_options *s, bool keep_imported,
                       struct diag *d) CHECK_RESULT;
/* Makes b->graph, the model as it is in its file, the graph of one image. */
bool driver_take_image(struct build *b, struct model *m, struct diag *d) CHECK_RESULT;
/* The only model: b->graph as it is in its file. */
bool driver_import(struct build *b, const struct cimc_options *s, struct diag *d) CHECK_RESULT;
/* One model by itself, after driver_import_all: b->graph. */
bool driver_lower_model(struct build *b, const struct cimc_options *s, struct model *m,
                        const struct pass_options *o, struct diag *d) CHECK_RESULT;
/* The tensors of --calibrate and of b->held_out for b->graph, the graph of one image of a model
 * (NULL: of a text). */
bool driver_calibrate(struct build *b, const struct cimc_options *s, const struct model *m,
                      struct diag *d) CHECK_RESULT;
/* Runs passes on b->graph; the driver binds machine and duplication. */
bool driver_run_passes(struct build *b, const struct cimc_options *s, const char *pipeline,
                       const struct pass_options *o, struct diag *d) CHECK_RESULT;
/* Standard pipeline of the models: b->graph is a numbered CROSSBAR graph of all. */
bool driver_lower(struct build *b, const struct cimc_options *s, struct diag *d) CHECK_RESULT;
/* How many frames the program is for: as the settings say, or as the models' files have in their
 * batch; 0: it is for one, and says nothing of frames. */
int64_t driver_frames(const struct build *b, const struct cimc_options *s);
/* Where each model's inputs and outputs are, and what they should be: what the graph as it was
 * imported says; in mode int as it was lowered, since the model's own floats round a little
 * elsewhere. */
struct io_models driver_io_models(const struct build *b, struct arena *a);
/* False with an error if the model or the program has no weights to compute with. */
bool driver_has_weights(const struct build *b, const struct isa_program *p,
                        struct diag *d) CHECK_RESULT;
struct backend_options driver_backend_options(const struct build *b, const struct cimc_options *s);
/* After driver_lower: b->program, checked. */
bool driver_compile(struct build *b, const struct cimc_options *s, struct diag *d) CHECK_RESULT;
/* The program, to a file; the build, which may be empty, notes its size and the time. */
bool driver_write(struct build *b, const struct isa_program *p, const char *path,
                  struct diag *d) CHECK_RESULT;
bool driver_write_text(const struct text *t, const char *path, struct diag *d) CHECK_RESULT;
/* The plan that the result holds. */
bool driver_write_plan(const struct backend_result *r, const char *path,
                       struct diag *d) CHECK_RESULT;
/* Lowers the models as the program's own options and machine say (`s` only says what is written);
 * their graph must have the fingerprint. */
bool driver_lower_again(struct build *b, const struct isa_program *p, const struct cimc_options *s,
                        const struct cimc_source *models, size_t n, const struct progress *progress,
                        struct diag *d) CHECK_RESULT;
void driver_free(struct build *b);
/* Behind the last '/'. */
const char *driver_file_name(const char *path);
/* MODEL's file name with `ending` instead of .onnx, in the current directory. */
const char *driver_output_name(const char *model, const char *ending, struct arena *a);

#endif
