/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dstest run: load and check everything first, then run; nothing starts if any file is invalid.
 * With --jobs the scenarios are dealt out to processes, whose output comes back whole. On sockets
 * time is real, and those beside it take a scenario's: what fails there is run once more, alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/dstest/command.h"
#include "harness/run.h"
#include "runtime/random.h"

#define JOBS_MAX          64
#define PLAIN_PROGRESS_US UINT64_C(5000000)

struct options {
    enum rt_loop_mode mode;
    uint64_t seed;
    const char *journal_path;
    uint64_t repeat;
    unsigned jobs;
    bool is_proving;
    bool is_verbose;
    char **paths;
    size_t path_count;
};

struct suite {
    struct options options;
    struct scn_file **files;
    size_t file_count;
    const struct scn_scenario **scenarios;
    size_t scenario_count;
    struct scn_recorder *recorder;
    FILE *journal;
    const struct scn_scenario **again; /* failed beside others; NULL: no memory for it */
    size_t again_count;
    bool is_alone;
    /* results */
    size_t counts[SCN_VERDICT_COUNT];
    enum scn_verdict worst;
    bool is_terminal;
    uint64_t last_progress_us;
};

static const char help[] =
    "usage: dstest run [OPTIONS] PATH...\n"
    "\n"
    "Runs scenario files, or all *.yaml below folders.\n"
    "\n"
    "  --world sim|sockets  simulated time and network (default), or loopback TCP\n"
    "  --seed N             seed of everything random; same seed, same journal (default 1)\n"
    "  --journal FILE       write every record as a line of JSON\n"
    "  --repeat N           run everything N times\n"
    "  --jobs N             in N processes at a time (default: 1 in sim, 8 on sockets, where\n"
    "                       what fails beside others is run once more, alone)\n"
    "  --prove              run each scenario again without its faults; if nothing changes,\n"
    "                       it tests nothing and is inconclusive\n"
    "  --verbose            a line for each scenario\n"
    "\n"
    "exit codes: 0 pass, 1 fail, 2 invalid file or usage, 3 inconclusive, 4 harness error,\n"
    "            77 all skipped\n";

/* ---- options ---- */

static bool parse_number(const char *text, uint64_t limit, uint64_t *out_number)
{
    char *end = NULL;

    errno = 0;
    *out_number = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *out_number <= limit;
}

static int set_option(struct options *options, const char *name, const char *value)
{
    uint64_t number = 0;

    if (strcmp(name, "--world") == 0) {
        if (strcmp(value, "sim") != 0 && strcmp(value, "sockets") != 0) {
            return dstest_usage_error("run", "there is no world `%s`; take sim or sockets", value);
        }
        options->mode = strcmp(value, "sim") == 0 ? RT_LOOP_SIMULATED : RT_LOOP_SOCKETS;
        return 0;
    }
    if (strcmp(name, "--journal") == 0) {
        options->journal_path = value;
        return 0;
    }
    bool is_jobs = strcmp(name, "--jobs") == 0;
    if (!parse_number(value, is_jobs ? JOBS_MAX : UINT64_MAX, &number)) {
        return dstest_usage_error("run", "%s needs a number%s, not `%s`", name,
                                  is_jobs ? " up to 64" : "", value);
    }
    if (is_jobs) {
        options->jobs = (unsigned)number;
    } else if (strcmp(name, "--seed") == 0) {
        options->seed = number;
    } else {
        options->repeat = number;
    }
    return 0;
}

/* Both `--seed 7` and `--seed=7`. Gives -1 when everything is fine. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const char *const valued[] = {"--world", "--seed", "--journal", "--repeat", "--jobs"};
    static const char *const words[] = {"--world", "--seed",  "--journal", "--repeat",
                                        "--jobs",  "--prove", "--verbose", "--help"};

    options->paths = argv;
    for (int i = 1; i < argc; i++) {
        char *equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
        const char *name = NULL;
        size_t name_bytes = equals == NULL ? strlen(argv[i]) : (size_t)(equals - argv[i]);
        for (size_t k = 0; k < sizeof(valued) / sizeof(valued[0]); k++) {
            if (strlen(valued[k]) == name_bytes && memcmp(valued[k], argv[i], name_bytes) == 0) {
                name = valued[k];
            }
        }
        if (name != NULL) {
            const char *value = equals != NULL ? equals + 1 : ++i < argc ? argv[i] : NULL;
            int result = value == NULL ? dstest_usage_error("run", "%s needs a value", name)
                                       : set_option(options, name, value);
            if (result != 0) {
                return result;
            }
        } else if (strcmp(argv[i], "--prove") == 0) {
            options->is_proving = true;
        } else if (strcmp(argv[i], "--verbose") == 0) {
            options->is_verbose = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            return 0;
        } else if (argv[i][0] == '-') {
            return dstest_unknown_option("run", argv[i], words, sizeof(words) / sizeof(words[0]));
        } else {
            options->paths[options->path_count++] = argv[i];
        }
    }
    return options->path_count > 0 ? -1 : dstest_usage_error("run", "which files?");
}

/* ---- loading ---- */

