/*
 * Direct windows: pages of host files at physical addresses, as a hart meets them; a file that becomes shorter is an
 * access fault for the guest and nothing for the host. Also a module's unlocked registers.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/rig.h"

#define WINDOW	    UINT64_C(0x4000000000)
#define WINDOW_SIZE (UINT64_C(16) * BIS_PAGE_SIZE)
#define PAGE	    ((uint64_t)BIS_PAGE_SIZE)

enum { CSR_MTVEC_ = 0x305, CSR_MCAUSE_ = 0x342, CSR_MTVAL_ = 0x343, CSR_FFLAGS_ = 1 };

/* --- A module with a direct window, and a native slot whose register 1 is unlocked --- */

struct window {
	struct bis_module *mod;
	struct bis_direct *direct;
	_Atomic int had_lock; /* -1: not asked yet */
};

static int window_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct window *w = calloc(1, sizeof(*w));

	(void)options;
	if (!w)
		return -ENOMEM;
	w->mod = mod;
	w->had_lock = -1;
	*self = w;
	return 0;
}

struct attempt {
	struct bis_machine *machine;
	_Atomic bool got;
};

static void *take_lock(void *arg)
{
	struct attempt *a = arg;

	bis_machine_lock_devices(a->machine);
	a->got = true;
	bis_machine_unlock_devices(a->machine);
	return NULL;
}

/* Another thread gets the device lock while this register is written, or the test hangs. */
static void window_write(void *self, unsigned reg, uint64_t val)
{
	struct window *w = self;
	struct attempt a = {.machine = bis_module_machine(w->mod)};
	pthread_t other;

	(void)val;
	if (reg != 1)
		return;
	assert_int_equal(pthread_create(&other, NULL, take_lock, &a), 0);
	pthread_join(other, NULL);
	w->had_lock = !a.got;
}

static int window_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.unlocked = 1 << 1, .write = window_write};
	struct window *w = self;
	int err = bis_attach_direct(mod, WINDOW_SIZE, &w->direct);

	return err ? err : bis_attach_devcsr(mod, &registers);
}

static const struct bis_module_class window_class = {
	.abi = BIS_MODULE_ABI,
	.name = "window",
	.summary = "a direct window for the test",
	.create = window_create,
	.attach = window_attach,
	.destroy = free,
};

/* --- The machine --- */

struct fixture {
	struct bis_machine *m;
	struct window *w;
	FILE *file;
	int fd;
};

static int setup(void **state)
{
	static const struct bis_module_class *classes[64] = {&window_class};
	struct fixture *f = calloc(1, sizeof(*f));

	for (size_t i = 0; bis_builtin_modules[i] && i < 62; i++)
		classes[i + 1] = bis_builtin_modules[i];
	f->m = rig_create_with("rv64", 1, classes);
	rig_add(f->m, "riscv");
	rig_add(f->m, "sv");
	f->w = bis_module_self(rig_add(f->m, "window,at=0x4000000000,slot=9"));
	rig_start_paused(f->m);
	rig_set_csr(f->m, CSR_MTVEC_, RIG_SPIN);
	f->file = tmpfile();
	assert_non_null(f->file);
	f->fd = fileno(f->file);
	*state = f;
	return 0;
}

/* The same in a program that lets no thread take signals. */
static int setup_blocked(void **state)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = setup(state);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bis_machine_destroy(f->m);
	fclose(f->file);
	free(f);
	return 0;
}

/* The file gets `pages` pages, each beginning with the word 100 + its number. */
static void fill_file(const struct fixture *f, unsigned pages)
{
	assert_int_equal(ftruncate(f->fd, (off_t)(pages * PAGE)), 0);
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t word = 100 + i;

		assert_int_equal(pwrite(f->fd, &word, sizeof(word), (off_t)(i * PAGE)), sizeof(word));
	}
}

static uint64_t file_word(const struct fixture *f, uint64_t at)
{
	uint64_t word = 0;

	assert_int_equal(pread(f->fd, &word, sizeof(word), (off_t)at), sizeof(word));
	return word;
}

/* Runs one instruction with a0 = address, a1 = value: the cause of the trap it took, or 0. a2 is its result. */
static uint64_t run_one(const struct fixture *f, uint32_t insn, uint64_t address, uint64_t value)
{
	rig_set32(f->m, RIG_CODE, insn);
	rig_set_csr(f->m, CSR_MCAUSE_, 0);
	bis_hart_set_reg(rig_hart(f->m), A0, address);
	bis_hart_set_reg(rig_hart(f->m), A1, value);
	rig_step_at(f->m, RIG_CODE, 1);
	return rig_csr(f->m, CSR_MCAUSE_);
}

