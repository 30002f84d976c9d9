/* SPDX-License-Identifier: Apache-2.0 */
/* dstest call: one call of a connector from the shell, against any worker, real or fake. */
#include <stdlib.h>

#include "document/error.h"
#include "document/quantity.h"
#include "harness/dstest/call.h"
#include "harness/dstest/command.h"

static const char help[] =
    "usage: dstest call put WHOM KEY [DATA | --file FILE] [--as FORM]\n"
    "       dstest call get WHOM KEY [-o FILE] [--json]\n"
    "       dstest call exist|delete WHOM KEY\n"
    "       dstest call health WHOM\n"
    "       dstest call roundtrip WHOM [KEY]\n"
    "\n"
    "Makes one call as a connector makes it, says how long it took, and why it failed.\n"
    "roundtrip puts a small value, gets it back, compares, and deletes it.\n"
    "\n"
    "WHOM\n"
    "  --config FILE            a transfer configuration; if it has several edges, one of\n"
    "    --edge FROM:TO         this edge\n"
    "    --stage N              the primary connector of this stage\n"
    "  --address HOST:PORT      this worker; --edge is 0:1 unless given\n"
    "  --connector NAME         with --address: YuanrongConnector (default), PollingConnector\n"
    "  --sub-timeout 500ms      how long a get waits for its key (0ms: does not wait)\n"
    "  --connect-timeout 5s     default 5s, so that a dead worker is told soon; the connector's\n"
    "                           own is 60s. A configuration that says one is obeyed.\n"
    "  --request-timeout 5s     of each call; default: connect time-out, sub-timeout and 2s more\n"
    "WHAT\n"
    "  --file FILE              the data of a put; - is standard input\n"
    "  --as text|bytes|json|payload\n"
    "                           how DATA (default text) or the file (default bytes) is read: json\n"
    "                           is the notation of payloads, payload is serialized already\n"
    "  -o FILE                  get: write the serialized value there; - is standard output\n"
    "  --json                   get: print the value in the notation of payloads\n"
    "  --                       what follows is KEY and DATA, also with a dash before it\n"
    "\n"
    "exit codes: 0 done, 1 the call failed or found nothing, 2 usage or configuration,\n"
    "            4 the connector cannot be made\n";

static const struct {
    const char *name;
    enum call_verb verb;
    int least_words; /* KEY, DATA */
    int most_words;
} verbs[] = {
    {"put", CALL_PUT, 1, 2},       {"get", CALL_GET, 1, 1},
    {"exist", CALL_EXIST, 1, 1},   {"delete", CALL_DELETE, 1, 1},
    {"health", CALL_HEALTH, 0, 0}, {"roundtrip", CALL_ROUNDTRIP, 0, 1},
};

static const char *const forms[] = {
    [CALL_TEXT] = "text", [CALL_BYTES] = "bytes", [CALL_JSON] = "json", [CALL_PAYLOAD] = "payload"};

