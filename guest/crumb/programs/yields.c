/* Gives its turn away for that many milliseconds: two of these make the kernel switch address spaces each time. */
#include "system.h"
#include <riscv.h>

int main(long milliseconds);

int main(long milliseconds)
{
	uint64_t end = read_time() + (uint64_t)(milliseconds * ticks_per_second() / 1000);

	while (read_time() < end) {
		for (int i = 0; i < 16; i++)
			yield();
	}
	return 0;
}
