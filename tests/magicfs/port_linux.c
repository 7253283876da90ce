/*
 * The runner in a Linux guest: a program without a C library that begins at _start. Its console becomes a plain byte
 * stream; the shares are mounted at /mnt/NAME. At the end of its input it powers the machine off.
 */
#include "port_linux.h"
#include "face.h"
#include "linux_calls.h"

#include <stdio.h>
#include <string.h>

void linux_main(void);

/* The stack pointer is aligned as the kernel leaves it. */
__asm__(".section .text\n"
	".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	tail linux_main\n");

/* The C library's text functions print to it; nothing here does. */
int putchar(int c)
{
	return c;
}

int getchar(void)
{
	return EOF;
}

void port_share_path(const char *share, char *path, size_t size)
{
	snprintf(path, size, "/mnt/%s", share);
}

int64_t port_mount(const char *share, const char *options)
{
	char path[64], all[256];

	port_share_path(share, path, sizeof(path));
	snprintf(all, sizeof(all), "trans=virtio,version=9p2000.L,%s", options);
	CALL3(mkdirat, LINUX_AT_FDCWD, path, 0755);
	CALL2(umount2, path, 0);
	return CALL5(mount, share, path, "9p", 0, all);
}

void port_unmount(void)
{
	/* The shares stay mounted. */
}

/* No echo, no lines, no signals, no translation. */
static void make_console_plain(void)
{
	struct {
		uint32_t input, output, control, local;
		uint8_t line, characters[19];
	} mode;

	if (CALL3(ioctl, 0, 0x5401, &mode) < 0)
		return;
	mode.input = 0;
	mode.output = 0;
	mode.local = 0;
	mode.characters[5] = 0; /* VTIME */
	mode.characters[6] = 1; /* VMIN */
	CALL3(ioctl, 0, 0x5402, &mode);
}

void linux_main(void)
{
	make_console_plain();
	CALL1(umask, 0);
	runner_serve();
	CALL4(reboot, 0xfee1dead, 672274793, 0x4321fedc, 0);
	CALL1(exit_group, 0);
}
