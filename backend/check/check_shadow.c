/*
 * check_shadow.c - what lies where in each tile's buffer, who wrote it, who still reads it.
 *
 * Every element of memory that a view shows has a mark: the event that wrote it and the tag of the
 * logical element it holds. Neighbours that are always used together (channels of a pixel) share
 * one, a grain; a grain is cut up when an access begins or ends inside it. A read needs the writing
 * event to be in the reader's clock. A write needs the events it overwrites and all readers of the
 * old contents in the writer's knowledge.
 *
 * Readers are kept per ring slot. Where the written views of a cluster agree on rows, each row is a
 * slot and its life is the lap of the ring: the first write of a lap turns the readers so far into
 * readers of an earlier life, for which every writer of the new life must have waited. Writing
 * other columns of the row that is being read is fine; writing an element of this life again needs
 * this life's readers too. Where they do not agree the whole cluster is one slot without lives, and
 * overwriting anything needs all readers.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- clusters ---- */

/* Bytes from a row's first address on: [*lo, *hi) over all held columns and channels. */
static void row_bytes(const struct isa_view *v, int64_t *lo, int64_t *hi)
{
    int64_t x = (int64_t)(v->x1 - v->x0 - 1) * v->col_pitch;
    int64_t c = ((int64_t)v->channels - 1) * v->channel_pitch;
    *lo = min_i64(x, 0) + min_i64(c, 0);
    *hi = max_i64(x, 0) + max_i64(c, 0) + (int64_t)element_bytes(v->element);
}

static bool view_bytes(const struct isa_view *v, uint64_t *lo, uint64_t *hi)
{
    if (v->y0 >= v->y1 || v->x0 >= v->x1 || v->channels == 0)
        return false;
    int64_t ring = v->ring_rows, rows = v->y1 - (int64_t)v->y0;
    int64_t first =
        v->y0 - (int64_t)v->ring_origin - ring * floor_div_i64(v->y0 - v->ring_origin, ring);
    bool wraps = first + rows > ring;
    int64_t top = (wraps ? 0 : first) * v->row_pitch;
    int64_t bottom = (wraps ? ring - 1 : first + rows - 1) * v->row_pitch;
    int64_t row_lo, row_hi;
    row_bytes(v, &row_lo, &row_hi);
    *lo = v->base + (uint64_t)(min_i64(top, bottom) + row_lo);
    *hi = v->base + (uint64_t)(max_i64(top, bottom) + row_hi);
    return true;
}

struct extent {
    uint64_t lo, hi;
    uint32_t view;
};

static int by_lo(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    return x->lo != y->lo ? (x->lo < y->lo ? -1 : 1) : (x->view > y->view) - (x->view < y->view);
}

static void make_clusters(struct check *k, struct tile_state *t)
{
    struct extent *e = heap_alloc(((size_t)t->t->n_views + 1) * sizeof *e);
    size_t n = 0;
    for (uint32_t i = 0; i < t->t->n_views; i++)
        if (view_bytes(&t->t->views[i], &e[n].lo, &e[n].hi))
            e[n++].view = i;
    qsort(e, n, sizeof *e, by_lo);
    t->clusters = ARENA_ARRAY(k->arena, struct cluster, n + 1);
    struct cluster *c = t->clusters;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && e[i].lo >= c->hi)
            c++;
        if (c->hi == 0) {
            c->lo = e[i].lo;
            c->place_bytes = element_bytes(t->t->views[e[i].view].element);
        }
        c->hi = c->hi > e[i].hi ? c->hi : e[i].hi;
        t->views[e[i].view].cluster = c;
    }
    t->n_clusters = n ? (uint32_t)(c - t->clusters) + 1 : 0;
    free(e);
}

/* Do the rows of the view coincide with the cluster's slots? */
static bool fits_slots(const struct check_view *v, const struct cluster *c)
{
    int64_t lo, hi;
    row_bytes(v->v, &lo, &hi);
    uint64_t from = v->v->base + (uint64_t)lo;
    return v->v->ring_rows == c->n_slots && from >= c->slot_lo &&
           v->v->base + (uint64_t)hi <= c->slot_lo + c->slot_bytes &&
           (c->n_slots == 1 || v->v->row_pitch == (int64_t)c->slot_bytes);
}

