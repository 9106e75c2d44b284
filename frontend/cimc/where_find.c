/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * where_find.c - from a weight to its cells and back, by a program's tables alone (ISA.md 5).
 *
 * A PE holds k rows and the columns [n0, n0 + n) of a layer's image; its i-th row lies in crossbar
 * row i, in a PE with several conv groups k crossbar rows further down for each.
 */
#include "where.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NAMED = 8, NEAR_LETTERS = 3 };

/* ---- layers ---- */

/* Node of each group's MVMs; where it has none, that of its image. */
static void find_nodes(const struct isa_program *p, const struct isa_tile *t, uint32_t *nodes)
{
    for (uint32_t g = 0; g < t->n_groups; g++)
        nodes[g] = p->images[t->groups[g].image].node;
    for (uint32_t i = 0; i < t->n_insts; i++) {
        if (t->insts[i].op == ISA_mvm && t->sources[i] != ISA_NO_SOURCE)
            nodes[t->insts[i].obj] = t->sources[i];
    }
}

/* What else says which weight an image's cell holds. Strides and dilations matter in a patch. */
struct geometry {
    uint32_t kernel[2], patch[2], conv_groups, in_channels, stride[2], dilation[2];
};

static struct geometry geometry_of(const struct isa_group *g)
{
    struct geometry all = {.conv_groups = isa_conv_groups(g), .in_channels = g->in_channels};
    for (unsigned axis = 0; axis < 2; axis++) {
        all.kernel[axis] = g->kernel[axis];
        all.patch[axis] = isa_patch(g, axis);
        all.stride[axis] = isa_has_patch(g) ? g->stride[axis] : 1;
        all.dilation[axis] = isa_has_patch(g) ? g->dilation[axis] : 1;
    }
    return all;
}

static int compare_mappings(const struct isa_group *a, const struct isa_group *b)
{
    struct geometry x = geometry_of(a), y = geometry_of(b);
    if (a->image != b->image)
        return a->image < b->image ? -1 : 1;
    return memcmp(&x, &y, sizeof x);
}

static int compare_layers(const void *a, const void *b)
{
    const struct where_layer *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return compare_mappings(x->group, y->group);
}

void where_open(struct where *w, const struct isa_program *p)
{
    *w = (struct where){.program = p, .arena = arena_new()};
    size_t n = 0, most = 0;
    for (uint32_t t = 0; t < p->n_tiles; t++)
        most += p->tiles[t].n_groups;
    w->layers = ARENA_ARRAY(w->arena, struct where_layer, most);
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        const struct isa_tile *tile = &p->tiles[t];
        uint32_t *nodes = ARENA_ARRAY(w->arena, uint32_t, tile->n_groups);
        find_nodes(p, tile, nodes);
        for (uint32_t g = 0; g < tile->n_groups; g++)
            w->layers[n++] =
                (struct where_layer){nodes[g], tile->groups[g].image, &tile->groups[g]};
    }
    if (n)
        qsort(w->layers, n, sizeof *w->layers, compare_layers);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || compare_layers(&w->layers[i], &w->layers[i - 1]) != 0)
            w->layers[w->n_layers++] = w->layers[i];
    }
}

void where_free(struct where *w)
{
    VEC_FREE(&w->places);
    arena_free(w->arena);
}

const char *where_layer_name(const struct where *w, const struct where_layer *l)
{
    const char *name = l->node < w->program->n_nodes ? w->program->nodes[l->node].name : NULL;
    return name ? name : "";
}

/* Letters to change, add or drop to make one name of the other, at most `most` + 1. */
static size_t edits(const char *a, const char *b, size_t most)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > m + most || m > n + most)
        return most + 1;
    size_t *row = heap_alloc((m + 1) * sizeof *row);
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t same = corner + (a[i - 1] != b[j - 1]),
                   least = row[j] < row[j - 1] ? row[j] : row[j - 1];
            corner = row[j];
            row[j] = same < least + 1 ? same : least + 1;
        }
    }
    size_t result = row[m];
    heap_free(row);
    return result;
}

