/*
 * Virtio network device (virtio 1.2, section 5.1) on a network of <biscuit/netdev.h>. Frames move on the thread of the
 * back end, under the lock of the network, which never waits for the device lock; a hart's thread moves frames only to
 * receive buffers that it has just made available. Checksums that the driver leaves out are put in here, and TCP
 * segments beyond the wire's length are passed on whole where the back end takes them, so that the guest spends its
 * time on neither.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/netdev.h>

#include "modules/modules.h"
#include "modules/virtio/virtio.h"

/* Section 5.1.2. */
enum queue { QUEUE_RX = 0, QUEUE_TX = 1 };

/* Section 5.1.3. */
#define FEATURE_CSUM	   (UINT64_C(1) << 0)
#define FEATURE_GUEST_CSUM (UINT64_C(1) << 1)
#define FEATURE_MAC	   (UINT64_C(1) << 5)
#define FEATURE_HOST_TSO4  (UINT64_C(1) << 11)
#define FEATURE_HOST_TSO6  (UINT64_C(1) << 12)
#define FEATURE_MRG_RXBUF  (UINT64_C(1) << 15)
#define FEATURE_STATUS	   (UINT64_C(1) << 16)

/* Section 5.1.4: offsets in the configuration, and the bits of the status. */
enum config { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_SIZE = 8 };
enum { STATUS_LINK_UP = 1 };

/* Section 5.1.6: what stands before each frame. Little-endian. */
struct net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};
enum { HEADER_NEEDS_CSUM = 1, HEADER_DATA_VALID = 2 };
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_ECN = 0x80 };

#define MAC_SIZE    6
#define FRAME_MIN   14u /* an Ethernet header */
#define MERGE_MAX   8	/* receive buffers that one frame may take */
#define SIGNAL_EACH 32	/* frames sent before the driver hears that their buffers are free */
#define REFUSE_EACH 64	/* frames refused in a row before others get their turn */

struct net {
	struct virtio virtio;
	struct bis_netdev *netdev;
	struct bis_timer *more;	     /* goes on where frames were refused in a row */
	uint8_t config[CONFIG_SIZE]; /* the virtio's lock */

	bool unplugged; /* by `link down`: device lock */

	/* The lock of the network */
	bool idle;	      /* the driver is to notify of the next frame it sends */
	bool starved;	      /* and of the next receive buffer */
	uint32_t unsignalled; /* frames sent that the driver has not been told of */
	uint64_t rx_frames, rx_bytes, rx_dropped;
	uint64_t tx_frames, tx_bytes, tx_dropped;
	struct virtio_chain tx;
	struct virtio_chain rx[MERGE_MAX];
};

static const struct bis_field net_fields[] = {
	VIRTIO_FIELDS(struct net, virtio),
	{.name = "mac",
	 .type = BIS_FIELD_BYTES,
	 .offset = offsetof(struct net, config) + CONFIG_MAC,
	 .count = MAC_SIZE,
	 .flags = BIS_FIELD_HEX | BIS_FIELD_READONLY | BIS_FIELD_CONSTANT,
	 .help = "hardware address"},
	{.name = "link",
	 .type = BIS_FIELD_U8,
	 .offset = offsetof(struct net, config) + CONFIG_STATUS,
	 .count = 1,
	 .flags = BIS_FIELD_READONLY,
	 .help = "1: there is a network, and the cable is in"},
	BIS_FIELD(struct net, unplugged, BOOL, 0, "the cable is pulled"),
	BIS_FIELD(struct net, idle, BOOL, 0, "the driver is to notify of the next frame it sends"),
	BIS_FIELD(struct net, starved, BOOL, 0, "the driver is to notify of the next receive buffer"),
	BIS_FIELD(struct net, unsignalled, U32, 0, "frames sent that the driver has not been told of"),
	BIS_FIELD(struct net, rx_frames, U64, BIS_FIELD_COUNTER, "frames received"),
	BIS_FIELD(struct net, rx_bytes, U64, BIS_FIELD_COUNTER, "bytes received"),
	BIS_FIELD(struct net, rx_dropped, U64, BIS_FIELD_COUNTER, "frames lost for want of receive buffers"),
	BIS_FIELD(struct net, tx_frames, U64, BIS_FIELD_COUNTER, "frames sent"),
	BIS_FIELD(struct net, tx_bytes, U64, BIS_FIELD_COUNTER, "bytes sent"),
	BIS_FIELD(struct net, tx_dropped, U64, BIS_FIELD_COUNTER, "frames refused: malformed, or no link"),
	BIS_FIELD_END,
};

static const struct bis_option net_options[] = {
	{"netdev", BIS_OPTION_TEXT, "net0", NULL, "name of the network to attach to"},
	{"mac", BIS_OPTION_TEXT, "", NULL,
	 "hardware address, as 02:00:00:00:00:01; default: made from the network's name"},
	{0},
};

