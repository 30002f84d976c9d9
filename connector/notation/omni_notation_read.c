/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "connector/notation/omni_notation_internal.h"
#include "connector/omni_notation.h"
#include "connector/serializer/omni_codec.h"
#include "document/tree.h"
#include "runtime/utf8.h"

/*
 * A tree of JSON becomes a tree of values, from the root down. An object with a key that begins
 * with `$` is one of the forms below; every other object is a map with text keys.
 *
 * The document's depth is limited before this begins, so recursion is bounded: the deepest value
 * that encodes by default takes three levels of JSON ({"$map": [[key, value]]}) for each of its
 * own.
 */
#define DEPTH_LEVELS  ((size_t)OMNI_DEFAULT_DEPTH * 3 + 8)
#define TEXT_BYTES    ((size_t)6 << 30) /* 4 GiB as base64 */
#define VALUE_COUNT   ((size_t)OMNI_DEFAULT_ITEMS * 4)
#define OTHER_KEY_MAX 2

struct form {
    const char *word;
    const char *others[OTHER_KEY_MAX]; /* keys that stand beside it */
    struct omni_value *(*make)(struct omni__notation *notation, const struct doc_node *node,
                               const struct doc_node *own, bool is_key);
};

static struct omni_value *make(struct omni__notation *notation, const struct doc_node *node,
                               bool is_key);
static struct omni_value *make_scalar(struct omni__notation *notation, const struct doc_node *node);
static struct omni_value *make_integer(struct omni__notation *notation,
                                       const struct doc_node *node);
static struct omni_value *make_array(struct omni__notation *notation, const struct doc_node *node,
                                     bool is_key);
static struct omni_value *make_object(struct omni__notation *notation, const struct doc_node *node,
                                      bool is_key);
static struct omni_value *make_plain_map(struct omni__notation *notation,
                                         const struct doc_node *node, bool is_key);
static struct omni_value *make_map(struct omni__notation *notation, const struct doc_node *node,
                                   const struct doc_node *own, bool is_key);
static struct omni_value *make_int(struct omni__notation *notation, const struct doc_node *node,
                                   const struct doc_node *own, bool is_key);
static struct omni_value *make_float(struct omni__notation *notation, const struct doc_node *node,
                                     const struct doc_node *own, bool is_key);
static struct omni_value *make_bytes(struct omni__notation *notation, const struct doc_node *node,
                                     const struct doc_node *own, bool is_key);
static struct omni_value *make_extension(struct omni__notation *notation,
                                         const struct doc_node *node, const struct doc_node *own,
                                         bool is_key);
static struct omni_value *make_timestamp(struct omni__notation *notation,
                                         const struct doc_node *node, const struct doc_node *own,
                                         bool is_key);

static const struct form FORMS[] = {
    {"$map", {NULL}, make_map},
    {"$int", {NULL}, make_int},
    {"$float", {NULL}, make_float},
    {"$bytes", {NULL}, make_bytes},
    {"$extension", {"data", NULL}, make_extension},
    {"$timestamp", {NULL}, make_timestamp},
    {"$tensor", {"shape", "data"}, omni__notation_tensor},
    {"$ndarray", {"shape", "data"}, omni__notation_tensor},
    {"$image", {"shape", "data"}, omni__notation_tensor},
};
#define FORM_COUNT (sizeof(FORMS) / sizeof(FORMS[0]))

enum rt_status omni_notation_read(const char *name, struct rt_slice text, struct omni_arena *arena,
                                  struct doc_error_list *errors,
                                  const struct omni_value **out_value)
{
    static const struct doc_limits limits = {.size_bytes = TEXT_BYTES,
                                             .depth_count = DEPTH_LEVELS,
                                             .node_count = VALUE_COUNT,
                                             .alias_count = DOC_DEFAULT_ALIAS_COUNT};
    struct omni__notation notation = {.arena = arena, .errors = errors};
    struct doc *doc = NULL;
    enum rt_status status = doc_load_text(name, text, DOC_MODE_JSON, &limits, errors, &doc);

    if (status != RT_OK) {
        return status;
    }
    const struct doc_error_list *warnings = doc_warnings(doc);
    if (doc_error_count(warnings) > 0) {
        /* JSON readers drop the first of two; here nothing is dropped in silence. */
        const struct doc_error *first = doc_error_at(warnings, 0);
        struct doc_error *error = doc_error_add_file(errors, name, "line %u, column %u: %s",
                                                     first->line, first->column, first->message);
        doc_error_help(errors, error, "a map with one key twice is written as {\"$map\": [...]}");
        notation.status = RT_E_INVALID;
    }
    const struct omni_value *value =
        notation.status == RT_OK ? make(&notation, doc_root(doc), false) : NULL;
    if (value != NULL) {
        *out_value = value;
    } else if (notation.status == RT_OK) {
        notation.status = RT_E_NOMEM;
    }
    doc_destroy(doc);
    return notation.status;
}

