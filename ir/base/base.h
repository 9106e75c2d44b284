/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * base.h - what every room stands on: diagnostics, arenas, growable arrays, strings, files, hashes.
 *
 * Memory: nodes, names and tables live in an arena that the caller gives; nothing in an arena is
 * freed on its own. Running out of memory leaves by the door, it is never a NULL to check for.
 * Errors: wrong user input goes into a `struct diag` and comes back as false/NULL; BUG() is for our
 * own mistakes only and leaves by the door.
 */
#ifndef CIMC_BASE_H
#define CIMC_BASE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK_RESULT __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/* ---- the door: we are wrong, memory ran out, or nobody waits any more ---- */

enum mishap { MISHAP_BUG, MISHAP_MEMORY, MISHAP_CANCELLED };

/* What must not stay behind, such as a file under a passing name: noted from when it is there until
 * it is in its place or removed. */
struct leftover {
    void (*remove)(struct leftover *self); /* must not come to the door again */
    struct leftover *next, **at;           /* at: what points to it; NULL: it is no leftover */
};

struct heap_link {
    struct heap_link *prev, *next;
};

/*
 * The only way out of a room that cannot go on. Whoever calls rooms sets a door, one for each
 * thread; doors nest. `leave` gets what happened as one line and does not return: it removes the
 * leftovers and ends the process, or gives back all that rooms took since the door was set and
 * jumps to where that was. Without a door the process aborts.
 *
 * So who sets a door keeps account of the heap's blocks. What is still there when the door is reset
 * is its owner's, for as many calls as he likes. Such a thing must not come to hold blocks of a
 * later call, which may be given back under it: it grows in an arena of its own, by
 * heap_alloc_beside, or by heap_realloc of what it has.
 */
struct door {
    void (*leave)(struct door *self, enum mishap why, const char *message)
        __attribute__((noreturn));
    const char *activity; /* bug_context's */
    struct leftover *leftovers;
    struct heap_link blocks; /* allocated since it was set */
    struct loans *loans;
    const atomic_bool *stop; /* or NULL: who waits has had enough, see leave_cancelled */
    struct door *outer;
};
void door_set(struct door *d);
void door_give_back(struct door *d); /* frees these blocks, for `leave` */
void door_reset(struct door *d);     /* the one that door_set found is this thread's again */
/* Of the door that this thread has; without one nothing. */
void leftover_note(struct leftover *l);
/* Of whatever door it is. May be dropped twice. */
void leftover_drop(struct leftover *l);
/* All of this door, the newest first; as safe in a signal handler as their `remove` is. */
void leftovers_remove(struct door *d);

/* "internal error at FILE:LINE in ACTIVITY: message" */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "out of memory in ACTIVITY (N bytes)"; bytes 0: how many is not known */
_Noreturn void out_of_memory(size_t bytes);
/* For whoever is told of progress and wants no more of it. */
_Noreturn void leave_cancelled(void);
/* Does so if a door of this thread is to `stop`. So does whatever takes memory: a call that may end
 * for lack of it may end there as well. Long loops that take none look here now and then. */
void leave_if_cancelled(void);
/* For a thread that works for the one whose door this is, which waits for it. */
const struct door *door_here(void);
bool door_is_stopped(const struct door *d);
/* What is being done, for these messages: "pass fold-bn"; "" nothing in particular. The string must
 * outlive its use. */
void bug_context(const char *what);

/* ---- arena ---- */

struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);                 /* NULL is fine */
void *arena_alloc(struct arena *a, size_t bytes); /* 16-byte aligned, zeroed */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc_array((a), (n), sizeof(type)))
void *arena_alloc_array(struct arena *a, size_t n, size_t elem_bytes);

/* For libraries that take an allocator, protobuf-c: memory of the arena `arena`, freed with it.
 * They never see NULL, which they would report as a damaged file. */
void *arena_hook_alloc(void *arena, size_t bytes);
void arena_hook_free(void *arena, void *at);

/* ---- loans: references that a call takes to what outlives it ---- */

/* `object`, of the heap, counts who refers to it. Calls that are left by the door give back their
 * references by `give_back(object)`, once for each that was taken and not ended. Objects of the
 * call itself need no account of that: all of them go. A reference of something that outlives the
 * call too is no loan, and the call ends none where it drops that one. */
void loan_take(void *object, void (*give_back)(void *object));
void loan_end(void *object);

/* ---- heap: malloc that leaves by the door where it fails ---- */

void *heap_alloc(size_t bytes); /* zeroed */
void *heap_realloc(void *p, size_t bytes);
void heap_free(void *p); /* of these functions; NULL is fine. Nothing else gives them back. */
/* For a size that a file names: NULL only where the file asks for so much that this is its fault.
 * Zeroed; raw: with any contents. */
