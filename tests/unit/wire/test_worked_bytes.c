/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "messages.h"
#include "peer.h"

/*
 * The worked bytes of the protocol's description (0.8.1, made by generated protobuf code), frame
 * by frame: we write them from values and read the values out of them.
 */

#define CLIENT_ID           "0a595240-5506-4c7c-b1f7-7abfb1eb4add"
#define CLIENT_ID_HEX       "30613539353234302d353530362d346337632d623166372d376162666231656234616464"
#define QUEUE_ID            "1f78gabf-1b2c-4d5:1:7:9"
#define QUEUE_ID_HEX        "31663738676162662d316232632d3464353a313a373a39"
#define SOCKET_QUEUE_ID_HEX "6231663737616266623165623461646430303a303a39343031303233343a30"
#define TICKS_HEX                                                                                  \
    "7a100801120c434c49454e545f5354415254"                                                         \
    "7a0f0802120b434c49454e545f53454e44"
#define MINUS_ONE_HEX "ffffffffffffffffff01"

#define SOCKET_META_HEX                                                                            \
    "0d576f726b657253657276696365 1001 18" MINUS_ONE_HEX "221f" SOCKET_QUEUE_ID_HEX                \
    "4a00 52027431 58e0d403" TICKS_HEX
#define OC_META_HEX(method, payload_index)                                                         \
    "0a0f576f726b65724f4353657276696365 10" method "18" payload_index "2217" QUEUE_ID_HEX          \
    "4a00 52027431 58f8cc03" TICKS_HEX
#define PUBLISH_META_HEX OC_META_HEX("02", "feffffffffffffffff01")
#define GET_META_HEX     OC_META_HEX("03", MINUS_ONE_HEX)
#define MISSING_HEX                                                                                \
    "08" MINUS_ONE_HEX "10" MINUS_ONE_HEX "18" MINUS_ONE_HEX "20" MINUS_ONE_HEX "28" MINUS_ONE_HEX \
    "30" MINUS_ONE_HEX

static struct dsrpc_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = dsrpc_arena_create();
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    dsrpc_arena_destroy(arena);
    return 0;
}

/* ---- helpers -------------------------------------------------------------------------------- */

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

static struct rt_slice pack(const ProtobufCMessage *message)
{
    struct rt_slice packed;
    assert_int_equal(dsrpc_pack(message, arena, &packed), RT_OK);
    return packed;
}

/* As the worked bytes were made: tick times 1 and 2, trace id "t1", no sample state. */
static struct dsrpc_outgoing outgoing(enum dsrpc_op op, const char *queue_id, int64_t timeout_ms,
                                      struct rt_slice body)
{
    return (struct dsrpc_outgoing){.op = op,
                                   .queue_id = rt_slice_text(queue_id),
                                   .trace_id = rt_slice_text("t1"),
                                   .timeout_ms = timeout_ms,
                                   .body = body,
                                   .is_background = true,
                                   .started_ns = 1,
                                   .sent_ns = 2};
}

static void assert_request(const struct dsrpc_outgoing *request, const char *text)
{
    struct rt_outbox *out = rt_outbox_create();
    assert_int_equal(dsrpc_request_encode(&dsrpc_profile_0_8_1, request, out), RT_OK);
    assert_outbox_hex(out, text);
    rt_outbox_destroy(out);
}

static struct dsrpc_value value_of(const struct dsrpc_piece *piece)
{
    return (struct dsrpc_value){
        .pieces = piece, .piece_count = 1, .total_bytes = piece->bytes.len_bytes};
}

/* The message of these bytes; free the peer. */
static void receive(struct peer *peer, enum zmtp_role role, const char *text)
{
    size_t len_bytes = 0;
    uint8_t *bytes = hex(text, &len_bytes);
    peer_init_open(peer, &(struct zmtp_options){.role = role});
    peer_feed(peer, bytes, len_bytes);
    assert_int_equal(peer_receive(peer), RT_OK);
    assert_int_equal(peer->event, ZMTP_EVENT_MESSAGE);
    assert_int_equal(rt_inbox_len_bytes(peer->in), 0);
    free(bytes);
}

