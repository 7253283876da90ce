/*
 * The page allocator: a list of pages that came back, and behind it the memory that was never used.
 *
 * Pages are linked through their own first word, so the list costs nothing; and memory that nobody asks for is never
 * touched, so a large machine boots as fast as a small one.
 */
#include "pages.h"
#include "interrupts.h"
#include "layout.h"
#include <stdint.h>
#include <string.h>

struct free_page {
	struct free_page *next;
};

static struct free_page *returned;
static unsigned long returned_count;
static char *fresh, *fresh_end;
static unsigned long total;

void pages_init(void *first, void *end)
{
	fresh = (char *)ROUND_UP((uintptr_t)first, PAGE_SIZE);
	fresh_end = (char *)ROUND_DOWN((uintptr_t)end, PAGE_SIZE);
	if (fresh_end < fresh)
		fresh_end = fresh;
	total = pages_free();
}

void *page_alloc(void)
{
	bool enabled = interrupts_disable();
	void *page = NULL;

	if (returned) {
		page = returned;
		returned = returned->next;
		returned_count--;
	} else if (fresh < fresh_end) {
		page = fresh;
		fresh += PAGE_SIZE;
	}
	interrupts_restore(enabled);
	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

void *pages_take(unsigned long count)
{
	bool enabled = interrupts_disable();
	void *first = NULL;

	if (count <= (unsigned long)(fresh_end - fresh) / PAGE_SIZE) {
		fresh_end -= count * PAGE_SIZE;
		first = fresh_end;
	}
	interrupts_restore(enabled);
	return first;
}

void pages_give(void *first, unsigned long count)
{
	bool enabled = interrupts_disable(), last = first == fresh_end;

	if (last)
		fresh_end += count * PAGE_SIZE;
	interrupts_restore(enabled);
	for (unsigned long i = 0; i < count && !last; i++)
		page_free((char *)first + i * PAGE_SIZE);
}

void page_free(void *page)
{
	struct free_page *head = page;

	if (!page)
		return;

	bool enabled = interrupts_disable();

	head->next = returned;
	returned = head;
	returned_count++;
	interrupts_restore(enabled);
}

unsigned long pages_free(void)
{
	return returned_count + (unsigned long)(fresh_end - fresh) / PAGE_SIZE;
}

unsigned long pages_total(void)
{
	return total;
}
