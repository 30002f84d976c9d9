/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/duration.h"
#include "fakeetcd/program/flags.h"
#include "fakeetcd/program/members.h"
#include "fakeetcd/program/urls.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

enum { WORDS_MAX = 16, HELP_COLUMN = 38, HELP_WIDTH = 100 };

static const char *const *variables; /* name, value, ..., NULL */
static char said[1024];              /* on stderr */

static char *find_variable(const char *name)
{
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i += 2) {
        if (strcmp(variables[i], name) == 0) {
            return (char *)(uintptr_t)variables[i + 1];
        }
    }
    return NULL;
}

/* Parses the words; what it prints to stderr is in `said`. */
static enum flags_result parse(struct flags *flags, const char *const *words)
{
    char *arguments[WORDS_MAX] = {(char *)(uintptr_t) "etcd"};
    int count = 1;
    while (words[count - 1] != NULL) {
        arguments[count] = (char *)(uintptr_t)words[count - 1];
        count++;
    }
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    flags_init(flags);
    enum flags_result result = flags_parse("etcd", count, arguments, find_variable, flags);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
    fclose(file);
    return result;
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int no_variables(void **state)
{
    (void)state;
    variables = NULL;
    return 0;
}

static void flags__one_or_two_dashes_equals_or_blank__mean_the_same(void **state)
{
    struct flags flags;
    (void)state;
    assert_int_equal(
        parse(&flags, WORDS("-name", "a", "--data-dir=d", "-max-txn-ops=7", "--quota-backend-bytes",
                            "99", "--client-cert-auth", "--listen-client-urls=http://127.0.0.1:0")),
        FLAGS_FINE);
    assert_string_equal(flags.name, "a");
    assert_string_equal(flags.data_dir, "d");
    assert_int_equal(flags.max_txn_ops, 7);
    assert_int_equal(flags.quota_bytes, 99);
    assert_true(flags.is_client_cert_required);
    assert_string_equal(flags.listen_client_urls, "http://127.0.0.1:0");
}

static void switches__with_a_value__need_an_equals_sign(void **state)
{
    struct flags flags;
    (void)state;
    assert_int_equal(parse(&flags, WORDS("--auto-tls=T", "--client-cert-auth=false")), FLAGS_FINE);
    assert_true(flags.is_auto_tls);
    assert_false(flags.is_client_cert_required);
    assert_int_equal(parse(&flags, WORDS("--auto-tls", "true")), FLAGS_INVALID);
    assert_string_equal(said, "etcd: 'true' is not a valid flag. See 'etcd --help'.\n");
}

static void variables__of_etcd_and_ours__count_less_than_flags(void **state)
{
    struct flags flags;
    (void)state;
    variables = WORDS("ETCD_NAME", "v", "ETCD_DATA_DIR", "vd", "FAKEETCD_PROFILE", "etcd-3.4",
                      "ETCD_ENABLE_V2", "true", "FAKEETCD_TIME_SCALE", "10", "ETCD_PROFILE", "x");
    assert_int_equal(parse(&flags, WORDS("--name=f")), FLAGS_FINE);
    assert_string_equal(flags.name, "f");
    assert_string_equal(flags.data_dir, "vd");
    assert_string_equal(flags.profile, "etcd-3.4");
    assert_true(flags.time_scale > 9.99 && flags.time_scale < 10.01);
    assert_int_equal(flags.ignored_count, 1);
    assert_string_equal(flags.ignored[0], "enable-v2");
}

static void variable__with_a_bad_value__names_the_variable(void **state)
{
    struct flags flags;
    (void)state;
    variables = WORDS("ETCD_MAX_TXN_OPS", "many");
    assert_int_equal(parse(&flags, WORDS("--name=f")), FLAGS_INVALID);
    assert_non_null(strstr(said, "invalid value \"many\" for ETCD_MAX_TXN_OPS"));
}

/* Words and exit statuses of etcd 3.4.23. */
static void flag__unknown_or_without_value__is_refused_as_by_etcd(void **state)
{
    struct flags flags;
    (void)state;
    assert_int_equal(parse(&flags, WORDS("--data-di", "x")), FLAGS_UNDEFINED);
    assert_string_equal(said, "flag provided but not defined: -data-di\n"
                              "did you mean --data-dir?\n");
    assert_int_equal(parse(&flags, WORDS("--name")), FLAGS_UNDEFINED);
    assert_string_equal(said, "flag needs an argument: -name\n");
    assert_int_equal(parse(&flags, WORDS("--auto-tls=maybe")), FLAGS_UNDEFINED);
    assert_string_equal(said, "invalid boolean value \"maybe\" for flag -auto-tls: parse error\n");
    assert_int_equal(parse(&flags, WORDS("--max-request-bytes", "-1")), FLAGS_UNDEFINED);
    assert_int_equal(parse(&flags, WORDS("--nope")), FLAGS_UNDEFINED);
    assert_string_equal(said, "flag provided but not defined: -nope\nSee 'etcd --help'.\n");
}

static void flag__with_a_value_it_does_not_take__says_which_it_takes(void **state)
{
    struct flags flags;
    (void)state;
    assert_int_equal(parse(&flags, WORDS("--max-txn-ops", "0")), FLAGS_UNDEFINED);
    assert_string_equal(said, "invalid value \"0\" for flag -max-txn-ops: parse error\n"
                              "it takes a whole number from 1 to 4294967295\n");
    assert_int_equal(parse(&flags, WORDS("--time-scale", "0")), FLAGS_UNDEFINED);
    assert_string_equal(said, "invalid value \"0\" for flag -time-scale: parse error\n"
                              "it takes a number from 0.001 to 1000000\n");
    assert_int_equal(parse(&flags, WORDS("--watch-progress-notify-interval", "10")),
                     FLAGS_UNDEFINED);
    assert_string_equal(
        said, "invalid value \"10\" for flag -watch-progress-notify-interval: parse error\n"
              "it takes a time with its unit, such as 10m or 1.5s\n");
}

static void help__every_flag__has_its_words_in_one_column(void **state)
{
    char text[8192];
    FILE *file = tmpfile();
    (void)state;
    assert_non_null(file);
    flags_print_help("fakeetcd", file);
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    char *rest = NULL;
    bool is_name_alone = false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_true(strlen(line) <= HELP_WIDTH);
        assert_true(!is_name_alone || strspn(line, " ") == HELP_COLUMN);
        bool is_flag = strncmp(line, "  --", 4) == 0;
        is_name_alone = is_flag && strstr(line + 4, "  ") == NULL && strlen(line) > HELP_COLUMN &&
                        line[HELP_COLUMN - 1] != ' ';
        assert_true(!is_flag || is_name_alone || line[HELP_COLUMN - 1] == ' ');
    }
}

