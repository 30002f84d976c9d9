/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/random.h"

/* Whatever is given: one clear error or a document, never a crash and never a wait. */

static enum rt_status load_bytes(struct fixture *fx, const char *data, size_t len,
                                 enum doc_mode mode)
{
    enum rt_status status;
    struct doc *doc;

    doc_error_list_clear(fx->errors);
    status = doc_load_text("bytes", rt_slice_of(data, len), mode, NULL, fx->errors, &doc);
    if (status == RT_OK) {
        doc_destroy(doc);
    }
    return status;
}

static char *read_data(const char *name, size_t *out_len)
{
    char path[1024];
    char *data;
    FILE *in;

    (void)snprintf(path, sizeof(path), "%s/document/%s", TEST_DATA_DIR, name);
    in = fopen(path, "rb");
    assert_non_null(in);
    data = malloc(65536);
    *out_len = fread(data, 1, 65536, in);
    fclose(in);
    assert_in_range(*out_len, 1, 65535);
    return data;
}

/* Every refusal says what and where; errors are formatted so that sanitizers see them. */
static void assert_graceful(struct fixture *fx, const char *data, size_t len)
{
    static const enum doc_mode modes[] = {DOC_MODE_STRICT, DOC_MODE_YAML11, DOC_MODE_JSON};
    size_t i;

    for (i = 0; i < 3; i++) {
        enum rt_status status = load_bytes(fx, data, len, modes[i]);
        char *text;

        assert_true(status == RT_OK || status == RT_E_MALFORMED || status == RT_E_LIMIT);
        assert_true((status == RT_OK) == (doc_error_count(fx->errors) == 0));
        if (status != RT_OK) {
            text = doc_error_format(doc_error_at(fx->errors, 0));
            assert_non_null(text);
            free(text);
        }
    }
}

static const char *const corpus[] = {"story.yaml", "upstream.yaml"};

static void valid_document__cut_at_every_byte__never_crashes(void **state)
{
    size_t i;
    size_t len;
    size_t cut;

    for (i = 0; i < 2; i++) {
        char *data = read_data(corpus[i], &len);

        for (cut = 0; cut <= len; cut++) {
            /* An exact copy, so that reading one byte too far is seen. */
            char *copy = malloc(cut == 0 ? 1 : cut);
            memcpy(copy, data, cut);
            assert_graceful(*state, copy, cut);
            free(copy);
        }
        free(data);
    }
}

static void valid_document__bytes_bent__never_crashes(void **state)
{
    static const char bends[] = {':', '-', '[', ']', '{', '}', '#', '"',  '\'', '\n',   ' ',  '&',
                                 '*', '!', '|', '>', '?', '%', ',', '\t', '\0', '\xff', '\\', '\r'};
    struct rt_random random;
    size_t len;
    size_t i;
    size_t round;

    rt_random_init(&random, 1, "test:bend");
    for (i = 0; i < 2; i++) {
        char *data = read_data(corpus[i], &len);

        for (round = 0; round < 3000; round++) {
            size_t at = (size_t)rt_random_below(&random, len);
            size_t second = (size_t)rt_random_below(&random, len);
            char before = data[at];
            char second_before;

            data[at] = (char)(round % 2 == 0 ? before ^ (1 << rt_random_below(&random, 8))
                                             : bends[rt_random_below(&random, sizeof(bends))]);
            second_before = data[second];
            data[second] = bends[rt_random_below(&random, sizeof(bends))];
            assert_graceful(*state, data, len);
            data[second] = second_before;
            data[at] = before;
        }
        free(data);
    }
}

static void assert_nesting_refused(struct fixture *fx, const char *unit)
{
    size_t unit_len = strlen(unit);
    size_t count = 200000;
    char *text = malloc(unit_len * count);
    size_t i;

    for (i = 0; i < count; i++) {
        memcpy(text + i * unit_len, unit, unit_len);
    }
    assert_int_equal(load_bytes(fx, text, unit_len * count, DOC_MODE_STRICT), RT_E_LIMIT);
    assert_string_equal(doc_error_at(fx->errors, 0)->message,
                        "the document is nested deeper than the limit of 64");
    free(text);
}

