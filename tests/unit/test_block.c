/*
 * Native block device: reading, writing, completion by polling and by interrupt, errors of guest and host, the lock
 * against a second machine.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/device/native.h"
#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

#define SECTORS 100u

struct fixture {
	struct bis_machine *m;
	struct bis_module *mod;
	char path[32];
	char options[64];
};

/* The byte at `at` of a fresh disk. */
static uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 7 + at / 512);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t bytes[SECTORS * 512];
	int fd;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = pattern(i);
	strcpy(f->path, "/tmp/biscuit-disk-XXXXXX");
	fd = mkstemp(f->path);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	snprintf(f->options, sizeof(f->options), "file=%s", f->path);
	f->m = fake_create(1);
	f->mod = fake_add(f->m, &bis_block_class, BLOCK_SLOT, f->options);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_destroy(f->m);
	unlink(f->path);
	free(f);
	return 0;
}

static uint64_t rd(struct fixture *f, unsigned reg)
{
	return fake_csr_read(f->mod, reg);
}

static void wr(struct fixture *f, unsigned reg, uint64_t val)
{
	fake_csr_write(f->mod, reg, val);
}

static void start(struct fixture *f, uint64_t command, uint64_t sector, uint64_t address, uint64_t count)
{
	wr(f, BLOCK_SECTOR, sector);
	wr(f, BLOCK_ADDRESS, address);
	wr(f, BLOCK_COUNT, count);
	wr(f, BLOCK_COMMAND, command);
}

/* Polls STATUS until the command is done, as a driver without interrupts does; returns the error code. */
static unsigned finish(struct fixture *f)
{
	while (rd(f, NATIVE_STATUS) & NATIVE_STATUS_BUSY)
		;
	return fake_csr_error(f->mod);
}

static void reads_sectors_into_memory(void **state)
{
	struct fixture *f = *state;
	uint8_t got[3 * 512];

	assert_int_equal(rd(f, BLOCK_CAPACITY), SECTORS);
	start(f, BLOCK_COMMAND_READ, 5, BIS_RAM_BASE + 100, 3);
	assert_int_equal(finish(f), 0);
	assert_ok(bis_mem_read(f->m->memory, (bis_gpa){BIS_RAM_BASE + 100}, got, sizeof(got)));
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], pattern(5 * 512 + i));
	assert_int_equal(rd(f, BLOCK_COMMAND), BLOCK_COMMAND_READ);
	assert_false(fake_irq(f->mod));
	start(f, BLOCK_COMMAND_READ, 0, FAKE_RAM_END - SECTORS * 512, SECTORS);
	assert_int_equal(finish(f), 0);
}

static void writes_reach_the_file(void **state)
{
	struct fixture *f = *state;
	uint8_t got[512];
	int fd = open(f->path, O_RDONLY);

	assert_ok(bis_mem_fill(f->m->memory, (bis_gpa){BIS_RAM_BASE}, 0xee, 512));
	start(f, BLOCK_COMMAND_WRITE, SECTORS - 1, BIS_RAM_BASE, 1);
	assert_int_equal(finish(f), 0);
	wr(f, BLOCK_COMMAND, BLOCK_COMMAND_FLUSH);
	assert_int_equal(finish(f), 0);
	assert_int_equal(pread(fd, got, 512, (SECTORS - 1) * 512), 512);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(got[i], 0xee);
	close(fd);
}

static void interrupt_tells_completion_when_asked_for(void **state)
{
	struct fixture *f = *state;

	start(f, BLOCK_COMMAND_READ | BLOCK_COMMAND_INTERRUPT, 0, BIS_RAM_BASE, 1);
	while (!fake_irq(f->mod))
		fake_serve(f->m);
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY | NATIVE_STATUS_INTERRUPT);
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_false(fake_irq(f->mod));
	/* A failed start interrupts too; the next command acknowledges. */
	start(f, 99 | BLOCK_COMMAND_INTERRUPT, 0, BIS_RAM_BASE, 1);
	assert_true(fake_irq(f->mod));
	start(f, BLOCK_COMMAND_READ, 0, BIS_RAM_BASE, 1);
	assert_false(fake_irq(f->mod));
	assert_int_equal(finish(f), 0);
}