/* --- Receiving: lock of the network --- */

/* Takes the next receive buffer into `c`. False if there is none; the driver will then notify of the next. */
static bool take_buffer(struct net *n, struct virtio_chain *c)
{
	while (!virtio_pop(&n->virtio, QUEUE_RX, c)) {
		n->starved = true;
		if (!virtio_want_notify(&n->virtio, QUEUE_RX, true))
			return false;
	}
	if (c->writable < sizeof(struct net_header)) {
		virtio_broken(&n->virtio, "receive buffer of %u bytes, which has no room for the header",
			      (unsigned)c->writable);
		return false;
	}
	return true;
}

/*
 * Takes receive buffers for `size` bytes: their number; 0 if there are not enough now, -EMSGSIZE if so much never goes
 * into the buffers that come next. None is taken then.
 */
static int take_buffers(struct net *n, uint64_t size)
{
	unsigned most = virtio_has(&n->virtio, FEATURE_MRG_RXBUF) ? MERGE_MAX : 1;
	unsigned count = 0;
	uint64_t room = 0;
	int result = -EMSGSIZE;

	while (count < most && room < size) {
		if (!take_buffer(n, &n->rx[count])) {
			result = 0;
			break;
		}
		room += n->rx[count++].writable;
	}
	if (room >= size)
		return (int)count;
	while (count)
		virtio_unpop(&n->rx[--count]);
	return result;
}

static void fill_buffers(struct net *n, unsigned count, const uint8_t *frame, size_t len, unsigned flags)
{
	struct net_header header = {.num_buffers = (uint16_t)count};
	size_t done = 0;

	if ((flags & BIS_NETDEV_VERIFIED) && virtio_has(&n->virtio, FEATURE_GUEST_CSUM))
		header.flags = HEADER_DATA_VALID;
	virtio_write(&n->rx[0], &header, sizeof(header));
	for (unsigned i = 0; i < count; i++) {
		done += virtio_write(&n->rx[i], frame + done, len - done);
		virtio_push(&n->rx[i]);
	}
	virtio_signal(&n->virtio, QUEUE_RX);
}

static bool net_receive(void *self, const uint8_t *frame, size_t len, unsigned flags)
{
	struct net *n = self;
	int count = take_buffers(n, sizeof(struct net_header) + len);

	if (count == 0)
		return false;
	if (n->starved) {
		n->starved = false;
		virtio_want_notify(&n->virtio, QUEUE_RX, false);
	}
	if (count < 0) {
		n->rx_dropped++;
		return true;
	}
	fill_buffers(n, (unsigned)count, frame, len, flags);
	n->rx_frames++;
	n->rx_bytes += len;
	return true;
}

static void net_dropped(void *self)
{
	struct net *n = self;

	n->rx_dropped++;
}

/* --- Sending: lock of the network --- */

/* The Internet checksum of RFC 1071 over `len` bytes, in the byte order of memory. */
static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;
	uint32_t word = 0;

	for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, bytes, len);
	sum += word;
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Section 5.1.6.2: the place of the checksum holds that of the pseudo header. False if it is not in the frame. */
static bool complete_checksum(uint8_t *frame, size_t len, const struct net_header *header)
{
	size_t start = header->csum_start, at = start + header->csum_offset;
	uint16_t sum;

	if (start >= len || at > len - sizeof(sum))
		return false;
	sum = checksum(frame + start, len - start);
	/* UDP takes 0 for none at all; the other zero means the same to both. */
	if (sum == 0)
		sum = 0xffff;
	memcpy(frame + at, &sum, sizeof(sum));
	return true;
}

/* Is a frame of this kind what the driver may send, and the back end takes? */
static bool segments_fit(struct net *n, uint8_t gso_type, unsigned flags)
{
	uint64_t feature;

	if (gso_type == GSO_NONE)
		return true;
	if (gso_type == GSO_TCPV4)
		feature = FEATURE_HOST_TSO4;
	else if (gso_type == GSO_TCPV6)
		feature = FEATURE_HOST_TSO6;
	else
		return false;
	return (flags & BIS_NETDEV_SEGMENTS) && virtio_has(&n->virtio, feature);
}

/* The frame of the chain in hand: its length, or 0 if it is none to be sent. */
static size_t read_frame(struct net *n, uint8_t *frame, unsigned flags)
{
	struct net_header header;
	size_t len;

	if (virtio_read(&n->tx, &header, sizeof(header)) != sizeof(header) || n->tx.readable < FRAME_MIN ||
	    n->tx.readable > BIS_NETDEV_FRAME || !segments_fit(n, header.gso_type, flags))
		return 0;
	len = virtio_read(&n->tx, frame, (size_t)n->tx.readable);
	if ((header.flags & HEADER_NEEDS_CSUM) &&
	    !(virtio_has(&n->virtio, FEATURE_CSUM) && complete_checksum(frame, len, &header)))
		return 0;
	return len;
}

