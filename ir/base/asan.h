/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* asan.h - BASE_ASAN is defined where AddressSanitizer watches. */
#ifndef CIMC_ASAN_H
#define CIMC_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define BASE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_ASAN 1
#endif
#endif

#endif