static void nesting_bomb__of_any_bracket__is_refused_at_the_depth_limit(void **state)
{
    assert_nesting_refused(*state, "[");
    assert_nesting_refused(*state, "{a: ");
    assert_nesting_refused(*state, "- ");
    assert_nesting_refused(*state, "? ");
}

static void text__with_nul_or_bad_utf8__is_refused_at_the_byte(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load_bytes(fx, "a: x\0y\n", 7, DOC_MODE_STRICT), RT_E_MALFORMED);
    assert_string_equal(doc_error_at(fx->errors, 0)->message,
                        "control character 0x00 is not allowed in a text file");
    assert_int_equal(doc_error_at(fx->errors, 0)->column, 5);
    assert_int_equal(load_bytes(fx, "a: \xc0\xaf\n", 6, DOC_MODE_STRICT), RT_E_MALFORMED);
    assert_string_equal(doc_error_at(fx->errors, 0)->message, "byte 0xc0 is not UTF-8 text");
    assert_int_equal(load_bytes(fx,
                                "\xff\xfe"
                                "a\0",
                                4, DOC_MODE_YAML11),
                     RT_E_MALFORMED);
    assert_int_equal(load_bytes(fx, "a: \xed\xa0\x80\n", 7, DOC_MODE_JSON), RT_E_MALFORMED);
}

static void text__above_the_size_limit__is_refused(void **state)
{
    struct fixture *fx = *state;
    const struct doc_limits limits = {
        .size_bytes = 10, .depth_count = 5, .node_count = 100, .alias_count = 10};

    assert_int_equal(doc_load_text("f", rt_slice_text("a: 12345678"), DOC_MODE_STRICT, &limits,
                                   fx->errors, &fx->doc),
                     RT_E_LIMIT);
    assert_string_equal(doc_error_at(fx->errors, 0)->message,
                        "the text has 11 bytes, the limit is 10");
}

static void text__above_the_node_limit__is_refused(void **state)
{
    struct fixture *fx = *state;
    const struct doc_limits limits = {
        .size_bytes = 100, .depth_count = 5, .node_count = 4, .alias_count = 10};

    assert_int_equal(doc_load_text("f", rt_slice_text("[a, b, c]"), DOC_MODE_STRICT, &limits,
                                   fx->errors, &fx->doc),
                     RT_OK);
    doc_destroy(fx->doc);
    fx->doc = NULL;
    assert_int_equal(doc_load_text("f", rt_slice_text("[a, b, c, d]"), DOC_MODE_STRICT, &limits,
                                   fx->errors, &fx->doc),
                     RT_E_LIMIT);
}

/* ---- files ------------------------------------------------------------------------------ */

struct folder {
    char path[64];
};

