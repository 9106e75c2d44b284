/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dump_log.c - growing files of records; dump_log.h says what they are. */
#include "dump_log.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_PENDING = 32 << 20 }; /* bytes */

static uint32_t number_of_files(const struct isa_tile *t)
{
    return 2 * isa_n_queues(t) + t->n_inbound + 1;
}

static void add_file(struct dump_log *log, uint32_t tile, enum log_kind kind, uint32_t number,
                     unsigned record_bytes)
{
    static const uint64_t basis = 0xcbf29ce484222325; /* of FNV-1a */
    log->files[log->n_files++] = (struct log_file){.tile = tile,
                                                   .number = number,
                                                   .kind = kind,
                                                   .record_bytes = record_bytes,
                                                   .checksum = basis};
}

void dump_log_open(struct dump_log *log, const struct dump *dump, struct diag *d)
{
    const struct isa_program *p = dump->program;
    size_t n = 0;
    for (uint32_t t = 0; t < p->n_tiles; t++)
        n += number_of_files(&p->tiles[t]);
    *log = (struct dump_log){.dump = dump, .d = d};
    log->files = ARENA_ARRAY(dump->folder.arena, struct log_file, n);
    log->first = ARENA_ARRAY(dump->folder.arena, uint32_t, p->n_tiles);
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        uint32_t queues = isa_n_queues(&p->tiles[t]);
        log->first[t] = (uint32_t)log->n_files;
        for (uint32_t q = 0; q < queues; q++)
            add_file(log, t, LOG_GOLDEN, q, isa_golden_bytes());
        for (uint32_t q = 0; q < queues; q++)
            add_file(log, t, LOG_TIMES, q, isa_times_bytes());
        for (uint32_t c = 0; c < p->tiles[t].n_inbound; c++)
            add_file(log, t, LOG_RECEIVE, ISA_FIRST_INBOUND + c, isa_golden_bytes());
        add_file(log, t, LOG_INSTRUCTIONS, 0, isa_instruction_bytes());
    }
}

void dump_log_free(struct dump_log *log)
{
    for (size_t i = 0; i < log->n_files; i++)
        VEC_FREE(&log->files[i].pending);
}

struct log_file *dump_log_file(const struct dump_log *log, uint32_t tile, enum log_kind kind,
                               uint32_t number)
{
    const struct isa_tile *t = &log->dump->program->tiles[tile];
    struct log_file *first = &log->files[log->first[tile]];
    uint32_t queues = isa_n_queues(t);
    switch (kind) {
    case LOG_GOLDEN: return first + number;
    case LOG_TIMES: return first + queues + number;
    case LOG_RECEIVE: return first + 2 * queues + number - ISA_FIRST_INBOUND;
    case LOG_INSTRUCTIONS: return first + 2 * queues + t->n_inbound;
    case N_LOG_KINDS: break;
    }
    BUG("no such file of records");
}

uint8_t *dump_log_add(struct log_file *f)
{
    VEC_RESERVE(&f->pending, f->pending.n + f->record_bytes);
    uint8_t *at = f->pending.at + f->pending.n;
    f->pending.n += f->record_bytes;
    f->n_records++;
    return at;
}

/* FNV-1a, 64 bits, of the bytes that a .bin file has. */
static void sum_up(struct log_file *f)
{
    uint64_t sum = f->checksum;
    for (size_t i = 0; i < f->pending.n; i++)
        sum = (sum ^ f->pending.at[i]) * 0x100000001b3;
    f->checksum = sum;
}

static const char *const kind_names[N_LOG_KINDS] = {"golden", "times", "receive", "instructions"};

static const char *name_of(const struct log_file *f, struct text *out)
{
    text_add(out, "tile_%04" PRIu32 "/%s", f->tile, kind_names[f->kind]);
    if (f->kind != LOG_INSTRUCTIONS)
        text_add(out, "_%03" PRIu32, f->number);
    return out->at;
}

static bool append(const struct dump_log *log, const struct log_file *f, bool is_bin)
{
    const struct folder *folder = &log->dump->folder;
    struct text name = {0};
    name_of(f, &name);
    text_add(&name, is_bin ? ".bin" : ".hex");
    FILE *out = folder_file(folder, name.at, "a", log->d);
    if (out && is_bin && f->pending.n)
        fwrite(f->pending.at, 1, f->pending.n, out);
    else if (out && !is_bin)
        dump_hex_words(f->pending.at, f->pending.n / f->record_bytes, f->record_bytes, out);
    bool ok = out && folder_close(folder, out, name.at, log->d);
    text_free(&name);
    return ok;
}

/* What is pending of a file; `create` also makes one without records. */
static bool write_file(const struct dump_log *log, struct log_file *f, bool create)
{
    bool ok = true;
    sum_up(f);
    if (!log->dump->settings->checksums && (f->pending.n || (create && !f->exists)))
        ok =
            (!log->dump->hex || append(log, f, false)) && (!log->dump->bin || append(log, f, true));
    f->exists |= f->pending.n > 0;
    f->pending.n = 0;
    return ok;
}

static bool flush(struct dump_log *log, bool create)
{
    bool ok = !log->failed;
    for (size_t i = 0; ok && i < log->n_files; i++)
        ok = write_file(log, &log->files[i], create);
    log->n_pending = 0;
    log->failed = !ok;
    return ok;
}

void dump_log_settle(struct dump_log *log, size_t bytes)
{
    log->n_pending += bytes;
    if (log->n_pending > MOST_PENDING && !log->failed && !flush(log, false))
        log->failed = true;
}

/* TILE_0_GOLDEN_3_RECORDS */
static void add_count(const struct dump *dump, const struct log_file *f)
{
    const char *kind = kind_names[f->kind];
    if (f->kind == LOG_INSTRUCTIONS)
        dump_constant(dump, f->n_records, "tile_%" PRIu32 "_%s_records", f->tile, kind);
    else
        dump_constant(dump, f->n_records, "tile_%" PRIu32 "_%s_%" PRIu32 "_records", f->tile, kind,
                      f->number);
}

/* Records and checksum of each of a tile's files, in their order. */
static bool write_checksums(const struct dump_log *log, uint32_t tile)
{
    struct arena *a = arena_new();
    const struct log_file *first = &log->files[log->first[tile]];
    uint32_t n = number_of_files(&log->dump->program->tiles[tile]);
    unsigned bytes = isa_checksum_bytes();
    uint8_t *words = ARENA_ARRAY(a, uint8_t, n * (size_t)bytes);
    struct text head = {0};
    for (uint32_t i = 0; i < n; i++) {
        add_count(log->dump, &first[i]);
        isa_put_checksum(&(struct isa_checksum){first[i].n_records, first[i].checksum},
                         words + i * (size_t)bytes);
        text_add(&head, i ? " " : "");
        name_of(&first[i], &head);
    }
    bool ok = dump_words(log->dump, arena_printf(a, "tile_%04" PRIu32 "/checksums", tile), head.at,
                         words, n, bytes, log->d);
    text_free(&head);
    arena_free(a);
    return ok;
}

bool dump_log_close(struct dump_log *log)
{
    bool ok = flush(log, true);
    for (uint32_t t = 0; ok && t < log->dump->program->n_tiles; t++)
        ok = write_checksums(log, t);
    return ok;
}
