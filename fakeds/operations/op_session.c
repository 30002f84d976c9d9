/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster.h"
#include "fakeds/request/dispatch.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

/* How a client comes and goes. Values of the registration are the real worker's. */
#define PAGE_SIZE_BYTES     (1024 * 1024)
#define SHM_THRESHOLD_BYTES 512000u
#define NODE_TIMEOUT_S      60u

static char *name_of(const struct fakeds__call *call, const Ds__RegisterClientReq *request);
static ProtobufCBinaryData text_data(const char *text);
static bool is_exiting(const struct fakeds_worker *worker);

/* An empty path declines shared memory: everything goes inline over TCP. */
void fakeds__op_socket_path(struct fakeds__call *call)
{
    fakeds__call_answer_ok(call, NULL);
}

void fakeds__op_client_fd(struct fakeds__call *call)
{
    fakeds__call_refuse(call, K_NOT_SUPPORTED, "Shared memory is not offered");
}

/* A client that registers again proposes its old id and gets it. */
void fakeds__op_register(struct fakeds__call *call)
{
    struct fakeds_worker *worker = call->worker;
    const Ds__RegisterClientReq *request = (const Ds__RegisterClientReq *)call->message;
    char fresh_id[RT_UUID_TEXT_BYTES];
    struct rt_slice id = call->client_id;
    if (id.len_bytes == 0) {
        rt_random_uuid(&worker->ids, fresh_id);
        id = rt_slice_text(fresh_id);
    }
    char *name = name_of(call, request);
    const struct fakeds__client *client =
        name == NULL ? NULL
                     : fakeds__clients_add(&worker->clients, id, name, fakeds__now_us(worker));
    free(name);
    if (client == NULL) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    fakeds__record_state(worker, client->name, "client registered");
    fakeds__arm_silence(worker);
    Ds__RegisterClientRsp answer = DS__REGISTER_CLIENT_RSP__INIT;
    answer.page_size = PAGE_SIZE_BYTES;
    answer.client_id = pb_bytes(client->id);
    answer.quorum_timeout_mult = 1.0;
    answer.shm_threshold = SHM_THRESHOLD_BYTES;
    answer.worker_start_id = text_data(worker->start_id);
    answer.worker_uuid = text_data(worker->uuid);
    answer.node_timeout_s = NODE_TIMEOUT_S;
    answer.store_fd = -1;
    answer.client_dead_timeout_s = worker->options.client_dead_timeout_s;
    answer.client_reconnect_wait_s = worker->options.client_reconnect_wait_s;
    answer.support_multi_shm_ref_count = true;
    fakeds__call_answer_ok(call, &answer.base);
}

/* What faults and the journal call it: the pod name that it tells, else its peer name. The real
 * client tells a blank when it has none. */
static char *name_of(const struct fakeds__call *call, const Ds__RegisterClientReq *request)
{
    if (request->pod_name.len > 0 && request->pod_name.data[0] != ' ') {
        return strndup((const char *)request->pod_name.data, request->pod_name.len);
    }
    return strdup(call->client);
}

static ProtobufCBinaryData text_data(const char *text)
{
    return pb_bytes(rt_slice_text(text));
}

/* An unknown id is no error here: "removed" makes the client register again. */
void fakeds__op_heartbeat(struct fakeds__call *call)
{
    struct fakeds_worker *worker = call->worker;
    struct fakeds__client *client = fakeds__clients_find(&worker->clients, call->client_id);
    Ds__HeartbeatRsp answer = DS__HEARTBEAT_RSP__INIT;
    answer.worker_start_id = text_data(worker->start_id);
    answer.client_removed = client == NULL;
    answer.is_voluntary_scale_down = is_exiting(worker);
    if (client != NULL) {
        fakeds__clients_hear(&worker->clients, client, fakeds__now_us(worker));
    }
    fakeds__call_answer_ok(call, &answer.base);
}

static bool is_exiting(const struct fakeds_worker *worker)
{
    return worker->cluster != NULL && fakeds__cluster_is_exiting(worker->cluster);
}

void fakeds__op_zmq_heartbeat(struct fakeds__call *call)
{
    fakeds__call_answer_ok(call, NULL);
}

void fakeds__op_disconnect(struct fakeds__call *call)
{
    struct fakeds_worker *worker = call->worker;
    struct fakeds__client *client = fakeds__clients_find(&worker->clients, call->client_id);
    if (client != NULL) {
        fakeds__record_state(worker, client->name, "client disconnected");
        if (call->client == client->name) {
            call->client = ""; /* its name goes with it */
        }
        fakeds__clients_remove(&worker->clients, client);
        fakeds__arm_silence(worker);
    }
    fakeds__call_answer_ok(call, NULL);
}

/* Between the signal and the answer of etcd to `exiting`; later the worker is not ready. */
void fakeds__op_health(struct fakeds__call *call)
{
    if (is_exiting(call->worker)) {
        fakeds__call_refuse(call, K_SCALE_DOWN, "Worker is exiting now");
    } else {
        fakeds__call_answer_ok(call, NULL);
    }
}
