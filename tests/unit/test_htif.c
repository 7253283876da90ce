/*
 * HTIF: exit, console, system calls through tohost and fromhost, words written in two halves, hostile addresses.
 */
#include <stdio.h>

#include "modules/modules.h"
#include "tests/unit/device_rig.h"

#define TOHOST	    (BIS_RAM_BASE + 0x1000)
#define FROMHOST    (BIS_RAM_BASE + 0x1040)
#define MILLISECOND UINT64_C(1000000)

static int setup(void **state)
{
	struct fixture *f = fixture_create(state, 1, &bis_htif_class, -1, "tohost=0x80001000,fromhost=0x80001040");

	fake_console_plug(f->m, &f->console);
	assert_ok(f->mod->class->start(f->mod->self));
	return 0;
}

static uint64_t load(struct fixture *f, uint64_t address)
{
	uint64_t val = 0;

	assert_ok(bis_mem_load(f->m->memory, (bis_gpa){address}, 8, &val));
	return val;
}

static void store(struct fixture *f, uint64_t address, uint64_t val)
{
	assert_ok(bis_mem_store(f->m->memory, (bis_gpa){address}, 8, val));
}

/* A command and the time in which it is served at the latest. */
static void command(struct fixture *f, uint64_t word)
{
	store(f, TOHOST, word);
	fake_advance(f->m, 2 * MILLISECOND);
}

static void odd_words_exit_with_their_status(void **state)
{
	struct fixture *f = *state;

	fake_advance(f->m, 10 * MILLISECOND);
	assert_false(f->m->stop_asked);
	command(f, 42 << 1 | 1);
	assert_true(f->m->stop_asked);
	assert_int_equal(f->m->stop_status, 42);
}

static void large_statuses_stay_failures(void **state)
{
	struct fixture *f = *state;

	command(f, UINT64_C(256) << 1 | 1);
	assert_int_equal(f->m->stop_status, 255);
}

static void console_bytes_are_sent_and_acknowledged(void **state)
{
	struct fixture *f = *state;

	for (const char *p = "hi\n"; *p; p++) {
		command(f, UINT64_C(0x0101) << 48 | (uint8_t)*p);
		assert_int_equal(load(f, TOHOST), 0);
	}
	assert_int_equal(f->console.len, 3);
	assert_memory_equal(f->console.out, "hi\n", 3);
	assert_int_equal(load(f, FROMHOST), 0);
}

static void output_waits_for_a_slow_console(void **state)
{
	struct fixture *f = *state;
	uint8_t fill[BIS_CHARDEV_QUEUE] = {0};

	f->console.limit = 0;
	assert_int_equal(bis_chardev_write(f->console.chardev, fill, sizeof(fill)), sizeof(fill));
	command(f, UINT64_C(0x0101) << 48 | 'x');
	fake_advance(f->m, 50 * MILLISECOND);
	assert_int_not_equal(load(f, TOHOST), 0);
	fake_console_accept(f->m, &f->console, SIZE_MAX);
	fake_advance(f->m, 2 * MILLISECOND);
	assert_int_equal(load(f, TOHOST), 0);
	assert_int_equal(f->console.out[f->console.len - 1], 'x');
}

static void reading_answers_when_input_comes(void **state)
{
	struct fixture *f = *state;

	command(f, UINT64_C(0x0100) << 48);
	assert_int_equal(load(f, TOHOST), 0);
	assert_int_equal(load(f, FROMHOST), 0);
	fake_console_type(f->m, &f->console, "kl");
	fake_advance(f->m, 2 * MILLISECOND);
	assert_int_equal(load(f, FROMHOST), UINT64_C(0x0100) << 48 | 0x100 | 'k');
	/* The next answer waits until the guest has taken this one. */
	command(f, UINT64_C(0x0100) << 48);
	assert_int_equal(load(f, FROMHOST) & 0xff, 'k');
	store(f, FROMHOST, 0);
	fake_advance(f->m, 2 * MILLISECOND);
	assert_int_equal(load(f, FROMHOST) & 0xff, 'l');
}

static void write_system_call(void **state)
{
	struct fixture *f = *state;
	uint64_t block = BIS_RAM_BASE + 0x2000;

	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){BIS_RAM_BASE + 0x3000}, "message", 7));
	store(f, block, 64);
	store(f, block + 8, 1);
	store(f, block + 16, BIS_RAM_BASE + 0x3000);
	store(f, block + 24, 7);
	command(f, block);
	assert_int_equal(load(f, FROMHOST), 1);
	assert_int_equal(load(f, block), 7);
	assert_int_equal(f->console.len, 7);
	assert_memory_equal(f->console.out, "message", 7);
}

