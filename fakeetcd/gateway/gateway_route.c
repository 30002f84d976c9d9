/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway_internal.h"

#include <stdlib.h>

/* etcd keeps the places where its first gateway had leases. */
static const struct {
    const char *path;
    const char *like;
} ALIASES[] = {
    {"/kv/lease/revoke", "/lease/revoke"},
    {"/kv/lease/timetolive", "/lease/timetolive"},
    {"/kv/lease/leases", "/lease/leases"},
};
#define ALIAS_COUNT (sizeof(ALIASES) / sizeof(ALIASES[0]))

/* 3.4 has the calls, but no place for them. */
static const char *const NOT_IN_OLD[] = {"/maintenance/hashkv", "/auth/status"};

static const char *const PREFIXES[] = {"/v3beta/", "/v3/"};

static void add(struct fakeetcd_gateway *gateway, const char *path,
                const struct fakeetcd_method *method);
static bool is_there(const struct fakeetcd_gateway *gateway, const struct fakeetcd_method *method);
static int by_path(const void *left, const void *right);
static int compare_path(const void *key, const void *element);
static size_t prefix_bytes(struct rt_slice path);

enum rt_status fakeetcd__routes_create(struct fakeetcd_gateway *gateway)
{
    gateway->routes = calloc(fakeetcd_method_count() + ALIAS_COUNT, sizeof(struct fakeetcd__route));
    if (gateway->routes == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        const struct fakeetcd_method *method = &fakeetcd_methods[i];
        if (!is_there(gateway, method)) {
            continue;
        }
        add(gateway, method->http_path, method);
        for (size_t k = 0; k < ALIAS_COUNT; k++) {
            if (strcmp(ALIASES[k].like, method->http_path) == 0) {
                add(gateway, ALIASES[k].path, method);
            }
        }
    }
    qsort(gateway->routes, gateway->route_count, sizeof(struct fakeetcd__route), by_path);
    return RT_OK;
}

static void add(struct fakeetcd_gateway *gateway, const char *path,
                const struct fakeetcd_method *method)
{
    gateway->routes[gateway->route_count++] =
        (struct fakeetcd__route){.path = path, .method = method};
}

static bool is_there(const struct fakeetcd_gateway *gateway, const struct fakeetcd_method *method)
{
    if (method->http_path == NULL || !fakeetcd_method_is_in(method, gateway->profile)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(NOT_IN_OLD) / sizeof(NOT_IN_OLD[0]); i++) {
        if (fakeetcd__is_old_gateway(gateway) && strcmp(NOT_IN_OLD[i], method->http_path) == 0) {
            return false;
        }
    }
    return true;
}

const struct fakeetcd_method *fakeetcd__route_find(const struct fakeetcd_gateway *gateway,
                                                   struct rt_slice path)
{
    size_t prefix = prefix_bytes(path);
    if (prefix == 0) {
        return NULL;
    }
    struct rt_slice rest = rt_slice_of(path.data + prefix, path.len_bytes - prefix);
    const struct fakeetcd__route *route = bsearch(&rest, gateway->routes, gateway->route_count,
                                                  sizeof(struct fakeetcd__route), compare_path);
    return route == NULL ? NULL : route->method;
}

bool fakeetcd__is_gateway_path(struct rt_slice path)
{
    return prefix_bytes(path) > 0;
}

/* Up to the slash before what a route begins with; 0: not the gateway's. */
static size_t prefix_bytes(struct rt_slice path)
{
    for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++) {
        size_t len = strlen(PREFIXES[i]);
        if (path.len_bytes >= len && memcmp(path.data, PREFIXES[i], len) == 0) {
            return len - 1;
        }
    }
    return 0;
}

static int by_path(const void *left, const void *right)
{
    const struct fakeetcd__route *a = left;
    const struct fakeetcd__route *b = right;
    return strcmp(a->path, b->path);
}

static int compare_path(const void *key, const void *element)
{
    const struct rt_slice *path = key;
    const struct fakeetcd__route *route = element;
    size_t len = strlen(route->path);
    size_t common = path->len_bytes < len ? path->len_bytes : len;
    int order = memcmp(path->data, route->path, common);
    return order != 0 ? order : (path->len_bytes > len) - (path->len_bytes < len);
}
