/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/call.h"
#include "fuzz_etcd.h"
#include "fuzz_target.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <stdlib.h>

/*
 * Calls of a fake etcd with hostile messages, straight into its methods. Input: a byte (bit 0: etcd
 * 3.4), then steps: a byte that says which, a byte that says of what, a byte of length and so many
 * bytes where there is a message.
 *
 *   BEGIN    a call of the n-th method, with its first message
 *   SAY      one message more on the n-th open call, where the method takes several
 *   CLOSE    the n-th open call says no more, or (n odd) is given up
 *   PASS     n tenths of a second
 *   CROWD    the n-th open call cannot take answers now, or can again
 *
 * The token of the last Authenticate goes with every call.
 */
enum step { BEGIN, SAY, CLOSE, PASS, CROWD, STEP_COUNT };
enum { TALKS_MAX = 16, TOKEN_BYTES_MAX = 128, TENTH_US = 100000 };

struct talk {
    struct fakeetcd_call call; /* first: the transport finds the rest from it */
    struct fuzz *fuzz;
    bool is_open;
    bool is_ended;
    bool is_full;
};

struct fuzz {
    struct fuzz_etcd etcd;
    struct talk talks[TALKS_MAX];
    uint8_t token[TOKEN_BYTES_MAX];
    size_t token_bytes;
};

/* ---- the transport ---- */

static struct talk *talk_of(const struct fakeetcd_call *call)
{
    return (struct talk *)(uintptr_t)call;
}

static bool metadata(const struct fakeetcd_call *call, const char *name, struct rt_slice *out_value)
{
    const struct fuzz *fuzz = talk_of(call)->fuzz;

    if (strcmp(name, "token") != 0 || fuzz->token_bytes == 0) {
        return false;
    }
    *out_value = rt_slice_of(fuzz->token, fuzz->token_bytes);
    return true;
}

static enum rt_status send_message(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    struct talk *talk = talk_of(call);
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(len_bytes + 1);

    FUZZ_CHECK(talk->is_open && !talk->is_ended && packed != NULL);
    FUZZ_CHECK(protobuf_c_message_pack(message, packed) == len_bytes);
    free(packed);
    if (message->descriptor == &etcdserverpb__authenticate_response__descriptor) {
        const Etcdserverpb__AuthenticateResponse *answer =
            (const Etcdserverpb__AuthenticateResponse *)message;
        FUZZ_CHECK(answer->token.len > 0 && answer->token.len <= TOKEN_BYTES_MAX);
        memcpy(talk->fuzz->token, answer->token.data, answer->token.len);
        talk->fuzz->token_bytes = answer->token.len;
    }
    return RT_OK;
}

static void finish(struct fakeetcd_call *call, int32_t code, const char *text)
{
    struct talk *talk = talk_of(call);

    FUZZ_CHECK(talk->is_open && !talk->is_ended && text != NULL);
    FUZZ_CHECK(code >= 0 && code <= GRPC_UNAUTHENTICATED);
    talk->is_ended = true;
}

static bool is_full(const struct fakeetcd_call *call)
{
    return talk_of(call)->is_full;
}

static bool strike(struct fakeetcd_call *call, const struct fault_action *action)
{
    (void)call;
    (void)action;
    return false;
}

static const char *peer_name(const struct fakeetcd_call *call)
{
    (void)call;
    return "";
}

static const struct fakeetcd_transport TRANSPORT = {.metadata = metadata,
                                                    .send = send_message,
                                                    .finish = finish,
                                                    .is_full = is_full,
                                                    .strike = strike,
                                                    .peer_name = peer_name};

/* ---- the steps ---------------------------------------------------------------------------- */

static void say(struct talk *talk, struct rt_slice message)
{
    if (!talk->call.is_finished) {
        fakeetcd_call_message(&talk->call, message);
    }
    if (talk->call.method->kind != FAKEETCD_BIDI && !talk->call.is_finished) {
        fakeetcd_call_half_close(&talk->call);
    }
}

