/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * place.c - PEs onto tiles, in layer order: copies one after another, a copy's PEs N block by N
 * block, each block's K slices in ascending order. Tiles fill up exactly, so PE_min + x PEs need
 * ceil(PEs / crossbars) tiles. A copy's PEs in one tile are a group: they work in lockstep.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

struct placing {
    const struct plan *p;
    VEC(struct layer) layers;
    VEC(struct group) groups;
    VEC(struct tile) tiles;
    VEC(uint32_t) promised; /* of each tile: groups, and those that will share their PEs */
    uint32_t *users; /* of each layer: groups on each of its PEs, its own and those that share it */
    uint32_t *latest; /* of each layer: the latest one that uses its weights */
    uint32_t *layer_of;
};

/* For `users` groups of the same PEs. */
static bool tile_is_full(const struct placing *w, size_t tile, uint32_t users)
{
    uint32_t promised = w->promised.at[tile];
    if (w->p->spread && promised >= (tile_share(w->p) + 1) / 2)
        return true;
    return w->tiles.at[tile].n_pes == (uint64_t)w->p->arch->crossbars ||
           (uint64_t)promised + users > (uint64_t)w->p->arch->max_groups;
}

static void open_tile(struct placing *w)
{
    VEC_PUSH(&w->tiles, ((struct tile){0}));
    VEC_PUSH(&w->promised, 0);
}

static struct group *open_group(struct placing *w, uint32_t layer, uint32_t copy)
{
    uint32_t users = w->users[layer];
    if (w->tiles.n == 0 || tile_is_full(w, w->tiles.n - 1, users))
        open_tile(w);
    uint32_t t = (uint32_t)w->tiles.n - 1;
    w->promised.at[t] += users;
    struct tile *tile = &w->tiles.at[t];
    struct group g = {.tile = t,
                      .number = tile->n_groups++,
                      .layer = layer,
                      .copy = copy,
                      .first_pe = tile->n_pes,
                      .owner = (uint32_t)w->groups.n};
    g.column =
        ARENA_ARRAY(w->p->arena, struct group_column,
                    (size_t)min_i64(w->p->arch->crossbars, w->layers.at[layer].mapping.n_blocks));
    VEC_PUSH(&w->groups, g);
    return &w->groups.at[w->groups.n - 1];
}

static void add_pe(struct placing *w, struct group *g, uint32_t ph, uint32_t pv)
{
    struct group_column *last = g->n_columns ? &g->column[g->n_columns - 1] : NULL;
    if (last && last->ph == ph)
        last->pv1 = pv + 1;
    else
        g->column[g->n_columns++] = (struct group_column){ph, pv, pv + 1};
    g->n_pes++;
    w->tiles.at[g->tile].n_pes++;
}

/* All blocks in one: its contributors are the copy's groups. */
static void list_groups(struct placing *w, struct copy *c)
{
    struct block *all = c->block = ARENA_NEW(w->p->arena, struct block);
    all->n_contributors = c->n_groups;
    all->contributor = ARENA_ARRAY(w->p->arena, struct contributor, c->n_groups);
    for (uint32_t i = 0; i < c->n_groups; i++)
        all->contributor[i].group = c->first_group + i;
}

/* For each N block: which groups hold slices of it, in ascending slice order. */
static void list_contributors(struct placing *w, struct layer *l, struct copy *c)
{
    if (ir_mapping_has_patch(&l->mapping)) {
        list_groups(w, c);
        return;
    }
    c->block = ARENA_ARRAY(w->p->arena, struct block, layer_blocks(l));
    for (int fill = 0; fill < 2; fill++) {
        for (uint32_t b = 0; fill && b < layer_blocks(l); b++) {
            c->block[b].contributor =
                ARENA_ARRAY(w->p->arena, struct contributor, c->block[b].n_contributors);
            c->block[b].n_contributors = 0;
        }
        for (uint32_t g = c->first_group; g < c->first_group + c->n_groups; g++) {
            const struct group *group = &w->groups.at[g];
            for (uint32_t i = 0; i < group->n_columns; i++) {
                struct block *b = &c->block[group->column[i].ph];
                if (fill)
                    b->contributor[b->n_contributors] =
                        (struct contributor){g, group->column[i].pv0, group->column[i].pv1};
                b->n_contributors++;
            }
        }
    }
}

/* The copy's weights are those of an earlier layer: its groups are that copy's, with entries of
 * their own, unless those of another user of the weights are the same. */
