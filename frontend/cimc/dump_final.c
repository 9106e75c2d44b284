/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dump_final.c - buffers and counters at the end of a run: files of DUMP.md. */
#include "dump_final.h"

#include <inttypes.h>
#include <string.h>

static uint32_t number_of_counts(const struct isa_tile *t)
{
    return isa_n_queues(t) + t->n_inbound;
}

void dump_final_open(struct dump_final *f, const struct dump *dump)
{
    const struct isa_program *p = dump->program;
    f->dump = dump;
    f->tiles = heap_alloc((p->n_tiles + (size_t)1) * sizeof *f->tiles);
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        const struct isa_tile *from = &p->tiles[t];
        struct final_tile *to = &f->tiles[t];
        to->bytes = heap_alloc(from->buffer_bytes);
        to->known = heap_alloc(from->buffer_bytes);
        to->counts = heap_alloc(number_of_counts(from) * sizeof *to->counts);
        for (uint32_t i = 0; i < from->n_preloads; i++) {
            const struct isa_preload *l = &from->preloads[i];
            if (!l->length)
                continue;
            const uint8_t *section = isa_section_data(&p->sections[l->section]);
            memcpy(to->bytes + l->address, section + l->offset, l->length);
            memset(to->known + l->address, true, l->length);
        }
    }
}

void dump_final_free(struct dump_final *f)
{
    for (uint32_t t = 0; f->tiles && t < f->dump->program->n_tiles; t++) {
        heap_free(f->tiles[t].bytes);
        heap_free(f->tiles[t].known);
        heap_free(f->tiles[t].counts);
    }
    heap_free(f->tiles);
    f->tiles = NULL;
}

void dump_final_write(struct dump_final *f, uint32_t tile, uint64_t address, uint32_t value,
                      size_t bytes)
{
    struct final_tile *t = &f->tiles[tile];
    for (size_t i = 0; i < bytes; i++) {
        t->bytes[address + i] = (uint8_t)(value >> 8 * i);
        t->known[address + i] = true;
    }
}

void dump_final_count(struct dump_final *f, uint32_t tile, uint32_t counter)
{
    const struct isa_tile *t = &f->dump->program->tiles[tile];
    uint32_t i =
        counter < ISA_FIRST_INBOUND ? counter : isa_n_queues(t) + counter - ISA_FIRST_INBOUND;
    f->tiles[tile].counts[i] = (f->tiles[tile].counts[i] + 1) & ((1u << ISA_THRESHOLD_BITS) - 1);
}

static unsigned known_bytes(const struct final_tile *t, uint64_t word)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ISA_WORD_BYTES; i++)
        n += t->known[ISA_WORD_BYTES * word + i];
    return n;
}

/* Words of which something was written, under the address of the first of a row of them; a byte
 * that was not is x. */
static void print_buffer(const struct final_tile *t, uint64_t n_words, FILE *out)
{
    bool going_on = false;
    fprintf(out, "// the buffer after the last instruction: 32-bit words at word addresses\n");
    for (uint64_t word = 0; word < n_words; word++) {
        bool known = known_bytes(t, word) > 0;
        if (known && !going_on)
            fprintf(out, "@%" PRIx64 "\n", word);
        going_on = known;
        for (unsigned i = ISA_WORD_BYTES; known && i-- > 0;) {
            uint64_t at = ISA_WORD_BYTES * word + i;
            if (t->known[at])
                fprintf(out, "%02x%s", t->bytes[at], i ? "" : "\n");
            else
                fprintf(out, "xx%s", i ? "" : "\n");
        }
    }
}

static bool write_buffer(const struct dump_final *f, uint32_t tile, bool is_bin, struct diag *d)
{
    const struct folder *folder = &f->dump->folder;
    uint64_t n_words = f->dump->program->tiles[tile].buffer_bytes / ISA_WORD_BYTES;
    const char *name = arena_printf(folder->arena, "tile_%04" PRIu32 "/final_buffer.%s", tile,
                                    is_bin ? "bin" : "hex");
    FILE *out = folder_file(folder, name, "w", d);
    if (out && is_bin && n_words)
        fwrite(f->tiles[tile].bytes, ISA_WORD_BYTES, n_words, out);
    else if (out && !is_bin)
        print_buffer(&f->tiles[tile], n_words, out);
    return out && folder_close(folder, out, name, d);
}

bool dump_final_close(const struct dump_final *f, struct diag *d)
{
    const struct dump *dump = f->dump;
    bool ok = true;
    for (uint32_t t = 0; ok && t < dump->program->n_tiles; t++) {
        const char *name = arena_printf(dump->folder.arena, "tile_%04" PRIu32 "/final_counters", t);
        ok = (!dump->hex || write_buffer(f, t, false, d)) &&
             (!dump->bin || write_buffer(f, t, true, d)) &&
             dump_words(dump, name, "counters after the last instruction: queues, inbound",
                        f->tiles[t].counts, number_of_counts(&dump->program->tiles[t]),
                        sizeof *f->tiles[t].counts, d);
    }
    return ok;
}
