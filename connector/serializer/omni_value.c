/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_value.h"

/*
 * Constructors: each takes its value from the arena, and copies nothing but the lists. An item
 * that is NULL (its own constructor found no memory) makes the whole NULL.
 */
static struct omni_value *new_value(struct omni_arena *arena, enum omni_kind kind);

static struct omni_value *new_value(struct omni_arena *arena, enum omni_kind kind)
{
    struct omni_value *value = omni_arena_alloc(arena, sizeof(*value));
    if (value == NULL) {
        return NULL;
    }
    memset(value, 0, sizeof(*value));
    value->kind = kind;
    return value;
}

struct omni_value *omni_nil(struct omni_arena *arena)
{
    return new_value(arena, OMNI_NIL);
}

struct omni_value *omni_bool(struct omni_arena *arena, bool boolean)
{
    struct omni_value *value = new_value(arena, OMNI_BOOL);
    if (value != NULL) {
        value->boolean = boolean;
    }
    return value;
}

struct omni_value *omni_int(struct omni_arena *arena, int64_t integer)
{
    struct omni_value *value = new_value(arena, OMNI_INT);
    if (value != NULL) {
        value->integer = integer;
    }
    return value;
}

/* One kind for one number: OMNI_UINT only where int64_t ends. */
struct omni_value *omni_uint(struct omni_arena *arena, uint64_t integer)
{
    if (integer <= INT64_MAX) {
        return omni_int(arena, (int64_t)integer);
    }
    struct omni_value *value = new_value(arena, OMNI_UINT);
    if (value != NULL) {
        value->unsigned_integer = integer;
    }
    return value;
}

struct omni_value *omni_float(struct omni_arena *arena, double number)
{
    struct omni_value *value = new_value(arena, OMNI_FLOAT);
    if (value != NULL) {
        value->number = number;
    }
    return value;
}

struct omni_value *omni_text(struct omni_arena *arena, struct rt_slice text)
{
    struct omni_value *value = new_value(arena, OMNI_TEXT);
    if (value != NULL) {
        value->body.bytes = text;
    }
    return value;
}

struct omni_value *omni_bytes(struct omni_arena *arena, struct rt_slice bytes)
{
    struct omni_value *value = new_value(arena, OMNI_BYTES);
    if (value != NULL) {
        value->body.bytes = bytes;
    }
    return value;
}

struct omni_value *omni_bytes_blob(struct omni_arena *arena, struct rt_blob *blob)
{
    struct omni_value *value = omni_bytes(arena, rt_blob_slice(blob));
    if (value == NULL || omni_arena_hold(arena, blob) != RT_OK) {
        return NULL;
    }
    value->body.blob = blob;
    return value;
}

struct omni_value *omni_array(struct omni_arena *arena, const struct omni_value *const *items,
                              size_t count)
{
    struct omni_value *value = new_value(arena, OMNI_ARRAY);
    if (value == NULL || count > SIZE_MAX / sizeof(*items)) {
        return NULL;
    }
    const struct omni_value **copy = omni_arena_alloc(arena, count * sizeof(*copy));
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (items[i] == NULL) {
            return NULL;
        }
        copy[i] = items[i];
    }
    value->array.items = copy;
    value->array.count = count;
    return value;
}

struct omni_value *omni_map(struct omni_arena *arena, const struct omni_pair *pairs, size_t count)
{
    struct omni_value *value = new_value(arena, OMNI_MAP);
    if (value == NULL || count > SIZE_MAX / sizeof(*pairs)) {
        return NULL;
    }
    struct omni_pair *copy = omni_arena_alloc(arena, count * sizeof(*copy));
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].key == NULL || pairs[i].value == NULL) {
            return NULL;
        }
        copy[i] = pairs[i];
    }
    value->map.pairs = copy;
    value->map.count = count;
    return value;
}

