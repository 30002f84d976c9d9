/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SANITIZERS_H
#define RUNTIME_SANITIZERS_H

/*
 * Is this file compiled for a sanitizer that takes over memory or makes everything slow? 1 or 0.
 * gcc says it with a macro, clang with __has_feature: both are asked here and nowhere else.
 */
#if defined(__SANITIZE_ADDRESS__)
#define RT_HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_HAS_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef RT_HAS_ADDRESS_SANITIZER
#define RT_HAS_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__)
#define RT_HAS_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_HAS_THREAD_SANITIZER 1
#endif
#endif
#ifndef RT_HAS_THREAD_SANITIZER
#define RT_HAS_THREAD_SANITIZER 0
#endif

#endif
