/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_TRANSFER_CONFIG_H
#define CONNECTOR_OMNI_TRANSFER_CONFIG_H

#include "connector/omni_value.h"

/*
 * The transfer configuration (docs/reference/transfer-configuration.md): which connector serves the
 * edge between two stages. Read from the YAML or JSON file that also configures the model engine,
 * in either spelling; keys that are not ours are passed over. Immutable once loaded, so any thread
 * may read it.
 */
struct omni_transfer_config;

/* A connector by its name in a factory, and its options. */
struct omni_connector_spec {
    const char *name;
    const struct omni_value *extra; /* a map, never NULL */
};

/* Data goes from one stage to another. Belongs to its configuration. */
struct omni_edge {
    const char *from_stage;
    const char *to_stage;
    struct omni_connector_spec spec;
    bool is_automatic; /* no connector was named: SharedMemoryConnector, as upstream */
    uint32_t line;     /* of what made the edge first, from 1 */
    uint32_t column;
};

/* ---- loading ---- */

/* One thing that is wrong, or odd. Borrowed for the call. */
struct omni_transfer_problem {
    bool is_warning;
    const char *path;
    uint32_t line; /* 0: the file itself, or more problems than are told */
    uint32_t column;
    const char *message; /* one sentence */
    const char *text;    /* all of it: file:line:column, the line with a mark below, help */
};
typedef void omni_transfer_problem_fn(void *arg, const struct omni_transfer_problem *problem);

enum omni_transfer_format { OMNI_TRANSFER_YAML, OMNI_TRANSFER_JSON };

/*
 * Reads a file by its suffix (.yaml, .yml, .json, in any case), or text; `name` stands where a path
 * would. `report` (NULL: nobody) hears of every problem before this returns, also of warnings.
 *
 *   RT_OK           *out_config is the caller's. NULL: an empty file is no configuration
 *   RT_E_NOT_FOUND  no such file; asked before the suffix
 *   RT_E_IO         it cannot be read
 *   RT_E_MALFORMED  not YAML or JSON
 *   RT_E_LIMIT      larger or deeper than document/ allows
 *   RT_E_INVALID    another suffix, or not a transfer configuration
 *   RT_E_NOMEM      `report` may have heard of nothing
 */
RT_NODISCARD enum rt_status
omni_transfer_config_load_file(const char *path, omni_transfer_problem_fn *report, void *arg,
                               struct omni_transfer_config **out_config);
RT_NODISCARD enum rt_status omni_transfer_config_load_text(
    const char *name, struct rt_slice text, enum omni_transfer_format format,
    omni_transfer_problem_fn *report, void *arg, struct omni_transfer_config **out_config);
/* With it go its edges, specs and texts. NULL: nothing happens. */
void omni_transfer_config_destroy(struct omni_transfer_config *config);

/* ---- edges ---- */

/* In the order in which the file made them; NULL behind the last. */
size_t omni_transfer_config_edge_count(const struct omni_transfer_config *config);
const struct omni_edge *omni_transfer_config_edge_at(const struct omni_transfer_config *config,
                                                     size_t index);

/* NULL: the file makes no such edge. Does not look at the default. */
const struct omni_edge *omni_transfer_config_find(const struct omni_transfer_config *config,
                                                  const char *from_stage, const char *to_stage);

/* The spec of an edge, else the default one, else NULL. */
const struct omni_connector_spec *omni_transfer_config_spec(
    const struct omni_transfer_config *config, const char *from_stage, const char *to_stage);

/* For edges that the file does not make; no file sets it. `name` is copied, `extra` (a map, or NULL
 * for none) must outlive the configuration. Before other threads read. */
RT_NODISCARD enum rt_status omni_transfer_config_set_default(struct omni_transfer_config *config,
                                                             const char *name,
                                                             const struct omni_value *extra);

/* Stages that the file declares or that an edge names, in order of first mention; NULL behind the
 * last. */
size_t omni_transfer_config_stage_count(const struct omni_transfer_config *config);
const char *omni_transfer_config_stage_at(const struct omni_transfer_config *config, size_t index);

/* The file's path, or the name given with the text. */
const char *omni_transfer_config_path(const struct omni_transfer_config *config);

/* ---- one stage's view ---- */

/* An edge as one of its ends sees it. `spec.extra` has gained `role` (receiver or sender) unless it
 * was given, even as null, and the integers from_stage and to_stage, which replace given ones. */
struct omni_stage_edge {
    const char *key; /* from_stage_X; of stage 0 also to_stage_Y */
    const struct omni_edge *edge;
    struct omni_connector_spec spec;
};

struct omni_stage_view {
    const struct omni_stage_edge *edges;
    size_t count;
};

#define OMNI_TRANSFER_TEXT_BYTES 1024U

/*
 * All edges into `stage`, and out of it if it is "0", in the file's order. Lives in `arena` and
 * borrows from the configuration.
 *
 *   RT_E_INVALID  an id of such an edge is no integer; `out_text` says where
 *   RT_E_NOMEM
 */
RT_NODISCARD enum rt_status omni_transfer_config_view(const struct omni_transfer_config *config,
                                                      const char *stage, struct omni_arena *arena,
                                                      struct omni_stage_view *out_view,
                                                      char out_text[OMNI_TRANSFER_TEXT_BYTES]);

/* The connector that a stage configures first: of its edges out the one to the smallest stage, else
 * of its edges in the one from the smallest. All-digit ids are smaller than others and compared as
 * numbers, others as text. */
struct omni_primary_spec {
    const struct omni_edge *edge;   /* its stages are told beside the spec; NULL: no edge */
    const struct omni_value *extra; /* type: NAME (extra's wins), all of extra, role */
};

/* RT_E_NOMEM is the only failure. As above, in `arena`. */
RT_NODISCARD enum rt_status omni_transfer_config_primary(const struct omni_transfer_config *config,
                                                         const char *stage,
                                                         struct omni_arena *arena,
                                                         struct omni_primary_spec *out_primary);

#endif
