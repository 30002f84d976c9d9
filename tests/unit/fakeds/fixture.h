/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKEDS_FIXTURE_H
#define TESTS_FAKEDS_FIXTURE_H

#include "world.h"

/* A world with two registered peers, for test programs: cmocka_unit_test_setup_teardown(t, up,
 * down). */
struct fixture {
    struct world world;
    struct dealer a;
    struct dealer b;
};

int up(void **state);
int down(void **state);

/* Client a's requests, which are sent; what comes is asked for by their number. */
uint32_t begin_set(struct fixture *fx);
uint32_t begin_get(struct fixture *fx, const char *key, int64_t sub_timeout_ms);

bool is_stored(struct fixture *fx, const char *key);
/* One request was lost, and this rule owns it. */
void assert_lost_by(struct fixture *fx, const char *rule);

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, up, down)

#endif
