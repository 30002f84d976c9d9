/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a member on its disk. What changes is collected in a writer; a commit makes one frame
 * of it, so that a torn frame takes all of a commit or nothing.
 *
 *   open:   lock, read, cut a torn tail off, term + 1
 *   commit: append + fdatasync; or, when the log has grown or could not be written, a new one:
 *           log.new, fsync, rename, fsync of the directory
 */
#include "fakeetcd/disk/data_dir_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_NAME        "log"
#define NEW_LOG_NAME    "log.new"
#define GROWN_TIMES     4                   /* rewritten at so many times the snapshot, ... */
#define GROWN_BYTES_MIN ((uint64_t)4 << 20) /* ... and this more */

struct fakeetcd_data_dir {
    char *path;
    int dir_fd; /* holds the lock */
    int log_fd;
    struct fakeetcd_state *state;
    struct fakeetcd__log_writer writer; /* since the last commit */
    bool is_unsynced;
    bool is_auth_changed;
    bool is_alarms_changed;
    bool is_cluster_changed;
    uint64_t written_term;
    bool is_rewrite_needed; /* the log misses something, or ends in half a frame */
    uint64_t log_bytes;
    uint64_t snapshot_bytes;
};

struct complaint {
    char *text;
    size_t text_bytes;
};

static enum rt_status lock_directory(struct fakeetcd_data_dir *dir, struct complaint complaint);
static enum rt_status read_log(struct fakeetcd_data_dir *dir, uint64_t now_us,
                               struct fakeetcd_data_dir_report *report, struct complaint complaint);
static enum rt_status begin_term(struct fakeetcd_data_dir *dir, struct complaint complaint);
static enum rt_status rewrite(struct fakeetcd_data_dir *dir);
static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count);

static enum rt_status fail(const struct fakeetcd_data_dir *dir, struct complaint complaint,
                           enum rt_status status, const char *what)
{
    const char *why = status == RT_E_IO ? strerror(errno) : rt_status_text(status);

    (void)snprintf(complaint.text, complaint.text_bytes, "%s: %s: %s", dir->path, what, why);
    return status;
}

static struct fakeetcd_data_dir *make(const char *path, struct fakeetcd_state *state)
{
    struct fakeetcd_data_dir *dir = calloc(1, sizeof(*dir));

    if (dir == NULL) {
        return NULL;
    }
    dir->state = state;
    dir->dir_fd = -1;
    dir->log_fd = -1;
    dir->path = strdup(path);
    if (dir->path == NULL || fakeetcd__log_writer_init(&dir->writer) != RT_OK) {
        fakeetcd_data_dir_close(dir);
        return NULL;
    }
    return dir;
}

void fakeetcd_data_dir_leave_unsynced(struct fakeetcd_data_dir *dir)
{
    dir->is_unsynced = true;
}

/* The observer is the last step: it cannot be taken back. */
enum rt_status fakeetcd_data_dir_open(const char *path, struct fakeetcd_state *state,
                                      uint64_t now_us, struct fakeetcd_data_dir **out_dir,
                                      struct fakeetcd_data_dir_report *out_report, char *out_error,
                                      size_t error_bytes)
{
    struct complaint complaint = {.text = out_error, .text_bytes = error_bytes};
    struct fakeetcd_data_dir_report report = {0};
    struct fakeetcd_data_dir *dir = make(path, state);

    if (dir == NULL) {
        (void)snprintf(out_error, error_bytes, "%s: %s", path, rt_status_text(RT_E_NOMEM));
        return RT_E_NOMEM;
    }
    enum rt_status status = lock_directory(dir, complaint);
    if (status == RT_OK) {
        status = read_log(dir, now_us, &report, complaint);
    }
    if (status == RT_OK) {
        status = begin_term(dir, complaint);
    }
    if (status == RT_OK) {
        status = fakeetcd_store_observe(state->store, on_revision, dir);
    }
    if (status != RT_OK) {
        fakeetcd_data_dir_close(dir);
        return status;
    }
    *out_report = report;
    *out_dir = dir;
    return RT_OK;
}

void fakeetcd_data_dir_close(struct fakeetcd_data_dir *dir)
{
    if (dir == NULL) {
        return;
    }
    if (dir->log_fd >= 0) {
        (void)close(dir->log_fd);
    }
    if (dir->dir_fd >= 0) {
        (void)close(dir->dir_fd);
    }
    if (dir->writer.body != NULL) {
        fakeetcd__log_writer_fini(&dir->writer);
    }
    free(dir->path);
    free(dir);
}

/* ---- opening ---- */

/* With what is above it. Whether it worked is seen when it is opened. */
static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
}

