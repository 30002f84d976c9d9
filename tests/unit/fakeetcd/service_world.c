/* SPDX-License-Identifier: Apache-2.0 */
#include "service_world.h"

static struct service_world world; /* one at a time */

struct service_world *service_start(const char *profile)
{
    world = (struct service_world){0};
    lab_start_as(&world.lab, profile);
    return &world;
}

void service_stop(struct service_world *fx)
{
    talk_free(&fx->talk);
    lab_stop(&fx->lab);
}

void service_send_to(struct service_world *fx, const char *path, const ProtobufCMessage *request)
{
    talk_free(&fx->talk);
    talk_start(&fx->lab, &fx->talk, path, request);
}

static bool is_ended(void *arg)
{
    return ((const struct talk *)arg)->is_ended;
}

int32_t service_ask(struct service_world *fx, const char *path, const ProtobufCMessage *request)
{
    service_send_to(fx, path, request);
    uint64_t until_us = rt_loop_now_us(fx->lab.loop) + PATIENCE_US;
    assert_int_equal(rt_loop_run(fx->lab.loop, is_ended, &fx->talk, until_us), RT_OK);
    return fx->talk.code;
}

/* A request without fields is the same bytes whatever its type. */
int32_t service_ask_empty(struct service_world *fx, const char *path)
{
    Etcdserverpb__StatusRequest request = ETCDSERVERPB__STATUS_REQUEST__INIT;

    return service_ask(fx, path, &request.base);
}

void *service_answer(struct service_world *fx, const ProtobufCMessageDescriptor *type)
{
    assert_talk_ok(&fx->talk);
    assert_ptr_equal(fx->talk.messages[0]->descriptor, type);
    fx->talk.message_count = 0;
    return fx->talk.messages[0];
}

void assert_service_refused(const struct service_world *fx, int32_t code, const char *text)
{
    assert_int_equal(fx->talk.code, code);
    assert_string_equal(fx->talk.text, text);
}

int32_t service_put(struct service_world *fx, const char *key)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    request.key = bytes_of(key);
    return service_ask(fx, KV "Put", &request.base);
}
