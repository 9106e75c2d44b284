/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* settings.h - what the command line says, for all commands. */
#ifndef CIMC_SETTINGS_H
#define CIMC_SETTINGS_H

#include "base.h"

enum duplicate_choice { CHOOSE_NONE, CHOOSE_SUM, CHOOSE_MAKESPAN };
enum mapping_kind_choice { CHOOSE_IM2COL, CHOOSE_WINDOW };
enum schedule_choice { CHOOSE_CROSS, CHOOSE_LAYER };
typedef VEC(const char *) string_list;

#define PES_ALL INT64_MAX /* --pes all */
/* --pace ii, and what no pace is longer than: cycles of 2^20 frames stay below 2^62. */
#define PACE_STEADY ((int64_t)1 << 40)

/* What the command line says, for all commands; each reads its part. */
struct settings {
    const char *program_name; /* "cimc compile", for messages */
    string_list args;         /* operands: files and names */
    /* model */
    string_list dims, constants, input_types, rates, states;
    bool no_weights;
    const char *cut_inputs, *cut_outputs; /* names, separated by commas */
    int64_t mode;                         /* index of the choice, as enum pass_mode */
    int64_t unquantised;                  /* index of the choice: 1 = error */
    /* integers of a float model */
    string_list calibrate, quantised_layers;
    int64_t weight_bits, activation_bits; /* < 1: not given */
    int64_t rounding;                     /* index of the choice, as enum quant_rounding */
    bool bias_correction;
    /* machine and mapping */
    const char *arch;
    string_list arch_fields;
    int64_t noise_seed;               /* < 0: not given */
    int64_t trials;                   /* sim; 0: not given */
    int64_t schedule, cut, duplicate; /* index of the choice */
    int64_t mapping;                  /* index of the choice: 1 = windows */
    const char *set, *copies;
    string_list patches;
    int64_t pes, extra_pes; /* < 0: not given */
    const char *lp_file;
    int64_t frames; /* < 1: not given */
    int64_t pace;   /* cycles; PACE_STEADY */
    /* files and form of the output */
    const char *output;
    const char *schedule_out, *schedule_svg, *trace, *report, *report_arch, *print_plan;
    int64_t svg_layout; /* index of the choice */
    bool json, fill, energy, inline_blobs, dot, verbose, help;
    /* passes */
    const char *passes, *print_before, *print_after, *stop_after, *skip;
    bool time_passes, pass_stats, no_verify, roundtrip_each;
    /* simulation */
    const char *input_fill, *save_outputs, *labels, *times, *program;
    string_list test_data, inputs, input_scales, models;
    bool constant_weights, compare_layers;
    double tolerance;
    int64_t tolerance_steps;
    int64_t at; /* eval: index of the choice; < 0: not given */
    int64_t latency_seed, max_extra_cycles;
    /* dump */
    int64_t dump_format; /* index of the choice */
    bool force;
    /* where */
    const char *layer, *cell, *cells;
    int64_t row, col, tile, pe;      /* < 0: not given */
    const struct progress *progress; /* of long work; NULL: nobody watches */
};

static const double DEFAULT_TOLERANCE = 1e-4;

void settings_init(struct settings *s);
void settings_free(struct settings *s);

#endif