static void share_copy(struct placing *w, uint32_t layer, uint32_t copy)
{
    struct layer *l = &w->layers.at[layer];
    struct copy *c = &l->copy[copy];
    const struct copy *from = &w->layers.at[l->shares].copy[copy];
    c->first_group = (uint32_t)w->groups.n;
    c->n_groups = from->n_groups;
    for (uint32_t i = 0; i < from->n_groups; i++) {
        struct group g = w->groups.at[from->first_group + i];
        if (l->same == NONE)
            g.number = w->tiles.at[g.tile].n_groups++;
        else
            g.number = w->groups.at[w->layers.at[l->same].copy[copy].first_group + i].number;
        g.layer = layer;
        VEC_PUSH(&w->groups, g);
    }
    list_contributors(w, l, c);
}

static void place_copy(struct placing *w, uint32_t layer, uint32_t copy)
{
    struct layer *l = &w->layers.at[layer];
    struct copy *c = &l->copy[copy];
    c->first_group = (uint32_t)w->groups.n;
    struct group *g = NULL;
    for (uint32_t ph = 0; ph < l->mapping.n_blocks; ph++)
        for (uint32_t pv = 0; pv < ir_mapping_slices(&l->mapping, ph); pv++) {
            if (!g || w->tiles.at[g->tile].n_pes == (uint64_t)w->p->arch->crossbars)
                g = open_group(w, layer, copy);
            add_pe(w, g, ph, pv);
        }
    c->n_groups = (uint32_t)w->groups.n - c->first_group;
    list_contributors(w, l, c);
}

/* Counts the layer among those that use its weights, as one that needs entries of its own or not.
 */
static void find_same(struct placing *w, struct layer *l, uint32_t number)
{
    const struct node_list *nodes = w->p->nodes;
    uint32_t first = l->shares == NONE ? number : l->shares, *latest = &w->latest[first];
    const struct layer *last = l->shares == NONE ? NULL : &w->layers.at[*latest];
    bool same = last && last->copies_h == l->copies_h && last->copies_w == l->copies_w &&
                nodes_share_group(nodes, &nodes->at[last->node], &nodes->at[l->node]);
    l->same = same ? *latest : NONE;
    w->users[first] += !same;
    *latest = number;
}

/* How the layer sits on crossbars: as the graph says, or, without copies, pixel by pixel. */
static bool map_layer(const struct placing *w, const struct node *n, struct ir_mapping *out)
{
    static const int64_t one[2] = {1, 1};
    const struct arch *arch = w->p->arch;
    const struct ir_attrs_mvm *m = &n->root->attrs->mvm;
    bool plain = w->p->plain;
    *out = ir_mapping_with(n->root, arch_logical_rows(arch),
                           arch_logical_cols(arch, m->weight_bits), plain ? one : m->patch);
    if (!plain && (m->slices[0] != out->n_slices || m->slices[1] != out->n_blocks))
        return diag_error(w->p->diag, n->root->loc, DIAG_LOWER,
                          "slices [%ld,%ld] do not fit crossbars of %ld x %ld (run pass tile)",
                          (long)m->slices[0], (long)m->slices[1], (long)out->rows, (long)out->cols);
    int64_t bits = m->weight_bits ? m->weight_bits : arch->weight_bits;
    return !ir_mapping_has_patch(out) || ir_mapping_has_zero(n->root, bits) ||
           diag_error(w->p->diag, n->root->loc, DIAG_LOWER,
                      "patch [%ld,%ld]: weights of %ld bits have no code for zero, which stands "
                      "where a pixel of a patch reads nothing",
                      (long)m->patch[0], (long)m->patch[1], (long)bits);
}

/* Rows and columns of the output that each copy owns: whole patches, but at the ends. */
static void cut_copies(struct placing *w, const struct node *n, struct layer *l)
{
    l->copy = ARENA_ARRAY(w->p->arena, struct copy, l->n_copies);
    for (uint32_t c = 0; c < l->n_copies; c++) {
        const uint32_t parts[2] = {l->copies_h, l->copies_w};
        const uint32_t part[2] = {c / l->copies_w, c % l->copies_w};
        struct box *r = &l->copy[c].rect;
        for (int a = 0; a < 2; a++) {
            int64_t products = layer_products(l, n, a), patch = l->mapping.patch[a];
            r->lo[a] = (int32_t)(ir_cut_start(part[a], parts[a], products) * patch);
            r->hi[a] =
                (int32_t)min_i64(ir_cut_start(part[a] + 1, parts[a], products) * patch, n->dim[a]);
        }
        r->hi[2] = n->dim[2];
    }
}

