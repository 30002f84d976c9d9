/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_FAULT_H
#define FAULTS_FAULT_H

#include "document/schema.h"
#include "runtime/journal.h"
#include "runtime/random.h"

/*
 * A fault is data: where it can strike, when it fires, what it does.
 *
 * The engine owns matching, triggers, counts, holds and order. Each fake registers a constant
 * table of its operations and asks at each point of a request's life; it then does what the
 * answer says, in its own words. One engine per run, one thread.
 */

/* Row: enumerator, word. In the order of a request's life, then points that are not requests. */
#define FAULT_POINT_LIST(ROW)                                                                      \
    ROW(FAULT_AT_CONNECT, "connect")                                                               \
    ROW(FAULT_AT_GREETING, "greeting")                                                             \
    ROW(FAULT_AT_REQUEST, "request")                                                               \
    ROW(FAULT_AT_APPLIED, "applied")                                                               \
    ROW(FAULT_AT_REPLY_BYTE, "reply.byte") /* "reply.header" is reply.byte 0 */                    \
    ROW(FAULT_AT_REPLIED, "replied")                                                               \
    ROW(FAULT_AT_BINDING, "binding")                                                               \
    ROW(FAULT_AT_HEARTBEAT, "heartbeat")                                                           \
    ROW(FAULT_AT_WAIT, "wait")                                                                     \
    ROW(FAULT_AT_NOTIFY, "notify")                                                                 \
    ROW(FAULT_AT_EVICT, "evict")                                                                   \
    ROW(FAULT_AT_EXPIRE, "expire")                                                                 \
    ROW(FAULT_AT_LEASE, "lease")                                                                   \
    ROW(FAULT_AT_WATCH, "watch")                                                                   \
    ROW(FAULT_AT_WORKER, "worker")                                                                 \
    ROW(FAULT_AT_ETCD, "etcd")

enum fault_point {
#define FAULT_POINT_ENUM(name, word) name,
    FAULT_POINT_LIST(FAULT_POINT_ENUM)
#undef FAULT_POINT_ENUM
        FAULT_POINT_COUNT
};

/* Row: enumerator, word in `do:`, arguments (as the reference page shows them), one line of help.
 */
