/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_FACTORY_OMNI_FACTORY_INTERNAL_H
#define CONNECTOR_FACTORY_OMNI_FACTORY_INTERNAL_H

#include "connector/omni_factory.h"

/* Shared by the files of the factory. */

/* The types that every factory knows. */
extern const struct omni_connector_type *const omni__builtin_types[OMNI_MODEL_COUNT];

#define OMNI_NO_DEADLINE_BYTES 160U

struct omni_instance {
    const struct omni_connector_type *type;
    void *self;
    char no_deadline_text[OMNI_NO_DEADLINE_BYTES];
};

/* What both kinds of sets do alike (omni_connector_set.c). */

/* False: a name is not registered; `out_text` says of which edge. */
bool omni__knows_all(const struct omni_factory *factory, const struct omni_transfer_config *config,
                     char *out_text, size_t text_bytes);

/* NAME.FROM-TO, the caller's to free; NULL `name`: "connector". NULL: no memory. */
char *omni__member_name(const char *name, const struct omni_edge *edge);

/* What reports a failure of a whole configuration calls its edge. */
void omni__edge_failure(const struct omni_transfer_config *config, const struct omni_edge *edge,
                        const char *reason, char *out_text, size_t text_bytes);

#endif