/* A view that shows more channels in front of the written ones has the same slots, which then begin
 * there, if what is written stays inside. */
static void begin_slots_earlier(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct check_view *v = &t->views[i];
        struct cluster *c = v->cluster;
        if (v->written || !c || !c->written || v->v->ring_rows != c->n_slots ||
            v->v->row_pitch != (int64_t)c->slot_bytes)
            continue;
        int64_t lo, hi;
        row_bytes(v->v, &lo, &hi);
        uint64_t from = v->v->base + (uint64_t)lo;
        if (from < c->slot_lo && c->slot_hi <= from + c->slot_bytes)
            c->slot_lo = from;
    }
}

/* The first written view of a cluster proposes the slots; all written ones must agree. */
static void shape_clusters(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct check_view *v = &t->views[i];
        struct cluster *c = v->cluster;
        if (!v->written || !c)
            continue;
        int64_t lo, hi;
        row_bytes(v->v, &lo, &hi);
        uint64_t from = v->v->base + (uint64_t)lo, end = v->v->base + (uint64_t)hi;
        if (!c->written) {
            c->written = true;
            c->n_slots = v->v->ring_rows;
            c->ringed = c->n_slots == 1 || v->v->row_pitch > 0;
            c->slot_bytes = c->n_slots == 1 ? c->hi - c->lo : (uint64_t)v->v->row_pitch;
            c->slot_lo = from;
        }
        c->slot_lo = from < c->slot_lo ? from : c->slot_lo;
        c->slot_hi = end > c->slot_hi ? end : c->slot_hi;
    }
    begin_slots_earlier(t);
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        struct cluster *c = t->views[i].cluster;
        if (t->views[i].written && c && !fits_slots(&t->views[i], c))
            c->ringed = false;
    }
}

static void place_views(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        struct check_view *v = &t->views[i];
        const struct isa_view *s = v->v;
        const int64_t size = (int64_t)element_bytes(s->element);
        v->row = s->row_pitch / size;
        v->col = s->col_pitch / size;
        v->ch = s->channel_pitch / size;
        v->claimed =
            v->ch == 1 && v->col >= v->ch * s->channels && (s->ring_rows == 1 || v->row >= v->col);
        if (!v->cluster)
            continue;
        v->origin = ((int64_t)s->base - (int64_t)v->cluster->lo) / size;
        v->in_ring = v->cluster->ringed && fits_slots(v, v->cluster);
    }
}

/* The first cluster that ends behind the byte: clusters are ascending and apart. */
static uint32_t cluster_behind(const struct tile_state *t, uint64_t byte)
{
    uint32_t first = 0, n = t->n_clusters;
    while (n > 0) {
        bool before = t->clusters[first + n / 2].hi <= byte;
        first += before ? n / 2 + 1 : 0;
        n = before ? n - n / 2 - 1 : n / 2;
    }
    return first;
}

static void cut_grain(struct cluster *c, uint64_t byte)
{
    if (byte > c->lo && byte < c->hi)
        c->grain = gcd_u64(c->grain, (byte - c->lo) / c->place_bytes);
}

/* Places that all views of the cluster keep together. */
static void find_grain(const struct check_view *v)
{
    struct cluster *c = v->cluster;
    if (!c)
        return;
    if (v->ch != 1 && v->v->channels > 1)
        c->grain = 1;
    c->grain = gcd_u64(c->grain, gcd_u64((uint64_t)v->origin, v->v->channels));
    c->grain = gcd_u64(c->grain, gcd_u64((uint64_t)llabs(v->row), (uint64_t)llabs(v->col)));
}

