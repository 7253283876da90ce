/*
 * Virtio block device: what it tells the driver, every kind of request, what a driver may get wrong, and when a write
 * is durable.
 */
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/blk_rig.h"

#define SEG_MAX (VIRTIO_QUEUE_SIZE - 2) /* a request has a header and a status, too */

/* --- What the driver is told --- */

static void the_configuration_describes_the_disk(void **state)
{
	struct fixture *f = *state;
	uint64_t both = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_CONFIG_WCE;

	assert_int_equal(vrig_rd(f->r, VRIG_DEVICE_ID), VIRTIO_ID_BLOCK);
	assert_int_equal(vrig_config(f->r, 0, 8), SECTORS);
	assert_int_equal(vrig_config(f->r, 12, 4), SEG_MAX);
	assert_int_equal(vrig_config(f->r, 20, 4), 512);
	assert_int_equal(vrig_config(f->r, 32, 1), 1);
	assert_true(vrig_config(f->r, 36, 4) > 0);
	assert_true(vrig_config(f->r, 48, 4) > 0);
	assert_int_equal((uint32_t)vrig_offered(f->r) & 0xffffff, both | F_DISCARD | F_WRITE_ZEROES);
	reopen(f, ",readonly", F_RO);
	assert_int_equal((uint32_t)vrig_offered(f->r) & 0xffffff, both | F_RO);
	assert_int_equal(vrig_config(f->r, 36, 4), 0);
}

static void the_serial_is_given_and_checked(void **state)
{
	struct fixture *f = *state;
	char id[24] = {0};
	uint32_t used;

	fill(f, 0xee, 64);
	assert_int_equal(request_len(f, T_GET_ID, 0, 20, &used), S_OK);
	assert_int_equal(used, 21);
	vrig_get(f->r, f->data, id, 20);
	assert_memory_equal(id, "biscuit-1\0\0\0\0\0\0\0\0\0\0", 20);
	/* A longer buffer is not filled, a shorter one not overrun. */
	assert_int_equal(request_len(f, T_GET_ID, 0, 32, &used), S_OK);
	assert_int_equal(used, 20);
	fill(f, 0xee, 64);
	assert_int_equal(request(f, T_GET_ID, 0, 4), S_OK);
	vrig_get(f->r, f->data, id, 5);
	assert_memory_equal(id, "bisc\xee", 5);
}

static void options_that_cannot_be_are_named(void **state)
{
	struct fixture *f = *state;
	struct bis_module *mod;
	char spec[256];

	snprintf(spec, sizeof(spec), "virtio-blk,at=0x10002000,irq=2,file=%s", f->file);
	assert_fails(bis_machine_add(f->r->m, spec, &mod), -EBUSY, "in use by another virtual machine");
	assert_fails(bis_machine_add(f->r->m, "virtio-blk,at=0x10002000,irq=2", &mod), -EINVAL, "file");
	assert_fails(bis_machine_add(f->r->m, "virtio-blk,at=0x10002000,irq=2,file=/nowhere/disk", &mod), -ENOENT,
		     "/nowhere/disk");
	snprintf(spec, sizeof(spec), "virtio-blk,at=0x10002000,irq=2,file=%s,serial=%s", f->file,
		 "012345678901234567890");
	assert_fails(bis_machine_add(f->r->m, spec, &mod), -EINVAL, "at most 20 bytes");
}

/* --- Requests --- */

static void sectors_are_read(void **state)
{
	struct fixture *f = *state;
	uint32_t used;

	assert_int_equal(request_len(f, T_IN, 5, 512, &used), S_OK);
	assert_int_equal(used, 513);
	assert_pattern(f, f->data, 5, 512);
	assert_int_equal(request_len(f, T_IN, SECTORS - 1, 512, &used), S_OK);
	assert_pattern(f, f->data, SECTORS - 1, 512);
	/* Large ones take another way. */
	assert_int_equal(request_len(f, T_IN, 7, BUF_SIZE, &used), S_OK);
	assert_int_equal(used, BUF_SIZE + 1);
	assert_pattern(f, f->data, 7, BUF_SIZE);
	assert_int_equal(vrig_wait_irq(f->r), 1);
}

