/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run, in order:
 *
 *   scn_run -> run_once -> open_parties -> run_steps -> run_end -> judge_faults -> laws -> stop
 *
 * The first step that fails ends the run: what would follow is noise.
 */
#include "harness/run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "harness/calls/etcd_call.h"
#include "harness/verdict/hang.h"
#include "harness/verdict/laws.h"

#define STEP_LIMIT_SIM_US     ((uint64_t)3600 * 1000000)
#define STEP_LIMIT_SOCKETS_US ((uint64_t)180 * 1000000)

struct run {
    struct scn_world world;
    struct scn_judge judge;
    struct scn_outcome *outcome;
    struct scn_call *calls;
    struct scn_call **calls_end;
    uint64_t next_id;
    bool is_over;
};

static void run_once(const struct scn_scenario *scenario, const struct scn_run_options *options,
                     bool is_without_faults, struct scn_outcome *outcome);
static void open_parties(struct run *run);
static void run_steps(struct run *run, const struct doc_list *steps);
static void run_end(struct run *run);
static void judge_faults(struct run *run);
static void prove(const struct scn_run_options *options, struct scn_outcome *outcome);

void scn_run(const struct scn_scenario *scenario, const struct scn_run_options *options,
             struct scn_outcome *out_outcome)
{
    struct scn_outcome *outcome = out_outcome;

    memset(outcome, 0, sizeof(*outcome));
    outcome->scenario = scenario;
    outcome->seed = options->seed;
    outcome->mode = options->mode;
    outcome->skip_reason =
        options->mode == RT_LOOP_SIMULATED ? scenario->skip.sim : scenario->skip.sockets;
    if (outcome->skip_reason != NULL) {
        outcome->verdict = SCN_SKIPPED;
        return;
    }
    run_once(scenario, options, false, outcome);
    if (options->is_proving && outcome->verdict == SCN_PASS && scenario->faults != NULL) {
        prove(options, outcome);
    }
}

void scn_outcome_fini(struct scn_outcome *outcome)
{
    scn_findings_fini(&outcome->findings);
    free(outcome->faults);
    outcome->faults = NULL;
}

/* A scenario whose faults change nothing tests nothing. */
static void prove(const struct scn_run_options *options, struct scn_outcome *outcome)
{
    struct scn_outcome other = {
        .scenario = outcome->scenario, .seed = options->seed, .mode = options->mode};

    run_once(outcome->scenario, options, true, &other);
    if (other.verdict == SCN_PASS) {
        struct scn_finding *finding =
            scn_findings_add(&outcome->findings, SCN_INCONCLUSIVE, outcome->scenario->faults,
                             "the scenario passes without its faults all the same");
        scn_finding_note(finding, "it proves nothing: expect something that the faults change");
        outcome->verdict = SCN_INCONCLUSIVE;
    }
    scn_outcome_fini(&other);
}

/* ---- one run ---- */

static const struct scn_call *find_call(void *arg, const char *id)
{
    const struct run *run = arg;

    for (const struct scn_call *call = run->calls; call != NULL; call = call->next) {
        if (call->step != NULL && call->step->id != NULL && strcmp(call->step->id, id) == 0) {
            return call;
        }
    }
    return NULL;
}

static void keep_faults(struct run *run)
{
    struct scn_outcome *outcome = run->outcome;
    size_t count = fault_rule_count(run->world.faults);

    outcome->faults = calloc(count + 1, sizeof(*outcome->faults));
    for (size_t i = 0; outcome->faults != NULL && i < count; i++) {
        struct fault_rule_info info;
        fault_rule_info(run->world.faults, i, &info);
        const struct doc_node *id = doc_find(info.node, "id");
        outcome->faults[i] = (struct scn_fault_outcome){.id = id == NULL ? "" : id->text,
                                                        .considered = info.considered,
                                                        .matched = info.matched,
                                                        .fired = info.fired};
        outcome->fault_count++;
    }
}

