/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshot as a database: every page is right, is there once, and has what the store has. */
#include "fakeetcd/maintenance/bolt_file.h"
#include "fakeetcd/maintenance/bolt_snapshot.h"
#include "wire/proto/etcd_mvcc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

enum { PAGE = FAKEETCD__BOLT_PAGE_BYTES, PAGES_MAX = 4096 };

struct fixture {
    struct fakeetcd_state state;
    struct rt_random random;
    uint8_t *bytes;
    size_t len_bytes;
    bool is_seen[PAGES_MAX];
    size_t depth; /* of the deepest leaf */
    FILE *out;    /* what was found, a line each */
    char *found;
    size_t found_bytes;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    rt_random_init(&fx->random, 1, "snapshot");
    fx->state.raft_index = 77;
    fx->state.raft_term = 3;
    assert_int_equal(fakeetcd_store_create(&fx->state.store), RT_OK);
    assert_int_equal(fakeetcd_leases_create(fx->state.store, 2, &fx->state.leases), RT_OK);
    assert_int_equal(fakeetcd_auth_create(&fx->random, 1000, &fx->state.auth), RT_OK);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    fakeetcd_leases_destroy(fx->state.leases);
    fakeetcd_store_destroy(fx->state.store);
    fakeetcd_auth_destroy(fx->state.auth);
    free(fx->bytes);
    free(fx->found);
    free(fx);
    return 0;
}

static void put(struct fixture *fx, const char *key, struct rt_slice value, int64_t lease)
{
    struct rt_blob *blob = rt_blob_copy(value);
    assert_int_equal(
        fakeetcd_write_put(fx->state.store, rt_slice_text(key), value, blob, lease, NULL),
        FAKEETCD_OK);
    rt_blob_release(blob);
}

static void begin(struct fixture *fx)
{
    fakeetcd_write_begin(fx->state.store);
}

static void end(struct fixture *fx)
{
    assert_int_equal(fakeetcd_write_end(fx->state.store), FAKEETCD_OK);
}

/* ---- a reader of databases ---- */

static uint64_t number_at(const uint8_t *at, size_t byte_count)
{
    uint64_t number = 0;
    for (size_t i = byte_count; i > 0; i--) {
        number = number << 8 | at[i - 1];
    }
    return number;
}

static const uint8_t *page_at(struct fixture *fx, uint64_t id)
{
    const uint8_t *page = fx->bytes + id * PAGE;
    assert_true((id + 1) * PAGE <= fx->len_bytes && id < PAGES_MAX);
    assert_int_equal(number_at(page, 8), id);
    for (uint64_t i = 0; i <= number_at(page + 12, 4); i++) {
        assert_false(fx->is_seen[id + i]);
        fx->is_seen[id + i] = true;
    }
    return page;
}

static void say_key(struct fixture *fx, const char *bucket, struct rt_slice key,
                    struct rt_slice value)
{
    if (strcmp(bucket, "key") != 0) {
        fprintf(fx->out, "%s %zu %zu\n", bucket, key.len_bytes, value.len_bytes);
        return;
    }
    Mvccpb__KeyValue *kv = mvccpb__key_value__unpack(NULL, value.len_bytes, value.data);
    assert_non_null(kv);
    fprintf(fx->out, "key %d_%d%s %.*s %lld %lld %lld %zu %lld\n", key.data[7], key.data[16],
            key.len_bytes == 18 ? "t" : "", (int)kv->key.len, (const char *)kv->key.data,
            (long long)kv->create_revision, (long long)kv->mod_revision, (long long)kv->version,
            kv->value.len, (long long)kv->lease);
    mvccpb__key_value__free_unpacked(kv, NULL);
}

static void read_page(struct fixture *fx, const char *bucket, uint64_t id, size_t depth,
                      struct rt_slice *io_last);
static void read_elements(struct fixture *fx, const char *bucket, const uint8_t *page, size_t depth,
                          struct rt_slice *io_last);

