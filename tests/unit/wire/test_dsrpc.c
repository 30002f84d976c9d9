/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "messages.h"
#include "peer.h"

/* The envelope, its wrong forms included. */

static const struct dsrpc_profile *const PROFILE = &dsrpc_profile_0_8_1;

/* ---- helpers -------------------------------------------------------------------------------- */

#define FRAME_MAX 16

/* A message made of texts, without ZMTP. */
struct parts {
    struct zmtp_frame frames[FRAME_MAX];
    struct zmtp_message message;
};

static void add(struct parts *parts, struct rt_slice bytes)
{
    assert_true(parts->message.frame_count < FRAME_MAX);
    parts->frames[parts->message.frame_count++].bytes = bytes;
    parts->message.frames = parts->frames;
    parts->message.total_bytes += bytes.len_bytes;
}

#define BYTES(literal) rt_slice_of(literal, sizeof(literal) - 1)
#define TICK           "\112\0"
#define SERVICE_META(name_length, name, method, payload_index)                                     \
    BYTES("\12" name_length name "\20" method "\30" payload_index "\42\1q" TICK)
#define GET_META SERVICE_META("\17", "WorkerOCService", "\3", "\1")
#define SET_META SERVICE_META("\17", "WorkerOCService", "\2", "\2")

static enum rt_status decode(const struct parts *parts, struct dsrpc_request *out_request,
                             const char **out_why)
{
    return dsrpc_request_decode(PROFILE, &parts->message, out_request, out_why);
}

static enum rt_status decode_meta(struct rt_slice raw)
{
    struct dsrpc_meta meta;
    return dsrpc_meta_decode(raw, &meta);
}

/* ---- MetaPb --------------------------------------------------------------------------------- */

static void meta__unknown_fields__are_let_through(void **state)
{
    struct dsrpc_meta meta;
    (void)state;
    /* A varint 300, a fixed64 201, bytes 202, a fixed32 203 around a method index. */
    struct rt_slice raw = BYTES("\340\22\7"
                                "\311\14\1\2\3\4\5\6\7\10"
                                "\20\45"
                                "\322\14\3abc"
                                "\335\14\1\2\3\4");
    assert_int_equal(dsrpc_meta_decode(raw, &meta), RT_OK);
    assert_int_equal(meta.method_index, 37);
    assert_true(rt_slice_equal(meta.raw, raw));
}

static void meta__negative_numbers__are_ten_byte_varints(void **state)
{
    struct dsrpc_meta meta;
    (void)state;
    assert_int_equal(dsrpc_meta_decode(BYTES("\20\376\377\377\377\377\377\377\377\377\1"
                                             "\130\377\377\377\377\377\377\377\377\377\1"),
                                       &meta),
                     RT_OK);
    assert_int_equal(meta.method_index, -2);
    assert_int_equal(meta.timeout, -1);
}

static void meta__field_twice__takes_the_last(void **state)
{
    struct dsrpc_meta meta;
    (void)state;
    assert_int_equal(dsrpc_meta_decode(BYTES("\42\1a\20\1\42\1b\20\2" TICK TICK), &meta), RT_OK);
    assert_int_equal(meta.method_index, 2);
    assert_true(rt_slice_is_text(meta.queue_id, "b"));
    assert_int_equal(meta.tick_count, 2);
}

static void meta__wrong_wire_type__is_malformed(void **state)
{
    (void)state;
    assert_int_equal(decode_meta(BYTES("\10\1")), RT_E_MALFORMED);       /* svc_name a number */
    assert_int_equal(decode_meta(BYTES("\22\1a")), RT_E_MALFORMED);      /* method_index bytes */
    assert_int_equal(decode_meta(BYTES("\35\1\1\1\1")), RT_E_MALFORMED); /* payload_index fixed */
    assert_int_equal(decode_meta(BYTES("\40\1")), RT_E_MALFORMED);       /* client_id a number */
    assert_int_equal(decode_meta(BYTES("\110\1")), RT_E_MALFORMED);      /* ticks a number */
    assert_int_equal(decode_meta(BYTES("\132\1a")), RT_E_MALFORMED);     /* timeout bytes */
}