void *heap_unless_huge(size_t bytes);
void *heap_raw_unless_huge(size_t bytes);
/* Where `p`, another block, is in a door's account the new one is too, else it outlives the call.
 */
void *heap_alloc_beside(const void *p, size_t bytes);
bool heap_outlives_call(const void *p); /* it is of an earlier one, or of no door */
/* `release(p)` is called before the block is given back with all others, not by heap_free. It must
 * not come to the door again. */
void *heap_alloc_released(size_t bytes, void (*release)(void *p));
/* Anything else that has to be given back if the call is left by the door: `h =
 * hold_new(close_it)`, then `h->thing = open_it()`; heap_free(h) when it is closed. The thing may
 * be on the stack. */
struct hold {
    void *thing; /* or NULL */
    void (*give_back)(void *thing);
};
struct hold *hold_new(void (*give_back)(void *thing));
/* `p`, which will be used in full: in large pages if the system has them, so that it need not make
 * thousands. */
void *heap_in_large_pages(void *p, size_t bytes);

/* Growable array: VEC(int) v = {0}; VEC_PUSH(&v, 3); v.at[0]; v.n; VEC_FREE(&v). */
#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n, cap;                                                                             \
    }
#define VEC_RESERVE(v, want) ((v)->at = vec_reserve((v)->at, &(v)->cap, (want), sizeof *(v)->at))
#define VEC_PUSH(v, x) (VEC_RESERVE((v), (v)->n + 1), (void)((v)->at[(v)->n++] = (x)))
#define VEC_FREE(v) (heap_free((v)->at), (v)->at = NULL, (v)->n = (v)->cap = 0)
void *vec_reserve(void *at, size_t *cap, size_t want, size_t elem_bytes);

/* ---- text buffer (heap; always NUL-terminated once something was added) ---- */

struct text {
    char *at;
    size_t n, cap;
};
void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_addv(struct text *t, const char *fmt, va_list ap);
void text_add_bytes(struct text *t, const void *bytes, size_t n);
void text_add_quoted(struct text *t, const char *s); /* "..." with \" \\ \n \t \xHH escapes */
/* "..." as JSON has it; a byte that is not UTF-8 becomes a '?'. */
void text_add_json(struct text *t, const char *s);
/* A copy (heap) in which a byte that is not UTF-8 is a '?'. */
char *valid_utf8(const char *s);
/* Shortest decimal that reads back to the same float; nan, inf, -inf. Always has a '.', 'e' or 'n'.
 */
void text_add_f32(struct text *t, float x);
/* Names come from files of others: their control characters, which must not reach a terminal, are
 * printed as \xNN. Columns: of a terminal, one for each UTF-8 character. */
void print_plain(const char *text, FILE *out);
int plain_columns(const char *text);
/* Prints and empties it. */
void text_flush(struct text *t, FILE *out);
void text_free(struct text *t);
bool ends_with(const char *s, const char *end);
int hex_value(char c); /* of a hexadecimal digit; -1 if it is none */

/* ---- diagnostics ---- */

struct loc {
    const char *file;   /* path as the user gave it, or NULL */
    uint32_t line, col; /* 1-based; 0 = none */
    const char *entity; /* "node 12 'conv1' (Conv)", or NULL */
};

