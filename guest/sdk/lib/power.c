/* The way out: power off and reset, through the module controller or else the virt board's test finisher. */
#include "power.h"
#include "native.h"
#include <stdlib.h>

#define FINISHER_PASS  0x5555U
#define FINISHER_FAIL  0x3333U /* the status in the upper half */
#define FINISHER_RESET 0x7777U

uintptr_t machine_finisher = 0x100000;

/* Both ways take effect soon, not at the next instruction. */
static _Noreturn void wait_for_the_end(void)
{
	for (;;)
		wait_for_interrupt();
}

static _Noreturn void control(uint32_t value)
{
	modctl_control_write(value);
	wait_for_the_end();
}

static _Noreturn void finish(uint32_t word)
{
	*(volatile uint32_t *)machine_finisher = word;
	wait_for_the_end();
}

_Noreturn void machine_power_off(int status)
{
	uint32_t code = (uint32_t)status & 0xff;

	if (native_present(MODCTL_SLOT))
		control(MODCTL_CONTROL_POWER_OFF + code);
	finish(code ? code << 16 | FINISHER_FAIL : FINISHER_PASS);
}

_Noreturn void machine_reset(void)
{
	if (native_present(MODCTL_SLOT))
		control(MODCTL_CONTROL_RESET);
	finish(FINISHER_RESET);
}

_Noreturn void exit(int status)
{
	machine_power_off(status);
}

_Noreturn void abort(void)
{
	exit(134);
}