/* An answer to the request whose message `peer` holds: its MetaPb echoed. */
static void assert_answer(const struct dsrpc_request *request, struct rt_slice body,
                          const struct dsrpc_value *parts, size_t part_count, const char *text)
{
    struct rt_outbox *out = rt_outbox_create();
    bool has_payload = dsrpc_method_of(&dsrpc_profile_0_8_1, request->op)->returns_payload;
    assert_int_equal(dsrpc_answer_encode(request->meta.queue_id, request->meta.raw, K_OK,
                                         rt_slice_of(NULL, 0), body, has_payload, parts, part_count,
                                         out),
                     RT_OK);
    assert_outbox_hex(out, text);
    rt_outbox_destroy(out);
}

static void decode(const struct peer *peer, struct dsrpc_request *out_request)
{
    const char *why = NULL;
    assert_int_equal(dsrpc_request_decode(&dsrpc_profile_0_8_1, &peer->message, out_request, &why),
                     RT_OK);
    assert_string_equal(why, "");
}

/* ---- (a) GetSocketPath ---------------------------------------------------------------------- */

#define SOCKET_REQUEST_HEX "01 6a 0a" SOCKET_META_HEX "00 00"

static void socket_path__request_and_answer__are_the_worked_bytes(void **state)
{
    struct peer peer;
    struct dsrpc_request request;
    (void)state;
    struct dsrpc_outgoing sent = outgoing(DSRPC_OP_SOCKET_PATH, "b1f77abfb1eb4add00:0:94010234:0",
                                          60000, rt_slice_of(NULL, 0));
    assert_request(&sent, SOCKET_REQUEST_HEX);
    receive(&peer, ZMTP_ROUTER, SOCKET_REQUEST_HEX);
    decode(&peer, &request);
    assert_int_equal(request.op, DSRPC_OP_SOCKET_PATH);
    assert_true(request.is_service_known);
    assert_true(rt_slice_is_text(request.meta.service, "WorkerService"));
    assert_int_equal(request.meta.method_index, 1);
    assert_int_equal(request.meta.payload_index, -1);
    assert_true(rt_slice_is_text(request.meta.queue_id, "b1f77abfb1eb4add00:0:94010234:0"));
    assert_true(rt_slice_is_text(request.meta.trace_id, "t1"));
    assert_int_equal(request.meta.timeout, 60000);
    assert_int_equal(request.meta.tick_count, 1);
    assert_int_equal(request.body.len_bytes, 0);
    assert_answer(&request, rt_slice_of(NULL, 0), NULL, 0,
                  "01 1f" SOCKET_QUEUE_ID_HEX "01 6a 0a" SOCKET_META_HEX "01 00 00 00");
    peer_fini(&peer);
}

/* ---- (b), (c), (f) bodies ------------------------------------------------------------------- */

static void register__bodies__are_the_worked_bytes(void **state)
{
    Ds__RegisterClientReq req = DS__REGISTER_CLIENT_REQ__INIT;
    Ds__RegisterClientRsp rsp = DS__REGISTER_CLIENT_RSP__INIT;
    (void)state;
    req.version = bytes_of("0.8.1");
    req.heartbeat_enabled = true;
    req.server_fd = -1;
    req.support_multi_shm_ref_count = true;
    assert_slice_hex(pack(&req.base), "1205302e382e31 2801 38" MINUS_ONE_HEX "6001");
    rsp.page_size = 1024 * 1024;
    rsp.client_id = bytes_of(CLIENT_ID);
    rsp.shm_threshold = 512000;
    rsp.worker_start_id = bytes_of("ws-1");
    rsp.worker_uuid = bytes_of("wu-1");
    rsp.node_timeout_s = 60;
    rsp.store_fd = -1;
    rsp.client_dead_timeout_s = 60;
    rsp.client_reconnect_wait_s = 5;
    rsp.support_multi_shm_ref_count = true;
    assert_slice_hex(pack(&rsp.base),
                     "08808040 1224" CLIENT_ID_HEX "2880a01f 320477732d31 3a0477752d31 483c"
                     "58" MINUS_ONE_HEX "783c a00105 b00101");
}

static void heartbeat__bodies__are_the_worked_bytes(void **state)
{
    Ds__HeartbeatReq req = DS__HEARTBEAT_REQ__INIT;
    Ds__HeartbeatRsp rsp = DS__HEARTBEAT_RSP__INIT;
    (void)state;
    req.client_id = bytes_of(CLIENT_ID);
    rsp.worker_start_id = bytes_of("ws-1");
    assert_slice_hex(pack(&req.base), "0a24" CLIENT_ID_HEX);
    assert_slice_hex(pack(&rsp.base), "0a0477732d31");
}

