/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps: whom they concern, what their arguments refer to, and whether what they expect is
 * something that such a call brings.
 */
#include "harness/language/scenario_check.h"

/* ---- steps ---- */

/* The first of a kind is meant when a step names none. */
static void default_party(struct scn__checker *checker, struct scn_step *step, bool takes_connector,
                          bool takes_client)
{
    struct scn_arguments *arguments = &step->arguments;
    const struct scn_world_spec *world = &checker->scenario->world;
    const struct scn_party_spec *connectors = world->connectors.items;
    const struct scn_party_spec *clients = world->clients.items;

    if (arguments->connector != NULL && arguments->client != NULL) {
        (void)scn__wrong(checker, arguments->client_node, "either a connector or a client");
        return;
    }
    if (arguments->connector != NULL) {
        scn__refer_party(checker, arguments->connector_node, arguments->connector, true);
    } else if (arguments->client != NULL) {
        scn__refer_party(checker, arguments->client_node, arguments->client, false);
    } else if (takes_connector && world->connectors.count > 0) {
        arguments->connector = connectors[0].name.text;
    } else if (takes_client && world->clients.count > 0) {
        arguments->client = clients[0].name.text;
    } else {
        struct doc_error *error = scn__wrong(checker, step->node,
                                             takes_connector ? "this step needs a connector"
                                                             : "this step needs a client");
        doc_error_help(checker->errors, error,
                       takes_connector ? "declare one: world: {connectors: {edge: {}}}"
                                       : "declare one: world: {clients: {client-1: {}}}");
    }
}

/* `data:` of an expectation may also be same-as, and a list for several keys. */
static void check_expected_data(struct scn__checker *checker, const struct scn_step *step)
{
    const struct doc_node *data = step->expect.data_node;
    const struct doc_node *same = doc_find(data, "same-as");
    bool is_client = step->arguments.client != NULL;

    if (data == NULL) {
        return;
    }
    if (same != NULL) {
        struct scn__names names = {.doc = checker->scenario->doc};
        scn__step_names(&checker->scenario->steps, &names);
        scn__refer(checker, same, same->text == NULL ? "" : same->text, &names,
                   "no step has this id");
        return;
    }
    if (data->kind == DOC_KIND_SEQUENCE) {
        for (size_t i = 0; i < data->count; i++) {
            if (!doc_is_text(data->items[i], "absent")) {
                scn__check_payload(checker, data->items[i], is_client);
            }
        }
        return;
    }
    scn__check_payload(checker, data, is_client);
}

static void mark_constructed(struct scn__checker *checker, const struct scn_step *step)
{
    struct scn_world_spec *world = &checker->scenario->world;
    bool is_connector = step->kind == SCN_STEP_CONSTRUCT;
    struct doc_list *list = is_connector ? &world->connectors : &world->clients;
    const char *name = is_connector ? step->arguments.connector : step->arguments.client;
    struct scn_party_spec *parties = list->items;

    for (size_t i = 0; name != NULL && i < list->count; i++) {
        if (strcmp(parties[i].name.text, name) == 0) {
            parties[i].is_constructed_by_step = true;
        }
    }
}

static void check_ttl(struct scn__checker *checker, const struct scn_step *step)
{
    if (step->arguments.ttl_us % 1000000 != 0) {
        (void)scn__wrong(checker, doc_find(step->arguments.node, "ttl"),
                         "a TTL is in whole seconds");
    }
}

static void check_get(struct scn__checker *checker, struct scn_step *step)
{
    struct scn_arguments *arguments = &step->arguments;

    default_party(checker, step, arguments->keys.count == 0, true);
    if ((arguments->key == NULL) == (doc_find(arguments->node, "keys") == NULL)) {
        (void)scn__wrong(checker, step->node, "a get has either `key` or `keys`");
    }
    if (arguments->connector != NULL && arguments->keys.count > 0) {
        (void)scn__wrong(checker, step->node, "a connector gets one key");
    }
    if (arguments->sub_timeout_us % 1000 != 0) {
        (void)scn__wrong(checker, step->node, "a sub-timeout is in whole milliseconds");
    }
    if (arguments->client != NULL && arguments->deadline_node != NULL) {
        struct doc_error *error = scn__wrong(checker, arguments->deadline_node,
                                             "only calls of connectors have a deadline");
        doc_error_help(checker->errors, error, "a client has its request_timeout");
    }
    if (arguments->connector != NULL && doc_find(arguments->node, "sub_timeout") != NULL) {
        struct doc_error *error =
            scn__wrong(checker, doc_find(arguments->node, "sub_timeout"),
                       "a connector has its sub-timeout from its construction");
        doc_error_help(checker->errors, error, "set get_sub_timeout of the connector");
    }
    if (arguments->key != NULL && arguments->keys.count == 0) {
        const char **keys = doc_alloc(checker->scenario->doc, sizeof(*keys));
        if (keys == NULL) {
            checker->status = RT_E_NOMEM;
            return;
        }
        keys[0] = arguments->key;
        arguments->keys.items = keys;
        arguments->keys.count = 1;
    }
}

