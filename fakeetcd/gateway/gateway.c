/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway_internal.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * connection --on_request--> OPTIONS | page | route of a method --> json call
 *                                         `--> 404, 405
 */
static void on_request(void *arg, struct fakeetcd_http *http);
static void move_to_folder(struct fakeetcd_http *http, struct rt_slice path);
static void route(struct fakeetcd__http_connection *connection,
                  const struct fakeetcd_http_request *request);
static bool is_websocket(const struct fakeetcd_http_request *request);
static void on_body(void *arg, struct fakeetcd_http *http, struct rt_slice piece);
static void on_body_end(void *arg, struct fakeetcd_http *http);
static void on_body_bad(void *arg, struct fakeetcd_http *http, const char *words);
static void on_drained(void *arg, struct fakeetcd_http *http);
static void on_gone(void *arg, struct fakeetcd_http *http, bool is_lost);
static void on_closed(void *arg, struct fakeetcd_http *http);
static void forget(struct fakeetcd__http_connection *connection);

static const struct fakeetcd_http_handler HANDLER = {.on_request = on_request,
                                                     .on_body = on_body,
                                                     .on_body_end = on_body_end,
                                                     .on_body_bad = on_body_bad,
                                                     .on_drained = on_drained,
                                                     .on_gone = on_gone,
                                                     .on_closed = on_closed};

enum rt_status fakeetcd_gateway_create(struct rt_loop *loop, struct fakeetcd_server *server,
                                       const struct fakeetcd_profile *profile,
                                       uint64_t max_body_bytes,
                                       struct fakeetcd_gateway **out_gateway)
{
    struct fakeetcd_gateway *gateway = calloc(1, sizeof(*gateway));
    if (gateway == NULL) {
        return RT_E_NOMEM;
    }
    gateway->loop = loop;
    gateway->server = server;
    gateway->profile = profile;
    gateway->message_bytes_max = max_body_bytes;
    gateway->json_bytes_max = 2 * gateway->message_bytes_max; /* base64 and names around it */
    LIST_INIT(&gateway->connections);
    enum rt_status status = fakeetcd__routes_create(gateway);
    if (status != RT_OK) {
        free(gateway);
        return status;
    }
    *out_gateway = gateway;
    return RT_OK;
}

void fakeetcd_gateway_destroy(struct fakeetcd_gateway *gateway)
{
    if (gateway != NULL) {
        fakeetcd_gateway_reset_all(gateway);
        free(gateway->routes);
        free(gateway);
    }
}

void fakeetcd_gateway_accept(struct fakeetcd_gateway *gateway, struct rt_stream *stream,
                             enum fakeetcd_gateway_what what)
{
    struct fakeetcd__http_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        rt_stream_reset(stream);
        return;
    }
    connection->gateway = gateway;
    connection->what = what;
    if (fakeetcd_http_accept(gateway->loop, stream, &HANDLER, connection, &connection->http) !=
        RT_OK) {
        free(connection);
        return;
    }
    LIST_INSERT_HEAD(&gateway->connections, connection, others);
    gateway->connection_count++;
    if (gateway->is_frozen) {
        fakeetcd_http_freeze(connection->http, true);
    }
}

void fakeetcd_gateway_reset_all(struct fakeetcd_gateway *gateway)
{
    while (!LIST_EMPTY(&gateway->connections)) {
        struct fakeetcd__http_connection *connection = LIST_FIRST(&gateway->connections);
        fakeetcd_http_destroy(connection->http);
        forget(connection);
    }
}

void fakeetcd_gateway_drain(struct fakeetcd_gateway *gateway)
{
    struct fakeetcd__http_connection *connection;
    LIST_FOREACH(connection, &gateway->connections, others)
    {
        fakeetcd_http_drain(connection->http);
    }
}

void fakeetcd_gateway_freeze(struct fakeetcd_gateway *gateway, bool is_frozen)
{
    struct fakeetcd__http_connection *connection;
    gateway->is_frozen = is_frozen;
    LIST_FOREACH(connection, &gateway->connections, others)
    {
        fakeetcd_http_freeze(connection->http, is_frozen);
    }
}

size_t fakeetcd_gateway_connection_count(const struct fakeetcd_gateway *gateway)
{
    return gateway->connection_count;
}

/* ---- one request ---------------------------------------------------------------------------- */

static void on_request(void *arg, struct fakeetcd_http *http)
{
    struct fakeetcd__http_connection *connection = arg;
    const struct fakeetcd_http_request *request = fakeetcd_http_request(http);
    if (rt_slice_is_text(request->method, "OPTIONS")) {
        fakeetcd_http_answer(
            http, &(struct fakeetcd_http_answer){.status = 200, .headers = FAKEETCD__CORS});
    } else if (!fakeetcd__page(connection)) {
        if (connection->what == FAKEETCD_GATEWAY_ALL && fakeetcd__is_gateway_path(request->path)) {
            route(connection, request);
        } else if (rt_slice_is_text(request->path, "/v3") ||
                   rt_slice_is_text(request->path, "/v3beta")) {
            move_to_folder(http, request->path);
        } else {
            fakeetcd__http_text(http, 404, "404 page not found", NULL);
        }
    }
}

/* What Go's router does with a folder that is asked for without its slash. */
static void move_to_folder(struct fakeetcd_http *http, struct rt_slice path)
{
    char body[96];
    char headers[512];
    int len = (int)path.len_bytes;
    const char *text = (const char *)path.data;
    snprintf(body, sizeof(body), "<a href=\"%.*s/\">Moved Permanently</a>.\n\n", len, text);
    snprintf(headers, sizeof(headers), FAKEETCD__CORS "Location: %.*s/\r\n", len, text);
    fakeetcd_http_answer(http,
                         &(struct fakeetcd_http_answer){.status = 301,
                                                        .content_type = "text/html; charset=utf-8",
                                                        .headers = headers,
                                                        .body = rt_slice_text(body)});
}

static void route(struct fakeetcd__http_connection *connection,
                  const struct fakeetcd_http_request *request)
{
    const struct fakeetcd_method *method = fakeetcd__route_find(connection->gateway, request->path);
    bool is_socket = method != NULL && method->kind != FAKEETCD_UNARY && is_websocket(request);
    if (method == NULL) {
        fakeetcd__http_text(connection->http, 404, "Not Found", NULL);
    } else if (!is_socket && !rt_slice_is_text(request->method, "POST")) {
        fakeetcd__http_text(connection->http, 405, "Method Not Allowed", NULL);
    } else if (!fakeetcd__json_call_create(connection, method, is_socket)) {
        fakeetcd__http_text(connection->http, 503, "out of memory", NULL);
    }
}

static bool is_websocket(const struct fakeetcd_http_request *request)
{
    struct rt_slice value;
    return rt_slice_is_text(request->method, "GET") &&
           fakeetcd_http_header(request, "connection", &value) &&
           fakeetcd_http_has_token(value, "upgrade") &&
           fakeetcd_http_header(request, "upgrade", &value) &&
           fakeetcd_http_has_token(value, "websocket");
}

static void on_body(void *arg, struct fakeetcd_http *http, struct rt_slice piece)
{
    (void)arg;
    if (fakeetcd_http_owner(http) != NULL) {
        fakeetcd__json_call_body(fakeetcd_http_owner(http), piece);
    }
}

static void on_body_end(void *arg, struct fakeetcd_http *http)
{
    (void)arg;
    if (fakeetcd_http_owner(http) != NULL) {
        fakeetcd__json_call_body_end(fakeetcd_http_owner(http));
    }
}

static void on_body_bad(void *arg, struct fakeetcd_http *http, const char *words)
{
    (void)arg;
    if (fakeetcd_http_owner(http) != NULL) {
        fakeetcd__json_call_body_bad(fakeetcd_http_owner(http), words);
    }
}

static void on_drained(void *arg, struct fakeetcd_http *http)
{
    (void)arg;
    if (fakeetcd_http_owner(http) != NULL) {
        fakeetcd__json_call_drained(fakeetcd_http_owner(http));
    }
}

static void on_gone(void *arg, struct fakeetcd_http *http, bool is_lost)
{
    struct fakeetcd__json_call *json_call = fakeetcd_http_owner(http);
    (void)arg;
    fakeetcd_http_set_owner(http, NULL);
    if (json_call != NULL) {
        fakeetcd__json_call_gone(json_call, is_lost);
    }
}

static void on_closed(void *arg, struct fakeetcd_http *http)
{
    (void)http;
    forget(arg);
}

static void forget(struct fakeetcd__http_connection *connection)
{
    LIST_REMOVE(connection, others);
    connection->gateway->connection_count--;
    free(connection);
}

void fakeetcd__http_text(struct fakeetcd_http *http, unsigned status, const char *text,
                         const char *more)
{
    char body[256];
    char headers[512];
    int len = snprintf(body, sizeof(body), "%s\n", text);
    size_t body_bytes = len < (int)sizeof(body) ? (size_t)len : sizeof(body) - 1;
    snprintf(headers, sizeof(headers), FAKEETCD__CORS "X-Content-Type-Options: nosniff\r\n%s",
             more == NULL ? "" : more);
    fakeetcd_http_answer(http,
                         &(struct fakeetcd_http_answer){.status = status,
                                                        .content_type = "text/plain; charset=utf-8",
                                                        .headers = headers,
                                                        .body = rt_slice_of(body, body_bytes)});
}
