/* Port forwarding rules of user networking, as text: tcp|udp:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT. */
#ifndef BISCUIT_MODULES_HOSTFWD_H
#define BISCUIT_MODULES_HOSTFWD_H

#include <netinet/in.h>

#include <biscuit/types.h>

/* The guest's network: 10.0.2.0/24, host byte order. */
#define HOSTFWD_NETWORK 0x0a000200u
#define HOSTFWD_MASK	0xffffff00u
#define HOSTFWD_HOST	0x0a000202u
#define HOSTFWD_DNS	0x0a000203u
#define HOSTFWD_GUEST	0x0a00020fu /* the address that DHCP gives */

struct hostfwd {
	bool udp;
	struct in_addr host, guest; /* default 127.0.0.1 and HOSTFWD_GUEST */
	uint16_t host_port, guest_port;
};

/*
 * Takes the first rule of `*rules`, a list joined by '+', and moves `*rules` behind it: 1 with *out filled, 0 at the
 * end of the list, -EINVAL with a message that says what is wrong with the rule.
 */
BIS_MUST_CHECK int hostfwd_next(const char **rules, struct hostfwd *out);

#endif
