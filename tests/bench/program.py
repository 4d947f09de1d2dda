# SPDX-License-Identifier: MIT
"""Programs of the benchmarks: started in a private network namespace, talked with line by line."""

import os
import re
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))

import namespace  # noqa: E402

FOREVER = {"SAFECLOSE_LINGER_TIME": "10m", "SAFECLOSE_LINGER_TIMEOUT": "10m"}


class Trouble(Exception):
    """A measurement that cannot be made."""


def enter_namespace():
    """In a child, before it executes."""
    namespace.enter()


def open_as_many_as_possible():
    """Descriptors of this process and its children. Returns how many each may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
        return 1 << 20
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard


def environment(library, settings):
    """Of a program: with the library where there is one."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("SAFECLOSE_")}
    if library:
        variables.update(settings, LD_PRELOAD=library)
    return variables


class Program:
    def __init__(self, words, library=None, settings=None):
        self.words = [str(word) for word in words]
        self.process = subprocess.Popen(
            self.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if library else None,
            env=environment(library, settings or {}),
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, first_word):
        """The numbers of the next line, by the words before them."""
        line = self.process.stdout.readline()
        if not line.startswith(first_word):
            raise Trouble(f"{' '.join(self.words)}: {line.strip() or 'has ended'}")
        pairs = re.findall(r"([a-z0-9-]+) (-?[0-9.]+)(?= |$)", line.strip())
        return {name: float(value) for name, value in pairs}
