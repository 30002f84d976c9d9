/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_SCENARIO_H
#define HARNESS_LANGUAGE_SCENARIO_H

#include "document/schema.h"

/*
 * One scenario as read from its file: plain data, filled by the tables of scenario_schema.c and
 * checked by scenario_check.c. Everything is borrowed from the document and lives as long as it.
 */

/* ---- the world ---- */

struct scn_worker_spec {
    struct doc_name name;
    uint64_t memory_bytes;
    uint64_t client_dead_timeout_us;
    uint64_t client_reconnect_wait_us;
    uint64_t not_ready_us;
    const char *etcd; /* where it takes its place in the cluster; NULL: a worker by itself */
    const struct doc_node *etcd_node;
    const char *host_id;
    const struct doc_node *host_id_node;
    const char *etcd_user; /* NULL: no authentication */
    const struct doc_node *etcd_user_node;
    const char *etcd_password;
    const struct doc_node *etcd_password_node;
    uint64_t node_timeout_us; /* 0: the real worker's */
    const struct doc_node *node_timeout_node;
    uint64_t node_dead_timeout_us;
    const struct doc_node *node_dead_timeout_node;
    bool is_exit_lossless; /* hands over before it leaves */
    const struct doc_node *exit_lossless_node;
    bool is_down; /* not started; a step starts it */
};

/* Who talks to a worker: a connector (an edge) or a plain Datasystem client. */
struct scn_party_spec {
    struct doc_name name;
    const char *worker; /* NULL: the first one; "nobody": a port where nobody listens */
    const struct doc_node *worker_node;
    uint64_t connect_timeout_us; /* 0: the client's default */
    uint64_t request_timeout_us;
    /* connectors only */
    const char *from_stage;
    const char *to_stage;
    const struct doc_node *extra; /* get_sub_timeout_ms, host, port as configuration has them */
    const struct doc_node *sub_timeout_node;
    uint64_t sub_timeout_us;
    int model; /* enum omni_model */
    const struct doc_node *poll_tries_node;
    int64_t poll_tries;
    const struct doc_node *poll_interval_node;
    uint64_t poll_interval_us;
    const char *discover; /* etcd through which its worker is found; NULL: none */
    const struct doc_node *discover_node;
    bool is_constructed_by_step; /* set by the checker */
};

/* A fake etcd. */
struct scn_etcd_spec {
    struct doc_name name;
    const char *profile;
    const struct doc_node *profile_node;
    uint64_t election_timeout_us;
    uint64_t token_ttl_us;
    uint64_t progress_interval_us;
    uint64_t quota_bytes;
    bool is_down; /* not started; a step starts it */
};

struct scn_world_spec {
    struct doc_list etcds;      /* struct scn_etcd_spec */
    struct doc_list workers;    /* struct scn_worker_spec */
    struct doc_list connectors; /* struct scn_party_spec */
    struct doc_list clients;    /* struct scn_party_spec */
    uint64_t latency_us;
};

/* ---- expectations ---- */

/* What a call must bring. A member counts when its node is there. */
struct scn_expect {
    const struct doc_node *node;
    const struct doc_node *ok_node;
    bool is_ok;
    const struct doc_node *status_node;
    int32_t status_code;
    const struct doc_node *detail_node;
    int detail; /* enum ds_detail */
    const struct doc_node *cause_node;
    int cause; /* enum ds_cause */
    const struct doc_node *text_node;
    struct doc_list texts; /* const char *: each must be contained */
    const struct doc_node *took_node;
    struct doc_range took;
    const struct doc_node *attempts_node;
    struct doc_range attempts;
    const struct doc_node *size_node;
    struct doc_range size;
    const struct doc_node *data_node; /* payload, or list of payloads and null for many keys */
    const struct doc_node *empty_node;
    bool is_empty;
    const struct doc_node *exists_node;
    struct doc_list exists; /* bool */
    const struct doc_node *failed_node;
    struct doc_list failed; /* const char * */
    const struct doc_node *sizes_node;
    struct doc_list sizes; /* int64_t */
    const struct doc_node *healthy_node;
    bool is_healthy;
    /* etcd */
    const struct doc_node *code_node;
    int32_t grpc_code;
    const struct doc_node *reply_node;
};

/* A statement about the world. Row: enumerator, word. */
#define SCN_STATEMENT_LIST(ROW)                                                                    \
    ROW(SCN_SAY_METRICS, "metrics")                                                                \
    ROW(SCN_SAY_REQUESTS, "requests")                                                              \
    ROW(SCN_SAY_SENT, "sent")                                                                      \
    ROW(SCN_SAY_ARRIVALS, "arrivals")                                                              \
    ROW(SCN_SAY_OBJECT, "object")                                                                  \
    ROW(SCN_SAY_WORKER, "worker")                                                                  \
    ROW(SCN_SAY_FAULT, "fault")                                                                    \
    ROW(SCN_SAY_JOURNAL, "journal")                                                                \
    ROW(SCN_SAY_ETCD, "etcd")                                                                      \
    ROW(SCN_SAY_ETCD_REQUESTS, "etcd-requests")                                                    \
    ROW(SCN_SAY_ETCD_KEY, "etcd-key")                                                              \
    ROW(SCN_SAY_ETCD_KEYS, "etcd-keys")                                                            \
    ROW(SCN_SAY_STREAM, "stream")

