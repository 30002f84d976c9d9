/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_TRANSFER_OMNI_TRANSFER_INTERNAL_H
#define CONNECTOR_TRANSFER_OMNI_TRANSFER_INTERNAL_H

#include "connector/omni_transfer_config.h"
#include "document/tree.h"
#include "runtime/table.h"

/* Shared by the files of the transfer configuration: a reader that fills it, and views of it. */

/* ---- what is kept -------------------------------------------------------------------------- */

struct omni__stage;

struct omni__edge_key {
    const struct omni__stage *from;
    const struct omni__stage *to;
};

struct omni__edge {
    struct omni_edge edge;
    struct omni__edge_key key;
    size_t number; /* in the order they were made */
    struct omni__edge *next_out;
    struct omni__edge *next_in;
    struct doc_position name_at; /* where its connector's name is written */
    bool is_input;               /* made by input_connectors, else by output_connectors */
    UT_hash_handle hh;
};

/* Edges in the order they were made. */
struct omni__edge_list {
    struct omni__edge *first;
    struct omni__edge *last;
};

struct omni__stage {
    const char *id;
    struct omni__edge_list out;
    struct omni__edge_list in;
    UT_hash_handle hh;
};

struct omni_transfer_config {
    struct omni_arena *arena; /* holds everything below */
    const char *path;
    struct omni_connector_spec default_spec; /* name NULL: none */
    struct omni__edge *edges;                /* tables */
    struct omni__stage *stages;
    const struct omni_edge **edge_list; /* the same in lists, for access by index */
    const char **stage_list;
};

/* ---- while it is read ---------------------------------------------------------------------- */

/* `extra` mappings that have been turned into values, so that a connector that many edges refer
 * to is turned once. */
struct omni__extra {
    uint64_t node;
    const struct omni_value *value;
    UT_hash_handle hh;
};

struct omni__name { /* a key of `connectors` */
    const struct doc_node *entry;
    UT_hash_handle hh;
};

/* The three parts that count, whatever the spelling. NULL: absent. */
struct omni__parts {
    const struct doc_node *connectors;
    const struct doc_node *edges;
    const struct doc_node *stages;
};

struct omni__reader {
    struct omni_transfer_config *config;
    struct omni__parts parts;
    struct doc_error_list *errors;
    struct doc_error_list *warnings;
    struct omni__extra *extras;
    struct omni__name *names;
    const char **name_list; /* for help: the first ones */
    size_t name_list_count;
};

/* What a reference leads to. */
struct omni__named_spec {
    struct omni_connector_spec spec;
    struct doc_position name_at;
};

/*
 * All of these: RT_OK, or RT_E_INVALID after adding an error, or RT_E_NOMEM.
 */

/* omni_transfer_config.c */
enum rt_status omni__copy_text(struct omni_arena *arena, struct rt_slice text,
                               const char **out_text);

/* A scalar as Python's str() shows it: a stage's id. False: a collection, or a NUL in it. */
bool omni__id_of(const struct doc_node *node, const char **out_id);

/* omni_transfer_refs.c */
RT_NODISCARD enum rt_status omni__index_names(struct omni__reader *reader);
RT_NODISCARD enum rt_status omni__read_reference(struct omni__reader *reader,
                                                 const struct doc_node *reference,
                                                 struct omni__named_spec *out_spec);
void omni__forget_references(struct omni__reader *reader);

/* omni_transfer_extra.c: a node as a value; texts are copied. NULL: no memory. */
const struct omni_value *omni__value_of_node(struct omni_arena *arena, const struct doc_node *node);

/* omni_transfer_stages.c: input_connectors and output_connectors of all stages. */
RT_NODISCARD enum rt_status omni__read_stages(struct omni__reader *reader);

/* omni_transfer_auto.c: edges that nobody gave a connector. Only warns. */
RT_NODISCARD enum rt_status omni__add_automatic_edges(struct omni__reader *reader);

/* omni_transfer_edges.c */
struct omni__edge *omni__find_edge(const struct omni_transfer_config *config,
                                   const char *from_stage, const char *to_stage);
/* Texts are copied; the edge is not there yet. */
RT_NODISCARD enum rt_status omni__add_edge(struct omni_transfer_config *config,
                                           const struct omni_edge *edge,
                                           struct omni__edge **out_edge);
RT_NODISCARD enum rt_status omni__add_stage(struct omni_transfer_config *config, const char *id,
                                            struct omni__stage **out_stage);
struct omni__stage *omni__find_stage(const struct omni_transfer_config *config, const char *id);
/* The lists by index, when no edge is added any more. */
RT_NODISCARD enum rt_status omni__list_edges(struct omni_transfer_config *config);

#endif