static void meta__bytes_that_are_no_protobuf__are_malformed(void **state)
{
    (void)state;
    assert_int_equal(decode_meta(BYTES("\0\1")), RT_E_MALFORMED);   /* field 0 */
    assert_int_equal(decode_meta(BYTES("\43\44")), RT_E_MALFORMED); /* a group */
    assert_int_equal(decode_meta(BYTES("\46\1")), RT_E_MALFORMED);  /* wire type 6 */
    assert_int_equal(decode_meta(BYTES("\42\377\377\377\377\377\377\377\377\377\1")),
                     RT_E_MALFORMED); /* a length of 2^64 - 1 */
    assert_int_equal(decode_meta(BYTES("\20\200\200\200\200\200\200\200\200\200\200\1")),
                     RT_E_MALFORMED); /* an eleven-byte varint */
    assert_int_equal(decode_meta(BYTES("\200\200\200\200\200\1\1")), RT_E_MALFORMED);
    assert_int_equal(decode_meta(BYTES("\112\2\10")), RT_E_MALFORMED);   /* cut */
    assert_int_equal(decode_meta(BYTES("\112\1\10")), RT_E_MALFORMED);   /* a tick that is cut */
    assert_int_equal(decode_meta(BYTES("\112\2\20\1")), RT_E_MALFORMED); /* its name a number */
}

static void meta__texts_that_are_no_utf8__are_malformed_as_for_the_real_peers(void **state)
{
    (void)state;
    assert_int_equal(decode_meta(BYTES("\42\1\377")), RT_E_MALFORMED);
    assert_int_equal(decode_meta(BYTES("\62\2\303\50")), RT_E_MALFORMED);
    assert_int_equal(decode_meta(BYTES("\42\2\303\244")), RT_OK);
}

/* Cut at any byte, a MetaPb of the real client is malformed or lost a whole field; never more. */
static void meta__cut_at_every_byte__never_reads_beyond(void **state)
{
    static const char META[] = "\12\17WorkerOCService\20\3\30\377\377\377\377\377\377\377\377\377\1"
                               "\42\4id:1\112\0\122\2t1\130\370\314\3\160\3"
                               "\172\20\10\1\22\14CLIENT_START\172\17\10\2\22\13CLIENT_SEND";
    static const uint8_t ENDS[] = {0, 17, 19, 30, 36, 38, 42, 46, 48, 66, 83};
    (void)state;
    assert_int_equal(sizeof(META) - 1, ENDS[sizeof(ENDS) - 1]);
    for (size_t cut_bytes = 0; cut_bytes < sizeof(META); cut_bytes++) {
        /* A copy of its own, so that a sanitizer sees each byte beyond. */
        uint8_t *copy = malloc(cut_bytes + (cut_bytes == 0));
        assert_non_null(copy);
        memcpy(copy, META, cut_bytes);
        bool is_field_end = memchr(ENDS, (int)cut_bytes, sizeof(ENDS)) != NULL;
        assert_int_equal(decode_meta(rt_slice_of(copy, cut_bytes)),
                         is_field_end ? RT_OK : RT_E_MALFORMED);
        free(copy);
    }
}

static void utf8__characters_at_the_edges__are_told_apart(void **state)
{
    static const char *const GOOD[] = {"",
                                       "ascii \x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const BAD[] = {"\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
        assert_true(dsrpc_is_utf8(rt_slice_text(GOOD[i])));
    }
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        assert_false(dsrpc_is_utf8(rt_slice_text(BAD[i])));
    }
}

/* ---- requests ------------------------------------------------------------------------------- */

static void request__no_meta_or_no_tick__is_malformed(void **state)
{
    struct parts parts = {0};
    struct dsrpc_request request;
    const char *why = NULL;
    (void)state;
    add(&parts, BYTES("\42\5q"));
    assert_int_equal(decode(&parts, &request, &why), RT_E_MALFORMED);
    assert_string_equal(why, "no MetaPb");
    parts = (struct parts){0};
    add(&parts, BYTES("\20\3\42\1q"));
    assert_int_equal(decode(&parts, &request, &why), RT_E_MALFORMED);
    assert_string_equal(why, "MetaPb without a tick");
}

