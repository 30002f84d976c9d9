/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_view.h"

#include "fakeds/cluster/cluster_directory.h"
#include "wire/proto/hash_ring.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Membership values, the ring and the directory, without a clock and without a wire. */
static void member__two_three_and_four_fields__are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        enum etcd_member_state state;
        const char *host_id;
        const char *version;
    } ROWS[] = {
        {"1795396239604062981;ready", ETCD_MEMBER_READY, "", ""},
        {"1;start;host-7", ETCD_MEMBER_START, "host-7", ""},
        {"1;recover;host-7;0.9.2", ETCD_MEMBER_RECOVER, "host-7", "0.9.2"},
        {"1;d_rst;;0.9.2", ETCD_MEMBER_DOWNGRADE, "", "0.9.2"},
        {"0;exiting", ETCD_MEMBER_EXITING, "", ""},
        {"18446744073709551615;restart", ETCD_MEMBER_RESTART, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct etcd_member_value value;
        char text[128];
        assert_true(etcd_member_parse(rt_slice_text(ROWS[i].text), &value));
        assert_int_equal(value.state, ROWS[i].state);
        assert_true(rt_slice_is_text(value.host_id, ROWS[i].host_id));
        assert_true(rt_slice_is_text(value.version, ROWS[i].version));
        size_t len_bytes = etcd_member_format(&value, text, sizeof(text));
        assert_int_equal(len_bytes, strlen(ROWS[i].text));
        assert_string_equal(text, ROWS[i].text);
        assert_int_equal(etcd_member_format(&value, text, len_bytes), 0); /* no room for the NUL */
    }
}

static void member__anything_else__is_refused(void **state)
{
    static const char *const WRONG[] = {"",        ";",        "1",
                                        "1;",      "ready",    "-1;ready",
                                        "1;READY", "1 ;ready", "18446744073709551616;ready",
                                        "1;ready2"};
    struct etcd_member_value value;
    (void)state;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        assert_false(etcd_member_parse(rt_slice_text(WRONG[i]), &value));
    }
    assert_false(etcd_member_parse(rt_slice_of("1;ready\0x", 9), &value));
}

/* Published answers of murmur3, x86, 32 bits, seed 0. */
static void key_hash__known_texts__are_murmur3(void **state)
{
    (void)state;
    assert_int_equal(fakeds__key_hash(rt_slice_text("")), 0);
    assert_int_equal(fakeds__key_hash(rt_slice_text("hello")), 0x248bfa47);
    assert_int_equal(fakeds__key_hash(rt_slice_text("hello, world")), 0x149bbb7f);
    assert_int_equal(fakeds__key_hash(rt_slice_text("The quick brown fox jumps over the lazy dog")),
                     0x2e4ff723);
}

static struct rt_slice ring_of(uint8_t out_bytes[256], const uint32_t *tokens_a,
                               const uint32_t *tokens_b)
{
    DsRing__HashRingPb ring = DS_RING__HASH_RING_PB__INIT;
    DsRing__WorkerEntry entries[] = {DS_RING__WORKER_ENTRY__INIT, DS_RING__WORKER_ENTRY__INIT,
                                     DS_RING__WORKER_ENTRY__INIT};
    DsRing__WorkerPb workers[] = {DS_RING__WORKER_PB__INIT, DS_RING__WORKER_PB__INIT,
                                  DS_RING__WORKER_PB__INIT};
    DsRing__WorkerEntry *pointers[] = {&entries[0], &entries[1], &entries[2]};
    static uint32_t joining[] = {5};
    const char *const names[] = {"a:1", "b:1", "joining:1"};
    for (size_t i = 0; i < 3; i++) {
        entries[i].address.data = (uint8_t *)(uintptr_t)names[i];
        entries[i].address.len = strlen(names[i]);
        entries[i].worker = &workers[i];
        workers[i].state = DS_RING__WORKER_PB__STATE__ACTIVE;
    }
    workers[0].hash_tokens = (uint32_t *)(uintptr_t)tokens_a;
    workers[0].n_hash_tokens = 2;
    workers[1].hash_tokens = (uint32_t *)(uintptr_t)tokens_b;
    workers[1].n_hash_tokens = 2;
    workers[2].hash_tokens = joining;
    workers[2].n_hash_tokens = 1;
    workers[2].state = DS_RING__WORKER_PB__STATE__JOINING;
    ring.workers = pointers;
    ring.n_workers = 3;
    ring.cluster_has_init = true;
    assert_in_range(ds_ring__hash_ring_pb__get_packed_size(&ring), 1, 256);
    return rt_slice_of(out_bytes, ds_ring__hash_ring_pb__pack(&ring, out_bytes));
}

/* "hello" hashes to 0x248bfa47, "" to 0. */
static void owner__of_a_key__is_the_active_worker_at_or_behind_its_hash(void **state)
{
    uint8_t bytes[256];
    struct fakeds__view view = {0};
    (void)state;
    assert_null(fakeds__view_owner(&view, rt_slice_text("hello")));
    const uint32_t at[] = {0x248bfa47, 0xf0000000};
    const uint32_t behind[] = {0x248bfa48, 0x248bfa46};
    assert_int_equal(fakeds__view_set_ring(&view, ring_of(bytes, at, behind), 5), RT_OK);
    assert_string_equal(fakeds__view_owner(&view, rt_slice_text("hello")), "a:1");
    assert_string_equal(fakeds__view_owner(&view, rt_slice_text("")), "b:1"); /* not joining */
    const uint32_t below[] = {0x00000001, 0x10000000};
    const uint32_t low[] = {0x20000000, 0x248bfa46};
    assert_int_equal(fakeds__view_set_ring(&view, ring_of(bytes, low, below), 6), RT_OK);
    assert_string_equal(fakeds__view_owner(&view, rt_slice_text("hello")), "b:1"); /* around */
    assert_int_equal(fakeds__view_set_ring(&view, ring_of(bytes, at, behind), 4), RT_OK);
    assert_string_equal(fakeds__view_owner(&view, rt_slice_text("hello")), "b:1"); /* older */
    assert_int_equal(fakeds__view_set_ring(&view, rt_slice_text("\xff\xff"), 7), RT_E_MALFORMED);
    assert_string_equal(fakeds__view_owner(&view, rt_slice_text("hello")), "b:1"); /* stays */
    fakeds__view_fini(&view);
}

