/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_message.h"
#include "fakeetcd/gateway/json_scan.h"
#include "wire/proto/etcd_lock.pb-c.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char error[FAKEETCD_JSON_ERROR_BYTES];

/* The decoded message; NULL: refused, see `error`. To be freed by the caller. */
static ProtobufCMessage *read_as(const ProtobufCMessageDescriptor *descriptor,
                                 enum fakeetcd_json_dialect dialect, const char *json)
{
    struct fakeetcd_json_scanner scanner;
    struct fakeetcd_text wire = {0};
    ProtobufCMessage *message = NULL;
    assert_string_equal(fakeetcd_json_check(&scanner, rt_slice_text(json)), "");
    enum rt_status status =
        fakeetcd_json_to_wire(descriptor, dialect, rt_slice_text(json), &wire, error);
    if (status == RT_OK) {
        message =
            protobuf_c_message_unpack(descriptor, NULL, wire.len_bytes, (const uint8_t *)wire.data);
        assert_non_null(message);
    } else {
        assert_int_equal(status, RT_E_MALFORMED);
    }
    fakeetcd_text_fini(&wire);
    return message;
}

static void assert_refused(const ProtobufCMessageDescriptor *descriptor,
                           enum fakeetcd_json_dialect dialect, const char *json, const char *words)
{
    assert_null(read_as(descriptor, dialect, json));
    assert_string_equal(error, words);
}

static void assert_written(const ProtobufCMessage *message, const char *json)
{
    struct fakeetcd_text text = {0};
    fakeetcd_json_of_message(message, &text);
    fakeetcd_text_add(&text, "", 1);
    assert_false(text.is_failed);
    assert_string_equal(text.data, json);
    fakeetcd_text_fini(&text);
}

static void assert_bytes(ProtobufCBinaryData bytes, const char *text)
{
    assert_true(rt_slice_is_text(rt_slice_of(bytes.data, bytes.len), text));
}

/* ---- reading -------------------------------------------------------------------------------- */

static void put__all_spellings_of_names_and_numbers__is_read(void **state)
{
    (void)state;
    Etcdserverpb__PutRequest *put = (Etcdserverpb__PutRequest *)read_as(
        &etcdserverpb__put_request__descriptor, FAKEETCD_JSON_GO_1_5,
        "{\"key\":\"Zm9v\", \"value\":[98,97,114], \"lease\":\"-7\", \"prevKv\":true,"
        " \"ignore_value\":null, \"nobody\":{\"knows\":[1]}}");
    assert_non_null(put);
    assert_bytes(put->key, "foo");
    assert_bytes(put->value, "bar");
    assert_int_equal(put->lease, -7);
    assert_true(put->prev_kv);
    assert_false(put->ignore_value);
    etcdserverpb__put_request__free_unpacked(put, NULL);
}

static void range__enums_by_name_and_number__are_read(void **state)
{
    (void)state;
    Etcdserverpb__RangeRequest *range = (Etcdserverpb__RangeRequest *)read_as(
        &etcdserverpb__range_request__descriptor, FAKEETCD_JSON_GO_1_5,
        "{\"sort_order\":\"DESCEND\",\"sortTarget\":3,\"limit\":\" 12 "
        "\",\"revision\":9223372036854775807}");
    assert_non_null(range);
    assert_int_equal(range->sort_order, ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__DESCEND);
    assert_int_equal(range->sort_target, ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__MOD);
    assert_int_equal(range->limit, 12);
    assert_int_equal(range->revision, INT64_MAX);
    etcdserverpb__range_request__free_unpacked(range, NULL);
}

static void txn__a_compare_with_zero__says_which_target_it_has(void **state)
{
    (void)state;
    Etcdserverpb__TxnRequest *txn = (Etcdserverpb__TxnRequest *)read_as(
        &etcdserverpb__txn_request__descriptor, FAKEETCD_JSON_GO_1_5,
        "{\"compare\":[{\"target\":\"CREATE\",\"key\":\"Zm9v\",\"createRevision\":\"0\"}],"
        "\"success\":[{\"requestPut\":{\"key\":\"Zm9v\"}},{\"request_txn\":{\"failure\":[{"
        "\"requestRange\":{}}]}}],"
        "\"failure\":[]}");
    assert_non_null(txn);
    assert_int_equal(txn->n_compare, 1);
    assert_int_equal(txn->compare[0]->target_union_case,
                     ETCDSERVERPB__COMPARE__TARGET_UNION_CREATE_REVISION);
    assert_int_equal(txn->n_success, 2);
    assert_int_equal(txn->success[0]->request_case, ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT);
    assert_int_equal(txn->success[1]->request_txn->n_failure, 1);
    assert_int_equal(txn->n_failure, 0);
    etcdserverpb__txn_request__free_unpacked(txn, NULL);
}