static void request__unknown_service_or_method__is_told_apart(void **state)
{
    struct dsrpc_request request;
    const char *why = NULL;
    (void)state;
    struct parts service = {0};
    add(&service, SERVICE_META("\5", "Other", "\3", "\1"));
    add(&service, BYTES(""));
    assert_int_equal(decode(&service, &request, &why), RT_OK);
    assert_int_equal(request.op, DSRPC_OP_UNKNOWN);
    assert_false(request.is_service_known);

    struct parts method = {0};
    add(&method, SERVICE_META("\17", "WorkerOCService", "\143", "\1"));
    add(&method, BYTES(""));
    assert_int_equal(decode(&method, &request, &why), RT_OK);
    assert_int_equal(request.op, DSRPC_OP_UNKNOWN);
    assert_true(request.is_service_known);
    assert_int_equal(request.meta.method_index, 99);

    /* The same index means another thing in each service. */
    struct parts heartbeat = {0};
    add(&heartbeat, SERVICE_META("\15", "WorkerService", "\4", "\1"));
    add(&heartbeat, BYTES(""));
    assert_int_equal(decode(&heartbeat, &request, &why), RT_OK);
    assert_int_equal(request.op, DSRPC_OP_HEARTBEAT);
}

static void request__without_a_body__is_invalid(void **state)
{
    struct parts parts = {0};
    struct dsrpc_request request;
    const char *why = NULL;
    (void)state;
    add(&parts, GET_META);
    assert_int_equal(decode(&parts, &request, &why), RT_E_INVALID);
    assert_int_equal(request.op, DSRPC_OP_GET);
    assert_string_equal(why, "the request's body is missing");
}

static void assert_payload_invalid(const struct parts *parts, const char *text)
{
    struct dsrpc_request request;
    const char *why = NULL;
    assert_int_equal(decode(parts, &request, &why), RT_E_INVALID);
    assert_non_null(strstr(why, text));
    assert_int_equal(request.op, DSRPC_OP_SET); /* enough is known to answer */
    assert_true(rt_slice_is_text(request.meta.queue_id, "q"));
    assert_int_equal(request.payload.part_count, 0);
}

static void payload__that_does_not_fit__is_invalid_and_says_why(void **state)
{
    (void)state;
    struct parts missing = {0};
    add(&missing, SET_META);
    add(&missing, BYTES("body"));
    assert_payload_invalid(&missing, "length frame is missing");

    struct parts length = missing;
    length.message.frames = length.frames;
    add(&length, BYTES("\1\0\0\0\0\0\0"));
    assert_payload_invalid(&length, "not 8 bytes");

    static const struct rt_slice WRONG[] = {
        {(const uint8_t *)"\4\0\0\0\0\0\0\0", 8},
        {(const uint8_t *)"\6\0\0\0\0\0\0\0", 8},
        {(const uint8_t *)"\0\0\0\0\0\0\0\0", 8},
        {(const uint8_t *)"\5\0\0\0\0\0\0\200", 8},
        {(const uint8_t *)"\377\377\377\377\377\377\377\377", 8},
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        struct parts sum = {0};
        add(&sum, SET_META);
        add(&sum, BYTES("body"));
        add(&sum, WRONG[i]);
        add(&sum, BYTES("he"));
        add(&sum, BYTES("llo"));
        assert_payload_invalid(&sum, "does not match");
    }
}

static void payload__in_several_parts_or_none__fits(void **state)
{
    struct parts parts = {0};
    struct parts none = {0};
    struct dsrpc_request request;
    const char *why = NULL;
    (void)state;
    add(&parts, SET_META);
    add(&parts, BYTES("body"));
    add(&parts, BYTES("\5\0\0\0\0\0\0\0"));
    add(&parts, BYTES("he"));
    add(&parts, BYTES(""));
    add(&parts, BYTES("llo"));
    assert_int_equal(decode(&parts, &request, &why), RT_OK);
    assert_int_equal(request.payload.total_bytes, 5);
    assert_int_equal(request.payload.part_count, 3);
    assert_ptr_equal(request.payload.parts, &parts.frames[3]);

    add(&none, SET_META);
    add(&none, BYTES("body"));
    add(&none, BYTES("\0\0\0\0\0\0\0\0"));
    assert_int_equal(decode(&none, &request, &why), RT_OK);
    assert_int_equal(request.payload.part_count, 0);
}

