/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * energy_report.c - what a run costs, from its counts and the machine's prices. CLI.md lists the
 * keys. Values in JSON are exact decimals: those of operations, and those of tiles, add up to those
 * of units, and these and leakage to the total.
 */
#include "energy_report.h"

#include <string.h>

static bool any_in(const struct arch_prices *p, const char *unit)
{
    bool any = false;
#define PRICE(name, its_unit, meaning) any = any || (p->name && strcmp(its_unit, unit) == 0);
#include "prices.def"
#undef PRICE
    return any;
}

/* Of what a run does, or of leakage. */
static bool any_energy(const struct arch *arch)
{
    bool any = any_in(&arch->price, "uW");
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++)
        any = any ||
              (energy_counters[i].price_name && !energy_lacks_price(arch, &energy_counters[i]));
    return any;
}

struct energy_report energy_report_new(const struct isa_program *p, const struct isa_energy *counts,
                                       uint64_t cycles)
{
    struct energy_report r = {.arch = &p->arch,
                              .counts = counts,
                              .nodes = p->nodes,
                              .tiles = p->arch.tiles ? (uint64_t)p->arch.tiles : p->n_tiles,
                              .cycles = cycles,
                              .has_prices = any_energy(&p->arch),
                              .has_areas = any_in(&p->arch.price, "um2")};
    r.total = r.leakage = energy_leakage(r.arch, r.tiles, cycles);
    r.loading = (millionths)counts->rows_written * (uint64_t)r.arch->price.crossbar_write_row_pj;
    for (unsigned u = 0; u < N_ENERGY_UNITS; u++) {
        r.by_unit[u] = energy_of_unit(r.arch, &counts->total, u);
        r.area_by_unit[u] = energy_area(r.arch, r.tiles, u);
        r.total += r.by_unit[u];
        r.area += r.area_by_unit[u];
    }
    return r;
}

double energy_report_frame_pj(const struct energy_report *r)
{
    return millionths_real(r->total) / r->counts->frames;
}

/* ---- people ---- */

static const char *pj_text(double pj, char buffer[ENERGY_TEXT])
{
    static const char *const unit[] = {"pJ", "nJ", "uJ", "mJ", "J"};
    unsigned i = 0;
    for (; pj >= 1000 && i + 1 < sizeof unit / sizeof *unit; i++)
        pj /= 1000;
    snprintf(buffer, ENERGY_TEXT, "%.4g %s", pj, unit[i]);
    return buffer;
}

const char *energy_text(millionths pj, char buffer[ENERGY_TEXT])
{
    return pj_text(millionths_real(pj), buffer);
}

static double percent(millionths part, millionths all)
{
    return all ? 100 * (double)part / (double)all : 0;
}

const char *energy_unit_text(unsigned unit, char buffer[ENERGY_UNIT_TEXT])
{
    snprintf(buffer, ENERGY_UNIT_TEXT, "%s",
             unit < N_ENERGY_UNITS ? energy_unit_names[unit] : "leakage");
    for (char *c = buffer; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    return buffer;
}

static bool is_unpaid(const struct energy_report *r, const struct energy_counter *c)
{
    return energy_lacks_price(r->arch, c) && energy_count(&r->counts->total, c) > 0;
}

void energy_report_line(const struct energy_report *r, FILE *out)
{
    char text[ENERGY_TEXT], name[ENERGY_UNIT_TEXT];
    if (r->has_prices) {
        fprintf(out, "energy %s %s:", pj_text(energy_report_frame_pj(r), text),
                r->counts->frames > 1 ? "a frame" : "an image");
        for (unsigned u = 0; u < N_ENERGY_UNITS; u++)
            if (r->by_unit[u] > 0)
                fprintf(out, " %s %.3g %%,", energy_unit_text(u, name),
                        percent(r->by_unit[u], r->total));
        fprintf(out, " leakage %.3g %%\n", percent(r->leakage, r->total));
    }
    if (r->has_areas)
        fprintf(out, "area %.4g mm2 of %llu tile%s\n", millionths_real(r->area) / 1e6,
                (unsigned long long)r->tiles, r->tiles == 1 ? "" : "s");
}

static void print_counters(const struct energy_report *r, FILE *out)
{
    char text[ENERGY_TEXT], price[MILLIONTHS_TEXT];
    fprintf(out, "%-20s  %18s  %12s  %10s\n", "counter", "count", "price, pJ", "energy");
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++) {
        const struct energy_counter *c = &energy_counters[i];
        uint64_t n = energy_count(&r->counts->total, c);
        millionths each = energy_price(r->arch, c);
        fprintf(out, "%-20s  %18llu  %12s  %10s\n", c->name, (unsigned long long)n,
                each            ? millionths_text(each, price)
                : c->price_name ? "none"
                                : "-",
                each ? energy_text(n * each, text) : "-");
    }
    fprintf(out, "%-20s  %18llu  %12s  %10s\n", "leakage, cycles", (unsigned long long)r->cycles,
            "", energy_text(r->leakage, text));
    fprintf(out, "%-20s  %18s  %12s  %10s\n", "total", "", "", energy_text(r->total, text));
    fprintf(out, "%-20s  %18llu  %12s  %10s\n", "rows written, once",
            (unsigned long long)r->counts->rows_written, "", energy_text(r->loading, text));
}

