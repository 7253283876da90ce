/*
 * Network back end on a tap interface of the host: the guest is a neighbour of whatever the interface is connected to.
 * A thread of the module moves the frames; it never takes the device lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <biscuit/module.h>
#include <biscuit/netdev.h>

#include "modules/backend/net_thread.h"
#include "modules/modules.h"

struct tap {
	struct bis_module *mod;
	struct bis_netdev *netdev;
	char *name; /* of the network device */
	int fd;
	struct net_thread thread;
	uint8_t frame[BIS_NETDEV_FRAME]; /* the thread's */
};

static const struct bis_option tap_options[] = {
	{"ifname", BIS_OPTION_TEXT, NULL, NULL, "tap interface of the host"},
	{"netdev", BIS_OPTION_TEXT, "net0", NULL, "name of the network to plug into"},
	{0},
};

/* --- Thread --- */

/* Frames of the guest; true if there may be more. What the interface does not take is lost, as on any full wire. */
static bool send_frames(struct tap *t)
{
	for (int i = 0; i < NET_THREAD_TURN; i++) {
		size_t len = bis_netdev_fetch(t->netdev, t->frame);

		if (len == 0)
			return false;
		if (write(t->fd, t->frame, len) < 0)
			continue;
	}
	return true;
}

/* Frames for the guest. False if the interface is gone. */
static bool receive_frames(struct tap *t)
{
	for (int i = 0; i < NET_THREAD_TURN && !bis_netdev_congested(t->netdev); i++) {
		ssize_t len = read(t->fd, t->frame, sizeof(t->frame));

		if (len < 0)
			return errno == EAGAIN || errno == EINTR;
		bis_netdev_deliver(t->netdev, t->frame, (size_t)len);
	}
	return true;
}

static void *tap_main(void *arg)
{
	struct tap *t = arg;
	bool go = true, there = true;

	while (go) {
		bool more = send_frames(t);
		bool listen = there && !bis_netdev_congested(t->netdev);
		struct pollfd fds[2] = {[1] = {.fd = listen ? t->fd : -1, .events = POLLIN}};

		if (net_thread_wait(&t->thread, fds, 2, more ? 0 : -1, &go) > 0 && go && fds[1].revents)
			there = receive_frames(t);
	}
	return NULL;
}

static void tap_wake(void *self)
{
	struct tap *t = self;

	net_thread_wake(&t->thread);
}

/* --- Lifecycle --- */

static int open_failed(const struct tap *t, const char *ifname, int err)
{
	const char *owner = bis_module_name(t->mod);

	if (err == ENOENT || err == ENODEV)
		return bis_fail(err, "%s: the host has no tap interfaces: /dev/net/tun: %s", owner, strerror(err));
	if (err == EPERM || err == EACCES)
		return bis_fail(err,
				"%s: not permitted to use the tap interface '%s'; expected one made for this user: "
				"ip tuntap add dev %s mode tap user NAME",
				owner, ifname, ifname);
	if (err == EBUSY)
		return bis_fail(err, "%s: the tap interface '%s' is in use by another program", owner, ifname);
	if (err == EINVAL)
		return bis_fail(err, "%s: '%s' is not a tap interface", owner, ifname);
	return bis_fail(err, "%s: cannot use the tap interface '%s': %s", owner, ifname, strerror(err));
}

static int open_tap(struct tap *t, const char *ifname)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	size_t len = strlen(ifname);

	if (len == 0 || len >= IFNAMSIZ || strpbrk(ifname, "/%: "))
		return bis_fail(EINVAL, "%s: ifname=%s: expected the name of an interface, 1 to %d characters",
				bis_module_name(t->mod), ifname, IFNAMSIZ - 1);
	memcpy(request.ifr_name, ifname, len);
	t->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0)
		return open_failed(t, ifname, errno);
	if (ioctl(t->fd, TUNSETIFF, &request))
		return open_failed(t, ifname, errno);
	return 0;
}

/* Works on whatever tap_create and tap_attach have made so far. */
static void tap_destroy(void *self)
{
	struct tap *t = self;

	net_thread_fini(&t->thread);
	bis_netdev_destroy(t->netdev);
	if (t->fd >= 0)
		close(t->fd);
	free(t->name);
	free(t);
}

static int tap_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct tap *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	t->mod = mod;
	t->fd = -1;
	t->thread.event = -1;
	t->name = strdup(bis_option_text(options, "netdev"));
	err = t->name ? open_tap(t, bis_option_text(options, "ifname"))
		      : bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	if (!err)
		err = net_thread_init(&t->thread, bis_module_name(mod));
	if (err) {
		tap_destroy(t);
		return err;
	}
	*self = t;
	return 0;
}

static int tap_attach(struct bis_module *mod, void *self)
{
	static const struct bis_netdev_ops ops = {.wake = tap_wake};
	struct tap *t = self;
	int err = bis_netdev_create(bis_module_machine(mod), t->name, &ops, t, &t->netdev);

	if (err)
		return bis_fail_prefix(err, "%s", bis_module_name(mod));
	return net_thread_start(&t->thread, bis_module_name(mod), tap_main, t);
}

static void tap_pause(void *self)
{
	struct tap *t = self;

	net_thread_pause(&t->thread, true);
}

static void tap_resume(void *self)
{
	struct tap *t = self;

	net_thread_pause(&t->thread, false);
}

const struct bis_module_class bis_net_tap_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "net-tap",
	.summary = "network back end: a tap interface of the host",
	.options = tap_options,
	.create = tap_create,
	.attach = tap_attach,
	.pause = tap_pause,
	.resume = tap_resume,
	.destroy = tap_destroy,
};
