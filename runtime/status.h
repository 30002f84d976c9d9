/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_STATUS_H
#define RUNTIME_STATUS_H

/*
 * What a local function answers, in every room below the connector.
 * Codes that come from a wire (K_ numbers, gRPC codes) are data, never one of these.
 *
 * Row: name, number, text. Numbers are never reused.
 */
#define RT_STATUS_LIST(ROW)                                                                        \
    ROW(RT_OK, 0, "ok")                                                                            \
    ROW(RT_E_NOMEM, 1, "out of memory")                                                            \
    ROW(RT_E_INVALID, 2, "invalid argument")                                                       \
    ROW(RT_E_MALFORMED, 3, "malformed bytes")                                                      \
    ROW(RT_E_LIMIT, 4, "a limit was exceeded")                                                     \
    ROW(RT_E_NOT_FOUND, 5, "not found")                                                            \
    ROW(RT_E_EXISTS, 6, "already exists")                                                          \
    ROW(RT_E_IO, 7, "input/output error")                                                          \
    ROW(RT_E_REFUSED, 8, "connection refused")                                                     \
    ROW(RT_E_RESET, 9, "connection reset by peer")                                                 \
    ROW(RT_E_CLOSED, 10, "connection closed by peer")                                              \
    ROW(RT_E_TIMEOUT, 11, "timed out")                                                             \
    ROW(RT_E_IDLE, 12, "nothing is left that could happen")                                        \
    ROW(RT_E_STUCK, 13, "events run for ever while the clock stands still")                        \
    ROW(RT_E_BUSY, 14, "address already in use")                                                   \
    ROW(RT_E_CANCELLED, 15, "cancelled")                                                           \
    ROW(RT_E_AGAIN, 16, "not enough bytes yet")

enum rt_status {
#define RT_STATUS_ENUM(name, number, text) name = number,
    RT_STATUS_LIST(RT_STATUS_ENUM)
#undef RT_STATUS_ENUM
};

#define RT_NODISCARD __attribute__((warn_unused_result))
#define RT_PRINTF(format_index, first_index)                                                       \
    __attribute__((format(printf, format_index, first_index)))

/* Static text, for humans. Any thread. */
const char *rt_status_text(enum rt_status status);

#endif
