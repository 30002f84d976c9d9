/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "connector/serializer/omni_codec.h"
#include "connector/serializer/omni_stack.h"
#include "runtime/utf8.h"

/*
 * Decoding reads value after value and hangs each into the container on top of an explicit stack:
 *
 *   read_value --container--> push;  --anything else--> hang in, and while the container on top is
 *                                                       full: close it, hang it into the next
 *
 * `owed` counts the values that open containers still announce. Each takes a byte or more, so a
 * header that announces more than the rest of the document could hold is a truncation, noticed
 * before anything is allocated for it: all lists together are never longer than the document.
 */
struct header {
    enum omni_kind kind; /* of the value; OMNI_EXTENSION also for timestamps */
    uint64_t number;     /* integer, bits of a float, length of a body, count of a container */
    uint8_t number_bytes;
    int8_t code; /* of an extension */
};

struct frame {
    struct omni_value *container;
    const struct omni_value **items;
    struct omni_pair *pairs;
    size_t next; /* child; of a map: key 0, value 0, key 1, ... */
    size_t count;
    size_t start; /* offset of the container's header */
    bool is_in_key;
};

struct decoder {
    struct rt_blob *blob;
    struct rt_slice bytes;
    size_t at;
    size_t start; /* of the value being read */
    struct omni_arena *arena;
    struct omni_stack stack;
    uint32_t depth;
    uint64_t items_left;
    uint64_t owed;
    struct omni_codec_error *error;
};

static enum rt_status decode(struct decoder *decoder, const struct omni_value **out_value);
static enum rt_status read_header(struct decoder *decoder, struct header *out_header);
static enum rt_status read_number(struct decoder *decoder, struct header *header);
static enum rt_status read_value(struct decoder *decoder, const struct header *header,
                                 struct omni_value **out_value);
static enum rt_status read_body(struct decoder *decoder, const struct header *header,
                                struct omni_value *value);
static enum rt_status read_timestamp(struct decoder *decoder, struct omni_value *value);
static enum rt_status open_container(struct decoder *decoder, const struct header *header,
                                     struct omni_value *value);
static enum rt_status hang_in(struct decoder *decoder, const struct omni_value *value,
                              const struct omni_value **out_root);
static enum rt_status close_container(struct decoder *decoder, const struct frame *frame);
static bool is_reading_key(struct decoder *decoder);
static enum rt_status fail(struct decoder *decoder, enum rt_status status, size_t offset,
                           const char *format, ...) RT_PRINTF(4, 5);

static const char TRUNCATED[] = "the document ends too early";

enum rt_status omni_decode(struct rt_blob *blob, struct omni_arena *arena,
                           const struct omni_serializer_limits *limits,
                           const struct omni_value **out_value, struct omni_codec_error *out_error)
{
    struct decoder decoder = {
        .blob = blob,
        .bytes = rt_blob_slice(blob),
        .arena = arena,
        .depth = omni__codec_depth(limits),
        .items_left = omni__codec_items(limits),
        .owed = 1,
        .error = out_error,
    };
    const struct omni_value *root = NULL;
    if (omni_arena_hold(arena, blob) != RT_OK) {
        return RT_E_NOMEM;
    }
    omni__stack_init(&decoder.stack, sizeof(struct frame));
    enum rt_status status = decode(&decoder, &root);
    omni__stack_fini(&decoder.stack);
    if (status == RT_OK) {
        *out_value = root;
    }
    return status;
}

static enum rt_status decode(struct decoder *decoder, const struct omni_value **out_value)
{
    while (*out_value == NULL) {
        struct header header = {.kind = OMNI_NIL};
        struct omni_value *value = NULL;
        decoder->start = decoder->at;
        enum rt_status status = read_header(decoder, &header);
        if (status == RT_OK && decoder->items_left == 0) {
            return fail(decoder, RT_E_LIMIT, decoder->start, "more values than allowed");
        }
        if (status == RT_OK) {
            decoder->items_left--;
            decoder->owed--;
            status = read_value(decoder, &header, &value);
        }
        /* A container that expects children stays on the stack until it has them. */
        if (status == RT_OK && value != NULL) {
            status = hang_in(decoder, value, out_value);
        }
        if (status != RT_OK) {
            return status;
        }
    }
    if (decoder->at != decoder->bytes.len_bytes) {
        return fail(decoder, RT_E_MALFORMED, decoder->at, "bytes follow the document");
    }
    return RT_OK;
}

