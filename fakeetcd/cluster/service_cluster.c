/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/service_rest.h"

#include <stdlib.h>

/*
 * The service Cluster: the list of members, which changes as etcd's would. Only the first one is
 * real; another counts as started, and connected, when it has a name. The headers of this service
 * have no revision.
 */

/* Learners that one cluster may have. */
#define LEARNERS_MAX 1

static void answer_members(struct fakeetcd_call *call, ProtobufCMessage *response,
                           Etcdserverpb__ResponseHeader **header_field, size_t *count_field,
                           Etcdserverpb__Member ***members_field);
static Etcdserverpb__Member *member_message(struct fakeetcd_call *call,
                                            const struct fakeetcd_member *member);
static bool split_urls(struct fakeetcd_call *call, const char *urls, size_t *out_count,
                       ProtobufCBinaryData **out_urls);
static char *join_urls(ProtobufCBinaryData *const urls, size_t count);
static bool are_urls_valid(const ProtobufCBinaryData *urls, size_t count);
static bool is_url_valid(struct rt_slice url);
static size_t before_query(const uint8_t *host, size_t len_bytes);
static bool has_any_url(const struct fakeetcd_member *member, const ProtobufCBinaryData *urls,
                        size_t count);
static struct fakeetcd_member *find(struct fakeetcd_server *server, uint64_t id);
static enum fakeetcd_error may_add(const struct fakeetcd_server *server,
                                   const Etcdserverpb__MemberAddRequest *request);
static enum fakeetcd_error may_remove(struct fakeetcd_server *server, uint64_t id);
static enum fakeetcd_error add(struct fakeetcd_server *server,
                               const Etcdserverpb__MemberAddRequest *request);

void fakeetcd__on_member_list(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    Etcdserverpb__MemberListResponse response = ETCDSERVERPB__MEMBER_LIST_RESPONSE__INIT;
    (void)message;
    answer_members(call, &response.base, &response.header, &response.n_members, &response.members);
}

