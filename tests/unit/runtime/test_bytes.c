/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define VALUE_BYTES ((size_t)100000)
#define SMALL_BYTES ((size_t)10)
#define ROUND_COUNT 300

struct fixture {
    struct rt_outbox *out;
    struct rt_outbox *other;
    struct rt_inbox *in;
    struct rt_blob *value;
    size_t living;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    uint8_t *data;

    fx->living = rt_blob_live_count();
    fx->out = rt_outbox_create();
    fx->other = rt_outbox_create();
    fx->in = rt_inbox_create();
    fx->value = rt_blob_create(VALUE_BYTES, &data);
    for (size_t i = 0; i < VALUE_BYTES; i++) {
        data[i] = (uint8_t)(i % 253);
    }
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    rt_outbox_destroy(fx->out);
    rt_outbox_destroy(fx->other);
    rt_inbox_destroy(fx->in);
    rt_blob_release(fx->value);
    assert_int_equal(rt_blob_live_count(), fx->living);
    free(fx);
    return 0;
}

static void add_text(struct rt_outbox *outbox, const char *text)
{
    assert_int_equal(rt_outbox_add(outbox, text, strlen(text)), RT_OK);
}

static void add_value(struct fixture *fx, size_t offset_bytes, size_t len_bytes)
{
    assert_int_equal(rt_outbox_add_blob(fx->out, fx->value, offset_bytes, len_bytes), RT_OK);
}

static uint8_t *copy_of(const struct rt_outbox *outbox)
{
    size_t len_bytes = rt_outbox_len_bytes(outbox);
    uint8_t *bytes = malloc(len_bytes + 1);

    rt_outbox_copy(outbox, bytes, len_bytes);
    bytes[len_bytes] = '\0';
    return bytes;
}

static void assert_outbox_is(const struct rt_outbox *outbox, const char *text)
{
    uint8_t *bytes = copy_of(outbox);

    assert_string_equal((char *)bytes, text);
    free(bytes);
}

static void assert_inbox_is(struct rt_inbox *inbox, const char *text)
{
    assert_int_equal(rt_inbox_len_bytes(inbox), strlen(text));
    assert_true(rt_slice_is_text(rt_inbox_peek(inbox, strlen(text)), text));
}

/* ---- outbox ------------------------------------------------------------------------------- */

static void outbox__texts_and_blobs__come_out_in_order(void **state)
{
    struct fixture *fx = *state;
    uint8_t *bytes;

    add_text(fx->out, "<");
    add_value(fx, 0, VALUE_BYTES);
    add_text(fx->out, "|");
    add_value(fx, 5, SMALL_BYTES);
    add_value(fx, 0, 0);
    add_text(fx->out, ">");
    assert_int_equal(rt_outbox_len_bytes(fx->out), VALUE_BYTES + SMALL_BYTES + 3);
    bytes = copy_of(fx->out);
    assert_int_equal(bytes[0], '<');
    assert_memory_equal(bytes + 1, rt_blob_slice(fx->value).data, VALUE_BYTES);
    assert_int_equal(bytes[1 + VALUE_BYTES], '|');
    assert_memory_equal(bytes + 2 + VALUE_BYTES, rt_blob_slice(fx->value).data + 5, SMALL_BYTES);
    assert_int_equal(bytes[2 + VALUE_BYTES + SMALL_BYTES], '>');
    free(bytes);
}

static void outbox__part_beyond_the_blob__is_invalid(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(rt_outbox_add_blob(fx->out, fx->value, VALUE_BYTES, 1), RT_E_INVALID);
    assert_int_equal(rt_outbox_add_blob(fx->out, fx->value, 1, SIZE_MAX), RT_E_INVALID);
    assert_int_equal(rt_outbox_add_blob(fx->out, fx->value, VALUE_BYTES + 1, 0), RT_E_INVALID);
    assert_int_equal(rt_outbox_len_bytes(fx->out), 0);
}

static void note_freed(void *arg, void *data)
{
    (void)data;
    (*(int *)arg)++;
}

static void outbox__cleared_or_destroyed__drops_its_references(void **state)
{
    struct fixture *fx = *state;
    static char bytes[2 * 1024];
    int freed_count = 0;

    for (size_t len_bytes = 16; len_bytes <= sizeof(bytes); len_bytes *= 128) {
        struct rt_blob *blob = rt_blob_wrap(bytes, len_bytes, note_freed, &freed_count);

        freed_count = 0;
        assert_int_equal(rt_outbox_add_blob(fx->out, blob, 0, len_bytes), RT_OK);
        rt_blob_release(blob);
        assert_int_equal(freed_count, 0);
        rt_outbox_clear(fx->out);
        assert_int_equal(freed_count, 1);
        assert_int_equal(rt_outbox_len_bytes(fx->out), 0);
    }
    rt_outbox_destroy(NULL);
}

