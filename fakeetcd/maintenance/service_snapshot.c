/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/maintenance/bolt_snapshot.h"
#include "fakeetcd/request/service_rest.h"

#include <openssl/evp.h>
#include <stdlib.h>

/*
 * Snapshot: the database in pieces, and behind them their SHA-256, as clients check it. The
 * database is made when it is asked for; no more of it is copied than the connection takes.
 *
 *   on_snapshot --> send ... full --drained--> send ... digest --> OK
 */
#define PIECE_BYTES  ((size_t)32 * 1024)
#define DIGEST_BYTES 32

struct snapshot {
    EVP_MD_CTX *digest;
    uint8_t *bytes; /* whole sectors: clients tell the digest by what is over one */
    size_t total_bytes;
    size_t sent_bytes;
};

static struct snapshot *make(struct fakeetcd_server *server);
static void drop(struct snapshot *snapshot);
static void send_some(struct fakeetcd_call *call);
static bool send_piece(struct fakeetcd_call *call, struct snapshot *snapshot);
static bool send_digest(struct fakeetcd_call *call, struct snapshot *snapshot);

void fakeetcd__on_snapshot(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    (void)message;
    call->state = make(call->server);
    if (call->state == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    send_some(call);
}

static struct snapshot *make(struct fakeetcd_server *server)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot == NULL) {
        return NULL;
    }
    snapshot->digest = EVP_MD_CTX_new();
    if (snapshot->digest == NULL || EVP_DigestInit_ex(snapshot->digest, EVP_sha256(), NULL) != 1 ||
        fakeetcd__bolt_snapshot(&server->state, &snapshot->bytes, &snapshot->total_bytes) !=
            RT_OK) {
        drop(snapshot);
        return NULL;
    }
    return snapshot;
}

static void drop(struct snapshot *snapshot)
{
    if (snapshot != NULL) {
        EVP_MD_CTX_free(snapshot->digest);
        free(snapshot->bytes);
        free(snapshot);
    }
}

void fakeetcd__snapshot_drained(struct fakeetcd_call *call)
{
    if (call->state != NULL) {
        fakeetcd__enter(call->server);
        send_some(call);
        fakeetcd__leave(call->server);
    }
}

void fakeetcd__snapshot_gone(struct fakeetcd_call *call)
{
    drop(call->state);
    call->state = NULL;
}

/* Sending may end the call; its state lives until it is gone. */
static void send_some(struct fakeetcd_call *call)
{
    struct snapshot *snapshot = call->state;
    while (!call->is_finished && snapshot->sent_bytes < snapshot->total_bytes) {
        if (fakeetcd_call_is_full(call)) {
            return;
        }
        if (!send_piece(call, snapshot)) {
            fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
            return;
        }
    }
    if (call->is_finished) {
        return;
    }
    if (!send_digest(call, snapshot)) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    fakeetcd_call_finish(call, GRPC_OK, "");
}

static bool send_piece(struct fakeetcd_call *call, struct snapshot *snapshot)
{
    Etcdserverpb__SnapshotResponse response = ETCDSERVERPB__SNAPSHOT_RESPONSE__INIT;
    size_t left_bytes = snapshot->total_bytes - snapshot->sent_bytes;
    struct rt_slice piece = rt_slice_of(snapshot->bytes + snapshot->sent_bytes,
                                        left_bytes < PIECE_BYTES ? left_bytes : PIECE_BYTES);
    if (EVP_DigestUpdate(snapshot->digest, piece.data, piece.len_bytes) != 1) {
        return false;
    }
    snapshot->sent_bytes += piece.len_bytes;
    response.remaining_bytes = left_bytes - piece.len_bytes;
    response.blob = pb_bytes(piece);
    fakeetcd_call_send(call, &response.base);
    return true;
}

static bool send_digest(struct fakeetcd_call *call, struct snapshot *snapshot)
{
    Etcdserverpb__SnapshotResponse response = ETCDSERVERPB__SNAPSHOT_RESPONSE__INIT;
    uint8_t digest[DIGEST_BYTES];
    if (EVP_DigestFinal_ex(snapshot->digest, digest, NULL) != 1) {
        return false;
    }
    response.blob = pb_bytes(rt_slice_of(digest, sizeof(digest)));
    fakeetcd_call_send(call, &response.base);
    return true;
}
