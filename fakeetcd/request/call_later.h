/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_REQUEST_CALL_LATER_H
#define FAKEETCD_REQUEST_CALL_LATER_H

#include "fakeetcd/server/server_internal.h"

/*
 * What of a call waits. Messages that came while an earlier one is held stand behind it; answers
 * that may not go out yet stand packed. In order, both.
 *
 *   message --> IN: held by a fault, or waiting for a leader
 *   answer  --> OUT: held by a fault, or until the data-dir is written
 */
struct fakeetcd__parcel {
    STAILQ_ENTRY(fakeetcd__parcel) others;
    bool is_past_request; /* its fault point has been asked */
    size_t len_bytes;
    uint8_t bytes[];
};
STAILQ_HEAD(fakeetcd__parcels, fakeetcd__parcel);

struct fakeetcd__later {
    struct fakeetcd_call *call;
    TAILQ_ENTRY(fakeetcd__later) others;
    TAILQ_ENTRY(fakeetcd__later) committing;

    struct fakeetcd__parcels in;
    bool is_in_held;
    bool is_half_closed; /* behind what is in */
    struct fault_hold in_hold;
    bool is_waiting_for_leader;
    enum fakeetcd_leader_need needs; /* what it fails with in the end */
    struct rt_timer leader_timer;

    struct fakeetcd__parcels out;
    bool is_out_held;
    bool is_committing;
    struct fault_hold out_hold;
    bool has_end; /* behind what is out */
    int32_t code;
    char *text;
};

/* The call's own, made when needed. NULL: no memory. */
struct fakeetcd__later *fakeetcd__later_of(struct fakeetcd_call *call);
void fakeetcd__later_drop(struct fakeetcd_call *call);

bool fakeetcd__is_in_waiting(const struct fakeetcd_call *call);
bool fakeetcd__is_out_waiting(const struct fakeetcd_call *call);

/* Copies; false: no memory. */
bool fakeetcd__keep_in(struct fakeetcd_call *call, struct rt_slice message, bool is_first,
                       bool is_past_request);
bool fakeetcd__keep_out(struct fakeetcd_call *call, const ProtobufCMessage *message);
bool fakeetcd__keep_end(struct fakeetcd_call *call, int32_t code, const char *text);

#endif
