/*
 * The VNC server (RFB 3.8, by libvncserver): one thread that serves all clients and waits without a timeout while there
 * are none. All of it but vnc_start, vnc_stop and the waking runs on that thread. It listens on the loopback interface
 * alone.
 */
#include "frontend/vnc/vnc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "frontend/vnc/vnc_internal.h"

#define FIRST_PORT  5900
#define DISPLAY_MAX 99

enum { PATIENCE = 2000 /* ms for a client that sends half a message or takes nothing */, LOOK_MIN = 10 /* ms */ };

uint64_t vnc_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- Clients --- */

static struct vnc *vnc_of(rfbClientPtr cl)
{
	return cl->screen->screenData;
}

/* The library closes its descriptor when it likes; this one is closed under the lock, so that hang_up hits no other. */
static void set_line(struct vnc *v, struct vnc_client *c, int fd)
{
	pthread_mutex_lock(&v->lock);
	if (c->line >= 0)
		close(c->line);
	c->line = fd;
	pthread_mutex_unlock(&v->lock);
}

static void client_gone(rfbClientPtr cl)
{
	struct vnc_client *c = cl->clientData;
	struct vnc *v = vnc_of(cl);

	if (!c)
		return;
	vnc_input_release(v, c);
	set_line(v, c, -1);
	c->rfb = NULL;
	c->x = c->y = 0;
	v->n_clients--;
}

static enum rfbNewClientAction client_new(rfbClientPtr cl)
{
	struct vnc *v = vnc_of(cl);

	for (size_t i = 0; i < VNC_CLIENTS_MAX; i++) {
		struct vnc_client *c = &v->clients[i];

		if (c->rfb)
			continue;
		c->rfb = cl;
		set_line(v, c, fcntl(cl->sock, F_DUPFD_CLOEXEC, 0));
		cl->clientData = c;
		cl->clientGoneHook = client_gone;
		v->n_clients++;
		return RFB_CLIENT_ACCEPT;
	}
	return RFB_CLIENT_REFUSE;
}

/* Descriptors that select() cannot take would overwrite memory. */
static void accept_client(struct vnc *v)
{
	int fd = accept4(v->listen, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (fd >= FD_SETSIZE || v->n_clients == VNC_CLIENTS_MAX) {
		close(fd);
		return;
	}
	rfbNewClient(v->rfb, fd);
}

static int ask_for_size(int width, int height, int n, struct rfbExtDesktopScreen *screens, rfbClientPtr cl)
{
	struct vnc *v = vnc_of(cl);

	(void)n;
	(void)screens;
	if (!v->shown || !v->shown->view.can_resize)
		return rfbExtDesktopSize_ResizeProhibited;
	if (width < 1 || height < 1)
		return rfbExtDesktopSize_InvalidScreenLayout;
	bis_viewer_wish(v->shown->viewer, (uint32_t)width, (uint32_t)height);
	return rfbExtDesktopSize_Success;
}

/* --- The thread --- */

/* Not before LOOK_MIN after the last look, however often things change; -1: not before something does. */
static int time_to_wait(const struct vnc *v, bool woken)
{
	uint64_t since = vnc_now() - v->last_look;

	if (!v->n_looking)
		return -1;
	if (woken)
		return since < LOOK_MIN ? (int)(LOOK_MIN - since) : 0;
	return vnc_screen_rest(v);
}

static size_t gather(const struct vnc *v, bool woken, struct pollfd *fds)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){.fd = v->listen, .events = POLLIN};
	/* Who has been woken already waits for the right moment, and not to be woken. */
	fds[n++] = (struct pollfd){.fd = woken ? -1 : v->wake, .events = POLLIN};
	for (size_t i = 0; i < VNC_CLIENTS_MAX; i++)
		if (v->clients[i].rfb)
			fds[n++] = (struct pollfd){.fd = v->clients[i].rfb->sock, .events = POLLIN};
	return n;
}

/* Counts those that have been let in; true: there is one more. The picture has its size before they ask for that. */
static bool count_looking(struct vnc *v)
{
	size_t before = v->n_looking;

	v->n_looking = 0;
	for (size_t i = 0; i < VNC_CLIENTS_MAX; i++)
		v->n_looking += v->clients[i].rfb && v->clients[i].rfb->state >= RFB_INITIALISATION;
	if (before && !v->n_looking)
		vnc_screen_unwatch(v);
	return v->n_looking > before;
}

static void *serve(void *arg)
{
	struct pollfd fds[VNC_CLIENTS_MAX + 2];
	struct vnc *v = arg;
	bool woken = false;
	eventfd_t count;

	while (!atomic_load(&v->ending)) {
		size_t n = gather(v, woken, fds);

		if (poll(fds, n, time_to_wait(v, woken)) < 0 && errno != EINTR)
			break;
		if (fds[1].revents) {
			(void)eventfd_read(v->wake, &count);
			woken = true;
		}
		if (fds[0].revents)
			accept_client(v);
		if (v->n_looking && !time_to_wait(v, woken)) {
			woken = false;
			vnc_screen_look(v);
		}
		rfbProcessEvents(v->rfb, 0);
		if (count_looking(v))
			vnc_screen_look(v);
		woken &= v->n_looking > 0;
	}
	return NULL;
}

/* --- Starting --- */

