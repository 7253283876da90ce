/*
 * Snapshots and disks: a disk that has changed since is refused by name, one that has not is taken, and what was
 * written before is durable.
 */
#include "modules/device/native.h"
#include "tests/unit/snapshot_rig.h"

#define SECTORS 256

struct fixture {
	char dir[40], disk[64], overlay[64];
};

static void put(const char *path, uint8_t byte)
{
	uint8_t bytes[SECTORS * 512];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	memset(bytes, byte, sizeof(bytes));
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/biscuit-snapshot-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->disk, sizeof(f->disk), "%s/disk", f->dir);
	snprintf(f->overlay, sizeof(f->overlay), "%s/overlay", f->dir);
	put(f->disk, 0x11);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->disk);
	unlink(f->overlay);
	unlink(snap_path());
	rmdir(f->dir);
	free(f);
	return 0;
}

static struct bis_machine *make(const char *format, const char *path, const char *overlay)
{
	struct bis_machine *m = rig_create("rv64", 1);
	char spec[256];

	snprintf(spec, sizeof(spec), format, path, overlay);
	rig_add(m, "modctl,slot=0");
	rig_add(m, spec);
	snap_pause(m);
	return m;
}

/* One sector full of `byte` through the native device. */
static void write_sector(struct bis_machine *m, unsigned sector, uint8_t byte)
{
	assert_ok(bis_mem_fill(bis_machine_memory(m), (bis_gpa){RIG_DATA}, byte, 512));
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_SECTOR, sector);
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_ADDRESS, RIG_DATA);
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_COUNT, 1);
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_COMMAND, BLOCK_COMMAND_WRITE);
	rig_wait_for(!(bis_devctl_read(m, BLOCK_SLOT, NATIVE_STATUS) & NATIVE_STATUS_BUSY));
	assert_int_equal(bis_devctl_read(m, BLOCK_SLOT, NATIVE_STATUS) & NATIVE_STATUS_ERROR_MASK, 0);
}

static uint8_t read_sector(struct bis_machine *m, unsigned sector)
{
	uint64_t value = 0;

	bis_devctl_write(m, BLOCK_SLOT, BLOCK_SECTOR, sector);
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_ADDRESS, RIG_DATA);
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_COUNT, 1);
	bis_devctl_write(m, BLOCK_SLOT, BLOCK_COMMAND, BLOCK_COMMAND_READ);
	rig_wait_for(!(bis_devctl_read(m, BLOCK_SLOT, NATIVE_STATUS) & NATIVE_STATUS_BUSY));
	assert_ok(bis_mem_load(bis_machine_memory(m), (bis_gpa){RIG_DATA + 511}, 1, &value));
	return (uint8_t)value;
}

static void save_and_end(struct bis_machine *m)
{
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
}

static void refused(const char *words)
{
	struct bis_snapshot *s;
	struct bis_machine *m;

	assert_ok(bis_snapshot_open(snap_path(), &s));
	m = snap_make(s);
	assert_non_null(m);
	assert_fails(bis_snapshot_restore(s, m), -EINVAL, words);
	/* The machine is as before: it can still be started by itself. */
	assert_int_equal(bis_machine_state(m), BIS_CREATED);
	bis_snapshot_close(s);
	bis_machine_destroy(m);
}

static void a_disk_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct bis_machine *m = make("block,slot=3,file=%s", f->disk, "");

	write_sector(m, 5, 0x22);
	m = snap_move(m);
	assert_int_equal(read_sector(m, 5), 0x22);
	write_sector(m, 6, 0x33);
	m = snap_move(m);
	assert_int_equal(read_sector(m, 6), 0x33);
	assert_int_equal(read_sector(m, 7), 0x11);
	bis_machine_destroy(m);
}

/* The guest goes on after the snapshot, even by one sector at once. */
static void what_was_written_since_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct bis_machine *m = make("block,slot=3,file=%s", f->disk, "");
	struct bis_snapshot *s;

	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	write_sector(m, 5, 0x22);
	bis_machine_destroy(m);
	refused("the disk of block, '");
	assert_non_null(strstr(bis_error_message(), f->disk));
	assert_non_null(strstr(bis_error_message(), "131072 bytes, changed 2"));
	/* Who knows better says so. */
	assert_ok(bis_snapshot_open(snap_path(), &s));
	m = snap_make(s);
	bis_snapshot_allow_changes(s);
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	assert_int_equal(read_sector(m, 5), 0x22);
	bis_machine_destroy(m);
}

