/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables cannot see of the part that speaks of etcd. */
#include "harness/language/scenario_check.h"

#include "harness/language/etcd_message.h"
#include "harness/language/etcd_method.h"

void scn__etcd_names(const struct scn__checker *checker, struct scn__names *names)
{
    const struct scn_etcd_spec *etcds = checker->scenario->world.etcds.items;

    for (size_t i = 0; i < checker->scenario->world.etcds.count; i++) {
        scn__add_name(names, etcds[i].name.text);
    }
}

static void refer_etcd(struct scn__checker *checker, const struct doc_node *node, const char *word)
{
    struct scn__names names = {.doc = checker->scenario->doc};

    scn__etcd_names(checker, &names);
    scn__refer(checker, node, word, &names, "no etcd of this name takes part");
}

/* The first one is meant where none is named. */
static void need_etcd(struct scn__checker *checker, const struct doc_node *node,
                      const struct doc_node *name_node, const char *word)
{
    if (word != NULL) {
        refer_etcd(checker, name_node, word);
    } else if (checker->scenario->world.etcds.count == 0) {
        struct doc_error *error = scn__wrong(checker, node, "no etcd takes part");
        doc_error_help(checker->errors, error, "declare one: world: {etcd: {etcd-1: {}}}");
    }
}

/* ---- world ---- */

static void check_users(struct scn__checker *checker);
static void check_member(struct scn__checker *checker, const struct scn_worker_spec *worker);

void scn__check_etcds(struct scn__checker *checker)
{
    struct scn_etcd_spec *etcds = checker->scenario->world.etcds.items;
    struct scn__names names = {.doc = checker->scenario->doc};

    for (const char *const *name = fakeetcd_profile_names; *name != NULL; name++) {
        scn__add_name(&names, *name);
    }
    for (size_t i = 0; i < checker->scenario->world.etcds.count; i++) {
        if (etcds[i].profile == NULL) {
            etcds[i].profile = "etcd-3.5";
        } else {
            scn__refer(checker, etcds[i].profile_node, etcds[i].profile, &names,
                       "no such profile of etcd");
        }
    }
    check_users(checker);
}

static void check_member(struct scn__checker *checker, const struct scn_worker_spec *worker)
{
    const struct {
        const struct doc_node *node;
        uint64_t value_us;
    } of_etcd[] = {{worker->host_id_node, 0},
                   {worker->etcd_user_node, 0},
                   {worker->etcd_password_node, 0},
                   {worker->exit_lossless_node, 0},
                   {worker->node_timeout_node, worker->node_timeout_us},
                   {worker->node_dead_timeout_node, worker->node_dead_timeout_us}};

    if (worker->etcd != NULL) {
        refer_etcd(checker, worker->etcd_node, worker->etcd);
    }
    for (size_t i = 0; i < sizeof(of_etcd) / sizeof(of_etcd[0]); i++) {
        const struct doc_node *node = of_etcd[i].node;
        if (node != NULL && worker->etcd == NULL) {
            struct doc_error *error =
                scn__wrong(checker, node, "this is for a worker that has an etcd");
            doc_error_help(checker->errors, error, "give it one: etcd: etcd-1");
        }
        if (of_etcd[i].value_us % 1000000 != 0) {
            (void)scn__wrong(checker, node, "a lease lives for whole seconds");
        }
    }
}

/* Names of etcds that workers and connectors give. */
static void check_users(struct scn__checker *checker)
{
    const struct scn_world_spec *world = &checker->scenario->world;
    const struct scn_worker_spec *workers = world->workers.items;
    const struct scn_party_spec *connectors = world->connectors.items;

    for (size_t i = 0; i < world->workers.count; i++) {
        check_member(checker, &workers[i]);
    }
    for (size_t i = 0; i < world->connectors.count; i++) {
        if (connectors[i].discover != NULL) {
            refer_etcd(checker, connectors[i].discover_node, connectors[i].discover);
            if (connectors[i].worker != NULL) {
                (void)scn__wrong(checker, connectors[i].worker_node,
                                 "`discover` finds the worker: name none");
            }
        }
    }
}

