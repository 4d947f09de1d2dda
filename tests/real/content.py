# SPDX-License-Identifier: MIT
"""What is sent and expected: text in which each line is its own number, so that any loss shows."""

LINE = b"%015d\n"
LINE_BYTES = 16


def lines(size):
    return b"".join(LINE % number for number in range(size // LINE_BYTES))


HUGE = lines(12 << 20)
LARGE = lines(3 << 20)
MEDIUM = lines(300 << 10)
BODY = lines(20 << 10)  # that a server has no reason to read
PAGE = b"too large\n" * 20  # of the servers in programs/

WC_OF_MEDIUM = b"%7d %7d %7d\n" % (len(MEDIUM) // LINE_BYTES, len(MEDIUM) // LINE_BYTES, len(MEDIUM))


def http(method, path, body=b"", *headers):
    """A request for which the connection is to be closed."""
    fields = [b"Host: localhost", b"Connection: close", *headers]
    if body:
        fields.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, path), *fields, b"", body])


def http_body(answer):
    return answer.partition(b"\r\n\r\n")[2]


def whole(answer):
    return answer


def finder(words):
    """A payload that is these words where the answer has them, however it is dated or numbered."""
    return lambda answer: words if words in answer else b""