static void begin(struct fuzz *fuzz, size_t method, struct rt_slice message)
{
    struct talk *talk = fuzz->talks;

    while (talk < fuzz->talks + TALKS_MAX && talk->is_open) {
        talk++;
    }
    if (talk == fuzz->talks + TALKS_MAX) {
        return;
    }
    *talk = (struct talk){.call = {.server = fuzz->etcd.server,
                                   .method = &fakeetcd_methods[method % fakeetcd_method_count()],
                                   .transport = &TRANSPORT,
                                   .client = "client-1",
                                   .deadline_us = RT_NEVER},
                          .fuzz = fuzz,
                          .is_open = true};
    fakeetcd_call_begin(&talk->call);
    say(talk, message);
}

static void leave(struct talk *talk, bool is_cancelled)
{
    fakeetcd_call_gone(&talk->call, is_cancelled);
    talk->is_open = false;
}

static void take_step(struct fuzz *fuzz, enum step step, uint8_t number, struct rt_slice message)
{
    struct talk *talk = &fuzz->talks[number % TALKS_MAX];

    if (step == BEGIN) {
        begin(fuzz, number, message);
    } else if (step == PASS) {
        fuzz_etcd_run(&fuzz->etcd, (uint64_t)number * TENTH_US);
    } else if (!talk->is_open) {
        return;
    } else if (step == SAY) {
        if (talk->call.method->kind == FAKEETCD_BIDI) {
            say(talk, message);
        }
    } else if (step == CLOSE && number / TALKS_MAX % 2 == 1) {
        leave(talk, true);
    } else if (step == CLOSE) {
        fakeetcd_call_half_close(&talk->call);
    } else {
        talk->is_full = !talk->is_full;
        if (!talk->is_full) {
            fakeetcd_call_drained(&talk->call);
        }
    }
}

static void sweep(struct fuzz *fuzz)
{
    for (struct talk *talk = fuzz->talks; talk < fuzz->talks + TALKS_MAX; talk++) {
        if (talk->is_open && talk->is_ended) {
            leave(talk, false);
        }
    }
}

static void take_steps(struct fuzz *fuzz, const uint8_t *data, size_t size)
{
    while (size >= 2) {
        enum step step = data[0] % STEP_COUNT;
        uint8_t number = data[1];
        struct rt_slice message = {0};
        data += 2;
        size -= 2;
        if ((step == BEGIN || step == SAY) && size > 0) {
            size_t len_bytes = data[0] < size - 1 ? data[0] : size - 1;
            message = rt_slice_of(data + 1, len_bytes);
            data += 1 + len_bytes;
            size -= 1 + len_bytes;
        }
        take_step(fuzz, step, number, message);
        fuzz_etcd_run(&fuzz->etcd, 0);
        sweep(fuzz);
    }
}

/* ---- the end ---- */

/* What came was answered or eaten, and nothing is watched any more. */
static void check_counts(const struct fuzz *fuzz)
{
    struct fakeetcd_counts counts;

    fakeetcd_server_counts(fuzz->etcd.server, &counts);
    FUZZ_CHECK(counts.watchers == 0);
    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        struct fakeetcd_op_counts ops;
        FUZZ_CHECK(fakeetcd_server_op_counts(fuzz->etcd.server, fakeetcd_methods[i].word, &ops));
        FUZZ_CHECK(ops.waiting == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {0};

    if (size < 3) {
        return 0;
    }
    fuzz_etcd_start(&fuzz.etcd, data[0] % 2 == 1, 0);
    take_steps(&fuzz, data + 1, size - 1);
    for (struct talk *talk = fuzz.talks; talk < fuzz.talks + TALKS_MAX; talk++) {
        if (talk->is_open) {
            leave(talk, true);
        }
    }
    fuzz_etcd_run(&fuzz.etcd, TENTH_US);
    check_counts(&fuzz);
    fuzz_etcd_stop(&fuzz.etcd);
    return 0;
}