static void exist_delete_expire__bodies__are_the_worked_bytes(void **state)
{
    ProtobufCBinaryData keys[] = {bytes_of("k1"), bytes_of("x")};
    protobuf_c_boolean exists[] = {true, false};
    Ds__ExistReq exist = DS__EXIST_REQ__INIT;
    Ds__ExistRsp exist_rsp = DS__EXIST_RSP__INIT;
    Ds__DeleteAllCopyReq del = DS__DELETE_ALL_COPY_REQ__INIT;
    Ds__DeleteAllCopyRsp del_rsp = DS__DELETE_ALL_COPY_RSP__INIT;
    Ds__ExpireReq expire = DS__EXPIRE_REQ__INIT;
    Ds__ErrorInfoPb ok = DS__ERROR_INFO_PB__INIT;
    (void)state;
    exist.client_id = bytes_of(CLIENT_ID);
    exist.object_keys = keys;
    exist.n_object_keys = 2;
    exist.query_l2cache = true;
    assert_slice_hex(pack(&exist.base), "0a24" CLIENT_ID_HEX "22026b31 220178 2801");
    exist_rsp.exists = exists;
    exist_rsp.n_exists = 2;
    assert_slice_hex(pack(&exist_rsp.base), "0a020100");
    del.client_id = bytes_of(CLIENT_ID);
    del.object_keys = keys;
    del.n_object_keys = 1;
    assert_slice_hex(pack(&del.base), "0a24" CLIENT_ID_HEX "12026b31");
    del_rsp.last_rc = &ok;
    assert_slice_hex(pack(&del_rsp.base), "1200");
    expire.client_id = bytes_of(CLIENT_ID);
    expire.object_keys = keys;
    expire.n_object_keys = 1;
    expire.ttl_second = 10;
    assert_slice_hex(pack(&expire.base), "0a24" CLIENT_ID_HEX "12026b31 280a");
}

/* ---- (d) Publish ---------------------------------------------------------------------------- */

#define PUBLISH_BODY_HEX "0a24" CLIENT_ID_HEX "12026b31 2805 4001"
#define PUBLISH_REQUEST_HEX                                                                        \
    "01 64" PUBLISH_META_HEX "01 2e" PUBLISH_BODY_HEX "01 08 0500000000000000 00 05 68656c6c6f"

static void set__request_and_answer__are_the_worked_bytes(void **state)
{
    struct peer peer;
    struct dsrpc_request request;
    Ds__PublishReq publish = DS__PUBLISH_REQ__INIT;
    (void)state;
    publish.client_id = bytes_of(CLIENT_ID);
    publish.object_key = bytes_of("k1");
    publish.data_size = 5;
    publish.consistency_type = 1;
    struct dsrpc_piece piece = {.bytes = rt_slice_text("hello")};
    struct dsrpc_value value = value_of(&piece);
    struct dsrpc_outgoing sent = outgoing(DSRPC_OP_SET, QUEUE_ID, 59000, pack(&publish.base));
    sent.values = &value;
    sent.value_count = 1;
    assert_request(&sent, PUBLISH_REQUEST_HEX);

    receive(&peer, ZMTP_ROUTER, PUBLISH_REQUEST_HEX);
    decode(&peer, &request);
    assert_int_equal(request.op, DSRPC_OP_SET);
    assert_int_equal(request.meta.payload_index, -2);
    assert_int_equal(request.payload.total_bytes, 5);
    assert_int_equal(request.payload.part_count, 1);
    assert_true(rt_slice_is_text(request.payload.parts[0].bytes, "hello"));
    Ds__PublishReq *got = dsrpc_unpack(&ds__publish_req__descriptor, request.body, arena);
    assert_non_null(got);
    assert_int_equal(got->data_size, 5);
    assert_true(rt_slice_is_text(rt_slice_of(got->object_key.data, got->object_key.len), "k1"));
    assert_answer(&request, rt_slice_of(NULL, 0), NULL, 0,
                  "01 17" QUEUE_ID_HEX "01 64" PUBLISH_META_HEX "01 00 00 00");
    peer_fini(&peer);
}

/* ---- (e) Get -------------------------------------------------------------------------------- */

#define GET_REQUEST_HEX                                                                            \
    "01 64" GET_META_HEX "00 36 12026b31 12046e6f7065 1a24" CLIENT_ID_HEX "4801 68e0d403"
