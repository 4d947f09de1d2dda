# SPDX-License-Identifier: MIT
"""forking.py PORT: a child for each connection, which sends back what it has received to the end."""

import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read())


class Server(socketserver.ForkingTCPServer):
    request_queue_size = 16


Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