static void sectors_are_written(void **state)
{
	struct fixture *f = *state;
	uint32_t used;

	fill(f, 0x42, BUF_SIZE);
	assert_int_equal(request_len(f, T_OUT, SECTORS - 1, 512, &used), S_OK);
	assert_int_equal(used, 1);
	assert_file_sector(f, SECTORS - 1, 0x42);
	assert_int_equal(request(f, T_OUT, 3, BUF_SIZE), S_OK);
	assert_file_sector(f, 3, 0x42);
	assert_file_sector(f, 3 + BUF_SIZE / 512 - 1, 0x42);
	put_header(f, f->header, T_FLUSH, 0);
	assert_int_equal(vrig_request(f->r, 0, VRIG_OUT(f->header, 16), VRIG_IN(f->status, 1)), 1);
	assert_int_equal(get_status(f), S_OK);
	assert_int_equal(request(f, T_IN, 2, 512), S_OK);
	assert_pattern(f, f->data, 2, 512);
}

/* Section 2.7.4.2: a device must not assume how a request is cut into ranges. */
static void ranges_may_be_cut_anywhere(void **state)
{
	struct fixture *f = *state;
	uint64_t d = f->data;
	uint8_t got[534];

	/* The status byte in one range with the data, the header in three pieces, odd pieces of data. */
	put_header(f, f->header, T_IN, 9);
	vrig_request(f->r, 0, VRIG_OUT(f->header, 1), VRIG_OUT(f->header + 1, 8), VRIG_OUT(f->header + 9, 7),
		     VRIG_IN(d, 3), VRIG_IN(d + 100, 1000), VRIG_IN(d + 2000, 534));
	assert_pattern(f, d, 9, 3);
	vrig_get(f->r, d + 2000, got, sizeof(got));
	for (size_t i = 0; i < 533; i++)
		assert_int_equal(got[i], pattern(9 * 512 + 1003 + i));
	assert_int_equal(got[533], S_OK);
	/* Header and data of a write in one range. */
	fill(f, 0x31, 4096);
	put_header(f, d, T_OUT, 20);
	vrig_request(f->r, 0, VRIG_OUT(d, 16 + 1024), VRIG_IN(f->status, 1));
	assert_int_equal(get_status(f), S_OK);
	assert_file_sector(f, 20, 0x31);
	assert_file_sector(f, 21, 0x31);
}

static void a_request_of_seg_max_ranges_works(void **state)
{
	struct fixture *f = *state;
	struct vrig_range ranges[SEG_MAX + 2];

	vrig_start(f->r, F_ALL | VIRTIO_F_INDIRECT_DESC, 1, VIRTIO_QUEUE_SIZE);
	put_header(f, f->header, T_IN, 1);
	ranges[0] = VRIG_OUT(f->header, 16);
	for (unsigned i = 0; i < SEG_MAX; i++)
		ranges[i + 1] = VRIG_IN(f->data + (SEG_MAX - 1 - i) * 512, 512);
	ranges[SEG_MAX + 1] = VRIG_IN(f->status, 1);
	vrig_submit_indirect(f->r, 0, ranges, SEG_MAX + 2);
	vrig_notify(f->r, 0);
	vrig_wait_used(f->r, 0, NULL, NULL);
	assert_int_equal(get_status(f), S_OK);
	for (unsigned i = 0; i < SEG_MAX; i++)
		assert_pattern(f, f->data + (SEG_MAX - 1 - i) * 512, 1 + i, 512);
}

static unsigned clear(struct fixture *f, uint32_t type, const struct segment *segments, size_t count)
{
	vrig_put(f->r, f->data, segments, count * sizeof(*segments));
	return request(f, type, 0, (uint32_t)(count * sizeof(*segments)));
}

static void zeroes_are_written(void **state)
{
	struct fixture *f = *state;

	for (uint32_t unmap = 0; unmap < 2; unmap++) {
		uint64_t at = 100 + unmap * 100;
		struct segment s[2] = {{at, 3, unmap}, {at + 50, 1, unmap}};

		assert_int_equal(clear(f, T_WRITE_ZEROES, s, 2), S_OK);
		for (unsigned i = 0; i < 3; i++)
			assert_file_sector(f, at + i, 0);
		assert_file_sector(f, at + 50, 0);
		assert_int_equal(request(f, T_IN, at + 3, 512), S_OK);
		assert_pattern(f, f->data, at + 3, 512);
	}
}

