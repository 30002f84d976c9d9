/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/language/etcd_message.h"

#include "document/quantity.h"
#include "runtime/glob.h"
#include "runtime/hex.h"

#include <inttypes.h>

#define FIELD_WORDS_MAX 64

static enum rt_status check_value(const ProtobufCFieldDescriptor *field,
                                  const struct doc_node *node, bool is_expectation,
                                  struct doc_error_list *errors);
static enum rt_status check_bytes(const struct doc_node *node, struct doc_error_list *errors);
static bool make_value(const ProtobufCFieldDescriptor *field, const struct doc_node *node,
                       struct doc *doc, void *destination);

/* ---- what a field is ---- */

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *descriptor,
                                                const char *name)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (strcmp(descriptor->fields[i].name, name) == 0) {
            return &descriptor->fields[i];
        }
    }
    return NULL;
}

static bool is_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_UINT32:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return sizeof(uint64_t);
    }
}

/* ---- checking ---- */

static enum rt_status refuse(struct doc_error_list *errors, const struct doc_node *node,
                             const char *message)
{
    (void)doc_error_add(errors, node, "%s", message);
    return RT_E_INVALID;
}

static enum rt_status unknown_field(const ProtobufCMessageDescriptor *descriptor,
                                    const struct doc_node *key, struct doc_error_list *errors)
{
    const char *words[FIELD_WORDS_MAX];
    size_t count = 0;
    struct doc_error *error =
        doc_error_add(errors, key, "%s has no field `%s`", descriptor->short_name, key->text);

    for (unsigned i = 0; i < descriptor->n_fields && count < FIELD_WORDS_MAX; i++) {
        words[count++] = descriptor->fields[i].name;
    }
    doc_error_allow(errors, error, rt_slice_text(key->text), words, count);
    return RT_E_INVALID;
}

enum rt_status scn_message_check(const ProtobufCMessageDescriptor *descriptor,
                                 const struct doc_node *node, bool is_expectation,
                                 struct doc_error_list *errors)
{
    enum rt_status verdict = RT_OK;

    if (node->kind != DOC_KIND_MAPPING) {
        return refuse(errors, node, "a message is a map of its fields");
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct doc_pair *pair = &node->pairs[i];
        const ProtobufCFieldDescriptor *field = field_of(descriptor, pair->key->text);
        enum rt_status status = RT_OK;
        if (field == NULL) {
            status = unknown_field(descriptor, pair->key, errors);
        } else if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            status = check_value(field, pair->value, is_expectation, errors);
        } else if (pair->value->kind != DOC_KIND_SEQUENCE) {
            status = refuse(errors, pair->value, "this field is a list");
        } else {
            for (size_t k = 0; k < pair->value->count && status == RT_OK; k++) {
                status = check_value(field, pair->value->items[k], is_expectation, errors);
            }
        }
        verdict = status != RT_OK ? status : verdict;
    }
    return verdict;
}

static enum rt_status check_enum(const ProtobufCFieldDescriptor *field, const struct doc_node *node,
                                 struct doc_error_list *errors)
{
    const ProtobufCEnumDescriptor *values = field->descriptor;
    const char *words[FIELD_WORDS_MAX];
    size_t count = 0;

    if (node->kind == DOC_KIND_SCALAR &&
        protobuf_c_enum_descriptor_get_value_by_name(values, node->text) != NULL) {
        return RT_OK;
    }
    struct doc_error *error = doc_error_add(errors, node, "not a %s", values->short_name);
    for (unsigned i = 0; i < values->n_values && count < FIELD_WORDS_MAX; i++) {
        words[count++] = values->values[i].name;
    }
    doc_error_allow(errors, error, doc_text(node), words, count);
    return RT_E_INVALID;
}

static enum rt_status check_value(const ProtobufCFieldDescriptor *field,
                                  const struct doc_node *node, bool is_expectation,
                                  struct doc_error_list *errors)
{
    struct doc_range range;
    int64_t number = 0;
    bool boolean = false;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return is_expectation && doc_is_text(node, "absent")
                   ? RT_OK
                   : scn_message_check(field->descriptor, node, is_expectation, errors);
    case PROTOBUF_C_TYPE_BYTES:
        return check_bytes(node, errors);
    case PROTOBUF_C_TYPE_ENUM:
        return check_enum(field, node, errors);
    case PROTOBUF_C_TYPE_BOOL:
        return doc_read_bool(node, errors, &boolean);
    default:
        return is_expectation ? doc_read_range(node, DOC_UNIT_NONE, errors, &range)
                              : doc_read_integer(node, INT64_MIN, INT64_MAX, errors, &number);
    }
}

