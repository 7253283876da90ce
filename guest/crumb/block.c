/*
 * The disk, above whichever device it is: what both drivers would otherwise do alike. It lets one task at a time have
 * the device, puts it to sleep until the device is done, and refuses what no device could do.
 */
#include "block.h"
#include "interrupts.h"
#include "task.h"
#include "timer.h"

static const struct block_driver *driver;

/* With interrupts disabled: does a task have the device? */
static bool taken;

/* The device's interrupt: who waits for the device looks again. */
static void wake(void)
{
	task_wake(&driver);
}

void block_start(void)
{
	if (native_block.start(wake))
		driver = &native_block;
	else if (virtio_block.start(wake))
		driver = &virtio_block;
}

const struct block_driver *block_driver(void)
{
	return driver;
}

uint64_t block_sectors(void)
{
	return driver->sectors();
}

bool block_is_readonly(void)
{
	return driver->is_readonly();
}

static enum block_result check(enum block_operation operation, uint64_t sector, unsigned count)
{
	uint64_t sectors = block_sectors();

	if (operation == BLOCK_FLUSH)
		return BLOCK_OK;
	if (count == 0 || count > BLOCK_MAX_SECTORS || count > sectors || sector > sectors - count)
		return BLOCK_RANGE;
	if (operation == BLOCK_WRITE && block_is_readonly())
		return BLOCK_READ_ONLY;
	return BLOCK_OK;
}

enum block_result block_do(enum block_operation operation, uint64_t sector, unsigned count, void *data)
{
	/* The lock is this flag. Whoever finds it set sleeps, and interrupts stay out between looking and sleeping. */
	bool enabled = interrupts_disable();

	while (taken)
		task_wait(&taken, NEVER);
	taken = true;

	enum block_result result = check(operation, sector, count);

	if (result == BLOCK_OK) {
		driver->begin(operation, sector, count, data);
		while ((result = driver->finish()) == BLOCK_BUSY)
			task_wait(&driver, NEVER);
	}
	taken = false;
	task_wake(&taken);
	interrupts_restore(enabled);
	return result;
}

const char *block_describe(enum block_result result)
{
	static const char *const words[] = {
		[BLOCK_OK] = "done",
		[BLOCK_FAILED] = "the device failed",
		[BLOCK_RANGE] = "it is behind the end",
		[BLOCK_READ_ONLY] = "the disk is read-only",
		[BLOCK_BUSY] = "not done yet",
	};

	return words[result];
}
