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

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, up, down)

#endif
