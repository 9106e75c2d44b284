/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * closest.c - distance of names: inserted, dropped, changed and swapped characters
 * (optimal string alignment), a row of the table at a time.
 */
#include "base/closest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Upper and lower case are one. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= nb; j++)
        last[j] = j;
    for (unsigned i = 1; i <= na; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[nb];
}

void closest_offer(struct closest *c, const char *name)
{
    size_t n = strlen(c->to), m = strlen(name);
    if (n == 0 || n > LONGEST || m == 0 || m > LONGEST)
        return;
    unsigned far = n < 4 ? 1 : n < 9 ? 2 : 3; /* further off it is another name */
    size_t apart = n > m ? n - m : m - n;
    if (apart > far)
        return;
    unsigned d = distance(c->to, n, name, m);
    if (d <= far && d < n && (!c->name || d < c->distance)) {
        c->name = name;
        c->distance = d;
    }
}
