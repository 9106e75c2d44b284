/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * texts_test.c - the three languages are read no further than they go: a text that ends anywhere,
 * before a page that cannot be read.
 */
#include "arch.h"
#include "ir.h"
#include "isa.h"
#include "../run_suite.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "isa_test_texts.h"

static const char ir_text[] =
    "; a comment\n"
    "graph \"g\" crossbar {\n"
    "  %0 = input {index=0, dtype=\"f32\", shape=[1,1,2], extent=[1,1,2], strides=[0,0,1], "
    "offset=0} : f32[1x1x2]\n"
    "  %1 = constant {dtype=\"f32\", shape=[1,1,2], data=dense(-0.5, 1.0e-7)} : f32[1x1x2]\n"
    "  %2 = add %0, %1 : f32[1x1x2] @\"sum \\\"s\\\" \\x41\"\n"
    "  output %2 {index=0, dtype=\"f32\", shape=[1,1,2], strides=[0,0,1], offset=0}\n"
    "}\n";
static const char arch_text[] = "# a machine\nname: \"m\"\nbase: clsa\ncrossbars: 4\nrows: 16\n";

static bool read_assembly(const char *text, size_t n, struct arena *a, struct diag *d)
{
    (void)a;
    struct isa_program *p = isa_assemble(text, n, "t.asm", d);
    isa_program_free(p);
    return p != NULL;
}

static bool read_ir(const char *text, size_t n, struct arena *a, struct diag *d)
{
    (void)a;
    struct ir_graph *g = ir_parse(text, n, "t.ir", d);
    ir_graph_free(g);
    return g != NULL;
}

static bool read_arch(const char *text, size_t n, struct arena *a, struct diag *d)
{
    struct arch arch;
    return arch_parse(text, n, "t.yaml", a, d, &arch);
}

static const struct {
    const char *text;
    bool (*read)(const char *text, size_t n, struct arena *a, struct diag *d);
} languages[] = {{example, read_assembly},
                 {everything, read_assembly},
                 {ir_text, read_ir},
                 {arch_text, read_arch}};

START_TEST(texts_end_anywhere)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = strlen(languages[_i].text);
    size_t room = (n + page - 1) / page * page;
    char *pages =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(pages != MAP_FAILED && mprotect(pages + room, page, PROT_NONE) == 0);
    for (size_t length = 0; length <= n; length++) {
        struct diag *d = diag_new();
        struct arena *a = arena_new();
        char *text = pages + room - length;
        memcpy(text, languages[_i].text, length);
        bool ok = languages[_i].read(text, length, a, d);
        ck_assert(ok == (d->n_errors == 0) && (ok || length < n));
        arena_free(a);
        diag_free(d);
    }
    munmap(pages, room + page);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("texts");
    TCase *ends = tcase_create("ends");
    tcase_add_loop_test(ends, texts_end_anywhere, 0, sizeof languages / sizeof *languages);
    suite_add_tcase(s, ends);
    return run_suite(s);
}
