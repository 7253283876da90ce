/*
 * Native framebuffer (slot 5, docs/devices.md): shows a part of RAM on a display. The guest draws into its memory and
 * says nothing; the display finds what has changed. Registers are served on a hart's thread, the timer fires on the
 * controller thread, viewers' wishes come on theirs, all with the device lock held.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/display.h>
#include <biscuit/module.h>

#include "modules/device/native.h"
#include "modules/modules.h"

#define VSYNC_NS UINT64_C(16666667)

#define CONDITIONS (FRAMEBUFFER_ENABLE_VSYNC | FRAMEBUFFER_ENABLE_PREFERRED | FRAMEBUFFER_ENABLE_VISIBLE)
#define MODE_PARTS (FRAMEBUFFER_MODE_WIDTH_MASK | FRAMEBUFFER_MODE_HEIGHT_MASK | FRAMEBUFFER_MODE_FORMAT_MASK)

struct framebuffer {
	struct bis_module *mod;
	struct bis_irq *irq;
	struct bis_timer *timer;
	struct bis_display *display;
	uint32_t mode, pitch; /* as written; of no effect until ADDRESS is */
	uint64_t shown;	      /* address of what is shown, 0: nothing */
	uint32_t shown_mode, shown_pitch;
	uint32_t enable;
	uint32_t preferred; /* as in MODE */
	bool vsync, preferred_new, watched_new;
	uint8_t error;
	struct native_high high;
};

static const struct bis_field framebuffer_fields[] = {
	BIS_FIELD(struct framebuffer, mode, U32, BIS_FIELD_HEX, "size and format for what is shown next"),
	BIS_FIELD(struct framebuffer, pitch, U32, 0, "bytes from line to line for what is shown next"),
	BIS_FIELD(struct framebuffer, shown, U64, BIS_FIELD_HEX, "physical address of what is shown, 0: nothing"),
	BIS_FIELD(struct framebuffer, shown_mode, U32, BIS_FIELD_HEX, "size and format of what is shown"),
	BIS_FIELD(struct framebuffer, shown_pitch, U32, 0, "bytes from line to line of what is shown"),
	BIS_FIELD(struct framebuffer, enable, U32, BIS_FIELD_HEX, "interrupt conditions"),
	BIS_FIELD(struct framebuffer, preferred, U32, BIS_FIELD_HEX, "the size that the user would like"),
	BIS_FIELD(struct framebuffer, preferred_new, BOOL, 0, "the guest has not read it"),
	BIS_FIELD(struct framebuffer, watched_new, BOOL, 0, "who looks has changed and that is not acknowledged"),
	BIS_FIELD(struct framebuffer, vsync, BOOL, 0, "1/60 s has gone by and is not acknowledged"),
	BIS_FIELD(struct framebuffer, error, U8, 0, "error code in STATUS"),
	NATIVE_HIGH_FIELDS(struct framebuffer, high),
	BIS_FIELD_END,
};

static const struct bis_option framebuffer_options[] = {
	{"display", BIS_OPTION_TEXT, "fb", NULL, "name of the display it shows on"},
	{"width", BIS_OPTION_U64, "1024", NULL, "preferred width in pixels, which the guest may follow"},
	{"height", BIS_OPTION_U64, "768", NULL, "preferred height in pixels"},
	{0},
};

/* --- Modes --- */

static uint32_t width_of(uint32_t mode)
{
	return (mode & FRAMEBUFFER_MODE_WIDTH_MASK) >> FRAMEBUFFER_MODE_WIDTH_SHIFT;
}

static uint32_t height_of(uint32_t mode)
{
	return (mode & FRAMEBUFFER_MODE_HEIGHT_MASK) >> FRAMEBUFFER_MODE_HEIGHT_SHIFT;
}

static uint32_t mode_of(uint32_t width, uint32_t height)
{
	return width << FRAMEBUFFER_MODE_WIDTH_SHIFT | height << FRAMEBUFFER_MODE_HEIGHT_SHIFT;
}

