/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_DSRPC_DSRPC_H
#define WIRE_DSRPC_DSRPC_H

#include "wire/dsrpc/dsrpc_code.h"
#include "wire/zmtp/zmtp.h"

/*
 * The Datasystem's RPC envelope over ZMTP (framing of 0.8.1).
 *
 *   request  [MetaPb][body]                         payload sent:     [total, int64 LE][parts...]
 *   answer   [queue id][MetaPb][ErrorInfoPb][body]  payload returned: [total, int64 LE][parts...]
 *
 * MetaPb is read by a small field scanner and echoed as raw bytes. Bodies are protobuf-c messages
 * of wire/proto/datasystem.proto. Values never pass through protobuf: they are payload parts.
 */

/* Operations as the project calls them; one list for methods, scenarios, faults and counters.
 * Row: enumerator suffix, word, service, method index (0.8.1), payload in request, in answer. */
#define DSRPC_OP_LIST(ROW)                                                                         \
    ROW(CLIENT_FD, "client-fd", "WorkerService", 0, false, false)                                  \
    ROW(SOCKET_PATH, "socket-path", "WorkerService", 1, false, false)                              \
    ROW(REGISTER, "register", "WorkerService", 2, false, false)                                    \
    ROW(DISCONNECT, "disconnect", "WorkerService", 3, false, false)                                \
    ROW(HEARTBEAT, "heartbeat", "WorkerService", 4, false, false)                                  \
    ROW(HEALTH, "health", "WorkerOCService", 0, false, false)                                      \
    ROW(CREATE, "create", "WorkerOCService", 1, false, false)                                      \
    ROW(SET, "set", "WorkerOCService", 2, true, false)                                             \
    ROW(GET, "get", "WorkerOCService", 3, false, true)                                             \
    ROW(DECREASE_REFERENCE, "decrease-reference", "WorkerOCService", 4, false, false)              \
    ROW(RECONCILE, "reconcile", "WorkerOCService", 5, false, false)                                \
    ROW(DELETE, "delete", "WorkerOCService", 8, false, false)                                      \
    ROW(MSET, "mset", "WorkerOCService", 25, true, false)                                          \
    ROW(MCREATE, "mcreate", "WorkerOCService", 35, false, false)                                   \
    ROW(QUERY_SIZE, "query-size", "WorkerOCService", 36, false, false)                             \
    ROW(EXIST, "exist", "WorkerOCService", 37, false, false)                                       \
    ROW(EXPIRE, "expire", "WorkerOCService", 38, false, false)                                     \
    ROW(ZMQ_HEARTBEAT, "zmq-heartbeat", "", -2, false, false)

enum dsrpc_op {
#define DSRPC_OP_ENUM(name, word, service, index, sends, returns) DSRPC_OP_##name,
    DSRPC_OP_LIST(DSRPC_OP_ENUM)
#undef DSRPC_OP_ENUM
        DSRPC_OP_COUNT,
    DSRPC_OP_UNKNOWN = DSRPC_OP_COUNT
};

struct dsrpc_method {
    enum dsrpc_op op;
    const char *word;
    const char *service;
    int32_t index;
    bool sends_payload;
    bool returns_payload;
};

/* What differs between versions, as data. */
struct dsrpc_profile {
    const char *name; /* "datasystem-0.8.1" */
    const char *version;
    const struct dsrpc_method *methods; /* DSRPC_OP_COUNT rows, by enum dsrpc_op */
    bool is_meta_timeout_in_us;
};

extern const struct dsrpc_profile dsrpc_profile_0_8_1;

const struct dsrpc_method *dsrpc_method_of(const struct dsrpc_profile *profile, enum dsrpc_op op);
const char *dsrpc_op_word(enum dsrpc_op op); /* "unknown" for DSRPC_OP_UNKNOWN */
bool dsrpc_op_parse(const char *word, size_t len_bytes, enum dsrpc_op *out_op);

/* ---- MetaPb ------------------------------------------------------------------------------- */

/* Views into the raw message. */
struct dsrpc_meta {
    struct rt_slice raw;
    struct rt_slice service;
    int32_t method_index;
    int64_t payload_index;
    struct rt_slice queue_id; /* field 4, the correlation key */
    struct rt_slice trace_id;
    int64_t timeout; /* the profile's unit; 0 when absent */
    size_t tick_count;
};

/* RT_E_MALFORMED: it does not parse, as the real peers see it (texts must be UTF-8). Unknown fields
 * are let through. */
RT_NODISCARD enum rt_status dsrpc_meta_decode(struct rt_slice raw, struct dsrpc_meta *out_meta);

/* What a proto3 string must be. Bodies are not checked when unpacked: ask where the real peer
 * would refuse. */
bool dsrpc_is_utf8(struct rt_slice text);

/* The same number for a request on both sides of the journal: a hash (FNV-1a) of its queue id. */
uint64_t dsrpc_rpc_id(struct rt_slice queue_id);

/* Payload parts of a message: frames [first, first + count) after a length frame that agrees. */
struct dsrpc_payload {
    const struct zmtp_frame *parts;
    size_t part_count;
    uint64_t total_bytes;
};

/* ---- requests ----------------------------------------------------------------------------- */

struct dsrpc_request {
    struct dsrpc_meta meta;
    enum dsrpc_op op; /* DSRPC_OP_UNKNOWN: see meta.service and meta.method_index */
    bool is_service_known;
    struct rt_slice body;
    struct dsrpc_payload payload;
};

