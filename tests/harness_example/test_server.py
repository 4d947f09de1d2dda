# SPDX-License-Identifier: MIT
"""The server's own tests: python3 -m unittest test_server (SERVER: the program)."""
import os
import socket
import subprocess
import unittest


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([os.environ["SERVER"]], stdout=subprocess.PIPE)
        self.port = int(self.server.stdout.readline())

    def tearDown(self):
        self.server.terminate()
        self.server.wait(10)
        self.server.stdout.close()

    def put(self, size):
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, 10) as client:
            client.sendall(b"PUT %d:" % size + b"x" * size)
            return client.makefile("rb").readline()


class SmallUploads(ServerTest):
    def test_an_upload_is_taken(self):
        self.assertEqual(self.put(100), b"200 100\n")

    def test_an_empty_upload_is_taken(self):
        self.assertEqual(self.put(0), b"200 0\n")


class LargeUploads(ServerTest):
    def test_a_large_upload_is_refused(self):
        self.assertEqual(self.put(500), b"413\n")
        self.assertEqual(self.put(1), b"200 1\n")


if __name__ == "__main__":
    unittest.main()
