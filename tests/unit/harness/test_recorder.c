/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/recorder.h"

#define MANY 5000

static struct rt_record record_of(const char *subject, const char *detail, struct rt_slice key)
{
    return (struct rt_record){.kind = RT_REC_NOTE,
                              .actor = "client-1",
                              .subject = subject,
                              .key = key,
                              .cause = "",
                              .detail = detail};
}

static void many_records__are_kept__texts_survive_the_caller(void **state)
{
    struct scn_recorder *recorder = scn_recorder_create();

    (void)state;
    for (int i = 0; i < MANY; i++) {
        char detail[32];
        (void)snprintf(detail, sizeof(detail), "detail %d", i);
        struct rt_record record = record_of("get", detail, rt_slice_text(detail));
        scn_recorder_sink(recorder, &record);
    }
    assert_int_equal(scn_recorder_count(recorder), MANY);
    for (int i = 0; i < MANY; i += 499) {
        char detail[32];
        (void)snprintf(detail, sizeof(detail), "detail %d", i);
        const struct rt_record *record = scn_recorder_at(recorder, (size_t)i);
        assert_string_equal(record->detail, detail);
        assert_string_equal(record->subject, "get");
        assert_true(rt_slice_is_text(record->key, detail));
    }
    assert_int_equal(scn_recorder_lost(recorder), 0);
    scn_recorder_destroy(recorder);
}

static void a_long_text__is_kept__whole(void **state)
{
    struct scn_recorder *recorder = scn_recorder_create();
    char *text = malloc(200001);

    (void)state;
    memset(text, 'x', 200000);
    text[200000] = '\0';
    struct rt_record record = record_of("set", text, rt_slice_text("k"));
    scn_recorder_sink(recorder, &record);
    assert_string_equal(scn_recorder_at(recorder, 0)->detail, text);
    free(text);
    scn_recorder_destroy(recorder);
}

static void a_key_of_any_bytes__is_printed__on_one_visible_line(void **state)
{
    static const uint8_t key[] = {'a', '\n', 0x01, 'b'};
    struct rt_record record = record_of("set", "", rt_slice_of(key, sizeof(key)));
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *out = open_memstream(&text, &text_bytes);

    (void)state;
    scn_record_print(out, &record);
    (void)fclose(out);
    assert_null(strchr(text, '\n'));
    assert_non_null(strstr(text, "a; \\x01b"));
    free(text);
}

static void a_key_that_is_no_utf8__is_printed_as_json__the_line_stays_json(void **state)
{
    static const uint8_t key[] = {0xff, 0xfe};
    struct rt_record record = record_of("set", "", rt_slice_of(key, sizeof(key)));
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *out = open_memstream(&text, &text_bytes);

    (void)state;
    scn_record_print_json(out, &record);
    (void)fclose(out);
    assert_non_null(strstr(text, "\"key\":\"(bytes)\""));
    assert_int_equal(text[text_bytes - 1], '\n');
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_records__are_kept__texts_survive_the_caller),
        cmocka_unit_test(a_long_text__is_kept__whole),
        cmocka_unit_test(a_key_of_any_bytes__is_printed__on_one_visible_line),
        cmocka_unit_test(a_key_that_is_no_utf8__is_printed_as_json__the_line_stays_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
