/*
 * Snapshots: a machine restored from one goes on as if nothing had happened; what is damaged, or does not fit, is
 * refused in words.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/snapshot.h>

#include "src/machine/machine_internal.h"
#include "tests/unit/rig.h"

enum { CSR_MTVEC_ = 0x305, CSR_MIE_ = 0x304, CSR_MSTATUS_ = 0x300 };

#define CLINT	 UINT64_C(0x2000000)
#define MTIMECMP (CLINT + 0x4000)
#define END	 3000 /* rounds */

/* --- A guest with state everywhere: registers, RAM, a device timer, interrupts --- */

/* The handler counts in s1 and sets the timer 50 ticks on; the main loop mixes a0 into memory at s0. */
static const uint32_t handler[] = {ADDI(S1, S1, 1), LD(T0, 0, T1), ADDI(T0, T0, 50), SD(T0, 0, T1), MRET};
static const uint32_t loop[] = {
	ADDI(A0, A0, 7), SLLI(A1, A0, 3), ADD(A0, A0, A1), LD(A2, 0, S0),     ADD(A2, A2, A0),
	SD(A2, 0, S0),	 ADD(S0, S0, T2), ADDI(A3, A3, 1), BLTU(A3, A4, -32), SPIN,
};

static struct bis_machine *make(void)
{
	static const char *const specs[] = {"riscv", "sv", "plic,at=0xc000000", "clint,at=0x2000000", "clock,slot=2"};
	struct bis_machine_config cfg = {.ram_size = RIG_RAM_SIZE,
					 .harts = 1,
					 .isa = "rv64",
					 .classes = bis_builtin_modules,
					 .clock = BIS_CLOCK_VIRTUAL};
	struct bis_machine *m = NULL;

	assert_ok(bis_machine_create(&cfg, &m));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(specs); i++)
		rig_add(m, specs[i]);
	return m;
}

static struct bis_machine *begin(void)
{
	struct bis_machine *m = make();
	struct bis_hart *h = rig_hart(m);

	assert_ok(bis_machine_start_paused(m)); /* before any instruction: every run is alike */
	RIG_LOAD(m, RIG_CODE, loop);
	RIG_LOAD(m, RIG_CODE + 0x1000, handler);
	bis_hart_set_reg(h, S0, RIG_DATA);
	bis_hart_set_reg(h, T1, MTIMECMP);
	bis_hart_set_reg(h, T2, 72);
	bis_hart_set_reg(h, A4, END);
	rig_set_csr(m, CSR_MTVEC_, RIG_CODE + 0x1000);
	rig_set_csr(m, CSR_MIE_, 1 << BIS_LINE_MTIP);
	rig_set_csr(m, CSR_MSTATUS_, 8);
	bis_hart_set_mtimecmp(h, bis_machine_ticks(m) + 100);
	bis_hart_set_pc(h, RIG_CODE);
	return m;
}

/* Everything that the guest can have changed, as one number. */
static uint64_t digest(struct bis_machine *m)
{
	uint64_t hash = 14695981039346656037u;

	for (unsigned i = 1; i < 64; i++)
		hash = (hash ^ rig_reg(m, i)) * 1099511628211u;
	hash = (hash ^ bis_hart_pc(rig_hart(m))) * 1099511628211u;
	hash = (hash ^ bis_machine_now(m)) * 1099511628211u;
	for (uint64_t at = 0; at < RIG_RAM_SIZE; at += 8)
		hash = (hash ^ rig_get64(m, BIS_RAM_BASE + at)) * 1099511628211u;
	return hash;
}

static const char *path(void)
{
	static char name[64];

	if (!name[0])
		snprintf(name, sizeof(name), "test_snapshot.%d.snap", (int)getpid());
	return name;
}

static struct bis_machine *restore(void)
{
	struct bis_machine *m = make();
	struct bis_snapshot *s = NULL;

	assert_ok(bis_snapshot_open(path(), &s));
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	return m;
}

/* --- Tests --- */

static void a_restored_machine_ends_like_the_one_that_was_saved(void **state)
{
	static const uint64_t points[] = {1, 100, 777, 5000, 12345, 20001};
	struct bis_machine *m = begin();
	uint64_t expected;

	(void)state;
	assert_ok(bis_machine_step(m, 30000));
	expected = digest(m);
	assert_true(rig_reg(m, S1) > 2); /* the timer has fired */
	bis_machine_destroy(m);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(points); i++) {
		m = begin();
		assert_ok(bis_machine_step(m, points[i]));
		assert_ok(bis_snapshot_save(m, path(), NULL));
		bis_machine_destroy(m);
		m = restore();
		assert_int_equal(bis_machine_state(m), BIS_PAUSED);
		assert_ok(bis_machine_step(m, 30000 - points[i]));
		assert_int_equal(digest(m), expected);
		bis_machine_destroy(m);
	}
}