static void request__values_of_which_one_is_empty__sends_no_part_for_it(void **state)
{
    struct rt_outbox *out = rt_outbox_create();
    struct dsrpc_piece piece = {.bytes = rt_slice_text("v")};
    struct dsrpc_value values[] = {{.pieces = &piece, .piece_count = 1, .total_bytes = 1}, {0}};
    struct dsrpc_outgoing request = {
        .op = DSRPC_OP_MSET, .queue_id = BYTES("q"), .values = values, .value_count = 2};
    (void)state;
    assert_int_equal(dsrpc_request_encode(PROFILE, &request, out), RT_OK);
    size_t len_bytes = 0;
    uint8_t *bytes = outbox_take(out, &len_bytes);
    assert_slice_hex(rt_slice_of(bytes + len_bytes - 15, 15),
                     "01 00 01 08 0100000000000000 00 01 76");
    free(bytes);
    rt_outbox_destroy(out);
}

static void request__value_from_a_blob__is_not_copied(void **state)
{
    enum { VALUE_BYTES = 200000 };
    struct peer peer;
    uint8_t *data = NULL;
    (void)state;
    struct rt_blob *blob = rt_blob_create(VALUE_BYTES, &data);
    assert_non_null(blob);
    memset(data, 'v', VALUE_BYTES);
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = VALUE_BYTES};
    struct dsrpc_outgoing outgoing = {.op = DSRPC_OP_SET,
                                      .queue_id = BYTES("q"),
                                      .body = BYTES("body"),
                                      .values = &value,
                                      .value_count = 1};
    struct dsrpc_request request;
    const char *why = NULL;
    peer_init_open(&peer, &(struct zmtp_options){.role = ZMTP_ROUTER});
    assert_int_equal(dsrpc_request_encode(PROFILE, &outgoing, peer.out), RT_OK);
    assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(dsrpc_request_decode(PROFILE, &peer.message, &request, &why), RT_OK);
    assert_int_equal(request.payload.total_bytes, VALUE_BYTES);
    assert_ptr_equal(request.payload.parts[0].bytes.data, data);
    peer_fini(&peer);
    rt_blob_release(blob);
}

/* Parts end at 2^31 - 1 bytes. The value is address space only: nothing touches its pages. */
static void request__value_over_the_part_limit__is_split(void **state)
{
    const size_t part_bytes = INT32_MAX;
    const size_t value_bytes = part_bytes + 3;
    struct rt_outbox *out = rt_outbox_create();
    struct rt_outbox *front = rt_outbox_create();
    void *memory = mmap(NULL, value_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    (void)state;
    assert_ptr_not_equal(memory, MAP_FAILED);
    memcpy((uint8_t *)memory + part_bytes, "end", 3);
    struct rt_blob *blob = rt_blob_wrap(memory, value_bytes, NULL, NULL);
    assert_non_null(blob);
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = value_bytes};
    struct dsrpc_outgoing request = {.op = DSRPC_OP_SET, .values = &value, .value_count = 1};
    assert_int_equal(dsrpc_request_encode(PROFILE, &request, out), RT_OK);
    /* The length frame and the first part's header, then the part, then a short part. */
    size_t front_bytes = rt_outbox_len_bytes(out) - part_bytes - 5;
    assert_int_equal(rt_outbox_move(front, out, front_bytes), RT_OK);
    size_t len_bytes = 0;
    uint8_t *bytes = outbox_take(front, &len_bytes);
    assert_slice_hex(rt_slice_of(bytes + len_bytes - 19, 19),
                     "01 08 0200008000000000 03 000000007fffffff");
    free(bytes);
    assert_int_equal(rt_outbox_move(front, out, part_bytes), RT_OK);
    assert_outbox_hex(out, "00 03 656e64");
    rt_outbox_destroy(front);
    rt_outbox_destroy(out);
    rt_blob_release(blob);
    (void)munmap(memory, value_bytes);
}

