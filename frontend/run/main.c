/* biscuit-run: runs a RISC-V guest. What the command line asks for is done by the other files of this folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/run/check.h"
#include "frontend/run/disasm.h"
#include "frontend/run/folder.h"
#include "frontend/run/guest.h"
#include "frontend/run/list.h"
#include "frontend/run/machine.h"
#include "frontend/run/message.h"
#include "frontend/run/options.h"
#include "frontend/run/run.h"
#include "frontend/run/share.h"

/*
 * Sees to it that descriptors 0 to 2 exist, so that no file of the machine gets their numbers. Returns whether standard
 * output was closed.
 */
static bool fill_standard_descriptors(void)
{
	bool stdout_closed = false;

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		stdout_closed |= fd == STDOUT_FILENO;
		if (open("/dev/null", O_RDWR) != fd)
			_exit(RUN_STATUS_FAILED);
	}
	return stdout_closed;
}

static int print_list(const struct run_options *o)
{
	struct bis_machine *m;
	int err = machine_create(o, o->isa, NULL, NULL, NULL, &m);

	if (err)
		return err;
	err = machine_load_objects(m, o);
	if (!err && o->action == RUN_LIST_MODULES)
		list_modules(m);
	else if (!err)
		err = list_module_help(m, o->subject);
	bis_machine_destroy(m);
	return err;
}

static int disassemble(const struct run_options *o)
{
	struct bis_machine *m;
	struct bis_module *mod;
	const char *isa;
	int err = guest_isa(o, o->subject, &isa);

	if (!err)
		err = machine_create(o, isa, NULL, NULL, NULL, &m);
	if (err)
		return err;
	err = bis_machine_add(m, "riscv", &mod);
	if (!err)
		err = disasm_file(o->subject, bis_hart_decoder(bis_machine_hart(m, 0)));
	bis_machine_destroy(m);
	return err;
}

static int write_blob(const char *path, const void *blob, size_t size)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "we") : stdout;
	int err = 0;

	if (!f)
		return bis_fail(errno, "--dump-dtb: %s: %s", path, strerror(errno));
	if (fwrite(blob, 1, size, f) != size || fflush(f))
		err = bis_fail(errno, "--dump-dtb: %s: %s", path, strerror(errno));
	if (f != stdout && fclose(f) && !err)
		err = bis_fail(errno, "--dump-dtb: %s: %s", path, strerror(errno));
	return err;
}

static int dump_dtb(const struct run_options *o)
{
	struct bis_machine *m = NULL;
	struct guest g;
	size_t size;
	void *blob;
	int err = guest_describe(o, &g);

	if (!err)
		err = machine_create(o, g.isa, NULL, NULL, NULL, &m);
	if (!err)
		err = machine_add_modules(m, o, &g);
	if (!err)
		err = guest_device_tree(m, o, &blob, &size);
	if (!err) {
		err = write_blob(o->subject, blob, size);
		free(blob);
	}
	bis_machine_destroy(m);
	guest_free(&g);
	return err;
}

static int act(struct run_options *o, bool stdout_closed)
{
	int err = 0;

	if (o->action == RUN_GUEST || o->action == RUN_DUMP_DTB) {
		err = folder_complete(o);
		if (!err)
			err = share_complete(o);
	}
	if (err)
		return message_error();
	switch (o->action) {
	case RUN_GUEST:
		return check_is_meant(o->engine) ? check_guest(o) : run_guest(o, stdout_closed);
	case RUN_HELP:
		run_help();
		break;
	case RUN_VERSION:
		puts("biscuit-run " BISCUIT_VERSION);
		break;
	case RUN_LIST_MODULES:
	case RUN_HELP_MODULE:
		err = print_list(o);
		break;
	case RUN_DISASSEMBLE:
		err = disassemble(o);
		break;
	case RUN_DUMP_DTB:
		err = dump_dtb(o);
		break;
	}
	if (!err && fflush(stdout))
		err = bis_fail(errno, "standard output: %s", strerror(errno));
	return err ? message_error() : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	bool stdout_closed = fill_standard_descriptors();
	struct run_options o;
	int status = run_options_parse(argc, argv, &o) ? message_error() : act(&o, stdout_closed);

	run_options_free(&o);
	return status;
}
