/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_CHANNEL_H
#define CONNECTOR_CLIENT_DS_CHANNEL_H

#include "runtime/network.h"
#include "wire/dsrpc/dsrpc.h"

/*
 * One connection to the worker, as the real client's DEALER socket keeps it:
 *
 *   OFF --open--> CONNECTING --> SHAKING --READY--> OPEN
 *                     ^  |          |                |
 *                     |  '--refused-+------cut-------+--> RESTING (100 ms) --> CONNECTING
 *                     '------------ liveness used up, new identity ----------------'
 *
 * A reconnection keeps its identity: the worker sends answers to whichever connection holds it.
 * Nothing is sent again. Requests wait until the connection is open; each open begins with the
 * ROUTER probe.
 */
struct ds_client;
struct ds__call;
struct zmtp_codec;

#define DS__IDENTITY_BYTES 18u /* the first characters of a UUID */

enum ds__channel_state {
    DS__CHANNEL_OFF,
    DS__CHANNEL_CONNECTING,
    DS__CHANNEL_SHAKING,
    DS__CHANNEL_OPEN,
    DS__CHANNEL_RESTING
};

struct ds__channel {
    struct ds_client *client;
    const char *word; /* "control", "data": for the journal */
    unsigned number;  /* part of its queue ids */
    enum ds__channel_state state;
    struct rt_stream *stream;
    struct zmtp_codec *codec;
    struct rt_timer reconnect;
    struct rt_timer beat; /* the ZMQ heartbeat */
    uint64_t beat_us;
    uint32_t lives_allowed; /* heartbeats without an answer until the connection is made anew */
    uint32_t lives;
    uint64_t beats_unanswered;
    char identity[DS__IDENTITY_BYTES + 1];
    char prefix[DS__IDENTITY_BYTES + 1]; /* of queue ids */
    char beat_id[DS__IDENTITY_BYTES + 1];
    struct ds__call *waiting_first; /* not sent yet */
    struct ds__call *waiting_last;
};

void ds__channel_init(struct ds__channel *channel, struct ds_client *client, const char *word,
                      unsigned number);

/* Starts connecting under a new identity. Open already: nothing happens. */
void ds__channel_open(struct ds__channel *channel);

/* FIN after what was written; no reconnection. The calls that wait are left to their owner. */
void ds__channel_close(struct ds__channel *channel);
void ds__channel_fini(struct ds__channel *channel); /* likewise, with a reset */

/* How often the ZMQ heartbeat goes out, rounded up to the real client's 100 ms poll. */
void ds__channel_set_liveness(struct ds__channel *channel, uint64_t interval_ms, uint32_t misses);

/* Sends the call's attempt now or when the connection opens. */
void ds__channel_submit(struct ds__channel *channel, struct ds__call *call);
void ds__channel_withdraw(struct ds__channel *channel, struct ds__call *call); /* not sent yet */

#endif
