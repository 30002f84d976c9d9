/* SPDX-License-Identifier: Apache-2.0 */
/* Both texts are read back by readers of their own: the JSON by jansson, the exposition by one that
 * is as strict as the format. */
#include "connector/omni_metrics_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "omni_exposition.h"
#include "omni_support.h"

/* Every number is another one, so that a mix-up shows. */
static struct omni_metrics numbered(uint64_t from)
{
    struct omni_metrics metrics = {
        .puts = from + 1,
        .gets = from + 2,
        .bytes_transferred = from + 3,
        .errors = from + 4,
        .timeouts = from + 5,
        .empties = from + 6,
        .put_calls = from + 7,
        .get_calls = from + 8,
        .puts_refused_closed = from + 9,
        .gets_refused_closed = from + 10,
        .puts_cancelled = from + 11,
        .gets_cancelled = from + 12,
        .puts_in_flight = from + 13,
        .gets_in_flight = from + 14,
    };
    for (uint64_t i = 1; i < DS_CAUSE_COUNT; i++) {
        metrics.put_causes[i] = from + 20 + i;
        metrics.get_causes[i] = from + 40 + i;
    }
    return metrics;
}

/* 0 us, 1 us, 1023 us, 1024 us and one beyond every limit. */
static void fill(struct omni_histogram *histogram)
{
    histogram->buckets[0] = 1;
    histogram->buckets[1] = 1;
    histogram->buckets[10] = 1;
    histogram->buckets[11] = 1;
    histogram->buckets[31] = 1;
    histogram->count = 5;
    histogram->max_us = UINT64_C(5000000000);
    histogram->sum_us = UINT64_C(5000002048);
}

static struct exposition *exposition_of(const struct omni_metrics_source *sources, size_t count)
{
    static struct exposition exposition;
    char *text = omni_metrics_prometheus(sources, count);
    assert_non_null(text);
    if (!exposition_read(&exposition, text)) {
        fail_msg("%s in\n%s", exposition.problem, text);
    }
    free(text);
    return &exposition;
}

static void assert_series(const struct exposition *exposition, const char *name, const char *cause,
                          double value)
{
    double found = exposition_value(exposition, name, "edge", cause, NULL);
    if (found < value || found > value) {
        fail_msg("%s %s: expected %.6f, got %.6f", name, cause == NULL ? "" : cause, value, found);
    }
}

/* ---- Prometheus ------------------------------------------------------------------------------ */

static void prometheus__every_number__under_its_own_name(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(1000);
    struct omni_metrics_source source = {"edge", &metrics};
    const struct exposition *exposition = exposition_of(&source, 1);

    assert_series(exposition, "omniconnect_puts_total", NULL, 1001);
    assert_series(exposition, "omniconnect_gets_total", NULL, 1002);
    assert_series(exposition, "omniconnect_bytes_transferred_total", NULL, 1003);
    assert_series(exposition, "omniconnect_errors_total", NULL, 1004);
    assert_series(exposition, "omniconnect_timeouts_total", NULL, 1005);
    assert_series(exposition, "omniconnect_empties_total", NULL, 1006);
    assert_series(exposition, "omniconnect_put_calls_total", NULL, 1007);
    assert_series(exposition, "omniconnect_get_calls_total", NULL, 1008);
    assert_series(exposition, "omniconnect_puts_refused_total", NULL, 1009);
    assert_series(exposition, "omniconnect_gets_refused_total", NULL, 1010);
    assert_series(exposition, "omniconnect_puts_cancelled_total", NULL, 1011);
    assert_series(exposition, "omniconnect_gets_cancelled_total", NULL, 1012);
    assert_series(exposition, "omniconnect_puts_in_flight", NULL, 1013);
    assert_series(exposition, "omniconnect_gets_in_flight", NULL, 1014);
}

static void prometheus__causes__each_with_the_word_of_its_side(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(0);
    struct omni_metrics_source source = {"edge", &metrics};
    const struct exposition *exposition = exposition_of(&source, 1);
    const char *puts = "omniconnect_put_failures_total";
    const char *gets = "omniconnect_get_failures_total";

    assert_series(exposition, gets, "not_found", 40 + DS_CAUSE_NOT_FOUND);
    assert_series(exposition, gets, "backend_timeout", 40 + DS_CAUSE_BACKEND_TIMEOUT);
    assert_series(exposition, gets, "transport", 40 + DS_CAUSE_TRANSPORT);
    assert_series(exposition, gets, "disconnected", 40 + DS_CAUSE_DISCONNECTED);
    assert_series(exposition, gets, "invalid", 40 + DS_CAUSE_INVALID);
    assert_series(exposition, gets, "out_of_memory", 40 + DS_CAUSE_OUT_OF_MEMORY);
    assert_series(exposition, gets, "decode", 40 + DS_CAUSE_CODEC);
    assert_series(exposition, gets, "other", 40 + DS_CAUSE_OTHER);
    assert_series(exposition, puts, "encode", 20 + DS_CAUSE_CODEC);
    assert_series(exposition, puts, "other", 20 + DS_CAUSE_OTHER);
    assert_series(exposition, puts, "not_found", -1); /* a put is never not found */
    assert_series(exposition, puts, "decode", -1);
    assert_series(exposition, gets, "none", -1);
}

