/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/server/server_internal.h"

#include <stdlib.h>

enum fakeetcd_error fakeetcd_server_member_started(struct fakeetcd_server *server,
                                                   struct rt_slice name,
                                                   struct rt_slice client_urls)
{
    struct fakeetcd_members *members = &server->state.members;
    for (size_t i = 1; i < members->count; i++) { /* the first is the server itself */
        struct fakeetcd_member *member = &members->items[i];
        if (!rt_slice_is_text(name, member->name)) {
            continue;
        }
        char *urls = strndup((const char *)client_urls.data, client_urls.len_bytes);
        if (urls == NULL) {
            return FAKEETCD_E_NOMEM;
        }
        free(member->client_urls);
        member->client_urls = urls;
        if (members->is_changed) {
            fakeetcd__cluster_changed(server);
        }
        return FAKEETCD_OK;
    }
    return FAKEETCD_E_MEMBER_NOT_FOUND;
}
