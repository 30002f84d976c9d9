/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

static void values__of_every_type__are_resolved_with_positions(void **state)
{
    const struct doc_node *root = root_of(
        *state, DOC_MODE_JSON,
        "{\"a\": [1, 2.5, true, null, \"x\\u00e9\\ud83d\\ude00\"],\n\t\"b\": {}, \"c\": 1e3}");
    const struct doc_node *a = doc_find(root, "a");

    assert_int_equal(a->items[0]->integer, 1);
    assert_int_equal(a->items[1]->type, DOC_TYPE_FLOAT);
    assert_true(a->items[2]->boolean);
    assert_true(doc_is_null(a->items[3]));
    assert_true(doc_is_text(a->items[4], "x\xc3\xa9\xf0\x9f\x98\x80"));
    assert_place(doc_find(root, "b")->start, 2, 7);
    assert_string_equal(doc_find(root, "c")->canonical, "1000.0");
}

static void text__that_looks_like_yaml__stays_text(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_JSON, "{\"<<\": \"007\", \"yes\": \"~\"}");

    assert_int_equal(doc_find(root, "<<")->type, DOC_TYPE_TEXT);
    assert_int_equal(doc_find(root, "yes")->type, DOC_TYPE_TEXT);
    assert_int_equal(root->pairs[1].key->type, DOC_TYPE_TEXT);
}

static void duplicate_key__last_wins__with_a_warning(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_JSON, "{\"a\": 1,\n \"a\": 2}");

    assert_int_equal(doc_find(root, "a")->integer, 2);
    assert_int_equal(doc_error_at(doc_warnings(fx->doc), 0)->line, 2);
}

static void yaml__that_json_does_not_have__is_refused(void **state)
{
    static const char *const texts[] = {
        "a: 1",          "{a: 1}",
        "{'a': 1}",      "[1,]",
        "{\"a\": 01}",   "{\"a\": yes}",
        "[1] # comment", "---\n[1]",
        "{\"a\": &x 1}", "{\"a\": !!s 1}",
        "{\"a\": 1}{}",  "{\"a\":}",
        "[1 2]",         "",
        "[\"x\ny\"]",    "- 1",
    };
    struct fixture *fx = *state;
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(load(fx, DOC_MODE_JSON, texts[i]), RT_E_MALFORMED);
        assert_int_equal(doc_error_count(fx->errors), 1);
        assert_true(doc_error_at(fx->errors, 0)->line >= 1);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(values__of_every_type__are_resolved_with_positions),
        CASE(text__that_looks_like_yaml__stays_text),
        CASE(duplicate_key__last_wins__with_a_warning),
        CASE(yaml__that_json_does_not_have__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
