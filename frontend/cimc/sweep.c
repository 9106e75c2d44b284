/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sweep.c - compiles the points of a sweep, one after another, and writes their rows.
 *
 * In: a plan. Out: a row for each point. Points are compiled in contexts of their own, so that what
 * is wrong with one is its row. A model is imported when its first point comes; of the passes a
 * point runs those that the point before did not run in the same way. Rows in a file are appended
 * in one piece and synchronised: whenever a sweep ends, all but the last line are whole.
 */
#include "sweep_table.h"

#include "api_handles.h"
#include "common_json.h"
#include "mapping.h"
#include "options.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sweep {
    cimc_context *c;               /* the caller's */
    cimc_context *importer, *work; /* of the model, of a point */
    struct progress progress;      /* of both */
    struct sweep_plan plan;
    cimc_model *model; /* NULL: it cannot be imported; the importer says why */
    const struct sweep_value *model_value;
    struct build_cache cache; /* of the model */
    double import_seconds;    /* that this point took */
    cimc_program *program;    /* of the point; NULL: the work says why */
    struct hold *holds[4];
    uint64_t *model_hash;    /* by value of the first axis */
    unsigned char *is_there; /* by point */
    struct sweep_rows rows;  /* that were there; for CSV all */
    int file;                /* of rows; -1: none */
    enum cimc_form form;
    struct writer out;
    uint64_t n_mine, n_done, n_failed;
};

/* ---- start and end ---- */

static void give_context(void *c)
{
    cimc_context_free(c);
}

static void close_file(void *sweep)
{
    close(((struct sweep *)sweep)->file);
}

static void drop_cache(struct build_cache *c)
{
    pass_cache_drop(&c->model);
    pass_cache_drop(&c->named);
}

static void settle_cache(struct build_cache *c, bool has_ended)
{
    pass_cache_settle(&c->model, has_ended);
    pass_cache_settle(&c->named, has_ended);
}

static void give_handles(void *sweep)
{
    struct sweep *s = sweep;
    settle_cache(&s->cache, false);
    drop_cache(&s->cache);
    cimc_model_free(s->model);
    cimc_program_free(s->program);
}

/* A point's work is no news, but may be what is cancelled. */
static void tell_point(void *self, const char *what, uint64_t done, uint64_t total)
{
    const struct sweep *s = self;
    (void)what, (void)done, (void)total;
    progress_tell(&s->c->progress, "sweep", s->n_done, s->n_mine);
}

static cimc_context *context_new(struct sweep *s, struct hold **hold)
{
    *hold = hold_new(give_context);
    cimc_context *c = cimc_context_new();
    if (!c) {
        leave_if_cancelled();
        out_of_memory(0);
    }
    (*hold)->thing = c;
    c->progress = s->progress;
    cimc_set_log(c, s->c->log, s->c->log_user);
    return c;
}

static bool not_a_file(const char *path, struct diag *d)
{
    return diag_error(d, (struct loc){.file = path}, DIAG_IO, "rows go to a regular file");
}

static bool start(struct sweep *s, cimc_context *c, const struct cimc_strings *operands,
                  const struct cimc_options *o)
{
    struct arena *a = arena_new();
    struct cimc_options whole = options_whole(o);
    *s = (struct sweep){.c = c, .file = -1, .plan = {.arena = a}};
    strings_check(operands);
    if (whole.output && strcmp(whole.output, "-") == 0)
        return not_a_file(whole.output, c->diag);
    if (!sweep_plan_make(&s->plan, operands, &whole, a, c->diag) ||
        !sweep_files_check(&s->plan, &whole, c->diag) ||
        !sweep_models_hash(&s->plan, &s->model_hash, c->diag))
        return false;
    s->rows.arena = a;
    s->progress = (struct progress){.tell = tell_point, .self = s};
    s->is_there = heap_alloc(s->plan.n_points);
    for (uint64_t i = 0; i < s->plan.n_points; i++)
        s->n_mine += sweep_is_mine(&s->plan, i);
    return true;
}