static void discards_spare_their_neighbours(void **state)
{
	struct fixture *f = *state;
	struct segment s[2] = {{64, 64, 0}, {SECTORS - 8, 8, 0}};

	assert_int_equal(clear(f, T_DISCARD, s, 2), S_OK);
	assert_int_equal(request(f, T_IN, 63, 512), S_OK);
	assert_pattern(f, f->data, 63, 512);
	assert_int_equal(request(f, T_IN, 128, 512), S_OK);
	assert_pattern(f, f->data, 128, 512);
	assert_int_equal(request(f, T_IN, 64, 64 * 512), S_OK);
}

/* --- Requests that are wrong --- */

static void transfers_beyond_the_disk_fail(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t sector;
		uint32_t len;
	} bad[] = {
		{SECTORS, 512},
		{SECTORS - 1, 1024},
		{UINT64_MAX, 512},
		{UINT64_MAX / 512 + 1, 512},
		{UINT64_MAX - 1, 2048},
		{0, 511},
		{0, 513},
		{0, 1},
		{5, 1000},
		{SECTORS - 2, 2048},
		{UINT64_C(1) << 55, 512},
	};
	uint32_t used;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		fill(f, 0xdd, 4096);
		assert_int_equal(request_len(f, T_IN, bad[i].sector, bad[i].len, &used), S_IOERR);
		assert_int_equal(used, 0);
		assert_int_equal(request(f, T_OUT, bad[i].sector, bad[i].len), S_IOERR);
	}
	assert_int_equal(request(f, T_IN, 0, 8192), S_OK);
	assert_pattern(f, f->data, 0, 8192);
	assert_int_equal(request(f, T_IN, SECTORS - 4, 2048), S_OK);
	assert_pattern(f, f->data, SECTORS - 4, 2048);
}

/* A buffer named over and over makes more of a request than a pause could wait for. */
static void a_request_of_more_than_4_gib_fails(void **state)
{
	enum { RANGES = 200, LEN = 0x1700000 };
	static const struct bis_module_class *const classes[] = {&bis_virtio_blk_class, NULL};
	struct bis_machine_config cfg = {.ram_size = 0x2000000, .classes = classes};
	struct vrig_range ranges[RANGES + 2];
	struct fixture *f = *state;
	struct vrig r = {.next = RIG_DATA};
	char spec[128];
	uint8_t status;

	assert_int_equal(truncate(f->file, (off_t)8 << 30), 0);
	vrig_close(f->r);
	f->r = NULL;
	assert_ok(bis_machine_create(&cfg, &r.m));
	snprintf(spec, sizeof(spec), "virtio-blk,at=0x%x,irq=1,file=%s", (unsigned)VRIG_WINDOW, f->file);
	r.mod = rig_add(r.m, spec);
	vrig_start(&r, F_ALL, 1, 256);
	f->header = vrig_alloc(&r, 4096);
	f->status = vrig_alloc(&r, 4096);
	vrig_put(&r, f->header, &(struct header){.type = T_IN}, sizeof(struct header));
	ranges[0] = VRIG_OUT(f->header, sizeof(struct header));
	for (unsigned i = 1; i <= RANGES; i++)
		ranges[i] = VRIG_IN(BIS_RAM_BASE + 0x800000, LEN);
	ranges[RANGES + 1] = VRIG_IN(f->status, 1);
	vrig_request_n(&r, 0, ranges, RANGES + 2);
	vrig_get(&r, f->status, &status, 1);
	assert_int_equal(status, S_IOERR);
	bis_machine_destroy(r.m);
}

static void unknown_requests_are_unsupported(void **state)
{
	struct fixture *f = *state;
	static const uint32_t types[] = {2, 3, 5, 7, 9, 10, 12, 14, 0x80000000, UINT32_MAX};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(types); i++)
		assert_int_equal(request(f, types[i], 0, 512), S_UNSUPP);
}