static void find_grains(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++)
        find_grain(&t->views[i]);
    for (uint32_t i = 0; i < t->t->n_preloads; i++) {
        uint64_t lo = t->t->preloads[i].address, hi = lo + t->t->preloads[i].length;
        for (uint32_t k = cluster_behind(t, lo); k < t->n_clusters && t->clusters[k].lo < hi; k++) {
            cut_grain(&t->clusters[k], lo);
            cut_grain(&t->clusters[k], hi);
        }
    }
}

static uint64_t n_places(const struct cluster *c)
{
    return (c->hi - c->lo) / c->place_bytes;
}

static uint64_t *new_marks(const struct cluster *c, uint64_t grain)
{
    size_t n = (size_t)(n_places(c) / grain + 1);
    return heap_unless_huge(calloc(n, sizeof(uint64_t)), n * sizeof(uint64_t));
}

/* Zero pages that are never touched cost nothing; what cannot be had at all is not our mistake. */
static bool allocate(struct check *k, struct tile_state *t)
{
    find_grains(t);
    for (uint32_t i = 0; i < t->n_clusters; i++) {
        struct cluster *c = &t->clusters[i];
        if (!c->ringed)
            c->n_slots = 1;
        uint64_t *largest = new_marks(c, 1);
        free(largest); /* it can be had if need be */
        c->marks = new_marks(c, c->grain);
        size_t n = (size_t)c->n_slots;
        c->slots = heap_unless_huge(calloc(n, sizeof *c->slots), n * sizeof *c->slots);
        if (!largest || !c->marks || !c->slots)
            return check_fault_program(k,
                                       "tile %u: %" PRIu64 " bytes of buffer are too many to check",
                                       t->number, c->hi - c->lo);
    }
    return true;
}

static void preload(struct check *k, struct tile_state *t, const struct isa_preload *p)
{
    const uint8_t *section = isa_section_data(&k->p->sections[p->section]);
    const uint8_t *bytes = section + p->offset;
    const uint64_t end = p->address + p->length;
    for (uint32_t i = cluster_behind(t, p->address); i < t->n_clusters; i++) {
        struct cluster *c = &t->clusters[i];
        uint64_t lo = c->lo > p->address ? c->lo : p->address, hi = c->hi < end ? c->hi : end;
        uint64_t size = c->place_bytes;
        if (lo >= hi)
            break;
        uint32_t range = check_range_raw(k, bytes, p->length / size);
        if (check_gave_up(k))
            return;
        uint64_t tag = k->tags.ranges.at[range].base + (lo - p->address) / size;
        for (uint64_t at = lo; at < hi; at += size * c->grain, tag += c->grain)
            c->marks[(at - c->lo) / size / c->grain] = tag;
        c->preloaded = true;
    }
}

bool check_shadow_prepare(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        make_clusters(k, t);
        shape_clusters(t);
        place_views(t);
        if (!allocate(k, t))
            return false;
        for (uint32_t j = 0; j < t->t->n_preloads; j++)
            preload(k, t, &t->t->preloads[j]);
    }
    return !check_gave_up(k);
}

void check_shadow_free(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        for (uint32_t j = 0; j < k->tiles[i].n_clusters; j++) {
            free(k->tiles[i].clusters[j].marks);
            free(k->tiles[i].clusters[j].slots);
        }
}

uint64_t check_place(const struct check_view *v, int64_t y, int64_t x, int64_t c)
{
    int64_t u = y - v->v->ring_origin,
            slot = u - v->v->ring_rows * floor_div_i64(u, v->v->ring_rows);
    return (uint64_t)(v->origin + slot * v->row + (x - v->v->x0) * v->col + c * v->ch);
}

uint64_t check_mark(const struct check_view *v, int64_t y, int64_t x, int64_t c)
{
    uint64_t place = check_place(v, y, x, c), grain = v->cluster->grain;
    uint64_t mark = v->cluster->marks[place / grain];
    return (uint32_t)mark ? mark + place % grain : mark;
}

/* ---- slots ---- */

static struct ring_slot *slot_of(const struct check_view *v, int64_t y, int64_t *life)
{
    int64_t u = y - v->v->ring_origin, ring = v->v->ring_rows;
    *life = floor_div_i64(u, ring);
    return &v->cluster->slots[u - ring * *life];
}

