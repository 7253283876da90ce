/*
 * mount_machine DIRECTORY [readonly] [allow-other] [paused] [ram=MIB] [KERNEL]: a machine of two harts with its files
 * at DIRECTORY; says "ready" when they are there. Without a kernel, hart 0 runs a loop that counts in a0, stores the
 * count at the address in s0, and sends back what comes on the serial line; hart 1 sleeps. SIGTERM ends the machine.
 * Ends with the guest's status.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>
#include <biscuit/loader.h>

#include "frontend/inspect/inspect.h"
#include "tests/system/machine_run.h"
#include "tests/unit/asm.h"

enum { DATA_PAGES = 0x100, UART_UPPER = 0x10000, CSR_MHARTID = 0xf14 };

static const uint32_t loop[] = {
	CSRR(T0, CSR_MHARTID),	/*  0 */
	BEQ(T0, ZERO, 12),	/*  4 */
	WFI,			/*  8 */
	J(-4),			/* 12 */
	AUIPC(S0, DATA_PAGES),	/* 16: s0 = 0x80100010 */
	LUI(S1, UART_UPPER),	/* 20 */
	ADDI(A0, A0, 1),	/* 24: counting */
	SD(A0, 0, S0),		/* 28 */
	LD(A1, 0, S0),		/* 32 */
	CSRW(CSR_MSCRATCH, A1), /* 36 */
	LBU(T1, 5, S1),		/* 40: line status */
	ANDI(T1, T1, 1),	/* 44 */
	BEQ(T1, ZERO, -24),	/* 48 */
	LBU(T1, 0, S1),		/* 52 */
	SB(T1, 0, S1),		/* 56 */
	J(-36),			/* 60 */
};

struct wishes {
	struct inspect_options inspect;
	uint64_t ram_mib;
	bool paused;
	const char *directory, *kernel;
};

static int fail(void)
{
	fprintf(stderr, "mount_machine: %s\n", bis_error_message());
	return 125;
}

static int load(struct bis_machine *m, const char *kernel)
{
	struct bis_dt_config config = {0};
	struct bis_image img;
	uint64_t where;
	size_t size;
	void *blob;
	int err;

	if (!kernel) {
		bis_machine_set_entry(m, BIS_RAM_BASE, 0, 0);
		return bis_mem_write(bis_machine_memory(m), (bis_gpa){BIS_RAM_BASE}, loop, sizeof(loop));
	}
	err = bis_load_kernel(m, kernel, BIS_RAM_BASE, NULL, &img);
	if (!err)
		err = bis_build_dtb(m, &config, &blob, &size);
	if (err)
		return err;
	err = bis_place_dtb(m, blob, size, img.start, img.end, &where);
	free(blob);
	bis_machine_set_entry(m, img.entry, err ? 0 : where, 0);
	return err;
}

static int build(const struct wishes *w, struct bis_machine **m)
{
	struct bis_machine_config cfg = {.ram_size = w->ram_mib << 20, .harts = 2, .classes = bis_builtin_modules};
	int err = bis_machine_create(&cfg, m);

	if (!err)
		err = bis_board_virt(*m);
	if (!err)
		err = bis_board_virtio_done(*m);
	return err ? err : load(*m, w->kernel);
}

static void *end_at_signal(void *arg)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (!sigwait(&set, &number))
		bis_machine_request_stop(arg, BIS_STOP_HOST, 0);
	return NULL;
}

/* Starts the machine; a paused one has executed one instruction. */
static int start(struct bis_machine *m, bool paused)
{
	struct bis_break first = {.kind = BIS_BREAK_INSTRET, .address = 1, .once = true};
	enum bis_stop_reason why;
	unsigned id;
	int status, err = paused ? bis_break_add(m, &first, &id) : 0;

	if (!err)
		err = bis_machine_start(m);
	while (!err && paused && bis_machine_state(m) == BIS_RUNNING)
		if (bis_machine_join(m, 10, &why, &status) != -ETIMEDOUT)
			err = bis_fail(EIO, "the machine has ended at once");
	return err;
}

static int serve(const struct wishes *w, struct bis_machine *m, struct debug *d)
{
	struct inspect *in = NULL;
	int status, err = w->kernel ? debug_symbols_load(d, w->kernel) : 0;

	if (!err)
		err = start(m, w->paused);
	if (!err)
		err = inspect_mount(d, w->directory, &w->inspect, &in);
	if (!err) {
		puts("ready");
		fflush(stdout);
		err = machine_run(m, &status);
	}
	if (err)
		status = fail();
	inspect_unmount(in);
	return status;
}

static bool understand(int argc, char **argv, struct wishes *w)
{
	*w = (struct wishes){.inspect.version = "test", .ram_mib = 16};
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "readonly"))
			w->inspect.readonly = true;
		else if (!strcmp(argv[i], "allow-other"))
			w->inspect.allow_other = true;
		else if (!strcmp(argv[i], "paused"))
			w->paused = true;
		else if (!strncmp(argv[i], "ram=", 4))
			w->ram_mib = strtoull(argv[i] + 4, NULL, 10);
		else if (!w->directory)
			w->directory = argv[i];
		else
			w->kernel = argv[i];
	}
	return w->directory != NULL;
}

int main(int argc, char **argv)
{
	struct bis_machine *m = NULL;
	struct debug *d = NULL;
	struct wishes w;
	pthread_t waiter;
	sigset_t set;
	int status, err;

	if (!understand(argc, argv, &w))
		return 125;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	err = build(&w, &m);
	if (!err)
		err = debug_create(m, &d);
	if (!err && pthread_create(&waiter, NULL, end_at_signal, m))
		err = bis_fail(EAGAIN, "no thread");
	status = err ? fail() : serve(&w, m, d);
	if (!err) {
		pthread_kill(waiter, SIGTERM);
		pthread_join(waiter, NULL);
	}
	debug_destroy(d);
	bis_machine_destroy(m);
	return status;
}