/* ---- headers: one byte says the kind and how many bytes of number follow -------------------- */

static enum rt_status read_header(struct decoder *decoder, struct header *out_header)
{
    static const struct {
        enum omni_kind kind;
        uint8_t number_bytes;
    } rows[32] = {
        {OMNI_NIL, 0},       {OMNI_NIL, 0},       {OMNI_BOOL, 0},      {OMNI_BOOL, 0},
        {OMNI_BYTES, 1},     {OMNI_BYTES, 2},     {OMNI_BYTES, 4},     {OMNI_EXTENSION, 1},
        {OMNI_EXTENSION, 2}, {OMNI_EXTENSION, 4}, {OMNI_FLOAT, 4},     {OMNI_FLOAT, 8},
        {OMNI_UINT, 1},      {OMNI_UINT, 2},      {OMNI_UINT, 4},      {OMNI_UINT, 8},
        {OMNI_INT, 1},       {OMNI_INT, 2},       {OMNI_INT, 4},       {OMNI_INT, 8},
        {OMNI_EXTENSION, 0}, {OMNI_EXTENSION, 0}, {OMNI_EXTENSION, 0}, {OMNI_EXTENSION, 0},
        {OMNI_EXTENSION, 0}, {OMNI_TEXT, 1},      {OMNI_TEXT, 2},      {OMNI_TEXT, 4},
        {OMNI_ARRAY, 2},     {OMNI_ARRAY, 4},     {OMNI_MAP, 2},       {OMNI_MAP, 4},
    };
    if (decoder->at == decoder->bytes.len_bytes) {
        return fail(decoder, RT_E_MALFORMED, decoder->at, TRUNCATED);
    }
    uint8_t lead = decoder->bytes.data[decoder->at++];
    *out_header = (struct header){.kind = OMNI_INT};
    if (lead < 0x80) {
        out_header->number = lead;
    } else if (lead >= 0xe0) {
        out_header->number = (uint64_t)(int64_t)(int8_t)lead;
    } else if (lead < 0xa0) {
        out_header->kind = lead < 0x90 ? OMNI_MAP : OMNI_ARRAY;
        out_header->number = lead & 0x0f;
    } else if (lead < 0xc0) {
        out_header->kind = OMNI_TEXT;
        out_header->number = lead & 0x1f;
    } else if (lead == 0xc1) {
        return fail(decoder, RT_E_MALFORMED, decoder->start, "byte 0xc1 starts no value");
    } else {
        out_header->kind = rows[lead - 0xc0].kind;
        out_header->number_bytes = rows[lead - 0xc0].number_bytes;
        if (out_header->kind == OMNI_BOOL) {
            out_header->number = lead & 1;
        } else if (out_header->kind == OMNI_EXTENSION && out_header->number_bytes == 0) {
            out_header->number = 1U << (lead - 0xd4);
        }
        return read_number(decoder, out_header);
    }
    return RT_OK;
}

/* Big-endian; of signed integers the sign is carried up. An extension's code follows. */
static enum rt_status read_number(struct decoder *decoder, struct header *header)
{
    size_t needed_bytes = header->number_bytes + (header->kind == OMNI_EXTENSION ? 1U : 0U);
    if (decoder->bytes.len_bytes - decoder->at < needed_bytes) {
        return fail(decoder, RT_E_MALFORMED, decoder->start, TRUNCATED);
    }
    const uint8_t *bytes = decoder->bytes.data + decoder->at;
    if (header->number_bytes > 0) {
        bool is_negative = header->kind == OMNI_INT && bytes[0] >= 0x80;
        header->number = is_negative ? UINT64_MAX : 0;
        for (size_t i = 0; i < header->number_bytes; i++) {
            header->number = header->number << 8 | bytes[i];
        }
    }
    if (header->kind == OMNI_EXTENSION) {
        header->code = (int8_t)bytes[header->number_bytes];
    }
    decoder->at += needed_bytes;
    return RT_OK;
}