/* `layer_of`: the first layer of each weights object. */
static bool add_layer(struct placing *w, uint32_t node, struct map *layer_of)
{
    const struct node *n = &w->p->nodes->at[node];
    const struct ir_attrs_mvm *m = &n->root->attrs->mvm;
    struct layer l = {.node = node};
    if (!map_layer(w, n, &l.mapping))
        return false;
    bool single = w->p->plain || m->copies <= 1;
    l.copies_h = single ? 1 : (uint32_t)m->cut[0];
    l.copies_w = single ? 1 : (uint32_t)m->cut[1];
    if (l.copies_h > layer_products(&l, n, AXIS_H) || l.copies_w > layer_products(&l, n, AXIS_W))
        return diag_error(w->p->diag, n->root->loc, DIAG_LOWER,
                          "cut [%u,%u] of an output of %d x %d leaves a copy without work",
                          l.copies_h, l.copies_w, n->dim[0], n->dim[1]);
    l.n_copies = l.copies_h * l.copies_w;
    cut_copies(w, n, &l);
    uint32_t number = w->layer_of[node] = (uint32_t)w->layers.n;
    l.shares = m->weights > 0 ? map_intern_u64(layer_of, (uint64_t)m->weights, number) : NONE;
    if (l.shares == number)
        l.shares = NONE;
    find_same(w, &l, number);
    if (l.shares != NONE && w->layers.at[l.shares].n_copies != l.n_copies)
        return diag_error(w->p->diag, n->root->loc, DIAG_LOWER,
                          "shares weights with '%s', but has %u copies, not %u",
                          w->p->nodes->at[w->layers.at[l.shares].node].root->name, l.n_copies,
                          w->layers.at[l.shares].n_copies);
    VEC_PUSH(&w->layers, l);
    return true;
}

/* The base layers; *out_pes: what they need together. */
static bool add_layers(struct placing *w, int64_t *out_pes)
{
    bool ok = true;
    struct map layer_of = {0};
    *out_pes = 0;
    for (size_t i = 0; ok && i < w->p->nodes->n; i++) {
        if (w->p->nodes->at[i].kind != NODE_mvm)
            continue;
        ok = add_layer(w, (uint32_t)i, &layer_of);
        const struct layer *l = ok ? &w->layers.at[w->layers.n - 1] : NULL;
        if (l && l->shares == NONE)
            *out_pes += l->n_copies * ir_mapping_pes(&l->mapping);
    }
    map_free(&layer_of);
    return ok;
}

static void renumber_tiles(struct placing *w)
{
    struct tile *old = heap_alloc(w->tiles.n * sizeof *old);
    memcpy(old, w->tiles.at, w->tiles.n * sizeof *old);
    for (size_t t = 0; t < w->tiles.n; t++)
        w->tiles.at[w->p->position[t]] = old[t];
    for (size_t g = 0; g < w->groups.n; g++)
        w->groups.at[g].tile = w->p->position[w->groups.at[g].tile];
    heap_free(old);
}

/* Tiles without PEs, where vector work is more than those with PEs should do. */
static void open_tiles_for_vector_work(struct placing *w)
{
    const struct plan *p = w->p;
    uint64_t n_values = 0, most = p->arch->tiles ? (uint64_t)p->arch->tiles : UINT64_MAX;
    for (uint32_t i = 0; i < p->nodes->n; i++)
        n_values += node_is_made(&p->nodes->at[i]);
    while (w->tiles.n < most && w->tiles.n * tile_share(p) < n_values)
        open_tile(w);
}

/* The layers that use the same crossbars have a group each in the tile of these, but for those that
 * share one. */
static bool groups_fit(const struct placing *w)
{
    int64_t most = w->p->arch->max_groups, any = arch_field_most("max_groups");
    bool ok = true;
    for (uint32_t i = 0; i < w->layers.n; i++) {
        const struct ir_op *root = w->p->nodes->at[w->layers.at[i].node].root;
        if (w->users[i] > any)
            ok = diag_error(w->p->diag, root->loc, DIAG_CAPACITY,
                            "%u layers use its weights, a tile can have %lld groups at most",
                            w->users[i], (long long)any);
        else if (w->users[i] > most)
            ok = diag_error(w->p->diag, root->loc, DIAG_CAPACITY,
                            "%u layers use its weights, a tile has %lld groups: raise max_groups "
                            "to %u",
                            w->users[i], (long long)most, w->users[i]);
    }
    return ok;
}

