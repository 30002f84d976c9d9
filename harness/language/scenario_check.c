/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables cannot see: names that refer to something else in the file, combinations that
 * make no sense, payloads, faults. Every error names the place and what would be right.
 */
#include <stdlib.h>

#include "connector/omni_connector.h"
#include "fakeds/worker/worker.h"
#include "fakeetcd/request/call.h"
#include "fakeetcd/server/server.h"
#include "harness/language/payload.h"
#include "harness/language/scenario_check.h"

static void check_world(struct scn__checker *checker);
static void check_faults(struct scn__checker *checker);

enum rt_status scn__check(struct scn_scenario *scenario, struct doc_error_list *errors)
{
    struct scn__checker checker = {.scenario = scenario, .errors = errors, .status = RT_OK};

    check_world(&checker);
    scn__check_etcds(&checker);
    scn__check_steps(&checker, &scenario->steps, false);
    scn__check_statements(&checker, &scenario->finally);
    check_faults(&checker);
    return checker.status;
}

struct doc_error *scn__wrong(struct scn__checker *checker, const struct doc_node *node,
                             const char *message)
{
    checker->status = RT_E_INVALID;
    return doc_error_add(checker->errors, node, "%s", message);
}

/* ---- names ---- */

void scn__add_name(struct scn__names *names, const char *word)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity * 2 + 16;
        const char **words = doc_alloc(names->doc, capacity * sizeof(*words));
        if (words == NULL) {
            return;
        }
        if (names->count > 0) {
            memcpy(words, names->words, names->count * sizeof(*words));
        }
        names->words = words;
        names->capacity = capacity;
    }
    names->words[names->count++] = word;
}

static void worker_names(const struct scn__checker *checker, struct scn__names *names)
{
    const struct scn_worker_spec *workers = checker->scenario->world.workers.items;

    for (size_t i = 0; i < checker->scenario->world.workers.count; i++) {
        scn__add_name(names, workers[i].name.text);
    }
}

static void party_names(const struct doc_list *parties, struct scn__names *names)
{
    const struct scn_party_spec *specs = parties->items;

    for (size_t i = 0; i < parties->count; i++) {
        scn__add_name(names, specs[i].name.text);
    }
}

void scn__step_names(const struct doc_list *list, struct scn__names *names)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (steps[i].id != NULL) {
            scn__add_name(names, steps[i].id);
        }
        if (steps[i].kind == SCN_STEP_TOGETHER) {
            scn__step_names(&steps[i].arguments.steps, names);
        }
    }
}

static bool is_among(const struct scn__names *names, const char *word)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

void scn__refer(struct scn__checker *checker, const struct doc_node *node, const char *word,
                const struct scn__names *names, const char *message)
{
    if (is_among(names, word)) {
        return;
    }
    struct doc_error *error = scn__wrong(checker, node, message);
    doc_error_allow(checker->errors, error, rt_slice_text(word), names->words, names->count);
}

void scn__refer_worker(struct scn__checker *checker, const struct doc_node *node, const char *word)
{
    struct scn__names names = {.doc = checker->scenario->doc};

    worker_names(checker, &names);
    scn__refer(checker, node, word, &names, "no worker of this name takes part");
}

void scn__refer_party(struct scn__checker *checker, const struct doc_node *node, const char *word,
                      bool is_connector)
{
    struct scn__names names = {.doc = checker->scenario->doc};
    const struct scn_world_spec *world = &checker->scenario->world;

    party_names(is_connector ? &world->connectors : &world->clients, &names);
    scn__refer(checker, node, word, &names,
               is_connector ? "no connector of this name takes part"
                            : "no client of this name takes part");
}

/* ---- world ---- */

static void check_model(struct scn__checker *checker, const struct scn_party_spec *party)
{
    const struct doc_node *poll =
        party->poll_tries_node != NULL ? party->poll_tries_node : party->poll_interval_node;

    if (party->model == OMNI_POLLING && party->sub_timeout_node != NULL) {
        struct doc_error *error = scn__wrong(checker, party->sub_timeout_node,
                                             "a polling connector never lets the worker wait");
        doc_error_help(checker->errors, error, "set poll_tries and poll_interval");
    }
    if (party->model != OMNI_POLLING && poll != NULL) {
        struct doc_error *error = scn__wrong(checker, poll, "this connector does not poll");
        doc_error_help(checker->errors, error, "say so: type: polling");
    }
}

