/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/ds_discovery.h"

#include "runtime/random.h"
#include "runtime/tls.h"
#include "wire/etcd/etcd_client.h"
#include "wire/etcd/etcd_client_member.h"
#include "wire/protobuf_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/*
 *   start --> Range of <prefix>/datasystem/cluster/ --> ready ones, same host first --> pick -->
 * done
 *      `--- not an address ------------------------------------------------------------------^
 */
static enum rt_status begin(struct ds_discovery *discovery,
                            const struct ds_discovery_options *options);
static enum rt_status read_tls(struct ds_discovery *discovery,
                               const struct ds_discovery_options *options);
static enum rt_status ask(struct ds_discovery *discovery);
static void on_invalid(void *arg);
static void on_range(void *arg, const struct etcd_result *result);
static void pick(struct ds_discovery *discovery, const Etcdserverpb__RangeResponse *response);
static bool is_candidate(struct ds_discovery *discovery, const Mvccpb__KeyValue *kv,
                         bool *out_is_same_host);
static bool split_address(struct rt_slice address, char *out_host, size_t host_bytes,
                          int64_t *out_port);
static void end(struct ds_discovery *discovery, int32_t code, const char *text, const char *host,
                int64_t port);

#define PREFIX_BYTES 512
#define TEXT_BYTES   640
#define HOST_BYTES   256
#define PORT_MAX     65535

struct ds_discovery {
    struct ds_environment environment;
    struct etcd_client *etcd;
    struct rt_tls_context *tls; /* NULL: plain */
    char *host_id;
    char problem[TEXT_BYTES]; /* of the options */
    enum ds_affinity affinity;
    char prefix[PREFIX_BYTES];
    ds_discovered_fn *done;
    ds_discovery_warn_fn *warn;
    void *arg;
    struct rt_task invalid_task;
};

bool ds_affinity_parse(struct rt_slice word, enum ds_affinity *out_affinity)
{
    static const char *const WORDS[DS_AFFINITY_COUNT] = {
#define AFFINITY_WORD(name, text) text,
        DS_AFFINITY_LIST(AFFINITY_WORD)
#undef AFFINITY_WORD
    };
    for (size_t i = 0; i < DS_AFFINITY_COUNT; i++) {
        if (strlen(WORDS[i]) == word.len_bytes &&
            strncasecmp(WORDS[i], (const char *)word.data, word.len_bytes) == 0) {
            *out_affinity = (enum ds_affinity)i;
            return true;
        }
    }
    return false;
}

enum rt_status ds_discovery_start(const struct ds_environment *environment,
                                  const struct ds_discovery_options *options,
                                  ds_discovered_fn *done, ds_discovery_warn_fn *warn, void *arg,
                                  struct ds_discovery **out_discovery)
{
    struct ds_discovery *discovery = calloc(1, sizeof(*discovery));
    if (discovery == NULL) {
        return RT_E_NOMEM;
    }
    discovery->environment = *environment;
    discovery->affinity = options->affinity;
    discovery->done = done;
    discovery->warn = warn;
    discovery->arg = arg;
    rt_task_init(&discovery->invalid_task, environment->loop, on_invalid, discovery);
    enum rt_status status = begin(discovery, options);
    if (status == RT_E_INVALID || status == RT_E_LIMIT) {
        rt_task_schedule(&discovery->invalid_task);
        status = RT_OK;
    }
    if (status != RT_OK) {
        ds_discovery_cancel(discovery);
        return status;
    }
    *out_discovery = discovery;
    return RT_OK;
}

static enum rt_status begin(struct ds_discovery *discovery,
                            const struct ds_discovery_options *options)
{
    const char *name = options->cluster_name == NULL ? "" : options->cluster_name;
    int len_bytes = snprintf(discovery->prefix, PREFIX_BYTES, "%s%s/datasystem/cluster/",
                             name[0] == '\0' ? "" : "/", name);
    snprintf(discovery->problem, TEXT_BYTES, "Invalid etcd address: %.500s", options->etcd_address);
    discovery->host_id = strdup(options->host_id == NULL ? "" : options->host_id);
    if (discovery->host_id == NULL) {
        return RT_E_NOMEM;
    }
    if (len_bytes >= PREFIX_BYTES) {
        return RT_E_LIMIT;
    }
    enum rt_status status = read_tls(discovery, options);
    if (status != RT_OK) {
        return status;
    }
    struct etcd_client_options client = {.name = discovery->environment.name,
                                         .endpoints = options->etcd_address,
                                         .username = options->username,
                                         .password = options->password,
                                         .tls = discovery->tls,
                                         .seed = discovery->environment.seed};
    status = etcd_client_create(discovery->environment.loop, discovery->environment.network,
                                &client, &discovery->etcd);
    return status == RT_OK ? ask(discovery) : status;
}

static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum rt_status read_tls(struct ds_discovery *discovery,
                               const struct ds_discovery_options *options)
{
    struct rt_tls_options tls = {.authority_path = given(options->etcd_ca),
                                 .certificate_path = given(options->etcd_cert),
                                 .key_path = given(options->etcd_key),
                                 .server_name = given(options->etcd_dns_name),
                                 .is_host_expected = true};
    char why[TEXT_BYTES / 2] = "etcd_cert and etcd_key belong together";
    enum rt_status status = RT_E_INVALID;
    if (tls.authority_path == NULL && tls.certificate_path == NULL && tls.key_path == NULL) {
        return RT_OK;
    }
    if ((tls.certificate_path == NULL) == (tls.key_path == NULL)) {
        status = rt_tls_context_create(&tls, &discovery->tls, why, sizeof(why));
    }
    if (status == RT_OK || status == RT_E_NOMEM) {
        return status;
    }
    snprintf(discovery->problem, TEXT_BYTES, "Invalid etcd TLS option: %s", why);
    return RT_E_INVALID;
}

/* Linearizable: a worker that was ready before this call is seen. */
static enum rt_status ask(struct ds_discovery *discovery)
{
    char end_key[PREFIX_BYTES];
    size_t len_bytes = strlen(discovery->prefix);
    memcpy(end_key, discovery->prefix, len_bytes);
    end_key[len_bytes - 1]++;
    return etcd_range(discovery->etcd, rt_slice_of(discovery->prefix, len_bytes),
                      rt_slice_of(end_key, len_bytes), 0, on_range, discovery, NULL);
}

static void on_invalid(void *arg)
{
    struct ds_discovery *discovery = arg;
    end(discovery, K_INVALID, discovery->problem, NULL, 0);
}

static void on_range(void *arg, const struct etcd_result *result)
{
    struct ds_discovery *discovery = arg;
    if (result->code != GRPC_OK) {
        end(discovery, K_RPC_UNAVAILABLE, result->text, NULL, 0);
        return;
    }
    pick(discovery, (const Etcdserverpb__RangeResponse *)result->message);
}

/* ---- the choice ----------------------------------------------------------------------------- */

/* One of those that count, each as likely as the others; in one pass, nothing is kept. */
static void pick(struct ds_discovery *discovery, const Etcdserverpb__RangeResponse *response)
{
    struct rt_random random;
    const Mvccpb__KeyValue *chosen = NULL;
    bool is_chosen_near = false;
    uint64_t near_count = 0;
    uint64_t far_count = 0;
    uint64_t now_us = rt_loop_now_us(discovery->environment.loop);
    /* Another moment, another pick: the same client may come back because its worker has died. */
    rt_random_init(&random, discovery->environment.seed + now_us, discovery->environment.name);
    for (size_t i = 0; i < response->n_kvs; i++) {
        bool is_near = false;
        if (!is_candidate(discovery, response->kvs[i], &is_near)) {
            continue;
        }
        uint64_t count = is_near ? ++near_count : ++far_count;
        bool is_first_near = is_near && !is_chosen_near;
        if (is_near == is_chosen_near || is_first_near) {
            if (is_first_near || rt_random_below(&random, count) == 0) {
                chosen = response->kvs[i];
                is_chosen_near = is_near;
            }
        }
    }
    char host[HOST_BYTES];
    int64_t port = 0;
    if (chosen == NULL) {
        end(discovery, K_RUNTIME_ERROR,
            discovery->affinity == DS_REQUIRED_SAME_NODE
                ? "No available same-node worker is detected."
                : "No available worker is detected.",
            NULL, 0);
        return;
    }
    size_t prefix_bytes = strlen(discovery->prefix);
    (void)split_address(
        rt_slice_of(chosen->key.data + prefix_bytes, chosen->key.len - prefix_bytes), host,
        sizeof(host), &port); /* a candidate's address is one */
    end(discovery, K_OK, "", host, port);
}

/* Only `ready`; a value or an address that cannot be read is left out, and said. */
static bool is_candidate(struct ds_discovery *discovery, const Mvccpb__KeyValue *kv,
                         bool *out_is_same_host)
{
    struct etcd_member_value value;
    char host[HOST_BYTES];
    int64_t port;
    size_t prefix_bytes = strlen(discovery->prefix);
    if (kv->key.len < prefix_bytes) {
        return false;
    }
    struct rt_slice address = rt_slice_of(kv->key.data + prefix_bytes, kv->key.len - prefix_bytes);
    if (!etcd_member_parse(pb_slice(kv->value), &value) ||
        !split_address(address, host, sizeof(host), &port)) {
        char text[TEXT_BYTES];
        snprintf(text, sizeof(text), "Worker %.*s is left out: its entry cannot be read: %.*s",
                 (int)(address.len_bytes < HOST_BYTES ? address.len_bytes : HOST_BYTES),
                 (const char *)address.data,
                 (int)(kv->value.len < HOST_BYTES ? kv->value.len : HOST_BYTES),
                 kv->value.len == 0 ? "" : (const char *)kv->value.data);
        if (discovery->warn != NULL) {
            discovery->warn(discovery->arg, text);
        }
        return false;
    }
    bool is_same_host =
        discovery->host_id[0] != '\0' && rt_slice_is_text(value.host_id, discovery->host_id);
    *out_is_same_host = is_same_host && discovery->affinity != DS_RANDOM_NODE;
    return value.state == ETCD_MEMBER_READY &&
           (is_same_host || discovery->affinity != DS_REQUIRED_SAME_NODE);
}

/* "10.0.0.1:31501", "[::1]:31501" */
static bool split_address(struct rt_slice address, char *out_host, size_t host_bytes,
                          int64_t *out_port)
{
    size_t colon = address.len_bytes;
    int64_t port = 0;
    while (colon > 0 && address.data[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2 || colon == address.len_bytes || colon > host_bytes ||
        address.len_bytes - colon > 5) {
        return false;
    }
    for (size_t i = colon; i < address.len_bytes; i++) {
        unsigned digit = (unsigned)address.data[i] - '0';
        if (digit > 9) {
            return false;
        }
        port = port * 10 + (int64_t)digit;
    }
    memcpy(out_host, address.data, colon - 1);
    out_host[colon - 1] = '\0';
    *out_port = port;
    return port >= 1 && port <= PORT_MAX && memchr(out_host, '\0', colon - 1) == NULL;
}

/* ---- the end -------------------------------------------------------------------------------- */

/* Freed before the callback, which may start another one. */
static void end(struct ds_discovery *discovery, int32_t code, const char *text, const char *host,
                int64_t port)
{
    char copied[TEXT_BYTES];
    ds_discovered_fn *done = discovery->done;
    void *arg = discovery->arg;
    struct ds_status status = {.code = code,
                               .detail = code == K_OK                ? DS_DETAIL_NONE
                                         : code == K_RPC_UNAVAILABLE ? DS_DETAIL_SILENCE
                                                                     : DS_DETAIL_CHECKED,
                               .text = copied};
    snprintf(copied, sizeof(copied), "%s", text);
    ds_discovery_cancel(discovery);
    done(arg, &status, host, port);
}

void ds_discovery_cancel(struct ds_discovery *discovery)
{
    if (discovery == NULL) {
        return;
    }
    rt_task_cancel(&discovery->invalid_task);
    etcd_client_destroy(discovery->etcd);
    rt_tls_context_destroy(discovery->tls);
    free(discovery->host_id);
    free(discovery);
}
