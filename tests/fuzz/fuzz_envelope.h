/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_ENVELOPE_H
#define TESTS_FUZZ_FUZZ_ENVELOPE_H

#include "fuzz_target.h"
#include "wire/dsrpc/dsrpc.h"
#include "wire/proto/datasystem.pb-c.h"

/* What both targets do with a message: decode, unpack its body, and write it again. */

static void fuzz_unpack(const ProtobufCMessageDescriptor *descriptor, struct rt_slice body,
                        struct dsrpc_arena *arena)
{
    struct rt_slice packed;
    ProtobufCMessage *message = dsrpc_unpack(descriptor, body, arena);
    if (message != NULL) {
        enum rt_status status = dsrpc_pack(message, arena, &packed);
        FUZZ_CHECK(status == RT_OK || status == RT_E_NOMEM);
    }
    dsrpc_arena_reset(arena);
}

static void fuzz_request(const struct zmtp_message *message, struct dsrpc_arena *arena,
                         struct rt_outbox *out)
{
    static const ProtobufCMessageDescriptor *const BODIES[] = {
        &ds__register_client_req__descriptor, &ds__heartbeat_req__descriptor,
        &ds__publish_req__descriptor,         &ds__get_req__descriptor,
        &ds__multi_publish_req__descriptor,   &ds__exist_req__descriptor,
        &ds__expire_req__descriptor,          &ds__delete_all_copy_req__descriptor};
    struct dsrpc_request request;
    const char *why = NULL;
    enum rt_status status = dsrpc_request_decode(&dsrpc_profile_0_8_1, message, &request, &why);
    FUZZ_CHECK(status == RT_OK || why[0] != '\0');
    if (status == RT_E_MALFORMED) {
        return;
    }
    FUZZ_CHECK(request.meta.tick_count > 0 && dsrpc_is_utf8(request.meta.queue_id));
    FUZZ_CHECK(status == RT_E_INVALID || request.payload.total_bytes <= message->total_bytes);
    for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++) {
        fuzz_unpack(BODIES[i], request.body, arena);
    }
    status = dsrpc_answer_encode(request.meta.queue_id, request.meta.raw, K_INVALID,
                                 request.meta.service, request.body, false, NULL, 0, out);
    FUZZ_CHECK(status == RT_OK);
}

static void fuzz_answer(const struct zmtp_message *message, struct dsrpc_arena *arena)
{
    struct dsrpc_answer answer;
    struct dsrpc_payload payload;
    if (dsrpc_answer_decode(message, &answer) != RT_OK) {
        return;
    }
    FUZZ_CHECK(answer.code == 0 || answer.body.len_bytes == 0);
    (void)dsrpc_code_text(answer.code);
    fuzz_unpack(&ds__get_rsp__descriptor, answer.body, arena);
    fuzz_unpack(&ds__register_client_rsp__descriptor, answer.body, arena);
    fuzz_unpack(&ds__multi_publish_rsp__descriptor, answer.body, arena);
    if (dsrpc_answer_payload(message, &payload) == RT_OK) {
        FUZZ_CHECK(payload.total_bytes <= message->total_bytes);
    }
}

#endif
