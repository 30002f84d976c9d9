/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/unmarshal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define VARINT_SHIFT_END 64
#define FIXED_32_BYTES   4
#define FIXED_64_BYTES   8
#define NAME_BYTES       64
#define CUT_SHORT        "unexpected EOF"

enum wire_type { VARINT = 0, FIXED_64 = 1, DELIMITED = 2, GROUP = 3, GROUP_END = 4, FIXED_32 = 5 };

/* One message, or one that lies in another. */
struct reader {
    struct rt_slice bytes;
    size_t at;
    char *text; /* of the first error */
    size_t text_bytes;
};

static bool read_message(struct reader *reader, const ProtobufCMessageDescriptor *type);
static bool read_known(struct reader *reader, const ProtobufCFieldDescriptor *field,
                       unsigned wire_type);
static bool is_number(const ProtobufCFieldDescriptor *field);
static bool read_unknown(struct reader *reader);
static bool read_varint(struct reader *reader, uint64_t *out_number);
static bool read_length(struct reader *reader, size_t *out_end);
static bool skip(struct reader *reader, uint64_t count);
static bool fail(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *name_in_go(const char *name, char out_name[NAME_BYTES]);

void fakeetcd_unmarshal_text(const ProtobufCMessageDescriptor *type, struct rt_slice message,
                             char *out_text, size_t text_bytes)
{
    struct reader reader = {.bytes = message, .text = out_text, .text_bytes = text_bytes};
    if (read_message(&reader, type)) {
        (void)fail(&reader, CUT_SHORT);
    }
}

static bool read_message(struct reader *reader, const ProtobufCMessageDescriptor *type)
{
    while (reader->at < reader->bytes.len_bytes) {
        size_t begin = reader->at;
        uint64_t tag;
        if (!read_varint(reader, &tag)) {
            return false;
        }
        int32_t number = (int32_t)(uint32_t)(tag >> 3);
        unsigned wire_type = (unsigned)(tag & 7);
        if (wire_type == GROUP_END) {
            return fail(reader, "proto: %s: wiretype end group for non-group", type->short_name);
        }
        if (number <= 0) {
            return fail(reader, "proto: %s: illegal tag %" PRId32 " (wire type %" PRIu64 ")",
                        type->short_name, number, tag);
        }
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)number);
        if (field != NULL && !read_known(reader, field, wire_type)) {
            return false;
        }
        if (field == NULL) {
            reader->at = begin;
            if (!read_unknown(reader)) {
                return false;
            }
        }
    }
    return true;
}

/* A list of numbers may come packed. */
static bool read_known(struct reader *reader, const ProtobufCFieldDescriptor *field,
                       unsigned wire_type)
{
    char name[NAME_BYTES];
    uint64_t number;
    size_t end;
    if (is_number(field) && wire_type == VARINT) {
        return read_varint(reader, &number);
    }
    bool may_be_packed = is_number(field) && field->label == PROTOBUF_C_LABEL_REPEATED;
    if (wire_type != DELIMITED || (is_number(field) && !may_be_packed)) {
        return fail(reader, "proto: wrong wireType = %u for field %s", wire_type,
                    name_in_go(field->name, name));
    }
    if (!read_length(reader, &end)) {
        return false;
    }
    struct reader inner = *reader;
    inner.bytes.len_bytes = end;
    reader->at = end;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        inner.bytes = rt_slice_of(inner.bytes.data + inner.at, end - inner.at);
        inner.at = 0;
        return read_message(&inner, field->descriptor);
    }
    while (may_be_packed && inner.at < end) {
        if (!read_varint(&inner, &number)) {
            return false;
        }
    }
    return true;
}

static bool is_number(const ProtobufCFieldDescriptor *field)
{
    return field->type != PROTOBUF_C_TYPE_BYTES && field->type != PROTOBUF_C_TYPE_STRING &&
           field->type != PROTOBUF_C_TYPE_MESSAGE;
}

/* From its tag on; a group with everything in it. */
static bool read_unknown(struct reader *reader)
{
    uint64_t tag;
    uint64_t number;
    size_t depth = 0;
    size_t end;
    do {
        if (!read_varint(reader, &tag)) {
            return false;
        }
        bool is_fine = true;
        switch ((unsigned)(tag & 7)) {
        case VARINT:
            is_fine = read_varint(reader, &number);
            break;
        case FIXED_64:
            is_fine = skip(reader, FIXED_64_BYTES);
            break;
        case DELIMITED:
            is_fine = read_length(reader, &end);
            reader->at = is_fine ? end : reader->at;
            break;
        case GROUP:
            depth++;
            break;
        case GROUP_END: /* never the first: read_message has seen to it */
            depth--;
            break;
        case FIXED_32:
            is_fine = skip(reader, FIXED_32_BYTES);
            break;
        default:
            return fail(reader, "proto: illegal wireType %u", (unsigned)(tag & 7));
        }
        if (!is_fine) {
            return false;
        }
    } while (depth > 0);
    return true;
}

static bool read_varint(struct reader *reader, uint64_t *out_number)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < VARINT_SHIFT_END; shift += 7) {
        if (reader->at >= reader->bytes.len_bytes) {
            return fail(reader, CUT_SHORT);
        }
        uint8_t byte = reader->bytes.data[reader->at++];
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out_number = number;
            return true;
        }
    }
    return fail(reader, "proto: integer overflow");
}

static bool read_length(struct reader *reader, size_t *out_end)
{
    uint64_t length;
    if (!read_varint(reader, &length)) {
        return false;
    }
    if (length > INT64_MAX - reader->at) {
        return fail(reader, "proto: negative length found during unmarshaling");
    }
    if (length > reader->bytes.len_bytes - reader->at) {
        return fail(reader, CUT_SHORT);
    }
    *out_end = reader->at + (size_t)length;
    return true;
}

static bool skip(struct reader *reader, uint64_t count)
{
    if (count > reader->bytes.len_bytes - reader->at) {
        return fail(reader, CUT_SHORT);
    }
    reader->at += (size_t)count;
    return true;
}

static bool fail(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reader->text, reader->text_bytes, format, arguments);
    va_end(arguments);
    return false;
}

/* range_end is RangeEnd there; TTL stays. */
static const char *name_in_go(const char *name, char out_name[NAME_BYTES])
{
    size_t len_bytes = 0;
    bool is_first = true;
    for (; *name != '\0' && len_bytes + 1 < NAME_BYTES; name++) {
        if (*name == '_') {
            is_first = true;
            continue;
        }
        bool is_small = *name >= 'a' && *name <= 'z';
        out_name[len_bytes++] = (char)(is_first && is_small ? *name - 'a' + 'A' : *name);
        is_first = false;
    }
    out_name[len_bytes] = '\0';
    return out_name;
}
