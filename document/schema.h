/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_SCHEMA_H
#define DOCUMENT_SCHEMA_H

#include "document/quantity.h"
#include "document/tree.h"

/*
 * Constant tables that say which keys a mapping may have, what each means and where its value
 * goes in a C struct. One table feeds the reader, the reference page and the JSON Schema.
 *
 *   struct edge { const char *from; uint64_t timeout_us; };
 *
 *   static const struct doc_field edge_fields[] = {
 *       {.key = "from", .kind = DOC_FIELD_TEXT, .is_required = true,
 *        .offset = offsetof(struct edge, from), .help = "the sending stage"},
 *       {.key = "timeout", .kind = DOC_FIELD_DURATION, .preset = "1s",
 *        .offset = offsetof(struct edge, timeout_us), .help = "how long a get waits"},
 *   };
 *   static const struct doc_schema edge_schema = {
 *       .name = "edge", .fields = edge_fields, .fields_count = 2, .help = "one connector",
 *   };
 *
 * A struct is filled over what the caller put there, so defaults are set before reading.
 */

/* What a value must be, and the type of its destination. */
enum doc_field_kind {
    DOC_FIELD_TEXT,     /* const char * */
    DOC_FIELD_WORD,     /* int (or an enum): the value of one of `words` */
    DOC_FIELD_INTEGER,  /* int64_t within [min, max]; both 0: any */
    DOC_FIELD_BOOL,     /* bool */
    DOC_FIELD_DURATION, /* uint64_t µs */
    DOC_FIELD_SIZE,     /* uint64_t bytes */
    DOC_FIELD_RANGE,    /* struct doc_range in `unit` */
    DOC_FIELD_MAPPING,  /* the struct of `schema`, in place */
    DOC_FIELD_LIST,     /* struct doc_list: elements of `item_size_bytes`, each read as `item` */
    DOC_FIELD_MAP,      /* struct doc_list: the same under free keys; elements start with a
                           struct doc_name */
    DOC_FIELD_NODE,     /* const struct doc_node *: anything, read later by somebody else */
    DOC_FIELD_CUSTOM,   /* whatever `read` makes of it */
};

/* A word and its number; tables end with a row whose name is NULL. */
struct doc_word {
    const char *name;
    int value;
    const char *help;
};

/* Elements live in the document's memory. */
struct doc_list {
    void *items;
    size_t count;
};

/* The key of a DOC_FIELD_MAP element. */
struct doc_name {
    const char *text;
    const struct doc_node *node;
};

/* What a custom reader gets besides the node. */
struct doc_reader {
    struct doc *doc; /* doc_alloc() */
    struct doc_error_list *errors;
    void *arg; /* the caller's own */
};

struct doc_field;

/* Reads `node` into `destination` (already at the field's offset).
 * RT_OK, or RT_E_INVALID after adding an error, or RT_E_NOMEM. */
typedef enum rt_status doc_field_read_fn(struct doc_reader *reader, const struct doc_field *field,
                                         const struct doc_node *node, void *destination);

/* Member `node_at` of a field: keeps the value's node in a `const struct doc_node *` member, for
 * positions and to see whether the key was given. */
#define DOC_NODE_AT(type, member) (offsetof(type, member) + 1)

struct doc_field {
    const char *key; /* not used in `item` */
    const char *help;
    enum doc_field_kind kind;
    bool is_required;
    bool is_choice; /* one of the keys of which exactly one must be given; see doc_schema */
    size_t offset;
    size_t node_at;     /* DOC_NODE_AT(), or 0 for none */
    const char *preset; /* what holds when the key is absent, for the reference page */
    /* ---- by kind ---- */
    const struct doc_word *words;
    int64_t min;
    int64_t max;
    enum doc_unit unit;
    const struct doc_schema *schema;
    const struct doc_field *item; /* its offset is relative to the element */
    size_t item_size_bytes;
    size_t min_count; /* of a list or map */
    doc_field_read_fn *read;
    const char *shape;       /* DOC_FIELD_CUSTOM: how the value looks, for the reference page */
    const char *json_schema; /* DOC_FIELD_CUSTOM: a JSON object; NULL stands for anything */
    int choice;              /* is_choice: the number that goes to doc_schema.choice_at */
};

/*
 * A mapping with a closed set of keys. If any field has is_choice, exactly one of those must be
 * given (a step is `put:` or `get:` or …, beside `expect:`), and its `choice` is stored.
 */
struct doc_schema {
    const char *name; /* unique among the tables that refer to each other: a heading, a $defs key */
    const char *help;
    const struct doc_field *fields;
    size_t fields_count;
    size_t choice_at; /* DOC_NODE_AT() of an int member for the choice, or 0 */
    const char *example;
};

/*
 * Reads `node` by `schema` into the struct at `destination`; collects all problems.
 *
 *   RT_OK         all of it is valid
 *   RT_E_INVALID  at least one error was added; the destination is partly filled
 *   RT_E_NOMEM
 *
 * Texts and nodes in the destination are borrowed from `reader->doc`.
 */
RT_NODISCARD enum rt_status doc_schema_read(struct doc_reader *reader,
                                            const struct doc_schema *schema,
                                            const struct doc_node *node, void *destination);

/* One value by one field, for custom readers. `destination` is where the value goes. */
RT_NODISCARD enum rt_status doc_field_read(struct doc_reader *reader, const struct doc_field *field,
                                           const struct doc_node *node, void *destination);

/* NULL when there is none. */
const struct doc_field *doc_schema_find(const struct doc_schema *schema, struct rt_slice key);

/* A reference page: one section per schema, each printed once, in order of first mention. */
void doc_schema_print_markdown(FILE *out, const struct doc_schema *schema);

/* A JSON Schema (draft 2020-12), the other schemas under "$defs". */
void doc_schema_print_json_schema(FILE *out, const struct doc_schema *schema);

#endif