static void prometheus__histogram__cumulative_in_seconds_with_exact_limits(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(0);
    struct omni_metrics_source source = {"edge", &metrics};
    static const struct {
        const char *le;
        double count;
    } expected[] = {{"0.000000", 1}, {"0.000001", 2}, {"0.000003", 2},    {"0.000511", 2},
                    {"0.001023", 3}, {"0.002047", 4}, {"1073.741823", 4}, {"+Inf", 5}};
    static const char *const names[] = {"store", "fetch", "serialize", "deserialize"};
    fill(&metrics.store);
    fill(&metrics.fetch);
    fill(&metrics.serialize);
    fill(&metrics.deserialize);
    const struct exposition *exposition = exposition_of(&source, 1);

    for (size_t name = 0; name < 4; name++) {
        char text[96];
        (void)snprintf(text, sizeof(text), "omniconnect_%s_seconds_bucket", names[name]);
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
            double found = exposition_value(exposition, text, "edge", NULL, expected[i].le);
            assert_true(found >= expected[i].count && found <= expected[i].count);
        }
        (void)snprintf(text, sizeof(text), "omniconnect_%s_seconds_sum", names[name]);
        assert_series(exposition, text, NULL, 5000.002048);
        (void)snprintf(text, sizeof(text), "omniconnect_%s_seconds_count", names[name]);
        assert_series(exposition, text, NULL, 5);
    }
}

static void prometheus__several_connectors__share_each_family(void **state)
{
    (void)state;
    struct omni_metrics first = numbered(0);
    struct omni_metrics second = numbered(500);
    struct omni_metrics_source sources[] = {{"0_1", &first}, {"1_2", &second}};
    const struct exposition *exposition = exposition_of(sources, 2);
    double puts = exposition_value(exposition, "omniconnect_puts_total", "1_2", NULL, NULL);
    assert_true(puts > 500.5 && puts < 501.5);
    puts = exposition_value(exposition, "omniconnect_puts_total", "0_1", NULL, NULL);
    assert_true(puts > 0.5 && puts < 1.5);
}

static void prometheus__no_connector__families_without_samples(void **state)
{
    (void)state;
    assert_int_equal(exposition_of(NULL, 0)->count, 0);
}

