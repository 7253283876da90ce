/*
 * Virtio balloon: memory really goes back to the host and reads as zero afterwards, whatever page numbers a driver
 * makes up; targets, statistics, and what a pause and a reset do.
 */
#include <sys/stat.h>

#include "tests/unit/virtio_rig.h"

enum { INFLATE, DEFLATE, QUEUES = 5 };
enum { NUM_PAGES = 0, ACTUAL = 4 };

#define F_STATS		 (UINT64_C(1) << 1)
#define F_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define F_REPORTING	 (UINT64_C(1) << 5)

#define PAGE 4096u
#define FREE (BIS_RAM_BASE + 0x400000) /* 2 MiB that the tests balloon */

static uint32_t pfn(uint64_t pa)
{
	return (uint32_t)(pa / PAGE);
}

/* Bytes of host memory behind the guest's. */
static uint64_t host_bytes(struct vrig *r)
{
	struct bis_mem_region region;
	struct stat st;

	assert_ok(bis_mem_region(bis_machine_memory(r->m), 0, &region));
	assert_int_equal(fstat(region.fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void use_pages(struct vrig *r, uint64_t pa, unsigned pages)
{
	assert_ok(bis_mem_fill(bis_machine_memory(r->m), (bis_gpa){pa}, 0x5a, (uint64_t)pages * PAGE));
}

static bool page_is(struct vrig *r, uint64_t pa, uint8_t byte)
{
	uint8_t bytes[PAGE];

	vrig_get(r, pa, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

static uint64_t field(struct vrig *r, const char *name)
{
	const struct bis_field *f = bis_field_find(bis_module_class_of(r->mod)->fields, name);
	char text[512];

	assert_non_null(f);
	assert_true(bis_field_format(f, bis_module_self(r->mod), text, sizeof(text)) > 0);
	return strtoull(text, NULL, 0);
}

static int ctl(struct vrig *r, const char *verb, char *reply, size_t size)
{
	return bis_module_class_of(r->mod)->ctl(bis_module_self(r->mod), verb, reply, size);
}

static void pages_in_the_balloon_go_back_to_the_host(void **state)
{
	/* Neighbours in disorder, one twice, and one apart. */
	static const unsigned pages[] = {5, 3, 4, 4, 9, 2, 511};
	struct vrig *r = vrig_open("virtio-balloon");
	uint64_t list = vrig_alloc(r, PAGE), before;
	uint32_t pfns[BIS_ARRAY_SIZE(pages)];

	(void)state;
	vrig_start(r, F_DEFLATE_ON_OOM, 2, 8);
	use_pages(r, FREE, 512);
	before = host_bytes(r);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(pages); i++)
		pfns[i] = pfn(FREE) + pages[i];
	vrig_put(r, list, pfns, sizeof(pfns));
	vrig_request(r, INFLATE, VRIG_OUT(list, sizeof(pfns)));
	assert_int_equal(vrig_ack(r), 1);
	assert_int_equal(before - host_bytes(r), 6 * PAGE);
	assert_int_equal(field(r, "given_back"), 6 * PAGE);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(pages); i++)
		assert_true(page_is(r, FREE + pages[i] * PAGE, 0));
	assert_true(page_is(r, FREE + 1 * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 6 * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 8 * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 10 * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 510 * PAGE, 0x5a));
	/* What comes out of the balloon is memory as before. */
	vrig_request(r, DEFLATE, VRIG_OUT(list, sizeof(pfns)));
	use_pages(r, FREE, 512);
	assert_int_equal(host_bytes(r), before);
	vrig_close(r);
}

static void a_long_list_is_taken_whole(void **state)
{
	struct vrig *r = vrig_open("virtio-balloon");
	uint64_t list = vrig_alloc(r, 512 * 16 * 4), before;
	static uint32_t pfns[512 * 16];

	(void)state;
	vrig_start(r, 0, 2, 8);
	use_pages(r, FREE, 512);
	before = host_bytes(r);
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(pfns); i++)
		pfns[i] = pfn(FREE) + i * 37 % 512;
	vrig_put(r, list, pfns, sizeof(pfns));
	/* In two ranges that part in the middle of a number. */
	vrig_request(r, INFLATE, VRIG_OUT(list, 4098), VRIG_OUT(list + 4098, sizeof(pfns) - 4098));
	assert_int_equal(before - host_bytes(r), 512 * PAGE);
	vrig_close(r);
}

static void page_numbers_that_are_not_ram_are_ignored(void **state)
{
	static const uint32_t pfns[] = {
		0,
		UINT32_MAX,
		(uint32_t)(BIS_RAM_BASE / PAGE) - 1,
		(uint32_t)(FREE / PAGE),
		(uint32_t)(VRIG_RAM_END / PAGE),
		(uint32_t)(VRIG_RAM_END / PAGE) + 1,
		0x80000000,
		(uint32_t)(VRIG_RAM_END / PAGE) - 1,
	};
	struct vrig *r = vrig_open("virtio-balloon");
	uint64_t list = vrig_alloc(r, PAGE);

	(void)state;
	vrig_start(r, 0, 2, 8);
	use_pages(r, FREE, 1);
	use_pages(r, VRIG_RAM_END - PAGE, 1);
	vrig_put(r, list, pfns, sizeof(pfns));
	vrig_request(r, INFLATE, VRIG_OUT(list, sizeof(pfns)));
	assert_false(vrig_needs_reset(r));
	assert_true(page_is(r, FREE, 0));
	assert_true(page_is(r, VRIG_RAM_END - PAGE, 0));
	assert_int_equal(field(r, "refused"), 6);
	assert_int_equal(field(r, "given_back"), 2 * PAGE);
	/* Neither an odd end, nor an empty list, nor a list that the device cannot read. */
	vrig_request(r, INFLATE, VRIG_OUT(list, 3));
	vrig_request(r, INFLATE, VRIG_OUT(list, 0));
	vrig_request(r, INFLATE, VRIG_IN(list, 64));
	assert_int_equal(field(r, "refused"), 6);
	vrig_close(r);
}

static void check_report(uint64_t features, unsigned queue)
{
	struct vrig *r = vrig_open("virtio-balloon");
	uint64_t before;

	vrig_start(r, features, queue + 1, 8);
	use_pages(r, FREE, 512);
	before = host_bytes(r);
	assert_int_equal(vrig_request(r, queue, VRIG_IN(FREE, 64 * PAGE), VRIG_IN(FREE + 128 * PAGE, 128 * PAGE)), 0);
	assert_int_equal(before - host_bytes(r), 192 * PAGE);
	assert_true(page_is(r, FREE, 0));
	assert_true(page_is(r, FREE + 63 * PAGE, 0));
	assert_true(page_is(r, FREE + 64 * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 127 * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 255 * PAGE, 0));
	vrig_close(r);
}

static void reported_pages_go_back_to_the_host(void **state)
{
	(void)state;
	check_report(F_REPORTING, 2);
	check_report(F_REPORTING | F_STATS, 3);
	check_report(F_REPORTING | F_STATS, 4); /* a driver that leaves room for the hinting queue */
}

static void only_whole_pages_of_a_report_go_back(void **state)
{
	struct vrig *r = vrig_open("virtio-balloon");

	(void)state;
	vrig_start(r, F_REPORTING, 3, 8);
	use_pages(r, FREE, 8);
	vrig_request(r, 2, VRIG_IN(FREE + 1, 2 * PAGE), VRIG_IN(FREE + 4 * PAGE, PAGE - 1),
		     VRIG_IN(FREE + 6 * PAGE + 8, 16), VRIG_IN(FREE + 7 * PAGE, PAGE));
	assert_true(page_is(r, FREE, 0x5a));
	assert_true(page_is(r, FREE + PAGE, 0));
	for (unsigned i = 2; i < 7; i++)
		assert_true(page_is(r, FREE + i * PAGE, 0x5a));
	assert_true(page_is(r, FREE + 7 * PAGE, 0));
	/* Readable ranges are no report. */
	vrig_request(r, 2, VRIG_OUT(FREE, PAGE));
	assert_true(page_is(r, FREE, 0x5a));
	vrig_close(r);
}

static void without_the_feature_there_are_no_reports(void **state)
{
	struct vrig *r = vrig_open("virtio-balloon");

	(void)state;
	vrig_start(r, 0, 3, 8);
	use_pages(r, FREE, 1);
	vrig_request(r, 2, VRIG_IN(FREE, PAGE));
	assert_true(page_is(r, FREE, 0x5a));
	vrig_close(r);
}

static void the_target_is_told_to_the_driver(void **state)
{
	struct vrig *r = vrig_open("virtio-balloon,target=2M");
	char reply[128];

	(void)state;
	assert_int_equal(vrig_rd(r, VRIG_DEVICE_ID), 5);
	assert_int_equal(vrig_offered(r) & 0xffffff, F_STATS | F_DEFLATE_ON_OOM | F_REPORTING);
	vrig_start(r, 0, 2, 8);
	assert_int_equal(vrig_config(r, NUM_PAGES, 4), 512);
	assert_int_equal(vrig_config(r, ACTUAL, 4), 0);
	assert_ok(ctl(r, "target 4M", reply, sizeof(reply)));
	assert_string_equal(reply, "target 4096 KiB, given back 0 KiB");
	assert_int_equal(vrig_ack(r), 2);
	assert_int_equal(vrig_config(r, NUM_PAGES, 4), 1024);
	vrig_set_config(r, ACTUAL, 4, 1000);
	vrig_set_config(r, NUM_PAGES, 4, 7);
	assert_int_equal(vrig_config(r, NUM_PAGES, 4), 1024);
	assert_int_equal(vrig_config(r, ACTUAL, 4), 1000);
	assert_int_equal(field(r, "config.num_pages"), 1024);
	assert_int_equal(field(r, "config.actual"), 1000);
	assert_ok(ctl(r, "target 0", reply, sizeof(reply)));
	assert_string_equal(reply, "target 0 KiB, given back 4000 KiB");
	vrig_close(r);
}

static void targets_that_make_no_sense_are_refused(void **state)
{
	struct vrig *r = vrig_open("virtio-balloon");
	struct bis_module *second;
	char reply[64];

	(void)state;
	assert_fails(ctl(r, "target 9M", reply, sizeof(reply)), -EINVAL, "the machine has 8 MiB");
	assert_fails(ctl(r, "target 16000000T", reply, sizeof(reply)), -EINVAL, "MiB");
	assert_fails(ctl(r, "target 64", reply, sizeof(reply)), -EINVAL, "multiple of 4096");
	assert_fails(ctl(r, "target -1", reply, sizeof(reply)), -EINVAL, "");
	assert_fails(ctl(r, "target ", reply, sizeof(reply)), -EINVAL, "");
	assert_fails(ctl(r, "targe", reply, sizeof(reply)), -EINVAL, "target SIZE");
	assert_fails(ctl(r, "", reply, sizeof(reply)), -EINVAL, "stats");
	assert_int_equal(vrig_config(r, NUM_PAGES, 4), 0);
	assert_fails(bis_machine_add(r->m, "virtio-balloon,target=1G,at=0x20000000", &second), -EINVAL, "8 MiB");
	vrig_close(r);
}

static void statistics_are_asked_for_and_shown(void **state)
{
	struct __attribute__((packed)) {
		uint16_t tag;
		uint64_t value;
	} stats[] = {{0, 11}, {4, 44}, {9, 99}, {10, 1000}, {0xffff, 1}};
	struct vrig *r = vrig_open("virtio-balloon");
	uint64_t list = vrig_alloc(r, PAGE);
	char reply[128];

	(void)state;
	vrig_start(r, F_STATS | VIRTIO_F_EVENT_IDX, 3, 8);
	assert_fails(ctl(r, "stats", reply, sizeof(reply)), -EINVAL, "no statistics");
	vrig_put(r, list, stats, sizeof(stats));
	vrig_submit(r, 2, VRIG_OUT(list, sizeof(stats)));
	vrig_notify(r, 2);
	assert_int_equal(field(r, "stats"), 11);
	/* The device keeps the chain until somebody asks. */
	assert_false(vrig_used(r, 2, NULL, NULL));
	stats[0].value = 12;
	vrig_put(r, list, stats, sizeof(stats));
	assert_ok(ctl(r, "stats", reply, sizeof(reply)));
	assert_true(vrig_used(r, 2, NULL, NULL));
	assert_int_equal(vrig_ack(r), 1);
	/* The event index behind the used ring: the driver is to notify of the next chain. */
	assert_int_equal(vrig_get16(r, r->q[2].used + 4 + 8 * 8), r->q[2].next_avail);
	vrig_submit(r, 2, VRIG_OUT(list, sizeof(stats)));
	vrig_notify(r, 2);
	assert_int_equal(field(r, "stats"), 12);
	vrig_close(r);
}

static void a_reset_empties_the_balloon_and_keeps_the_target(void **state)
{
	struct vrig *r = vrig_open("virtio-balloon,target=1M");

	(void)state;
	vrig_start(r, 0, 2, 8);
	vrig_set_config(r, ACTUAL, 4, 100);
	vrig_start(r, 0, 2, 8);
	assert_int_equal(vrig_config(r, ACTUAL, 4), 0);
	assert_int_equal(vrig_config(r, NUM_PAGES, 4), 256);
	vrig_close(r);
}

/* One list of 16 million page numbers takes longer than anybody waits for a pause: it is interrupted, and done later.
 */
static void a_pause_interrupts_a_long_list(void **state)
{
	static uint32_t pfns[65536];
	struct vrig *r = vrig_open("virtio-balloon");
	uint64_t list = vrig_alloc(r, sizeof(pfns));
	struct vrig_range ranges[250];

	(void)state;
	rig_add(r->m, "riscv");
	rig_start_paused(r->m);
	assert_ok(bis_machine_resume(r->m));
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(pfns); i++)
		pfns[i] = pfn(FREE) + i * 2 % 512; /* no neighbours */
	for (size_t i = 0; i < BIS_ARRAY_SIZE(ranges); i++)
		ranges[i] = VRIG_OUT(list, sizeof(pfns));
	bis_machine_lock_devices(r->m);
	vrig_start(r, VIRTIO_F_INDIRECT_DESC, 2, 256);
	vrig_put(r, list, pfns, sizeof(pfns));
	vrig_submit_indirect(r, INFLATE, ranges, BIS_ARRAY_SIZE(ranges));
	vrig_notify(r, INFLATE);
	bis_machine_unlock_devices(r->m);
	for (unsigned i = 0; i < 10; i++) {
		assert_ok(bis_machine_pause(r->m));
		assert_false(vrig_used(r, INFLATE, NULL, NULL));
		/* Guest memory stands still. */
		use_pages(r, FREE, 512);
		for (unsigned page = 0; page < 512; page++)
			assert_true(page_is(r, FREE + page * PAGE, 0x5a));
		assert_ok(bis_machine_resume(r->m));
		rig_wait_for(page_is(r, FREE, 0));
	}
	/* So does a reset, after which the device is as good as new. */
	bis_machine_lock_devices(r->m);
	vrig_start(r, 0, 2, 8);
	use_pages(r, FREE, 2);
	vrig_request(r, INFLATE, VRIG_OUT(list, 4));
	assert_true(page_is(r, FREE, 0));
	assert_true(page_is(r, FREE + PAGE, 0x5a));
	bis_machine_unlock_devices(r->m);
	vrig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_in_the_balloon_go_back_to_the_host),
		cmocka_unit_test(a_long_list_is_taken_whole),
		cmocka_unit_test(page_numbers_that_are_not_ram_are_ignored),
		cmocka_unit_test(reported_pages_go_back_to_the_host),
		cmocka_unit_test(only_whole_pages_of_a_report_go_back),
		cmocka_unit_test(without_the_feature_there_are_no_reports),
		cmocka_unit_test(the_target_is_told_to_the_driver),
		cmocka_unit_test(targets_that_make_no_sense_are_refused),
		cmocka_unit_test(statistics_are_asked_for_and_shown),
		cmocka_unit_test(a_reset_empties_the_balloon_and_keeps_the_target),
		cmocka_unit_test(a_pause_interrupts_a_long_list),
	};

	return cmocka_run_group_tests_name("virtio_balloon", tests, NULL, NULL);
}