static int parse_address(const char *address, uint16_t *port)
{
	static const char *const hosts[] = {"127.0.0.1:", "localhost:", ":"};
	const char *digits = NULL;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(hosts) && !digits; i++)
		if (!strncmp(address, hosts[i], strlen(hosts[i])))
			digits = address + strlen(hosts[i]);
	if (!digits || !*digits || strlen(digits) > 2 || strspn(digits, "0123456789") != strlen(digits))
		return bis_fail(EINVAL, "VNC address '%s': expected :N, display N of this host, 0 to %d", address,
				DISPLAY_MAX);
	*port = (uint16_t)(FIRST_PORT + strtoul(digits, NULL, 10));
	return 0;
}

static int open_socket(struct vnc *v, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint16_t port;
	int one = 1, err = parse_address(address, &port);

	if (err)
		return err;
	in.sin_port = htons(port);
	v->listen = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (v->listen < 0 || setsockopt(v->listen, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(v->listen, (const struct sockaddr *)&in, sizeof(in)) || listen(v->listen, 4))
		return bis_fail(errno, "VNC: display %s (port %u): %s", address, port, strerror(errno));
	return 0;
}

/* The first line of the file, as much of it as VNC uses. Others could read it: then it is no secret. */
static int read_password(struct vnc *v, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	char text[256];
	ssize_t len;

	if (fd < 0)
		return bis_fail(errno, "VNC password file %s: %s", path, strerror(errno));
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0 || fstat(fd, &st)) {
		int err = bis_fail(errno, "VNC password file %s: %s", path, strerror(errno));

		close(fd);
		return err;
	}
	close(fd);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		return bis_fail(EACCES, "VNC password file %s: others may read or write it (chmod 600 %s)", path, path);
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (!*text)
		return bis_fail(EINVAL, "VNC password file %s: its first line is empty", path);
	snprintf(v->password, sizeof(v->password), "%.8s", text);
	explicit_bzero(text, sizeof(text));
	v->passwords[0] = v->password;
	return 0;
}

static int open_screen(struct vnc *v, const struct vnc_options *options)
{
	int err;

	rfbLogEnable(FALSE);
	err = vnc_screen_create(v);
	if (err)
		return err;
	snprintf(v->title, sizeof(v->title), "%s", options->title ? options->title : "Biscuit");
	v->rfb->screenData = v;
	v->rfb->desktopName = v->title;
	v->rfb->port = v->rfb->ipv6port = 0; /* the socket is our own */
	v->rfb->autoPort = FALSE;
	v->rfb->alwaysShared = TRUE;
	v->rfb->permitFileTransfer = FALSE;
	v->rfb->ignoreSIGPIPE = FALSE;
	v->rfb->deferUpdateTime = v->rfb->deferPtrUpdateTime = 0;
	v->rfb->maxClientWait = PATIENCE;
	v->rfb->newClientHook = client_new;
	v->rfb->setDesktopSizeHook = ask_for_size;
	v->rfb->kbdAddEvent = vnc_input_key;
	v->rfb->ptrAddEvent = vnc_input_pointer;
	if (v->passwords[0]) {
		v->rfb->authPasswdData = v->passwords;
		v->rfb->passwordCheck = rfbCheckPasswordByList;
	}
	rfbInitServer(v->rfb);
	return 0;
}

/* Signals are the business of other threads. */
static int start_thread(struct vnc *v)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&v->thread, NULL, serve, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err ? bis_fail(err, "VNC: no thread: %s", strerror(err)) : 0;
}

static void free_server(struct vnc *v)
{
	vnc_screen_destroy(v);
	if (v->listen >= 0)
		close(v->listen);
	if (v->wake >= 0)
		close(v->wake);
	pthread_mutex_destroy(&v->lock);
	explicit_bzero(v->password, sizeof(v->password));
	free(v);
}

int vnc_start(struct debug *d, const struct vnc_options *options, struct vnc **out)
{
	struct vnc *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return bis_fail(ENOMEM, "no memory for the VNC server");
	v->machine = debug_machine(d);
	v->listen = -1;
	pthread_mutex_init(&v->lock, NULL);
	for (size_t i = 0; i < VNC_CLIENTS_MAX; i++)
		v->clients[i].line = -1;
	v->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = v->wake < 0 ? bis_fail(errno, "VNC: %s", strerror(errno)) : open_socket(v, options->address);
	if (!err && options->password_file)
		err = read_password(v, options->password_file);
	if (!err)
		err = open_screen(v, options);
	if (!err)
		err = start_thread(v);
	if (err) {
		free_server(v);
		return err;
	}
	*out = v;
	return 0;
}

/* The thread may be waiting for a client that takes nothing: closed connections end that. */
static void hang_up(struct vnc *v)
{
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < VNC_CLIENTS_MAX; i++)
		if (v->clients[i].line >= 0)
			shutdown(v->clients[i].line, SHUT_RDWR);
	pthread_mutex_unlock(&v->lock);
}

void vnc_stop(struct vnc *v)
{
	if (!v)
		return;
	atomic_store(&v->ending, true);
	(void)eventfd_write(v->wake, 1);
	hang_up(v);
	pthread_join(v->thread, NULL);
	vnc_screen_unwatch(v);
	rfbShutdownServer(v->rfb, TRUE);
	free_server(v);
}