static void check_party(struct scn__checker *checker, struct scn_party_spec *party)
{
    if (party->worker != NULL && strcmp(party->worker, "nobody") != 0) {
        scn__refer_worker(checker, party->worker_node, party->worker);
    }
    if (party->extra != NULL && party->extra->kind != DOC_KIND_MAPPING) {
        (void)scn__wrong(checker, party->extra, "`extra` is a mapping of options");
    }
    if (party->sub_timeout_node != NULL && party->sub_timeout_us % 1000 != 0) {
        (void)scn__wrong(checker, party->sub_timeout_node,
                         "a sub-timeout is in whole milliseconds");
    }
    if (party->poll_interval_node != NULL && party->poll_interval_us % 1000 != 0) {
        (void)scn__wrong(checker, party->poll_interval_node,
                         "a poll interval is in whole milliseconds");
    }
    check_model(checker, party);
}

static void check_world(struct scn__checker *checker)
{
    struct scn_world_spec *world = &checker->scenario->world;
    struct scn_party_spec *connectors = world->connectors.items;
    struct scn_party_spec *clients = world->clients.items;
    struct scn__names names = {.doc = checker->scenario->doc};

    for (size_t i = 0; i < world->connectors.count; i++) {
        check_party(checker, &connectors[i]);
        scn__add_name(&names, connectors[i].name.text);
    }
    for (size_t i = 0; i < world->clients.count; i++) {
        check_party(checker, &clients[i]);
        if (is_among(&names, clients[i].name.text)) {
            (void)scn__wrong(checker, clients[i].name.node,
                             "a connector has this name already; names of actors are unique");
        }
    }
}

void scn__check_payload(struct scn__checker *checker, const struct doc_node *node, bool is_raw)
{
    if (scn_payload_check(node, is_raw ? SCN_PAYLOAD_RAW : SCN_PAYLOAD_VALUE, checker->errors) !=
        RT_OK) {
        checker->status = RT_E_INVALID;
    }
}

/* ---- statements ---- */

static void refer_fault(struct scn__checker *checker, const struct doc_node *node, const char *word)
{
    const struct doc_node *faults = checker->scenario->faults;
    struct scn__names names = {.doc = checker->scenario->doc};

    for (size_t i = 0; faults != NULL && faults->kind == DOC_KIND_SEQUENCE && i < faults->count;
         i++) {
        const struct doc_node *id = doc_find(faults->items[i], "id");
        if (id != NULL && id->kind == DOC_KIND_SCALAR) {
            scn__add_name(&names, id->text);
        }
    }
    scn__refer(checker, node, word, &names, "no fault has this id");
}

static bool says_worker(int kind)
{
    return kind == SCN_SAY_REQUESTS || kind == SCN_SAY_ARRIVALS || kind == SCN_SAY_OBJECT ||
           kind == SCN_SAY_WORKER;
}

static void check_statement(struct scn__checker *checker, struct scn_check *check)
{
    struct scn_statement *statement = &check->statement;
    const struct scn_worker_spec *workers = checker->scenario->world.workers.items;

    if (check->kind >= SCN_SAY_ETCD) {
        scn__check_etcd_statement(checker, check);
        return;
    }
    if (statement->connector != NULL) {
        scn__refer_party(checker, doc_find(check->node, "connector"), statement->connector, true);
    }
    if (statement->client != NULL) {
        scn__refer_party(checker, doc_find(check->node, "client"), statement->client, false);
    }
    if (statement->worker != NULL) {
        scn__refer_worker(checker, doc_find(check->node, "worker"), statement->worker);
    } else if (checker->scenario->world.workers.count > 0) {
        statement->worker = workers[0].name.text;
    } else if (says_worker(check->kind)) {
        (void)scn__wrong(checker, check->node, "no worker takes part");
    }
    if (check->kind == SCN_SAY_FAULT) {
        refer_fault(checker, doc_find(check->node, "id"), statement->id);
    }
    if (check->kind == SCN_SAY_SENT && statement->client == NULL && statement->connector == NULL) {
        (void)scn__wrong(checker, check->node, "name a client or a connector");
    }
    if (check->kind == SCN_SAY_OBJECT && statement->data_node != NULL &&
        doc_find(statement->data_node, "same-as") == NULL) {
        scn__check_payload(checker, statement->data_node, true);
    }
    bool has_number = check->kind == SCN_SAY_ARRIVALS || check->kind == SCN_SAY_OBJECT ||
                      check->kind == SCN_SAY_JOURNAL;
    for (size_t i = 0; i < SCN_NUMBERS_MAX; i++) {
        has_number = has_number || statement->numbers[i].node != NULL;
    }
    if (!has_number) {
        (void)scn__wrong(checker, check->node, "this statement says nothing: give a number");
    }
}

void scn__check_statements(struct scn__checker *checker, const struct doc_list *list)
{
    struct scn_check *checks = list->items;

    for (size_t i = 0; i < list->count; i++) {
        check_statement(checker, &checks[i]);
    }
}

