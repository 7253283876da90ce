/* The options of user networking, known with and without libslirp. */
#ifndef BISCUIT_MODULES_SLIRP_OPTIONS_H
#define BISCUIT_MODULES_SLIRP_OPTIONS_H

#include <biscuit/option.h>

static const struct bis_option slirp_options[] = {
	{"netdev", BIS_OPTION_TEXT, "net0", NULL, "name of the network to plug into"},
	{"hostfwd", BIS_OPTION_TEXT, "", NULL,
	 "ports of the host that lead into the guest: tcp|udp:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT, several "
	 "joined "
	 "by '+'"},
	{"restrict", BIS_OPTION_BOOL, "off", NULL,
	 "let the guest reach nothing outside but what reaches it by hostfwd"},
	{"hostname", BIS_OPTION_TEXT, "biscuit", NULL, "name of the guest, told by DHCP"},
	{"ipv6", BIS_OPTION_BOOL, "on", NULL, "announce an IPv6 network, too"},
	{0},
};

#endif
