/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_TREE_H
#define DOCUMENT_TREE_H

#include "document/error.h"
#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * A YAML or JSON file as an immutable tree in which every node knows its place.
 * One arena holds everything; doc_destroy() frees it all. One thread at a time.
 */

enum doc_mode {
    /* Scenarios and our own files: no tags, anchors, aliases, merge keys, directives or duplicate
     * keys, every key a scalar, every scalar stays text. The schema says what a scalar must be. */
    DOC_MODE_STRICT,
    /* Upstream's configuration files: what PyYAML's safe_load reads. Duplicates: last wins, with
     * a warning. Aliases and merge keys are expanded within the limits. */
    DOC_MODE_YAML11,
    /* JSON syntax only. Duplicates: last wins, with a warning, as Python's json module does. */
    DOC_MODE_JSON,
};

enum doc_kind { DOC_KIND_SCALAR, DOC_KIND_SEQUENCE, DOC_KIND_MAPPING };

enum doc_style {
    DOC_STYLE_PLAIN, /* scalars */
    DOC_STYLE_SINGLE_QUOTED,
    DOC_STYLE_DOUBLE_QUOTED,
    DOC_STYLE_LITERAL,
    DOC_STYLE_FOLDED,
    DOC_STYLE_FLOW, /* collections: [a] and {a: b} */
    DOC_STYLE_BLOCK,
};

/* What a scalar means. In DOC_MODE_STRICT always DOC_TYPE_TEXT. */
enum doc_type {
    DOC_TYPE_TEXT,
    DOC_TYPE_NULL,
    DOC_TYPE_BOOL,
    DOC_TYPE_INTEGER,
    DOC_TYPE_FLOAT,
    DOC_TYPE_TIMESTAMP,
};

struct doc_pair {
    const struct doc_node *key; /* always a scalar */
    const struct doc_node *value;
};

/* Fields below the line of another kind are zero. */
struct doc_node {
    const struct doc_source *source; /* the file, for errors */
    struct doc_position start;
    struct doc_position end; /* one past the last character */
    enum doc_kind kind;
    enum doc_style style;
    /* ---- scalars ---- */
    enum doc_type type;
    const char *text;      /* as the file means it, escapes resolved; NUL-terminated */
    size_t text_len_bytes; /* differs from strlen() when the text holds a NUL ("\0") */
    const char *canonical; /* as Python's str() prints the value: 007 -> "7", yes -> "True" */
    bool boolean;
    bool is_big;     /* an integer beyond int64_t: `integer` is saturated, `canonical` exact */
    int64_t integer; /* DOC_TYPE_INTEGER */
    double number;   /* DOC_TYPE_INTEGER and DOC_TYPE_FLOAT */
    /* ---- sequences ---- */
    const struct doc_node *const *items;
    /* ---- mappings ---- */
    const struct doc_pair *pairs; /* in file order; a key that was overwritten keeps its place */
    /* ---- sequences and mappings ---- */
    size_t count;
};

struct doc_limits {
    size_t size_bytes;
    size_t depth_count;
    size_t node_count;  /* expanded aliases count each time */
    size_t alias_count; /* how many aliases may be expanded */
};

#define DOC_DEFAULT_SIZE_BYTES  ((size_t)4 << 20)
#define DOC_DEFAULT_DEPTH_COUNT ((size_t)64)
#define DOC_DEFAULT_NODE_COUNT  ((size_t)1000000)
#define DOC_DEFAULT_ALIAS_COUNT ((size_t)1000)

struct doc;

/*
 * Reads a whole file. `limits` NULL means the defaults above.
 *
 *   RT_OK           *out_doc is the caller's
 *   RT_E_NOT_FOUND  no such file
 *   RT_E_IO         a directory, no permission, …
 *   RT_E_LIMIT      one of the limits
 *   RT_E_MALFORMED  not a document of this mode; STRICT collects several problems
 *   RT_E_NOMEM      `errors` may be empty then
 *
 * Every failure adds at least one error to `errors` (memory permitting).
 */
RT_NODISCARD enum rt_status doc_load_file(const char *path, enum doc_mode mode,
                                          const struct doc_limits *limits,
                                          struct doc_error_list *errors, struct doc **out_doc);

/* The same from memory; `name` stands where a path would. Both are copied. */
RT_NODISCARD enum rt_status doc_load_text(const char *name, struct rt_slice text,
                                          enum doc_mode mode, const struct doc_limits *limits,
                                          struct doc_error_list *errors, struct doc **out_doc);

void doc_destroy(struct doc *doc);

/* NULL for a file without a document (nothing but comments), which only YAML11 lets through. */
const struct doc_node *doc_root(const struct doc *doc);
const struct doc_source *doc_get_source(const struct doc *doc);

/* Duplicate keys that were overwritten, each with both positions. Never NULL. */
const struct doc_error_list *doc_warnings(const struct doc *doc);

/* Zeroed memory that lives as long as the document; NULL when out of memory. */
RT_NODISCARD void *doc_alloc(struct doc *doc, size_t size_bytes);

/* ---- looking at nodes ------------------------------------------------------------------- */

/* The value under `key` in a mapping; NULL when absent or when `node` is NULL or no mapping. */
const struct doc_node *doc_find(const struct doc_node *node, const char *key);
const struct doc_pair *doc_find_pair(const struct doc_node *node, const char *key);

/* True for a scalar with exactly this text. */
bool doc_is_text(const struct doc_node *node, const char *text);
bool doc_is_null(const struct doc_node *node);

/* The scalar's text, or the empty slice. */
struct rt_slice doc_text(const struct doc_node *node);

/* Same kinds, texts, types and order; positions and styles are not compared. */
bool doc_is_equal(const struct doc_node *a, const struct doc_node *b);

/* "a mapping", "a list", "text", "a number", … for messages. */
const char *doc_describe(const struct doc_node *node);

#endif