/* As given, and as it must come back. */
static const struct {
    const char *name;
    const char *shown;
} odd_names[] = {
    {"", ""},
    {"a \"quoted\" name", "a \"quoted\" name"},
    {"back\\slash\\n", "back\\slash\\n"},
    {"two\nlines", "two\nlines"},
    {"{a=\"b\"} 1 # HELP", "{a=\"b\"} 1 # HELP"},
    {"Stra\xc3\x9f"
     "e \xe2\x82\xac \xf0\x9f\x98\x80",
     "Stra\xc3\x9f"
     "e \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"bad \xff byte", "bad \xef\xbf\xbd byte"},
    {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
    {"surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd"},
};

static void prometheus__odd_names__come_back(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(0);
    for (size_t i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++) {
        struct omni_metrics_source source = {odd_names[i].name, &metrics};
        const struct exposition *exposition = exposition_of(&source, 1);
        assert_string_equal(exposition->series[0].connector, odd_names[i].shown);
    }
}

static void exposition_reader__texts_that_break_a_rule__are_refused(void **state)
{
    static struct exposition exposition;
    static const char *const texts[] = {
        "omniconnect_x 1\n",                                   /* no family */
        "# HELP a b\n# TYPE a counter\nb 1\n",                 /* of another one */
        "# HELP a b\n# TYPE a counter\na 1\na 2\n",            /* twice */
        "# HELP a b\n# TYPE a counter\n# HELP a b\n",          /* two blocks */
        "# HELP a b\n# TYPE a counter\na 1",                   /* no end of line */
        "# HELP a b\n# TYPE a number\na 1\n",                  /* no such type */
        "# HELP a b\n# TYPE a counter\na{cause=\"x\\t\"} 1\n", /* no such escape */
        "# HELP a b\n# TYPE a counter\na{cause=\"x} 1\n",      /* not closed */
        "# HELP a b\n# TYPE a counter\na{cause=\"x\"}\n",      /* no value */
        ("# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
         "a_count 1\n"), /* shrinks */
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (exposition_read(&exposition, texts[i])) {
            fail_msg("taken: %s", texts[i]);
        }
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *json_of(const struct omni_metrics_source *sources, size_t count)
{
    json_error_t error;
    char *text = omni_metrics_json(sources, count);
    assert_non_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fail_msg("%s at %d in %s", error.text, error.position, text);
    }
    free(text);
    return root;
}

static uint64_t number_at(json_t *object, const char *key)
{
    json_t *number = json_object_get(object, key);
    assert_true(json_is_integer(number));
    return (uint64_t)json_integer_value(number);
}

static void json__every_number__under_its_own_name(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(1000);
    struct omni_metrics_source source = {"edge", &metrics};
    static const char *const words[] = {
        "puts",           "gets",           "bytes_transferred", "errors",        "timeouts",
        "empties",        "put_calls",      "get_calls",         "puts_refused",  "gets_refused",
        "puts_cancelled", "gets_cancelled", "puts_in_flight",    "gets_in_flight"};
    json_t *root = json_of(&source, 1);
    json_t *edge = json_array_get(json_object_get(root, "connectors"), 0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(number_at(edge, words[i]), 1001 + i);
    }
    json_t *gets = json_object_get(edge, "get_failures");
    json_t *puts = json_object_get(edge, "put_failures");
    assert_int_equal(json_object_size(gets), DS_CAUSE_COUNT - 1);
    assert_int_equal(json_object_size(puts), DS_CAUSE_COUNT - 2);
    assert_int_equal(number_at(gets, "decode"), 1040 + DS_CAUSE_CODEC);
    assert_int_equal(number_at(puts, "encode"), 1020 + DS_CAUSE_CODEC);
    json_decref(root);
}

static void json__histogram__buckets_that_counted_something(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(0);
    struct omni_metrics_source source = {"edge", &metrics};
    static const uint64_t limits_us[] = {0, 1, 1023, 2047};
    fill(&metrics.fetch);
    json_t *root = json_of(&source, 1);
    json_t *edge = json_array_get(json_object_get(root, "connectors"), 0);
    json_t *fetch = json_object_get(json_object_get(edge, "latency"), "fetch");
    json_t *buckets = json_object_get(fetch, "buckets");
    assert_int_equal(number_at(fetch, "count"), 5);
    assert_int_equal(number_at(fetch, "sum_us"), UINT64_C(5000002048));
    assert_int_equal(number_at(fetch, "max_us"), UINT64_C(5000000000));
    assert_int_equal(json_array_size(buckets), 5);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(number_at(json_array_get(buckets, i), "le_us"), limits_us[i]);
        assert_int_equal(number_at(json_array_get(buckets, i), "count"), 1);
    }
    assert_true(json_is_null(json_object_get(json_array_get(buckets, 4), "le_us")));
    json_decref(root);
}

static void json__odd_names__come_back(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(0);
    for (size_t i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++) {
        struct omni_metrics_source sources[] = {{odd_names[i].name, &metrics},
                                                {"\x01\x1f\t\r", &metrics}};
        json_t *root = json_of(sources, 2);
        json_t *list = json_object_get(root, "connectors");
        json_t *name = json_object_get(json_array_get(list, 0), "connector");
        assert_string_equal(json_string_value(name), odd_names[i].shown);
        name = json_object_get(json_array_get(list, 1), "connector");
        assert_string_equal(json_string_value(name), "\x01\x1f\t\r");
        json_decref(root);
    }
}

/* ---- the caller's buffer --------------------------------------------------------------------- */

static void write__buffer_of_each_size__says_the_whole_length_and_cuts(void **state)
{
    (void)state;
    struct omni_metrics metrics = numbered(7);
    struct omni_metrics_source source = {"edge \xff", &metrics};
    char *whole = omni_metrics_json(&source, 1);
    assert_non_null(whole);
    size_t length = strlen(whole);
    assert_int_equal(omni_metrics_write_json(&source, 1, NULL, 0), length);
    for (size_t size = 1; size <= length + 1; size++) {
        char *text = malloc(size); /* exactly as long, so that a sanitizer sees a byte too many */
        assert_non_null(text);
        assert_int_equal(omni_metrics_write_json(&source, 1, text, size), length);
        assert_int_equal(strlen(text), size - 1);
        assert_memory_equal(text, whole, size - 1);
        free(text);
    }
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus__every_number__under_its_own_name),
        cmocka_unit_test(prometheus__causes__each_with_the_word_of_its_side),
        cmocka_unit_test(prometheus__histogram__cumulative_in_seconds_with_exact_limits),
        cmocka_unit_test(prometheus__several_connectors__share_each_family),
        cmocka_unit_test(prometheus__no_connector__families_without_samples),
        cmocka_unit_test(prometheus__odd_names__come_back),
        cmocka_unit_test(exposition_reader__texts_that_break_a_rule__are_refused),
        cmocka_unit_test(json__every_number__under_its_own_name),
        cmocka_unit_test(json__histogram__buckets_that_counted_something),
        cmocka_unit_test(json__odd_names__come_back),
        cmocka_unit_test(write__buffer_of_each_size__says_the_whole_length_and_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
