/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd.h"

#include "runtime/loop.h"
#include "wire/grpc/grpc_channel.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define PATIENCE_US UINT64_C(5000000)

/* A client on the test's own thread. */
struct client {
    struct rt_loop *loop;
    struct rt_network *network;
    struct grpc_channel *channel;
    bool is_done;
    int32_t code;
};

static void on_message(void *arg, struct rt_slice message)
{
    (void)arg;
    (void)message;
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct client *client = arg;

    client->is_done = true;
    client->code = outcome->code;
}

static bool is_done(void *arg)
{
    return ((struct client *)arg)->is_done;
}

static void connect_to(struct client *client, const struct fakeetcd *fake)
{
    struct grpc_channel_options options = {
        .name = "test", .address = fakeetcd_address(fake), .connect_timeout_us = PATIENCE_US};

    *client = (struct client){0};
    assert_int_equal(rt_loop_create(RT_LOOP_SOCKETS, &client->loop), RT_OK);
    assert_int_equal(rt_network_create(client->loop, &client->network), RT_OK);
    assert_int_equal(grpc_channel_create(client->loop, client->network, &options, &client->channel),
                     RT_OK);
}

static void disconnect(struct client *client)
{
    grpc_channel_destroy(client->channel);
    rt_network_destroy(client->network);
    rt_loop_destroy(client->loop);
}

static int32_t put(struct client *client, const char *key, const char *value, uint64_t deadline_us)
{
    static const struct grpc_request_handler handler = {on_message, on_end};
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    struct grpc_request *call = NULL;
    uint64_t now_us = rt_loop_now_us(client->loop);

    request.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)key};
    request.value = (ProtobufCBinaryData){strlen(value), (uint8_t *)value};
    client->is_done = false;
    assert_int_equal(grpc_request_start(client->channel, "/etcdserverpb.KV/Put", NULL, 0,
                                        now_us + deadline_us, &handler, client, &call),
                     RT_OK);
    uint8_t *room = grpc_request_reserve(call, protobuf_c_message_get_packed_size(&request.base));
    assert_non_null(room);
    (void)protobuf_c_message_pack(&request.base, room);
    grpc_request_half_close(call);
    assert_int_equal(rt_loop_run(client->loop, is_done, client, now_us + 2 * PATIENCE_US), RT_OK);
    return client->code;
}

static void fake__put_from_a_client__is_seen_and_stored(void **state)
{
    struct fakeetcd *fake = NULL;
    struct client client;
    char value[8] = "";
    size_t size_bytes = 0;

    (void)state;
    assert_int_equal(fakeetcd_start(NULL, &fake), FAKEETCD_FINE);
    connect_to(&client, fake);
    assert_int_equal(put(&client, "a", "1", PATIENCE_US), GRPC_OK);
    assert_int_equal(fakeetcd_requests(fake, "etcd-put"), 1);
    assert_int_equal(fakeetcd_applied(fake, "etcd-put"), 1);
    assert_int_equal(fakeetcd_revision(fake), 2);
    assert_int_equal(fakeetcd_peek(fake, "a", value, sizeof(value), &size_bytes), FAKEETCD_FINE);
    assert_int_equal(size_bytes, 1);
    assert_memory_equal(value, "1", 1);
    assert_int_equal(fakeetcd_peek(fake, "b", value, sizeof(value), &size_bytes),
                     FAKEETCD_NOT_FOUND);
    disconnect(&client);
    fakeetcd_stop(fake);
}

static void fake__reply_lost_by_a_rule__is_applied_all_the_same(void **state)
{
    struct fakeetcd *fake = NULL;
    struct client client;
    char why[160] = "";

    (void)state;
    assert_int_equal(fakeetcd_start(NULL, &fake), FAKEETCD_FINE);
    assert_int_equal(
        fakeetcd_arm(fake, "lost: on {op: etcd-put} at applied do 1*drop-reply", why, sizeof(why)),
        FAKEETCD_FINE);
    assert_int_equal(
        fakeetcd_arm(fake, "bad: on {op: put} at applied do 1*drop-reply", why, sizeof(why)),
        FAKEETCD_INVALID);
    assert_non_null(strstr(why, "put"));
    connect_to(&client, fake);
    assert_int_equal(put(&client, "a", "1", 50000), GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(fakeetcd_fired(fake, "lost"), 1);
    assert_int_equal(fakeetcd_revision(fake), 2);
    disconnect(&client);
    fakeetcd_stop(fake);
}

static void fake__restarted_without_its_state__is_empty_at_the_same_address(void **state)
{
    struct fakeetcd *fake = NULL;
    struct client client;

    (void)state;
    assert_int_equal(fakeetcd_start(NULL, &fake), FAKEETCD_FINE);
    uint16_t port = fakeetcd_port(fake);
    assert_int_equal(fakeetcd_poke(fake, "a", "1", 1), FAKEETCD_FINE);
    assert_int_equal(fakeetcd_revision(fake), 2);
    assert_int_equal(fakeetcd_restart(fake, true), FAKEETCD_FINE);
    assert_int_equal(fakeetcd_revision(fake), 2);
    assert_int_equal(fakeetcd_restart(fake, false), FAKEETCD_FINE);
    assert_int_equal(fakeetcd_revision(fake), 1);
    assert_int_equal(fakeetcd_port(fake), port);
    connect_to(&client, fake);
    assert_int_equal(put(&client, "a", "1", PATIENCE_US), GRPC_OK);
    disconnect(&client);
    fakeetcd_stop(fake);
}

static void fake__profile_that_is_none__is_refused(void **state)
{
    struct fakeetcd *fake = NULL;
    struct fakeetcd_config config;

    (void)state;
    fakeetcd_config_init(&config);
    config.profile = "etcd-2.0";
    assert_int_equal(fakeetcd_start(&config, &fake), FAKEETCD_INVALID);
    assert_null(fake);
    fakeetcd_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fake__put_from_a_client__is_seen_and_stored),
        cmocka_unit_test(fake__reply_lost_by_a_rule__is_applied_all_the_same),
        cmocka_unit_test(fake__restarted_without_its_state__is_empty_at_the_same_address),
        cmocka_unit_test(fake__profile_that_is_none__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