struct doc_error *omni__notation_refuse(struct omni__notation *notation,
                                        const struct doc_node *node, const char *message)
{
    notation->status = RT_E_INVALID;
    return doc_error_add(notation->errors, node, "%s", message);
}

bool omni__notation_integer(struct omni__notation *notation, const struct doc_node *node,
                            int64_t min, int64_t max, int64_t *out_integer)
{
    if (node->kind == DOC_KIND_SCALAR && node->type == DOC_TYPE_INTEGER && !node->is_big &&
        node->integer >= min && node->integer <= max) {
        *out_integer = node->integer;
        return true;
    }
    notation->status = RT_E_INVALID;
    (void)doc_error_add(notation->errors, node, "an integer from %lld to %lld is needed, not %s",
                        (long long)min, (long long)max, doc_describe(node));
    return false;
}

/* ---- any value ----------------------------------------------------------------------------- */

static struct omni_value *make(struct omni__notation *notation, const struct doc_node *node,
                               bool is_key)
{
    switch (node->kind) {
    case DOC_KIND_SCALAR:
        return make_scalar(notation, node);
    case DOC_KIND_SEQUENCE:
        return make_array(notation, node, is_key);
    case DOC_KIND_MAPPING:
        return make_object(notation, node, is_key);
    }
    return NULL;
}

static struct omni_value *make_scalar(struct omni__notation *notation, const struct doc_node *node)
{
    struct rt_slice text = doc_text(node);

    switch (node->type) {
    case DOC_TYPE_NULL:
        return omni_nil(notation->arena);
    case DOC_TYPE_BOOL:
        return omni_bool(notation->arena, node->boolean);
    case DOC_TYPE_INTEGER:
        return make_integer(notation, node);
    case DOC_TYPE_FLOAT:
        if (!isfinite(node->number)) {
            struct doc_error *error =
                omni__notation_refuse(notation, node, "this number is too large for a float64");
            doc_error_help(notation->errors, error, "infinity is written {\"$float\": \"inf\"}");
            return NULL;
        }
        return omni_float(notation->arena, node->number);
    case DOC_TYPE_TEXT:
    case DOC_TYPE_TIMESTAMP:
        break;
    }
    if (rt_utf8_valid_bytes(text) < text.len_bytes) {
        (void)omni__notation_refuse(notation, node,
                                    "this text is no valid Unicode: half of a surrogate pair");
        return NULL;
    }
    char *copy = omni_arena_alloc(notation->arena, text.len_bytes + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text.data, text.len_bytes);
    return omni_text(notation->arena, rt_slice_of(copy, text.len_bytes));
}

/* -2^63 .. 2^64-1, digit by digit: a double would lose what is beyond 2^53. */
static struct omni_value *make_integer(struct omni__notation *notation, const struct doc_node *node)
{
    struct rt_slice text = doc_text(node);
    bool is_negative = text.len_bytes > 0 && text.data[0] == '-';
    uint64_t number = 0;
    bool is_number = text.len_bytes > (is_negative ? 1U : 0U);

    for (size_t i = is_negative ? 1 : 0; i < text.len_bytes && is_number; i++) {
        is_number = text.data[i] >= '0' && text.data[i] <= '9' &&
                    !__builtin_mul_overflow(number, 10U, &number) &&
                    !__builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number);
    }
    if (!is_number || (is_negative && number > (uint64_t)INT64_MAX + 1)) {
        (void)omni__notation_refuse(
            notation, node,
            "integers are -9223372036854775808 to 18446744073709551615, in decimal digits");
        return NULL;
    }
    if (is_negative) {
        return omni_int(notation->arena, number == 0 ? 0 : -1 - (int64_t)(number - 1));
    }
    return omni_uint(notation->arena, number);
}

static struct omni_value *make_array(struct omni__notation *notation, const struct doc_node *node,
                                     bool is_key)
{
    struct omni_value *array = omni_array(notation->arena, NULL, 0);
    const struct omni_value **items =
        omni_arena_alloc(notation->arena, (node->count + 1) * sizeof(*items));

    if (array == NULL || items == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        items[i] = make(notation, node->items[i], is_key);
        if (items[i] == NULL) {
            return NULL;
        }
    }
    array->array.items = items;
    array->array.count = node->count;
    return array;
}