static void hostile_commands_get_an_error_and_change_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t command, sector, address, count;
		unsigned error;
	} bad[] = {
		{0, 0, BIS_RAM_BASE, 1, NATIVE_ERROR_INVALID},
		{4, 0, BIS_RAM_BASE, 1, NATIVE_ERROR_INVALID},
		{UINT64_C(0x100000001), 0, BIS_RAM_BASE, 1, NATIVE_ERROR_INVALID},
		{UINT64_MAX, 0, BIS_RAM_BASE, 1, NATIVE_ERROR_INVALID},
		{1, 0, BIS_RAM_BASE, 0, NATIVE_ERROR_INVALID},
		{1, 0, BIS_RAM_BASE, 65537, NATIVE_ERROR_TOO_BIG},
		{1, 0, BIS_RAM_BASE, UINT64_C(0x100000001), NATIVE_ERROR_TOO_BIG},
		{1, SECTORS, BIS_RAM_BASE, 1, NATIVE_ERROR_RANGE},
		{1, SECTORS - 1, BIS_RAM_BASE, 2, NATIVE_ERROR_RANGE},
		{1, 0, BIS_RAM_BASE, SECTORS + 1, NATIVE_ERROR_RANGE},
		{1, UINT64_MAX, BIS_RAM_BASE, 1, NATIVE_ERROR_RANGE},
		{2, UINT64_MAX - 1, BIS_RAM_BASE, 4, NATIVE_ERROR_RANGE},
		{1, UINT64_MAX / 512 + 1, BIS_RAM_BASE, 1, NATIVE_ERROR_RANGE},
		{1, 0, BIS_RAM_BASE - 1, 1, NATIVE_ERROR_ADDRESS},
		{1, 0, FAKE_RAM_END - 511, 1, NATIVE_ERROR_ADDRESS},
		{2, 0, FAKE_RAM_END, 1, NATIVE_ERROR_ADDRESS},
		{2, 0, UINT64_MAX - 255, 1, NATIVE_ERROR_ADDRESS},
		{1, 0, 0, 1, NATIVE_ERROR_ADDRESS},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		start(f, bad[i].command, bad[i].sector, bad[i].address, bad[i].count);
		assert_false(rd(f, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
		assert_int_equal(finish(f), bad[i].error);
	}
	start(f, BLOCK_COMMAND_READ, 0, BIS_RAM_BASE, 1);
	assert_int_equal(finish(f), 0);
}

/* The second command comes while the worker is waking up for the first; repeated until that has been met. */
static void a_command_while_busy_is_refused_and_disturbs_nothing(void **state)
{
	struct fixture *f = *state;
	bool refused = false;
	uint8_t byte = 0;

	for (int i = 0; i < 10000 && !refused; i++) {
		start(f, BLOCK_COMMAND_READ, 1, BIS_RAM_BASE, 64);
		start(f, BLOCK_COMMAND_WRITE, 0, BIS_RAM_BASE + 0x80000, 1);
		refused = (rd(f, NATIVE_STATUS) >> 8 & 0xff) == NATIVE_ERROR_BUSY;
		assert_int_equal(finish(f), 0);
		if (!refused) {
			assert_ok(bis_mem_fill(f->m->memory, (bis_gpa){BIS_RAM_BASE + 0x80000}, 0, 512));
			continue;
		}
		assert_ok(bis_mem_read(f->m->memory, (bis_gpa){BIS_RAM_BASE}, &byte, 1));
		assert_int_equal(byte, pattern(512));
	}
	assert_true(refused);
}

static void pause_and_reset_wait_for_the_command_in_flight(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 50; i++) {
		start(f, BLOCK_COMMAND_READ | BLOCK_COMMAND_INTERRUPT, 0, BIS_RAM_BASE, SECTORS);
		fake_pause(f->mod);
		assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY | NATIVE_STATUS_INTERRUPT);
		fake_resume(f->mod);
		assert_true(fake_irq(f->mod));
		start(f, BLOCK_COMMAND_READ | BLOCK_COMMAND_INTERRUPT, 0, BIS_RAM_BASE, SECTORS);
		fake_reset(f->mod);
		assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY);
		assert_int_equal(rd(f, BLOCK_COUNT), 0);
		while (fake_serve_ready(f->m))
			;
		assert_false(fake_irq(f->mod));
	}
}

static void removal_with_a_command_in_flight_is_clean(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		start(f, BLOCK_COMMAND_READ | BLOCK_COMMAND_INTERRUPT, 0, BIS_RAM_BASE, SECTORS);
		fake_remove(f->mod);
		f->mod = fake_add(f->m, &bis_block_class, BLOCK_SLOT, f->options);
	}
}

static void a_shrunken_file_is_an_error_of_the_host(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(truncate(f->path, 10 * 512 + 7), 0);
	start(f, BLOCK_COMMAND_READ, 9, BIS_RAM_BASE, 4);
	assert_int_equal(finish(f), NATIVE_ERROR_IO);
	start(f, BLOCK_COMMAND_READ, 9, BIS_RAM_BASE, 1);
	assert_int_equal(finish(f), 0);
}

static void readonly_refuses_writes_alone(void **state)
{
	struct fixture *f = *state;
	char options[64];

	fake_remove(f->mod);
	snprintf(options, sizeof(options), "file=%s,readonly", f->path);
	assert_int_equal(chmod(f->path, 0400), 0);
	f->mod = fake_add(f->m, &bis_block_class, BLOCK_SLOT, options);
	assert_true(rd(f, NATIVE_STATUS) & BLOCK_STATUS_READONLY);
	start(f, BLOCK_COMMAND_WRITE, 0, BIS_RAM_BASE, 1);
	assert_int_equal(finish(f), NATIVE_ERROR_READ_ONLY);
	start(f, BLOCK_COMMAND_READ, 0, BIS_RAM_BASE, 1);
	assert_int_equal(finish(f), 0);
}

