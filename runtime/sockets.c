/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/network_internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

/*
 *   connect --> CONNECTING --writable--> OPEN <-- accept
 *                   |                     | \
 *                   '--error--> ENDED <---'  rt_stream_close --> FLUSHING --empty--> FINISHED
 *                                     FIN, error                     peer's FIN, error or a
 *                                                                    deadline: the socket closes
 *
 * Writing is done by a task, so that everything flushed in one go leaves in one system call.
 * libevent watches a descriptor only for what could be used now.
 */
enum socket_state {
    SOCKET_CONNECTING,
    SOCKET_OPEN,
    SOCKET_ENDED,    /* nothing comes from it any more; the owner may not know yet */
    SOCKET_FLUSHING, /* given up by its owner, with bytes left to write */
    SOCKET_FINISHED, /* our FIN is out, the peer's is awaited */
};

struct socket_stream {
    struct rt_stream base;
    int fd;
    enum socket_state state;
    bool is_reading;           /* read_event is added */
    bool is_writing;           /* write_event is added */
    bool is_peer_done;         /* its FIN was read */
    enum rt_status write_fate; /* RT_OK, or why writing ended; reading goes on until it ends too */
    struct event read_event;
    struct event write_event;
    struct rt_task write_task;
    struct rt_timer linger_timer;
    struct rt__own_name own_name; /* of one that connected */
};

struct socket_listener {
    struct rt_listener base;
    int fd;
    struct event event;
    struct rt_timer retry_timer; /* no descriptor was left: try again later */
};

#define BACKLOG_COUNT 511

/* One wake-up reads at most this, so that one stream does not keep the others waiting; less when
 * the bytes are not going straight into a blob. */
#define READ_BLOB_AT_MOST_BYTES ((size_t)1024 * 1024)
#define READ_AT_MOST_BYTES      ((size_t)256 * 1024)

/* How long a stream that was closed may go on without progress. */
#define LINGER_US       1000000
#define ACCEPT_RETRY_US 50000
#define DISCARD_BYTES   16384
#define DISCARD_AT_MOST 64

static struct socket_stream *socket_of(struct rt_stream *stream);
static struct socket_stream *create_stream(struct rt_network *network, int fd,
                                           enum socket_state state, const char *peer);
static void watch(struct socket_stream *stream);
static void set_watched(struct event *event, bool *is_added, bool is_wanted);
static enum rt_status status_of(int error);

static void remember_name(struct socket_stream *stream, const char *name);
static void forget_name(struct socket_stream *stream);
static const char *name_of(const struct rt_network *network, const char *address);
static void on_accept_ready(evutil_socket_t fd, short what, void *arg);
static void on_accept_retry(void *arg);

static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_connected(struct socket_stream *stream);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_write_due(void *arg);
static void on_write_failed(struct socket_stream *stream, enum rt_status reason);
static void end(struct socket_stream *stream, enum rt_status reason);

static void linger_on(struct socket_stream *stream);
static void discard_input(struct socket_stream *stream);
static void on_linger_over(void *arg);
static void free_lingering(struct socket_stream *stream);

/* ---- listeners ---------------------------------------------------------------------------- */

static int open_listener(const struct sockaddr_storage *address, socklen_t len_bytes)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    int error;

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (const struct sockaddr *)address, len_bytes) == 0 &&
        listen(fd, BACKLOG_COUNT) == 0) {
        return fd;
    }
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static enum rt_status socket_listen(struct rt_network *network, const char *address,
                                    struct rt_listener **out_listener)
{
    struct socket_listener *listener;
    struct sockaddr_storage real;
    socklen_t len_bytes;
    char text[RT__ADDRESS_TEXT_BYTES];
    int fd;

    if (rt__address_parse(address, &real, &len_bytes) != RT_OK) {
        return RT_E_INVALID;
    }
    fd = open_listener(&real, len_bytes);
    if (fd < 0) {
        return errno == EADDRINUSE ? RT_E_BUSY : RT_E_IO;
    }
    getsockname(fd, (struct sockaddr *)&real, &len_bytes);
    rt__address_print(&real, text);
    listener = calloc(1, sizeof(*listener));
    if (listener == NULL || rt__listener_init(&listener->base, network, text) != RT_OK) {
        free(listener);
        close(fd);
        return RT_E_NOMEM;
    }
    listener->fd = fd;
    rt_timer_init(&listener->retry_timer, network->loop, on_accept_retry, listener);
    event_assign(&listener->event, network->loop->base, fd, EV_READ | EV_PERSIST, on_accept_ready,
                 listener);
    if (event_add(&listener->event, NULL) != 0) {
        rt_listener_destroy(&listener->base);
        return RT_E_NOMEM;
    }
    *out_listener = &listener->base;
    return RT_OK;
}

