/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/dscall_request.h"

#include <stdlib.h>

#define VALUE_LIMIT_BYTES (UINT64_C(4) * 1024 * 1024 * 1024)

static const char *take_fields(struct request *request);
static const char *take_keys(struct request *request, const json_t *keys);
static const char *take_one_value(struct request *request);
static const char *take_values(struct request *request, const json_t *texts);
static const char *take_reads(struct request *request);
static const char *add_value(struct request *request, struct rt_blob *blob);
static struct rt_blob *blob_of_hex(const json_t *text);
static struct rt_blob *blob_of_repeated(const json_t *text, uint64_t size_bytes);
static uint64_t number_of(const json_t *number);

/* Numbers are read as doubles: an offset of 2^64 - 1 is more than jansson's integers hold. */
const char *request_parse(const char *line, size_t len_bytes, struct request *out_request)
{
    *out_request = (struct request){0};
    out_request->json = json_loadb(line, len_bytes, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    out_request->op = json_string_value(json_object_get(out_request->json, "op"));
    if (out_request->op == NULL) {
        return "not a JSON object with an \"op\"";
    }
    return take_fields(out_request);
}

void request_fini(struct request *request)
{
    for (size_t i = 0; i < request->value_count; i++) {
        rt_blob_release(request->pieces[i].blob);
    }
    free(request->keys);
    free(request->values);
    free(request->pieces);
    free(request->reads);
    json_decref(request->json);
}

static bool parse_write_mode(const char *word, enum ds_write_mode *out_mode)
{
    static const char *const WORDS[] = {
        [DS_NONE_L2_CACHE] = "none",
        [DS_WRITE_THROUGH_L2_CACHE] = "through",
        [DS_WRITE_BACK_L2_CACHE] = "back",
        [DS_NONE_L2_CACHE_EVICT] = "evict",
        [DS_WRITE_BACK_L2_CACHE_EVICT] = "back_evict",
    };

    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (strcmp(word, WORDS[i]) == 0) {
            *out_mode = (enum ds_write_mode)i;
            return true;
        }
    }
    return false;
}

static const char *take_fields(struct request *request)
{
    const json_t *key = json_object_get(request->json, "key");
    const json_t *keys = json_object_get(request->json, "keys");
    const json_t *values = json_object_get(request->json, "values_hex");
    const char *mode = json_string_value(json_object_get(request->json, "write_mode"));
    const char *wrong = NULL;

    request->key = rt_slice_of(json_string_value(key), json_string_length(key));
    request->sub_timeout_ms =
        (int64_t)json_number_value(json_object_get(request->json, "sub_timeout_ms"));
    request->options.set.ttl_s = (uint32_t)number_of(json_object_get(request->json, "ttl_second"));
    request->options.set.only_if_absent = json_is_true(json_object_get(request->json, "nx"));
    request->options.is_transaction = json_is_true(json_object_get(request->json, "tx"));
    if (mode != NULL && !parse_write_mode(mode, &request->options.set.write_mode)) {
        return "unknown write_mode";
    }
    if (keys != NULL) {
        wrong = take_keys(request, keys);
    }
    if (wrong == NULL && values != NULL) {
        wrong = take_values(request, values);
    }
    if (wrong == NULL && strcmp(request->op, "set") == 0) {
        wrong = key == NULL ? "a set needs a key" : take_one_value(request);
    }
    if (wrong == NULL && strcmp(request->op, "read") == 0) {
        wrong = take_reads(request);
    }
    return wrong;
}

static const char *take_keys(struct request *request, const json_t *keys)
{
    size_t count = json_array_size(keys);

    request->keys = calloc(count + 1, sizeof(*request->keys));
    if (request->keys == NULL) {
        return "out of memory";
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *key = json_array_get(keys, i);
        if (!json_is_string(key)) {
            return "a key is not a text";
        }
        request->keys[i] = rt_slice_of(json_string_value(key), json_string_length(key));
    }
    request->key_count = count;
    return NULL;
}

static const char *make_room_for_values(struct request *request, size_t count)
{
    request->values = calloc(count + 1, sizeof(*request->values));
    request->pieces = calloc(count + 1, sizeof(*request->pieces));
    return request->values == NULL || request->pieces == NULL ? "out of memory" : NULL;
}

