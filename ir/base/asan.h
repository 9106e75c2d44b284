/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* asan.h - BASE_ASAN is defined where AddressSanitizer watches, BASE_TSAN where ThreadSanitizer. */
#ifndef CIMC_ASAN_H
#define CIMC_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define BASE_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define BASE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_ASAN 1
#elif __has_feature(thread_sanitizer)
#define BASE_TSAN 1
#endif
#endif

#endif
