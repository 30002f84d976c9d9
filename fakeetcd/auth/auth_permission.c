/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody may do. The grants of all roles of a user are laid over each other, once an auth
 * revision, to disjoint pieces in order; a request is covered when it lies within one of them.
 * Found by halving: no request looks at every grant.
 */
#include "fakeetcd/auth/auth_internal.h"

#include <stdlib.h>

static bool make_reach(const struct fakeetcd_auth *auth, struct fakeetcd__user *user);

static int compare_bounds(bool is_unbounded_a, struct rt_slice a, bool is_unbounded_b,
                          struct rt_slice b)
{
    if (is_unbounded_a || is_unbounded_b) {
        return (int)is_unbounded_a - (int)is_unbounded_b;
    }
    return fakeetcd__compare(a, b);
}

static int compare_reaches(const void *left, const void *right)
{
    const struct fakeetcd__reach *a = left;
    const struct fakeetcd__reach *b = right;

    return fakeetcd__compare(a->key, b->key);
}

/* Pieces that touch or overlap become one. */
static void merge(struct fakeetcd__reaches *reaches)
{
    size_t kept = 0;

    if (reaches->count == 0) {
        return;
    }
    qsort(reaches->items, reaches->count, sizeof(*reaches->items), compare_reaches);
    for (size_t i = 1; i < reaches->count; i++) {
        struct fakeetcd__reach *last = &reaches->items[kept];
        const struct fakeetcd__reach *next = &reaches->items[i];
        if (!last->is_unbounded && fakeetcd__compare(next->key, last->bound) > 0) {
            reaches->items[++kept] = *next;
        } else if (compare_bounds(next->is_unbounded, next->bound, last->is_unbounded,
                                  last->bound) > 0) {
            last->bound = next->bound;
            last->is_unbounded = next->is_unbounded;
        }
    }
    reaches->count = kept + 1;
}

static void add_grants(const struct fakeetcd__role *role, struct fakeetcd__user *user)
{
    for (const struct fakeetcd__grant *grant = fakeetcd__grant_first(role); grant != NULL;
         grant = fakeetcd__grant_next((struct fakeetcd__grant *)grant)) {
        struct fakeetcd__reach reach = {
            .key = grant->key, .bound = grant->bound, .is_unbounded = grant->is_unbounded};
        if (grant->access != FAKEETCD_WRITE) {
            user->readable.items[user->readable.count++] = reach;
        }
        if (grant->access != FAKEETCD_READ) {
            user->writable.items[user->writable.count++] = reach;
        }
    }
}

/* False: no memory. */
static bool make_reach(const struct fakeetcd_auth *auth, struct fakeetcd__user *user)
{
    size_t count = 0;
    const struct fakeetcd__named *name = NULL;

    for (name = fakeetcd__named_first(&user->roles); name != NULL;
         name = fakeetcd__named_next(name)) {
        const struct fakeetcd__role *role = fakeetcd__role_find(auth, name->name);
        count += role == NULL ? 0 : role->grant_count;
    }
    struct fakeetcd__reach *readable = calloc(count + 1, sizeof(*readable));
    struct fakeetcd__reach *writable = calloc(count + 1, sizeof(*writable));
    if (readable == NULL || writable == NULL) {
        free(readable);
        free(writable);
        return false;
    }
    free(user->readable.items);
    free(user->writable.items);
    user->readable = (struct fakeetcd__reaches){.items = readable};
    user->writable = (struct fakeetcd__reaches){.items = writable};
    user->is_root = fakeetcd__named_find(&user->roles, rt_slice_text(FAKEETCD__ROOT)) != NULL;
    for (name = fakeetcd__named_first(&user->roles); name != NULL;
         name = fakeetcd__named_next(name)) {
        const struct fakeetcd__role *role = fakeetcd__role_find(auth, name->name);
        if (role != NULL) {
            add_grants(role, user);
        }
    }
    merge(&user->readable);
    merge(&user->writable);
    user->reach_revision = auth->revision;
    return true;
}

/* The last piece that begins at or before the request must hold all of it. */
static bool is_covered(const struct fakeetcd__reaches *reaches,
                       const struct fakeetcd_interval *interval)
{
    size_t low = 0;
    size_t high = reaches->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fakeetcd__compare(reaches->items[middle].key, interval->key) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return false;
    }
    const struct fakeetcd__reach *reach = &reaches->items[low - 1];
    if (!reach->is_unbounded && fakeetcd__compare(interval->key, reach->bound) >= 0) {
        return false;
    }
    if (interval->end.len_bytes == 0) {
        return true;
    }
    bool is_unbounded = fakeetcd_interval_is_endless(interval);
    return compare_bounds(is_unbounded, interval->end, reach->is_unbounded, reach->bound) <= 0;
}

enum fakeetcd_error fakeetcd_auth_check(const struct fakeetcd_auth *auth,
                                        const struct fakeetcd_identity *identity,
                                        enum fakeetcd_access access,
                                        const struct fakeetcd_interval *interval)
{
    if (!auth->is_enabled) {
        return FAKEETCD_OK;
    }
    if (!identity->is_known) {
        return FAKEETCD_E_USER_EMPTY;
    }
    if (identity->auth_revision < auth->revision) {
        return FAKEETCD_E_AUTH_OLD_REVISION;
    }
    struct fakeetcd__user *user = fakeetcd__user_find(auth, identity->user);
    if (user == NULL) {
        return FAKEETCD_E_PERMISSION_DENIED;
    }
    if (user->reach_revision != auth->revision && !make_reach(auth, user)) {
        return FAKEETCD_E_NOMEM;
    }
    if (user->is_root) {
        return FAKEETCD_OK;
    }
    bool may_read = access == FAKEETCD_WRITE || is_covered(&user->readable, interval);
    bool may_write = access == FAKEETCD_READ || is_covered(&user->writable, interval);
    return may_read && may_write ? FAKEETCD_OK : FAKEETCD_E_PERMISSION_DENIED;
}

enum fakeetcd_error fakeetcd_auth_check_root(const struct fakeetcd_auth *auth,
                                             const struct fakeetcd_identity *identity)
{
    if (!auth->is_enabled) {
        return FAKEETCD_OK;
    }
    if (!identity->is_known) {
        return FAKEETCD_E_USER_EMPTY;
    }
    const struct fakeetcd__user *user = fakeetcd__user_find(auth, identity->user);
    bool is_root =
        user != NULL && fakeetcd__named_find(&user->roles, rt_slice_text(FAKEETCD__ROOT)) != NULL;
    return is_root ? FAKEETCD_OK : FAKEETCD_E_PERMISSION_DENIED;
}
