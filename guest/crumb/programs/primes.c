/* Counts primes by trial division. */
#include <stdbool.h>
#include <stdio.h>

int main(long limit);

static bool is_prime(long n)
{
	for (long d = 2; d * d <= n; d++) {
		if (n % d == 0)
			return false;
	}
	return n >= 2;
}

int main(long limit)
{
	long count = 0, last = 0;

	if (limit <= 0)
		limit = 10000;
	for (long n = 2; n < limit; n++) {
		if (is_prime(n)) {
			count++;
			last = n;
		}
	}
	printf("%ld primes below %ld, the last is %ld\n", count, limit, last);
	return 0;
}