/* ---- steps ---- */

static void check_expectation(struct scn__checker *checker, const struct scn_step *step,
                              const struct fakeetcd_method *method)
{
    static const struct {
        size_t node_at;
        const char *word;
    } others[] = {
#define NODE_OF(member) {offsetof(struct scn_expect, member##_node), #member}
        NODE_OF(status), NODE_OF(detail), NODE_OF(cause),  NODE_OF(attempts),
        NODE_OF(size),   NODE_OF(data),   NODE_OF(empty),  NODE_OF(exists),
        NODE_OF(failed), NODE_OF(sizes),  NODE_OF(healthy)
#undef NODE_OF
    };
    const struct scn_expect *expect = &step->expect;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const struct doc_node *node = NULL;
        memcpy(&node, (const char *)expect + others[i].node_at, sizeof(node));
        if (node != NULL) {
            checker->status = RT_E_INVALID;
            doc_error_add(checker->errors, node, "a call of etcd brings no `%s`", others[i].word);
        }
    }
    if (expect->reply_node != NULL &&
        scn_message_check(method->response, expect->reply_node, true, checker->errors) != RT_OK) {
        checker->status = RT_E_INVALID;
    }
}

static const struct fakeetcd_method *method_of(const struct scn_step *step)
{
    return step->kind == SCN_STEP_ETCD ? scn_etcd_method(step->arguments.etcd.call) : NULL;
}

static void check_token_source(struct scn__checker *checker,
                               const struct scn_etcd_arguments *arguments)
{
    const struct scn_step *step = scn__step_of(&checker->scenario->steps, arguments->token_of);

    if (step != NULL && method_of(step) != scn_etcd_method("authenticate")) {
        (void)scn__wrong(checker, arguments->token_of_node, "this step is no `authenticate`");
    }
}

static void check_call(struct scn__checker *checker, struct scn_step *step)
{
    struct scn_etcd_arguments *arguments = &step->arguments.etcd;
    const struct fakeetcd_method *method = scn_etcd_method(arguments->call);
    struct scn__names names = {.doc = checker->scenario->doc};

    if (method == NULL) {
        for (const char *const *word = scn_etcd_method_words(); *word != NULL; word++) {
            scn__add_name(&names, *word);
        }
        scn__refer(checker, arguments->call_node, arguments->call, &names,
                   "etcd has no call of this name");
        return;
    }
    if (arguments->as == NULL) {
        arguments->as = "etcdctl";
    }
    if (arguments->request != NULL &&
        scn_message_check(method->request, arguments->request, false, checker->errors) != RT_OK) {
        checker->status = RT_E_INVALID;
    }
    if (arguments->every_us > 0 && method->kind != FAKEETCD_BIDI) {
        (void)scn__wrong(checker, doc_find(step->arguments.node, "every"),
                         "only a stream takes more than one request");
    }
    if (arguments->token_of != NULL) {
        scn__step_names(&checker->scenario->steps, &names);
        scn__refer(checker, arguments->token_of_node, arguments->token_of, &names,
                   "no step has this id");
        check_token_source(checker, arguments);
    }
    check_expectation(checker, step, method);
}

void scn__check_etcd_step(struct scn__checker *checker, struct scn_step *step)
{
    bool has_switch = false;

    need_etcd(checker, step->node, step->arguments.etcd.server_node, step->arguments.etcd.server);
    if (step->kind == SCN_STEP_ETCD) {
        check_call(checker, step);
        return;
    }
    for (size_t i = 0; i < SCN_SWITCH_COUNT; i++) {
        has_switch = has_switch || step->arguments.switches[i].node != NULL;
    }
    if (!has_switch) {
        (void)scn__wrong(checker, step->node,
                         "name at least one: frozen, leaderless, read_only, no_space, corrupt");
    }
}

