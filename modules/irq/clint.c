/*
 * Core-local interruptor: software interrupts and the machine timer of every hart, in the SiFive CLINT layout. Runs on
 * a hart's thread with the device lock held. The compare values live in the harts, which raise the timer interrupt
 * themselves.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/modules.h"

/* SiFive Interrupt Cookbook, CLINT memory map */
enum {
	CLINT_MSIP = 0x0,	 /* 4 bytes a hart */
	CLINT_MTIMECMP = 0x4000, /* 8 bytes a hart */
	CLINT_MTIME = 0xbff8,	 /* 8 bytes */
	CLINT_SIZE = 0x10000,
};

struct clint {
	struct bis_machine *machine;
	unsigned harts;
	bool msip[BIS_MAX_HARTS];
};

static const struct bis_field clint_fields[] = {
	BIS_FIELD_ARRAY(struct clint, msip, BOOL, BIS_MAX_HARTS, 0, "software interrupt of each hart"),
	BIS_FIELD_END,
};

static uint64_t part_get(uint64_t whole, uint64_t off, unsigned size)
{
	return size == 8 ? whole : (uint32_t)(whole >> (8 * (off & 4)));
}

static uint64_t part_set(uint64_t whole, uint64_t off, unsigned size, uint64_t val)
{
	uint64_t mask = UINT64_C(0xffffffff) << (8 * (off & 4));

	if (size == 8)
		return val;
	return (whole & ~mask) | ((val << (8 * (off & 4))) & mask);
}

static enum bis_bus_result clint_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct clint *c = self;

	if (off < CLINT_MTIMECMP) {
		if (size != 4)
			return BIS_BUS_FAULT;
		*val = off / 4 < c->harts && c->msip[off / 4];
	} else if (off < CLINT_MTIME) {
		uint64_t hart = (off - CLINT_MTIMECMP) / 8;

		*val = hart < c->harts
			       ? part_get(bis_hart_mtimecmp(bis_machine_hart(c->machine, (unsigned)hart)), off, size)
			       : 0;
	} else if (off < CLINT_MTIME + 8) {
		*val = part_get(bis_machine_ticks(c->machine), off, size);
	} else {
		*val = 0;
	}
	return BIS_BUS_OK;
}

static void set_msip(struct clint *c, unsigned hart, bool level)
{
	c->msip[hart] = level;
	bis_hart_set_line(bis_machine_hart(c->machine, hart), BIS_LINE_MSIP, level);
}

/* Writes to MTIME are ignored: the time CSR and MTIME show the same count, which only runs forward. */
static enum bis_bus_result clint_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct clint *c = self;

	if (off < CLINT_MTIMECMP) {
		if (size != 4)
			return BIS_BUS_FAULT;
		if (off / 4 < c->harts)
			set_msip(c, (unsigned)(off / 4), val & 1);
	} else if (off < CLINT_MTIME && (off - CLINT_MTIMECMP) / 8 < c->harts) {
		struct bis_hart *h = bis_machine_hart(c->machine, (unsigned)((off - CLINT_MTIMECMP) / 8));

		bis_hart_set_mtimecmp(h, part_set(bis_hart_mtimecmp(h), off, size, val));
	}
	return BIS_BUS_OK;
}

static void clint_reset(void *self)
{
	struct clint *c = self;

	for (unsigned i = 0; i < c->harts; i++) {
		set_msip(c, i, false);
		bis_hart_set_mtimecmp(bis_machine_hart(c->machine, i), UINT64_MAX);
	}
}

static void clint_resume(void *self)
{
	struct clint *c = self;

	for (unsigned i = 0; i < c->harts; i++)
		set_msip(c, i, c->msip[i]);
}

static int clint_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct clint *c = calloc(1, sizeof(*c));

	(void)options;
	if (!c)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	c->machine = bis_module_machine(mod);
	c->harts = bis_machine_harts(c->machine);
	*self = c;
	return 0;
}

static int clint_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops ops = {
		.size = CLINT_SIZE, .min_access = 4, .max_access = 8, .read = clint_read, .write = clint_write};

	clint_reset(self);
	return bis_attach_mmio(mod, &ops);
}

/* Lines low and no timer left behind: the harts live on. */
static void clint_destroy(void *self)
{
	clint_reset(self);
	free(self);
}

static void clint_dt(void *self, struct bis_dt *dt)
{
	static const char compatible[] = "sifive,clint0\0riscv,clint0";
	uint32_t cells[BIS_MAX_HARTS * 4];
	size_t n = 0;

	(void)self;
	for (unsigned i = 0; i < bis_dt_hart_count(dt) && i < BIS_MAX_HARTS; i++) {
		cells[n++] = bis_dt_hart_intc(dt, i);
		cells[n++] = BIS_LINE_MSIP;
		cells[n++] = bis_dt_hart_intc(dt, i);
		cells[n++] = BIS_LINE_MTIP;
	}
	bis_dt_strings(dt, "compatible", compatible, sizeof(compatible));
	bis_dt_cells(dt, "interrupts-extended", cells, n);
}

const struct bis_module_class bis_clint_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "clint",
	.summary = "core-local interruptor: software interrupts and machine timers",
	.fields = clint_fields,
	.create = clint_create,
	.attach = clint_attach,
	.resume = clint_resume,
	.reset = clint_reset,
	.destroy = clint_destroy,
	.dt_name = "clint",
	.dt = clint_dt,
};
