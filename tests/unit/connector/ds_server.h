/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONNECTOR_DS_SERVER_H
#define TESTS_CONNECTOR_DS_SERVER_H

#include "connector/ds_client.h"

/*
 * A worker that does what a test tells it: it speaks the wire through wire/'s encoders, answers
 * everything well unless a rule of the operation says otherwise, remembers every request with its
 * time, and sends answers to whichever connection holds the identity. It lives on any loop.
 */
#define SERVER_CONNECTIONS 16u
#define SERVER_ADDRESS     "10.0.1.1:31501" /* in simulated mode */
#define SERVER_CLIENT_ID   "11111111-2222-3333-4444-555555555555"

struct server_request {
    enum dsrpc_op op;
    uint64_t time_us;
    char identity[32];
    struct rt_blob *queue_id;
    struct rt_blob *meta;
    struct rt_blob *body;
    int64_t timeout_ms;
    size_t part_count;
    const void *first_blob; /* of the first part, to be compared only */
    size_t payload_bytes;
};

#define SERVER_PARTS 6u

struct server_rule {
    unsigned skip;        /* this many are answered well first */
    unsigned times;       /* then this many by the rule, and well again; 0: for ever */
    bool is_silent;       /* no answer */
    int32_t code;         /* else this status */
    const char *text;     /* and this text */
    struct rt_slice body; /* of code K_OK; borrowed, as `parts`, which only a get has */
    struct rt_slice parts[SERVER_PARTS];
    size_t part_count;
    bool is_frames; /* instead of all that: [queue id][MetaPb], then `parts`, whatever they say */
};

struct server_connection {
    struct server *server;
    struct rt_stream *stream;
    struct zmtp_codec *codec;
};

/* Answers itself and says true, or false: the rules decide. */
struct server;
typedef bool server_hook_fn(void *arg, struct server *server, const struct server_request *request);

struct server {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;
    char address[64];
    struct server_connection connections[SERVER_CONNECTIONS];
    struct server_request *requests;
    size_t request_count;
    size_t request_capacity;
    struct server_rule rules[DSRPC_OP_COUNT];
    bool has_rule[DSRPC_OP_COUNT];
    server_hook_fn *hook;
    void *hook_arg;
    const char *start_id;
    uint64_t dead_s;
    uint64_t reconnect_wait_s;
    bool is_client_removed; /* what heartbeats say */
    bool is_mute;           /* accepts and says nothing, not even a greeting */
    bool is_refusing;       /* resets what connects */
    struct rt_blob *value;  /* what a get finds under every key; NULL: nothing */
    uint64_t accepted;      /* connections */
    uint64_t probes;        /* empty messages */
    uint64_t beats;         /* ZMQ heartbeats */
};

void server_init(struct server *server, struct rt_loop *loop, struct rt_network *network);
void server_listen(struct server *server, const char *address);
void server_stop_listening(struct server *server);
void server_cut(struct server *server); /* resets every connection */
void server_fini(struct server *server);

void server_rule(struct server *server, enum dsrpc_op op, struct server_rule rule);
void server_refuse(struct server *server, enum dsrpc_op op, int32_t code, const char *text);
void server_silence(struct server *server, enum dsrpc_op op);

/* Of the n-th request of an operation; NULL when there was none. */
struct server_request *server_request(const struct server *server, enum dsrpc_op op, size_t number);
size_t server_count(const struct server *server, enum dsrpc_op op);
void server_forget(struct server *server); /* all requests so far */

/* False: nobody holds the identity. */
bool server_answer(struct server *server, const struct server_request *request, int32_t code,
                   const char *text, struct rt_slice body, bool has_payload,
                   const struct dsrpc_value *parts, size_t part_count);
bool server_answer_well(struct server *server, const struct server_request *request);

/* The bytes of a good answer, and any bytes on the connection of a request. */
struct rt_blob *server_good_bytes(struct server *server, const struct server_request *request);
bool server_send(struct server *server, const struct server_request *request,
                 struct rt_slice bytes);
void server_cut_connection_of(struct server *server, const struct server_request *request);

#endif
