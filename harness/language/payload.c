/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads: one row for each way to write one, with how it is checked and how it is made.
 */
#include "harness/language/payload.h"

#include <stdlib.h>

#include "connector/omni_serializer.h"
#include "connector/serializer/omni_dtype.h"
#include "document/quantity.h"
#include "runtime/hex.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE_LIMIT      ((uint64_t)4 << 30)
#define RANK_MAX        32
#define NESTED_MAX      100000

struct scn_payloads {
    struct omni_arena *arena;
    struct payload_entry *entries;
};

struct payload_entry {
    uint64_t node; /* address of the node, unique while the document lives */
    struct rt_blob *raw;
    const struct omni_value *value;
    struct payload_entry *next;
};

typedef enum rt_status check_fn(const struct doc_node *node, enum scn_payload_use use,
                                struct doc_error_list *errors);
typedef struct omni_value *make_fn(struct scn_payloads *payloads, const struct doc_node *node);

struct form {
    const char *word;
    bool is_raw; /* a plain client can send it */
    check_fn *check;
    make_fn *make;
};

static check_fn check_text, check_hex, check_repeat, check_tensor, check_map, check_list, check_int,
    check_float, check_bool, check_nil, check_encoded, check_nested;
static make_fn make_text, make_hex, make_repeat, make_tensor, make_map, make_list, make_int,
    make_float, make_bool, make_nil, make_encoded, make_nested;

static const struct form forms[] = {
    {"text", true, check_text, make_text},        {"hex", true, check_hex, make_hex},
    {"repeat", true, check_repeat, make_repeat},  {"encoded", true, check_encoded, make_encoded},
    {"tensor", false, check_tensor, make_tensor}, {"ndarray", false, check_tensor, make_tensor},
    {"image", false, check_tensor, make_tensor},  {"map", false, check_map, make_map},
    {"list", false, check_list, make_list},       {"int", false, check_int, make_int},
    {"float", false, check_float, make_float},    {"bool", false, check_bool, make_bool},
    {"nil", false, check_nil, make_nil},          {"nested", false, check_nested, make_nested},
};

static const struct form *form_of(const struct doc_node *node)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (doc_find(node, forms[i].word) != NULL) {
            return &forms[i];
        }
    }
    return NULL;
}

/* ---- checking ---- */

enum rt_status scn_payload_check(const struct doc_node *node, enum scn_payload_use use,
                                 struct doc_error_list *errors)
{
    const char *words[COUNT_OF(forms)];
    size_t count = 0;

    if (node->kind == DOC_KIND_SCALAR) {
        return RT_OK;
    }
    const struct form *form = form_of(node);
    if (form != NULL && (form->is_raw || use == SCN_PAYLOAD_VALUE)) {
        return form->check(node, use, errors);
    }
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (forms[i].is_raw || use == SCN_PAYLOAD_VALUE) {
            words[count++] = forms[i].word;
        }
    }
    struct doc_error *error =
        form != NULL
            ? doc_error_add(errors, node, "a plain client transfers bytes, not a %s", form->word)
            : doc_error_add(errors, node, "this is no payload");
    doc_error_allow(errors, error,
                    node->kind == DOC_KIND_MAPPING && node->count > 0 ? doc_text(node->pairs[0].key)
                                                                      : (struct rt_slice){0},
                    words, count);
    return RT_E_INVALID;
}

/* Only these keys, each once; the tree has no duplicates. */
static enum rt_status check_keys(const struct doc_node *node, struct doc_error_list *errors,
                                 const char *const *words, size_t count)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct doc_node *key = node->pairs[i].key;
        bool is_known = false;
        for (size_t k = 0; k < count; k++) {
            is_known = is_known || doc_is_text(key, words[k]);
        }
        if (!is_known) {
            struct doc_error *error = doc_error_add(errors, key, "unknown key in a payload");
            doc_error_allow(errors, error, doc_text(key), words, count);
            return RT_E_INVALID;
        }
    }
    return RT_OK;
}

static enum rt_status check_text(const struct doc_node *node, enum scn_payload_use use,
                                 struct doc_error_list *errors)
{
    static const char *const words[] = {"text"};
    const char *text = NULL;

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    return doc_read_text(doc_find(node, "text"), errors, &text);
}

static enum rt_status check_hex(const struct doc_node *node, enum scn_payload_use use,
                                struct doc_error_list *errors)
{
    static const char *const words[] = {"hex"};

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    return doc_check_hex(doc_find(node, "hex"), errors);
}