#define GET_ANSWER_HEX                                                                             \
    "01 17" QUEUE_ID_HEX "01 64" GET_META_HEX "01 00"                                              \
    "01 53 0a44" MISSING_HEX "7001 1209 1005 2001 3801 420100 1a00"                                \
    "01 08 0500000000000000 00 05 68656c6c6f"

static Ds__ObjectInfoPb missing_object(uint32_t index)
{
    Ds__ObjectInfoPb object = DS__OBJECT_INFO_PB__INIT;
    object.store_fd = -1;
    object.offset = -1;
    object.data_size = -1;
    object.metadata_size = -1;
    object.mmap_size = -1;
    object.version = -1;
    object.object_index = index;
    return object;
}

static void get__request__is_the_worked_bytes(void **state)
{
    ProtobufCBinaryData keys[] = {bytes_of("k1"), bytes_of("nope")};
    Ds__GetReq get = DS__GET_REQ__INIT;
    (void)state;
    get.object_keys = keys;
    get.n_object_keys = 2;
    get.client_id = bytes_of(CLIENT_ID);
    get.return_object_index = true;
    get.request_timeout = 60000;
    struct dsrpc_outgoing sent = outgoing(DSRPC_OP_GET, QUEUE_ID, 59000, pack(&get.base));
    assert_request(&sent, GET_REQUEST_HEX);
}

static void get__answer_with_a_hit_and_a_miss__is_the_worked_bytes(void **state)
{
    struct peer peer;
    struct dsrpc_request request;
    uint32_t part_index[] = {0};
    Ds__ObjectInfoPb missing = missing_object(1);
    Ds__PayloadInfoPb present = DS__PAYLOAD_INFO_PB__INIT;
    Ds__ErrorInfoPb ok = DS__ERROR_INFO_PB__INIT;
    Ds__ObjectInfoPb *objects[] = {&missing};
    Ds__PayloadInfoPb *payload_info[] = {&present};
    Ds__GetRsp rsp = DS__GET_RSP__INIT;
    (void)state;
    present.data_size = 5;
    present.version = 1;
    present.consistency_type = 1;
    present.part_index = part_index;
    present.n_part_index = 1;
    rsp.objects = objects;
    rsp.n_objects = 1;
    rsp.payload_info = payload_info;
    rsp.n_payload_info = 1;
    rsp.last_rc = &ok;
    struct dsrpc_piece pieces[] = {{.bytes = rt_slice_text("he")}, {.bytes = rt_slice_text("llo")}};
    struct dsrpc_value value = {.pieces = pieces, .piece_count = 2, .total_bytes = 5};
    receive(&peer, ZMTP_ROUTER, GET_REQUEST_HEX);
    decode(&peer, &request);
    assert_int_equal(request.op, DSRPC_OP_GET);
    assert_answer(&request, pack(&rsp.base), &value, 1, GET_ANSWER_HEX);
    peer_fini(&peer);
}

static void get__answer__gives_its_values_back(void **state)
{
    struct peer peer;
    struct dsrpc_answer answer;
    struct dsrpc_payload payload;
    (void)state;
    receive(&peer, ZMTP_DEALER, GET_ANSWER_HEX);
    assert_int_equal(dsrpc_answer_decode(&peer.message, &answer), RT_OK);
    assert_true(rt_slice_is_text(answer.queue_id, QUEUE_ID));
    assert_int_equal(answer.code, K_OK);
    Ds__GetRsp *rsp = dsrpc_unpack(&ds__get_rsp__descriptor, answer.body, arena);
    assert_non_null(rsp);
    assert_int_equal(rsp->n_objects, 1);
    assert_int_equal(rsp->objects[0]->store_fd, -1);
    assert_int_equal(rsp->objects[0]->object_index, 1);
    assert_int_equal(rsp->n_payload_info, 1);
    assert_int_equal(rsp->payload_info[0]->n_part_index, 1);
    assert_int_equal(dsrpc_answer_payload(&peer.message, &payload), RT_OK);
    assert_int_equal(payload.part_count, 1);
    assert_true(rt_slice_is_text(payload.parts[0].bytes, "hello"));
    peer_fini(&peer);
}