static void make_folder(struct folder *folder)
{
    strcpy(folder->path, "/tmp/doc-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

static void assert_file_refused(struct fixture *fx, const char *path, enum rt_status expected,
                                const char *message)
{
    doc_error_list_clear(fx->errors);
    assert_int_equal(doc_load_file(path, DOC_MODE_STRICT, NULL, fx->errors, &fx->doc), expected);
    assert_int_equal(doc_error_count(fx->errors), 1);
    assert_string_equal(doc_error_at(fx->errors, 0)->path, path);
    assert_string_equal(doc_error_at(fx->errors, 0)->message, message);
    assert_int_equal(doc_error_at(fx->errors, 0)->line, 0);
}

static void file__that_is_none__is_one_clear_error(void **state)
{
    struct folder folder;
    char path[128];

    make_folder(&folder);
    (void)snprintf(path, sizeof(path), "%s/pipe", folder.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_file_refused(*state, path, RT_E_IO, "this is a device, socket or pipe, not a file");
    unlink(path);
    assert_file_refused(*state, folder.path, RT_E_IO, "this is a directory, not a file");
    rmdir(folder.path);
    assert_file_refused(*state, folder.path, RT_E_NOT_FOUND,
                        "cannot open this file: No such file or directory");
}

static void file__of_100_megabytes__is_refused_unread(void **state)
{
    struct folder folder;
    char path[128];
    int fd;

    make_folder(&folder);
    (void)snprintf(path, sizeof(path), "%s/big.yaml", folder.path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 100 << 20), 0);
    close(fd);
    assert_file_refused(*state, path, RT_E_LIMIT,
                        "the file has 104857600 bytes, the limit is 4194304");
    unlink(path);
    rmdir(folder.path);
}

static void file__unreadable__is_one_clear_error(void **state)
{
    struct folder folder;
    char path[128];
    int fd;

    if (geteuid() == 0) {
        skip(); /* root may read everything */
    }
    make_folder(&folder);
    (void)snprintf(path, sizeof(path), "%s/secret.yaml", folder.path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0);
    close(fd);
    assert_file_refused(*state, path, RT_E_IO, "cannot open this file: Permission denied");
    unlink(path);
    rmdir(folder.path);
}

static void file__valid__is_read_with_its_path(void **state)
{
    struct fixture *fx = *state;
    const char *path = TEST_DATA_DIR "/document/story.yaml";

    assert_int_equal(doc_load_file(path, DOC_MODE_STRICT, NULL, fx->errors, &fx->doc), RT_OK);
    assert_true(doc_is_text(doc_find(doc_root(fx->doc), "scenario"), "v1"));
    assert_string_equal(doc_get_source(fx->doc)->path, path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Columns are characters, however long the line is and wherever it begins; and a large file of one
 * line costs no more than one of many: were each line walked from its start, this took minutes. */
static void positions__one_long_line__are_exact_and_cheap(void **state)
{
    static const char before[] = "# \xc3\xa9\xc3\xa9\r\n\r\n";
    struct fixture *fx = *state;
    const size_t count = 200000;
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    size_t i;

    fprintf(out, "%s[", before);
    for (i = 0; i < count; i++) {
        fprintf(out, "\xe2\x82\xac%s", i % 1000 == 999 ? ",\n" : ", ");
    }
    fprintf(out, "x]");
    assert_int_equal(fclose(out), 0);
    const struct doc_node *root = root_of(fx, DOC_MODE_YAML11, text);
    assert_int_equal(root->count, count + 1);
    for (i = 0; i < count; i++) {
        uint32_t column = (uint32_t)(i % 1000) * 3 + (i < 1000 ? 2 : 1);
        assert_place(root->items[i]->start, (uint32_t)(i / 1000) + 3, column);
        assert_place(root->items[i]->end, (uint32_t)(i / 1000) + 3, column + 1);
    }
    free(text);

    out = open_memstream(&text, &size);
    fprintf(out, "[");
    for (i = 0; i < count; i++) {
        fprintf(out, "\xc3\xa9, ");
    }
    fprintf(out, "x]");
    assert_int_equal(fclose(out), 0);
    root = root_of(fx, DOC_MODE_YAML11, text);
    for (i = 0; i < count; i++) {
        assert_place(root->items[i]->start, 1, (uint32_t)i * 3 + 2);
        assert_int_equal(root->items[i]->start.offset_bytes, 1 + i * 4);
    }
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(valid_document__cut_at_every_byte__never_crashes),
        CASE(valid_document__bytes_bent__never_crashes),
        CASE(nesting_bomb__of_any_bracket__is_refused_at_the_depth_limit),
        CASE(text__with_nul_or_bad_utf8__is_refused_at_the_byte),
        CASE(text__above_the_size_limit__is_refused),
        CASE(text__above_the_node_limit__is_refused),
        CASE(file__that_is_none__is_one_clear_error),
        CASE(file__of_100_megabytes__is_refused_unread),
        CASE(file__unreadable__is_one_clear_error),
        CASE(file__valid__is_read_with_its_path),
        CASE(positions__one_long_line__are_exact_and_cheap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
