/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store, watches and leases against a model that keeps every change for ever and looks through all
 * of them: seeded random writes, compactions and reads at old revisions must agree.
 */
#include "fakeetcd/lease/lease.h"
#include "fakeetcd/watch/watch_hub.h"

#include "runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define KEYS        7
#define CHANGES_MAX 6000
#define WATCHERS    6

struct entry {
    int64_t revision;
    int key;
    int value; /* -1: deleted */
    int64_t create_revision;
    int64_t version;
};

struct seen {
    int64_t from;
    int low;  /* first key */
    int high; /* behind the last key */
    int64_t last_revision;
    size_t at; /* in the model's changes */
    bool is_refusing;
    bool is_compacted;
    struct fakeetcd_watcher *watcher;
    struct fixture *fx;
};

struct fixture {
    struct fakeetcd_store *store;
    struct fakeetcd_hub *hub;
    struct rt_random random;
    struct entry changes[CHANGES_MAX];
    size_t count;
    int64_t revision;
    int64_t compacted;
    bool is_compacted_at_0;
    struct seen seen[WATCHERS];
};

static void key_text(int key, char out_text[8])
{
    out_text[0] = 'k';
    out_text[1] = (char)('0' + key);
    out_text[2] = '\0';
}

static int key_of(struct rt_slice key)
{
    return key.data[1] - '0';
}

static uint64_t draw(struct fixture *fx, uint64_t below)
{
    return rt_random_u64(&fx->random) % below;
}

/* The last change of `key` up to `revision`; NULL: never there. */
static const struct entry *at(const struct fixture *fx, int key, int64_t revision)
{
    const struct entry *found = NULL;

    for (size_t i = 0; i < fx->count && fx->changes[i].revision <= revision; i++) {
        found = fx->changes[i].key == key ? &fx->changes[i] : found;
    }
    return found == NULL || found->value < 0 ? NULL : found;
}

static void record(struct fixture *fx, int key, int value)
{
    const struct entry *before = at(fx, key, fx->revision + 1);

    assert_true(fx->count < CHANGES_MAX);
    fx->changes[fx->count++] = (struct entry){
        .revision = fx->revision + 1,
        .key = key,
        .value = value,
        .create_revision = before == NULL ? fx->revision + 1 : before->create_revision,
        .version = before == NULL ? 1 : before->version + 1};
}

/* ---- what happens ---- */

static void write_some(struct fixture *fx)
{
    bool is_aborted = draw(fx, 8) == 0;
    size_t before = fx->count;
    uint32_t used = 0;

    fakeetcd_write_begin(fx->store);
    for (uint64_t i = 0; i < 1 + draw(fx, 3); i++) {
        int key = (int)draw(fx, KEYS);
        char name[8];
        if ((used & 1U << key) != 0) {
            continue; /* a transaction touches a key once */
        }
        used |= 1U << key;
        key_text(key, name);
        if (draw(fx, 3) == 0) {
            bool was_there = at(fx, key, fx->revision + 1) != NULL;
            assert_int_equal(fakeetcd_write_delete(fx->store, rt_slice_text(name), NULL),
                             was_there);
            if (was_there) {
                record(fx, key, -1);
            }
        } else {
            int value = (int)draw(fx, 1000);
            assert_int_equal(fakeetcd_write_put(fx->store, rt_slice_text(name),
                                                rt_slice_of(&value, sizeof(value)), NULL, 0, NULL),
                             FAKEETCD_OK);
            record(fx, key, value);
        }
    }
    if (is_aborted) {
        fx->count = before;
        fakeetcd_write_abort(fx->store);
        return;
    }
    fx->revision += fx->count > before ? 1 : 0; /* before the observers ask */
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static void compact_some(struct fixture *fx)
{
    int64_t revision = fx->revision - (int64_t)draw(fx, 12);
    enum fakeetcd_error error = fakeetcd_store_compact(fx->store, revision);

    if (revision == 0 && fx->compacted == 0 && !fx->is_compacted_at_0) {
        assert_int_equal(error, FAKEETCD_OK); /* as etcd does, once */
        fx->is_compacted_at_0 = true;
        return;
    }
    if (revision <= fx->compacted) {
        assert_int_equal(error, FAKEETCD_E_COMPACTED);
        return;
    }
    assert_int_equal(error, FAKEETCD_OK);
    fx->compacted = revision;
}

/* ---- what must agree ---- */

static void compare_reads(struct fixture *fx)
{
    int64_t revision =
        fx->compacted + (int64_t)draw(fx, (uint64_t)(fx->revision - fx->compacted + 1));
    int low = (int)draw(fx, KEYS);
    int high = (int)draw(fx, KEYS + 1);
    char low_name[8];
    char high_name[8];
    uint64_t expected = 0;

    revision = revision < 1 ? 1 : revision;
    for (int key = 0; key < KEYS; key++) {
        const struct entry *entry = at(fx, key, revision);
        struct fakeetcd_kv kv;
        char name[8];
        int value = 0;
        key_text(key, name);
        assert_int_equal(fakeetcd_store_get(fx->store, rt_slice_text(name), revision, &kv),
                         entry != NULL);
        if (entry == NULL) {
            continue;
        }
        expected += key >= low && key < high;
        memcpy(&value, kv.value.data, sizeof(value));
        assert_int_equal(value, entry->value);
        assert_int_equal(kv.mod_revision, entry->revision);
        assert_int_equal(kv.create_revision, entry->create_revision);
        assert_int_equal(kv.version, entry->version);
    }
    key_text(low, low_name);
    key_text(high, high_name);
    struct fakeetcd_interval interval = {rt_slice_text(low_name), rt_slice_text(high_name)};
    assert_int_equal(fakeetcd_store_count(fx->store, &interval, revision), expected);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, fx->revision + 1),
                     FAKEETCD_E_FUTURE_REVISION);
}

