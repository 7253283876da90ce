/* Copies a file in capital letters. */
#include "system.h"
#include <ctype.h>
#include <stdio.h>

int main(long number, char *words);

int main(long number, char *words)
{
	char *to = strchr(words, ' ');
	char buffer[4096];
	long in, out, got;

	(void)number;
	if (!to) {
		printf("upper needs two names\n");
		return 2;
	}
	*to++ = '\0';
	in = open(words, MAGICFS_O_READ);
	out = in < 0 ? in : open(to, MAGICFS_O_WRITE | MAGICFS_O_CREATE | MAGICFS_O_TRUNCATE);
	if (out < 0) {
		printf("upper: %s: error %ld\n", in < 0 ? words : to, -out);
		return 1;
	}
	while ((got = read(in, buffer, sizeof(buffer))) > 0) {
		for (long i = 0; i < got; i++)
			buffer[i] = (char)toupper((unsigned char)buffer[i]);
		if (write(out, buffer, (unsigned long)got) != got)
			return 1;
	}
	return got < 0;
}
