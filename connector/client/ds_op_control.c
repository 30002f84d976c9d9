/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_op.h"

#define CLIENT_VERSION "0.8.1"

enum rt_status ds__pack_socket_path(struct ds__call *call)
{
    return ds__call_body_room(call, 0);
}

void ds__accept_nothing(struct ds__call *call, const struct dsrpc_answer *answer,
                        const struct zmtp_message *message, struct ds_result *result,
                        struct ds__outcome *outcome)
{
    (void)call;
    (void)answer;
    (void)message;
    (void)result;
    (void)outcome;
}

/* Again with the id we had: the worker then gives it back. */
enum rt_status ds__pack_register(struct ds__call *call)
{
    Ds__RegisterClientReq request = DS__REGISTER_CLIENT_REQ__INIT;

    request.version = pb_bytes(rt_slice_text(CLIENT_VERSION));
    request.client_id = ds__client_id_of(call);
    request.heartbeat_enabled = 1;
    request.server_fd = -1;
    request.support_multi_shm_ref_count = 1;
    return ds__pack_body(call, &request.base);
}

void ds__accept_register(struct ds__call *call, const struct dsrpc_answer *answer,
                         const struct zmtp_message *message, struct ds_result *result,
                         struct ds__outcome *outcome)
{
    struct ds_client *client = call->client;
    Ds__RegisterClientRsp *reply =
        ds__unpack(call, &ds__register_client_rsp__descriptor, answer, outcome);

    (void)message;
    (void)result;
    if (reply == NULL) {
        return;
    }
    if (reply->client_id.len == 0 || reply->client_id.len > 255) {
        ds__mismatch(outcome, K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE,
                     "The worker registered the client without an id.");
        return;
    }
    ds__text_clear(&client->client_id);
    ds__text_add(&client->client_id, pb_slice(reply->client_id));
    ds__text_clear(&client->worker_start_id);
    ds__text_add_raw(&client->worker_start_id, pb_slice(reply->worker_start_id));
    ds__heartbeat_configure(client, reply->client_dead_timeout_s, reply->client_reconnect_wait_s);
    client->registrations++;
    ds__journal_state(client, "registered");
}

enum rt_status ds__pack_disconnect(struct ds__call *call)
{
    Ds__DisconnectClientReq request = DS__DISCONNECT_CLIENT_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    return ds__pack_body(call, &request.base);
}

enum rt_status ds__pack_heartbeat(struct ds__call *call)
{
    Ds__HeartbeatReq request = DS__HEARTBEAT_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    return ds__pack_body(call, &request.base);
}

void ds__accept_heartbeat(struct ds__call *call, const struct dsrpc_answer *answer,
                          const struct zmtp_message *message, struct ds_result *result,
                          struct ds__outcome *outcome)
{
    struct ds_client *client = call->client;
    Ds__HeartbeatRsp *reply = ds__unpack(call, &ds__heartbeat_rsp__descriptor, answer, outcome);

    (void)message;
    (void)result;
    if (reply == NULL) {
        return;
    }
    struct rt_slice known =
        rt_slice_of(client->worker_start_id.bytes, client->worker_start_id.len_bytes);
    client->heartbeat.has_worker_left =
        reply->client_removed ||
        (known.len_bytes > 0 && !rt_slice_equal(known, pb_slice(reply->worker_start_id)));
}