static void harness_error(struct run *run, const struct doc_node *node, const char *what)
{
    struct scn_finding *finding =
        scn_findings_add(&run->outcome->findings, SCN_HARNESS_ERROR, node, "%s", what);

    scn_finding_note(finding, "%s", run->world.problem);
    run->outcome->verdict = SCN_HARNESS_ERROR;
    run->is_over = true;
}

static void destroy_calls(struct run *run)
{
    while (run->calls != NULL) {
        struct scn_call *call = run->calls;
        run->calls = call->next;
        scn_call_destroy(call);
    }
}

static void run_once(const struct scn_scenario *scenario, const struct scn_run_options *options,
                     bool is_without_faults, struct scn_outcome *outcome)
{
    struct run run = {.outcome = outcome};
    struct scn_leftovers before;
    struct scn_world_options world_options = {.mode = options->mode,
                                              .seed = options->seed,
                                              .is_without_faults = is_without_faults,
                                              .recorder = options->recorder};

    run.calls_end = &run.calls;
    run.judge = (struct scn_judge){
        .world = &run.world, .findings = &outcome->findings, .find_call = find_call, .arg = &run};
    scn_recorder_reset(options->recorder);
    scn_leftovers_take(options->mode, &before);
    if (scn_world_create(scenario, &world_options, &run.world) != RT_OK) {
        harness_error(&run, NULL, "the world could not be built");
    } else {
        outcome->start_us = run.world.start_us;
        open_parties(&run);
        run_steps(&run, &scenario->steps);
        run_end(&run);
        outcome->virtual_us = scn_world_now_us(&run.world);
        outcome->record_count = scn_recorder_count(options->recorder);
        keep_faults(&run);
        scn_world_stop(&run.world);
        scn_laws_check_stopped(&run.judge);
    }
    destroy_calls(&run);
    scn_world_destroy(&run.world);
    scn_laws_check_leftovers(&outcome->findings, options->mode, &before);
    outcome->verdict =
        scn_verdict_worse(outcome->verdict, scn_findings_verdict(&outcome->findings));
}

/* ---- waiting ---- */

static uint64_t step_deadline_us(const struct run *run)
{
    return rt_loop_now_us(run->world.loop) +
           (run->world.mode == RT_LOOP_SIMULATED ? STEP_LIMIT_SIM_US : STEP_LIMIT_SOCKETS_US);
}

static bool is_call_done(void *arg)
{
    return scn_call_is_done(arg);
}

/* Waits until `call` is done; otherwise says what everybody was doing. */
static void wait_for_call(struct run *run, struct scn_call *call)
{
    enum rt_status status;

    if (scn_call_is_done(call)) {
        return;
    }
    status = rt_loop_run(run->world.loop, is_call_done, call, step_deadline_us(run));
    if (status == RT_E_STUCK) {
        harness_error(run, call->step == NULL ? NULL : call->step->node,
                      "a loop runs for ever while the clock stands still");
    } else if (status != RT_OK) {
        scn_report_hang(&run->judge, call, status);
        run->is_over = true;
    }
}

static void add_call(struct run *run, struct scn_call *call)
{
    *run->calls_end = call;
    run->calls_end = &call->next;
}

static void judge_call(struct run *run, struct scn_call *call)
{
    size_t before = run->outcome->findings.count;

    if (scn_call_is_done(call) && !call->is_judged) {
        scn_judge_call(&run->judge, call);
    }
    run->is_over = run->is_over || run->outcome->findings.count > before;
}

/* ---- parties ---- */

static void open_party(struct run *run, struct scn_party *party)
{
    struct scn_call *call = NULL;
    char text[512];

    if (scn_call_open(party, ++run->next_id, &call) != RT_OK) {
        harness_error(run, party->spec->name.node, "out of memory");
        return;
    }
    add_call(run, call);
    wait_for_call(run, call);
    if (run->is_over || call->is_ok) {
        return;
    }
    ds_status_format(&call->status, text, sizeof(text));
    struct scn_finding *finding = scn_findings_add(
        &run->outcome->findings, SCN_FAIL, party->spec->name.node, "%s %s",
        party->is_connector ? "construction of connector" : "initialisation of client",
        party->name);
    scn_finding_expected(finding, "success");
    scn_finding_actual(finding, "%s", party->is_connector ? call->status.text : text);
    scn_finding_note(finding, "a step `%s` can expect the failure instead",
                     party->is_connector ? "construct" : "init");
    run->is_over = true;
}

