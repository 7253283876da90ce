/*
 * Test finisher: power off, exit with a status and reset by one 32-bit write, as the SiFive test device does it
 * (device-tree binding sifive,test0). Runs on a hart's thread with the device lock held; it has no state.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/modules.h"

enum {
	FINISHER_COMMAND = 0x0,
	FINISHER_SIZE = 0x1000,
	FINISHER_FAIL = 0x3333, /* exit status in bits 31:16 */
	FINISHER_PASS = 0x5555,
	FINISHER_RESET = 0x7777,
};

struct finisher {
	struct bis_machine *machine;
};

/* Everything reads as zero: operating systems read before they write when they use it as a syscon. */
static enum bis_bus_result finisher_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	(void)self;
	(void)off;
	(void)size;
	*val = 0;
	return BIS_BUS_OK;
}

/* Unknown commands and other registers are ignored. A status above 255 counts as 255. */
static enum bis_bus_result finisher_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	const struct finisher *f = self;
	int status = (int)(val >> 16 & 0xffff);

	(void)size;
	if (off != FINISHER_COMMAND)
		return BIS_BUS_OK;
	switch (val & 0xffff) {
	case FINISHER_PASS:
		bis_machine_request_stop(f->machine, BIS_STOP_POWER_OFF, 0);
		break;
	case FINISHER_FAIL:
		bis_machine_request_stop(f->machine, BIS_STOP_POWER_OFF, status > 255 ? 255 : status);
		break;
	case FINISHER_RESET:
		bis_machine_request_reset(f->machine);
		break;
	default:
		break;
	}
	return BIS_BUS_OK;
}

static int finisher_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct finisher *f = calloc(1, sizeof(*f));

	(void)options;
	if (!f)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	f->machine = bis_module_machine(mod);
	*self = f;
	return 0;
}

static int finisher_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops ops = {.size = FINISHER_SIZE,
						.min_access = 4,
						.max_access = 4,
						.read = finisher_read,
						.write = finisher_write};

	(void)self;
	return bis_attach_mmio(mod, &ops);
}

/* A child by which generic syscon drivers power off or restart. */
static void syscon_child(struct bis_dt *dt, const char *name, const char *compatible, uint32_t regmap, uint32_t value)
{
	bis_dt_begin(dt, name);
	bis_dt_string(dt, "compatible", compatible);
	bis_dt_u32(dt, "regmap", regmap);
	bis_dt_u32(dt, "offset", FINISHER_COMMAND);
	bis_dt_u32(dt, "value", value);
	bis_dt_end(dt);
}

static void finisher_dt(void *self, struct bis_dt *dt)
{
	static const char compatible[] = "sifive,test1\0sifive,test0\0syscon\0simple-mfd";
	uint32_t phandle;

	(void)self;
	bis_dt_strings(dt, "compatible", compatible, sizeof(compatible));
	phandle = bis_dt_phandle(dt);
	syscon_child(dt, "poweroff", "syscon-poweroff", phandle, FINISHER_PASS);
	syscon_child(dt, "reboot", "syscon-reboot", phandle, FINISHER_RESET);
}

const struct bis_module_class bis_finisher_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "finisher",
	.summary = "test finisher: power off, exit status and reset",
	.create = finisher_create,
	.attach = finisher_attach,
	.destroy = free,
	.dt_name = "test",
	.dt = finisher_dt,
};