static bool load_file(struct suite *suite, const char *path)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct scn_file *file = NULL;
    bool is_valid = errors != NULL && scn_file_load(path, errors, &file) == RT_OK;

    if (!is_valid) {
        doc_error_list_print(stderr, errors);
        (void)fputc('\n', stderr);
    } else {
        size_t total = suite->scenario_count + file->count;
        suite->scenarios = realloc(suite->scenarios, total * sizeof(*suite->scenarios));
        suite->files = realloc(suite->files, (suite->file_count + 1) * sizeof(*suite->files));
        if (suite->scenarios == NULL || suite->files == NULL) {
            abort();
        }
        suite->files[suite->file_count++] = file;
        for (size_t i = 0; i < file->count; i++) {
            suite->scenarios[suite->scenario_count++] = &file->scenarios[i];
        }
    }
    doc_error_list_destroy(errors);
    return is_valid;
}

static bool load(struct suite *suite)
{
    struct dstest_files files;
    size_t invalid = 0;

    if (!dstest_files_find(suite->options.paths, suite->options.path_count, &files)) {
        return false;
    }
    for (size_t i = 0; i < files.count; i++) {
        invalid += load_file(suite, files.paths[i]) ? 0 : 1;
    }
    if (invalid > 0) {
        (void)fprintf(stderr, "%zu of %zu files are invalid; nothing was run\n", invalid,
                      files.count);
    }
    dstest_files_free(&files);
    return invalid == 0;
}

/* ---- one scenario ---- */

static void write_journal(struct suite *suite)
{
    for (size_t i = 0; suite->journal != NULL && i < scn_recorder_count(suite->recorder); i++) {
        scn_record_print_json(suite->journal, scn_recorder_at(suite->recorder, i));
    }
}

static enum scn_verdict run_scenario(struct suite *suite, const struct scn_scenario *scenario,
                                     FILE *out)
{
    const struct options *options = &suite->options;
    struct scn_outcome outcome;
    struct scn_run_options run_options = {.mode = options->mode,
                                          .seed = options->seed,
                                          .is_proving = options->is_proving,
                                          .recorder = suite->recorder};
    char again[1024];

    scn_run(scenario, &run_options, &outcome);
    write_journal(suite);
    (void)snprintf(again, sizeof(again), "%s run%s%s --seed %" PRIu64 " %s",
                   program_invocation_name,
                   options->mode == RT_LOOP_SOCKETS ? " --world sockets" : "",
                   options->is_proving ? " --prove" : "", options->seed, scenario->path);
    if (options->is_verbose || (outcome.verdict == SCN_SKIPPED && options->repeat <= 1)) {
        (void)fprintf(out, "%-12s %s: %s%s%s\n", scn_verdict_word(outcome.verdict), scenario->path,
                      scenario->name, outcome.skip_reason == NULL ? "" : " -- ",
                      outcome.skip_reason == NULL ? "" : outcome.skip_reason);
    }
    scn_report_print(out, &outcome, suite->recorder, again);
    enum scn_verdict verdict = outcome.verdict;
    scn_outcome_fini(&outcome);
    return verdict;
}

static void count(struct suite *suite, enum scn_verdict verdict)
{
    bool is_first = true;

    for (size_t i = 0; i < SCN_VERDICT_COUNT; i++) {
        is_first = is_first && suite->counts[i] == 0;
    }
    suite->worst = is_first ? verdict : scn_verdict_worse(suite->worst, verdict);
    suite->counts[verdict]++;
}

static uint64_t wall_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* In place on a terminal; elsewhere a plain line now and then, so that long work shows life. */
static void progress(struct suite *suite, size_t done, size_t total, const char *name)
{
    uint64_t now_us = wall_us();

    if (suite->is_terminal) {
        (void)fprintf(stderr, "\r\033[K[%zu/%zu] %.60s", done, total, name);
        (void)fflush(stderr);
    } else if (now_us - suite->last_progress_us > PLAIN_PROGRESS_US) {
        suite->last_progress_us = now_us;
        (void)fprintf(stderr, "[%zu/%zu] scenarios done\n", done, total);
    }
}