static void malformed_requests_fail(void **state)
{
	struct fixture *f = *state;

	for (uint32_t len = 0; len < 16; len++) {
		put_header(f, f->header, T_IN, 0);
		if (len)
			vrig_request(f->r, 0, VRIG_OUT(f->header, len), VRIG_IN(f->data, 512), VRIG_IN(f->status, 1));
		else
			vrig_request(f->r, 0, VRIG_IN(f->data, 512), VRIG_IN(f->status, 1));
		assert_int_equal(get_status(f), S_IOERR);
	}
}

static void bad_segments_fail_and_clear_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		struct segment s;
		unsigned discard, zeroes;
	} bad[] = {
		{{0, 1, 1}, S_UNSUPP, S_OK},
		{{0, 1, 2}, S_UNSUPP, S_UNSUPP},
		{{0, 1, 0x80000000}, S_UNSUPP, S_UNSUPP},
		{{SECTORS, 1, 0}, S_IOERR, S_IOERR},
		{{0, SECTORS + 1, 0}, S_IOERR, S_IOERR},
		{{SECTORS - 1, 2, 0}, S_IOERR, S_IOERR},
		{{UINT64_MAX, 1, 0}, S_IOERR, S_IOERR},
		{{UINT64_MAX, 2, 0}, S_IOERR, S_IOERR},
		{{0, UINT32_MAX, 0}, S_IOERR, S_IOERR},
		{{UINT64_MAX / 512, UINT32_MAX, 0}, S_IOERR, S_IOERR},
		{{UINT64_MAX / 512 + 1, 1, 0}, S_IOERR, S_IOERR},
	};
	struct segment many[17] = {0};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		/* A good segment in front must not take effect either. */
		struct segment both[2] = {{800, 1, 0}, bad[i].s};

		assert_int_equal(clear(f, T_DISCARD, both, 2), bad[i].discard);
		if (bad[i].zeroes != S_OK)
			assert_int_equal(clear(f, T_WRITE_ZEROES, both, 2), bad[i].zeroes);
	}
	for (uint32_t type = T_DISCARD; type <= T_WRITE_ZEROES; type += 2) {
		vrig_put(f->r, f->data, &(struct segment){800, 1, 0}, sizeof(struct segment));
		assert_int_equal(request(f, type, 0, 15), S_IOERR);
		assert_int_equal(request(f, type, 0, 17), S_IOERR);
		assert_int_equal(clear(f, type, many, 17), S_IOERR);
		assert_int_equal(clear(f, type, many, 16), S_OK);
		put_header(f, f->header, type, 0);
		vrig_request(f->r, 0, VRIG_OUT(f->header, 16), VRIG_IN(f->status, 1));
		assert_int_equal(get_status(f), S_IOERR);
	}
	assert_int_equal(request(f, T_IN, 800, 512), S_OK);
	assert_pattern(f, f->data, 800, 512);
}

static void a_request_without_room_for_a_status_breaks_the_device(void **state)
{
	struct fixture *f = *state;

	put_header(f, f->header, T_OUT, 0);
	fill(f, 1, 512);
	vrig_submit(f->r, 0, VRIG_OUT(f->header, 16), VRIG_OUT(f->data, 512));
	vrig_notify(f->r, 0);
	rig_wait_for(vrig_needs_reset(f->r));
	assert_int_equal(vrig_wait_irq(f->r), 2);
	assert_false(vrig_used(f->r, 0, NULL, NULL));
	/* A reset makes it whole, and the write did not happen. */
	vrig_start(f->r, F_ALL, 1, 64);
	assert_int_equal(request(f, T_IN, 0, 512), S_OK);
	assert_pattern(f, f->data, 0, 512);
}

