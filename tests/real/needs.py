# SPDX-License-Identifier: MIT
"""
The programs that the cases need: which are missing, and Debian's packages for them. Installed as
root or by a sudo that asks for nothing; else the command to type is told. Services of packages are
not started; should one run all the same, that is told.
"""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {
    "php": "php-cli",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "node": "nodejs",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "busybox": "busybox",
    "socat": "socat",
    "inetd": "openbsd-inetd",
    "bash": "bash",
    "haproxy": "haproxy",
    "memcached": "memcached",
    "rsync": "rsync",
    "git": "git",
    "ruby": "ruby",
    "perl": "perl",
    "openssl": "openssl",
}
SERVICES = {
    "nginx-light": "nginx",
    "redis-server": "redis-server",
    "openbsd-inetd": "inetd",
    "haproxy": "haproxy",
    "memcached": "memcached",
    "rsync": "rsync",
}
INSTALL = ["apt-get", "-y", "-q", "--no-install-recommends", "--no-remove", "install"]
INSTALL_SECONDS = 300


def extend_path():
    """Servers live where a user's PATH does not lead."""
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def missing(executables):
    return sorted(one for one in executables if shutil.which(one) is None)


def run_as_root(*words):
    """Whether it succeeded, and its output."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    result = subprocess.run(
        [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    return result.returncode == 0, result.stdout


def may_be_root():
    return os.geteuid() == 0 or (shutil.which("sudo") and run_as_root("true")[0])


def running():
    """The names of all processes."""
    names = set()
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.add(comm.read_text().strip())
        except OSError:
            pass
    return names


@contextmanager
def services_stay_off(packages):
    """Where systemd runs, a masked unit is not started by its package; later it is left disabled."""
    units = [SERVICES[package] + ".service" for package in packages if package in SERVICES]
    has_systemd = units and Path("/run/systemd/system").exists()
    before = running()
    if has_systemd:
        run_as_root("systemctl", "mask", "--runtime", *units)
    try:
        yield
    finally:
        if has_systemd:
            run_as_root("systemctl", "unmask", "--runtime", *units)
            run_as_root("systemctl", "disable", *units)
    for name in sorted((running() - before) & set(SERVICES.values())):
        print(f"{name} was started by its package; to stop it: systemctl disable --now {name}")


def install_each(packages):
    """One by one: where a package cannot be had, the others can."""
    run_as_root("apt-get", "-q", "update")
    for package in packages:
        print("  INSTALL " + package, flush=True)
        is_done, output = run_as_root(*INSTALL, package)
        if not is_done:
            print(output + f"{package} could not be installed")


def provide(executables):
    """Install what is missing, if that may be done. Returns what is missing afterwards."""
    extend_path()
    packages = sorted({PACKAGES[one] for one in missing(executables)})
    if packages:
        if shutil.which("apt-get") and may_be_root():
            with services_stay_off(packages):
                install_each(packages)
        else:
            print("for all cases, type: sudo apt-get install --no-install-recommends", *packages)
    return missing(executables)
