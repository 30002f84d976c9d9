/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bare loopback stream reaches: one thread writes blocks, another reads them, plain write
 * and read. The yardstick for values of the same size. One line of JSON.
 *
 *   bench_stream [--size BYTES] [--seconds N]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES ((size_t)1 << 20)

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct sender {
    uint16_t port;
    size_t size_bytes;
    double seconds;
};

static void *send_blocks(void *arg)
{
    const struct sender *sender = arg;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = sender->port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char *block = malloc(sender->size_bytes);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    double end_s = now_s() + sender->seconds;

    if (block == NULL || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        exit(4);
    }
    memset(block, 'x', sender->size_bytes);
    while (now_s() < end_s) {
        for (size_t at = 0; at < sender->size_bytes;) {
            ssize_t count = write(fd, block + at, sender->size_bytes - at);
            if (count <= 0) {
                exit(4);
            }
            at += (size_t)count;
        }
    }
    (void)close(fd);
    free(block);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sender sender = {.size_bytes = (size_t)64 << 20, .seconds = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t address_bytes = sizeof(address);
    pthread_t thread;
    uint64_t total_bytes = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--size") == 0) {
            sender.size_bytes = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            sender.seconds = strtod(argv[i + 1], NULL);
        }
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char *room = malloc(sender.size_bytes);
    if (listener < 0 || room == NULL ||
        bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &address_bytes) != 0) {
        return 4;
    }
    sender.port = address.sin_port;
    if (pthread_create(&thread, NULL, send_blocks, &sender) != 0) {
        return 4;
    }
    int fd = accept(listener, NULL, NULL);
    double begin_s = now_s();
    size_t at = 0;
    ssize_t count = 0;
    while ((count = read(fd, room + at,
                         sender.size_bytes - at < READ_BYTES ? sender.size_bytes - at
                                                             : READ_BYTES)) > 0) {
        total_bytes += (uint64_t)count;
        at = (at + (size_t)count) % sender.size_bytes;
    }
    double took_s = now_s() - begin_s;
    (void)pthread_join(thread, NULL);
    (void)printf("{\"mode\": \"bare stream\", \"size_bytes\": %zu, \"mb_per_second\": %.1f}\n",
                 sender.size_bytes, (double)total_bytes / 1e6 / took_s);
    free(room);
    return 0;
}
