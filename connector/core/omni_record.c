/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "connector/core/omni_internal.h"

/* Records of calls are used again, with their arenas: in steady state calls allocate none. */
#define USUAL_ROOM_BYTES 256U
#define MAX_SPARE_COUNT  64U

static struct omni_call *take_record(struct omni_connector *connector, size_t room_bytes);

/* Nothing is escaped; the stages are kept behind the key for the log. */
struct omni_call *omni__new_call(struct omni_connector *connector, const char *from_stage,
                                 const char *to_stage, struct rt_slice user_key)
{
    size_t from_bytes = strlen(from_stage);
    size_t to_bytes = strlen(to_stage);
    size_t key_bytes = user_key.len_bytes + from_bytes + to_bytes + 2;
    struct omni_call *call = take_record(connector, key_bytes + from_bytes + to_bytes + 2);
    if (call == NULL) {
        return NULL;
    }
    char *key = call->key;
    if (user_key.len_bytes > 0) {
        memcpy(key, user_key.data, user_key.len_bytes);
    }
    key[user_key.len_bytes] = connector->model == OMNI_POLLING ? '@' : ':';
    memcpy(key + user_key.len_bytes + 1, from_stage, from_bytes);
    key[user_key.len_bytes + 1 + from_bytes] = '_';
    memcpy(key + user_key.len_bytes + 2 + from_bytes, to_stage, to_bytes);
    memcpy(key + key_bytes, from_stage, from_bytes + 1);
    memcpy(key + key_bytes + from_bytes + 1, to_stage, to_bytes + 1);
    call->from_stage = key + key_bytes;
    call->to_stage = key + key_bytes + from_bytes + 1;
    call->key_bytes = key_bytes;
    call->connector = connector;
    return call;
}

static struct omni_call *take_record(struct omni_connector *connector, size_t room_bytes)
{
    struct omni_call *call = connector->spare.first;
    if (call != NULL && room_bytes <= USUAL_ROOM_BYTES) {
        struct omni_arena *arena = call->arena;
        omni__take_out(&connector->spare, call);
        connector->spare_count--;
        memset(call, 0, sizeof(*call));
        call->arena = arena;
        call->room_bytes = USUAL_ROOM_BYTES;
        return call;
    }
    if (room_bytes < USUAL_ROOM_BYTES) {
        room_bytes = USUAL_ROOM_BYTES;
    }
    call = calloc(1, sizeof(*call) + room_bytes);
    if (call != NULL) {
        call->room_bytes = room_bytes;
    }
    return call;
}

/* The record is done with: kept for the next call, or freed. */
void omni__put_back(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    rt_timer_disarm(&call->deadline); /* of a call that never started */
    if (call->room_bytes != USUAL_ROOM_BYTES || connector->spare_count == MAX_SPARE_COUNT) {
        omni__free_call(call);
        return;
    }
    rt_blob_release(call->payload);
    call->payload = NULL;
    free(call->text);
    call->text = NULL;
    if (call->arena != NULL) {
        omni_arena_reset(call->arena);
    }
    omni__append(&connector->spare, call);
    connector->spare_count++;
}

void omni__free_call(struct omni_call *call)
{
    rt_blob_release(call->payload);
    free(call->text);
    omni_arena_destroy(call->arena);
    free(call);
}

void omni__free_spare(struct omni_connector *connector)
{
    while (connector->spare.first != NULL) {
        struct omni_call *call = connector->spare.first;
        omni__take_out(&connector->spare, call);
        omni__free_call(call);
    }
}

void omni__append(struct omni_calls *calls, struct omni_call *call)
{
    call->previous = calls->last;
    call->next = NULL;
    if (calls->last == NULL) {
        calls->first = call;
    } else {
        calls->last->next = call;
    }
    calls->last = call;
}

void omni__take_out(struct omni_calls *calls, struct omni_call *call)
{
    if (call->previous == NULL) {
        calls->first = call->next;
    } else {
        call->previous->next = call->next;
    }
    if (call->next == NULL) {
        calls->last = call->previous;
    } else {
        call->next->previous = call->previous;
    }
}