static void request__that_cannot_be_right__writes_nothing(void **state)
{
    static const char LONG_ID[256] = {0};
    struct rt_outbox *out = rt_outbox_create();
    struct dsrpc_piece piece = {.bytes = BYTES("abc")};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = 4};
    struct dsrpc_outgoing lying = {.op = DSRPC_OP_SET, .values = &value, .value_count = 1};
    struct dsrpc_outgoing with_long_id = {.op = DSRPC_OP_GET,
                                          .queue_id = rt_slice_of(LONG_ID, 256)};
    (void)state;
    assert_int_equal(dsrpc_request_encode(PROFILE, &lying, out), RT_E_INVALID);
    assert_int_equal(dsrpc_request_encode(PROFILE, &with_long_id, out), RT_E_INVALID);
    assert_int_equal(rt_outbox_len_bytes(out), 0);
    rt_outbox_destroy(out);
}

/* The sample state is field 14 with the value 3, of users' calls only. */
static void request__of_each_kind__says_whether_a_user_made_it(void **state)
{
    static const enum dsrpc_op BACKGROUND[] = {DSRPC_OP_HEARTBEAT, DSRPC_OP_DISCONNECT,
                                               DSRPC_OP_RECONCILE};
    static const enum dsrpc_op USERS[] = {DSRPC_OP_SOCKET_PATH, DSRPC_OP_REGISTER, DSRPC_OP_SET,
                                          DSRPC_OP_GET,         DSRPC_OP_DELETE,   DSRPC_OP_EXIST,
                                          DSRPC_OP_EXPIRE,      DSRPC_OP_HEALTH,   DSRPC_OP_MSET};
    struct rt_outbox *out = rt_outbox_create();
    (void)state;
    for (size_t i = 0; i < sizeof(USERS) / sizeof(USERS[0]) + 3; i++) {
        bool is_user = i >= 3;
        struct dsrpc_outgoing request = {.op = is_user ? USERS[i - 3] : BACKGROUND[i]};
        assert_int_equal(dsrpc_request_encode(PROFILE, &request, out), RT_OK);
        size_t len_bytes = 0;
        uint8_t *bytes = outbox_take(out, &len_bytes);
        size_t meta_end_bytes = 2u + bytes[1];
        bool has_state = memcmp(bytes + meta_end_bytes - 2, "\160\3", 2) == 0;
        assert_int_equal(has_state, is_user);
        free(bytes);
    }
    rt_outbox_destroy(out);
}

/* ---- answers -------------------------------------------------------------------------------- */

static enum rt_status decode_answer(struct rt_slice meta, struct rt_slice error, bool has_body)
{
    struct parts parts = {0};
    struct dsrpc_answer answer;
    add(&parts, BYTES("q"));
    add(&parts, meta);
    add(&parts, error);
    if (has_body) {
        add(&parts, BYTES(""));
    }
    return dsrpc_answer_decode(&parts.message, &answer);
}

static void answer__frames_missing_or_wrong__is_malformed(void **state)
{
    struct parts parts = {0};
    struct dsrpc_answer answer;
    (void)state;
    assert_int_equal(decode_answer(GET_META, BYTES(""), true), RT_OK);
    assert_int_equal(decode_answer(GET_META, BYTES(""), false), RT_E_MALFORMED);
    assert_int_equal(decode_answer(GET_META, BYTES("\10\3"), false), RT_OK);
    assert_int_equal(decode_answer(BYTES("\20"), BYTES(""), true), RT_E_MALFORMED);
    assert_int_equal(decode_answer(BYTES("\20\3\42\1q"), BYTES(""), true), RT_E_MALFORMED);
    assert_int_equal(decode_answer(GET_META, BYTES("\12\1a"), true), RT_E_MALFORMED);
    assert_int_equal(decode_answer(GET_META, BYTES("\20\1"), true), RT_E_MALFORMED);
    assert_int_equal(decode_answer(GET_META, BYTES("\10"), true), RT_E_MALFORMED);
    add(&parts, BYTES("q"));
    add(&parts, GET_META);
    assert_int_equal(dsrpc_answer_decode(&parts.message, &answer), RT_E_MALFORMED);
}

