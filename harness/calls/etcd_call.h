/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_CALLS_ETCD_CALL_H
#define HARNESS_CALLS_ETCD_CALL_H

#include "harness/calls/call.h"
#include "harness/language/etcd_method.h"

/*
 * A step `etcd:`: one call of any method of etcd, over the real wire. A unary call is done with its
 * reply. A stream is done with its first message and stays open: what comes later is kept for the
 * statement `stream`. With `every` it repeats its request until an answer says TTL 0 or it ends.
 */
struct scn_etcd_call {
    struct scn_call *call;
    const struct fakeetcd_method *method;
    struct grpc_request *request; /* NULL: ended */
    const ProtobufCMessage *message;
    ProtobufCMessage **replies;
    size_t reply_count;
    size_t reply_capacity;
    bool is_ended;
    int32_t code;
    char *text;
    struct rt_timer repeat;
};

RT_NODISCARD enum rt_status scn_etcd_call_start(struct scn_call *call);
/* Ends a stream that is open. False: it is not. */
bool scn_etcd_call_end(struct scn_call *call);
void scn_etcd_call_destroy(struct scn_etcd_call *etcd);

/* "PUT a=1 (was 0)", "DELETE a": event `index` of all that a watch has brought. False: so many have
 * not come. */
bool scn_etcd_event_text(const struct scn_etcd_call *etcd, size_t index, char *out_text,
                         size_t text_bytes);
size_t scn_etcd_event_count(const struct scn_etcd_call *etcd);

#endif