static enum rt_status check_repeat(const struct doc_node *node, enum scn_payload_use use,
                                   struct doc_error_list *errors)
{
    static const char *const words[] = {"repeat", "size"};
    const struct doc_node *unit = doc_find(node, "repeat");
    const struct doc_node *size = doc_find(node, "size");
    uint64_t size_bytes = 0;

    (void)use;
    if (check_keys(node, errors, words, 2) != RT_OK) {
        return RT_E_INVALID;
    }
    if (unit->kind != DOC_KIND_SCALAR || unit->text_len_bytes == 0 || size == NULL) {
        struct doc_error *error = doc_error_add(errors, node, "what is repeated, and up to where?");
        doc_error_help(errors, error, "for example: {repeat: ab, size: 4MiB}");
        return RT_E_INVALID;
    }
    if (doc_read_size(size, errors, &size_bytes) != RT_OK) {
        return RT_E_INVALID;
    }
    if (size_bytes > SIZE_LIMIT) {
        doc_error_add(errors, size, "a payload has at most 4GiB");
        return RT_E_INVALID;
    }
    return RT_OK;
}

static enum rt_status check_encoded(const struct doc_node *node, enum scn_payload_use use,
                                    struct doc_error_list *errors)
{
    static const char *const words[] = {"encoded"};

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    return scn_payload_check(doc_find(node, "encoded"), SCN_PAYLOAD_VALUE, errors);
}

struct tensor_spec {
    enum omni_kind kind;
    const char *type;
    int64_t shape[RANK_MAX];
    size_t rank;
    uint64_t size_bytes;
    int64_t fill; /* -1: ramp */
};

static enum rt_status read_shape(const struct doc_node *node, struct doc_error_list *errors,
                                 struct tensor_spec *spec)
{
    const struct doc_node *shape = doc_find(node, "shape");

    if (shape == NULL || shape->kind != DOC_KIND_SEQUENCE || shape->count > RANK_MAX) {
        struct doc_error *error = doc_error_add(errors, node, "a list `shape` is needed");
        doc_error_help(errors, error, "for example: {tensor: float32, shape: [2, 3], fill: ramp}");
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < shape->count; i++) {
        if (doc_read_integer(shape->items[i], 0, INT32_MAX, errors, &spec->shape[i]) != RT_OK) {
            return RT_E_INVALID;
        }
    }
    spec->rank = shape->count;
    return RT_OK;
}

static enum rt_status read_type(const struct doc_node *node, struct doc_error_list *errors,
                                struct tensor_spec *spec, size_t *out_element_bytes)
{
    const struct doc_node *tensor = doc_find(node, "tensor");
    const struct doc_node *ndarray = doc_find(node, "ndarray");
    const struct doc_node *type = tensor != NULL    ? tensor
                                  : ndarray != NULL ? ndarray
                                                    : doc_find(node, "image");
    struct omni_dtype dtype = {0};
    const char *why = "no such type";
    bool is_known = false;

    if (tensor != NULL) {
        spec->kind = OMNI_TENSOR;
        is_known = omni_dtype_of_torch(doc_text(type), &dtype);
    } else if (ndarray != NULL) {
        spec->kind = OMNI_NDARRAY;
        is_known = omni_dtype_of_numpy(doc_text(type), &dtype, &why);
    } else {
        spec->kind = OMNI_IMAGE;
        dtype.element_bytes = 1;
        is_known = omni_image_channels(doc_text(type)) > 0;
    }
    if (type->kind != DOC_KIND_SCALAR || !is_known) {
        doc_error_add(errors, type, "%s", why);
        return RT_E_INVALID;
    }
    spec->type = type->text;
    *out_element_bytes = dtype.element_bytes;
    return RT_OK;
}

static enum rt_status read_tensor(const struct doc_node *node, struct doc_error_list *errors,
                                  struct tensor_spec *spec)
{
    static const char *const words[] = {"tensor", "ndarray", "image", "shape", "fill"};
    const struct doc_node *fill = doc_find(node, "fill");
    size_t element_bytes = 0;
    size_t element_count = 0;

