/*
 * Module controller (native slot 0, docs/devices.md): what a guest asks and tells the machine as a whole, and the
 * interrupt controller of native devices. Registers are served on a hart's thread with the device lock held. Input k of
 * the controller is slot k.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/device/native.h"
#include "modules/modules.h"

#define REQUEST_MAX 256u /* a requested module's text with its NUL */
#define NAME_CHARS  32u	 /* characters of a name that SELECT reaches */

struct modctl {
	struct bis_machine *machine;
	uint32_t select;
	uint32_t enable; /* register ENABLE */
	uint16_t level;	 /* bit k: slot k asks for an interrupt */
	uint16_t claimed;
	uint8_t error;
	bool busy; /* a requested module is being added */
	char request[REQUEST_MAX];
};

static const struct bis_field modctl_fields[] = {
	BIS_FIELD(struct modctl, select, U32, BIS_FIELD_HEX, "what INFO shows"),
	BIS_FIELD(struct modctl, enable, U32, BIS_FIELD_HEX, "enabled slots, and harts from bit 16 on"),
	BIS_FIELD(struct modctl, level, U16, BIS_FIELD_HEX | BIS_FIELD_READONLY, "slots that ask for an interrupt"),
	BIS_FIELD(struct modctl, claimed, U16, BIS_FIELD_HEX, "slots claimed and not yet completed"),
	BIS_FIELD(struct modctl, error, U8, 0, "error code in STATUS"),
	BIS_FIELD(struct modctl, busy, BOOL, BIS_FIELD_READONLY, "a requested module is being added"),
	BIS_FIELD_ARRAY(struct modctl, request, TEXT, REQUEST_MAX, BIS_FIELD_READONLY, "the last module requested"),
	BIS_FIELD_END,
};

/* --- Interrupts --- */

static uint32_t pending_slots(const struct modctl *c)
{
	return c->level & c->enable & ~(uint32_t)c->claimed;
}

static uint32_t enabled_harts(const struct modctl *c)
{
	return (c->enable & MODCTL_ENABLE_HARTS_MASK) >> MODCTL_ENABLE_HARTS_SHIFT;
}

static void update_harts(const struct modctl *c)
{
	bool pending = pending_slots(c) != 0;

	for (unsigned i = 0; i < bis_machine_harts(c->machine); i++)
		bis_hart_set_line(bis_machine_hart(c->machine, i), BIS_LINE_NATIVE,
				  pending && enabled_harts(c) >> i & 1);
}

static void modctl_set_input(void *self, unsigned input, bool level)
{
	struct modctl *c = self;

	if (input == 0 || input >= BIS_DEVCSR_SLOTS)
		return;
	c->level = (uint16_t)(level ? c->level | 1u << input : c->level & ~(1u << input));
	update_harts(c);
}

static uint64_t claim(struct modctl *c)
{
	uint32_t pending = pending_slots(c);
	unsigned slot;

	if (!pending)
		return 0;
	slot = (unsigned)__builtin_ctz(pending);
	c->claimed = (uint16_t)(c->claimed | 1u << slot);
	update_harts(c);
	return slot;
}

static void complete(struct modctl *c, uint64_t slot)
{
	if (slot >= BIS_DEVCSR_SLOTS)
		return;
	c->claimed = (uint16_t)(c->claimed & ~(1u << slot));
	update_harts(c);
}

static void set_enable(struct modctl *c, uint64_t val)
{
	uint32_t harts = (1u << bis_machine_harts(c->machine)) - 1;

	c->enable = (uint32_t)val & (MODCTL_ENABLE_SLOTS_MASK | harts << MODCTL_ENABLE_HARTS_SHIFT);
	update_harts(c);
}

/* --- Facts --- */

static const struct bis_module *module_in_slot(const struct modctl *c, unsigned slot)
{
	const struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(c->machine, i)); i++) {
		if (bis_module_slot(mod) == (int)slot)
			return mod;
	}
	return NULL;
}

