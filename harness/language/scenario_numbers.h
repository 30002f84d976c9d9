/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_SCENARIO_NUMBERS_H
#define HARNESS_LANGUAGE_SCENARIO_NUMBERS_H

/*
 * The numbers that statements speak of: one list feeds the language and the evaluation.
 * Row: word, expression over `source` (the counters' struct), help.
 */

/* struct omni_metrics *source */
#define SCN_METRIC_NUMBERS(ROW)                                                                    \
    ROW("puts", source->puts, "puts that succeeded")                                               \
    ROW("gets", source->gets, "gets that brought data")                                            \
    ROW("bytes_transferred", source->bytes_transferred, "serialized bytes of puts")                \
    ROW("errors", source->errors, "puts that failed")                                              \
    ROW("timeouts", source->timeouts, "gets that failed, for whatever reason")                     \
    ROW("empties", source->empties, "gets to which the client gave nothing without a failure")     \
    ROW("put_calls", source->put_calls, "calls of put")                                            \
    ROW("get_calls", source->get_calls, "calls of get")                                            \
    ROW("puts_refused", source->puts_refused_closed, "puts after close")                           \
    ROW("gets_refused", source->gets_refused_closed, "gets after close")                           \
    ROW("puts_cancelled", source->puts_cancelled, "puts that a step gave up")                      \
    ROW("gets_cancelled", source->gets_cancelled, "gets that a step gave up")                      \
    ROW("puts_in_flight", source->puts_in_flight, "puts that have not ended")                      \
    ROW("gets_in_flight", source->gets_in_flight, "gets that have not ended")                      \
    ROW("get_not_found", source->get_causes[DS_CAUSE_NOT_FOUND], "failed gets by cause")           \
    ROW("get_backend_timeout", source->get_causes[DS_CAUSE_BACKEND_TIMEOUT], "")                   \
    ROW("get_transport", source->get_causes[DS_CAUSE_TRANSPORT], "")                               \
    ROW("get_disconnected", source->get_causes[DS_CAUSE_DISCONNECTED], "")                         \
    ROW("get_invalid", source->get_causes[DS_CAUSE_INVALID], "")                                   \
    ROW("get_out_of_memory", source->get_causes[DS_CAUSE_OUT_OF_MEMORY], "")                       \
    ROW("get_decode", source->get_causes[DS_CAUSE_CODEC], "")                                      \
    ROW("get_other", source->get_causes[DS_CAUSE_OTHER], "")                                       \
    ROW("put_backend_timeout", source->put_causes[DS_CAUSE_BACKEND_TIMEOUT],                       \
        "failed puts by cause")                                                                    \
    ROW("put_transport", source->put_causes[DS_CAUSE_TRANSPORT], "")                               \
    ROW("put_disconnected", source->put_causes[DS_CAUSE_DISCONNECTED], "")                         \
    ROW("put_invalid", source->put_causes[DS_CAUSE_INVALID], "")                                   \
    ROW("put_out_of_memory", source->put_causes[DS_CAUSE_OUT_OF_MEMORY], "")                       \
    ROW("put_encode", source->put_causes[DS_CAUSE_CODEC], "")                                      \
    ROW("put_other", source->put_causes[DS_CAUSE_OTHER], "")

/* struct fakeds_op_counts *source */
#define SCN_REQUEST_NUMBERS(ROW)                                                                   \
    ROW("arrived", source->arrived, "requests that reached the worker")                            \
    ROW("applied", source->applied, "requests that changed or read the store")                     \
    ROW("answered", source->answered, "answers sent")                                              \
    ROW("failed", source->failed, "of those, with a status that is not OK")                        \
    ROW("eaten", source->eaten, "requests or answers lost to a fault or to the worker's death")    \
    ROW("waiting", source->waiting, "held by a fault or waiting for a key")                        \
    ROW("undelivered", source->undelivered, "answers nobody was connected for")

/* struct ds_rpc_counts *source */
#define SCN_SENT_NUMBERS(ROW)                                                                      \
    ROW("sent", source->sent, "requests that the client sent")                                     \
    ROW("received", source->received, "answers that it received in time")                          \
    ROW("abandoned", source->abandoned, "requests that it gave up")                                \
    ROW("late", source->late, "answers that came after that")

