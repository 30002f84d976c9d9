/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_link.h"

#include <stdlib.h>

static void drip(struct grpc__link *link, const uint8_t *frame, size_t len_bytes,
                 uint64_t interval_us);
static void on_drip(void *arg);
static void forget(struct grpc__spoils *spoils, struct grpc__spoil *spoil);

void grpc__spoils_init(struct grpc__link *link)
{
    link->spoils = (struct grpc__spoils){0};
    rt_timer_init(&link->spoils.drip_timer, link->loop, on_drip, link);
}

void grpc__spoils_fini(struct grpc__link *link)
{
    struct grpc__spoils *spoils = &link->spoils;
    struct grpc__spoil *spoil;
    struct grpc__spoil *next;

    rt_timer_disarm(&spoils->drip_timer);
    free(spoils->drip_data);
    RT_TABLE_EACH(spoil, next, spoils->table)
    {
        forget(spoils, spoil);
    }
}

void grpc__spoils_add(struct grpc__link *link, uint32_t stream_id, enum grpc__spoil_way way,
                      uint64_t number)
{
    struct grpc__spoil *spoil;
    enum rt_status status;

    if (grpc__spoils_find(link, stream_id) != NULL) {
        return; /* one way a stream; the first stays */
    }
    spoil = calloc(1, sizeof(*spoil));
    if (spoil == NULL) {
        return;
    }
    spoil->stream_id = stream_id;
    spoil->way = way;
    spoil->number = number;
    RT_TABLE_ADD_U64(link->spoils.table, spoil, stream_id, &status);
    if (status != RT_OK) {
        free(spoil);
    }
}

struct grpc__spoil *grpc__spoils_find(struct grpc__link *link, uint32_t stream_id)
{
    struct grpc__spoil *spoil;
    uint64_t key = stream_id;

    RT_TABLE_FIND_U64(link->spoils.table, key, spoil);
    return spoil;
}

void grpc__spoils_stream_closed(struct grpc__link *link, uint32_t stream_id)
{
    struct grpc__spoil *spoil =
        grpc__spoils_is_empty(&link->spoils) ? NULL : grpc__spoils_find(link, stream_id);

    if (spoil != NULL && spoil->over == NULL) {
        spoil->over = link->spoils.over == NULL ? spoil : link->spoils.over;
        link->spoils.over = spoil;
    }
}

/* The list ends with an entry that points at itself. */
void grpc__spoils_sweep(struct grpc__link *link)
{
    struct grpc__spoils *spoils = &link->spoils;

    while (spoils->over != NULL) {
        struct grpc__spoil *spoil = spoils->over;

        spoils->over = spoil->over == spoil ? NULL : spoil->over;
        forget(spoils, spoil);
    }
}

static void forget(struct grpc__spoils *spoils, struct grpc__spoil *spoil)
{
    RT_TABLE_REMOVE(spoils->table, spoil);
    free(spoil);
}

/* ---- what happens to a frame -------------------------------------------------------------- */

void grpc__spoils_write(struct grpc__link *link, struct grpc__spoil *spoil, uint8_t *frame,
                        size_t len_bytes)
{
    uint64_t first = spoil->position;
    bool is_hit = spoil->number >= first && spoil->number - first < len_bytes;

    spoil->position += len_bytes;
    if (spoil->way == GRPC__DRIP) {
        drip(link, frame, len_bytes, spoil->number);
        return;
    }
    if (is_hit && spoil->way == GRPC__CORRUPT) {
        frame[spoil->number - first] ^= 0xff;
    }
    if (is_hit && spoil->way == GRPC__TRUNCATE) {
        grpc__link_write(link, frame, (size_t)(spoil->number - first) + 1);
        grpc__link_end(link, false, RT_OK, "an answer was cut");
        return;
    }
    grpc__link_write(link, frame, len_bytes);
}

/* The first byte goes now, the others one by one; no other frame can go between them. */
static void drip(struct grpc__link *link, const uint8_t *frame, size_t len_bytes,
                 uint64_t interval_us)
{
    struct grpc__spoils *spoils = &link->spoils;

    spoils->drip_data = malloc(len_bytes);
    if (spoils->drip_data == NULL ||
        rt_timer_arm_after(&spoils->drip_timer, interval_us) != RT_OK) {
        free(spoils->drip_data);
        spoils->drip_data = NULL;
        grpc__link_write(link, frame, len_bytes);
        return;
    }
    memcpy(spoils->drip_data, frame, len_bytes);
    spoils->drip_bytes = len_bytes;
    spoils->drip_position = 1;
    spoils->drip_interval_us = interval_us;
    grpc__link_write(link, frame, 1);
}

static void on_drip(void *arg)
{
    struct grpc__link *link = arg;
    struct grpc__spoils *spoils = &link->spoils;

    if (link->stream == NULL) {
        return;
    }
    if (spoils->drip_position < spoils->drip_bytes) {
        if (rt_outbox_add(rt_stream_outbox(link->stream), spoils->drip_data + spoils->drip_position,
                          1) != RT_OK) {
            grpc__link_end(link, true, RT_E_NOMEM, "out of memory");
            return;
        }
        rt_stream_flush(link->stream);
        spoils->drip_position++;
    }
    if (spoils->drip_position < spoils->drip_bytes &&
        rt_timer_arm_after(&spoils->drip_timer, spoils->drip_interval_us) == RT_OK) {
        return;
    }
    free(spoils->drip_data);
    spoils->drip_data = NULL;
    grpc__link_wake(link);
}
