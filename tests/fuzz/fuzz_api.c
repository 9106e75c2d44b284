/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuzz_api.c - fuzz target: a program of calls of cimc.h, see api/fuzz_api.h. Whatever is legal by
 * the header ends with a status that is true, prints nothing, and gives back what it took.
 */
#include "api/fuzz_api.h"

#include "failing_malloc.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CALLS = 200, MOST_TOLD = 20000, MOST_TEXT = 1 << 22 };

/* ---- words ---- */

void api_require_written(const struct api *a, bool holds, const char *promise)
{
    char line[200];
    if (holds || !fuzz_is_written)
        return;
    snprintf(line, sizeof line, "line %u, %s: %s", a->number, a->name, promise);
    fuzz_require(false, line, NULL);
}

bool api_has_word(const struct api *a)
{
    return a->next < a->n_words;
}

const char *api_word(struct api *a)
{
    return api_has_word(a) ? a->words[a->next++] : "";
}

int64_t api_number(struct api *a)
{
    const char *word = api_word(a), *digits = word + strcspn(word, "0123456789");
    return strtoll(digits > word && digits[-1] == '-' ? digits - 1 : digits, NULL, 10);
}

size_t api_place(struct api *a, size_t n)
{
    return (size_t)api_number(a) % n;
}

/* NULL: there is no such form. Without a default, so that a new one is not forgotten. */
static const char *form_name(enum cimc_form form)
{
    switch (form) {
    case CIMC_TEXT: return "text";
    case CIMC_TABLE: return "table";
    case CIMC_JSON: return "json";
    case CIMC_TIMES: return "times";
    case CIMC_CSV: return "csv";
    case CIMC_SVG: return "svg";
    case CIMC_TRACE: return "trace";
    case CIMC_HTML: return "html";
    case CIMC_PLAN: return "plan";
    case CIMC_TIME_TRACE: return "time_trace";
    case CIMC_IR: return "ir";
    case CIMC_DOT: return "dot";
    case CIMC_ONNX: return "onnx";
    case CIMC_REPORT: return "report";
    case CIMC_SV: return "sv";
    case CIMC_C: return "c";
    }
    return NULL;
}

enum cimc_form api_form(struct api *a)
{
    const char *word = api_word(a), *name;
    for (int i = 0; (name = form_name((enum cimc_form)i)); i++) {
        if (strcmp(word, name) == 0)
            return (enum cimc_form)i;
    }
    api_require_written(a, false, "there is such a form");
    return CIMC_TEXT;
}

/* ---- places ---- */

cimc_context *api_context(struct api *a)
{
    return a->contexts[api_place(a, N_CONTEXTS)];
}

struct cimc_options *api_options(struct api *a)
{
    const char *word = api_has_word(a) ? a->words[a->next] : "-";
    size_t place = api_place(a, N_PLACES);
    if (strcmp(word, "-") == 0)
        return NULL;
    api_require_written(a, a->options[place] != NULL, "there are such options");
    a->is_poked = &a->are_poked[place];
    return a->options[place];
}

cimc_model *api_model(struct api *a)
{
    cimc_model *m = a->models[api_place(a, N_PLACES)];
    api_require_written(a, m != NULL, "there is such a model");
    return m;
}

cimc_program *api_program(struct api *a)
{
    cimc_program *p = a->programs[api_place(a, N_PLACES)];
    api_require_written(a, p != NULL, "there is such a program");
    return p;
}

size_t api_simulation(struct api *a)
{
    size_t place = api_place(a, N_PLACES);
    api_require_written(a, a->simulations[place].at != NULL, "there is such a simulation");
    return place;
}

struct buffer *api_buffer(struct api *a)
{
    return &a->buffers[api_place(a, N_BUFFERS)];
}

bool api_is_needed(const struct api *a, const void *handle)
{
    for (size_t i = 0; i < N_PLACES; i++) {
        if (a->simulations[i].at &&
            (a->simulations[i].model == handle || a->simulations[i].program == handle))
            return true;
    }
    return false;
}

