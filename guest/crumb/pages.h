/* Physical memory, in pages. */
#ifndef PAGES_H
#define PAGES_H

/* Hands all memory from `first` to `end` to the allocator. Called once. */
void pages_init(void *first, void *end);

/* A page filled with zeros, or NULL when memory is full. Any task. */
void *page_alloc(void);

/* Takes a page back. NULL is allowed. Any task. */
void page_free(void *page);

unsigned long pages_free(void);
unsigned long pages_total(void);

#endif
