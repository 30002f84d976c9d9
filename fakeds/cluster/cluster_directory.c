/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_directory.h"

#include <stdlib.h>

static struct fakeds__entry *look(const struct fakeds__directory *directory, struct rt_slice key);
static struct fakeds__entry *need(struct fakeds__directory *directory, struct rt_slice key);
static void free_entry(struct fakeds__directory *directory, struct fakeds__entry *entry);
static void free_if_idle(struct fakeds__directory *directory, struct fakeds__entry *entry);
static bool holds(const struct fakeds__entry *entry, const struct fakeds__link *link);
static void forget_late_waits(struct fakeds__directory *directory, uint64_t now_us);

void fakeds__directory_init(struct fakeds__directory *directory)
{
    directory->entries = NULL;
    TAILQ_INIT(&directory->awaited);
}

void fakeds__directory_fini(struct fakeds__directory *directory)
{
    struct fakeds__entry *entry;
    struct fakeds__entry *next;
    RT_TABLE_EACH(entry, next, directory->entries)
    {
        free_entry(directory, entry);
    }
}

static struct fakeds__entry *look(const struct fakeds__directory *directory, struct rt_slice key)
{
    struct fakeds__entry *entry = NULL;
    RT_TABLE_FIND_BYTES(directory->entries, key.data, key.len_bytes, entry);
    return entry;
}

static struct fakeds__entry *need(struct fakeds__directory *directory, struct rt_slice key)
{
    enum rt_status status;
    struct fakeds__entry *entry = look(directory, key);
    if (entry != NULL || (entry = calloc(1, sizeof(*entry) + key.len_bytes)) == NULL) {
        return entry;
    }
    memcpy(entry + 1, key.data, key.len_bytes);
    entry->key = rt_slice_of(entry + 1, key.len_bytes);
    RT_TABLE_ADD_BYTES(directory->entries, entry, entry->key.data, entry->key.len_bytes, &status);
    if (status != RT_OK) {
        free(entry);
        return NULL;
    }
    return entry;
}

static void free_entry(struct fakeds__directory *directory, struct fakeds__entry *entry)
{
    RT_TABLE_REMOVE(directory->entries, entry);
    if (entry->is_watched) {
        TAILQ_REMOVE(&directory->awaited, entry, others);
    }
    free(entry->holders);
    free(entry->waiters);
    free(entry);
}

static void free_if_idle(struct fakeds__directory *directory, struct fakeds__entry *entry)
{
    if (entry->holder_count == 0 && entry->waiter_count == 0) {
        free_entry(directory, entry);
    }
}

struct fakeds__entry *fakeds__directory_find(struct fakeds__directory *directory,
                                             struct rt_slice key, uint64_t now_us)
{
    struct fakeds__entry *entry = look(directory, key);
    if (entry == NULL || entry->holder_count == 0) {
        return NULL;
    }
    if (entry->meta.expires_us <= now_us) {
        fakeds__directory_clear(directory, entry);
        return NULL;
    }
    return entry;
}

static bool holds(const struct fakeds__entry *entry, const struct fakeds__link *link)
{
    for (size_t i = 0; i < entry->holder_count; i++) {
        if (entry->holders[i] == link) {
            return true;
        }
    }
    return false;
}

struct fakeds__entry *fakeds__directory_set(struct fakeds__directory *directory,
                                            struct rt_slice key, const struct fakeds__meta *meta,
                                            struct fakeds__link *holder)
{
    struct fakeds__entry *entry = need(directory, key);
    if (entry == NULL) {
        return NULL;
    }
    entry->holder_count = 0;
    struct fakeds__entry *added = NULL;
    entry->meta.version_us = 0;
    enum rt_status status = fakeds__directory_add(directory, key, meta, holder, &added);
    return status == RT_OK ? added : NULL;
}

