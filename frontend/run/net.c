/*
 * --net user[,hostfwd=RULE]…|tap,ifname=NAME|none: a back end ("net-user", "net-tap") and a "virtio-net" that meet
 * under the name of a network. `mac` is the device's, the other keys are for the back end to read; it wants several
 * rules of hostfwd in one value. Runs on the main thread.
 */
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>
#include <biscuit/error.h>

#include "frontend/run/spec.h"

#define EXPECTED "user[,hostfwd=RULE]..., tap,ifname=NAME or none"

static const char *const kinds[] = {"user", "tap", "none"};

/* What becomes of a --net. */
struct net {
	bool tap, none;
	struct spec_item interface; /* the value of ifname */
	char *back, *device;	    /* specifications of the modules */
};

static int read_kind(const struct spec_item *item, struct net *net)
{
	char word[32];

	snprintf(word, sizeof(word), "%.*s", item->key_length, item->key);
	net->tap = !strcmp(word, "tap");
	net->none = !strcmp(word, "none");
	if (item->value || (!net->tap && !net->none && strcmp(word, "user")))
		return spec_unknown("--net: unknown kind", word, kinds, BIS_ARRAY_SIZE(kinds), EXPECTED);
	return 0;
}

static int read_value(const char *value, struct net *net)
{
	const char *rest = value;
	struct spec_item item;
	int err;

	if (!spec_next(&rest, &item))
		return bis_fail(EINVAL, "--net: nothing given, expected %s", EXPECTED);
	err = read_kind(&item, net);
	if (err)
		return err;
	if (net->none && *rest)
		return bis_fail(EINVAL, "--net: '%s', expected nothing behind none", value);
	while (spec_next(&rest, &item))
		if (spec_is(&item, "ifname"))
			net->interface = item;
	if (net->tap && !net->interface.value_length)
		return bis_fail(EINVAL, "--net: '%s', expected tap,ifname=NAME", value);
	return 0;
}

int net_check(const char *value, bool *none)
{
	struct net net = {0};
	int err = read_value(value, &net);

	*none = net.none;
	return err;
}

static void print_item(FILE *f, const struct spec_item *item)
{
	fprintf(f, ",%.*s", item->key_length, item->key);
	if (item->value)
		fprintf(f, "=%.*s", item->value_length, item->value);
}

/* Writes what the back end and the device get. */
static void distribute(const char *value, const char *network, bool tap, FILE *back, FILE *device)
{
	const char *rest = value;
	struct spec_item item;
	unsigned rules = 0;

	fprintf(back, "net-%s,netdev=%s", tap ? "tap" : "user", network);
	fprintf(device, "virtio-net,netdev=%s", network);
	(void)spec_next(&rest, &item); /* the kind */
	while (spec_next(&rest, &item)) {
		if (spec_is(&item, "mac"))
			print_item(device, &item);
		else if (!spec_is(&item, "hostfwd") || !item.value)
			print_item(back, &item);
		else
			rules++;
	}
	rest = value;
	for (unsigned i = 0; i < rules && spec_next(&rest, &item);) {
		if (!spec_is(&item, "hostfwd") || !item.value)
			continue;
		fprintf(back, "%s%.*s", i++ ? "+" : ",hostfwd=", item.value_length, item.value);
	}
}

static int make_specs(const char *value, size_t number, struct net *net)
{
	size_t back_size, device_size;
	FILE *back, *device;
	char network[64];
	bool done;

	if (net->tap)
		snprintf(network, sizeof(network), "%.*s", net->interface.value_length, net->interface.value);
	else
		snprintf(network, sizeof(network), "net%zu", number);
	back = open_memstream(&net->back, &back_size);
	device = open_memstream(&net->device, &device_size);
	done = back && device;
	if (done)
		distribute(value, network, net->tap, back, device);
	if (back && fclose(back))
		done = false;
	if (device && fclose(device))
		done = false;
	return done ? 0 : bis_fail(ENOMEM, "--net: out of memory");
}

int net_add(struct bis_machine *m, size_t number, const char *value)
{
	struct bis_module *mod;
	struct net net = {0};
	int err = read_value(value, &net);

	if (err || net.none)
		return err;
	err = make_specs(value, number, &net);
	if (!err)
		err = bis_machine_add(m, net.back, &mod);
	if (!err)
		err = bis_board_virtio(m, net.device, &mod);
	free(net.back);
	free(net.device);
	return err ? bis_fail_prefix(err, "--net") : 0;
}