static void check_awaited(struct scn__checker *checker, const struct scn_step *step)
{
    struct scn__names names = {.doc = checker->scenario->doc};
    const char *const *ids = step->arguments.ids.items;

    scn__step_names(&checker->scenario->steps, &names);
    for (size_t i = 0; i < step->arguments.ids.count; i++) {
        scn__refer(checker, step->arguments.node, ids[i], &names, "no step has this id");
    }
}

const struct scn_step *scn__step_of(const struct doc_list *list, const char *id)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        const struct scn_step *inner = NULL;
        if (steps[i].id != NULL && strcmp(steps[i].id, id) == 0) {
            return &steps[i];
        }
        if (steps[i].kind == SCN_STEP_TOGETHER) {
            inner = scn__step_of(&steps[i].arguments.steps, id);
        }
        if (inner != NULL) {
            return inner;
        }
    }
    return NULL;
}

/* Steps are checked in order: what is cancelled must stand before it, so its party is known. */
static void check_cancelled(struct scn__checker *checker, const struct scn_step *step)
{
    const char *const *ids = step->arguments.ids.items;

    check_awaited(checker, step);
    for (size_t i = 0; i < step->arguments.ids.count; i++) {
        const struct scn_step *call = scn__step_of(&checker->scenario->steps, ids[i]);
        if (call != NULL && (call->arguments.connector == NULL || !call->is_background ||
                             (call->kind != SCN_STEP_PUT && call->kind != SCN_STEP_GET))) {
            (void)scn__wrong(checker, step->arguments.node,
                             "only a background put or get of a connector can be cancelled");
        }
    }
}

static void check_entries(struct scn__checker *checker, const struct scn_step *step)
{
    const struct scn_mset_entry *entries = step->arguments.entries.items;

    for (size_t i = 0; i < step->arguments.entries.count; i++) {
        scn__check_payload(checker, entries[i].data, true);
    }
}

static void check_step(struct scn__checker *checker, struct scn_step *step, bool is_together)
{
    switch ((enum scn_step_kind)step->kind) {
    case SCN_STEP_PUT:
        default_party(checker, step, true, false);
        scn__check_payload(checker, step->arguments.data, false);
        break;
    case SCN_STEP_GET:
        check_get(checker, step);
        break;
    case SCN_STEP_CLEANUP:
        default_party(checker, step, true, false);
        break;
    case SCN_STEP_HEALTH:
    case SCN_STEP_CLOSE:
        default_party(checker, step, true, true);
        break;
    case SCN_STEP_CONSTRUCT:
    case SCN_STEP_INIT:
        default_party(checker, step, step->kind == SCN_STEP_CONSTRUCT, step->kind == SCN_STEP_INIT);
        mark_constructed(checker, step);
        break;
    case SCN_STEP_SET:
        default_party(checker, step, false, true);
        scn__check_payload(checker, step->arguments.data, true);
        check_ttl(checker, step);
        break;
    case SCN_STEP_MSET:
        default_party(checker, step, false, true);
        check_entries(checker, step);
        check_ttl(checker, step);
        break;
    case SCN_STEP_EXPIRE:
        check_ttl(checker, step);
        default_party(checker, step, false, true);
        break;
    case SCN_STEP_READ:
    case SCN_STEP_EXIST:
    case SCN_STEP_DELETE:
    case SCN_STEP_QUERY_SIZE:
        default_party(checker, step, false, true);
        break;
    case SCN_STEP_ETCD:
    case SCN_STEP_SWITCH:
        scn__check_etcd_step(checker, step);
        break;
    case SCN_STEP_KILL:
    case SCN_STEP_START:
    case SCN_STEP_RESTART:
        if (!scn__check_etcd_process(checker, step)) {
            scn__refer_worker(checker, step->arguments.worker_node, step->arguments.worker);
        }
        break;
    case SCN_STEP_LEAVE:
    case SCN_STEP_EVICT:
        scn__refer_worker(checker, step->arguments.worker_node, step->arguments.worker);
        break;
    case SCN_STEP_END:
        check_awaited(checker, step);
        scn__check_ended(checker, step);
        break;
    case SCN_STEP_AWAIT:
        check_awaited(checker, step);
        break;
    case SCN_STEP_CANCEL:
        check_cancelled(checker, step);
        break;
    case SCN_STEP_TOGETHER:
        scn__check_steps(checker, &step->arguments.steps, true);
        break;
    case SCN_STEP_CHECK:
    case SCN_STEP_EVENTUALLY:
        scn__check_statements(checker, &step->arguments.checks);
        break;
    case SCN_STEP_WAIT:
    case SCN_STEP_EVENT:
    case SCN_STEP_COUNT:
        break;
    }
    if (is_together && step->kind > SCN_STEP_MSET) {
        (void)scn__wrong(checker, step->node, "only calls can be made together");
    }
    check_expected_data(checker, step);
}