static void get__all_missing__ends_with_the_length_frame(void **state)
{
    struct peer peer;
    struct dsrpc_request request;
    Ds__ObjectInfoPb missing = missing_object(0);
    Ds__ErrorInfoPb ok = DS__ERROR_INFO_PB__INIT;
    Ds__ObjectInfoPb *objects[] = {&missing};
    Ds__GetRsp rsp = DS__GET_RSP__INIT;
    (void)state;
    rsp.objects = objects;
    rsp.n_objects = 1;
    rsp.last_rc = &ok;
    receive(&peer, ZMTP_ROUTER, GET_REQUEST_HEX);
    decode(&peer, &request);
    assert_answer(&request, pack(&rsp.base), NULL, 0,
                  "01 17" QUEUE_ID_HEX "01 64" GET_META_HEX "01 00"
                  "01 46 0a42" MISSING_HEX "1a00 00 08 0000000000000000");
    peer_fini(&peer);
}

/* ---- errors and the ZMQ heartbeat ----------------------------------------------------------- */

static void error__not_found_and_unavailable__are_the_worked_bytes(void **state)
{
    struct rt_outbox *out = rt_outbox_create();
    struct rt_slice meta = rt_slice_text("m");
    struct rt_slice nothing = rt_slice_of(NULL, 0);
    (void)state;
    assert_int_equal(dsrpc_answer_encode(rt_slice_text("q"), meta, K_NOT_FOUND,
                                         rt_slice_text("not found"), rt_slice_text("body"), true,
                                         NULL, 0, out),
                     RT_OK);
    assert_outbox_hex(out, "0101 71 0101 6d 000d 0803 12096e6f7420666f756e64");
    assert_int_equal(dsrpc_answer_encode(rt_slice_text("q"), meta, K_RPC_UNAVAILABLE,
                                         rt_slice_text("down"), nothing, false, NULL, 0, out),
                     RT_OK);
    assert_outbox_hex(out, "0101 71 0101 6d 0009 08ea07 1204646f776e");
    assert_int_equal(
        dsrpc_answer_encode(rt_slice_text("q"), meta, -1, nothing, nothing, false, NULL, 0, out),
        RT_OK);
    assert_outbox_hex(out, "0101 71 0101 6d 000b 08" MINUS_ONE_HEX);
    rt_outbox_destroy(out);
}

#define BEAT_META_HEX                                                                              \
    "10feffffffffffffffff01 18" MINUS_ONE_HEX "2212 65323832373036622d326631652d34663931 4a00"     \
    "58e0d403"

static void zmq_heartbeat__both_ways__is_the_worked_bytes(void **state)
{
    struct peer peer;
    struct dsrpc_request request;
    struct dsrpc_answer answer;
    struct rt_outbox *out = rt_outbox_create();
    (void)state;
    assert_int_equal(dsrpc_zmq_heartbeat_encode(rt_slice_text("e282706b-2f1e-4f91"), 60000, out),
                     RT_OK);
    assert_outbox_hex(out, "00 30" BEAT_META_HEX);
    receive(&peer, ZMTP_ROUTER, "00 30" BEAT_META_HEX);
    decode(&peer, &request);
    assert_int_equal(request.op, DSRPC_OP_ZMQ_HEARTBEAT);
    assert_int_equal(dsrpc_zmq_heartbeat_answer(&request.meta, out), RT_OK);
    peer_fini(&peer);
    const char *text =
        "01 12 65323832373036622d326631652d34663931 01 30" BEAT_META_HEX "00 30" BEAT_META_HEX;
    assert_outbox_hex(out, text);
    receive(&peer, ZMTP_DEALER, text);
    assert_int_equal(dsrpc_answer_decode(&peer.message, &answer), RT_OK);
    assert_int_equal(answer.code, K_OK);
    assert_true(rt_slice_is_text(answer.queue_id, "e282706b-2f1e-4f91"));
    peer_fini(&peer);
    rt_outbox_destroy(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_path__request_and_answer__are_the_worked_bytes),
        cmocka_unit_test(register__bodies__are_the_worked_bytes),
        cmocka_unit_test(heartbeat__bodies__are_the_worked_bytes),
        cmocka_unit_test(exist_delete_expire__bodies__are_the_worked_bytes),
        cmocka_unit_test(set__request_and_answer__are_the_worked_bytes),
        cmocka_unit_test(get__request__is_the_worked_bytes),
        cmocka_unit_test(get__answer_with_a_hit_and_a_miss__is_the_worked_bytes),
        cmocka_unit_test(get__answer__gives_its_values_back),
        cmocka_unit_test(get__all_missing__ends_with_the_length_frame),
        cmocka_unit_test(error__not_found_and_unavailable__are_the_worked_bytes),
        cmocka_unit_test(zmq_heartbeat__both_ways__is_the_worked_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
