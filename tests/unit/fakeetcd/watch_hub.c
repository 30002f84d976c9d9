/* SPDX-License-Identifier: Apache-2.0 */
/* Watches by their guarantees (ordered, unique, atomic, reliable, resumable), and what they cost;
 * random runs against a model are in model.c. */
#include "fakeetcd/watch/watch_hub.h"
#include "fakeetcd/watch/watch_tree.h"

#include "runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define TEXT_BYTES 2048

struct fixture;

struct viewer {
    struct fixture *fx;
    struct fakeetcd_watcher *watcher;
    char text[TEXT_BYTES]; /* deliveries, as "[2 a=1|3 -a]" */
    size_t deliveries;
    size_t refusals_left;
    bool is_leaving; /* removes itself in its next delivery */
    struct viewer *victim;
    int64_t compacted;
};

struct fixture {
    struct fakeetcd_store *store;
    struct fakeetcd_hub *hub;
    size_t behind_told;
    struct viewer viewers[3];
};

static void say(struct viewer *viewer, const char *format, ...) RT_PRINTF(2, 3);

static void say(struct viewer *viewer, const char *format, ...)
{
    size_t used = strlen(viewer->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(viewer->text + used, sizeof(viewer->text) - used, format, arguments);
    va_end(arguments);
}

static bool on_events(void *arg, const struct fakeetcd_delivery *delivery)
{
    struct viewer *viewer = arg;

    if (viewer->refusals_left > 0) {
        viewer->refusals_left--;
        return false;
    }
    viewer->deliveries++;
    say(viewer, "[");
    for (size_t i = 0; i < delivery->count; i++) {
        const struct fakeetcd_kv *kv = &delivery->changes[i].kv;
        say(viewer, "%s%lld %s%.*s", i == 0 ? "" : "|", (long long)kv->mod_revision,
            kv->version == 0 ? "-" : "", (int)kv->key.len_bytes, (const char *)kv->key.data);
        assert_true(kv->mod_revision <= delivery->revision);
    }
    say(viewer, "]");
    if (viewer->is_leaving) {
        fakeetcd_watcher_remove(viewer->watcher);
        viewer->watcher = NULL;
    }
    if (viewer->victim != NULL) {
        fakeetcd_watcher_remove(viewer->victim->watcher);
        viewer->victim->watcher = NULL;
        viewer->victim = NULL;
    }
    return true;
}

static void on_compacted(void *arg, int64_t compacted_revision)
{
    struct viewer *viewer = arg;

    viewer->compacted = compacted_revision;
}

static void on_behind(void *hub_arg)
{
    struct fixture *fx = hub_arg;

    fx->behind_told++;
}

static const struct fakeetcd_watch_handler HANDLER = {on_events, on_compacted, on_behind};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    assert_int_equal(fakeetcd_store_create(&fx->store), RT_OK);
    assert_int_equal(fakeetcd_hub_create(fx->store, &fx->hub), RT_OK);
    fakeetcd_hub_set_handler(fx->hub, &HANDLER, fx);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    for (size_t i = 0; i < 3; i++) {
        fakeetcd_watcher_remove(fx->viewers[i].watcher);
    }
    assert_int_equal(fakeetcd_hub_watcher_count(fx->hub), 0);
    assert_int_equal(fakeetcd_hub_behind_count(fx->hub), 0);
    fakeetcd_hub_destroy(fx->hub);
    fakeetcd_store_destroy(fx->store);
    free(fx);
    return 0;
}