static void clear_progress(const struct suite *suite)
{
    if (suite->is_terminal) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
    }
}

static void run_here(struct suite *suite)
{
    size_t total = suite->scenario_count * suite->options.repeat;
    size_t done = 0;

    for (uint64_t round = 0; round < suite->options.repeat; round++) {
        for (size_t i = 0; i < suite->scenario_count; i++) {
            if (round == 0 || done % 512 == 0) {
                progress(suite, done, total, suite->scenarios[i]->name);
            }
            char *text = NULL;
            size_t text_bytes = 0;
            FILE *out = open_memstream(&text, &text_bytes);
            count(suite, run_scenario(suite, suite->scenarios[i], out));
            (void)fclose(out);
            if (text_bytes > 0) {
                clear_progress(suite);
                (void)fwrite(text, 1, text_bytes, stdout);
            }
            free(text);
            done++;
        }
    }
    clear_progress(suite);
}

/* ---- several processes ---- */

/* One scenario in a process of its own: its text comes through a pipe, its verdict as the exit
 * code. A crash is a harness error with the signal's name. */
struct job {
    pid_t pid;
    int fd;
    const struct scn_scenario *scenario;
    FILE *collect;
    char *text;
    size_t text_bytes;
};

static void start_job(struct suite *suite, struct job *job, const struct scn_scenario *scenario)
{
    int ends[2];

    (void)fflush(NULL);
    if (pipe(ends) != 0) {
        abort();
    }
    job->scenario = scenario;
    job->collect = open_memstream(&job->text, &job->text_bytes);
    job->fd = ends[0];
    job->pid = fork();
    if (job->pid < 0) {
        abort();
    }
    if (job->pid == 0) {
        (void)close(ends[0]);
        FILE *out = fdopen(ends[1], "w");
        enum scn_verdict verdict = run_scenario(suite, scenario, out);
        (void)fclose(out);
        _exit(100 + (int)verdict);
    }
    (void)close(ends[1]);
}

static bool is_for_again(const struct suite *suite, enum scn_verdict verdict)
{
    return suite->again != NULL && !suite->is_alone &&
           (verdict == SCN_FAIL || verdict == SCN_INCONCLUSIVE);
}

