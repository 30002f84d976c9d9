/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no clock and no socket: causes, texts, key rules, the retry law. */
#include "ds_worker.h"

#include "connector/ds_keys.h"
#include "connector/ds_retry_law.h"
#include "connector/ds_status.h"

#define MS UINT64_C(1000)

/* ---- causes ---- */

static void cause__each_code_and_detail__has_the_one_of_the_table(void **state)
{
    static const struct {
        int32_t code;
        enum ds_detail detail;
        enum ds_cause cause;
    } ROWS[] = {
        {K_OK, DS_DETAIL_NONE, DS_CAUSE_NONE},
        {K_NOT_FOUND, DS_DETAIL_ANSWERED, DS_CAUSE_NOT_FOUND},
        {K_RPC_DEADLINE_EXCEEDED, DS_DETAIL_ANSWERED, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_SILENCE, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_DECLARED_LOST, DS_CAUSE_DISCONNECTED},
        {K_RPC_UNAVAILABLE, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_CLIENT_WORKER_DISCONNECT, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_NOT_READY, DS_DETAIL_CLOSED, DS_CAUSE_DISCONNECTED},
        {K_SERVER_FD_CLOSED, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_SCALE_DOWN, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_RPC_CANCELLED, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_IO_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_INVALID, DS_DETAIL_CHECKED, DS_CAUSE_INVALID},
        {K_OUT_OF_MEMORY, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_NO_SPACE, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_INVALID, DS_DETAIL_UNDECODABLE, DS_CAUSE_CODEC},
        {K_RUNTIME_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {K_TRY_AGAIN, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {123456, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        assert_int_equal(ds_cause_of(ROWS[i].code, ROWS[i].detail), ROWS[i].cause);
    }
}

static void format__a_status__is_what_the_real_client_prints(void **state)
{
    struct ds_status status = {
        .code = K_NOT_FOUND, .detail = DS_DETAIL_ANSWERED, .text = "Cannot get objects"};
    char text[80];
    char small[12];

    (void)state;
    ds_status_format(&status, text, sizeof(text));
    assert_string_equal(text, "code: [Key not found], msg: [Cannot get objects]");
    ds_status_format(&status, small, sizeof(small));
    assert_string_equal(small, "code: [Key ");
    ds_status_format(&status, NULL, 0);
}

/* ---- keys ---- */

static void key__every_byte__is_legal_only_when_the_alphabet_has_it(void **state)
{
    static const char LEGAL[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_!@#%^*()+=:;";

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t key = (uint8_t)byte;
        bool is_legal = byte != 0 && strchr(LEGAL, (int)byte) != NULL;
        assert_int_equal(ds__key_is_legal(rt_slice_of(&key, 1)), is_legal);
    }
}

static void key__of_255_and_256_bytes__is_the_limit(void **state)
{
    char key[257];
    struct ds__text why = {0};

    (void)state;
    memset(key, 'k', sizeof(key));
    assert_true(ds__check_set(rt_slice_of(key, 255), 1, &why));
    assert_false(ds__check_set(rt_slice_of(key, 256), 1, &why));
    assert_true(ds__text_contains(&why, "kkk... [total: 256], length: 256."));
    ds__text_fini(&why);
}

static void refuse(bool is_good, struct ds__text *why, const char *sentence)
{
    assert_false(is_good);
    assert_string_equal(ds__text_get(why), sentence);
    ds__text_clear(why);
}

static void checks__bad_arguments__are_refused_with_the_real_sentences(void **state)
{
    static const uint8_t LETTERS[] = "abcdefghi";
    struct rt_slice keys[9];
    struct rt_slice empty = {0};
    struct ds__text why = {0};

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        keys[i] = rt_slice_of(&LETTERS[i], 1);
    }
    refuse(ds__check_set(empty, 1, &why), &why, "The objectKey should not be empty.");
    refuse(ds__check_set(keys[0], 0, &why), &why, "The dataSize value should be bigger than zero.");
    refuse(ds__check_keys(NULL, 0, &why), &why, "The keys are empty");
    refuse(ds__check_keys(&empty, 1, &why), &why, "keys[0] can not be empty");
    refuse(ds__check_mset_keys(NULL, 0, &why), &why, "The keys should not be empty.");
    refuse(ds__check_transaction(keys, 2, false, &why), &why,
           "The MSetTx only supports set not existence key now.");
    refuse(ds__check_transaction(keys, 9, true, &why), &why,
           "The maximum size of keys in single operation is 8.");
    keys[1] = keys[0];
    refuse(ds__check_transaction(keys, 2, true, &why), &why,
           "The input parameter contains duplicate key a.");
    keys[1] = empty;
    refuse(ds__check_mset_keys(keys, 2, &why), &why, "The key should not be empty.");
    ds__text_fini(&why);
}

/* Only the first key of a batch is held against the alphabet. */
static void checks__a_bad_second_key__passes(void **state)
{
    struct rt_slice keys[] = {rt_slice_text("good"), rt_slice_text("a b"), {0}};
    struct ds__text why = {0};

    (void)state;
    assert_true(ds__check_keys(keys, 3, &why));
    assert_true(ds__check_mset_keys(keys, 2, &why));
    ds__text_fini(&why);
}

/* ---- the retry law ---- */

static void law__no_time_per_call__starts_attempts_at_the_observed_times(void **state)
{
    static const uint64_t EXPECTED_MS[] = {0, 1, 6, 56, 256, 1256, 2990};
    struct ds__retry retry;
    uint64_t now_us = 77; /* budgets count from the start, not from zero */
    uint64_t wait_us = 0;
    size_t count = 1;

    (void)state;
    ds__retry_start(&retry, now_us, 3000 * MS);
    while (ds__retry_next(&retry, now_us, &wait_us)) {
        now_us += wait_us;
        assert_int_equal(now_us - 77, EXPECTED_MS[count] * MS);
        count++;
    }
    assert_int_equal(count, 7);
}

/* 3 s an attempt, as towards a port where nobody listens. */
static void law__three_seconds_per_call__makes_twelve_attempts_in_a_minute(void **state)
{
    struct ds__retry retry;
    uint64_t now_us = 3000 * MS;
    uint64_t wait_us = 0;
    size_t count = 1;

    (void)state;
    ds__retry_start(&retry, 0, 60000 * MS);
    while (ds__retry_next(&retry, now_us, &wait_us)) {
        now_us += wait_us + 3000 * MS;
        count++;
    }
    assert_int_equal(count, 12);
    assert_int_equal(now_us, 62990 * MS);
}

static void law__detail_text__names_codes_in_the_order_of_their_numbers(void **state)
{
    struct ds__retry retry;
    struct ds__text text = {0};

    (void)state;
    ds__retry_start(&retry, 0, 3000 * MS);
    ds__retry_describe(&retry, &text);
    assert_string_equal(ds__text_get(&text), "RPC Retry detail: [ ] with 0 times in 3000 ms.");
    ds__text_clear(&text);
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_RPC_DEADLINE_EXCEEDED));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_TRY_AGAIN));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_OUT_OF_MEMORY));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_RPC_DEADLINE_EXCEEDED));
    retry.retry_count = 4;
    ds__retry_describe(&retry, &text);
    assert_string_equal(ds__text_get(&text),
                        "RPC Retry detail: [ Out of memory * 1 Try again * 1 "
                        "RPC deadline exceeded * 2 ] with 4 times in 3000 ms.");
    ds__text_fini(&text);
}

