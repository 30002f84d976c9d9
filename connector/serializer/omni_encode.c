/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <msgpack/pack.h>
#include <msgpack/timestamp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_serializer.h"
#include "connector/serializer/omni_codec.h"
#include "connector/serializer/omni_dtype.h"
#include "connector/serializer/omni_stack.h"
#include "runtime/utf8.h"

/*
 * Encoding walks the tree twice with the same code: once to check it and to measure headers and
 * pieces, once to write them into memory of exactly that size. The second walk cannot fail.
 *
 * msgpack-c writes the headers (it always takes the shortest form, as msgspec does); bodies over
 * the threshold become pieces of their own.
 */
#define BODY_REFERRED_BYTES 4096U

struct frame {
    const struct omni_value *value;
    size_t next; /* child */
    bool is_in_key;
};

struct writer {
    msgpack_packer packer;
    uint8_t *bytes;             /* NULL while measuring */
    struct dsrpc_piece *pieces; /* NULL while measuring */
    struct rt_blob *headers;
    size_t header_bytes;
    size_t run_start; /* header bytes from here on are in no piece yet */
    size_t piece_count;
    uint64_t total_bytes;
    uint64_t copied_bytes;
    struct omni_codec_error *error;
};

static enum rt_status walk(struct writer *writer, struct omni_stack *stack, uint32_t depth,
                           const struct omni_value *root);
static enum rt_status write_value(struct writer *writer, const struct omni_value *value,
                                  bool is_in_key);
static enum rt_status write_text(struct writer *writer, const struct omni_value *value);
static enum rt_status write_timestamp(struct writer *writer, const struct omni_value *value);
static enum rt_status write_extension(struct writer *writer, const struct omni_value *value);
static enum rt_status write_tensor(struct writer *writer, const struct omni_value *value);
static enum rt_status check_tensor(struct writer *writer, const struct omni_value *value,
                                   struct omni_dtype *out_dtype);
static void write_word(struct writer *writer, const char *word);
static int append(void *arg, const char *data, size_t len_bytes);
static void write_body(struct writer *writer, const struct omni_body *body);
static void close_run(struct writer *writer);
static enum rt_status refuse(struct writer *writer, const char *format, ...) RT_PRINTF(2, 3);
static void writer_init(struct writer *writer, struct omni_codec_error *error);
static enum rt_status start_writing(struct writer *writer, const struct writer *measured,
                                    struct dsrpc_piece few[OMNI_FEW_PIECES]);

enum rt_status omni_encode(const struct omni_value *value,
                           const struct omni_serializer_limits *limits,
                           struct omni_encoded *out_encoded, struct omni_codec_error *out_error)
{
    struct omni_stack stack;
    struct writer measured;
    struct writer writer;
    uint32_t depth = omni__codec_depth(limits);

    omni__stack_init(&stack, sizeof(struct frame));
    writer_init(&measured, out_error);
    writer_init(&writer, out_error);
    enum rt_status status = walk(&measured, &stack, depth, value);
    if (status == RT_OK) {
        status = start_writing(&writer, &measured, out_encoded->few);
    }
    if (status == RT_OK) {
        /* Checked by the first walk, and the stack has grown already: this cannot fail. */
        status = walk(&writer, &stack, depth, value);
        out_encoded->value = (struct dsrpc_value){.pieces = writer.pieces,
                                                  .piece_count = writer.piece_count,
                                                  .total_bytes = writer.total_bytes};
        out_encoded->copied_bytes = writer.copied_bytes;
        out_encoded->headers = writer.headers;
        out_encoded->pieces = writer.pieces;
    }
    omni__stack_fini(&stack);
    return status;
}

static void writer_init(struct writer *writer, struct omni_codec_error *error)
{
    *writer = (struct writer){.error = error};
    msgpack_packer_init(&writer->packer, writer, append);
}

/* A small document is one piece, and most have few: those need no array of their own. */
static enum rt_status start_writing(struct writer *writer, const struct writer *measured,
                                    struct dsrpc_piece few[OMNI_FEW_PIECES])
{
    writer->headers = rt_blob_create(measured->header_bytes, &writer->bytes);
    if (writer->headers == NULL) {
        return RT_E_NOMEM;
    }
    writer->pieces = measured->piece_count <= OMNI_FEW_PIECES
                         ? few
                         : malloc(measured->piece_count * sizeof(*writer->pieces));
    if (writer->pieces == NULL) {
        rt_blob_release(writer->headers);
        return RT_E_NOMEM;
    }
    return RT_OK;
}

void omni_encoded_fini(struct omni_encoded *encoded)
{
    for (size_t i = 0; i < encoded->value.piece_count; i++) {
        if (encoded->pieces[i].blob != encoded->headers) {
            rt_blob_release(encoded->pieces[i].blob);
        }
    }
    rt_blob_release(encoded->headers);
    if (encoded->pieces != encoded->few) {
        free(encoded->pieces);
    }
    *encoded = (struct omni_encoded){.headers = NULL};
}

