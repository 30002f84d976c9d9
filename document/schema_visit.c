/* SPDX-License-Identifier: Apache-2.0 */
#include "document/schema_visit.h"

const struct doc_schema *doc__field_schema(const struct doc_field *field)
{
    while (field->kind == DOC_FIELD_LIST || field->kind == DOC_FIELD_MAP) {
        field = field->item;
    }
    return field->schema; /* a custom field may name one for the reference page */
}

static void add(struct doc__schema_set *set, const struct doc_schema *schema)
{
    size_t i;

    for (i = 0; i < set->count; i++) {
        if (set->items[i] == schema) {
            return;
        }
    }
    if (set->count < DOC__LARGEST_SCHEMAS) {
        set->items[set->count++] = schema;
    }
}

/* The set is the queue of its own walk; tables may refer to each other in circles. */
void doc__schema_collect(struct doc__schema_set *set, const struct doc_schema *schema)
{
    size_t next;
    size_t i;

    set->count = 0;
    add(set, schema);
    for (next = 0; next < set->count; next++) {
        for (i = 0; i < set->items[next]->fields_count; i++) {
            const struct doc_schema *found = doc__field_schema(&set->items[next]->fields[i]);

            if (found != NULL) {
                add(set, found);
            }
        }
    }
}