/* A node's name, or what the model's node is called that it comes from. */
static const char *node_name(const struct energy_report *r, uint32_t node)
{
    if (node == r->counts->n_nodes)
        return "";
    const struct isa_node *n = &r->nodes[node];
    return *n->name || !n->entity ? n->name : n->entity;
}

static const char *node_op(const struct energy_report *r, uint32_t node)
{
    return node == r->counts->n_nodes ? "" : r->nodes[node].op;
}

static void print_operations(const struct energy_report *r, FILE *out)
{
    char text[ENERGY_TEXT];
    fprintf(out, "\n%10s  %7s  operation\n", "energy", "share");
    for (uint32_t i = 0; i <= r->counts->n_nodes; i++) {
        millionths energy = energy_of(r->arch, &r->counts->of_node[i]);
        if (energy == 0)
            continue;
        fprintf(out, "%10s  %5.2f %%  %s ", energy_text(energy, text), percent(energy, r->total),
                node_op(r, i));
        print_plain(node_name(r, i), out);
        fputc('\n', out);
    }
}

static void print_areas(const struct energy_report *r, FILE *out)
{
    char name[ENERGY_UNIT_TEXT];
    fprintf(out, "\n%10s  %7s  unit\n", "area, mm2", "share");
    for (unsigned u = 0; u < N_ENERGY_UNITS; u++)
        if (r->area_by_unit[u] > 0)
            fprintf(out, "%10.4g  %5.2f %%  %s\n", millionths_real(r->area_by_unit[u]) / 1e6,
                    percent(r->area_by_unit[u], r->area), energy_unit_text(u, name));
}

void energy_report_table(const struct energy_report *r, FILE *out)
{
    fputc('\n', out);
    print_counters(r, out);
    if (r->has_prices)
        print_operations(r, out);
    if (r->has_areas)
        print_areas(r, out);
}

/* ---- machines ---- */

void energy_json(struct json *j, const char *key, millionths value)
{
    char text[MILLIONTHS_TEXT];
    json_number(j, key, millionths_text(value, text));
}

static void units_json(const millionths value[N_ENERGY_UNITS], const char *key, struct json *j)
{
    json_open_map(j, key);
    for (unsigned u = 0; u < N_ENERGY_UNITS; u++)
        energy_json(j, energy_unit_names[u], value[u]);
    json_close_map(j);
}

static void operations_json(const struct energy_report *r, struct json *j)
{
    json_open_array(j, "by_operation");
    for (uint32_t i = 0; i <= r->counts->n_nodes; i++) {
        millionths energy = energy_of(r->arch, &r->counts->of_node[i]);
        if (energy == 0)
            continue;
        json_open_map(j, NULL);
        json_text(j, "name", node_name(r, i));
        json_text(j, "op", node_op(r, i));
        energy_json(j, "energy_pj", energy);
        json_close_map(j);
    }
    json_close_array(j);
    json_open_array(j, "by_tile_pj");
    for (uint32_t i = 0; r->has_prices && i < r->counts->n_tiles; i++)
        energy_json(j, NULL, energy_of(r->arch, &r->counts->of_tile[i]));
    json_close_array(j);
}

static void counters_json(const struct energy_report *r, struct json *j)
{
    json_open_map(j, "counters");
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++)
        json_integer(j, energy_counters[i].name,
                     (int64_t)energy_count(&r->counts->total, &energy_counters[i]));
    json_integer(j, "crossbar_rows_written", (int64_t)r->counts->rows_written);
    json_integer(j, "cycles", (int64_t)r->cycles);
    json_close_map(j);
    json_open_array(j, "no_price");
    const char *last = ""; /* counters of one price stand together */
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++) {
        const struct energy_counter *c = &energy_counters[i];
        if (is_unpaid(r, c) && strcmp(c->price_name, last) != 0)
            json_text(j, NULL, last = c->price_name);
    }
    json_close_array(j);
}

void energy_report_json(const struct energy_report *r, struct json *j)
{
    json_open_map(j, "energy");
    json_integer(j, "frames", r->counts->frames);
    energy_json(j, "total_pj", r->total);
    json_real(j, "per_frame_pj", energy_report_frame_pj(r));
    energy_json(j, "leakage_pj", r->leakage);
    energy_json(j, "loading_pj", r->loading);
    units_json(r->by_unit, "by_unit", j);
    operations_json(r, j);
    counters_json(r, j);
    json_close_map(j);
    if (!r->has_areas)
        return;
    energy_json(j, "area_um2", r->area);
    units_json(r->area_by_unit, "area_by_unit_um2", j);
}
