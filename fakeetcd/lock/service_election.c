/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lock/contender.h"
#include "fakeetcd/request/service_rest.h"
#include "wire/proto/etcd_election.pb-c.h"

/* The service Election: a lock whose key says something, and whose holder others can see. Observe
 * is in election_observe.c. */

static void on_turn(struct fakeetcd__contender *contender, bool is_at_once);
static bool has_leader(struct fakeetcd_call *call, const V3electionpb__LeaderKey *leader);

void fakeetcd__on_campaign(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3electionpb__CampaignRequest *request = (const V3electionpb__CampaignRequest *)message;
    struct rt_slice value = pb_slice(request->value);

    fakeetcd__contend(call, pb_slice(request->name), request->lease, &value, on_turn);
}

/* The header is the one of its entry, however long it waited; and whether its key is still there
 * is not looked at. */
static void on_turn(struct fakeetcd__contender *contender, bool is_at_once)
{
    struct fakeetcd_call *call = contender->call;
    V3electionpb__CampaignResponse response = V3ELECTIONPB__CAMPAIGN_RESPONSE__INIT;
    V3electionpb__LeaderKey leader = V3ELECTIONPB__LEADER_KEY__INIT;
    Etcdserverpb__ResponseHeader header;

    (void)is_at_once;
    fakeetcd__header_fill(call->server, &header);
    header.revision = contender->header_revision;
    leader.name = pb_bytes(contender->name);
    leader.key = pb_bytes(contender->key);
    leader.rev = contender->revision;
    leader.lease = contender->lease;
    response.header = &header;
    response.leader = &leader;
    fakeetcd_call_answer(call, &response.base);
}

void fakeetcd__on_leader(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3electionpb__LeaderRequest *request = (const V3electionpb__LeaderRequest *)message;
    V3electionpb__LeaderResponse response = V3ELECTIONPB__LEADER_RESPONSE__INIT;
    Mvccpb__KeyValue leader;
    struct fakeetcd__queue *queue;
    struct fakeetcd_kv kv;
    struct rt_slice name = pb_slice(request->name);
    enum fakeetcd_error error = fakeetcd__may_read_below(call, name);

    if (error == FAKEETCD_OK) {
        error = fakeetcd__queue_join(call->server, name, &queue);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__queue_first(queue, &kv) ? FAKEETCD_OK : FAKEETCD_E_ELECTION_NO_LEADER;
        fakeetcd__queue_leave(queue);
    }
    if (error != FAKEETCD_OK) {
        fakeetcd__recipe_fail(call, error);
        return;
    }
    fakeetcd__kv_fill(&kv, &leader);
    response.kv = &leader;
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_proclaim(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3electionpb__ProclaimRequest *request = (const V3electionpb__ProclaimRequest *)message;
    V3electionpb__ProclaimResponse response = V3ELECTIONPB__PROCLAIM_RESPONSE__INIT;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    bool is_done = false;

    if (!has_leader(call, request->leader)) {
        return;
    }
    put.key = request->leader->key;
    put.value = request->value;
    put.lease = request->leader->lease;
    enum fakeetcd_error error = fakeetcd__session_lease(call, &put.lease);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__run_if_created(call, request->leader->rev, &put, NULL, &is_done);
    }
    if (error != FAKEETCD_OK) {
        fakeetcd__recipe_fail(call, error);
        return;
    }
    if (!is_done) {
        fakeetcd_call_finish(call, GRPC_UNKNOWN, "election: not leader");
        return;
    }
    fakeetcd__answer(call, &response.base, &response.header);
}

/* Who is not the leader resigns as well: nothing happens. */
void fakeetcd__on_resign(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3electionpb__ResignRequest *request = (const V3electionpb__ResignRequest *)message;
    V3electionpb__ResignResponse response = V3ELECTIONPB__RESIGN_RESPONSE__INIT;
    Etcdserverpb__DeleteRangeRequest deletion = ETCDSERVERPB__DELETE_RANGE_REQUEST__INIT;
    bool is_done = false;

    if (!has_leader(call, request->leader)) {
        return;
    }
    int64_t lease = request->leader->lease;
    deletion.key = request->leader->key;
    enum fakeetcd_error error = fakeetcd__session_lease(call, &lease);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__run_if_created(call, request->leader->rev, NULL, &deletion, &is_done);
    }
    if (error != FAKEETCD_OK) {
        fakeetcd__recipe_fail(call, error);
        return;
    }
    fakeetcd__answer(call, &response.base, &response.header);
}

static bool has_leader(struct fakeetcd_call *call, const V3electionpb__LeaderKey *leader)
{
    if (leader == NULL) {
        fakeetcd__recipe_fail(call, FAKEETCD_E_NO_LEADER_KEY);
    }
    return leader != NULL;
}