enum diag_code {
#define CODE(id, text, doc) DIAG_##id,
#include "diag.def"
#undef CODE
    N_DIAG_CODES
};
enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag_entry {
    struct diag_entry *next;
    enum diag_severity severity;
    enum diag_code code;
    struct loc loc;
    const char *text;
};
/* Collects; prints nothing by itself. Strings are copied. */
struct diag {
    struct arena *arena;
    struct diag_entry *first, *last;
    unsigned n_errors;
    bool brief; /* one line stands for entries that only differ in their nodes */
    const struct diag_entry *earlier; /* the last one of other work: here the same is said again */
};
struct diag *diag_new(void);
void diag_free(struct diag *d);
/* Adds an error; always returns false, so that `return diag_error(...)` reads as one line. */
bool diag_error(struct diag *d, struct loc loc, enum diag_code code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The same for functions that have arguments of their own in front; `prefix` stands before the
 * text, "prefix: text", or is NULL. */
bool diag_vat(struct diag *d, struct loc loc, enum diag_code code, const char *prefix,
              const char *fmt, va_list ap);
void diag_warn(struct diag *d, struct loc loc, enum diag_code code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* As an entry of another list says. */
void diag_repeat(struct diag *d, const struct diag_entry *e);
/* A note belongs to the entry before it. */
void diag_note(struct diag *d, struct loc loc, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* `model.onnx: node 12 'conv1' (Conv): error: text [code]`, one line an entry. */
void diag_print(const struct diag *d, FILE *out);
const char *diag_code_name(enum diag_code code); /* "onnx-attr" */
const char *diag_code_doc(enum diag_code code);

/* ---- arithmetic ---- */

/* False on overflow, *out is then unspecified. */
static inline CHECK_RESULT bool add_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline CHECK_RESULT bool mul_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline int64_t ceil_div_i64(int64_t a, int64_t b) /* b > 0 */
{
    return a / b + (a % b > 0);
}
static inline int64_t floor_div_i64(int64_t a, int64_t b) /* b > 0 */
{
    return a / b - (a % b < 0);
}
/* To the nearest, ties to the even one; b > 0 and 2 * b within 64 bits. */
static inline int64_t rne_div_i64(int64_t a, int64_t b)
{
    int64_t down = floor_div_i64(a, b), twice = 2 * (a - down * b);
    return down + (twice > b || (twice == b && down % 2 != 0));
}
/* a / 2^shift, likewise */
static inline int64_t rne_shift_i64(int64_t a, unsigned shift)
{
    int64_t half = (INT64_C(1) << shift) / 2;
    return shift ? (a + half - 1 + (a >> shift & 1)) >> shift : a;
}
/* 0 has every divisor. */
static inline uint64_t gcd_u64(uint64_t a, uint64_t b)
{
    while (b > 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
static inline int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}
static inline int32_t max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}
static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- hashes, random numbers ---- */

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed); /* XXH3 64 */
uint64_t random_next(uint64_t *state);                       /* splitmix64 */

/* ---- files ---- */

/* A whole file in memory, read-only. Regular files are mapped; "-" (stdin), pipes and devices are
 * read (at most 4 GiB). Release with file_close. */
struct file {
    const uint8_t *data; /* never NULL, also of an empty file */
    size_t size;
    const char *path; /* as given; "<stdin>" for "-" */
    struct opened *opened;
    bool borrowed; /* the bytes are the caller's, who keeps them until file_close */
};
bool file_open(const char *path, struct arena *names, struct diag *d,
               struct file *out) CHECK_RESULT;
void file_close(struct file *f);
bool file_is_mapped(const struct file *f);
/* The absolute path of the file that is mapped at this address; false if there is none. A file that
 * is cut while it is mapped cannot be read behind its new end (SIGBUS); this may be called by a
 * handler. */
bool file_mapped_at(const void *address, char *path, size_t size);
/* Tells the kernel that the mapped bytes are not needed in memory now (they can be read again). */
void file_forget(const struct file *f, const void *at, size_t n);

/* While files stand under passing names, signals that ask the process to end (hang-up, interrupt,
 * termination) wait in the thread that makes them, so that it can remove them first. Nothing that
 * may block is done meanwhile. */
void interrupts_hold(void);
bool interrupts_waiting(void);
/* Once for each interrupts_hold of this thread; with the last all is as before the first, and a
 * signal that has waited takes effect. */
void interrupts_release(void);

/* A file or folder under a passing name beside the path that it will take. Interrupts are held
 * while it stands. NULL with errno if it cannot be made. */
struct temporary {
    struct leftover leftover; /* must stay first */
    bool holds_interrupts;
    char path[];
};
struct temporary *temporary_file(const char *path, FILE **out) CHECK_RESULT;
struct temporary *temporary_folder(const char *path) CHECK_RESULT;
/* It is removed: signals need not wait for it any more. */
void temporary_remove(struct temporary *t);
/* It has its own name now, or is to be removed. */
void temporary_end(struct temporary *t, bool remove);
/* A file, or a folder with all that is in it; links are not followed. Allocates nothing and may be
 * called by a signal handler. */
void remove_tree(const char *path);

/* Output that appears whole or not at all: written beside the target and renamed onto it by
 * out_commit; until then interrupts are held. "-" is stdout; devices and pipes are written
 * directly, links followed. */
struct out {
    FILE *f;
    char *path;
    struct temporary *temp; /* NULL when written directly */
    struct hold *held;      /* f, unless that is stdout */
};
bool out_open(struct out *o, const char *path, struct diag *d) CHECK_RESULT;
bool out_commit(struct out *o, struct diag *d) CHECK_RESULT; /* false: nothing was put in place */
void out_discard(struct out *o);

/* ---- progress of long work ---- */

/* Who waits wants to know how far it is. Rooms tell; whoever starts them decides what comes of it.
 */
struct progress {
    /* `done` of `total` of the work `what`; total 0: unknown. Unless it fails, the last call
     * has done == total. */
    void (*tell)(void *self, const char *what, uint64_t done, uint64_t total);
    void *self;
};
/* `p` may be NULL. To be called some thousand times a second at most. */
static inline void progress_tell(const struct progress *p, const char *what, uint64_t done,
                                 uint64_t total)
{
    if (p)
        p->tell(p->self, what, done, total);
}

/* ---- host ---- */
double now_seconds(void);      /* monotonic */
uint64_t peak_rss_bytes(void); /* of this process, so far */

#endif
