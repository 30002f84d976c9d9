/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

/* ---- kinds, styles, positions ----------------------------------------------------------- */

static void mapping__block__keeps_pairs_in_file_order_with_positions(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT, "b: one\na:\n  c: two\n");

    assert_int_equal(root->kind, DOC_KIND_MAPPING);
    assert_int_equal(root->style, DOC_STYLE_BLOCK);
    assert_int_equal(root->count, 2);
    assert_true(doc_is_text(root->pairs[0].key, "b"));
    assert_place(root->pairs[0].value->start, 1, 4);
    assert_place(root->pairs[0].value->end, 1, 7);
    assert_place(doc_find(doc_find(root, "a"), "c")->start, 3, 6);
    assert_place(root->end, 3, 9);
}

static void flow_collections__nested__know_where_their_brackets_are(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT, "k: [a, {b: c}]\n");
    const struct doc_node *list = doc_find(root, "k");

    assert_int_equal(list->kind, DOC_KIND_SEQUENCE);
    assert_int_equal(list->style, DOC_STYLE_FLOW);
    assert_place(list->start, 1, 4);
    assert_place(list->end, 1, 15);
    assert_place(list->items[1]->start, 1, 8);
    assert_place(list->items[1]->end, 1, 14);
}

static void quoted_scalar__escapes__text_is_resolved_and_span_includes_quotes(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_STRICT, "a: \"x\\ty\\0z\"\nb: 'it''s'\n");
    const struct doc_node *a = doc_find(root, "a");

    assert_int_equal(a->style, DOC_STYLE_DOUBLE_QUOTED);
    assert_int_equal(a->text_len_bytes, 5);
    assert_memory_equal(a->text, "x\ty\0z", 6);
    assert_place(a->start, 1, 4);
    assert_place(a->end, 1, 13);
    assert_true(doc_is_text(doc_find(root, "b"), "it's"));
}

static void block_scalars__literal_and_folded__are_text(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_STRICT, "a: |\n  one\n   two\nb: >-\n  one\n  two\n");

    assert_int_equal(doc_find(root, "a")->style, DOC_STYLE_LITERAL);
    assert_true(doc_is_text(doc_find(root, "a"), "one\n two\n"));
    assert_int_equal(doc_find(root, "b")->style, DOC_STYLE_FOLDED);
    assert_true(doc_is_text(doc_find(root, "b"), "one two"));
}

static void columns__characters_of_several_bytes__count_once(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT,
                                          "\xef\xbb\xbf"
                                          "{ \xc3\xa9: \xf0\x9f\x98\x80, b: z }\n");

    assert_place(root->start, 1, 1);
    assert_place(root->pairs[0].value->start, 1, 6);
    assert_place(root->pairs[1].key->start, 1, 9);
    assert_int_equal(root->pairs[1].key->start.offset_bytes, 15);
}

static void lines__every_kind_of_end__are_counted(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT, "a: x\r\nb: y\nc: z");

    assert_place(doc_find(root, "b")->start, 2, 4);
    assert_place(doc_find(root, "c")->start, 3, 4);
}

static void missing_values__anywhere__stand_after_their_sign(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_STRICT, "a:\n  -  # note\n  -\nb :\nc: {d: , e: x}\n");
    const struct doc_node *a = doc_find(root, "a");

    assert_int_equal(a->count, 2);
    assert_true(doc_is_text(a->items[0], ""));
    assert_place(a->items[0]->start, 2, 4);
    assert_place(a->items[1]->start, 3, 4);
    assert_place(doc_find(root, "b")->start, 4, 4);
    assert_place(doc_find(doc_find(root, "c"), "d")->start, 5, 7);
    assert_string_equal(doc_describe(a->items[0]), "nothing");
}

/* ---- STRICT ----------------------------------------------------------------------------- */

static void strict__numbers_and_booleans__stay_text(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_STRICT, "[007, yes, null, ~, 1.0, 2001-12-14]\n");
    size_t i;

    assert_true(doc_is_text(root->items[0], "007"));
    for (i = 0; i < root->count; i++) {
        assert_int_equal(root->items[i]->type, DOC_TYPE_TEXT);
    }
}

static void strict__duplicate_key__is_refused_with_both_positions(void **state)
{
    assert_refused(*state, DOC_MODE_STRICT, "a: 1\nb: 2\n'a': 3\n", 3, 1,
                   "the key \"a\" stands here again, first at 1:1");
}

static void strict__numbers_that_are_equal__are_different_keys(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT, "1: a\n1.0: b\n01: c\n");

    assert_int_equal(root->count, 3);
}

static void strict__tag_anchor_alias_and_merge__are_all_reported(void **state)
{
    static const char *const messages[] = {
        "tags are not allowed here",
        "anchors are not allowed here",
        "merge keys are not allowed here",
        "aliases are not allowed here",
    };
    struct fixture *fx = *state;
    size_t i;

    assert_int_equal(load(fx, DOC_MODE_STRICT, "a: !!str x\nb: &n y\nc: { <<: {d: e} }\nf: *n\n"),
                     RT_E_MALFORMED);
    assert_int_equal(doc_error_count(fx->errors), 4);
    for (i = 0; i < 4; i++) {
        assert_string_equal(doc_error_at(fx->errors, i)->message, messages[i]);
        assert_int_equal(doc_error_at(fx->errors, i)->line, i + 1);
    }
}

