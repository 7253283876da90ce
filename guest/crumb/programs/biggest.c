/* Names the largest file in a directory. */
#include "system.h"
#include <stdio.h>

#define SIZE 1024

int main(long number, const char *directory);

int main(long number, const char *directory)
{
	char names[SIZE], path[SIZE], biggest[SIZE] = "";
	struct file_status status;
	uint64_t size = 0;
	long file, got;

	(void)number;
	if (!*directory)
		directory = ".";
	file = open(directory, MAGICFS_O_DIRECTORY);
	if (file < 0) {
		printf("biggest: %s: error %ld\n", directory, -file);
		return 1;
	}
	while ((got = list(file, names, sizeof(names))) > 0) {
		for (const char *name = names; name < names + got; name += strlen(name) + 1) {
			snprintf(path, sizeof(path), "%s/%s", directory, name);
			if (stat(path, &status) < 0 || (status.mode & MAGICFS_TYPE) != MAGICFS_REGULAR)
				continue;
			if (status.size >= size) {
				size = status.size;
				strlcpy(biggest, name, sizeof(biggest));
			}
		}
	}
	printf("%s %llu\n", biggest, (unsigned long long)size);
	return 0;
}