static void flags_of_etcd__without_a_meaning__are_taken_and_remembered(void **state)
{
    struct flags flags;
    (void)state;
    assert_int_equal(parse(&flags, WORDS("--snapshot-count", "5", "--strict-reconfig-check",
                                         "--initial-cluster-state=new", "-peer-auto-tls=false")),
                     FLAGS_FINE);
    assert_int_equal(flags.ignored_count, 4);
    assert_false(flags.is_unsynced);
    assert_int_equal(parse(&flags, WORDS("--unsafe-no-fsync")), FLAGS_FINE);
    assert_true(flags.is_unsynced); /* this one has a meaning */
    assert_int_equal(flags.ignored_count, 0);
    assert_int_equal(parse(&flags, WORDS("--snapshot-count", "5", "--strict-reconfig-check",
                                         "--initial-cluster-state=new", "-peer-auto-tls=false")),
                     FLAGS_FINE);
    assert_string_equal(flags.ignored[0], "snapshot-count");
    assert_string_equal(flags.ignored[3], "peer-auto-tls");
}

static void duration__as_go_writes_them__is_read(void **state)
{
    uint64_t us = 0;
    (void)state;
    assert_true(duration_parse("10m", &us));
    assert_int_equal(us, 600000000);
    assert_true(duration_parse("1h2m3.5s", &us));
    assert_int_equal(us, 3723500000);
    assert_true(duration_parse("1500us", &us));
    assert_int_equal(us, 1500);
    assert_false(duration_parse("", &us));
    assert_false(duration_parse("10", &us));
    assert_false(duration_parse("-1s", &us));
    assert_false(duration_parse("0s", &us));
    assert_false(duration_parse("1x", &us));
    assert_false(duration_parse("9999999h", &us));
}

