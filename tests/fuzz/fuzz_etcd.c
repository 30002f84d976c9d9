/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_etcd.h"

#include "fuzz_target.h"

void fuzz_etcd_start(struct fuzz_etcd *etcd, bool is_older, uint64_t max_request_bytes)
{
    static const char *const addresses[] = {FUZZ_ETCD_ADDRESS};
    struct fakeetcd_options options;
    char error[200];

    FUZZ_CHECK(rt_loop_create(RT_LOOP_SIMULATED, &etcd->loop) == RT_OK);
    FUZZ_CHECK(rt_network_create(etcd->loop, &etcd->network) == RT_OK);
    struct fakeetcd_environment environment = {
        .loop = etcd->loop, .network = etcd->network, .seed = 1};
    fakeetcd_options_init(&options);
    options.name = "etcd-1";
    options.addresses = addresses;
    options.address_count = 1;
    if (max_request_bytes > 0) {
        options.max_request_bytes = max_request_bytes;
    }
    if (is_older) {
        options.profile = fakeetcd_profile_find("etcd-3.4");
    }
    FUZZ_CHECK(fakeetcd_server_create(&environment, &options, &etcd->server, error,
                                      sizeof(error)) == RT_OK);
}

void fuzz_etcd_run(struct fuzz_etcd *etcd, uint64_t time_us)
{
    FUZZ_CHECK(rt_loop_run(etcd->loop, NULL, NULL, rt_loop_now_us(etcd->loop) + time_us) !=
               RT_E_STUCK);
}

void fuzz_etcd_stop(struct fuzz_etcd *etcd)
{
    fakeetcd_server_destroy(etcd->server);
    FUZZ_CHECK(rt_network_live_count(etcd->network) == 0);
    rt_network_destroy(etcd->network);
    rt_loop_destroy(etcd->loop);
}