static void watch__list_of_enums__is_read(void **state)
{
    (void)state;
    Etcdserverpb__WatchCreateRequest *create = (Etcdserverpb__WatchCreateRequest *)read_as(
        &etcdserverpb__watch_create_request__descriptor, FAKEETCD_JSON_GO_1_3,
        "{\"filters\":[\"NODELETE\",0]}");
    assert_non_null(create);
    assert_int_equal(create->n_filters, 2);
    assert_int_equal(create->filters[0], ETCDSERVERPB__WATCH_CREATE_REQUEST__FILTER_TYPE__NODELETE);
    assert_int_equal(create->filters[1], ETCDSERVERPB__WATCH_CREATE_REQUEST__FILTER_TYPE__NOPUT);
    etcdserverpb__watch_create_request__free_unpacked(create, NULL);
}

static void user__escapes_and_bytes_that_are_no_utf8__become_a_string(void **state)
{
    (void)state;
    Etcdserverpb__AuthUserAddRequest *user = (Etcdserverpb__AuthUserAddRequest *)read_as(
        &etcdserverpb__auth_user_add_request__descriptor, FAKEETCD_JSON_GO_1_5,
        "{\"name\":\"a\\u00e9\\ud83d\\ude00\\n\\/"
        "\",\"password\":\"\\ud800x\xff\",\"hashedPassword\":\"\"}");
    assert_non_null(user);
    assert_bytes(user->name, "a\xc3\xa9\xf0\x9f\x98\x80\n/");
    assert_bytes(user->password, "\xef\xbf\xbdx\xef\xbf\xbd");
    etcdserverpb__auth_user_add_request__free_unpacked(user, NULL);
}

static void lock__its_name__is_bytes(void **state)
{
    (void)state;
    V3lockpb__LockRequest *lock = (V3lockpb__LockRequest *)read_as(
        &v3lockpb__lock_request__descriptor, FAKEETCD_JSON_GO_1_5, "{\"name\":\"bG9jaw==\"}");
    assert_non_null(lock);
    assert_bytes(lock->name, "lock");
    v3lockpb__lock_request__free_unpacked(lock, NULL);
}

