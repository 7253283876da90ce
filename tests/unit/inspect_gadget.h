/* A machine as files with a module that has everything that has files: fields, options, a window, a CSR, verbs. */
#ifndef BISCUIT_UNIT_INSPECT_GADGET_H
#define BISCUIT_UNIT_INSPECT_GADGET_H

#include <biscuit/builtin.h>

#include "tests/unit/inspect_rig.h"

/* --- The module --- */

struct gadget {
	uint32_t mode;
	uint8_t info; /* named as one of the fixed files */
	char label[16];
	uint8_t bytes[4];
	uint64_t count;
	bool asleep;
};

/* Accesses of guests, which no file may make. */
static _Atomic unsigned gadget_touched;

static const struct bis_field gadget_fields[] = {
	BIS_FIELD(struct gadget, mode, U32, BIS_FIELD_HEX, "mode"),
	BIS_FIELD(struct gadget, info, U8, 0, "information"),
	BIS_FIELD_ARRAY(struct gadget, label, TEXT, 16, 0, "label"),
	BIS_FIELD_ARRAY(struct gadget, bytes, BYTES, 4, 0, "bytes"),
	BIS_FIELD(struct gadget, count, U64, BIS_FIELD_READONLY | BIS_FIELD_COUNTER, "count"),
	BIS_FIELD(struct gadget, asleep, BOOL, 0, "asleep"),
	BIS_FIELD_END,
};

static const struct bis_option gadget_options[] = {
	{"color", BIS_OPTION_TEXT, "red", NULL, "color"},
	{"words", BIS_OPTION_TEXT, "", NULL, "words"},
	{0},
};

static inline int gadget_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)mod;
	(void)options;
	*self = calloc(1, sizeof(struct gadget));
	return *self ? 0 : bis_fail(ENOMEM, "no memory");
}

static inline enum bis_bus_result touch_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	(void)self;
	(void)off;
	(void)size;
	gadget_touched++;
	*val = 0;
	return BIS_BUS_OK;
}

static inline enum bis_bus_result touch_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	return touch_read(self, off, size, &val);
}

static inline uint64_t csr_read(void *self, struct bis_hart *h, uint16_t address)
{
	(void)h;
	(void)address;
	return ((struct gadget *)self)->mode;
}

static const struct bis_mmio_ops gadget_mmio = {
	.size = 0x1000, .min_access = 1, .max_access = 8, .read = touch_read, .write = touch_write};
static const struct bis_csr_row gadget_csr = {.address = 0x7c0, .name = "xgadget", .read = csr_read};

static inline int gadget_attach(struct bis_module *mod, void *self)
{
	int err = bis_attach_mmio(mod, &gadget_mmio);

	(void)self;
	return err ? err : bis_attach_csrs(mod, &gadget_csr, 1);
}

static inline int gadget_check(void *self)
{
	return ((struct gadget *)self)->mode == 0xbad ? bis_fail(EINVAL, "a bad mode") : 0;
}

static inline int gadget_ctl(void *self, const char *verb, char *reply, size_t size)
{
	if (strcmp(verb, "poke") != 0)
		return bis_fail(EINVAL, "expected poke");
	((struct gadget *)self)->count++;
	snprintf(reply, size, "poked");
	return 0;
}

static const struct bis_module_class gadget_class = {
	.abi = BIS_MODULE_ABI,
	.version = 3,
	.irqs = 1,
	.name = "gadget",
	.summary = "for tests",
	.options = gadget_options,
	.fields = gadget_fields,
	.create = gadget_create,
	.attach = gadget_attach,
	.check = gadget_check,
	.ctl = gadget_ctl,
	.destroy = free,
};

/* --- The machine --- */

static inline struct files *make(const struct inspect_options *options)
{
	const struct bis_module_class *classes[64] = {&gadget_class};
	struct bis_machine_config cfg = {.ram_size = RIG_RAM_SIZE, .harts = 2, .classes = classes};
	struct bis_machine *m;

	for (size_t i = 0; bis_builtin_modules[i]; i++)
		classes[i + 1] = bis_builtin_modules[i];
	assert_ok(bis_machine_create(&cfg, &m));
	assert_ok(bis_board_virt(m));
	rig_add(m, "gadget,at=0x40000000,words=one,,two");
	gadget_touched = 0;
	rig_start_paused(m);
	return files_of(m, options);
}

static inline int setup(void **state)
{
	*state = make(NULL);
	return 0;
}

static inline int teardown(void **state)
{
	files_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
