/*
 * First-fit allocator over the memory from __heap_start to __heap_end (linker script).
 *
 * The heap is a chain of blocks that lie side by side, each with a header; free neighbours are joined while the
 * chain is searched. One hart at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16U

struct block {
	size_t size; /* of the payload that follows the header */
	bool used;
} __attribute__((aligned(ALIGNMENT)));

extern char __heap_start[], __heap_end[];

static struct block *heap_end(void)
{
	return (struct block *)(void *)__heap_end;
}

static struct block *next_block(struct block *b)
{
	return (struct block *)(void *)((char *)(b + 1) + b->size);
}

/* The first block. Memory behind the program is zero or stale, so `ready` says whether the chain has been made. */
static struct block *first_block(void)
{
	static bool ready;
	struct block *first = (struct block *)(void *)__heap_start;

	if (!ready) {
		first->size = (size_t)(__heap_end - __heap_start) - sizeof(*first);
		first->used = false;
		ready = true;
	}
	return first;
}

static void join_free_neighbours(struct block *b)
{
	for (struct block *next = next_block(b); next < heap_end() && !next->used; next = next_block(b))
		b->size += sizeof(*next) + next->size;
}

/* Cuts a block down to `size` when the rest is worth a block of its own. */
static void split_block(struct block *b, size_t size)
{
	if (b->size - size < sizeof(*b) + ALIGNMENT)
		return;

	size_t rest = b->size - size - sizeof(*b);

	b->size = size;
	*next_block(b) = (struct block){.size = rest, .used = false};
}

void *malloc(size_t size)
{
	if (size > (size_t)(__heap_end - __heap_start))
		return NULL;
	size = size ? (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;

	for (struct block *b = first_block(); b < heap_end(); b = next_block(b)) {
		if (b->used)
			continue;
		join_free_neighbours(b);
		if (b->size < size)
			continue;
		split_block(b, size);
		b->used = true;
		return b + 1;
	}
	return NULL;
}

void free(void *payload)
{
	if (payload)
		((struct block *)payload - 1)->used = false;
}

void *calloc(size_t count, size_t size)
{
	void *payload;

	if (size && count > SIZE_MAX / size)
		return NULL;
	payload = malloc(count * size);
	if (payload)
		memset(payload, 0, count * size);
	return payload;
}

void *realloc(void *payload, size_t size)
{
	size_t old_size = payload ? ((struct block *)payload - 1)->size : 0;
	void *copy;

	if (payload && size <= old_size)
		return payload;
	copy = malloc(size);
	if (copy && payload) {
		memcpy(copy, payload, old_size);
		free(payload);
	}
	return copy;
}
