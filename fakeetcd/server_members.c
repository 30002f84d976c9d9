/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/server_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The members that MemberList shows. The first is this server; the others are only told of. */

static char *join_client_urls(const struct fakeetcd_server *server);
static void add_url(FILE *out, bool is_first, const char *scheme, const char *address);
static void member_free(struct fakeetcd__member *member);

enum rt_status fakeetcd__members_copy(struct fakeetcd_server *server,
                                      const struct fakeetcd_options *options)
{
    server->members = calloc(options->other_count + 1, sizeof(*server->members));
    if (server->members == NULL) {
        return RT_E_NOMEM;
    }
    server->member_count = options->other_count + 1;
    server->members[0].name = strdup(options->name);
    server->members[0].peer_urls = strdup(server->options.peer_urls);
    server->members[0].client_urls = strdup("");
    for (size_t i = 0; i < options->other_count; i++) {
        const struct fakeetcd_member_options *other = &options->others[i];
        struct fakeetcd__member *member = &server->members[i + 1];
        struct rt_random ids;
        rt_random_init(&ids, server->environment.seed, other->name);
        member->id = rt_random_u64(&ids) | 1;
        member->name = strdup(other->name);
        member->peer_urls = strdup(other->peer_urls);
        member->client_urls = strdup(other->client_urls);
        member->is_learner = other->is_learner;
    }
    for (size_t i = 0; i < server->member_count; i++) {
        const struct fakeetcd__member *member = &server->members[i];
        if (member->name == NULL || member->peer_urls == NULL || member->client_urls == NULL) {
            return RT_E_NOMEM;
        }
    }
    return RT_OK;
}

enum rt_status fakeetcd__members_init(struct fakeetcd_server *server)
{
    char *urls = join_client_urls(server);
    if (urls == NULL) {
        return RT_E_NOMEM;
    }
    free(server->members[0].client_urls);
    server->members[0].client_urls = urls;
    server->members[0].id = server->state.member_id;
    return RT_OK;
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

void fakeetcd__members_free(struct fakeetcd_server *server)
{
    for (size_t i = 0; i < server->member_count; i++) {
        member_free(&server->members[i]);
    }
    free(server->members);
    server->members = NULL;
    server->member_count = 0;
}

static void member_free(struct fakeetcd__member *member)
{
    free(member->name);
    free(member->peer_urls);
    free(member->client_urls);
}
