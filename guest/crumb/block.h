/* The disk: sectors in, sectors out. Above two drivers, of which the machine's device chooses one. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_SIZE	  512U
#define BLOCK_MAX_SECTORS 1024U /* of one transfer */

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

enum block_result {
	BLOCK_OK,
	BLOCK_FAILED,	 /* the device said no */
	BLOCK_RANGE,	 /* not all of the sectors exist */
	BLOCK_READ_ONLY, /* a write to a disk that takes none */
	BLOCK_BUSY,	 /* from a driver only: not done yet */
};

/* A device that can be the disk. It does one operation at a time; all calls come with interrupts disabled. */
struct block_driver {
	const char *name;
	/* Finds the device and gets it going: from now on `done` is called, with interrupts disabled, when it is worth
	 * asking finish() again. False: the machine has no such device, or it cannot be used. */
	bool (*start)(void (*done)(void));
	uint64_t (*sectors)(void);
	bool (*is_readonly)(void);
	/* Begins an operation on `count` sectors, which exist; a flush has neither sectors nor data. */
	void (*begin)(enum block_operation operation, uint64_t sector, unsigned count, void *data);
	/* How the operation went, or BLOCK_BUSY. */
	enum block_result (*finish)(void);
};

extern const struct block_driver native_block, virtio_block;

/* Looks for a disk. Called once, before the functions below. */
void block_start(void);

/* The disk's driver, or NULL: there is no disk, and the functions below must not be called. */
const struct block_driver *block_driver(void);

uint64_t block_sectors(void);
bool block_is_readonly(void);

/* Moves 1 to BLOCK_MAX_SECTORS sectors from or to kernel memory, or makes durable what was written (BLOCK_FLUSH:
 * sector, count and data are ignored). Sleeps until it is done. Any task. */
enum block_result block_do(enum block_operation operation, uint64_t sector, unsigned count, void *data);

/* What a result means, in words. */
const char *block_describe(enum block_result result);

#endif
