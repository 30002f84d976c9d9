/* SPDX-License-Identifier: Apache-2.0 */
#include "document/schema.h"

/*
 * One mapping, in the order things happen:
 *
 *   doc_schema_read --> read_pairs (known keys go to doc_field_read, unknown ones are reported)
 *                   --> check_missing
 *                   --> check_choice
 *
 * Every problem is added and reading goes on; `worst` keeps what to answer in the end.
 */
static enum rt_status read_pairs(struct doc_reader *reader, const struct doc_schema *schema,
                                 const struct doc_node *node, void *destination);
static enum rt_status check_missing(struct doc_reader *reader, const struct doc_schema *schema,
                                    const struct doc_node *node);
static enum rt_status check_choice(struct doc_reader *reader, const struct doc_schema *schema,
                                   const struct doc_node *node, void *destination);
static void report_unknown(struct doc_reader *reader, const struct doc_schema *schema,
                           const struct doc_node *key);
static enum rt_status read_word(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, int *out_value);
static enum rt_status read_list(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, struct doc_list *out_list);
static enum rt_status read_map(struct doc_reader *reader, const struct doc_field *field,
                               const struct doc_node *node, struct doc_list *out_list);

#define LARGEST_WORDS 256

/* Out of memory before invalid before fine. */
static enum rt_status worse(enum rt_status a, enum rt_status b)
{
    if (a == RT_E_NOMEM || b == RT_E_NOMEM) {
        return RT_E_NOMEM;
    }
    return a != RT_OK ? a : b;
}

static enum rt_status refuse_kind(struct doc_reader *reader, const struct doc_node *node,
                                  const char *what)
{
    doc_error_add(reader->errors, node, "%s is expected here, not %s", what, doc_describe(node));
    return RT_E_INVALID;
}

/* ---- a mapping -------------------------------------------------------------------------- */

enum rt_status doc_schema_read(struct doc_reader *reader, const struct doc_schema *schema,
                               const struct doc_node *node, void *destination)
{
    enum rt_status status;

    if (node == NULL || node->kind != DOC_KIND_MAPPING) {
        if (node == NULL) {
            doc_error_add_file(reader->errors, doc_get_source(reader->doc)->path,
                               "the file has no content");
            return RT_E_INVALID;
        }
        status = refuse_kind(reader, node, "a mapping");
        return status;
    }
    status = read_pairs(reader, schema, node, destination);
    status = worse(status, check_missing(reader, schema, node));
    return worse(status, check_choice(reader, schema, node, destination));
}