cimc_model **api_new_model(struct api *a)
{
    cimc_model **m = &a->models[api_place(a, N_PLACES)];
    if (*m && api_is_needed(a, *m)) {
        api_require_written(a, false, "nothing needs the model that was there");
        return NULL;
    }
    cimc_model_free(*m);
    *m = NULL;
    return m;
}

cimc_program **api_new_program(struct api *a)
{
    cimc_program **p = &a->programs[api_place(a, N_PLACES)];
    if (*p && api_is_needed(a, *p)) {
        api_require_written(a, false, "nothing needs the program that was there");
        return NULL;
    }
    cimc_program_free(*p);
    *p = NULL;
    return p;
}

struct cimc_source api_source(struct api *a)
{
    const char *word = api_word(a), *equals = strchr(word, '='), *own = equals ? equals + 1 : word;
    struct cimc_source source = {.size = sizeof source, .path = word};
    if (own[0] == 'b' && own[1] >= '0' && own[1] < '0' + N_BUFFERS && !own[2]) {
        const struct buffer *b = &a->buffers[own[1] - '0'];
        source.path = equals ? word : NULL;
        source.bytes = b->at;
        source.n_bytes = b->n;
    }
    return source;
}

/* ---- calls ---- */

static bool tell(void *user, const char *what, uint64_t done, uint64_t total)
{
    struct api *a = user;
    fuzz_require(what && (total == 0 || done <= total), "progress is of something", NULL);
    a->n_told++;
    if (a->n_told < MOST_TOLD && a->n_told != a->patience)
        return true;
    a->was_cancelled = true;
    if (a->n_told % 2)
        cimc_cancel(a->context);
    return a->n_told % 2;
}

void api_begin(struct api *a, cimc_context *c)
{
    a->context = c;
    a->n_diagnostics = cimc_diagnostic_count(c);
    a->n_told = 0;
    cimc_set_progress(c, tell, a);
    malloc_fails_at(a->fails_at);
}

static size_t n_new_errors(const struct api *a)
{
    struct cimc_diagnostic d = {.size = sizeof d};
    size_t n = 0;
    for (size_t i = a->n_diagnostics; cimc_diagnostic_at(a->context, i, &d); i++)
        n += d.severity == CIMC_ERROR && *d.text && *d.code;
    return n;
}

static void judge(const struct api *a, enum cimc_status status, bool has_failed)
{
    size_t n_errors = n_new_errors(a);
    const char *failure = cimc_failure(a->context);
    if (status >= CIMC_INTERNAL)
        fuzz_require(*failure && !strchr(failure, '\n'), "a failure is said in a line", NULL);
    switch (status) {
    case CIMC_OK: fuzz_require(n_errors == 0, "a success has no error", NULL); break;
    case CIMC_WRONG_INPUT:
    case CIMC_WRONG_USAGE: fuzz_require(n_errors > 0, "a failure has an error", NULL); break;
    case CIMC_INTERNAL: fuzz_require(a->is_poked && *a->is_poked, failure, NULL); break;
    case CIMC_NO_MEMORY: fuzz_require(has_failed, "there is memory", NULL); break;
    case CIMC_CANCELLED: fuzz_require(a->was_cancelled, "somebody has cancelled", NULL); break;
    default: fuzz_require(false, "there is such a status", NULL);
    }
}

static void trace(const struct api *a, enum cimc_status status)
{
    struct cimc_diagnostic d = {.size = sizeof d, .text = ""};
    size_t n = cimc_diagnostic_count(a->context);
    if (n > a->n_diagnostics)
        cimc_diagnostic_at(a->context, n - 1, &d);
    dprintf(STDERR_FILENO, "line %u, %s: status %d %s\n", a->number, a->name, (int)status,
            status >= CIMC_INTERNAL ? cimc_failure(a->context) : d.text);
}

