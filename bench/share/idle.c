/* A bare guest that says "ready" and rests for ever: what a machine costs that does nothing. */
#include <riscv.h>
#include <stdio.h>

int main(void)
{
	puts("ready");
	for (;;)
		wait_for_interrupt();
}