static void end(struct sweep *s)
{
    if (s->holds[3])
        give_handles(s);
    if (s->file >= 0)
        close(s->file);
    cimc_context_free(s->work);
    cimc_context_free(s->importer);
    for (size_t i = 0; i < sizeof s->holds / sizeof *s->holds; i++)
        heap_free(s->holds[i]);
    heap_free(s->is_there);
    VEC_FREE(&s->rows.list);
    for (size_t i = 0; i < s->plan.axes.n; i++)
        VEC_FREE(&s->plan.axes.at[i].values);
    VEC_FREE(&s->plan.axes);
    cimc_options_free(&s->plan.options);
    arena_free(s->plan.arena);
}

/* ---- keys ---- */

static void add_machine(const struct cimc_options *o, struct text *out)
{
    struct diag *nobody = diag_new(); /* the point says what is wrong */
    struct build b;
    if (driver_start(&b, o, NULL, NULL, nobody))
        arch_print(&b.arch, out);
    else
        text_add(out, "%s", nobody->first->text);
    driver_free(&b);
    diag_free(nobody);
}

/* Of all that the result depends on: what the model's file holds, the machine, options, cimc. */
static uint64_t key_of(const struct sweep *s, uint64_t point)
{
    struct text all = {0};
    struct cimc_options o = sweep_options(&s->plan, point, s->c->diag);
    size_t model = (size_t)(sweep_value_of(&s->plan, 0, point) - s->plan.axes.at[0].values.at);
    text_add(&all, "cimc %s\n%016llx\n", CIMC_VERSION, (unsigned long long)s->model_hash[model]);
    struct text recorded = {0};
    options_record(&o, &recorded);
    text_add(&all, "%s\n%lld %lld %lld\n", recorded.at ? recorded.at : "", (long long)o.frames,
             (long long)o.pace, (long long)o.noise_seed);
    add_machine(&o, &all);
    uint64_t key = hash_bytes(all.at, all.n, 0);
    text_free(&recorded);
    text_free(&all);
    cimc_options_free(&o);
    return key;
}

/* ---- rows that are there ---- */

static bool take_row(struct sweep *s, const struct sweep_row *row, struct diag *d)
{
    struct loc loc = {.file = row->file, .line = (uint32_t)row->number};
    if (row->index >= s->plan.n_points || key_of(s, row->index) != row->key)
        return diag_error(d, loc, DIAG_DATA,
                          "the row is of no point of this sweep: its model, machine, options or "
                          "version of cimc are others");
    s->n_done += !s->is_there[row->index] && sweep_is_mine(&s->plan, row->index);
    s->is_there[row->index] = 1;
    return true;
}

static bool take_rows(struct sweep *s, const char *path, uint64_t *whole, struct diag *d)
{
    bool ok = sweep_rows_read(&s->rows, path, whole, d);
    for (size_t i = 0; ok && i < s->rows.list.n; i++)
        ok = take_row(s, &s->rows.list.at[i], d);
    return ok;
}

static bool cannot(const char *what, const char *path, struct diag *d)
{
    return diag_error(d, (struct loc){.file = path}, DIAG_IO, "cannot %s: %s", what,
                      strerror(errno));
}

/* Nobody else appends meanwhile; where the file system knows no locks that is the caller's care. */
static bool lock(const struct sweep *s, const char *path, struct diag *d)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(s->file, F_OFD_SETLK, &all) == 0 || (errno != EAGAIN && errno != EACCES))
        return true;
    return diag_error(d, (struct loc){.file = path}, DIAG_IO,
                      "another sweep writes this file; each shard has its own");
}

static bool open_rows(struct sweep *s, const char *path, struct diag *d)
{
    struct stat st;
    uint64_t whole = 0;
    s->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (s->file < 0)
        return cannot("open", path, d);
    s->holds[0] = hold_new(close_file);
    s->holds[0]->thing = s;
    if (!lock(s, path, d))
        return false;
    if (fstat(s->file, &st) != 0 || !S_ISREG(st.st_mode))
        return not_a_file(path, d);
    if (!take_rows(s, path, &whole, d))
        return false;
    return whole == (uint64_t)st.st_size || ftruncate(s->file, (off_t)whole) == 0 ||
           cannot("cut off the last line", path, d);
}

