/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_message.h"
#include "fakeetcd/gateway/json_scan.h"
#include "fakeetcd/gateway/json_text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One walk over the text, each member written to the wire as it is met; the text is known to be
 * JSON. What does not fit is refused in Go's words.
 */
enum {
    MESSAGE_DEPTH_MAX = 100, /* of transactions in transactions */
    LENGTH_BYTES = 4,        /* room for a length that is not known yet */
    NAME_BYTES_MAX = 64,
    WIRE_VARINT = 0,
    WIRE_BYTES = 2
};

struct reader {
    const uint8_t *at; /* never past `end`: the scanner has seen the whole value */
    const uint8_t *end;
    struct fakeetcd_text *out;
    enum fakeetcd_json_dialect dialect;
    unsigned depth;
    char *error;
    struct fakeetcd_text scratch;         /* of unescaped strings */
    struct fakeetcd_json_scanner *number; /* for numbers in quotes; made when one comes */
};

static bool read_message(struct reader *reader, const ProtobufCMessageDescriptor *descriptor);
static bool read_member(struct reader *reader, const ProtobufCMessageDescriptor *descriptor);
static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *descriptor,
                                                struct rt_slice name);
static bool is_camel_case_of(struct rt_slice name, const char *snake_case);
static bool read_list(struct reader *reader, const ProtobufCMessageDescriptor *descriptor,
                      const ProtobufCFieldDescriptor *field);
static bool read_value(struct reader *reader, const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field);
static bool read_submessage(struct reader *reader, const ProtobufCFieldDescriptor *field);
static bool read_integer(struct reader *reader, const ProtobufCFieldDescriptor *field);
static bool read_unquoted(struct reader *reader, struct rt_slice text, const char *type,
                          uint64_t *out_value);
static bool parse_integer(struct rt_slice text, const char *type, uint64_t *out_value);
static bool read_bool(struct reader *reader, const ProtobufCFieldDescriptor *field);
static bool read_enum(struct reader *reader, const ProtobufCFieldDescriptor *field);
static bool refuse_enum(struct reader *reader, const ProtobufCEnumDescriptor *descriptor,
                        struct rt_slice quoted);
static void enum_type(const struct reader *reader, const ProtobufCEnumDescriptor *descriptor,
                      char *out_name, size_t name_bytes);
static bool read_string(struct reader *reader, const ProtobufCFieldDescriptor *field);
static bool read_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field);
static bool read_byte_list(struct reader *reader);
static size_t begin_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field);
static void end_bytes(struct reader *reader, size_t length_at);
static void put_varint(struct reader *reader, uint64_t value);
static void put_number(struct reader *reader, const ProtobufCFieldDescriptor *field,
                       uint64_t value);
static bool refuse_kind(struct reader *reader, const char *type);
static bool refuse_number(struct reader *reader, struct rt_slice text, const char *type);
static void skip_blanks(struct reader *reader);
static struct rt_slice skip_value(struct reader *reader);
static bool is_null(const struct reader *reader);

enum rt_status fakeetcd_json_to_wire(const ProtobufCMessageDescriptor *descriptor,
                                     enum fakeetcd_json_dialect dialect, struct rt_slice json,
                                     struct fakeetcd_text *out_wire,
                                     char out_error[FAKEETCD_JSON_ERROR_BYTES])
{
    struct reader reader = {.at = json.data,
                            .end = json.data + json.len_bytes,
                            .out = out_wire,
                            .dialect = dialect,
                            .error = out_error};
    out_error[0] = '\0';
    skip_blanks(&reader);
    bool is_ok = read_message(&reader, descriptor);
    bool has_memory = !reader.scratch.is_failed && !out_wire->is_failed;
    fakeetcd_text_fini(&reader.scratch);
    free(reader.number);
    if (!is_ok && out_error[0] != '\0') {
        return RT_E_MALFORMED;
    }
    return is_ok && has_memory ? RT_OK : RT_E_NOMEM;
}

/* ---- messages ------------------------------------------------------------------------------- */

static bool read_message(struct reader *reader, const ProtobufCMessageDescriptor *descriptor)
{
    if (is_null(reader)) {
        skip_value(reader);
        return true;
    }
    if (*reader->at != '{') {
        return refuse_kind(reader, "map[string]json.RawMessage");
    }
    if (reader->depth == MESSAGE_DEPTH_MAX) {
        snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES, "exceeded max depth");
        return false;
    }
    reader->depth++;
    reader->at++;
    skip_blanks(reader);
    while (*reader->at != '}') {
        if (!read_member(reader, descriptor)) {
            return false;
        }
        skip_blanks(reader);
        if (*reader->at == ',') {
            reader->at++;
            skip_blanks(reader);
        }
    }
    reader->at++;
    reader->depth--;
    return true;
}

