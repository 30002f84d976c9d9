/* SPDX-License-Identifier: Apache-2.0 */
#include "service_world.h"

#include "runtime/loop.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

static struct service_world world; /* big, so not on a stack; one at a time */

struct service_world *service_start(const char *profile)
{
    struct service_world *fx = &world;
    static const char *const addresses[] = {"10.0.0.1:2379"};
    struct fakeetcd_options options;
    struct fakeetcd_environment environment = {.seed = 7};
    struct grpc_channel_options client = {
        .name = "client", .address = "10.0.0.1:2379", .connect_timeout_us = PATIENCE_US};
    char why[160];

    *fx = (struct service_world){0};
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    fakeetcd_options_init(&options);
    options.addresses = addresses;
    options.address_count = 1;
    options.profile = fakeetcd_profile_find(profile);
    environment.loop = fx->loop;
    environment.network = fx->network;
    assert_int_equal(fakeetcd_server_create(&environment, &options, &fx->server, why, sizeof(why)),
                     RT_OK);
    assert_int_equal(grpc_channel_create(fx->loop, fx->network, &client, &fx->channel), RT_OK);
    return fx;
}

void service_stop(struct service_world *fx)
{
    grpc_channel_destroy(fx->channel);
    fakeetcd_server_destroy(fx->server);
    service_wait(fx, 0);
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
}

/* All of what is due; a world in which nothing is left to happen is fine too. */
void service_wait(struct service_world *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + time_us);

    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static void on_message(void *arg, struct rt_slice message)
{
    struct service_world *fx = arg;

    assert_true(fx->message_count < MESSAGES_MAX && message.len_bytes <= MESSAGE_BYTES);
    if (message.len_bytes > 0) {
        memcpy(fx->messages[fx->message_count], message.data, message.len_bytes);
    }
    fx->len_bytes[fx->message_count++] = message.len_bytes;
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct service_world *fx = arg;

    fx->is_done = true;
    fx->code = outcome->code;
    (void)snprintf(fx->text, sizeof(fx->text), "%s", outcome->text);
}

static bool is_done(void *arg)
{
    return ((struct service_world *)arg)->is_done;
}

struct grpc_request *service_send_to(struct service_world *fx, const char *path,
                                     const ProtobufCMessage *request)
{
    static const struct grpc_request_handler handler = {on_message, on_end};
    struct grpc_metadata metadata = {"token", rt_slice_text(fx->token)};
    struct grpc_request *call = NULL;

    fx->is_done = false;
    fx->message_count = 0;
    assert_int_equal(grpc_request_start(fx->channel, path, &metadata, fx->token == NULL ? 0 : 1,
                                        rt_loop_now_us(fx->loop) + PATIENCE_US, &handler, fx,
                                        &call),
                     RT_OK);
    uint8_t *room = grpc_request_reserve(call, protobuf_c_message_get_packed_size(request));
    assert_non_null(room);
    (void)protobuf_c_message_pack(request, room);
    grpc_request_half_close(call);
    return call;
}

int32_t service_ask(struct service_world *fx, const char *path, const ProtobufCMessage *request)
{
    (void)service_send_to(fx, path, request);
    assert_int_equal(rt_loop_run(fx->loop, is_done, fx, rt_loop_now_us(fx->loop) + 2 * PATIENCE_US),
                     RT_OK);
    return fx->code;
}

/* A request without fields is the same bytes whatever its type. */
int32_t service_ask_empty(struct service_world *fx, const char *path)
{
    Etcdserverpb__StatusRequest request = ETCDSERVERPB__STATUS_REQUEST__INIT;

    return service_ask(fx, path, &request.base);
}

void *service_answer(struct service_world *fx, const ProtobufCMessageDescriptor *type)
{
    assert_int_equal(fx->code, 0);
    assert_int_equal(fx->message_count, 1);
    void *message = protobuf_c_message_unpack(type, NULL, fx->len_bytes[0], fx->messages[0]);
    assert_non_null(message);
    return message;
}

ProtobufCBinaryData service_bytes(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

void assert_service_bytes(ProtobufCBinaryData actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

void assert_service_refused(const struct service_world *fx, int32_t code, const char *text)
{
    assert_int_equal(fx->code, code);
    assert_string_equal(fx->text, text);
}

int32_t service_put(struct service_world *fx, const char *key)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    request.key = service_bytes(key);
    return service_ask(fx, KV "Put", &request.base);
}
