/* Counts lines, words and bytes of a file. */
#include "system.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

int main(long number, const char *path);

int main(long number, const char *path)
{
	unsigned long lines = 0, words = 0, bytes = 0;
	bool in_word = false;
	char buffer[4096];
	long file = open(path, MAGICFS_O_READ), got;

	(void)number;
	if (file < 0) {
		printf("wc: %s: error %ld\n", path, -file);
		return 1;
	}
	while ((got = read(file, buffer, sizeof(buffer))) > 0) {
		for (long i = 0; i < got; i++) {
			bool space = isspace((unsigned char)buffer[i]);

			lines += buffer[i] == '\n';
			words += !space && !in_word;
			in_word = !space;
		}
		bytes += (unsigned long)got;
	}
	close(file);
	printf("%lu %lu %lu %s\n", lines, words, bytes, path);
	return got < 0;
}
