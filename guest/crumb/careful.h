/* Reading memory that may not be there. */
#ifndef CAREFUL_H
#define CAREFUL_H

#include <stddef.h>

/* Copies `len` bytes; returns how many of them could not be copied because of a fault, normally 0. */
size_t careful_copy(void *to, const void *from, size_t len);

/* Where trap.c lets it go on after a fault. */
extern char careful_copy_fault[];

#endif
