/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "connector/serializer/omni_codec.h"

/* Map keys as a Python dictionary sees them. Sorted rather than hashed when there are many: no
 * choice of keys makes it quadratic. */
#define FEW_PAIRS 8

_Static_assert(LDBL_MANT_DIG >= 64, "long double holds every int64_t, uint64_t and double");

enum rank {
    RANK_NIL,
    RANK_NUMBER,
    RANK_NAN,
    RANK_TEXT,
    RANK_BYTES,
    RANK_ARRAY,
    RANK_TIMESTAMP,
    RANK_EXTENSION,
    RANK_OTHER
};

struct place {
    const struct omni_value *key;
    size_t index;
};

static enum rank rank_of(const struct omni_value *value);
static long double number_of(const struct omni_value *value);
static int compare_keys(const struct omni_value *a, const struct omni_value *b);
static int compare_arrays(const struct omni_value *a, const struct omni_value *b);
static int compare_slices(struct rt_slice a, struct rt_slice b);
static int compare_timestamps(const struct omni_value *a, const struct omni_value *b);
static int compare_places(const void *a, const void *b);
static bool unite_few(struct omni_pair *pairs, size_t count);
static bool unite_sorted(struct omni_pair *pairs, const struct place *places, size_t count);
static size_t compact(struct omni_pair *pairs, size_t count);

#define SIGN(a, b) (((a) > (b)) - ((a) < (b)))

/* A total order in which equal means: the same key of a Python dictionary, so that 1, 1.0 and true
 * are one key. NaN is a key of its own each time. */
static int compare_keys(const struct omni_value *a, const struct omni_value *b)
{
    enum rank rank = rank_of(a);
    enum rank other = rank_of(b);
    if (rank != other) {
        return SIGN(rank, other);
    }
    switch (rank) {
    case RANK_NUMBER:
        return SIGN(number_of(a), number_of(b));
    case RANK_TEXT:
    case RANK_BYTES:
        return compare_slices(a->body.bytes, b->body.bytes);
    case RANK_ARRAY:
        return compare_arrays(a, b);
    case RANK_TIMESTAMP:
        return compare_timestamps(a, b);
    case RANK_EXTENSION:
        if (a->extension.code != b->extension.code) {
            return SIGN(a->extension.code, b->extension.code);
        }
        return compare_slices(a->extension.body.bytes, b->extension.body.bytes);
    case RANK_NAN: /* unequal to everything but itself: any fixed order will do */
        return SIGN((uintptr_t)a, (uintptr_t)b);
    case RANK_NIL:
    case RANK_OTHER:
        return 0;
    }
    return 0;
}

static enum rank rank_of(const struct omni_value *value)
{
    switch (value->kind) {
    case OMNI_NIL:
        return RANK_NIL;
    case OMNI_BOOL:
    case OMNI_INT:
    case OMNI_UINT:
        return RANK_NUMBER;
    case OMNI_FLOAT:
        return isnan(value->number) ? RANK_NAN : RANK_NUMBER;
    case OMNI_TEXT:
        return RANK_TEXT;
    case OMNI_BYTES:
        return RANK_BYTES;
    case OMNI_ARRAY:
        return RANK_ARRAY;
    case OMNI_TIMESTAMP:
        return RANK_TIMESTAMP;
    case OMNI_EXTENSION:
        return RANK_EXTENSION;
    default:
        return RANK_OTHER;
    }
}

static long double number_of(const struct omni_value *value)
{
    switch (value->kind) {
    case OMNI_BOOL:
        return value->boolean ? 1 : 0;
    case OMNI_INT:
        return (long double)value->integer;
    case OMNI_UINT:
        return (long double)value->unsigned_integer;
    default:
        return (long double)value->number;
    }
}

/* Recursion no deeper than the decoder's depth limit, which is capped for this. */
static int compare_arrays(const struct omni_value *a, const struct omni_value *b)
{
    if (a->array.count != b->array.count) {
        return SIGN(a->array.count, b->array.count);
    }
    for (size_t i = 0; i < a->array.count; i++) {
        int order = compare_keys(a->array.items[i], b->array.items[i]);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static int compare_slices(struct rt_slice a, struct rt_slice b)
{
    if (a.len_bytes != b.len_bytes) {
        return SIGN(a.len_bytes, b.len_bytes);
    }
    return a.len_bytes == 0 ? 0 : memcmp(a.data, b.data, a.len_bytes);
}

static int compare_timestamps(const struct omni_value *a, const struct omni_value *b)
{
    if (a->timestamp.seconds != b->timestamp.seconds) {
        return SIGN(a->timestamp.seconds, b->timestamp.seconds);
    }
    return SIGN(a->timestamp.nanoseconds, b->timestamp.nanoseconds);
}

/* ---- duplicates ---------------------------------------------------------------------------- */

enum rt_status omni__pairs_unite(struct omni_pair *pairs, size_t *count)
{
    bool is_any_removed;
    if (*count <= FEW_PAIRS) {
        is_any_removed = unite_few(pairs, *count);
    } else {
        struct place *places = malloc(*count * sizeof(*places));
        if (places == NULL) {
            return RT_E_NOMEM;
        }
        for (size_t i = 0; i < *count; i++) {
            places[i] = (struct place){.key = pairs[i].key, .index = i};
        }
        qsort(places, *count, sizeof(*places), compare_places);
        is_any_removed = unite_sorted(pairs, places, *count);
        free(places);
    }
    if (is_any_removed) {
        *count = compact(pairs, *count);
    }
    return RT_OK;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    int order = compare_keys(left->key, right->key);
    return order != 0 ? order : SIGN(left->index, right->index);
}

/* A removed pair has no key. */
static bool unite_few(struct omni_pair *pairs, size_t count)
{
    bool is_any_removed = false;
    for (size_t i = 1; i < count; i++) {
        for (size_t first = 0; first < i; first++) {
            if (pairs[first].key != NULL && compare_keys(pairs[first].key, pairs[i].key) == 0) {
                pairs[first].value = pairs[i].value;
                pairs[i].key = NULL;
                is_any_removed = true;
                break;
            }
        }
    }
    return is_any_removed;
}

/* Equal keys are neighbours, in the order they came. */
static bool unite_sorted(struct omni_pair *pairs, const struct place *places, size_t count)
{
    bool is_any_removed = false;
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(places[first].key, places[i].key) != 0) {
            first = i;
            continue;
        }
        pairs[places[first].index].value = pairs[places[i].index].value;
        pairs[places[i].index].key = NULL;
        is_any_removed = true;
    }
    return is_any_removed;
}

static size_t compact(struct omni_pair *pairs, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].key != NULL) {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}
