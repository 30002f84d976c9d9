/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/language/reference.h"

#include "fakeds/worker/worker.h"
#include "fakeetcd/request/call.h"
#include "fakeetcd/server/server.h"
#include "faults/fault.h"
#include "harness/language/scenario.h"

/* One row of the table of events. */
static void print_events(FILE *out, const char *who, const char *const *words, const char *when)
{
    (void)fputs("| ", out);
    for (size_t i = 0; words[i] != NULL; i++) {
        (void)fprintf(out, "%s`%s.%s`", i == 0 ? "" : ", ", who, words[i]);
    }
    (void)fprintf(out, " | %s |\n", when);
}

void scn_print_reference(FILE *out)
{
    (void)fputs(
        "# The scenario language\n\n"
        "This page is printed by `dstest reference` from the tables that read scenario files; "
        "do not edit it.\n\n"
        "A scenario is strict YAML: no tags, anchors, duplicate or unknown keys, and nothing is "
        "guessed. Quantities carry units (`250ms`, `4KiB`), numbers can be ranges (`3`, "
        "`2..5`, `< 5ms`). Check files with `dstest check`, format them with `dstest fmt`.\n\n"
        "`${name}` is replaced by each value of `matrix`. A step with `repeat: N` is made N times, "
        "`${i}` counts from 0.\n\n"
        "## Payloads\n\n"
        "| form | meaning |\n|---|---|\n"
        "| `hello` or `{text: hello}` | text |\n"
        "| `{hex: \"00ff\"}` | bytes |\n"
        "| `{repeat: ab, size: 4MiB}` | bytes, made once and shared |\n"
        "| `{encoded: PAYLOAD}` | the serialized bytes of a connector's payload |\n"
        "| `{tensor: float32, shape: [2, 3], fill: ramp}` | also `ndarray: \"<f4\"` and `image: "
        "RGB`; fill is `ramp` or a byte |\n"
        "| `{map: {a: PAYLOAD}}` `{list: [PAYLOAD]}` `{int: 7}` `{float: 1.5}` `{bool: true}` "
        "`{nil: true}` | plain values |\n"
        "| `{nested: 2000}` | so many lists inside each other, which may be more than can be "
        "encoded |\n"
        "| `{same-as: ID}` | in `expect`: the data of that step |\n\n"
        "A plain client transfers bytes: text, hex, repeat and encoded. In lists of an "
        "expectation, `absent` is a missing key.\n\n"
        "## Events\n\n"
        "| event | when |\n|---|---|\n"
        "| `step.ID.started`, `step.ID.done` | a call with this id |\n"
        "| `fault.ID.fired`, `fault.ID.fired#2` | a fault fired, for the second time |\n"
        "| any other word | made by a step `event: WORD` |\n",
        out);
    print_events(out, "WORKER", fakeds_events, "in a worker");
    print_events(out, "WORKER", fakeds_etcd_events, "in a worker that has an etcd");
    print_events(out, "ETCD", fakeetcd_events, "in an etcd");
    (void)fputs("\n", out);
    doc_schema_print_markdown(out, scn_scenario_schema());
    (void)fputs("\n", out);
    fault_print_reference(out);
    (void)fputs("\n", out);
    fault_print_domain(out, &fakeds_fault_domain);
    (void)fputs("\n", out);
    fault_print_domain(out, &fakeetcd_fault_domain);
}