static void strict__directive__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, DOC_MODE_STRICT, "%YAML 1.1\n---\na: b\n"), RT_E_MALFORMED);
    assert_string_equal(doc_error_at(fx->errors, 0)->message,
                        "directives (%YAML, %TAG) are not allowed here");
}

static void strict__second_document__is_refused_where_it_starts(void **state)
{
    assert_refused(*state, DOC_MODE_STRICT, "a: b\n---\nc: d\n", 2, 1,
                   "a second document starts here");
}

static void strict__no_content__is_refused(void **state)
{
    assert_refused(*state, DOC_MODE_STRICT, "", 1, 1, "the file has no content");
    assert_refused(*state, DOC_MODE_STRICT, "# only a comment\n", 1, 1, "the file has no content");
}

static void strict__key_that_is_no_scalar__is_refused(void **state)
{
    assert_refused(*state, DOC_MODE_STRICT, "a: b\n[c]: d\n", 2, 1,
                   "a key must be text, not a list");
}

static void syntax_error__unclosed_bracket__says_where_it_opened(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, DOC_MODE_STRICT, "a: [1, 2\n\n"), RT_E_MALFORMED);
    assert_string_equal(doc_error_at(fx->errors, 0)->help, "the [ opened at 1:4 is not closed");
}

static void syntax_error__tab_as_indentation__is_refused_at_the_tab(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, DOC_MODE_STRICT, "a:\n\tb: c\n"), RT_E_MALFORMED);
    assert_int_equal(doc_error_at(fx->errors, 0)->line, 2);
    assert_int_equal(doc_error_at(fx->errors, 0)->column, 1);
}

static void block_scalar__text_not_indented__does_not_swallow_its_neighbours(void **state)
{
    assert_refused(*state, DOC_MODE_STRICT, "a:\n  b: |\n  c: d\n", 3, 3,
                   "the text of a block scalar must be indented deeper than what it belongs to");
    assert_refused(*state, DOC_MODE_YAML11, "a:\n  - >\n  - d\n", 3, 3,
                   "the text of a block scalar must be indented deeper than what it belongs to");
}

static void flow_mapping__closed_in_the_column_of_its_key__is_read(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT, "a: {\n  b: c\n}\nd: e\n");

    assert_true(doc_is_text(doc_find(doc_find(root, "a"), "b"), "c"));
    assert_int_equal(root->count, 2);
}

/* ---- looking at nodes ------------------------------------------------------------------- */

static void find__absent_key_or_no_mapping__is_null(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_STRICT, "a: b\n");

    assert_null(doc_find(root, "z"));
    assert_null(doc_find(doc_find(root, "a"), "b"));
    assert_null(doc_find(NULL, "a"));
}

static void equal__other_style_and_layout__is_equal(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, "a: [x, 'y']\n");
    struct fixture other = {.errors = fx->errors};

    assert_true(doc_is_equal(root, root_of(&other, DOC_MODE_STRICT, "{a: [\"x\",\n  y]}")));
    assert_false(doc_is_equal(root, root_of(&other, DOC_MODE_STRICT, "a: [x]\n")));
    assert_false(doc_is_equal(root, root_of(&other, DOC_MODE_STRICT, "a: [y, x]\n")));
    doc_destroy(other.doc);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(mapping__block__keeps_pairs_in_file_order_with_positions),
        CASE(flow_collections__nested__know_where_their_brackets_are),
        CASE(quoted_scalar__escapes__text_is_resolved_and_span_includes_quotes),
        CASE(block_scalars__literal_and_folded__are_text),
        CASE(columns__characters_of_several_bytes__count_once),
        CASE(lines__every_kind_of_end__are_counted),
        CASE(missing_values__anywhere__stand_after_their_sign),
        CASE(strict__numbers_and_booleans__stay_text),
        CASE(strict__duplicate_key__is_refused_with_both_positions),
        CASE(strict__numbers_that_are_equal__are_different_keys),
        CASE(strict__tag_anchor_alias_and_merge__are_all_reported),
        CASE(strict__directive__is_refused),
        CASE(strict__second_document__is_refused_where_it_starts),
        CASE(strict__no_content__is_refused),
        CASE(strict__key_that_is_no_scalar__is_refused),
        CASE(syntax_error__unclosed_bracket__says_where_it_opened),
        CASE(syntax_error__tab_as_indentation__is_refused_at_the_tab),
        CASE(block_scalar__text_not_indented__does_not_swallow_its_neighbours),
        CASE(flow_mapping__closed_in_the_column_of_its_key__is_read),
        CASE(find__absent_key_or_no_mapping__is_null),
        CASE(equal__other_style_and_layout__is_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
