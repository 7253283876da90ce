/*
 * A module class for tests of the core: it can have a register window, a native slot and interrupt lines, fails where
 * it is told to, and counts what happens to it. One file includes it; each instance is a struct probe.
 */
#ifndef BISCUIT_UNIT_PROBE_H
#define BISCUIT_UNIT_PROBE_H

#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/rig.h"

struct probe {
	struct bis_module *mod;
	uint64_t value;		/* register 0 of window and slot */
	_Atomic uint64_t reads; /* of either register 0 */
	uint64_t last[300];	/* values written to register 1 and 2 of the slot, in order of arrival */
	unsigned n_last;
	const char *fail;
};

/* Instances that exist; and the lifecycle calls so far, a letter each. */
static _Atomic int probes_alive;
static char probe_calls[256];

static inline void probe_called(char letter)
{
	size_t len = strlen(probe_calls);

	if (len < sizeof(probe_calls) - 1) {
		probe_calls[len] = letter;
		probe_calls[len + 1] = '\0';
	}
}

static inline bool probe_fails(const struct probe *p, const char *where)
{
	return !strcmp(p->fail, where);
}

static inline enum bis_bus_result probe_mmio_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct probe *p = self;

	(void)size;
	if (off)
		return BIS_BUS_FAULT;
	atomic_fetch_add(&p->reads, 1);
	*val = p->value;
	return BIS_BUS_OK;
}

static inline enum bis_bus_result probe_mmio_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct probe *p = self;

	(void)size;
	if (off)
		return BIS_BUS_FAULT;
	p->value = val;
	return BIS_BUS_OK;
}

static inline uint64_t probe_csr_read(void *self, unsigned reg)
{
	struct probe *p = self;

	if (reg == 0)
		atomic_fetch_add(&p->reads, 1);
	return reg == 0 ? p->value : p->n_last;
}

static inline void probe_csr_write(void *self, unsigned reg, uint64_t val)
{
	struct probe *p = self;

	if (reg == 0)
		p->value = val;
	else if (p->n_last < BIS_ARRAY_SIZE(p->last))
		p->last[p->n_last++] = val;
}

static inline int probe_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	const char *fail = bis_option_text(options, "fail");
	struct probe *p;

	if (!strcmp(fail, "create"))
		return bis_fail(EIO, "%s: fails to be created", bis_module_name(mod));
	p = calloc(1, sizeof(*p));
	if (!p)
		return bis_fail(ENOMEM, "%s: no memory", bis_module_name(mod));
	p->mod = mod;
	p->value = bis_option_u64(options, "value");
	p->fail = !strcmp(fail, "attach") ? "attach" : !strcmp(fail, "start") ? "start" : "never";
	probes_alive++;
	probe_called('c');
	*self = p;
	return 0;
}

static inline int probe_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops mmio = {
		.size = 64, .min_access = 4, .max_access = 8, .read = probe_mmio_read, .write = probe_mmio_write};
	static const struct bis_devcsr_ops devcsr = {
		.posted = 1 << 1 | 1 << 2, .read = probe_csr_read, .write = probe_csr_write};
	const char *name = bis_module_class_of(mod)->name;
	int err = 0;

	probe_called('a');
	if (strchr(name, 'm'))
		err = bis_attach_mmio(mod, &mmio);
	if (!err && strchr(name, 'n'))
		err = bis_attach_devcsr(mod, &devcsr);
	if (!err && probe_fails(self, "attach"))
		err = bis_fail(EIO, "%s: fails to attach", bis_module_name(mod));
	return err;
}

static inline int probe_start(void *self)
{
	probe_called('s');
	return probe_fails(self, "start") ? bis_fail(EIO, "fails to start") : 0;
}

static inline void probe_stop(void *self)
{
	(void)self;
	probe_called('S');
}

static inline void probe_pause(void *self)
{
	(void)self;
	probe_called('p');
}

static inline void probe_resume(void *self)
{
	(void)self;
	probe_called('r');
}

static inline void probe_reset(void *self)
{
	(void)self;
	probe_called('R');
}

static inline void probe_destroy(void *self)
{
	probes_alive--;
	probe_called('d');
	free(self);
}

static const struct bis_option probe_options[] = {
	{"value", BIS_OPTION_U64, "7", NULL, "what register 0 reads"},
	{"fail", BIS_OPTION_ENUM, "never", "never|create|attach|start", "where it fails"},
	{0},
};

/* A class named `probe` and letters: m has a window, n a slot. */
#define PROBE_CLASS(name_, irqs_)                                                                                      \
	{                                                                                                              \
		.abi = BIS_MODULE_ABI, .version = 3, .irqs = (irqs_), .name = (name_), .summary = "counts accesses",   \
		.options = probe_options, .create = probe_create, .attach = probe_attach, .start = probe_start,        \
		.stop = probe_stop, .pause = probe_pause, .resume = probe_resume, .reset = probe_reset,                \
		.destroy = probe_destroy                                                                               \
	}

#endif
