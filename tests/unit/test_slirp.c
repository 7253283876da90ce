/*
 * User networking at the level of frames: the machines that the guest meets (ARP, DHCP), its way out and the ways in
 * (hostfwd), and every mistake in a forwarding rule by its message. Skipped in a build without libslirp.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/backend/hostfwd.h"
#include "tests/unit/net_fake.h"
#include "tests/unit/rig.h"

#define GUEST_IP 0x0a00020fu
#define HOST_IP	 0x0a000202u

enum { ETH_SIZE = 14, IP_SIZE = 20, UDP_SIZE = 8 };
enum { ETHERTYPE_IP = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_IPV6 = 0x86dd };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMPV6 = 58 };

static const uint8_t guest_mac[6] = {0x02, 0xb1, 0x5c, 1, 2, 3};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* --- Frames --- */

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put_ethernet(uint8_t *frame, const uint8_t *to, unsigned type)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, guest_mac, 6);
	put16(frame + 12, type);
}

static void put_ip(uint8_t *ip, unsigned protocol, uint32_t from, uint32_t to, size_t payload)
{
	uint32_t sum = 0;

	memset(ip, 0, IP_SIZE);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(IP_SIZE + payload));
	ip[8] = 64;
	ip[9] = (uint8_t)protocol;
	put32(ip + 12, from);
	put32(ip + 16, to);
	for (int i = 0; i < IP_SIZE; i += 2)
		sum += get16(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

/* Without a checksum, as UDP over IPv4 may be. */
static void send_udp(struct net_front *f, const uint8_t *to_mac, uint32_t from, uint32_t to, unsigned from_port,
		     unsigned to_port, const void *data, size_t len)
{
	uint8_t frame[1514], *udp = frame + ETH_SIZE + IP_SIZE;

	put_ethernet(frame, to_mac, ETHERTYPE_IP);
	put_ip(frame + ETH_SIZE, PROTOCOL_UDP, from, to, UDP_SIZE + len);
	put16(udp, from_port);
	put16(udp + 2, to_port);
	put16(udp + 4, (unsigned)(UDP_SIZE + len));
	put16(udp + 6, 0);
	memcpy(udp + UDP_SIZE, data, len);
	net_front_send(f, frame, ETH_SIZE + IP_SIZE + UDP_SIZE + len);
}

static void send_arp(struct net_front *f, unsigned operation, uint32_t target, const uint8_t *target_mac)
{
	uint8_t frame[60] = {0}, *arp = frame + ETH_SIZE;

	put_ethernet(frame, target_mac ? target_mac : broadcast, ETHERTYPE_ARP);
	put16(arp, 1);
	put16(arp + 2, ETHERTYPE_IP);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, operation);
	memcpy(arp + 8, guest_mac, 6);
	put32(arp + 14, GUEST_IP);
	if (target_mac)
		memcpy(arp + 18, target_mac, 6);
	put32(arp + 24, target);
	net_front_send(f, frame, sizeof(frame));
}

static void send_router_solicitation(struct net_front *f)
{
	static const uint8_t all_routers[] = {0x33, 0x33, 0, 0, 0, 2};
	uint8_t frame[62] = {0}, *ip = frame + ETH_SIZE;

	put_ethernet(frame, all_routers, ETHERTYPE_IPV6);
	ip[0] = 0x60;
	put16(ip + 4, 8);
	ip[6] = PROTOCOL_ICMPV6;
	ip[7] = 255;
	inet_pton(AF_INET6, "fe80::b1:5cff:fe01:203", ip + 8);
	inet_pton(AF_INET6, "ff02::2", ip + 24);
	ip[40] = 133;
	put16(ip + 42, 0x1f82); /* the checksum of all this */
	net_front_send(f, frame, sizeof(frame));
}

/* --- What comes back --- */

typedef bool (*frame_test)(const uint8_t *frame, size_t len);

static bool is_arp(const uint8_t *frame, size_t len)
{
	return len >= ETH_SIZE + 28 && get16(frame + 12) == ETHERTYPE_ARP;
}

