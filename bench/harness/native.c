/* The harness of a payload that runs as an ordinary program of the host. */
#include "../bench.h"
#include <stdio.h>

int main(void)
{
	printf("checksum 0x%08x\n", (unsigned)bench_payload(bench_rounds));
	return 0;
}