static void a_file_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	char options[64];
	struct bis_machine *other = fake_create(1);
	struct bis_module *a, *b;

	snprintf(options, sizeof(options), "file=%s,readonly", f->path);
	assert_fails(fake_try_add(other, &bis_block_class, 3, f->options, &a), -EBUSY, "in use");
	assert_fails(fake_try_add(other, &bis_block_class, 3, options, &a), -EBUSY, f->path);
	fake_remove(f->mod);
	/* Readers share. */
	f->mod = fake_add(f->m, &bis_block_class, 3, options);
	assert_ok(fake_try_add(other, &bis_block_class, 3, options, &b));
	assert_fails(fake_try_add(other, &bis_block_class, 4, f->options, &a), -EBUSY, "in use");
	fake_destroy(other);
}

static void an_overlay_takes_the_writes(void **state)
{
	struct fixture *f = *state;
	char overlay[40], options[128];
	uint8_t byte = 0;

	fake_remove(f->mod);
	snprintf(overlay, sizeof(overlay), "%s.overlay", f->path);
	snprintf(options, sizeof(options), "%s,overlay=%s", f->options, overlay);
	for (unsigned again = 0; again < 2; again++) {
		f->mod = fake_add(f->m, &bis_block_class, BLOCK_SLOT, options);
		assert_ok(bis_mem_fill(f->m->memory, (bis_gpa){BIS_RAM_BASE}, 0xee, 512));
		start(f, again ? BLOCK_COMMAND_READ : BLOCK_COMMAND_WRITE, 7, BIS_RAM_BASE + again * 512, 1);
		assert_int_equal(finish(f), 0);
		assert_ok(bis_mem_read(f->m->memory, (bis_gpa){BIS_RAM_BASE + again * 512}, &byte, 1));
		assert_int_equal(byte, 0xee);
		fake_remove(f->mod);
	}
	f->mod = fake_add(f->m, &bis_block_class, BLOCK_SLOT, f->options);
	start(f, BLOCK_COMMAND_READ, 7, BIS_RAM_BASE, 1);
	assert_int_equal(finish(f), 0);
	assert_ok(bis_mem_read(f->m->memory, (bis_gpa){BIS_RAM_BASE}, &byte, 1));
	assert_int_equal(byte, pattern(7 * 512));
	unlink(overlay);
}

static void unusable_files_are_named(void **state)
{
	struct fixture *f = *state;
	char path[40], options[64];
	struct bis_module *mod;

	assert_fails(fake_try_add(f->m, &bis_block_class, 4, "", &mod), -EINVAL, "file");
	assert_fails(fake_try_add(f->m, &bis_block_class, 4, "file=/nowhere/disk", &mod), -ENOENT, "/nowhere/disk");
	assert_fails(fake_try_add(f->m, &bis_block_class, 4, "file=/tmp,readonly", &mod), -EINVAL, "/tmp");
	assert_fails(fake_try_add(f->m, &bis_block_class, 4, "file=/dev/null", &mod), -EINVAL, "/dev/null");
	snprintf(path, sizeof(path), "%s.fifo", f->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(options, sizeof(options), "file=%s", path);
	assert_fails(fake_try_add(f->m, &bis_block_class, 4, options, &mod), -EINVAL, "block device");
	unlink(path);
	fake_remove(f->mod);
	assert_int_equal(truncate(f->path, 511), 0);
	assert_fails(fake_try_add(f->m, &bis_block_class, 4, f->options, &mod), -EINVAL, "511 bytes");
}

static void a_32_bit_guest_reaches_high_sectors(void **state)
{
	struct fixture *f = *state;

	wr(f, BLOCK_HIGH, 3);
	wr(f, BLOCK_SECTOR, 4);
	assert_int_equal(rd(f, BLOCK_SECTOR), UINT64_C(0x300000004));
	assert_int_equal(rd(f, BLOCK_HIGH), 3);
	wr(f, BLOCK_ADDRESS, 5);
	assert_int_equal(rd(f, BLOCK_ADDRESS), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_sectors_into_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_reach_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupt_tells_completion_when_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_commands_get_an_error_and_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_while_busy_is_refused_and_disturbs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(pause_and_reset_wait_for_the_command_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(removal_with_a_command_in_flight_is_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(a_shrunken_file_is_an_error_of_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(readonly_refuses_writes_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_in_use_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(an_overlay_takes_the_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(unusable_files_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_32_bit_guest_reaches_high_sectors, setup, teardown),
	};

	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