static void open_parties(struct run *run)
{
    for (size_t i = 0; i < run->world.party_count && !run->is_over; i++) {
        struct scn_party *party = &run->world.parties[i];
        if (!party->spec->is_constructed_by_step) {
            open_party(run, party);
        }
    }
}

/* ---- steps ---- */

static struct scn_call *start_call(struct run *run, const struct scn_step *step)
{
    struct scn_call *call = NULL;

    if (scn_call_start(&run->world, step, ++run->next_id, &call) != RT_OK) {
        harness_error(run, step->node, "the call could not be started");
        return NULL;
    }
    add_call(run, call);
    return call;
}

static void step_call(struct run *run, const struct scn_step *step)
{
    struct scn_call *call = start_call(run, step);

    if (call == NULL || step->is_background) {
        return;
    }
    wait_for_call(run, call);
    judge_call(run, call);
}

static void step_together(struct run *run, const struct scn_step *step)
{
    const struct scn_step *steps = step->arguments.steps.items;
    struct scn_call **first = run->calls_end;

    for (size_t i = 0; i < step->arguments.steps.count && !run->is_over; i++) {
        (void)start_call(run, &steps[i]);
    }
    for (struct scn_call *call = *first; call != NULL && !run->is_over; call = call->next) {
        wait_for_call(run, call);
        judge_call(run, call);
    }
}

static void step_await(struct run *run, const struct scn_step *step)
{
    const char *const *ids = step->arguments.ids.items;

    for (size_t i = 0; i < step->arguments.ids.count && !run->is_over; i++) {
        struct scn_call *call = (struct scn_call *)find_call(run, ids[i]);
        if (call == NULL) {
            struct scn_finding *finding = scn_findings_add(&run->outcome->findings, SCN_FAIL,
                                                           step->node, "await: step %s", ids[i]);
            scn_finding_expected(finding, "started before");
            scn_finding_actual(finding, "it comes later in the file");
            run->is_over = true;
            return;
        }
        wait_for_call(run, call);
        judge_call(run, call);
    }
}

static void step_cancel(struct run *run, const struct scn_step *step)
{
    const char *const *ids = step->arguments.ids.items;

    for (size_t i = 0; i < step->arguments.ids.count && !run->is_over; i++) {
        struct scn_call *call = (struct scn_call *)find_call(run, ids[i]);
        if (call == NULL || !omni_cancel(&call->handle)) {
            struct scn_finding *finding = scn_findings_add(&run->outcome->findings, SCN_FAIL,
                                                           step->node, "cancel: step %s", ids[i]);
            scn_finding_expected(finding, "under way");
            scn_finding_actual(finding, "%s",
                               call == NULL ? "it comes later in the file" : "it has ended");
            run->is_over = true;
        }
    }
}

struct event_wait {
    struct run *run;
    const char *event;
};

static bool has_event(void *arg)
{
    const struct event_wait *wait = arg;

    return fault_event_has_happened(wait->run->world.faults, wait->event);
}

static void step_wait(struct run *run, const struct scn_step *step)
{
    const struct scn_arguments *arguments = &step->arguments;
    struct event_wait wait = {run, arguments->event};
    uint64_t limit_us = arguments->event == NULL ? arguments->duration_us : arguments->at_most_us;
    enum rt_status status =
        rt_loop_run(run->world.loop, arguments->event == NULL ? NULL : has_event, &wait,
                    rt_loop_now_us(run->world.loop) + limit_us);

    if (status == RT_E_STUCK) {
        harness_error(run, step->node, "a loop runs for ever while the clock stands still");
    } else if (arguments->event != NULL && status != RT_OK) {
        struct scn_finding *finding = scn_findings_add(
            &run->outcome->findings, SCN_FAIL, step->node, "wait: event %s", arguments->event);
        scn_finding_expected(finding, "within the time given");
        scn_finding_actual(finding, "it did not happen");
        if (finding != NULL) {
            finding->record_index = scn_recorder_count(run->world.recorder);
            finding->time_us = scn_world_now_us(&run->world);
        }
        run->is_over = true;
    }
}

