/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the connector's serializer and its blocking face cost. One line of JSON for each row.
 *
 *   bench_serializer codec [--size BYTES] [--seconds N]
 *       encodes and decodes a float32 tensor, and counts the bytes of it that were copied
 *   bench_serializer transfer --worker_address HOST:PORT [--size BYTES] [--seconds N]
 *       puts and gets that tensor over loopback
 *   bench_serializer threads --worker_address HOST:PORT [--threads N] [--seconds N]
 *       gets a small value from N threads on one connector
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "connector/omni_blocking.h"
#include "connector/omni_serializer.h"

#define THREADS_MAX 64
#define SMALL_BYTES 256

struct options {
    char host[128];
    int64_t port;
    size_t size_bytes;
    int thread_count;
    double seconds;
};

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool fail(const char *what)
{
    (void)fprintf(stderr, "bench_serializer: %s\n", what);
    return false;
}

/* A float32 tensor of that many bytes; its data lies in a blob of its own. */
static const struct omni_value *make_tensor(struct omni_arena *arena, size_t size_bytes)
{
    uint8_t *data = NULL;
    struct rt_blob *blob = rt_blob_create(size_bytes / 4 * 4, &data);
    int64_t shape[] = {(int64_t)(size_bytes / 4)};

    if (blob == NULL || arena == NULL) {
        rt_blob_release(blob);
        return NULL;
    }
    for (size_t i = 0; i < size_bytes / 4 * 4; i++) {
        data[i] = (uint8_t)(i * 131);
    }
    const struct omni_value *tensor = omni_tensor(arena, OMNI_TENSOR, "float32", shape, 1, blob);
    rt_blob_release(blob);
    return tensor;
}

/* ---- codec --------------------------------------------------------------------------------- */

/* As the network delivers it: one blob. */
static struct rt_blob *join(const struct omni_encoded *encoded)
{
    uint8_t *data = NULL;
    struct rt_blob *joined = rt_blob_create((size_t)encoded->value.total_bytes, &data);

    for (size_t i = 0; joined != NULL && i < encoded->value.piece_count; i++) {
        struct rt_slice piece = encoded->value.pieces[i].bytes;
        memcpy(data, piece.data, piece.len_bytes);
        data += piece.len_bytes;
    }
    return joined;
}

/* One encoding and one decoding; what came out is looked at, so that neither is left out. */
static bool run_codec_once(const struct omni_value *tensor, struct rt_blob *document,
                           struct omni_encoded *out_encoded)
{
    struct omni_codec_error error;
    const struct omni_value *back = NULL;
    struct omni_arena *arena = omni_arena_create();
    bool is_good = arena != NULL && omni_encode(tensor, NULL, out_encoded, &error) == RT_OK;

    if (is_good && omni_decode(document, arena, NULL, &back, &error) != RT_OK) {
        omni_encoded_fini(out_encoded);
        is_good = false;
    }
    is_good = is_good && back->kind == OMNI_TENSOR &&
              back->tensor.body.bytes.len_bytes == tensor->tensor.body.bytes.len_bytes;
    omni_arena_destroy(arena);
    return is_good;
}

static bool bench_codec(const struct options *options)
{
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *tensor = make_tensor(arena, options->size_bytes);
    struct omni_encoded encoded;
    struct omni_codec_error error;

    if (tensor == NULL || omni_encode(tensor, NULL, &encoded, &error) != RT_OK) {
        return fail("the tensor is not encoded");
    }
    struct rt_blob *document = join(&encoded);
    uint64_t copied_bytes = encoded.copied_bytes;
    size_t header_bytes = rt_blob_slice(encoded.headers).len_bytes;
    size_t total_bytes = (size_t)encoded.value.total_bytes;
    omni_encoded_fini(&encoded);
    uint64_t count = 0;
    double begin_s = now_s();
    bool is_good = document != NULL;
    while (is_good && now_s() - begin_s < options->seconds) {
        is_good = run_codec_once(tensor, document, &encoded);
        if (is_good) {
            omni_encoded_fini(&encoded);
        }
        count++;
    }
    double us = (now_s() - begin_s) * 1e6 / (double)count;
    rt_blob_release(document);
    omni_arena_destroy(arena);
    if (!is_good) {
        return fail("encoding or decoding failed");
    }
    (void)printf("{\"what\": \"codec\", \"size_bytes\": %zu, \"document_bytes\": %zu, "
                 "\"us\": %.3f, \"header_bytes\": %zu, \"copied_bytes\": %llu}\n",
                 options->size_bytes, total_bytes, us, header_bytes,
                 (unsigned long long)copied_bytes);
    return true;
}

/* ---- through a connector ------------------------------------------------------------------- */

static struct omni_blocking *connect_to(const struct options *options)
{
    struct omni_arena *arena = omni_arena_create();
    struct omni_blocking *blocking = NULL;
    char text[OMNI_BLOCKING_TEXT_BYTES] = "out of memory";

    if (arena != NULL) {
        struct omni_pair pairs[] = {
            {omni_text(arena, rt_slice_text("host")),
             omni_text(arena, rt_slice_text(options->host))},
            {omni_text(arena, rt_slice_text("port")), omni_int(arena, options->port)},
        };
        struct omni_blocking_config config = {.connector = {.extra = omni_map(arena, pairs, 2)}};
        if (omni_blocking_create(&config, &blocking, text) != RT_OK) {
            (void)fail(text);
        }
    }
    omni_arena_destroy(arena);
    return blocking;
}

static bool put_once(struct omni_blocking *blocking, struct rt_slice key,
                     const struct omni_value *value)
{
    struct omni_call_result result;

    return (omni_blocking_put(blocking, "0", "1", key, value, &result) == RT_OK &&
            result.outcome == OMNI_DONE) ||
           fail(result.text);
}