static void socket_unlisten(struct rt_listener *base)
{
    struct socket_listener *listener = (struct socket_listener *)base; /* its first member */

    event_del(&listener->event);
    rt_timer_disarm(&listener->retry_timer);
    close(listener->fd);
    rt__listener_fini(base);
    free(listener);
}

/* One a time, because the acceptor may destroy the listener. */
static void on_accept_ready(evutil_socket_t fd, short what, void *arg)
{
    struct socket_listener *listener = arg;
    struct sockaddr_storage peer = {0};
    socklen_t len_bytes = sizeof(peer);
    char text[RT__ADDRESS_TEXT_BYTES];
    struct socket_stream *stream;
    int accepted = accept4(fd, (struct sockaddr *)&peer, &len_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (accepted < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The connection stays in the backlog; asking at once again would spin. */
            event_del(&listener->event);
            if (rt_timer_arm_after(&listener->retry_timer, ACCEPT_RETRY_US) != RT_OK) {
                event_add(&listener->event, NULL);
            }
        }
        return;
    }
    rt__address_print(&peer, text);
    stream = create_stream(listener->base.network, accepted, SOCKET_OPEN,
                           name_of(listener->base.network, text));
    if (stream == NULL) {
        close(accepted);
        return;
    }
    watch(stream);
    listener->base.on_accept(listener->base.arg, &stream->base);
}

static void on_accept_retry(void *arg)
{
    struct socket_listener *listener = arg;

    event_add(&listener->event, NULL);
}

/* ---- life --------------------------------------------------------------------------------- */

static struct socket_stream *socket_of(struct rt_stream *stream)
{
    return (struct socket_stream *)stream; /* its first member */
}

static struct socket_stream *create_stream(struct rt_network *network, int fd,
                                           enum socket_state state, const char *peer)
{
    struct socket_stream *stream = calloc(1, sizeof(*stream));
    struct event_base *base = network->loop->base;
    int yes = 1;

    if (stream == NULL || rt__stream_init(&stream->base, network, peer) != RT_OK) {
        free(stream);
        return NULL;
    }
    stream->fd = fd;
    stream->state = state;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    event_assign(&stream->read_event, base, fd, EV_READ | EV_PERSIST, on_readable, stream);
    event_assign(&stream->write_event, base, fd, EV_WRITE | EV_PERSIST, on_writable, stream);
    rt_task_init(&stream->write_task, network->loop, on_write_due, stream);
    rt_timer_init(&stream->linger_timer, network->loop, on_linger_over, stream);
    return stream;
}

static void socket_stop(struct rt_stream *base, bool is_reset)
{
    struct socket_stream *stream = socket_of(base);

    set_watched(&stream->read_event, &stream->is_reading, false);
    set_watched(&stream->write_event, &stream->is_writing, false);
    rt_task_cancel(&stream->write_task);
    rt_timer_disarm(&stream->linger_timer);
    if (is_reset) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};

        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    forget_name(stream);
    close(stream->fd);
}

static void watch(struct socket_stream *stream)
{
    bool has_output = rt_outbox_len_bytes(stream->base.outbox) > 0;
    bool is_lingering = stream->state == SOCKET_FLUSHING || stream->state == SOCKET_FINISHED;
    bool may_read = (stream->state == SOCKET_OPEN && !stream->base.is_paused) || is_lingering;
    bool may_write = stream->state == SOCKET_OPEN || stream->state == SOCKET_FLUSHING;

    set_watched(&stream->read_event, &stream->is_reading, may_read && !stream->is_peer_done);
    set_watched(&stream->write_event, &stream->is_writing,
                stream->state == SOCKET_CONNECTING ||
                    (may_write && has_output && !rt_task_is_scheduled(&stream->write_task)));
}

static void set_watched(struct event *event, bool *is_added, bool is_wanted)
{
    if (*is_added == is_wanted) {
        return;
    }
    if (!is_wanted) {
        event_del(event);
        *is_added = false;
    } else if (event_add(event, NULL) == 0) {
        *is_added = true;
    }
}

static enum rt_status status_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return RT_E_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return RT_E_RESET;
    case ETIMEDOUT:
        return RT_E_TIMEOUT;
    case ENOMEM:
    case ENOBUFS:
        return RT_E_NOMEM;
    default:
        return RT_E_IO;
    }
}

