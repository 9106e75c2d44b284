/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_style.c - colours of pictures, as style sheets for light and for dark screens.
 *
 * Things in an order, layers above all, have colours along one ramp whose lightness always grows:
 * who cannot tell hues apart sees the order too. Every second one is darker, so that neighbours
 * differ however many there are.
 */
#include "views.h"

#include "page_files.h"

#include <math.h>

struct colour {
    double red, green, blue; /* 0 to 255 */
};

static struct colour mix(struct colour a, struct colour b, double share)
{
    return (struct colour){a.red + share * (b.red - a.red), a.green + share * (b.green - a.green),
                           a.blue + share * (b.blue - a.blue)};
}

static void print_colour(FILE *out, char kind, uint32_t i, struct colour c)
{
    fprintf(out, ".%c%u{color:#%02x%02x%02x}", kind, i, (unsigned)lround(c.red),
            (unsigned)lround(c.green), (unsigned)lround(c.blue));
}

/* Dark blue, teal, green, yellow: without the ends, which backgrounds swallow. */
static struct colour ramp(double share)
{
    static const struct colour at[] = {
        {0x46, 0x32, 0x7e}, {0x3b, 0x52, 0x8b}, {0x2c, 0x72, 0x8e}, {0x21, 0x91, 0x8c},
        {0x28, 0xae, 0x80}, {0x5e, 0xc9, 0x62}, {0x9b, 0xd9, 0x3c},
    };
    int last = sizeof at / sizeof *at - 1;
    double x = share * last;
    int i = (int)x < last ? (int)x : last - 1;
    return mix(at[i], at[i + 1], x - i);
}

static void print_ramp(FILE *out, char kind, uint32_t n, bool is_dark)
{
    static const struct colour black = {0, 0, 0}, white = {255, 255, 255};
    for (uint32_t i = 0; i < n; i++) {
        double share = n > 1 ? (double)i / (n - 1) : 0.5;
        struct colour c = mix(ramp(share), white, is_dark ? 0.36 - 0.3 * share : 0.06);
        print_colour(out, kind, i, mix(c, black, i % 2 ? 0.16 : 0));
    }
}

void view_print_colours(FILE *out, char kind, uint32_t n)
{
    print_ramp(out, kind, n, false);
    fputs("\n@media (prefers-color-scheme:dark){", out);
    print_ramp(out, kind, n, true);
    fputs("}\n", out);
}

static void print_shades(FILE *out, struct colour none, struct colour all)
{
    for (uint32_t i = 0; i <= VIEW_SHADES; i++)
        print_colour(out, 'h', i, mix(none, all, (double)i / VIEW_SHADES));
}

void view_print_shades(FILE *out)
{
    static const struct colour light[] = {{0xe8, 0xf0, 0xfa}, {0x08, 0x30, 0x6b}};
    static const struct colour dark[] = {{0x25, 0x2d, 0x39}, {0x9c, 0xcc, 0xff}};
    print_shades(out, light[0], light[1]);
    fputs("\n@media (prefers-color-scheme:dark){", out);
    print_shades(out, dark[0], dark[1]);
    fputs("}\n", out);
}

int view_shade(double share)
{
    return (int)lround(VIEW_SHADES * fmin(fmax(share, 0), 1));
}

void view_print_style(FILE *out)
{
    fputs(picture_css, out);
    for (int i = 0; i < VIEW_OPACITIES; i++)
        fprintf(out, ".sched .o%d{fill-opacity:%.2f}", i, 0.25 + 0.75 * (i + 1) / VIEW_OPACITIES);
    fputc('\n', out);
}
