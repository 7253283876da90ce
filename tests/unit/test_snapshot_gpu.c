/*
 * Snapshots of a virtio GPU: resources, screen and pointer come back, alone and in a whole machine; what is damaged or
 * cannot be is refused.
 */
#include <unistd.h>

#include <biscuit/snapshot.h>

#include "tests/unit/gpu_rig.h"

static void resources_are_saved_and_restored(void **state)
{
	struct grig *g = grig_open("virtio-gpu"), *h;
	uint64_t pa = grig_resource(g, 5, BGRX, 40, 30);
	struct bis_cursor cursor;
	struct vrig_saved s;

	(void)state;
	grig_resource(g, 6, ARGB, 8, 8);
	grig_put_pixel(g, pa, 10 * 40 + 10, 0x654321);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 40, 30, 0, 0, 5, 0);
	grig_do(g, GPU_SET_SCANOUT, 8, 8, 32, 20, 0, 5);
	grig_do(g, GPU_UPDATE_CURSOR, 0, 3, 4, 0, 6, 7, 7, 0);
	s = vrig_save(g->v);
	grig_close(g);
	h = grig_open("virtio-gpu");
	grig_resource(h, 77, BGRX, 4, 4); /* goes */
	assert_ok(vrig_restore(h->v, s.data, s.len));
	grig_look(h);
	assert_int_equal(h->view.width, 32);
	assert_int_equal(grig_pixel(h, 2, 2), 0xff654321);
	assert_true(h->view.cursor_shown);
	assert_int_equal(h->view.cursor_x, 3);
	bis_viewer_cursor(h->viewer, &cursor);
	assert_int_equal(cursor.width, 8);
	assert_int_equal(cursor.hot_x, 7);
	assert_int_equal(grig_field(h, "n_resources"), 2);
	/* The backing is where it was. */
	grig_put_pixel(h, pa, 10 * 40 + 11, 0x777777);
	grig_do(h, GPU_TRANSFER_TO_HOST_2D, 0, 0, 40, 30, 0, 0, 5, 0);
	assert_int_equal(grig_pixel(h, 3, 2), 0xff777777);
	assert_int_equal(grig_call(h, GPU_RESOURCE_UNREF, 77, 0), GPU_ERR_INVALID_RESOURCE_ID);
	grig_close(h);
	free(s.data);
}