    if (check_keys(node, errors, words, COUNT_OF(words)) != RT_OK ||
        read_type(node, errors, spec, &element_bytes) != RT_OK ||
        read_shape(node, errors, spec) != RT_OK) {
        return RT_E_INVALID;
    }
    spec->fill = 0;
    if (fill != NULL && doc_is_text(fill, "ramp")) {
        spec->fill = -1;
    } else if (fill != NULL && doc_read_integer(fill, 0, 255, errors, &spec->fill) != RT_OK) {
        return RT_E_INVALID;
    }
    if (!omni_shape_count(spec->shape, spec->rank, &element_count) ||
        element_count > SIZE_LIMIT / element_bytes) {
        doc_error_add(errors, doc_find(node, "shape"), "a payload has at most 4GiB");
        return RT_E_INVALID;
    }
    spec->size_bytes = element_count * element_bytes;
    return RT_OK;
}

static enum rt_status check_tensor(const struct doc_node *node, enum scn_payload_use use,
                                   struct doc_error_list *errors)
{
    struct tensor_spec spec;

    (void)use;
    return read_tensor(node, errors, &spec);
}

static enum rt_status check_map(const struct doc_node *node, enum scn_payload_use use,
                                struct doc_error_list *errors)
{
    static const char *const words[] = {"map"};
    const struct doc_node *map = doc_find(node, "map");

    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    if (map->kind != DOC_KIND_MAPPING) {
        doc_error_add(errors, map, "a mapping from text to payload is needed here");
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (scn_payload_check(map->pairs[i].value, use, errors) != RT_OK) {
            return RT_E_INVALID;
        }
    }
    return RT_OK;
}

static enum rt_status check_list(const struct doc_node *node, enum scn_payload_use use,
                                 struct doc_error_list *errors)
{
    static const char *const words[] = {"list"};
    const struct doc_node *list = doc_find(node, "list");

    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    if (list->kind != DOC_KIND_SEQUENCE) {
        doc_error_add(errors, list, "a list of payloads is needed here");
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (scn_payload_check(list->items[i], use, errors) != RT_OK) {
            return RT_E_INVALID;
        }
    }
    return RT_OK;
}

static enum rt_status check_int(const struct doc_node *node, enum scn_payload_use use,
                                struct doc_error_list *errors)
{
    static const char *const words[] = {"int"};
    int64_t integer = 0;

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    return doc_read_integer(doc_find(node, "int"), INT64_MIN, INT64_MAX, errors, &integer);
}

static enum rt_status check_float(const struct doc_node *node, enum scn_payload_use use,
                                  struct doc_error_list *errors)
{
    static const char *const words[] = {"float"};
    const struct doc_node *number = doc_find(node, "float");
    char *end = NULL;

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    if (number->kind == DOC_KIND_SCALAR && number->text_len_bytes > 0) {
        (void)strtod(number->text, &end);
    }
    if (end == NULL || *end != '\0') {
        doc_error_add(errors, number, "not a number");
        return RT_E_INVALID;
    }
    return RT_OK;
}

static enum rt_status check_bool(const struct doc_node *node, enum scn_payload_use use,
                                 struct doc_error_list *errors)
{
    static const char *const words[] = {"bool"};
    bool boolean = false;

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    return doc_read_bool(doc_find(node, "bool"), errors, &boolean);
}

static enum rt_status check_nil(const struct doc_node *node, enum scn_payload_use use,
                                struct doc_error_list *errors)
{
    static const char *const words[] = {"nil"};

    (void)use;
    return check_keys(node, errors, words, 1);
}

static enum rt_status check_nested(const struct doc_node *node, enum scn_payload_use use,
                                   struct doc_error_list *errors)
{
    static const char *const words[] = {"nested"};
    int64_t depth = 0;

    (void)use;
    if (check_keys(node, errors, words, 1) != RT_OK) {
        return RT_E_INVALID;
    }
    return doc_read_integer(doc_find(node, "nested"), 1, NESTED_MAX, errors, &depth);
}

/* ---- making ---- */

static struct omni_value *make(struct scn_payloads *payloads, const struct doc_node *node)
{
    if (node->kind == DOC_KIND_SCALAR) {
        return omni_text(payloads->arena, doc_text(node));
    }
    const struct form *form = form_of(node);
    return form == NULL ? NULL : form->make(payloads, node);
}

static struct omni_value *make_text(struct scn_payloads *payloads, const struct doc_node *node)
{
    return omni_text(payloads->arena, doc_text(doc_find(node, "text")));
}