static bool is_ip(const uint8_t *frame, size_t len, unsigned protocol)
{
	return len >= ETH_SIZE + IP_SIZE + UDP_SIZE && get16(frame + 12) == ETHERTYPE_IP && frame[23] == protocol;
}

static bool is_udp(const uint8_t *frame, size_t len)
{
	return is_ip(frame, len, PROTOCOL_UDP);
}

static bool is_tcp(const uint8_t *frame, size_t len)
{
	return is_ip(frame, len, PROTOCOL_TCP);
}

static bool is_router_advertisement(const uint8_t *frame, size_t len)
{
	return len > 54 && get16(frame + 12) == ETHERTYPE_IPV6 && frame[20] == PROTOCOL_ICMPV6 && frame[54] == 134;
}

/* Copies the first frame that passes `test` out; false if there is none so far. */
static bool find(struct net_front *f, frame_test test, struct net_frame *out)
{
	bool found = false;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->count && !found; i++) {
		found = test(f->got[i].bytes, f->got[i].len);
		if (found)
			*out = f->got[i];
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}

static struct net_frame wait_for(struct net_front *f, frame_test test)
{
	struct net_frame got = {0};

	rig_wait_for(find(f, test, &got));
	return got;
}

/* --- The network under test --- */

struct net {
	struct bis_machine *m;
	struct bis_module *mod;
	struct net_front *front;
};

static struct net open_net(const char *spec)
{
	struct net n = {.m = rig_create_with("rv64", 1, bis_builtin_modules)};

	n.front = net_front_attach(n.m, "net0");
	n.mod = rig_add(n.m, spec);
	return n;
}

static void close_net(struct net *n)
{
	bis_machine_destroy(n->m);
	free(n->front);
}

/* A port of the host's loopback that is free now. */
static unsigned free_port(int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void the_host_answers_arp(void **state)
{
	struct net n = open_net("net-user");
	struct net_frame got;

	(void)state;
	send_arp(n.front, 1, HOST_IP, NULL);
	got = wait_for(n.front, is_arp);
	assert_int_equal(get16(got.bytes + ETH_SIZE + 6), 2);
	assert_int_equal(get32(got.bytes + ETH_SIZE + 14), HOST_IP);
	assert_memory_equal(got.bytes, guest_mac, 6);
	close_net(&n);
}

/* The DHCP option `code`, its length in front; NULL if it is not there. */
static const uint8_t *dhcp_option(const struct net_frame *f, unsigned code)
{
	size_t at = ETH_SIZE + IP_SIZE + UDP_SIZE + 240;

	while (at + 1 < f->len && f->bytes[at] != 255) {
		if (f->bytes[at] == code)
			return f->bytes + at + 1;
		at += f->bytes[at] ? 2u + f->bytes[at + 1] : 1u;
	}
	return NULL;
}

static void dhcp_offers_the_address_router_and_name_server(void **state)
{
	struct net n = open_net("net-user,hostname=crumbs");
	uint8_t discover[300] = {1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef};
	struct net_frame got;

	(void)state;
	memcpy(discover + 28, guest_mac, 6);
	put32(discover + 236, 0x63825363);
	memcpy(discover + 240, (const uint8_t[]){53, 1, 1, 255}, 4);
	send_udp(n.front, broadcast, 0, UINT32_MAX, 68, 67, discover, sizeof(discover));
	got = wait_for(n.front, is_udp);
	assert_int_equal(get16(got.bytes + ETH_SIZE + IP_SIZE), 67);
	assert_int_equal(get32(got.bytes + ETH_SIZE + IP_SIZE + UDP_SIZE + 16), GUEST_IP);
	assert_memory_equal(dhcp_option(&got, 53), ((const uint8_t[]){1, 2}), 2);
	assert_memory_equal(dhcp_option(&got, 3), ((const uint8_t[]){4, 10, 0, 2, 2}), 5);
	assert_memory_equal(dhcp_option(&got, 6), ((const uint8_t[]){4, 10, 0, 2, 3}), 5);
	assert_memory_equal(dhcp_option(&got, 12), "\6crumbs", 7);
	close_net(&n);
}

/* An echo on the host's loopback, reached as 10.0.2.2. */
static void datagrams_go_out_and_answers_come_back(void **state)
{
	struct net n = open_net("net-user");
	struct sockaddr_in a = loopback(0), from;
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t mac[6];
	struct net_frame got;
	char text[16];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	send_arp(n.front, 1, HOST_IP, NULL);
	got = wait_for(n.front, is_arp);
	memcpy(mac, got.bytes + 6, 6);
	send_udp(n.front, mac, GUEST_IP, HOST_IP, 4000, ntohs(a.sin_port), "ping", 4);
	len = sizeof(from);
	assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len), 4);
	assert_memory_equal(text, "ping", 4);
	assert_int_equal(sendto(fd, "pong!", 5, 0, (struct sockaddr *)&from, len), 5);
	got = wait_for(n.front, is_udp);
	assert_int_equal(get32(got.bytes + ETH_SIZE + 12), HOST_IP);
	assert_int_equal(get16(got.bytes + ETH_SIZE + IP_SIZE + 2), 4000);
	assert_memory_equal(got.bytes + ETH_SIZE + IP_SIZE + UDP_SIZE, "pong!", 5);
	close(fd);
	close_net(&n);
}