/* struct fakeds_counts *source */
#define SCN_WORKER_NUMBERS(ROW)                                                                    \
    ROW("connections", source->connections, "open now")                                            \
    ROW("connections_total", source->connections_total, "opened so far")                           \
    ROW("malformed_connections", source->malformed_connections, "closed for what they sent")       \
    ROW("clients", source->clients, "registered now")                                              \
    ROW("objects", source->objects, "objects stored")                                              \
    ROW("memory_bytes", source->memory_bytes, "memory in use")                                     \
    ROW("evictions", source->evictions, "objects evicted")                                         \
    ROW("expirations", source->expirations, "objects expired")                                     \
    ROW("waits_woken", source->waits_woken, "waiting gets ended by an arrival")                    \
    ROW("waits_timed_out", source->waits_timed_out, "waiting gets ended by their timer")           \
    ROW("members", source->members, "with etcd: membership keys as this worker knows them")        \
    ROW("ring_workers", source->ring_workers, "with etcd: workers that its ring shows as active")

/* struct fault_rule_info *source */
#define SCN_FAULT_NUMBERS(ROW)                                                                     \
    ROW("considered", source->considered, "times something came by its operation and point")       \
    ROW("matched", source->matched, "times all its conditions held")                               \
    ROW("fired", source->fired, "times it did something")

/* struct scn_object_numbers *source */
#define SCN_OBJECT_NUMBERS(ROW) ROW("size", source->size_bytes, "bytes stored")

/* struct scn_etcd_numbers *source */
#define SCN_ETCD_NUMBERS(ROW)                                                                      \
    ROW("revision", source->revision, "of the store")                                              \
    ROW("compacted", source->compacted, "revision up to which it is compacted")                    \
    ROW("keys", source->keys, "keys that are there")                                               \
    ROW("leases", source->leases, "living leases")                                                 \
    ROW("leases_expired", source->leases_expired, "leases that ran out")                           \
    ROW("keepalives", source->keepalives, "keepalive requests so far")                             \
    ROW("watchers", source->watchers, "open watches")                                              \
    ROW("connections", source->connections, "open now")                                            \
    ROW("connections_total", source->connections_total, "opened so far")                           \
    ROW("malformed_connections", source->malformed_connections, "closed for what they sent")       \
    ROW("raft_term", source->raft_term, "grows by one with each start")

/* struct fakeetcd_op_counts *source */
#define SCN_ETCD_REQUEST_NUMBERS(ROW)                                                              \
    ROW("arrived", source->arrived, "requests that reached the server")                            \
    ROW("applied", source->applied, "requests that changed or read the store")                     \
    ROW("answered", source->answered, "answers sent")                                              \
    ROW("failed", source->failed, "of those, with a code that is not OK")                          \
    ROW("eaten", source->eaten, "requests or answers lost to a fault or to the server's death")    \
    ROW("waiting", source->waiting, "held by a fault; open streams")

/* struct fakeetcd_kv *source */
#define SCN_ETCD_KEY_NUMBERS(ROW)                                                                  \
    ROW("version", (uint64_t)source->version, "grows with each put, 1 after a delete")             \
    ROW("create_revision", (uint64_t)source->create_revision, "revision that made it")             \
    ROW("mod_revision", (uint64_t)source->mod_revision, "revision that changed it last")           \
    ROW("lease", (uint64_t)source->lease, "id of its lease, 0 without one")

/* struct scn_etcd_keys_numbers *source */
#define SCN_ETCD_KEYS_NUMBERS(ROW) ROW("count", source->count, "keys that begin so")

/* struct scn_stream_numbers *source */
#define SCN_STREAM_NUMBERS(ROW)                                                                    \
    ROW("messages", source->messages, "messages that came")                                        \
    ROW("event_count", source->events, "events of a watch that came")

/* struct scn_journal_numbers *source */
#define SCN_JOURNAL_NUMBERS(ROW) ROW("count", source->count, "records that match; default: some")

#endif
