/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_NOTATION_OMNI_NOTATION_INTERNAL_H
#define CONNECTOR_NOTATION_OMNI_NOTATION_INTERNAL_H

#include "connector/omni_value.h"
#include "document/tree.h"

/* What the parts of the notation's reader share. */

struct omni__notation {
    struct omni_arena *arena;
    struct doc_error_list *errors;
    enum rt_status status; /* why the value is NULL; RT_OK then: no memory */
};

#define OMNI__NO_SIZE UINT64_MAX

/* Adds an error and settles the status. NULL when the list is full. */
struct doc_error *omni__notation_refuse(struct omni__notation *notation,
                                        const struct doc_node *node, const char *message);

/* False: told as an error. */
bool omni__notation_integer(struct omni__notation *notation, const struct doc_node *node,
                            int64_t min, int64_t max, int64_t *out_integer);

/* The bytes of DATA, with one reference. `size_bytes` is what a shape says, or OMNI__NO_SIZE. */
struct rt_blob *omni__notation_data(struct omni__notation *notation, const struct doc_node *node,
                                    uint64_t size_bytes);

/* Of $tensor, $ndarray and $image; `own` is the type. */
struct omni_value *omni__notation_tensor(struct omni__notation *notation,
                                         const struct doc_node *node, const struct doc_node *own,
                                         bool is_key);

#endif
