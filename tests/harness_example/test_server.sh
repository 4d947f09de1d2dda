#!/bin/bash
# SPDX-License-Identifier: MIT
# The server's own tests: test_server.sh [small] (SERVER: the program). Status 0: all is well.

coproc "$SERVER"
server=$COPROC_PID
trap 'kill "$server"; wait "$server"' EXIT
read -r -t 10 port <&"${COPROC[0]}" || exit 1

# put BYTES ANSWER: in one write, for there is no newline in it
put() {
	exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
	printf 'PUT %d:%*s' "$1" "$1" '' >&3
	read -r -t 10 answer <&3
	exec 3>&-
	[ "$answer" = "$2" ] || {
		echo "PUT $1: '$answer' instead of '$2'" >&2
		exit 1
	}
}

put 100 '200 100'
[ "$1" = small ] || put 500 '413'
put 0 '200 0'
echo 'all is well'
