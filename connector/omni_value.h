/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_VALUE_H
#define CONNECTOR_OMNI_VALUE_H

#include "runtime/blob.h"

/*
 * The data that stages exchange: plain MessagePack values, and tensors, arrays and images.
 *
 * A value is a tree in one arena. Bodies (text, bytes, tensor data) are views: of the caller's
 * memory, of a blob the arena holds a reference on, or of the arena itself. Nothing is copied
 * unless the function says so.
 *
 * An arena is one thread's at a time; what is in it may be read by any number of threads once it is
 * complete. Kinds and their bytes: docs/reference/connector.md, "Values and bytes".
 */
enum omni_kind {
    OMNI_NIL,
    OMNI_BOOL,
    OMNI_INT,  /* -2^63 .. -1, and 0 .. 2^63-1 */
    OMNI_UINT, /* 2^63 .. 2^64-1 only */
    OMNI_FLOAT,
    OMNI_TEXT,
    OMNI_BYTES,
    OMNI_ARRAY,
    OMNI_MAP,
    OMNI_TIMESTAMP,
    OMNI_EXTENSION,
    OMNI_TENSOR,  /* torch */
    OMNI_NDARRAY, /* numpy */
    OMNI_IMAGE
};

struct omni_value;

struct omni_pair {
    const struct omni_value *key;
    const struct omni_value *value;
};

struct omni_body {
    struct rt_slice bytes;
    struct rt_blob *blob; /* what `bytes` lies in, when it does; borrowed from the arena */
};

struct omni_value {
    enum omni_kind kind;
    /* Of a decoded value: where it begins in its document; stands still at UINT32_MAX. */
    uint32_t offset_bytes;
    union {
        bool boolean;
        int64_t integer;
        uint64_t unsigned_integer;
        double number;
        struct omni_body body; /* text, bytes */
        struct {
            const struct omni_value *const *items;
            size_t count;
        } array;
        struct {
            const struct omni_pair *pairs;
            size_t count;
        } map;
        struct {
            int64_t seconds; /* since 1970, UTC; years 1 to 9999 */
            uint32_t nanoseconds;
        } timestamp;
        struct {
            int8_t code;
            struct omni_body body;
        } extension;
        struct {
            struct rt_slice type; /* dtype text; an image's mode */
            const int64_t *shape;
            size_t dimension_count;
            struct omni_body body;
        } tensor; /* tensor, ndarray, image */
    };
};

/* ---- making values ---- */

struct omni_arena;
RT_NODISCARD struct omni_arena *omni_arena_create(void); /* NULL: no memory */
/* All values in it end, and its references on blobs. NULL: nothing happens. */
void omni_arena_destroy(struct omni_arena *arena);
/* Aligned for anything, not zeroed, freed with the arena. NULL: no memory. */
RT_NODISCARD void *omni_arena_alloc(struct omni_arena *arena, size_t len_bytes);
void omni_arena_reset(struct omni_arena *arena); /* as new; keeps its first piece of memory */
/* The arena keeps a reference until it is destroyed or reset. RT_E_NOMEM: it has none. */
RT_NODISCARD enum rt_status omni_arena_hold(struct omni_arena *arena, struct rt_blob *blob);

/* Each gives NULL when memory is short, or when an item is NULL, so that only the outermost needs a
 * look. Views are not copied: they must outlive the value. Nothing is checked here: omni_encode()
 * refuses what MessagePack or Python could not hold. */
struct omni_value *omni_nil(struct omni_arena *arena);
struct omni_value *omni_bool(struct omni_arena *arena, bool boolean);
struct omni_value *omni_int(struct omni_arena *arena, int64_t integer);
struct omni_value *omni_uint(struct omni_arena *arena, uint64_t integer); /* < 2^63: OMNI_INT */
struct omni_value *omni_float(struct omni_arena *arena, double number);
struct omni_value *omni_text(struct omni_arena *arena, struct rt_slice text); /* UTF-8 */
struct omni_value *omni_bytes(struct omni_arena *arena, struct rt_slice bytes);
/* The whole blob; the arena takes a reference. Sent without a copy. */
struct omni_value *omni_bytes_blob(struct omni_arena *arena, struct rt_blob *blob);
/* The list is copied, the values in it are not: they lie in the same arena, or outlive it. */
struct omni_value *omni_array(struct omni_arena *arena, const struct omni_value *const *items,
                              size_t count);
struct omni_value *omni_map(struct omni_arena *arena, const struct omni_pair *pairs, size_t count);
/* `kind` is OMNI_TENSOR, OMNI_NDARRAY or OMNI_IMAGE; `type` "float32", "<f4", or a mode such as
 * "RGB". Type and shape (elements along each dimension) are copied. `data` is the whole of it, row
 * by row; the arena takes a reference. */
struct omni_value *omni_tensor(struct omni_arena *arena, enum omni_kind kind, const char *type,
                               const int64_t *shape, size_t dimension_count, struct rt_blob *data);

struct omni_value *omni_timestamp(struct omni_arena *arena, int64_t seconds, uint32_t nanoseconds);
/* Code -1 is the timestamp's. */
struct omni_value *omni_extension(struct omni_arena *arena, int8_t code, struct rt_slice bytes);

/* Deep equality: kinds, bytes, shapes; NaN equals NaN of the same bits; maps in order. */
bool omni_value_equal(const struct omni_value *a, const struct omni_value *b);

/* Maps that upstream turns into objects of its own; here they stay maps. Tested in this order. */
enum omni_object_kind {
    OMNI_OBJECT_NONE,
    OMNI_OBJECT_OMNI_REQUEST_OUTPUT, /* finished and (final_output_type or images) */
    OMNI_OBJECT_REQUEST_OUTPUT,
    OMNI_OBJECT_COMPLETION_OUTPUT
};
enum omni_object_kind omni_map_object_kind(const struct omni_value *map);

/* False for a map that upstream would recognise and then fail to turn into that object: it misses
 * prompt_logprobs, or cumulative_logprob, logprobs, an integer index. */
bool omni_map_is_object_complete(const struct omni_value *map);

/* The value of a text key, NULL when absent or not a map. */
const struct omni_value *omni_map_get(const struct omni_value *map, const char *key);

/* One line for humans: `tensor float32 [2, 3], 24 bytes`, `{"a": 1, ...}`; cut to fit into
 * `text_bytes`, the NUL included. */
void omni_value_describe(const struct omni_value *value, char *out_text, size_t text_bytes);

#endif