static void end_job(struct suite *suite, struct job *job)
{
    int state = 0;
    enum scn_verdict verdict = SCN_HARNESS_ERROR;

    (void)waitpid(job->pid, &state, 0);
    (void)close(job->fd);
    (void)fclose(job->collect);
    clear_progress(suite);
    bool is_whole = WIFEXITED(state) && WEXITSTATUS(state) >= 100 &&
                    WEXITSTATUS(state) < 100 + SCN_VERDICT_COUNT;
    if (is_whole) {
        verdict = (enum scn_verdict)(WEXITSTATUS(state) - 100);
    }
    if (is_for_again(suite, verdict)) {
        suite->again[suite->again_count++] = job->scenario;
        free(job->text);
        *job = (struct job){.fd = -1};
        return;
    }
    (void)fwrite(job->text, 1, job->text_bytes, stdout);
    if (!is_whole) {
        (void)printf("HARNESS ERROR %s: the run ended by %s %d\n", job->scenario->path,
                     WIFSIGNALED(state) ? "signal" : "exit code",
                     WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
    } else if (suite->is_alone && verdict == SCN_PASS) {
        (void)printf("%-12s %s: %s -- alone, after it had failed beside others\n",
                     scn_verdict_word(verdict), job->scenario->path, job->scenario->name);
    }
    free(job->text);
    count(suite, verdict);
    *job = (struct job){.fd = -1};
}

/* True when the job's pipe came to its end. */
static bool read_job(struct job *job)
{
    char piece[4096];
    ssize_t count_bytes = read(job->fd, piece, sizeof(piece));

    if (count_bytes > 0) {
        (void)fwrite(piece, 1, (size_t)count_bytes, job->collect);
    }
    return count_bytes == 0 || (count_bytes < 0 && errno != EINTR);
}

static void run_in_jobs(struct suite *suite)
{
    struct job jobs[JOBS_MAX] = {0};
    struct pollfd polled[JOBS_MAX];
    size_t total = suite->scenario_count * suite->options.repeat;
    size_t started = 0;
    size_t done = 0;

    for (unsigned i = 0; i < suite->options.jobs; i++) {
        jobs[i].fd = -1;
    }
    while (done < total) {
        for (unsigned i = 0; i < suite->options.jobs; i++) {
            if (jobs[i].fd < 0 && started < total) {
                start_job(suite, &jobs[i], suite->scenarios[started % suite->scenario_count]);
                started++;
            }
            polled[i] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
        }
        progress(suite, done, total, "running");
        if (poll(polled, suite->options.jobs, -1) < 0 && errno != EINTR) {
            abort();
        }
        for (unsigned i = 0; i < suite->options.jobs; i++) {
            if (jobs[i].fd >= 0 && polled[i].revents != 0 && read_job(&jobs[i])) {
                end_job(suite, &jobs[i]);
                done++;
            }
        }
    }
    clear_progress(suite);
}

static void run_again(struct suite *suite)
{
    suite->is_alone = true;
    for (size_t i = 0; i < suite->again_count; i++) {
        struct job job = {.fd = -1};
        start_job(suite, &job, suite->again[i]);
        while (!read_job(&job)) {
        }
        end_job(suite, &job);
    }
}

/* ---- the command ---- */

static void print_summary(const struct suite *suite, uint64_t took_us)
{
    size_t total = suite->scenario_count * suite->options.repeat;

    (void)printf("%zu scenarios in %.3f s (%.0f per second), world %s, seed %" PRIu64 "\n", total,
                 (double)took_us / 1e6, (double)total * 1e6 / (double)(took_us > 0 ? took_us : 1),
                 suite->options.mode == RT_LOOP_SIMULATED ? "sim" : "sockets", suite->options.seed);
    if (suite->counts[SCN_SKIPPED] > 0) {
        (void)printf("%zu skipped\n", suite->counts[SCN_SKIPPED]);
    }
    if (suite->counts[SCN_INCONCLUSIVE] > 0) {
        (void)printf("%zu inconclusive\n", suite->counts[SCN_INCONCLUSIVE]);
    }
    (void)printf("%zu passed, %zu failed\n", suite->counts[SCN_PASS],
                 suite->counts[SCN_FAIL] + suite->counts[SCN_HARNESS_ERROR]);
}

static void free_suite(struct suite *suite)
{
    for (size_t i = 0; i < suite->file_count; i++) {
        scn_file_destroy(suite->files[i]);
    }
    free(suite->files);
    free(suite->scenarios);
    free(suite->again);
    scn_recorder_destroy(suite->recorder);
    if (suite->journal != NULL) {
        (void)fclose(suite->journal);
    }
}

static int run_suite(struct suite *suite)
{
    struct options *options = &suite->options;
    uint64_t begin_us = wall_us();

    suite->recorder = scn_recorder_create();
    if (suite->recorder == NULL) {
        return scn_verdict_exit_code(SCN_HARNESS_ERROR);
    }
    if (options->journal_path != NULL) {
        suite->journal = fopen(options->journal_path, "w");
        options->jobs = 1; /* one file, one writer */
        if (suite->journal == NULL) {
            (void)fprintf(stderr, "dstest run: %s: %s\n", options->journal_path, strerror(errno));
            return scn_verdict_exit_code(SCN_HARNESS_ERROR);
        }
    }
    if (options->jobs > 1) {
        /* Who asks for repetitions wants to see how often it fails. */
        if (options->mode == RT_LOOP_SOCKETS && options->repeat == 1) {
            suite->again = calloc(suite->scenario_count, sizeof(*suite->again));
        }
        run_in_jobs(suite);
        run_again(suite);
    } else {
        run_here(suite);
    }
    print_summary(suite, wall_us() - begin_us);
    return scn_verdict_exit_code(suite->worst);
}

int dstest_run(int argc, char **argv)
{
    struct suite suite = {.options = {.mode = RT_LOOP_SIMULATED, .seed = 1, .repeat = 1}};
    int result = parse_options(argc, argv, &suite.options);

    if (result >= 0) {
        return result;
    }
    if (suite.options.jobs == 0) {
        suite.options.jobs = suite.options.mode == RT_LOOP_SIMULATED ? 1 : 8;
    }
    suite.is_terminal = isatty(STDERR_FILENO) != 0;
    suite.last_progress_us = wall_us();
    (void)signal(SIGPIPE, SIG_IGN);
    result = load(&suite) ? run_suite(&suite) : scn_verdict_exit_code(SCN_INVALID);
    free_suite(&suite);
    return result;
}
