/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_OMNI_SCRIPTED_TYPE_H
#define TESTS_UNIT_CONNECTOR_OMNI_SCRIPTED_TYPE_H

#include "connector/omni_factory.h"
#include "omni_script.h"

/* A connector type of the tests' own, "Scripted": the native connector over a scripted binding,
 * with the least that a type must have. The script outlives it. */
struct omni_connector_type scripted_type(const struct script *script);

#endif
