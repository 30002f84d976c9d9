/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_SERIALIZER_OMNI_INTEGER_H
#define CONNECTOR_SERIALIZER_OMNI_INTEGER_H

#include "connector/omni_value.h"

#define OMNI_INTEGER_TEXT_BYTES 320U

/*
 * What Python's int() makes of a value (docs/reference/connector.md, Options): " 7 ", "1_0", true
 * and 1.9 are integers. Numbers outside int64_t become its ends. False: `out_text` is the message
 * that Python's exception carries.
 */
bool omni__integer_of(const struct omni_value *value, int64_t *out_integer,
                      char out_text[OMNI_INTEGER_TEXT_BYTES]);

/* What Python calls the type of a value: "NoneType", "list". */
const char *omni__type_word(const struct omni_value *value);

#endif
