/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many sets and gets a second, and how many bytes: the C client against a worker at an
 * address, asynchronous with N calls in flight, or blocking. One line of JSON for each row.
 *
 *   bench_calls --worker_address HOST:PORT [--in_flight 32] [--seconds 1] [--blocking]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "connector/ds_blocking.h"
#include "connector/ds_client.h"

#define KEYS       64
#define LARGE_KEYS 4 /* so that a worker of ordinary size holds them all */
#define LIMIT_US   ((uint64_t)120 * 1000000)

struct options {
    char host[128];
    int64_t port;
    uint32_t in_flight;
    uint64_t seconds;
    bool is_blocking;
};

static const size_t sizes[] = {256, (size_t)64 << 10, (size_t)1 << 20, (size_t)64 << 20};

struct bench {
    struct rt_loop *loop;
    struct ds_client *client;
    struct rt_blob *blob;
    bool is_get;
    bool is_stopping;
    uint32_t in_flight;
    uint64_t finished;
    uint64_t failed;
    uint64_t next_key;
    uint64_t key_count;
    uint64_t end_us;
};

static void start_one(struct bench *bench);

static void on_done(void *arg, const struct ds_result *result)
{
    struct bench *bench = arg;

    bench->in_flight--;
    bench->finished++;
    if (bench->is_get && result->value_count == 1 &&
        result->values[0].bytes.len_bytes != rt_blob_slice(bench->blob).len_bytes) {
        bench->failed++;
        (void)fprintf(stderr, "bench_calls: a value of another size came\n");
    }
    if (result->status.code != K_OK) {
        bench->failed++;
        bench->is_stopping = true;
        (void)fprintf(stderr, "bench_calls: %s\n", result->status.text);
    }
    if (!bench->is_stopping && rt_loop_now_us(bench->loop) < bench->end_us) {
        start_one(bench);
    }
}

static void start_one(struct bench *bench)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "bench-%" PRIu64, bench->next_key++ % bench->key_count);
    struct rt_slice key = rt_slice_of(text, (size_t)len);
    enum rt_status status;

    if (bench->is_get) {
        status = ds_get(bench->client, &key, 1, 0, on_done, bench);
    } else {
        struct dsrpc_piece piece = {.blob = bench->blob, .bytes = rt_blob_slice(bench->blob)};
        struct dsrpc_value value = {
            .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
        struct ds_set_options options = {.write_mode = DS_NONE_L2_CACHE_EVICT};
        status = ds_set(bench->client, key, &value, &options, on_done, bench);
    }
    if (status == RT_OK) {
        bench->in_flight++;
    }
}

static bool is_finished(void *arg)
{
    return ((const struct bench *)arg)->in_flight == 0;
}

static bool run(struct bench *bench, uint32_t in_flight, uint64_t duration_us, bool is_get,
                double *out_rate)
{
    uint64_t begin_us = rt_loop_now_us(bench->loop);

    bench->is_get = is_get;
    bench->finished = 0;
    bench->failed = 0;
    bench->next_key = 0;
    bench->end_us = begin_us + duration_us;
    for (uint32_t i = 0; i < in_flight; i++) {
        start_one(bench);
    }
    if (rt_loop_run(bench->loop, is_finished, bench, begin_us + LIMIT_US) != RT_OK ||
        bench->failed > 0) {
        return false;
    }
    *out_rate = (double)bench->finished * 1e6 / (double)(rt_loop_now_us(bench->loop) - begin_us);
    return true;
}

static void print_row(const char *mode, size_t size_bytes, const char *op, double rate)
{
    (void)printf("{\"mode\": \"%s\", \"size_bytes\": %zu, \"op\": \"%s\", \"per_second\": %.1f, "
                 "\"mb_per_second\": %.1f}\n",
                 mode, size_bytes, op, rate, rate * (double)size_bytes / 1e6);
    (void)fflush(stdout);
}

/* Large values: few keys, so that both ends together stay in memory. */
static bool bench_size(struct bench *bench, const struct options *options, size_t size_bytes)
{
    uint8_t *data = NULL;
    bool is_large = size_bytes >= (size_t)16 << 20;
    uint32_t in_flight = is_large ? 2 : options->in_flight;
    double rate = 0;
    bool is_good = true;

    bench->blob = rt_blob_create(size_bytes, &data);
    bench->key_count = is_large ? LARGE_KEYS : KEYS;
    if (bench->blob == NULL) {
        return false;
    }
    memset(data, 'x', size_bytes);
    for (int is_get = 0; is_get < 2 && is_good; is_get++) {
        /* a first short round touches every key and warms both ends */
        is_good = run(bench, in_flight, 100000, is_get != 0, &rate) &&
                  run(bench, in_flight, options->seconds * 1000000, is_get != 0, &rate);
        if (is_good) {
            print_row("async", size_bytes, is_get != 0 ? "get" : "set", rate);
        }
    }
    rt_blob_release(bench->blob);
    return is_good;
}