/* ---- faults ---- */

/* Events that a file can make itself; step.<id>.… and <worker>.… come from its own names. */
static void custom_events(const struct doc_list *list, struct scn__names *names)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (steps[i].kind == SCN_STEP_EVENT) {
            scn__add_name(names, steps[i].arguments.event);
        }
    }
}

static const char *event_name(struct scn__checker *checker, const char *before, const char *who,
                              const char *what)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "%s%s.%s", before, who, what);
    char *copy = doc_alloc(checker->scenario->doc, strlen(text) + 1);
    return copy == NULL ? "" : strcpy(copy, text);
}

static void add_events(struct scn__checker *checker, struct scn__names *events, const char *who,
                       const char *const *words)
{
    for (; *words != NULL; words++) {
        scn__add_name(events, event_name(checker, "", who, *words));
    }
}

/* Every event that can happen in this file, but for those of faults. */
static void known_events(struct scn__checker *checker, struct scn__names *events)
{
    static const char *const of_steps[] = {"started", "done"};
    struct scn__names who = {.doc = checker->scenario->doc};

    scn__step_names(&checker->scenario->steps, &who);
    for (size_t i = 0; i < who.count; i++) {
        for (size_t k = 0; k < sizeof(of_steps) / sizeof(of_steps[0]); k++) {
            scn__add_name(events, event_name(checker, "step.", who.words[i], of_steps[k]));
        }
    }
    const struct scn_worker_spec *workers = checker->scenario->world.workers.items;
    for (size_t i = 0; i < checker->scenario->world.workers.count; i++) {
        add_events(checker, events, workers[i].name.text, fakeds_events);
        if (workers[i].etcd != NULL) {
            add_events(checker, events, workers[i].name.text, fakeds_etcd_events);
        }
    }
    const struct scn_etcd_spec *etcds = checker->scenario->world.etcds.items;
    for (size_t i = 0; i < checker->scenario->world.etcds.count; i++) {
        add_events(checker, events, etcds[i].name.text, fakeetcd_events);
    }
    custom_events(&checker->scenario->steps, events);
}

static void check_event(void *arg, const struct fault_event_use *use)
{
    struct scn__checker *checker = arg;
    struct scn__names events = {.doc = checker->scenario->doc};

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

static void check_waits(struct scn__checker *checker, const struct doc_list *list)
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

/* A rule for a worker or an etcd that nobody is called. */
static void check_struck(struct scn__checker *checker, const struct doc_node *pattern,
                         const struct scn__names *names, const char *message)
{
    for (size_t i = 0; pattern != NULL && i < names->count; i++) {
        if (fault_process_means(pattern->text, names->words[i])) {
            return;
        }
    }
    if (pattern != NULL) {
        struct doc_error *error = scn__wrong(checker, pattern, message);
        doc_error_allow(checker->errors, error, doc_text(pattern), names->words, names->count);
    }
}

static void check_targets(struct scn__checker *checker)
{
    const struct doc_node *faults = checker->scenario->faults;
    struct scn__names workers = {.doc = checker->scenario->doc};
    struct scn__names etcds = {.doc = checker->scenario->doc};

    worker_names(checker, &workers);
    scn__etcd_names(checker, &etcds);
    for (size_t i = 0; i < faults->count; i++) {
        const struct doc_node *on = doc_find(faults->items[i], "on");
        check_struck(checker, doc_find(on, "worker"), &workers, "no worker is called like this");
        check_struck(checker, doc_find(on, "etcd"), &etcds, "no etcd is called like this");
        if (doc_is_text(doc_find(faults->items[i], "at"), "etcd") && etcds.count == 0) {
            struct doc_error *error =
                scn__wrong(checker, doc_find(faults->items[i], "at"), "no etcd takes part");
            doc_error_help(checker->errors, error, "declare one: world: {etcd: {etcd-1: {}}}");
        }
    }
}

static void check_faults(struct scn__checker *checker)
{
    const struct fault_domain *domains[] = {&fakeds_fault_domain, &fault_binding_domain,
                                            &fakeetcd_fault_domain};
    struct doc_reader reader = {.doc = checker->scenario->doc, .errors = checker->errors};

    check_waits(checker, &checker->scenario->steps);
    if (checker->scenario->faults == NULL) {
        return;
    }
    enum rt_status status = fault_rules_load(NULL, domains, 3, &reader, checker->scenario->faults);
    if (status == RT_OK) {
        check_targets(checker);
        status = fault_rule_events(checker->scenario->faults, check_event, checker);
    }
    if (status != RT_OK) {
        checker->status = status;
    }
}
