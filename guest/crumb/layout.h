/*
 * Where things are in crumb's address spaces. All are alike from KERNEL_BASE up; below it each has its own program.
 *
 *   00010000  user program (code, data), as its ELF file says       user mode
 *   7fff0000  top of the user stack                                 user mode
 *   80000000  all RAM that crumb uses, at its physical address      kernel only
 *   c0000000  device registers, mapped by device_map()              kernel only
 *   c1000000  pages of a file of the host, shown by window_map()    kernel only, read only
 *
 * A kernel pointer into RAM is therefore a physical address as well. The layout is the same for Sv32 and Sv39.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define PAGE_SIZE 4096UL

#define USER_BASE	 0x00010000UL
#define USER_STACK_TOP	 0x7fff0000UL
#define USER_STACK_PAGES 4
#define KERNEL_BASE	 0x80000000UL
#define RAM_BASE	 0x80000000UL
#define RAM_MAX		 0x40000000UL /* more memory than this is left alone */
#define DEVICES_BASE	 0xc0000000UL
#define DEVICES_SIZE	 0x01000000UL
#define WINDOW_BASE	 0xc1000000UL
#define WINDOW_SIZE	 0x01000000UL

#define ROUND_DOWN(value, unit) ((value) & ~((unit)-1))
#define ROUND_UP(value, unit)	ROUND_DOWN((value) + (unit)-1, unit)

#endif
