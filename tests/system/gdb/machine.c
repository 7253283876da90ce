/*
 * gdb_machine ADDRESS KERNEL [ISA]: a machine of two harts that runs the kernel with a gdb server at ADDRESS; it waits
 * before its first instruction. Says where it listens. Ends with the guest's status.
 */
#include <stdio.h>

#include <biscuit/builtin.h>
#include <biscuit/loader.h>

#include "frontend/gdb/gdb.h"

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

/* Starts the machine anew; it goes on if it ran. */
static int restart(struct bis_machine *m, bool ran)
{
	int err;

	bis_machine_lock_control(m);
	err = bis_machine_reset(m);
	if (!err && ran && bis_machine_state(m) == BIS_PAUSED)
		err = bis_machine_resume(m);
	bis_machine_unlock_control(m);
	return err;
}

/* Until the machine ends. */
static int run(struct bis_machine *m)
{
	enum bis_stop_reason why;
	int status, err;

	do {
		err = bis_machine_join(m, -1, &why, &status);
		if (!err && why != BIS_STOP_RESET_REQUEST)
			return status;
		if (!err)
			err = restart(m, status);
	} while (!err);
	return fail();
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
		status = run(m);
	} else {
		fail();
	}
	gdb_stop(g);
	debug_destroy(d);
	bis_machine_destroy(m);
	return status;
}
