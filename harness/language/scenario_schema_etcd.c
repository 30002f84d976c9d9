/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the language that speaks of etcd: servers, the steps `etcd` and `switch`. */
#include "harness/language/scenario_schema.h"

#include "fakeetcd/server/server.h"

#define SPEC(member) .offset = offsetof(struct scn_etcd_spec, member)

static const struct doc_field etcd_server_fields[] = {
    {.key = "profile",
     .kind = DOC_FIELD_TEXT,
     SPEC(profile),
     .node_at = DOC_NODE_AT(struct scn_etcd_spec, profile_node),
     .preset = "etcd-3.5",
     .help = "which version it behaves as: etcd-3.4, etcd-3.5"},
    {.key = "election_timeout",
     .kind = DOC_FIELD_DURATION,
     SPEC(election_timeout_us),
     .preset = "1s",
     .help = "the smallest TTL of a lease and the time-outs without a leader follow from it"},
    {.key = "token_ttl",
     .kind = DOC_FIELD_DURATION,
     SPEC(token_ttl_us),
     .preset = "5min",
     .help = "life of a token after its last use"},
    {.key = "progress_interval",
     .kind = DOC_FIELD_DURATION,
     SPEC(progress_interval_us),
     .preset = "10min",
     .help = "an idle watch that wants it is told its progress so often"},
    {.key = "quota",
     .kind = DOC_FIELD_SIZE,
     SPEC(quota_bytes),
     .preset = "2GiB",
     .help = "more than this in the store raises the NOSPACE alarm"},
    {.key = "down",
     .kind = DOC_FIELD_BOOL,
     SPEC(is_down),
     .preset = "false",
     .help = "the server is not running until a step starts it"},
};

const struct doc_schema scn__etcd_server_schema = {
    .name = "etcd server",
    .help = "A fake etcd.",
    .fields = etcd_server_fields,
    .fields_count = COUNT_OF(etcd_server_fields),
};

#define ARG(member)  .offset = offsetof(struct scn_arguments, member)
#define ETCD(member) .offset = offsetof(struct scn_arguments, etcd.member)

#define FIELD_SERVER                                                                               \
    {                                                                                              \
        .key = "server", .kind = DOC_FIELD_TEXT, ETCD(server),                                     \
        .node_at = DOC_NODE_AT(struct scn_arguments, etcd.server_node),                            \
        .preset = "the first etcd", .help = "which server"                                         \
    }

static const struct doc_field etcd_call_fields[] = {
    {.key = "call",
     .kind = DOC_FIELD_TEXT,
     ETCD(call),
     .node_at = DOC_NODE_AT(struct scn_arguments, etcd.call_node),
     .is_required = true,
     .help = "the method: put, range, delete-range, txn, lease-grant, watch, ..."},
    {.key = "request",
     .kind = DOC_FIELD_NODE,
     ETCD(request),
     .preset = "{}",
     .help = "its message, by field name as etcd's API calls them; see Messages of etcd"},
    FIELD_SERVER,
    {.key = "as",
     .kind = DOC_FIELD_TEXT,
     ETCD(as),
     .preset = "etcdctl",
     .help = "who calls; each name has a connection of its own, and faults can select it"},
    {.key = "every",
     .kind = DOC_FIELD_DURATION,
     ETCD(every_us),
     .help = "streams: send the request again and again; the call is done when an answer says "
             "TTL 0 or the stream ends"},
    {.key = "deadline",
     .kind = DOC_FIELD_DURATION,
     ARG(deadline_us),
     .node_at = DOC_NODE_AT(struct scn_arguments, deadline_node),
     .help = "sent as grpc-timeout; the call ends then at the latest"},
    {.key = "require_leader",
     .kind = DOC_FIELD_BOOL,
     ETCD(requires_leader),
     .preset = "false",
     .help = "send the metadata hasleader: true"},
    {.key = "token", .kind = DOC_FIELD_TEXT, ETCD(token), .help = "send this token"},
    {.key = "token_of",
     .kind = DOC_FIELD_TEXT,
     ETCD(token_of),
     .node_at = DOC_NODE_AT(struct scn_arguments, etcd.token_of_node),
     .help = "send the token that the step with this id (an `authenticate`) was given"},
};

const struct doc_schema scn__etcd_call_schema = {
    .name = "etcd",
    .help = "One call of any method of etcd.",
    .fields = etcd_call_fields,
    .fields_count = COUNT_OF(etcd_call_fields),
};

#define SWITCH(word, which, text)                                                                  \
    {                                                                                              \
        .key = word, .kind = DOC_FIELD_BOOL,                                                       \
        .offset = offsetof(struct scn_arguments, switches) + sizeof(struct scn_switch) * (which) + \
                  offsetof(struct scn_switch, is_on),                                              \
        .node_at = offsetof(struct scn_arguments, switches) +                                      \
                   sizeof(struct scn_switch) * (which) + offsetof(struct scn_switch, node) + 1,    \
        .help = text                                                                               \
    }

static const struct doc_field switch_fields[] = {
    FIELD_SERVER,
    SWITCH("frozen", FAKEETCD_FROZEN, "takes bytes and answers nothing, as after SIGSTOP"),
    SWITCH("leaderless", FAKEETCD_LEADERLESS, "has lost its leader"),
    SWITCH("read_only", FAKEETCD_READ_ONLY, "writes fail, everything else works"),
    SWITCH("no_space", FAKEETCD_NO_SPACE, "the NOSPACE alarm is raised"),
    SWITCH("corrupt", FAKEETCD_CORRUPTED, "the CORRUPT alarm is raised"),
};

const struct doc_schema scn__switch_schema = {
    .name = "switch",
    .help = "Puts an etcd server into a state, or out of it.",
    .fields = switch_fields,
    .fields_count = COUNT_OF(switch_fields),
};