static uint32_t used_slots(const struct modctl *c)
{
	uint32_t map = 0;

	for (unsigned slot = 0; slot < BIS_DEVCSR_SLOTS; slot++) {
		if (module_in_slot(c, slot))
			map |= 1u << slot;
	}
	return map;
}

/* Four characters of a device's name, as a little-endian word. */
static uint32_t name_part(const struct modctl *c, uint32_t index)
{
	const struct bis_module *mod = module_in_slot(c, index / (NAME_CHARS / 4));
	uint32_t first = index % (NAME_CHARS / 4) * 4;
	const char *name = mod ? bis_module_name(mod) : "";
	uint32_t word = 0;

	for (uint32_t i = 0; i < 4 && strlen(name) > first + i; i++)
		word |= (uint32_t)(uint8_t)name[first + i] << (8 * i);
	return word;
}

/* Start or size of the RAM at BIS_RAM_BASE in pages. */
static uint64_t memory_fact(const struct modctl *c, bool size)
{
	struct bis_mem_region region;
	const struct bis_memory *memory = bis_machine_memory(c->machine);

	for (size_t i = 0; bis_mem_region(memory, i, &region) == 0; i++) {
		if (region.base.v == BIS_RAM_BASE)
			return (size ? region.size : region.base.v) >> BIS_PAGE_SHIFT;
	}
	return 0;
}

static uint64_t info(const struct modctl *c)
{
	switch (c->select) {
	case MODCTL_SELECT_SLOTS:
		return used_slots(c);
	case MODCTL_SELECT_SLOT_COUNT:
		return (uint64_t)__builtin_popcount(used_slots(c));
	case MODCTL_SELECT_HARTS:
		return bis_machine_harts(c->machine);
	case MODCTL_SELECT_TIMEBASE:
		return BIS_TIMEBASE_HZ;
	case MODCTL_SELECT_MEMORY_BASE:
		return memory_fact(c, false);
	case MODCTL_SELECT_MEMORY_SIZE:
		return memory_fact(c, true);
	case MODCTL_SELECT_GUEST_MODULES:
		return bis_machine_guest_modules_allowed(c->machine);
	default:
		break;
	}
	if (c->select >= MODCTL_SELECT_NAME && c->select - MODCTL_SELECT_NAME < BIS_DEVCSR_SLOTS * (NAME_CHARS / 4))
		return name_part(c, c->select - MODCTL_SELECT_NAME);
	return 0;
}

/* --- Commands --- */

static void control(struct modctl *c, uint64_t val)
{
	c->error = NATIVE_ERROR_NONE;
	if ((val & ~UINT64_C(0xff)) == MODCTL_CONTROL_POWER_OFF)
		bis_machine_request_stop(c->machine, BIS_STOP_POWER_OFF, (int)(val & 0xff));
	else if (val == MODCTL_CONTROL_RESET)
		bis_machine_request_reset(c->machine);
	else if (val == MODCTL_CONTROL_PAUSE)
		bis_machine_request_pause(c->machine);
	else
		c->error = NATIVE_ERROR_INVALID;
}

/* Copies a NUL-terminated text out of guest memory: 0, -EFAULT or -E2BIG. */
static int read_text(const struct bis_memory *memory, uint64_t address, char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (address > UINT64_MAX - i || bis_mem_read(memory, (bis_gpa){address + i}, &text[i], 1))
			return -EFAULT;
		if (text[i] == '\0')
			return 0;
	}
	return -E2BIG;
}

static void request_done(void *arg, int result)
{
	struct modctl *c = arg;

	c->busy = false;
	c->error = native_error(result);
}

static void request(struct modctl *c, uint64_t address)
{
	char text[REQUEST_MAX];
	int err;

	if (c->busy) {
		c->error = NATIVE_ERROR_BUSY;
		return;
	}
	if (!bis_machine_guest_modules_allowed(c->machine)) {
		c->error = NATIVE_ERROR_DENIED;
		return;
	}
	err = read_text(bis_machine_memory(c->machine), address, text, sizeof(text));
	if (!err) {
		memcpy(c->request, text, sizeof(text));
		c->busy = true;
		err = bis_machine_request_add(c->machine, c->request, request_done, c);
		c->busy = err == 0;
	}
	c->error = native_error(err);
}

