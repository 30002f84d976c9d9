/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables cannot see: names that refer to something else in the file, combinations that
 * make no sense, payloads, faults. Every error names the place and what would be right.
 */
#include <stdlib.h>

#include "connector/omni_connector.h"
#include "fakeds/worker.h"
#include "harness/payload.h"
#include "harness/scenario.h"

#define NAMES_MAX 256

struct checker {
    struct scn_scenario *scenario;
    struct doc_error_list *errors;
    enum rt_status status;
};

/* Names of one kind, for "nearest word". */
struct names {
    const char *words[NAMES_MAX];
    size_t count;
};

static void check_world(struct checker *checker);
static void check_steps(struct checker *checker, const struct doc_list *steps, bool is_together);
static void check_statements(struct checker *checker, const struct doc_list *checks);
static void check_faults(struct checker *checker);

enum rt_status scn__check(struct scn_scenario *scenario, struct doc_error_list *errors)
{
    struct checker checker = {.scenario = scenario, .errors = errors, .status = RT_OK};

    check_world(&checker);
    check_steps(&checker, &scenario->steps, false);
    check_statements(&checker, &scenario->finally);
    check_faults(&checker);
    return checker.status;
}

static struct doc_error *wrong(struct checker *checker, const struct doc_node *node,
                               const char *message)
{
    checker->status = RT_E_INVALID;
    return doc_error_add(checker->errors, node, "%s", message);
}

/* ---- names ---- */

static void add_name(struct names *names, const char *word)
{
    if (names->count < NAMES_MAX) {
        names->words[names->count++] = word;
    }
}

static void worker_names(const struct checker *checker, struct names *names)
{
    const struct scn_worker_spec *workers = checker->scenario->world.workers.items;

    for (size_t i = 0; i < checker->scenario->world.workers.count; i++) {
        add_name(names, workers[i].name.text);
    }
}

static void party_names(const struct doc_list *parties, struct names *names)
{
    const struct scn_party_spec *specs = parties->items;

    for (size_t i = 0; i < parties->count; i++) {
        add_name(names, specs[i].name.text);
    }
}

static void step_names(const struct doc_list *list, struct names *names)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (steps[i].id != NULL) {
            add_name(names, steps[i].id);
        }
        if (steps[i].kind == SCN_STEP_TOGETHER) {
            step_names(&steps[i].arguments.steps, names);
        }
    }
}

static bool is_among(const struct names *names, const char *word)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static void refer(struct checker *checker, const struct doc_node *node, const char *word,
                  const struct names *names, const char *message)
{
    if (is_among(names, word)) {
        return;
    }
    struct doc_error *error = wrong(checker, node, message);
    doc_error_allow(checker->errors, error, rt_slice_text(word), names->words, names->count);
}

static void refer_worker(struct checker *checker, const struct doc_node *node, const char *word)
{
    struct names names = {.count = 0};

    worker_names(checker, &names);
    refer(checker, node, word, &names, "no worker of this name takes part");
}

static void refer_party(struct checker *checker, const struct doc_node *node, const char *word,
                        bool is_connector)
{
    struct names names = {.count = 0};
    const struct scn_world_spec *world = &checker->scenario->world;

    party_names(is_connector ? &world->connectors : &world->clients, &names);
    refer(checker, node, word, &names,
          is_connector ? "no connector of this name takes part"
                       : "no client of this name takes part");
}

/* ---- world ---- */

static void check_model(struct checker *checker, const struct scn_party_spec *party)
{
    const struct doc_node *poll =
        party->poll_tries_node != NULL ? party->poll_tries_node : party->poll_interval_node;

    if (party->model == OMNI_POLLING && party->sub_timeout_node != NULL) {
        struct doc_error *error = wrong(checker, party->sub_timeout_node,
                                        "a polling connector never lets the worker wait");
        doc_error_help(checker->errors, error, "set poll_tries and poll_interval");
    }
    if (party->model != OMNI_POLLING && poll != NULL) {
        struct doc_error *error = wrong(checker, poll, "this connector does not poll");
        doc_error_help(checker->errors, error, "say so: type: polling");
    }
}

