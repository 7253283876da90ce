/* One device on a fake machine, with a console in reach, for tests of devices. */
#ifndef BISCUIT_DEVICE_RIG_H
#define BISCUIT_DEVICE_RIG_H

#include <stdlib.h>

#include "tests/unit/fake_machine.h"

struct fixture {
	struct bis_machine *m;
	struct bis_module *mod;
	struct fake_console console; /* plugged by tests that want one */
};

/* For a test's setup; `slot` as fake_add() has it. */
static inline struct fixture *fixture_create(void **state, unsigned harts, const struct bis_module_class *class,
					     int slot, const char *options)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = fake_create(harts);
	f->mod = fake_add(f->m, class, slot, options);
	*state = f;
	return f;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	fake_destroy(f->m);
	free(f);
	return 0;
}

#endif