static void view__events_out_of_order__newest_counts(void **state)
{
    struct fakeds__view view = {0};
    struct rt_slice address = rt_slice_text("a:1");
    (void)state;
    assert_int_equal(fakeds__view_put(&view, address, rt_slice_text("1;ready"), 10), RT_OK);
    assert_int_equal(fakeds__view_put(&view, address, rt_slice_text("1;start"), 9), RT_OK);
    assert_int_equal(fakeds__view_find(&view, address)->state, ETCD_MEMBER_READY);
    fakeds__view_remove(&view, address, 9);
    assert_true(fakeds__view_find(&view, address)->is_listed);
    fakeds__view_remove(&view, address, 11);
    assert_false(fakeds__view_find(&view, address)->is_listed);
    assert_int_equal(fakeds__view_put(&view, address, rt_slice_text("rubbish"), 12), RT_OK);
    assert_true(fakeds__view_find(&view, address)->is_listed);
    assert_int_equal(fakeds__view_find(&view, address)->state, ETCD_MEMBER_UNKNOWN);
    fakeds__view_fini(&view);
}

/* ---- the directory -------------------------------------------------------------------------- */

#define LINK(n) ((struct fakeds__link *)(uintptr_t)(n)) /* names, never looked into */

static void directory__versions_and_holders__newest_wins_and_copies_add_up(void **state)
{
    struct fakeds__directory directory;
    struct fakeds__meta meta = {.version_us = 5, .expires_us = 100};
    struct fakeds__entry *entry = NULL;
    struct rt_slice key = rt_slice_text("k");
    (void)state;
    fakeds__directory_init(&directory);
    assert_non_null(fakeds__directory_set(&directory, key, &meta, LINK(1)));
    assert_int_equal(fakeds__directory_add(&directory, key, &meta, LINK(2), &entry), RT_OK);
    assert_int_equal(entry->holder_count, 2);
    assert_ptr_equal(entry->holders[0], LINK(1));
    meta.version_us = 4; /* a late announcement */
    assert_int_equal(fakeds__directory_add(&directory, key, &meta, LINK(3), &entry), RT_OK);
    assert_int_equal(entry->holder_count, 2);
    meta.version_us = 6;
    assert_int_equal(fakeds__directory_add(&directory, key, &meta, LINK(3), &entry), RT_OK);
    assert_int_equal(entry->holder_count, 1);
    assert_non_null(fakeds__directory_find(&directory, key, 99));
    assert_null(fakeds__directory_find(&directory, key, 100)); /* its time is over */
    assert_int_equal(RT_TABLE_COUNT(directory.entries), 0);
    fakeds__directory_fini(&directory);
}

static void directory__waiters__are_told_once_and_only_in_time(void **state)
{
    struct fakeds__directory directory;
    struct fakeds__meta meta = {.version_us = 1, .expires_us = UINT64_MAX};
    struct rt_slice key = rt_slice_text("k");
    (void)state;
    fakeds__directory_init(&directory);
    assert_int_equal(fakeds__directory_await(&directory, key, LINK(1), 0, 50), RT_OK);
    assert_int_equal(fakeds__directory_await(&directory, key, LINK(2), 0, 10), RT_OK);
    assert_int_equal(fakeds__directory_await(&directory, key, LINK(1), 0, 40), RT_OK);
    assert_null(fakeds__directory_find(&directory, key, 0)); /* nobody holds it */
    struct fakeds__entry *entry = fakeds__directory_set(&directory, key, &meta, LINK(3));
    assert_non_null(entry);
    assert_ptr_equal(fakeds__directory_next_waiter(entry, 45), LINK(1));
    assert_null(fakeds__directory_next_waiter(entry, 45));
    fakeds__directory_fini(&directory);
}

/* Gets of keys that nobody ever stores leave nothing behind. */
static void directory__a_thousand_waits_in_vain__do_not_pile_up(void **state)
{
    struct fakeds__directory directory;
    (void)state;
    fakeds__directory_init(&directory);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(fakeds__directory_await(&directory, rt_slice_of(&i, sizeof(i)), LINK(1),
                                                 i * 10, i * 10 + 25),
                         RT_OK);
        assert_in_range(RT_TABLE_COUNT(directory.entries), 1, 8);
    }
    fakeds__directory_fini(&directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member__two_three_and_four_fields__are_read_and_written),
        cmocka_unit_test(member__anything_else__is_refused),
        cmocka_unit_test(key_hash__known_texts__are_murmur3),
        cmocka_unit_test(owner__of_a_key__is_the_active_worker_at_or_behind_its_hash),
        cmocka_unit_test(view__events_out_of_order__newest_counts),
        cmocka_unit_test(directory__versions_and_holders__newest_wins_and_copies_add_up),
        cmocka_unit_test(directory__waiters__are_told_once_and_only_in_time),
        cmocka_unit_test(directory__a_thousand_waits_in_vain__do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