/* ---- what a step brings ---- */

#define OF(kind) (UINT32_C(1) << (kind))
#define OF_KEYS                                                                                    \
    (OF(SCN_STEP_EXIST) | OF(SCN_STEP_DELETE) | OF(SCN_STEP_EXPIRE) | OF(SCN_STEP_QUERY_SIZE))
#define OF_CLIENTS                                                                                 \
    (OF(SCN_STEP_INIT) | OF(SCN_STEP_CLOSE) | OF(SCN_STEP_HEALTH) | OF(SCN_STEP_SET) |             \
     OF(SCN_STEP_GET) | OF(SCN_STEP_READ) | OF(SCN_STEP_MSET) | OF_KEYS)
#define NODE_OF(member) offsetof(struct scn_expect, member##_node)

/* An expectation about anything else would hold or fail by accident. Those that every call can
 * meet (ok, status, detail, text, took) have no row. */
static const struct {
    size_t node_at;
    const char *word;
    uint32_t by_connectors;
    uint32_t by_clients;
} brought[] = {
    {NODE_OF(cause), "cause", OF(SCN_STEP_PUT) | OF(SCN_STEP_GET), OF_CLIENTS},
    {NODE_OF(attempts), "attempts", 0, OF_CLIENTS},
    {NODE_OF(size), "size", OF(SCN_STEP_PUT) | OF(SCN_STEP_GET),
     OF(SCN_STEP_GET) | OF(SCN_STEP_READ)},
    {NODE_OF(data), "data", OF(SCN_STEP_GET), OF(SCN_STEP_GET) | OF(SCN_STEP_READ)},
    {NODE_OF(empty), "empty", OF(SCN_STEP_GET), OF(SCN_STEP_GET) | OF(SCN_STEP_READ)},
    {NODE_OF(exists), "exists", 0, OF(SCN_STEP_EXIST)},
    {NODE_OF(failed), "failed", 0, OF(SCN_STEP_DELETE) | OF(SCN_STEP_EXPIRE) | OF(SCN_STEP_MSET)},
    {NODE_OF(sizes), "sizes", 0, OF(SCN_STEP_QUERY_SIZE)},
    {NODE_OF(healthy), "healthy", OF(SCN_STEP_HEALTH), 0},
    {NODE_OF(code), "code", 0, 0},
    {NODE_OF(reply), "reply", 0, 0},
};

static void check_brought(struct scn__checker *checker, const struct scn_step *step)
{
    bool is_connector = step->arguments.connector != NULL;

    for (size_t i = 0; i < sizeof(brought) / sizeof(brought[0]); i++) {
        const struct doc_node *node = NULL;
        uint32_t kinds = is_connector ? brought[i].by_connectors : brought[i].by_clients;
        memcpy(&node, (const char *)&step->expect + brought[i].node_at, sizeof(node));
        if (node == NULL || (kinds & OF(step->kind)) != 0) {
            continue;
        }
        checker->status = RT_E_INVALID;
        doc_error_add(checker->errors, node, "%s of a %s brings no `%s`",
                      scn_step_word((enum scn_step_kind)step->kind),
                      is_connector ? "connector" : "client", brought[i].word);
    }
}

static void check_expect(struct scn__checker *checker, const struct scn_step *step)
{
    if (step->expect.node != NULL && step->kind > SCN_STEP_MSET) {
        (void)scn__wrong(checker, step->expect.node, "only calls have something to expect");
    } else if (step->expect.node != NULL && step->kind == SCN_STEP_CLEANUP) {
        (void)scn__wrong(checker, step->expect.node, "cleanup brings nothing to expect");
    } else if (step->kind == SCN_STEP_ETCD) {
        return; /* scn__check_etcd_step() has looked */
    } else if (step->expect.node != NULL) {
        check_brought(checker, step);
    }
    if (step->is_background && step->kind > SCN_STEP_MSET) {
        (void)scn__wrong(checker, step->node, "only calls can run in the background");
    }
}

void scn__check_steps(struct scn__checker *checker, const struct doc_list *list, bool is_together)
{
    struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        check_step(checker, &steps[i], is_together);
        check_expect(checker, &steps[i]);
    }
    if (is_together) {
        return;
    }
    struct scn__names names = {.doc = checker->scenario->doc};
    scn__step_names(&checker->scenario->steps, &names);
    for (size_t i = 0; i < names.count; i++) {
        for (size_t k = i + 1; k < names.count; k++) {
            if (strcmp(names.words[i], names.words[k]) == 0) {
                struct doc_error *error =
                    scn__wrong(checker, steps[0].node, "two steps have the same id");
                doc_error_help(checker->errors, error, "the id is `%s`", names.words[i]);
                return;
            }
        }
    }
}