static void a_running_machine_is_saved_and_runs_on(void **state)
{
	struct bis_machine *m = begin();

	(void)state;
	assert_ok(bis_machine_resume(m));
	assert_ok(bis_snapshot_save(m, path(), "a note"));
	assert_int_equal(bis_machine_state(m), BIS_RUNNING);
	rig_wait_for(bis_hart_instret(rig_hart(m)) > END * 9);
	bis_machine_destroy(m);
}

static void it_tells_how_to_make_the_machine(void **state)
{
	struct bis_machine *m = begin();
	struct bis_snapshot *s;

	(void)state;
	assert_ok(bis_snapshot_save(m, path(), "kernel=x"));
	bis_machine_destroy(m);
	assert_ok(bis_snapshot_open(path(), &s));
	assert_int_equal(bis_snapshot_machine(s)->harts, 1);
	assert_int_equal(bis_snapshot_machine(s)->ram_size, RIG_RAM_SIZE);
	assert_int_equal(bis_snapshot_machine(s)->clock, BIS_CLOCK_VIRTUAL);
	assert_string_equal(bis_snapshot_machine(s)->note, "kernel=x");
	assert_string_equal(bis_snapshot_module(s, 2), "plic,at=0xc000000,name=plic");
	assert_null(bis_snapshot_module(s, 5));
	bis_snapshot_close(s);
}

static void another_machine_is_refused_with_a_list(void **state)
{
	struct bis_machine *m = begin();
	struct bis_machine_config cfg = {.ram_size = 2 * RIG_RAM_SIZE, .harts = 2, .classes = bis_builtin_modules};
	struct bis_snapshot *s;

	(void)state;
	assert_ok(bis_snapshot_save(m, path(), NULL));
	bis_machine_destroy(m);
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "finisher,at=0x100000");
	assert_ok(bis_snapshot_open(path(), &s));
	assert_fails(bis_snapshot_restore(s, m), -EINVAL, "there are 2 harts, and were 1");
	assert_non_null(strstr(bis_error_message(), "there is no clint"));
	assert_non_null(strstr(bis_error_message(), "finisher is new"));
	assert_non_null(strstr(bis_error_message(), "RAM has"));
	bis_snapshot_close(s);
	bis_machine_destroy(m);
}

static uint8_t *read_file(size_t *size)
{
	int fd = open(path(), O_RDONLY);
	struct stat st;
	uint8_t *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	data = malloc(*size);
	assert_int_equal(read(fd, data, *size), *size);
	close(fd);
	return data;
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd = open(path(), O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/* 0 if the file at hand can be restored. */
static int try_restore(void)
{
	struct bis_machine *m = make();
	struct bis_snapshot *s;
	int err = bis_snapshot_open(path(), &s);

	if (!err) {
		err = bis_snapshot_restore(s, m);
		bis_snapshot_close(s);
	}
	bis_machine_destroy(m);
	return err;
}

static void damage_anywhere_is_noticed(void **state)
{
	struct bis_machine *m = begin();
	uint8_t *data;
	size_t size, step;

	(void)state;
	assert_ok(bis_machine_step(m, 20000));
	assert_ok(bis_snapshot_save(m, path(), NULL));
	bis_machine_destroy(m);
	data = read_file(&size);
	step = size / 40;
	for (size_t at = 0; at < size; at += step) {
		data[at] ^= 0x10;
		write_file(data, size);
		assert_int_not_equal(try_restore(), 0);
		data[at] ^= 0x10;
		write_file(data, at);
		assert_int_not_equal(try_restore(), 0);
	}
	write_file(data, size - 1);
	assert_int_not_equal(try_restore(), 0);
	write_file(data, size);
	assert_ok(try_restore());
	free(data);
}

static void other_files_are_named_as_such(void **state)
{
	static const uint8_t later[] = "BISCUIT SNAPSHOT\n\x09\0\0";
	struct bis_snapshot *s;

	(void)state;
	write_file((const uint8_t *)"hello", 5);
	assert_fails(bis_snapshot_open(path(), &s), -EINVAL, "is not a snapshot");
	write_file(later, sizeof(later));
	assert_fails(bis_snapshot_open(path(), &s), -EPROTONOSUPPORT, "version 9");
	assert_fails(bis_snapshot_open("/nonexistent/x", &s), -ENOENT, "/nonexistent/x");
}

static void a_failed_save_leaves_the_old_file(void **state)
{
	struct bis_machine *m = make();
	size_t size;
	uint8_t *data;

	(void)state;
	write_file((const uint8_t *)"old", 3);
	assert_fails(bis_snapshot_save(m, path(), NULL), -EINVAL, "started");
	data = read_file(&size);
	assert_int_equal(size, 3);
	free(data);
	bis_machine_destroy(m);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path());
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restored_machine_ends_like_the_one_that_was_saved),
		cmocka_unit_test(a_running_machine_is_saved_and_runs_on),
		cmocka_unit_test(it_tells_how_to_make_the_machine),
		cmocka_unit_test(another_machine_is_refused_with_a_list),
		cmocka_unit_test(damage_anywhere_is_noticed),
		cmocka_unit_test(other_files_are_named_as_such),
		cmocka_unit_test(a_failed_save_leaves_the_old_file),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, remove_file);
}
