/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* tensors.h - values that go into and come out of a model. */
#ifndef CIMC_TENSORS_H
#define CIMC_TENSORS_H

#include "eval.h"
#include "isa.h"
#include "base.h"
#include "cimc.h"

struct io_tensor {
    const char *name;
    bool known;          /* name and type are set */
    struct ir_type type; /* of one frame: the shape outside; no f16 (f32), no f64 */
    bool is_state;       /* one tensor for all frames: an input's first, an output's last value */
    size_t state;        /* > 0: but for the first frame it is output state - 1 of the one before */
    int64_t images;      /* frames that the model's file has along the first dimension; mostly 1 */
    float scale;         /* of an input: what integers are times that files give; 0: as they are */
    double step;         /* compared in steps of this size; 0: by the largest error */
    void *data;          /* frames one after another; NULL: no values, as where !known */
    int64_t frames;      /* of them: 1 for all, or io.frames */
    bool given;          /* of a reference: a file's, not the evaluator's */
};
/* A model among those whose tensors these are. */
struct io_model {
    const char *prefix;               /* in front of the names of its inputs and outputs */
    const struct ir_graph *described; /* says what its inputs and outputs are; may be NULL */
    const struct ir_graph *reference; /* gives the expected outputs; may be NULL */
    int64_t images, reference_images; /* that `described` and `reference` take at once */
    const char *assumed;              /* said where a shape does not fit; may be NULL */
    size_t first_input, first_output; /* index 0 of the graphs */
};
struct io_models {
    const struct io_model *at;
    size_t n;
    const struct ir_graph *joined; /* what all compute on one machine; NULL: each by itself */
};
/* Values that are in memory already, the caller's; data NULL: not this one. */
struct io_given {
    struct tensor *inputs, *expected;
    size_t n_inputs, n_expected;
    const int64_t *labels; /* of each frame */
    size_t n_labels;
};
struct io {
    struct arena *arena;
    struct io_models models;
    struct io_given given;
    int64_t
        frames; /* of a run: what there is if neither options nor files say it, then as they say */
    size_t n_inputs, n_outputs;
    struct io_tensor *inputs, *outputs, *references;
};
/* Names and shapes from the program (or NULL) and, for what it does not use, from the models; these
 * stay the caller's. */
bool io_describe(struct io *io, const struct isa_program *p, struct io_models models,
                 struct diag *d) CHECK_RESULT;
/* Settles io->frames; every input has so many, one that is given once is the same in all. */
bool io_load_inputs(struct io *io, const struct cimc_options *s, struct diag *d) CHECK_RESULT;
/* --input-scale: the factors of the float inputs. */
bool input_scales(const struct cimc_options *s, struct io_tensor *inputs, size_t n,
                  struct diag *d) CHECK_RESULT;
/* Only as many frames as --frames or the program say, for times. */
void io_settle_frames(struct io *io, const struct cimc_options *s);
/* output_K.pb of --test-data; what is missing stays without values. */
bool io_load_references(struct io *io, const struct cimc_options *s, struct diag *d) CHECK_RESULT;
void io_alloc_outputs(struct io *io);
bool io_has_references(const struct io *io);
/* Do all models say what their outputs should be? */
bool io_can_evaluate(const struct io *io);
/* What the models make of the inputs; outputs[n_outputs] are to be freed, after a failure too. */
bool io_evaluate(const struct io *io, const struct eval_observer *observer, struct tensor *outputs,
                 struct diag *d) CHECK_RESULT;
bool io_evaluate_references(struct io *io, const struct eval_observer *observer,
                            struct diag *d) CHECK_RESULT;
/* Bytes of one frame; where a frame begins; its first element. */
size_t io_frame_bytes(const struct io_tensor *t);
size_t io_frame_offset(const struct io_tensor *t, int64_t frame);
void *io_frame(const struct io_tensor *t, int64_t frame);
/* How many of them a run has. */
int64_t io_frames(const struct io *io, const struct io_tensor *t);
/* The type of all frames as one tensor. */
struct ir_type io_type_of_all(const struct io *io, const struct io_tensor *t);
/* Evaluates a graph of all models, on one frame, for who looks on. */
bool io_observe(const struct io *io, const struct ir_graph *g, const struct eval_observer *observer,
                struct diag *d) CHECK_RESULT;
/* How many frames a tensor holds: one has the port's type, or lacks the 1 in front of it; several
 * stand along a dimension in front, or along the first where that is a batch, or 1. 0: it is
 * something else. */
int64_t io_frames_in(const struct ir_type *read, const struct ir_type *port, bool is_batch);
bool io_save_outputs(const struct io *io, const char *dir, struct diag *d) CHECK_RESULT;
void io_free(struct io *io);

#endif