/* A list in the arena that grows by doubling. */
static void *grown(struct check *k, void *at, uint32_t n, size_t bytes)
{
    if (n & (n - 1))
        return at; /* between powers of two there is room */
    void *more = arena_alloc(k->arena, (n ? 2 * (size_t)n : 1) * bytes);
    if (n)
        memcpy(more, at, n * bytes);
    return more;
}

static void note_reader(struct actor *a, struct ring_slot *s)
{
    for (uint32_t i = 0; i < s->n_readers; i++)
        if (s->readers[i].queue == a->queue) {
            s->readers[i].now = a->number;
            return;
        }
    s->readers = grown(a->k, s->readers, s->n_readers, sizeof *s->readers);
    s->readers[s->n_readers++] = (struct slot_reader){a->queue, a->number, 0};
}

/* Slots that a row of a view with another geometry touches. */
static void note_by_address(struct actor *a, const struct check_view *v, int64_t y)
{
    struct cluster *c = v->cluster;
    int64_t lo, hi;
    row_bytes(v->v, &lo, &hi);
    int64_t row = (int64_t)(check_place(v, y, v->v->x0, 0) * c->place_bytes + c->lo);
    int64_t first = floor_div_i64(row + lo - (int64_t)c->slot_lo, (int64_t)c->slot_bytes);
    int64_t last = floor_div_i64(row + hi - 1 - (int64_t)c->slot_lo, (int64_t)c->slot_bytes);
    for (int64_t s = max_i64(first, 0); s <= min_i64(last, (int64_t)c->n_slots - 1); s++)
        note_reader(a, &c->slots[s]);
}

void check_note_read(struct actor *a, const struct check_view *v, int64_t y)
{
    struct cluster *c = v->cluster;
    if (!c->written)
        return;
    if (!c->ringed) {
        note_reader(a, &c->slots[0]);
        return;
    }
    if (!v->in_ring) {
        note_by_address(a, v, y);
        return;
    }
    int64_t life;
    struct ring_slot *s = slot_of(v, y, &life);
    if (!s->used) {
        s->used = true;
        s->life = life;
    }
    if (life < s->life)
        check_fault(a,
                    "reads row %" PRId64
                    " of view %td, whose place in the ring has been given to a "
                    "later row",
                    y, v->v - a->t->t->views);
    note_reader(a, s);
}

static void want_reader(struct writer *w, uint32_t queue, uint32_t number, const char *what)
{
    if (w->known[queue] >= number)
        return;
    if (w->t == w->a->t && queue == w->a->queue && number == w->a->number)
        return; /* it reads in place */
    check_fault(w->a,
                "overwrites memory of tile %u that instruction %u of its queue %u, a reader of "
                "%s, may still be reading (known: %u completed)",
                w->t->number, number, queue, what, w->known[queue]);
}

static void begin_life(struct writer *w, struct ring_slot *s, int64_t life)
{
    if (s->used && life > s->life) {
        for (uint32_t i = 0; i < s->n_readers; i++) {
            struct slot_reader *r = &s->readers[i];
            r->before = r->now > r->before ? r->now : r->before;
            r->now = 0;
        }
        s->n_writers = 0;
        s->lapped = true;
    }
    if (!s->used || life > s->life)
        s->life = life;
    s->used = true;
    for (uint32_t i = 0; i < s->n_readers; i++) {
        want_reader(w, s->readers[i].queue, s->readers[i].before, "an older row");
        if (life < s->life)
            want_reader(w, s->readers[i].queue, s->readers[i].now, "a newer row");
    }
}

void check_begin_row(struct writer *w, const struct check_view *v, int64_t y)
{
    struct cluster *c = v->cluster;
    if (c->preloaded)
        w->t->preload_writes++;
    w->lives = c->ringed;
    w->slot = &c->slots[0];
    if (!c->ringed)
        return;
    int64_t life;
    struct ring_slot *s = slot_of(v, y, &life);
    begin_life(w, s, life);
    w->slot = s;
    /* Other channels of the slot may be a lap ahead; this is no write of its present life then. */
    if (life < s->life)
        return;
    for (uint32_t i = 0; i < s->n_writers; i++)
        if (s->writers[i].dim == w->dim)
            return;
    s->writers = grown(w->a->k, s->writers, s->n_writers, sizeof *s->writers);
    s->writers[s->n_writers++] = (struct slot_writer){w->dim, w->number};
}