/* --- Registers --- */

static uint64_t modctl_read(void *self, unsigned reg)
{
	struct modctl *c = self;

	switch (reg) {
	case MODCTL_SELECT:
		return c->select;
	case MODCTL_INFO:
		return info(c);
	case MODCTL_CLAIM:
		return claim(c);
	case MODCTL_ENABLE:
		return c->enable;
	case NATIVE_STATUS:
		return native_status(c->busy, pending_slots(c) != 0, c->error, 0);
	default:
		return 0;
	}
}

static void modctl_write(void *self, unsigned reg, uint64_t val)
{
	struct modctl *c = self;

	switch (reg) {
	case MODCTL_SELECT:
		c->select = (uint32_t)val;
		break;
	case MODCTL_CLAIM:
		complete(c, val);
		break;
	case MODCTL_ENABLE:
		set_enable(c, val);
		break;
	case MODCTL_CONTROL:
		control(c, val);
		break;
	case MODCTL_REQUEST:
		request(c, val);
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT)
			c->error = NATIVE_ERROR_NONE;
		break;
	default:
		break;
	}
}

/* --- Lifecycle --- */

/* The inputs belong to the devices, and a requested module is still added: both survive. */
static void modctl_reset(void *self)
{
	struct modctl *c = self;

	c->select = 0;
	c->claimed = 0;
	c->error = NATIVE_ERROR_NONE;
	set_enable(c, 1u << MODCTL_ENABLE_HARTS_SHIFT);
}

static void modctl_resume(void *self)
{
	update_harts(self);
}

static bool is_there(const struct modctl *c, const char *spec)
{
	const struct bis_module *mod;
	size_t len = strlen(spec);

	for (size_t i = 0; (mod = bis_machine_module(c->machine, i)); i++)
		if (!strncmp(bis_module_spec(mod), spec, len))
			return true;
	return false;
}

/* A requested module that was not there yet is asked for again, in `restore`. */
static int modctl_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	const struct modctl *c = self;

	put(arg, &c->busy, sizeof(c->busy));
	return 0;
}

static int modctl_restore(void *self, const void *data, size_t len)
{
	struct modctl *c = self;
	int err = 0;

	(void)data;
	(void)len;
	if (!c->busy)
		return 0;
	c->busy = false;
	if (!bis_machine_guest_modules_allowed(c->machine))
		err = -EPERM;
	else if (!is_there(c, c->request))
		err = bis_machine_request_add(c->machine, c->request, request_done, c);
	else
		return 0;
	c->busy = err == 0;
	c->error = native_error(err);
	return 0;
}

static int modctl_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct modctl *c = calloc(1, sizeof(*c));

	(void)options;
	if (!c)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	c->machine = bis_module_machine(mod);
	modctl_reset(c);
	*self = c;
	return 0;
}

static int modctl_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.read = modctl_read, .write = modctl_write};
	static const struct bis_irqchip_ops chip = {.inputs = BIS_DEVCSR_SLOTS - 1, .set_input = modctl_set_input};
	int err = bis_attach_devcsr(mod, &registers);

	(void)self;
	return err ? err : bis_attach_irqchip(mod, "native", &chip);
}

/* The harts live on without the interrupt. */
static void modctl_destroy(void *self)
{
	struct modctl *c = self;

	c->level = 0;
	update_harts(c);
	free(c);
}

const struct bis_module_class bis_modctl_class = {
	.abi = BIS_MODULE_ABI,
	.version = MODCTL_VERSION,
	.migratable = true,
	.name = "modctl",
	.summary = "module controller: slots, native interrupts, machine control",
	.fields = modctl_fields,
	.create = modctl_create,
	.attach = modctl_attach,
	.resume = modctl_resume,
	.reset = modctl_reset,
	.destroy = modctl_destroy,
	.save = modctl_save,
	.restore = modctl_restore,
};