static void step_etcd_process(struct run *run, const struct scn_step *step)
{
    struct fakeetcd_server *server = scn_world_etcd(&run->world, step->arguments.etcd.server)->fake;

    if (step->kind != SCN_STEP_START && fakeetcd_server_is_running(server)) {
        fakeetcd_server_kill(server);
    }
    if (step->kind != SCN_STEP_KILL &&
        fakeetcd_server_start(server, step->arguments.is_state_kept) != RT_OK) {
        harness_error(run, step->node, "the etcd could not start");
    }
}

static void step_switch(struct run *run, const struct scn_step *step)
{
    struct fakeetcd_server *server = scn_world_etcd(&run->world, step->arguments.etcd.server)->fake;

    for (size_t i = 0; i < SCN_SWITCH_COUNT; i++) {
        const struct scn_switch *one = &step->arguments.switches[i];
        if (one->node != NULL) {
            fakeetcd_server_set(server, (enum fakeetcd_switch)i, one->is_on);
        }
    }
}

static void step_end(struct run *run, const struct scn_step *step)
{
    const char *const *ids = step->arguments.ids.items;

    for (size_t i = 0; i < step->arguments.ids.count && !run->is_over; i++) {
        struct scn_call *call = (struct scn_call *)find_call(run, ids[i]);
        if (call == NULL || !scn_etcd_call_end(call)) {
            struct scn_finding *finding = scn_findings_add(&run->outcome->findings, SCN_FAIL,
                                                           step->node, "end: step %s", ids[i]);
            scn_finding_expected(finding, "a stream that is open");
            scn_finding_actual(finding, "%s",
                               call == NULL ? "it comes later in the file"
                                            : "it is none, or it has ended");
            run->is_over = true;
        }
    }
}

static void step_worker(struct run *run, const struct scn_step *step)
{
    if (step->kind != SCN_STEP_EVICT && step->arguments.etcd.server != NULL) {
        step_etcd_process(run, step);
        return;
    }
    struct scn_worker *worker = scn_world_worker(&run->world, step->arguments.worker);

    if (step->kind == SCN_STEP_EVICT) {
        if (fakeds_worker_evict(worker->fake, rt_slice_text(step->arguments.key)) != RT_OK) {
            struct scn_finding *finding =
                scn_findings_add(&run->outcome->findings, SCN_FAIL, step->node, "evict");
            scn_finding_expected(finding, "%s has key %s", step->arguments.worker,
                                 step->arguments.key);
            scn_finding_actual(finding, "it has not");
            run->is_over = true;
        }
        return;
    }
    if (step->kind == SCN_STEP_LEAVE) {
        scn_world_leave(worker);
        return;
    }
    if (step->kind != SCN_STEP_START && fakeds_worker_is_running(worker->fake)) {
        fakeds_worker_kill(worker->fake);
    }
    if (step->kind != SCN_STEP_KILL &&
        fakeds_worker_start(worker->fake, step->arguments.is_state_kept,
                            step->arguments.ready_after_us) != RT_OK) {
        harness_error(run, step->node, "the worker could not start");
    }
}

static void judge_checks(struct run *run, const struct doc_list *list)
{
    const struct scn_check *checks = list->items;
    size_t before = run->outcome->findings.count;

    for (size_t i = 0; i < list->count; i++) {
        const struct scn_check *check = &checks[i];
        if (run->world.is_without_faults && check->kind == SCN_SAY_FAULT) {
            continue; /* of a fault that is left out on purpose */
        }
        (void)scn_judge_statement(&run->judge, check, false);
    }
    run->is_over = run->is_over || run->outcome->findings.count > before;
}

struct statement_wait {
    struct run *run;
    const struct doc_list *checks;
};

