/* From the first instruction to main(), in C: finds the native devices, runs main and exits with what it returns. */
#include "native.h"
#include "riscv.h"
#include "sdk_internal.h"
#include <stdio.h>
#include <stdlib.h>

int main(unsigned long hart, const void *device_tree);

_Noreturn void sdk_start(unsigned long hart, const void *device_tree)
{
	native_probe();
	exit(main(hart, device_tree));
}

#ifdef SUPERVISOR
#define TRAP_CSR(name) csr_read(s##name)
#else
#define TRAP_CSR(name) csr_read(m##name)
#endif

_Noreturn void sdk_unexpected_trap(void)
{
	printf("unexpected trap: cause %#lx at pc %#lx, value %#lx\n", TRAP_CSR(cause), TRAP_CSR(epc), TRAP_CSR(tval));
	abort();
}
