/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/watch/watch_tree.h"

#include "fakeetcd/store/key_index.h"

#undef RB_AUGMENT
#define RB_AUGMENT(range) look_again(range)

static void look_again(struct fakeetcd__range *range);
static int compare_ranges(struct fakeetcd__range *a, struct fakeetcd__range *b);

RB_GENERATE_INTERNAL(fakeetcd__range_tree, fakeetcd__range, entry, compare_ranges,
                     __attribute__((unused)) static)

static const struct fakeetcd__range *farther(const struct fakeetcd__range *a,
                                             const struct fakeetcd__range *b)
{
    if (b == NULL || fakeetcd_interval_is_endless(&a->interval)) {
        return a;
    }
    return fakeetcd_interval_is_endless(&b->interval) ||
                   fakeetcd__compare(b->interval.end, a->interval.end) > 0
               ? b
               : a;
}

static void look_again(struct fakeetcd__range *range)
{
    const struct fakeetcd__range *left = RB_LEFT(range, entry);
    const struct fakeetcd__range *right = RB_RIGHT(range, entry);

    range->farthest = farther(range, left == NULL ? NULL : left->farthest);
    range->farthest = farther(range->farthest, right == NULL ? NULL : right->farthest);
}

static int compare_ranges(struct fakeetcd__range *a, struct fakeetcd__range *b)
{
    int order = fakeetcd__compare(a->interval.key, b->interval.key);
    return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static void look_up(struct fakeetcd__range *range)
{
    for (; range != NULL; range = RB_PARENT(range, entry)) {
        look_again(range);
    }
}

void fakeetcd__ranges_init(struct fakeetcd__ranges *ranges)
{
    RB_INIT(&ranges->tree);
    ranges->last_seq = 0;
}

void fakeetcd__ranges_add(struct fakeetcd__ranges *ranges, struct fakeetcd__range *range)
{
    range->farthest = range;
    range->seq = ++ranges->last_seq;
    (void)RB_INSERT(fakeetcd__range_tree, &ranges->tree, range);
    look_up(range);
}

/* Removal looks again only at what it moves. Whoever had the removed one below is above one of its
 * two neighbours. */
void fakeetcd__ranges_remove(struct fakeetcd__ranges *ranges, struct fakeetcd__range *range)
{
    (void)RB_REMOVE(fakeetcd__range_tree, &ranges->tree, range);
    struct fakeetcd__range *next = RB_NFIND(fakeetcd__range_tree, &ranges->tree, range);
    look_up(next != NULL ? RB_PREV(fakeetcd__range_tree, &ranges->tree, next)
                         : RB_MAX(fakeetcd__range_tree, &ranges->tree));
    look_up(next);
}

static void find(struct fakeetcd__range *range, struct rt_slice key,
                 void (*visit)(void *arg, struct fakeetcd__range *range), void *arg)
{
    while (range != NULL) {
        const struct fakeetcd__range *farthest = range->farthest;
        if (!fakeetcd_interval_is_endless(&farthest->interval) &&
            fakeetcd__compare(farthest->interval.end, key) <= 0) {
            return;
        }
        find(RB_LEFT(range, entry), key, visit, arg);
        if (fakeetcd__compare(range->interval.key, key) > 0) {
            return;
        }
        if (fakeetcd_interval_has(&range->interval, key)) {
            visit(arg, range);
        }
        range = RB_RIGHT(range, entry);
    }
}

void fakeetcd__ranges_find(const struct fakeetcd__ranges *ranges, struct rt_slice key,
                           void (*visit)(void *arg, struct fakeetcd__range *range), void *arg)
{
    find(RB_ROOT(&ranges->tree), key, visit, arg);
}
