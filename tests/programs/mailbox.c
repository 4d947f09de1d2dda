// SPDX-License-Identifier: MIT
/*
 * mailbox [PORT] WHAT: closes unix sockets with connections in their queues. WHAT:
 *     looks   tells what the program can see of it: the lines are the same with the library and
 *             without
 *     inherits  the same of what it has inherited over an exec, a locked file in the queue
 *     forks   while another thread forks, whose children must not have copies of the library's
 */
#include "dial.h"
#include "letter.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	OWN_FROM = 500, /* the library's descriptors lie above */
	HIGHEST = 4200,
	FORKS = 150,
};

static int listener;

static void send_fd(int to, int fd)
{
	struct letter letter;

	put_in(&letter, fd);
	must(sendmsg(to, &letter.header, 0) == sizeof(letter.bytes), "sendmsg");
}

/* By an instruction of its own, as somebody without the library would. */
static void send_fd_unseen(int to, int fd)
{
#ifdef __x86_64__
	struct letter letter;
	long result = SYS_sendmsg;

	put_in(&letter, fd);
	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"((long)to), "S"(&letter.header), "d"(0L)
			 : "rcx", "r11", "memory");
	must(result == sizeof(letter.bytes), "sendmsg");
#else
	send_fd(to, fd);
#endif
}

/* A pair whose second end has a connection in its queue that nobody else holds. */
static void open_box(int type, int pair[2], int *peer)
{
	int ends[2];

	must(socketpair(AF_UNIX, type, 0, pair) == 0, "socketpair");
	connect_pair(listener, ends);
	*peer = ends[0];
	send_fd(pair[0], ends[1]);
	close_well(ends[1]);
}

static void tell_numbers(const char *when)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;
	int next = open("/dev/null", O_RDONLY);

	must(folder != NULL && next >= 0, "/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(folder));) {
		count += entry->d_name[0] != '.' && atoi(entry->d_name) < OWN_FROM;
	}
	closedir(folder);
	close_well(next);
	tell("%s: %d descriptors, the next is %d", when, count, next);
}

/* What the sender finds when the receiver has closed. */
static void close_unreceived(int type)
{
	int pair[2];
	int peer;
	char byte;

	open_box(type, pair, &peer);
	tell_numbers("before");
	close_well(pair[1]);
	tell_numbers("after");
	errno = 0;
	tell("sender reads %zd", recv(pair[0], &byte, 1, MSG_DONTWAIT));
	tell("errno %d", errno);
	errno = 0;
	tell("sender writes %zd", send(pair[0], "x", 1, MSG_NOSIGNAL));
	tell("errno %d", errno);
	close_well(pair[0]);
	close_well(peer);
}

static int receive_fd(int from)
{
	struct letter letter;
	int received;

	open_letter(&letter);
	must(recvmsg(from, &letter.header, 0) > 0, "recvmsg");
	memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&letter.header)), sizeof(received));
	return received;
}

/* What another descriptor of the receiver finds: the pending error, the message, its offset. */
static void tell_of_other(int other, int peer)
{
	struct letter letter;
	int offset = 0;
	socklen_t size = sizeof(offset);
	ssize_t got;
	char byte;

	must(getsockopt(other, SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0, "SO_PEEK_OFF");
	tell("offset %d", offset);
	for (int i = 0; i < 2; i++) {
		open_letter(&letter);
		errno = 0;
		got = recvmsg(other, &letter.header, MSG_DONTWAIT);
		tell("receiver reads %zd, control %zu", got, letter.header.msg_controllen);
		tell("errno %d", errno);
		if (got > 0 && letter.header.msg_controllen > 0) {
			int received;

			memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&letter.header)),
				sizeof(received));
			must(read(received, &byte, 1) == 1, "the byte is gone");
			close_well(received);
		}
	}
	close_well(other);
	close_well(peer);
}

static void close_one_of_two(int type)
{
	int pair[2];
	int peer;
	int other;

	open_box(type, pair, &peer);
	other = dup(pair[1]);
	must(send(pair[1], "back", 4, 0) == 4, "send");
	close_well(pair[0]);
	close_well(pair[1]);
	tell_of_other(other, peer);
}

