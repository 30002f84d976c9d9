/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_RANDOM_H
#define RUNTIME_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A stream of random numbers. Each consumer has its own, made from the run's seed and a stable
 * name ("fault:lost-reply", "client:edge:ids"), so that adding one shifts no other.
 */
struct rt_random {
    uint64_t state[4];
};

void rt_random_init(struct rt_random *random, uint64_t seed, const char *name);
uint64_t rt_random_u64(struct rt_random *random);

/* Uniform in [0, bound). `bound` > 0. */
uint64_t rt_random_below(struct rt_random *random, uint64_t bound);

/* True with `percent` in 100; may be fractional. */
bool rt_random_chance(struct rt_random *random, double percent);

#define RT_UUID_TEXT_BYTES 37 /* 36 and a NUL */

/* UUID-shaped text, version 4. */
void rt_random_uuid(struct rt_random *random, char out_text[RT_UUID_TEXT_BYTES]);

/* A seed from the operating system, for programs without --seed. */
uint64_t rt_random_system_seed(void);

#endif