/* ---- a point ---- */

/* What went wrong in a way that is not the point's own. */
static bool settle(enum cimc_status status)
{
    if (status == CIMC_NO_MEMORY)
        out_of_memory(0);
    if (status == CIMC_CANCELLED)
        leave_cancelled();
    return status == CIMC_OK;
}

static void need_model(struct sweep *s, const struct sweep_value *value)
{
    s->import_seconds = 0;
    if (s->model_value == value)
        return;
    drop_cache(&s->cache);
    cimc_model_free(s->model);
    s->model = NULL;
    s->model_value = value;
    struct cimc_source source = {.size = sizeof source, .path = value->label};
    bool ok = settle(cimc_diagnostics_clear(s->importer)) &&
              settle(cimc_import(s->importer, &source, 1, &s->plan.options, &s->model));
    if (ok)
        s->import_seconds = s->model->build.import_seconds;
}

static void compile_point(struct sweep *s, uint64_t point)
{
    struct cimc_options o = sweep_options(&s->plan, point, s->c->diag);
    need_model(s, sweep_value_of(&s->plan, 0, point));
    if (settle(cimc_diagnostics_clear(s->work)) && s->model) {
        enum cimc_status status = compile_with(s->work, s->model, &o, &s->cache, &s->program);
        settle_cache(&s->cache,
                     status == CIMC_OK || status == CIMC_WRONG_INPUT || status == CIMC_WRONG_USAGE);
        settle(status);
    }
    if (s->program)
        s->program->build.import_seconds = s->import_seconds;
    cimc_options_free(&o);
}

/* ---- rows ---- */

static void point_json(const struct sweep_plan *p, uint64_t point, struct json *j)
{
    json_open_map(j, "point");
    for (size_t i = 0; i < p->axes.n; i++) {
        const char *label = sweep_value_of(p, i, point)->label;
        size_t digits = strspn(label, "0123456789");
        bool is_number =
            digits > 0 && digits < 18 && !label[digits] && (label[0] != '0' || digits == 1);
        if (is_number && p->axes.at[i].option)
            json_number(j, p->axes.at[i].name, label);
        else
            json_text(j, p->axes.at[i].name, label);
    }
    json_close_map(j);
}

/* Of the passes: how many were not run again, and what that took. */
static void kept_json(const struct build_cache *c, struct json *j)
{
    json_open_map(j, "kept");
    json_integer(j, "passes", c->model.n_passes + c->named.n_passes);
    json_seconds(j, "seconds", c->model.seconds + c->named.seconds);
    json_close_map(j);
}

static void result_json(const struct sweep *s, struct json *j)
{
    struct build shown = s->program->build;
    shown.arena = arena_new();
    json_open_map(j, "result");
    report_build_json(&shown, j);
    mapping_report_json(&shown, j);
    json_close_map(j);
    json_open_map(j, "costs");
    report_costs_json(&shown, NULL, j);
    kept_json(&s->cache, j);
    json_close_map(j);
    arena_free(shown.arena);
}

static void failure_json(const char *failure, struct json *j)
{
    if (!*failure)
        return;
    json_open_map(j, NULL);
    json_text(j, "severity", "error");
    json_text(j, "code", "internal");
    json_text(j, "text", failure);
    json_close_map(j);
}

static void error_json(const struct sweep *s, struct json *j)
{
    json_open_array(j, "error");
    diagnostic_list_json(s->importer->diag, j);
    failure_json(cimc_failure(s->importer), j);
    diagnostic_list_json(s->work->diag, j);
    failure_json(cimc_failure(s->work), j);
    json_close_array(j);
}