static void urls__lists__become_addresses(void **state)
{
    struct urls urls;
    char problem[256];
    (void)state;
    assert_true(urls_parse("http://127.0.0.1:0,http://[::1]:2379/", &urls, problem, 256));
    assert_int_equal(urls.count, 2);
    assert_false(urls.is_tls);
    assert_string_equal(urls.addresses[0], "127.0.0.1:0");
    assert_string_equal(urls.addresses[1], "[::1]:2379");
    assert_true(urls_parse("https://localhost:1", &urls, problem, 256));
    assert_true(urls.is_tls);
    assert_true(urls_parse("", &urls, problem, 256));
    assert_int_equal(urls.count, 0);
}

static void urls__wrong_ones__are_named(void **state)
{
    static const struct {
        const char *list;
        const char *problem;
    } CASES[] = {
        {"unix://a.sock", "unix sockets are not there: unix://a.sock"},
        {"127.0.0.1:2379", "URL scheme must be http or https: 127.0.0.1:2379"},
        {"http://host", "URL address does not have the form \"host:port\": http://host"},
        {"http://host:x", "URL address does not have the form \"host:port\": http://host:x"},
        {"http://h:65536", "the port is not a number up to 65535: http://h:65536"},
        {"http://h:1/path", "URL must not contain a path: http://h:1/path"},
        {"http://h:1,https://h:2", "http and https cannot be mixed here: https://h:2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct urls urls;
        char problem[256];
        assert_false(urls_parse(CASES[i].list, &urls, problem, sizeof(problem)));
        assert_string_equal(problem, CASES[i].problem);
    }
}

static void members__of_an_initial_cluster__the_first_is_the_server(void **state)
{
    struct members members;
    char problem[256];
    (void)state;
    assert_true(members_parse("b=http://h:2,a=http://h:1,b=http://h:3", "a", "", &members, problem,
                              sizeof(problem)));
    assert_int_equal(members.count, 2);
    assert_string_equal(members.names[0], "b");
    assert_string_equal(members.peer_urls[0], "http://h:2,http://h:3");
    assert_true(members_is_relay(&members));
    assert_true(members_parse(NULL, "a", "http://h:1", &members, problem, sizeof(problem)));
    assert_false(members_is_relay(&members));
    assert_string_equal(members.peer_urls[0], "http://h:1");
}

static void members__without_this_one_or_its_url__are_refused(void **state)
{
    struct members members;
    char problem[256];
    (void)state;
    assert_false(members_parse("b=http://h:2", "a", "", &members, problem, sizeof(problem)));
    assert_string_equal(problem,
                        "couldn't find local name \"a\" in the initial cluster configuration");
    assert_false(members_parse("a=", "a", "", &members, problem, sizeof(problem)));
    assert_false(members_parse("http://h:1", "a", "", &members, problem, sizeof(problem)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, no_variables)
    const struct CMUnitTest tests[] = {
        TEST(flags__one_or_two_dashes_equals_or_blank__mean_the_same),
        TEST(switches__with_a_value__need_an_equals_sign),
        TEST(variables__of_etcd_and_ours__count_less_than_flags),
        TEST(variable__with_a_bad_value__names_the_variable),
        TEST(flag__unknown_or_without_value__is_refused_as_by_etcd),
        TEST(flag__with_a_value_it_does_not_take__says_which_it_takes),
        TEST(help__every_flag__has_its_words_in_one_column),
        TEST(flags_of_etcd__without_a_meaning__are_taken_and_remembered),
        TEST(duration__as_go_writes_them__is_read),
        TEST(urls__lists__become_addresses),
        TEST(urls__wrong_ones__are_named),
        TEST(members__of_an_initial_cluster__the_first_is_the_server),
        TEST(members__without_this_one_or_its_url__are_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
