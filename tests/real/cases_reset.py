# SPDX-License-Identifier: MIT
"""Programs that close with unread bytes, so that the kernel resets their connections."""

import os
import subprocess
import sys

from case import PORT, PROGRAMS, Case
from content import BODY, HUGE, LARGE, PAGE, finder, http, whole
from exchange import Traffic
from exchange_tls import TlsExchange

PIPELINED = http(b"GET", b"/large.txt") * 400
NO_MODULE = b"@ERROR: Unknown module"
GIT_REQUEST = b"git-upload-pack /nonexistent\0host=localhost\0"
GIT_PACKET = b"%04x" % (len(GIT_REQUEST) + 4) + GIT_REQUEST
UPLOAD = Traffic(http(b"POST", b"/", LARGE))
UPLOADED = LARGE[:180000]
REDIS_ERROR = b"-ERR Protocol error: too big inline request\r\n"

NGINX_CONF = """\
daemon off;
{user}
worker_processes 1;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
	access_log off;
	lingering_close off;
	client_body_temp_path {folder}/nginx-body;
	proxy_temp_path {folder}/nginx-proxy;
	fastcgi_temp_path {folder}/nginx-fastcgi;
	uwsgi_temp_path {folder}/nginx-uwsgi;
	scgi_temp_path {folder}/nginx-scgi;
	server {{
		listen 127.0.0.1:{port};
		root {folder};
	}}
}}
"""


def python_http(folder):
    return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", folder, str(PORT)]


def php(folder):
    """It reads the body that belongs to a request. What follows has to come while it still answers,
    so the answer is more than any send buffer holds."""
    (folder / "huge.txt").write_bytes(HUGE)
    return ["php", "-S", f"127.0.0.1:{PORT}", "-t", folder]


def nginx(folder):
    """As root with a worker that is not: the master's descriptors are out of its sight."""
    user = "user www-data;" if os.geteuid() == 0 else ""
    conf = folder / "nginx.conf"
    conf.write_text(NGINX_CONF.format(folder=folder, port=PORT, user=user))
    return ["nginx", "-e", "stderr", "-p", folder, "-c", conf]


def redis(folder):
    return ["redis-server", "--bind", "127.0.0.1", "--port", str(PORT), "--save", "", "--dir", folder]


def node(_):
    return ["node", PROGRAMS / "http_413.js", str(PORT)]


def java(folder):
    subprocess.run(["javac", "-d", folder, PROGRAMS / "Http413.java"], check=True, timeout=60)
    return ["java", "-cp", folder, "Http413", str(PORT)]


HAPROXY_CFG = """\
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
frontend http
	bind 127.0.0.1:{port}
	http-request deny deny_status 413
"""


def haproxy(folder):
    conf = folder / "haproxy.cfg"
    conf.write_text(HAPROXY_CFG.format(port=PORT))
    return ["haproxy", "-db", "-f", conf]


def memcached(_):
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    return ["memcached", *user, "-U", "0", "-l", "127.0.0.1", "-p", str(PORT)]


def rsync(folder):
    conf = folder / "rsyncd.conf"
    conf.write_text("use chroot = no\n")
    log = folder / "rsyncd.log"
    where = ["--address=127.0.0.1", f"--port={PORT}"]
    return ["rsync", "--daemon", "--no-detach", *where, f"--config={conf}", f"--log-file={log}"]


def git(folder):
    where = ["--listen=127.0.0.1", f"--port={PORT}", "--reuseaddr", f"--base-path={folder}"]
    return ["git", "daemon", *where, "--informative-errors"]


def socat_cat(folder):
    """Its child becomes cat, with the connection as output, and closes it by fclose(stdout)."""
    return ["socat", f"TCP-LISTEN:{PORT},bind=127.0.0.1,fork", f"EXEC:cat {folder}/large.txt,nofork"]


def ruby(folder):
    return ["ruby", PROGRAMS / "spawn.rb", str(PORT), folder / "large.txt"]


def perl(folder):
    return ["perl", PROGRAMS / "fork_exit.pl", str(PORT), folder / "large.txt"]


def busybox(folder):
    return ["busybox", "httpd", "-f", "-p", f"127.0.0.1:{PORT}", "-h", folder]


def forking_http(folder):
    return [sys.executable, PROGRAMS / "forking_http.py", str(PORT), folder]


def tls_client(folder, *size):
    (folder / "upload.txt").write_bytes(UPLOADED)
    return [sys.executable, PROGRAMS / "tls_client.py", str(PORT), folder / "upload.txt", *size]


