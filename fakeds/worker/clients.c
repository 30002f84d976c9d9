/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/worker/clients.h"

#include <stdlib.h>

static struct fakeds__client *create(struct rt_slice id, const char *name);

void fakeds__clients_init(struct fakeds__clients *clients)
{
    *clients = (struct fakeds__clients){0};
    TAILQ_INIT(&clients->silence);
}

void fakeds__clients_clear(struct fakeds__clients *clients)
{
    while (!TAILQ_EMPTY(&clients->silence)) {
        fakeds__clients_remove(clients, TAILQ_FIRST(&clients->silence));
    }
}

size_t fakeds__clients_count(const struct fakeds__clients *clients)
{
    return RT_TABLE_COUNT(clients->by_id);
}

struct fakeds__client *fakeds__clients_add(struct fakeds__clients *clients, struct rt_slice id,
                                           const char *name, uint64_t now_us)
{
    enum rt_status status;
    struct fakeds__client *client = fakeds__clients_find(clients, id);
    if (client != NULL) {
        fakeds__clients_hear(clients, client, now_us);
        return client;
    }
    client = id.len_bytes == 0 ? NULL : create(id, name);
    if (client == NULL) {
        return NULL;
    }
    RT_TABLE_ADD_BYTES(clients->by_id, client, client->id.data, client->id.len_bytes, &status);
    if (status != RT_OK) {
        free(client);
        return NULL;
    }
    client->heard_of_us = now_us;
    TAILQ_INSERT_TAIL(&clients->silence, client, silence);
    return client;
}

static struct fakeds__client *create(struct rt_slice id, const char *name)
{
    size_t name_bytes = strlen(name) + 1;
    struct fakeds__client *client = malloc(sizeof(*client) + name_bytes + id.len_bytes);
    if (client == NULL) {
        return NULL;
    }
    *client = (struct fakeds__client){0};
    char *text = (char *)(client + 1);
    memcpy(text, name, name_bytes);
    memcpy(text + name_bytes, id.data, id.len_bytes);
    client->name = text;
    client->id = rt_slice_of(text + name_bytes, id.len_bytes);
    return client;
}

struct fakeds__client *fakeds__clients_find(const struct fakeds__clients *clients,
                                            struct rt_slice id)
{
    struct fakeds__client *client = NULL;
    if (id.len_bytes > 0) {
        RT_TABLE_FIND_BYTES(clients->by_id, id.data, id.len_bytes, client);
    }
    return client;
}

void fakeds__clients_hear(struct fakeds__clients *clients, struct fakeds__client *client,
                          uint64_t now_us)
{
    client->heard_of_us = now_us;
    TAILQ_REMOVE(&clients->silence, client, silence);
    TAILQ_INSERT_TAIL(&clients->silence, client, silence);
}

void fakeds__clients_remove(struct fakeds__clients *clients, struct fakeds__client *client)
{
    TAILQ_REMOVE(&clients->silence, client, silence);
    RT_TABLE_REMOVE(clients->by_id, client);
    free(client);
}

struct fakeds__client *fakeds__clients_longest_silent(const struct fakeds__clients *clients)
{
    return TAILQ_FIRST(&clients->silence);
}
