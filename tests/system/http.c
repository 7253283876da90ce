/* See http.h. One request at a time, and the connection is closed after it (RFC 9112 section 9.6). */
#include "http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the empty line that ends a request's head; nothing in it matters here. */
static int skip_request(int peer)
{
	char tail[5] = "", c;

	while (strcmp(tail, "\r\n\r\n")) {
		if (read(peer, &c, 1) != 1)
			return -1;
		memmove(tail, tail + 1, 3);
		tail[3] = c;
		if (!tail[0])
			memset(tail, ' ', 3);
	}
	return 0;
}

static void answer(int peer, int file)
{
	struct stat about;
	off_t at = 0;

	if (skip_request(peer) || fstat(file, &about))
		return;
	dprintf(peer, "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\nConnection: close\r\n\r\n", (long long)about.st_size);
	while (at < about.st_size && sendfile(peer, file, &at, (size_t)(about.st_size - at)) > 0)
		;
	shutdown(peer, SHUT_WR);
}

static void serve(int listener, int file)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int peer = accept(listener, NULL, NULL);

		if (peer < 0)
			_exit(1);
		answer(peer, file);
		close(peer);
	}
}

int http_serve(const char *path)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener, err = 0, file = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (file < 0)
		return -errno;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0) {
		err = -errno;
		goto close_file;
	}
	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&address, &length)) {
		err = -errno;
		goto close_listener;
	}
	pid = fork();
	if (pid == 0)
		serve(listener, file);
	if (pid < 0)
		err = -errno;
close_listener:
	close(listener);
close_file:
	close(file);
	return err ? err : ntohs(address.sin_port);
}