static void a_readonly_disk_refuses_every_change(void **state)
{
	struct fixture *f = *state;
	struct segment s = {0, 8, 0};

	reopen(f, ",readonly", F_RO | F_FLUSH);
	fill(f, 0x11, 4096);
	assert_int_equal(request(f, T_OUT, 0, 512), S_IOERR);
	assert_int_equal(clear(f, T_DISCARD, &s, 1), S_IOERR);
	assert_int_equal(clear(f, T_WRITE_ZEROES, &s, 1), S_IOERR);
	put_header(f, f->header, T_FLUSH, 0);
	vrig_request(f->r, 0, VRIG_OUT(f->header, 16), VRIG_IN(f->status, 1));
	assert_int_equal(get_status(f), S_OK);
	assert_int_equal(request(f, T_IN, 0, 8192), S_OK);
	assert_pattern(f, f->data, 0, 8192);
}

static void a_full_host_disk_is_an_io_error(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, now;
	unsigned status;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = before;
	now.rlim_cur = 100 * 512;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	fill(f, 0x99, 512);
	status = request(f, T_OUT, 200, 512);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(status, S_IOERR);
	assert_int_equal(request(f, T_IN, 200, 512), S_OK);
	assert_pattern(f, f->data, 200, 512);
	fill(f, 0x99, 512);
	assert_int_equal(request(f, T_OUT, 200, 512), S_OK);
	assert_file_sector(f, 200, 0x99);
}

/* --- Durability: an overlay's file shows what is durable --- */

static bool overlay_names_a_cluster(struct fixture *f)
{
	uint8_t bits = 0;
	int fd = open(f->overlay, O_RDONLY);

	assert_int_equal(pread(fd, &bits, 1, 4096), 1);
	close(fd);
	return bits & 1;
}

static void writes_are_durable_at_once_unless_the_driver_can_flush(void **state)
{
	struct fixture *f = *state;
	char more[100];

	snprintf(more, sizeof(more), ",overlay=%s", f->overlay);
	reopen(f, more, F_FLUSH | F_CONFIG_WCE);
	fill(f, 0x21, 512);
	assert_int_equal(request(f, T_OUT, 0, 512), S_OK);
	assert_false(overlay_names_a_cluster(f));
	put_header(f, f->header, T_FLUSH, 0);
	vrig_request(f->r, 0, VRIG_OUT(f->header, 16), VRIG_IN(f->status, 1));
	assert_true(overlay_names_a_cluster(f));
	for (int wce = 0; wce < 2; wce++) {
		vrig_close(f->r);
		unlink(f->overlay);
		open_device(f, more);
		vrig_start(f->r, wce ? F_FLUSH | F_CONFIG_WCE : 0, 1, 64);
		if (wce) {
			vrig_set_config(f->r, 32, 1, 0);
			assert_int_equal(vrig_config(f->r, 32, 1), 0);
		}
		fill(f, 0x22, 512);
		assert_int_equal(request(f, T_OUT, 0, 512), S_OK);
		assert_true(overlay_names_a_cluster(f));
	}
	vrig_reset(f->r);
	assert_int_equal(vrig_config(f->r, 32, 1), 1);
	/* None of it reached the disk. */
	vrig_close(f->r);
	open_device(f, ",readonly");
	vrig_start(f->r, 0, 1, 64);
	assert_int_equal(request(f, T_IN, 0, 512), S_OK);
	assert_pattern(f, f->data, 0, 512);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_configuration_describes_the_disk),
		TEST(the_serial_is_given_and_checked),
		TEST(options_that_cannot_be_are_named),
		TEST(sectors_are_read),
		TEST(sectors_are_written),
		TEST(ranges_may_be_cut_anywhere),
		TEST(a_request_of_seg_max_ranges_works),
		TEST(zeroes_are_written),
		TEST(discards_spare_their_neighbours),
		TEST(transfers_beyond_the_disk_fail),
		TEST(a_request_of_more_than_4_gib_fails),
		TEST(unknown_requests_are_unsupported),
		TEST(malformed_requests_fail),
		TEST(bad_segments_fail_and_clear_nothing),
		TEST(a_request_without_room_for_a_status_breaks_the_device),
		TEST(a_readonly_disk_refuses_every_change),
		TEST(a_full_host_disk_is_an_io_error),
		TEST(writes_are_durable_at_once_unless_the_driver_can_flush),
	};

	return cmocka_run_group_tests_name("virtio_blk", tests, NULL, NULL);
}
