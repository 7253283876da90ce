/* Counts slowly: sleeping tasks cost no processor time. */
#include "system.h"
#include <stdio.h>

int main(long count);

int main(long count)
{
	if (count <= 0)
		count = 5;
	for (long i = 1; i <= count; i++) {
		printf("counter[%ld]: %ld\n", task_id(), i);
		sleep_milliseconds(200);
	}
	return 0;
}
