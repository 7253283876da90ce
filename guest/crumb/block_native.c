/* Biscuit's native block device: slot 3 (docs/devices.md). */
#include "block.h"
#include "interrupts.h"
#include <native.h>

static void (*report)(void);
static bool busy;
static uint32_t outcome; /* the status in which the last command ended */

/* The command is done. Acknowledging clears the error code too, so the status is kept. */
static void interrupt(void)
{
	outcome = block_status_read();
	block_status_write(NATIVE_STATUS_INTERRUPT);
	memory_fence();
	busy = false;
	report();
}

static bool start(void (*done)(void))
{
	if (!native_present(BLOCK_SLOT))
		return false;
	report = done;
	interrupts_attach_native(BLOCK_SLOT, interrupt);
	return true;
}

static uint64_t sectors(void)
{
	return block_capacity_read();
}

static bool is_readonly(void)
{
	return block_status_read() & BLOCK_STATUS_READONLY;
}

/* A kernel pointer is a physical address (layout.h), which is what the device wants. */
static void begin(enum block_operation operation, uint64_t sector, unsigned count, void *data)
{
	static const uint32_t commands[] = {
		[BLOCK_READ] = BLOCK_COMMAND_READ,
		[BLOCK_WRITE] = BLOCK_COMMAND_WRITE,
		[BLOCK_FLUSH] = BLOCK_COMMAND_FLUSH,
	};

	busy = true;
	block_sector_write(sector);
	block_address_write((uintptr_t)data);
	block_count_write(count);
	memory_fence();
	block_command_write(commands[operation] | BLOCK_COMMAND_INTERRUPT);
}

static enum block_result finish(void)
{
	if (busy)
		return BLOCK_BUSY;
	return native_error(outcome) == NATIVE_ERROR_NONE ? BLOCK_OK : BLOCK_FAILED;
}

const struct block_driver native_block = {
	.name = "native block device",
	.start = start,
	.sectors = sectors,
	.is_readonly = is_readonly,
	.begin = begin,
	.finish = finish,
};