void scn__check_ended(struct scn__checker *checker, const struct scn_step *step)
{
    const char *const *ids = step->arguments.ids.items;

    for (size_t i = 0; i < step->arguments.ids.count; i++) {
        const struct scn_step *call = scn__step_of(&checker->scenario->steps, ids[i]);
        const struct fakeetcd_method *method = call == NULL ? NULL : method_of(call);
        if (call != NULL && (method == NULL || method->kind == FAKEETCD_UNARY)) {
            (void)scn__wrong(checker, step->arguments.node, "this step opens no stream");
        }
    }
}

bool scn__check_etcd_process(struct scn__checker *checker, const struct scn_step *step)
{
    const struct scn_arguments *arguments = &step->arguments;

    if (arguments->worker != NULL && arguments->etcd.server != NULL) {
        (void)scn__wrong(checker, step->node, "either a worker or an etcd");
        return true;
    }
    if (arguments->worker == NULL && arguments->etcd.server == NULL) {
        (void)scn__wrong(checker, step->node, "name a worker or an etcd");
        return true;
    }
    if (arguments->etcd.server != NULL) {
        refer_etcd(checker, arguments->etcd.server_node, arguments->etcd.server);
    }
    return arguments->etcd.server != NULL;
}

/* ---- statements ---- */

static void check_stream(struct scn__checker *checker, struct scn_check *check)
{
    struct scn_statement *statement = &check->statement;
    const struct scn_step *step = scn__step_of(&checker->scenario->steps, statement->id);
    struct scn__names names = {.doc = checker->scenario->doc};

    scn__step_names(&checker->scenario->steps, &names);
    scn__refer(checker, doc_find(check->node, "id"), statement->id, &names, "no step has this id");
    if (step == NULL) {
        return;
    }
    const struct fakeetcd_method *method = method_of(step);
    if (method == NULL || method->kind == FAKEETCD_UNARY) {
        (void)scn__wrong(checker, doc_find(check->node, "id"), "this step opens no stream");
    } else if (statement->last_node != NULL &&
               scn_message_check(method->response, statement->last_node, true, checker->errors) !=
                   RT_OK) {
        checker->status = RT_E_INVALID;
    }
}

static bool says_something(const struct scn_check *check)
{
    const struct scn_statement *statement = &check->statement;
    bool says = check->kind == SCN_SAY_ETCD_KEY || statement->events_node != NULL ||
                statement->last_node != NULL || statement->ended_node != NULL ||
                statement->grpc_node != NULL || statement->text_node != NULL;

    for (size_t i = 0; i < SCN_NUMBERS_MAX; i++) {
        says = says || statement->numbers[i].node != NULL;
    }
    return says;
}

void scn__check_etcd_statement(struct scn__checker *checker, struct scn_check *check)
{
    struct scn_statement *statement = &check->statement;
    struct scn__names names = {.doc = checker->scenario->doc};

    if (check->kind == SCN_SAY_STREAM) {
        check_stream(checker, check);
    } else {
        need_etcd(checker, check->node, doc_find(check->node, "server"), statement->etcd);
    }
    if (check->kind == SCN_SAY_ETCD_KEYS && strlen(statement->prefix) > SCN_PREFIX_BYTES_MAX) {
        (void)scn__wrong(checker, doc_find(check->node, "prefix"),
                         "a prefix has at most 1024 characters");
    }
    if (check->kind == SCN_SAY_ETCD_REQUESTS && scn_etcd_method(statement->etcd_op) == NULL) {
        for (const char *const *word = scn_etcd_method_words(); *word != NULL; word++) {
            scn__add_name(&names, *word);
        }
        scn__refer(checker, doc_find(check->node, "call"), statement->etcd_op, &names,
                   "etcd has no call of this name");
    }
    if (!says_something(check)) {
        (void)scn__wrong(checker, check->node, "this statement says nothing: give a number");
    }
}
