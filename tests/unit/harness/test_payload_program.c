/* SPDX-License-Identifier: Apache-2.0 */
/* `dstest payload show` and `dstest payload make`, the program. */
#include "dstest_program.h"

static struct dstest_run run;

#define PAYLOAD(...) dstest_run(&run, "payload", __VA_ARGS__, (const char *)NULL)

static const char every_kind[] =
    "{\"nothing\": null, \"yes\": true, \"count\": -7, \"big\": {\"$int\": "
    "\"18446744073709551615\"},"
    " \"half\": 0.5, \"nan\": {\"$float\": \"0xfff8000000000001\"}, \"name\": \"h\\u00e9\\n\",\n"
    " \"raw\": {\"$bytes\": \"AP8=\"}, \"list\": [1, [2]], \"m\": {\"$map\": [[1.5, 2], [[null], "
    "3]]},\n"
    " \"when\": {\"$timestamp\": [1700000000, 5]}, \"ext\": {\"$extension\": -3, \"data\": "
    "\"AA==\"},\n"
    " \"hidden\": {\"$tensor\": \"bfloat16\", \"shape\": [2, 2], \"data\": {\"hex\": "
    "\"803f004080c00000\"}},\n"
    " \"arr\": {\"$ndarray\": \">i4\", \"shape\": [2], \"data\": {\"hex\": "
    "\"00000001fffffffe\"}},\n"
    " \"img\": {\"$image\": \"RGB\", \"shape\": [1, 2, 3], \"data\": {\"fill\": \"ramp\"}}}\n";

static void read_file(const char *path, char *out_bytes, size_t room_bytes, size_t *out_len_bytes)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    *out_len_bytes = fread(out_bytes, 1, room_bytes, in);
    assert_true(*out_len_bytes < room_bytes);
    (void)fclose(in);
}

/* The paths of a file of notation and of what was made from it. */
static void make_files(const char *text, char out_json[64], char out_made[80])
{
    (void)snprintf(out_json, 64, "%s", dstest_file(".json", text));
    (void)snprintf(out_made, 80, "%s.bin", out_json);
    PAYLOAD("make", out_json, "-o", out_made);
    assert_string_equal(run.err, "");
    assert_int_equal(run.exit_code, 0);
}

static void make_and_show__every_kind__come_back_to_the_same_bytes(void **state)
{
    static char first[4096];
    static char second[4096];
    char json[64];
    char made[80];
    char again[96];
    size_t first_bytes = 0;
    size_t second_bytes = 0;

    (void)state;
    make_files(every_kind, json, made);
    PAYLOAD("show", "--json", made, "-o", json);
    assert_int_equal(run.exit_code, 0);
    (void)snprintf(again, sizeof(again), "%s.again", made);
    PAYLOAD("make", json, "-o", again);
    assert_int_equal(run.exit_code, 0);
    read_file(made, first, sizeof(first), &first_bytes);
    read_file(again, second, sizeof(second), &second_bytes);
    assert_true(first_bytes > 200);
    assert_int_equal(first_bytes, second_bytes);
    assert_memory_equal(first, second, first_bytes);
    (void)unlink(json);
    (void)unlink(made);
    (void)unlink(again);
}

static void show__every_kind__names_kinds_types_shapes_and_first_elements(void **state)
{
    char json[64];
    char made[80];

    (void)state;
    make_files(every_kind, json, made);
    PAYLOAD("show", made);
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "         0  map of 15\n");
    assert_has(run.out, "         9    \"nothing\": null\n");
    assert_has(run.out, "\"big\": int 18446744073709551615\n");
    assert_has(run.out, "\"nan\": float nan (0xfff8000000000001)\n");
    assert_has(run.out, "\"name\": text, 4 bytes: \"h\xc3\xa9\\u000a\"\n");
    assert_has(run.out, "\"raw\": bytes, 2 bytes at ");
    assert_has(run.out, ": 00 ff\n");
    assert_has(run.out, "\"list\": array of 2\n");
    assert_has(run.out, "1.5: int 2\n");
    assert_has(run.out, "[null]: int 3\n");
    assert_has(run.out, "\"when\": timestamp 1700000000.000000005\n");
    assert_has(run.out, "\"ext\": extension -3, 1 bytes at ");
    assert_has(run.out, "\"hidden\": tensor bfloat16 [2, 2], 8 bytes at ");
    assert_has(run.out, ": 1 2 -4 0\n");
    assert_has(run.out, "\"arr\": ndarray >i4 [2], 8 bytes at ");
    assert_has(run.out, ": 1 -2\n");
    assert_has(run.out, "\"img\": image RGB [1, 2, 3], 6 bytes at ");
    (void)unlink(json);
    (void)unlink(made);
}

