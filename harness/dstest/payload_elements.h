/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_DSTEST_PAYLOAD_ELEMENTS_H
#define HARNESS_DSTEST_PAYLOAD_ELEMENTS_H

#include <stdio.h>

#include "connector/omni_value.h"

/* The first elements of a tensor, array or image as numbers; as hexadecimal where the type has no
 * numbers that C knows (eight-bit floats, texts, long doubles). */
void payload_elements_print(FILE *out, const struct omni_value *tensor, size_t element_count);

#endif
