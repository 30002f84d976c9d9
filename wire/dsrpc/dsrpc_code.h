/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_DSRPC_DSRPC_CODE_H
#define WIRE_DSRPC_DSRPC_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Status codes of the Datasystem: data from the wire, never what a local function returns.
 * Row: name after K_, number, text as the Datasystem prints it. */
#define DSRPC_CODE_LIST(ROW)                                                                       \
    ROW(OK, 0, "OK")                                                                               \
    ROW(DUPLICATED, 1, "Key duplicated")                                                           \
    ROW(INVALID, 2, "Invalid parameter")                                                           \
    ROW(NOT_FOUND, 3, "Key not found")                                                             \
    ROW(KVSTORE_ERROR, 4, "KV store error")                                                        \
    ROW(RUNTIME_ERROR, 5, "Runtime error")                                                         \
    ROW(OUT_OF_MEMORY, 6, "Out of memory")                                                         \
    ROW(IO_ERROR, 7, "IO error")                                                                   \
    ROW(NOT_READY, 8, "Not ready")                                                                 \
    ROW(NOT_AUTHORIZED, 9, "Not authorized")                                                       \
    ROW(UNKNOWN_ERROR, 10, "Unknown error")                                                        \
    ROW(INTERRUPTED, 11, "Interrupt detected")                                                     \
    ROW(OUT_OF_RANGE, 12, "Out of range")                                                          \
    ROW(NO_SPACE, 13, "No space available")                                                        \
    ROW(NOT_LEADER_MASTER, 14, "Not leader master")                                                \
    ROW(RECOVERY_ERROR, 15, "Recovery error")                                                      \
    ROW(RECOVERY_IN_PROGRESS, 16, "Recovery in progress")                                          \
    ROW(FILE_NAME_TOO_LONG, 17, "File name is too long")                                           \
    ROW(FILE_LIMIT_REACHED, 18, "Limit on the number of open file descriptors reached")            \
    ROW(TRY_AGAIN, 19, "Try again")                                                                \
    ROW(DATA_INCONSISTENCY, 20, "Data inconsistent between master and worker")                     \
    ROW(SHUTTING_DOWN, 21, "Shutting down")                                                        \
    ROW(WORKER_ABNORMAL, 22, "The worker status is abnormal")                                      \
    ROW(CLIENT_WORKER_DISCONNECT, 23, "Client and Worker disconnect")                              \
    ROW(WORKER_TIMEOUT, 24, "The worker timeout")                                                  \
    ROW(MASTER_TIMEOUT, 25, "The master may timeout/dead")                                         \
    ROW(NOT_FOUND_IN_L2CACHE, 26, "Key not found in l2 cache")                                     \
    ROW(REPLICA_NOT_READY, 27, "The replica not ready")                                            \
    ROW(CLIENT_WORKER_VERSION_MISMATCH, 28, "Client and worker version mismatch")                  \
    ROW(SERVER_FD_CLOSED, 29, "The server fd has been closed")                                     \
    ROW(RETRY_IF_LEAVING, 30, "Try again when worker is leaving")                                  \
    ROW(SCALE_DOWN, 31, "The worker is exiting")                                                   \
    ROW(SCALING, 32, "The cluster is scaling")                                                     \
    ROW(CLIENT_DEADLOCK, 33, "The client timeout")                                                 \
    ROW(LRU_HARD_LIMIT, 34, "Lru hard limit")                                                      \
    ROW(LRU_SOFT_LIMIT, 35, "Lru soft limit")                                                      \
    ROW(NOT_SUPPORTED, 36, "UNKNOWN_TYPE")                                                         \
    ROW(RPC_CANCELLED, 1000, "RPC cancelled")                                                      \
    ROW(RPC_DEADLINE_EXCEEDED, 1001, "RPC deadline exceeded")                                      \
    ROW(RPC_UNAVAILABLE, 1002, "RPC unavailable")                                                  \
    ROW(RPC_STREAM_END, 1003, "RPC stream finished")                                               \
    ROW(OC_ALREADY_SEALED, 2000, "Object already sealed error")                                    \
    ROW(OC_REMOTE_GET_NOT_ENOUGH, 2002, "Size on the remote node has changed")                     \
    ROW(WRITE_BACK_QUEUE_FULL, 2003, "The write back queue is full")                               \
    ROW(OC_KEY_ALREADY_EXIST, 2004, "Object already exist error")                                  \
    ROW(WORKER_PULL_OBJECT_NOT_FOUND, 2005, "Worker pull object not found error")                  \
    ROW(BUFFER_DEPRECATED, 2006, "Buffer deprecated")

enum dsrpc_code {
#define DSRPC_CODE_ENUM(name, number, text) K_##name = number,
    DSRPC_CODE_LIST(DSRPC_CODE_ENUM)
#undef DSRPC_CODE_ENUM
};

/* As the Datasystem prints it; "UNKNOWN_TYPE" for a number it does not know. */
const char *dsrpc_code_text(int32_t code);

/* "K_NOT_FOUND", or NULL. */
const char *dsrpc_code_name(int32_t code);

/* "K_NOT_FOUND", "NOT_FOUND" or "3". False: no such code. */
bool dsrpc_code_parse(const char *text, size_t len_bytes, int32_t *out_code);

#endif