/* ---- marks ---- */

enum { BLOCK = 64 };

/* Smaller grains: each old one becomes several with consecutive tags. */
static void refine(struct cluster *c, uint64_t grain)
{
    uint64_t *marks = new_marks(c, grain), parts = c->grain / grain;
    if (!marks)
        out_of_memory((size_t)(n_places(c) / grain) * sizeof *marks);
    for (uint64_t i = 0; i < n_places(c) / c->grain; i++)
        for (uint64_t j = 0; c->marks[i] && j < parts; j++)
            marks[i * parts + j] = c->marks[i] + j * grain;
    free(c->marks);
    c->marks = marks;
    c->grain = grain;
}

/* The marks of n elements from `place` on, in whole grains. */
static uint64_t *whole_grains(struct cluster *c, uint64_t place, uint32_t n)
{
    if (place % c->grain || n % c->grain)
        refine(c, gcd_u64(c->grain, gcd_u64(place, n)));
    return c->marks + place / c->grain;
}

/* How many marks are first, first + step, ...: same event, consecutive tags. */
static uint32_t count_consecutive(const uint64_t *m, uint32_t n, uint64_t first, uint64_t step)
{
    uint32_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint64_t differ = 0;
        for (uint32_t j = 0; j < BLOCK; j++)
            differ |= m[i + j] ^ (first + (i + j) * step);
        if (differ)
            break;
    }
    while (i < n && m[i] == first + i * step)
        i++;
    return i;
}

static bool event_visible(struct actor *a, uint64_t mark)
{
    uint32_t event = (uint32_t)(mark >> 32), dim = event_dim(event);
    if (a->clock[dim] >= event_number(event))
        return true;
    char what[256];
    check_tag_text(a->k, (uint32_t)mark, what, sizeof what);
    const struct tile_state *t = a->t;
    if (dim < t->n_queues)
        return check_fault(
            a,
            "reads %s without waiting for instruction %u of queue %u, which writes it "
            "(known: %u completed)",
            what, event_number(event), dim, a->clock[dim]);
    const struct channel *c = &t->channels[dim - t->n_queues];
    return check_fault(a,
                       "reads %s without waiting for message %u from queue %u of tile %u, which "
                       "brings it (known: %u arrived)",
                       what, event_number(event), c->queue, c->tile, a->clock[dim]);
}

static bool wrong_element(struct actor *a, uint64_t mark, uint32_t tag)
{
    char found[256], wanted[256];
    check_tag_text(a->k, (uint32_t)mark, found, sizeof found);
    check_tag_text(a->k, tag, wanted, sizeof wanted);
    if ((uint32_t)mark == 0 && tag == 0)
        return check_fault(a, "reads memory that was never written");
    return check_fault(a, "reads %s where %s belongs", found, tag ? wanted : "something");
}

/* Is the tag one of the value that `tag` belongs to? Then it is certainly the wrong element of it.
 */
static bool same_range(const struct check *k, uint32_t found, uint32_t tag)
{
    const struct tag_range *r = check_range_of(k, tag);
    return r && found >= r->base && found < r->base + r->n;
}

bool check_read_run(struct actor *a, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag)
{
    const uint64_t *m = whole_grains(c, place, n);
    uint32_t grain = (uint32_t)c->grain, n_marks = n / grain;
    for (uint32_t i = 0; i < n_marks;) {
        uint32_t found = (uint32_t)m[i], want = tag ? tag + i * grain : 0;
        bool wrong = tag && found != want && (a->k->g || same_range(a->k, found, want));
        if (found == 0 || wrong)
            return wrong_element(a, m[i], want);
        if (!event_visible(a, m[i]))
            return false;
        i += count_consecutive(m + i, n_marks - i, m[i], grain);
    }
    return true;
}

