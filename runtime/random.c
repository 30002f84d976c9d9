/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/random.h"

#include <assert.h>
#include <sys/random.h>
#include <time.h>

/*
 * xoshiro256** (Blackman and Vigna), its state filled by splitmix64 from hash(seed, name), as
 * its authors advise. Good enough for anything but secrets, and the same on every machine.
 */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z;

    *state += UINT64_C(0x9e3779b97f4a7c15);
    z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

void rt_random_init(struct rt_random *random, uint64_t seed, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    uint64_t state;

    for (const char *letter = name; *letter != '\0'; letter++) {
        hash = (hash ^ (uint8_t)*letter) * UINT64_C(0x100000001b3);
    }
    /* Mixing the seed first keeps (seed, name) and (seed ^ d, other name) from meeting. */
    state = splitmix(&seed) ^ hash;
    for (int i = 0; i < 4; i++) {
        random->state[i] = splitmix(&state);
    }
}

uint64_t rt_random_u64(struct rt_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rt_random_below(struct rt_random *random, uint64_t bound)
{
    /* The first (2^64 mod bound) values would make small results likelier: draw again. */
    uint64_t unfair_count;
    uint64_t value;

    assert(bound > 0);
    unfair_count = (0 - bound) % bound;
    do {
        value = rt_random_u64(random);
    } while (value < unfair_count);
    return value % bound;
}

bool rt_random_chance(struct rt_random *random, double percent)
{
    /* Draws even when the answer is certain, so that changing P shifts no later draw. */
    double unit = (double)(rt_random_u64(random) >> 11) * 0x1.0p-53;

    return unit * 100.0 < percent;
}

void rt_random_uuid(struct rt_random *random, char out_text[RT_UUID_TEXT_BYTES])
{
    static const char DIGITS[] = "0123456789abcdef";
    uint64_t words[2] = {rt_random_u64(random), rt_random_u64(random)};
    int at = 0;

    words[0] = (words[0] & ~UINT64_C(0xf000)) | UINT64_C(0x4000);    /* version 4 */
    words[1] = (words[1] & (UINT64_MAX >> 2)) | (UINT64_C(1) << 63); /* variant 1 */
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            out_text[at++] = '-';
        }
        out_text[at++] = DIGITS[(words[i / 16] >> (60 - 4 * (i % 16))) & 0xf];
    }
    out_text[at] = '\0';
}

uint64_t rt_random_system_seed(void)
{
    uint64_t seed;
    struct timespec now;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed)) {
        return seed;
    }
    /* Early in a boot there may be no entropy yet; any changing number will do. */
    clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_sec * UINT64_C(1000000007) + (uint64_t)now.tv_nsec;
    return splitmix(&seed);
}
