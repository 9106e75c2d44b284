/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* page_files.h - the style sheets and the script of pages and pictures: files beside this one,
 * built in. */
#ifndef CIMC_PAGE_FILES_H
#define CIMC_PAGE_FILES_H

extern const char picture_css[], page_css[], page_js[];

#endif
