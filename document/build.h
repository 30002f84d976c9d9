/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_BUILD_H
#define DOCUMENT_BUILD_H

#include <libfyaml.h>

#include "document/internal.h"

/* Inside document/ only. What the parts of the builder share; build.c tells the story. */

struct doc__open_collection {
    struct doc__node *node;
    size_t first_value;
    const char *anchor; /* NULL: none */
};

struct doc__anchor {
    const char *name;
    struct doc__node *node; /* NULL while the collection is open */
};

struct doc__builder {
    struct doc__load *load;
    struct fy_parser *parser;
    struct doc__open_collection *open;
    size_t open_count;
    struct doc__node **values;
    size_t values_count;
    size_t values_capacity;
    struct doc__anchor *anchors;
    size_t anchors_count;
    size_t aliases_count;
    size_t nodes_count;
    size_t documents_count;
    size_t last_end_bytes; /* where the last token ended: the place of a value that is not there */
    bool has_errors;       /* STRICT goes on after an error that leaves the structure intact */
};

/* ---- build.c ---------------------------------------------------------------------------- */

const struct doc_source *doc__source_of(const struct doc__builder *builder);

/* An error that leaves the structure intact: the rest of the file is still read. `mark` NULL is
 * where the last token ended; `help` may be NULL. */
void doc__complain(struct doc__builder *builder, const struct fy_mark *mark, size_t len_bytes,
                   const char *message, const char *help);

/* Reports a limit ("<what> than the limit of …") and answers RT_E_LIMIT. */
RT_NODISCARD enum rt_status doc__exceed(struct doc__builder *builder, const struct fy_mark *mark,
                                        const char *what, size_t limit);
RT_NODISCARD struct doc__node *doc__new_node(struct doc__builder *builder, enum doc_kind kind);
RT_NODISCARD enum rt_status doc__count_nodes(struct doc__builder *builder,
                                             const struct fy_mark *mark, size_t count);

/* Gives a finished node to the innermost open collection, or makes it the root. */
RT_NODISCARD enum rt_status doc__add_value(struct doc__builder *builder, struct doc__node *node);

/* ---- build_scalar.c --------------------------------------------------------------------- */

RT_NODISCARD enum rt_status doc__on_scalar(struct doc__builder *builder, struct fy_event *event);

/* ---- build_reference.c ------------------------------------------------------------------ */

/* A copy of a token's text in the document's arena. */
RT_NODISCARD char *doc__copy_token(struct doc__builder *builder, struct fy_token *token);

/* Remembers an anchor (`token` NULL: there is none); `node` NULL follows by settle. */
RT_NODISCARD enum rt_status doc__note_anchor(struct doc__builder *builder, struct fy_token *token,
                                             struct doc__node *node, const char **out_name);
void doc__settle_anchor(struct doc__builder *builder, const struct doc__open_collection *open);

/* Obeys a tag on a scalar, accepts the obvious ones on collections, refuses all others. */
RT_NODISCARD enum rt_status doc__obey_tag(struct doc__builder *builder, struct fy_token *token,
                                          struct doc__node *node);
RT_NODISCARD enum rt_status doc__on_alias(struct doc__builder *builder, struct fy_event *event);

/* ---- build_syntax.c --------------------------------------------------------------------- */

/* Adds the parser's first complaint and answers RT_E_MALFORMED. */
RT_NODISCARD enum rt_status doc__on_syntax_error(struct doc__builder *builder,
                                                 struct fy_diag *diag);

#endif
