/* SPDX-License-Identifier: Apache-2.0 */
/* What a field of the language is when it is neither a plain text nor a number: codes, operations,
 * keys, write modes. */
#include "connector/ds_client.h"
#include "harness/language/scenario_schema.h"
#include "wire/dsrpc/dsrpc.h"
#include "wire/grpc/grpc_code.h"

const struct doc_word scn__write_modes[] = {
    {"none", DS_NONE_L2_CACHE, "memory only, never evicted (the store's default)"},
    {"write-through", DS_WRITE_THROUGH_L2_CACHE, "needs a second level, which the fake has not"},
    {"write-back", DS_WRITE_BACK_L2_CACHE, "likewise"},
    {"evict", DS_NONE_L2_CACHE_EVICT, "memory only, may be evicted (what the connector uses)"},
    {"write-back-evict", DS_WRITE_BACK_L2_CACHE_EVICT, "needs a second level"},
    {NULL, 0, NULL},
};

/* A status: `OK`, `K_NOT_FOUND`, `NOT_FOUND` or a number. */
enum rt_status scn__read_code(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    struct rt_slice text = doc_text(node);

    (void)field;
    if (node->kind == DOC_KIND_SCALAR &&
        dsrpc_code_parse((const char *)text.data, text.len_bytes, destination)) {
        return RT_OK;
    }
    static const char *const words[] = {
#define CODE_WORD(name, number, text) "K_" #name,
        DSRPC_CODE_LIST(CODE_WORD)
#undef CODE_WORD
    };
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no status code is called like this");
    doc_error_allow(reader->errors, error, text, words, COUNT_OF(words));
    return RT_E_INVALID;
}

/* A gRPC code: `UNAVAILABLE` or a number. */
enum rt_status scn__read_grpc_code(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, void *destination)
{
    static const char *const words[] = {
#define GRPC_WORD(name, number, word) word,
        GRPC_CODE_LIST(GRPC_WORD)
#undef GRPC_WORD
    };
    int64_t number = 0;

    (void)field;
    if (node->kind == DOC_KIND_SCALAR && grpc_code_by_name(doc_text(node), destination)) {
        return RT_OK;
    }
    if (node->kind == DOC_KIND_SCALAR &&
        doc_parse_integer(doc_text(node), &number, NULL) == RT_OK && number >= 0 && number <= 16) {
        *(int32_t *)destination = (int32_t)number;
        return RT_OK;
    }
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no gRPC code is called like this");
    doc_error_allow(reader->errors, error, doc_text(node), words, COUNT_OF(words));
    return RT_E_INVALID;
}

enum rt_status scn__read_op(struct doc_reader *reader, const struct doc_field *field,
                            const struct doc_node *node, void *destination)
{
    struct rt_slice text = doc_text(node);
    enum dsrpc_op op;

    (void)field;
    if (node->kind == DOC_KIND_SCALAR &&
        dsrpc_op_parse((const char *)text.data, text.len_bytes, &op)) {
        *(int *)destination = (int)op;
        return RT_OK;
    }
    static const char *const words[] = {
#define OP_WORD(name, word, service, index, sends, returns) word,
        DSRPC_OP_LIST(OP_WORD)
#undef OP_WORD
    };
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no operation is called like this");
    doc_error_allow(reader->errors, error, text, words, COUNT_OF(words));
    return RT_E_INVALID;
}

/* A key: text, or `{repeat: k, count: 256}`. */
enum rt_status scn__read_key(struct doc_reader *reader, const struct doc_field *field,
                             const struct doc_node *node, void *destination)
{
    (void)field;
    if (node->kind == DOC_KIND_SCALAR) {
        *(const char **)destination = node->text;
        return RT_OK;
    }
    const struct doc_node *unit = doc_find(node, "repeat");
    const struct doc_node *count_node = doc_find(node, "count");
    int64_t count = 0;
    if (unit == NULL || count_node == NULL || unit->kind != DOC_KIND_SCALAR || node->count != 2) {
        struct doc_error *error =
            doc_error_add(reader->errors, node, "a key is text or {repeat: TEXT, count: N}");
        doc_error_help(reader->errors, error, "for example: key: {repeat: k, count: 256}");
        return RT_E_INVALID;
    }
    if (doc_read_integer(count_node, 0, 100000, reader->errors, &count) != RT_OK) {
        return RT_E_INVALID;
    }
    char *text = doc_alloc(reader->doc, unit->text_len_bytes * (size_t)count + 1);
    if (text == NULL) {
        return RT_E_NOMEM;
    }
    for (int64_t i = 0; i < count; i++) {
        memcpy(text + (size_t)i * unit->text_len_bytes, unit->text, unit->text_len_bytes);
    }
    *(const char **)destination = text;
    return RT_OK;
}

/* `a`, `[a, b]`, or `{count: 10001, pattern: "k-${i}"}`. */
enum rt_status scn__read_keys(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    struct doc_list *list = destination;
    const struct doc_node *pattern = doc_find(node, "pattern");
    const struct doc_node *count_node = doc_find(node, "count");
    int64_t count = 1;

    if (pattern != NULL && count_node != NULL && node->count == 2) {
        if (doc_read_integer(count_node, 0, 100000, reader->errors, &count) != RT_OK) {
            return RT_E_INVALID;
        }
    } else if (node->kind == DOC_KIND_SEQUENCE) {
        count = (int64_t)node->count;
    } else {
        pattern = NULL;
    }
    const char **keys = doc_alloc(reader->doc, sizeof(*keys) * ((size_t)count + 1));
    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    enum rt_status status = RT_OK;
    for (int64_t i = 0; i < count && status == RT_OK; i++) {
        const struct doc_node *item = node->kind == DOC_KIND_SEQUENCE ? node->items[i]
                                      : pattern != NULL               ? pattern
                                                                      : node;
        if (pattern != NULL) {
            char number[24];
            (void)snprintf(number, sizeof(number), "%lld", (long long)i);
            struct scn_variable index = {"i", number};
            item = scn__substitute(reader->doc, pattern, &index, 1);
            if (item == NULL) {
                return RT_E_NOMEM;
            }
        }
        status = scn__read_key(reader, field, item, &keys[i]);
    }
    list->items = keys;
    list->count = (size_t)count;
    return status;
}

/* One text or a list of texts. */
enum rt_status scn__read_texts(struct doc_reader *reader, const struct doc_field *field,
                               const struct doc_node *node, void *destination)
{
    struct doc_list *list = destination;
    size_t count = node->kind == DOC_KIND_SEQUENCE ? node->count : 1;
    const char **texts = doc_alloc(reader->doc, sizeof(*texts) * (count + 1));

    (void)field;
    if (texts == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct doc_node *item = node->kind == DOC_KIND_SEQUENCE ? node->items[i] : node;
        enum rt_status status = doc_read_text(item, reader->errors, &texts[i]);
        if (status != RT_OK) {
            return status;
        }
    }
    list->items = texts;
    list->count = count;
    return RT_OK;
}

/* The mode of an object, which is a number in the store. */
enum rt_status scn__read_mode(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    (void)field;
    for (size_t i = 0; scn__write_modes[i].name != NULL; i++) {
        if (doc_is_text(node, scn__write_modes[i].name)) {
            *(int *)destination = scn__write_modes[i].value;
            return RT_OK;
        }
    }
    const char *words[] = {"none", "write-through", "write-back", "evict", "write-back-evict"};
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no write mode is called like this");
    doc_error_allow(reader->errors, error, doc_text(node), words, COUNT_OF(words));
    return RT_E_INVALID;
}
