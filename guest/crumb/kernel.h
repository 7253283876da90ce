/* What every part of the kernel may use. */
#ifndef KERNEL_H
#define KERNEL_H

/* Prints, and stops the machine with exit status 1. For what cannot happen in a working kernel. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The kernel in S-mode begins here (boot.c gets it there). */
_Noreturn void kernel_main(void);

/* From the linker script: the parts of the kernel's image, each starting on a page of its own. */
extern char __text_end[], __rodata_end[], __program_end[];

#endif
