# SPDX-License-Identifier: MIT
"""nginx's own lingering close against none with the library, and against none at all."""

import os
import shutil
import statistics
import tempfile
import time

from program import Program, Trouble, namespace

REPEATS = 5
SECONDS = 2
CLIENTS = 32
ANSWER_BYTES = 3 * 1000 * 1000
START_SECONDS = 10

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
	access_log off; sendfile on; tcp_nopush on; lingering_close {lingering};
	client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
	fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
	server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def find():
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def configure(folder, lingering, port):
    path = os.path.join(folder, "nginx.conf")
    user = "user root;" if os.geteuid() == 0 else ""
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIGURATION.format(**locals()))
    with open(os.path.join(folder, "answer"), "wb") as file:
        file.write(bytes(ANSWER_BYTES))
    return path


def serve_once(bench, lingering, library):
    """One run of nginx under load."""
    with tempfile.TemporaryDirectory() as folder:
        port = 8080  # the namespace is our own
        path = configure(folder, lingering, port)
        settings = {"SAFECLOSE_MODE": "fin", "SAFECLOSE_LOG": os.path.join(folder, "log")}
        words = [find(), "-c", path, "-e", os.path.join(folder, "error.log")]
        with Program(words, library, settings) as server:
            if not namespace.wait_for(lambda: namespace.is_listening(port), START_SECONDS):
                raise Trouble("nginx does not listen")
            measured = browse(bench, port)
            server.process.terminate()
            server.process.wait()
    return measured


def browse(bench, port):
    words = [os.path.join(bench, "browser"), port, "/answer", ANSWER_BYTES, CLIENTS, SECONDS]
    with Program(words) as browser:
        return browser.hear("requests")


def measure(bench, library):
    ways = {"own": ("always", None), "library": ("off", library), "none": ("off", None)}
    runs = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, (lingering, preloaded) in ways.items():
            runs[name].append(serve_once(bench, lingering, preloaded))
            time.sleep(0.2)  # for what the last run left in the kernel
    medians = {}
    for name, measured in runs.items():
        medians[name] = {
            key: statistics.median(one[key] for one in measured) for key in measured[0]
        }
        medians[name]["whole-percent"] = min(
            100 * one["whole"] / one["requests"] for one in measured
        )
    return medians
