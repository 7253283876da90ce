/* Makes the cheapest system call for that many milliseconds. */
#include "system.h"
#include <riscv.h>

int main(long milliseconds);

int main(long milliseconds)
{
	uint64_t end = read_time() + (uint64_t)(milliseconds * ticks_per_second() / 1000);

	while (read_time() < end) {
		for (int i = 0; i < 16; i++)
			task_id();
	}
	return 0;
}