static bool get_once(struct omni_blocking *blocking, struct rt_slice key, size_t size_bytes)
{
    struct omni_call_result result;

    if (omni_blocking_get(blocking, "0", "1", key, &result) != RT_OK ||
        result.outcome != OMNI_DONE) {
        return fail(result.text);
    }
    bool is_whole =
        result.data->kind == OMNI_TENSOR && result.data->tensor.body.bytes.len_bytes == size_bytes;
    omni_arena_destroy(result.arena);
    return is_whole || fail("another value came back");
}

static bool bench_transfer(const struct options *options)
{
    struct omni_blocking *blocking = connect_to(options);
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *tensor = make_tensor(arena, options->size_bytes);
    struct rt_slice key = rt_slice_text("bench-tensor");
    size_t body_bytes = options->size_bytes / 4 * 4;
    double put_s = 0;
    double get_s = 0;
    uint64_t count = 0;
    bool is_good = blocking != NULL && tensor != NULL;

    /* The first round makes pages and buffers on both sides. */
    is_good = is_good && put_once(blocking, key, tensor) && get_once(blocking, key, body_bytes);
    while (is_good && put_s + get_s < options->seconds) {
        double begin_s = now_s();
        is_good = put_once(blocking, key, tensor);
        double middle_s = now_s();
        is_good = is_good && get_once(blocking, key, body_bytes);
        put_s += middle_s - begin_s;
        get_s += now_s() - middle_s;
        count++;
    }
    omni_blocking_destroy(blocking);
    omni_arena_destroy(arena);
    if (is_good) {
        double moved_mb = (double)count * (double)body_bytes / 1e6;
        (void)printf("{\"what\": \"transfer\", \"size_bytes\": %zu, \"put_mb_per_second\": %.1f, "
                     "\"get_mb_per_second\": %.1f, \"mb_per_second\": %.1f}\n",
                     options->size_bytes, moved_mb / put_s, moved_mb / get_s,
                     2 * moved_mb / (put_s + get_s));
    }
    return is_good;
}

/* ---- threads ------------------------------------------------------------------------------- */

struct getter {
    struct omni_blocking *blocking;
    double end_s;
    uint64_t count;
    bool is_good;
};

static void *get_for_a_while(void *arg)
{
    struct getter *getter = arg;
    struct rt_slice key = rt_slice_text("bench-small");

    getter->is_good = true;
    while (getter->is_good && now_s() < getter->end_s) {
        getter->is_good = get_once(getter->blocking, key, SMALL_BYTES);
        getter->count++;
    }
    return NULL;
}

static bool bench_threads(const struct options *options)
{
    struct omni_blocking *blocking = connect_to(options);
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *tensor = make_tensor(arena, SMALL_BYTES);
    struct getter getters[THREADS_MAX] = {{.blocking = NULL}};
    pthread_t threads[THREADS_MAX];
    uint64_t count = 0;
    bool is_good = blocking != NULL && tensor != NULL &&
                   put_once(blocking, rt_slice_text("bench-small"), tensor);
    double begin_s = now_s();

    for (int i = 0; is_good && i < options->thread_count; i++) {
        getters[i] = (struct getter){.blocking = blocking, .end_s = begin_s + options->seconds};
        if (pthread_create(&threads[i], NULL, get_for_a_while, &getters[i]) != 0) {
            exit(4); /* the others would run on */
        }
    }
    for (int i = 0; is_good && i < options->thread_count; i++) {
        (void)pthread_join(threads[i], NULL);
        count += getters[i].count;
    }
    double took_s = now_s() - begin_s;
    for (int i = 0; i < options->thread_count; i++) {
        is_good = is_good && getters[i].is_good;
    }
    omni_blocking_destroy(blocking);
    omni_arena_destroy(arena);
    if (is_good) {
        (void)printf("{\"what\": \"threads\", \"threads\": %d, \"gets_per_second\": %.0f}\n",
                     options->thread_count, (double)count / took_s);
    }
    return is_good;
}

/* ---- arguments ----------------------------------------------------------------------------- */

static bool parse(int argc, char **argv, struct options *options)
{
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--size") == 0) {
            options->size_bytes = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            options->seconds = strtod(argv[i + 1], NULL);
        } else if (strcmp(argv[i], "--threads") == 0) {
            options->thread_count = (int)strtol(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--worker_address") == 0) {
            (void)snprintf(options->host, sizeof(options->host), "%s", argv[i + 1]);
            char *colon = strrchr(options->host, ':');
            if (colon == NULL) {
                return false;
            }
            *colon = '\0';
            options->port = strtol(colon + 1, NULL, 10);
        } else {
            return false;
        }
    }
    return argc >= 2 && argc % 2 == 0 && options->seconds > 0 && options->size_bytes >= 4 &&
           options->thread_count > 0 && options->thread_count <= THREADS_MAX;
}

int main(int argc, char **argv)
{
    struct options options = {.size_bytes = (size_t)64 << 20, .thread_count = 1, .seconds = 1};
    static const struct {
        const char *word;
        bool (*run)(const struct options *options);
        bool needs_worker;
    } rows[] = {{"codec", bench_codec, false},
                {"transfer", bench_transfer, true},
                {"threads", bench_threads, true}};

    for (size_t i = 0; parse(argc, argv, &options) && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(argv[1], rows[i].word) == 0 && (!rows[i].needs_worker || options.port > 0)) {
            return rows[i].run(&options) ? 0 : 4;
        }
    }
    (void)fprintf(stderr, "usage: bench_serializer codec|transfer|threads "
                          "[--worker_address HOST:PORT] [--size BYTES] [--threads N] "
                          "[--seconds N]\n");
    return 2;
}