static enum rt_status lock_directory(struct fakeetcd_data_dir *dir, struct complaint complaint)
{
    if (dir->path[0] == '\0') {
        return fail(dir, complaint, RT_E_INVALID, "the empty path");
    }
    make_directories(dir->path);
    dir->dir_fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->dir_fd < 0) {
        return fail(dir, complaint, RT_E_IO, "cannot be opened");
    }
    if (flock(dir->dir_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail(dir, complaint, RT_E_IO, "cannot be locked");
        }
        (void)snprintf(complaint.text, complaint.text_bytes, "%s: another process has it",
                       dir->path);
        return RT_E_BUSY;
    }
    return RT_OK;
}

static enum rt_status restore(struct fakeetcd_data_dir *dir, struct rt_slice log, uint64_t now_us,
                              struct fakeetcd_data_dir_report *report, struct complaint complaint)
{
    struct fakeetcd__restored restored;
    enum rt_status status = fakeetcd__log_restore(log, dir->state, now_us, &restored);

    if (status == RT_E_MALFORMED) {
        (void)snprintf(complaint.text, complaint.text_bytes, "%s/" LOG_NAME ": offset %llu: %s",
                       dir->path, (unsigned long long)restored.problem_at, restored.problem);
        return status;
    }
    if (status != RT_OK) {
        return fail(dir, complaint, status, LOG_NAME);
    }
    report->records = restored.frames;
    report->torn_bytes = log.len_bytes - restored.good_bytes;
    dir->log_bytes = restored.good_bytes;
    dir->snapshot_bytes = restored.snapshot_bytes;
    if (report->torn_bytes > 0 &&
        (ftruncate(dir->log_fd, (off_t)dir->log_bytes) != 0 || fdatasync(dir->log_fd) != 0)) {
        return fail(dir, complaint, RT_E_IO, "the torn tail of its log cannot be cut off");
    }
    return RT_OK;
}

static enum rt_status read_log(struct fakeetcd_data_dir *dir, uint64_t now_us,
                               struct fakeetcd_data_dir_report *report, struct complaint complaint)
{
    struct stat about;

    dir->log_fd = openat(dir->dir_fd, LOG_NAME, O_RDWR | O_APPEND | O_CLOEXEC);
    if (dir->log_fd < 0 && errno == ENOENT) {
        report->is_new = true;
        return RT_OK;
    }
    if (dir->log_fd < 0 || fstat(dir->log_fd, &about) != 0) {
        return fail(dir, complaint, RT_E_IO, "its log cannot be opened");
    }
    if (about.st_size == 0) {
        return restore(dir, (struct rt_slice){0}, now_us, report, complaint);
    }
    size_t len_bytes = (size_t)about.st_size;
    void *bytes = mmap(NULL, len_bytes, PROT_READ, MAP_PRIVATE, dir->log_fd, 0);
    if (bytes == MAP_FAILED) {
        return fail(dir, complaint, RT_E_IO, "its log cannot be read");
    }
    enum rt_status status = restore(dir, rt_slice_of(bytes, len_bytes), now_us, report, complaint);
    (void)munmap(bytes, len_bytes);
    return status;
}

static enum rt_status begin_term(struct fakeetcd_data_dir *dir, struct complaint complaint)
{
    dir->is_rewrite_needed = dir->log_fd < 0;
    dir->written_term = dir->state->raft_term;
    dir->state->raft_term += dir->is_rewrite_needed ? 0 : 1;
    enum rt_status status = fakeetcd_data_dir_commit(dir);
    return status == RT_OK ? RT_OK : fail(dir, complaint, status, "its log cannot be written");
}

/* ---- what is new ---- */

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count)
{
    struct fakeetcd_data_dir *dir = arg;

    (void)revision;
    for (size_t i = 0; i < count; i++) {
        fakeetcd__entry_version(&dir->writer, &changes[i].kv);
    }
}

void fakeetcd_data_dir_lease_granted(struct fakeetcd_data_dir *dir, int64_t id, int64_t ttl_s)
{
    const uint64_t numbers[] = {FAKEETCD__ENTRY_LEASE, (uint64_t)id, (uint64_t)ttl_s};

    fakeetcd__write_numbers(&dir->writer, numbers, 3);
}

void fakeetcd_data_dir_lease_gone(struct fakeetcd_data_dir *dir, int64_t id)
{
    const uint64_t numbers[] = {FAKEETCD__ENTRY_LEASE_GONE, (uint64_t)id};

    fakeetcd__write_numbers(&dir->writer, numbers, 2);
}

