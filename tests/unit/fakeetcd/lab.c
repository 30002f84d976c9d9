/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <stdlib.h>

static void on_record(void *arg, const struct rt_record *record);
static void on_message(void *arg, struct rt_slice message);
static void on_end(void *arg, const struct grpc_outcome *outcome);

static const struct grpc_request_handler HANDLER = {.on_message = on_message, .on_end = on_end};

void lab_start(struct lab *lab, lab_options_fn *change)
{
    static const char *const addresses[] = {"10.0.2.1:2379"};
    struct fakeetcd_options options;
    char error[200];
    *lab = (struct lab){0};
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &lab->loop), RT_OK);
    assert_int_equal(rt_network_create(lab->loop, &lab->network), RT_OK);
    assert_int_equal(rt_journal_create(lab->loop, 1000, &lab->journal), RT_OK);
    assert_int_equal(rt_journal_attach(lab->journal, on_record, lab), RT_OK);
    assert_int_equal(fault_engine_create(lab->loop, lab->journal, 1, &lab->engine), RT_OK);
    assert_int_equal(fault_engine_register(lab->engine, &fakeetcd_fault_domain), RT_OK);
    struct fakeetcd_environment environment = {.loop = lab->loop,
                                               .network = lab->network,
                                               .journal = lab->journal,
                                               .faults = lab->engine,
                                               .seed = 7};
    fakeetcd_options_init(&options);
    options.name = "etcd-1";
    options.addresses = addresses;
    if (change != NULL) {
        change(&options);
    }
    assert_int_equal(
        fakeetcd_server_create(&environment, &options, &lab->server, error, sizeof(error)), RT_OK);
    lab->channel = lab_connect(lab, "client-1");
}

static const char *wanted_profile;

static void use_profile(struct fakeetcd_options *options)
{
    options->profile = fakeetcd_profile_find(wanted_profile);
    assert_non_null(options->profile);
}

void lab_start_as(struct lab *lab, const char *profile)
{
    wanted_profile = profile;
    lab_start(lab, use_profile);
}

struct grpc_channel *lab_connect(struct lab *lab, const char *name)
{
    const struct grpc_channel_options options = {
        .name = name, .address = "10.0.2.1:2379", .connect_timeout_us = 5 * SECOND_US};
    struct grpc_channel *channel;
    assert_int_equal(grpc_channel_create(lab->loop, lab->network, &options, &channel), RT_OK);
    return channel;
}

/* Nothing may be left behind. */
void lab_stop(struct lab *lab)
{
    grpc_channel_destroy(lab->channel);
    lab_settle(lab);
    fakeetcd_server_destroy(lab->server);
    fault_engine_destroy(lab->engine);
    rt_journal_destroy(lab->journal);
    assert_int_equal(rt_network_live_count(lab->network), 0);
    rt_network_destroy(lab->network);
    rt_loop_destroy(lab->loop);
}

int lab_setup(void **state)
{
    static struct lab lab;

    lab_start(&lab, NULL);
    *state = &lab;
    return 0;
}

int lab_teardown(void **state)
{
    lab_stop(*state);
    return 0;
}

