# SPDX-License-Identifier: Apache-2.0
"""
A relay between a client and a worker: it can be cut, frozen and thawed, and it writes down
which requests passed it and when. So link faults and request counts work in front of the
fake and of the real worker alike.
"""
import selectors
import socket
import struct
import threading
import time

OPERATIONS = {
    ("WorkerService", 1): "socket-path",
    ("WorkerService", 2): "register",
    ("WorkerService", 3): "disconnect",
    ("WorkerService", 4): "heartbeat",
    ("WorkerOCService", 0): "health",
    ("WorkerOCService", 1): "create",
    ("WorkerOCService", 2): "set",
    ("WorkerOCService", 3): "get",
    ("WorkerOCService", 5): "reconcile",
    ("WorkerOCService", 8): "delete",
    ("WorkerOCService", 25): "mset",
    ("WorkerOCService", 35): "mcreate",
    ("WorkerOCService", 36): "query-size",
    ("WorkerOCService", 37): "exist",
    ("WorkerOCService", 38): "expire",
    ("", -2): "zmq-heartbeat",
}
GREETING_BYTES = 64
PIECE_BYTES = 256 * 1024


class Link:
    """Listens on a port of its own and relays to `target`; everything runs on one thread."""

    def __init__(self, target):
        self.requests = []  # (seconds, operation) in order of arrival
        self._target = tuple_of(target)
        self._frozen = False
        self._commands = []
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._wake_in, self._wake_out = socket.socketpair()
        self._selector.register(self._wake_in, selectors.EVENT_READ, self._obey)
        self._pairs = set()
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        """Reset every connection on both sides."""
        self._ask(lambda: [pair.reset() for pair in list(self._pairs)])

    def freeze(self):
        """Nothing moves any more; what arrives is kept."""
        self._ask(lambda: self._set_frozen(True))

    def thaw(self):
        self._ask(lambda: self._set_frozen(False))

    def stop(self):
        self._ask(self._end)
        self._thread.join(5)

    def times_ms(self, operation):
        """Arrival of each request of that operation, counted from the first."""
        times = [seconds for seconds, name in self.requests if name == operation]
        return [round((seconds - times[0]) * 1000) for seconds in times]

    def _ask(self, command):
        done = threading.Event()
        with self._lock:
            self._commands.append((command, done))
        self._wake_out.send(b"!")
        done.wait(5)

    def _obey(self):
        self._wake_in.recv(64)
        with self._lock:
            commands, self._commands = self._commands, []
        for command, done in commands:
            command()
            done.set()

    def _set_frozen(self, frozen):
        self._frozen = frozen
        for pair in list(self._pairs):
            pair.watch()

    def _end(self):
        self._running = False
        for pair in list(self._pairs):
            pair.reset()
        self._listener.close()

    def _run(self):
        while self._running:
            for key, _ in self._selector.select(1):
                if key.fileobj.fileno() >= 0:
                    key.data()

    def _accept(self):
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._target, timeout=3)
        except OSError:
            reset(client)
            return
        self._pairs.add(Pair(self, client, server))


class Pair:
    """One connection: two sockets, and what has still to be written to each."""

    def __init__(self, link, client, server):
        self._link = link
        self._tap = Tap(link.requests)
        self._sockets = (client, server)
        self._waiting = {client: bytearray(), server: bytearray()}
        for one in self._sockets:
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watched = {}
        self.watch()

    def watch(self):
        """Tell the selector what each side waits for now."""
        for one in self._sockets:
            wanted = 0
            if not self._link._frozen:
                wanted = selectors.EVENT_READ if len(self._waiting[self._other(one)]) < 64 * PIECE_BYTES else 0
                wanted |= selectors.EVENT_WRITE if self._waiting[one] else 0
            self._apply(one, wanted)

    def _apply(self, one, wanted):
        selector, now = self._link._selector, self._watched.get(one, 0)
        if wanted == now:
            return
        if not now:
            selector.register(one, wanted, lambda: self._move(one))
        elif not wanted:
            selector.unregister(one)
        else:
            selector.modify(one, wanted, lambda: self._move(one))
        self._watched[one] = wanted

    def _move(self, one):
        try:
            if self._waiting[one]:
                sent = one.send(self._waiting[one][:PIECE_BYTES])
                del self._waiting[one][:sent]
            piece = one.recv(PIECE_BYTES)
        except BlockingIOError:
            self.watch()
            return
        except OSError:
            self.reset()
            return
        if not piece:
            self._close()
            return
        if one is self._sockets[0]:
            self._tap.feed(piece)
        self._waiting[self._other(one)] += piece
        self.watch()

    def reset(self):
        for one in self._sockets:
            self._apply(one, 0)
            reset(one)
        self._link._pairs.discard(self)

    def _close(self):
        for one in self._sockets:
            self._apply(one, 0)
            try:
                one.setblocking(True)
                one.settimeout(1)
                one.sendall(self._waiting[one])
            except OSError:
                pass
            one.close()
        self._link._pairs.discard(self)

    def _other(self, one):
        client, server = self._sockets
        return server if one is client else client


class Tap:
    """Reads ZMTP from the client and writes down the operation of each message's first frame."""

    def __init__(self, requests):
        self._requests = requests
        self._bytes = bytearray()
        self._skip = GREETING_BYTES
        self._first = True  # the next frame starts a message

    def feed(self, piece):
        self._bytes += piece
        while self._bytes:
            gone = min(self._skip, len(self._bytes))
            del self._bytes[:gone]
            self._skip -= gone
            if self._skip or not self._frame():
                return

    def _frame(self):
        """One frame, or False when its header or the wanted body is not complete."""
        header = 9 if self._bytes and self._bytes[0] & 2 else 2
        if len(self._bytes) < header:
            return False
        flags = self._bytes[0]
        size = struct.unpack(">Q", self._bytes[1:9])[0] if header == 9 else self._bytes[1]
        command, more = flags & 4, flags & 1
        if self._first and not command:
            if len(self._bytes) < header + size:
                return False
            self._note(bytes(self._bytes[header:header + size]))
        if not command:
            self._first = not more
        self._skip = header + size
        return True

    def _note(self, meta):
        if meta:
            self._requests.append((time.monotonic(), operation_of(meta)))


def operation_of(meta):
    """Fields 1 (service) and 2 (method) of MetaPb."""
    service, method, at = "", 0, 0
    while at < len(meta):
        tag, at = varint(meta, at)
        if tag & 7 == 2:
            size, at = varint(meta, at)
            if tag >> 3 == 1:
                service = meta[at:at + size].decode(errors="replace")
            at += size
        elif tag & 7 == 0:
            value, at = varint(meta, at)
            if tag >> 3 == 2:
                method = value - (1 << 64) if value >> 63 else value
        else:
            break
    return OPERATIONS.get((service, method), f"{service}/{method}")


def varint(data, at):
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            break
        shift += 7
    return value, at


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def tuple_of(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)
