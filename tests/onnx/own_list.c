/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* own_list.c - the list of what ONNX's own tests give: read, written, compared. */
#include "own_list.h"

#include <stdlib.h>
#include <string.h>

static const char *const verdict_names[] = {"passed", "folded", "refused", "disputed", "wrong"};

static int by_test(const void *a, const void *b)
{
    return strcmp(((const struct outcome *)a)->test, ((const struct outcome *)b)->test);
}

void own_list_sort(struct outcomes *list)
{
    if (list->n)
        qsort(list->at, list->n, sizeof *list->at, by_test);
}

static const struct outcome *find(const struct outcomes *list, const char *test)
{
    struct outcome key = {.test = test};
    return list->n ? bsearch(&key, list->at, list->n, sizeof key, by_test) : NULL;
}

/* ---- lines ---- */

void own_list_print(const struct outcome *o, FILE *to)
{
    fprintf(to, "%s %s", o->test, verdict_names[o->verdict]);
    if (*o->code)
        fprintf(to, " %s:", o->code);
    if (*o->text)
        fprintf(to, " %s", o->text);
    fputc('\n', to);
}

static const char *cut(char **at, char end)
{
    char *start = *at;
    *at = strchrnul(start, end);
    if (**at)
        *(*at)++ = 0;
    return start;
}

static struct outcome parse_line(char *line)
{
    struct outcome o = {.test = cut(&line, ' '), .verdict = WRONG, .code = ""};
    const char *verdict = cut(&line, ' ');
    for (unsigned i = 0; i < WRONG; i++)
        if (strcmp(verdict, verdict_names[i]) == 0)
            o.verdict = (enum own_verdict)i;
    if (o.verdict == REFUSED) {
        o.code = cut(&line, ':');
        line += *line == ' ';
    }
    o.text = line;
    return o;
}

bool own_list_read(const char *path, struct outcomes *out, struct arena *a)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    if (!f)
        return false;
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;)
        VEC_PUSH(out, parse_line(arena_strndup(a, line, (size_t)n - (line[n - 1] == '\n'))));
    free(line);
    fclose(f);
    own_list_sort(out);
    return true;
}

bool own_list_write(const char *path, const struct outcomes *have, const struct outcomes *want)
{
    FILE *f = fopen(path, "w");
    bool ok = f != NULL;
    for (size_t i = 0; f && i < have->n; i++) {
        const struct outcome *o = &have->at[i], *listed = find(want, o->test);
        bool disputed = o->verdict == WRONG && listed && listed->verdict == DISPUTED;
        ok &= o->verdict != WRONG || disputed;
        own_list_print(disputed ? listed : o, f);
    }
    return f && fclose(f) == 0 && ok;
}

/* ---- comparison ---- */

static bool is_as_listed(const struct outcome *have, const struct outcome *want)
{
    if (have->verdict == WRONG)
        return want->verdict == DISPUTED;
    return have->verdict == want->verdict && strcmp(have->code, want->code) == 0;
}

/* All but a test that passed once. */
static bool is_no_worse(const struct outcome *have, const struct outcome *want)
{
    return have->verdict != WRONG && (want->verdict != PASSED || have->verdict == PASSED);
}

static bool is_of_set(const char *test, const char *set)
{
    size_t n = strlen(set);
    return strncmp(test, set, n) == 0 && test[n] == '/';
}

static void tell(const struct outcome *have, const struct outcome *want)
{
    printf("# listed: ");
    own_list_print(want, stdout);
    printf("#    now: ");
    own_list_print(have, stdout);
}

static bool report_set(unsigned number, const char *set, const struct outcomes *have,
                       const struct outcomes *want, bool growing)
{
    unsigned count[WRONG + 1] = {0}, failed = 0;
    for (size_t i = 0; i < have->n; i++) {
        const struct outcome *o = &have->at[i], *listed = find(want, o->test);
        struct outcome unlisted = {o->test, REFUSED, "", "not in the list"};
        if (!is_of_set(o->test, set))
            continue;
        listed = listed ? listed : &unlisted;
        bool same = is_as_listed(o, listed);
        count[same ? listed->verdict : o->verdict]++;
        failed += !same && !(growing && is_no_worse(o, listed));
        if (!same)
            tell(o, listed);
    }
    printf("%s %u - %s:", failed ? "not ok" : "ok", number, set);
    for (unsigned i = 0; i <= WRONG; i++)
        printf("%s %u %s", i ? "," : "", count[i], verdict_names[i]);
    printf("\n");
    return !failed;
}

static bool report_gone(unsigned number, const struct outcomes *have, const struct outcomes *want)
{
    bool ok = true;
    for (size_t i = 0; i < want->n; i++)
        if (!find(have, want->at[i].test)) {
            printf("# %s is listed, but not there\n", want->at[i].test);
            ok = false;
        }
    printf("%s %u - every listed test is there\n", ok ? "ok" : "not ok", number);
    return ok;
}

bool own_list_report(const char *const *sets, const struct outcomes *have,
                     const struct outcomes *want, bool growing)
{
    bool ok = true;
    unsigned n = 0;
    while (sets[n]) {
        ok &= report_set(n + 1, sets[n], have, want, growing);
        n++;
    }
    ok &= report_gone(n + 1, have, want);
    printf("1..%u\n", n + 1);
    return ok;
}
