/*
 * Snapshots: a machine restored from one goes on as if nothing had happened; what is damaged, or does not fit, is
 * refused in words.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/display.h>
#include <biscuit/input.h>
#include <biscuit/snapshot.h>

#include "modules/device/native.h"
#include "src/machine/machine_internal.h"
#include "tests/unit/rig.h"
#include "tests/unit/snapshot_rig.h"

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

static void restore_into(struct bis_machine *m)
{
	struct bis_snapshot *s = NULL;

	assert_ok(bis_snapshot_open(path(), &s));
	assert_int_equal(bis_snapshot_machine(s)->ram_size, RIG_RAM_SIZE);
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
}

static struct bis_machine *restore(void)
{
	struct bis_machine *m = make();

	restore_into(m);
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

/* A machine with everything that is shown and typed at. */
static struct bis_machine *make_visible(void)
{
	static const char *const specs[] = {"modctl,slot=0", "framebuffer,slot=5", "input,slot=6",
					    "simple-framebuffer,width=64,height=32",
					    "simple-framebuffer,width=16,height=8,address=0x40000000,display=low"};
	struct bis_machine *m = make();

	for (size_t i = 0; i < BIS_ARRAY_SIZE(specs); i++)
		rig_add(m, specs[i]);
	return m;
}

/* The first pixel that a new viewer sees, of a picture of that width. */
static uint32_t first_pixel(struct bis_machine *m, const char *display, uint32_t width)
{
	struct bis_viewer *v;
	struct bis_view view;
	uint32_t pixel = 0;

	assert_ok(bis_viewer_create(bis_display_find(m, display), NULL, NULL, &v));
	bis_viewer_update(v, &view);
	assert_int_equal(view.width, width);
	assert_ok(bis_viewer_read(v, &(struct bis_rect){0, 0, 1, 1}, &pixel, 4));
	bis_viewer_destroy(v);
	return pixel;
}

