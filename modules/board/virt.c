/*
 * The `virt` board: instruction set, paging, the standard devices where existing guests expect them, and the native
 * devices; and the board's eight places for virtio devices. Runs on the control thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>

#define VIRTIO_BASE   UINT64_C(0x10001000)
#define VIRTIO_STEP   UINT64_C(0x1000)
#define VIRTIO_WINDOW UINT64_C(0x200)
#define VIRTIO_PLACES 8u
#define VIRTIO_IRQ    1u /* of the first place */

/* In order: interrupt controllers before what is wired to them. */
static const char *const virt_modules[] = {
	"riscv",
	"sv",
	"plic,at=0xc000000",
	"clint,at=0x2000000",
	"finisher,at=0x100000",
	"goldfish-rtc,at=0x101000,irq=11",
	"uart16550,name=uart0,at=0x10000000,irq=10",
	"modctl,slot=0",
	"console,slot=1",
	"clock,slot=2",
	"framebuffer,slot=5",
	"input,slot=6",
};

int bis_board_virt(struct bis_machine *m)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(virt_modules); i++) {
		struct bis_module *mod;
		int err = bis_machine_add(m, virt_modules[i], &mod);

		if (err)
			return err;
	}
	return 0;
}

/* Has this instance a register window in place n? */
static bool lies_in_place(const struct bis_module *mod, unsigned n)
{
	uint64_t place = VIRTIO_BASE + n * VIRTIO_STEP, base, size;

	for (size_t i = 0; !bis_module_window(mod, i, &base, &size); i++)
		if (base < place + VIRTIO_WINDOW && (base >= place || size > place - base))
			return true;
	return false;
}

static bool uses_irq(const struct bis_module *mod, unsigned irq)
{
	for (unsigned i = 0; i < bis_module_class_of(mod)->irqs; i++)
		if (bis_module_irq_input(mod, i) == irq)
			return true;
	return false;
}

static bool registers_free(struct bis_machine *m, unsigned n)
{
	const struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(m, i)); i++)
		if (lies_in_place(mod, n))
			return false;
	return true;
}

static bool irq_free(struct bis_machine *m, unsigned n)
{
	const struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(m, i)); i++)
		if (uses_irq(mod, VIRTIO_IRQ + n))
			return false;
	return true;
}

int bis_board_virtio(struct bis_machine *m, const char *spec, struct bis_module **out)
{
	size_t name = strcspn(spec, ","), size = strlen(spec) + 64;
	unsigned n = 0;
	char *placed;
	int err;

	while (n < VIRTIO_PLACES && !(registers_free(m, n) && irq_free(m, n)))
		n++;
	if (n == VIRTIO_PLACES)
		return bis_fail(ENOSPC, "%.*s: all %u places for virtio devices are taken", (int)name, spec,
				VIRTIO_PLACES);
	placed = malloc(size);
	if (!placed)
		return bis_fail(ENOMEM, "no memory for '%s'", spec);
	snprintf(placed, size, "%.*s,at=0x%" PRIx64 ",irq=%u%s", (int)name, spec, VIRTIO_BASE + n * VIRTIO_STEP,
		 VIRTIO_IRQ + n, spec + name);
	err = bis_machine_add(m, placed, out);
	free(placed);
	return err;
}

int bis_board_virtio_done(struct bis_machine *m)
{
	char spec[64];

	for (unsigned n = 0; n < VIRTIO_PLACES; n++) {
		int err;

		if (!registers_free(m, n))
			continue;
		snprintf(spec, sizeof(spec), "virtio-none,at=0x%" PRIx64, VIRTIO_BASE + n * VIRTIO_STEP);
		err = bis_machine_add(m, spec, NULL);
		if (err)
			return err;
	}
	return 0;
}
