/* The smallest whole program: prints, then powers the machine off with a status that biscuit-run returns. */
#include <riscv.h>
#include <stdio.h>

static const char *isa_letters(void)
{
	static char letters[27];
	unsigned long misa = csr_read(misa);
	int count = 0;

	for (int i = 0; i < 26; i++) {
		if (misa >> i & 1)
			letters[count++] = (char)('a' + i);
	}
	return letters;
}

int main(unsigned long hart, const void *device_tree)
{
	printf("Hello from hart %lu, an rv%d with %s. Device tree at %p.\n", hart, __riscv_xlen, isa_letters(),
	       device_tree);
	return 7;
}