static void move__prefix__splits_exactly_there(void **state)
{
    struct fixture *fx = *state;

    add_text(fx->out, "abcdef");
    assert_int_equal(rt_outbox_move(fx->other, fx->out, 2), RT_OK);
    assert_outbox_is(fx->other, "ab");
    assert_outbox_is(fx->out, "cdef");
    assert_int_equal(rt_outbox_move(fx->other, fx->out, 0), RT_OK);
    assert_int_equal(rt_outbox_move(fx->other, fx->out, 100), RT_OK);
    assert_outbox_is(fx->other, "abcdef");
    assert_int_equal(rt_outbox_len_bytes(fx->out), 0);
}

static void move__byte_by_byte_through_blobs__changes_nothing(void **state)
{
    struct fixture *fx = *state;
    static const size_t STEPS[] = {1, 999, 1024, 4096, 30000, 7};
    uint8_t *before;
    uint8_t *after;
    size_t len_bytes;

    for (int i = 0; i < 3; i++) {
        add_text(fx->out, "header");
        add_value(fx, 0, VALUE_BYTES);
        add_value(fx, 17, 3000);
    }
    len_bytes = rt_outbox_len_bytes(fx->out);
    before = copy_of(fx->out);
    for (size_t i = 0; rt_outbox_len_bytes(fx->out) > 0; i++) {
        assert_int_equal(rt_outbox_move(fx->other, fx->out, STEPS[i % 6]), RT_OK);
    }
    assert_int_equal(rt_outbox_len_bytes(fx->other), len_bytes);
    after = copy_of(fx->other);
    assert_memory_equal(before, after, len_bytes);
    free(before);
    free(after);
}

static void corrupt__byte_of_a_blob__changes_the_outbox_and_not_the_blob(void **state)
{
    struct fixture *fx = *state;
    static const size_t OFFSETS[] = {0, 1, 3, 4, 500, VALUE_BYTES / 2, VALUE_BYTES + 2};
    struct rt_blob *original = rt_blob_copy(rt_blob_slice(fx->value));
    size_t len_bytes = VALUE_BYTES + 3;
    uint8_t *before;

    add_text(fx->out, "abc");
    add_value(fx, 0, VALUE_BYTES);
    before = copy_of(fx->out);
    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++) {
        uint8_t *after;

        assert_int_equal(rt_outbox_corrupt(fx->out, OFFSETS[i]), RT_OK);
        before[OFFSETS[i]] ^= 0xff;
        assert_int_equal(rt_outbox_len_bytes(fx->out), len_bytes);
        after = copy_of(fx->out);
        assert_memory_equal(after, before, len_bytes);
        free(after);
    }
    assert_true(rt_slice_equal(rt_blob_slice(fx->value), rt_blob_slice(original)));
    assert_int_equal(rt_outbox_corrupt(fx->out, len_bytes), RT_E_INVALID);
    free(before);
    rt_blob_release(original);
}

static void corrupt__whole_blob__is_not_handed_over_any_more(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *arrived;

    add_value(fx, 0, VALUE_BYTES);
    assert_int_equal(rt_outbox_corrupt(fx->out, 70000), RT_OK);
    assert_int_equal(rt_inbox_add_outbox(fx->in, fx->out), RT_OK);
    assert_int_equal(rt_inbox_want_blob(fx->in, VALUE_BYTES), RT_OK);
    arrived = rt_inbox_take_blob(fx->in);
    assert_non_null(arrived);
    assert_int_equal(rt_blob_slice(arrived).data[70000],
                     rt_blob_slice(fx->value).data[70000] ^ 0xff);
    assert_int_equal(rt_blob_slice(arrived).data[70001], rt_blob_slice(fx->value).data[70001]);
    rt_blob_release(arrived);
}

/* ---- inbox -------------------------------------------------------------------------------- */

static void peek__fewer_bytes_than_asked__is_empty(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(rt_inbox_add(fx->in, "abc", 3), RT_OK);
    assert_int_equal(rt_inbox_peek(fx->in, 4).len_bytes, 0);
    assert_int_equal(rt_inbox_peek(fx->in, 0).len_bytes, 0);
    assert_inbox_is(fx->in, "abc");
    rt_inbox_drain(fx->in, 1);
    assert_inbox_is(fx->in, "bc");
}

static void peek__bytes_in_many_pieces__are_made_contiguous(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice view;

    add_text(fx->out, "head");
    add_value(fx, 0, 2000);
    assert_int_equal(rt_inbox_add_outbox(fx->in, fx->out), RT_OK);
    view = rt_inbox_peek(fx->in, 104);
    assert_memory_equal(view.data, "head", 4);
    assert_memory_equal(view.data + 4, rt_blob_slice(fx->value).data, 100);
}