static enum rt_status check_bytes(const struct doc_node *node, struct doc_error_list *errors)
{
    const struct doc_node *hex = doc_find(node, "hex");
    const struct doc_node *count = doc_find(node, "count");
    int64_t number = 0;
    bool is_everything = false;

    if (node->kind == DOC_KIND_SCALAR) {
        return RT_OK;
    }
    if (node->kind == DOC_KIND_MAPPING && node->count == 1 && hex != NULL &&
        hex->kind == DOC_KIND_SCALAR) {
        return doc_check_hex(hex, errors);
    }
    if (node->kind == DOC_KIND_MAPPING && node->count == 1 &&
        doc_find(node, "prefix-end") != NULL) {
        size_t len_bytes = doc_text(doc_find(node, "prefix-end")).len_bytes;
        return len_bytes > 0 && len_bytes <= SCN_PREFIX_BYTES_MAX
                   ? RT_OK
                   : refuse(errors, node, "a prefix has 1 to 1024 characters");
    }
    if (node->kind == DOC_KIND_MAPPING && node->count == 1 &&
        doc_find(node, "everything") != NULL) {
        enum rt_status status = doc_read_bool(doc_find(node, "everything"), errors, &is_everything);
        return status != RT_OK || is_everything
                   ? status
                   : refuse(errors, node, "`everything` can only be true");
    }
    if (node->kind == DOC_KIND_MAPPING && node->count == 2 && count != NULL &&
        doc_find(node, "repeat") != NULL) {
        return doc_read_integer(count, 1, 64 << 20, errors, &number);
    }
    return refuse(errors, node,
                  "bytes are text, {hex: ...}, {repeat: TEXT, count: N}, {prefix-end: TEXT} or "
                  "{everything: true}");
}

/* ---- making ---- */

ProtobufCMessage *scn_message_make(const ProtobufCMessageDescriptor *descriptor,
                                   const struct doc_node *node, struct doc *doc)
{
    ProtobufCMessage *message = doc_alloc(doc, descriptor->sizeof_message);

    if (message == NULL) {
        return NULL;
    }
    protobuf_c_message_init(descriptor, message);
    for (size_t i = 0; node != NULL && i < node->count; i++) {
        const struct doc_node *value = node->pairs[i].value;
        const ProtobufCFieldDescriptor *field = field_of(descriptor, node->pairs[i].key->text);
        char *member = (char *)message + field->offset;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            if (!make_value(field, value, doc, member)) {
                return NULL;
            }
            if (is_oneof(field)) {
                memcpy((char *)message + field->quantifier_offset, &field->id, sizeof(field->id));
            }
            continue;
        }
        size_t size_bytes = size_of(field);
        char *items = doc_alloc(doc, size_bytes * value->count + 1);
        if (items == NULL) {
            return NULL;
        }
        for (size_t k = 0; k < value->count; k++) {
            if (!make_value(field, value->items[k], doc, items + k * size_bytes)) {
                return NULL;
            }
        }
        memcpy(member, &items, sizeof(items));
        memcpy((char *)message + field->quantifier_offset, &value->count, sizeof(value->count));
    }
    return message;
}

size_t scn_message_prefix_end(struct rt_slice prefix, uint8_t *out_data)
{
    size_t len_bytes = prefix.len_bytes;

    memcpy(out_data, prefix.data, len_bytes);
    while (len_bytes > 0 && out_data[len_bytes - 1] == 0xff) {
        len_bytes--;
    }
    if (len_bytes == 0) {
        out_data[0] = 0;
        return 1;
    }
    out_data[len_bytes - 1]++;
    return len_bytes;
}

