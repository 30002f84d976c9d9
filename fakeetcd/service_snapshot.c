/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv.h"
#include "fakeetcd/service_rest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Snapshot: as many bytes as the database is big, in pieces, and behind them their SHA-256, as
 * clients check it. The bytes themselves are no bbolt file: a line of text says so, zeros follow.
 * No more is made than the connection takes.
 *
 *   on_snapshot --> send ... full --drained--> send ... digest --> OK
 */
#define PIECE_BYTES  ((size_t)32 * 1024)
#define SMALLEST     (2 * PIECE_BYTES) /* two pieces, so that a client sees a stream */
#define DIGEST_BYTES 32

struct snapshot {
    EVP_MD_CTX *digest;
    uint64_t total_bytes; /* whole pieces: clients tell the digest by what is over a sector */
    uint64_t sent_bytes;
    char first_line[160];
};

static struct snapshot *make(struct fakeetcd_server *server);
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
    struct fakeetcd_store_counts counts;
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot == NULL) {
        return NULL;
    }
    snapshot->digest = EVP_MD_CTX_new();
    if (snapshot->digest == NULL || EVP_DigestInit_ex(snapshot->digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(snapshot->digest);
        free(snapshot);
        return NULL;
    }
    fakeetcd_store_counts(server->state.store, &counts);
    uint64_t pieces = (counts.logical_bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    snapshot->total_bytes = pieces * PIECE_BYTES < SMALLEST ? SMALLEST : pieces * PIECE_BYTES;
    (void)snprintf(snapshot->first_line, sizeof(snapshot->first_line),
                   "fakeetcd: a snapshot that cannot be restored; revision %lld, %llu keys\n",
                   (long long)fakeetcd_store_revision(server->state.store),
                   (unsigned long long)counts.keys);
    return snapshot;
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
    struct snapshot *snapshot = call->state;
    call->state = NULL;
    if (snapshot != NULL) {
        EVP_MD_CTX_free(snapshot->digest);
        free(snapshot);
    }
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
    static const uint8_t zeros[PIECE_BYTES];
    Etcdserverpb__SnapshotResponse response = ETCDSERVERPB__SNAPSHOT_RESPONSE__INIT;
    const uint8_t *piece = zeros;
    if (snapshot->sent_bytes == 0) {
        uint8_t *made = fakeetcd__arena_array(&call->server->arena, 1, PIECE_BYTES);
        if (made == NULL) {
            return false;
        }
        memcpy(made, snapshot->first_line, strlen(snapshot->first_line));
        piece = made;
    }
    if (EVP_DigestUpdate(snapshot->digest, piece, PIECE_BYTES) != 1) {
        return false;
    }
    snapshot->sent_bytes += PIECE_BYTES;
    response.remaining_bytes = snapshot->total_bytes - snapshot->sent_bytes;
    response.blob = fakeetcd__bytes(rt_slice_of(piece, PIECE_BYTES));
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
    response.blob = fakeetcd__bytes(rt_slice_of(digest, sizeof(digest)));
    fakeetcd_call_send(call, &response.base);
    return true;
}