static bool read_member(struct reader *reader, const ProtobufCMessageDescriptor *descriptor)
{
    struct rt_slice quoted = skip_value(reader);
    struct rt_slice name;
    if (!fakeetcd_json_unquote(quoted, &reader->scratch, &name)) {
        return false;
    }
    const ProtobufCFieldDescriptor *field = field_of(descriptor, name);
    skip_blanks(reader);
    assert(*reader->at == ':');
    reader->at++;
    skip_blanks(reader);
    if (field == NULL || is_null(reader)) { /* unknown members are passed over, as by etcd */
        skip_value(reader);
        return true;
    }
    return field->label == PROTOBUF_C_LABEL_REPEATED ? read_list(reader, descriptor, field)
                                                     : read_value(reader, descriptor, field);
}

/* A message has at most 14 fields. */
static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *descriptor,
                                                struct rt_slice name)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (rt_slice_is_text(name, field->name) || is_camel_case_of(name, field->name)) {
            return field;
        }
    }
    return NULL;
}

static bool is_camel_case_of(struct rt_slice name, const char *snake_case)
{
    size_t i = 0;
    for (const char *at = snake_case; *at != '\0'; at++, i++) {
        char wanted = *at;
        if (wanted == '_') {
            at++;
            wanted = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
        }
        if (i == name.len_bytes || name.data[i] != (uint8_t)wanted) {
            return false;
        }
    }
    return i == name.len_bytes;
}

static bool read_list(struct reader *reader, const ProtobufCMessageDescriptor *descriptor,
                      const ProtobufCFieldDescriptor *field)
{
    if (*reader->at != '[') {
        return refuse_kind(reader, "[]json.RawMessage");
    }
    reader->at++;
    skip_blanks(reader);
    while (*reader->at != ']') {
        if (!read_value(reader, descriptor, field)) {
            return false;
        }
        skip_blanks(reader);
        if (*reader->at == ',') {
            reader->at++;
            skip_blanks(reader);
        }
    }
    reader->at++;
    return true;
}

static bool read_value(struct reader *reader, const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return read_integer(reader, field);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reader, field);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field);
    case PROTOBUF_C_TYPE_BYTES:
        return fakeetcd_json_is_string(descriptor, field) ? read_string(reader, field)
                                                          : read_bytes(reader, field);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_submessage(reader, field);
    default:
        skip_value(reader); /* only in answers; nobody sends one */
        return true;
    }
}

static bool read_submessage(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    size_t length_at = begin_bytes(reader, field);
    if (!read_message(reader, field->descriptor)) {
        return false;
    }
    end_bytes(reader, length_at);
    return true;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static bool read_integer(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    const char *type = field->type == PROTOBUF_C_TYPE_INT64 ? "int64" : "uint64";
    uint64_t value = 0;
    if (*reader->at == '"') {
        struct rt_slice quoted = skip_value(reader);
        struct rt_slice inner = rt_slice_of(quoted.data + 1, quoted.len_bytes - 2);
        if (!read_unquoted(reader, inner, type, &value)) {
            return false;
        }
    } else if (fakeetcd_json_kind(*reader->at) == FAKEETCD_JSON_IS_NUMBER) {
        struct rt_slice text = skip_value(reader);
        if (!parse_integer(text, type, &value)) {
            return refuse_number(reader, text, type);
        }
    } else if (!is_null(reader)) {
        return refuse_kind(reader, type);
    } else {
        skip_value(reader);
    }
    put_number(reader, field, value);
    return true;
}

/* Go takes the quotes away and reads what is inside as JSON again. */
static bool read_unquoted(struct reader *reader, struct rt_slice text, const char *type,
                          uint64_t *out_value)
{
    while (text.len_bytes > 0 && fakeetcd_json_is_blank(text.data[0])) {
        text = rt_slice_of(text.data + 1, text.len_bytes - 1);
    }
    while (text.len_bytes > 0 && fakeetcd_json_is_blank(text.data[text.len_bytes - 1])) {
        text.len_bytes--;
    }
    if (reader->number == NULL) {
        reader->number = malloc(sizeof(*reader->number));
        if (reader->number == NULL) {
            return false;
        }
    }
    const char *problem = fakeetcd_json_check(reader->number, text);
    if (problem[0] != '\0') {
        snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES, "%s", problem);
        return false;
    }
    enum fakeetcd_json_kind kind = fakeetcd_json_kind(text.data[0]);
    if (kind == FAKEETCD_JSON_IS_NULL) {
        return true;
    }
    if (kind != FAKEETCD_JSON_IS_NUMBER) {
        snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES,
                 "json: cannot unmarshal %s into Go value of type %s",
                 fakeetcd_json_kind_word(kind), type);
        return false;
    }
    return parse_integer(text, type, out_value) || refuse_number(reader, text, type);
}

