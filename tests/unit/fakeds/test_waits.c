/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/operations/waits.h"

#include "world.h"

static struct fakeds__content *content_of(const char *text)
{
    struct zmtp_frame part = {.bytes = rt_slice_text(text)};
    struct fakeds__content *content = fakeds__content_create(&part, 1);
    assert_non_null(content);
    return content;
}

static struct fakeds__wait *start(struct fakeds__waits *waits, const char *a, const char *b,
                                  struct fakeds__content *have_a)
{
    struct rt_slice keys[] = {rt_slice_text(a), rt_slice_text(b)};
    struct fakeds__content *contents[] = {have_a, NULL};
    struct fakeds__wait *wait = fakeds__wait_start(waits, NULL, keys, contents, 2);
    assert_non_null(wait);
    return wait;
}

static size_t notify(struct fakeds__waits *waits, const char *key, const char *value,
                     fakeds__may_wake_fn *may_wake)
{
    struct fakeds__wait_list completed;
    struct fakeds__content *content = content_of(value);
    size_t count = 0;
    struct fakeds__wait *wait;
    fakeds__waits_notify(waits, rt_slice_text(key), content, may_wake, NULL, &completed);
    TAILQ_FOREACH(wait, &completed, completed)
    {
        count++;
    }
    fakeds__content_release(content);
    return count;
}

static bool is_text(const struct fakeds__content *content, const char *text)
{
    return rt_slice_is_text(rt_blob_slice(content->blobs[0]), text);
}

static void wait__last_missing_key_comes__completed_once(void **state)
{
    struct fakeds__waits waits = {0};
    (void)state;
    struct fakeds__wait *wait = start(&waits, "a", "b", NULL);
    assert_int_equal(notify(&waits, "b", "1", NULL), 0);
    assert_int_equal(notify(&waits, "b", "2", NULL), 0); /* it has its b */
    assert_int_equal(notify(&waits, "a", "3", NULL), 1);
    assert_int_equal(notify(&waits, "a", "4", NULL), 0);
    assert_true(is_text(wait->keys[0].content, "3"));
    assert_true(is_text(wait->keys[1].content, "1"));
    fakeds__wait_end(&waits, wait);
    assert_int_equal(waits.count, 0);
}

static void wait__same_key_twice__one_arrival_fills_both(void **state)
{
    struct fakeds__waits waits = {0};
    (void)state;
    struct fakeds__wait *wait = start(&waits, "a", "a", NULL);
    assert_int_equal(notify(&waits, "a", "v", NULL), 1);
    assert_true(is_text(wait->keys[0].content, "v"));
    assert_true(is_text(wait->keys[1].content, "v"));
    fakeds__wait_end(&waits, wait);
}

static void wait__key_was_there__keeps_what_it_saw(void **state)
{
    struct fakeds__waits waits = {0};
    struct fakeds__content *seen = content_of("seen");
    (void)state;
    struct fakeds__wait *wait = start(&waits, "a", "b", seen);
    fakeds__content_release(seen);
    assert_int_equal(notify(&waits, "a", "later", NULL), 0);
    assert_int_equal(notify(&waits, "b", "v", NULL), 1);
    assert_true(is_text(wait->keys[0].content, "seen"));
    fakeds__wait_end(&waits, wait);
}

static void waits__several_for_one_key__all_wake_in_the_order_of_coming(void **state)
{
    struct fakeds__waits waits = {0};
    struct fakeds__content *seen = content_of("x");
    struct fakeds__wait *all[3];
    struct fakeds__wait_list completed;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        all[i] = start(&waits, "x", "k", seen);
    }
    fakeds__waits_notify(&waits, rt_slice_text("k"), seen, NULL, NULL, &completed);
    struct fakeds__wait *wait = TAILQ_FIRST(&completed);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(wait, all[i]);
        wait = TAILQ_NEXT(wait, completed);
        fakeds__wait_end(&waits, all[i]);
    }
    assert_null(wait);
    fakeds__content_release(seen);
    assert_false(fakeds__waits_is_awaited(&waits, rt_slice_text("k")));
}

static size_t asked_count;

static bool refuse(void *arg, struct fakeds__wait *wait, struct rt_slice key)
{
    (void)arg;
    (void)wait;
    (void)key;
    asked_count++;
    return false;
}

static void notification__refused__asked_once_and_still_waiting(void **state)
{
    struct fakeds__waits waits = {0};
    (void)state;
    asked_count = 0;
    struct fakeds__wait *wait = start(&waits, "a", "a", NULL);
    assert_int_equal(notify(&waits, "a", "v", refuse), 0);
    assert_int_equal(asked_count, 1);
    assert_int_equal(notify(&waits, "a", "w", NULL), 1);
    fakeds__wait_end(&waits, wait);
}

static void wait__empty_key__nothing_can_complete_it(void **state)
{
    struct fakeds__waits waits = {0};
    (void)state;
    struct fakeds__wait *wait = start(&waits, "a", "", NULL);
    assert_int_equal(notify(&waits, "a", "v", NULL), 0);
    fakeds__wait_end(&waits, wait);
    assert_int_equal(waits.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait__last_missing_key_comes__completed_once),
        cmocka_unit_test(wait__same_key_twice__one_arrival_fills_both),
        cmocka_unit_test(wait__key_was_there__keeps_what_it_saw),
        cmocka_unit_test(waits__several_for_one_key__all_wake_in_the_order_of_coming),
        cmocka_unit_test(notification__refused__asked_once_and_still_waiting),
        cmocka_unit_test(wait__empty_key__nothing_can_complete_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
