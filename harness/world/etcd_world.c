/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/world/etcd_world.h"

#include "harness/world/world.h"

#include <stdlib.h>

#define CONNECT_TIMEOUT_US UINT64_C(5000000)

static enum rt_status create_etcd(struct scn_world *world, size_t index);

enum rt_status scn_world_create_etcds(struct scn_world *world)
{
    const struct doc_list *list = &world->scenario->world.etcds;

    world->etcds = calloc(list->count + 1, sizeof(*world->etcds));
    if (world->etcds == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        enum rt_status status = create_etcd(world, i);
        if (status != RT_OK) {
            return status;
        }
    }
    return RT_OK;
}

static void set_given(uint64_t *option, uint64_t value)
{
    if (value > 0) {
        *option = value;
    }
}

static enum rt_status create_etcd(struct scn_world *world, size_t index)
{
    const struct scn_etcd_spec *spec =
        &((const struct scn_etcd_spec *)world->scenario->world.etcds.items)[index];
    struct fakeetcd_environment environment = {.loop = world->loop,
                                               .network = world->network,
                                               .journal = world->journal,
                                               .faults = world->faults,
                                               .seed = world->seed};
    struct fakeetcd_options options;
    char address[64] = "127.0.0.1:0";
    char why[160] = "";

    if (world->mode == RT_LOOP_SIMULATED) {
        (void)snprintf(address, sizeof(address), "10.0.2.%zu:2379", index + 1);
    }
    const char *addresses[] = {address};
    fakeetcd_options_init(&options);
    options.name = spec->name.text;
    options.addresses = addresses;
    options.address_count = 1;
    options.profile = fakeetcd_profile_find(spec->profile);
    set_given(&options.election_timeout_us, spec->election_timeout_us);
    set_given(&options.token_ttl_us, spec->token_ttl_us);
    set_given(&options.progress_interval_us, spec->progress_interval_us);
    set_given(&options.quota_bytes, spec->quota_bytes);
    world->etcds[index].spec = spec;
    enum rt_status status =
        fakeetcd_server_create(&environment, &options, &world->etcds[index].fake, why, sizeof(why));
    if (status != RT_OK) {
        (void)snprintf(world->problem, sizeof(world->problem), "%s cannot start at %s: %s",
                       options.name, address, why);
        return status;
    }
    world->etcd_count++;
    if (spec->is_down) {
        fakeetcd_server_kill(world->etcds[index].fake);
    }
    return RT_OK;
}

void scn_world_close_etcd_links(struct scn_world *world)
{
    while (world->etcd_links != NULL) {
        struct scn_etcd_link *link = world->etcd_links;
        world->etcd_links = link->next;
        grpc_channel_destroy(link->channel);
        free(link);
    }
    while (world->etcd_tokens != NULL) {
        struct scn_etcd_token *token = world->etcd_tokens;
        world->etcd_tokens = token->next;
        free(token->text);
        free(token);
    }
}

void scn_world_destroy_etcds(struct scn_world *world)
{
    for (size_t i = 0; i < world->etcd_count; i++) {
        fakeetcd_server_destroy(world->etcds[i].fake);
    }
    world->etcd_count = 0;
    free(world->etcds);
    world->etcds = NULL;
}

struct scn_etcd *scn_world_etcd(struct scn_world *world, const char *name)
{
    for (size_t i = 0; i < world->etcd_count; i++) {
        if (name == NULL || strcmp(world->etcds[i].spec->name.text, name) == 0) {
            return &world->etcds[i];
        }
    }
    return NULL;
}

struct grpc_channel *scn_world_etcd_channel(struct scn_world *world, const char *name,
                                            const char *as)
{
    struct scn_etcd *etcd = scn_world_etcd(world, name);
    struct scn_etcd_link *link = world->etcd_links;

    while (link != NULL && (link->etcd != etcd || strcmp(link->as, as) != 0)) {
        link = link->next;
    }
    if (link != NULL) {
        return link->channel;
    }
    struct grpc_channel_options options = {.name = as,
                                           .address = fakeetcd_server_address(etcd->fake),
                                           .connect_timeout_us = CONNECT_TIMEOUT_US};
    link = calloc(1, sizeof(*link));
    if (link == NULL ||
        grpc_channel_create(world->loop, world->network, &options, &link->channel) != RT_OK) {
        free(link);
        return NULL;
    }
    link->etcd = etcd;
    link->as = as;
    link->next = world->etcd_links;
    world->etcd_links = link;
    return link->channel;
}