/* Digits with at most a sign before them, in the type's range: no fraction, no exponent. */
static bool parse_integer(struct rt_slice text, const char *type, uint64_t *out_value)
{
    char digits[24];
    if (text.len_bytes >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text.data, text.len_bytes);
    digits[text.len_bytes] = '\0';
    char *end = NULL;
    errno = 0;
    if (strcmp(type, "uint64") == 0) {
        if (digits[0] == '-') {
            return false;
        }
        *out_value = strtoull(digits, &end, 10);
    } else {
        long long value = strtoll(digits, &end, 10);
        bool is_small = strcmp(type, "int64") == 0 || (value >= INT32_MIN && value <= INT32_MAX);
        if (!is_small) {
            return false;
        }
        *out_value = (uint64_t)value;
    }
    return errno == 0 && *end == '\0';
}

static bool read_bool(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    enum fakeetcd_json_kind kind = fakeetcd_json_kind(*reader->at);
    if (kind != FAKEETCD_JSON_IS_BOOL && kind != FAKEETCD_JSON_IS_NULL) {
        return refuse_kind(reader, "bool");
    }
    bool is_true = *reader->at == 't';
    skip_value(reader);
    put_number(reader, field, is_true);
    return true;
}

/* ---- enums ---------------------------------------------------------------------------------- */

static bool read_enum(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCEnumDescriptor *descriptor = field->descriptor;
    uint64_t number = 0;
    if (*reader->at == '"') {
        struct rt_slice quoted = skip_value(reader);
        struct rt_slice raw = rt_slice_of(quoted.data + 1, quoted.len_bytes - 2);
        char name[NAME_BYTES_MAX];
        if (raw.len_bytes >= sizeof(name)) {
            return refuse_enum(reader, descriptor, quoted);
        }
        memcpy(name, raw.data, raw.len_bytes);
        name[raw.len_bytes] = '\0';
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value_by_name(descriptor, name);
        if (value == NULL) {
            return refuse_enum(reader, descriptor, quoted);
        }
        number = (uint64_t)value->value;
    } else if (fakeetcd_json_kind(*reader->at) == FAKEETCD_JSON_IS_NUMBER) {
        struct rt_slice text = skip_value(reader);
        if (!parse_integer(text, "int32", &number)) {
            char type[NAME_BYTES_MAX];
            enum_type(reader, descriptor, type, sizeof(type));
            return refuse_number(reader, text, type);
        }
    } else if (!is_null(reader)) {
        char type[NAME_BYTES_MAX];
        enum_type(reader, descriptor, type, sizeof(type));
        return refuse_kind(reader, type);
    } else {
        skip_value(reader);
    }
    put_number(reader, field, number);
    return true;
}

static bool refuse_enum(struct reader *reader, const ProtobufCEnumDescriptor *descriptor,
                        struct rt_slice quoted)
{
    bool is_old = reader->dialect == FAKEETCD_JSON_GO_1_3;
    char go_name[NAME_BYTES_MAX];
    snprintf(go_name, sizeof(go_name), "%s", descriptor->name);
    if (is_old) {
        enum_type(reader, descriptor, go_name, sizeof(go_name));
    }
    char shown[64];
    fakeetcd_json_go_quote(is_old ? rt_slice_of(quoted.data + 1, quoted.len_bytes - 2) : quoted,
                           shown, sizeof(shown));
    snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES, "unknown value %s for enum %s", shown,
             go_name);
    return false;
}

/* "etcdserverpb.RangeRequest_SortOrder" in Go's code; the newer library has one type for all. */
static void enum_type(const struct reader *reader, const ProtobufCEnumDescriptor *descriptor,
                      char *out_name, size_t name_bytes)
{
    if (reader->dialect != FAKEETCD_JSON_GO_1_3) {
        snprintf(out_name, name_bytes, "protoreflect.EnumNumber");
        return;
    }
    snprintf(out_name, name_bytes, "%s", descriptor->name);
    size_t package_len = strlen(descriptor->package_name);
    for (size_t i = package_len + 1; i < strlen(out_name); i++) {
        if (out_name[i] == '.') {
            out_name[i] = '_';
        }
    }
}

/* ---- strings and bytes ---------------------------------------------------------------------- */

static bool read_string(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    struct rt_slice string = {0};
    if (*reader->at == '"') {
        if (!fakeetcd_json_unquote(skip_value(reader), &reader->scratch, &string)) {
            return false;
        }
    } else if (!is_null(reader)) {
        return refuse_kind(reader, "string");
    } else {
        skip_value(reader);
    }
    size_t length_at = begin_bytes(reader, field);
    fakeetcd_text_add(reader->out, string.data, string.len_bytes);
    end_bytes(reader, length_at);
    return true;
}