/* Shows the picture, or leaves what was shown: 0 or an error code for STATUS. */
static uint8_t show(struct framebuffer *f, uint32_t mode, uint32_t pitch, uint64_t address)
{
	uint32_t format = (mode & FRAMEBUFFER_MODE_FORMAT_MASK) >> FRAMEBUFFER_MODE_FORMAT_SHIFT;
	struct bis_surface s = {.width = width_of(mode),
				.height = height_of(mode),
				.pitch = pitch,
				.in_guest = true,
				.base = {address}};

	if (!address)
		return native_error(bis_display_show(f->display, NULL));
	if ((mode & ~(uint32_t)MODE_PARTS) || format > FRAMEBUFFER_FORMAT_RGB565)
		return NATIVE_ERROR_INVALID;
	if (s.width > BIS_DISPLAY_SIDE_MAX || s.height > BIS_DISPLAY_SIDE_MAX)
		return NATIVE_ERROR_TOO_BIG;
	s.format = format == FRAMEBUFFER_FORMAT_RGB565 ? BIS_PIXEL_RGB565 : BIS_PIXEL_XRGB8888;
	if (!pitch)
		s.pitch = s.width * bis_pixel_size(s.format);
	return native_error(bis_display_show(f->display, &s));
}

static void write_address(struct framebuffer *f, uint64_t address)
{
	f->error = show(f, f->mode, f->pitch, address);
	if (f->error)
		return;
	f->shown = address;
	f->shown_mode = f->mode;
	f->shown_pitch = f->pitch;
}

/* Values wider than the register are kept as one that means nothing. */
static uint32_t narrow(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* --- Interrupts --- */

static uint32_t conditions(const struct framebuffer *f)
{
	return (f->vsync ? FRAMEBUFFER_ENABLE_VSYNC : 0u) | (f->preferred_new ? FRAMEBUFFER_ENABLE_PREFERRED : 0u) |
	       (f->watched_new ? FRAMEBUFFER_ENABLE_VISIBLE : 0u);
}

static bool wants_interrupt(const struct framebuffer *f)
{
	return (conditions(f) & f->enable) != 0;
}

static void update_irq(struct framebuffer *f)
{
	bis_irq_set(f->irq, wants_interrupt(f));
}

/* The timer runs for a guest that asks for it, at multiples of the period in machine time. */
static void set_timer(struct framebuffer *f)
{
	uint64_t next = (bis_module_now(f->mod) / VSYNC_NS + 1) * VSYNC_NS;

	bis_timer_set(f->timer, f->enable & FRAMEBUFFER_ENABLE_VSYNC ? next : UINT64_MAX);
}

static void vsync(void *self)
{
	struct framebuffer *f = self;

	f->vsync = (f->enable & FRAMEBUFFER_ENABLE_VSYNC) != 0;
	update_irq(f);
	set_timer(f);
}

static void write_enable(struct framebuffer *f, uint64_t val)
{
	f->enable = val & CONDITIONS;
	if (!(f->enable & FRAMEBUFFER_ENABLE_VSYNC))
		f->vsync = false;
	set_timer(f);
	update_irq(f);
}

static void wish(void *self, uint32_t width, uint32_t height)
{
	struct framebuffer *f = self;
	uint32_t mode = mode_of(width, height);

	if (mode == f->preferred)
		return;
	f->preferred = mode;
	f->preferred_new = true;
	update_irq(f);
}

static void watched(void *self)
{
	struct framebuffer *f = self;

	f->watched_new = true;
	update_irq(f);
}

static uint64_t read_preferred(struct framebuffer *f)
{
	f->preferred_new = false;
	update_irq(f);
	return f->preferred;
}

/* --- Registers --- */

static uint64_t status(const struct framebuffer *f)
{
	uint32_t own = 0;

	if (f->vsync)
		own |= FRAMEBUFFER_STATUS_VSYNC;
	if (f->preferred_new)
		own |= FRAMEBUFFER_STATUS_PREFERRED;
	if (bis_display_has_viewers(f->display))
		own |= FRAMEBUFFER_STATUS_VISIBLE;
	if (f->watched_new)
		own |= FRAMEBUFFER_STATUS_CHANGED;
	return native_status(bis_display_is_flipping(f->display), wants_interrupt(f), f->error, own);
}

static uint64_t framebuffer_read(void *self, unsigned reg)
{
	struct framebuffer *f = self;

	switch (reg) {
	case FRAMEBUFFER_MODE:
		return f->mode;
	case FRAMEBUFFER_PITCH:
		return f->pitch;
	case FRAMEBUFFER_ADDRESS:
		return native_wide_read(&f->high, f->shown);
	case FRAMEBUFFER_ENABLE:
		return f->enable;
	case FRAMEBUFFER_PREFERRED:
		return read_preferred(f);
	case FRAMEBUFFER_HIGH:
		return f->high.read;
	case NATIVE_STATUS:
		return status(f);
	default:
		return 0;
	}
}

static void framebuffer_write(void *self, unsigned reg, uint64_t val)
{
	struct framebuffer *f = self;

	switch (reg) {
	case FRAMEBUFFER_MODE:
		f->mode = narrow(val);
		break;
	case FRAMEBUFFER_PITCH:
		f->pitch = narrow(val);
		break;
	case FRAMEBUFFER_ADDRESS:
		write_address(f, native_wide_write(&f->high, val));
		break;
	case FRAMEBUFFER_ENABLE:
		write_enable(f, val);
		break;
	case FRAMEBUFFER_HIGH:
		f->high.write = (uint32_t)val;
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT) {
			f->vsync = f->watched_new = false;
			f->error = NATIVE_ERROR_NONE;
			update_irq(f);
		}
		break;
	default:
		break;
	}
}