static void on_opened(void *arg, const struct ds_result *result)
{
    struct bench *bench = arg;

    bench->in_flight = 0;
    bench->is_stopping = result->status.code != K_OK;
    if (bench->is_stopping) {
        (void)fprintf(stderr, "bench_calls: %s\n", result->status.text);
    }
}

static bool bench_async(const struct options *options)
{
    struct bench bench = {.in_flight = 1};
    struct rt_network *network = NULL;
    struct ds_options client_options;
    bool is_good = false;

    if (rt_loop_create(RT_LOOP_SOCKETS, &bench.loop) != RT_OK ||
        rt_network_create(bench.loop, &network) != RT_OK) {
        return false;
    }
    struct ds_environment environment = {
        .loop = bench.loop, .network = network, .seed = 1, .name = "bench"};
    ds_options_init(&client_options);
    client_options.host = options->host;
    client_options.port = options->port;
    if (ds_client_create(&environment, &client_options, &bench.client) == RT_OK &&
        ds_client_init(bench.client, on_opened, &bench) == RT_OK) {
        is_good = rt_loop_run(bench.loop, is_finished, &bench,
                              rt_loop_now_us(bench.loop) + LIMIT_US) == RT_OK &&
                  !bench.is_stopping;
    }
    for (size_t i = 0; is_good && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        is_good = bench_size(&bench, options, sizes[i]);
    }
    ds_client_destroy(bench.client);
    rt_network_destroy(network);
    rt_loop_destroy(bench.loop);
    return is_good;
}

static bool parse(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--blocking") == 0) {
            options->is_blocking = true;
        } else if (strcmp(argv[i], "--worker_address") == 0 && i + 1 < argc) {
            (void)snprintf(options->host, sizeof(options->host), "%s", argv[++i]);
            char *colon = strrchr(options->host, ':');
            if (colon == NULL) {
                return false;
            }
            *colon = '\0';
            options->port = strtol(colon + 1, NULL, 10);
        } else if (strcmp(argv[i], "--in_flight") == 0 && i + 1 < argc) {
            options->in_flight = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            options->seconds = strtoull(argv[++i], NULL, 10);
        } else {
            return false;
        }
    }
    return options->port > 0 && options->in_flight > 0 && options->seconds > 0;
}

/* ---- blocking ---- */

static bool blocking_round(struct ds_blocking *handle, struct rt_blob *blob,
                           const struct options *options, bool is_get)
{
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value value = {
        .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
    struct ds_set_options set_options = {.write_mode = DS_NONE_L2_CACHE_EVICT};
    struct rt_slice key = rt_slice_text("bench-0");
    uint64_t spent_us = 0;
    uint64_t count = 0;

    while (spent_us < options->seconds * 1000000) {
        struct ds_blocking_result result;
        struct timespec begin;
        struct timespec end;
        (void)clock_gettime(CLOCK_MONOTONIC, &begin);
        bool is_good = is_get ? ds_blocking_get(handle, &key, 1, 0, &result)
                              : ds_blocking_set(handle, key, &value, &set_options, &result);
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        if (!is_good) {
            (void)fprintf(stderr, "bench_calls: %s\n", result.text);
        }
        ds_blocking_result_fini(&result);
        if (!is_good) {
            return false;
        }
        spent_us += (uint64_t)((end.tv_sec - begin.tv_sec) * 1000000 +
                               (end.tv_nsec - begin.tv_nsec) / 1000);
        count++;
    }
    print_row("blocking", piece.bytes.len_bytes, is_get ? "get" : "set",
              (double)count * 1e6 / (double)spent_us);
    return true;
}

static bool bench_blocking(const struct options *options)
{
    struct ds_options client_options;
    struct ds_blocking *handle = NULL;
    struct ds_blocking_result result;
    uint8_t *data = NULL;
    struct rt_blob *blob = rt_blob_create(sizes[0], &data);
    bool is_good = false;

    if (blob == NULL) {
        return false;
    }
    memset(data, 'x', sizes[0]);
    ds_options_init(&client_options);
    client_options.host = options->host;
    client_options.port = options->port;
    if (ds_blocking_create(&client_options, "bench", &handle) == RT_OK) {
        is_good = ds_blocking_init(handle, &result);
        ds_blocking_result_fini(&result);
    }
    for (int is_get = 0; is_get < 2 && is_good; is_get++) {
        is_good = blocking_round(handle, blob, options, is_get != 0);
    }
    ds_blocking_destroy(handle);
    rt_blob_release(blob);
    return is_good;
}

int main(int argc, char **argv)
{
    struct options options = {.in_flight = 32, .seconds = 1};

    if (!parse(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: bench_calls --worker_address HOST:PORT [--in_flight N] "
                              "[--seconds N] [--blocking]\n");
        return 2;
    }
    return (options.is_blocking ? bench_blocking(&options) : bench_async(&options)) ? 0 : 4;
}
