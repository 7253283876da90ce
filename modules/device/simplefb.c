/*
 * A framebuffer without registers: RAM of its own that is shown as long as the machine lives, described to the guest by
 * a device-tree node of the simple-framebuffer binding. Runs on the control thread. The RAM belongs to the machine and
 * stays, empty, when the module goes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/display.h>
#include <biscuit/machine.h>
#include <biscuit/memory.h>
#include <biscuit/module.h>

#include "modules/modules.h"

#define ALIGN	(UINT64_C(2) << 20)
#define USUALLY UINT64_C(0xe0000000) /* above the registers of the board and, on 32 bits, above RAM */

struct simplefb {
	struct bis_memory *memory;
	struct bis_display *display;
	uint32_t width, height;
	uint64_t base, size;
};

static const struct bis_field simplefb_fields[] = {
	BIS_FIELD(struct simplefb, width, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "pixels of a line"),
	BIS_FIELD(struct simplefb, height, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "lines"),
	BIS_FIELD(struct simplefb, base, U64, BIS_FIELD_HEX | BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
		  "physical address of the picture"),
	BIS_FIELD_END,
};

static const struct bis_option simplefb_options[] = {
	{"width", BIS_OPTION_U64, "1024", NULL, "pixels of a line"},
	{"height", BIS_OPTION_U64, "768", NULL, "lines"},
	{"address", BIS_OPTION_U64, "0", NULL, "physical address of the picture; 0: above RAM"},
	{"display", BIS_OPTION_TEXT, "simplefb", NULL, "name of the display it shows on"},
	{0},
};

/* Behind all RAM, but not where registers usually are. */
static uint64_t choose_base(const struct bis_memory *m)
{
	uint64_t base = USUALLY;
	struct bis_mem_region r;

	for (size_t i = 0; !bis_mem_region(m, i, &r); i++)
		if (r.base.v + r.size > base)
			base = (r.base.v + r.size + ALIGN - 1) & ~(ALIGN - 1);
	return base;
}

static int check_windows(struct bis_module *mod, uint64_t base, uint64_t size)
{
	const struct bis_module *other;
	uint64_t at, len;

	for (size_t i = 0; (other = bis_machine_module(bis_module_machine(mod), i)); i++)
		for (size_t w = 0; !bis_module_window(other, w, &at, &len); w++)
			if (base <= at ? at - base < size : base - at < len)
				return bis_fail(EEXIST, "%s: address=0x%" PRIx64 ": the registers of %s are there",
						bis_module_name(mod), base, bis_module_name(other));
	return 0;
}

static int check_size(const struct bis_module *mod, uint64_t width, uint64_t height)
{
	if (width >= 1 && width <= BIS_DISPLAY_SIDE_MAX && height >= 1 && height <= BIS_DISPLAY_SIDE_MAX)
		return 0;
	return bis_fail(EINVAL, "%s: %" PRIu64 "x%" PRIu64 " pixels: expected 1 to %u each way", bis_module_name(mod),
			width, height, BIS_DISPLAY_SIDE_MAX);
}

static uint32_t pitch(const struct simplefb *s)
{
	return s->width * bis_pixel_size(BIS_PIXEL_XRGB8888);
}

/* Has another instance its picture there? */
static bool is_taken(const struct bis_module *mod, uint64_t base)
{
	const struct bis_module *other;

	for (size_t i = 0; (other = bis_machine_module(bis_module_machine(mod), i)); i++)
		if (other != mod && !strcmp(bis_module_class_of(other)->name, bis_simplefb_class.name) &&
		    ((const struct simplefb *)bis_module_self(other))->base == base)
			return true;
	return false;
}

/* RAM that an instance has left: at `base`, or anywhere if that is 0. */
static bool find_left(const struct bis_module *mod, struct simplefb *s, uint64_t base)
{
	struct bis_mem_region r;

	for (size_t i = 0; !bis_mem_region(bis_module_memory(mod), i, &r); i++) {
		if (!r.of_device || r.size != s->size || (base && r.base.v != base) || is_taken(mod, r.base.v))
			continue;
		s->base = r.base.v;
		return true;
	}
	return false;
}

static int take_ram(struct bis_module *mod, struct simplefb *s, uint64_t base)
{
	struct bis_memory *memory = bis_module_memory(mod);
	int err;

	s->size = ((uint64_t)pitch(s) * s->height + BIS_PAGE_SIZE - 1) & ~(uint64_t)(BIS_PAGE_SIZE - 1);
	if (find_left(mod, s, base))
		return bis_mem_fill(memory, (bis_gpa){s->base}, 0, s->size);
	s->base = base ? base : choose_base(memory);
	err = check_windows(mod, s->base, s->size);
	return err ? err : bis_memory_add_device_ram(memory, bis_module_name(mod), (bis_gpa){s->base}, s->size);
}

static int show(struct bis_module *mod, struct simplefb *s)
{
	struct bis_surface surface = {.width = s->width,
				      .height = s->height,
				      .pitch = pitch(s),
				      .format = BIS_PIXEL_XRGB8888,
				      .in_guest = true,
				      .base = {s->base}};
	int err = bis_display_show(s->display, &surface);

	return err ? bis_fail(-err, "%s: cannot be shown", bis_module_name(mod)) : 0;
}

static int simplefb_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct bis_display_ops ops = {.wish = NULL};
	uint64_t width = bis_option_u64(options, "width"), height = bis_option_u64(options, "height");
	int err = check_size(mod, width, height);
	struct simplefb *s;

	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	s->memory = bis_module_memory(mod);
	s->width = (uint32_t)width;
	s->height = (uint32_t)height;
	err = bis_display_open(bis_module_machine(mod), bis_option_text(options, "display"), &s->display);
	if (err)
		goto free_self;
	err = bis_display_attach(s->display, &ops, s);
	if (err)
		goto free_self;
	err = take_ram(mod, s, bis_option_u64(options, "address"));
	if (!err)
		err = show(mod, s);
	if (err)
		goto detach;
	*self = s;
	return 0;
detach:
	bis_display_detach(s->display, s);
free_self:
	free(s);
	return err;
}

static void simplefb_destroy(void *self)
{
	struct simplefb *s = self;

	bis_display_detach(s->display, s);
	(void)!bis_mem_discard(s->memory, (bis_gpa){s->base}, s->size);
	free(s);
}

static void simplefb_dt(void *self, struct bis_dt *dt)
{
	const struct simplefb *s = self;
	uint32_t reg[] = {(uint32_t)(s->base >> 32), (uint32_t)s->base, (uint32_t)(s->size >> 32), (uint32_t)s->size};

	bis_dt_string(dt, "compatible", "simple-framebuffer");
	bis_dt_cells(dt, "reg", reg, BIS_ARRAY_SIZE(reg));
	bis_dt_u32(dt, "width", s->width);
	bis_dt_u32(dt, "height", s->height);
	bis_dt_u32(dt, "stride", pitch(s));
	bis_dt_string(dt, "format", "x8r8g8b8");
}

static uint64_t simplefb_dt_address(void *self)
{
	return ((const struct simplefb *)self)->base;
}

const struct bis_module_class bis_simplefb_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "simple-framebuffer",
	.summary = "framebuffer in RAM of its own, described by the device tree",
	.options = simplefb_options,
	.fields = simplefb_fields,
	.create = simplefb_create,
	.destroy = simplefb_destroy,
	.dt_name = "framebuffer",
	.dt = simplefb_dt,
	.dt_address = simplefb_dt_address,
};
