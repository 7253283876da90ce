/*
 * Input, <biscuit/input.h>: from whoever has a keyboard or a pointer to the devices of the guest. Any thread; the list
 * is guarded by the device lock and belongs to the machine.
 */
#include "src/machine/input_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/machine.h>

#define GROUP 64u /* events that a device is given at once */

struct bis_input_device {
	struct bis_input_device *next;
	const struct bis_input_ops *ops;
	void *self;
};

/* --- Codes --- */

static const struct bis_input_code codes[] = {
#define CODE(name, code, text) {(code), (text)},
#include <biscuit/input_codes.def>
};

const struct bis_input_code *bis_input_code(size_t index)
{
	return index < BIS_ARRAY_SIZE(codes) ? &codes[index] : NULL;
}

static int compare_codes(const void *key, const void *row)
{
	return (int)*(const uint16_t *)key - (int)((const struct bis_input_code *)row)->code;
}

const char *bis_input_code_name(uint16_t code)
{
	const struct bis_input_code *row =
		bsearch(&code, codes, BIS_ARRAY_SIZE(codes), sizeof(codes[0]), compare_codes);

	return row ? row->name : NULL;
}

uint16_t bis_input_code_find(const char *name)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(codes); i++)
		if (!strcmp(codes[i].name, name))
			return codes[i].code;
	return 0;
}

/* --- Devices --- */

int bis_input_attach(struct bis_machine *m, const struct bis_input_ops *ops, void *self)
{
	struct bis_input_device *d = calloc(1, sizeof(*d)), **end = bis_machine_inputs(m);

	if (!d)
		return bis_fail(ENOMEM, "no memory for an input device");
	d->ops = ops;
	d->self = self;
	while (*end)
		end = &(*end)->next;
	*end = d;
	return 0;
}

void bis_input_detach(struct bis_machine *m, void *self)
{
	struct bis_input_device **at = bis_machine_inputs(m);

	while (*at) {
		struct bis_input_device *d = *at;

		if (d->self == self) {
			*at = d->next;
			free(d);
		} else {
			at = &d->next;
		}
	}
}

void bis_input_destroy_all(struct bis_machine *m)
{
	struct bis_input_device *d = *bis_machine_inputs(m);

	*bis_machine_inputs(m) = NULL;
	while (d) {
		struct bis_input_device *next = d->next;

		free(d);
		d = next;
	}
}

/* The kinds that the guest wants from the device now. */
static unsigned kinds_of(const struct bis_input_device *d)
{
	unsigned kinds = d->ops->kinds;

	if (d->ops->in_use && !d->ops->in_use(d->self))
		return 0;
	return d->ops->wanted ? kinds & d->ops->wanted(d->self) : kinds;
}

unsigned bis_input_kinds(struct bis_machine *m)
{
	unsigned kinds = 0;

	bis_machine_lock_devices(m);
	for (const struct bis_input_device *d = *bis_machine_inputs(m); d; d = d->next)
		kinds |= kinds_of(d);
	bis_machine_unlock_devices(m);
	return kinds;
}

size_t bis_input_room(struct bis_machine *m)
{
	size_t least = SIZE_MAX;

	bis_machine_lock_devices(m);
	for (const struct bis_input_device *d = *bis_machine_inputs(m); d; d = d->next) {
		size_t room = kinds_of(d) && d->ops->room ? d->ops->room(d->self) : SIZE_MAX;

		least = room < least ? room : least;
	}
	bis_machine_unlock_devices(m);
	return least;
}

/* --- Sending --- */

/* Offers the device those of at most GROUP events that it wants; bit i of the result: it took event i. */
static uint64_t offer(const struct bis_input_device *d, const struct bis_input_event *events, size_t count)
{
	struct bis_input_event wanted[GROUP];
	size_t from[GROUP], n = 0, took;
	unsigned kinds = kinds_of(d);
	uint64_t taken = 0;

	for (size_t i = 0; i < count; i++) {
		if ((unsigned)events[i].kind < BIS_INPUT_KINDS && (kinds >> events[i].kind & 1)) {
			from[n] = i;
			wanted[n++] = events[i];
		}
	}
	took = n ? d->ops->take(d->self, wanted, n) : 0;
	for (size_t i = 0; i < took && i < n; i++)
		taken |= UINT64_C(1) << from[i];
	return taken;
}

size_t bis_input_send(struct bis_machine *m, const struct bis_input_event *events, size_t count)
{
	size_t sum = 0;

	bis_machine_lock_devices(m);
	while (count > 0) {
		size_t part = count < GROUP ? count : GROUP;
		uint64_t taken = 0;

		for (const struct bis_input_device *d = *bis_machine_inputs(m); d; d = d->next)
			taken |= offer(d, events, part);
		sum += (size_t)__builtin_popcountll(taken);
		events += part;
		count -= part;
	}
	bis_machine_unlock_devices(m);
	return sum;
}
