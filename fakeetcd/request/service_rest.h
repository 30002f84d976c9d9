/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_REQUEST_SERVICE_REST_H
#define FAKEETCD_REQUEST_SERVICE_REST_H

#include "fakeetcd/server/server_internal.h"

/*
 * Handlers of the services beside KV, Lease and Watch; each is a row of the method table, and works
 * by the rules of struct fakeetcd_method.
 */

/* service_auth.c */
void fakeetcd__on_auth_enable(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_auth_disable(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_auth_status(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_authenticate(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_add(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_get(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_list(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_delete(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_change_password(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_grant_role(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_user_revoke_role(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_role_add(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_role_get(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_role_list(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_role_delete(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_role_grant_permission(struct fakeetcd_call *call,
                                        const ProtobufCMessage *request);
void fakeetcd__on_role_revoke_permission(struct fakeetcd_call *call,
                                         const ProtobufCMessage *request);

/* service_maintenance.c */
void fakeetcd__on_status(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_alarm(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_hash(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_hash_kv(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_defragment(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_move_leader(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_downgrade(struct fakeetcd_call *call, const ProtobufCMessage *request);

/* service_snapshot.c: Snapshot sends as much as its connection takes */
void fakeetcd__on_snapshot(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__snapshot_drained(struct fakeetcd_call *call);
void fakeetcd__snapshot_gone(struct fakeetcd_call *call);

/* service_cluster.c */
void fakeetcd__on_member_list(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_member_add(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_member_remove(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_member_update(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_member_promote(struct fakeetcd_call *call, const ProtobufCMessage *request);

/* service_lock.c, service_election.c: contenders wait in the server's list */
void fakeetcd__on_lock(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_unlock(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_campaign(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_leader(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_observe(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_proclaim(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_resign(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__contender_gone(struct fakeetcd_call *call); /* on_gone of Lock, Campaign, Observe */
void fakeetcd__observer_drained(struct fakeetcd_call *call); /* on_drained of Observe */

/* service_health.c */
void fakeetcd__on_health_check(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_health_watch(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__health_gone(struct fakeetcd_call *call);

#endif