static void check_party(struct checker *checker, struct scn_party_spec *party)
{
    if (party->worker != NULL && strcmp(party->worker, "nobody") != 0) {
        refer_worker(checker, party->worker_node, party->worker);
    }
    if (party->extra != NULL && party->extra->kind != DOC_KIND_MAPPING) {
        (void)wrong(checker, party->extra, "`extra` is a mapping of options");
    }
    if (party->sub_timeout_node != NULL && party->sub_timeout_us % 1000 != 0) {
        (void)wrong(checker, party->sub_timeout_node, "a sub-timeout is in whole milliseconds");
    }
    if (party->poll_interval_node != NULL && party->poll_interval_us % 1000 != 0) {
        (void)wrong(checker, party->poll_interval_node, "a poll interval is in whole milliseconds");
    }
    check_model(checker, party);
}

static void check_world(struct checker *checker)
{
    struct scn_world_spec *world = &checker->scenario->world;
    struct scn_party_spec *connectors = world->connectors.items;
    struct scn_party_spec *clients = world->clients.items;
    struct names names = {.count = 0};

    for (size_t i = 0; i < world->connectors.count; i++) {
        check_party(checker, &connectors[i]);
        add_name(&names, connectors[i].name.text);
    }
    for (size_t i = 0; i < world->clients.count; i++) {
        check_party(checker, &clients[i]);
        if (is_among(&names, clients[i].name.text)) {
            (void)wrong(checker, clients[i].name.node,
                        "a connector has this name already; names of actors are unique");
        }
    }
}

/* ---- steps ---- */

/* The first of a kind is meant when a step names none. */
static void default_party(struct checker *checker, struct scn_step *step, bool takes_connector,
                          bool takes_client)
{
    struct scn_arguments *arguments = &step->arguments;
    const struct scn_world_spec *world = &checker->scenario->world;
    const struct scn_party_spec *connectors = world->connectors.items;
    const struct scn_party_spec *clients = world->clients.items;

    if (arguments->connector != NULL && arguments->client != NULL) {
        (void)wrong(checker, arguments->client_node, "either a connector or a client");
        return;
    }
    if (arguments->connector != NULL) {
        refer_party(checker, arguments->connector_node, arguments->connector, true);
    } else if (arguments->client != NULL) {
        refer_party(checker, arguments->client_node, arguments->client, false);
    } else if (takes_connector && world->connectors.count > 0) {
        arguments->connector = connectors[0].name.text;
    } else if (takes_client && world->clients.count > 0) {
        arguments->client = clients[0].name.text;
    } else {
        struct doc_error *error =
            wrong(checker, step->node,
                  takes_connector ? "this step needs a connector" : "this step needs a client");
        doc_error_help(checker->errors, error,
                       takes_connector ? "declare one: world: {connectors: {edge: {}}}"
                                       : "declare one: world: {clients: {client-1: {}}}");
    }
}

static void check_payload(struct checker *checker, const struct doc_node *node, bool is_raw)
{
    if (scn_payload_check(node, is_raw ? SCN_PAYLOAD_RAW : SCN_PAYLOAD_VALUE, checker->errors) !=
        RT_OK) {
        checker->status = RT_E_INVALID;
    }
}

/* `data:` of an expectation may also be same-as, and a list for several keys. */
static void check_expected_data(struct checker *checker, const struct scn_step *step)
{
    const struct doc_node *data = step->expect.data_node;
    const struct doc_node *same = doc_find(data, "same-as");
    bool is_client = step->arguments.client != NULL;

    if (data == NULL) {
        return;
    }
    if (same != NULL) {
        struct names names = {.count = 0};
        step_names(&checker->scenario->steps, &names);
        refer(checker, same, same->text == NULL ? "" : same->text, &names, "no step has this id");
        return;
    }
    if (data->kind == DOC_KIND_SEQUENCE) {
        for (size_t i = 0; i < data->count; i++) {
            if (!doc_is_text(data->items[i], "absent")) {
                check_payload(checker, data->items[i], is_client);
            }
        }
        return;
    }
    check_payload(checker, data, is_client);
}