/* A TCP and a UDP port of the host that lead to 22 and 53; another program may take one before us, so several tries. */
static struct net open_forwarded(struct sockaddr_in *tcp, struct sockaddr_in *udp)
{
	struct net n = {.m = rig_create_with("rv64", 1, bis_builtin_modules)};
	int err = -EADDRINUSE;

	n.front = net_front_attach(n.m, "net0");
	for (int tries = 0; err == -EADDRINUSE && tries < 20; tries++) {
		char spec[128];

		*tcp = loopback(free_port(SOCK_STREAM));
		*udp = loopback(free_port(SOCK_DGRAM));
		snprintf(spec, sizeof(spec), "net-user,hostfwd=tcp:127.0.0.1:%u-:22+udp::%u-10.0.2.15:53",
			 ntohs(tcp->sin_port), ntohs(udp->sin_port));
		err = bis_machine_add(n.m, spec, &n.mod);
	}
	assert_ok(err);
	return n;
}

static void a_forwarded_port_knocks_at_the_guest(void **state)
{
	struct sockaddr_in a, b;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
	struct net_frame got;
	struct net n;

	(void)state;
	n = open_forwarded(&a, &b);
	assert_true(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno == EINPROGRESS);
	got = wait_for(n.front, is_arp);
	assert_int_equal(get16(got.bytes + ETH_SIZE + 6), 1);
	assert_int_equal(get32(got.bytes + ETH_SIZE + 24), GUEST_IP);
	send_arp(n.front, 2, HOST_IP, got.bytes + 6);
	got = wait_for(n.front, is_tcp);
	assert_memory_equal(got.bytes, guest_mac, 6);
	assert_int_equal(get32(got.bytes + ETH_SIZE + 16), GUEST_IP);
	assert_int_equal(get16(got.bytes + ETH_SIZE + IP_SIZE + 2), 22);
	assert_int_equal(got.bytes[ETH_SIZE + IP_SIZE + 13], 2); /* SYN alone */
	assert_int_equal(sendto(udp, "hi", 2, 0, (struct sockaddr *)&b, sizeof(b)), 2);
	got = wait_for(n.front, is_udp);
	assert_int_equal(get16(got.bytes + ETH_SIZE + IP_SIZE + 2), 53);
	close(fd);
	close(udp);
	close_net(&n);
}

static void ipv6_is_announced_unless_turned_off(void **state)
{
	struct net n = open_net("net-user");
	struct net_frame got;

	(void)state;
	send_router_solicitation(n.front);
	wait_for(n.front, is_router_advertisement);
	close_net(&n);
	n = open_net("net-user,ipv6=off");
	send_router_solicitation(n.front);
	send_arp(n.front, 1, HOST_IP, NULL);
	wait_for(n.front, is_arp);
	assert_false(find(n.front, is_router_advertisement, &got));
	close_net(&n);
}

