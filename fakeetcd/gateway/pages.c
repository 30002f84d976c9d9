/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway_internal.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <stdio.h>

/* Pages that are no calls. etcd answers GET on them and nothing else. */
typedef void page_fn(struct fakeetcd__http_connection *connection);

static void show_version(struct fakeetcd__http_connection *connection);
static void show_health(struct fakeetcd__http_connection *connection);
static const char *why_unhealthy(struct fakeetcd__http_connection *connection);
static void show_livez(struct fakeetcd__http_connection *connection);
static void show_readyz(struct fakeetcd__http_connection *connection);
static void show_metrics(struct fakeetcd__http_connection *connection);

static const struct page {
    const char *path;
    page_fn *show;
    bool is_new;    /* 3.4 does not have it */
    bool is_metric; /* served by --listen-metrics-urls */
    bool may_head;
} PAGES[] = {
    {"/version", show_version, false, false, false}, {"/health", show_health, false, true, false},
    {"/livez", show_livez, true, true, true},        {"/readyz", show_readyz, true, true, true},
    {"/metrics", show_metrics, false, true, true},
};

/* What /livez and /readyz look at. */
struct check {
    const char *name;
    bool is_ok;
    const char *problem;
};
enum { CHECKS_MAX = 4 };

static void show_checks(struct fakeetcd__http_connection *connection, const char *page,
                        const struct check *checks, size_t count);
static bool has_alarm(const struct fakeetcd_gateway *gateway, int alarm);
static bool take_word(struct rt_slice *query, struct rt_slice *out_word);
static bool query_says(const struct fakeetcd_http_request *request, const char *word);
static bool query_value(const struct fakeetcd_http_request *request, const char *name,
                        struct rt_slice *out_value);
static void take_member(struct fakeetcd__http_connection *connection);

/* Where another member of a cluster on one machine says that it has started. */
#define MEMBERS_PATH "/fakeetcd/members"

bool fakeetcd__page(struct fakeetcd__http_connection *connection)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_request(connection->http);
    if (connection->what == FAKEETCD_GATEWAY_ALL && rt_slice_is_text(request->method, "POST") &&
        rt_slice_is_text(request->path, MEMBERS_PATH)) {
        take_member(connection);
        return true;
    }
    for (size_t i = 0; i < sizeof(PAGES) / sizeof(PAGES[0]); i++) {
        const struct page *page = &PAGES[i];
        bool is_served = connection->what == FAKEETCD_GATEWAY_ALL || page->is_metric;
        if (!is_served || !rt_slice_is_text(request->path, page->path) ||
            (page->is_new && fakeetcd__is_old_gateway(connection->gateway))) {
            continue;
        }
        if (rt_slice_is_text(request->method, "GET") ||
            (page->may_head && rt_slice_is_text(request->method, "HEAD"))) {
            page->show(connection);
        } else {
            fakeetcd__http_text(connection->http, 405, "Method Not Allowed", "Allow: GET\r\n");
        }
        return true;
    }
    return false;
}

static void show_version(struct fakeetcd__http_connection *connection)
{
    const struct fakeetcd_profile *profile = connection->gateway->profile;
    char body[128];
    snprintf(body, sizeof(body), "{\"etcdserver\":\"%s\",\"etcdcluster\":\"%s\"}", profile->version,
             profile->cluster_version);
    fakeetcd_http_answer(connection->http,
                         &(struct fakeetcd_http_answer){.status = 200,
                                                        .content_type = "application/json",
                                                        .headers = FAKEETCD__CORS,
                                                        .body = rt_slice_text(body)});
}

/* ---- /health -------------------------------------------------------------------------------- */

static void show_health(struct fakeetcd__http_connection *connection)
{
    const char *reason = why_unhealthy(connection);
    bool is_healthy = reason[0] == '\0';
    char body[128];
    if (fakeetcd__is_old_gateway(connection->gateway)) {
        snprintf(body, sizeof(body), "{\"health\":\"%s\"}", is_healthy ? "true" : "false");
    } else {
        snprintf(body, sizeof(body), "{\"health\":\"%s\",\"reason\":\"%s\"}",
                 is_healthy ? "true" : "false", reason);
    }
    if (!is_healthy) {
        fakeetcd__http_text(connection->http, 503, body, NULL);
        return;
    }
    fakeetcd_http_answer(connection->http,
                         &(struct fakeetcd_http_answer){.status = 200,
                                                        .content_type = "text/plain; charset=utf-8",
                                                        .headers = FAKEETCD__CORS,
                                                        .body = rt_slice_text(body)});
}

/* "" when it is healthy. */
static const char *why_unhealthy(struct fakeetcd__http_connection *connection)
{
    const struct fakeetcd_gateway *gateway = connection->gateway;
    const struct fakeetcd_http_request *request = fakeetcd_http_request(connection->http);
    bool is_old = fakeetcd__is_old_gateway(gateway);
    bool may_lack_leader = !is_old && query_says(request, "serializable=true");
    if (has_alarm(gateway, ETCDSERVERPB__ALARM_TYPE__NOSPACE) &&
        (is_old || !query_says(request, "exclude=NOSPACE"))) {
        return "ALARM NOSPACE";
    }
    if (has_alarm(gateway, ETCDSERVERPB__ALARM_TYPE__CORRUPT) &&
        (is_old || !query_says(request, "exclude=CORRUPT"))) {
        return "ALARM CORRUPT";
    }
    if (fakeetcd_server_is(gateway->server, FAKEETCD_LEADERLESS) && !may_lack_leader) {
        return "RAFT NO LEADER";
    }
    return "";
}