/* The new member comes last in the server's list, and by its id in the answer's. */
void fakeetcd__on_member_add(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__MemberAddRequest *request = (const Etcdserverpb__MemberAddRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__MemberAddResponse response = ETCDSERVERPB__MEMBER_ADD_RESPONSE__INIT;
    enum fakeetcd_error error = may_add(server, request);
    if (error == FAKEETCD_OK) {
        error = add(server, request);
    }
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    response.member =
        member_message(call, &server->state.members.items[server->state.members.count - 1]);
    if (response.member == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    answer_members(call, &response.base, &response.header, &response.n_members, &response.members);
}

void fakeetcd__on_member_remove(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__MemberRemoveRequest *request =
        (const Etcdserverpb__MemberRemoveRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__MemberRemoveResponse response = ETCDSERVERPB__MEMBER_REMOVE_RESPONSE__INIT;
    enum fakeetcd_error error = may_remove(server, request->id);
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    struct fakeetcd_members *members = &server->state.members;
    fakeetcd_members_remove(members, (size_t)(find(server, request->id) - members->items));
    members->is_changed = true;
    if (server->leader_id == request->id) {
        server->leader_id = server->state.member_id;
    }
    fakeetcd__cluster_changed(server);
    answer_members(call, &response.base, &response.header, &response.n_members, &response.members);
}

/* Unlike adding, etcd does not look at the shape of the addresses here, and what it writes says
 * that the member votes: a learner is none afterwards. */
void fakeetcd__on_member_update(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__MemberUpdateRequest *request =
        (const Etcdserverpb__MemberUpdateRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__MemberUpdateResponse response = ETCDSERVERPB__MEMBER_UPDATE_RESPONSE__INIT;
    struct fakeetcd_member *member = find(server, request->id);
    if (member == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_MEMBER_NOT_FOUND);
        return;
    }
    for (size_t i = 0; i < server->state.members.count; i++) {
        if (&server->state.members.items[i] != member &&
            has_any_url(&server->state.members.items[i], request->peerurls, request->n_peerurls)) {
            fakeetcd_call_fail(call, FAKEETCD_E_PEER_URL_EXISTS);
            return;
        }
    }
    char *urls = join_urls(request->peerurls, request->n_peerurls);
    if (urls == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    free(member->peer_urls);
    member->peer_urls = urls;
    member->is_learner = false;
    server->state.members.is_changed = true;
    fakeetcd__cluster_changed(server);
    answer_members(call, &response.base, &response.header, &response.n_members, &response.members);
}

/* A learner that never started has nothing of the log yet. */
void fakeetcd__on_member_promote(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__MemberPromoteRequest *request =
        (const Etcdserverpb__MemberPromoteRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__MemberPromoteResponse response = ETCDSERVERPB__MEMBER_PROMOTE_RESPONSE__INIT;
    struct fakeetcd_member *member = find(server, request->id);
    enum fakeetcd_error error = FAKEETCD_OK;
    if (member == NULL) {
        error = FAKEETCD_E_MEMBER_NOT_FOUND;
    } else if (!member->is_learner) {
        error = FAKEETCD_E_MEMBER_NOT_LEARNER;
    } else if (member->name[0] == '\0') {
        error = FAKEETCD_E_LEARNER_NOT_READY;
    }
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    member->is_learner = false;
    server->state.members.is_changed = true;
    fakeetcd__cluster_changed(server);
    answer_members(call, &response.base, &response.header, &response.n_members, &response.members);
}

/* ---- who may be added or removed ---- */

/* etcd's strict check: with the new voter, those that have started still are a majority. The one
 * exception is how a cluster grows from one member to two. */
static enum fakeetcd_error may_add(const struct fakeetcd_server *server,
                                   const Etcdserverpb__MemberAddRequest *request)
{
    size_t voters = 1;
    size_t started = 0;
    size_t learners = 0;
    bool is_url_taken = false;
    if (!are_urls_valid(request->peerurls, request->n_peerurls)) {
        return FAKEETCD_E_MEMBER_BAD_URLS;
    }
    for (size_t i = 0; i < server->state.members.count; i++) {
        const struct fakeetcd_member *member = &server->state.members.items[i];
        learners += member->is_learner ? 1 : 0;
        voters += member->is_learner ? 0 : 1;
        started += !member->is_learner && member->name[0] != '\0' ? 1 : 0;
        is_url_taken = is_url_taken || has_any_url(member, request->peerurls, request->n_peerurls);
    }
    bool is_growing_from_one = started == 1 && voters == 2;
    if (!request->islearner && !is_growing_from_one && started < voters / 2 + 1) {
        return FAKEETCD_E_MEMBER_NOT_ENOUGH_STARTED;
    }
    if (started < voters - 1) {
        return FAKEETCD_E_UNHEALTHY;
    }
    if (is_url_taken) {
        return FAKEETCD_E_PEER_URL_EXISTS;
    }
    return request->islearner && learners >= LEARNERS_MAX ? FAKEETCD_E_TOO_MANY_LEARNERS
                                                          : FAKEETCD_OK;
}

/* Those that remain are a majority of started ones. The member that answers cannot go: the fake has
 * no other that could take over. */
static enum fakeetcd_error may_remove(struct fakeetcd_server *server, uint64_t id)
{
    const struct fakeetcd_member *removed = find(server, id);
    size_t voters = 0;
    size_t started = 0;
    if (removed != NULL && removed->is_learner) {
        return FAKEETCD_OK;
    }
    for (size_t i = 0; i < server->state.members.count; i++) {
        const struct fakeetcd_member *member = &server->state.members.items[i];
        if (member != removed && !member->is_learner) {
            voters++;
            started += member->name[0] != '\0' ? 1 : 0;
        }
    }
    if (started < voters / 2 + 1) {
        return FAKEETCD_E_MEMBER_NOT_ENOUGH_STARTED;
    }
    if (removed == NULL) {
        return FAKEETCD_E_MEMBER_NOT_FOUND;
    }
    return removed == server->state.members.items ? FAKEETCD_E_UNHEALTHY : FAKEETCD_OK;
}

static enum fakeetcd_error add(struct fakeetcd_server *server,
                               const Etcdserverpb__MemberAddRequest *request)
{
    char nothing[] = "";
    char *urls = join_urls(request->peerurls, request->n_peerurls);
    struct fakeetcd_member added = {.name = nothing,
                                    .peer_urls = urls,
                                    .client_urls = nothing,
                                    .is_learner = request->islearner};
    do {
        added.id = rt_random_u64(&server->ids);
    } while (added.id == 0 || find(server, added.id) != NULL);
    bool is_added = urls != NULL && fakeetcd_members_add(&server->state.members, &added) == RT_OK;
    free(urls);
    if (!is_added) {
        return FAKEETCD_E_NOMEM;
    }
    server->state.members.is_changed = true;
    fakeetcd__cluster_changed(server);
    return FAKEETCD_OK;
}

static struct fakeetcd_member *find(struct fakeetcd_server *server, uint64_t id)
{
    for (size_t i = 0; i < server->state.members.count; i++) {
        if (server->state.members.items[i].id == id) {
            return &server->state.members.items[i];
        }
    }
    return NULL;
}

/* ---- addresses ---- */

/* An empty list is no address. */
static bool are_urls_valid(const ProtobufCBinaryData *urls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_url_valid(pb_slice(urls[i]))) {
            return false;
        }
    }
    return count > 0;
}

/* scheme://host:port without a path, perhaps with a query; with unix and unixs the rest is the name
 * of a socket. */
static bool is_url_valid(struct rt_slice url)
{
    static const char *const schemes[] = {"http://", "https://", "unix://", "unixs://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len_bytes = strlen(schemes[i]);
        if (url.len_bytes <= len_bytes || memcmp(url.data, schemes[i], len_bytes) != 0) {
            continue;
        }
        const uint8_t *host = url.data + len_bytes;
        size_t host_bytes = url.len_bytes - len_bytes;
        if (memchr(host, ',', host_bytes) != NULL || memchr(host, '\0', host_bytes) != NULL) {
            return false; /* the list is kept as text with commas */
        }
        if (i >= 2) {
            return true;
        }
        host_bytes = before_query(host, host_bytes);
        const uint8_t *colon = memrchr(host, ':', host_bytes);
        if (colon == NULL || memchr(host, '/', host_bytes) != NULL) {
            return false;
        }
        for (const uint8_t *digit = colon + 1; digit < host + host_bytes; digit++) {
            if (*digit < '0' || *digit > '9') {
                return false;
            }
        }
        return true;
    }
    return false;
}

static size_t before_query(const uint8_t *host, size_t len_bytes)
{
    size_t at = 0;
    while (at < len_bytes && host[at] != '?' && host[at] != '#') {
        at++;
    }
    return at;
}

static bool has_any_url(const struct fakeetcd_member *member, const ProtobufCBinaryData *urls,
                        size_t count)
{
    for (const char *url = member->peer_urls; *url != '\0';) {
        size_t len_bytes = strcspn(url, ",");
        for (size_t i = 0; i < count; i++) {
            if (rt_slice_equal(pb_slice(urls[i]), rt_slice_of(url, len_bytes))) {
                return true;
            }
        }
        url += len_bytes + (url[len_bytes] == ',' ? 1 : 0);
    }
    return false;
}

static char *join_urls(ProtobufCBinaryData *const urls, size_t count)
{
    size_t len_bytes = 1;
    for (size_t i = 0; i < count; i++) {
        len_bytes += urls[i].len + 1;
    }
    char *joined = malloc(len_bytes);
    char *at = joined;
    for (size_t i = 0; joined != NULL && i < count; i++) {
        if (i > 0) {
            *at++ = ',';
        }
        for (size_t k = 0; k < urls[i].len; k++) {
            *at++ = urls[i].data[k] == '\0' ? '?' : (char)urls[i].data[k];
        }
    }
    if (joined != NULL) {
        *at = '\0';
    }
    return joined;
}

static bool split_urls(struct fakeetcd_call *call, const char *urls, size_t *out_count,
                       ProtobufCBinaryData **out_urls)
{
    size_t count = urls[0] == '\0' ? 0 : 1;
    for (const char *at = urls; *at != '\0'; at++) {
        count += *at == ',' ? 1 : 0;
    }
    *out_count = count;
    *out_urls = pb_arena_array(&call->server->arena, count + 1, sizeof(**out_urls));
    if (*out_urls == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t len_bytes = strcspn(urls, ",");
        (*out_urls)[i] = pb_bytes(rt_slice_of(urls, len_bytes));
        urls += len_bytes + 1;
    }
    return true;
}

/* ---- answers ---- */

static Etcdserverpb__Member *member_message(struct fakeetcd_call *call,
                                            const struct fakeetcd_member *member)
{
    Etcdserverpb__Member *message = pb_arena_array(&call->server->arena, 1, sizeof(*message));
    if (message == NULL) {
        return NULL;
    }
    etcdserverpb__member__init(message);
    message->id = member->id;
    message->name = pb_bytes(rt_slice_text(member->name));
    message->islearner = member->is_learner;
    return split_urls(call, member->peer_urls, &message->n_peerurls, &message->peerurls) &&
                   split_urls(call, member->client_urls, &message->n_clienturls,
                              &message->clienturls)
               ? message
               : NULL;
}

/* Members come in the order of their ids. */
static void answer_members(struct fakeetcd_call *call, ProtobufCMessage *response,
                           Etcdserverpb__ResponseHeader **header_field, size_t *count_field,
                           Etcdserverpb__Member ***members_field)
{
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__ResponseHeader header;
    Etcdserverpb__Member **members = pb_arena_array(&server->arena, server->state.members.count + 1,
                                                    sizeof(Etcdserverpb__Member *));
    for (size_t i = 0; members != NULL && i < server->state.members.count; i++) {
        Etcdserverpb__Member *member = member_message(call, &server->state.members.items[i]);
        if (member == NULL) {
            members = NULL;
            break;
        }
        size_t place = i;
        for (; place > 0 && members[place - 1]->id > member->id; place--) {
            members[place] = members[place - 1];
        }
        members[place] = member;
    }
    if (members == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    fakeetcd__header_fill(server, &header);
    header.revision = 0;
    *header_field = &header;
    *count_field = server->state.members.count;
    *members_field = members;
    fakeetcd_call_answer(call, response);
    *header_field = NULL;
}
