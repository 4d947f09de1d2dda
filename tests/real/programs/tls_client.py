# SPDX-License-Identifier: MIT
"""
tls_client.py PORT FILE [BYTES]: sends the file over TLS 1.3, through a send buffer of BYTES, and
closes. As it expects no answer it never reads: the session tickets that the server sends behind its
handshake stay unread, or, where the whole file goes into the send buffer, come after the close.
"""

import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = ssl.TLSVersion.TLSv1_3
with open(sys.argv[2], "rb") as file:
    data = file.read()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
    for size in sys.argv[3:]:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(size))
    with context.wrap_socket(plain) as tls:
        tls.sendall(data)
