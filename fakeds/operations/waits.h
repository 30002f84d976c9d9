/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_OPERATIONS_WAITS_H
#define FAKEDS_OPERATIONS_WAITS_H

#include "fakeds/store/content.h"
#include "runtime/table.h"

#include <bsd/sys/queue.h>

/*
 * Gets that wait for keys, without a clock and without a wire.
 *
 * A get ends when its last missing key has come, or with its timer, never in between. For each
 * position it keeps the content that it saw first (the snapshot rule). The same key may stand at
 * several positions; it is woken once for all of them.
 */
struct fakeds__awaited; /* one key and who waits for it, in the order of coming */
struct fakeds__wait;

struct fakeds__wait_key {
    struct rt_slice key;             /* lies in the wait */
    struct fakeds__content *content; /* NULL: still missing */
    struct fakeds__wait *wait;
    struct fakeds__awaited *awaited; /* NULL: not waiting */
    TAILQ_ENTRY(fakeds__wait_key) others;
};

struct fakeds__wait {
    void *owner;
    size_t missing_count;
    size_t key_count;
    TAILQ_ENTRY(fakeds__wait) completed;
    struct fakeds__wait_key keys[]; /* behind them the bytes of the keys */
};

struct fakeds__waits {
    struct fakeds__awaited *awaited;
    size_t count; /* positions that wait */
};

/* `contents[i]` is what is under `keys[i]` now, or NULL; references are taken, keys copied.
 * At least one is missing. NULL when out of memory. */
RT_NODISCARD struct fakeds__wait *fakeds__wait_start(struct fakeds__waits *waits, void *owner,
                                                     const struct rt_slice *keys,
                                                     struct fakeds__content *const *contents,
                                                     size_t key_count);
/* Leaves all lists and frees it. NULL: nothing happens. */
void fakeds__wait_end(struct fakeds__waits *waits, struct fakeds__wait *wait);

bool fakeds__waits_is_awaited(const struct fakeds__waits *waits, struct rt_slice key);

TAILQ_HEAD(fakeds__wait_list, fakeds__wait);

/* Asked once for each waiting get: false leaves it waiting. */
typedef bool fakeds__may_wake_fn(void *arg, struct fakeds__wait *wait, struct rt_slice key);

/* Hands `content` to those who wait for `key`. Gets that miss nothing any more are put into
 * `out_completed`, in the order in which they came; `may_wake` may be NULL. */
void fakeds__waits_notify(struct fakeds__waits *waits, struct rt_slice key,
                          struct fakeds__content *content, fakeds__may_wake_fn *may_wake, void *arg,
                          struct fakeds__wait_list *out_completed);

/* The same for one get only (a notification that was delayed). True: it misses nothing now. */
bool fakeds__wait_fill(struct fakeds__waits *waits, struct fakeds__wait *wait, struct rt_slice key,
                       struct fakeds__content *content);

#endif
