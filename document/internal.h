/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_INTERNAL_H
#define DOCUMENT_INTERNAL_H

#include "document/arena.h"
#include "document/source.h"
#include "document/tree.h"

/* Inside document/ only. */
struct doc {
    struct doc__arena arena;
    struct doc_source source;
    struct doc_error_list *warnings;
    const struct doc_node *root;
};

/* A node with what only the builder needs to know. */
struct doc__node {
    struct doc_node node; /* first, so that the two are one address */
    size_t weight_count;  /* nodes below and with it, aliases expanded */
    size_t height_count;  /* 1 for a scalar */
    bool has_tag;
};

/* Everything a load works with. */
struct doc__load {
    struct doc *doc;
    enum doc_mode mode;
    struct doc_limits limits;
    struct doc_error_list *errors;
};

/* Parses doc->source and sets doc->root. */
RT_NODISCARD enum rt_status doc__build(struct doc__load *load);

/* Settles the pairs of a mapping that has just ended: merge keys are expanded (YAML11), duplicates
 * are refused (STRICT) or the last one wins with a warning. `pairs` are those of the file; the
 * node gets its own. */
RT_NODISCARD enum rt_status doc__settle_pairs(struct doc__load *load, struct doc__node *mapping,
                                              const struct doc_pair *pairs, size_t pairs_count);

/* The meaning of an untagged plain scalar under PyYAML's safe_load; sets type and canonical.
 * JSON's numbers and words resolve by JSON's rules. RT_OK or RT_E_NOMEM. */
RT_NODISCARD enum rt_status doc__resolve_yaml11(struct doc__arena *arena, struct doc_node *node);
RT_NODISCARD enum rt_status doc__resolve_json(struct doc__arena *arena, struct doc_node *node);

/* Reads text as one type on demand of a tag (!!int "5"). RT_E_MALFORMED when it is none. */
RT_NODISCARD enum rt_status doc__resolve_as(struct doc__arena *arena, struct doc_node *node,
                                            enum doc_type type);

#endif
