/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WIRE_PEER_H
#define TESTS_UNIT_WIRE_PEER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "wire/zmtp/zmtp.h"

/* One side of a connection under test: a codec with its inbox and outbox, fed by the test. */
struct peer {
    struct zmtp_codec *codec;
    struct rt_inbox *in;
    struct rt_outbox *out;
    enum zmtp_event event;
    struct zmtp_message message;
};

/* Started; its greeting is still in the outbox. */
void peer_init(struct peer *peer, const struct zmtp_options *options);

/* With the handshake done: the next thing that comes is a frame. */
void peer_init_open(struct peer *peer, const struct zmtp_options *options);
void peer_fini(struct peer *peer);

void peer_feed(struct peer *peer, const void *data, size_t len_bytes);
enum rt_status peer_receive(struct peer *peer);

/* The outbox's bytes, moved out; the caller frees them. */
uint8_t *outbox_take(struct rt_outbox *out, size_t *out_len_bytes);

/* Bytes of a hexadecimal text; blanks do not count. The caller frees them. */
uint8_t *hex(const char *text, size_t *out_len_bytes);

/* The outbox holds exactly these bytes; it is cleared. */
void assert_outbox_hex(struct rt_outbox *out, const char *text);
void assert_slice_hex(struct rt_slice slice, const char *text);

extern const uint8_t GREETING[64]; /* a right one, as libzmq sends it */
extern const uint8_t READY_DEALER[61];

#endif
