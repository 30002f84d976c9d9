/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_REQUEST_CALL_H
#define FAKEETCD_REQUEST_CALL_H

#include "fakeetcd/auth/auth.h"
#include "fakeetcd/profile.h"
#include "faults/fault.h"
#include "wire/grpc/grpc_server.h"

#include <protobuf-c/protobuf-c.h>

/*
 * One request in the server, however it came: gRPC and the JSON gateway are two transports under
 * the same methods. The order in which things happen to it is the order of the fault points:
 *
 *   decoded --request--> identity, checks, handler --applied--> answer --reply.byte--> replied
 *
 * Handlers take and give protobuf-c messages that live until the handler returns.
 */
struct fakeetcd_server;
struct fakeetcd_call;

enum fakeetcd_method_kind { FAKEETCD_UNARY, FAKEETCD_SERVER_STREAM, FAKEETCD_BIDI };

/* What a call does without a leader. */
enum fakeetcd_leader_need {
    FAKEETCD_LEADER_LOCAL,    /* goes on */
    FAKEETCD_LEADER_PROPOSES, /* waits, then `context deadline exceeded` */
    FAKEETCD_LEADER_READS,    /* waits, then `request timed out` */
    FAKEETCD_LEADER_LEASES,   /* waits, then `no leader` */
    FAKEETCD_LEADER_ASK       /* the request says: Range, Txn, MemberList */
};

/* Who may call it when auth is on. */
enum fakeetcd_access_need {
    FAKEETCD_MAY_ANYBODY,
    FAKEETCD_MAY_USER, /* anybody with a valid token; in 3.4 anybody */
    FAKEETCD_MAY_ROOT,
    FAKEETCD_MAY_ADMIN,    /* root, refused with the raw text of the auth store */
    FAKEETCD_MAY_OPERATOR, /* root; in 3.4 anybody */
    FAKEETCD_MAY_ALARM,    /* looking as USER, changing as ROOT; in 3.4 anybody, refused raw */
    FAKEETCD_MAY_ASK       /* the handler checks keys */
};

/* One method: a row of a constant table. */
struct fakeetcd_method {
    const char *service; /* "etcdserverpb.KV" */
    const char *name;    /* "Put" */
    const char *word;    /* as faults and scenarios name it: "put", "lease-grant", "watch" */
    enum fakeetcd_method_kind kind;
    enum fakeetcd_leader_need leader;
    enum fakeetcd_access_need access;
    bool is_new; /* 3.4 does not have it */
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
/* Does this version of etcd have it? */
bool fakeetcd_method_is_in(const struct fakeetcd_method *method,
                           const struct fakeetcd_profile *profile);
/* Is there such a service at all? Decides between two texts of code 12. */
bool fakeetcd_has_service(struct rt_slice service);
/* "unknown method X for service Y" or "unknown service Y". */
void fakeetcd_unknown_text(struct rt_slice path, char *out_text, size_t text_bytes);
/* Operations in the table's order, each "etcd-" and the method's word. */
extern const struct fault_domain fakeetcd_fault_domain;

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
    /* The call is answered: what ends or stops its connection waits until everything is written.
     * NULL: this transport cannot do anything then. */
    void (*strike_replied)(struct fakeetcd_call *call, const struct fault_action *action);
    /* Common name of the client's certificate; "" when there is none, or it does not count. */
    const char *(*peer_name)(const struct fakeetcd_call *call);
};

struct fakeetcd__later;

/* Begins with what every transport and handler needs; a transport embeds it first in its own. */
struct fakeetcd_call {
    struct fakeetcd_server *server;
    const struct fakeetcd_method *method;
    const struct fakeetcd_transport *transport;
    const char *client; /* the peer, for faults and the journal */
    uint64_t id;        /* of the request, for the journal */
    uint64_t deadline_us;
    struct fakeetcd_identity identity; /* of the message under way */
    void *state;                       /* the handler's, between on_request and on_gone */
    bool is_finished;  /* answered, or its answer is eaten: nothing is said any more */
    bool is_answered;  /* its end has been handed to the transport */
    bool is_stalled;   /* a fault stops its connection: what it says waits */
    const char *cause; /* id of the fault that owns what happens to it; NULL or "": none */

    /* The dispatcher's. */
    bool is_arrived;
    bool is_wanting_leader;          /* metadata `hasleader` */
    const ProtobufCMessage *request; /* under way; NULL afterwards */
    const struct fault_action *when_replied;
    struct fakeetcd__later *later; /* NULL: nothing of it waits */
};

/* ---- transport -> server: the dispatcher ---- */

/* A zeroed call whose transport, server, client, method and deadline are set. It may finish it. */
void fakeetcd_call_begin(struct fakeetcd_call *call);
/* One request message. It may finish the call; the transport frees it only after gone. */
void fakeetcd_call_message(struct fakeetcd_call *call, struct rt_slice message);
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
bool fakeetcd_call_is_full(const struct fakeetcd_call *call);

#endif
