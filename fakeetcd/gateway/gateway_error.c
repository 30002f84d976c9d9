/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway_internal.h"

#include <inttypes.h>

/* Rows: gRPC code, HTTP status of etcd 3.4, of 3.5. */
static const struct {
    int32_t code;
    unsigned old_status;
    unsigned status;
} STATUSES[] = {
    {GRPC_OK, 200, 200},
    {GRPC_CANCELLED, 408, 408},
    {GRPC_UNKNOWN, 500, 500},
    {GRPC_INVALID_ARGUMENT, 400, 400},
    {GRPC_DEADLINE_EXCEEDED, 504, 504},
    {GRPC_NOT_FOUND, 404, 404},
    {GRPC_ALREADY_EXISTS, 409, 409},
    {GRPC_PERMISSION_DENIED, 403, 403},
    {GRPC_RESOURCE_EXHAUSTED, 429, 429},
    {GRPC_FAILED_PRECONDITION, 412, 400},
    {GRPC_ABORTED, 409, 409},
    {GRPC_OUT_OF_RANGE, 400, 400},
    {GRPC_UNIMPLEMENTED, 501, 501},
    {GRPC_INTERNAL, 500, 500},
    {GRPC_UNAVAILABLE, 503, 503},
    {GRPC_DATA_LOSS, 500, 500},
    {GRPC_UNAUTHENTICATED, 401, 401},
};

unsigned fakeetcd__http_status(const struct fakeetcd_gateway *gateway, int32_t code)
{
    for (size_t i = 0; i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++) {
        if (STATUSES[i].code == code) {
            return fakeetcd__is_old_gateway(gateway) ? STATUSES[i].old_status : STATUSES[i].status;
        }
    }
    return 500;
}

void fakeetcd__error_json(const struct fakeetcd_gateway *gateway, int32_t code, const char *words,
                          struct fakeetcd_text *out_json)
{
    bool is_old = fakeetcd__is_old_gateway(gateway);
    fakeetcd_text_word(out_json, "{\"error\":");
    fakeetcd_text_json(out_json, rt_slice_text(words));
    if (!is_old) {
        fakeetcd_text_print(out_json, ",\"code\":%" PRId32, code);
    }
    fakeetcd_text_word(out_json, ",\"message\":");
    fakeetcd_text_json(out_json, rt_slice_text(words));
    if (is_old) {
        fakeetcd_text_print(out_json, ",\"code\":%" PRId32, code);
    }
    fakeetcd_text_word(out_json, "}");
}

void fakeetcd__stream_error_json(const struct fakeetcd_gateway *gateway, int32_t code,
                                 const char *words, struct fakeetcd_text *out_json)
{
    unsigned status = fakeetcd__http_status(gateway, code);
    fakeetcd_text_print(out_json,
                        "{\"error\":{\"grpc_code\":%" PRId32 ",\"http_code\":%u,\"message\":", code,
                        status);
    fakeetcd_text_json(out_json, rt_slice_text(words));
    fakeetcd_text_print(out_json, ",\"http_status\":\"%s\"}}", fakeetcd_http_reason(status));
}
