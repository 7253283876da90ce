/* See hostfwd.h. Any thread. */
#include "modules/backend/hostfwd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/error.h>

#define RULE_SIZE 80 /* the longest rule there is has 60 characters */

/* A rule cut into its parts; the texts are in `copy`. */
struct parts {
	char copy[RULE_SIZE];
	char *protocol, *host, *host_port, *guest, *guest_port;
};

/* Ends the text at `*at` where `end` stands in it, and moves on behind; false if it does not. */
static bool cut(char **at, char **part, char end)
{
	char *found = strchr(*at, end);

	*part = *at;
	if (!found)
		return false;
	*found = '\0';
	*at = found + 1;
	return true;
}

static int split(const char *rule, struct parts *p)
{
	char *at = p->copy;

	snprintf(p->copy, sizeof(p->copy), "%s", rule);
	if (!cut(&at, &p->protocol, ':') || !cut(&at, &p->host, ':') || !cut(&at, &p->host_port, '-') ||
	    !cut(&at, &p->guest, ':'))
		return bis_fail(EINVAL,
				"hostfwd '%s': expected tcp|udp:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT, for example "
				"tcp:127.0.0.1:2222-:22",
				rule);
	p->guest_port = at;
	return 0;
}

static int parse_address(const char *rule, const char *what, const char *text, uint32_t otherwise, struct in_addr *out)
{
	out->s_addr = htonl(otherwise);
	if (*text && inet_pton(AF_INET, text, out) != 1)
		return bis_fail(EINVAL, "hostfwd '%s': %s address '%s': expected an IPv4 address or nothing", rule,
				what, text);
	return 0;
}

static int parse_port(const char *rule, const char *what, const char *text, uint16_t *out)
{
	unsigned value = 0;
	size_t len = strlen(text);

	for (size_t i = 0; i < len && i < 6; i++)
		value = text[i] >= '0' && text[i] <= '9' ? value * 10 + (unsigned)(text[i] - '0') : 65536;
	if (len == 0 || len > 5 || value == 0 || value > 65535)
		return bis_fail(EINVAL, "hostfwd '%s': %s port '%s': expected a number from 1 to 65535", rule, what,
				text);
	*out = (uint16_t)value;
	return 0;
}

static int check_guest(const char *rule, struct in_addr address)
{
	uint32_t a = ntohl(address.s_addr);

	if ((a & HOSTFWD_MASK) == HOSTFWD_NETWORK && a != HOSTFWD_HOST && a != HOSTFWD_DNS && (a & ~HOSTFWD_MASK) &&
	    (a | HOSTFWD_MASK) != UINT32_MAX)
		return 0;
	return bis_fail(EINVAL, "hostfwd '%s': the guest has no such address; expected 10.0.2.4 to 10.0.2.254", rule);
}

static int parse_rule(const char *rule, struct hostfwd *out)
{
	struct hostfwd f = {0};
	struct parts p;
	int err = split(rule, &p);

	if (err)
		return err;
	f.udp = strcmp(p.protocol, "udp") == 0;
	if (!f.udp && strcmp(p.protocol, "tcp") != 0)
		return bis_fail(EINVAL, "hostfwd '%s': protocol '%s': expected tcp or udp", rule, p.protocol);
	err = parse_address(rule, "host", p.host, INADDR_LOOPBACK, &f.host);
	if (!err)
		err = parse_port(rule, "host", p.host_port, &f.host_port);
	if (!err)
		err = parse_address(rule, "guest", p.guest, HOSTFWD_GUEST, &f.guest);
	if (!err)
		err = check_guest(rule, f.guest);
	if (!err)
		err = parse_port(rule, "guest", p.guest_port, &f.guest_port);
	if (!err)
		*out = f;
	return err;
}

int hostfwd_next(const char **rules, struct hostfwd *out)
{
	size_t len = strcspn(*rules, "+");
	char rule[RULE_SIZE];
	int err;

	if (**rules == '\0')
		return 0;
	if (len >= sizeof(rule))
		return bis_fail(EINVAL, "hostfwd '%.40s...': too long for a rule; several are joined by '+'", *rules);
	memcpy(rule, *rules, len);
	rule[len] = '\0';
	err = parse_rule(rule, out);
	if (err)
		return err;
	*rules += len;
	*rules += **rules == '+';
	return 1;
}
