/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/program/flags.h"

#include "document/error.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH };

struct flag {
    const char *name; /* without the dashes */
    enum kind kind;
    size_t offset;
    uint64_t most; /* numbers: the largest that is taken */
    const char *shape;
    const char *help;
};

#define AT(member)  offsetof(struct flags, member)
#define SECONDS_MAX 86400u
#define MEMORY_MAX  (1024u * 1024u)                       /* 1 TiB */
#define HELP_BELOW  "\n                                 " /* behind a long name */
#define FLAG_COUNT  (sizeof(FLAGS) / sizeof(FLAGS[0]))

static const struct flag FLAGS[] = {
    {"worker_address", KIND_TEXT, AT(worker_address), 0, "HOST:PORT",
     "where to listen; port 0 takes a free one (127.0.0.1:31501)"},
    {"shared_memory_size_mb", KIND_NUMBER, AT(shared_memory_size_mb), MEMORY_MAX, "N",
     "room for values, counted in the real worker's classes (1024)"},
    {"faults", KIND_TEXT, AT(faults), 0, "FILE", "faults to arm, as in a scenario's `faults:`"},
    {"client_dead_timeout_s", KIND_NUMBER, AT(client_dead_timeout_s), SECONDS_MAX, "N",
     "a client without a heartbeat for so long is forgotten (60)"},
    {"client_reconnect_wait_s", KIND_NUMBER, AT(client_reconnect_wait_s), SECONDS_MAX, "N",
     "a fifth of it is the clients' heartbeat interval (5)"},
    {"not_ready_ms", KIND_NUMBER, AT(not_ready_ms), SECONDS_MAX * 1000u, "N",
     "answer \"Worker not ready\" so long after the start (0)"},
    {"l2_cache_type", KIND_TEXT, AT(l2_cache_type), 0, "none", "only `none` is there"},
    {"etcd_address", KIND_TEXT, AT(etcd_address), 0, "HOST:PORT[,..]",
     "register there as a member of a cluster (none)"},
    {"cluster_name", KIND_TEXT, AT(cluster_name), 0, "NAME", "prefix of all keys in etcd (none)"},
    {"host_id", KIND_TEXT, AT(host_id), 0, "ID", "host in the membership value (none)"},
    {"compatibility_version", KIND_TEXT, AT(compatibility_version), 0, "TEXT",
     "fourth field of the membership value, as 0.9.2 has it (none)"},
    {"master_address", KIND_TEXT, AT(master_address), 0, "HOST:PORT",
     "do not look for the master in etcd (none)"},
    {"etcd_username", KIND_TEXT, AT(etcd_username), 0, "NAME", "of etcd's authentication (none)"},
    {"etcd_password", KIND_TEXT, AT(etcd_password), 0, "TEXT", "likewise"},
    {"node_timeout_s", KIND_NUMBER, AT(node_timeout_s), SECONDS_MAX, "N",
     "the lease in etcd lives so long without a keepalive (60)"},
    {"node_dead_timeout_s", KIND_NUMBER, AT(node_dead_timeout_s), SECONDS_MAX, "N",
     "a worker that is gone so long leaves the ring (300)"},
    {"enable_lossless_data_exit_mode", KIND_SWITCH, AT(is_exit_lossless), 0, "[true|false]",
     "hand keys and values to other workers before ending (false)"},
    {"seed", KIND_NUMBER, AT(seed), UINT64_MAX, "N",
     "of identifiers and chances (from the system)"},
    {"log_requests", KIND_SWITCH, AT(log_requests), 0, "", "print what happens to stderr"},
    {"help", KIND_SWITCH, AT(help), 0, "", "print this"},
    {"version", KIND_SWITCH, AT(version), 0, "", "print the version"},
};

static const struct flag *find(const char *text, size_t len_bytes);
static void complain_unknown(const char *word);
static bool is_truth(const char *word);
static bool set(const struct flag *flag, const char *value, struct flags *flags);
static bool set_number(const struct flag *flag, const char *value, uint64_t *out_number);