static void show__more_than_asked_for__is_cut_and_counted(void **state)
{
    char json[64];
    char made[80];

    (void)state;
    make_files("[[1, 2, 3, 4], [[5]], {\"$bytes\": {\"fill\": 1, \"size\": 9}}]", json, made);
    PAYLOAD("show", made, "--entries", "2", "--levels", "2", "--elements", "2");
    assert_has(run.out, "array of 4\n                ... 4 more\n");
    assert_has(run.out, "... 1 more\n");
    PAYLOAD("show", made, "--elements", "2");
    assert_has(run.out, "bytes, 9 bytes at 11: 01 01 01 01 ...\n");
    (void)unlink(json);
    (void)unlink(made);
}

static void show__upstreams_objects__are_named(void **state)
{
    char json[64];
    char made[80];

    (void)state;
    make_files("[{\"finished\": true, \"images\": []},"
               " {\"index\": 0, \"text\": \"\", \"token_ids\": [], \"finish_reason\": null}]",
               json, made);
    PAYLOAD("show", made);
    assert_has(run.out, "map of 2, upstream's OmniRequestOutput\n");
    assert_has(run.out, "map of 4, upstream's CompletionOutput, which upstream refuses");
    (void)unlink(json);
    (void)unlink(made);
}

static void show__bytes_that_are_no_payload__tells_the_offset_and_the_bytes_there(void **state)
{
    const char *path = dstest_file(".bin", "\x92\xa3"
                                           "abc\xa2\xff\xfe");

    (void)state;
    PAYLOAD("show", path);
    assert_int_equal(run.exit_code, 2);
    assert_string_equal(run.out, "");
    assert_has(run.err, ": offset 6: text is not UTF-8\n"
                        "         0  92 a3 61 62 63 a2 ff fe\n"
                        "                              ^^ here\n");
    (void)unlink(path);
}

static void show__limits__are_obeyed(void **state)
{
    char json[64];
    char made[80];

    (void)state;
    make_files("[[[1]]]", json, made);
    PAYLOAD("show", made, "--max-depth", "2");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "offset 2: deeper than 2 levels");
    PAYLOAD("show", made, "--max-items", "3");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "more values than allowed");
    (void)unlink(json);
    (void)unlink(made);
}

static void make__a_mistake__is_told_with_its_place_and_leaves_the_output_alone(void **state)
{
    char json[64];
    char kept[64];
    char bytes[16];
    size_t len_bytes = 0;

    (void)state;
    (void)snprintf(kept, sizeof(kept), "%s", dstest_file(".bin", "kept"));
    (void)snprintf(json, sizeof(json), "%s",
                   dstest_file(".json", "[1,\n {\"$tensr\": \"float32\"}]\n"));
    PAYLOAD("make", json, "-o", kept);
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, ".json:2:3: there is no such kind of value\n");
    assert_has(run.err, "did you mean \"$tensor\"?");
    read_file(kept, bytes, sizeof(bytes), &len_bytes);
    assert_int_equal(len_bytes, 4);
    (void)unlink(json);
    (void)unlink(kept);
}

static void lines__good_and_bad__each_has_its_line(void **state)
{
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s", dstest_file(".json", "[1]\nnonsense\n\"a\"\n"));
    PAYLOAD("make", "--lines", path);
    assert_int_equal(run.exit_code, 2);
    assert_has(run.out, "kQE=\nerror: ");
    assert_has(run.out, ", value 2:");
    assert_has(run.out, "\noWE=\n");
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s", dstest_file(".txt", "kQE=\nwQ==\n?\noWE=\n"));
    PAYLOAD("show", "--json", "--lines", path);
    assert_int_equal(run.exit_code, 2);
    assert_string_equal(run.out, "[1]\nerror: offset 0: byte 0xc1 starts no value\n"
                                 "error: offset 0: not base64\n\"a\"\n");
    (void)unlink(path);
}

static void arguments__wrong_ones__are_usage_errors(void **state)
{
    (void)state;
    PAYLOAD("look");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "show or make?");
    PAYLOAD("show", "--jsn");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "did you mean --json?");
    PAYLOAD("show", "--levels", "0");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "--levels takes a number");
    PAYLOAD("show", "no/such/file");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "no/such/file: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(make_and_show__every_kind__come_back_to_the_same_bytes),
        cmocka_unit_test(show__every_kind__names_kinds_types_shapes_and_first_elements),
        cmocka_unit_test(show__more_than_asked_for__is_cut_and_counted),
        cmocka_unit_test(show__upstreams_objects__are_named),
        cmocka_unit_test(show__bytes_that_are_no_payload__tells_the_offset_and_the_bytes_there),
        cmocka_unit_test(show__limits__are_obeyed),
        cmocka_unit_test(make__a_mistake__is_told_with_its_place_and_leaves_the_output_alone),
        cmocka_unit_test(lines__good_and_bad__each_has_its_line),
        cmocka_unit_test(arguments__wrong_ones__are_usage_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
