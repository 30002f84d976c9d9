/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_DSTEST_PAYLOAD_TREE_H
#define HARNESS_DSTEST_PAYLOAD_TREE_H

#include <stdio.h>

#include "connector/omni_serializer.h"

/* A payload for a person to read: one line a value, with its place in the document. */

struct payload_tree_options {
    size_t level_count;   /* levels shown; more is cut, and said so */
    size_t entry_count;   /* entries of each container */
    size_t element_count; /* first elements of tensors, first bytes */
    size_t text_bytes;    /* of a text */
};

/* `document` is what the value was decoded from. */
void payload_tree_print(FILE *out, const struct omni_value *value, struct rt_slice document,
                        const struct payload_tree_options *options);

/* Why bytes are no payload, with those around the place. `name` is the file. */
void payload_error_print(FILE *out, const char *name, struct rt_slice document,
                         const struct omni_codec_error *error);

#endif
