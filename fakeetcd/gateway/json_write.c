/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_message.h"

#include <assert.h>
#include <inttypes.h>

static void write_message(const ProtobufCMessage *message, struct fakeetcd_text *out);
static bool write_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        bool is_first, struct fakeetcd_text *out);
static void write_array(const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field, const void *elements, size_t count,
                        struct fakeetcd_text *out);
static void write_value(const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field, const void *value,
                        struct fakeetcd_text *out);
static void write_enum(const ProtobufCEnumDescriptor *descriptor, int number,
                       struct fakeetcd_text *out);
static void write_bytes(const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field, struct rt_slice bytes,
                        struct fakeetcd_text *out);
static bool is_zero(const ProtobufCFieldDescriptor *field, const void *value);
static size_t element_bytes(const ProtobufCFieldDescriptor *field);
static const void *at(const ProtobufCMessage *message, unsigned offset_bytes);

void fakeetcd_json_of_message(const ProtobufCMessage *message, struct fakeetcd_text *out_json)
{
    write_message(message, out_json);
}

static void write_message(const ProtobufCMessage *message, struct fakeetcd_text *out)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    bool is_first = true;
    fakeetcd_text_add(out, "{", 1);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (write_field(message, &descriptor->fields[i], is_first, out)) {
            is_first = false;
        }
    }
    fakeetcd_text_add(out, "}", 1);
}

/* False: it was left out. */
static bool write_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        bool is_first, struct fakeetcd_text *out)
{
    const void *value = at(message, field->offset);
    size_t count = 0;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        count = *(const size_t *)at(message, field->quantifier_offset);
        if (count == 0) {
            return false;
        }
    } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        /* The member that is set is shown, zero or not. */
        if (*(const uint32_t *)at(message, field->quantifier_offset) != field->id) {
            return false;
        }
    } else if (is_zero(field, value)) {
        return false;
    }
    fakeetcd_text_print(out, "%s\"%s\":", is_first ? "" : ",", field->name);
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        write_array(message->descriptor, field, *(const void *const *)value, count, out);
    } else {
        write_value(message->descriptor, field, value, out);
    }
    return true;
}

static void write_array(const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field, const void *elements, size_t count,
                        struct fakeetcd_text *out)
{
    size_t stride = element_bytes(field);
    fakeetcd_text_add(out, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            fakeetcd_text_add(out, ",", 1);
        }
        write_value(descriptor, field, (const char *)elements + i * stride, out);
    }
    fakeetcd_text_add(out, "]", 1);
}

static void write_value(const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field, const void *value,
                        struct fakeetcd_text *out)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
        fakeetcd_text_print(out, "\"%" PRId64 "\"", *(const int64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        fakeetcd_text_print(out, "\"%" PRIu64 "\"", *(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
        fakeetcd_text_print(out, "%" PRIu32, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_INT32:
        fakeetcd_text_print(out, "%" PRId32, *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        fakeetcd_text_word(out, *(const protobuf_c_boolean *)value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        write_enum(field->descriptor, *(const int *)value, out);
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = value;
        write_bytes(descriptor, field, rt_slice_of(bytes->data, bytes->len), out);
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *message = *(const ProtobufCMessage *const *)value;
        if (message == NULL) {
            fakeetcd_text_word(out, "null");
        } else {
            write_message(message, out);
        }
        break;
    }
    default:
        assert(false); /* a type that no message of etcd has */
        fakeetcd_text_word(out, "null");
        break;
    }
}

static void write_enum(const ProtobufCEnumDescriptor *descriptor, int number,
                       struct fakeetcd_text *out)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    if (value != NULL) {
        fakeetcd_text_print(out, "\"%s\"", value->name);
    } else {
        fakeetcd_text_print(out, "%d", number); /* a number nobody named stays one */
    }
}

static void write_bytes(const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field, struct rt_slice bytes,
                        struct fakeetcd_text *out)
{
    if (fakeetcd_json_is_string(descriptor, field)) {
        fakeetcd_text_json(out, bytes);
        return;
    }
    fakeetcd_text_add(out, "\"", 1);
    fakeetcd_text_base64(out, bytes);
    fakeetcd_text_add(out, "\"", 1);
}

static bool is_zero(const ProtobufCFieldDescriptor *field, const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return *(const uint64_t *)value == 0;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT32:
        return *(const uint32_t *)value == 0;
    case PROTOBUF_C_TYPE_BOOL:
        return !*(const protobuf_c_boolean *)value;
    case PROTOBUF_C_TYPE_ENUM:
        return *(const int *)value == 0;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)value)->len == 0;
    default:
        return *(const void *const *)value == NULL;
    }
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT32:
        return sizeof(int32_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(int);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(void *);
    }
}

static const void *at(const ProtobufCMessage *message, unsigned offset_bytes)
{
    return (const char *)message + offset_bytes;
}