/* ---- the walk ------------------------------------------------------------------------------ */

static enum rt_status walk(struct writer *writer, struct omni_stack *stack, uint32_t depth,
                           const struct omni_value *root)
{
    const struct omni_value *value = root;
    bool is_in_key = false;
    for (;;) {
        enum rt_status status = write_value(writer, value, is_in_key);
        if (status != RT_OK) {
            return status;
        }
        if (value->kind == OMNI_ARRAY || value->kind == OMNI_MAP) {
            if (stack->count >= depth) {
                refuse(writer, "deeper than %" PRIu32 " levels", depth);
                return RT_E_LIMIT;
            }
            struct frame *pushed = omni__stack_push(stack);
            if (pushed == NULL) {
                return RT_E_NOMEM;
            }
            *pushed = (struct frame){.value = value, .next = 0, .is_in_key = is_in_key};
        }
        struct frame *frame;
        while ((frame = omni__stack_top(stack)) != NULL &&
               frame->next == omni__child_count(frame->value)) {
            omni__stack_pop(stack);
        }
        if (frame == NULL) {
            close_run(writer);
            return RT_OK;
        }
        value = omni__child(frame->value, frame->next);
        is_in_key = frame->is_in_key || (frame->value->kind == OMNI_MAP && frame->next % 2 == 0);
        frame->next++;
    }
}