static void signal_sent(struct net *n)
{
	if (n->unsignalled)
		virtio_signal(&n->virtio, QUEUE_TX);
	n->unsignalled = 0;
}

/* Takes the next chain. False if there is none; the driver will then notify of the next. */
static bool take_sent(struct net *n)
{
	while (!virtio_pop(&n->virtio, QUEUE_TX, &n->tx)) {
		signal_sent(n);
		n->idle = true;
		if (!virtio_want_notify(&n->virtio, QUEUE_TX, true))
			return false;
	}
	if (n->idle) {
		n->idle = false;
		virtio_want_notify(&n->virtio, QUEUE_TX, false);
	}
	return true;
}

/* A driver that makes refused frames available without end keeps neither this thread nor those that wait for it. */
static size_t net_fetch(void *self, uint8_t *frame, unsigned flags)
{
	struct net *n = self;
	unsigned left = REFUSE_EACH;
	size_t len = 0;

	while (len == 0 && left && take_sent(n)) {
		if (frame)
			len = read_frame(n, frame, flags);
		virtio_push(&n->tx);
		if (++n->unsignalled == SIGNAL_EACH)
			signal_sent(n);
		if (len == 0) {
			n->tx_dropped++;
			left--;
		}
	}
	if (!left)
		bis_timer_set(n->more, 0);
	n->tx_frames += len != 0;
	n->tx_bytes += len;
	return len;
}

/* --- Link --- */

/* Device lock held. */
static void set_link(struct net *n, bool up)
{
	virtio_lock(&n->virtio);
	n->config[CONFIG_STATUS] = up ? STATUS_LINK_UP : 0;
	virtio_unlock(&n->virtio);
}

static void net_link(void *self, bool up)
{
	struct net *n = self;

	set_link(n, up);
	if (virtio_has(&n->virtio, FEATURE_STATUS))
		virtio_config_changed(&n->virtio);
}

/* --- The driver: device lock held --- */

static void net_notify(void *self, unsigned queue)
{
	struct net *n = self;

	if (queue == QUEUE_RX)
		bis_netdev_flush(n->netdev);
	else
		bis_netdev_kick(n->netdev);
}

static void net_more(void *self)
{
	net_notify(self, QUEUE_TX);
}

/* What came before there was a driver is of no use to it. */
static void net_driver_ok(void *self)
{
	struct net *n = self;

	bis_netdev_clear(n->netdev);
	n->idle = true;
	n->starved = false;
	n->unsignalled = 0;
	virtio_want_notify(&n->virtio, QUEUE_RX, false);
	bis_netdev_start(n->netdev);
}

static void net_quiesce(void *self)
{
	struct net *n = self;

	bis_netdev_settle(n->netdev);
}

static void net_without_driver(void *self)
{
	struct net *n = self;

	bis_netdev_stop(n->netdev);
}

/* --- Lifecycle --- */

static const struct virtio_ops net_ops = {
	.device_id = VIRTIO_ID_NET,
	.queues = 2,
	.features = FEATURE_CSUM | FEATURE_GUEST_CSUM | FEATURE_MAC | FEATURE_MRG_RXBUF | FEATURE_STATUS,
	.config_size = CONFIG_SIZE,
	.notify = net_notify,
	.driver_ok = net_driver_ok,
	.quiesce = net_quiesce,
	.reset = net_without_driver,
};

static bool parse_hex(const char *text, uint8_t *out)
{
	unsigned value = 0;

	for (int i = 0; i < 2; i++) {
		const char *digit = text[i] ? strchr("0123456789abcdef0123456789ABCDEF", text[i]) : NULL;

		if (!digit)
			return false;
		value = value << 4 | (unsigned)(digit - "0123456789abcdef0123456789ABCDEF") % 16;
	}
	*out = (uint8_t)value;
	return true;
}

static bool parse_mac(const char *text, uint8_t *out)
{
	for (int i = 0; i < MAC_SIZE; i++) {
		if (!parse_hex(text, &out[i]) || text[2] != (i + 1 < MAC_SIZE ? ':' : '\0'))
			return false;
		text += 3;
	}
	return true;
}

/* Locally administered, and the same each time for a network of that name. */
static void derive_mac(const char *netdev, uint8_t *out)
{
	uint32_t hash = 0x811c9dc5u; /* FNV-1a */

	for (; *netdev; netdev++)
		hash = (hash ^ (uint8_t)*netdev) * 0x01000193u;
	out[0] = 0x02;
	out[1] = 0xb1;
	out[2] = 0x5c;
	out[3] = (uint8_t)(hash >> 16);
	out[4] = (uint8_t)(hash >> 8);
	out[5] = (uint8_t)hash;
}

