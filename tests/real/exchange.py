# SPDX-License-Identifier: MIT
"""
The measuring end of a connection, never preloaded: what it receives, and the error that ends it, is
the truth that the cases are judged by.

It sends all that it has to send, also after the other end has finished, while it receives slowly
into a small buffer: so most of a long answer is still queued at the other end when that closes.
"""

import errno
import fcntl
import selectors
import socket
import struct
import termios
import time
from dataclasses import dataclass

RECEIVE_BUFFER_BYTES = 32 << 10
RECEIVE_BYTES = 16 << 10
RECEIVE_PAUSE_S = 0.0005
SECONDS = 10  # longest that one connection may take


@dataclass(frozen=True)
class Traffic:
    """What the measuring end sends: the request at once, the rest when an answer has begun."""

    request: bytes
    rest: bytes = b""
    is_half_closed: bool = False  # when the request is sent


@dataclass(frozen=True)
class Received:
    """How a connection ended. ports: of both ends, which name it in the library's reports."""

    data: bytes
    error: str  # "ECONNRESET", ...; "" for an end without one
    ports: frozenset


def limit_window(sock):
    """Before connect or listen."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


class Exchange:
    """One connection, over a connected socket, which it owns."""

    def __init__(self, sock, traffic):
        self.sock = sock
        self.traffic = traffic
        self.unsent = memoryview(traffic.request)
        self.chunks = []
        self.error = ""
        self.is_ended = False
        self.deadline = time.monotonic() + SECONDS
        self.ports = frozenset((sock.getsockname()[1], sock.getpeername()[1]))
        sock.setblocking(False)
        self.send()

    @classmethod
    def connect(cls, port, traffic):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        limit_window(sock)
        sock.settimeout(SECONDS)
        sock.connect(("127.0.0.1", port))
        return cls(sock, traffic)

    def note(self, number):
        self.error = self.error or errno.errorcode.get(number, str(number))

    def send(self):
        """As much as fits. An error ends the sending; what has arrived can still be received."""
        try:
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
            if self.traffic.is_half_closed:
                self.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError as error:
            self.note(error.errno)
            self.unsent = memoryview(b"")

    def receive(self):
        try:
            data = self.sock.recv(RECEIVE_BYTES)
        except OSError as error:
            self.note(error.errno)
            data = b""
        self.is_ended = not data
        self.take(data)
        time.sleep(RECEIVE_PAUSE_S)

    def take(self, data):
        if data and not self.chunks and self.traffic.rest:
            self.send_later(self.traffic.rest)
        self.chunks.append(data)

    def send_later(self, data):
        self.unsent = memoryview(bytes(self.unsent) + data)

    def wanted_events(self):
        reading = 0 if self.is_ended else selectors.EVENT_READ
        writing = selectors.EVENT_WRITE if self.unsent else 0
        return reading | writing

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            while self.wanted_events():
                selector.modify(self.sock, self.wanted_events())
                ready = selector.select(max(0, self.deadline - time.monotonic()))
                if not ready:
                    self.note(errno.ETIMEDOUT)
                    return
                if ready[0][1] & selectors.EVENT_WRITE:
                    self.send()
                if ready[0][1] & selectors.EVENT_READ:
                    self.receive()

    def take_late_error(self):
        """An RST that comes behind the FIN is seen here alone. True: there was one."""
        late = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if late:
            self.note(late)
        return late != 0

    def unacknowledged_bytes(self):
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4))[0]

    def await_acknowledgement(self):
        """Until the other end's kernel has all that was sent, or refuses it."""
        while self.unacknowledged_bytes() > 0 and not self.take_late_error():
            if time.monotonic() > self.deadline:
                self.note(errno.ETIMEDOUT)
                return
            time.sleep(0.001)
        self.take_late_error()

    def finish(self):
        """Go on to the end, and close."""
        with self.sock:
            self.run()
            if not self.error:
                self.await_acknowledgement()
        return Received(b"".join(self.chunks), self.error, self.ports)
