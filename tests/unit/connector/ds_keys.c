/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before anything goes on the wire, sentence by sentence. */
#include "connector/client/ds_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RULE                                                                                       \
    "The key contains illegal char(s), allowed regex format: "                                     \
    "^[a-zA-Z0-9\\-_!@#%\\^\\*\\(\\)\\+\\=\\:;]*$ or the length of key must be no more than 255. " \
    "Current key: "

static char long_key[300];

static int fill_long_key(void **state)
{
    (void)state;
    memset(long_key, 'x', sizeof(long_key) - 1);
    return 0;
}

static struct rt_slice key_of(const char *text)
{
    return rt_slice_text(text);
}

/* NULL: accepted. */
static void assert_says(bool is_accepted, struct ds__text *why, const char *sentence)
{
    assert_int_equal(is_accepted, sentence == NULL);
    if (sentence != NULL) {
        assert_string_equal(ds__text_get(why), sentence);
    }
    ds__text_fini(why);
}

static void assert_set(struct rt_slice key, uint64_t value_bytes, const char *sentence)
{
    struct ds__text why = {0};

    assert_says(ds__check_set(key, value_bytes, &why), &why, sentence);
}

static void assert_keys(const struct rt_slice *keys, size_t count, const char *sentence)
{
    struct ds__text why = {0};

    assert_says(ds__check_keys(keys, count, &why), &why, sentence);
}

static void alphabet__every_byte__exactly_the_allowed_ones(void **state)
{
    static const char ALLOWED[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_!@#%^*()+=:;";

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t letter = (uint8_t)byte;
        bool is_allowed = byte != 0 && strchr(ALLOWED, (int)byte) != NULL;
        assert_int_equal(ds__key_is_legal(rt_slice_of(&letter, 1)), is_allowed);
    }
}

static void length__255__is_the_most(void **state)
{
    (void)state;
    assert_true(ds__key_is_legal(rt_slice_of(long_key, 255)));
    assert_false(ds__key_is_legal(rt_slice_of(long_key, 256)));
}

static void set__bad_arguments__the_sentences_of_the_real_client(void **state)
{
    char shortened[600];

    (void)state;
    memset(shortened, 0, sizeof(shortened));
    memcpy(shortened, RULE, sizeof(RULE));
    memcpy(shortened + strlen(shortened), long_key, 255);
    (void)strcat(shortened, "... [total: 256], length: 256.");

    assert_set(key_of("k"), 1, NULL);
    assert_set(key_of("k"), 0, "The dataSize value should be bigger than zero.");
    assert_set(key_of(""), 1, "The objectKey should not be empty.");
    assert_set(key_of("a b"), 1, RULE "a b, length: 3.");
    assert_set(key_of("a.b"), 1, RULE "a.b, length: 3.");
    assert_set(rt_slice_of(long_key, 256), 1, shortened);
    assert_set(rt_slice_of(long_key, 255), 1, NULL);
}

static void keys__only_the_first__is_looked_at(void **state)
{
    struct rt_slice good_first[] = {key_of("k"), key_of("a b"), key_of(""),
                                    rt_slice_of(long_key, 299)};
    struct rt_slice bad = key_of("a b");
    struct rt_slice empty = key_of("");

    (void)state;
    assert_keys(good_first, 4, NULL);
    assert_keys(&bad, 1, RULE "a b, length: 3.");
    assert_keys(&empty, 1, "keys[0] can not be empty");
    assert_keys(NULL, 0, "The keys are empty");
}

static void keys__ten_thousand__is_the_most(void **state)
{
    struct rt_slice *keys = calloc(10001, sizeof(*keys));

    (void)state;
    for (size_t i = 0; i < 10001; i++) {
        keys[i] = key_of("k");
    }
    assert_keys(keys, 10000, NULL);
    assert_keys(keys, 10001, "The objectKeys size exceed 10000.");
    free(keys);
}

static void mset__any_empty_key__is_refused(void **state)
{
    struct rt_slice keys[] = {key_of("k"), key_of("")};
    struct rt_slice odd[] = {key_of("k"), key_of("a b"), rt_slice_of(long_key, 299)};
    struct rt_slice bad = key_of("a b");
    struct ds__text why = {0};

    (void)state;
    assert_says(ds__check_mset_keys(keys, 2, &why), &why, "The key should not be empty.");
    assert_says(ds__check_mset_keys(odd, 3, &why), &why, NULL);
    assert_says(ds__check_mset_keys(&bad, 1, &why), &why, RULE "a b, length: 3.");
    assert_says(ds__check_mset_keys(NULL, 0, &why), &why, "The keys should not be empty.");
}

static void transaction__without_nx_or_too_many_or_twice__is_refused(void **state)
{
    struct rt_slice keys[] = {key_of("a"), key_of("b"), key_of("c"), key_of("d"), key_of("e"),
                              key_of("f"), key_of("g"), key_of("h"), key_of("i")};
    struct rt_slice twice[] = {key_of("x5"), key_of("x6"), key_of("x6")};
    struct ds__text why = {0};

    (void)state;
    assert_says(ds__check_transaction(keys, 8, true, &why), &why, NULL);
    assert_says(ds__check_transaction(keys, 1, false, &why), &why,
                "The MSetTx only supports set not existence key now.");
    assert_says(ds__check_transaction(keys, 9, true, &why), &why,
                "The maximum size of keys in single operation is 8.");
    assert_says(ds__check_transaction(twice, 3, true, &why), &why,
                "The input parameter contains duplicate key x6.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alphabet__every_byte__exactly_the_allowed_ones),
        cmocka_unit_test(length__255__is_the_most),
        cmocka_unit_test(set__bad_arguments__the_sentences_of_the_real_client),
        cmocka_unit_test(keys__only_the_first__is_looked_at),
        cmocka_unit_test(keys__ten_thousand__is_the_most),
        cmocka_unit_test(mset__any_empty_key__is_refused),
        cmocka_unit_test(transaction__without_nx_or_too_many_or_twice__is_refused),
    };
    return cmocka_run_group_tests(tests, fill_long_key, NULL);
}
