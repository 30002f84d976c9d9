/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_WEBSOCKET_H
#define FAKEETCD_GATEWAY_WEBSOCKET_H

#include "fakeetcd/gateway/http1.h"

/*
 * The server's side of a WebSocket (RFC 6455) over an HTTP connection that asked for one: a text
 * frame is a message. No extensions.
 */
struct fakeetcd_websocket;

enum { FAKEETCD_WEBSOCKET_MESSAGE_BYTES_MAX = 4 << 20 };

/* Answers the handshake. False: it was refused (400, answered) or there is no memory. */
RT_NODISCARD bool fakeetcd_websocket_open(struct fakeetcd_http *http,
                                          struct fakeetcd_websocket **out_websocket);
void fakeetcd_websocket_destroy(struct fakeetcd_websocket *websocket);

/* Takes bytes off `bytes` until a message is complete, which is borrowed until the next call.
 * False: all are used. Pings are answered here, a close or a breach of the protocol ends the
 * connection. */
bool fakeetcd_websocket_take(struct fakeetcd_websocket *websocket, struct rt_slice *bytes,
                             struct rt_slice *out_message);
void fakeetcd_websocket_send(struct fakeetcd_websocket *websocket, struct rt_slice message);
/* A close frame (1000), then the end of the connection. */
void fakeetcd_websocket_close(struct fakeetcd_websocket *websocket);

/* "Sec-WebSocket-Accept" for a key; 28 characters and a NUL. */
void fakeetcd_websocket_accept_key(struct rt_slice key, char out_text[29]);

#endif
