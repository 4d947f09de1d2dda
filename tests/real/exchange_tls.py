# SPDX-License-Identifier: MIT
"""The measuring end as a TLS server: what it receives is what the client has written into TLS."""

import functools
import ssl
import subprocess
import tempfile
from pathlib import Path

from exchange import Exchange

CERTIFICATE = """\
req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch -subj /CN=localhost -days 1
"""
SECONDS = 30
PLAIN_BYTES = 1 << 16


@functools.cache
def context():
    """TLS 1.3, whose server sends session tickets behind the handshake, unasked."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "certificate")
        words = ["openssl", *CERTIFICATE.split(), "-keyout", key, "-out", certificate]
        subprocess.run(words, check=True, capture_output=True, timeout=SECONDS)
        made.load_cert_chain(certificate, key)
    return made


class TlsExchange(Exchange):
    def __init__(self, sock, traffic):
        self.received = ssl.MemoryBIO()
        self.to_send = ssl.MemoryBIO()
        self.tls = context().wrap_bio(self.received, self.to_send, server_side=True)
        self.is_greeted = False
        super().__init__(sock, traffic)

    def take(self, data):
        self.received.write(data)
        try:
            if not self.is_greeted:
                self.tls.do_handshake()
                self.is_greeted = True
            while plain := self.tls.read(PLAIN_BYTES):
                self.chunks.append(plain)
        except ssl.SSLWantReadError:
            pass  # there is no more for now
        self.send_later(self.to_send.read())