bool flags_parse(int argument_count, char **arguments, struct flags *out_flags)
{
    for (int i = 1; i < argument_count; i++) {
        const char *word = arguments[i];
        const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : word + strlen(word);
        const char *equals = strchr(name, '=');
        size_t name_bytes = equals == NULL ? strlen(name) : (size_t)(equals - name);
        const struct flag *flag = find(name, name_bytes);
        if (flag == NULL) {
            complain_unknown(word);
            return false;
        }
        const char *value = equals == NULL ? NULL : equals + 1;
        if (flag->kind != KIND_SWITCH && value == NULL) {
            if (i + 1 == argument_count) {
                fprintf(stderr, "fakeds: --%s needs a value: %s\n", flag->name, flag->shape);
                return false;
            }
            value = arguments[++i];
        } else if (value == NULL && i + 1 < argument_count && is_truth(arguments[i + 1])) {
            value = arguments[++i];
        }
        if (!set(flag, value, out_flags)) {
            return false;
        }
    }
    return true;
}

static const struct flag *find(const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (strlen(FLAGS[i].name) == len_bytes && memcmp(FLAGS[i].name, text, len_bytes) == 0) {
            return &FLAGS[i];
        }
    }
    return NULL;
}

static void complain_unknown(const char *word)
{
    const char *names[FLAG_COUNT];
    size_t len_bytes = strcspn(word, "=");
    size_t dashes = strspn(word, "-");
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        names[i] = FLAGS[i].name;
    }
    dashes = dashes < len_bytes ? dashes : len_bytes;
    const char *nearest =
        doc_nearest_word(rt_slice_of(word + dashes, len_bytes - dashes), names, FLAG_COUNT);
    if (nearest == NULL) {
        fprintf(stderr, "fakeds: unknown flag %.*s; see --help\n", (int)len_bytes, word);
    } else {
        fprintf(stderr, "fakeds: unknown flag %.*s; did you mean --%s?\n", (int)len_bytes, word,
                nearest);
    }
}

/* A switch may have one behind it, as the real worker's flags do. */
static bool is_truth(const char *word)
{
    return strcmp(word, "true") == 0 || strcmp(word, "false") == 0;
}

static bool set(const struct flag *flag, const char *value, struct flags *flags)
{
    void *destination = (uint8_t *)flags + flag->offset;
    switch (flag->kind) {
    case KIND_TEXT:
        memcpy(destination, &value, sizeof(value));
        return true;
    case KIND_NUMBER:
        flags->has_seed = flags->has_seed || flag->offset == AT(seed);
        return set_number(flag, value, destination);
    default:
        if (value != NULL && !is_truth(value)) {
            fprintf(stderr, "fakeds: --%s takes no value but true or false\n", flag->name);
            return false;
        }
        *(bool *)destination = value == NULL || strcmp(value, "true") == 0;
        return true;
    }
}

static bool set_number(const struct flag *flag, const char *value, uint64_t *out_number)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number > flag->most) {
        fprintf(stderr, "fakeds: --%s takes a number from 0 to %llu, not \"%s\"\n", flag->name,
                (unsigned long long)flag->most, value);
        return false;
    }
    *out_number = number;
    return true;
}

void flags_print_help(FILE *out)
{
    fputs("fakeds: a Datasystem worker that is a fake, on the real wire\n\n"
          "  fakeds [--flag value | --flag=value]...\n\n",
          out);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const struct flag *flag = &FLAGS[i];
        char left[64];
        int left_bytes = snprintf(left, sizeof(left), "--%s %s", flag->name, flag->shape);
        fprintf(out, "  %-30s%s%s\n", left, left_bytes > 30 ? HELP_BELOW : " ", flag->help);
    }
    fputs("\nPrints `fakeds ready at HOST:PORT` once it listens and is registered; SIGTERM and "
          "SIGINT end it.\n"
          "Exit: 0 ended by a signal, 2 wrong flags or fault file, 4 it cannot start.\n",
          out);
}