void fakeetcd_data_dir_compacted(struct fakeetcd_data_dir *dir, int64_t revision)
{
    const uint64_t numbers[] = {FAKEETCD__ENTRY_COMPACTED, (uint64_t)revision};

    fakeetcd__write_numbers(&dir->writer, numbers, 2);
}

void fakeetcd_data_dir_auth_changed(struct fakeetcd_data_dir *dir)
{
    dir->is_auth_changed = true;
}

void fakeetcd_data_dir_alarms_changed(struct fakeetcd_data_dir *dir)
{
    dir->is_alarms_changed = true;
}

void fakeetcd_data_dir_cluster_changed(struct fakeetcd_data_dir *dir)
{
    dir->is_cluster_changed = true;
}

enum rt_status fakeetcd_data_dir_replaced(struct fakeetcd_data_dir *dir)
{
    dir->is_rewrite_needed = true;
    return fakeetcd_store_observe(dir->state->store, on_revision, dir);
}

/* ---- making it durable ---- */

static enum rt_status append(struct fakeetcd_data_dir *dir)
{
    const uint64_t index[] = {FAKEETCD__ENTRY_INDEX, dir->state->raft_index};
    const uint64_t alarms[] = {FAKEETCD__ENTRY_ALARMS, dir->state->alarms};
    const uint64_t term[] = {FAKEETCD__ENTRY_TERM, dir->state->raft_term};
    uint64_t len_bytes = 0;
    enum rt_status status = RT_OK;

    fakeetcd__write_numbers(&dir->writer, index, 2);
    if (dir->state->raft_term != dir->written_term) {
        fakeetcd__write_numbers(&dir->writer, term, 2);
    }
    if (dir->is_alarms_changed) {
        fakeetcd__write_numbers(&dir->writer, alarms, 2);
    }
    if (dir->is_cluster_changed) {
        fakeetcd__entry_cluster(&dir->writer, dir->state);
    }
    if (dir->is_auth_changed) {
        status = fakeetcd__entry_auth(&dir->writer, dir->state->auth);
    }
    if (status == RT_OK) {
        status = fakeetcd__log_writer_flush(&dir->writer, dir->log_fd, &len_bytes);
    }
    if (status == RT_OK && !dir->is_unsynced && fdatasync(dir->log_fd) != 0) {
        status = RT_E_IO;
    }
    dir->log_bytes += len_bytes;
    return status;
}

static bool has_grown(const struct fakeetcd_data_dir *dir)
{
    return dir->log_bytes > dir->snapshot_bytes * GROWN_TIMES + GROWN_BYTES_MIN;
}

/* A log that could not be appended to is not trusted any more: the state in memory is whole, so
 * the next commit writes all of it anew. */
enum rt_status fakeetcd_data_dir_commit(struct fakeetcd_data_dir *dir)
{
    enum rt_status status = RT_OK;

    if (dir->writer.len_bytes == 0 && !dir->writer.is_short_of_memory && !dir->is_auth_changed &&
        !dir->is_alarms_changed && !dir->is_cluster_changed && !dir->is_rewrite_needed &&
        dir->written_term == dir->state->raft_term) {
        return RT_OK;
    }
    if (dir->is_rewrite_needed || dir->writer.is_short_of_memory || has_grown(dir)) {
        status = rewrite(dir);
    } else {
        status = append(dir);
    }
    dir->is_rewrite_needed = status != RT_OK;
    dir->is_auth_changed = false;
    dir->is_alarms_changed = false;
    dir->is_cluster_changed = false;
    dir->written_term = dir->state->raft_term;
    fakeetcd__log_writer_clear(&dir->writer);
    return status;
}

/* Either the old log is there or the new one, whenever it stops. */
static enum rt_status rewrite(struct fakeetcd_data_dir *dir)
{
    uint64_t len_bytes = 0;
    int fd =
        openat(dir->dir_fd, NEW_LOG_NAME, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0) {
        return RT_E_IO;
    }
    enum rt_status status = fakeetcd__log_snapshot(dir->state, fd, &len_bytes);
    if (status == RT_OK &&
        (fsync(fd) != 0 || renameat(dir->dir_fd, NEW_LOG_NAME, dir->dir_fd, LOG_NAME) != 0)) {
        status = RT_E_IO;
    }
    if (status != RT_OK) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return status;
    }
    if (dir->log_fd >= 0) {
        (void)close(dir->log_fd);
    }
    dir->log_fd = fd;
    dir->log_bytes = len_bytes;
    dir->snapshot_bytes = len_bytes;
    return fsync(dir->dir_fd) == 0 ? RT_OK : RT_E_IO;
}
