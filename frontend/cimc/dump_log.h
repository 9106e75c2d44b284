/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_log.h - files of records that grow while a run goes on, many at a time: what is pending
 * waits in memory until it is much, then goes to the ends of the files. So the memory is bounded,
 * and so are the open files. Each file has a checksum; with --checksums that is all.
 */
#ifndef CIMC_DUMP_LOG_H
#define CIMC_DUMP_LOG_H

#include "dump.h"

enum log_kind { LOG_GOLDEN, LOG_TIMES, LOG_RECEIVE, LOG_INSTRUCTIONS, N_LOG_KINDS };

struct log_file {
    uint32_t tile, number;
    enum log_kind kind;
    unsigned record_bytes;
    VEC(uint8_t) pending;
    uint64_t n_records, checksum;
    bool exists;
};
struct dump_log {
    const struct dump *dump;
    /* Files of a tile: golden vectors and times of each queue, messages of each counter,
     * instructions. */
    struct log_file *files;
    uint32_t *first; /* [tile] */
    size_t n_files, n_pending;
    bool failed;
    struct diag *d;
};
void dump_log_open(struct dump_log *log, const struct dump *dump, struct diag *d);
void dump_log_free(struct dump_log *log);
struct log_file *dump_log_file(const struct dump_log *log, uint32_t tile, enum log_kind kind,
                               uint32_t number);
/* Room for a record, which the caller fills; valid until the next call. */
uint8_t *dump_log_add(struct log_file *f);
/* After some records: writes them, if they are many. */
void dump_log_settle(struct dump_log *log, size_t bytes);
/* What is left, files that are empty, and of each tile its checksums. */
bool dump_log_close(struct dump_log *log) CHECK_RESULT;

#endif
