/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* common_json.h - keys that the JSON objects of all commands have. */
#ifndef CIMC_COMMON_JSON_H
#define CIMC_COMMON_JSON_H

#include "arch.h"
#include "cimc.h"
#include "json.h"

/* At the beginning, with what the result can be made again: keys version, options (words of a
 * program's line of them) and machine, where there are such. */
void origin_json(const char *options, const struct arch *arch, struct json *j);
/* The same where there is no program. */
void asked_json(const struct cimc_options *o, const struct arch *arch, struct json *j);
/* A base layer's number; UINT32_MAX: null. */
void json_layer(struct json *j, const char *key, uint32_t layer);
/* What was told so far, into an open array. */
void diagnostic_list_json(const struct diag *d, struct json *j);

#endif
