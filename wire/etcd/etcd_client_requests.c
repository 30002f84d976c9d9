/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client_internal.h"
#include "wire/protobuf_bytes.h"

/* What the Datasystem asks of etcd, each with the fields that it sets and no others. */

#define SECOND_US     UINT64_C(1000000)
#define GRANT_LIMIT_S 5

const struct etcd_policy etcd_policy_send = {
    .total_us = 50 * SECOND_US, .attempt_us = 10 * SECOND_US, .is_retried = true};
const struct etcd_policy etcd_policy_probe = {.total_us = 10 * SECOND_US,
                                              .attempt_us = 10 * SECOND_US};
const struct etcd_policy etcd_policy_write = {.total_us = 5 * SECOND_US,
                                              .attempt_us = 5 * SECOND_US};
const struct etcd_policy etcd_policy_forever = {.total_us = RT_NEVER, .attempt_us = RT_NEVER};

static const struct etcd__method RANGE = {.path = "/etcdserverpb.KV/Range",
                                          .response = &etcdserverpb__range_response__descriptor};
static const struct etcd__method PUT = {.path = "/etcdserverpb.KV/Put",
                                        .response = &etcdserverpb__put_response__descriptor};
static const struct etcd__method DELETE_RANGE = {
    .path = "/etcdserverpb.KV/DeleteRange",
    .response = &etcdserverpb__delete_range_response__descriptor};
static const struct etcd__method TXN = {.path = "/etcdserverpb.KV/Txn",
                                        .response = &etcdserverpb__txn_response__descriptor};
static const struct etcd__method LEASE_GRANT = {
    .path = "/etcdserverpb.Lease/LeaseGrant",
    .response = &etcdserverpb__lease_grant_response__descriptor};
static const struct etcd__method STATUS = {.path = "/etcdserverpb.Maintenance/Status",
                                           .response = &etcdserverpb__status_response__descriptor,
                                           .is_without_token = true};

enum rt_status etcd_range(struct etcd_client *client, struct rt_slice key,
                          struct rt_slice range_end, int64_t revision, etcd_done_fn *done,
                          void *arg, struct etcd_call **out_call)
{
    Etcdserverpb__RangeRequest request = ETCDSERVERPB__RANGE_REQUEST__INIT;
    request.key = pb_bytes(key);
    request.range_end = pb_bytes(range_end);
    request.revision = revision;
    return etcd__call_start(client, &RANGE, &request.base, &etcd_policy_send, done, arg, out_call);
}

enum rt_status etcd_put(struct etcd_client *client, struct rt_slice key, struct rt_slice value,
                        int64_t lease, const struct etcd_policy *policy, etcd_done_fn *done,
                        void *arg, struct etcd_call **out_call)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    request.key = pb_bytes(key);
    request.value = pb_bytes(value);
    request.lease = lease;
    return etcd__call_start(client, &PUT, &request.base, policy, done, arg, out_call);
}

enum rt_status etcd_delete(struct etcd_client *client, struct rt_slice key,
                           const struct etcd_policy *policy, etcd_done_fn *done, void *arg,
                           struct etcd_call **out_call)
{
    Etcdserverpb__DeleteRangeRequest request = ETCDSERVERPB__DELETE_RANGE_REQUEST__INIT;
    request.key = pb_bytes(key);
    return etcd__call_start(client, &DELETE_RANGE, &request.base, policy, done, arg, out_call);
}

enum rt_status etcd_compare_and_put(struct etcd_client *client, struct rt_slice key,
                                    int64_t version, const struct rt_slice *old_value,
                                    struct rt_slice value, etcd_done_fn *done, void *arg,
                                    struct etcd_call **out_call)
{
    Etcdserverpb__TxnRequest request = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__Compare compare = ETCDSERVERPB__COMPARE__INIT;
    Etcdserverpb__RequestOp success = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__Compare *compares[] = {&compare};
    Etcdserverpb__RequestOp *successes[] = {&success};
    compare.key = pb_bytes(key);
    if (old_value != NULL) {
        compare.target = ETCDSERVERPB__COMPARE__COMPARE_TARGET__VALUE;
        compare.target_union_case = ETCDSERVERPB__COMPARE__TARGET_UNION_VALUE;
        compare.value = pb_bytes(*old_value);
    } else {
        compare.target_union_case = ETCDSERVERPB__COMPARE__TARGET_UNION_VERSION;
        compare.version = version;
    }
    put.key = pb_bytes(key);
    put.value = pb_bytes(value);
    success.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
    success.request_put = &put;
    request.compare = compares;
    request.n_compare = 1;
    request.success = successes;
    request.n_success = 1;
    return etcd__call_start(client, &TXN, &request.base, &etcd_policy_forever, done, arg, out_call);
}

enum rt_status etcd_lease_grant(struct etcd_client *client, int64_t ttl_s, etcd_done_fn *done,
                                void *arg, struct etcd_call **out_call)
{
    Etcdserverpb__LeaseGrantRequest request = ETCDSERVERPB__LEASE_GRANT_REQUEST__INIT;
    uint64_t limit_us =
        (ttl_s > 0 && ttl_s < GRANT_LIMIT_S ? (uint64_t)ttl_s : GRANT_LIMIT_S) * SECOND_US;
    struct etcd_policy policy = {.total_us = limit_us, .attempt_us = limit_us};
    request.ttl = ttl_s;
    return etcd__call_start(client, &LEASE_GRANT, &request.base, &policy, done, arg, out_call);
}

enum rt_status etcd_status(struct etcd_client *client, etcd_done_fn *done, void *arg,
                           struct etcd_call **out_call)
{
    Etcdserverpb__StatusRequest request = ETCDSERVERPB__STATUS_REQUEST__INIT;
    return etcd__call_start(client, &STATUS, &request.base, &etcd_policy_probe, done, arg,
                            out_call);
}