/* The arena keeps the blob; ours is given up. */
static struct omni_value *bytes_of(struct scn_payloads *payloads, struct rt_blob *blob)
{
    struct omni_value *value = blob == NULL ? NULL : omni_bytes_blob(payloads->arena, blob);

    rt_blob_release(blob);
    return value;
}

static struct omni_value *make_hex(struct scn_payloads *payloads, const struct doc_node *node)
{
    const struct doc_node *hex = doc_find(node, "hex");
    uint8_t *data = NULL;
    size_t bad_offset = 0;
    struct rt_blob *blob = rt_blob_create(hex->text_len_bytes / 2, &data);

    if (blob != NULL) {
        (void)rt_hex_read(doc_text(hex), data, &bad_offset); /* it was checked */
    }
    return bytes_of(payloads, blob);
}

/* Copies what is there already, so that filling takes few calls. */
static void fill_with(uint8_t *data, size_t size_bytes, const char *unit, size_t unit_bytes)
{
    size_t filled = unit_bytes < size_bytes ? unit_bytes : size_bytes;

    memcpy(data, unit, filled);
    while (filled < size_bytes) {
        size_t more = filled < size_bytes - filled ? filled : size_bytes - filled;
        memcpy(data + filled, data, more);
        filled += more;
    }
}

static struct omni_value *make_repeat(struct scn_payloads *payloads, const struct doc_node *node)
{
    const struct doc_node *unit = doc_find(node, "repeat");
    uint64_t size_bytes = 0;
    uint8_t *data = NULL;

    if (doc_parse_size(doc_text(doc_find(node, "size")), &size_bytes, NULL) != RT_OK) {
        return NULL;
    }
    struct rt_blob *blob = rt_blob_create((size_t)size_bytes, &data);
    if (blob != NULL && size_bytes > 0) {
        fill_with(data, (size_t)size_bytes, unit->text, unit->text_len_bytes);
    }
    return bytes_of(payloads, blob);
}

static struct omni_value *make_encoded(struct scn_payloads *payloads, const struct doc_node *node)
{
    struct omni_value *value = make(payloads, doc_find(node, "encoded"));
    struct omni_encoded encoded;
    struct omni_codec_error error;
    uint8_t *data = NULL;

    if (value == NULL || omni_encode(value, NULL, &encoded, &error) != RT_OK) {
        return NULL;
    }
    struct rt_blob *blob = rt_blob_create((size_t)encoded.value.total_bytes, &data);
    for (size_t i = 0; blob != NULL && i < encoded.value.piece_count; i++) {
        struct rt_slice piece = encoded.value.pieces[i].bytes;
        memcpy(data, piece.data, piece.len_bytes);
        data += piece.len_bytes;
    }
    omni_encoded_fini(&encoded);
    return bytes_of(payloads, blob);
}

static struct omni_value *make_tensor(struct scn_payloads *payloads, const struct doc_node *node)
{
    struct tensor_spec spec;
    uint8_t *data = NULL;

    if (read_tensor(node, NULL, &spec) != RT_OK) {
        return NULL;
    }
    struct rt_blob *blob = rt_blob_create((size_t)spec.size_bytes, &data);
    if (blob == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < spec.size_bytes; i++) {
        data[i] = (uint8_t)(spec.fill < 0 ? i : (uint64_t)spec.fill);
    }
    struct omni_value *value =
        omni_tensor(payloads->arena, spec.kind, spec.type, spec.shape, spec.rank, blob);
    rt_blob_release(blob);
    return value;
}

static struct omni_value *make_map(struct scn_payloads *payloads, const struct doc_node *node)
{
    const struct doc_node *map = doc_find(node, "map");
    struct omni_pair *pairs = omni_arena_alloc(payloads->arena, sizeof(*pairs) * (map->count + 1));

    for (size_t i = 0; pairs != NULL && i < map->count; i++) {
        pairs[i].key = omni_text(payloads->arena, doc_text(map->pairs[i].key));
        pairs[i].value = make(payloads, map->pairs[i].value);
        if (pairs[i].key == NULL || pairs[i].value == NULL) {
            return NULL;
        }
    }
    return pairs == NULL ? NULL : omni_map(payloads->arena, pairs, map->count);
}

static struct omni_value *make_list(struct scn_payloads *payloads, const struct doc_node *node)
{
    const struct doc_node *list = doc_find(node, "list");
    const struct omni_value **items =
        omni_arena_alloc(payloads->arena, sizeof(*items) * (list->count + 1));

