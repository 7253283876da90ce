/* Things that the kernel must not let a program do. */
#include <stdio.h>

int main(long kind);

static const int constant = 1;

/* Volatile, so that the compiler does not see where they point. */
static volatile int *volatile nowhere = (volatile int *)16;
static volatile int *volatile kernel = (volatile int *)0x80000000;

/* Calls memory that is no code. */
static void jump_to(const void *address)
{
	((void (*)(void))(unsigned long)address)();
}

int main(long kind)
{
	int data = 0;

	switch (kind) {
	case 0:
		printf("crash: writing to address 16, where nothing is\n");
		*nowhere = 1;
		break;
	case 1:
		printf("crash: reading the kernel's memory\n");
		return *kernel;
	case 2:
		printf("crash: writing to a constant\n");
		*(volatile int *)(unsigned long)&constant = 2;
		break;
	case 3:
		printf("crash: executing data on the stack\n");
		jump_to(&data);
		break;
	case 4:
		printf("crash: using a register of the kernel\n");
		__asm__ volatile("csrw satp, zero");
		break;
	default:
		printf("crash: using more stack than there is\n");
		for (volatile char *stack = (volatile char *)&data;; stack -= 256)
			*stack = 1;
	}
	printf("crash: this line is never printed\n");
	return 0;
}
