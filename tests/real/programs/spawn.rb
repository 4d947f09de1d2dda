# SPDX-License-Identifier: MIT
# spawn.rb PORT FILE: send the file by a cat of its own to each client, and do not wait for it.
require 'socket'

server = TCPServer.new('127.0.0.1', ARGV[0].to_i)
loop do
  client = server.accept
  Process.detach(spawn('cat', ARGV[1], out: client))
  client.close
end