/* --- Life --- */

/* What the user would like is not the guest's and stays. */
static void framebuffer_reset(void *self)
{
	struct framebuffer *f = self;

	f->mode = f->pitch = 0;
	f->high = (struct native_high){0};
	f->preferred_new = f->watched_new = false;
	write_address(f, 0);
	write_enable(f, 0);
}

static int framebuffer_check(void *self)
{
	struct framebuffer *f = self;
	uint32_t width = width_of(f->preferred), height = height_of(f->preferred);

	if (!width || width > BIS_DISPLAY_SIDE_MAX || !height || height > BIS_DISPLAY_SIDE_MAX ||
	    f->preferred != mode_of(width, height))
		return bis_fail(EINVAL, "%s: the preferred size is none that a display can have",
				bis_module_name(f->mod));
	if (show(f, f->shown_mode, f->shown_pitch, f->shown))
		return bis_fail(EINVAL, "%s: what is shown is not a picture in RAM", bis_module_name(f->mod));
	f->enable &= CONDITIONS;
	set_timer(f);
	update_irq(f);
	return 0;
}

static void framebuffer_resume(void *self)
{
	set_timer(self);
	update_irq(self);
}

static int check_side(const char *name, const char *side, uint64_t pixels)
{
	if (pixels >= 1 && pixels <= BIS_DISPLAY_SIDE_MAX)
		return 0;
	return bis_fail(EINVAL, "%s: %s=%llu: expected 1 to %u pixels", name, side, (unsigned long long)pixels,
			BIS_DISPLAY_SIDE_MAX);
}

static int framebuffer_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct bis_display_ops ops = {.wish = wish, .watched = watched};
	uint64_t width = bis_option_u64(options, "width"), height = bis_option_u64(options, "height");
	struct framebuffer *f;
	int err = check_side(bis_module_name(mod), "width", width);

	if (!err)
		err = check_side(bis_module_name(mod), "height", height);
	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	if (!f)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	f->mod = mod;
	f->irq = bis_module_irq(mod, 0);
	f->preferred = mode_of((uint32_t)width, (uint32_t)height);
	err = bis_display_open(bis_module_machine(mod), bis_option_text(options, "display"), &f->display);
	if (!err)
		err = bis_display_attach(f->display, &ops, f);
	if (err) {
		free(f);
		return err;
	}
	*self = f;
	return 0;
}

static int framebuffer_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.read = framebuffer_read, .write = framebuffer_write};
	struct framebuffer *f = self;
	int err = bis_timer_create(mod, vsync, &f->timer);

	return err ? err : bis_attach_devcsr(mod, &registers);
}

static void framebuffer_destroy(void *self)
{
	struct framebuffer *f = self;

	bis_display_detach(f->display, f);
	if (f->timer)
		bis_timer_destroy(f->timer);
	free(f);
}

const struct bis_module_class bis_framebuffer_class = {
	.abi = BIS_MODULE_ABI,
	.version = FRAMEBUFFER_VERSION,
	.migratable = true,
	.irqs = 1,
	.name = "framebuffer",
	.summary = "native framebuffer: shows a part of RAM",
	.options = framebuffer_options,
	.fields = framebuffer_fields,
	.create = framebuffer_create,
	.attach = framebuffer_attach,
	.resume = framebuffer_resume,
	.reset = framebuffer_reset,
	.destroy = framebuffer_destroy,
	.check = framebuffer_check,
};