static bool is_near(const char *name, const char *asked)
{
    return *asked && (strcasestr(name, asked) || (*name && strcasestr(asked, name)) ||
                      edits(name, asked, NEAR_LETTERS) <= NEAR_LETTERS);
}

/* "; near: 'a' (0), ...": the layers whose names are near, at most MOST_NAMED. */
static void list_near(const struct where *w, const char *asked, struct text *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->n_layers && n < MOST_NAMED; i++) {
        const char *name = where_layer_name(w, &w->layers[i]);
        if (is_near(name, asked))
            text_add(out, "%s'%s' (%zu)", n++ ? ", " : "; near: ", name, i);
    }
}

static const struct where_layer *unknown_layer(const struct where *w, const char *asked,
                                               size_t n_alike, struct diag *d)
{
    struct text near = {0};
    list_near(w, asked, &near);
    const char *list = near.at ? near.at : "";
    if (w->n_layers == 0)
        diag_error(d, (struct loc){0}, DIAG_WHERE, "the program has no layer on crossbars");
    else if (n_alike > 0)
        diag_error(d, (struct loc){0}, DIAG_WHERE, "%zu layers have '%s' in their names%s", n_alike,
                   asked, list);
    else
        diag_error(d, (struct loc){0}, DIAG_WHERE,
                   "there is no layer '%s' among the layers 0 to %zu%s", asked, w->n_layers - 1,
                   list);
    text_free(&near);
    return NULL;
}

/* The names of exporters are paths: "/conv1/Conv" begins with "conv1". */
static bool begins(const char *name, const char *part)
{
    return strncmp(name + (*name == '/' && *part != '/'), part, strlen(part)) == 0;
}

