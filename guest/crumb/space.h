/* Address spaces: page tables and the memory of one user program. */
#ifndef SPACE_H
#define SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space {
	unsigned long *root; /* the top page table */
	unsigned tables;     /* page tables in use, the root included; the kernel's shared ones count for the kernel */
	unsigned user_pages; /* pages of memory that belong to this space */
};

/* The space of kernel tasks: no user half. */
extern struct space kernel_space;

/* Maps the kernel, all `ram` bytes of RAM and the first device, and turns paging on. */
void space_init(unsigned long ram);

/* A new space with an empty user half. False when memory is full. */
bool space_create(struct space *space);

/* Frees the user half and its tables. The space must not be the active one. */
void space_destroy(struct space *space);

/* Makes this the space that the hart uses. */
void space_activate(const struct space *space);

/* Maps a new page of zeros at `va`, a user address, with PTE_R, PTE_W, PTE_X as given; where a page is already, adds
 * to its permissions. Returns the page's kernel address, or NULL: memory full. */
void *space_add_page(struct space *space, uintptr_t va, unsigned long permissions);

/* Copy to and from user addresses; false when any byte is not the user's to write or read. */
bool space_copy_out(const struct space *space, uintptr_t va, const void *from, size_t len);
bool space_copy_in(const struct space *space, void *to, uintptr_t va, size_t len);

/* Maps device registers for the kernel, for good, and returns where. NULL when the device window is full. */
volatile void *device_map(uintptr_t pa, size_t size);

/* Shows `size` bytes of physical memory at `pa`, both multiples of PAGE_SIZE, to the kernel, read only, in place of
 * what was shown before; size 0: nothing. Returns where, or NULL: it does not fit. */
const void *window_map(uint64_t pa, size_t size);

#endif
