# SPDX-License-Identifier: MIT
# fork_exit.pl PORT FILE: a child for each client sends the file, reads nothing and exits without a
# close, while the parent closes its own.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $name) = @ARGV;
my $listener = IO::Socket::INET->new(
	Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1) or die "$!";
open(my $file, '<:raw', $name) or die "$!";
read($file, my $content, -s $file);
$SIG{CHLD} = 'IGNORE';
while (my $client = $listener->accept) {
	if (fork == 0) {
		print {$client} $content;
		exit;
	}
	close $client;
}
