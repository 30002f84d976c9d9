/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/service_rest.h"

#include "wire/proto/grpc_health.pb-c.h"

/*
 * grpc.health.v1, as a Go server with one entry answers: the whole server, "", is SERVING as long
 * as it runs, with and without a leader; a service by its name is not known.
 */

void fakeetcd__on_health_check(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Grpc__Health__V1__HealthCheckRequest *request =
        (const Grpc__Health__V1__HealthCheckRequest *)message;
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    if (request->service.len > 0) {
        fakeetcd_call_finish(call, GRPC_NOT_FOUND, "unknown service");
        return;
    }
    response.status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    fakeetcd_call_answer(call, &response.base);
}

/* The first message tells how it is; it never changes while the stream can live, so nothing
 * follows. The stream stays open, for a service that is not known too. */
void fakeetcd__on_health_watch(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Grpc__Health__V1__HealthCheckRequest *request =
        (const Grpc__Health__V1__HealthCheckRequest *)message;
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = request->service.len > 0
                          ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
                          : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    fakeetcd_call_send(call, &response.base);
}

/* A watch keeps nothing. */
void fakeetcd__health_gone(struct fakeetcd_call *call)
{
    (void)call;
}