/* ---- values -------------------------------------------------------------------------------- */

static double widen(const struct header *header)
{
    double wide;
    if (header->number_bytes == 4) {
        uint32_t bits = (uint32_t)header->number;
        float narrow;
        memcpy(&narrow, &bits, sizeof(narrow));
        return (double)narrow;
    }
    memcpy(&wide, &header->number, sizeof(wide));
    return wide;
}

/* `*out_value` stays NULL for a container that waits for children. */
static enum rt_status read_value(struct decoder *decoder, const struct header *header,
                                 struct omni_value **out_value)
{
    enum rt_status status = RT_OK;
    struct omni_value *value = omni_nil(decoder->arena);
    if (value == NULL) {
        return RT_E_NOMEM;
    }
    value->kind = header->kind;
    value->offset_bytes = decoder->start < UINT32_MAX ? (uint32_t)decoder->start : UINT32_MAX;
    switch (header->kind) {
    case OMNI_BOOL:
        value->boolean = header->number != 0;
        break;
    case OMNI_INT:
        value->integer = (int64_t)header->number;
        break;
    case OMNI_UINT:
        if (header->number <= INT64_MAX) {
            value->kind = OMNI_INT;
            value->integer = (int64_t)header->number;
        } else {
            value->unsigned_integer = header->number;
        }
        break;
    case OMNI_FLOAT:
        value->number = widen(header);
        break;
    case OMNI_TEXT:
    case OMNI_BYTES:
    case OMNI_EXTENSION:
        status = read_body(decoder, header, value);
        break;
    case OMNI_ARRAY:
    case OMNI_MAP:
        status = open_container(decoder, header, value);
        if (header->number > 0) {
            return status;
        }
        break;
    default: /* nil; read_header() makes no other kind */
        break;
    }
    *out_value = value;
    return status;
}

static enum rt_status read_body(struct decoder *decoder, const struct header *header,
                                struct omni_value *value)
{
    if (decoder->bytes.len_bytes - decoder->at < header->number) {
        return fail(decoder, RT_E_MALFORMED, decoder->start, TRUNCATED);
    }
    struct omni_body body = {
        .bytes = rt_slice_of(decoder->bytes.data + decoder->at, (size_t)header->number),
        .blob = decoder->blob,
    };
    size_t body_start = decoder->at;
    decoder->at += (size_t)header->number;
    if (header->kind == OMNI_EXTENSION) {
        value->extension.code = header->code;
        value->extension.body = body;
        return header->code == OMNI_TIMESTAMP_CODE ? read_timestamp(decoder, value) : RT_OK;
    }
    value->body = body;
    size_t valid_bytes =
        header->kind == OMNI_TEXT ? rt_utf8_valid_bytes(body.bytes) : body.bytes.len_bytes;
    if (valid_bytes < body.bytes.len_bytes) {
        return fail(decoder, RT_E_MALFORMED, body_start + valid_bytes, "text is not UTF-8");
    }
    return RT_OK;
}