static bool make_bytes(const struct doc_node *node, struct doc *doc, ProtobufCBinaryData *out_bytes)
{
    const struct doc_node *hex = doc_find(node, "hex");
    const struct doc_node *repeat = doc_find(node, "repeat");
    const struct doc_node *prefix = doc_find(node, "prefix-end");

    if (node->kind == DOC_KIND_SCALAR) {
        *out_bytes = (ProtobufCBinaryData){node->text_len_bytes, (uint8_t *)node->text};
        return true;
    }
    size_t bad_offset = 0;
    int64_t times = 1;
    if (repeat != NULL) {
        (void)!doc_read_integer(doc_find(node, "count"), 1, 64 << 20, NULL, &times);
    }
    struct rt_slice part = doc_text(repeat != NULL ? repeat : prefix);
    size_t room_bytes = hex != NULL ? hex->text_len_bytes / 2 : part.len_bytes * (size_t)times;
    uint8_t *data = doc_alloc(doc, room_bytes + 1);
    if (data == NULL) {
        return false;
    }
    data[0] = 0;
    out_bytes->data = data;
    if (hex != NULL) {
        (void)rt_hex_read(doc_text(hex), data, &bad_offset); /* it was checked */
        out_bytes->len = room_bytes;
    } else if (repeat != NULL) {
        for (int64_t i = 0; i < times; i++) {
            memcpy(data + (size_t)i * part.len_bytes, part.data, part.len_bytes);
        }
        out_bytes->len = room_bytes;
    } else {
        out_bytes->len =
            prefix != NULL ? scn_message_prefix_end(part, data) : 1; /* everything: "\0" */
    }
    return true;
}

static bool make_value(const ProtobufCFieldDescriptor *field, const struct doc_node *node,
                       struct doc *doc, void *destination)
{
    int64_t number = 0;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE: {
        ProtobufCMessage *message = scn_message_make(field->descriptor, node, doc);
        memcpy(destination, &message, sizeof(message));
        return message != NULL;
    }
    case PROTOBUF_C_TYPE_BYTES:
        return make_bytes(node, doc, destination);
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, node->text);
        memcpy(destination, &value->value, sizeof(value->value));
        return true;
    }
    case PROTOBUF_C_TYPE_BOOL: {
        protobuf_c_boolean boolean = doc_is_text(node, "true");
        memcpy(destination, &boolean, sizeof(boolean));
        return true;
    }
    default:
        (void)!doc_read_integer(node, INT64_MIN, INT64_MAX, NULL, &number);
        memcpy(destination, &number, size_of(field));
        return true;
    }
}

/* ---- matching ---- */

void scn_message_print_bytes(struct rt_slice bytes, char *out_text, size_t text_bytes)
{
    size_t used = 0;

    out_text[0] = '\0';
    for (size_t i = 0; i < bytes.len_bytes && used + 5 < text_bytes; i++) {
        bool is_plain = bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f;
        used += (size_t)snprintf(out_text + used, text_bytes - used, is_plain ? "%c" : "\\x%02x",
                                 bytes.data[i]);
    }
}

static bool differs(struct scn_message_difference *difference, const struct doc_node *node,
                    const char *actual)
{
    difference->node = node;
    (void)snprintf(difference->expected, sizeof(difference->expected), "%s",
                   node->kind == DOC_KIND_SCALAR ? node->text : "as in the file");
    (void)snprintf(difference->actual, sizeof(difference->actual), "%s", actual);
    return false;
}

static int64_t number_of(const ProtobufCFieldDescriptor *field, const void *member)
{
    int64_t number = 0;
    uint32_t half = 0;

    if (size_of(field) == sizeof(number)) {
        memcpy(&number, member, sizeof(number));
        return number;
    }
    memcpy(&half, member, sizeof(half));
    return half;
}

static bool match_number(const ProtobufCFieldDescriptor *field, const void *member,
                         const struct doc_node *node, struct scn_message_difference *difference)
{
    struct doc_range range = {.unit = DOC_UNIT_NONE};
    struct doc_mistake mistake;
    int64_t number = number_of(field, member);
    char text[32];

    if (doc_parse_range(doc_text(node), DOC_UNIT_NONE, &range, &mistake) == RT_OK &&
        doc_range_has(&range, number)) {
        return true;
    }
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    return differs(difference, node, text);
}

static bool is_hex(const struct doc_node *hex, struct rt_slice actual)
{
    bool is_same = hex->text_len_bytes == 2 * actual.len_bytes;

    for (size_t i = 0; is_same && i < actual.len_bytes; i++) {
        uint8_t byte = 0;
        size_t bad_offset = 0;
        is_same = rt_hex_read(rt_slice_of(hex->text + 2 * i, 2), &byte, &bad_offset) &&
                  byte == actual.data[i];
    }
    return is_same;
}

static bool is_repeated(const struct doc_node *node, struct rt_slice actual)
{
    struct rt_slice part = doc_text(doc_find(node, "repeat"));
    int64_t times = 0;

    (void)!doc_read_integer(doc_find(node, "count"), 1, 64 << 20, NULL, &times);
    bool is_same = actual.len_bytes == part.len_bytes * (size_t)times;
    for (size_t i = 0; is_same && i < actual.len_bytes; i++) {
        is_same = actual.data[i] == part.data[i % part.len_bytes];
    }
    return is_same;
}

