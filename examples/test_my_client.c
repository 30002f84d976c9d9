/* SPDX-License-Identifier: Apache-2.0 */
/* How a team tests client code of its own: start a fake worker, arm a fault, look at counters. */
#include "connector/ds_blocking.h"
#include "fakeds.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>
/* The code under test: a save that tries once more when it heard nothing. */
static bool save(struct ds_blocking *client, const char *key, const char *text)
{
    struct dsrpc_piece piece = {.bytes = rt_slice_text(text)};
    struct dsrpc_value value = {&piece, 1, piece.bytes.len_bytes};
    bool is_saved = false;
    for (int attempt = 0; attempt < 2 && !is_saved; attempt++) {
        struct ds_blocking_result result;
        is_saved = ds_blocking_set(client, rt_slice_text(key), &value, &(struct ds_set_options){0},
                                   &result);
        ds_blocking_result_fini(&result);
    }
    return is_saved;
}

static void save__first_reply_lost__saved_by_the_second_attempt(void **state)
{
    struct fakeds *fake;
    struct ds_blocking *client;
    struct ds_blocking_result result;
    char why[256];
    char stored[8] = "";
    size_t stored_bytes = 0;
    struct ds_options options;
    (void)state;
    assert_int_equal(fakeds_start(NULL, &fake), FAKEDS_OK);
    assert_int_equal(
        fakeds_arm(fake, "lost-reply: on {op: set} at applied do 1*drop-reply", why, sizeof(why)),
        FAKEDS_OK);
    ds_options_init(&options);
    options.port = fakeds_port(fake);
    options.request_timeout_ms = 300; /* so long does the first attempt hear nothing */
    assert_int_equal(ds_blocking_create(&options, "my-client", &client), RT_OK);
    assert_true(ds_blocking_init(client, &result));
    ds_blocking_result_fini(&result);
    assert_true(save(client, "k", "hello"));
    assert_int_equal(fakeds_fired(fake, "lost-reply"), 1);
    assert_int_equal(fakeds_requests(fake, "set"), 2);
    assert_int_equal(fakeds_peek(fake, "k", stored, sizeof(stored), &stored_bytes), FAKEDS_OK);
    assert_string_equal(stored, "hello");
    ds_blocking_destroy(client);
    fakeds_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(save__first_reply_lost__saved_by_the_second_attempt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