/* ---- objects: forms and maps --------------------------------------------------------------- */

static bool opens_form(const struct doc_node *key)
{
    return key->text_len_bytes > 0 && key->text[0] == '$';
}

/* Nothing but the form's own keys, all of them. */
static bool has_its_keys(struct omni__notation *notation, const struct doc_node *node,
                         const struct form *form)
{
    const char *words[OTHER_KEY_MAX + 1] = {form->word};
    size_t word_count = 1;

    for (size_t i = 0; i < OTHER_KEY_MAX && form->others[i] != NULL; i++) {
        words[word_count++] = form->others[i];
        if (doc_find(node, form->others[i]) == NULL) {
            notation->status = RT_E_INVALID;
            (void)doc_error_add(notation->errors, node, "a %s needs the key \"%s\"", form->word,
                                form->others[i]);
            return false;
        }
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct doc_node *key = node->pairs[i].key;
        bool is_known = false;
        for (size_t k = 0; k < word_count; k++) {
            is_known = is_known || doc_is_text(key, words[k]);
        }
        if (!is_known) {
            struct doc_error *error =
                omni__notation_refuse(notation, key, "this key does not belong to the form");
            doc_error_allow(notation->errors, error, doc_text(key), words, word_count);
            return false;
        }
    }
    return true;
}

static struct omni_value *make_object(struct omni__notation *notation, const struct doc_node *node,
                                      bool is_key)
{
    const char *words[FORM_COUNT];
    const struct doc_pair *opening = NULL;

    for (size_t i = 0; i < node->count && opening == NULL; i++) {
        opening = opens_form(node->pairs[i].key) ? &node->pairs[i] : NULL;
    }
    if (opening == NULL) {
        return make_plain_map(notation, node, is_key);
    }
    for (size_t i = 0; i < FORM_COUNT; i++) {
        words[i] = FORMS[i].word;
        if (doc_is_text(opening->key, FORMS[i].word)) {
            return has_its_keys(notation, node, &FORMS[i])
                       ? FORMS[i].make(notation, node, opening->value, is_key)
                       : NULL;
        }
    }
    struct doc_error *error =
        omni__notation_refuse(notation, opening->key, "there is no such kind of value");
    doc_error_allow(notation->errors, error, doc_text(opening->key), words, FORM_COUNT);
    doc_error_help(notation->errors, error,
                   "a map with a key that begins with $ is written as {\"$map\": [...]}");
    return NULL;
}

static struct omni_value *new_map(struct omni__notation *notation, const struct doc_node *node,
                                  size_t count, bool is_key, struct omni_pair **out_pairs)
{
    struct omni_value *map = omni_map(notation->arena, NULL, 0);

    if (is_key) {
        (void)omni__notation_refuse(notation, node, "a map cannot be a map's key");
        return NULL;
    }
    *out_pairs = omni_arena_alloc(notation->arena, (count + 1) * sizeof(**out_pairs));
    if (map == NULL || *out_pairs == NULL) {
        return NULL;
    }
    map->map.pairs = *out_pairs;
    map->map.count = count;
    return map;
}

static struct omni_value *make_plain_map(struct omni__notation *notation,
                                         const struct doc_node *node, bool is_key)
{
    struct omni_pair *pairs = NULL;
    struct omni_value *map = new_map(notation, node, node->count, is_key, &pairs);

    for (size_t i = 0; map != NULL && i < node->count; i++) {
        pairs[i].key = make_scalar(notation, node->pairs[i].key);
        pairs[i].value = pairs[i].key == NULL ? NULL : make(notation, node->pairs[i].value, false);
        if (pairs[i].value == NULL) {
            return NULL;
        }
    }
    return map;
}

static struct omni_value *make_map(struct omni__notation *notation, const struct doc_node *node,
                                   const struct doc_node *own, bool is_key)
{
    struct omni_pair *pairs = NULL;

    if (own->kind != DOC_KIND_SEQUENCE) {
        (void)omni__notation_refuse(notation, own, "a $map is a list of pairs [KEY, VALUE]");
        return NULL;
    }
    struct omni_value *map = new_map(notation, node, own->count, is_key, &pairs);
    for (size_t i = 0; map != NULL && i < own->count; i++) {
        const struct doc_node *pair = own->items[i];
        if (pair->kind != DOC_KIND_SEQUENCE || pair->count != 2) {
            (void)omni__notation_refuse(notation, pair, "this is no pair [KEY, VALUE]");
            return NULL;
        }
        pairs[i].key = make(notation, pair->items[0], true);
        pairs[i].value = pairs[i].key == NULL ? NULL : make(notation, pair->items[1], false);
        if (pairs[i].value == NULL) {
            return NULL;
        }
    }
    return map;
}

