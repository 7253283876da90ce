/*
 * gdb_machine ADDRESS KERNEL [ISA]: a machine of two harts that runs the kernel with a gdb server at ADDRESS; it waits
 * before its first instruction. Says where it listens. Ends with the guest's status.
 */
#include <stdio.h>

#include <biscuit/builtin.h>
#include <biscuit/loader.h>

#include "frontend/gdb/gdb.h"
#include "tests/system/machine_run.h"

static int fail(void)
{
	fprintf(stderr, "gdb_machine: %s\n", bis_error_message());
	return 125;
}

static int build(const char *kernel, const char *isa, struct bis_machine **m)
{
	struct bis_machine_config cfg = {.ram_size = 16 << 20, .harts = 2, .isa = isa, .classes = bis_builtin_modules};
	struct bis_break first = {.kind = BIS_BREAK_INSTRET, .once = true};
	struct bis_image img;
	unsigned id;
	int err = bis_machine_create(&cfg, m);

	if (!err)
		err = bis_board_virt(*m);
	if (!err)
		err = bis_load_kernel(*m, kernel, BIS_RAM_BASE, NULL, &img);
	if (err)
		return err;
	bis_machine_set_entry(*m, img.entry, 0, 0);
	return bis_break_add(*m, &first, &id);
}

int main(int argc, char **argv)
{
	struct bis_machine *m = NULL;
	struct debug *d = NULL;
	struct gdb *g = NULL;
	int status = 125, err;

	if (argc < 3)
		return 125;
	err = build(argv[2], argv[3], &m);
	if (!err)
		err = debug_create(m, &d);
	if (!err)
		err = debug_symbols_load(d, argv[2]);
	if (!err)
		err = bis_machine_start(m);
	if (!err)
		err = gdb_start(d, argv[1], &g);
	if (!err) {
		printf("%s\n", gdb_address(g));
		fflush(stdout);
		err = machine_run(m, &status);
	}
	if (err)
		status = fail();
	gdb_stop(g);
	debug_destroy(d);
	bis_machine_destroy(m);
	return status;
}
