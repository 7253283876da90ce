/*
 * What a hostile driver may ask of a virtio GPU: requests that make no sense, are too short, too large or too many get
 * an error, or nothing, and the device goes on.
 */
#include "tests/unit/gpu_rig.h"

static void requests_that_make_no_sense_are_refused(void **state)
{
	enum { R = 1, BARE = 2, NARROW = 3, NONE = 9, RAM = 0x80000000, M = -1 };
	static const struct {
		uint32_t type, words[10], count, answer;
	} bad[] = {
		{GPU_RESOURCE_CREATE_2D, {0, BGRX, 8, 8}, 4, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_CREATE_2D, {R, BGRX, 8, 8}, 4, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_CREATE_2D, {NONE, 0, 8, 8}, 4, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0, 8}, 4, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 8, 0}, 4, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 8}, 3, GPU_ERR_INVALID_PARAMETER},
		/* Width times height times 4 wraps: to 0, to 4, to something small. */
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0x40000000, 1}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0x10000, 0x4000}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0x80000000, 0x80000000}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, (uint32_t)M, (uint32_t)M}, 4, GPU_ERR_OUT_OF_MEMORY},
		/* Thin ones, of which millions of lines would have to be fetched. */
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 1, 16385}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 16385, 1}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_UNREF, {NONE, 0}, 2, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_UNREF, {0, 0}, 2, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_UNREF, {R}, 1, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 0, 8, 8, 1, R}, 6, GPU_ERR_INVALID_SCANOUT_ID},
		{GPU_SET_SCANOUT, {0, 0, 8, 8, (uint32_t)M, 0}, 6, GPU_ERR_INVALID_SCANOUT_ID},
		{GPU_SET_SCANOUT, {0, 0, 8, 8, 0, NONE}, 6, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_SET_SCANOUT, {0, 0, 65, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {60, 0, 8, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {(uint32_t)M, 0, 8, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 1, 8, (uint32_t)M, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 0, 0, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 0, 5000, 1, 0, NARROW}, 6, GPU_ERR_INVALID_PARAMETER}, /* larger than a display */
		{GPU_RESOURCE_FLUSH, {0, 0, 65, 1, R, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_FLUSH, {0, 64, 1, 1, R, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_FLUSH, {2, 0, (uint32_t)M, 1, R, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_FLUSH, {0, 0, 1, 1, NONE, 0}, 6, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 65, 1, 0, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {1, 0, (uint32_t)M, 1, 0, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 64, 64, 4, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 64 * 64 * 4 - 3, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, (uint32_t)M, (uint32_t)M, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 0, 0, BARE, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 0, 0, NONE, 0}, 8, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 0, 0, R}, 7, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {NONE, 1, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_ATTACH_BACKING, {R, 1, RAM, 0, 16, 0}, 6, GPU_ERR_UNSPEC},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 0}, 2, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 2, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, (uint32_t)M, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 0x10000001, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 1, 0x1000, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 1, RAM, 0, (uint32_t)M, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 1, (uint32_t)M, (uint32_t)M, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_DETACH_BACKING, {NONE, 0}, 2, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_GET_EDID, {0}, 1, GPU_ERR_INVALID_PARAMETER},
		{0x108, {0, 0}, 2, GPU_ERR_UNSPEC}, /* GET_CAPSET_INFO, for 3D */
		{0x207, {0, 0}, 2, GPU_ERR_UNSPEC},
		{0, {0, 0}, 2, GPU_ERR_UNSPEC},
	};
	struct grig *g = grig_open("virtio-gpu,memory=64M");

	(void)state;
	grig_resource(g, R, BGRX, 64, 64);
	grig_resource(g, NARROW, BGRX, 5000, 1);
	grig_do(g, GPU_RESOURCE_CREATE_2D, BARE, BGRX, 64, 64);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 64, 64, 0, R);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		uint32_t answer = grig_call_n(g, GPU_CONTROL, bad[i].type, bad[i].words, bad[i].count);

		if (answer != bad[i].answer)
			fail_msg("row %zu: 0x%x, expected 0x%x", i, answer, bad[i].answer);
	}
	/* Nothing has changed. */
	grig_look(g);
	assert_int_equal(g->view.width, 64);
	assert_int_equal(grig_field(g, "n_resources"), 3);
	assert_int_equal(grig_field(g, "refused"), BIS_ARRAY_SIZE(bad));
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 64, 64, 0, 0, R, 0);
	assert_false(vrig_needs_reset(g->v));
	grig_close(g);
}

static void the_queues_have_requests_of_their_own(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint32_t words[8] = {0};

	(void)state;
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_MOVE_CURSOR, words, 8), GPU_ERR_UNSPEC);
	assert_int_equal(grig_call_n(g, GPU_CURSOR, GPU_GET_DISPLAY_INFO, words, 0), GPU_ERR_UNSPEC);
	grig_close(g);
}

