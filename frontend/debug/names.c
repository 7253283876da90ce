/* Names of traps and interrupts. Constant data, any thread. */
#include "frontend/debug/debug.h"

static const char *const traps[] = {
	[BIS_CAUSE_FETCH_MISALIGNED] = "fetch-misaligned",
	[BIS_CAUSE_FETCH_ACCESS] = "fetch-access",
	[BIS_CAUSE_ILLEGAL] = "illegal",
	[BIS_CAUSE_BREAKPOINT] = "breakpoint",
	[BIS_CAUSE_LOAD_MISALIGNED] = "load-misaligned",
	[BIS_CAUSE_LOAD_ACCESS] = "load-access",
	[BIS_CAUSE_STORE_MISALIGNED] = "store-misaligned",
	[BIS_CAUSE_STORE_ACCESS] = "store-access",
	[BIS_CAUSE_ECALL_U] = "ecall-u",
	[BIS_CAUSE_ECALL_S] = "ecall-s",
	[BIS_CAUSE_ECALL_M] = "ecall-m",
	[BIS_CAUSE_FETCH_PAGE] = "fetch-page",
	[BIS_CAUSE_LOAD_PAGE] = "load-page",
	[BIS_CAUSE_STORE_PAGE] = "store-page",
};

static const char *const interrupts[] = {
	[BIS_LINE_SSIP] = "s-software", [BIS_LINE_MSIP] = "m-software", [BIS_LINE_STIP] = "s-timer",
	[BIS_LINE_MTIP] = "m-timer",	[BIS_LINE_SEIP] = "s-external", [BIS_LINE_MEIP] = "m-external",
	[BIS_LINE_NATIVE] = "native",
};

const char *debug_trap_name(uint64_t cause)
{
	return cause < BIS_ARRAY_SIZE(traps) ? traps[cause] : NULL;
}

const char *debug_interrupt_name(uint64_t cause)
{
	return cause < BIS_ARRAY_SIZE(interrupts) ? interrupts[cause] : NULL;
}
