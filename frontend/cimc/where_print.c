/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* where_print.c - what is said of a weight and its cells, as text and as JSON. */
#include "where.h"

#include "common_json.h"

struct coordinates {
    uint32_t kernel_row, kernel_column, input_channel, output_channel;
};

/* Of the product as it is mapped: a transposed convolution is one of 1x1 (CLI.md). */
static struct coordinates coordinates_of(const struct where *w)
{
    struct isa_mapping m = isa_mapping_of(w->program, w->layer->group);
    struct isa_tap tap = isa_mapping_tap(&m, w->weight);
    return (struct coordinates){tap.row, tap.column, tap.channel, w->weight.column};
}

static double value_of(const struct where *w)
{
    const struct isa_image *image = &w->program->images[w->layer->image];
    const void *weights = isa_image_data(w->program, w->layer->image);
    struct isa_mapping m = isa_mapping_of(w->program, w->layer->group);
    uint32_t row, column;
    isa_mapping_cell(&m, w->weight, 0, 0, &row, &column); /* the same for all pixels */
    size_t at = (size_t)row * image->n + column;
    return image->element == ELEMENT_i8 ? ((const int8_t *)weights)[at]
                                        : (double)((const float *)weights)[at];
}

static const char *entity_of(const struct where *w)
{
    uint32_t node = w->layer->node;
    const char *entity = node < w->program->n_nodes ? w->program->nodes[node].entity : NULL;
    return entity && *entity ? entity : NULL;
}

/* One of a weight's cells: bits [from, to] of one of its parts, and, of an integer, what is there.
 */
struct piece {
    struct crossbar_cell cell;
    unsigned slice, from, to;
    const char *polarity; /* NULL: there is one part */
    bool has_level, inverted;
    unsigned level;
};

static struct piece piece_of(const struct where *w, const struct where_place *place, unsigned part,
                             unsigned slice)
{
    const struct isa_group *g = &w->program->tiles[place->tile].groups[place->group];
    struct weight_cells cells = weight_cells_of(w->program, g->image);
    unsigned bits = cells.rule.cell_bits;
    struct piece p = {.cell = weight_cell(&cells, place->row, place->logical, part, slice),
                      .slice = slice,
                      .from = slice * bits,
                      .to = (slice + 1) * bits - 1,
                      .polarity = cells.parts == 1 ? NULL
                                  : part           ? "negative"
                                                   : "positive",
                      .has_level = crossbar_has_levels(w->program, g)};
    if (p.to >= cells.rule.weight_bits)
        p.to = cells.rule.weight_bits - 1;
    if (p.has_level) {
        struct arena *a = arena_new();
        struct cell_column c =
            cell_column_of(w->program, g, place->pe, place->logical, part, slice, a);
        p.level = c.level[place->row - c.row];
        p.inverted = c.inverted;
        arena_free(a);
    }
    return p;
}

static void print_piece(const struct piece *p, bool is_only, FILE *out)
{
    fprintf(out, "%u", p->cell.column);
    if (!is_only && p->polarity)
        fprintf(out, " %c", *p->polarity == 'p' ? '+' : '-');
    if (!is_only && p->from == p->to)
        fprintf(out, " bit %u", p->from);
    else if (!is_only)
        fprintf(out, " bits %u-%u", p->from, p->to);
    if (p->has_level)
        fprintf(out, ": %u%s", p->level, p->inverted ? " inverted" : "");
}

/* A line for each row of the crossbar that the weight takes. */
static void print_place(const struct where *w, const struct where_place *p, bool patch, FILE *out)
{
    struct weight_cells cells = weight_cells_of(w->program, w->layer->image);
    for (unsigned i = 0; i < cells.down; i++) {
        fprintf(out, "%6u  %4u  %12u", p->tile, p->pe->pe, p->row * cells.down + i);
        if (patch)
            fprintf(out, "  %4u,%5u", p->pixel[0], p->pixel[1]);
        for (unsigned k = 0; k < cells.across; k++) {
            unsigned part = cells.down > 1 ? i : k / cells.slices;
            struct piece piece = piece_of(w, p, part, k % cells.slices);
            fprintf(out, k ? ", " : "  ");
            print_piece(&piece, cells.slices * cells.parts == 1, out);
        }
        fprintf(out, "\n");
    }
}

static void print_layer(const struct where *w, const struct where_layer *l, FILE *out)
{
    fprintf(out, "layer %td '", l - w->layers);
    print_plain(where_layer_name(w, l), out);
    fputc('\'', out);
}

