/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/words.h"

/* docs/reference-faults.md, printed from the tables that the parser reads. */

static const char *const point_help[FAULT_POINT_COUNT] = {
    [FAULT_AT_CONNECT] = "a connection is being made",
    [FAULT_AT_GREETING] = "it is made, its greeting is due",
    [FAULT_AT_REQUEST] = "the request has arrived, nothing is applied",
    [FAULT_AT_APPLIED] = "it is applied, the reply is not sent",
    [FAULT_AT_REPLY_BYTE] = "the reply is about to be sent; N counts its bytes from 0",
    [FAULT_AT_REPLIED] = "the reply is sent",
    [FAULT_AT_BINDING] = "between connector and client, nothing has been sent",
    [FAULT_AT_HEARTBEAT] = "a heartbeat has arrived",
    [FAULT_AT_WAIT] = "a get begins to wait for its keys",
    [FAULT_AT_NOTIFY] = "a waiting get is about to be told of its key",
    [FAULT_AT_EVICT] = "an object is about to be evicted",
    [FAULT_AT_EXPIRE] = "an object is about to expire",
    [FAULT_AT_LEASE] = "a keepalive of a lease is about to be answered, or a lease about to expire",
    [FAULT_AT_WATCH] = "events are about to be sent to a watch",
    [FAULT_AT_WORKER] = "a worker's process: at the start, or when what `after` names happens",
    [FAULT_AT_ETCD] = "an etcd's process: likewise",
};

static const char *const grammar_page =
    "## Triggers\n"
    "\n"
    "    trigger  = [ \"skip(K)\" \"->\" ] term { \"->\" term }\n"
    "    term     = [ P \"%\" ] [ N \"*\" ] ( action [ \"(\" argument { \",\" argument } \")\" ] | "
    "\"off\" )\n"
    "\n"
    "* A request matches when all conditions of `on` hold and all of `after` has happened.\n"
    "* `skip(K)` passes over the first K matches.\n"
    "* `P%` is drawn for each match, from a stream of its own that depends on the seed and the id\n"
    "  only. Without it every match fires.\n"
    "* `N*` counts firings; then it is the next term's turn. Without it the term stays for ever.\n"
    "* `off` uses its firings up and does nothing.\n"
    "* After its last term a rule is spent. The first rule of a list that matches and fires is "
    "the\n"
    "  only one that acts.\n"
    "\n"
    "Arguments: codes by name or number (`K_TRY_AGAIN`, `TRY_AGAIN`, `19`; for an etcd the gRPC "
    "code,\n"
    "`UNAVAILABLE` or `14`), HTTP/2 errors by name (`ENHANCE_YOUR_CALM`), durations with a unit\n"
    "(`250ms`), texts in double quotes (`\\\"`, `\\\\` and `\\n` are escapes), events, "
    "hexadecimal\n"
    "bytes.\n"
    "\n"
    "`skip(2)->50%3*status(K_TRY_AGAIN, \"busy\")->delay(250ms)` lets two requests pass, answers\n"
    "half of the following with a status until that has happened three times, and delays the "
    "rest.\n"
    "\n";

static const char *const event_page =
    "## Events\n"
    "\n"
    "| event | when |\n"
    "|---|---|\n"
    "| `fault.<id>.fired` | the fault has fired |\n"
    "| `fault.<id>.fired#K` | it has fired for the K-th time |\n"
    "| `step.<id>.started`, `step.<id>.done` | a step of the scenario |\n"
    "| `<actor>.<event>` | what an actor did, as in `worker-1.restarted` |\n"
    "| any other word | whoever runs the faults says when |\n"
    "\n"
    "An event that has happened stays so. Faults that wait for each other are refused.\n"
    "A fault `at: worker` or `at: etcd` matches once when nothing of its `after` is missing, and "
    "again each "
    "time\n"
    "one of its events happens.\n"
    "\n";

