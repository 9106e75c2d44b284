/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * commands.h - every command is a function of its settings that returns false after a diagnostic;
 * main.c prints the diagnostics and turns them into an exit code.
 */
#ifndef CIMC_COMMANDS_H
#define CIMC_COMMANDS_H

#include "options.h"

bool cmd_compile(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_report(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_run(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_sim(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_eval(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_opt(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_quantize(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_dis(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_asm(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_dump(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_where(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_check(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_list(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_completion(const struct settings *s, struct diag *d) CHECK_RESULT;
bool cmd_man(const struct settings *s, struct diag *d) CHECK_RESULT;

const struct command *command_list(size_t *n);
/* NULL, reported: there is no such command. */
const struct command *command_find(const char *name, struct diag *d) CHECK_RESULT;

#endif