/* ---- /livez, /readyz ------------------------------------------------------------------------ */

static void show_livez(struct fakeetcd__http_connection *connection)
{
    struct check checks[CHECKS_MAX] = {{.name = "serializable_read", .is_ok = true}};
    show_checks(connection, "livez", checks, 1);
}

static void show_readyz(struct fakeetcd__http_connection *connection)
{
    const struct fakeetcd_gateway *gateway = connection->gateway;
    struct check checks[CHECKS_MAX] = {
        {.name = "data_corruption",
         .is_ok = !has_alarm(gateway, ETCDSERVERPB__ALARM_TYPE__CORRUPT),
         .problem = "alarm activated: CORRUPT"},
        {.name = "serializable_read", .is_ok = true},
        {.name = "linearizable_read",
         .is_ok = !fakeetcd_server_is(gateway->server, FAKEETCD_LEADERLESS),
         .problem = "etcdserver: no leader"},
        {.name = "non_learner", .is_ok = true},
    };
    show_checks(connection, "readyz", checks, CHECKS_MAX);
}

static void show_checks(struct fakeetcd__http_connection *connection, const char *page,
                        const struct check *checks, size_t count)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_request(connection->http);
    char body[512];
    size_t len = 0;
    bool is_ok = true;
    for (size_t i = 0; i < count; i++) {
        is_ok = is_ok && checks[i].is_ok;
        len += (size_t)snprintf(
            body + len, sizeof(body) - len, "[%c]%s %s%s\n", checks[i].is_ok ? '+' : '-',
            checks[i].name,
            checks[i].is_ok ? "ok" : "failed: ", checks[i].is_ok ? "" : checks[i].problem);
    }
    if (!is_ok) {
        snprintf(body + len, sizeof(body) - len, "%s check failed", page);
        fakeetcd__http_text(connection->http, 503, body, NULL);
        return;
    }
    snprintf(body + len, sizeof(body) - len, "ok");
    bool is_verbose = query_says(request, "verbose") || query_says(request, "verbose=");
    fakeetcd__http_text(connection->http, 200, is_verbose ? body : "ok", NULL);
}

/* ---- /metrics ------------------------------------------------------------------------------- */

static void show_metrics(struct fakeetcd__http_connection *connection)
{
    struct fakeetcd_text text = {0};
    fakeetcd__metrics(connection->gateway, &text);
    if (text.is_failed) {
        fakeetcd__http_text(connection->http, 500, "out of memory", NULL);
    } else {
        fakeetcd_http_answer(connection->http,
                             &(struct fakeetcd_http_answer){
                                 .status = 200,
                                 .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                 .headers = FAKEETCD__CORS,
                                 .body = fakeetcd_text_slice(&text)});
    }
    fakeetcd_text_fini(&text);
}

/* ---- members -------------------------------------------------------------------------------- */

static void take_member(struct fakeetcd__http_connection *connection)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_request(connection->http);
    struct rt_slice name;
    struct rt_slice urls;
    bool is_taken =
        query_value(request, "name", &name) && query_value(request, "urls", &urls) &&
        fakeetcd_server_member_started(connection->gateway->server, name, urls) == FAKEETCD_OK;
    fakeetcd__http_text(connection->http, is_taken ? 200 : 404,
                        is_taken ? "ok" : "no such member in the initial cluster", NULL);
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool has_alarm(const struct fakeetcd_gateway *gateway, int alarm)
{
    return (fakeetcd_server_state(gateway->server)->alarms >> alarm & 1u) != 0;
}

/* Takes the word before the next "&" off a query. False: there is none left. */
static bool take_word(struct rt_slice *query, struct rt_slice *out_word)
{
    if (query->len_bytes == 0) {
        return false;
    }
    const uint8_t *end = memchr(query->data, '&', query->len_bytes);
    size_t len_bytes = end == NULL ? query->len_bytes : (size_t)(end - query->data);
    size_t used_bytes = len_bytes + (end == NULL ? 0 : 1);
    *out_word = rt_slice_of(query->data, len_bytes);
    *query = rt_slice_of(query->data + used_bytes, query->len_bytes - used_bytes);
    return true;
}

static bool query_says(const struct fakeetcd_http_request *request, const char *word)
{
    struct rt_slice query = request->query;
    struct rt_slice found;
    while (take_word(&query, &found)) {
        if (rt_slice_is_text(found, word)) {
            return true;
        }
    }
    return false;
}

static bool query_value(const struct fakeetcd_http_request *request, const char *name,
                        struct rt_slice *out_value)
{
    struct rt_slice query = request->query;
    struct rt_slice found;
    size_t name_bytes = strlen(name);
    while (take_word(&query, &found)) {
        if (found.len_bytes > name_bytes && memcmp(found.data, name, name_bytes) == 0 &&
            found.data[name_bytes] == '=') {
            *out_value = rt_slice_of(found.data + name_bytes + 1, found.len_bytes - name_bytes - 1);
            return true;
        }
    }
    return false;
}
