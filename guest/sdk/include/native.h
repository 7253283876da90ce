/*
 * Biscuit's native devices: groups of 8 control registers, usable from M-mode and S-mode.
 *
 * biscuit.h (made from the devices' own tables) names every register and field; docs/devices.md explains them. This
 * header adds the functions that most programs want. Call one only when its device is there:
 * native_present(CONSOLE_SLOT). Functions that take more than one register are for one hart at a time.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <biscuit.h>
#include <riscv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NATIVE_SLOTS 16

/* Finds out which slots hold a device. The start-up code has called it before main; call it with interrupts off. */
void native_probe(void);

/* Was there a device in this slot when native_probe() looked? False for all slots on other machines than Biscuit. */
bool native_present(unsigned slot);

/* Registers 7 and 6 of a slot: the module's name hash << 8 | version (0: empty), and its state. */
uint32_t native_identity(unsigned slot);
uint32_t native_status(unsigned slot);

/* The error code in a device's status: NATIVE_ERROR_NONE (0) or another NATIVE_ERROR_. */
static inline unsigned native_error(uint32_t status)
{
	return (status & NATIVE_STATUS_ERROR_MASK) >> NATIVE_STATUS_ERROR_SHIFT;
}

/* --- Module controller --- */

/* The fact of this number, one of MODCTL_SELECT_. */
static inline uint32_t modctl_info(uint32_t select)
{
	modctl_select_write(select);
	return modctl_info_read();
}

/* The name of a slot's device, "" for an empty slot. */
void modctl_name(unsigned slot, char name[33]);

/* --- Console --- */

/* Sends a byte; waits while the host is behind. */
static inline void native_console_putc(char c)
{
	while (console_status_read() & CONSOLE_STATUS_FULL)
		;
	console_data_write((unsigned char)c);
}

/* The next input byte; -1 when none waits, -2 when none will ever come. */
static inline int native_console_poll(void)
{
	uint32_t data = console_data_read();

	if (data & CONSOLE_DATA_EMPTY)
		return data & CONSOLE_DATA_END ? -2 : -1;
	return (int)(data & 0xff);
}

/* Sends `len` bytes at once; waits while the host is behind. The bytes lie in RAM at this physical
 * address; when they do not, nothing is sent. */
void native_console_write(uintptr_t address, size_t len);

/* --- Block device: sectors of 512 bytes; the data lies in RAM at this physical address --- */

/* They wait for completion and return NATIVE_ERROR_NONE (0) or why it failed. `count` is 1 to 65536 sectors. */
unsigned native_block_read(uint64_t sector, uint32_t count, uintptr_t address);
unsigned native_block_write(uint64_t sector, uint32_t count, uintptr_t address);
unsigned native_block_flush(void);

#endif
