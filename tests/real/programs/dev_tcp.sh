# SPDX-License-Identifier: MIT
# dev_tcp.sh PORT FILE: send a file to 127.0.0.1 and close, without a look at what has come.
exec 3<>"/dev/tcp/127.0.0.1/$1"
cat "$2" >&3
exec 3>&-
