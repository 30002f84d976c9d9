/* SPDX-License-Identifier: Apache-2.0 */
#include "support/mini_etcd.h"

#include "runtime/tls.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct mini_connection {
    struct mini_etcd *etcd;
    struct grpc_connection *grpc;
    TAILQ_ENTRY(mini_connection) others;
};

struct mini_call {
    struct mini_etcd *etcd;
    struct mini_connection *connection;
    struct grpc_call *grpc;
    const char *path;
    struct {
        char key[MINI_BYTES];
        char end[MINI_BYTES];
    } watches[MINI_WATCHES];
    size_t watch_count;
    TAILQ_ENTRY(mini_call) others;
};

static void on_accept(void *arg, struct rt_stream *stream);
static void on_call(void *arg, struct grpc_call *grpc);
static void on_closed(void *arg, enum rt_status reason, const char *detail);
static void on_message(void *arg, struct grpc_call *grpc, struct rt_slice message);
static void on_half_close(void *arg, struct grpc_call *grpc);
static void on_gone(void *arg, struct grpc_call *grpc, bool is_cancelled);
static void on_lease_over(void *arg);

#define P(service, method) "/etcdserverpb." service "/" method
static const char *const PATHS[] = {P("KV", "Range"),         P("KV", "Put"),
                                    P("KV", "DeleteRange"),   P("KV", "Txn"),
                                    P("Lease", "LeaseGrant"), P("Lease", "LeaseKeepAlive"),
                                    P("Watch", "Watch"),      P("Maintenance", "Status"),
                                    P("Auth", "Authenticate")};
static const struct grpc_connection_handler CONNECTION_HANDLER = {.on_call = on_call,
                                                                  .on_closed = on_closed};
static const struct grpc_call_handler CALL_HANDLER = {
    .on_message = on_message, .on_half_close = on_half_close, .on_gone = on_gone};

static void must(bool is_right)
{
    if (!is_right) {
        abort(); /* a test that has outgrown this */
    }
}

static void note(struct mini_etcd *etcd, const char *format, ...) RT_PRINTF(2, 3);
static void note(struct mini_etcd *etcd, const char *format, ...)
{
    size_t at = strlen(etcd->log);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(etcd->log + at, sizeof(etcd->log) - at, format, arguments);
    va_end(arguments);
}

void mini_etcd_init(struct mini_etcd *etcd, struct rt_loop *loop, struct rt_network *network)
{
    memset(etcd, 0, sizeof(*etcd));
    etcd->loop = loop;
    etcd->network = network;
    etcd->revision = 1;
    etcd->next_lease = 7001;
    TAILQ_INIT(&etcd->connections);
    TAILQ_INIT(&etcd->calls);
    for (size_t i = 0; i < MINI_LEASES; i++) {
        etcd->leases[i].etcd = etcd;
        rt_timer_init(&etcd->leases[i].timer, loop, on_lease_over, &etcd->leases[i]);
    }
}

void mini_etcd_fini(struct mini_etcd *etcd)
{
    mini_etcd_kill(etcd);
    for (size_t i = 0; i < MINI_LEASES; i++) {
        rt_timer_disarm(&etcd->leases[i].timer);
    }
}

void mini_etcd_listen(struct mini_etcd *etcd, const char *address)
{
    must(rt_network_listen(etcd->network, address, on_accept, etcd, &etcd->listener) == RT_OK);
}