/* Keys are put in one revision; "-a" deletes. NULL ends. */
static void write(struct fixture *fx, const char *first, ...)
{
    va_list arguments;

    fakeetcd_write_begin(fx->store);
    va_start(arguments, first);
    for (const char *key = first; key != NULL; key = va_arg(arguments, const char *)) {
        if (key[0] == '-') {
            assert_true(fakeetcd_write_delete(fx->store, rt_slice_text(key + 1), NULL));
        } else {
            assert_int_equal(fakeetcd_write_put(fx->store, rt_slice_text(key), rt_slice_text("v"),
                                                NULL, 0, NULL),
                             FAKEETCD_OK);
        }
    }
    va_end(arguments);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static struct viewer *watch(struct fixture *fx, size_t at, const char *key, const char *end,
                            int64_t start)
{
    struct viewer *viewer = &fx->viewers[at];
    struct fakeetcd_watch_options options = {.interval = {rt_slice_text(key), rt_slice_text(end)},
                                             .start_revision = start,
                                             .arg = viewer};

    viewer->fx = fx;
    assert_int_equal(fakeetcd_watcher_add(fx->hub, &options, &viewer->watcher), RT_OK);
    return viewer;
}

static void catch_up(struct fixture *fx)
{
    while (fakeetcd_hub_catch_up(fx->hub, 1000)) {
    }
}

/* ---- live ---- */

static void watch__from_now_on__gets_only_later_revisions_of_its_keys(void **state)
{
    struct fixture *fx = *state;
    struct viewer *one;
    struct viewer *range;

    write(fx, "a", "b", NULL);
    one = watch(fx, 0, "a", "", 0);
    range = watch(fx, 1, "b", "d", 0);
    write(fx, "a", NULL);
    write(fx, "b", NULL);
    write(fx, "d", NULL);
    write(fx, "-a", NULL);
    assert_string_equal(one->text, "[3 a][6 -a]");
    assert_string_equal(range->text, "[4 b]");
    assert_int_equal(fx->behind_told, 0);
}

static void watch__revision_of_many_keys__is_one_delivery_with_only_its_own(void **state)
{
    struct fixture *fx = *state;
    struct viewer *one = watch(fx, 0, "b", "", 0);
    struct viewer *range = watch(fx, 1, "b", "e", 0);
    struct viewer *all = watch(fx, 2, "a", "z", 0);

    write(fx, "d", "a", "b", "f", NULL);
    write(fx, "x", "-b", "-d", NULL);
    assert_string_equal(one->text, "[2 b][3 -b]");
    assert_string_equal(range->text, "[2 d|2 b][3 -b|3 -d]");
    assert_string_equal(all->text, "[2 d|2 a|2 b|2 f][3 x|3 -b|3 -d]");
}

static void watch__without_puts_or_deletes__hears_only_the_others(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_watch_options options = {.interval = {rt_slice_text("a"), rt_slice_text("z")},
                                             .is_without_puts = true,
                                             .arg = &fx->viewers[0]};

    assert_int_equal(fakeetcd_watcher_add(fx->hub, &options, &fx->viewers[0].watcher), RT_OK);
    options.is_without_puts = false;
    options.is_without_deletes = true;
    options.arg = &fx->viewers[1];
    assert_int_equal(fakeetcd_watcher_add(fx->hub, &options, &fx->viewers[1].watcher), RT_OK);
    write(fx, "a", "b", NULL);
    write(fx, "-a", "c", NULL);
    write(fx, "-b", NULL);
    assert_string_equal(fx->viewers[0].text, "[3 -a][4 -b]");
    assert_string_equal(fx->viewers[1].text, "[2 a|2 b][3 c]");
}

static void watch__from_a_future_revision__is_silent_until_then(void **state)
{
    struct fixture *fx = *state;
    struct viewer *viewer = watch(fx, 0, "a", "", 4);

    write(fx, "a", NULL);
    write(fx, "a", NULL);
    assert_string_equal(viewer->text, "");
    write(fx, "a", NULL);
    assert_string_equal(viewer->text, "[4 a]");
    assert_int_equal(fakeetcd_watcher_next_revision(viewer->watcher), 5);
}

static void watch__one_removes_itself_and_another_inside_a_delivery__the_rest_goes_on(void **state)
{
    struct fixture *fx = *state;
    struct viewer *leaving = watch(fx, 0, "a", "", 0);
    struct viewer *victim = watch(fx, 1, "a", "", 0);
    struct viewer *staying = watch(fx, 2, "a", "b", 0);

    leaving->is_leaving = true;
    leaving->victim = victim;
    write(fx, "a", NULL);
    write(fx, "a", NULL);
    assert_string_equal(leaving->text, "[2 a]");
    assert_string_equal(victim->text, "");
    assert_string_equal(staying->text, "[2 a][3 a]");
    assert_int_equal(fakeetcd_hub_watcher_count(fx->hub), 1);
}

/* ---- history ---- */

static void watch__from_the_past__gets_history_in_one_delivery_then_lives(void **state)
{
    struct fixture *fx = *state;
    struct viewer *one;
    struct viewer *range;

    write(fx, "a", "b", NULL);
    write(fx, "b", NULL);
    write(fx, "-a", NULL);
    one = watch(fx, 0, "a", "", 1);
    range = watch(fx, 1, "a", "z", 3);
    assert_true(fx->behind_told > 0);
    assert_false(fakeetcd_watcher_is_live(one->watcher));
    write(fx, "a", NULL);
    assert_string_equal(one->text, "");
    catch_up(fx);
    assert_string_equal(one->text, "[2 a|4 -a|5 a]");
    assert_string_equal(range->text, "[3 b|4 -a|5 a]");
    assert_true(fakeetcd_watcher_is_live(one->watcher));
    write(fx, "a", NULL);
    assert_string_equal(one->text, "[2 a|4 -a|5 a][6 a]");
}

static void
catch_up__more_history_than_one_delivery_may_hold__is_cut_between_revisions(void **state)
{
    struct fixture *fx = *state;
    struct viewer *one;
    struct viewer *range;

    for (int i = 0; i < 5; i++) {
        write(fx, "a", "b", NULL);
        write(fx, "x", NULL);
    }
    one = watch(fx, 0, "a", "", 2);
    range = watch(fx, 1, "a", "c", 2);
    assert_true(fakeetcd_hub_catch_up(fx->hub, 2));
    assert_string_equal(one->text, "[2 a|4 a]");
    assert_string_equal(range->text, "[2 a|2 b|4 a|4 b]");
    while (fakeetcd_hub_catch_up(fx->hub, 2)) {
    }
    assert_string_equal(one->text, "[2 a|4 a][6 a|8 a][10 a]");
    assert_string_equal(range->text, "[2 a|2 b|4 a|4 b][6 a|6 b|8 a|8 b][10 a|10 b]");
}

static void catch_up__interval_without_changes_in_a_long_history__comes_to_an_end(void **state)
{
    struct fixture *fx = *state;
    struct viewer *viewer;
    int calls = 0;

    for (int i = 0; i < 500; i++) {
        write(fx, "x", NULL);
    }
    write(fx, "b", NULL);
    viewer = watch(fx, 0, "a", "c", 2);
    while (fakeetcd_hub_catch_up(fx->hub, 4)) {
        calls++;
    }
    assert_string_equal(viewer->text, "[502 b]");
    assert_true(fakeetcd_watcher_is_live(viewer->watcher));
    assert_true(calls > 1); /* the history was not looked through in one go */
}

static void catch_up__start_at_the_compacted_revision__gets_what_survived(void **state)
{
    struct fixture *fx = *state;
    struct viewer *viewer;

    write(fx, "a", NULL);
    write(fx, "a", "b", NULL);
    write(fx, "a", NULL);
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    viewer = watch(fx, 0, "a", "z", 3);
    catch_up(fx);
    assert_string_equal(viewer->text, "[3 a|3 b|4 a]");
    assert_int_equal(viewer->compacted, 0);
}

static void catch_up__start_before_the_compacted_revision__is_told_and_over(void **state)
{
    struct fixture *fx = *state;
    struct viewer *viewer;

    write(fx, "a", NULL);
    write(fx, "a", NULL);
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    viewer = watch(fx, 0, "a", "", 2);
    catch_up(fx);
    assert_int_equal(viewer->compacted, 3);
    write(fx, "a", NULL);
    catch_up(fx);
    assert_string_equal(viewer->text, "");
    assert_int_equal(fakeetcd_hub_behind_count(fx->hub), 0);
}

/* ---- those who cannot take it ---- */

static void delivery__refused__comes_again_after_resume_with_all_that_followed(void **state)
{
    struct fixture *fx = *state;
    struct viewer *slow = watch(fx, 0, "a", "", 0);
    struct viewer *quick = watch(fx, 1, "a", "", 0);

    slow->refusals_left = 1;
    write(fx, "a", NULL);
    write(fx, "a", NULL);
    catch_up(fx); /* not resumed yet */
    assert_string_equal(slow->text, "");
    assert_string_equal(quick->text, "[2 a][3 a]");
    assert_int_equal(fakeetcd_watcher_next_revision(slow->watcher), 2);
    fakeetcd_watcher_resume(slow->watcher);
    assert_int_equal(fx->behind_told, 1);
    catch_up(fx);
    assert_string_equal(slow->text, "[2 a|3 a]");
    write(fx, "-a", NULL);
    assert_string_equal(slow->text, "[2 a|3 a][4 -a]");
}

static void delivery__refused_in_catch_up_too__nothing_is_lost_or_doubled(void **state)
{
    struct fixture *fx = *state;
    struct viewer *slow = watch(fx, 0, "a", "z", 0);

    slow->refusals_left = 3;
    write(fx, "a", NULL);
    for (int i = 0; i < 3; i++) {
        write(fx, "b", NULL);
        fakeetcd_watcher_resume(slow->watcher);
        catch_up(fx);
    }
    assert_string_equal(slow->text, "[2 a|3 b|4 b|5 b]");
    assert_true(fakeetcd_watcher_is_live(slow->watcher));
}

static void delivery__refused_and_compacted_meanwhile__is_told_and_over(void **state)
{
    struct fixture *fx = *state;
    struct viewer *slow = watch(fx, 0, "a", "", 0);

    slow->refusals_left = 1;
    write(fx, "a", NULL);
    write(fx, "a", NULL);
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    fakeetcd_watcher_resume(slow->watcher);
    catch_up(fx);
    assert_int_equal(slow->compacted, 3);
    assert_string_equal(slow->text, "");
}

/* ---- the tree of intervals ---- */

#define RANGES 300

struct found {
    bool is_found[RANGES];
    struct fakeetcd__range *ranges;
};

static void on_found(void *arg, struct fakeetcd__range *range)
{
    struct found *found = arg;
    size_t at = (size_t)(range - found->ranges);

    assert_false(found->is_found[at]);
    found->is_found[at] = true;
}

static void
ranges__random_additions_and_removals__finds_exactly_those_that_have_the_key(void **state)
{
    static uint8_t bytes[RANGES][4];
    struct fakeetcd__range *ranges = calloc(RANGES, sizeof(*ranges));
    bool is_inside[RANGES] = {false};
    struct fakeetcd__ranges tree;
    struct rt_random random;

    (void)state;
    assert_non_null(ranges);
    rt_random_init(&random, 11, "ranges");
    fakeetcd__ranges_init(&tree);
    for (size_t step = 0; step < 5000; step++) {
        size_t at = rt_random_below(&random, RANGES);
        uint8_t key = (uint8_t)rt_random_below(&random, 60);
        struct found found = {.ranges = ranges};
        if (is_inside[at]) {
            fakeetcd__ranges_remove(&tree, &ranges[at]);
        } else {
            bytes[at][0] = (uint8_t)rt_random_below(&random, 50);
            bytes[at][1] = (uint8_t)(bytes[at][0] + 1 + rt_random_below(&random, 10));
            bytes[at][1] = rt_random_chance(&random, 5) ? 0 : bytes[at][1];
            ranges[at].interval = (struct fakeetcd_interval){rt_slice_of(&bytes[at][0], 1),
                                                             rt_slice_of(&bytes[at][1], 1)};
            fakeetcd__ranges_add(&tree, &ranges[at]);
        }
        is_inside[at] = !is_inside[at];
        fakeetcd__ranges_find(&tree, rt_slice_of(&key, 1), on_found, &found);
        for (size_t i = 0; i < RANGES; i++) {
            bool has =
                is_inside[i] && key >= bytes[i][0] && (bytes[i][1] == 0 || key < bytes[i][1]);
            assert_int_equal(found.is_found[i], has);
        }
    }
    free(ranges);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(watch__from_now_on__gets_only_later_revisions_of_its_keys),
        TEST(watch__revision_of_many_keys__is_one_delivery_with_only_its_own),
        TEST(watch__without_puts_or_deletes__hears_only_the_others),
        TEST(watch__from_a_future_revision__is_silent_until_then),
        TEST(watch__one_removes_itself_and_another_inside_a_delivery__the_rest_goes_on),
        TEST(watch__from_the_past__gets_history_in_one_delivery_then_lives),
        TEST(catch_up__more_history_than_one_delivery_may_hold__is_cut_between_revisions),
        TEST(catch_up__interval_without_changes_in_a_long_history__comes_to_an_end),
        TEST(catch_up__start_at_the_compacted_revision__gets_what_survived),
        TEST(catch_up__start_before_the_compacted_revision__is_told_and_over),
        TEST(delivery__refused__comes_again_after_resume_with_all_that_followed),
        TEST(delivery__refused_in_catch_up_too__nothing_is_lost_or_doubled),
        TEST(delivery__refused_and_compacted_meanwhile__is_told_and_over),
        cmocka_unit_test(
            ranges__random_additions_and_removals__finds_exactly_those_that_have_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
