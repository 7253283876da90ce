/* Physical memory, in pages. */
#ifndef PAGES_H
#define PAGES_H

/* Hands all memory from `first` to `end` to the allocator. Called once. */
void pages_init(void *first, void *end);

/* A page filled with zeros, or NULL when memory is full. Any task. */
void *page_alloc(void);

/* `count` pages in one piece, with whatever was in them, or NULL. They come from the end of memory that was never used:
 * what is given back in the opposite order is there again, otherwise it comes back as single pages. Any task. */
void *pages_take(unsigned long count);
void pages_give(void *first, unsigned long count);

/* Takes a page back. NULL is allowed. Any task. */
void page_free(void *page);

unsigned long pages_free(void);
unsigned long pages_total(void);

#endif
