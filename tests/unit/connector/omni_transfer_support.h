/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_OMNI_TRANSFER_SUPPORT_H
#define TESTS_UNIT_CONNECTOR_OMNI_TRANSFER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connector/omni_transfer_config.h"

/* One configuration, and everything that was said about it. */
struct transfer_fixture {
    struct omni_arena *arena;
    struct omni_transfer_config *config;
    char errors[16384]; /* texts, one after the other */
    char warnings[16384];
    int error_count;
    int warning_count;
    uint32_t line; /* of the first error */
    uint32_t column;
    char described[1024];
};

int transfer_set_up(void **state);
int transfer_tear_down(void **state);

enum rt_status transfer_load(struct transfer_fixture *fx, const char *text);
enum rt_status transfer_load_json(struct transfer_fixture *fx, const char *text);

/* Loads what must be valid. */
void transfer_load_good(struct transfer_fixture *fx, const char *text);

/* Loads what must be refused at this place with this text somewhere. */
void transfer_load_bad(struct transfer_fixture *fx, const char *text, uint32_t line,
                       uint32_t column, const char *message);

/* "0->1 Name; 1->2 Other", an automatic one with a star behind. */
const char *transfer_edges(struct transfer_fixture *fx);

/* One line, as omni_value_describe(). */
const char *transfer_described(struct transfer_fixture *fx, const struct omni_value *value);

#endif