/* Each change once, in order, none left out, all of a revision together. */
static bool on_events(void *arg, const struct fakeetcd_delivery *delivery)
{
    struct seen *seen = arg;
    struct fixture *fx = seen->fx;

    if (seen->is_refusing) {
        return false;
    }
    for (size_t i = 0; i < delivery->count; i++) {
        const struct fakeetcd_kv *kv = &delivery->changes[i].kv;
        while (seen->at < fx->count &&
               (fx->changes[seen->at].revision < seen->from ||
                fx->changes[seen->at].key < seen->low || fx->changes[seen->at].key >= seen->high)) {
            seen->at++;
        }
        assert_true(seen->at < fx->count);
        const struct entry *entry = &fx->changes[seen->at++];
        assert_int_equal(kv->mod_revision, entry->revision);
        assert_int_equal(key_of(kv->key), entry->key);
        assert_int_equal(kv->version, entry->value < 0 ? 0 : entry->version);
        seen->last_revision = entry->revision;
    }
    return true;
}

static void on_compacted(void *arg, int64_t compacted_revision)
{
    struct seen *seen = arg;

    assert_int_equal(compacted_revision, seen->fx->compacted);
    seen->is_compacted = true;
}

static const struct fakeetcd_watch_handler HANDLER = {on_events, on_compacted, NULL};

static void watch_some(struct fixture *fx)
{
    struct seen *seen = &fx->seen[draw(fx, WATCHERS)];
    char low_name[8];
    char high_name[8];

    fakeetcd_watcher_remove(seen->watcher);
    *seen = (struct seen){.fx = fx, .low = (int)draw(fx, KEYS)};
    bool is_exact = draw(fx, 2) == 0;
    seen->high = is_exact ? seen->low + 1 : seen->low + 1 + (int)draw(fx, KEYS);
    int64_t start = fx->revision + 3 - (int64_t)draw(fx, 15);
    start = start < 0 ? 0 : start;
    seen->from = start == 0 ? fx->revision + 1 : start;
    key_text(seen->low, low_name);
    key_text(seen->high > 9 ? 9 : seen->high, high_name);
    seen->high = seen->high > 9 ? 9 : seen->high;
    struct fakeetcd_watch_options options = {
        .interval = {rt_slice_text(low_name), rt_slice_text(is_exact ? "" : high_name)},
        .start_revision = start,
        .arg = seen};
    assert_int_equal(fakeetcd_watcher_add(fx->hub, &options, &seen->watcher), RT_OK);
}

static void refuse_some(struct fixture *fx)
{
    struct seen *seen = &fx->seen[draw(fx, WATCHERS)];

    if (seen->watcher != NULL) {
        seen->is_refusing = !seen->is_refusing;
        if (!seen->is_refusing) {
            fakeetcd_watcher_resume(seen->watcher);
        }
    }
}

static void catch_up(struct fixture *fx)
{
    while (fakeetcd_hub_catch_up(fx->hub, 1 + draw(fx, 4))) {
    }
}

/* In the end all that are neither refusing nor compacted have everything. */
static void assert_nothing_is_missing(struct fixture *fx)
{
    for (size_t i = 0; i < WATCHERS; i++) {
        struct seen *seen = &fx->seen[i];
        if (seen->watcher == NULL || seen->is_compacted) {
            continue;
        }
        if (seen->is_refusing) {
            seen->is_refusing = false;
            fakeetcd_watcher_resume(seen->watcher);
        }
    }
    catch_up(fx);
    for (size_t i = 0; i < WATCHERS; i++) {
        struct seen *seen = &fx->seen[i];
        if (seen->watcher == NULL || seen->is_compacted) {
            continue;
        }
        assert_true(fakeetcd_watcher_is_live(seen->watcher));
        for (; seen->at < fx->count; seen->at++) {
            const struct entry *entry = &fx->changes[seen->at];
            assert_false(entry->revision >= seen->from && entry->key >= seen->low &&
                         entry->key < seen->high);
        }
    }
}

static void run_seed(uint64_t seed)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    fx->revision = 1;
    rt_random_init(&fx->random, seed, "model");
    assert_int_equal(fakeetcd_store_create(&fx->store), RT_OK);
    assert_int_equal(fakeetcd_hub_create(fx->store, &fx->hub), RT_OK);
    fakeetcd_hub_set_handler(fx->hub, &HANDLER, fx);
    for (int step = 0; step < 1500; step++) {
        switch (draw(fx, 12)) {
        case 0:
            compact_some(fx);
            break;
        case 1:
            watch_some(fx);
            break;
        case 2:
            refuse_some(fx);
            break;
        case 3:
            catch_up(fx);
            break;
        case 4:
        case 5:
            compare_reads(fx);
            break;
        default:
            write_some(fx);
            break;
        }
        assert_int_equal(fakeetcd_store_revision(fx->store), fx->revision);
    }
    assert_nothing_is_missing(fx);
    for (size_t i = 0; i < WATCHERS; i++) {
        fakeetcd_watcher_remove(fx->seen[i].watcher);
    }
    fakeetcd_hub_destroy(fx->hub);
    fakeetcd_store_destroy(fx->store);
    free(fx);
}

static void state__random_writes_reads_watches_and_compactions__agrees_with_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state__random_writes_reads_watches_and_compactions__agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
