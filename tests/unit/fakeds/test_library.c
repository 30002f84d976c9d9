/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

static int connect_to(const struct fakeds *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(fakeds_port(fake))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(socket_fd >= 0);
    if (connect(socket_fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(socket_fd);
        return -1;
    }
    return socket_fd;
}

static void start__no_config__greets_on_a_free_port(void **state)
{
    struct fakeds *fake;
    char greeting[64];
    (void)state;
    assert_int_equal(fakeds_start(NULL, &fake), FAKEDS_OK);
    assert_int_equal(strncmp(fakeds_address(fake), "127.0.0.1:", 10), 0);
    int socket_fd = connect_to(fake);
    assert_int_equal(recv(socket_fd, greeting, sizeof(greeting), MSG_WAITALL), 64);
    assert_int_equal((unsigned char)greeting[0], 0xff);
    close(socket_fd);
    assert_int_equal(fakeds_requests(fake, "set"), 0);
    assert_int_equal(fakeds_requests(fake, "no such word"), 0);
    fakeds_stop(fake);
}

static void start__port_is_taken__busy(void **state)
{
    struct fakeds *first;
    struct fakeds *second = NULL;
    struct fakeds_config config;
    (void)state;
    assert_int_equal(fakeds_start(NULL, &first), FAKEDS_OK);
    fakeds_config_init(&config);
    config.port = fakeds_port(first);
    assert_int_equal(fakeds_start(&config, &second), FAKEDS_BUSY);
    assert_null(second);
    fakeds_stop(first);
    fakeds_stop(NULL);
}

static void arm__a_rule_that_is_none__says_why(void **state)
{
    struct fakeds *fake;
    char why[256] = "";
    (void)state;
    assert_int_equal(fakeds_start(NULL, &fake), FAKEDS_OK);
    assert_int_equal(fakeds_arm(fake, "x: on {op: set} at request do explode", why, sizeof(why)),
                     FAKEDS_INVALID);
    assert_true(strlen(why) > 0);
    assert_null(strchr(why, '\n'));
    assert_int_equal(fakeds_disarm(fake, "x"), FAKEDS_NOT_FOUND);
    fakeds_stop(fake);
}

static void arm__refuse_once__fired_is_counted(void **state)
{
    struct fakeds *fake;
    char why[256] = "";
    char byte;
    (void)state;
    assert_int_equal(fakeds_start(NULL, &fake), FAKEDS_OK);
    assert_int_equal(fakeds_arm(fake, "no: on {} at connect do 1*fin", why, sizeof(why)),
                     FAKEDS_OK);
    int socket_fd = connect_to(fake);
    assert_int_equal(recv(socket_fd, &byte, 1, 0), 0);
    close(socket_fd);
    assert_int_equal(fakeds_fired(fake, "no"), 1);
    assert_int_equal(fakeds_fired(fake, "unknown"), 0);
    fakeds_stop(fake);
}

static void kill_and_restart__port_closed_and_open_again(void **state)
{
    struct fakeds *fake;
    (void)state;
    assert_int_equal(fakeds_start(NULL, &fake), FAKEDS_OK);
    fakeds_kill(fake);
    assert_int_equal(connect_to(fake), -1);
    assert_int_equal(fakeds_restart(fake, false, 0), FAKEDS_OK);
    int socket_fd = connect_to(fake);
    assert_true(socket_fd >= 0);
    close(socket_fd);
    fakeds_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start__no_config__greets_on_a_free_port),
        cmocka_unit_test(start__port_is_taken__busy),
        cmocka_unit_test(arm__a_rule_that_is_none__says_why),
        cmocka_unit_test(arm__refuse_once__fired_is_counted),
        cmocka_unit_test(kill_and_restart__port_closed_and_open_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