void where_print_text(const struct where *w, const struct where_asked *asked, FILE *out)
{
    const struct isa_image *image = &w->program->images[w->layer->image];
    struct coordinates c = coordinates_of(w);
    struct isa_mapping m = isa_mapping_of(w->program, w->layer->group);
    struct isa_weight n = isa_mapping_weights(&m);
    bool patch = isa_has_patch(w->layer->group);
    struct text value = {0};
    if (image->element == ELEMENT_i8)
        text_add(&value, "%.0f", value_of(w));
    else
        text_add_f32(&value, (float)value_of(w));
    if (asked->is_given)
        fprintf(out, "tile %u, PE %u, crossbar row %u, column %u:\n", asked->tile, asked->pe,
                asked->row, asked->column);
    print_layer(w, w->layer, out);
    fprintf(out, ", row %u of %u, column %u of %u: %s\n", w->weight.row, n.row, w->weight.column,
            n.column, value.at);
    if (entity_of(w)) {
        print_plain(entity_of(w), out);
        fputs(": ", out);
    }
    fprintf(out, "kernel row %u, kernel column %u, input channel %u, output channel %u\n",
            c.kernel_row, c.kernel_column, c.input_channel, c.output_channel);
    for (size_t i = 0; i < w->n_layers && where_shares(w, w->layer); i++) {
        if (w->layers[i].image != w->layer->image || &w->layers[i] == w->layer)
            continue;
        fputs("also ", out);
        print_layer(w, &w->layers[i], out);
        fputc('\n', out);
    }
    fprintf(out, "\n%6s  %4s  %12s  %s%s\n", "tile", "PE", "crossbar row",
            patch ? "     pixel  " : "",
            weight_cells_of(w->program, w->layer->image).across > 1 ? "columns" : "column");
    for (size_t i = 0; i < w->places.n; i++)
        print_place(w, &w->places.at[i], patch, out);
    text_free(&value);
}

static void json_columns(const struct where *w, const struct where_place *place, struct json *j)
{
    struct weight_cells cells = weight_cells_of(w->program, w->layer->image);
    json_open_array(j, "columns");
    for (unsigned k = 0; k < cells.slices * cells.parts; k++) {
        struct piece p = piece_of(w, place, k / cells.slices, k % cells.slices);
        json_open_map(j, NULL);
        json_integer(j, "row", p.cell.row);
        json_integer(j, "column", p.cell.column);
        json_integer(j, "slice", p.slice);
        json_integer(j, "low_bit", p.from);
        json_integer(j, "high_bit", p.to);
        json_text(j, "polarity", p.polarity);
        if (p.has_level) {
            json_integer(j, "level", p.level);
            json_bool(j, "inverted", p.inverted);
        }
        json_close_map(j);
    }
    json_close_array(j);
}

static void json_pair(struct json *j, const char *name, const uint32_t pair[2])
{
    json_open_array(j, name);
    for (int i = 0; i < 2; i++)
        json_integer(j, NULL, pair[i]);
    json_close_array(j);
}

void where_print_json(const struct where *w, const struct where_asked *asked, const char *program,
                      FILE *out)
{
    struct coordinates c = coordinates_of(w);
    struct isa_mapping m = isa_mapping_of(w->program, w->layer->group);
    struct isa_weight n = isa_mapping_weights(&m);
    struct weight_cells cells = weight_cells_of(w->program, w->layer->image);
    struct json *j = json_new();
    json_open_map(j, NULL);
    origin_json(w->program->options, &w->program->arch, j);
    json_text(j, "program", program);
    json_text(j, "layer", where_layer_name(w, w->layer));
    json_integer(j, "layer_number", w->layer - w->layers);
    json_text(j, "source", entity_of(w));
    json_integer(j, "rows", n.row);
    json_integer(j, "columns", n.column);
    json_pair(j, "patch", m.patch);
    json_integer(j, "row", w->weight.row);
    json_integer(j, "column", w->weight.column);
    json_real(j, "value", value_of(w));
    json_integer(j, "kernel_row", c.kernel_row);
    json_integer(j, "kernel_column", c.kernel_column);
    json_integer(j, "input_channel", c.input_channel);
    json_integer(j, "output_channel", c.output_channel);
    json_open_array(j, "shared_with");
    for (size_t i = 0; i < w->n_layers; i++) {
        if (w->layers[i].image == w->layer->image && &w->layers[i] != w->layer)
            json_text(j, NULL, where_layer_name(w, &w->layers[i]));
    }
    json_close_array(j);
    json_open_array(j, "places");
    for (size_t i = 0; i < w->places.n; i++) {
        const struct where_place *p = &w->places.at[i];
        json_open_map(j, NULL);
        json_integer(j, "tile", p->tile);
        json_integer(j, "pe", p->pe->pe);
        json_integer(j, "group", p->group);
        json_integer(j, "crossbar_row", p->row * cells.down);
        json_pair(j, "pixel", p->pixel);
        json_columns(w, p, j);
        json_close_map(j);
    }
    json_close_array(j);
    if (asked->is_given) {
        json_open_map(j, "cell");
        json_integer(j, "tile", asked->tile);
        json_integer(j, "pe", asked->pe);
        json_integer(j, "crossbar_row", asked->row);
        json_integer(j, "column", asked->column);
        json_close_map(j);
    }
    json_close_map(j);
    json_finish(j, out);
}
