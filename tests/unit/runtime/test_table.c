/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 5000

struct named {
    char name[16];
    int number;
    UT_hash_handle hh;
};

struct numbered {
    uint64_t id;
    UT_hash_handle hh;
};

static struct named *add_many(struct named **table)
{
    struct named *all = calloc(MANY, sizeof(*all));

    for (int i = 0; i < MANY; i++) {
        enum rt_status status = RT_E_IO;

        all[i].number = i;
        snprintf(all[i].name, sizeof(all[i].name), "key-%d", i * 7919 % MANY);
        RT_TABLE_ADD_BYTES(*table, &all[i], all[i].name, strlen(all[i].name), &status);
        assert_int_equal(status, RT_OK);
    }
    return all;
}

static void bytes__many_added__each_is_found_and_no_other(void **state)
{
    struct named *table = NULL;
    struct named *all = add_many(&table);
    struct named *found;

    (void)state;
    assert_int_equal(RT_TABLE_COUNT(table), MANY);
    for (int i = 0; i < MANY; i++) {
        RT_TABLE_FIND_BYTES(table, all[i].name, strlen(all[i].name), found);
        assert_ptr_equal(found, &all[i]);
    }
    RT_TABLE_FIND_BYTES(table, "key-", strlen("key-"), found);
    assert_null(found);
    RT_TABLE_FORGET(table);
    assert_null(table);
    free(all);
}

static void bytes__empty_key__is_found_without_any_bytes(void **state)
{
    struct named entry = {.name = ""};
    struct named *table = NULL;
    struct named *found;
    const char *no_bytes = NULL; /* as an empty slice may have it */
    size_t len_bytes = 0;
    enum rt_status status;

    (void)state;
    RT_TABLE_ADD_BYTES(table, &entry, entry.name, len_bytes, &status);
    assert_int_equal(status, RT_OK);
    RT_TABLE_FIND_BYTES(table, no_bytes, len_bytes, found);
    assert_ptr_equal(found, &entry);
    RT_TABLE_FORGET(table);
}

static void each__after_adding_and_removing__goes_in_the_order_of_adding(void **state)
{
    struct named *table = NULL;
    struct named *all = add_many(&table);
    struct named *entry;
    struct named *next;
    int expected = 1;

    (void)state;
    RT_TABLE_EACH(entry, next, table)
    {
        if (entry->number % 2 == 0) {
            RT_TABLE_REMOVE(table, entry);
        }
    }
    assert_int_equal(RT_TABLE_COUNT(table), MANY / 2);
    RT_TABLE_EACH(entry, next, table)
    {
        assert_int_equal(entry->number, expected);
        expected += 2;
    }
    RT_TABLE_FORGET(table);
    free(all);
}

static void u64__added__is_found_until_removed(void **state)
{
    struct numbered entries[3] = {{.id = 0}, {.id = UINT64_MAX}, {.id = UINT64_C(1) << 32}};
    struct numbered *table = NULL;
    struct numbered *found;
    uint64_t absent = 1;

    (void)state;
    for (int i = 0; i < 3; i++) {
        enum rt_status status;

        RT_TABLE_ADD_U64(table, &entries[i], id, &status);
        assert_int_equal(status, RT_OK);
    }
    for (int i = 0; i < 3; i++) {
        uint64_t id = entries[i].id;

        RT_TABLE_FIND_U64(table, id, found);
        assert_ptr_equal(found, &entries[i]);
        RT_TABLE_REMOVE(table, &entries[i]);
        RT_TABLE_FIND_U64(table, id, found);
        assert_null(found);
    }
    RT_TABLE_FIND_U64(table, absent, found);
    assert_null(found);
    assert_int_equal(RT_TABLE_COUNT(table), 0);
}

static void seed__after_a_table_was_used__changes_nothing(void **state)
{
    struct named *table = NULL;
    struct named *all = add_many(&table);
    struct named *found;

    (void)state;
    rt_table_seed(12345);
    RT_TABLE_FIND_BYTES(table, "key-17", strlen("key-17"), found);
    assert_non_null(found);
    RT_TABLE_FORGET(table);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes__many_added__each_is_found_and_no_other),
        cmocka_unit_test(bytes__empty_key__is_found_without_any_bytes),
        cmocka_unit_test(each__after_adding_and_removing__goes_in_the_order_of_adding),
        cmocka_unit_test(u64__added__is_found_until_removed),
        cmocka_unit_test(seed__after_a_table_was_used__changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