/* ---- names -------------------------------------------------------------------------------- */

/* A connecting socket has its local address at once. Without memory it only stays nameless. */
static void remember_name(struct socket_stream *stream, const char *name)
{
    struct sockaddr_storage local = {0};
    socklen_t len_bytes = sizeof(local);
    enum rt_status status;

    if (getsockname(stream->fd, (struct sockaddr *)&local, &len_bytes) != 0) {
        return;
    }
    stream->own_name.name = strdup(name);
    if (stream->own_name.name == NULL) {
        return;
    }
    rt__address_print(&local, stream->own_name.address);
    RT_TABLE_ADD_BYTES(stream->base.network->own_names, &stream->own_name, stream->own_name.address,
                       strlen(stream->own_name.address), &status);
    if (status != RT_OK) {
        free(stream->own_name.name);
        stream->own_name.name = NULL;
    }
}

static void forget_name(struct socket_stream *stream)
{
    if (stream->own_name.name != NULL) {
        struct rt__own_name *own_name = &stream->own_name;

        RT_TABLE_REMOVE(stream->base.network->own_names, own_name);
        free(own_name->name);
        own_name->name = NULL;
    }
}

static const char *name_of(const struct rt_network *network, const char *address)
{
    struct rt__own_name *found = NULL;

    RT_TABLE_FIND_BYTES(network->own_names, address, strlen(address), found);
    return found == NULL ? address : found->name;
}

/* ---- connecting --------------------------------------------------------------------------- */

static enum rt_status socket_connect(struct rt_network *network, const char *name,
                                     const char *address, struct rt_stream **out_stream)
{
    struct socket_stream *stream;
    struct sockaddr_storage peer;
    socklen_t len_bytes;
    int fd;

    if (rt__address_parse(address, &peer, &len_bytes) != RT_OK) {
        return RT_E_INVALID;
    }
    fd = socket(peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return status_of(errno) == RT_E_NOMEM ? RT_E_NOMEM : RT_E_IO;
    }
    stream = create_stream(network, fd, SOCKET_CONNECTING, address);
    if (stream == NULL) {
        close(fd);
        return RT_E_NOMEM;
    }
    if (connect(fd, (struct sockaddr *)&peer, len_bytes) == 0 || errno == EINPROGRESS) {
        remember_name(stream, name);
        watch(stream); /* writable says that it succeeded or failed */
    } else {
        end(stream, status_of(errno));
    }
    *out_stream = &stream->base;
    return RT_OK;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct socket_stream *stream = arg;
    int error = 0;
    socklen_t len_bytes = sizeof(error);

    (void)what;
    if (stream->state != SOCKET_CONNECTING) {
        on_write_due(stream);
        return;
    }
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len_bytes);
    if (error != 0) {
        end(stream, status_of(error));
        return;
    }
    on_connected(stream);
}

static void on_connected(struct socket_stream *stream)
{
    if (stream->base.is_lingering) {
        stream->state = SOCKET_FLUSHING;
        linger_on(stream);
        return;
    }
    stream->state = SOCKET_OPEN;
    if (rt_outbox_len_bytes(stream->base.outbox) > 0) {
        rt_task_schedule(&stream->write_task);
    }
    watch(stream);
    rt__stream_tell(&stream->base, RT__REPORT_CONNECTED);
}

/* ---- reading ------------------------------------------------------------------------------ */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct socket_stream *stream = arg;
    struct rt_inbox *inbox = stream->base.inbox;
    size_t at_most_bytes =
        rt_inbox_is_blob_wanted(inbox) ? READ_BLOB_AT_MOST_BYTES : READ_AT_MOST_BYTES;
    size_t got_bytes;
    enum rt_status status;

    (void)what;
    if (stream->base.is_lingering) {
        discard_input(stream);
        return;
    }
    status = rt_inbox_read(inbox, fd, at_most_bytes, &got_bytes);
    if (status == RT_E_AGAIN) {
        return;
    }
    if (status != RT_OK) {
        end(stream, status == RT_E_IO ? status_of(errno) : status);
        return;
    }
    if (got_bytes == 0) {
        stream->is_peer_done = true;
        end(stream, stream->write_fate == RT_OK ? RT_E_CLOSED : stream->write_fate);
        return;
    }
    if (rt__inbox_has_news(inbox)) {
        rt__stream_tell(&stream->base, RT__REPORT_INPUT);
    }
}

