/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_LEASE_SERVICE_LEASE_H
#define FAKEETCD_LEASE_SERVICE_LEASE_H

#include "fakeetcd/server/server_internal.h"

/* Handlers of the service Lease; rows of the method table. */
void fakeetcd__on_lease_grant(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_lease_revoke(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_lease_keep_alive(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_lease_time_to_live(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_lease_leases(struct fakeetcd_call *call, const ProtobufCMessage *request);

/* `ttl_s` and `id` as in LeaseGrant, if alarms let it; told to disk and journal. For recipes, too.
 */
enum fakeetcd_error fakeetcd__lease_grant(struct fakeetcd_server *server, int64_t id, int64_t ttl_s,
                                          struct fakeetcd_lease_info *out_info);

#endif
