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

uint32_t begin_set(struct fixture *fx)
{
    uint32_t number = send_set(&fx->a, "k", "v", &(struct set_options){0});
    run_for(&fx->world, 0);
    return number;
}

uint32_t begin_get(struct fixture *fx, const char *key, int64_t sub_timeout_ms)
{
    uint32_t number = send_get(&fx->a, &key, 1, sub_timeout_ms);
    run_for(&fx->world, 0);
    return number;
}

bool is_stored(struct fixture *fx, const char *key)
{
    struct fakeds_object object;
    return fakeds_worker_find(fx->world.worker, rt_slice_text(key), &object);
}

void assert_lost_by(struct fixture *fx, const char *rule)
{
    assert_int_equal(fx->world.eaten_count, 1);
    assert_string_equal(fx->world.last_cause, rule);
    assert_int_equal(fired(&fx->world, rule), 1);
}