static void end(struct socket_stream *stream, enum rt_status reason)
{
    if (stream->base.is_lingering) {
        free_lingering(stream);
        return;
    }
    stream->state = SOCKET_ENDED;
    rt_task_cancel(&stream->write_task);
    watch(stream);
    rt__stream_end(&stream->base, reason);
}

static void socket_pause(struct rt_stream *stream)
{
    watch(socket_of(stream));
}

/* ---- writing ------------------------------------------------------------------------------ */

static void socket_flush(struct rt_stream *base)
{
    struct socket_stream *stream = socket_of(base);

    if (stream->state == SOCKET_OPEN && !stream->is_writing &&
        rt_outbox_len_bytes(base->outbox) > 0) {
        rt_task_schedule(&stream->write_task);
    }
}

static void on_write_due(void *arg)
{
    struct socket_stream *stream = arg;
    struct rt_outbox *outbox = stream->base.outbox;
    size_t before_bytes = rt_outbox_len_bytes(outbox);
    enum rt_status status;

    if (stream->write_fate != RT_OK) {
        rt_outbox_clear(outbox);
        return;
    }
    status = rt_outbox_write(outbox, stream->fd);
    if (status == RT_E_IO) {
        on_write_failed(stream, status_of(errno));
        return;
    }
    if (stream->base.is_lingering) {
        linger_on(stream);
        return;
    }
    watch(stream);
    if (status == RT_OK && before_bytes > 0) {
        rt__stream_tell(&stream->base, RT__REPORT_DRAINED);
    }
}

/* What the peer sent before it went is still to be read, and reading then finds the end; only
 * a paused stream would never get there. */
static void on_write_failed(struct socket_stream *stream, enum rt_status reason)
{
    rt_outbox_clear(stream->base.outbox);
    if (stream->base.is_lingering || stream->base.is_paused) {
        end(stream, reason);
        return;
    }
    stream->write_fate = reason;
    watch(stream);
}

/* ---- closing ------------------------------------------------------------------------------ */

static bool socket_linger(struct rt_stream *base)
{
    struct socket_stream *stream = socket_of(base);
    bool has_output = rt_outbox_len_bytes(base->outbox) > 0;

    if (stream->write_fate != RT_OK || (stream->state == SOCKET_CONNECTING && !has_output) ||
        (stream->state == SOCKET_ENDED && !stream->is_peer_done)) {
        return false;
    }
    if (rt_timer_arm_after(&stream->linger_timer, LINGER_US) != RT_OK) {
        return false;
    }
    if (stream->state == SOCKET_CONNECTING) {
        return true;
    }
    stream->state = SOCKET_FLUSHING;
    rt_task_schedule(&stream->write_task);
    return true;
}

/* Called after each progress. Closing while the peer still sends would reset the connection and
 * could destroy what it has not read yet; so its FIN is awaited. */
static void linger_on(struct socket_stream *stream)
{
    bool has_output = rt_outbox_len_bytes(stream->base.outbox) > 0;

    if (stream->state == SOCKET_FLUSHING && !has_output) {
        stream->state = SOCKET_FINISHED;
        shutdown(stream->fd, SHUT_WR);
    }
    if ((stream->state == SOCKET_FINISHED && stream->is_peer_done) ||
        rt_timer_arm_after(&stream->linger_timer, LINGER_US) != RT_OK) {
        free_lingering(stream);
        return;
    }
    watch(stream);
}

static void discard_input(struct socket_stream *stream)
{
    char bytes[DISCARD_BYTES];
    ssize_t got = 1;

    for (int count = 0; got > 0 && count < DISCARD_AT_MOST; count++) {
        got = read(stream->fd, bytes, sizeof(bytes));
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        free_lingering(stream);
        return;
    }
    if (got == 0) {
        stream->is_peer_done = true;
        if (stream->state == SOCKET_FINISHED) {
            free_lingering(stream);
            return;
        }
    }
    watch(stream);
}

static void on_linger_over(void *arg)
{
    free_lingering(arg);
}

static void free_lingering(struct socket_stream *stream)
{
    socket_stop(&stream->base, false);
    rt__stream_free(&stream->base);
}

const struct rt__backend rt__sockets = {
    .listen = socket_listen,
    .unlisten = socket_unlisten,
    .connect = socket_connect,
    .flush = socket_flush,
    .pause = socket_pause,
    .linger = socket_linger,
    .stop = socket_stop,
};