static bool holds(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

/* The last layer with such a name, and how many there are. */
static const struct where_layer *find_alike(const struct where *w, const char *part,
                                            bool (*alike)(const char *name, const char *part),
                                            size_t *out_n)
{
    const struct where_layer *found = NULL;
    *out_n = 0;
    for (size_t i = 0; i < w->n_layers && *part; i++) {
        if (alike(where_layer_name(w, &w->layers[i]), part)) {
            found = &w->layers[i];
            ++*out_n;
        }
    }
    return found;
}

const struct where_layer *where_layer(const struct where *w, const char *name, struct diag *d)
{
    for (size_t i = 0; i < w->n_layers; i++) {
        if (strcmp(where_layer_name(w, &w->layers[i]), name) == 0)
            return &w->layers[i];
    }
    size_t digits = strspn(name, "0123456789"), n;
    unsigned long long number = strtoull(name, NULL, 10);
    if (digits > 0 && !name[digits])
        return number < w->n_layers ? &w->layers[number] : unknown_layer(w, name, 0, d);
    const struct where_layer *found = find_alike(w, name, begins, &n);
    if (n != 1)
        found = find_alike(w, name, holds, &n);
    return n == 1 ? found : unknown_layer(w, name, n, d);
}

bool where_shares(const struct where *w, const struct where_layer *l)
{
    for (size_t i = 0; i < w->n_layers; i++) {
        if (w->layers[i].image == l->image && &w->layers[i] != l)
            return true;
    }
    return false;
}

/* ---- cells ---- */

static int compare_places(const void *a, const void *b)
{
    const struct where_place *x = a, *y = b;
    if (x->tile != y->tile)
        return x->tile < y->tile ? -1 : 1;
    if (x->pe->pe != y->pe->pe)
        return x->pe->pe < y->pe->pe ? -1 : 1;
    if (x->pixel[0] != y->pixel[0])
        return x->pixel[0] < y->pixel[0] ? -1 : 1;
    return x->pixel[1] < y->pixel[1] ? -1 : x->pixel[1] > y->pixel[1];
}

/* Adds the cells that the group has for one pixel of the patch. */
static void find_places(struct where *w, const struct isa_mapping *m, uint32_t pixel_row,
                        uint32_t pixel_column, uint32_t tile, uint32_t group)
{
    uint32_t row, col;
    isa_mapping_cell(m, w->weight, pixel_row, pixel_column, &row, &col);
    for (uint32_t k = 0; k < m->group->n_pes; k++) {
        const struct isa_pe *pe = &m->group->pes[k];
        struct where_place place = {.tile = tile,
                                    .group = group,
                                    .pe = pe,
                                    .logical = col - pe->n0,
                                    .pixel = {pixel_row, pixel_column}};
        if (place.logical < pe->n && /* not where the difference is below 0 */
            isa_mapping_crossbar_row(m, pe, row, col, &place.row))
            VEC_PUSH(&w->places, place);
    }
}

/* Of groups that share PEs only the first with this mapping is asked. */
static bool is_asked(const struct isa_tile *t, uint32_t group, const struct where_layer *layer)
{
    if (compare_mappings(&t->groups[group], layer->group) != 0)
        return false;
    for (uint32_t i = 0; i < group; i++) {
        if (isa_queue_group(t, i) == isa_queue_group(t, group) &&
            compare_mappings(&t->groups[i], layer->group) == 0)
            return false;
    }
    return true;
}

void where_find(struct where *w, const struct where_layer *layer, struct isa_weight weight)
{
    w->layer = layer;
    w->weight = weight;
    w->places.n = 0;
    for (uint32_t t = 0; t < w->program->n_tiles; t++) {
        const struct isa_tile *tile = &w->program->tiles[t];
        for (uint32_t i = 0; i < tile->n_groups; i++) {
            if (!is_asked(tile, i, layer))
                continue;
            struct isa_mapping m = isa_mapping_of(w->program, &tile->groups[i]);
            for (uint32_t py = 0; py < m.patch[0]; py++)
                for (uint32_t px = 0; px < m.patch[1]; px++)
                    find_places(w, &m, py, px, t, i);
        }
    }
    if (w->places.n)
        qsort(w->places.at, w->places.n, sizeof *w->places.at, compare_places);
}

static const struct where_layer *layer_of(const struct where *w, const struct isa_group *g)
{
    for (size_t i = 0; i < w->n_layers; i++) {
        if (compare_mappings(w->layers[i].group, g) == 0)
            return &w->layers[i];
    }
    return NULL;
}

bool where_cell(struct where *w, uint32_t tile, uint32_t pe, uint32_t row, uint32_t column,
                struct diag *d)
{
    const struct isa_tile *t = &w->program->tiles[tile];
    uint32_t group = 0;
    const struct isa_pe *e = crossbar_pe(t, pe, &group);
    if (!e)
        return diag_error(d, (struct loc){0}, DIAG_WHERE, "PE %u of tile %u holds nothing", pe,
                          tile);
    const struct isa_group *g = &t->groups[group];
    struct isa_mapping m = isa_mapping_of(w->program, g);
    struct isa_weight weight;
    uint32_t image_row;
    struct weight_cells cells = weight_cells_of(w->program, g->image);
    uint32_t logical = column / cells.across;
    if (logical >= e->n ||
        !isa_mapping_image_row(&m, e, row / cells.down, e->n0 + logical, &image_row))
        return diag_error(d, (struct loc){0}, DIAG_WHERE,
                          "row %u, column %u of PE %u in tile %u holds nothing", row, column, pe,
                          tile);
    if (!isa_mapping_weight(&m, image_row, e->n0 + logical, &weight)) {
        struct isa_pixel pixel = isa_mapping_pixel(&m, e->n0 + logical);
        return diag_error(d, (struct loc){0}, DIAG_WHERE,
                          "row %u, column %u of PE %u in tile %u is empty: pixel (%u, %u) of a "
                          "patch does not read that row",
                          row, column, pe, tile, pixel.row, pixel.column);
    }
    where_find(w, layer_of(w, g), weight);
    return true;
}