enum rt_status fakeds__directory_add(struct fakeds__directory *directory, struct rt_slice key,
                                     const struct fakeds__meta *meta, struct fakeds__link *holder,
                                     struct fakeds__entry **out_entry)
{
    struct fakeds__entry *entry = need(directory, key);
    if (entry == NULL) {
        return RT_E_NOMEM;
    }
    *out_entry = entry;
    if (entry->holder_count > 0 && meta->version_us < entry->meta.version_us) {
        return RT_OK;
    }
    if (entry->holder_count > 0 && meta->version_us > entry->meta.version_us) {
        entry->holder_count = 0;
    }
    if (holds(entry, holder)) {
        entry->meta = *meta;
        return RT_OK;
    }
    struct fakeds__link **holders =
        realloc(entry->holders, (entry->holder_count + 1) * sizeof(struct fakeds__link *));
    if (holders == NULL) {
        free_if_idle(directory, entry);
        return RT_E_NOMEM;
    }
    entry->holders = holders;
    entry->holders[entry->holder_count++] = holder;
    entry->meta = *meta;
    return RT_OK;
}

void fakeds__directory_drop(struct fakeds__directory *directory, struct fakeds__entry *entry,
                            const struct fakeds__link *holder)
{
    size_t kept_count = 0;
    for (size_t i = 0; i < entry->holder_count; i++) {
        if (entry->holders[i] != holder) {
            entry->holders[kept_count++] = entry->holders[i];
        }
    }
    entry->holder_count = kept_count;
    free_if_idle(directory, entry);
}

void fakeds__directory_clear(struct fakeds__directory *directory, struct fakeds__entry *entry)
{
    entry->holder_count = 0;
    free_if_idle(directory, entry);
}

/* ---- waiting -------------------------------------------------------------------------------- */

enum rt_status fakeds__directory_await(struct fakeds__directory *directory, struct rt_slice key,
                                       struct fakeds__link *link, uint64_t now_us,
                                       uint64_t until_us)
{
    forget_late_waits(directory, now_us);
    struct fakeds__entry *entry = need(directory, key);
    if (entry == NULL) {
        return RT_E_NOMEM;
    }
    size_t i = 0;
    while (i < entry->waiter_count && entry->waiters[i].link != link) {
        i++;
    }
    if (i == entry->waiter_count) {
        struct fakeds__waiter *waiters =
            realloc(entry->waiters, (entry->waiter_count + 1) * sizeof(*waiters));
        if (waiters == NULL) {
            free_if_idle(directory, entry);
            return RT_E_NOMEM;
        }
        entry->waiters = waiters;
        entry->waiters[entry->waiter_count++] = (struct fakeds__waiter){.link = link};
    }
    if (entry->waiters[i].until_us < until_us) {
        entry->waiters[i].until_us = until_us;
    }
    if (entry->watched_until_us < until_us) {
        entry->watched_until_us = until_us;
    }
    if (!entry->is_watched) {
        entry->is_watched = true;
        TAILQ_INSERT_TAIL(&directory->awaited, entry, others);
    }
    return RT_OK;
}

/* The oldest two at each turn, so that what nobody ever stores does not pile up and no call pays
 * for all of them. One that still waits goes to the end. */
static void forget_late_waits(struct fakeds__directory *directory, uint64_t now_us)
{
    for (unsigned i = 0; i < 2 && !TAILQ_EMPTY(&directory->awaited); i++) {
        struct fakeds__entry *entry = TAILQ_FIRST(&directory->awaited);
        TAILQ_REMOVE(&directory->awaited, entry, others);
        if (entry->watched_until_us > now_us && entry->waiter_count > 0) {
            TAILQ_INSERT_TAIL(&directory->awaited, entry, others);
            continue;
        }
        entry->is_watched = false;
        entry->waiter_count = 0;
        free_if_idle(directory, entry);
    }
}

struct fakeds__link *fakeds__directory_next_waiter(struct fakeds__entry *entry, uint64_t now_us)
{
    while (entry->waiter_count > 0) {
        struct fakeds__waiter waiter = entry->waiters[--entry->waiter_count];
        if (waiter.until_us > now_us) {
            return waiter.link;
        }
    }
    return NULL;
}
