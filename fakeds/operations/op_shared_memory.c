/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/request/dispatch.h"
#include "wire/proto/datasystem.pb-c.h"

/* Shared memory is declined at registration; what a client still asks about it. */

void fakeds__op_create(struct fakeds__call *call)
{
    fakeds__call_refuse(call, K_NOT_SUPPORTED, "Shared memory is not offered");
}

/* Nothing is created, but who asks whether keys exist gets an answer. */
void fakeds__op_mcreate(struct fakeds__call *call)
{
    const Ds__MultiCreateReq *request = (const Ds__MultiCreateReq *)call->message;
    struct fakeds__scratch *scratch = &call->worker->scratch;
    size_t count = call->key_count;
    Ds__CreateRsp *rows = fakeds__scratch_take(scratch, count, sizeof(*rows));
    Ds__CreateRsp **results = fakeds__scratch_take(scratch, count, sizeof(*results));
    protobuf_c_boolean *exists = fakeds__scratch_take(scratch, count, sizeof(*exists));
    if (rows == NULL || results == NULL || exists == NULL) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        ds__create_rsp__init(&rows[i]);
        results[i] = &rows[i];
        exists[i] = !request->skip_check_existence &&
                    fakeds__store_find(&call->worker->store, call->keys[i]) != NULL;
    }
    Ds__MultiCreateRsp answer = DS__MULTI_CREATE_RSP__INIT;
    answer.results = results;
    answer.n_results = count;
    answer.exists = exists;
    answer.n_exists = count;
    fakeds__call_answer_ok(call, &answer.base);
}

/* Every five seconds from every client: nothing has expired. */
void fakeds__op_reconcile(struct fakeds__call *call)
{
    fakeds__call_answer_ok(call, NULL);
}

void fakeds__op_decrease_reference(struct fakeds__call *call)
{
    const Ds__DecreaseReferenceReq *request = (const Ds__DecreaseReferenceReq *)call->message;
    size_t count = request->n_object_keys;
    Ds__ErrorInfoPb ok = DS__ERROR_INFO_PB__INIT;
    Ds__DecreaseReferenceRsp answer = DS__DECREASE_REFERENCE_RSP__INIT;
    answer.error = &ok;
    answer.reference_count =
        fakeds__scratch_take(&call->worker->scratch, count, sizeof(*answer.reference_count));
    answer.n_reference_count = answer.reference_count == NULL ? 0 : count;
    fakeds__call_answer_ok(call, &answer.base);
}
