/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* views_picture.h - a picture of schedules: what its files share. Lengths are pixels. */
#ifndef CIMC_VIEWS_PICTURE_H
#define CIMC_VIEWS_PICTURE_H

#include "views.h"

enum { STRIP_PARTS = 800, LEGEND_LETTERS = 34 };

struct picture {
    const struct views *views;
    FILE *out;
    bool by_frame;                  /* colours are those of frames, not of layers */
    bool has_heads;                 /* else a page says what they say */
    double left[VIEW_MODES], width; /* of the panels */
    double scale[VIEW_MODES];       /* pixels a cycle; 0: the mode is not drawn */
    uint32_t n_tiles;
    double row; /* height of a tile */
    /* Below a tile's PEs there are bars of the units that take time; unit_row 0: no such unit. */
    double pes_height, unit_height;
    int unit_row[UNIT_DRAM + 1];
    double busy[VIEW_MODES][STRIP_PARTS], most_busy;
};

void picture_open_text(struct picture *p, double x, double y, const char *class);
/* views_panel.c: one mode, with the runs of its sets and works. */
void picture_draw_panel(struct picture *p, int mode, const view_runs *runs, double top);
double picture_panel_height(const struct picture *p);

#endif