static void law__codes__are_retried_by_the_operations_that_say_so(void **state)
{
    struct ds__retry retry;

    (void)state;
    ds__retry_start(&retry, 0, 1);
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC, K_RPC_CANCELLED));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC, K_RPC_UNAVAILABLE));
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_RPC, K_OUT_OF_MEMORY));
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_SCALING));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_MSET, K_SCALING));
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_MSET, K_NOT_READY));
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_MSET, K_CLIENT_WORKER_DISCONNECT));
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_NONE, K_TRY_AGAIN));
}

static void law__caps_and_told_times__are_those_of_the_timeout_table(void **state)
{
    static const uint64_t TOLD[][2] = {{0, 0},       {1, 1},        {5, 5},        {10, 9},
                                       {100, 90},    {500, 450},    {1000, 900},   {5000, 4500},
                                       {8000, 7200}, {10000, 9000}, {20000, 19000}};

    (void)state;
    for (size_t i = 0; i < sizeof(TOLD) / sizeof(TOLD[0]); i++) {
        assert_int_equal(ds__told_ms(TOLD[i][0]), TOLD[i][1]);
    }
    assert_int_equal(ds__attempt_cap_us(500 * MS), 500 * MS);
    assert_int_equal(ds__attempt_cap_us(30000 * MS), 30000 * MS);
    assert_int_equal(ds__attempt_cap_us(60000 * MS), 30000 * MS);
    assert_int_equal(ds__attempt_cap_us(90000 * MS), 30000 * MS);
    assert_int_equal(ds__attempt_cap_us(90003 * MS), 30001 * MS);
    assert_int_equal(ds__attempt_cap_us(3600000 * MS), 600000 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cause__each_code_and_detail__has_the_one_of_the_table),
        cmocka_unit_test(format__a_status__is_what_the_real_client_prints),
        cmocka_unit_test(key__every_byte__is_legal_only_when_the_alphabet_has_it),
        cmocka_unit_test(key__of_255_and_256_bytes__is_the_limit),
        cmocka_unit_test(checks__bad_arguments__are_refused_with_the_real_sentences),
        cmocka_unit_test(checks__a_bad_second_key__passes),
        cmocka_unit_test(law__no_time_per_call__starts_attempts_at_the_observed_times),
        cmocka_unit_test(law__three_seconds_per_call__makes_twelve_attempts_in_a_minute),
        cmocka_unit_test(law__detail_text__names_codes_in_the_order_of_their_numbers),
        cmocka_unit_test(law__codes__are_retried_by_the_operations_that_say_so),
        cmocka_unit_test(law__caps_and_told_times__are_those_of_the_timeout_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