def tls_client_that_waits(folder):
    """For room in its send buffer, so that the tickets are there when it closes."""
    return tls_client(folder, "16384")


def bash(folder):
    return ["bash", PROGRAMS / "dev_tcp.sh", str(PORT), folder / "large.txt"]


CASES = [
    Case(
        "python3 http.server",
        "GET 3 MB, 20 KB body",
        (),
        python_http,
        Traffic(http(b"GET", b"/large.txt", BODY)),
        LARGE,
    ),
    Case(
        "php -S",
        "GET 12 MB, 20 KB behind it",
        ("php",),
        php,
        Traffic(http(b"GET", b"/huge.txt"), rest=BODY),
        HUGE,
    ),
    Case(
        "nginx",
        "GET 3 MB, pipelined requests",
        ("nginx",),
        nginx,
        Traffic(http(b"GET", b"/large.txt") + PIPELINED),
        LARGE,
    ),
    Case(
        "redis",
        "a line of 3 MB",
        ("redis-server",),
        redis,
        Traffic(LARGE.replace(b"\n", b" ") + b"\r\n"),
        REDIS_ERROR,
        payload=whole,
        is_late=True,
    ),
    Case("node http", "413 before 3 MB body", ("node",), node, UPLOAD, PAGE, is_late=True),
    Case(
        "java HttpServer",
        "413 before 3 MB body",
        ("java", "javac"),
        java,
        UPLOAD,
        PAGE,
        is_late=True,
    ),
    Case(
        "busybox httpd",
        "GET 3 MB, pipelined requests",
        ("busybox",),
        busybox,
        Traffic(http(b"GET", b"/large.txt") + PIPELINED),
        LARGE,
        is_shared=True,
    ),
    Case(
        "python3 ForkingMixIn",
        "GET 3 MB, 20 KB body",
        (),
        forking_http,
        Traffic(http(b"GET", b"/large.txt", BODY)),
        LARGE,
        is_shared=True,
    ),
    Case(
        "haproxy",
        "413 before 3 MB body",
        ("haproxy",),
        haproxy,
        UPLOAD,
        b"413",
        payload=finder(b"413"),
        is_late=True,
    ),
    Case(
        "memcached",
        "quit, 20 KB behind it",
        ("memcached",),
        memcached,
        Traffic(b"version\r\nquit\r\n" + BODY),
        b"VERSION",
        payload=finder(b"VERSION"),
    ),
    Case(
        "rsync daemon",
        "no such module, 20 KB behind",
        ("rsync",),
        rsync,
        Traffic(b"@RSYNCD: 31.0\nnone\n" + BODY),
        NO_MODULE,
        payload=finder(NO_MODULE),
        is_shared=True,
    ),
    Case(
        "git daemon",
        "no such folder, 20 KB behind",
        ("git",),
        git,
        Traffic(GIT_PACKET + BODY),
        b"ERR ",
        payload=finder(b"ERR "),
        is_shared=True,
    ),
    Case(
        "socat fork",
        "EXEC:cat of 3 MB, nofork",
        ("socat",),
        socat_cat,
        Traffic(BODY),
        LARGE,
        payload=whole,
        is_shared=True,
    ),
    Case(
        "ruby spawn",
        "cat of 3 MB",
        ("ruby",),
        ruby,
        Traffic(BODY),
        LARGE,
        payload=whole,
        is_shared=True,
    ),
    Case(
        "perl fork",
        "3 MB, exit without close",
        ("perl",),
        perl,
        Traffic(BODY),
        LARGE,
        payload=whole,
        is_shared=True,
    ),
    Case(
        "bash /dev/tcp",
        "reads a line, sends 3 MB",
        ("bash",),
        bash,
        Traffic(BODY),
        LARGE,
        payload=whole,
        is_shared=True,
        is_client=True,
    ),
    Case(
        "python3 ssl client",
        "TLS tickets never read",
        ("openssl",),
        tls_client_that_waits,
        Traffic(b""),
        UPLOADED,
        payload=whole,
        connections=20,
        is_client=True,
        exchange=TlsExchange,
    ),
    Case(
        "python3 ssl client",
        "TLS tickets after the close",
        ("openssl",),
        tls_client,
        Traffic(b""),
        UPLOADED,
        payload=whole,
        is_late=True,
        is_all_late=True,
        is_client=True,
        exchange=TlsExchange,
        settings=(("SAFECLOSE_WHEN", "always"),),
    ),
]