/* The value itself; of a container only its header. */
static enum rt_status write_value(struct writer *writer, const struct omni_value *value,
                                  bool is_in_key)
{
    msgpack_packer *packer = &writer->packer;
    switch (value->kind) {
    case OMNI_NIL:
        msgpack_pack_nil(packer);
        return RT_OK;
    case OMNI_BOOL:
        (void)(value->boolean ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        return RT_OK;
    case OMNI_INT:
        msgpack_pack_int64(packer, value->integer);
        return RT_OK;
    case OMNI_UINT:
        msgpack_pack_uint64(packer, value->unsigned_integer);
        return RT_OK;
    case OMNI_FLOAT:
        msgpack_pack_double(packer, value->number);
        return RT_OK;
    case OMNI_TEXT:
        return write_text(writer, value);
    case OMNI_BYTES:
        if (value->body.bytes.len_bytes > UINT32_MAX) {
            return refuse(writer, "bytes longer than 4 GiB");
        }
        msgpack_pack_bin(packer, value->body.bytes.len_bytes);
        write_body(writer, &value->body);
        return RT_OK;
    case OMNI_ARRAY:
        if (value->array.count > UINT32_MAX) {
            return refuse(writer, "an array of 2^32 items or more");
        }
        msgpack_pack_array(packer, value->array.count);
        return RT_OK;
    case OMNI_TIMESTAMP:
        return write_timestamp(writer, value);
    case OMNI_EXTENSION:
        return write_extension(writer, value);
    case OMNI_MAP:
        if (value->map.count > UINT32_MAX) {
            return refuse(writer, "a map of 2^32 pairs or more");
        }
        if (is_in_key) {
            return refuse(writer, "a map cannot be a map's key");
        }
        msgpack_pack_map(packer, value->map.count);
        return RT_OK;
    case OMNI_TENSOR:
    case OMNI_NDARRAY:
    case OMNI_IMAGE:
        if (is_in_key) {
            return refuse(writer, "a tensor cannot be a map's key");
        }
        return write_tensor(writer, value);
    }
    return refuse(writer, "not a kind of value");
}

static enum rt_status write_text(struct writer *writer, const struct omni_value *value)
{
    struct rt_slice text = value->body.bytes;
    if (text.len_bytes > UINT32_MAX) {
        return refuse(writer, "text longer than 4 GiB");
    }
    /* Checked once: the second walk finds the same bytes. */
    size_t valid_bytes = writer->bytes == NULL ? rt_utf8_valid_bytes(text) : text.len_bytes;
    if (valid_bytes < text.len_bytes) {
        return refuse(writer, "text is not UTF-8 at its byte %zu", valid_bytes);
    }
    msgpack_pack_str(&writer->packer, text.len_bytes);
    write_body(writer, &value->body);
    return RT_OK;
}

static enum rt_status write_timestamp(struct writer *writer, const struct omni_value *value)
{
    msgpack_timestamp timestamp = {.tv_sec = value->timestamp.seconds,
                                   .tv_nsec = value->timestamp.nanoseconds};
    if (!omni__timestamp_is_valid(timestamp.tv_sec, timestamp.tv_nsec)) {
        return refuse(writer, "timestamp outside the years 1 to 9999, or of over 10^9 ns");
    }
    msgpack_pack_timestamp(&writer->packer, &timestamp);
    return RT_OK;
}

static enum rt_status write_extension(struct writer *writer, const struct omni_value *value)
{
    size_t len_bytes = value->extension.body.bytes.len_bytes;
    if (value->extension.code == OMNI_TIMESTAMP_CODE) {
        return refuse(writer, "extension -1 is the timestamp");
    }
    if (len_bytes > UINT32_MAX) {
        return refuse(writer, "extension longer than 4 GiB");
    }
    msgpack_pack_ext(&writer->packer, len_bytes, value->extension.code);
    write_body(writer, &value->extension.body);
    return RT_OK;
}

/* ---- tensors, arrays, images: a map with a marker, in upstream's key order ------------------ */

static enum rt_status write_tensor(struct writer *writer, const struct omni_value *value)
{
    struct omni_dtype dtype;
    msgpack_packer *packer = &writer->packer;
    enum rt_status status = check_tensor(writer, value, &dtype);
    if (status != RT_OK) {
        return status;
    }
    msgpack_pack_map(packer, 4);
    write_word(writer, omni__marker_of(value->kind));
    msgpack_pack_true(packer);
    write_word(writer, value->kind == OMNI_IMAGE ? "mode" : "dtype");
    write_word(writer, dtype.text);
    write_word(writer, "shape");
    msgpack_pack_array(packer, value->tensor.dimension_count);
    for (size_t i = 0; i < value->tensor.dimension_count; i++) {
        msgpack_pack_int64(packer, value->tensor.shape[i]);
    }
    write_word(writer, "data");
    msgpack_pack_bin(packer, value->tensor.body.bytes.len_bytes);
    write_body(writer, &value->tensor.body);
    return RT_OK;
}

static enum rt_status check_tensor(struct writer *writer, const struct omni_value *value,
                                   struct omni_dtype *out_dtype)
{
    const char *why = NULL;
    size_t len_bytes = value->tensor.body.bytes.len_bytes;
    for (size_t i = 0; i < value->tensor.dimension_count; i++) {
        if (value->tensor.shape[i] < 0) {
            return refuse(writer, "shape has the dimension %" PRId64, value->tensor.shape[i]);
        }
    }
    if (value->tensor.dimension_count > UINT32_MAX || len_bytes > UINT32_MAX) {
        return refuse(writer, "tensor larger than 4 GiB");
    }
    if (!omni__type_fits(value->kind, value->tensor.type, value->tensor.shape,
                         value->tensor.dimension_count, len_bytes, out_dtype, &why)) {
        struct rt_slice type = value->tensor.type;
        int shown = type.len_bytes > 40 ? 40 : (int)type.len_bytes;
        return refuse(writer, "%s: '%.*s', %zu bytes", why, shown, (const char *)type.data,
                      len_bytes);
    }
    return RT_OK;
}

static void write_word(struct writer *writer, const char *word)
{
    size_t len_bytes = strlen(word);
    msgpack_pack_str(&writer->packer, len_bytes);
    msgpack_pack_str_body(&writer->packer, word, len_bytes);
}

/* ---- bytes and pieces ---------------------------------------------------------------------- */

static int append(void *arg, const char *data, size_t len_bytes)
{
    struct writer *writer = arg;
    if (writer->bytes != NULL && len_bytes > 0) {
        memcpy(writer->bytes + writer->header_bytes, data, len_bytes);
    }
    writer->header_bytes += len_bytes;
    writer->total_bytes += len_bytes;
    return 0;
}

static void write_body(struct writer *writer, const struct omni_body *body)
{
    size_t len_bytes = body->bytes.len_bytes;
    if (len_bytes <= BODY_REFERRED_BYTES) {
        append(writer, (const char *)body->bytes.data, len_bytes);
        writer->copied_bytes += len_bytes;
        return;
    }
    close_run(writer);
    if (writer->pieces != NULL) {
        writer->pieces[writer->piece_count] = (struct dsrpc_piece){
            .blob = body->blob == NULL ? NULL : rt_blob_retain(body->blob),
            .bytes = body->bytes,
        };
    }
    writer->piece_count++;
    writer->total_bytes += len_bytes;
}

/* The headers written since the last body become one piece. */
static void close_run(struct writer *writer)
{
    size_t len_bytes = writer->header_bytes - writer->run_start;
    if (len_bytes == 0) {
        return;
    }
    if (writer->pieces != NULL) {
        writer->pieces[writer->piece_count] = (struct dsrpc_piece){
            .blob = writer->headers,
            .bytes = rt_slice_of(writer->bytes + writer->run_start, len_bytes),
        };
    }
    writer->piece_count++;
    writer->run_start = writer->header_bytes;
}

static enum rt_status refuse(struct writer *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    writer->error->offset_bytes = 0;
    vsnprintf(writer->error->text, sizeof(writer->error->text), format, arguments);
    va_end(arguments);
    return RT_E_INVALID;
}