static bool do_statements_hold(void *arg)
{
    const struct statement_wait *wait = arg;
    const struct scn_check *checks = wait->checks->items;

    for (size_t i = 0; i < wait->checks->count; i++) {
        if (!scn_judge_statement(&wait->run->judge, &checks[i], true)) {
            return false;
        }
    }
    return true;
}

static void step_eventually(struct run *run, const struct scn_step *step)
{
    struct statement_wait wait = {run, &step->arguments.checks};
    enum rt_status status =
        rt_loop_run(run->world.loop, do_statements_hold, &wait,
                    rt_loop_now_us(run->world.loop) + step->arguments.within_us);

    if (status == RT_E_STUCK) {
        harness_error(run, step->node, "a loop runs for ever while the clock stands still");
    }
    judge_checks(run, &step->arguments.checks); /* reports what does not hold in the end */
}

static void run_step(struct run *run, const struct scn_step *step)
{
    switch ((enum scn_step_kind)step->kind) {
    case SCN_STEP_WAIT:
        step_wait(run, step);
        break;
    case SCN_STEP_AWAIT:
        step_await(run, step);
        break;
    case SCN_STEP_CANCEL:
        step_cancel(run, step);
        break;
    case SCN_STEP_TOGETHER:
        step_together(run, step);
        break;
    case SCN_STEP_KILL:
    case SCN_STEP_START:
    case SCN_STEP_RESTART:
    case SCN_STEP_EVICT:
    case SCN_STEP_LEAVE:
        step_worker(run, step);
        break;
    case SCN_STEP_SWITCH:
        step_switch(run, step);
        break;
    case SCN_STEP_END:
        step_end(run, step);
        break;
    case SCN_STEP_EVENT:
        scn_world_event(&run->world, step->arguments.event);
        break;
    case SCN_STEP_CHECK:
        judge_checks(run, &step->arguments.checks);
        break;
    case SCN_STEP_EVENTUALLY:
        step_eventually(run, step);
        break;
    default:
        step_call(run, step);
        break;
    }
}

static void run_steps(struct run *run, const struct doc_list *list)
{
    const struct scn_step *steps = list->items;

    for (size_t i = 0; i < list->count && !run->is_over; i++) {
        run_step(run, &steps[i]);
    }
}

/* ---- the end ---- */

/* Answers that are under way arrive; no time passes for that in the simulated world. */
static void settle(struct run *run)
{
    uint64_t now_us = rt_loop_now_us(run->world.loop);
    uint64_t more_us =
        run->world.mode == RT_LOOP_SIMULATED ? 2 * run->world.scenario->world.latency_us : 2000;

    (void)!rt_loop_run(run->world.loop, NULL, NULL, now_us + more_us);
}

static void run_end(struct run *run)
{
    for (struct scn_call *call = run->calls; call != NULL && !run->is_over; call = call->next) {
        wait_for_call(run, call);
        judge_call(run, call);
    }
    if (run->is_over) {
        return;
    }
    settle(run);
    judge_checks(run, &run->world.scenario->finally);
    if (run->is_over) {
        return;
    }
    judge_faults(run);
    scn_laws_check(&run->judge, run->calls);
}

/* A declared fault that never fired: the run has proved nothing. */
static void judge_faults(struct run *run)
{
    for (size_t i = 0; i < fault_rule_count(run->world.faults); i++) {
        struct fault_rule_info info;
        fault_rule_info(run->world.faults, i, &info);
        if (info.fired > 0 || info.is_optional) {
            continue;
        }
        struct scn_finding *finding = scn_findings_add(&run->outcome->findings, SCN_INCONCLUSIVE,
                                                       info.node, "fault %s never fired", info.id);
        scn_finding_actual(finding, "considered %" PRIu64 ", matched %" PRIu64 "%s",
                           info.considered, info.matched,
                           info.is_armed ? ""
                                         : ", never armed: its `after` did not "
                                           "happen");
        if (info.closest[0] != '\0') {
            scn_finding_expected(finding, "closest: %s", info.closest);
        }
        if (info.closest_edit != NULL && info.closest_edit[0] != '\0') {
            scn_finding_note(finding, "this would have matched: %s", info.closest_edit);
        }
    }
}
