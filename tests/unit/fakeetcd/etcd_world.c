/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd_world.h"

#include "fakeetcd/data_dir.h"

#include <stdlib.h>

#define SETTLE_US 1000

void world_init(struct world *world, const char *profile)
{
    const struct grpc_channel_options channel_options = {
        .name = "client-1", .address = "etcd:2379", .connect_timeout_us = 1000000};
    static const char *const addresses[] = {"etcd:2379"};
    struct fakeetcd_options options;
    char error[160];

    *world = (struct world){0};
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &world->loop), RT_OK);
    assert_int_equal(rt_network_create(world->loop, &world->network), RT_OK);
    const struct fakeetcd_environment environment = {
        .loop = world->loop, .network = world->network, .seed = 1};
    fakeetcd_options_init(&options);
    options.name = "etcd-1";
    options.addresses = addresses;
    options.address_count = 1;
    options.profile = fakeetcd_profile_find(profile);
    assert_non_null(options.profile);
    assert_int_equal(
        fakeetcd_server_create(&environment, &options, &world->server, error, sizeof(error)),
        RT_OK);
    assert_int_equal(
        grpc_channel_create(world->loop, world->network, &channel_options, &world->channel), RT_OK);
}

void world_fini(struct world *world)
{
    grpc_channel_destroy(world->channel);
    fakeetcd_server_destroy(world->server);
    world_settle(world);
    assert_int_equal(rt_network_live_count(world->network), 0);
    rt_network_destroy(world->network);
    rt_loop_destroy(world->loop);
}

void world_pass(struct world *world, uint64_t passed_us)
{
    enum rt_status status =
        rt_loop_run(world->loop, NULL, NULL, rt_loop_now_us(world->loop) + passed_us);

    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void world_settle(struct world *world)
{
    world_pass(world, SETTLE_US);
}

/* ---- calls ---- */

static void on_message(void *arg, struct rt_slice message)
{
    struct asked *asked = arg;

    assert_in_range(asked->message_count, 0, ASKED_MESSAGES_MAX - 1);
    asked->messages[asked->message_count] =
        protobuf_c_message_unpack(asked->answers, NULL, message.len_bytes, message.data);
    assert_non_null(asked->messages[asked->message_count]);
    asked->message_count++;
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct asked *asked = arg;

    asked->request = NULL;
    asked->is_ended = true;
    asked->code = outcome->code;
    (void)snprintf(asked->text, sizeof(asked->text), "%s", outcome->text);
}

static const struct grpc_request_handler handler = {.on_message = on_message, .on_end = on_end};

void ask_start(struct world *world, struct asked *asked, const char *path,
               const ProtobufCMessage *request, const ProtobufCMessageDescriptor *answers)
{
    const struct grpc_metadata metadata = {.name = "token", .value = rt_slice_text(world->token)};
    uint8_t *room;

    *asked = (struct asked){.answers = answers};
    assert_int_equal(grpc_request_start(world->channel, path, &metadata,
                                        world->token == NULL ? 0 : 1, RT_NEVER, &handler, asked,
                                        &asked->request),
                     RT_OK);
    room = grpc_request_reserve(asked->request, protobuf_c_message_get_packed_size(request));
    assert_non_null(room);
    (void)protobuf_c_message_pack(request, room);
    grpc_request_half_close(asked->request);
}

void ask_cancel(struct asked *asked)
{
    if (asked->request != NULL) {
        grpc_request_cancel(asked->request);
        asked->request = NULL;
    }
}

void asked_free(struct asked *asked)
{
    ask_cancel(asked);
    for (size_t i = 0; i < asked->message_count; i++) {
        protobuf_c_message_free_unpacked(asked->messages[i], NULL);
    }
    asked->message_count = 0;
}

void ask(struct world *world, struct asked *asked, const char *path,
         const ProtobufCMessage *request, const ProtobufCMessageDescriptor *answers)
{
    ask_start(world, asked, path, request, answers);
    world_settle(world);
}

/* ---- what clients do every day ---- */

static void ask_ok(struct world *world, struct asked *asked, const char *path,
                   const ProtobufCMessage *request, const ProtobufCMessageDescriptor *answers)
{
    ask(world, asked, path, request, answers);
    assert_true(asked->is_ended);
    assert_string_equal(asked->text, "");
    assert_int_equal(asked->code, GRPC_OK);
    assert_int_equal(asked->message_count, 1);
}

void grant(struct world *world, int64_t lease, int64_t ttl_s)
{
    Etcdserverpb__LeaseGrantRequest request = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    struct asked asked;

    request.id = lease;
    request.ttl = ttl_s;
    ask_ok(world, &asked, "/etcdserverpb.Lease/LeaseGrant", &request.base,
           &etcdserverpb__lease_grant_response__descriptor);
    asked_free(&asked);
}

void revoke(struct world *world, int64_t lease)
{
    Etcdserverpb__LeaseRevokeRequest request = ETCDSERVERPB__LEASE_REVOKE_REQUEST__INIT;
    struct asked asked;

    request.id = lease;
    ask_ok(world, &asked, "/etcdserverpb.Lease/LeaseRevoke", &request.base,
           &etcdserverpb__lease_revoke_response__descriptor);
    asked_free(&asked);
}

void put(struct world *world, const char *key, const char *value)
{
    assert_int_equal(
        fakeetcd_server_put(world->server, rt_slice_text(key), rt_slice_text(value), 0),
        FAKEETCD_OK);
    world_settle(world);
}

void delete_key(struct world *world, const char *key)
{
    assert_int_equal(fakeetcd_server_delete(world->server, rt_slice_text(key)), FAKEETCD_OK);
    world_settle(world);
}

bool has_key(struct world *world, const char *key)
{
    struct fakeetcd_kv kv;

    return fakeetcd_store_get(fakeetcd_server_state(world->server)->store, rt_slice_text(key), 0,
                              &kv);
}

int64_t ttl_of(struct world *world, int64_t lease)
{
    Etcdserverpb__LeaseTimeToLiveRequest request = ETCDSERVERPB__LEASE_TIME_TO_LIVE_REQUEST__INIT;
    struct asked asked;

    request.id = lease;
    ask_ok(world, &asked, "/etcdserverpb.Lease/LeaseTimeToLive", &request.base,
           &etcdserverpb__lease_time_to_live_response__descriptor);
    int64_t ttl_s = ((Etcdserverpb__LeaseTimeToLiveResponse *)asked.messages[0])->ttl;
    asked_free(&asked);
    return ttl_s;
}