enum scn_statement_kind {
#define SCN_STATEMENT_ENUM(name, word) name,
    SCN_STATEMENT_LIST(SCN_STATEMENT_ENUM)
#undef SCN_STATEMENT_ENUM
        SCN_STATEMENT_COUNT
};

/* One number that must lie in a range: `puts: 1`, `arrived: 2..3`. */
struct scn_number {
    const struct doc_node *node;
    struct doc_range range;
};

#define SCN_NUMBERS_MAX 40

struct scn_statement {
    const char *connector;
    const char *client;
    const char *worker;
    const char *id;
    const char *key; /* a glob for requests, a key for objects */
    const struct doc_node *op_node;
    int op;                                     /* enum dsrpc_op */
    struct scn_number numbers[SCN_NUMBERS_MAX]; /* by row of the statement's number table */
    /* arrivals */
    const struct doc_node *after_first_node;
    struct doc_list after_first; /* uint64_t µs */
    /* object */
    const struct doc_node *present_node;
    bool is_present;
    const struct doc_node *mode_node;
    int mode;
    const struct doc_node *data_node;
    /* etcd */
    const char *etcd;
    const char *etcd_op;
    const char *prefix;
    const struct doc_node *value_node;
    const char *value; /* pattern */
    const struct doc_node *events_node;
    struct doc_list events;           /* const char *: patterns */
    const struct doc_node *last_node; /* of a stream's last message */
    const struct doc_node *ended_node;
    bool is_ended;
    const struct doc_node *grpc_node;
    int32_t grpc_code;
    const struct doc_node *text_node;
    struct doc_list texts; /* const char * */
    /* journal */
    const char *actor;
    const char *record_kind;
    const char *subject;
    const char *detail;
    const struct doc_node *at_node;
    struct doc_range at;
};

/* An entry of `finally:` and of a step's `check:`. */
struct scn_check {
    const struct doc_node *node;
    int kind; /* enum scn_statement_kind */
    struct scn_statement statement;
};

/* ---- steps ---- */

#define SCN_STEP_LIST(ROW)                                                                         \
    ROW(SCN_STEP_PUT, "put")                                                                       \
    ROW(SCN_STEP_GET, "get")                                                                       \
    ROW(SCN_STEP_CLEANUP, "cleanup")                                                               \
    ROW(SCN_STEP_HEALTH, "health")                                                                 \
    ROW(SCN_STEP_CLOSE, "close")                                                                   \
    ROW(SCN_STEP_CONSTRUCT, "construct")                                                           \
    ROW(SCN_STEP_INIT, "init")                                                                     \
    ROW(SCN_STEP_SET, "set")                                                                       \
    ROW(SCN_STEP_READ, "read")                                                                     \
    ROW(SCN_STEP_EXIST, "exist")                                                                   \
    ROW(SCN_STEP_DELETE, "delete")                                                                 \
    ROW(SCN_STEP_EXPIRE, "expire")                                                                 \
    ROW(SCN_STEP_QUERY_SIZE, "query-size")                                                         \
    ROW(SCN_STEP_ETCD, "etcd")                                                                     \
    ROW(SCN_STEP_MSET, "mset")                                                                     \
    ROW(SCN_STEP_WAIT, "wait")                                                                     \
    ROW(SCN_STEP_AWAIT, "await")                                                                   \
    ROW(SCN_STEP_CANCEL, "cancel")                                                                 \
    ROW(SCN_STEP_TOGETHER, "together")                                                             \
    ROW(SCN_STEP_KILL, "kill")                                                                     \
    ROW(SCN_STEP_START, "start")                                                                   \
    ROW(SCN_STEP_LEAVE, "leave")                                                                   \
    ROW(SCN_STEP_RESTART, "restart")                                                               \
    ROW(SCN_STEP_SWITCH, "switch")                                                                 \
    ROW(SCN_STEP_END, "end")                                                                       \
    ROW(SCN_STEP_EVICT, "evict")                                                                   \
    ROW(SCN_STEP_EVENT, "event")                                                                   \
    ROW(SCN_STEP_CHECK, "check")                                                                   \
    ROW(SCN_STEP_EVENTUALLY, "eventually")

enum scn_step_kind {
#define SCN_STEP_ENUM(name, word) name,
    SCN_STEP_LIST(SCN_STEP_ENUM)
#undef SCN_STEP_ENUM
        SCN_STEP_COUNT
};