/* The type text is short and often built on the fly, so it is copied. */
struct omni_value *omni_tensor(struct omni_arena *arena, enum omni_kind kind, const char *type,
                               const int64_t *shape, size_t dimension_count, struct rt_blob *data)
{
    struct omni_value *value = new_value(arena, kind);
    if (value == NULL || dimension_count > SIZE_MAX / sizeof(*shape)) {
        return NULL;
    }
    size_t type_bytes = strlen(type);
    char *type_copy = omni_arena_alloc(arena, type_bytes + 1);
    int64_t *shape_copy = omni_arena_alloc(arena, dimension_count * sizeof(*shape_copy));
    if (type_copy == NULL || shape_copy == NULL || omni_arena_hold(arena, data) != RT_OK) {
        return NULL;
    }
    memcpy(type_copy, type, type_bytes + 1);
    for (size_t i = 0; i < dimension_count; i++) {
        shape_copy[i] = shape[i];
    }
    value->tensor.type = rt_slice_of(type_copy, type_bytes);
    value->tensor.shape = shape_copy;
    value->tensor.dimension_count = dimension_count;
    value->tensor.body.bytes = rt_blob_slice(data);
    value->tensor.body.blob = data;
    return value;
}

struct omni_value *omni_timestamp(struct omni_arena *arena, int64_t seconds, uint32_t nanoseconds)
{
    struct omni_value *value = new_value(arena, OMNI_TIMESTAMP);
    if (value != NULL) {
        value->timestamp.seconds = seconds;
        value->timestamp.nanoseconds = nanoseconds;
    }
    return value;
}

struct omni_value *omni_extension(struct omni_arena *arena, int8_t code, struct rt_slice bytes)
{
    struct omni_value *value = new_value(arena, OMNI_EXTENSION);
    if (value != NULL) {
        value->extension.code = code;
        value->extension.body.bytes = bytes;
    }
    return value;
}

/* ---- maps ---------------------------------------------------------------------------------- */

const struct omni_value *omni_map_get(const struct omni_value *map, const char *key)
{
    if (map == NULL || map->kind != OMNI_MAP) {
        return NULL;
    }
    struct rt_slice wanted = rt_slice_text(key);
    for (size_t i = 0; i < map->map.count; i++) {
        const struct omni_value *candidate = map->map.pairs[i].key;
        if (candidate->kind == OMNI_TEXT && rt_slice_equal(candidate->body.bytes, wanted)) {
            return map->map.pairs[i].value;
        }
    }
    return NULL;
}

static bool has_all(const struct omni_value *map, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (omni_map_get(map, keys[i]) == NULL) {
            return false;
        }
    }
    return true;
}

enum omni_object_kind omni_map_object_kind(const struct omni_value *map)
{
    static const char *const request[] = {"request_id", "prompt", "prompt_token_ids", "outputs",
                                          "finished"};
    static const char *const completion[] = {"index", "text", "token_ids", "finish_reason"};

    if (omni_map_get(map, "finished") != NULL &&
        (omni_map_get(map, "final_output_type") != NULL || omni_map_get(map, "images") != NULL)) {
        return OMNI_OBJECT_OMNI_REQUEST_OUTPUT;
    }
    if (has_all(map, request, sizeof(request) / sizeof(request[0]))) {
        return OMNI_OBJECT_REQUEST_OUTPUT;
    }
    if (has_all(map, completion, sizeof(completion) / sizeof(completion[0]))) {
        return OMNI_OBJECT_COMPLETION_OUTPUT;
    }
    return OMNI_OBJECT_NONE;
}

bool omni_map_is_object_complete(const struct omni_value *map)
{
    static const char *const completion[] = {"cumulative_logprob", "logprobs"};
    switch (omni_map_object_kind(map)) {
    case OMNI_OBJECT_REQUEST_OUTPUT:
        return omni_map_get(map, "prompt_logprobs") != NULL;
    case OMNI_OBJECT_COMPLETION_OUTPUT:
        return has_all(map, completion, 2) && omni_map_get(map, "index")->kind == OMNI_INT;
    case OMNI_OBJECT_OMNI_REQUEST_OUTPUT:
    case OMNI_OBJECT_NONE:
        return true;
    }
    return true;
}
