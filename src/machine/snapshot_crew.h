/*
 * Pieces of work done by several threads and taken back in the order in which they were given. One thread, the owner,
 * gives and takes; it lends a hand while it waits, so a crew without threads works as well. Threads are started when
 * there is more than one piece to do.
 */
#ifndef BISCUIT_SNAPSHOT_CREW_H
#define BISCUIT_SNAPSHOT_CREW_H

#include <biscuit/types.h>

#define CREW_PIECES   8
#define CREW_PIECE    ((size_t)512 << 10)		      /* bytes of a piece at most */
#define CREW_PACKED   (CREW_PIECE + (CREW_PIECE >> 8) + 1024) /* what zstd may make of them at most */
#define CREW_CPUS_MAX 4

struct crew_piece {
	uint32_t raw_len, packed_len;
	uint64_t sum;	     /* as the file has it */
	uint64_t number;     /* in the file */
	const char *problem; /* NULL: none; a constant */
	bool done;
	uint8_t raw[CREW_PIECE], packed[CREW_PACKED];
};

/* What a crew does. Each thread has a tool of its own; `make` may fail with NULL. */
struct crew_trade {
	void *(*make)(void);
	void (*free)(void *tool);
	const char *(*work)(void *tool, struct crew_piece *p); /* the problem, or NULL */
};

struct snapshot_crew;
/* NULL without memory. */
struct snapshot_crew *snapshot_crew_create(const struct crew_trade *trade);
/* Waits for pieces that somebody is at, and leaves the others undone. NULL is fine. */
void snapshot_crew_destroy(struct snapshot_crew *c);

/* The piece to fill and give next; NULL while all are under way. */
struct crew_piece *snapshot_crew_next(struct snapshot_crew *c);
void snapshot_crew_give(struct snapshot_crew *c);
/* Waits for the oldest piece that was given; NULL where there is none. It is the caller's until it is returned. */
struct crew_piece *snapshot_crew_take(struct snapshot_crew *c);
void snapshot_crew_return(struct snapshot_crew *c);

#endif
