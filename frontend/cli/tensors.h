/* tensors.h - values that go into and come out of a model. */
#ifndef CIMC_TENSORS_H
#define CIMC_TENSORS_H

#include "eval.h"
#include "isa.h"
#include "settings.h"

struct io_tensor {
    const char *name;
    bool known;          /* name and type are set */
    struct ir_type type; /* the shape outside; no f16 (f32), no f64 */
    double step;         /* compared in steps of this size; 0: by the largest error */
    void *data;          /* NULL: no values */
    bool given;          /* of a reference: a file's, not the evaluator's */
};
struct io {
    struct arena *arena;
    size_t n_inputs, n_outputs;
    struct io_tensor *inputs, *outputs, *references;
    const char *assumed; /* said where a shape does not fit: build.assumed, or NULL */
};
/* Names and shapes from the program and, for what it does not use, from `g` (one may be NULL). */
bool io_describe(struct io *io, const struct isa_program *p, const struct ir_graph *g,
                 struct diag *d) CHECK_RESULT;
bool io_load_inputs(struct io *io, const struct settings *s, struct diag *d) CHECK_RESULT;
/* output_K.pb of --test-data; what is missing stays without values. */
bool io_load_references(struct io *io, const struct settings *s, struct diag *d) CHECK_RESULT;
void io_alloc_outputs(struct io *io);
bool io_has_references(const struct io *io);
/* What `g` makes of the inputs; outputs[n_outputs] are to be freed after success. */
bool io_evaluate(const struct io *io, const struct ir_graph *g,
                 const struct eval_observer *observer, struct tensor *outputs,
                 struct diag *d) CHECK_RESULT;
bool io_evaluate_references(struct io *io, const struct ir_graph *g,
                            const struct eval_observer *observer, struct diag *d) CHECK_RESULT;
bool io_save_outputs(const struct io *io, const char *dir, struct diag *d) CHECK_RESULT;
void io_free(struct io *io);

#endif