static void read_leaf_element(struct fixture *fx, const char *bucket, const uint8_t *element,
                              struct rt_slice *io_last)
{
    const uint8_t *at = element + number_at(element + 4, 4);
    struct rt_slice key = rt_slice_of(at, (size_t)number_at(element + 8, 4));
    struct rt_slice value = rt_slice_of(at + key.len_bytes, (size_t)number_at(element + 12, 4));
    size_t shorter = key.len_bytes < io_last->len_bytes ? key.len_bytes : io_last->len_bytes;
    int order = shorter == 0 ? 0 : memcmp(io_last->data, key.data, shorter);
    assert_true(order < 0 || (order == 0 && io_last->len_bytes < key.len_bytes));
    assert_true(value.data + value.len_bytes <= fx->bytes + fx->len_bytes);
    *io_last = key;
    if (number_at(element, 4) == 1) {
        char name[32];
        struct rt_slice last = {0};
        snprintf(name, sizeof(name), "%.*s", (int)key.len_bytes, (const char *)key.data);
        fprintf(fx->out, "[%s]\n", name);
        if (number_at(value.data, 8) == 0) {
            read_elements(fx, name, value.data + 16, 1, &last);
        } else {
            read_page(fx, name, number_at(value.data, 8), 1, &last);
        }
    } else {
        say_key(fx, bucket, key, value);
    }
}

static void read_page(struct fixture *fx, const char *bucket, uint64_t id, size_t depth,
                      struct rt_slice *io_last)
{
    read_elements(fx, bucket, page_at(fx, id), depth, io_last);
}

static void read_elements(struct fixture *fx, const char *bucket, const uint8_t *page, size_t depth,
                          struct rt_slice *io_last)
{
    uint64_t flags = number_at(page + 8, 2);
    assert_true(flags == 1 || flags == 2);
    fx->depth = depth > fx->depth ? depth : fx->depth;
    for (size_t i = 0; i < number_at(page + 10, 2); i++) {
        const uint8_t *element = page + 16 + 16 * i;
        if (flags == 2) {
            read_leaf_element(fx, bucket, element, io_last);
            continue;
        }
        struct rt_slice first =
            rt_slice_of(element + number_at(element, 4), (size_t)number_at(element + 4, 4));
        assert_true(io_last->len_bytes == 0 ||
                    memcmp(io_last->data, first.data, io_last->len_bytes) < 0);
        read_page(fx, bucket, number_at(element + 8, 8), depth + 1, io_last);
    }
}

static uint64_t read_meta(const uint8_t *page, uint64_t page_count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < 56; i++) {
        hash = (hash ^ page[16 + i]) * UINT64_C(0x100000001b3);
    }
    assert_int_equal(number_at(page + 16, 4), 0xed0cdaed);
    assert_int_equal(number_at(page + 20, 4), 2);
    assert_int_equal(number_at(page + 24, 4), PAGE);
    assert_int_equal(number_at(page + 16 + 40, 8), page_count);
    assert_true(number_at(page + 16 + 56, 8) == hash);
    return number_at(page + 32, 8);
}

/* What was found; nothing may lie around. */
static const char *read_back(struct fixture *fx)
{
    struct rt_slice last = {0};
    assert_int_equal(fakeetcd__bolt_snapshot(&fx->state, &fx->bytes, &fx->len_bytes), RT_OK);
    assert_int_equal(fx->len_bytes % PAGE, 0);
    uint64_t root = read_meta(page_at(fx, 0), fx->len_bytes / PAGE);
    assert_int_equal(read_meta(page_at(fx, 1), fx->len_bytes / PAGE), root);
    assert_int_equal(number_at(page_at(fx, 2) + 8, 2), 16);
    fx->out = open_memstream(&fx->found, &fx->found_bytes);
    assert_non_null(fx->out);
    read_page(fx, "", root, 0, &last);
    assert_int_equal(fclose(fx->out), 0);
    for (size_t i = 0; i < fx->len_bytes / PAGE; i++) {
        assert_true(fx->is_seen[i]);
    }
    return fx->found;
}

