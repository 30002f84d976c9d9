/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_WATCH_WATCH_TREE_H
#define FAKEETCD_WATCH_WATCH_TREE_H

#include "fakeetcd/store/store.h"

#include <bsd/sys/tree.h>

/* Intervals of keys, ordered by where they begin; a subtree knows its farthest end, so that those
 * which have a key are found without looking at the others. Entries live in their owners. */
struct fakeetcd__range {
    RB_ENTRY(fakeetcd__range) entry;
    struct fakeetcd_interval interval;      /* its bytes stay where they are while inside */
    uint64_t seq;                           /* orders those that begin alike */
    const struct fakeetcd__range *farthest; /* of this subtree: the one with the last end */
};

RB_HEAD(fakeetcd__range_tree, fakeetcd__range);

struct fakeetcd__ranges {
    struct fakeetcd__range_tree tree;
    uint64_t last_seq;
};

void fakeetcd__ranges_init(struct fakeetcd__ranges *ranges);
void fakeetcd__ranges_add(struct fakeetcd__ranges *ranges, struct fakeetcd__range *range);
void fakeetcd__ranges_remove(struct fakeetcd__ranges *ranges, struct fakeetcd__range *range);

/* Visits every range that has the key; nothing may change meanwhile. */
void fakeetcd__ranges_find(const struct fakeetcd__ranges *ranges, struct rt_slice key,
                           void (*visit)(void *arg, struct fakeetcd__range *range), void *arg);

#endif