static void a_restricted_guest_reaches_nobody(void **state)
{
	struct net n = open_net("net-user,restrict=on");
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	uint8_t mac[6];
	struct net_frame got;
	char text[16];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	send_arp(n.front, 1, HOST_IP, NULL);
	got = wait_for(n.front, is_arp);
	memcpy(mac, got.bytes + 6, 6);
	send_udp(n.front, mac, GUEST_IP, HOST_IP, 4000, ntohs(a.sin_port), "ping", 4);
	rig_wait_for(net_front_fetched(n.front) == 2);
	close_net(&n);
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	close(fd);
}

static void a_port_in_use_is_named(void **state)
{
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct bis_module *mod;
	char spec[128], words[128];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(spec, sizeof(spec), "net-user,hostfwd=tcp::%u-:22", ntohs(a.sin_port));
	snprintf(words, sizeof(words), "net-user: cannot forward tcp port %u of 127.0.0.1 on the host: Address already",
		 ntohs(a.sin_port));
	assert_fails(bis_machine_add(m, spec, &mod), -EADDRINUSE, words);
	assert_ok(bis_machine_add(m, "net-user", &mod));
	bis_machine_destroy(m);
	close(fd);
}

static void a_network_has_one_back_end(void **state)
{
	struct net n = open_net("net-user");
	struct bis_module *mod;

	(void)state;
	assert_fails(bis_machine_add(n.m, "net-user", &mod), -EEXIST, "net-user1: the network 'net0' already has a");
	assert_ok(bis_machine_add(n.m, "net-user,netdev=net1", &mod));
	assert_ok(bis_machine_remove(n.m, n.mod));
	assert_false(n.front->link);
	assert_ok(bis_machine_add(n.m, "net-user", &mod));
	assert_true(n.front->link);
	close_net(&n);
}

/* Pausing keeps the thread still, resuming wakes it; neither waits for it. */
static void a_paused_network_catches_up(void **state)
{
	struct net n = open_net("net-user");

	(void)state;
	rig_add(n.m, "riscv");
	rig_start_paused(n.m);
	send_arp(n.front, 1, HOST_IP, NULL);
	assert_ok(bis_machine_resume(n.m));
	wait_for(n.front, is_arp);
	assert_ok(bis_machine_pause(n.m));
	close_net(&n);
}

static void mistakes_in_rules_are_named(void **state)
{
	static const struct {
		const char *rules, *words;
	} bad[] = {
		{"tcp", "hostfwd 'tcp': expected tcp|udp:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT, for example tcp:"},
		{"tcp::22", "hostfwd 'tcp::22': expected tcp|udp:"},
		{"tcp::2222-22", "expected tcp|udp:"},
		{"sctp::2222-:22", "protocol 'sctp': expected tcp or udp"},
		{"tcp:localhost:2222-:22", "host address 'localhost': expected an IPv4 address or nothing"},
		{"tcp:127.0.0.1:-:22", "host port '': expected a number from 1 to 65535"},
		{"tcp::0-:22", "host port '0': expected a number"},
		{"tcp::65536-:22", "host port '65536': expected a number"},
		{"tcp::99999999999999999999-:22", "host port '99999999999999999999': expected a number"},
		{"tcp::+80-:22", "expected tcp|udp:"},
		{"tcp:: 80-:22", "host port ' 80': expected a number"},
		{"tcp::2222-10.0.2:22", "guest address '10.0.2': expected an IPv4 address"},
		{"tcp::2222-192.168.0.1:22", "the guest has no such address; expected 10.0.2.4 to 10.0.2.254"},
		{"tcp::2222-10.0.2.2:22", "the guest has no such address"},
		{"tcp::2222-10.0.2.0:22", "the guest has no such address"},
		{"tcp::2222-10.0.2.255:22", "the guest has no such address"},
		{"tcp::2222-:", "guest port '': expected a number"},
		{"tcp::2222-:22x", "guest port '22x': expected a number"},
		{"tcp::2222-:22+udp", "hostfwd 'udp': expected tcp|udp:"},
		{"tcp::2222-:22222222222222222222222222222222222222222222222222222222222222222222222222222",
		 "too long"},
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		const char *rest = bad[i].rules;
		struct hostfwd rule;
		int result;

		do
			result = hostfwd_next(&rest, &rule);
		while (result > 0);
		assert_fails(result, -EINVAL, bad[i].words);
	}
}