/* `read:` of one key. */
struct scn_read_part {
    const char *key;
    uint64_t offset_bytes;
    uint64_t size_bytes;
};

/* `mset:` of one key. */
struct scn_mset_entry {
    const char *key;
    const struct doc_node *data;
};

/* `etcd:`: one call. */
struct scn_etcd_arguments {
    const char *server; /* NULL: the first one */
    const struct doc_node *server_node;
    const char *call;
    const struct doc_node *call_node;
    const struct doc_node *request; /* NULL: an empty message */
    const char *as;
    uint64_t every_us;
    bool requires_leader;
    const char *token;
    const char *token_of; /* id of a step */
    const struct doc_node *token_of_node;
};

/* `switch:` of an etcd server. A member counts when its node is there. */
struct scn_switch {
    const struct doc_node *node;
    bool is_on;
};
#define SCN_SWITCH_COUNT 5

/* The arguments of every kind of step; each kind's table offers its own. */
struct scn_arguments {
    const struct doc_node *node;
    const char *connector;
    const struct doc_node *connector_node;
    const char *client;
    const struct doc_node *client_node;
    const char *worker;
    const struct doc_node *worker_node;
    const char *key;
    struct doc_list keys;    /* const char * */
    struct doc_list parts;   /* struct scn_read_part */
    struct doc_list entries; /* struct scn_mset_entry */
    const struct doc_node *data;
    int mode;
    uint64_t ttl_us;
    uint64_t sub_timeout_us;
    const struct doc_node *deadline_node;
    uint64_t deadline_us; /* from the start of the step */
    bool is_only_if_absent;
    bool is_transaction;
    struct scn_etcd_arguments etcd;
    struct scn_switch switches[SCN_SWITCH_COUNT]; /* by enum fakeetcd_switch */
    /* wait */
    uint64_t duration_us;
    const char *event;
    uint64_t at_most_us;
    /* start, restart */
    bool is_state_kept;
    uint64_t ready_after_us;
    /* await, cancel, together, check, eventually */
    struct doc_list ids;    /* const char * */
    struct doc_list steps;  /* struct scn_step */
    struct doc_list checks; /* struct scn_check */
    uint64_t within_us;
};

struct scn_step {
    const struct doc_node *node;
    const char *id;
    const struct doc_node *id_node;
    int kind;
    bool is_background;
    struct scn_arguments arguments;
    struct scn_expect expect;
};

/* ---- the file ---- */

struct scn_skip {
    const char *sim;
    const char *sockets;
};

struct scn_scenario {
    const char *path;
    const char *name; /* with the values of its matrix */
    const char *bug;
    const char *about;
    const char *seen; /* where the expected behaviour was seen, e.g. "S04" */
    int version;
    const struct doc_node *matrix; /* NULL: none */
    struct scn_skip skip;
    struct scn_world_spec world;
    const struct doc_node *faults; /* NULL: none */
    struct doc_list steps;         /* struct scn_step */
    struct doc_list finally;       /* struct scn_check */
    struct doc *doc;
};

/* Every scenario of one file: one, or one for each combination of its matrix. */
struct scn_file {
    struct doc *doc;
    struct scn_scenario *scenarios;
    size_t count;
};

/*
 * Reads and checks one file. Nothing is started; every problem found is in `errors`.
 *   RT_OK         *out_file is the caller's
 *   RT_E_INVALID  at least one error was added
 */
RT_NODISCARD enum rt_status scn_file_load(const char *path, struct doc_error_list *errors,
                                          struct scn_file **out_file);
void scn_file_destroy(struct scn_file *file);

/* The language, for the reference page and the JSON Schema. */
const struct doc_schema *scn_scenario_schema(void);

/* ---- for the loader's own files ---- */

/* Cross references: names of connectors, workers, steps, events, faults. */
enum rt_status scn__check(struct scn_scenario *scenario, struct doc_error_list *errors);

/* A copy of `node` in which ${name} is replaced, with the positions of the original. */
struct scn_variable {
    const char *name;
    const char *value;
};
const struct doc_node *scn__substitute(struct doc *doc, const struct doc_node *node,
                                       const struct scn_variable *variables, size_t count);

/* False: a ${name} that is neither among them nor `i` was added to `errors`. */
bool scn__check_variables(const struct doc_node *node, const struct scn_variable *variables,
                          size_t count, struct doc_error_list *errors);

/* Whether ${name} stands anywhere in it. */
bool scn__uses_variable(const struct doc_node *node, const struct scn_variable *variable);

/* Words of the numbers a statement can speak of, in the order of `numbers`; ended by NULL. */
const char *const *scn_number_words(enum scn_statement_kind kind);

const char *scn_step_word(enum scn_step_kind kind);

#endif