static bool is_prefix_end(struct rt_slice prefix, struct rt_slice actual)
{
    uint8_t end[SCN_PREFIX_BYTES_MAX];

    return prefix.len_bytes <= sizeof(end) &&
           rt_slice_equal(rt_slice_of(end, scn_message_prefix_end(prefix, end)), actual);
}

/* Text is a pattern; bytes that were written in another way are meant as they are. */
static bool match_bytes(const ProtobufCBinaryData *bytes, const struct doc_node *node,
                        struct scn_message_difference *difference)
{
    struct rt_slice actual = rt_slice_of(bytes->data, bytes->len);
    char text[160];
    bool is_same = false;

    if (node->kind == DOC_KIND_SCALAR) {
        is_same = rt_glob_matches(doc_text(node), actual);
    } else if (doc_find(node, "hex") != NULL) {
        is_same = is_hex(doc_find(node, "hex"), actual);
    } else if (doc_find(node, "repeat") != NULL) {
        is_same = is_repeated(node, actual);
    } else if (doc_find(node, "prefix-end") != NULL) {
        is_same = is_prefix_end(doc_text(doc_find(node, "prefix-end")), actual);
    } else { /* everything */
        is_same = rt_slice_equal(rt_slice_of("", 1), actual);
    }
    if (is_same) {
        return true;
    }
    scn_message_print_bytes(actual, text, sizeof(text));
    return differs(difference, node, text);
}

static bool match_value(const ProtobufCFieldDescriptor *field, const void *member,
                        const struct doc_node *node, struct scn_message_difference *difference)
{
    const ProtobufCMessage *message = NULL;
    protobuf_c_boolean boolean = 0;
    int32_t number = 0;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        memcpy(&message, member, sizeof(message));
        if (doc_is_text(node, "absent")) {
            return message == NULL || differs(difference, node, "present");
        }
        return message == NULL ? differs(difference, node, "absent")
                               : scn_message_match(message, node, difference);
    case PROTOBUF_C_TYPE_BYTES:
        return match_bytes(member, node, difference);
    case PROTOBUF_C_TYPE_BOOL:
        memcpy(&boolean, member, sizeof(boolean));
        return doc_is_text(node, "true") == (boolean != 0) ||
               differs(difference, node, boolean ? "true" : "false");
    case PROTOBUF_C_TYPE_ENUM: {
        memcpy(&number, member, sizeof(number));
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(field->descriptor, number);
        return (value != NULL && doc_is_text(node, value->name)) ||
               differs(difference, node, value == NULL ? "a number without a name" : value->name);
    }
    default:
        return match_number(field, member, node, difference);
    }
}

static bool match_list(const ProtobufCFieldDescriptor *field, const char *message,
                       const struct doc_node *node, struct scn_message_difference *difference)
{
    const char *items = NULL;
    size_t count = 0;
    char text[32];

    memcpy(&items, message + field->offset, sizeof(items));
    memcpy(&count, message + field->quantifier_offset, sizeof(count));
    if (count != node->count) {
        (void)snprintf(text, sizeof(text), "%zu of them", count);
        (void)differs(difference, node, text);
        (void)snprintf(difference->expected, sizeof(difference->expected), "%zu of them",
                       node->count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!match_value(field, items + i * size_of(field), node->items[i], difference)) {
            return false;
        }
    }
    return true;
}

/* A field of a oneof that was not chosen is as good as absent. */
static bool match_field(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
                        const struct doc_node *node, struct scn_message_difference *difference)
{
    uint32_t chosen = 0;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return match_list(field, (const char *)message, node, difference);
    }
    if (is_oneof(field)) {
        memcpy(&chosen, (const char *)message + field->quantifier_offset, sizeof(chosen));
        if (chosen != field->id) {
            return doc_is_text(node, "absent") || differs(difference, node, "absent");
        }
    }
    return match_value(field, (const char *)message + field->offset, node, difference);
}

bool scn_message_match(const ProtobufCMessage *message, const struct doc_node *node,
                       struct scn_message_difference *out_difference)
{
    for (size_t i = 0; i < node->count; i++) {
        const ProtobufCFieldDescriptor *field =
            field_of(message->descriptor, node->pairs[i].key->text);
        if (!match_field(field, message, node->pairs[i].value, out_difference)) {
            return false;
        }
    }
    return true;
}