static void make_line(const struct sweep *s, uint64_t point, struct text *out)
{
    char key[17];
    struct json *j = json_new_line();
    snprintf(key, sizeof key, "%016llx", (unsigned long long)key_of(s, point));
    json_open_map(j, NULL);
    json_integer(j, "index", (int64_t)point);
    json_text(j, "key", key);
    point_json(&s->plan, point, j);
    if (s->program)
        result_json(s, j);
    else
        error_json(s, j);
    json_close_map(j);
    json_finish_text(j, out);
}

static bool append(const struct sweep *s, const struct text *line, const char *path, struct diag *d)
{
    for (size_t n = 0; n < line->n;) {
        ssize_t more = write(s->file, line->at + n, line->n - n);
        if (more < 0 && errno != EINTR)
            return cannot("write", path, d);
        n += more > 0 ? (size_t)more : 0;
    }
    return fsync(s->file) == 0 || errno == EINVAL || cannot("write", path, d);
}

static void table_line(struct sweep *s, uint64_t point)
{
    struct cimc_program_info info = {.size = sizeof info};
    sweep_table_point(&s->plan, point, s->out.f);
    if (s->program) {
        cimc_program_info(s->program, &info);
        sweep_table_result(&s->plan, &info, s->out.f);
    } else {
        sweep_table_failure(s->model ? s->work->diag : s->importer->diag, s->out.f);
    }
    fflush(s->out.f); /* the next may take long */
}

static bool write_point(struct sweep *s, uint64_t point, const char *path, struct diag *d)
{
    struct text line = {0};
    bool ok = true;
    if (s->form == CIMC_TABLE && !path) {
        table_line(s, point);
        return true;
    }
    make_line(s, point, &line);
    if (s->form == CIMC_CSV)
        VEC_PUSH(&s->rows.list, ((struct sweep_row){.index = point,
                                                    .line = arena_strdup(s->rows.arena, line.at)}));
    text_add(&line, "\n");
    if (path)
        ok = append(s, &line, path, d);
    else if (s->form == CIMC_JSON)
        text_flush(&line, s->out.f);
    text_free(&line);
    fflush(s->out.f);
    return ok && (!ferror(s->out.f) ||
                  diag_error(d, (struct loc){0}, DIAG_IO, "what was to be written was not taken"));
}

/* ---- all points ---- */

static bool run_points(struct sweep *s, const char *path, struct diag *d)
{
    bool ok = true;
    for (uint64_t i = 0; ok && i < s->plan.n_points; i++) {
        if (!sweep_is_mine(&s->plan, i) || s->is_there[i])
            continue;
        tell_point(s, "sweep", 0, 0);
        compile_point(s, i);
        s->n_failed += !s->program;
        ok = write_point(s, i, path, d);
        cimc_program_free(s->program);
        s->program = NULL;
        s->n_done++;
    }
    if (ok)
        tell_point(s, "sweep", 0, 0);
    return ok;
}

static void summarise(const struct sweep *s, uint64_t n_before)
{
    unsigned long long all = s->plan.n_points, mine = s->n_mine;
    if (mine == all)
        fprintf(s->out.f, "%llu points", all);
    else
        fprintf(s->out.f, "%llu of %llu points", mine, all);
    fprintf(s->out.f, ": %llu were there, %llu compiled, %llu of them failed\n",
            (unsigned long long)n_before, (unsigned long long)(s->n_done - n_before),
            (unsigned long long)s->n_failed);
}

static bool print_csv(struct sweep *s, struct diag *d)
{
    struct text table = {0};
    bool ok = sweep_rows_join(&s->rows, d) && sweep_rows_csv(&s->rows, &table, d);
    if (ok)
        text_flush(&table, s->out.f);
    text_free(&table);
    return ok;
}