#define FAULT_ACTION_LIST(ROW)                                                                     \
    ROW(FAULT_STATUS, "status", "code[, text]", "answer this status")                              \
    ROW(FAULT_LAST_RC, "last-rc", "code", "answer a get normally, with this last_rc")              \
    ROW(FAULT_NO_ENTRIES, "reply-no-entries", "", "answer a get with no entries at all")           \
    ROW(FAULT_DROP_REQUEST, "drop-request", "", "forget the request; nothing is applied")          \
    ROW(FAULT_DROP_REPLY, "drop-reply", "", "apply, but never answer")                             \
    ROW(FAULT_DELAY, "delay", "duration", "go on after this time")                                 \
    ROW(FAULT_HOLD, "hold", "[event]", "go on when the event happens; without one, never")         \
    ROW(FAULT_DUPLICATE, "duplicate", "", "answer twice")                                          \
    ROW(FAULT_RST, "rst", "", "reset the connection and forget its request")                       \
    ROW(FAULT_FIN, "fin", "", "close the connection and forget its request")                       \
    ROW(FAULT_CUT, "cut", "", "reset the connection but keep the request")                         \
    ROW(FAULT_REFUSE, "refuse", "", "refuse the connection")                                       \
    ROW(FAULT_STALL, "stall", "[duration]", "keep the connection, move no byte any more")          \
    ROW(FAULT_TRUNCATE, "truncate", "", "send the answer up to this byte, then close")             \
    ROW(FAULT_CORRUPT, "corrupt", "", "change this byte of the answer")                            \
    ROW(FAULT_MUTE, "mute", "", "do not answer this heartbeat")                                    \
    ROW(FAULT_SUPPRESS, "suppress", "", "a notification or an eviction does not happen")           \
    ROW(FAULT_KILL, "kill", "", "the process dies")                                                \
    ROW(FAULT_RESTART, "restart", "kept|lost[, duration]",                                         \
        "the process dies and is back at once; a worker is ready after the duration")              \
    ROW(FAULT_EMPTY_LIST, "empty-list", "", "the client binding returns an empty list")            \
    ROW(FAULT_NULL, "null", "", "the client binding returns a list holding null")                  \
    ROW(FAULT_BYTES, "bytes", "hex", "the client binding returns these bytes")                     \
    ROW(FAULT_RAISE, "raise", "code[, text]", "the client binding raises this status")             \
    ROW(FAULT_HOLE, "hole", "symbol", "a symbol is missing: KVClient, SetParam or WriteMode")      \
    ROW(FAULT_GOAWAY, "goaway", "[http2-error]",                                                   \
        "end the connection by GOAWAY; NO_ERROR, the default: when its calls are answered")        \
    ROW(FAULT_RST_STREAM, "rst-stream", "[http2-error]", "reset the call's stream only")           \
    ROW(FAULT_NO_STATUS, "no-status", "", "answer without grpc-status")                            \
    ROW(FAULT_CONTENT_TYPE, "content-type", "", "answer as if it were a web page")                 \
    ROW(FAULT_HTTP_STATUS, "http-status", "number", "answer this HTTP status and a text")          \
    ROW(FAULT_BAD_PREFIX, "bad-prefix", "", "the length before the message is wrong")              \
    ROW(FAULT_GARBAGE, "garbage", "", "the message is no protobuf")                                \
    ROW(FAULT_DRIP, "drip", "duration", "send the answer byte by byte, this far apart")            \
    ROW(FAULT_MUTE_PINGS, "mute-pings", "", "acknowledge no ping of this connection any more")     \
    ROW(FAULT_HOLD_WINDOW, "hold-window", "", "give no window back to the peer any more")          \
    ROW(FAULT_TTL_ZERO, "ttl-zero", "", "answer a keepalive as if the lease were gone")            \
    ROW(FAULT_SHORTEN, "shorten", "duration", "the lease has only this long to live")              \
    ROW(FAULT_CANCEL, "cancel", "", "cancel the watch")                                            \
    ROW(FAULT_CANCEL_COMPACTED, "cancel-compacted", "", "cancel the watch as behind a compaction") \
    ROW(FAULT_EARLY_PROGRESS, "early-progress", "",                                                \
        "tell the watch a progress that counts events it has not had")                             \
    ROW(FAULT_FREEZE, "freeze", "[duration]", "take bytes, answer nothing, as after SIGSTOP")      \
    ROW(FAULT_LOSE_LEADER, "lose-leader", "[duration]", "there is no leader")                      \
    ROW(FAULT_READ_ONLY, "read-only", "[duration]", "writes fail, everything else works")          \
    ROW(FAULT_NO_SPACE, "no-space", "", "raise the NOSPACE alarm")                                 \
    ROW(FAULT_CORRUPT_ALARM, "corrupt-alarm", "", "raise the CORRUPT alarm")                       \
    ROW(FAULT_COMPACT, "compact", "[revision]", "compact at this revision, or at the current one") \
    ROW(FAULT_RESTORE, "restore", "revision", "go back to how it was at this revision")            \
    ROW(FAULT_EXPIRE_LEASE, "expire-lease", "key", "the lease of this key expires")                \
    ROW(FAULT_EXPIRE_TOKENS, "expire-tokens", "", "no token is known any more")                    \
    ROW(FAULT_BUMP_TERM, "bump-term", "", "another leader: the term grows by one")

enum fault_action_kind {
#define FAULT_ACTION_ENUM(name, word, arguments, help) name,
    FAULT_ACTION_LIST(FAULT_ACTION_ENUM)
#undef FAULT_ACTION_ENUM
        FAULT_ACTION_COUNT
};

/* What to do now. Borrowed from the engine, valid as long as it lives. */
struct fault_action {
    enum fault_action_kind kind;
    const char *rule_id;   /* owner of every consequence, for the journal */
    int32_t code;          /* status, last-rc, raise: a K_ code; FAULT_NO_CODE: it is none */
    int32_t grpc_code;     /* status: the same word as a gRPC code; FAULT_NO_CODE: it is none */
    const char *text;      /* status, raise: "" when none was given; hole: the symbol */
    uint64_t duration_us;  /* delay, stall, freeze ... (0: for ever), restart (ready after) */
    const char *event;     /* hold: NULL for never */
    uint64_t byte_offset;  /* truncate, corrupt */
    struct rt_slice bytes; /* bytes */
    bool is_state_kept;    /* restart */
    int64_t number;        /* http-status; goaway, rst-stream: HTTP/2 error; compact (0: current),
                              restore: a revision */
    enum fault_point point;
};
#define FAULT_NO_CODE INT32_MIN

