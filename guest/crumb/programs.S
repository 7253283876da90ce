/* The ELF files of the user programs, as data: program_<name> up to program_<name>_end. */
#define QUOTE(text) #text
#define PROGRAM(name, argument, help) \
	.globl program_##name; .globl program_##name##_end; .balign 8; \
	program_##name: ; .incbin QUOTE(name.elf); program_##name##_end:

	.section .rodata
#include "programs.def"
