/* See command.h. */
#include "command.h"
#include <stdarg.h>
#include <stdlib.h>

void bench_command_add(struct bench_command *c, const char *format, ...)
{
	size_t left = sizeof(c->text) - c->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(c->text + c->used, left, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= left || c->count + 1 == BENCH_WORDS_MAX) {
		fputs("bench: a command line is too long\n", stderr);
		exit(2);
	}
	c->at[c->count++] = c->text + c->used;
	c->at[c->count] = NULL;
	c->used += (unsigned)length + 1;
}

void bench_command_add_all(struct bench_command *c, const char *const *words)
{
	while (*words)
		bench_command_add(c, "%s", *words++);
}

void bench_command_machine(struct bench_command *c, enum bench_subject subject, const char *program, bool bare)
{
	static const char *const qemu[] = {"-M",   "virt",    "-display", "none", "-monitor",
					   "none", "-serial", "stdio",	  NULL};
	static const char *const no_firmware[] = {"-bios", "none", NULL};

	bench_command_add(c, "%s", program);
	if (subject != BENCH_QEMU)
		return;
	bench_command_add_all(c, qemu);
	if (bare)
		bench_command_add_all(c, no_firmware);
}

void bench_command_linux(struct bench_command *c, enum bench_subject subject, const char *program, const char *folder,
			 const char *harts, const char *memory)
{
	const char *const ours[] = {"--harts", harts, "--memory", memory, NULL};
	const char *const qemu[] = {"-smp", harts, "-m", memory, "-net", "none", NULL};
	const char *dashes = subject == BENCH_OURS ? "--" : "-";

	bench_command_machine(c, subject, program, false);
	bench_command_add_all(c, subject == BENCH_OURS ? ours : qemu);
	bench_command_add(c, "%skernel", dashes);
	bench_command_add(c, "%s/kernel", folder);
	bench_command_add(c, "%sinitrd", dashes);
	bench_command_add(c, "%s/initrd", folder);
	bench_command_add(c, "%sappend", dashes);
	bench_command_add(c, "console=ttyS0");
}

void bench_command_disk(struct bench_command *c, enum bench_subject subject, const char *folder, const char *name,
			bool read_only)
{
	if (subject == BENCH_OURS) {
		bench_command_add(c, "--drive");
		bench_command_add(c, "file=%s/%s%s", folder, name, read_only ? ",readonly" : "");
		return;
	}
	/* QEMU's locks refuse those who only read, too. */
	bench_command_add(c, "-drive");
	bench_command_add(c, "file=%s/%s,format=raw,if=none,id=disk%s", folder, name,
			  read_only ? ",file.locking=off,readonly=on" : "");
	bench_command_add(c, "-device");
	bench_command_add(c, "virtio-blk-device,drive=disk");
}