static void mark_constructed(struct checker *checker, const struct scn_step *step)
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

static void check_ttl(struct checker *checker, const struct scn_step *step)
{
    if (step->arguments.ttl_us % 1000000 != 0) {
        (void)wrong(checker, doc_find(step->arguments.node, "ttl"), "a TTL is in whole seconds");
    }
}

static void check_get(struct checker *checker, struct scn_step *step)
{
    struct scn_arguments *arguments = &step->arguments;

    default_party(checker, step, arguments->keys.count == 0, true);
    if ((arguments->key == NULL) == (doc_find(arguments->node, "keys") == NULL)) {
        (void)wrong(checker, step->node, "a get has either `key` or `keys`");
    }
    if (arguments->connector != NULL && arguments->keys.count > 0) {
        (void)wrong(checker, step->node, "a connector gets one key");
    }
    if (arguments->sub_timeout_us % 1000 != 0) {
        (void)wrong(checker, step->node, "a sub-timeout is in whole milliseconds");
    }
    if (arguments->client != NULL && arguments->deadline_node != NULL) {
        struct doc_error *error =
            wrong(checker, arguments->deadline_node, "only calls of connectors have a deadline");
        doc_error_help(checker->errors, error, "a client has its request_timeout");
    }
    if (arguments->connector != NULL && doc_find(arguments->node, "sub_timeout") != NULL) {
        struct doc_error *error = wrong(checker, doc_find(arguments->node, "sub_timeout"),
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

static void check_awaited(struct checker *checker, const struct scn_step *step)
{
    struct names names = {.count = 0};
    const char *const *ids = step->arguments.ids.items;

    step_names(&checker->scenario->steps, &names);
    for (size_t i = 0; i < step->arguments.ids.count; i++) {
        refer(checker, step->arguments.node, ids[i], &names, "no step has this id");
    }
}

/* The step with this id; NULL: none. */
static const struct scn_step *step_of(const struct doc_list *list, const char *id)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        const struct scn_step *inner = NULL;
        if (steps[i].id != NULL && strcmp(steps[i].id, id) == 0) {
            return &steps[i];
        }
        if (steps[i].kind == SCN_STEP_TOGETHER) {
            inner = step_of(&steps[i].arguments.steps, id);
        }
        if (inner != NULL) {
            return inner;
        }
    }
    return NULL;
}

/* Steps are checked in order: what is cancelled must stand before it, so its party is known. */
static void check_cancelled(struct checker *checker, const struct scn_step *step)
{
    const char *const *ids = step->arguments.ids.items;

    check_awaited(checker, step);
    for (size_t i = 0; i < step->arguments.ids.count; i++) {
        const struct scn_step *call = step_of(&checker->scenario->steps, ids[i]);
        if (call != NULL && (call->arguments.connector == NULL || !call->is_background ||
                             (call->kind != SCN_STEP_PUT && call->kind != SCN_STEP_GET))) {
            (void)wrong(checker, step->arguments.node,
                        "only a background put or get of a connector can be cancelled");
        }
    }
}

static void check_entries(struct checker *checker, const struct scn_step *step)
{
    const struct scn_mset_entry *entries = step->arguments.entries.items;

    for (size_t i = 0; i < step->arguments.entries.count; i++) {
        check_payload(checker, entries[i].data, true);
    }
}

static void check_step(struct checker *checker, struct scn_step *step, bool is_together)
{
    switch ((enum scn_step_kind)step->kind) {
    case SCN_STEP_PUT:
        default_party(checker, step, true, false);
        check_payload(checker, step->arguments.data, false);
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
        check_payload(checker, step->arguments.data, true);
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
    case SCN_STEP_KILL:
    case SCN_STEP_START:
    case SCN_STEP_RESTART:
    case SCN_STEP_EVICT:
        refer_worker(checker, step->arguments.worker_node, step->arguments.worker);
        break;
    case SCN_STEP_AWAIT:
        check_awaited(checker, step);
        break;
    case SCN_STEP_CANCEL:
        check_cancelled(checker, step);
        break;
    case SCN_STEP_TOGETHER:
        check_steps(checker, &step->arguments.steps, true);
        break;
    case SCN_STEP_CHECK:
    case SCN_STEP_EVENTUALLY:
        check_statements(checker, &step->arguments.checks);
        break;
    case SCN_STEP_WAIT:
    case SCN_STEP_EVENT:
    case SCN_STEP_COUNT:
        break;
    }
    if (is_together && step->kind > SCN_STEP_MSET) {
        (void)wrong(checker, step->node, "only calls can be made together");
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
};

static void check_brought(struct checker *checker, const struct scn_step *step)
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

static void check_expect(struct checker *checker, const struct scn_step *step)
{
    if (step->expect.node != NULL && step->kind > SCN_STEP_MSET) {
        (void)wrong(checker, step->expect.node, "only calls have something to expect");
    } else if (step->expect.node != NULL && step->kind == SCN_STEP_CLEANUP) {
        (void)wrong(checker, step->expect.node, "cleanup brings nothing to expect");
    } else if (step->expect.node != NULL) {
        check_brought(checker, step);
    }
    if (step->is_background && step->kind > SCN_STEP_MSET) {
        (void)wrong(checker, step->node, "only calls can run in the background");
    }
}

static void check_steps(struct checker *checker, const struct doc_list *list, bool is_together)
{
    struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        check_step(checker, &steps[i], is_together);
        check_expect(checker, &steps[i]);
    }
    if (is_together) {
        return;
    }
    struct names names = {.count = 0};
    step_names(&checker->scenario->steps, &names);
    for (size_t i = 0; i < names.count; i++) {
        for (size_t k = i + 1; k < names.count; k++) {
            if (strcmp(names.words[i], names.words[k]) == 0) {
                struct doc_error *error =
                    wrong(checker, steps[0].node, "two steps have the same id");
                doc_error_help(checker->errors, error, "the id is `%s`", names.words[i]);
                return;
            }
        }
    }
}

/* ---- statements ---- */

static void refer_fault(struct checker *checker, const struct doc_node *node, const char *word)
{
    const struct doc_node *faults = checker->scenario->faults;
    struct names names = {.count = 0};

    for (size_t i = 0; faults != NULL && faults->kind == DOC_KIND_SEQUENCE && i < faults->count;
         i++) {
        const struct doc_node *id = doc_find(faults->items[i], "id");
        if (id != NULL && id->kind == DOC_KIND_SCALAR) {
            add_name(&names, id->text);
        }
    }
    refer(checker, node, word, &names, "no fault has this id");
}

static void check_statement(struct checker *checker, struct scn_check *check)
{
    struct scn_statement *statement = &check->statement;
    const struct scn_worker_spec *workers = checker->scenario->world.workers.items;

    if (statement->connector != NULL) {
        refer_party(checker, doc_find(check->node, "connector"), statement->connector, true);
    }
    if (statement->client != NULL) {
        refer_party(checker, doc_find(check->node, "client"), statement->client, false);
    }
    if (statement->worker != NULL) {
        refer_worker(checker, doc_find(check->node, "worker"), statement->worker);
    } else {
        statement->worker = workers[0].name.text;
    }
    if (check->kind == SCN_SAY_FAULT) {
        refer_fault(checker, doc_find(check->node, "id"), statement->id);
    }
    if (check->kind == SCN_SAY_SENT && statement->client == NULL && statement->connector == NULL) {
        (void)wrong(checker, check->node, "name a client or a connector");
    }
    if (check->kind == SCN_SAY_OBJECT && statement->data_node != NULL &&
        doc_find(statement->data_node, "same-as") == NULL) {
        check_payload(checker, statement->data_node, true);
    }
    bool has_number = check->kind == SCN_SAY_ARRIVALS || check->kind == SCN_SAY_OBJECT ||
                      check->kind == SCN_SAY_JOURNAL;
    for (size_t i = 0; i < SCN_NUMBERS_MAX; i++) {
        has_number = has_number || statement->numbers[i].node != NULL;
    }
    if (!has_number) {
        (void)wrong(checker, check->node, "this statement says nothing: give a number");
    }
}

static void check_statements(struct checker *checker, const struct doc_list *list)
{
    struct scn_check *checks = list->items;

    for (size_t i = 0; i < list->count; i++) {
        check_statement(checker, &checks[i]);
    }
}

/* ---- faults ---- */

/* Events that a file can make itself; step.<id>.… and <worker>.… come from its own names. */
static void custom_events(const struct doc_list *list, struct names *names)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (steps[i].kind == SCN_STEP_EVENT) {
            add_name(names, steps[i].arguments.event);
        }
    }
}