/* The same with a whole machine: the driver goes on where it was. */
static void a_machine_is_restored_with_its_screen(void **state)
{
	struct grig *g = grig_open("virtio-gpu"), *h;
	uint64_t pa = grig_resource(g, 1, BGRX, 32, 16);
	struct bis_snapshot *s;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "test_snapshot_gpu.%d.snap", (int)getpid());
	grig_put_pixel(g, pa, 5, 0x112233);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 32, 16, 0, 0, 1, 0);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 32, 16, 0, 1);
	bis_viewer_wish(g->viewer, 720, 400);
	rig_add(g->v->m, "riscv");
	rig_start_paused(g->v->m);
	if (bis_snapshot_save(g->v->m, path, NULL) == -ENOSYS) {
		grig_close(g);
		skip();
	}
	h = grig_open("virtio-gpu");
	rig_add(h->v->m, "riscv");
	assert_ok(bis_snapshot_open(path, &s));
	assert_ok(bis_snapshot_restore(s, h->v->m));
	bis_snapshot_close(s);
	unlink(path);
	memcpy(h->v->q, g->v->q, sizeof(h->v->q));
	h->request = g->request;
	h->answer = g->answer;
	grig_close(g);
	grig_look(h);
	assert_int_equal(h->view.width, 32);
	assert_int_equal(grig_pixel(h, 5, 0), 0xff112233);
	assert_ok(bis_machine_resume(h->v->m));
	assert_int_equal(vrig_config(h->v, 0, 4), 1);
	assert_int_equal(grig_call_n(h, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(grig_word(h, 32), 720);
	grig_do(h, GPU_TRANSFER_TO_HOST_2D, 0, 0, 31, 16, 4, 0, 1, 0);
	assert_int_equal(grig_pixel(h, 4, 0), 0xff112233);
	grig_close(h);
}

static void damaged_snapshots_are_refused(void **state)
{
	struct grig *g = grig_open("virtio-gpu,memory=1M"), *large = grig_open("virtio-gpu,memory=16M");
	struct vrig_saved s;

	(void)state;
	grig_resource(g, 1, BGRX, 10, 10);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 10, 10, 0, 1);
	grig_do(g, GPU_UPDATE_CURSOR, 0, 3, 4, 0, 1, 7, 7, 0);
	s = vrig_save(g->v);
	assert_ok(vrig_restore(g->v, s.data, s.len));
	for (size_t len = 0; len < s.len; len += len < 64 ? 1 : 37)
		assert_int_equal(vrig_restore(g->v, s.data, len), -EINVAL);
	vrig_save_more(&s, "", 1);
	assert_int_equal(vrig_restore(g->v, s.data, s.len), -EINVAL);
	/* Whatever single byte is another, it is refused or taken, and the device goes on. */
	for (size_t at = 0; at < s.len - 1; at++) {
		uint8_t was = s.data[at];

		s.data[at] ^= 0x81;
		if (vrig_restore(g->v, s.data, s.len - 1))
			assert_int_equal(grig_field(g, "n_resources"), 0);
		s.data[at] = was;
	}
	assert_ok(vrig_restore(g->v, s.data, s.len - 1));
	free(s.data);
	/* More than the options allow. */
	grig_do(large, GPU_RESOURCE_CREATE_2D, 1, BGRX, 1024, 1024);
	s = vrig_save(large->v);
	assert_int_equal(vrig_restore(g->v, s.data, s.len), -EINVAL);
	free(s.data);
	grig_close(large);
	grig_close(g);
}

/* What a snapshot may say in the fields: -EINVAL, or 0 with the value that was there. */
static int check_with(struct grig *g, const char *name, uint64_t value)
{
	const struct bis_module_class *class = bis_module_class_of(g->v->mod);
	const struct bis_field *f = bis_field_find(class->fields, name);
	uint8_t *at = (uint8_t *)bis_module_self(g->v->mod) + f->offset;
	size_t size = f->type == BIS_FIELD_U64 ? 8 : 4;
	uint64_t was = 0;
	int err;

	assert_non_null(f);
	bis_machine_lock_devices(g->v->m);
	memcpy(&was, at, size);
	memcpy(at, &value, size);
	err = class->check(bis_module_self(g->v->mod));
	memcpy(at, &was, size);
	bis_machine_unlock_devices(g->v->m);
	return err;
}

static void fields_that_cannot_be_are_refused(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	assert_ok(check_with(g, "config.events_read", 1));
	assert_int_equal(check_with(g, "config.events_read", 2), -EINVAL);
	assert_ok(check_with(g, "width", 64));
	assert_int_equal(check_with(g, "width", 63), -EINVAL);
	assert_int_equal(check_with(g, "height", 4089), -EINVAL);
	assert_int_equal(check_with(g, "virtio.desc", 1), -EINVAL);
	assert_int_equal(check_with(g, "virtio.used", UINT64_MAX - 15), -EINVAL);
	assert_int_equal(check_with(g, "virtio.accepted", UINT64_C(1) << 40), -EINVAL);
	assert_ok(bis_module_class_of(g->v->mod)->check(bis_module_self(g->v->mod)));
	grig_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resources_are_saved_and_restored),
		cmocka_unit_test(a_machine_is_restored_with_its_screen),
		cmocka_unit_test(damaged_snapshots_are_refused),
		cmocka_unit_test(fields_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests_name("snapshot_gpu", tests, NULL, NULL);
}
