/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dump_final.h - what is in buffers and counters after a run, from what is written and counted. */
#ifndef CIMC_DUMP_FINAL_H
#define CIMC_DUMP_FINAL_H

#include "dump.h"

struct final_tile {
    uint8_t *bytes;
    bool *known;      /* of each byte: was it written? */
    uint32_t *counts; /* of queues, then of inbound counters */
};
struct dump_final {
    const struct dump *dump;
    struct final_tile *tiles;
};
/* Preloads are there. Of a program that the simulator has accepted: its buffers fit in memory. */
void dump_final_open(struct dump_final *f, const struct dump *dump);
void dump_final_free(struct dump_final *f);
void dump_final_write(struct dump_final *f, uint32_t tile, uint64_t address, uint32_t value,
                      size_t bytes);
void dump_final_count(struct dump_final *f, uint32_t tile, uint32_t counter);
bool dump_final_close(const struct dump_final *f, struct diag *d) CHECK_RESULT;

#endif