/* ---- what can be asked ---- */

/* One operation of a fake, with the points at which it asks. Constant tables. */
struct fault_operation {
    const char *word; /* "set", as in `on: {op: set}` */
    uint32_t points;  /* bits 1u << enum fault_point */
};

/* What each point can do; the checker refuses the rest before anything starts. */
struct fault_capability {
    enum fault_point point;
    uint64_t actions; /* bits UINT64_C(1) << enum fault_action_kind */
};

/* An action that only some operations understand: one row for each of them; "" stands for what
 * happens without a request, such as a lease that expires. */
struct fault_restriction {
    enum fault_action_kind action;
    const char *operation;
};

struct fault_domain {
    const char *name;                         /* "fakeds", "fakeetcd", "binding" */
    bool is_etcd;                             /* gRPC codes; selected by `etcd:`, not `worker:` */
    const struct fault_operation *operations; /* ended by a row whose word is NULL; at most 63 */
    const struct fault_capability *capabilities;
    size_t capability_count;
    const struct fault_restriction *restrictions; /* ended by a row whose operation is NULL; NULL:
                                                     every operation understands every action */
};

/* The point `binding`, between connector and client: "set", "get" and "construct". The decorator
 * that asks there belongs to whoever wraps the client's operations. */
enum fault_binding_operation { FAULT_BINDING_SET, FAULT_BINDING_GET, FAULT_BINDING_CONSTRUCT };
extern const struct fault_domain fault_binding_domain;

/* "applied", "drop-reply". */
const char *fault_point_word(enum fault_point point);
const char *fault_action_word(enum fault_action_kind kind);

/* ---- rules ---- */

/* One entry of `faults:` as read and checked. */
struct fault_rule;

struct fault_rule_info {
    const char *id;
    const struct doc_node *node; /* NULL when armed from text */
    bool is_optional;            /* need not fire */
    uint64_t considered;         /* same operation and point */
    uint64_t matched;            /* all conditions held */
    uint64_t fired;
    uint64_t holding; /* what is held now */
    bool is_armed;    /* its `after` has happened */
    /* The subject that came closest without a match, as text: "set at request, key "b": key
     * is "b", wanted "a*"". "" when none came. */
    const char *closest;
    const char *trigger; /* as written */
    /* The smallest change of the rule that `closest` would have matched: "key: "b*"". May be "". */
    const char *closest_edit;
    enum fault_point point;
    bool is_spent; /* its last term is used up */
};

struct fault_engine;

RT_NODISCARD enum rt_status fault_engine_create(struct rt_loop *loop, struct rt_journal *journal,
                                                uint64_t seed, struct fault_engine **out_engine);
/* What is still held is dropped: its waiters' `resume` does not run. */
void fault_engine_destroy(struct fault_engine *engine);

/* Before any rule. At most 8 domains; the engine keeps the pointer. */
RT_NODISCARD enum rt_status fault_engine_register(struct fault_engine *engine,
                                                  const struct fault_domain *domain);

/*
 * Reads a `faults:` list (doc_schema tables behind it) and checks it against the domains: words,
 * points, capabilities, triggers, duplicate ids, cycles of `after`. Only checks when `engine` is
 * NULL, against `domains`. Problems are added to `errors` with position.
 */
RT_NODISCARD enum rt_status fault_rules_load(struct fault_engine *engine,
                                             const struct fault_domain *const *domains,
                                             size_t domain_count, struct doc_reader *reader,
                                             const struct doc_node *faults);

/* One entry of `faults:`, for reference pages and JSON Schemas. fault_rules_load() reads by it. */
extern const struct doc_schema fault_rule_schema;

/* Where a rule names an event: an entry of `after`, or hold(event) inside `do`. */
struct fault_event_use {
    const char *event;           /* valid during the call */
    const struct doc_node *node; /* the scalar, and where the name stands in it */
    size_t offset_bytes;
    size_t len_bytes;
};
typedef void fault_event_use_fn(void *arg, const struct fault_event_use *use);

/* Visits every event that the list names, for whoever knows which ones exist ("step.s1.done").
 * Malformed rules are passed over: they are fault_rules_load()'s to report. */
RT_NODISCARD enum rt_status fault_rule_events(const struct doc_node *faults,
                                              fault_event_use_fn *visit, void *arg);