void fault_print_reference(FILE *out)
{
    fputs("# Faults\n\n", out);
    doc_schema_print_markdown(out, &fault_rule_schema);
    fputs("\n## Points\n\n| point | when |\n|---|---|\n", out);
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        fprintf(out, "| `%s%s` | %s |\n", fault_point_word((enum fault_point)point),
                point == FAULT_AT_REPLY_BYTE ? " N" : "", point_help[point]);
    }
    fputs("\n`reply.header` is `reply.byte 0`.\n\n", out);
    fputs(grammar_page, out);
    fputs("## Actions\n\n| action | what it does |\n|---|---|\n", out);
    for (int kind = 0; kind < FAULT_ACTION_COUNT; kind++) {
        const char *arguments = fault__action_arguments((enum fault_action_kind)kind);
        bool is_bare = arguments[0] == '\0';

        fputs("| `", out);
        fprintf(out, "%s%s", fault_action_word((enum fault_action_kind)kind), is_bare ? "" : "(");
        for (const char *letter = arguments; *letter != '\0'; letter++) {
            fprintf(out, *letter == '|' ? "\\|" : "%c", *letter);
        }
        fprintf(out, "%s` | %s |\n", is_bare ? "" : ")",
                fault__action_help((enum fault_action_kind)kind));
    }
    fputs("\n", out);
    fputs(event_page, out);
    fault_print_domain(out, &fault_binding_domain);
}

/* Few are named; of a long list only those that are missing. */
static void print_operations(FILE *out, const struct fault_domain *domain, enum fault_point point)
{
    size_t count = 0;
    size_t count_there = 0;
    for (const struct fault_operation *row = domain->operations; row->word != NULL; row++) {
        count++;
        count_there += (row->points & 1u << point) != 0;
    }
    if (count_there == count) {
        fputs("all", out);
        return;
    }
    bool is_by_what_lacks = count_there > count / 2;
    const char *separator = is_by_what_lacks ? "all but " : "";
    for (const struct fault_operation *row = domain->operations; row->word != NULL; row++) {
        if (((row->points & 1u << point) != 0) != is_by_what_lacks) {
            fprintf(out, "%s%s", separator, row->word);
            separator = ", ";
        }
    }
}

/* All of a domain's words once; the table refers to them. */
static void print_words(FILE *out, const struct fault_domain *domain)
{
    const char *separator = "Operations: ";
    for (const struct fault_operation *row = domain->operations; row->word != NULL; row++) {
        fprintf(out, "%s`%s`", separator, row->word);
        separator = ", ";
    }
    fputs(".\n\n", out);
}

void fault_print_domain(FILE *out, const struct fault_domain *domain)
{
    fprintf(out, "## What `%s` can do\n\n", domain->name);
    print_words(out, domain);
    fputs("| point | operations | actions |\n|---|---|---|\n", out);
    for (size_t i = 0; i < domain->capability_count; i++) {
        enum fault_point point = domain->capabilities[i].point;
        const char *separator = "";

        fprintf(out, "| `%s%s` | ", fault_point_word(point),
                point == FAULT_AT_REPLY_BYTE ? " N" : "");
        print_operations(out, domain, point);
        fputs(" | ", out);
        for (int kind = 0; kind < FAULT_ACTION_COUNT; kind++) {
            if ((domain->capabilities[i].actions & UINT64_C(1) << kind) != 0) {
                fprintf(out, "%s%s", separator, fault_action_word((enum fault_action_kind)kind));
                separator = ", ";
            }
        }
        fputs(" |\n", out);
    }
    for (const struct fault_restriction *row = domain->restrictions;
         row != NULL && row->operation != NULL; row++) {
        fprintf(out, "%s`%s` for %s", row == domain->restrictions ? "\nOnly: " : ", ",
                fault_action_word(row->action),
                row->operation[0] == '\0' ? "what has no operation" : row->operation);
    }
    fputs(domain->restrictions == NULL ? "\n" : ".\n\n", out);
}