void lab_pass(struct lab *lab, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(lab->loop, NULL, NULL, rt_loop_now_us(lab->loop) + time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void lab_settle(struct lab *lab)
{
    lab_pass(lab, 0);
}

void lab_arm(struct lab *lab, const char *rule)
{
    char error[300] = "";
    enum rt_status status = fault_arm_text(lab->engine, rule, error, sizeof(error));
    if (status != RT_OK) {
        fail_msg("%s: %s", rule, error);
    }
}

uint64_t lab_fired(const struct lab *lab, const char *id)
{
    for (size_t i = 0; i < fault_rule_count(lab->engine); i++) {
        struct fault_rule_info info;
        fault_rule_info(lab->engine, i, &info);
        if (strcmp(info.id, id) == 0) {
            return info.fired;
        }
    }
    fail_msg("no rule %s", id);
    return 0;
}

bool lab_saw(const struct lab *lab, const char *event)
{
    char wanted[100];
    snprintf(wanted, sizeof(wanted), "%s ", event);
    return strstr(lab->events, wanted) != NULL;
}

static void on_record(void *arg, const struct rt_record *record)
{
    struct lab *lab = arg;
    size_t used = strlen(lab->events);
    lab->records[record->kind]++;
    if (record->kind == RT_REC_EVENT) {
        snprintf(lab->events + used, sizeof(lab->events) - used, "%s ", record->subject);
    }
    if (record->kind == RT_REC_RPC_ANSWERED || record->kind == RT_REC_RPC_EATEN) {
        snprintf(lab->last_cause, sizeof(lab->last_cause), "%s", record->cause);
    }
}

/* ---- talks ---- */

static void open_on(struct lab *lab, struct talk *talk, struct grpc_channel *channel,
                    const char *path, const struct grpc_metadata *metadata, size_t metadata_count,
                    uint64_t deadline_us)
{
    const struct fakeetcd_method *method = fakeetcd_method_by_path(rt_slice_text(path));
    *talk = (struct talk){.lab = lab};
    talk->answers = method == NULL ? &etcdserverpb__put_response__descriptor : method->response;
    assert_int_equal(grpc_request_start(channel, path, metadata, metadata_count, deadline_us,
                                        &HANDLER, talk, &talk->request),
                     RT_OK);
}

void talk_open(struct lab *lab, struct talk *talk, const char *path, struct grpc_channel *channel)
{
    const struct grpc_metadata token = {"token", rt_slice_text(lab->token)};
    open_on(lab, talk, channel == NULL ? lab->channel : channel, path, &token,
            lab->token == NULL ? 0 : 1, RT_NEVER);
}

void talk_open_with(struct lab *lab, struct talk *talk, const char *path,
                    const struct grpc_metadata *metadata, size_t metadata_count,
                    uint64_t deadline_us)
{
    open_on(lab, talk, lab->channel, path, metadata, metadata_count, deadline_us);
}

void talk_say(struct talk *talk, const ProtobufCMessage *message)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *room = grpc_request_reserve(talk->request, len_bytes);
    assert_non_null(room);
    protobuf_c_message_pack(message, room);
}

void talk_say_raw(struct talk *talk, const void *data, size_t len_bytes)
{
    uint8_t *room = grpc_request_reserve(talk->request, len_bytes);
    assert_non_null(room);
    memcpy(room, data, len_bytes);
}

void talk_close(struct talk *talk)
{
    grpc_request_half_close(talk->request);
}

void talk_cancel(struct talk *talk)
{
    if (talk->request != NULL) {
        grpc_request_cancel(talk->request);
        talk->request = NULL;
    }
}

void talk_free(struct talk *talk)
{
    talk_cancel(talk);
    for (size_t i = 0; i < talk->message_count; i++) {
        protobuf_c_message_free_unpacked(talk->messages[i], NULL);
    }
    talk->message_count = 0;
}

static void on_message(void *arg, struct rt_slice message)
{
    struct talk *talk = arg;
    static const uint8_t nothing[1];
    const uint8_t *data = message.len_bytes == 0 ? nothing : message.data;
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(talk->answers, NULL, message.len_bytes, data);
    talk->raw_count++;
    if (unpacked != NULL) {
        assert_true(talk->message_count < TALK_MESSAGES_MAX);
        talk->messages[talk->message_count++] = unpacked;
    }
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct talk *talk = arg;
    assert_false(talk->is_ended);
    talk->is_ended = true;
    talk->request = NULL;
    talk->code = outcome->code;
    talk->is_from_server = outcome->is_from_server;
    snprintf(talk->text, sizeof(talk->text), "%s", outcome->text == NULL ? "" : outcome->text);
}

void lab_ask(struct lab *lab, struct talk *talk, const char *path, const ProtobufCMessage *request)
{
    talk_start(lab, talk, path, request);
    lab_settle(lab);
}

void talk_start(struct lab *lab, struct talk *talk, const char *path,
                const ProtobufCMessage *request)
{
    talk_open(lab, talk, path, NULL);
    talk_say(talk, request);
    talk_close(talk);
}

void assert_talk_failed(const struct talk *talk, int32_t code, const char *text)
{
    assert_true(talk->is_ended);
    assert_string_equal(talk->text, text);
    assert_int_equal(talk->code, code);
    assert_int_equal(talk->message_count, 0);
}

void assert_talk_ok(const struct talk *talk)
{
    assert_true(talk->is_ended);
    assert_string_equal(talk->text, "");
    assert_int_equal(talk->code, GRPC_OK);
    assert_int_equal(talk->message_count, 1);
}

/* ---- on the way ---- */

int64_t lab_put(struct lab *lab, const char *key, const char *value)
{
    return lab_put_with(lab, key, value, 0);
}

int64_t lab_put_with(struct lab *lab, const char *key, const char *value, int64_t lease)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    struct talk talk;
    request.key = bytes_of(key);
    request.value = bytes_of(value);
    request.lease = lease;
    lab_ask(lab, &talk, KV_PATH("Put"), &request.base);
    assert_talk_ok(&talk);
    int64_t revision = ((Etcdserverpb__PutResponse *)talk.messages[0])->header->revision;
    talk_free(&talk);
    return revision;
}

