/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_GLOB_H
#define FAULTS_GLOB_H

#include <stdio.h>

#include "runtime/slice.h"
#include "runtime/status.h"

/* Inside faults/ only. `*` is any bytes, `?` one byte, `\` takes the next byte as it is. */

/* False for a pattern that ends in the middle of an escape. */
bool fault__glob_is_valid(struct rt_slice glob);

/* Without `*` and `?`: one text matches, and it is written to `out_text` (as long as the glob). */
bool fault__glob_is_literal(struct rt_slice glob, char *out_text, size_t *out_len_bytes);

bool fault__glob_matches(struct rt_slice glob, struct rt_slice text);

/* Writes the pattern nearest to `glob` that matches `text`: least bytes inserted, removed or
 * replaced. RT_E_NOMEM writes nothing. */
RT_NODISCARD enum rt_status fault__glob_print_edit(FILE *out, struct rt_slice glob,
                                                   struct rt_slice text);

#endif
