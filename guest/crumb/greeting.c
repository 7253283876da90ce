/* What crumb says first: the machine, and the host's files, which are what most people have come for. */
#include "greeting.h"
#include "board.h"
#include "files.h"
#include "names.h"
#include "timer.h"
#include <native.h>
#include <riscv.h>
#include <stdio.h>

#define LISTING_LINES 12

static void show_machine(void)
{
	uint64_t microseconds = ticks_to_microseconds(read_time());

	printf("\nThis is crumb, a small OS, on %d-bit RISC-V with %lu MiB of memory and %u hart%s.\n", __riscv_xlen,
	       board.ram >> 20, board.harts, board.harts == 1 ? "" : "s");
	if (!board.described)
		printf("There is no device tree that makes sense, so memory and harts are guesses.\n");
	printf("Ready after %u.%03u ms. Type \"help\" for a list of commands.\n\n", (unsigned)(microseconds / 1000),
	       (unsigned)(microseconds % 1000));
}

static void show_title(void)
{
	unsigned shares = files_shares();

	if (shares == 1)
		printf("The host shares the directory \"%s\" as /%s:\n", files_share_name(0),
		       files_share_is_readonly(0) ? ", read-only" : "");
	else
		printf("The host shares %u directories:\n", shares);
}

static void show_files(void)
{
	struct names names;
	int64_t error = names_read(&names, "/", false);
	size_t shown;

	show_title();
	if (error) {
		files_complain("ls", "/", error);
	} else if (names.count == 0) {
		printf("  (empty)\n");
	} else {
		shown = names_print_columns(&names, 2, LISTING_LINES);
		if (shown < names.count)
			printf("  ... and %lu more\n", (unsigned long)(names.count - shown));
	}
	names_free(&names);
	printf("\nTry ls -l, cat FILE, find *.c, echo hello > FILE.\n"
	       "\"watch\" shows what changes as it happens, whoever changes it: you here, or the host.\n\n");
}

void greet(void)
{
	show_machine();
	if (files_shares())
		show_files();
	else if (native_present(MODCTL_SLOT))
		printf("To see files of the host here, start biscuit-run with --share DIR.\n\n");
}
