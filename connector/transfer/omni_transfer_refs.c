/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "connector/transfer/omni_transfer_internal.h"

/*
 * What stands behind input_connectors and output_connectors: the name of an entry of `connectors`,
 * or such an entry in place. An entry is {name: NAME, extra: {…}}; entries that nobody refers to
 * are not looked at, as upstream.
 */
#define HELPFUL_NAMES 32U

static const struct doc_node *find_entry(const struct omni__reader *reader,
                                         const struct doc_node *reference);
static enum rt_status undefined(struct omni__reader *reader, const struct doc_node *reference);
static enum rt_status read_entry(struct omni__reader *reader, const struct doc_node *entry,
                                 const struct doc_node *reference,
                                 struct omni__named_spec *out_spec);
static enum rt_status read_name(struct omni__reader *reader, const struct doc_node *entry,
                                const struct doc_node *reference,
                                struct omni__named_spec *out_spec);
static enum rt_status read_extra(struct omni__reader *reader, const struct doc_node *entry,
                                 const struct omni_value **out_extra);
static enum rt_status value_of(struct omni__reader *reader, const struct doc_node *extra,
                               const struct omni_value **out_extra);

/* ---- the names ----------------------------------------------------------------------------- */

/* Keys that are no texts cannot be referred to. */
enum rt_status omni__index_names(struct omni__reader *reader)
{
    const struct doc_node *connectors = reader->parts.connectors;
    enum rt_status status = RT_OK;

    if (connectors == NULL || connectors->kind != DOC_KIND_MAPPING || connectors->count == 0) {
        return RT_OK;
    }
    reader->name_list = omni_arena_alloc(reader->config->arena, HELPFUL_NAMES * sizeof(char *));
    struct omni__name *names =
        omni_arena_alloc(reader->config->arena, connectors->count * sizeof(*names));
    if (reader->name_list == NULL || names == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < connectors->count && status == RT_OK; i++) {
        const struct doc_node *key = connectors->pairs[i].key;
        struct omni__name *name = &names[i];

        if (key->type != DOC_TYPE_TEXT) {
            continue;
        }
        memset(name, 0, sizeof(*name));
        name->entry = connectors->pairs[i].value;
        RT_TABLE_ADD_BYTES(reader->names, name, key->text, key->text_len_bytes, &status);
        if (reader->name_list_count < HELPFUL_NAMES) {
            reader->name_list[reader->name_list_count++] = key->text;
        }
    }
    return status;
}

void omni__forget_references(struct omni__reader *reader)
{
    RT_TABLE_FORGET(reader->names);
    RT_TABLE_FORGET(reader->extras);
}

/* ---- one reference ------------------------------------------------------------------------- */

enum rt_status omni__read_reference(struct omni__reader *reader, const struct doc_node *reference,
                                    struct omni__named_spec *out_spec)
{
    bool is_name = reference->kind == DOC_KIND_SCALAR && reference->type == DOC_TYPE_TEXT;
    const struct doc_node *entry = is_name ? find_entry(reader, reference) : reference;

    if (entry == NULL) {
        return undefined(reader, reference);
    }
    if (entry->kind == DOC_KIND_MAPPING) {
        return read_entry(reader, entry, reference, out_spec);
    }
    if (is_name) {
        struct doc_error *error =
            doc_error_add(reader->errors, entry, "the connector \"%s\" is a mapping, not %s",
                          reference->text, doc_describe(entry));
        doc_error_help(reader->errors, error,
                       "write {name: TYPE, extra: {...}}; it is used at %u:%u",
                       reference->start.line, reference->start.column);
    } else {
        struct doc_error *error =
            doc_error_add(reader->errors, reference, "a connector is a name or a mapping, not %s",
                          doc_describe(reference));
        doc_error_help(reader->errors, error,
                       "put quotes around a name that looks like something else");
    }
    return RT_E_INVALID;
}

static const struct doc_node *find_entry(const struct omni__reader *reader,
                                         const struct doc_node *reference)
{
    struct omni__name *name = NULL;

    RT_TABLE_FIND_BYTES(reader->names, reference->text, reference->text_len_bytes, name);
    return name == NULL ? NULL : name->entry;
}

static enum rt_status undefined(struct omni__reader *reader, const struct doc_node *reference)
{
    const struct doc_node *connectors = reader->parts.connectors;
    struct doc_error *error = doc_error_add(reader->errors, reference,
                                            "Undefined connector reference: %s", reference->text);