static bool read_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    size_t length_at = begin_bytes(reader, field);
    if (*reader->at == '"') {
        struct rt_slice string = {0};
        size_t wrong_at = 0;
        if (!fakeetcd_json_unquote(skip_value(reader), &reader->scratch, &string)) {
            return false;
        }
        if (!fakeetcd_base64_decode(string, reader->out, &wrong_at)) {
            snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES,
                     "illegal base64 data at input byte %zu", wrong_at);
            return false;
        }
    } else if (*reader->at == '[') {
        if (!read_byte_list(reader)) {
            return false;
        }
    } else if (!is_null(reader)) {
        return refuse_kind(reader, "[]uint8");
    } else {
        skip_value(reader);
    }
    end_bytes(reader, length_at);
    return true;
}

/* Go takes bytes as a list of numbers too. */
static bool read_byte_list(struct reader *reader)
{
    reader->at++;
    skip_blanks(reader);
    while (*reader->at != ']') {
        uint64_t value = 0;
        enum fakeetcd_json_kind kind = fakeetcd_json_kind(*reader->at);
        if (kind == FAKEETCD_JSON_IS_NUMBER) {
            struct rt_slice text = skip_value(reader);
            if (!parse_integer(text, "uint64", &value) || value > UINT8_MAX) {
                return refuse_number(reader, text, "uint8");
            }
        } else if (kind != FAKEETCD_JSON_IS_NULL) {
            return refuse_kind(reader, "uint8");
        } else {
            skip_value(reader);
        }
        uint8_t byte = (uint8_t)value;
        fakeetcd_text_add(reader->out, &byte, 1);
        skip_blanks(reader);
        if (*reader->at == ',') {
            reader->at++;
            skip_blanks(reader);
        }
    }
    reader->at++;
    return true;
}

/* ---- the wire ------------------------------------------------------------------------------- */

static size_t begin_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    put_varint(reader, (uint64_t)field->id << 3 | WIRE_BYTES);
    size_t length_at = reader->out->len_bytes;
    (void)!fakeetcd_text_room(reader->out, LENGTH_BYTES); /* a failure is remembered */
    return length_at;
}

/* The length in as few bytes as it takes: etcd's limits count them. */
static void end_bytes(struct reader *reader, size_t length_at)
{
    struct fakeetcd_text *out = reader->out;
    if (out->is_failed) {
        return;
    }
    size_t start = length_at + LENGTH_BYTES;
    size_t len_bytes = out->len_bytes - start;
    char *at = out->data + length_at;
    for (size_t rest = len_bytes; rest >= 0x80; rest >>= 7) {
        *at++ = (char)((rest & 0x7f) | 0x80);
    }
    size_t shift = 7 * (size_t)(at - (out->data + length_at));
    *at++ = (char)(len_bytes >> shift);
    assert(at <= out->data + start); /* bodies are far below 256 MiB */
    memmove(at, out->data + start, len_bytes);
    out->len_bytes = (size_t)(at - out->data) + len_bytes;
}

static void put_varint(struct reader *reader, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    while (value >= 0x80) {
        bytes[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[count++] = (uint8_t)value;
    fakeetcd_text_add(reader->out, bytes, count);
}

static void put_number(struct reader *reader, const ProtobufCFieldDescriptor *field, uint64_t value)
{
    put_varint(reader, (uint64_t)field->id << 3 | WIRE_VARINT);
    put_varint(reader, value);
}

/* ---- the text ------------------------------------------------------------------------------- */

static bool refuse_kind(struct reader *reader, const char *type)
{
    snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES,
             "json: cannot unmarshal %s into Go value of type %s",
             fakeetcd_json_kind_word(fakeetcd_json_kind(*reader->at)), type);
    return false;
}

static bool refuse_number(struct reader *reader, struct rt_slice text, const char *type)
{
    int len = text.len_bytes > 64 ? 64 : (int)text.len_bytes;
    snprintf(reader->error, FAKEETCD_JSON_ERROR_BYTES,
             "json: cannot unmarshal number %.*s into Go value of type %s", len,
             (const char *)text.data, type);
    return false;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && fakeetcd_json_is_blank(*reader->at)) {
        reader->at++;
    }
}

/* The value's text, without what stands around it. */
static struct rt_slice skip_value(struct reader *reader)
{
    const uint8_t *start = reader->at;
    reader->at = fakeetcd_json_skip(reader->at, reader->end);
    return rt_slice_of(start, (size_t)(reader->at - start));
}

static bool is_null(const struct reader *reader)
{
    return *reader->at == 'n';
}
