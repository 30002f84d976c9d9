/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <string.h>

static uint32_t send_heartbeat(struct dealer *dealer, const char *client_id)
{
    Ds__HeartbeatReq request = DS__HEARTBEAT_REQ__INIT;
    request.client_id.len = strlen(client_id);
    request.client_id.data = (uint8_t *)(uintptr_t)client_id;
    return dealer_send(dealer, DSRPC_OP_HEARTBEAT, &request.base, NULL, 0, 60000);
}

static const Ds__HeartbeatRsp *heartbeat(struct dealer *dealer, const char *client_id)
{
    uint32_t number = send_heartbeat(dealer, client_id);
    run_for(dealer->world, 0);
    return unpacked(dealer, answer_to(dealer, number), &ds__heartbeat_rsp__descriptor);
}

static void socket_path__asked__empty_so_that_shared_memory_is_declined(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_SOCKET_PATH, NULL, NULL, 0, 60000);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(answer_to(&fx->a, number)->body_bytes, 0);
}

static void register__new_client__real_workers_values(void **state)
{
    struct fixture *fx = *state;
    Ds__RegisterClientReq request = DS__REGISTER_CLIENT_REQ__INIT;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_REGISTER, &request.base, NULL, 0, 60000);
    run_for(&fx->world, 0);
    const Ds__RegisterClientRsp *body =
        unpacked(&fx->a, answer_to(&fx->a, number), &ds__register_client_rsp__descriptor);
    assert_int_equal(body->page_size, 1048576);
    assert_int_equal(body->client_id.len, 36);
    assert_int_equal(body->shm_threshold, 512000);
    assert_int_equal(body->node_timeout_s, 60);
    assert_int_equal(body->store_fd, -1);
    assert_int_equal(body->client_dead_timeout_s, 60);
    assert_int_equal(body->client_reconnect_wait_s, 5);
    assert_true(body->support_multi_shm_ref_count);
    assert_int_equal(body->fast_transport_mode, 0);
    assert_int_equal(body->exclusive_conn_sockpath.len, 0);
}

static void register__proposed_id__is_taken(void **state)
{
    struct fixture *fx = *state;
    strcpy(fx->a.client_id, "my-own-id");
    dealer_register(&fx->a);
    assert_string_equal(fx->a.client_id, "my-own-id");
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void heartbeat__known_client__start_id_stays(void **state)
{
    struct fixture *fx = *state;
    char first[64];
    const Ds__HeartbeatRsp *body = heartbeat(&fx->a, fx->a.client_id);
    assert_false(body->client_removed);
    assert_int_equal(body->worker_start_id.len, 36);
    memcpy(first, body->worker_start_id.data, 36);
    body = heartbeat(&fx->a, fx->a.client_id);
    assert_memory_equal(body->worker_start_id.data, first, 36);
}

static void heartbeat__unknown_client__told_that_it_was_removed(void **state)
{
    struct fixture *fx = *state;
    assert_true(heartbeat(&fx->a, "nobody")->client_removed);
}

static void data_operation__unknown_client__disconnect_with_its_id(void **state)
{
    struct fixture *fx = *state;
    strcpy(fx->a.client_id, "nobody");
    uint32_t number = send_set(&fx->a, "k", "v", &(struct set_options){0});
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_CLIENT_WORKER_DISCONNECT);
    assert_string_equal(answer_to(&fx->a, number)->text,
                        "The client id (nobody) does not exist, traceId: trace-1");
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).applied, 0);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).failed, 1);
}

static void client__no_heartbeat_for_the_dead_time__removed_exactly_then(void **state)
{
    struct fixture *fx = *state;
    run_for(&fx->world, 30 * S);
    assert_false(heartbeat(&fx->a, fx->a.client_id)->client_removed);
    run_for(&fx->world, 30 * S - 1);
    assert_int_equal(set(&fx->b, "k", "v"), K_OK);
    run_for(&fx->world, 1);
    assert_int_equal(set(&fx->b, "k", "v"), K_CLIENT_WORKER_DISCONNECT);
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
    dealer_register(&fx->b);
    assert_int_equal(set(&fx->b, "k", "v"), K_OK);
}

static void disconnect__client_is_forgotten(void **state)
{
    struct fixture *fx = *state;
    Ds__DisconnectClientReq request = DS__DISCONNECT_CLIENT_REQ__INIT;
    request.client_id.len = strlen(fx->a.client_id);
    request.client_id.data = (uint8_t *)fx->a.client_id;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_DISCONNECT, &request.base, NULL, 0, 60000);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(set(&fx->a, "k", "v"), K_CLIENT_WORKER_DISCONNECT);
}

static void zmq_heartbeat__answered_with_its_own_meta(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = dealer_send(&fx->a, DSRPC_OP_ZMQ_HEARTBEAT, NULL, NULL, 0, 60000);
    run_for(&fx->world, 0);
    assert_non_null(answer_to(&fx->a, number));
    assert_true(answer_to(&fx->a, number)->body_bytes > 0);
}

static void worker__not_ready_yet__says_so_until_then_but_registers(void **state)
{
    struct fakeds_options options;
    struct world world;
    struct dealer dealer;
    (void)state;
    world_options(&options);
    options.not_ready_us = 4 * S;
    world_create(&world, &options);
    dealer_init(&dealer, &world, "client-a", "identity-a-0000001");
    dealer_register(&dealer);
    uint32_t number = send_set(&dealer, "k", "v", &(struct set_options){0});
    run_for(&world, 4 * S - 1);
    assert_int_equal(answer_to(&dealer, number)->code, K_NOT_READY);
    assert_string_equal(answer_to(&dealer, number)->text, "Worker not ready, traceId: trace-1");
    assert_int_equal(set(&dealer, "k", "v"), K_NOT_READY);
    run_for(&world, 1);
    assert_int_equal(set(&dealer, "k", "v"), K_OK);
    assert_string_equal(world.events, "worker-1.ready ");
    dealer_fini(&dealer);
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(socket_path__asked__empty_so_that_shared_memory_is_declined),
        IN_WORLD(register__new_client__real_workers_values),
        IN_WORLD(register__proposed_id__is_taken),
        IN_WORLD(heartbeat__known_client__start_id_stays),
        IN_WORLD(heartbeat__unknown_client__told_that_it_was_removed),
        IN_WORLD(data_operation__unknown_client__disconnect_with_its_id),
        IN_WORLD(client__no_heartbeat_for_the_dead_time__removed_exactly_then),
        IN_WORLD(disconnect__client_is_forgotten),
        IN_WORLD(zmq_heartbeat__answered_with_its_own_meta),
        cmocka_unit_test(worker__not_ready_yet__says_so_until_then_but_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
