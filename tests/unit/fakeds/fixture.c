/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

int up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    world_create(&fx->world, NULL);
    dealer_init(&fx->a, &fx->world, "client-a", "identity-a-0000001");
    dealer_init(&fx->b, &fx->world, "client-b", "identity-b-0000001");
    dealer_register(&fx->a);
    dealer_register(&fx->b);
    *state = fx;
    return 0;
}

int down(void **state)
{
    struct fixture *fx = *state;
    dealer_fini(&fx->a);
    dealer_fini(&fx->b);
    world_destroy(&fx->world);
    free(fx);
    return 0;
}