static const char *event_name(struct checker *checker, const char *before, const char *who,
                              const char *what)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "%s%s.%s", before, who, what);
    char *copy = doc_alloc(checker->scenario->doc, strlen(text) + 1);
    return copy == NULL ? "" : strcpy(copy, text);
}

/* Every event that can happen in this file, but for those of faults. */
static void known_events(struct checker *checker, struct names *events)
{
    static const char *const of_workers[] = {"killed", "restarted", "ready", "evicted", "expired"};
    static const char *const of_steps[] = {"started", "done"};
    struct names who = {.count = 0};

    step_names(&checker->scenario->steps, &who);
    for (size_t i = 0; i < who.count; i++) {
        for (size_t k = 0; k < sizeof(of_steps) / sizeof(of_steps[0]); k++) {
            add_name(events, event_name(checker, "step.", who.words[i], of_steps[k]));
        }
    }
    who.count = 0;
    worker_names(checker, &who);
    for (size_t i = 0; i < who.count; i++) {
        for (size_t k = 0; k < sizeof(of_workers) / sizeof(of_workers[0]); k++) {
            add_name(events, event_name(checker, "", who.words[i], of_workers[k]));
        }
    }
    custom_events(&checker->scenario->steps, events);
}

static void check_event(void *arg, const struct fault_event_use *use)
{
    struct checker *checker = arg;
    struct names events = {.count = 0};

    if (strncmp(use->event, "fault.", 6) == 0) {
        return; /* the fault engine knows its own */
    }
    known_events(checker, &events);
    if (is_among(&events, use->event)) {
        return;
    }
    checker->status = RT_E_INVALID;
    struct doc_error *error =
        doc_error_add_inside(checker->errors, use->node, use->offset_bytes, use->len_bytes,
                             "the event %s cannot happen in this file", use->event);
    doc_error_allow(checker->errors, error, rt_slice_text(use->event), events.words, events.count);
}

static void check_waits(struct checker *checker, const struct doc_list *list)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (steps[i].kind == SCN_STEP_WAIT && steps[i].arguments.event != NULL) {
            struct fault_event_use use = {.event = steps[i].arguments.event,
                                          .node = doc_find(steps[i].arguments.node, "event"),
                                          .len_bytes = strlen(steps[i].arguments.event)};
            check_event(checker, &use);
        }
    }
}

static void check_faults(struct checker *checker)
{
    const struct fault_domain *domains[] = {&fakeds_fault_domain, &fault_binding_domain};
    struct doc_reader reader = {.doc = checker->scenario->doc, .errors = checker->errors};

    check_waits(checker, &checker->scenario->steps);
    if (checker->scenario->faults == NULL) {
        return;
    }
    enum rt_status status = fault_rules_load(NULL, domains, 2, &reader, checker->scenario->faults);
    if (status == RT_OK) {
        status = fault_rule_events(checker->scenario->faults, check_event, checker);
    }
    if (status != RT_OK) {
        checker->status = status;
    }
}