/* Is there a tile that has crossbars left, but no groups? */
static bool groups_are_short(const struct placing *w)
{
    for (uint32_t t = 0; t + 1 < w->tiles.n; t++)
        if (w->tiles.at[t].n_pes < (uint64_t)w->p->arch->crossbars)
            return true;
    return false;
}

static bool place_layers(struct placing *w)
{
    int64_t wanted;
    if (!add_layers(w, &wanted) || !groups_fit(w))
        return false;
    const struct plan *p = w->p;
    struct loc nowhere = {0};
    if (!p->plain && wanted > p->options->pes)
        return diag_error(p->diag, nowhere, DIAG_CAPACITY,
                          "the copies of all layers take %ld PEs, the machine has %ld",
                          (long)wanted, (long)p->options->pes);
    for (uint32_t i = 0; i < w->layers.n; i++)
        for (uint32_t c = 0; c < w->layers.at[i].n_copies; c++)
            if (w->layers.at[i].shares == NONE)
                place_copy(w, i, c);
            else
                share_copy(w, i, c);
    if (w->tiles.n == 0)
        open_tile(w);
    if (p->spread)
        open_tiles_for_vector_work(w);
    if (w->tiles.n > ISA_MAX_TILES)
        return diag_error(
            p->diag, nowhere, DIAG_CAPACITY,
            "the network needs %zu tiles of %ld crossbars, a program names %d at most: "
            "raise %s",
            w->tiles.n, (long)p->arch->crossbars, ISA_MAX_TILES,
            groups_are_short(w) ? "max_groups" : "crossbars, rows or cols");
    if (p->arch->tiles && w->tiles.n > (uint64_t)p->arch->tiles)
        return diag_error(
            p->diag, nowhere, DIAG_CAPACITY,
            "the network with its copies needs %zu tiles of %ld crossbars and %ld groups, the "
            "machine has %ld: raise tiles or %s",
            w->tiles.n, (long)p->arch->crossbars, (long)p->arch->max_groups, (long)p->arch->tiles,
            groups_are_short(w) ? "max_groups" : "crossbars");
    if (p->position)
        renumber_tiles(w);
    return true;
}

static void *keep(const struct plan *p, const void *at, size_t n, size_t size)
{
    void *copy = arena_alloc_array(p->arena, n, size);
    if (n)
        memcpy(copy, at, n * size);
    return copy;
}

/* The families of what layers with a common group make and read. */
static const bool *stacked_families(const struct placing *w)
{
    const struct node_list *l = w->p->nodes;
    bool *stacked = ARENA_ARRAY(w->p->arena, bool, l->n_ops);
    for (uint32_t i = 0; i < w->layers.n; i++) {
        const struct node *n = &l->at[w->layers.at[i].node];
        if (w->layers.at[i].same == NONE)
            continue;
        stacked[l->family[n->root->id].family] = true;
        stacked[l->family[n->operand[0].value->id].family] = true;
    }
    return stacked;
}

const struct segment *plan_place(const struct plan *p)
{
    struct placing w = {.p = p,
                        .users = ARENA_ARRAY(p->arena, uint32_t, p->nodes->n),
                        .latest = ARENA_ARRAY(p->arena, uint32_t, p->nodes->n),
                        .layer_of = ARENA_ARRAY(p->arena, uint32_t, p->nodes->n)};
    memset(w.layer_of, 0xff, p->nodes->n * sizeof *w.layer_of);
    struct segment *s = NULL;
    if (place_layers(&w)) {
        s = ARENA_NEW(p->arena, struct segment);
        *s = (struct segment){.n_layers = (uint32_t)w.layers.n,
                              .n_groups = (uint32_t)w.groups.n,
                              .n_tiles = (uint32_t)w.tiles.n,
                              .layer = keep(p, w.layers.at, w.layers.n, sizeof *w.layers.at),
                              .group = keep(p, w.groups.at, w.groups.n, sizeof *w.groups.at),
                              .tile = keep(p, w.tiles.at, w.tiles.n, sizeof *w.tiles.at),
                              .layer_of = w.layer_of,
                              .stacked = stacked_families(&w)};
    }
    VEC_FREE(&w.layers);
    VEC_FREE(&w.groups);
    VEC_FREE(&w.tiles);
    VEC_FREE(&w.promised);
    return s;
}