static void pictures_and_input_come_back(void **state)
{
	static const struct bis_input_event keys[] = {{.kind = BIS_INPUT_KEY, .code = BIS_KEY_A, .value = 1},
						      {.kind = BIS_INPUT_TEXT, .value = 'a'}};
	struct bis_machine *m = make_visible();

	(void)state;
	assert_ok(bis_machine_start_paused(m));
	rig_set32(m, RIG_DATA, 0x123456);
	rig_set32(m, 0xe0000000, 0x654321);
	rig_set32(m, 0x40000000, 0xabcdef);
	bis_devctl_write(m, FRAMEBUFFER_SLOT, FRAMEBUFFER_MODE, 320 | 200 << FRAMEBUFFER_MODE_HEIGHT_SHIFT);
	bis_devctl_write(m, FRAMEBUFFER_SLOT, FRAMEBUFFER_ADDRESS, RIG_DATA);
	bis_devctl_write(m, FRAMEBUFFER_SLOT, FRAMEBUFFER_MODE, 0);
	bis_devctl_write(m, INPUT_SLOT, INPUT_ENABLE, INPUT_ENABLE_KEY | INPUT_ENABLE_TEXT);
	assert_int_equal(bis_input_send(m, keys, 2), 2);
	assert_int_equal(first_pixel(m, "fb", 320), 0xff123456);
	assert_ok(bis_snapshot_save(m, path(), NULL));
	bis_machine_destroy(m);

	m = make_visible();
	restore_into(m);
	assert_int_equal(first_pixel(m, "fb", 320), 0xff123456);
	assert_int_equal(first_pixel(m, "simplefb", 64), 0xff654321);
	assert_int_equal(first_pixel(m, "low", 16), 0xffabcdef);
	assert_int_equal(bis_devctl_read(m, FRAMEBUFFER_SLOT, FRAMEBUFFER_ADDRESS), RIG_DATA);
	assert_int_equal(bis_devctl_read(m, INPUT_SLOT, INPUT_EVENT), INPUT_KIND_KEY | BIS_KEY_A << 8);
	assert_int_equal(bis_devctl_read(m, INPUT_SLOT, INPUT_VALUE), 1);
	assert_int_equal(bis_devctl_read(m, INPUT_SLOT, INPUT_EVENT), INPUT_KIND_TEXT);
	/* Nobody holds the key here. */
	assert_int_equal(bis_devctl_read(m, INPUT_SLOT, INPUT_EVENT), INPUT_KIND_KEY | BIS_KEY_A << 8);
	assert_int_equal(bis_devctl_read(m, INPUT_SLOT, INPUT_VALUE), 0);
	assert_int_equal(bis_devctl_read(m, INPUT_SLOT, INPUT_EVENT), INPUT_KIND_NONE);
	bis_machine_destroy(m);
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

/* --- Files --- */

static void only_a_file_is_replaced(void **state)
{
	struct bis_machine *m = begin();

	(void)state;
	assert_fails(bis_snapshot_save(m, "/dev/null", NULL), -EINVAL, "regular file");
	assert_fails(bis_snapshot_save(m, "/tmp", NULL), -EINVAL, "regular file");
	bis_machine_destroy(m);
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

/* --- Records that do not belong together, behind a checksum that is right --- */

static void all_of_the_state_has_to_be_there_once(void **state)
{
	static const struct {
		uint32_t tag;
		const char *name, *missing, *twice;
	} records[] = {
		{SNAPSHOT_MACHINE, "", "out of order", "first record"},
		{SNAPSHOT_HART, "0", "a hart's state is missing", "a hart too many"},
		{SNAPSHOT_FIELDS, "clock", "a module's state is missing", "came before"},
		{SNAPSHOT_BEGIN, "", "out of order", "out of order"},
	};
	struct bis_machine *m = begin();

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(records); i++) {
		struct snap s = snap_take(m);

		snap_double(&s, records[i].tag, records[i].name);
		assert_fails(snap_try(&s), -EBADMSG, records[i].twice);
		snap_drop(&s, records[i].tag, records[i].name);
		assert_ok(snap_try(&s));
		snap_drop(&s, records[i].tag, records[i].name);
		assert_fails(snap_try(&s), -EBADMSG, records[i].missing);
		snap_free(&s);
	}
	bis_machine_destroy(m);
}

/* What restores a part relies on those before it: memory and harts, and the fields of the same module. */
static void parts_come_in_their_order(void **state)
{
	static const struct {
		uint32_t tag;
		const char *name;
		uint32_t before;
		const char *before_name, *words;
	} moves[] = {
		{SNAPSHOT_TIMERS, "clock", SNAPSHOT_FIELDS, "clock", "comes too late"},
		{SNAPSHOT_RAM, "", SNAPSHOT_FIELDS, "clock", "out of order"},
		{SNAPSHOT_HART, "0", SNAPSHOT_END, "", "out of order"},
		{SNAPSHOT_FIELDS, "clock", SNAPSHOT_END, "", "out of order"},
	};
	struct bis_machine *m = begin();

	(void)state;
	rig_add(m, "chardev-null,chardev=line");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(moves); i++) {
		struct snap s = snap_take(m);

		snap_copy(&s, moves[i].tag, moves[i].name, moves[i].before, moves[i].before_name);
		assert_fails(snap_try(&s), -EBADMSG, moves[i].words);
		snap_free(&s);
	}
	bis_machine_destroy(m);
}

/* Back ends are not compared, and so nothing else passes for one. */
static void a_device_does_not_pass_for_a_back_end(void **state)
{
	struct bis_machine *m = begin();
	struct snap s = snap_take(m);
	uint8_t *clock = snap_record(&s, SNAPSHOT_MODULE, "clock", NULL, NULL);

	(void)state;
	clock[offsetof(struct snapshot_module, backend)] = 1;
	assert_fails(snap_try(&s), -EBADMSG, "a back end");
	snap_free(&s);
	bis_machine_destroy(m);
}

static void more_modules_than_a_snapshot_takes_are_not_saved(void **state)
{
	struct bis_machine *m = begin();
	char spec[64];

	(void)state;
	for (unsigned i = 0; i < SNAPSHOT_MODULES; i++) {
		snprintf(spec, sizeof(spec), "chardev-null,name=null%u,chardev=line%u", i, i);
		rig_add(m, spec);
	}
	snap_pause(m);
	assert_fails(bis_snapshot_save(m, path(), NULL), -EFBIG, "more modules than the 256");
	bis_machine_destroy(m);
}

static void memory_goes_into_ram_alone(void **state)
{
	static const uint64_t bad[] = {0, BIS_RAM_BASE - 4096, BIS_RAM_BASE + RIG_RAM_SIZE - 1,
				       BIS_RAM_BASE + RIG_RAM_SIZE, UINT64_MAX - 4095};
	struct bis_machine *m = begin();
	struct snap s = snap_take(m);
	uint8_t *ram = snap_record(&s, SNAPSHOT_RAM, "", NULL, NULL);

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		memcpy(ram, &bad[i], sizeof(bad[i]));
		assert_fails(snap_try(&s), -EBADMSG, "memory beyond RAM");
	}
	snap_free(&s);
	bis_machine_destroy(m);
}