static int choose_mac(struct net *n, const char *owner, const char *text, const char *netdev)
{
	static const uint8_t none[MAC_SIZE];
	uint8_t mac[MAC_SIZE];

	if (*text == '\0')
		derive_mac(netdev, mac);
	else if (!parse_mac(text, mac))
		return bis_fail(EINVAL, "%s: mac=%s: expected six pairs of hexadecimal digits, as 02:00:00:00:00:01",
				owner, text);
	if ((mac[0] & 1) || memcmp(mac, none, MAC_SIZE) == 0)
		return bis_fail(EINVAL, "%s: mac=%s is no address of a single device; expected an even first byte",
				owner, text);
	memcpy(n->config + CONFIG_MAC, mac, MAC_SIZE);
	return 0;
}

static void net_destroy(void *self)
{
	struct net *n = self;

	bis_netdev_detach(n->netdev, n);
	if (n->more)
		bis_timer_destroy(n->more);
	virtio_fini(&n->virtio);
	free(n);
}

static int net_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct bis_netdev_front_ops front = {
		.receive = net_receive, .fetch = net_fetch, .dropped = net_dropped, .link = net_link};
	const char *owner = bis_module_name(mod), *name = bis_option_text(options, "netdev");
	struct net *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return bis_fail(ENOMEM, "no memory for %s", owner);
	err = choose_mac(n, owner, bis_option_text(options, "mac"), name);
	if (!err)
		err = bis_netdev_open(bis_module_machine(mod), name, &n->netdev);
	if (err)
		goto free_state;
	virtio_init(&n->virtio, mod, &net_ops, n, n->config);
	if (bis_netdev_flags(n->netdev) & BIS_NETDEV_SEGMENTS)
		virtio_offer(&n->virtio, FEATURE_HOST_TSO4 | FEATURE_HOST_TSO6);
	set_link(n, bis_netdev_link(n->netdev));
	err = bis_netdev_attach(n->netdev, &front, n);
	if (err)
		goto destroy;
	*self = n;
	return 0;
destroy:
	net_destroy(n);
	return bis_fail_prefix(err, "%s", owner);
free_state:
	free(n);
	return err;
}

static int net_attach(struct bis_module *mod, void *self)
{
	struct net *n = self;
	int err = bis_timer_create(mod, net_more, &n->more);

	return err ? err : virtio_attach(&n->virtio);
}

static void net_pause(void *self)
{
	struct net *n = self;

	virtio_pause(&n->virtio);
	bis_netdev_stop(n->netdev);
}

static void net_resume(void *self)
{
	struct net *n = self;

	virtio_resume(&n->virtio);
	if (virtio_live(&n->virtio))
		bis_netdev_start(n->netdev);
}

/*
 * The cable is as it was; whether there is a network behind it is a matter of this machine, and the driver hears of it
 * if that is not what it knows.
 */
static int net_check(void *self)
{
	struct net *n = self;
	int err = virtio_check(&n->virtio);
	bool up;

	if (err)
		return err;
	bis_netdev_set_link(n->netdev, !n->unplugged);
	up = bis_netdev_link(n->netdev);
	if (n->config[CONFIG_STATUS] == (up ? STATUS_LINK_UP : 0))
		return 0;
	set_link(n, up);
	if (virtio_has(&n->virtio, FEATURE_STATUS))
		virtio_config_changed(&n->virtio);
	return 0;
}

static void net_reset(void *self)
{
	struct net *n = self;

	virtio_reset(&n->virtio);
}

/* Pulls the cable and puts it back. */
static int net_ctl(void *self, const char *verb, char *reply, size_t size)
{
	struct net *n = self;
	bool up = strcmp(verb, "link up") == 0;

	if (!up && strcmp(verb, "link down") != 0)
		return bis_fail(EINVAL, "unknown verb '%s'; expected 'link up' or 'link down'", verb);
	n->unplugged = !up;
	bis_netdev_set_link(n->netdev, up);
	if (size)
		*reply = '\0';
	return 0;
}

static void net_dt(void *self, struct bis_dt *dt)
{
	struct net *n = self;

	virtio_dt(&n->virtio, dt);
}

const struct bis_module_class bis_virtio_net_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-net",
	.summary = "virtio network device",
	.options = net_options,
	.fields = net_fields,
	.create = net_create,
	.attach = net_attach,
	.pause = net_pause,
	.resume = net_resume,
	.reset = net_reset,
	.destroy = net_destroy,
	.check = net_check,
	.ctl = net_ctl,
	.dt_name = "virtio_mmio",
	.dt = net_dt,
};