static const char *const option_names[] = {
    "--config", "--edge", "--stage", "--address", "--connector",       "--sub-timeout",    "--file",
    "--as",     "--json", "-o",      "--help",    "--connect-timeout", "--request-timeout"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int parse(struct call_options *options, int argc, char **argv);
static int take_option(struct call_options *options, const char *name, const char *value);
static int take_duration(const char *name, const char *value, uint64_t *out_us);
static int check(const struct call_options *options, int least_words, int words);
static int perform(const struct call_options *options);

int dstest_call(int argc, char **argv)
{
    struct call_options options = {0};
    size_t verb = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (argc < 2) {
        return dstest_usage_error("call", "put, get, exist, delete, health or roundtrip?");
    }
    while (verb < COUNT(verbs) && strcmp(argv[1], verbs[verb].name) != 0) {
        verb++;
    }
    if (verb == COUNT(verbs)) {
        return dstest_usage_error("call",
                                  "there is no call %s; take put, get, exist, delete, health or "
                                  "roundtrip",
                                  argv[1]);
    }
    options.verb = verbs[verb].verb;
    options.verb_text = verbs[verb].name;
    int code = parse(&options, argc - 1, argv + 1);
    if (code != 0) {
        return code;
    }
    if (options.is_helping) {
        (void)fputs(help, stdout);
        return 0;
    }
    int words = (options.key != NULL) + (options.data != NULL);
    if (words > verbs[verb].most_words) {
        return dstest_usage_error("call", "%s takes no %s", argv[1], words == 2 ? "data" : "key");
    }
    code = check(&options, verbs[verb].least_words, words);
    return code != 0 ? code : perform(&options);
}

static bool takes_value(const char *name)
{
    return strcmp(name, "--json") != 0 && strcmp(name, "--help") != 0;
}

static int parse(struct call_options *options, int argc, char **argv)
{
    bool has_ended = false; /* `--`: words only from here on */

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        size_t known = 0;

        if (!has_ended && strcmp(name, "--") == 0) {
            has_ended = true;
            continue;
        }
        if (has_ended || name[0] != '-' || name[1] == '\0') {
            const char **word = options->key == NULL ? &options->key : &options->data;
            if (*word != NULL) {
                return dstest_usage_error("call", "one key and one text, not also %s", name);
            }
            *word = name;
            continue;
        }
        while (known < COUNT(option_names) && strcmp(name, option_names[known]) != 0) {
            known++;
        }
        if (known == COUNT(option_names)) {
            return dstest_unknown_option("call", name, option_names, COUNT(option_names));
        }
        if (takes_value(name) && i + 1 == argc) {
            return dstest_usage_error("call", "%s needs a value", name);
        }
        int code = take_option(options, name, takes_value(name) ? argv[++i] : NULL);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int take_option(struct call_options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--config", &options->config_path},
                 {"--edge", &options->edge},
                 {"--stage", &options->stage},
                 {"--address", &options->address},
                 {"--connector", &options->connector},
                 {"--file", &options->file},
                 {"-o", &options->output}};

    for (size_t i = 0; i < COUNT(texts); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].text = value;
            return 0;
        }
    }
    if (strcmp(name, "--json") == 0) {
        options->is_json = true;
    } else if (strcmp(name, "--help") == 0) {
        options->is_helping = true;
    } else if (strcmp(name, "--sub-timeout") == 0) {
        options->has_sub_timeout = true;
        return take_duration(name, value, &options->sub_timeout_us);
    } else if (strcmp(name, "--connect-timeout") == 0) {
        return take_duration(name, value, &options->connect_timeout_us);
    } else if (strcmp(name, "--request-timeout") == 0) {
        return take_duration(name, value, &options->request_timeout_us);
    } else {
        for (size_t i = 0; i < COUNT(forms); i++) {
            if (strcmp(value, forms[i]) == 0) {
                options->form = (enum call_form)i;
                options->has_form = true;
                return 0;
            }
        }
        return dstest_usage_error("call", "--as text, bytes, json or payload, not %s", value);
    }
    return 0;
}

static int take_duration(const char *name, const char *value, uint64_t *out_us)
{
    struct doc_mistake mistake = {0};

    if (doc_parse_duration(rt_slice_text(value), out_us, &mistake) == RT_OK) {
        return 0;
    }
    return dstest_usage_error("call", "%s %s: %s", name, value, mistake.message);
}

static int check(const struct call_options *options, int least_words, int words)
{
    if (words < least_words) {
        return dstest_usage_error("call", "which key?");
    }
    if ((options->config_path == NULL) == (options->address == NULL)) {
        return dstest_usage_error("call", "whom? give --config FILE or --address HOST:PORT%s",
                                  options->address == NULL ? "" : ", not both");
    }
    if (options->address != NULL && options->stage != NULL) {
        return dstest_usage_error("call", "--stage goes with --config; give --edge FROM:TO");
    }
    if (options->config_path != NULL && options->connector != NULL) {
        return dstest_usage_error("call", "--connector goes with --address");
    }
    if (options->verb == CALL_PUT && (options->data == NULL) == (options->file == NULL)) {
        return dstest_usage_error("call", "put what? give DATA or --file FILE%s",
                                  options->file == NULL ? "" : ", not both");
    }
    if (options->verb != CALL_PUT && (options->file != NULL || options->has_form)) {
        return dstest_usage_error("call", "--file and --as go with put");
    }
    if (options->verb != CALL_GET && (options->output != NULL || options->is_json)) {
        return dstest_usage_error("call", "-o and --json go with get");
    }
    return 0;
}

static int perform(const struct call_options *options)
{
    struct call_target target = {0};
    const struct omni_value *data = NULL;
    int code = call_target_find(options, &target);

    if (code == 0 && options->verb == CALL_PUT) {
        code = call_read_data(options, target.arena, &data);
    }
    if (code == 0) {
        code = call_run(options, &target, data);
    }
    call_target_fini(&target);
    return code;
}
