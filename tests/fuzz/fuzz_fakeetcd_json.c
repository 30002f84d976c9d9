/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_message.h"
#include "fakeetcd/gateway/json_scan.h"
#include "fakeetcd/request/call.h"
#include "fakeetcd/request/dispatch.h"
#include "fuzz_target.h"

#include <stdlib.h>

/*
 * Messages of the JSON gateway, hostile ones. Input: a byte (which method), a byte (bit 0: the
 * older dialect, bit 1: its response, bit 2: what follows is a message of protobuf and not JSON),
 * the rest. Whatever is taken is written as JSON that is taken again and written alike.
 */
#define IS_OLDER    1
#define IS_RESPONSE 2
#define IS_WIRE     4

/* A response may nest: nobody else sends us one, so nothing looks at its depth. */
#define WIRE_BYTES_MAX 4096

struct kind {
    const struct fakeetcd_method *method;
    const ProtobufCMessageDescriptor *descriptor;
    enum fakeetcd_json_dialect dialect;
};

static struct fakeetcd_json_scanner scanner; /* too large for the stack */

/* The scanner says the same about pieces as about the whole. */
static void scan_in_pieces(struct rt_slice text, bool is_value, size_t value_bytes)
{
    size_t at = 0;
    enum fakeetcd_json_scan result = FAKEETCD_JSON_MORE;

    fakeetcd_json_scanner_init(&scanner);
    while (at < text.len_bytes && result == FAKEETCD_JSON_MORE) {
        size_t used_bytes = 0;
        result = fakeetcd_json_scan(&scanner, rt_slice_of(text.data + at, 1), &used_bytes);
        FUZZ_CHECK(used_bytes == 1 || result != FAKEETCD_JSON_MORE);
        at += used_bytes;
    }
    FUZZ_CHECK((result == FAKEETCD_JSON_VALUE) == is_value);
    FUZZ_CHECK(!is_value || at == value_bytes);
    FUZZ_CHECK(result != FAKEETCD_JSON_BAD || scanner.error[0] != '\0');
}

/* NULL: refused, or nested too deep for etcd. */
static ProtobufCMessage *unpack(const struct kind *kind, struct rt_slice wire)
{
    static const uint8_t nothing[1];

    if (kind->descriptor == kind->method->request && !fakeetcd__is_shallow(kind->method, wire)) {
        return NULL;
    }
    return protobuf_c_message_unpack(kind->descriptor, NULL, wire.len_bytes,
                                     wire.len_bytes == 0 ? nothing : wire.data);
}

/* A copy without a byte behind it, so that a sanitizer sees one that is read too many. */
static ProtobufCMessage *read_json(const struct kind *kind, struct rt_slice json, bool *out_is_read)
{
    char error[FAKEETCD_JSON_ERROR_BYTES] = "";
    struct fakeetcd_text wire = {0};
    ProtobufCMessage *message = NULL;
    uint8_t *copy = malloc(json.len_bytes);

    FUZZ_CHECK(copy != NULL);
    memcpy(copy, json.data, json.len_bytes);
    enum rt_status status = fakeetcd_json_to_wire(kind->descriptor, kind->dialect,
                                                  rt_slice_of(copy, json.len_bytes), &wire, error);
    FUZZ_CHECK(status == RT_OK || status == RT_E_MALFORMED);
    FUZZ_CHECK((status == RT_OK) == (error[0] == '\0'));
    if (status == RT_OK) {
        message = unpack(kind, fakeetcd_text_slice(&wire));
        FUZZ_CHECK(message != NULL || kind->descriptor == kind->method->request);
    }
    *out_is_read = status == RT_OK;
    fakeetcd_text_fini(&wire);
    free(copy);
    return message;
}

/* Writes it, checks that this is JSON, reads it. To be freed by the caller. */
static ProtobufCMessage *write_and_read(const struct kind *kind, const ProtobufCMessage *message,
                                        struct fakeetcd_text *out_json)
{
    bool is_read = false;

    fakeetcd_json_of_message(message, out_json);
    FUZZ_CHECK(!out_json->is_failed);
    FUZZ_CHECK(fakeetcd_json_check(&scanner, fakeetcd_text_slice(out_json))[0] == '\0');
    ProtobufCMessage *again = read_json(kind, fakeetcd_text_slice(out_json), &is_read);
    FUZZ_CHECK(is_read && again != NULL);
    return again;
}

/* The first time bytes that are no UTF-8 become a character, which is itself from then on. */
static void check_again(const struct kind *kind, const ProtobufCMessage *message)
{
    struct fakeetcd_text texts[3] = {0};
    ProtobufCMessage *first = write_and_read(kind, message, &texts[0]);
    ProtobufCMessage *second = write_and_read(kind, first, &texts[1]);
    ProtobufCMessage *third = write_and_read(kind, second, &texts[2]);

    FUZZ_CHECK(rt_slice_equal(fakeetcd_text_slice(&texts[1]), fakeetcd_text_slice(&texts[2])));
    protobuf_c_message_free_unpacked(first, NULL);
    protobuf_c_message_free_unpacked(second, NULL);
    protobuf_c_message_free_unpacked(third, NULL);
    for (size_t i = 0; i < 3; i++) {
        fakeetcd_text_fini(&texts[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    const struct fakeetcd_method *method = &fakeetcd_methods[data[0] % fakeetcd_method_count()];
    struct kind kind = {
        .method = method,
        .descriptor = (data[1] & IS_RESPONSE) != 0 ? method->response : method->request,
        .dialect = (data[1] & IS_OLDER) != 0 ? FAKEETCD_JSON_GO_1_3 : FAKEETCD_JSON_GO_1_5};
    struct rt_slice rest = rt_slice_of(data + 2, size - 2);
    ProtobufCMessage *message = NULL;

    if ((data[1] & IS_WIRE) != 0) {
        message = rest.len_bytes <= WIRE_BYTES_MAX ? unpack(&kind, rest) : NULL;
    } else {
        size_t used_bytes = 0;
        bool is_read = false;
        fakeetcd_json_scanner_init(&scanner);
        bool is_value = fakeetcd_json_scan(&scanner, rest, &used_bytes) == FAKEETCD_JSON_VALUE;
        FUZZ_CHECK(used_bytes <= rest.len_bytes);
        scan_in_pieces(rest, is_value, used_bytes);
        message = is_value ? read_json(&kind, rt_slice_of(rest.data, used_bytes), &is_read) : NULL;
    }
    if (message != NULL) {
        check_again(&kind, message);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return 0;
}