static void want__bytes_still_to_come__peek_sees_nothing_until_taken(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob;

    assert_int_equal(rt_inbox_add(fx->in, "ab", 2), RT_OK);
    assert_int_equal(rt_inbox_want_blob(fx->in, 5), RT_OK);
    assert_true(rt_inbox_is_blob_wanted(fx->in));
    assert_int_equal(rt_inbox_want_blob(fx->in, 5), RT_E_INVALID);
    assert_int_equal(rt_inbox_len_bytes(fx->in), 0);
    assert_null(rt_inbox_take_blob(fx->in));
    assert_int_equal(rt_inbox_add(fx->in, "cdefg", 5), RT_OK);
    assert_int_equal(rt_inbox_len_bytes(fx->in), 0);
    blob = rt_inbox_take_blob(fx->in);
    assert_true(rt_slice_is_text(rt_blob_slice(blob), "abcde"));
    rt_blob_release(blob);
    assert_false(rt_inbox_is_blob_wanted(fx->in));
    assert_inbox_is(fx->in, "fg");
}

static void want__no_bytes__is_an_empty_blob_at_once(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob;

    assert_int_equal(rt_inbox_want_blob(fx->in, 0), RT_OK);
    blob = rt_inbox_take_blob(fx->in);
    assert_non_null(blob);
    assert_int_equal(rt_blob_slice(blob).len_bytes, 0);
    rt_blob_release(blob);
}

static void want__a_whole_blob_behind_a_header__is_handed_over_itself(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob;

    add_text(fx->out, "header");
    add_value(fx, 0, VALUE_BYTES);
    add_text(fx->out, "tail");
    assert_int_equal(rt_inbox_add_outbox(fx->in, fx->out), RT_OK);
    assert_int_equal(rt_inbox_peek(fx->in, 20).len_bytes, 20); /* a look beyond does no harm */
    rt_inbox_drain(fx->in, strlen("header"));
    assert_int_equal(rt_inbox_want_blob(fx->in, VALUE_BYTES), RT_OK);
    blob = rt_inbox_take_blob(fx->in);
    assert_ptr_equal(blob, fx->value);
    rt_blob_release(blob);
    assert_inbox_is(fx->in, "tail");
}

static void want__a_whole_blob_that_came_in_pieces__is_handed_over_itself(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob;

    assert_int_equal(rt_inbox_want_blob(fx->in, VALUE_BYTES), RT_OK);
    add_value(fx, 0, VALUE_BYTES);
    while (rt_outbox_len_bytes(fx->out) > 0) {
        assert_null(rt_inbox_take_blob(fx->in));
        assert_int_equal(rt_outbox_move(fx->other, fx->out, 5000), RT_OK);
        assert_int_equal(rt_inbox_add_outbox(fx->in, fx->other), RT_OK);
    }
    blob = rt_inbox_take_blob(fx->in);
    assert_ptr_equal(blob, fx->value);
    rt_blob_release(blob);
}

static void want__beginning_of_a_blob_then_other_bytes__is_copied(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob;

    assert_int_equal(rt_inbox_want_blob(fx->in, VALUE_BYTES), RT_OK);
    add_value(fx, 0, VALUE_BYTES - 3);
    assert_int_equal(rt_inbox_add_outbox(fx->in, fx->out), RT_OK);
    assert_int_equal(rt_inbox_add(fx->in, "xyzmore", 7), RT_OK);
    blob = rt_inbox_take_blob(fx->in);
    assert_non_null(blob);
    assert_ptr_not_equal(blob, fx->value);
    assert_memory_equal(rt_blob_slice(blob).data, rt_blob_slice(fx->value).data, VALUE_BYTES - 3);
    assert_memory_equal(rt_blob_slice(blob).data + VALUE_BYTES - 3, "xyz", 3);
    rt_blob_release(blob);
    assert_inbox_is(fx->in, "more");
}

static void want__part_of_a_blob__is_copied(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob;

    add_value(fx, 1, VALUE_BYTES - 1);
    assert_int_equal(rt_inbox_add_outbox(fx->in, fx->out), RT_OK);
    assert_int_equal(rt_inbox_want_blob(fx->in, VALUE_BYTES - 1), RT_OK);
    blob = rt_inbox_take_blob(fx->in);
    assert_memory_equal(rt_blob_slice(blob).data, rt_blob_slice(fx->value).data + 1,
                        VALUE_BYTES - 1);
    rt_blob_release(blob);
}

/* ---- descriptors -------------------------------------------------------------------------- */

