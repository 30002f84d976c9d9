/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/reference.h"

#include "fakeds/worker.h"
#include "faults/fault.h"
#include "harness/scenario.h"

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
        "| `WORKER.killed`, `WORKER.restarted`, `WORKER.ready`, `WORKER.evicted`, "
        "`WORKER.expired` | in a worker |\n"
        "| any other word | made by a step `event: WORD` |\n\n",
        out);
    doc_schema_print_markdown(out, scn_scenario_schema());
    (void)fputs("\n", out);
    fault_print_reference(out);
    (void)fputs("\n", out);
    fault_print_domain(out, &fakeds_fault_domain);
}
