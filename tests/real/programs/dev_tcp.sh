# SPDX-License-Identifier: MIT
# dev_tcp.sh PORT FILE: read one line from 127.0.0.1, send a file there, close.
exec 3<>"/dev/tcp/127.0.0.1/$1"
read -r _ <&3
cat "$2" >&3
exec 3>&-