void mini_etcd_kill(struct mini_etcd *etcd)
{
    rt_listener_destroy(etcd->listener);
    etcd->listener = NULL;
    while (!TAILQ_EMPTY(&etcd->connections)) {
        struct mini_connection *connection = TAILQ_FIRST(&etcd->connections);
        TAILQ_REMOVE(&etcd->connections, connection, others);
        grpc_connection_destroy(connection->grpc);
        free(connection);
    }
    while (!TAILQ_EMPTY(&etcd->calls)) {
        struct mini_call *call = TAILQ_FIRST(&etcd->calls);
        TAILQ_REMOVE(&etcd->calls, call, others);
        free(call);
    }
}

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct mini_etcd *etcd = arg;
    static const struct rt_stream_handler no_handler = {0}; /* the connection brings its own */
    struct grpc_server_options options;
    struct mini_connection *connection = calloc(1, sizeof(*connection));
    must(connection != NULL);
    connection->etcd = etcd;
    grpc_server_options_init(&options);
    if (etcd->tls != NULL) {
        must(rt_tls_stream_create(etcd->tls, stream, &no_handler, NULL, &stream) == RT_OK);
    }
    must(grpc_connection_accept(etcd->loop, stream, &options, &CONNECTION_HANDLER, connection,
                                &connection->grpc) == RT_OK);
    TAILQ_INSERT_TAIL(&etcd->connections, connection, others);
}

static void on_closed(void *arg, enum rt_status reason, const char *detail)
{
    struct mini_connection *connection = arg;
    (void)reason;
    (void)detail;
    TAILQ_REMOVE(&connection->etcd->connections, connection, others);
    free(connection);
}

static void on_call(void *arg, struct grpc_call *grpc)
{
    struct mini_connection *connection = arg;
    struct mini_etcd *etcd = connection->etcd;
    struct mini_call *call = calloc(1, sizeof(*call));
    must(call != NULL);
    *call = (struct mini_call){.etcd = etcd, .connection = connection, .grpc = grpc, .path = ""};
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        if (rt_slice_is_text(grpc_call_path(grpc), PATHS[i])) {
            call->path = PATHS[i];
        }
    }
    etcd->call_count++;
    TAILQ_INSERT_TAIL(&etcd->calls, call, others);
    grpc_call_set_handler(grpc, &CALL_HANDLER, call);
    if (strstr(call->path, "KeepAlive") != NULL || strstr(call->path, "Watch") != NULL) {
        grpc_call_set_streaming(grpc);
        note(etcd, "%s\n", strrchr(call->path, '/') + 1);
    }
}

static void on_gone(void *arg, struct grpc_call *grpc, bool is_cancelled)
{
    struct mini_call *call = arg;
    (void)grpc;
    (void)is_cancelled;
    TAILQ_REMOVE(&call->etcd->calls, call, others);
    free(call);
}

static void on_half_close(void *arg, struct grpc_call *grpc)
{
    const struct mini_call *call = arg;
    if (strstr(call->path, "KeepAlive") != NULL || strstr(call->path, "Watch") != NULL) {
        grpc_call_finish(grpc, GRPC_OK, "");
    }
}

static void send_message(struct grpc_call *grpc, const ProtobufCMessage *message)
{
    uint8_t *room = grpc_call_reserve(grpc, protobuf_c_message_get_packed_size(message));
    must(room != NULL);
    protobuf_c_message_pack(message, room);
}

static void answer(struct mini_call *call, const ProtobufCMessage *message)
{
    send_message(call->grpc, message);
    grpc_call_finish(call->grpc, GRPC_OK, "");
}

static ProtobufCBinaryData data_of(const void *bytes, size_t len_bytes)
{
    return (ProtobufCBinaryData){.len = len_bytes, .data = (uint8_t *)(uintptr_t)bytes};
}

