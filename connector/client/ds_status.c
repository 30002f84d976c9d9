/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/ds_status.h"

#include <stdio.h>

/* One row decides: the first that fits the code and, where it names one, the detail. */
#define ANY_DETAIL (-1)

static const struct cause_row {
    int32_t code;
    int detail;
    enum ds_cause cause;
} CAUSES[] = {
    {K_NOT_FOUND, ANY_DETAIL, DS_CAUSE_NOT_FOUND},
    {K_RPC_DEADLINE_EXCEEDED, ANY_DETAIL, DS_CAUSE_BACKEND_TIMEOUT},
    {K_RPC_UNAVAILABLE, DS_DETAIL_SILENCE, DS_CAUSE_BACKEND_TIMEOUT},
    {K_RPC_UNAVAILABLE, DS_DETAIL_DECLARED_LOST, DS_CAUSE_DISCONNECTED},
    {K_CLIENT_WORKER_DISCONNECT, ANY_DETAIL, DS_CAUSE_DISCONNECTED},
    {K_NOT_READY, ANY_DETAIL, DS_CAUSE_DISCONNECTED},
    {K_SERVER_FD_CLOSED, ANY_DETAIL, DS_CAUSE_DISCONNECTED},
    {K_SCALE_DOWN, ANY_DETAIL, DS_CAUSE_DISCONNECTED},
    {K_RPC_UNAVAILABLE, ANY_DETAIL, DS_CAUSE_TRANSPORT},
    {K_RPC_CANCELLED, ANY_DETAIL, DS_CAUSE_TRANSPORT},
    {K_IO_ERROR, ANY_DETAIL, DS_CAUSE_TRANSPORT},
    {K_INVALID, ANY_DETAIL, DS_CAUSE_INVALID},
    {K_OUT_OF_MEMORY, ANY_DETAIL, DS_CAUSE_OUT_OF_MEMORY},
    {K_NO_SPACE, ANY_DETAIL, DS_CAUSE_OUT_OF_MEMORY},
};

enum ds_cause ds_cause_of(int32_t code, enum ds_detail detail)
{
    if (code == K_OK) {
        return DS_CAUSE_NONE;
    }
    if (detail == DS_DETAIL_UNDECODABLE) { /* the code is only what the real client shows */
        return DS_CAUSE_CODEC;
    }
    for (size_t i = 0; i < sizeof(CAUSES) / sizeof(CAUSES[0]); i++) {
        const struct cause_row *row = &CAUSES[i];
        if (row->code == code && (row->detail == ANY_DETAIL || row->detail == (int)detail)) {
            return row->cause;
        }
    }
    return DS_CAUSE_OTHER;
}

const char *ds_cause_word(enum ds_cause cause)
{
    static const char *const WORDS[] = {
#define WORD(name, word) [name] = word,
        DS_CAUSE_LIST(WORD)
#undef WORD
    };
    return (size_t)cause < DS_CAUSE_COUNT ? WORDS[cause] : "unknown";
}

const char *ds_detail_word(enum ds_detail detail)
{
    static const char *const WORDS[] = {
#define WORD(name, word, help) [name] = word,
        DS_DETAIL_LIST(WORD)
#undef WORD
    };
    return (size_t)detail < DS_DETAIL_COUNT ? WORDS[detail] : "unknown";
}

void ds_status_format(const struct ds_status *status, char *out_text, size_t text_bytes)
{
    if (text_bytes == 0) {
        return;
    }
    const char *text = status->text == NULL ? "" : status->text;
    (void)snprintf(out_text, text_bytes, "code: [%s], msg: [%s]", dsrpc_code_text(status->code),
                   text);
}