static void all_disks_that_differ_are_listed(void **state)
{
	struct fixture *f = *state;
	struct bis_machine *m = make("virtio-blk,at=0x10001000,irq=1,file=%s,readonly", f->disk, "");
	char spec[128];

	snprintf(spec, sizeof(spec), "block,slot=3,file=%s,readonly", f->disk);
	rig_add(m, spec);
	save_and_end(m);
	assert_int_equal(truncate(f->disk, 65536), 0);
	refused("the disk of virtio-blk");
	assert_non_null(strstr(bis_error_message(), "the disk of block"));
	assert_non_null(strstr(bis_error_message(), "capacity of block is 128, and was 256"));
	assert_int_equal(unlink(f->disk), 0);
}

static void a_disk_that_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;
	struct bis_snapshot *s;

	save_and_end(make("block,slot=3,file=%s", f->disk, ""));
	assert_int_equal(unlink(f->disk), 0);
	assert_ok(bis_snapshot_open(snap_path(), &s));
	assert_null(snap_make(s));
	assert_non_null(strstr(bis_error_message(), f->disk));
	bis_snapshot_close(s);
}

static void an_overlay_counts_too(void **state)
{
	struct fixture *f = *state;
	struct bis_machine *m = make("block,slot=3,file=%s,overlay=%s", f->disk, f->overlay);
	struct bis_snapshot *s;

	write_sector(m, 5, 0x22);
	/* Closing it changes nothing any more. */
	m = snap_move(m);
	assert_int_equal(read_sector(m, 5), 0x22);
	assert_int_equal(read_sector(m, 200), 0x11);
	save_and_end(m);
	/* Without it, the disk is another one. */
	assert_ok(bis_snapshot_open(snap_path(), &s));
	m = rig_create("rv64", 1);
	rig_add(m, "modctl,slot=0");
	{
		char spec[128];

		snprintf(spec, sizeof(spec), "block,slot=3,file=%s", f->disk);
		rig_add(m, spec);
	}
	assert_fails(bis_snapshot_restore(s, m), -EINVAL, "block had the overlay '");
	bis_snapshot_close(s);
	bis_machine_destroy(m);
	m = make("block,slot=3,file=%s,overlay=%s", f->disk, f->overlay);
	write_sector(m, 6, 0x33);
	bis_machine_destroy(m);
	refused("the overlay of block");
}

/* A command that is under way when the machine is to pause is done before. */
static void a_command_under_way_is_carried_out_first(void **state)
{
	struct fixture *f = *state;
	struct bis_machine *m = make("block,slot=3,file=%s", f->disk, "");

	assert_ok(bis_machine_resume(m));
	for (unsigned i = 0; i < 8; i++) {
		assert_ok(bis_mem_fill(bis_machine_memory(m), (bis_gpa){RIG_DATA}, (uint8_t)(0x40 + i), 65536));
		bis_devctl_write(m, BLOCK_SLOT, BLOCK_SECTOR, 0);
		bis_devctl_write(m, BLOCK_SLOT, BLOCK_ADDRESS, RIG_DATA);
		bis_devctl_write(m, BLOCK_SLOT, BLOCK_COUNT, 128);
		bis_devctl_write(m, BLOCK_SLOT, BLOCK_COMMAND, BLOCK_COMMAND_WRITE | BLOCK_COMMAND_INTERRUPT);
		m = snap_move(m);
		assert_false(bis_devctl_read(m, BLOCK_SLOT, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
		assert_true(bis_devctl_read(m, BLOCK_SLOT, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
		assert_ok(bis_machine_resume(m));
		assert_true(bis_irq_level(bis_module_irq(bis_machine_find(m, "block"), 0)));
		assert_int_equal(read_sector(m, 127), 0x40 + i);
	}
	bis_machine_destroy(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_disk_goes_on_where_it_was),
		TEST(what_was_written_since_is_noticed),
		TEST(all_disks_that_differ_are_listed),
		TEST(a_disk_that_is_not_there_is_named),
		TEST(an_overlay_counts_too),
		TEST(a_command_under_way_is_carried_out_first),
	};

	return cmocka_run_group_tests_name("snapshot_disk", tests, NULL, NULL);
}
