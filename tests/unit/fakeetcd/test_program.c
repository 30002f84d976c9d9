/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/child.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

/* The program as its user meets it. */
#define PROGRAM        BUILD_BIN_DIR "/fakeetcd"
#define FREE_PORT      "--listen-client-urls=http://127.0.0.1:0"
#define NOT_OF_HERE    "http://192.0.2.1:0" /* an address for documentation: no machine has it */
#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define RESIDENT_LIMIT ((size_t)8 * 1024 * 1024)

enum { ENDED = 0, INVALID = 1, UNDEFINED = 2, CANNOT = 3 };

static void assert_said(const struct child *child, const char *words)
{
    if (strstr(child->text, words) == NULL) {
        fail_msg("\"%s\" is not in:\n%s", words, child->text);
    }
}

/* Where it is ready, of "fakeetcd ready at ADDRESS, ...". */
static void start_ready(struct child *child, const char *const *arguments, char out_address[64])
{
    child_start(child, PROGRAM, arguments);
    child_read_until(child, "data in");
    child_read_until(child, "\n");
    const char *line = strstr(child->text, "fakeetcd ready at ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "fakeetcd ready at %63[^,]", out_address), 1);
}

static void stop(struct child *child)
{
    kill(child->pid, SIGTERM);
    assert_int_equal(child_end(child), ENDED);
}

/* One call of the gateway. `out_value` is what stands between `before` and the next quote. */
static void ask(const char *address, const char *method, const char *body, const char *before,
                char out_value[64])
{
    char text[1024];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int port;
    size_t len_bytes = 0;
    ssize_t got;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(sscanf(address, "127.0.0.1:%d", &port), 1);
    to.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    int length = snprintf(text, sizeof(text),
                          "POST /v3/%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          method, strlen(body), body);
    assert_int_equal(write(fd, text, (size_t)length), length);
    while ((got = read(fd, text + len_bytes, sizeof(text) - 1 - len_bytes)) > 0) {
        len_bytes += (size_t)got;
    }
    close(fd);
    text[len_bytes] = '\0';
    const char *value = strstr(text, before);
    assert_non_null(value);
    assert_int_equal(sscanf(value + strlen(before), "%63[^\"]", out_value), 1);
}

static void start__in_memory__ready_small_and_a_clean_stop(void **state)
{
    struct child child;
    char address[64];
    (void)state;
    start_ready(&child, ARGUMENTS(FREE_PORT), address);
    assert_said(&child, "\"ready to serve client requests\"");
    assert_said(&child, "data in memory");
    child_assert_resident(&child, RESIDENT_LIMIT);
    stop(&child);
}

static void port__in_use__says_so(void **state)
{
    struct child first;
    struct child second;
    char address[64];
    char url[80];
    (void)state;
    start_ready(&first, ARGUMENTS(FREE_PORT), address);
    snprintf(url, sizeof(url), "http://%s", address);
    assert_int_equal(child_run(&second, PROGRAM, ARGUMENTS("--listen-client-urls", url)), CANNOT);
    assert_said(&second, "address already in use");
    assert_int_equal(
        child_run(&second, PROGRAM, ARGUMENTS(FREE_PORT, "--listen-metrics-urls", url)), CANNOT);
    assert_said(&second, "address already in use");
    stop(&first);
}

static void address__not_of_this_machine__the_system_says_why(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(child_run(&child, PROGRAM, ARGUMENTS("--listen-client-urls", NOT_OF_HERE)),
                     CANNOT);
    assert_said(&child, "listen on 192.0.2.1:0: Cannot assign requested address");
}

static void address__a_name__is_not_looked_up(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(
        child_run(&child, PROGRAM, ARGUMENTS("--listen-client-urls", "http://somewhere:0")),
        CANNOT);
    assert_said(&child, "listen on somewhere:0: not an IP address with a port");
}

static void data_dir__of_a_living_process__is_refused(void **state)
{
    struct child first;
    struct child second;
    char folder[] = "/tmp/fakeetcd-program-XXXXXX";
    char log[64];
    char address[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    start_ready(&first, ARGUMENTS(FREE_PORT, "--data-dir", folder), address);
    assert_said(&first, folder);
    assert_int_equal(child_run(&second, PROGRAM, ARGUMENTS(FREE_PORT, "--data-dir", folder)),
                     CANNOT);
    assert_said(&second, "another process has it");
    stop(&first);
    start_ready(&first, ARGUMENTS(FREE_PORT, "--data-dir", folder), address);
    stop(&first);
    snprintf(log, sizeof(log), "%s/log", folder);
    unlink(log);
    rmdir(folder);
}

/* A kill takes nothing that was answered: the system has it. */
static void data_dir__without_fsync__outlives_a_kill(void **state)
{
    struct child child;
    char folder[] = "/tmp/fakeetcd-program-XXXXXX";
    char log[64];
    char address[64];
    char revision[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    const char *const *arguments = ARGUMENTS(FREE_PORT, "--data-dir", folder, "--unsafe-no-fsync");
    start_ready(&child, arguments, address);
    ask(address, "kv/put", "{\"key\":\"YQ==\"}", "\"revision\":\"", revision);
    assert_string_equal(revision, "2");
    kill(child.pid, SIGKILL);
    assert_int_equal(child_end(&child), -1);
    start_ready(&child, arguments, address);
    ask(address, "kv/range", "{\"key\":\"YQ==\"}", "\"revision\":\"", revision);
    assert_string_equal(revision, "2");
    stop(&child);
    snprintf(log, sizeof(log), "%s/log", folder);
    unlink(log);
    rmdir(folder);
}

static void flags__wrong__exit_as_etcd_does(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(child_run(&child, PROGRAM, ARGUMENTS("--nope")), UNDEFINED);
    assert_int_equal(child_run(&child, PROGRAM, ARGUMENTS("word")), INVALID);
    assert_int_equal(child_run(&child, PROGRAM, ARGUMENTS("--profile=etcd-9")), INVALID);
    assert_said(&child, "there are etcd-3.4 and etcd-3.5");
    assert_int_equal(child_run(&child, PROGRAM, ARGUMENTS("--help")), ENDED);
    assert_int_equal(child_run(&child, PROGRAM, ARGUMENTS("--version")), ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start__in_memory__ready_small_and_a_clean_stop),
        cmocka_unit_test(port__in_use__says_so),
        cmocka_unit_test(address__not_of_this_machine__the_system_says_why),
        cmocka_unit_test(address__a_name__is_not_looked_up),
        cmocka_unit_test(data_dir__of_a_living_process__is_refused),
        cmocka_unit_test(data_dir__without_fsync__outlives_a_kill),
        cmocka_unit_test(flags__wrong__exit_as_etcd_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