/*
 * Views into `message`.
 *   RT_OK           also for unknown methods
 *   RT_E_MALFORMED  no MetaPb, or no tick: the real worker stays silent
 *   RT_E_INVALID    the payload frames do not fit: answer K_INVALID; *out_request is filled as far
 *                   as it went, `out_why` (static text) says what is wrong
 */
RT_NODISCARD enum rt_status dsrpc_request_decode(const struct dsrpc_profile *profile,
                                                 const struct zmtp_message *message,
                                                 struct dsrpc_request *out_request,
                                                 const char **out_why);

/* One value to send: pieces that are written one after the other, by reference. */
struct dsrpc_piece {
    struct rt_blob *blob;  /* NULL: `bytes` are copied */
    struct rt_slice bytes; /* inside `blob` when there is one */
};

struct dsrpc_value {
    const struct dsrpc_piece *pieces;
    size_t piece_count;
    uint64_t total_bytes; /* of all pieces together; another number is refused when it is sent */
};

struct dsrpc_outgoing {
    enum dsrpc_op op;
    struct rt_slice queue_id;
    struct rt_slice trace_id;
    int64_t timeout_ms;
    struct rt_slice body;             /* packed protobuf */
    const struct dsrpc_value *values; /* payload: one part each (split over 2^31-1); NULL: none */
    size_t value_count;
    bool is_background;  /* no user's call made it: no log_sample_state */
    uint64_t started_ns; /* latency ticks, unix time; 0: left out. Workers need */
    uint64_t sent_ns;    /* neither; the real client sends both */
};

/* Writes MetaPb as the real client does (svc_name, method_index, payload_index, queue id, one empty
 * tick, trace id, timeout, log_sample_state 3 for users' calls, latency ticks when there are
 * times). A value of no bytes becomes no part, as in the real client.
 *
 *   RT_E_INVALID  an id of more than 255 bytes, or a value whose pieces are not total_bytes long;
 *                 nothing was written
 *   RT_E_NOMEM    `out` may end inside the message: the connection cannot be used any more */
RT_NODISCARD enum rt_status dsrpc_request_encode(const struct dsrpc_profile *profile,
                                                 const struct dsrpc_outgoing *request,
                                                 struct rt_outbox *out);

/* The heartbeat of a connection, method -2. */
RT_NODISCARD enum rt_status dsrpc_zmq_heartbeat_encode(struct rt_slice queue_id, int64_t timeout_ms,
                                                       struct rt_outbox *out);

/* ---- answers ------------------------------------------------------------------------------ */

struct dsrpc_answer {
    struct rt_slice queue_id;
    struct dsrpc_meta meta;
    int32_t code;         /* ErrorInfoPb.error_code, 0: OK */
    struct rt_slice text; /* ErrorInfoPb.error_msg */
    struct rt_slice body; /* empty when code is not 0 */
    struct dsrpc_payload payload;
};

/* RT_E_MALFORMED: not an answer; the real client drops it. The answer to a ZMQ heartbeat has code 0
 * and the second MetaPb as its body. */
RT_NODISCARD enum rt_status dsrpc_answer_decode(const struct zmtp_message *message,
                                                struct dsrpc_answer *out_answer);

/* After dsrpc_answer_decode said code 0: checks and finds the payload frames of a method that
 * returns them. RT_E_MALFORMED: they do not fit. */
RT_NODISCARD enum rt_status dsrpc_answer_payload(const struct zmtp_message *message,
                                                 struct dsrpc_payload *out_payload);

/* Writes an answer: `queue_id` and `raw_meta` are echoed. With code != 0 body and parts are left
 * out. `has_payload`: a length frame and the parts, as methods that return payload always have; a
 * value of no bytes is one empty part, so that part indices stay right. Errors as above. */
RT_NODISCARD enum rt_status dsrpc_answer_encode(struct rt_slice queue_id, struct rt_slice raw_meta,
                                                int32_t code, struct rt_slice text,
                                                struct rt_slice body, bool has_payload,
                                                const struct dsrpc_value *parts, size_t part_count,
                                                struct rt_outbox *out);

/* [queue id][MetaPb][MetaPb]: what a ZMQ heartbeat gets. */
RT_NODISCARD enum rt_status dsrpc_zmq_heartbeat_answer(const struct dsrpc_meta *meta,
                                                       struct rt_outbox *out);

/* ---- protobuf-c helpers --------------------------------------------------------------------- */

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

/* Bump allocator for unpacked messages; freed as a whole. Reset keeps the memory. */
struct dsrpc_arena;
RT_NODISCARD struct dsrpc_arena *dsrpc_arena_create(void);
void dsrpc_arena_reset(struct dsrpc_arena *arena);
void dsrpc_arena_destroy(struct dsrpc_arena *arena);

/* NULL when the bytes do not parse, or memory is short, or the arena's limit (64 MiB) is hit. */
RT_NODISCARD void *dsrpc_unpack(const struct ProtobufCMessageDescriptor *descriptor,
                                struct rt_slice bytes, struct dsrpc_arena *arena);

/* Packed into the arena. The empty slice with data NULL when memory is short. */
RT_NODISCARD enum rt_status dsrpc_pack(const struct ProtobufCMessage *message,
                                       struct dsrpc_arena *arena, struct rt_slice *out_bytes);

#endif