/* The other descriptor is in a message meanwhile, and comes out of it. */
static void close_one_on_its_way(int type, bool has_error)
{
	int way[2];
	int pair[2];
	int peer;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, way) == 0, "socketpair");
	open_box(type, pair, &peer);
	if (has_error) {
		must(send(pair[1], "back", 4, 0) == 4, "send");
	}
	close_well(pair[0]);
	send_fd(way[0], pair[1]);
	close_well(pair[1]);
	tell_of_other(receive_fd(way[1]), peer);
	close_well(way[0]);
	close_well(way[1]);
}

static void tell_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
	}
	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "fork");
	tell("locked: %d", WEXITSTATUS(status));
}

/* With a file in the queue, too. Returns a descriptor of that. */
static int open_box_with_file(void (*send_file)(int to, int fd), int pair[2], int *peer)
{
	char path[] = "/tmp/mailbox.XXXXXX";
	int file = mkstemp(path);
	int other;

	must(file >= 0, "mkstemp");
	other = open(path, O_RDONLY);
	unlink(path);
	open_box(SOCK_STREAM, pair, peer);
	send_file(pair[0], other);
	close_well(other);
	return file;
}

static void lock_whole(int file)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	must(fcntl(file, F_SETLK, &lock) == 0, "F_SETLK");
}

/* This process has locked it. */
static void close_beside_file(void (*send_file)(int to, int fd))
{
	int pair[2];
	int peer;
	int file = open_box_with_file(send_file, pair, &peer);

	lock_whole(file);
	close_well(pair[1]);
	tell_lock(file);
	close_well(pair[0]);
	close_well(peer);
	close_well(file);
}

/* What the program before the exec leaves: the receiver, its peer, and the file. */
static void leave_to_exec(const char *self)
{
	char numbers[64];
	int pair[2];
	int peer;
	int file = open_box_with_file(send_fd, pair, &peer);

	snprintf(numbers, sizeof(numbers), "%d %d %d", pair[1], peer, file);
	must(execl(self, self, numbers, "has inherited", (char *)NULL) == 0, "execl");
}

static void close_inherited(const char *numbers)
{
	int receiver;
	int peer;
	int file;

	must(sscanf(numbers, "%d %d %d", &receiver, &peer, &file) == 3, "numbers");
	lock_whole(file);
	tell_numbers("before");
	close_well(receiver);
	tell_numbers("after");
	tell_lock(file);
	close_well(peer);
	close_well(file);
}

static void look(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		close_unreceived(types[i]);
		close_one_of_two(types[i]);
		close_one_on_its_way(types[i], false);
		close_one_on_its_way(types[i], true);
	}
	close_beside_file(send_fd_unseen);
	close_beside_file(send_fd);
}

/* The library's copies are close-on-exec, the program's are not. */
static int count_copies(void)
{
	int count = 0;

	for (int fd = 0; fd < HIGHEST; fd++) {
		int flags = fcntl(fd, F_GETFD);
		int protocol = 0;
		socklen_t size = sizeof(protocol);

		count += flags >= 0 && (flags & FD_CLOEXEC) &&
			 getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
			 protocol == IPPROTO_TCP;
	}
	return count;
}

static void *fork_often(void *stopped)
{
	int copies = 0;

	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			_exit(count_copies());
		}
		must(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "fork");
		copies += WEXITSTATUS(status);
	}
	tell("%d copies", copies);
	atomic_store((atomic_bool *)stopped, true);
	return NULL;
}

static void close_beside_forks(void)
{
	atomic_bool is_stopped = false;
	pthread_t thread;
	int pair[2];
	int sent;

	must(pthread_create(&thread, NULL, fork_often, &is_stopped) == 0, "pthread_create");
	while (!atomic_load(&is_stopped)) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
		sent = socket(AF_INET, SOCK_STREAM, 0);
		send_fd(pair[0], sent);
		close_well(sent);
		close_well(pair[1]);
		close_well(pair[0]);
	}
	must(pthread_join(thread, NULL) == 0, "pthread_join");
}

int main(int argc, char **argv)
{
	must(argc > 1, "arguments");
	listener = listen_here();
	if (strcmp(argv[argc - 1], "looks") == 0) {
		look();
	} else if (strcmp(argv[argc - 1], "inherits") == 0) {
		leave_to_exec(argv[0]);
	} else if (strcmp(argv[argc - 1], "has inherited") == 0) {
		close_inherited(argv[argc - 2]);
	} else {
		close_beside_forks();
	}
	tell("the end");
	return 0;
}