static const char *take_one_value(struct request *request)
{
    const json_t *repeat = json_object_get(request->json, "repeat_hex");
    const json_t *text = json_object_get(request->json, "value_hex");
    uint64_t size_bytes = number_of(json_object_get(request->json, "size"));
    const char *wrong = make_room_for_values(request, 1);

    if (wrong != NULL) {
        return wrong;
    }
    return add_value(request,
                     repeat != NULL ? blob_of_repeated(repeat, size_bytes) : blob_of_hex(text));
}

static const char *take_values(struct request *request, const json_t *texts)
{
    size_t count = json_array_size(texts);
    const char *wrong = make_room_for_values(request, count);

    for (size_t i = 0; wrong == NULL && i < count; i++) {
        wrong = add_value(request, blob_of_hex(json_array_get(texts, i)));
    }
    return wrong;
}

static const char *take_reads(struct request *request)
{
    const json_t *offsets = json_object_get(request->json, "offsets");
    const json_t *sizes = json_object_get(request->json, "sizes");

    request->reads = calloc(request->key_count + 1, sizeof(*request->reads));
    if (request->reads == NULL) {
        return "out of memory";
    }
    for (size_t i = 0; i < request->key_count; i++) {
        request->reads[i] = (struct ds_read){.key = request->keys[i],
                                             .offset_bytes = number_of(json_array_get(offsets, i)),
                                             .size_bytes = number_of(json_array_get(sizes, i))};
    }
    return NULL;
}

/* Takes the blob over. */
static const char *add_value(struct request *request, struct rt_blob *blob)
{
    if (blob == NULL) {
        return "a value is missing, not hexadecimal, or too large";
    }
    struct dsrpc_piece *piece = &request->pieces[request->value_count];
    *piece = (struct dsrpc_piece){.blob = blob, .bytes = rt_blob_slice(blob)};
    request->values[request->value_count++] = (struct dsrpc_value){
        .pieces = piece, .piece_count = 1, .total_bytes = piece->bytes.len_bytes};
    return NULL;
}

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    if (letter >= 'a' && letter <= 'f') {
        return letter - 'a' + 10;
    }
    return -1;
}

static struct rt_blob *blob_of_hex(const json_t *text)
{
    const char *letters = json_string_value(text);
    size_t len_bytes = json_string_length(text) / 2;
    uint8_t *data = NULL;

    if (letters == NULL || json_string_length(text) % 2 != 0) {
        return NULL;
    }
    struct rt_blob *blob = rt_blob_create(len_bytes, &data);
    for (size_t i = 0; blob != NULL && i < len_bytes; i++) {
        int high = digit_of(letters[2 * i]);
        int low = digit_of(letters[2 * i + 1]);
        if (high < 0 || low < 0) {
            rt_blob_release(blob);
            return NULL;
        }
        data[i] = (uint8_t)(high << 4 | low);
    }
    return blob;
}

/* As many whole units as fit into the size. */
static struct rt_blob *blob_of_repeated(const json_t *text, uint64_t size_bytes)
{
    struct rt_blob *unit = blob_of_hex(text);
    struct rt_blob *blob = NULL;
    uint8_t *data = NULL;

    if (unit != NULL && rt_blob_slice(unit).len_bytes > 0 && size_bytes <= VALUE_LIMIT_BYTES) {
        struct rt_slice bytes = rt_blob_slice(unit);
        size_t count = (size_t)size_bytes / bytes.len_bytes;
        blob = rt_blob_create(count * bytes.len_bytes, &data);
        for (size_t i = 0; blob != NULL && i < count; i++) {
            memcpy(data + i * bytes.len_bytes, bytes.data, bytes.len_bytes);
        }
    }
    rt_blob_release(unit);
    return blob;
}

static uint64_t number_of(const json_t *number)
{
    const double end = 18446744073709551616.0; /* 2^64 */
    double value = json_number_value(number);

    if (!(value > 0)) {
        return 0;
    }
    return value >= end ? UINT64_MAX : (uint64_t)value;
}
