/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/server/server_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The members that MemberList shows. The first is this server; the others are only told of. */

static char *join_client_urls(const struct fakeetcd_server *server);
static void add_url(FILE *out, bool is_first, const char *scheme, const char *address);

enum rt_status fakeetcd__members_of_options(struct fakeetcd_server *server,
                                            const struct fakeetcd_options *options)
{
    struct fakeetcd_members *members = &server->first_members;
    char nothing[] = "";
    const struct fakeetcd_member own = {.name = (char *)(uintptr_t)server->options.name,
                                        .peer_urls = (char *)(uintptr_t)server->options.peer_urls,
                                        .client_urls = nothing};
    enum rt_status status = fakeetcd_members_add(members, &own);
    for (size_t i = 0; i < options->other_count && status == RT_OK; i++) {
        const struct fakeetcd_member_options *other = &options->others[i];
        struct rt_random ids;
        rt_random_init(&ids, server->environment.seed, other->name);
        const struct fakeetcd_member member = {.id = rt_random_u64(&ids) | 1,
                                               .name = (char *)(uintptr_t)other->name,
                                               .peer_urls = (char *)(uintptr_t)other->peer_urls,
                                               .client_urls = (char *)(uintptr_t)other->client_urls,
                                               .is_learner = other->is_learner};
        status = fakeetcd_members_add(members, &member);
    }
    return status;
}

/* What it is called and where clients find it may be another at each start. */
enum rt_status fakeetcd__members_init(struct fakeetcd_server *server)
{
    struct fakeetcd_member *own = &server->state.members.items[0];
    char *name = strdup(server->options.name);
    char *urls = join_client_urls(server);
    if (name == NULL || urls == NULL) {
        free(name);
        free(urls);
        return RT_E_NOMEM;
    }
    free(own->name);
    free(own->client_urls);
    own->name = name;
    own->client_urls = urls;
    own->id = server->state.member_id;
    return RT_OK;
}

void fakeetcd__cluster_changed(struct fakeetcd_server *server)
{
    server->state.raft_index++;
    if (server->data_dir != NULL) {
        fakeetcd_data_dir_cluster_changed(server->data_dir);
    }
    fakeetcd__changed(server);
}

/* Clients replace their endpoints by these, so they must be reachable: where it listens, unless it
 * was told otherwise. */
static char *join_client_urls(const struct fakeetcd_server *server)
{
    const struct fakeetcd_options *options = &server->options;
    const char *scheme = options->tls == NULL ? "http" : "https";
    char *text = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&text, &len_bytes);
    if (out == NULL) {
        return NULL;
    }
    if (options->client_urls != NULL) {
        for (size_t i = 0; i < options->client_url_count; i++) {
            fprintf(out, "%s%s", i == 0 ? "" : ",", options->client_urls[i]);
        }
    } else {
        for (size_t i = 0; i < options->address_count; i++) {
            add_url(out, i == 0, scheme, server->addresses[i]);
        }
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* Nobody can connect to "any address". */
static void add_url(FILE *out, bool is_first, const char *scheme, const char *address)
{
    static const char any[] = "0.0.0.0:";
    const char *separator = is_first ? "" : ",";
    if (strncmp(address, any, sizeof(any) - 1) == 0) {
        fprintf(out, "%s%s://127.0.0.1:%s", separator, scheme, address + sizeof(any) - 1);
    } else {
        fprintf(out, "%s%s://%s", separator, scheme, address);
    }
}
