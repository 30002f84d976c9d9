/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_CALL_H
#define FAKEETCD_CALL_H

#include "fakeetcd/auth.h"
#include "faults/fault.h"
#include "wire/grpc_server.h"

#include <protobuf-c/protobuf-c.h>

/*
 * One request in the server, however it came: gRPC and the JSON gateway are two transports under
 * the same methods. The order in which things happen to it is the order of the fault points:
 *
 *   decoded --request--> identity, checks, handler --applied--> answer --reply.byte--> replied
 *
 * Handlers take and give protobuf-c messages; a call owns an arena that lives until it is gone.
 */
struct fakeetcd_server;
struct fakeetcd_call;

enum fakeetcd_method_kind { FAKEETCD_UNARY, FAKEETCD_SERVER_STREAM, FAKEETCD_BIDI };

/* One method: a row of a constant table. */
struct fakeetcd_method {
    const char *service; /* "etcdserverpb.KV" */
    const char *name;    /* "Put" */
    const char *word;    /* as faults and scenarios name it: "put", "lease-grant", "watch" */
    enum fakeetcd_method_kind kind;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
    const char *http_path; /* of the gateway, below /v3: "/kv/put"; NULL: none */
    /* Unary and server streams: called once. A unary handler answers, or keeps the call and
     * answers later. Bidi: called for each message. */
    void (*on_request)(struct fakeetcd_call *call, const ProtobufCMessage *request);
    /* Streams: the peer sends nothing more. NULL: the call is finished with OK. */
    void (*on_half_close)(struct fakeetcd_call *call);
    /* The call is going, whatever the reason: drop `call->state`. NULL: nothing to drop. */
    void (*on_gone)(struct fakeetcd_call *call);
    /* Queued answers have dropped below the mark. NULL: never full. */
    void (*on_drained)(struct fakeetcd_call *call);
};

extern const struct fakeetcd_method fakeetcd_methods[]; /* ended by a row whose service is NULL */
size_t fakeetcd_method_count(void);
/* By "/service/Name" as it comes on the wire; NULL: unknown. Hashed, not searched. */
const struct fakeetcd_method *fakeetcd_method_by_path(struct rt_slice path);
/* Is there such a service at all? Decides between two texts of code 12. */
bool fakeetcd_has_service(struct rt_slice service);
extern const struct fault_domain fakeetcd_fault_domain; /* operations in the table's order */

/* What a transport does for a call. */
struct fakeetcd_transport {
    bool (*metadata)(const struct fakeetcd_call *call, const char *name,
                     struct rt_slice *out_value);
    /* One message of the answer; packed before it returns. */
    enum rt_status (*send)(struct fakeetcd_call *call, const ProtobufCMessage *message);
    void (*finish)(struct fakeetcd_call *call, int32_t code, const char *text);
    bool (*is_full)(const struct fakeetcd_call *call);
    /* A transport fault; false: this transport cannot do it. */
    bool (*strike)(struct fakeetcd_call *call, const struct fault_action *action);
    /* Common name of the client's certificate; "" when there is none, or it does not count. */
    const char *(*peer_name)(const struct fakeetcd_call *call);
};

/* Begins with what every transport and handler needs; a transport embeds it first in its own. */
struct fakeetcd_call {
    struct fakeetcd_server *server;
    const struct fakeetcd_method *method;
    const struct fakeetcd_transport *transport;
    const char *client; /* the peer, for faults and the journal */
    uint64_t id;        /* of the request, for the journal */
    uint64_t deadline_us;
    struct fakeetcd_identity identity;
    void *state; /* the handler's, between on_request and on_gone */
    bool is_finished;
    bool is_kept;      /* a handler or a fault answers later */
    const char *cause; /* id of the fault that owns what happens to it, or "" */
    struct fault_hold hold;
};

/* ---- transport -> server: H7's dispatcher (fakeetcd/dispatch.c) ---- */

/* A zeroed call whose transport, server, client and deadline are set, with a method found. */
void fakeetcd_call_begin(struct fakeetcd_call *call);
/* One request message. It may finish the call; the transport frees it only after gone. */
void fakeetcd_call_message(struct fakeetcd_call *call, struct rt_slice message);
/* The same when the transport has decoded it itself (gateway). */
void fakeetcd_call_decoded(struct fakeetcd_call *call, const ProtobufCMessage *message);
void fakeetcd_call_half_close(struct fakeetcd_call *call);
void fakeetcd_call_drained(struct fakeetcd_call *call);
/* Always, last, exactly once; after it the server does not know the call any more. */
void fakeetcd_call_gone(struct fakeetcd_call *call, bool is_cancelled);

/* ---- handler -> call ---- */

/* A unary answer: the message, then OK. */
void fakeetcd_call_answer(struct fakeetcd_call *call, const ProtobufCMessage *message);
/* One message of a stream. */
void fakeetcd_call_send(struct fakeetcd_call *call, const ProtobufCMessage *message);
void fakeetcd_call_fail(struct fakeetcd_call *call, enum fakeetcd_error error);
void fakeetcd_call_finish(struct fakeetcd_call *call, int32_t code, const char *text);
/* Memory that lives as long as the call; for messages under construction. NULL: none. */
void *fakeetcd_call_alloc(struct fakeetcd_call *call, size_t len_bytes);

#endif