static void rules_are_read_as_written(void **state)
{
	const char *rules = "tcp::2222-:22+udp:192.0.2.7:53-10.0.2.9:5353+";
	struct hostfwd f;

	(void)state;
	assert_int_equal(hostfwd_next(&rules, &f), 1);
	assert_false(f.udp);
	assert_int_equal(ntohl(f.host.s_addr), INADDR_LOOPBACK);
	assert_int_equal(ntohl(f.guest.s_addr), GUEST_IP);
	assert_int_equal(f.host_port, 2222);
	assert_int_equal(f.guest_port, 22);
	assert_int_equal(hostfwd_next(&rules, &f), 1);
	assert_true(f.udp);
	assert_int_equal(ntohl(f.host.s_addr), 0xc0000207);
	assert_int_equal(ntohl(f.guest.s_addr), 0x0a000209);
	assert_int_equal(hostfwd_next(&rules, &f), 0);
}

static void a_tap_that_cannot_be_used_says_why(void **state)
{
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);
	struct bis_module *mod;

	(void)state;
	assert_fails(bis_machine_add(m, "net-tap", &mod), -EINVAL, "ifname");
	assert_fails(bis_machine_add(m, "net-tap,ifname=a-name-of-twenty-one", &mod), -EINVAL,
		     "net-tap: ifname=a-name-of-twenty-one: expected the name of an interface, 1 to 15 characters");
	assert_fails(bis_machine_add(m, "net-tap,ifname=tap%d", &mod), -EINVAL, "expected the name of an interface");
	bis_machine_destroy(m);
}

/* What the guest sends comes out of the interface and the other way round, where the host lets us make one. */
static void a_tap_carries_frames(void **state)
{
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);
	struct net_front *f = net_front_attach(m, "net0");
	struct bis_module *mod;
	int err = bis_machine_add(m, "net-tap,ifname=bistest0", &mod);

	(void)state;
	if (err) {
		assert_non_null(strstr(bis_error_message(), "net-tap: "));
		bis_machine_destroy(m);
		free(f);
		skip();
	}
	send_arp(f, 1, HOST_IP, NULL);
	rig_wait_for(net_front_fetched(f) == 1);
	bis_machine_destroy(m);
	free(f);
}

static bool have_slirp(void)
{
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);
	struct bis_module *mod;
	int err = bis_machine_add(m, "net-user", &mod);

	if (err)
		assert_fails(err, -ENOSYS, "net-user: built without libslirp (Debian: libslirp-dev)");
	bis_machine_destroy(m);
	return !err;
}

int main(void)
{
	const struct CMUnitTest rules[] = {
		cmocka_unit_test(mistakes_in_rules_are_named),
		cmocka_unit_test(rules_are_read_as_written),
		cmocka_unit_test(a_tap_that_cannot_be_used_says_why),
		cmocka_unit_test(a_tap_carries_frames),
	};
	const struct CMUnitTest networks[] = {
		cmocka_unit_test(the_host_answers_arp),
		cmocka_unit_test(dhcp_offers_the_address_router_and_name_server),
		cmocka_unit_test(datagrams_go_out_and_answers_come_back),
		cmocka_unit_test(a_forwarded_port_knocks_at_the_guest),
		cmocka_unit_test(ipv6_is_announced_unless_turned_off),
		cmocka_unit_test(a_restricted_guest_reaches_nobody),
		cmocka_unit_test(a_port_in_use_is_named),
		cmocka_unit_test(a_network_has_one_back_end),
		cmocka_unit_test(a_paused_network_catches_up),
	};
	int failed = cmocka_run_group_tests_name("slirp rules", rules, NULL, NULL);

	if (!have_slirp())
		return failed;
	return failed + cmocka_run_group_tests_name("slirp", networks, NULL, NULL);
}
