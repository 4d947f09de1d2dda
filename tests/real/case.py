# SPDX-License-Identifier: MIT
"""A case: a program, what is done with it, and what must come of that."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from content import http_body
from exchange import Exchange, Traffic

PROGRAMS = Path(__file__).resolve().parent / "programs"
PORT = 8080  # free in a private namespace


@dataclass(frozen=True)
class Case:
    """
    command(folder) is the program's command line; folder is where it may write and finds large.txt
    and medium.txt. It listens on PORT, or, as a client, connects to it and ends by itself.
    """

    program: str
    what: str
    needs: tuple  # executables
    command: Callable[[Path], list]
    traffic: Traffic
    expected: bytes  # what payload() must find in all that was received
    payload: Callable[[bytes], bytes] = http_body
    connections: int = 5
    # Kernel and library have something to do: without the library the connections are reset.
    is_reset: bool = True
    # Bytes are still on their way at the close: drain, which does not wait, cannot promise FIN.
    is_late: bool = False
    # They all come after the close, which resets nothing by itself.
    is_all_late: bool = False
    # More than one process holds a connection, so reports of sharing can be true.
    is_shared: bool = False
    is_client: bool = False
    exchange: type = Exchange  # what the measuring end of a client speaks
    settings: tuple = ()  # of the library, besides the mode: ((name, value), ...)