static void text_of(ProtobufCBinaryData data, char out_text[MINI_BYTES])
{
    must(data.len < MINI_BYTES);
    if (data.len > 0) {
        memcpy(out_text, data.data, data.len);
    }
    out_text[data.len] = '\0';
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool is_in(const char *key, const char *from, const char *end)
{
    return end[0] == '\0' ? strcmp(key, from) == 0 : strcmp(key, from) >= 0 && strcmp(key, end) < 0;
}

static void fill(Mvccpb__KeyValue *kv, const struct mini_key *key)
{
    mvccpb__key_value__init(kv);
    kv->key = data_of(key->key, strlen(key->key));
    kv->value = data_of(key->value, key->value_bytes);
    kv->lease = key->lease;
    kv->version = key->version;
    kv->create_revision = key->create_revision;
    kv->mod_revision = key->mod_revision;
}

static void tell(struct mini_etcd *etcd, const struct mini_key *key, bool is_delete)
{
    Etcdserverpb__WatchResponse response = ETCDSERVERPB__WATCH_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header = ETCDSERVERPB__RESPONSE_HEADER__INIT;
    Mvccpb__Event event = MVCCPB__EVENT__INIT;
    Mvccpb__KeyValue kv;
    Mvccpb__Event *events[] = {&event};
    struct mini_call *call;
    fill(&kv, key);
    if (is_delete) {
        kv.value.len = 0;
        kv.mod_revision = etcd->revision;
        event.type = MVCCPB__EVENT__EVENT_TYPE__DELETE;
    }
    event.kv = &kv;
    header.revision = etcd->revision;
    response.header = &header;
    response.events = events;
    response.n_events = 1;
    TAILQ_FOREACH(call, &etcd->calls, others)
    {
        for (size_t i = 0; i < call->watch_count; i++) {
            if (is_in(key->key, call->watches[i].key, call->watches[i].end)) {
                response.watch_id = (int64_t)i;
                send_message(call->grpc, &response.base);
            }
        }
    }
}

static size_t place_of(const struct mini_etcd *etcd, const char *key)
{
    size_t i = 0;
    while (i < etcd->key_count && strcmp(etcd->keys[i].key, key) < 0) {
        i++;
    }
    return i;
}

const struct mini_key *mini_etcd_find(const struct mini_etcd *etcd, const char *key)
{
    size_t i = place_of(etcd, key);
    return i < etcd->key_count && strcmp(etcd->keys[i].key, key) == 0 ? &etcd->keys[i] : NULL;
}

static void put(struct mini_etcd *etcd, const char *key, struct rt_slice value, int64_t lease)
{
    size_t i = place_of(etcd, key);
    must(strlen(key) < MINI_BYTES && value.len_bytes <= MINI_BYTES);
    etcd->revision++;
    if (mini_etcd_find(etcd, key) == NULL) {
        must(etcd->key_count < MINI_KEYS);
        memmove(&etcd->keys[i + 1], &etcd->keys[i], (etcd->key_count - i) * sizeof(etcd->keys[0]));
        etcd->key_count++;
        etcd->keys[i] = (struct mini_key){.create_revision = etcd->revision};
        snprintf(etcd->keys[i].key, MINI_BYTES, "%s", key);
    }
    if (value.len_bytes > 0) {
        memcpy(etcd->keys[i].value, value.data, value.len_bytes);
    }
    etcd->keys[i].value_bytes = value.len_bytes;
    etcd->keys[i].lease = lease;
    etcd->keys[i].version++;
    etcd->keys[i].mod_revision = etcd->revision;
    tell(etcd, &etcd->keys[i], false);
}

static void remove_at(struct mini_etcd *etcd, size_t i)
{
    struct mini_key key = etcd->keys[i];
    etcd->key_count--;
    memmove(&etcd->keys[i], &etcd->keys[i + 1], (etcd->key_count - i) * sizeof(etcd->keys[0]));
    tell(etcd, &key, true);
}

void mini_etcd_put(struct mini_etcd *etcd, const char *key, const char *value)
{
    put(etcd, key, rt_slice_text(value), 0);
}

void mini_etcd_delete(struct mini_etcd *etcd, const char *key)
{
    must(mini_etcd_find(etcd, key) != NULL);
    etcd->revision++;
    remove_at(etcd, place_of(etcd, key));
}

void mini_etcd_expire(struct mini_etcd *etcd, int64_t lease)
{
    etcd->revision++;
    for (size_t i = etcd->key_count; i-- > 0;) {
        if (etcd->keys[i].lease == lease) {
            remove_at(etcd, i);
        }
    }
    for (size_t i = 0; i < MINI_LEASES; i++) {
        if (etcd->leases[i].id == lease) {
            etcd->leases[i].id = 0;
            rt_timer_disarm(&etcd->leases[i].timer);
        }
    }
}

static void on_lease_over(void *arg)
{
    const struct mini_lease *lease = arg;
    mini_etcd_expire(lease->etcd, lease->id);
}

static struct mini_lease *find_lease(struct mini_etcd *etcd, int64_t id)
{
    for (size_t i = 0; i < MINI_LEASES; i++) {
        if (etcd->leases[i].id == id) {
            return &etcd->leases[i];
        }
    }
    return NULL;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void range(struct mini_call *call, const Etcdserverpb__RangeRequest *request)
{
    struct mini_etcd *etcd = call->etcd;
    Etcdserverpb__RangeResponse response = ETCDSERVERPB__RANGE_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header = ETCDSERVERPB__RESPONSE_HEADER__INIT;
    Mvccpb__KeyValue kvs[MINI_KEYS];
    Mvccpb__KeyValue *pointers[MINI_KEYS];
    char key[MINI_BYTES];
    char end[MINI_BYTES];
    text_of(request->key, key);
    text_of(request->range_end, end);
    note(etcd, "Range %s", key);
    if (end[0] != '\0') {
        note(etcd, " %s", end);
    }
    if (request->revision != 0) {
        note(etcd, " @%" PRId64, request->revision);
    }
    note(etcd, "\n");
    header.revision = etcd->revision;
    response.header = &header;
    response.kvs = pointers;
    for (size_t i = 0; i < etcd->key_count; i++) {
        if (is_in(etcd->keys[i].key, key, end)) {
            fill(&kvs[response.n_kvs], &etcd->keys[i]);
            pointers[response.n_kvs] = &kvs[response.n_kvs];
            response.n_kvs++;
        }
    }
    response.count = (int64_t)response.n_kvs;
    answer(call, &response.base);
}

static void put_call(struct mini_call *call, const Etcdserverpb__PutRequest *request)
{
    struct mini_etcd *etcd = call->etcd;
    Etcdserverpb__PutResponse response = ETCDSERVERPB__PUT_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header = ETCDSERVERPB__RESPONSE_HEADER__INIT;
    char key[MINI_BYTES];
    text_of(request->key, key);
    const char *state =
        request->value.len > 0 ? memchr(request->value.data, ';', request->value.len) : NULL;
    int state_bytes =
        state == NULL ? 0 : (int)((const char *)request->value.data + request->value.len - state);
    note(etcd, "Put %s%s%.*s\n", key, state == NULL ? "" : " ", state_bytes,
         state == NULL ? "" : state);
    if (request->lease != 0 && find_lease(etcd, request->lease) == NULL) {
        grpc_call_finish(call->grpc, GRPC_NOT_FOUND, "etcdserver: requested lease not found");
        return;
    }
    put(etcd, key, rt_slice_of(request->value.data, request->value.len), request->lease);
    header.revision = etcd->revision;
    response.header = &header;
    answer(call, &response.base);
}

static void delete_call(struct mini_call *call, const Etcdserverpb__DeleteRangeRequest *request)
{
    Etcdserverpb__DeleteRangeResponse response = ETCDSERVERPB__DELETE_RANGE_RESPONSE__INIT;
    char key[MINI_BYTES];
    text_of(request->key, key);
    note(call->etcd, "DeleteRange %s\n", key);
    if (mini_etcd_find(call->etcd, key) != NULL) {
        mini_etcd_delete(call->etcd, key);
        response.deleted = 1;
    }
    answer(call, &response.base);
}

static void txn(struct mini_call *call, const Etcdserverpb__TxnRequest *request)
{
    struct mini_etcd *etcd = call->etcd;
    Etcdserverpb__TxnResponse response = ETCDSERVERPB__TXN_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header = ETCDSERVERPB__RESPONSE_HEADER__INIT;
    char key[MINI_BYTES];
    must(request->n_compare == 1 && request->n_success == 1 && request->n_failure == 0);
    const Etcdserverpb__Compare *compare = request->compare[0];
    text_of(compare->key, key);
    const struct mini_key *found = mini_etcd_find(etcd, key);
    if (compare->target == ETCDSERVERPB__COMPARE__COMPARE_TARGET__VALUE) {
        note(etcd, "Txn %s value\n", key);
        response.succeeded =
            found != NULL && rt_slice_equal(rt_slice_of(found->value, found->value_bytes),
                                            rt_slice_of(compare->value.data, compare->value.len));
    } else {
        note(etcd, "Txn %s version %" PRId64 "\n", key, compare->version);
        response.succeeded = compare->version == (found == NULL ? 0 : found->version);
    }
    response.succeeded = response.succeeded && !etcd->is_compare_lost;
    if (response.succeeded) {
        const Etcdserverpb__PutRequest *value = request->success[0]->request_put;
        put(etcd, key, rt_slice_of(value->value.data, value->value.len), value->lease);
    }
    header.revision = etcd->revision;
    response.header = &header;
    answer(call, &response.base);
}

static void grant(struct mini_call *call, const Etcdserverpb__LeaseGrantRequest *request)
{
    struct mini_etcd *etcd = call->etcd;
    Etcdserverpb__LeaseGrantResponse response = ETCDSERVERPB__LEASE_GRANT_RESPONSE__INIT;
    struct mini_lease *lease = find_lease(etcd, 0);
    must(lease != NULL && request->id == 0);
    note(etcd, "LeaseGrant %" PRId64 "\n", request->ttl);
    lease->id = etcd->next_lease++;
    lease->ttl_us = (uint64_t)request->ttl * 1000000;
    must(rt_timer_arm_after(&lease->timer, lease->ttl_us) == RT_OK);
    response.id = lease->id;
    response.ttl = request->ttl;
    answer(call, &response.base);
}

static void keep_alive(struct mini_call *call, const Etcdserverpb__LeaseKeepAliveRequest *request)
{
    struct mini_lease *lease = find_lease(call->etcd, request->id);
    Etcdserverpb__LeaseKeepAliveResponse response = ETCDSERVERPB__LEASE_KEEP_ALIVE_RESPONSE__INIT;
    note(call->etcd, "KeepAlive\n");
    response.id = request->id;
    if (lease != NULL) {
        must(rt_timer_arm_after(&lease->timer, lease->ttl_us) == RT_OK);
        response.ttl = (int64_t)(lease->ttl_us / 1000000);
    }
    send_message(call->grpc, &response.base);
}

static void watch(struct mini_call *call, const Etcdserverpb__WatchRequest *request)
{
    struct mini_etcd *etcd = call->etcd;
    Etcdserverpb__WatchResponse response = ETCDSERVERPB__WATCH_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header = ETCDSERVERPB__RESPONSE_HEADER__INIT;
    must(request->create_request != NULL && call->watch_count < MINI_WATCHES);
    text_of(request->create_request->key, call->watches[call->watch_count].key);
    text_of(request->create_request->range_end, call->watches[call->watch_count].end);
    bool ends_in_ff =
        request->create_request->range_end.len > 0 &&
        request->create_request->range_end.data[request->create_request->range_end.len - 1] == 0xff;
    note(etcd, "Create %s%s @%" PRId64 "\n", call->watches[call->watch_count].key,
         ends_in_ff ? " ..ff" : "", request->create_request->start_revision);
    response.watch_id = (int64_t)call->watch_count++;
    response.created = true;
    header.revision = etcd->revision;
    response.header = &header;
    send_message(call->grpc, &response.base);
}

static void status(struct mini_call *call)
{
    Etcdserverpb__StatusResponse response = ETCDSERVERPB__STATUS_RESPONSE__INIT;
    struct rt_slice token;
    note(call->etcd, "Status%s\n",
         grpc_call_metadata(call->grpc, "token", &token) ? " with a token" : "");
    response.version = data_of("3.5.0", 5);
    answer(call, &response.base);
}

static void authenticate(struct mini_call *call, const Etcdserverpb__AuthenticateRequest *request)
{
    struct mini_etcd *etcd = call->etcd;
    Etcdserverpb__AuthenticateResponse response = ETCDSERVERPB__AUTHENTICATE_RESPONSE__INIT;
    char token[32];
    note(etcd, "Authenticate\n");
    if (!etcd->is_auth_on) {
        grpc_call_finish(call->grpc, GRPC_FAILED_PRECONDITION,
                         "etcdserver: authentication is not enabled");
    } else if (!rt_slice_is_text(rt_slice_of(request->password.data, request->password.len),
                                 "secret")) {
        grpc_call_finish(call->grpc, GRPC_INVALID_ARGUMENT,
                         "etcdserver: authentication failed, invalid user ID or password");
    } else {
        snprintf(token, sizeof(token), "token.%u", etcd->token_number);
        response.token = data_of(token, strlen(token));
        answer(call, &response.base);
    }
}

static bool is_refused(struct mini_call *call)
{
    struct mini_etcd *etcd = call->etcd;
    struct rt_slice token = {0};
    char valid[32];
    snprintf(valid, sizeof(valid), "token.%u", etcd->token_number);
    if (etcd->fail_times > 0 && strcmp(call->path, etcd->fail_path) == 0) {
        etcd->fail_times--;
        note(etcd, "failed %s\n", strrchr(call->path, '/') + 1);
        grpc_call_finish(call->grpc, etcd->fail_code, etcd->fail_text);
        return true;
    }
    if (etcd->mute_peer != NULL &&
        strcmp(grpc_connection_peer(call->connection->grpc), etcd->mute_peer) == 0) {
        return true;
    }
    if (etcd->mute_path != NULL && strcmp(call->path, etcd->mute_path) == 0) {
        note(etcd, "muted %s\n", strrchr(call->path, '/') + 1);
        return true;
    }
    if (!etcd->is_auth_on || strcmp(call->path, P("Auth", "Authenticate")) == 0 ||
        strcmp(call->path, P("Maintenance", "Status")) == 0) {
        return false;
    }
    if (!grpc_call_metadata(call->grpc, "token", &token)) {
        grpc_call_finish(call->grpc, GRPC_INVALID_ARGUMENT, "etcdserver: user name is empty");
        return true;
    }
    if (!rt_slice_is_text(token, valid)) {
        grpc_call_finish(call->grpc, GRPC_UNAUTHENTICATED, "etcdserver: invalid auth token");
        return true;
    }
    return false;
}

#define WITH(type, name, function)                                                                 \
    do {                                                                                           \
        Etcdserverpb__##type *request =                                                            \
            etcdserverpb__##name##__unpack(NULL, message.len_bytes, message.data);                 \
        must(request != NULL);                                                                     \
        function(call, request);                                                                   \
        etcdserverpb__##name##__free_unpacked(request, NULL);                                      \
    } while (0)

static void on_message(void *arg, struct grpc_call *grpc, struct rt_slice message)
{
    struct mini_call *call = arg;
    (void)grpc;
    if (is_refused(call)) {
        return;
    }
    if (strcmp(call->path, PATHS[0]) == 0) {
        WITH(RangeRequest, range_request, range);
    } else if (strcmp(call->path, PATHS[1]) == 0) {
        WITH(PutRequest, put_request, put_call);
    } else if (strcmp(call->path, PATHS[2]) == 0) {
        WITH(DeleteRangeRequest, delete_range_request, delete_call);
    } else if (strcmp(call->path, PATHS[3]) == 0) {
        WITH(TxnRequest, txn_request, txn);
    } else if (strcmp(call->path, PATHS[4]) == 0) {
        WITH(LeaseGrantRequest, lease_grant_request, grant);
    } else if (strcmp(call->path, PATHS[5]) == 0) {
        WITH(LeaseKeepAliveRequest, lease_keep_alive_request, keep_alive);
    } else if (strcmp(call->path, PATHS[6]) == 0) {
        WITH(WatchRequest, watch_request, watch);
    } else if (strcmp(call->path, PATHS[7]) == 0) {
        status(call);
    } else if (strcmp(call->path, PATHS[8]) == 0) {
        WITH(AuthenticateRequest, authenticate_request, authenticate);
    } else {
        grpc_call_finish(call->grpc, GRPC_UNIMPLEMENTED, "unknown method");
    }
}

unsigned mini_etcd_count(const struct mini_etcd *etcd, const char *word)
{
    unsigned count = 0;
    for (const char *at = strstr(etcd->log, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}