    if (error == NULL) {
        return RT_E_INVALID;
    }
    if (connectors == NULL) {
        doc_error_help(reader->errors, error, "the file has no `connectors`");
    } else if (connectors->kind != DOC_KIND_MAPPING) {
        doc_error_help(reader->errors, error, "`connectors` at %u:%u is %s, not a mapping",
                       connectors->start.line, connectors->start.column, doc_describe(connectors));
    } else if (reader->name_list_count == 0) {
        doc_error_help(reader->errors, error, "`connectors` at %u:%u names none",
                       connectors->start.line, connectors->start.column);
    } else {
        doc_error_allow(reader->errors, error, doc_text(reference), reader->name_list,
                        reader->name_list_count);
        doc_error_help(reader->errors, error, "`connectors` is at %u:%u", connectors->start.line,
                       connectors->start.column);
    }
    return RT_E_INVALID;
}

/* ---- an entry ------------------------------------------------------------------------------ */

static enum rt_status read_entry(struct omni__reader *reader, const struct doc_node *entry,
                                 const struct doc_node *reference,
                                 struct omni__named_spec *out_spec)
{
    enum rt_status status = read_name(reader, entry, reference, out_spec);
    enum rt_status of_extra = read_extra(reader, entry, &out_spec->spec.extra);

    return status == RT_OK || of_extra == RT_E_NOMEM ? of_extra : status;
}

static enum rt_status read_name(struct omni__reader *reader, const struct doc_node *entry,
                                const struct doc_node *reference, struct omni__named_spec *out_spec)
{
    const struct doc_node *name = doc_find(entry, "name");

    if (name == NULL) {
        struct doc_error *error =
            doc_error_add(reader->errors, entry, "this connector has no `name`");
        doc_error_help(reader->errors, error,
                       "it is used at %u:%u; write name: YuanrongConnector, or another type",
                       reference->start.line, reference->start.column);
        return RT_E_INVALID;
    }
    if (name->kind != DOC_KIND_SCALAR || name->type != DOC_TYPE_TEXT ||
        strlen(name->text) != name->text_len_bytes) {
        struct doc_error *error = doc_error_add(
            reader->errors, name, "the name of a connector is text, not %s",
            name->kind == DOC_KIND_SCALAR && name->type == DOC_TYPE_TEXT ? "text with a NUL in it"
                                                                         : doc_describe(name));
        doc_error_help(reader->errors, error, "it is used at %u:%u", reference->start.line,
                       reference->start.column);
        return RT_E_INVALID;
    }
    out_spec->name_at = name->start;
    return omni__copy_text(reader->config->arena, doc_text(name), &out_spec->spec.name);
}

/* What Python's dict() makes empty counts as empty; a list of pairs does not count as a map. */
static enum rt_status read_extra(struct omni__reader *reader, const struct doc_node *entry,
                                 const struct omni_value **out_extra)
{
    const struct doc_node *extra = doc_find(entry, "extra");
    bool is_empty = extra == NULL || (extra->kind == DOC_KIND_SEQUENCE && extra->count == 0) ||
                    (extra->kind == DOC_KIND_SCALAR && extra->type == DOC_TYPE_TEXT &&
                     extra->text_len_bytes == 0);

    if (is_empty) {
        *out_extra = omni_map(reader->config->arena, NULL, 0);
        return *out_extra == NULL ? RT_E_NOMEM : RT_OK;
    }
    if (extra->kind != DOC_KIND_MAPPING) {
        struct doc_error *error = doc_error_add(
            reader->errors, extra, "`extra` is a mapping, not %s", doc_describe(extra));
        doc_error_help(reader->errors, error, "leave it out when the connector needs no options");
        return RT_E_INVALID;
    }
    return value_of(reader, extra, out_extra);
}

static enum rt_status value_of(struct omni__reader *reader, const struct doc_node *extra,
                               const struct omni_value **out_extra)
{
    struct omni__extra *known = NULL;
    uint64_t node = (uint64_t)(uintptr_t)extra;
    enum rt_status status;

    RT_TABLE_FIND_U64(reader->extras, node, known);
    if (known != NULL) {
        *out_extra = known->value;
        return RT_OK;
    }
    known = omni_arena_alloc(reader->config->arena, sizeof(*known));
    if (known == NULL) {
        return RT_E_NOMEM;
    }
    memset(known, 0, sizeof(*known));
    known->node = node;
    known->value = omni__value_of_node(reader->config->arena, extra);
    if (known->value == NULL) {
        return RT_E_NOMEM;
    }
    RT_TABLE_ADD_U64(reader->extras, known, node, &status);
    if (status == RT_OK) {
        *out_extra = known->value;
    }
    return status;
}
