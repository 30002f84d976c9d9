/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

#include "document/format.h"
#include "runtime/random.h"

static void assert_formatted(struct fixture *fx, const char *text, const char *expected)
{
    char *once = NULL;
    char *twice = NULL;
    size_t len;

    doc_error_list_clear(fx->errors);
    assert_int_equal(doc_format_text("f", rt_slice_text(text), fx->errors, &once, &len), RT_OK);
    assert_string_equal(once, expected);
    assert_int_equal(len, strlen(expected));
    assert_int_equal(doc_format_text("f", rt_slice_text(once), fx->errors, &twice, &len), RT_OK);
    assert_string_equal(twice, once);
    free(twice);
    free(once);
}

static void blocks__any_indentation__become_two_spaces_a_level(void **state)
{
    assert_formatted(*state,
                     "a:\n    b:\n          c: d\n    e:\n    - f\n    -   g: h\n        i: j\n",
                     "a:\n  b:\n    c: d\n  e:\n    - f\n    - g: h\n      i: j\n");
    assert_formatted(*state, "-   - a\n    -   b\n", "- - a\n  - b\n");
    assert_formatted(*state, "? a\n:     - b\n      - c\n", "? a\n: - b\n  - c\n");
}

static void signs__any_blanks__get_one_space(void **state)
{
    assert_formatted(*state, "a :   b\nc:\td\n", "a: b\nc: d\n");
    assert_formatted(*state, "a: {b: c,d:   e}\n", "a: { b: c, d: e }\n");
    assert_formatted(*state, "a: [ b ,c,  {d: e} , {  }, [ ] ]\n", "a: [b, c, { d: e }, {}, []]\n");
    assert_formatted(*state, "{\"a\" :b,c: }\n", "{ \"a\": b, c: }\n");
    assert_formatted(*state, "[a: b,c :  d]\n", "[a: b, c: d]\n");
}

static void lines__blank_or_trailing__are_tidied(void **state)
{
    assert_formatted(*state, "\n\na: b   \n\n\n\nc: d\n\n\n", "a: b\n\nc: d\n");
    assert_formatted(*state, "a: b", "a: b\n");
    assert_formatted(*state,
                     "\xef\xbb\xbf"
                     "a: b\r\nc: d\r\n",
                     "a: b\nc: d\n");
}

static void comments__anywhere__stay_with_what_they_belong_to(void **state)
{
    assert_formatted(*state,
                     "# top  \n\n\n# second\na:   # at the key\n"
                     "      # before b\n      b: c     # kept apart\n"
                     "      # after b\n# before d\nd: e\n# last",
                     "# top\n\n# second\na:   # at the key\n"
                     "  # before b\n  b: c     # kept apart\n"
                     "  # after b\n# before d\nd: e\n# last\n");
    assert_formatted(*state, "a: [b,   # one\n    # two\n    c]\n",
                     "a: [b,   # one\n    # two\n    c]\n");
}

static void scalars__quoted_and_of_several_lines__keep_their_spelling(void **state)
{
    assert_formatted(*state, "a:    'it''s'\nb:    \"x\\u00e9 # no comment\"\n",
                     "a: 'it''s'\nb: \"x\\u00e9 # no comment\"\n");
    assert_formatted(*state, "a:\n      b: one\n          two   \n\n          three\n",
                     "a:\n  b: one\n    two\n\n    three\n");
    assert_formatted(*state, "a: \"one \\\n        two\"\n", "a: \"one \\\n  two\"\n");
}

static void block_scalars__moved__keep_their_text(void **state)
{
    assert_formatted(*state,
                     "a:\n    b: |  # note\n          one\n            two\n\n          x\n\n\n"
                     "    c: d\n",
                     "a:\n  b: |  # note\n    one\n      two\n\n    x\n\n  c: d\n");
    assert_formatted(*state, "a:\n    - |2\n        x\n", "a:\n  - |2\n      x\n");
    assert_formatted(*state, "a: |+\n      x\n\n\nb: c\n", "a: |+\n  x\n\n\nb: c\n");
    assert_formatted(*state, "a: |\nb: c\n", "a: |\nb: c\n");
}

