/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_NOTATION_H
#define CONNECTOR_OMNI_NOTATION_H

#include <stdio.h>

#include "connector/omni_value.h"
#include "document/error.h"

/*
 * Values as JSON, every kind and every bit of it (docs/reference/payload-notation.md).
 *
 *   null  true  7  1.5  "text"  [...]            themselves; a number with a point or an exponent
 *                                                is a float
 *   {"a": 1}                                     a map with text keys, in this order
 *   {"$map": [[KEY, VALUE], ...]}                any map
 *   {"$int": "18446744073709551615"}             -2^63 .. 2^64-1
 *   {"$float": "nan"}                            also "inf", "-inf", and bits: "0x7ff8000000000001"
 *   {"$bytes": DATA}
 *   {"$extension": 7, "data": DATA}
 *   {"$timestamp": [SECONDS, NANOSECONDS]}       the nanoseconds may be left out
 *   {"$tensor": "float32", "shape": [2, 3], "data": DATA}
 *   {"$ndarray": "<f4", "shape": ..., "data": ...}  {"$image": "RGB", "shape": ..., "data": ...}
 *
 * DATA is base64 text, {"base64": TEXT}, {"hex": TEXT}, or {"fill": BYTE or "ramp", "size": N},
 * where the size is left out when a shape says it.
 */

/* `name` stands for the file in errors, `text` is copied. The value lies in `arena`.
 *
 *   RT_E_MALFORMED, RT_E_INVALID  not JSON, not this notation: `errors` says what and where
 *   RT_E_LIMIT                    too large or too deep, told likewise
 *   RT_E_NOMEM */
RT_NODISCARD enum rt_status omni_notation_read(const char *name, struct rt_slice text,
                                               struct omni_arena *arena,
                                               struct doc_error_list *errors,
                                               const struct omni_value **out_value);

/* One line without its end, such that reading gives an equal value. RT_E_IO: ferror(out). */
RT_NODISCARD enum rt_status omni_notation_write(FILE *out, const struct omni_value *value);

#endif