static uint64_t big_endian(const uint8_t *bytes, size_t len_bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len_bytes; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

/* 4 bytes: seconds; 8: 30 bits of nanoseconds, 34 of seconds; 12: 32 and 64 with a sign. */
static enum rt_status read_timestamp(struct decoder *decoder, struct omni_value *value)
{
    struct rt_slice bytes = value->extension.body.bytes;
    int64_t seconds = 0;
    uint32_t nanoseconds = 0;
    switch (bytes.len_bytes) {
    case 4:
        seconds = (int64_t)big_endian(bytes.data, 4);
        break;
    case 8: {
        uint64_t both = big_endian(bytes.data, 8);
        seconds = (int64_t)(both & 0x3ffffffffU);
        nanoseconds = (uint32_t)(both >> 34);
        break;
    }
    case 12:
        nanoseconds = (uint32_t)big_endian(bytes.data, 4);
        seconds = (int64_t)big_endian(bytes.data + 4, 8);
        break;
    default:
        return fail(decoder, RT_E_MALFORMED, decoder->start, "timestamp of %zu bytes",
                    bytes.len_bytes);
    }
    if (!omni__timestamp_is_valid(seconds, nanoseconds)) {
        return fail(decoder, RT_E_MALFORMED, decoder->start, "timestamp out of range");
    }
    value->kind = OMNI_TIMESTAMP;
    value->timestamp.seconds = seconds;
    value->timestamp.nanoseconds = nanoseconds;
    return RT_OK;
}

/* ---- containers ---------------------------------------------------------------------------- */

static enum rt_status open_container(struct decoder *decoder, const struct header *header,
                                     struct omni_value *value)
{
    bool is_in_key = is_reading_key(decoder);
    bool is_map = header->kind == OMNI_MAP;
    if (is_map && is_in_key) {
        return fail(decoder, RT_E_MALFORMED, decoder->start, "a map cannot be a map's key");
    }
    if (decoder->stack.count >= decoder->depth) {
        return fail(decoder, RT_E_LIMIT, decoder->start, "deeper than %" PRIu32 " levels",
                    decoder->depth);
    }
    decoder->owed += is_map ? 2 * header->number : header->number;
    if (decoder->owed > decoder->bytes.len_bytes - decoder->at) {
        return fail(decoder, RT_E_MALFORMED, decoder->start, TRUNCATED);
    }
    if (decoder->owed > decoder->items_left) {
        return fail(decoder, RT_E_LIMIT, decoder->start, "more values than allowed");
    }
    if (header->number == 0) {
        return RT_OK;
    }
    size_t count = (size_t)header->number; /* fits: no more than bytes are left */
    struct frame *frame = omni__stack_push(&decoder->stack);
    void *list = omni_arena_alloc(
        decoder->arena, count * (is_map ? sizeof(struct omni_pair) : sizeof(struct omni_value *)));
    if (frame == NULL || list == NULL) {
        return RT_E_NOMEM;
    }
    *frame = (struct frame){
        .container = value,
        .items = is_map ? NULL : list,
        .pairs = is_map ? list : NULL,
        .count = is_map ? 2 * count : count,
        .start = decoder->start,
        .is_in_key = is_in_key,
    };
    return RT_OK;
}

static bool is_reading_key(struct decoder *decoder)
{
    if (decoder->stack.count == 0) {
        return false;
    }
    const struct frame *frame = omni__stack_top(&decoder->stack);
    return frame->is_in_key || (frame->pairs != NULL && frame->next % 2 == 0);
}

/* A finished value goes into the container on top; one that is full is itself finished. */
static enum rt_status hang_in(struct decoder *decoder, const struct omni_value *value,
                              const struct omni_value **out_root)
{
    struct frame *frame;
    while ((frame = omni__stack_top(&decoder->stack)) != NULL) {
        if (frame->pairs == NULL) {
            frame->items[frame->next] = value;
        } else if (frame->next % 2 == 0) {
            frame->pairs[frame->next / 2].key = value;
        } else {
            frame->pairs[frame->next / 2].value = value;
        }
        frame->next++;
        if (frame->next < frame->count) {
            return RT_OK;
        }
        value = frame->container;
        enum rt_status status = close_container(decoder, frame);
        if (status != RT_OK) {
            return status;
        }
        omni__stack_pop(&decoder->stack);
    }
    *out_root = value;
    return RT_OK;
}

static enum rt_status close_container(struct decoder *decoder, const struct frame *frame)
{
    struct omni_value *container = frame->container;
    if (frame->pairs == NULL) {
        container->array.items = frame->items;
        container->array.count = frame->count;
        return RT_OK;
    }
    size_t count = frame->count / 2;
    enum rt_status status = omni__pairs_unite(frame->pairs, &count);
    if (status != RT_OK) {
        return status;
    }
    container->map.pairs = frame->pairs;
    container->map.count = count;
    decoder->error->offset_bytes = frame->start;
    return omni__map_restore(container, decoder->arena, decoder->error);
}

static enum rt_status fail(struct decoder *decoder, enum rt_status status, size_t offset,
                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    decoder->error->offset_bytes = offset;
    vsnprintf(decoder->error->text, sizeof(decoder->error->text), format, arguments);
    va_end(arguments);
    return status;
}