static void open_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void write_and_read__until_all_is_through__bytes_and_blobs_agree(void **state)
{
    struct fixture *fx = *state;
    int blob_count = 0;
    int fds[2];

    open_pair(fds);
    for (int i = 0; i < ROUND_COUNT; i++) {
        add_text(fx->out, "head");
        add_value(fx, 0, VALUE_BYTES);
    }
    while (blob_count < ROUND_COUNT) {
        enum rt_status status = rt_outbox_write(fx->out, fds[0]);
        struct rt_blob *blob;
        size_t got_bytes;

        assert_true(status == RT_OK || status == RT_E_AGAIN);
        status = rt_inbox_read(fx->in, fds[1], 1 << 20, &got_bytes);
        assert_true(status == RT_OK || status == RT_E_AGAIN);
        if (!rt_inbox_is_blob_wanted(fx->in) && rt_inbox_len_bytes(fx->in) >= 4) {
            assert_memory_equal(rt_inbox_peek(fx->in, 4).data, "head", 4);
            rt_inbox_drain(fx->in, 4);
            assert_int_equal(rt_inbox_want_blob(fx->in, VALUE_BYTES), RT_OK);
        }
        blob = rt_inbox_take_blob(fx->in);
        if (blob != NULL) {
            assert_true(rt_slice_equal(rt_blob_slice(blob), rt_blob_slice(fx->value)));
            rt_blob_release(blob);
            blob_count++;
        }
    }
    assert_int_equal(rt_outbox_len_bytes(fx->out), 0);
    close(fds[0]);
    close(fds[1]);
}

static void read__nothing_there_or_end__is_told_apart(void **state)
{
    struct fixture *fx = *state;
    size_t got_bytes = 99;
    int fds[2];

    open_pair(fds);
    assert_int_equal(rt_inbox_read(fx->in, fds[1], 1000, &got_bytes), RT_E_AGAIN);
    assert_int_equal(got_bytes, 99);
    assert_int_equal(write(fds[0], "abc", 3), 3);
    close(fds[0]);
    assert_int_equal(rt_inbox_read(fx->in, fds[1], 1000, &got_bytes), RT_OK);
    assert_int_equal(got_bytes, 3);
    assert_int_equal(rt_inbox_read(fx->in, fds[1], 1000, &got_bytes), RT_OK);
    assert_int_equal(got_bytes, 0);
    assert_inbox_is(fx->in, "abc");
    close(fds[1]);
}

static void read__at_most__is_kept(void **state)
{
    struct fixture *fx = *state;
    size_t got_bytes;
    int fds[2];

    open_pair(fds);
    assert_int_equal(write(fds[0], "abcdef", 6), 6);
    assert_int_equal(rt_inbox_read(fx->in, fds[1], 4, &got_bytes), RT_OK);
    assert_int_equal(got_bytes, 4);
    assert_inbox_is(fx->in, "abcd");
    close(fds[0]);
    close(fds[1]);
}

static void write__peer_is_gone__fails_without_a_signal(void **state)
{
    struct fixture *fx = *state;
    int fds[2];

    open_pair(fds);
    close(fds[1]);
    add_text(fx->out, "anybody?");
    assert_int_equal(rt_outbox_write(fx->out, fds[0]), RT_E_IO);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(rt_outbox_len_bytes(fx->out), strlen("anybody?"));
    close(fds[0]);
}

static void write__pipe__is_not_a_socket_and_works(void **state)
{
    struct fixture *fx = *state;
    char bytes[4];
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    add_text(fx->out, "pipe");
    assert_int_equal(rt_outbox_write(fx->out, fds[1]), RT_OK);
    assert_int_equal(read(fds[0], bytes, 4), 4);
    assert_memory_equal(bytes, "pipe", 4);
    close(fds[0]);
    close(fds[1]);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(outbox__texts_and_blobs__come_out_in_order),
        CASE(outbox__part_beyond_the_blob__is_invalid),
        CASE(outbox__cleared_or_destroyed__drops_its_references),
        CASE(move__prefix__splits_exactly_there),
        CASE(move__byte_by_byte_through_blobs__changes_nothing),
        CASE(corrupt__byte_of_a_blob__changes_the_outbox_and_not_the_blob),
        CASE(corrupt__whole_blob__is_not_handed_over_any_more),
        CASE(peek__fewer_bytes_than_asked__is_empty),
        CASE(peek__bytes_in_many_pieces__are_made_contiguous),
        CASE(want__bytes_still_to_come__peek_sees_nothing_until_taken),
        CASE(want__no_bytes__is_an_empty_blob_at_once),
        CASE(want__a_whole_blob_behind_a_header__is_handed_over_itself),
        CASE(want__a_whole_blob_that_came_in_pieces__is_handed_over_itself),
        CASE(want__beginning_of_a_blob_then_other_bytes__is_copied),
        CASE(want__part_of_a_blob__is_copied),
        CASE(write_and_read__until_all_is_through__bytes_and_blobs_agree),
        CASE(read__nothing_there_or_end__is_told_apart),
        CASE(read__at_most__is_kept),
        CASE(write__peer_is_gone__fails_without_a_signal),
        CASE(write__pipe__is_not_a_socket_and_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