/* Texts of real etcd 3.4.23 and 3.5.21. */
static void misfits__each_type__are_refused_in_gos_words(void **state)
{
    static const struct {
        const char *json;
        const char *words;
    } CASES[] = {
        {"[1]", "json: cannot unmarshal array into Go value of type map[string]json.RawMessage"},
        {"\"x\"", "json: cannot unmarshal string into Go value of type map[string]json.RawMessage"},
        {"{\"key\":5}", "json: cannot unmarshal number into Go value of type []uint8"},
        {"{\"key\":\"!!\"}", "illegal base64 data at input byte 0"},
        {"{\"key\":\"Zm9\"}", "illegal base64 data at input byte 0"},
        {"{\"key\":\"Zm9vZg=\"}", "illegal base64 data at input byte 7"},
        {"{\"key\":[1,300]}", "json: cannot unmarshal number 300 into Go value of type uint8"},
        {"{\"limit\":1.5}", "json: cannot unmarshal number 1.5 into Go value of type int64"},
        {"{\"limit\":\"x\"}", "invalid character 'x' looking for beginning of value"},
        {"{\"limit\":\"\"}", "unexpected end of JSON input"},
        {"{\"limit\":\"5x\"}", "invalid character 'x' after top-level value"},
        {"{\"limit\":9223372036854775808}",
         "json: cannot unmarshal number 9223372036854775808 into Go value of type int64"},
        {"{\"limit\":true}", "json: cannot unmarshal bool into Go value of type int64"},
        {"{\"limit\":{}}", "json: cannot unmarshal object into Go value of type int64"},
        {"{\"keys_only\":1}", "json: cannot unmarshal number into Go value of type bool"},
        {"{\"keys_only\":\"true\"}", "json: cannot unmarshal string into Go value of type bool"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        assert_refused(&etcdserverpb__range_request__descriptor, FAKEETCD_JSON_GO_1_3,
                       CASES[i].json, CASES[i].words);
        assert_refused(&etcdserverpb__range_request__descriptor, FAKEETCD_JSON_GO_1_5,
                       CASES[i].json, CASES[i].words);
    }
}

static void enums__unknown_names__are_refused_as_each_version_says(void **state)
{
    const ProtobufCMessageDescriptor *range = &etcdserverpb__range_request__descriptor;
    (void)state;
    assert_refused(range, FAKEETCD_JSON_GO_1_3, "{\"sort_order\":\"FOO\"}",
                   "unknown value \"FOO\" for enum etcdserverpb.RangeRequest_SortOrder");
    assert_refused(range, FAKEETCD_JSON_GO_1_5, "{\"sort_order\":\"FOO\"}",
                   "unknown value \"\\\"FOO\\\"\" for enum etcdserverpb.RangeRequest.SortOrder");
}

static void lists__something_else__are_refused(void **state)
{
    (void)state;
    assert_refused(&etcdserverpb__txn_request__descriptor, FAKEETCD_JSON_GO_1_5, "{\"compare\":{}}",
                   "json: cannot unmarshal object into Go value of type []json.RawMessage");
}

static void transactions__nested_without_end__are_refused(void **state)
{
    struct fakeetcd_text json = {0};
    (void)state;
    for (int i = 0; i < 200; i++) {
        fakeetcd_text_word(&json, "{\"success\":[{\"request_txn\":");
    }
    fakeetcd_text_word(&json, "{}");
    for (int i = 0; i < 200; i++) {
        fakeetcd_text_word(&json, "}]}");
    }
    fakeetcd_text_add(&json, "", 1);
    assert_refused(&etcdserverpb__txn_request__descriptor, FAKEETCD_JSON_GO_1_5, json.data,
                   "exceeded max depth");
    fakeetcd_text_fini(&json);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void answer__zeros__are_left_out(void **state)
{
    Etcdserverpb__ResponseHeader header = ETCDSERVERPB__RESPONSE_HEADER__INIT;
    Etcdserverpb__RangeResponse range = ETCDSERVERPB__RANGE_RESPONSE__INIT;
    (void)state;
    range.header = &header;
    assert_written(&range.base, "{\"header\":{}}");
    header.cluster_id = UINT64_MAX;
    header.revision = -1;
    range.more = true;
    assert_written(
        &range.base,
        "{\"header\":{\"cluster_id\":\"18446744073709551615\",\"revision\":\"-1\"},\"more\":true}");
}

static void keys__every_length__are_padded_base64(void **state)
{
    static const char *const BASE64[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    (void)state;
    for (size_t len = 1; len < sizeof(BASE64) / sizeof(BASE64[0]); len++) {
        V3lockpb__UnlockRequest unlock = V3LOCKPB__UNLOCK_REQUEST__INIT;
        unlock.key =
            (ProtobufCBinaryData){.data = (uint8_t[]){'f', 'o', 'o', 'b', 'a', 'r'}, .len = len};
        char json[32];
        snprintf(json, sizeof(json), "{\"key\":\"%s\"}", BASE64[len]);
        assert_written(&unlock.base, json);
    }
}

static void member__its_texts__are_strings_with_gos_escapes(void **state)
{
    Etcdserverpb__Member member = ETCDSERVERPB__MEMBER__INIT;
    ProtobufCBinaryData urls[2] = {{.data = (uint8_t *)"http://a", .len = 8},
                                   {.data = (uint8_t *)"<&>\"\x01\xff\xe2\x80\xa8", .len = 9}};
    (void)state;
    member.id = 5;
    member.n_clienturls = 2;
    member.clienturls = urls;
    assert_written(&member.base, "{\"ID\":\"5\",\"clientURLs\":[\"http://a\","
                                 "\"\\u003c\\u0026\\u003e\\\"\\u0001\\ufffd\\u2028\"]}");
}

static void hash__a_32_bit_number__is_a_number(void **state)
{
    Etcdserverpb__HashKVResponse hash = ETCDSERVERPB__HASH_KVRESPONSE__INIT;
    (void)state;
    hash.hash = 4294967295;
    hash.compact_revision = -1;
    assert_written(&hash.base, "{\"hash\":4294967295,\"compact_revision\":\"-1\"}");
}

static void event__its_type__is_a_name_unless_nobody_named_it(void **state)
{
    Mvccpb__Event event = MVCCPB__EVENT__INIT;
    (void)state;
    event.type = MVCCPB__EVENT__EVENT_TYPE__DELETE;
    assert_written(&event.base, "{\"type\":\"DELETE\"}");
    event.type = (Mvccpb__Event__EventType)7;
    assert_written(&event.base, "{\"type\":7}");
}

static void responses__the_member_that_is_set__is_shown(void **state)
{
    Etcdserverpb__PutResponse put = ETCDSERVERPB__PUT_RESPONSE__INIT;
    Etcdserverpb__ResponseOp op = ETCDSERVERPB__RESPONSE_OP__INIT;
    (void)state;
    assert_written(&op.base, "{}");
    op.response_case = ETCDSERVERPB__RESPONSE_OP__RESPONSE_RESPONSE_PUT;
    op.response_put = &put;
    assert_written(&op.base, "{\"response_put\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put__all_spellings_of_names_and_numbers__is_read),
        cmocka_unit_test(range__enums_by_name_and_number__are_read),
        cmocka_unit_test(txn__a_compare_with_zero__says_which_target_it_has),
        cmocka_unit_test(watch__list_of_enums__is_read),
        cmocka_unit_test(user__escapes_and_bytes_that_are_no_utf8__become_a_string),
        cmocka_unit_test(lock__its_name__is_bytes),
        cmocka_unit_test(misfits__each_type__are_refused_in_gos_words),
        cmocka_unit_test(enums__unknown_names__are_refused_as_each_version_says),
        cmocka_unit_test(lists__something_else__are_refused),
        cmocka_unit_test(transactions__nested_without_end__are_refused),
        cmocka_unit_test(answer__zeros__are_left_out),
        cmocka_unit_test(keys__every_length__are_padded_base64),
        cmocka_unit_test(member__its_texts__are_strings_with_gos_escapes),
        cmocka_unit_test(hash__a_32_bit_number__is_a_number),
        cmocka_unit_test(event__its_type__is_a_name_unless_nobody_named_it),
        cmocka_unit_test(responses__the_member_that_is_set__is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
