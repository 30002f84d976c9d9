/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_GLOB_EDIT_H
#define FAULTS_GLOB_EDIT_H

#include <stdio.h>

#include "runtime/slice.h"
#include "runtime/status.h"

/* Inside faults/ only. Writes the pattern nearest to `glob` that matches `text`: least bytes
 * inserted, removed or replaced. RT_E_NOMEM writes nothing. */
RT_NODISCARD enum rt_status fault__glob_print_edit(FILE *out, struct rt_slice glob,
                                                   struct rt_slice text);

#endif
