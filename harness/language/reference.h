/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_REFERENCE_H
#define HARNESS_LANGUAGE_REFERENCE_H

#include <stdio.h>

/* The reference page of the scenario language, from the tables that the reader uses. A test
 * compares docs/scenario-reference.md with it. */
void scn_print_reference(FILE *out);

#endif