static void memory_and_resources_have_limits(void **state)
{
	struct grig *g = grig_open("virtio-gpu,memory=1M,resources=3");

	(void)state;
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 1, BGRX, 512, 513), GPU_ERR_OUT_OF_MEMORY);
	grig_do(g, GPU_RESOURCE_CREATE_2D, 1, BGRX, 512, 512); /* all of it */
	assert_int_equal(grig_field(g, "memory"), 1 << 20);
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 2, BGRX, 1, 1), GPU_ERR_OUT_OF_MEMORY);
	/* The addresses of a backing count as well. */
	assert_int_equal(grig_call(g, GPU_RESOURCE_ATTACH_BACKING, 1, 1, (uint32_t)BIS_RAM_BASE, 0, 4096, 0),
			 GPU_ERR_OUT_OF_MEMORY);
	grig_do(g, GPU_RESOURCE_UNREF, 1, 0);
	assert_int_equal(grig_field(g, "memory"), 0);
	for (uint32_t id = 1; id <= 3; id++)
		grig_resource(g, id, BGRX, 16, 16);
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 4, BGRX, 1, 1), GPU_ERR_OUT_OF_MEMORY);
	grig_do(g, GPU_RESOURCE_DETACH_BACKING, 2, 0);
	assert_int_equal(grig_call(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 1, 1, 0, 0, 2, 0), GPU_ERR_INVALID_PARAMETER);
	grig_do(g, GPU_RESOURCE_UNREF, 2, 0);
	grig_resource(g, 4, BGRX, 16, 16);
	assert_int_equal(grig_field(g, "n_resources"), 3);
	grig_close(g);
}

static void short_requests_and_answers(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint32_t request[6] = {GPU_GET_DISPLAY_INFO};

	(void)state;
	for (uint32_t len = 1; len < 24; len++)
		assert_int_equal(grig_send(g, GPU_CONTROL, request, len), GPU_ERR_UNSPEC);
	/* An answer that is cut is cut. */
	assert_int_equal(vrig_request(g->v, GPU_CONTROL, VRIG_OUT(g->request, 24), VRIG_IN(g->answer, 40)), 40);
	assert_int_equal(vrig_request(g->v, GPU_CONTROL, VRIG_OUT(g->request, 24), VRIG_IN(g->answer, 3)), 3);
	assert_false(vrig_needs_reset(g->v));
	vrig_submit(g->v, GPU_CONTROL, VRIG_OUT(g->request, 24));
	vrig_notify(g->v, GPU_CONTROL);
	rig_wait_for(vrig_needs_reset(g->v));
	grig_close(g);
}

static void fences_come_back(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint32_t request[6] = {GPU_GET_DISPLAY_INFO, 1, 0x55667788, 0x11223344, 42, 0};

	(void)state;
	assert_int_equal(grig_send(g, GPU_CONTROL, request, 24), GPU_OK_DISPLAY_INFO);
	assert_int_equal(grig_word(g, 4), 1);
	assert_int_equal(grig_word(g, 8), 0x55667788);
	assert_int_equal(grig_word(g, 12), 0x11223344);
	assert_int_equal(grig_word(g, 16), 42);
	request[0] = GPU_RESOURCE_UNREF; /* also where it is refused */
	assert_int_equal(grig_send(g, GPU_CONTROL, request, 24), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_word(g, 8), 0x55667788);
	request[1] = 0;
	grig_send(g, GPU_CONTROL, request, 24);
	assert_int_equal(grig_word(g, 4), 0);
	assert_int_equal(grig_word(g, 8), 0);
	grig_close(g);
}

static void pointers_that_do_not_fit_are_refused(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	grig_resource(g, 1, RGBX, 32, 16);
	grig_resource(g, 2, BGRA, 65, 64);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 2, 0, 0, 0), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 3, 0, 0, 0), GPU_ERR_INVALID_RESOURCE_ID);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 1, 32, 0, 0), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 1, 0, 16, 0), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_call(g, GPU_MOVE_CURSOR, 1, 0, 0, 0, 0, 0, 0, 0), GPU_ERR_INVALID_SCANOUT_ID);
	assert_int_equal(grig_call(g, GPU_MOVE_CURSOR, 0, 0, 0), GPU_ERR_INVALID_PARAMETER);
	grig_look(g);
	assert_false(g->view.cursor_shown);
	/* Drivers give no room for an answer here. */
	vrig_put(g->v, g->request, (uint32_t[14]){GPU_UPDATE_CURSOR, [10] = 1, [11] = 31, [12] = 15}, 56);
	assert_int_equal(vrig_request(g->v, GPU_CURSOR, VRIG_OUT(g->request, 56)), 0);
	assert_false(vrig_needs_reset(g->v));
	grig_look(g);
	assert_true(g->view.cursor_shown);
	grig_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_that_make_no_sense_are_refused),
		cmocka_unit_test(the_queues_have_requests_of_their_own),
		cmocka_unit_test(memory_and_resources_have_limits),
		cmocka_unit_test(short_requests_and_answers),
		cmocka_unit_test(fences_come_back),
		cmocka_unit_test(pointers_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests_name("virtio_gpu_hostile", tests, NULL, NULL);
}
