/* The longer functions of native.h. docs/devices.md describes the registers. */
#include "native.h"

void modctl_name(unsigned slot, char name[33])
{
	for (unsigned n = 0; n < 8; n++) {
		uint32_t four = modctl_info(MODCTL_SELECT_NAME + 8 * slot + n);

		for (unsigned i = 0; i < 4; i++)
			name[4 * n + i] = (char)(four >> 8 * i);
	}
	name[32] = '\0';
}

void native_console_write(uintptr_t address, size_t len)
{
	const size_t most = 65536;

	memory_fence();
	while (len) {
		console_address_write(address);
		console_write_write((uint32_t)(len < most ? len : most));

		uint32_t taken = console_write_read();
		unsigned error = native_error(console_status_read());

		if (error != NATIVE_ERROR_NONE && error != NATIVE_ERROR_AGAIN)
			return;
		address += taken;
		len -= taken;
	}
}

/* The fences put the hart's own accesses to the data on the right side of the device's. */
static unsigned block_command(uint32_t command, uint64_t sector, uint32_t count, uintptr_t address)
{
	block_sector_write(sector);
	block_address_write(address);
	block_count_write(count);
	memory_fence();
	block_command_write(command);
	while (block_status_read() & NATIVE_STATUS_BUSY)
		;
	memory_fence();
	return native_error(block_status_read());
}

unsigned native_block_read(uint64_t sector, uint32_t count, uintptr_t address)
{
	return block_command(BLOCK_COMMAND_READ, sector, count, address);
}

unsigned native_block_write(uint64_t sector, uint32_t count, uintptr_t address)
{
	return block_command(BLOCK_COMMAND_WRITE, sector, count, address);
}

unsigned native_block_flush(void)
{
	return block_command(BLOCK_COMMAND_FLUSH, 0, 0, 0);
}