static bool run(struct sweep *s, const char *path, struct diag *d)
{
    s->importer = context_new(s, &s->holds[1]);
    s->work = context_new(s, &s->holds[2]);
    s->holds[3] = hold_new(give_handles);
    s->holds[3]->thing = s;
    if (path && !open_rows(s, path, d))
        return false;
    uint64_t n_before = s->n_done;
    if (s->form == CIMC_TABLE && !path)
        sweep_table_head(&s->plan, s->out.f);
    if (!run_points(s, path, d))
        return false;
    if (s->form == CIMC_TABLE && path)
        summarise(s, n_before);
    return s->form != CIMC_CSV || print_csv(s, d);
}

struct sweep_call {
    const struct cimc_strings *operands;
    const struct cimc_options *options;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

static bool sweep(cimc_context *c, void *call)
{
    const struct sweep_call *k = call;
    struct cimc_options whole = options_whole(k->options);
    struct sweep s;
    if (!form_is_known(c, k->form, FORM(CIMC_TABLE) | FORM(CIMC_JSON) | FORM(CIMC_CSV)))
        return false;
    bool ok = start(&s, c, k->operands, &whole);
    s.form = k->form;
    writer_open(&s.out, k->write, k->user);
    ok = ok && run(&s, whole.output, c->diag);
    ok = writer_close(&s.out, c->diag) && ok;
    end(&s);
    return ok;
}

enum cimc_status cimc_sweep(cimc_context *c, const struct cimc_strings *operands,
                            const struct cimc_options *o, enum cimc_form form, cimc_write_fn write,
                            void *user)
{
    return guard_run(c, sweep, &(struct sweep_call){operands, o, form, write, user});
}

/* ---- what is missing, what there is ---- */

/* What cannot be reached is not missing: who reads it says why. */
static bool is_missing(const char *path)
{
    struct stat st;
    return !path || (stat(path, &st) != 0 && errno == ENOENT);
}

static bool missing(cimc_context *c, void *call)
{
    const struct sweep_call *k = call;
    struct cimc_options whole = options_whole(k->options);
    struct sweep s;
    uint64_t ignored;
    struct text list = {0};
    bool ok = start(&s, c, k->operands, &whole) &&
              (is_missing(whole.output) || take_rows(&s, whole.output, &ignored, c->diag));
    for (uint64_t i = 0; ok && i < s.plan.n_points; i++) {
        if (sweep_is_mine(&s.plan, i) && !s.is_there[i])
            text_add(&list, "%llu\n", (unsigned long long)i);
    }
    ok = ok && writer_put(c, &list, k->write, k->user);
    text_free(&list);
    end(&s);
    return ok;
}

enum cimc_status cimc_sweep_missing(cimc_context *c, const struct cimc_strings *operands,
                                    const struct cimc_options *o, cimc_write_fn write, void *user)
{
    return guard_run(c, missing, &(struct sweep_call){operands, o, CIMC_TEXT, write, user});
}

static bool merge(cimc_context *c, void *call)
{
    const struct sweep_call *k = call;
    struct sweep_rows rows = {.arena = arena_new()};
    struct text all = {0};
    strings_check(k->operands);
    bool ok = form_is_known(c, k->form, FORM(CIMC_JSON) | FORM(CIMC_CSV));
    for (size_t i = 0; ok && i < k->operands->n; i++)
        ok = sweep_rows_read(&rows, k->operands->at[i], NULL, c->diag);
    ok = ok && sweep_rows_join(&rows, c->diag);
    if (ok && k->form == CIMC_CSV)
        ok = sweep_rows_csv(&rows, &all, c->diag);
    for (size_t i = 0; ok && k->form == CIMC_JSON && i < rows.list.n; i++)
        sweep_row_add_result(&rows.list.at[i], &all);
    ok = ok && writer_put(c, &all, k->write, k->user);
    text_free(&all);
    VEC_FREE(&rows.list);
    arena_free(rows.arena);
    return ok;
}

enum cimc_status cimc_sweep_merge(cimc_context *c, const struct cimc_strings *files,
                                  enum cimc_form form, cimc_write_fn write, void *user)
{
    return guard_run(c, merge, &(struct sweep_call){files, NULL, form, write, user});
}