/* ---- writing ---- */

/* An element written in the slot's present life: then the life's readers matter, too. */
static bool of_this_life(const struct writer *w, uint32_t event)
{
    if (!w->lives)
        return true;
    if (event == 0)
        return !w->slot->lapped;
    for (uint32_t i = 0; i < w->slot->n_writers; i++)
        if (w->slot->writers[i].dim == event_dim(event))
            return event_number(event) >= w->slot->writers[i].first;
    return false;
}

static void overwrite_event(struct writer *w, uint64_t mark)
{
    uint32_t event = (uint32_t)(mark >> 32), dim = event_dim(event);
    if ((uint32_t)mark == 0)
        return;
    if (event && dim != w->dim && w->known[dim] < event_number(event)) {
        char what[256];
        check_fault(w->a, "overwrites %s in tile %u, but may come before it (%s %u: known are %u)",
                    check_tag_text(w->a->k, (uint32_t)mark, what, sizeof what), w->t->number,
                    dim < w->t->n_queues ? "instruction" : "message", event_number(event),
                    w->known[dim]);
        return;
    }
    if (!of_this_life(w, event))
        return;
    for (uint32_t i = 0; i < w->slot->n_readers; i++)
        want_reader(w, w->slot->readers[i].queue, w->slot->readers[i].now, "the present contents");
}

static void overwrite(struct writer *w, const uint64_t *m, uint32_t n)
{
    uint64_t any = 0, differ = 0;
    for (uint32_t i = 0; i < n; i++) {
        any |= m[i];
        differ |= (m[i] ^ m[0]) >> 32;
    }
    if (!any)
        return;
    for (uint32_t i = 0; i < n; i++) {
        if ((uint32_t)m[i] == 0 || (i && m[i] >> 32 == m[i - 1] >> 32 && (uint32_t)m[i - 1]))
            continue;
        overwrite_event(w, m[i]);
        if (!differ)
            return;
    }
}

/* The same element twice. A ring may well meet it again a lap later, where a value shows one part
 * of another value in several places. */
static bool is_again(const struct writer *w, uint64_t mark, uint32_t tag)
{
    return (uint32_t)mark == tag && w->once && of_this_life(w, (uint32_t)(mark >> 32));
}

static void written_again(struct writer *w, const uint64_t *m)
{
    char what[256];
    check_fault(w->a, "writes elements of tile %u that are there already, near %s", w->t->number,
                check_tag_text(w->a->k, (uint32_t)*m, what, sizeof what));
}

void check_write_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag)
{
    uint64_t *m = whole_grains(c, place, n);
    uint32_t grain = (uint32_t)c->grain, n_marks = n / grain;
    bool again = false;
    uint64_t first = (uint64_t)check_event(w->dim, w->number) << 32 | tag;
    overwrite(w, m, n_marks);
    for (uint32_t i = 0; i < n_marks; i++) {
        again |= is_again(w, m[i], tag + i * grain);
        m[i] = first + (uint64_t)i * grain;
    }
    if (again)
        written_again(w, m);
}

void check_copy_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n,
                    struct cluster *source, uint64_t from)
{
    whole_grains(c, place, n);
    whole_grains(source, from, n);
    if (c->grain != source->grain) {
        uint64_t grain = gcd_u64(c->grain, source->grain);
        whole_grains(c, place, (uint32_t)grain);
        whole_grains(source, from, (uint32_t)grain);
    }
    uint64_t *m = whole_grains(c, place, n), event = (uint64_t)check_event(w->dim, w->number) << 32;
    const uint64_t *f = whole_grains(source, from, n);
    uint32_t n_marks = n / (uint32_t)c->grain;
    bool again = false;
    overwrite(w, m, n_marks);
    for (uint32_t i = 0; i < n_marks; i++) {
        again |= is_again(w, m[i], (uint32_t)f[i]);
        m[i] = event | (uint32_t)f[i];
    }
    if (again)
        written_again(w, m);
}