    for (size_t i = 0; items != NULL && i < list->count; i++) {
        items[i] = make(payloads, list->items[i]);
        if (items[i] == NULL) {
            return NULL;
        }
    }
    return items == NULL ? NULL : omni_array(payloads->arena, items, list->count);
}

static struct omni_value *make_int(struct scn_payloads *payloads, const struct doc_node *node)
{
    int64_t integer = 0;

    if (doc_parse_integer(doc_text(doc_find(node, "int")), &integer, NULL) != RT_OK) {
        return NULL;
    }
    return omni_int(payloads->arena, integer);
}

static struct omni_value *make_float(struct scn_payloads *payloads, const struct doc_node *node)
{
    return omni_float(payloads->arena, strtod(doc_find(node, "float")->text, NULL));
}

static struct omni_value *make_bool(struct scn_payloads *payloads, const struct doc_node *node)
{
    return omni_bool(payloads->arena, doc_is_text(doc_find(node, "bool"), "true"));
}

static struct omni_value *make_nil(struct scn_payloads *payloads, const struct doc_node *node)
{
    (void)node;
    return omni_nil(payloads->arena);
}

/* Lists inside each other, around nil: more of them than the encoder's limit cannot be encoded. */
static struct omni_value *make_nested(struct scn_payloads *payloads, const struct doc_node *node)
{
    struct omni_value *value = omni_nil(payloads->arena);
    int64_t depth = 0;

    if (doc_parse_integer(doc_text(doc_find(node, "nested")), &depth, NULL) != RT_OK) {
        return NULL;
    }
    for (int64_t i = 0; value != NULL && i < depth; i++) {
        const struct omni_value **item = omni_arena_alloc(payloads->arena, sizeof(*item));
        if (item == NULL) {
            return NULL;
        }
        *item = value;
        value = omni_array(payloads->arena, item, 1);
    }
    return value;
}

/* ---- the cache ---- */

struct scn_payloads *scn_payloads_create(void)
{
    struct scn_payloads *payloads = calloc(1, sizeof(*payloads));

    if (payloads == NULL) {
        return NULL;
    }
    payloads->arena = omni_arena_create();
    if (payloads->arena == NULL) {
        free(payloads);
        return NULL;
    }
    return payloads;
}

void scn_payloads_destroy(struct scn_payloads *payloads)
{
    if (payloads == NULL) {
        return;
    }
    while (payloads->entries != NULL) {
        struct payload_entry *entry = payloads->entries;
        payloads->entries = entry->next;
        rt_blob_release(entry->raw);
        free(entry);
    }
    omni_arena_destroy(payloads->arena);
    free(payloads);
}

/* Few distinct payloads in one scenario: the list is short, and a repeated step finds its entry
 * first, since the last one used moves to the front. */
static struct payload_entry *entry_of(struct scn_payloads *payloads, const struct doc_node *node)
{
    struct payload_entry **link = &payloads->entries;

    while (*link != NULL && (*link)->node != (uint64_t)(uintptr_t)node) {
        link = &(*link)->next;
    }
    struct payload_entry *entry = *link;
    if (entry == NULL) {
        entry = calloc(1, sizeof(*entry));
        if (entry == NULL) {
            return NULL;
        }
        entry->node = (uint64_t)(uintptr_t)node;
    } else {
        *link = entry->next;
    }
    entry->next = payloads->entries;
    payloads->entries = entry;
    return entry;
}

const struct omni_value *scn_payload_value(struct scn_payloads *payloads,
                                           const struct doc_node *node)
{
    struct payload_entry *entry = entry_of(payloads, node);

    if (entry != NULL && entry->value == NULL) {
        entry->value = make(payloads, node);
    }
    return entry == NULL ? NULL : entry->value;
}

struct rt_blob *scn_payload_raw(struct scn_payloads *payloads, const struct doc_node *node)
{
    struct payload_entry *entry = entry_of(payloads, node);

    if (entry == NULL || entry->raw != NULL) {
        return entry == NULL ? NULL : entry->raw;
    }
    const struct omni_value *value = make(payloads, node);
    if (value == NULL) {
        return NULL;
    }
    entry->raw = value->body.blob != NULL ? rt_blob_retain(value->body.blob)
                                          : rt_blob_copy(value->body.bytes);
    return entry->raw;
}
