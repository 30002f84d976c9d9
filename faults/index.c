/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "faults/engine.h"

/* Which rules a subject can meet at all: an array of (operation, point) per domain, and inside a
 * place the exact keys sorted, so that neither rules elsewhere nor other keys cost anything. */

#define SAMPLE_COUNT 16

static struct fault__bucket *bucket_at(const struct fault__slot *slot, size_t operation_bit,
                                       enum fault_point point);
static enum rt_status add_to_bucket(struct fault__bucket *bucket, struct fault_rule *rule);
static void remove_from_bucket(struct fault__bucket *bucket, struct fault_rule *rule);
static struct fault__seat *find_seat(const struct fault__bucket *bucket,
                                     const struct fault_rule *rule);
static int compare_place(const struct fault_rule *rule, struct rt_slice key, size_t order);
static size_t lower_bound(const struct fault__rule_list *exacts, struct rt_slice key, size_t order);

static struct fault__bucket *bucket_at(const struct fault__slot *slot, size_t operation_bit,
                                       enum fault_point point)
{
    size_t row = operation_bit == FAULT__NO_OPERATION ? 0 : operation_bit + 1;

    return &slot->buckets[row * FAULT_POINT_COUNT + (size_t)point];
}

struct fault__bucket *fault__index_find(const struct fault_engine *engine,
                                        const struct fault_domain *domain, int operation,
                                        enum fault_point point)
{
    for (size_t i = 0; i < engine->slot_count; i++) {
        const struct fault__slot *slot = &engine->slots[i];

        if (slot->domain == domain) {
            return operation < (int)slot->operation_count
                       ? bucket_at(slot, operation < 0 ? FAULT__NO_OPERATION : (size_t)operation,
                                   point)
                       : NULL;
        }
    }
    return NULL;
}

enum rt_status fault__index_add(struct fault_engine *engine, struct fault_rule *rule)
{
    for (size_t i = 0; i < engine->slot_count; i++) {
        for (size_t bit = 0; bit <= FAULT__NO_OPERATION; bit++) {
            enum rt_status status = RT_OK;

            if ((rule->operations[i] >> bit & 1) != 0) {
                status = add_to_bucket(bucket_at(&engine->slots[i], bit, rule->point), rule);
            }
            if (status != RT_OK) {
                return status;
            }
        }
    }
    return RT_OK;
}

void fault__index_remove(struct fault_engine *engine, struct fault_rule *rule)
{
    for (size_t i = 0; i < engine->slot_count; i++) {
        for (size_t bit = 0; bit <= FAULT__NO_OPERATION; bit++) {
            if ((rule->operations[i] >> bit & 1) != 0) {
                remove_from_bucket(bucket_at(&engine->slots[i], bit, rule->point), rule);
            }
        }
    }
}

/* Everybody who asked where the rule had a seat. */
uint64_t fault__index_considered(const struct fault_engine *engine, const struct fault_rule *rule)
{
    uint64_t count = rule->considered_count;

    for (size_t i = 0; i < engine->slot_count; i++) {
        for (size_t bit = 0; bit <= FAULT__NO_OPERATION; bit++) {
            if ((rule->operations[i] >> bit & 1) != 0) {
                const struct fault__bucket *bucket = bucket_at(&engine->slots[i], bit, rule->point);
                const struct fault__seat *seat = find_seat(bucket, rule);

                count += seat == NULL ? 0 : bucket->asked_count - seat->asked_before_count;
            }
        }
    }
    return count;
}

/* ---- one place --------------------------------------------------------------------------- */

static enum rt_status add_to_bucket(struct fault__bucket *bucket, struct fault_rule *rule)
{
    struct fault__rule_list *list = rule->is_key_exact ? &bucket->exacts : &bucket->anyhows;
    size_t index = rule->is_key_exact ? lower_bound(list, rule->key, rule->order) : list->count;
    enum rt_status status;

    if (bucket->seat_count == bucket->seat_capacity) {
        size_t capacity = bucket->seat_capacity == 0 ? 4 : bucket->seat_capacity * 2;
        struct fault__seat *seats = realloc(bucket->seats, capacity * sizeof(*seats));

        if (seats == NULL) {
            return RT_E_NOMEM;
        }
        bucket->seats = seats;
        bucket->seat_capacity = capacity;
    }
    status = fault__rule_list_insert(list, index, rule);
    if (status != RT_OK) {
        return status;
    }
    bucket->seats[bucket->seat_count++] =
        (struct fault__seat){.rule = rule, .asked_before_count = bucket->asked_count};
    bucket->sample_count = SAMPLE_COUNT;
    return RT_OK;
}

static void remove_from_bucket(struct fault__bucket *bucket, struct fault_rule *rule)
{
    struct fault__seat *seat = find_seat(bucket, rule);

    if (seat == NULL) {
        return;
    }
    rule->considered_count += bucket->asked_count - seat->asked_before_count;
    fault__rule_list_remove(rule->is_key_exact ? &bucket->exacts : &bucket->anyhows, rule);
    bucket->seat_count--;
    memmove(seat, seat + 1, (bucket->seat_count - (size_t)(seat - bucket->seats)) * sizeof(*seat));
}

static struct fault__seat *find_seat(const struct fault__bucket *bucket,
                                     const struct fault_rule *rule)
{
    for (size_t i = 0; i < bucket->seat_count; i++) {
        if (bucket->seats[i].rule == rule) {
            return &bucket->seats[i];
        }
    }
    return NULL;
}

struct fault_rule *fault__bucket_find_exact(const struct fault__bucket *bucket,
                                            const struct rt_slice *keys, size_t key_count,
                                            size_t min_order)
{
    struct fault_rule *best = NULL;

    if (bucket->exacts.count == 0) {
        return NULL;
    }
    for (size_t i = 0; i < key_count; i++) {
        size_t index = lower_bound(&bucket->exacts, keys[i], min_order);

        if (index < bucket->exacts.count) {
            struct fault_rule *rule = bucket->exacts.items[index];

            if (rt_slice_equal(rule->key, keys[i]) && (best == NULL || rule->order < best->order)) {
                best = rule;
            }
        }
    }
    return best;
}

/* Where (key, order) stands or would stand. */
static size_t lower_bound(const struct fault__rule_list *exacts, struct rt_slice key, size_t order)
{
    size_t low = 0;
    size_t high = exacts->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_place(exacts->items[middle], key, order) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int compare_place(const struct fault_rule *rule, struct rt_slice key, size_t order)
{
    size_t len_bytes = rule->key.len_bytes < key.len_bytes ? rule->key.len_bytes : key.len_bytes;
    int result = len_bytes == 0 ? 0 : memcmp(rule->key.data, key.data, len_bytes);

    if (result != 0) {
        return result;
    }
    if (rule->key.len_bytes != key.len_bytes) {
        return rule->key.len_bytes < key.len_bytes ? -1 : 1;
    }
    return (rule->order > order) - (rule->order < order);
}

void fault__bucket_fini(struct fault__bucket *bucket)
{
    free(bucket->seats);
    fault__rule_list_fini(&bucket->exacts);
    fault__rule_list_fini(&bucket->anyhows);
}