enum cimc_status api_end(struct api *a, enum cimc_status status)
{
    static const char *const names[] = {
        [CIMC_OK] = "ok",
        [CIMC_WRONG_INPUT] = "wrong_input",
        [CIMC_WRONG_USAGE] = "wrong_usage",
        [CIMC_INTERNAL] = "internal",
        [CIMC_NO_MEMORY] = "no_memory",
        [CIMC_CANCELLED] = "cancelled",
    };
    bool has_failed = malloc_has_failed();
    malloc_fails_at(0);
    if (getenv("FUZZ_API_TRACE"))
        trace(a, status);
    judge(a, status, has_failed);
    a->status = names[status];
    cimc_set_progress(a->context, NULL, NULL);
    a->context = NULL;
    a->fails_at = 0;
    a->stops_at = a->patience = 0;
    a->was_cancelled = false;
    return status;
}

/* ---- what is written ---- */

bool api_write(void *sink, const void *bytes, size_t n)
{
    struct sink *s = sink;
    if (++s->n_pieces == s->api->stops_at || s->text.n + n > MOST_TEXT)
        return false;
    if (n == 0)
        return true;
    /* Memory of the caller is not the library's to run out of. */
    long fails_at = malloc_pause();
    s->text.at = realloc(s->text.at, s->text.n + n);
    malloc_resume(fails_at);
    fuzz_require(s->text.at != NULL, "there is memory", NULL);
    memcpy(s->text.at + s->text.n, bytes, n);
    s->text.n += n;
    return true;
}

void api_set_buffer(struct api *a, struct buffer *b, const void *bytes, size_t n)
{
    struct buffer new = {.at = malloc(n ? n : 1), .n = n};
    fuzz_require(new.at != NULL, "there is memory", NULL);
    if (n)
        memcpy(new.at, bytes, n);
    if (b->at)
        VEC_PUSH(&a->spent, b->at);
    *b = new;
}

void api_keep(struct sink *s, struct buffer *to)
{
    if (to)
        api_set_buffer(s->api, to, s->text.at, s->text.n);
    free(s->text.at);
}

/* ---- the program ---- */

void api_free_simulation(struct api *a, size_t i)
{
    cimc_simulation_free(a->simulations[i].at);
    a->simulations[i].at = NULL;
    a->simulations[i].model = NULL;
    a->simulations[i].program = NULL;
}

void api_discard_outputs(struct api *a, const cimc_context *c)
{
    for (size_t i = 0; i < N_PLACES; i++) {
        if (!a->outputs[i].at || (c && a->outputs[i].context != c))
            continue;
        cimc_output_discard(a->outputs[i].context, a->outputs[i].at);
        a->outputs[i].at = NULL;
    }
}

static void close_all(struct api *a)
{
    api_discard_outputs(a, NULL);
    for (size_t i = 0; i < N_PLACES; i++)
        api_free_simulation(a, i);
    for (size_t i = 0; i < N_PLACES; i++) {
        cimc_quantized_free(a->quantized[i]);
        cimc_program_free(a->programs[i]);
        cimc_model_free(a->models[i]);
        if (a->options[i])
            cimc_options_free(a->options[i]);
        free(a->options[i]);
    }
    for (size_t i = 0; i < N_CONTEXTS; i++)
        cimc_context_free(a->contexts[i]);
    for (size_t i = 0; i < N_BUFFERS; i++)
        free(a->buffers[i].at);
    for (size_t i = 0; i < N_ARRAYS; i++)
        free(a->arrays[i].data);
    for (size_t i = 0; i < a->spent.n; i++)
        free(a->spent.at[i]);
    VEC_FREE(&a->spent);
}