static void flow__over_several_lines__moves_with_its_bracket_or_key(void **state)
{
    assert_formatted(*state, "a:\n    b: {c: d,\n      e: f}\n", "a:\n  b: { c: d,\n    e: f }\n");
    assert_formatted(*state, "a:\n    b:   {c: d,\n          e: f}\n",
                     "a:\n  b: { c: d,\n       e: f }\n");
    assert_formatted(*state, "a:\n    b: {\n      c: d,\n    }\n", "a:\n  b: {\n    c: d,\n  }\n");
}

static void marks__of_a_document__stay(void **state)
{
    assert_formatted(*state, "---\na:  b\n...\n", "---\na: b\n...\n");
}

static void invalid_file__is_refused_with_its_error(void **state)
{
    struct fixture *fx = *state;
    char *text = NULL;
    size_t len;

    assert_int_equal(doc_format_text("f", rt_slice_text("a: b\na: c\n"), fx->errors, &text, &len),
                     RT_E_MALFORMED);
    assert_null(text);
    assert_int_equal(doc_error_at(fx->errors, 0)->line, 2);
}

static char *read_story(size_t *out_len)
{
    FILE *in = fopen(TEST_DATA_DIR "/document/story.yaml", "rb");
    char *data = malloc(65536);

    assert_non_null(in);
    *out_len = fread(data, 1, 65535, in);
    data[*out_len] = '\0';
    fclose(in);
    return data;
}

static void story__already_tidy__does_not_change(void **state)
{
    size_t len;
    char *data = read_story(&len);

    assert_formatted(*state, data, data);
    free(data);
}

/* Whatever is valid is formatted, means the same (the formatter checks) and is formatted once. */
static void story__bent_at_random__is_formatted_once_or_left_alone(void **state)
{
    static const char bends[] = ":-[]{}#\"'\n  \n|>?,\t a+2";
    struct fixture *fx = *state;
    struct rt_random random;
    size_t formatted_count = 0;
    size_t refused_count = 0;
    size_t len;
    char *data = read_story(&len);
    int round;

    rt_random_init(&random, 1, "test:format");
    for (round = 0; round < 3000; round++) {
        size_t at = (size_t)rt_random_below(&random, len);
        char before = data[at];
        char *once = NULL;
        char *twice = NULL;
        size_t once_len;
        size_t twice_len;
        enum rt_status status;

        data[at] = bends[rt_random_below(&random, sizeof(bends) - 1)];
        doc_error_list_clear(fx->errors);
        status = doc_format_text("f", rt_slice_of(data, len), fx->errors, &once, &once_len);
        if (status == RT_OK) {
            formatted_count++;
            assert_int_equal(
                doc_format_text("f", rt_slice_of(once, once_len), fx->errors, &twice, &twice_len),
                RT_OK);
            assert_string_equal(twice, once);
        } else {
            refused_count += status == RT_E_INVALID ? 1 : 0;
            assert_true(doc_error_count(fx->errors) > 0);
        }
        free(once);
        free(twice);
        data[at] = before;
    }
    assert_true(formatted_count > 1000);
    assert_true(refused_count < formatted_count / 100);
    free(data);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(blocks__any_indentation__become_two_spaces_a_level),
        CASE(signs__any_blanks__get_one_space),
        CASE(lines__blank_or_trailing__are_tidied),
        CASE(comments__anywhere__stay_with_what_they_belong_to),
        CASE(scalars__quoted_and_of_several_lines__keep_their_spelling),
        CASE(block_scalars__moved__keep_their_text),
        CASE(flow__over_several_lines__moves_with_its_bracket_or_key),
        CASE(marks__of_a_document__stay),
        CASE(invalid_file__is_refused_with_its_error),
        CASE(story__already_tidy__does_not_change),
        CASE(story__bent_at_random__is_formatted_once_or_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
