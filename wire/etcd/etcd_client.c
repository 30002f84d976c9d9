/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client_internal.h"

#include <stdlib.h>
#include <string.h>

static enum rt_status copy_options(struct etcd_client *client,
                                   const struct etcd_client_options *options);
static enum rt_status current_channel(struct etcd_client *client,
                                      struct grpc_channel **out_channel);
static enum rt_status split_endpoints(struct etcd_client *client, const char *endpoints);
static bool is_address(const char *text);
static void shuffle(struct etcd_client *client, uint64_t seed);

/* How long gRPC's C core tries to connect at least before it gives up an address. */
#define CONNECT_TIMEOUT_US (UINT64_C(5) * 1000000)

enum rt_status etcd_client_create(struct rt_loop *loop, struct rt_network *network,
                                  const struct etcd_client_options *options,
                                  struct etcd_client **out_client)
{
    struct etcd_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return RT_E_NOMEM;
    }
    client->loop = loop;
    client->network = network;
    client->tls = options->tls;
    TAILQ_INIT(&client->calls);
    TAILQ_INIT(&client->streams);
    etcd__auth_init(client);
    enum rt_status status = copy_options(client, options);
    if (status == RT_OK) {
        status = split_endpoints(client, options->endpoints);
    }
    if (status != RT_OK) {
        etcd_client_destroy(client);
        return status;
    }
    shuffle(client, options->seed);
    *out_client = client;
    return RT_OK;
}

static enum rt_status copy_options(struct etcd_client *client,
                                   const struct etcd_client_options *options)
{
    bool has_user = options->username != NULL && options->username[0] != '\0';
    client->arena = dsrpc_arena_create();
    client->name = strdup(options->name);
    client->authority =
        strdup(options->authority != NULL ? options->authority : options->endpoints);
    client->username = has_user ? strdup(options->username) : NULL;
    client->password = strdup(options->password != NULL ? options->password : "");
    return client->arena == NULL || client->name == NULL || client->authority == NULL ||
                   client->password == NULL || (has_user && client->username == NULL)
               ? RT_E_NOMEM
               : RT_OK;
}

static enum rt_status split_endpoints(struct etcd_client *client, const char *endpoints)
{
    for (const char *at = endpoints; *at != '\0';) {
        size_t len_bytes = strcspn(at, ",");
        if (client->endpoint_count == ETCD__ENDPOINT_LIMIT) {
            return RT_E_LIMIT;
        }
        char *address = strndup(at, len_bytes);
        if (address == NULL) {
            return RT_E_NOMEM;
        }
        client->addresses[client->endpoint_count++] = address;
        if (!is_address(address)) {
            return RT_E_INVALID;
        }
        at += len_bytes;
        at += *at == ',' ? 1 : 0;
    }
    return client->endpoint_count > 0 ? RT_OK : RT_E_INVALID;
}

/* host:port; the network says what it thinks of the host when it connects. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text) {
        return false;
    }
    char *end = NULL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    return colon[1] >= '0' && colon[1] <= '9' && *end == '\0' && port > 0 && port <= UINT16_MAX;
}

/* As the Datasystem does at its start, so that clients spread over the members. */
static void shuffle(struct etcd_client *client, uint64_t seed)
{
    struct rt_random random;
    rt_random_init(&random, seed, client->name);
    for (size_t i = client->endpoint_count; i > 1; i--) {
        size_t other = (size_t)rt_random_below(&random, i);
        char *address = client->addresses[i - 1];
        client->addresses[i - 1] = client->addresses[other];
        client->addresses[other] = address;
    }
}

void etcd_client_destroy(struct etcd_client *client)
{
    if (client == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&client->streams)) {
        etcd_stream_close(TAILQ_FIRST(&client->streams));
    }
    while (!TAILQ_EMPTY(&client->calls)) {
        etcd_call_cancel(TAILQ_FIRST(&client->calls));
    }
    etcd__auth_fini(client);
    for (size_t i = 0; i < client->endpoint_count; i++) {
        grpc_channel_destroy(client->channels[i]);
        free(client->addresses[i]);
    }
    dsrpc_arena_destroy(client->arena);
    free(client->name);
    free(client->authority);
    free(client->username);
    free(client->password);
    free(client);
}

enum rt_status etcd__request_start(struct etcd_client *client, const struct etcd__method *method,
                                   uint64_t deadline_us, const struct grpc_request_handler *handler,
                                   void *arg, struct grpc_request **out_request)
{
    struct grpc_metadata token = {.name = "token", .value = rt_slice_text(client->token)};
    size_t token_count = client->token == NULL || method->is_without_token ? 0 : 1;
    struct grpc_channel *channel = NULL;
    enum rt_status status = current_channel(client, &channel);
    if (status != RT_OK) {
        return status;
    }
    return grpc_request_start(channel, method->path, &token, token_count, deadline_us, handler, arg,
                              out_request);
}

static enum rt_status current_channel(struct etcd_client *client, struct grpc_channel **out_channel)
{
    struct grpc_channel **channel = &client->channels[client->endpoint];
    struct grpc_channel_options options = {.name = client->name,
                                           .address = client->addresses[client->endpoint],
                                           .authority = client->authority,
                                           .connect_timeout_us = CONNECT_TIMEOUT_US,
                                           .tls = client->tls};
    if (*channel == NULL) {
        enum rt_status status =
            grpc_channel_create(client->loop, client->network, &options, channel);
        if (status != RT_OK) {
            return status;
        }
    }
    *out_channel = *channel;
    return RT_OK;
}

/* Several calls may have failed at the same one: only the first of them moves on. */
void etcd__endpoint_failed(struct etcd_client *client, size_t endpoint)
{
    if (endpoint == client->endpoint) {
        client->endpoint = (endpoint + 1) % client->endpoint_count;
    }
}
