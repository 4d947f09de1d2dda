# SPDX-License-Identifier: MIT
"""forking_http.py PORT FOLDER: serve the folder's files, each request in a child of its own."""

import functools
import http.server
import socketserver
import sys


class Server(socketserver.ForkingMixIn, http.server.HTTPServer):
    pass


Handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