/* ---- what is in it ---- */

#define BEFORE_KEYS                                                                                \
    "[alarm]\n[auth]\nauth 11 1\nauth 12 8\n[authRoles]\n[authUsers]\n[cluster]\n[key]\n"
#define BEHIND_LEASES "[members]\n[members_removed]\n[meta]\nmeta 16 8\n"

static void snapshot__empty_store__has_its_buckets(void **state)
{
    assert_string_equal(read_back(*state), BEFORE_KEYS "[lease]\n" BEHIND_LEASES "meta 4 8\n");
}

static void snapshot__a_short_life__has_every_version_in_order(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(fakeetcd_lease_grant(fx->state.leases, 7, 60, 0, NULL), FAKEETCD_OK);
    assert_int_equal(fakeetcd_lease_grant(fx->state.leases, -7, 60, 0, NULL), FAKEETCD_OK);
    begin(fx);
    put(fx, "b", rt_slice_text("12"), 7);
    put(fx, "a", rt_slice_text("1"), 0);
    end(fx);
    begin(fx);
    put(fx, "a", rt_slice_text(""), 0);
    assert_true(fakeetcd_write_delete(fx->state.store, rt_slice_text("b"), NULL));
    end(fx);
    assert_string_equal(read_back(fx),
                        BEFORE_KEYS "key 2_0 b 2 2 1 2 7\n"
                                    "key 2_1 a 2 2 1 1 0\n"
                                    "key 3_0 a 2 3 2 0 0\n"
                                    "key 3_1t b 0 0 0 0 0\n"
                                    "[lease]\nlease 8 4\nlease 8 13\n" BEHIND_LEASES "meta 4 8\n");
}

static void snapshot__compacted__has_what_survived_and_says_where(void **state)
{
    struct fixture *fx = *state;
    for (int i = 0; i < 4; i++) {
        begin(fx);
        put(fx, "b", rt_slice_text("1"), 0);
        put(fx, i == 0 ? "a" : "c", rt_slice_text("1"), 0);
        end(fx);
    }
    assert_int_equal(fakeetcd_store_compact(fx->state.store, 4), FAKEETCD_OK);
    assert_string_equal(read_back(fx),
                        BEFORE_KEYS "key 2_0 a 2 2 1 1 0\n"
                                    "key 4_0 b 2 4 3 1 0\n"
                                    "key 4_1 c 3 4 2 1 0\n"
                                    "key 5_0 b 2 5 4 1 0\n"
                                    "key 5_1 c 3 5 3 1 0\n"
                                    "[lease]\n" BEHIND_LEASES "meta 18 17\nmeta 19 17\nmeta 4 8\n");
}

/* Leaves of many sizes, one over several pages, and branches above branches. */
static void snapshot__many_versions__are_a_tree_of_whole_pages(void **state)
{
    enum { COUNT = 20000 };
    static uint8_t value[3000];
    struct fixture *fx = *state;
    size_t lines = 0;
    for (int i = 0; i < COUNT; i++) {
        size_t len_bytes =
            i % 500 == 0 ? sizeof(value) * (size_t)(i % 1000 == 0) : (size_t)(i % 97);
        begin(fx);
        put(fx, "k", rt_slice_of(value, len_bytes), 0);
        end(fx);
    }
    uint8_t *large = calloc(1, 100000);
    assert_non_null(large);
    begin(fx);
    put(fx, "large", rt_slice_of(large, 100000), 0);
    end(fx);
    free(large);
    for (const char *at = read_back(fx); (at = strstr(at, "key ")) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, COUNT + 1);
    assert_int_equal(fx->depth, 3);
}

int main(void)
{
#define SNAPSHOT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(snapshot__empty_store__has_its_buckets),
        SNAPSHOT_TEST(snapshot__a_short_life__has_every_version_in_order),
        SNAPSHOT_TEST(snapshot__compacted__has_what_survived_and_says_where),
        SNAPSHOT_TEST(snapshot__many_versions__are_a_tree_of_whole_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