static void hostile_system_calls_get_an_error(void **state)
{
	struct fixture *f = *state;
	uint64_t block = BIS_RAM_BASE + 0x2000;
	static const struct {
		uint64_t number, fd, address, len;
		int64_t result;
	} calls[] = {
		{64, 7, BIS_RAM_BASE, 1, -EBADF},
		{64, 1, BIS_RAM_BASE - 1, 2, -EFAULT},
		{64, 2, FAKE_RAM_END - 1, 2, -EFAULT},
		{64, 1, UINT64_MAX, UINT64_MAX, -EFAULT},
		{9999, 0, 0, 0, -ENOSYS},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(calls); i++) {
		store(f, FROMHOST, 0);
		store(f, block, calls[i].number);
		store(f, block + 8, calls[i].fd);
		store(f, block + 16, calls[i].address);
		store(f, block + 24, calls[i].len);
		command(f, block);
		assert_int_equal(load(f, FROMHOST), 1);
		assert_int_equal((int64_t)load(f, block), calls[i].result);
	}
	store(f, FROMHOST, 0);
	command(f, FAKE_RAM_END - 16);
	assert_int_equal(load(f, TOHOST), 0);
	store(f, FROMHOST, 0);
	command(f, 0x10);
	assert_int_equal(load(f, TOHOST), 0);
	assert_int_equal(f->console.len, 0);
}

static void exit_system_call(void **state)
{
	struct fixture *f = *state;
	uint64_t block = BIS_RAM_BASE + 0x2000;

	store(f, block, 93);
	store(f, block + 8, 3);
	command(f, block);
	assert_true(f->m->stop_asked);
	assert_int_equal(f->m->stop_status, 3);
}

static void unknown_devices_are_acknowledged(void **state)
{
	struct fixture *f = *state;

	command(f, UINT64_C(0x0201) << 48 | 1);
	assert_int_equal(load(f, TOHOST), 0);
	command(f, UINT64_C(0x01ff) << 48 | 1);
	assert_int_equal(load(f, TOHOST), 0);
	assert_false(f->m->stop_asked);
}

/* A 32-bit guest stores the lower half of a console command first, which alone would be an exit. */
static void half_a_word_is_not_taken_for_a_command(void **state)
{
	struct fixture *f = *state;

	for (uint64_t phase = 0; phase < 100; phase++) {
		fake_advance(f->m, 10000 + phase * 1013);
		assert_ok(bis_mem_store(f->m->memory, (bis_gpa){TOHOST}, 4, 'A' | 1));
		fake_advance(f->m, 1000);
		assert_ok(bis_mem_store(f->m->memory, (bis_gpa){TOHOST + 4}, 4, 0x01010000));
		fake_advance(f->m, 2 * MILLISECOND);
		assert_false(f->m->stop_asked);
		assert_int_equal(f->console.len, phase + 1);
	}
}

static void a_burst_of_output_is_not_slowed_to_a_byte_a_millisecond(void **state)
{
	struct fixture *f = *state;
	uint64_t sent = 0;

	while (f->m->now < 100 * MILLISECOND) {
		if (load(f, TOHOST) == 0) {
			store(f, TOHOST, UINT64_C(0x0101) << 48 | 'z');
			sent++;
		}
		fake_advance(f->m, 1000);
	}
	assert_true(sent > 1000);
}

static void addresses_outside_ram_are_refused(void **state)
{
	struct bis_machine *m = fake_create(1);
	static const char *const bad[] = {"tohost=0", "tohost=0x80001004", "tohost=0x80100000",
					  "tohost=0xfffffffffffffff8", "tohost=0x80001000,fromhost=0x10"};
	struct bis_module *mod;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_fails(fake_try_add(m, &bis_htif_class, -1, bad[i], &mod), -EINVAL, "in RAM");
	assert_fails(fake_try_add(m, &bis_htif_class, -1, "", &mod), -EINVAL, "tohost");
	fake_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(odd_words_exit_with_their_status, setup, teardown),
		cmocka_unit_test_setup_teardown(large_statuses_stay_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(console_bytes_are_sent_and_acknowledged, setup, teardown),
		cmocka_unit_test_setup_teardown(output_waits_for_a_slow_console, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_answers_when_input_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(write_system_call, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_system_calls_get_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(exit_system_call, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_devices_are_acknowledged, setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_word_is_not_taken_for_a_command, setup, teardown),
		cmocka_unit_test_setup_teardown(a_burst_of_output_is_not_slowed_to_a_byte_a_millisecond, setup,
						teardown),
		cmocka_unit_test(addresses_outside_ram_are_refused),
	};

	return cmocka_run_group_tests_name("htif", tests, NULL, NULL);
}