static void answer__of_an_error__tells_code_and_text_and_no_body(void **state)
{
    struct parts parts = {0};
    struct dsrpc_answer answer;
    (void)state;
    add(&parts, BYTES("q"));
    add(&parts, GET_META);
    add(&parts, BYTES("\10\351\7\22\3why\30\1")); /* and a field nobody knows */
    add(&parts, BYTES("left over"));
    assert_int_equal(dsrpc_answer_decode(&parts.message, &answer), RT_OK);
    assert_int_equal(answer.code, K_RPC_DEADLINE_EXCEEDED);
    assert_true(rt_slice_is_text(answer.text, "why"));
    assert_int_equal(answer.body.len_bytes, 0);
}

static void answer__payload_that_does_not_fit__is_malformed(void **state)
{
    struct parts parts = {0};
    struct dsrpc_payload payload;
    (void)state;
    add(&parts, BYTES("q"));
    add(&parts, GET_META);
    add(&parts, BYTES(""));
    add(&parts, BYTES("body"));
    assert_int_equal(dsrpc_answer_payload(&parts.message, &payload), RT_E_MALFORMED);
    add(&parts, BYTES("\3\0\0\0\0\0\0\0"));
    assert_int_equal(dsrpc_answer_payload(&parts.message, &payload), RT_E_MALFORMED);
    add(&parts, BYTES("abc"));
    assert_int_equal(dsrpc_answer_payload(&parts.message, &payload), RT_OK);
    assert_int_equal(payload.part_count, 1);
}

/* An index into the parts stays right also when a value has no bytes. */
static void answer__empty_value__is_one_empty_part(void **state)
{
    struct rt_outbox *out = rt_outbox_create();
    struct dsrpc_piece piece = {.bytes = BYTES("v")};
    struct dsrpc_value values[] = {{.pieces = &piece, .piece_count = 1, .total_bytes = 1}, {0}};
    struct rt_slice nothing = rt_slice_of(NULL, 0);
    (void)state;
    assert_int_equal(
        dsrpc_answer_encode(BYTES("q"), BYTES("m"), K_OK, nothing, nothing, true, values, 2, out),
        RT_OK);
    assert_outbox_hex(out, "0101 71 0101 6d 0100 0100 0108 0100000000000000 0101 76 0000");
    rt_outbox_destroy(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meta__unknown_fields__are_let_through),
        cmocka_unit_test(meta__negative_numbers__are_ten_byte_varints),
        cmocka_unit_test(meta__field_twice__takes_the_last),
        cmocka_unit_test(meta__wrong_wire_type__is_malformed),
        cmocka_unit_test(meta__bytes_that_are_no_protobuf__are_malformed),
        cmocka_unit_test(meta__texts_that_are_no_utf8__are_malformed_as_for_the_real_peers),
        cmocka_unit_test(meta__cut_at_every_byte__never_reads_beyond),
        cmocka_unit_test(utf8__characters_at_the_edges__are_told_apart),
        cmocka_unit_test(request__no_meta_or_no_tick__is_malformed),
        cmocka_unit_test(request__unknown_service_or_method__is_told_apart),
        cmocka_unit_test(request__without_a_body__is_invalid),
        cmocka_unit_test(payload__that_does_not_fit__is_invalid_and_says_why),
        cmocka_unit_test(payload__in_several_parts_or_none__fits),
        cmocka_unit_test(request__values_of_which_one_is_empty__sends_no_part_for_it),
        cmocka_unit_test(request__value_from_a_blob__is_not_copied),
        cmocka_unit_test(request__value_over_the_part_limit__is_split),
        cmocka_unit_test(request__that_cannot_be_right__writes_nothing),
        cmocka_unit_test(request__of_each_kind__says_whether_a_user_made_it),
        cmocka_unit_test(answer__frames_missing_or_wrong__is_malformed),
        cmocka_unit_test(answer__of_an_error__tells_code_and_text_and_no_body),
        cmocka_unit_test(answer__payload_that_does_not_fit__is_malformed),
        cmocka_unit_test(answer__empty_value__is_one_empty_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
