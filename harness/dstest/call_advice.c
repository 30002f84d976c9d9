/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/dstest/call.h"

/* What to do next, by the cause of a failure. One row for each cause. */
static const struct {
    const char *of_get;
    const char *of_put;
} advice[DS_CAUSE_COUNT] = {
    [DS_CAUSE_NONE] = {"nothing failed", "nothing failed"},
    [DS_CAUSE_NOT_FOUND] =
        {"nobody has put this key for this edge, or it was evicted or deleted: compare key and "
         "--edge with what the producer logs, or wait longer with --sub-timeout",
         "the worker does not know the key"},
    [DS_CAUSE_BACKEND_TIMEOUT] =
        {"the worker took the request and did not answer in time: look at its load and its log, "
         "then try a longer --request-timeout",
         "the worker took the request and did not answer in time, so the value may be stored all "
         "the same: look at its load and its log, then try a longer --request-timeout"},
    [DS_CAUSE_TRANSPORT] =
        {"the connection broke or cannot be made: is the worker alive, and does something between "
         "here and there cut connections?",
         "the connection broke or cannot be made, so the value may be stored all the same: is the "
         "worker alive, and does something between here and there cut connections?"},
    [DS_CAUSE_DISCONNECTED] =
        {"the worker does not answer heartbeats, is not ready, or has forgotten this client: look "
         "whether it is starting, stopping or stuck",
         "the worker does not answer heartbeats, is not ready, or has forgotten this client: look "
         "whether it is starting, stopping or stuck"},
    [DS_CAUSE_INVALID] =
        {"keys are at most 255 letters, digits and -_!@#%^*()+=:; long, the edge included",
         "keys are at most 255 letters, digits and -_!@#%^*()+=:; long, the edge included, and a "
         "value that is there keeps its write mode"},
    [DS_CAUSE_OUT_OF_MEMORY] =
        {"this process or the worker has no memory for the value",
         "the worker's shared memory is full of values that it may not evict: raise "
         "shared_memory_size_mb, or look who keeps values"},
    [DS_CAUSE_CODEC] =
        {"the bytes under this key are no payload of a connector: get them with another client "
         "and look at them with `dstest payload show`",
         "this value cannot be serialized"},
    [DS_CAUSE_OTHER] = {"look at the worker's log", "look at the worker's log"},
};

const char *call_advice(enum ds_cause cause, bool is_put)
{
    return is_put ? advice[cause].of_put : advice[cause].of_get;
}

/* A construction that failed has only a text. */
const char *call_advice_for_construction(const char *text)
{
    if (strstr(text, "Unknown connector") != NULL) {
        return "only connectors that speak to a Datasystem worker can be called from here";
    }
    if (strstr(text, "int()") != NULL || strstr(text, "Invalid parameter") != NULL) {
        return "mend the options of the connector: host, port and the time-outs";
    }
    return "nothing that speaks the Datasystem's protocol answers there: is the worker running "
           "and not stuck, is that its --worker_address, and may this machine reach it?";
}