void lab_delete(struct lab *lab, const char *key)
{
    Etcdserverpb__DeleteRangeRequest request = ETCDSERVERPB__DELETE_RANGE_REQUEST__INIT;
    struct talk talk;
    request.key = bytes_of(key);
    lab_ask(lab, &talk, KV_PATH("DeleteRange"), &request.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

void lab_grant(struct lab *lab, int64_t lease, int64_t ttl_s)
{
    Etcdserverpb__LeaseGrantRequest request = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    struct talk talk;
    request.id = lease;
    request.ttl = ttl_s;
    lab_ask(lab, &talk, LEASE_PATH("LeaseGrant"), &request.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

void lab_revoke(struct lab *lab, int64_t lease)
{
    Etcdserverpb__LeaseRevokeRequest request = ETCDSERVERPB__LEASE_REVOKE_REQUEST__INIT;
    struct talk talk;
    request.id = lease;
    lab_ask(lab, &talk, LEASE_PATH("LeaseRevoke"), &request.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

int64_t lab_ttl_of(struct lab *lab, int64_t lease)
{
    Etcdserverpb__LeaseTimeToLiveRequest request = ETCDSERVERPB__LEASE_TIME_TO_LIVE_REQUEST__INIT;
    struct talk talk;
    request.id = lease;
    lab_ask(lab, &talk, LEASE_PATH("LeaseTimeToLive"), &request.base);
    assert_talk_ok(&talk);
    int64_t ttl_s = ((Etcdserverpb__LeaseTimeToLiveResponse *)talk.messages[0])->ttl;
    talk_free(&talk);
    return ttl_s;
}

void lab_put_directly(struct lab *lab, const char *key, const char *value)
{
    assert_int_equal(fakeetcd_server_put(lab->server, rt_slice_text(key), rt_slice_text(value), 0),
                     FAKEETCD_OK);
    lab_settle(lab);
}

void lab_delete_directly(struct lab *lab, const char *key)
{
    assert_int_equal(fakeetcd_server_delete(lab->server, rt_slice_text(key)), FAKEETCD_OK);
    lab_settle(lab);
}

void lab_compact(struct lab *lab, int64_t revision)
{
    Etcdserverpb__CompactionRequest request = ETCDSERVERPB__COMPACTION_REQUEST__INIT;
    struct talk talk;
    request.revision = revision;
    lab_ask(lab, &talk, KV_PATH("Compact"), &request.base);
    assert_talk_ok(&talk);
    talk_free(&talk);
}

bool lab_has(const struct lab *lab, const char *key)
{
    struct fakeetcd_kv kv;
    return fakeetcd_store_get(fakeetcd_server_state(lab->server)->store, rt_slice_text(key), 0,
                              &kv);
}

int64_t lab_revision(const struct lab *lab)
{
    return fakeetcd_store_revision(fakeetcd_server_state(lab->server)->store);
}

void watch_prefix(struct talk *talk, const char *key, const char *end, int64_t start)
{
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
    create.key = bytes_of(key);
    create.range_end = bytes_of(end);
    create.start_revision = start;
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
    request.create_request = &create;
    talk_say(talk, &request.base);
    lab_settle(talk->lab);
}

const Etcdserverpb__WatchResponse *watch_said(const struct talk *talk, size_t index)
{
    assert_true(index < talk->message_count);
    return (const Etcdserverpb__WatchResponse *)talk->messages[index];
}
