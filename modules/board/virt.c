/*
 * The `virt` board: instruction set, paging, the standard devices where existing guests expect them, and the native
 * devices. Runs on the control thread.
 */
#include <biscuit/builtin.h>

/* In order: interrupt controllers before what is wired to them. */
static const char *const virt_modules[] = {
	"riscv",
	"sv",
	"plic,at=0xc000000",
	"clint,at=0x2000000",
	"finisher,at=0x100000",
	"uart16550,at=0x10000000,irq=10",
	"modctl,slot=0",
	"console,slot=1",
	"clock,slot=2",
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