const struct doc_field *doc_schema_find(const struct doc_schema *schema, struct rt_slice key)
{
    size_t i;

    for (i = 0; i < schema->fields_count; i++) {
        if (rt_slice_is_text(key, schema->fields[i].key)) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

static enum rt_status read_pairs(struct doc_reader *reader, const struct doc_schema *schema,
                                 const struct doc_node *node, void *destination)
{
    enum rt_status status = RT_OK;
    size_t i;

    for (i = 0; i < node->count; i++) {
        const struct doc_pair *pair = &node->pairs[i];
        const struct doc_field *field = doc_schema_find(schema, doc_text(pair->key));

        if (field == NULL) {
            report_unknown(reader, schema, pair->key);
            status = worse(status, RT_E_INVALID);
            continue;
        }
        if (field->node_at != 0) {
            char *member = (char *)destination + field->node_at - 1;
            memcpy(member, &pair->value, sizeof(pair->value));
        }
        status = worse(status, doc_field_read(reader, field, pair->value,
                                              (char *)destination + field->offset));
    }
    return status;
}

static size_t list_keys(const struct doc_schema *schema, bool is_choice_only,
                        const char *out_words[LARGEST_WORDS])
{
    size_t count = 0;
    size_t i;

    for (i = 0; i < schema->fields_count && count < LARGEST_WORDS; i++) {
        if (!is_choice_only || schema->fields[i].is_choice) {
            out_words[count++] = schema->fields[i].key;
        }
    }
    return count;
}

static void report_unknown(struct doc_reader *reader, const struct doc_schema *schema,
                           const struct doc_node *key)
{
    const char *words[LARGEST_WORDS];
    size_t count = list_keys(schema, false, words);
    struct doc_error *error =
        doc_error_add(reader->errors, key, "%s has no key \"%s\"", schema->name, key->text);

    doc_error_allow(reader->errors, error, doc_text(key), words, count);
}

static enum rt_status check_missing(struct doc_reader *reader, const struct doc_schema *schema,
                                    const struct doc_node *node)
{
    enum rt_status status = RT_OK;
    size_t i;

    for (i = 0; i < schema->fields_count; i++) {
        const struct doc_field *field = &schema->fields[i];
        struct doc_error *error;

        if (!field->is_required || doc_find(node, field->key) != NULL) {
            continue;
        }
        error = doc_error_add(reader->errors, node, "%s needs the key \"%s\"", schema->name,
                              field->key);
        if (field->help != NULL) {
            doc_error_help(reader->errors, error, "%s: %s", field->key, field->help);
        }
        status = RT_E_INVALID;
    }
    return status;
}

static enum rt_status check_choice(struct doc_reader *reader, const struct doc_schema *schema,
                                   const struct doc_node *node, void *destination)
{
    const char *words[LARGEST_WORDS];
    size_t words_count = list_keys(schema, true, words);
    const struct doc_pair *chosen = NULL;
    struct doc_error *error;
    enum rt_status status = RT_OK;
    size_t i;

    if (words_count == 0) {
        return RT_OK;
    }
    for (i = 0; i < node->count; i++) {
        const struct doc_field *field = doc_schema_find(schema, doc_text(node->pairs[i].key));

        if (field == NULL || !field->is_choice) {
            continue;
        }
        if (chosen != NULL) {
            doc_error_add(reader->errors, node->pairs[i].key,
                          "%s is already a \"%s\" and cannot be a \"%s\" too", schema->name,
                          chosen->key->text, field->key);
            status = RT_E_INVALID;
            continue;
        }
        chosen = &node->pairs[i];
        if (schema->choice_at != 0) {
            memcpy((char *)destination + schema->choice_at - 1, &field->choice, sizeof(int));
        }
    }
    if (chosen == NULL) {
        error = doc_error_add(reader->errors, node, "%s needs one of these keys", schema->name);
        doc_error_allow(reader->errors, error, rt_slice_of(NULL, 0), words, words_count);
        status = RT_E_INVALID;
    }
    return status;
}

/* ---- a value ---------------------------------------------------------------------------- */

enum rt_status doc_field_read(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    bool is_bounded = field->min != 0 || field->max != 0;

    switch (field->kind) {
    case DOC_FIELD_TEXT:
        return doc_read_text(node, reader->errors, destination);
    case DOC_FIELD_WORD:
        return read_word(reader, field, node, destination);
    case DOC_FIELD_INTEGER:
        return doc_read_integer(node, is_bounded ? field->min : INT64_MIN,
                                is_bounded ? field->max : INT64_MAX, reader->errors, destination);
    case DOC_FIELD_BOOL:
        return doc_read_bool(node, reader->errors, destination);
    case DOC_FIELD_DURATION:
        return doc_read_duration(node, reader->errors, destination);
    case DOC_FIELD_SIZE:
        return doc_read_size(node, reader->errors, destination);
    case DOC_FIELD_RANGE:
        return doc_read_range(node, field->unit, reader->errors, destination);
    case DOC_FIELD_MAPPING:
        return doc_schema_read(reader, field->schema, node, destination);
    case DOC_FIELD_LIST:
        return read_list(reader, field, node, destination);
    case DOC_FIELD_MAP:
        return read_map(reader, field, node, destination);
    case DOC_FIELD_NODE:
        *(const struct doc_node **)destination = node;
        return RT_OK;
    case DOC_FIELD_CUSTOM:
        return field->read(reader, field, node, destination);
    }
    return RT_E_INVALID;
}

static enum rt_status read_word(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, int *out_value)
{
    const char *names[LARGEST_WORDS];
    size_t count = 0;
    struct doc_error *error;

    for (; field->words[count].name != NULL && count < LARGEST_WORDS; count++) {
        names[count] = field->words[count].name;
        if (doc_is_text(node, names[count])) {
            *out_value = field->words[count].value;
            return RT_OK;
        }
    }
    if (node->kind == DOC_KIND_SCALAR && node->text_len_bytes > 0) {
        error = doc_error_add(reader->errors, node,
                              "\"%s\" is not one of the words that may stand here", node->text);
    } else {
        error = doc_error_add(reader->errors, node, "a word is expected here, not %s",
                              doc_describe(node));
    }
    doc_error_allow(reader->errors, error, doc_text(node), names, count);
    return RT_E_INVALID;
}

/* Room for the elements; also checks the least count. */
static enum rt_status create_items(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, struct doc_list *out_list)
{
    if (node->count < field->min_count) {
        doc_error_add(reader->errors, node, "at least %zu %s expected here, not %zu",
                      field->min_count, field->min_count == 1 ? "entry is" : "entries are",
                      node->count);
        return RT_E_INVALID;
    }
    if (field->item_size_bytes != 0 && node->count > SIZE_MAX / 2 / field->item_size_bytes) {
        return RT_E_NOMEM;
    }
    out_list->items = doc_alloc(reader->doc, node->count * field->item_size_bytes);
    if (out_list->items == NULL) {
        return RT_E_NOMEM;
    }
    out_list->count = node->count;
    return RT_OK;
}

static enum rt_status read_item(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, char *element)
{
    if (field->item->node_at != 0) {
        memcpy(element + field->item->node_at - 1, &node, sizeof(node));
    }
    return doc_field_read(reader, field->item, node, element + field->item->offset);
}

static enum rt_status read_list(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, struct doc_list *out_list)
{
    struct doc_list list = {0};
    enum rt_status status;
    size_t i;

    if (node->kind != DOC_KIND_SEQUENCE) {
        return refuse_kind(reader, node, "a list");
    }
    status = create_items(reader, field, node, &list);
    for (i = 0; i < list.count; i++) {
        char *element = (char *)list.items + i * field->item_size_bytes;

        status = worse(status, read_item(reader, field, node->items[i], element));
    }
    *out_list = list;
    return status;
}

static enum rt_status read_map(struct doc_reader *reader, const struct doc_field *field,
                               const struct doc_node *node, struct doc_list *out_list)
{
    struct doc_list list = {0};
    enum rt_status status;
    size_t i;

    if (node->kind != DOC_KIND_MAPPING) {
        return refuse_kind(reader, node, "a mapping");
    }
    status = create_items(reader, field, node, &list);
    for (i = 0; i < list.count; i++) {
        char *element = (char *)list.items + i * field->item_size_bytes;
        struct doc_name *name = (struct doc_name *)(void *)element;

        name->node = node->pairs[i].key;
        status = worse(status, doc_read_text(name->node, reader->errors, &name->text));
        status = worse(status, read_item(reader, field, node->pairs[i].value, element));
    }
    *out_list = list;
    return status;
}