/* Arms what a file lists: `fault-file: v1`, then `faults:`. Statuses are doc_load_file()'s, or
 * RT_E_INVALID; each problem is in `errors`. Nothing is armed unless all of it is valid. */
RT_NODISCARD enum rt_status fault_file_load(struct fault_engine *engine, const char *path,
                                            struct doc_error_list *errors);

/* Arms one rule from a text for tests and live control, e.g.
 * "lost-reply: on {op: set, key: "req-1:*"} at applied do 1*drop-reply". `out_error` gets a
 * one-line message, NUL-terminated. */
RT_NODISCARD enum rt_status fault_arm_text(struct fault_engine *engine, const char *text,
                                           char *out_error, size_t error_bytes);
/* What it holds goes on. Its numbers stay; its id is free again. RT_E_NOT_FOUND: no such rule. */
RT_NODISCARD enum rt_status fault_disarm(struct fault_engine *engine, const char *id);

size_t fault_rule_count(const struct fault_engine *engine);
void fault_rule_info(const struct fault_engine *engine, size_t index,
                     struct fault_rule_info *out_info);

/* ---- asking ---- */

/* Something that a rule may match. Lists are matched when any element does. */
struct fault_subject {
    const struct fault_domain *domain;
    int operation; /* row of the domain's table; -1: none (connect, worker) */
    enum fault_point point;
    const char *worker; /* which worker or etcd; "" when it does not apply */
    const char *client;
    const struct rt_slice *keys;
    size_t key_count;
    uint64_t id; /* rpc or call, for the journal */
};

/* The first rule, in file order, that matches and fires; NULL otherwise. A fired rule is a
 * record of the journal and the event `fault.<id>.fired`. Costs a table look-up when no rule is
 * armed at this operation and point. */
const struct fault_action *fault_consider(struct fault_engine *engine,
                                          const struct fault_subject *subject);

/* True when a rule could ever strike there: lets hot paths skip building a subject. */
bool fault_is_armed_at(const struct fault_engine *engine, const struct fault_domain *domain,
                       int operation, enum fault_point point);

/* How many times any rule was looked at so far: what all the asking cost. */
uint64_t fault_looked_at_count(const struct fault_engine *engine);

/* ---- events and holds ---- */

/* Something happened: "step.s1.done", "worker-1.restarted", "fault.x.fired". Arms rules that come
 * after it and resumes what waited, in order, soon. NULL engine: nothing happens. */
void fault_event(struct fault_engine *engine, const char *name);
bool fault_event_has_happened(const struct fault_engine *engine, const char *name);

/* A held thing, living in its owner. `resume` runs from the loop when the event comes (also when
 * it has come already); delay counts as a hold until a time. */
struct fault_hold {
    struct fault_engine *engine;
    rt_task_fn *resume;
    void *arg;
    const struct fault_action *action;
    struct rt_task task;
    struct rt_timer timer;
    struct fault_hold *next;
    struct fault_hold **link; /* NULL: not waiting */
};
/* For FAULT_HOLD, FAULT_DELAY and FAULT_STALL; `hold` is zeroed before its first use. With an
 * action of one's own whose rule_id is NULL it waits for an event without any fault. */
RT_NODISCARD enum rt_status fault_hold_start(struct fault_engine *engine, struct fault_hold *hold,
                                             const struct fault_action *action, rt_task_fn *resume,
                                             void *arg);
void fault_hold_cancel(struct fault_hold *hold); /* not waiting: nothing happens */

/* Process faults (`at: worker`, `at: etcd`; see action->point) are handed, from the loop, to
 * whoever runs the processes; `names` is the rule's pattern (fault_process_means). Such a rule
 * matches once when it is armed and nothing of its `after` is missing, and each time one of its
 * events happens while the others have. Without a handler they wait for one. */
typedef void fault_process_fn(void *arg, const char *names, const struct fault_action *action);
/* Whether the process of this name is meant; "" as pattern means each. */
bool fault_process_means(const char *names, const char *name);
void fault_engine_set_process_handler(struct fault_engine *engine, fault_process_fn *handler,
                                      void *arg);

/* ---- reference ---- */

/* Markdown: the whole language of rules; and what one domain can do at each point. */
void fault_print_reference(FILE *out);
void fault_print_domain(FILE *out, const struct fault_domain *domain);

#endif
