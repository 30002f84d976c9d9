/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/core/omni_internal.h"
#include "connector/serializer/omni_integer.h"

/* Options of ours: a worker found through etcd instead of `host` and `port`. */
static bool read_host_id(const struct omni_value *extra, struct omni_options *options,
                         char *out_why, size_t why_bytes);

bool omni__read_discovery(const struct omni_value *extra, struct omni_options *options,
                          char *out_text, size_t text_bytes)
{
    char *policy = NULL;
    if (!omni__read_text(extra, "etcd_address", &options->etcd_address, out_text, text_bytes) ||
        !omni__read_text(extra, "cluster_name", &options->cluster_name, out_text, text_bytes) ||
        !omni__read_text(extra, "etcd_username", &options->etcd_username, out_text, text_bytes) ||
        !omni__read_text(extra, "etcd_password", &options->etcd_password, out_text, text_bytes) ||
        !omni__read_text(extra, "etcd_ca", &options->etcd_ca, out_text, text_bytes) ||
        !omni__read_text(extra, "etcd_cert", &options->etcd_cert, out_text, text_bytes) ||
        !omni__read_text(extra, "etcd_key", &options->etcd_key, out_text, text_bytes) ||
        !omni__read_text(extra, "etcd_dns_name", &options->etcd_dns_name, out_text, text_bytes) ||
        !read_host_id(extra, options, out_text, text_bytes) ||
        !omni__read_text(extra, "affinity_policy", &policy, out_text, text_bytes)) {
        return false;
    }
    bool is_known = policy == NULL || ds_affinity_parse(rt_slice_text(policy), &options->affinity);
    if (!is_known) {
        snprintf(out_text, text_bytes,
                 "affinity_policy must be PREFERRED_SAME_NODE, REQUIRED_SAME_NODE or RANDOM, not "
                 "%.100s",
                 policy);
    }
    free(policy);
    return is_known;
}

/* Itself, or in the environment variable that `host_id_env_name` names, as the real client has it.
 */
static bool read_host_id(const struct omni_value *extra, struct omni_options *options,
                         char *out_why, size_t why_bytes)
{
    char *variable = NULL;
    if (!omni__read_text(extra, "host_id", &options->host_id, out_why, why_bytes) ||
        !omni__read_text(extra, "host_id_env_name", &variable, out_why, why_bytes)) {
        return false;
    }
    const char *value = variable == NULL ? NULL : getenv(variable);
    free(variable);
    if (options->host_id != NULL || value == NULL) {
        return true;
    }
    options->host_id = strdup(value);
    if (options->host_id == NULL) {
        snprintf(out_why, why_bytes, "%s", rt_status_text(RT_E_NOMEM));
    }
    return options->host_id != NULL;
}

void omni__options_fini(struct omni_options *options)
{
    free(options->host);
    free(options->etcd_address);
    free(options->cluster_name);
    free(options->host_id);
    free(options->etcd_username);
    free(options->etcd_password);
    free(options->etcd_ca);
    free(options->etcd_cert);
    free(options->etcd_key);
    free(options->etcd_dns_name);
}
