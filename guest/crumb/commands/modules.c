/* modules: which native devices the machine has, found by probing every slot. */
#include "../shell.h"
#include <native.h>
#include <stdio.h>

void command_modules(int argc, char **argv)
{
	char name[33];

	(void)argc;
	(void)argv;
	if (!native_present(MODCTL_SLOT)) {
		printf("this machine has no native devices\n");
		return;
	}
	printf("SLOT  NAME          VERSION  HASH    STATUS\n");
	for (unsigned slot = 0; slot < NATIVE_SLOTS; slot++) {
		uint32_t identity = native_identity(slot), status = native_status(slot);

		if (!identity)
			continue;
		modctl_name(slot, name);
		printf("%4u  %-12s  %7u  %06x  %s%s", slot, name, (unsigned)(identity & 0xff),
		       (unsigned)(identity >> 8), status & NATIVE_STATUS_READY ? "ready" : "not ready",
		       status & NATIVE_STATUS_BUSY ? ", busy" : "");
		if (native_error(status))
			printf(", error %u", native_error(status));
		printf("\n");
	}
}
