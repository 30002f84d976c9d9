/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_SCHEMA_VISIT_H
#define DOCUMENT_SCHEMA_VISIT_H

#include "document/schema.h"

/* Inside document/ only. All schemas that one schema refers to, itself first, each once. */

#define DOC__LARGEST_SCHEMAS 256

struct doc__schema_set {
    const struct doc_schema *items[DOC__LARGEST_SCHEMAS];
    size_t count;
};

void doc__schema_collect(struct doc__schema_set *set, const struct doc_schema *schema);

/* The schema that a field, an item of it or an item of that refers to; NULL: none. */
const struct doc_schema *doc__field_schema(const struct doc_field *field);

#endif
