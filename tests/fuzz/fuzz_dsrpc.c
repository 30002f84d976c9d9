/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_envelope.h"

/* One message without ZMTP around it. Input: frames, each two bytes of length (little-endian) and
 * its body; the last one takes what is left. Read both as a request and as an answer. */

#define FRAME_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zmtp_frame frames[FRAME_MAX];
    struct zmtp_message message = {.frames = frames};
    struct rt_outbox *out = rt_outbox_create();
    struct dsrpc_arena *arena = dsrpc_arena_create();
    FUZZ_CHECK(out != NULL && arena != NULL);
    while (size >= 2 && message.frame_count < FRAME_MAX) {
        size_t len_bytes = data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        len_bytes = len_bytes < size ? len_bytes : size;
        frames[message.frame_count++] = (struct zmtp_frame){.bytes = rt_slice_of(data, len_bytes)};
        message.total_bytes += len_bytes;
        data += len_bytes;
        size -= len_bytes;
    }
    if (message.frame_count > 0) {
        fuzz_request(&message, arena, out);
        fuzz_answer(&message, arena);
    }
    dsrpc_arena_destroy(arena);
    rt_outbox_destroy(out);
    return 0;
}