/* ---- forms of one scalar ------------------------------------------------------------------- */

static struct omni_value *make_int(struct omni__notation *notation, const struct doc_node *node,
                                   const struct doc_node *own, bool is_key)
{
    (void)node;
    (void)is_key;
    if (own->kind != DOC_KIND_SCALAR) {
        (void)omni__notation_refuse(notation, own, "an $int is decimal digits, as text or number");
        return NULL;
    }
    return make_integer(notation, own);
}

static struct omni_value *make_float(struct omni__notation *notation, const struct doc_node *node,
                                     const struct doc_node *own, bool is_key)
{
    static const char *const words[] = {"nan", "inf", "-inf"};
    static const double numbers[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct rt_slice text = doc_text(own);
    double number = 0;
    char *end = NULL;

    (void)node;
    (void)is_key;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (rt_slice_is_text(text, words[i])) {
            return omni_float(notation->arena, numbers[i]);
        }
    }
    if (text.len_bytes == 18 && memcmp(text.data, "0x", 2) == 0) {
        uint64_t bits = strtoull(own->text + 2, &end, 16);
        if (end == own->text + 18) {
            memcpy(&number, &bits, sizeof(number));
            return omni_float(notation->arena, number);
        }
    }
    if (own->kind == DOC_KIND_SCALAR &&
        (own->type == DOC_TYPE_FLOAT || own->type == DOC_TYPE_INTEGER) && isfinite(own->number)) {
        return omni_float(notation->arena, own->number);
    }
    struct doc_error *error = omni__notation_refuse(notation, own, "this is no float64");
    doc_error_allow(notation->errors, error, text, words, sizeof(words) / sizeof(words[0]));
    doc_error_help(notation->errors, error,
                   "or a number, or its 64 bits as 16 hexadecimal digits: "
                   "\"0x7ff8000000000001\"");
    return NULL;
}

static struct omni_value *make_bytes(struct omni__notation *notation, const struct doc_node *node,
                                     const struct doc_node *own, bool is_key)
{
    struct rt_blob *blob = omni__notation_data(notation, own, OMNI__NO_SIZE);

    (void)node;
    (void)is_key;
    struct omni_value *value = blob == NULL ? NULL : omni_bytes_blob(notation->arena, blob);
    rt_blob_release(blob);
    return value;
}

static struct omni_value *make_extension(struct omni__notation *notation,
                                         const struct doc_node *node, const struct doc_node *own,
                                         bool is_key)
{
    int64_t code = 0;

    (void)is_key;
    if (!omni__notation_integer(notation, own, INT8_MIN, INT8_MAX, &code)) {
        return NULL;
    }
    if (code == OMNI_TIMESTAMP_CODE) {
        (void)omni__notation_refuse(notation, own,
                                    "extension -1 is the timestamp: {\"$timestamp\": [...]}");
        return NULL;
    }
    struct rt_blob *blob = omni__notation_data(notation, doc_find(node, "data"), OMNI__NO_SIZE);
    struct omni_value *value =
        blob == NULL || omni_arena_hold(notation->arena, blob) != RT_OK
            ? NULL
            : omni_extension(notation->arena, (int8_t)code, rt_blob_slice(blob));
    if (value != NULL) {
        value->extension.body.blob = blob;
    }
    rt_blob_release(blob);
    return value;
}

static struct omni_value *make_timestamp(struct omni__notation *notation,
                                         const struct doc_node *node, const struct doc_node *own,
                                         bool is_key)
{
    int64_t seconds = 0;
    int64_t nanoseconds = 0;

    (void)node;
    (void)is_key;
    if (own->kind != DOC_KIND_SEQUENCE || own->count < 1 || own->count > 2) {
        (void)omni__notation_refuse(notation, own,
                                    "a $timestamp is [SECONDS, NANOSECONDS] since 1970");
        return NULL;
    }
    if (!omni__notation_integer(notation, own->items[0], INT64_MIN, INT64_MAX, &seconds) ||
        (own->count == 2 &&
         !omni__notation_integer(notation, own->items[1], 0, 999999999, &nanoseconds))) {
        return NULL;
    }
    if (!omni__timestamp_is_valid(seconds, (uint32_t)nanoseconds)) {
        (void)omni__notation_refuse(notation, own->items[0], "outside the years 1 to 9999");
        return NULL;
    }
    return omni_timestamp(notation->arena, seconds, (uint32_t)nanoseconds);
}