static void a_hart_with_impossible_state_is_made_possible(void **state)
{
	static const char *const fields[] = {"priv", "fp.rm", "fp.flags",    "mstatus",
					     "satp", "pc",    "launch.priv", "res_size"};
	struct bis_machine *m = begin(), *other;
	struct bis_snapshot *open;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(fields); i++) {
		struct snap s = snap_take(m);
		const struct bis_field *f = bis_field_find(bis_hart_fields, fields[i]);
		size_t len = 0;
		uint8_t *data = snap_record(&s, SNAPSHOT_HART, "0", &len, NULL), *at;

		at = memmem(data, len, fields[i], strlen(fields[i]));
		assert_non_null(at);
		memset(at + strlen(fields[i]), 0xff, bis_field_unit(f->type));
		snap_write(&s, snap_path());
		assert_ok(bis_snapshot_open(snap_path(), &open));
		other = snap_make(open);
		assert_ok(bis_snapshot_restore(open, other));
		bis_snapshot_close(open);
		assert_ok(bis_machine_step(other, 100));
		bis_machine_destroy(other);
		snap_free(&s);
	}
	unlink(snap_path());
	bis_machine_destroy(m);
}

/* --- What comes with the state --- */

static void ram_holds_nothing_else_afterwards(void **state)
{
	struct bis_machine *m = begin();
	struct bis_snapshot *s;

	(void)state;
	assert_ok(bis_snapshot_save(m, path(), NULL));
	bis_machine_destroy(m);
	m = make();
	rig_set64(m, BIS_RAM_BASE + 0x300000, 42);
	assert_ok(bis_snapshot_open(path(), &s));
	assert_ok(bis_snapshot_restore(s, m));
	assert_int_equal(rig_get64(m, BIS_RAM_BASE + 0x300000), 0);
	bis_snapshot_close(s);
	bis_machine_destroy(m);
}

static void a_reset_starts_where_the_machine_started(void **state)
{
	struct bis_machine *m = make();

	(void)state;
	bis_machine_set_entry(m, RIG_CODE + 0x40, 0x1234, 0);
	assert_ok(bis_machine_start_paused(m));
	assert_ok(bis_snapshot_save(m, path(), NULL));
	bis_machine_destroy(m);
	m = restore();
	assert_ok(bis_machine_reset(m));
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 0x40);
	assert_int_equal(rig_reg(m, A1), 0x1234);
	bis_machine_destroy(m);
}

static void a_module_that_cannot_be_described_is_named(void **state)
{
	static const struct bis_module_class *classes[64];
	static struct bis_module_class closed;
	struct bis_machine *m;
	size_t n = 0;

	(void)state;
	for (; bis_builtin_modules[n]; n++)
		classes[n] = bis_builtin_modules[n];
	closed = bis_clock_class;
	closed.name = "closed";
	closed.migratable = false;
	classes[n] = &closed;
	m = rig_create_with("rv64", 1, classes);
	rig_add(m, "riscv");
	rig_add(m, "closed,slot=2,name=mine");
	assert_ok(bis_machine_start_paused(m));
	assert_fails(bis_snapshot_save(m, path(), NULL), -EBUSY, "mine cannot be in a snapshot");
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
		cmocka_unit_test(pictures_and_input_come_back),
		cmocka_unit_test(a_running_machine_is_saved_and_runs_on),
		cmocka_unit_test(it_tells_how_to_make_the_machine),
		cmocka_unit_test(another_machine_is_refused_with_a_list),
		cmocka_unit_test(damage_anywhere_is_noticed),
		cmocka_unit_test(only_a_file_is_replaced),
		cmocka_unit_test(other_files_are_named_as_such),
		cmocka_unit_test(a_failed_save_leaves_the_old_file),
		cmocka_unit_test(all_of_the_state_has_to_be_there_once),
		cmocka_unit_test(parts_come_in_their_order),
		cmocka_unit_test(a_device_does_not_pass_for_a_back_end),
		cmocka_unit_test(more_modules_than_a_snapshot_takes_are_not_saved),
		cmocka_unit_test(memory_goes_into_ram_alone),
		cmocka_unit_test(a_hart_with_impossible_state_is_made_possible),
		cmocka_unit_test(ram_holds_nothing_else_afterwards),
		cmocka_unit_test(a_reset_starts_where_the_machine_started),
		cmocka_unit_test(a_module_that_cannot_be_described_is_named),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, remove_file);
}