static uint64_t load(const struct fixture *f, uint64_t address)
{
	assert_int_equal(run_one(f, LD(A2, 0, A0), address, 0), 0);
	return rig_reg(f->m, A2);
}

/* --- Tests --- */

static void a_mapped_file_is_read_like_memory(void **state)
{
	const struct fixture *f = *state;

	fill_file(f, 4);
	assert_int_equal(bis_direct_map(f->w->direct, PAGE, 2 * PAGE, f->fd, PAGE, BIS_DIRECT_SHARED), 0);
	assert_int_equal(load(f, WINDOW + PAGE), 101);
	assert_int_equal(load(f, WINDOW + 2 * PAGE), 102);
	assert_int_equal(load(f, WINDOW + 2 * PAGE - 4), UINT64_C(102) << 32); /* over both pages */
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW, 0), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(rig_csr(f->m, CSR_MTVAL_), WINDOW);
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW + 3 * PAGE, 0), BIS_CAUSE_LOAD_ACCESS);
}

static void what_the_host_writes_shows_at_once(void **state)
{
	const struct fixture *f = *state;
	uint64_t word = 7;

	fill_file(f, 1);
	assert_int_equal(bis_direct_map(f->w->direct, 0, PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	assert_int_equal(load(f, WINDOW), 100);
	assert_int_equal(pwrite(f->fd, &word, sizeof(word), 0), sizeof(word));
	assert_int_equal(load(f, WINDOW), 7);
}

static void stores_go_where_the_mapping_says(void **state)
{
	const struct fixture *f = *state;

	fill_file(f, 3);
	assert_int_equal(bis_direct_map(f->w->direct, 0, PAGE, f->fd, 0, BIS_DIRECT_SHARED | BIS_DIRECT_WRITE), 0);
	assert_int_equal(bis_direct_map(f->w->direct, PAGE, PAGE, f->fd, PAGE, BIS_DIRECT_WRITE), 0);
	assert_int_equal(bis_direct_map(f->w->direct, 2 * PAGE, PAGE, f->fd, 2 * PAGE, BIS_DIRECT_SHARED), 0);
	for (uint64_t i = 0; i < 2; i++) { /* the second time through the hart's TLB */
		assert_int_equal(run_one(f, SD(A1, 0, A0), WINDOW, 1 + i), 0);
		assert_int_equal(run_one(f, SD(A1, 0, A0), WINDOW + PAGE, 3 + i), 0);
		assert_int_equal(run_one(f, SD(A1, 0, A0), WINDOW + 2 * PAGE, 5), BIS_CAUSE_STORE_ACCESS);
	}
	assert_int_equal(file_word(f, 0), 2);
	assert_int_equal(file_word(f, PAGE), 101);
	assert_int_equal(load(f, WINDOW + PAGE), 4);
	assert_int_equal(file_word(f, 2 * PAGE), 102);
}

static void a_file_that_shrinks_is_an_access_fault(void **state)
{
	const struct fixture *f = *state;

	fill_file(f, 2);
	assert_int_equal(bis_direct_map(f->w->direct, 0, 2 * PAGE, f->fd, 0, BIS_DIRECT_SHARED | BIS_DIRECT_WRITE), 0);
	assert_int_equal(load(f, WINDOW + PAGE), 101);
	assert_int_equal(ftruncate(f->fd, (off_t)PAGE), 0);
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW + PAGE, 0), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(rig_csr(f->m, CSR_MTVAL_), WINDOW + PAGE);
	assert_int_equal(run_one(f, SD(A1, 0, A0), WINDOW + PAGE, 1), BIS_CAUSE_STORE_ACCESS);
	assert_int_equal(run_one(f, LBU(A2, 0, A0), WINDOW + PAGE + 5, 0), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(load(f, WINDOW), 100);
	fill_file(f, 2); /* and when it grows again, it is there again */
	assert_int_equal(load(f, WINDOW + PAGE), 101);
}

static void a_refused_access_leaves_floating_point_flags(void **state)
{
	static const uint32_t code[] = {0xd0058553, 0xd00685d3,
					0x18b50653, /* fcvt.s.w fa0, a1; the same fa1, a3; fdiv.s */
					LD(A2, 0, A0)};
	const struct fixture *f = *state;

	fill_file(f, 2);
	assert_int_equal(bis_direct_map(f->w->direct, 0, 2 * PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	assert_int_equal(load(f, WINDOW + PAGE), 101);
	assert_int_equal(ftruncate(f->fd, (off_t)PAGE), 0);
	rig_set_csr(f->m, CSR_MSTATUS, UINT64_C(3) << 13); /* FS: dirty */
	bis_hart_set_reg(rig_hart(f->m), A0, WINDOW + PAGE);
	bis_hart_set_reg(rig_hart(f->m), A1, 1);
	bis_hart_set_reg(rig_hart(f->m), A3, 3);
	RIG_LOAD(f->m, RIG_CODE, code);
	rig_step_at(f->m, RIG_CODE, 4);
	assert_int_equal(rig_csr(f->m, CSR_MCAUSE_), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(rig_csr(f->m, CSR_FFLAGS_), 1); /* inexact */
}

static _Atomic unsigned bus_signals;

static void count_signal(int sig)
{
	(void)sig;
	bus_signals++;
}

/* The program goes on deciding about a signal that somebody sends; access faults of the guest are not its business. */
static void a_signal_that_is_sent_goes_where_it_went_before(void **state)
{
	const struct fixture *f = *state;
	struct sigaction before, counts = {.sa_handler = count_signal}, ignored = {.sa_handler = SIG_IGN};

	bus_signals = 0;
	fill_file(f, 1);
	assert_int_equal(sigaction(SIGBUS, &counts, &before), 0);
	assert_int_equal(bis_direct_map(f->w->direct, 0, 2 * PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	raise(SIGBUS);
	assert_int_equal(bus_signals, 1);
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW + PAGE, 0), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(sigaction(SIGBUS, &ignored, NULL), 0);
	assert_int_equal(bis_direct_map(f->w->direct, 2 * PAGE, PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	raise(SIGBUS);
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW + PAGE, 0), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(bus_signals, 1);
	assert_int_equal(sigaction(SIGBUS, &before, NULL), 0);
}

static void it_is_no_ram(void **state)
{
	const struct fixture *f = *state;
	uint64_t word;

	fill_file(f, 1);
	assert_int_equal(bis_direct_map(f->w->direct, 0, PAGE, f->fd, 0, BIS_DIRECT_SHARED | BIS_DIRECT_WRITE), 0);
	assert_int_equal(run_one(f, AMOADD_D(A2, A1, A0), WINDOW, 1), BIS_CAUSE_STORE_ACCESS);
	rig_set_csr(f->m, CSR_MCAUSE_, 0);
	rig_step_at(f->m, WINDOW, 1);
	assert_int_equal(rig_csr(f->m, CSR_MCAUSE_), BIS_CAUSE_FETCH_ACCESS);
	assert_false(bis_mem_is_ram(bis_machine_memory(f->m), (bis_gpa){WINDOW}, 8));
	assert_int_equal(bis_mem_read(bis_machine_memory(f->m), (bis_gpa){WINDOW}, &word, sizeof(word)), -EFAULT);
	assert_int_equal(load(f, WINDOW), 100);
}

static void an_unmapped_page_is_gone(void **state)
{
	const struct fixture *f = *state;

	fill_file(f, 2);
	assert_int_equal(bis_direct_map(f->w->direct, 0, 2 * PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	assert_int_equal(load(f, WINDOW), 100);
	assert_int_equal(bis_direct_unmap(f->w->direct, 0, PAGE), -ENOENT); /* as it was made, or not at all */
	assert_int_equal(bis_direct_unmap(f->w->direct, 0, 2 * PAGE), 0);
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW, 0), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(bis_direct_unmap(f->w->direct, 0, 2 * PAGE), -ENOENT);
}

/* One thread maps and unmaps while the guest reads without end: each load gives the file's word or faults. */
static void mappings_change_under_a_running_guest(void **state)
{
	static const uint32_t handler[] = {CSRR(T0, 0x341), ADDI(T0, T0, 4), CSRW(0x341, T0), ADDI(S1, S1, 1), MRET};
	static const uint32_t loop[] = {LI(A2, 100), LD(A2, 0, A0), BNE(A2, A3, 12), ADDI(S1, S1, 1), J(-16), SPIN};
	const struct fixture *f = *state;

	fill_file(f, 1);
	RIG_LOAD(f->m, RIG_CODE, loop);
	RIG_LOAD(f->m, RIG_CODE + 0x1000, handler);
	rig_set_csr(f->m, CSR_MTVEC_, RIG_CODE + 0x1000);
	bis_hart_set_reg(rig_hart(f->m), A0, WINDOW);
	bis_hart_set_reg(rig_hart(f->m), A3, 100);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	assert_ok(bis_machine_resume(f->m));
	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(bis_direct_map(f->w->direct, 0, PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
		assert_int_equal(bis_direct_unmap(f->w->direct, 0, PAGE), 0);
	}
	assert_ok(bis_machine_pause(f->m));
	assert_in_range(bis_hart_pc(rig_hart(f->m)), RIG_CODE, RIG_CODE + 0x1fff);
	assert_int_not_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 20); /* no load gave anything else */
}

static void what_cannot_be_mapped_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct bis_direct *d = f->w->direct;
	static const struct {
		uint64_t off, len, fd_offset;
		int err;
	} rows[] = {
		{1, PAGE, 0, -EINVAL},
		{0, 0, 0, -EINVAL},
		{0, PAGE + 1, 0, -EINVAL},
		{0, PAGE, 1, -EINVAL},
		{0, WINDOW_SIZE + PAGE, 0, -ERANGE},
		{WINDOW_SIZE, PAGE, 0, -ERANGE},
		{UINT64_MAX - PAGE + 1, 2 * PAGE, 0, -ERANGE},
		{PAGE, UINT64_MAX - PAGE + 1, 0, -ERANGE},
		{0, PAGE, UINT64_MAX - PAGE + 1, -EINVAL},
		{3 * PAGE, PAGE, 0, -EEXIST},
		{2 * PAGE, 2 * PAGE, 0, -EEXIST},
		{4 * PAGE, PAGE, 0, -EEXIST},
	};

	fill_file(f, 4);
	assert_int_equal(bis_direct_map(d, 3 * PAGE, 2 * PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++)
		assert_int_equal(bis_direct_map(d, rows[i].off, rows[i].len, f->fd, rows[i].fd_offset, 0), rows[i].err);
	assert_int_equal(bis_direct_map(d, 0, PAGE, -1, 0, BIS_DIRECT_SHARED), -EBADF);
}

static void a_free_place_is_found_between_others(void **state)
{
	const struct fixture *f = *state;
	struct bis_direct *d = f->w->direct;
	uint64_t off = 99;

	fill_file(f, 1);
	assert_int_equal(bis_direct_map(d, 2 * PAGE, PAGE, f->fd, 0, 0), 0);
	assert_int_equal(bis_direct_map(d, 6 * PAGE, PAGE, f->fd, 0, 0), 0);
	assert_int_equal(bis_direct_place(d, 2 * PAGE, &off), 0);
	assert_int_equal(off, 0);
	assert_int_equal(bis_direct_place(d, 3 * PAGE, &off), 0);
	assert_int_equal(off, 3 * PAGE);
	assert_int_equal(bis_direct_place(d, 9 * PAGE, &off), 0);
	assert_int_equal(off, 7 * PAGE);
	assert_int_equal(bis_direct_place(d, 10 * PAGE, &off), -ENOSPC);
	assert_int_equal(bis_direct_place(d, UINT64_MAX - PAGE + 1, &off), -ENOSPC);
}

static void a_module_that_goes_takes_its_window_along(void **state)
{
	const struct fixture *f = *state;

	fill_file(f, 1);
	assert_int_equal(bis_direct_map(f->w->direct, 0, PAGE, f->fd, 0, BIS_DIRECT_SHARED), 0);
	assert_int_equal(load(f, WINDOW), 100);
	assert_ok(bis_machine_remove(f->m, bis_machine_find(f->m, "window")));
	assert_int_equal(run_one(f, LD(A2, 0, A0), WINDOW, 0), BIS_CAUSE_LOAD_ACCESS);
}

static void an_unlocked_register_is_written_without_the_device_lock(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(run_one(f, CSRW(0x9c8 + 1, A1), 0, 1), 0);
	assert_int_equal(f->w->had_lock, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mapped_file_is_read_like_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_host_writes_shows_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(stores_go_where_the_mapping_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_shrinks_is_an_access_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_access_leaves_floating_point_flags, setup, teardown),
		{"and where the program blocks signals", a_file_that_shrinks_is_an_access_fault, setup_blocked,
		 teardown, NULL},
		cmocka_unit_test_setup_teardown(a_signal_that_is_sent_goes_where_it_went_before, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_no_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unmapped_page_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(mappings_change_under_a_running_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_mapped_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_free_place_is_found_between_others, setup, teardown),
		cmocka_unit_test_setup_teardown(a_module_that_goes_takes_its_window_along, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unlocked_register_is_written_without_the_device_lock, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
