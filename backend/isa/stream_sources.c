/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_sources.c - the node of each instruction, for people: one for each walker, and what
 * differs from it (ISA.md 9). There is one way to say it, so that a tile's text needs no more than
 * the nodes.
 */
#include "stream.h"

#include <endian.h>
#include <string.h>

/* A walker's node is that of its first instruction. */
static uint32_t *walker_nodes(const uint16_t *walker_of, const uint32_t *sources, uint32_t n,
                              uint32_t n_walkers, struct arena *a)
{
    uint32_t *nodes = ARENA_ARRAY(a, uint32_t, n_walkers);
    memset(nodes, 0xff, n_walkers * sizeof *nodes); /* ISA_NO_SOURCE */
    for (uint32_t i = n; i-- > 0;)
        nodes[walker_of[i]] = sources[i];
    return nodes;
}

struct isa_bytes isa_sources_encode(const struct isa_tile *t, const struct isa_stream_bytes *s,
                                    struct arena *a)
{
    const uint32_t *nodes = walker_nodes(s->walker_of, t->sources, t->n_insts, s->n_walkers, a);
    VEC(uint32_t) words = {0};
    for (uint32_t k = 0; k < s->n_walkers; k++)
        VEC_PUSH(&words, htole32(nodes[k]));
    for (uint32_t i = 0; i < t->n_insts; i++)
        if (t->sources[i] != nodes[s->walker_of[i]]) {
            VEC_PUSH(&words, htole32(i));
            VEC_PUSH(&words, htole32(t->sources[i]));
        }
    uint64_t bytes = words.n * sizeof *words.at;
    void *copy = arena_alloc(a, bytes);
    if (bytes)
        memcpy(copy, words.at, bytes);
    VEC_FREE(&words);
    return (struct isa_bytes){copy, bytes};
}

static uint32_t word_at(const struct isa_bytes *b, uint64_t i)
{
    uint32_t word;
    memcpy(&word, b->at + i * sizeof word, sizeof word);
    return le32toh(word);
}

const uint32_t *isa_sources_decode(const struct isa_bytes *in, const struct isa_stream *s,
                                   struct arena *a)
{
    uint64_t n_words = in->n / sizeof(uint32_t);
    if (in->n % sizeof(uint32_t) || n_words < s->n_walkers || (n_words - s->n_walkers) % 2)
        return NULL;
    uint32_t *sources = ARENA_ARRAY(a, uint32_t, s->n);
    for (uint32_t i = 0; i < s->n; i++)
        sources[i] = word_at(in, s->walker_of[i]);
    for (uint64_t k = s->n_walkers, next = 0; k < n_words; k += 2) {
        uint32_t at = word_at(in, k), node = word_at(in, k + 1);
        if (at < next || at >= s->n || node == sources[at])
            return NULL;
        sources[at] = node;
        next = (uint64_t)at + 1;
    }
    const uint32_t *nodes = walker_nodes(s->walker_of, sources, s->n, s->n_walkers, a);
    for (uint32_t k = 0; k < s->n_walkers; k++)
        if (nodes[k] != word_at(in, k))
            return NULL;
    return sources;
}