/* Files are of the scratch folder, where the target stands; nothing is read from standard input. */
static bool stays_inside(const char *word)
{
    size_t n = strlen(word);
    const char *slash = strchr(word, '/');
    return (!slash || (slash > word && isdigit(slash[-1]) && isdigit(slash[1]))) &&
           strcmp(word, "..") != 0 && (n < 3 || strcmp(word + n - 3, "=..") != 0) &&
           (n < 2 || word[n - 1] != '-');
}

/* The words of a line; false: one of them leads outside. */
static bool split(struct api *a, char *line)
{
    char *rest, *word = strtok_r(line, " \t\r", &rest);
    a->n_words = a->next = 0;
    for (; word && a->n_words < MOST_WORDS; word = strtok_r(NULL, " \t\r", &rest)) {
        if (!stays_inside(word))
            return false;
        a->words[a->n_words++] = word;
    }
    return !word || !fuzz_is_written;
}

static const struct api_call *find_call(const char *name)
{
    static const struct api_call *const tables[] = {api_rig_calls, api_program_calls,
                                                    api_value_calls, api_text_calls};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct api_call *c = tables[i]; c->name; c++) {
            if (strcmp(c->name, name) == 0)
                return c;
        }
    }
    return NULL;
}

/* [expect STATUS] CALL WORD... */
static void run_line(struct api *a, char *line)
{
    const char *expected = NULL;
    a->number++;
    a->name = line; /* its first word, as soon as it is split */
    a->status = NULL;
    a->is_poked = NULL;
    if (!split(a, line)) {
        api_require_written(a, false, "its words are few, and files stay in the folder");
        return;
    }
    a->name = api_word(a);
    if (strcmp(a->name, "expect") == 0) {
        expected = api_word(a);
        a->name = api_word(a);
    }
    const struct api_call *c = find_call(a->name);
    api_require_written(a, c != NULL, "there is such a call");
    if (c)
        c->run(a);
    api_require_written(a, !expected || (a->status && strcmp(a->status, expected) == 0),
                        "it ends as expected");
}

static void run_program(const uint8_t *data, size_t n)
{
    struct api a = {0};
    char *text = malloc(n + 1), *rest;
    fuzz_require(text != NULL, "there is memory", NULL);
    memcpy(text, data, n);
    text[n] = 0;
    for (size_t i = 0; i < N_ARRAYS; i++)
        a.arrays[i].size = sizeof *a.arrays;
    for (size_t i = 0; i < N_CONTEXTS; i++)
        fuzz_require((a.contexts[i] = cimc_context_new()) != NULL, "there is a context", NULL);
    char *line = strtok_r(text, "\n", &rest);
    for (; line && a.number < MOST_CALLS; line = strtok_r(NULL, "\n", &rest))
        run_line(&a, line);
    api_require_written(&a, !line, "it is the last line");
    close_all(&a);
    free(text);
}

/* ---- where it runs ---- */

static FILE *listen(FILE **stream, char **heard, size_t *n)
{
    FILE *was = *stream;
    *stream = open_memstream(heard, n);
    fuzz_require(*stream != NULL, "there is memory", NULL);
    return was;
}

static void end_listening(FILE **stream, FILE *was)
{
    fclose(*stream);
    *stream = was;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *heard[2] = {0};
    size_t n_heard[2] = {0};
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fuzz_require(here >= 0 && chdir(fuzz_folder()) == 0, "there is a scratch folder", NULL);
    FILE *out = listen(&stdout, &heard[0], &n_heard[0]);
    FILE *err = listen(&stderr, &heard[1], &n_heard[1]);
    run_program(data, n);
    end_listening(&stderr, err);
    end_listening(&stdout, out);
    for (int i = 0; i < 2; i++) {
        fputs(heard[i], stderr);
        fuzz_require(n_heard[i] == 0, "the library prints nothing", NULL);
    }
    free(heard[0]);
    free(heard[1]);
    fuzz_require(fchdir(here) == 0, "the folder before is still there", NULL);
    close(here);
    return 0;
}
