/*
 * Displays of a machine that runs: what viewers have copied by damage alone is what the guest has drawn, on both widths
 * of registers, and nothing that a guest does to its framebuffer disturbs those who look, nor do pauses, resets and
 * removals.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <biscuit/display.h>
#include <biscuit/hart.h>

#include "modules/device/native.h"
#include "tests/unit/rig.h"

#define SIDE	  256u
#define FIRST_CSR (0x5c0 + 8 * FRAMEBUFFER_SLOT)

/* A number of `bits` bits, a multiple of 4, from the random A0; `xlen` is that of the hart. */
#define RANDOM(rd, bits, xlen) SLLI(rd, A0, 8), SRLI(rd, rd, (xlen) - (bits)), ANDI(rd, rd, -4)
/* Picks the next random A0. */
#define NEXT MUL(A0, A0, A1), ADDI(A0, A0, 1013)
/* S0: the picture; A1: what NEXT multiplies with. */
#define BEGIN                                                                                                          \
	LI(S0, 1), SLLI(S0, S0, 31), LUI(T0, 0x100), ADD(S0, S0, T0), LUI(A1, 0x19660), ADDI(A1, A1, 0x60d), LI(A0, 77)

/* Shows a picture of SIDE pixels each way and writes random numbers to random places of it. */
#define DRAW(xlen)                                                                                                     \
	{                                                                                                              \
		BEGIN, LUI(T0, SIDE << 4), ADDI(T0, T0, SIDE), CSRW(FIRST_CSR + FRAMEBUFFER_MODE, T0),                 \
			CSRW(FIRST_CSR + FRAMEBUFFER_ADDRESS, S0), NEXT, RANDOM(T0, 18, xlen), ADD(T0, T0, S0),        \
			SW(A0, 0, T0), J(-28),                                                                         \
	}

/* Sets random modes, pitches and addresses. */
#define RAVE(xlen)                                                                                                     \
	{                                                                                                              \
		BEGIN, NEXT, RANDOM(T0, 8, xlen), SLLI(T1, T0, 16), ADD(T0, T0, T1),                                   \
			CSRW(FIRST_CSR + FRAMEBUFFER_MODE, T0), NEXT, RANDOM(T0, 12, xlen),                            \
			CSRW(FIRST_CSR + FRAMEBUFFER_PITCH, T0), NEXT, RANDOM(T0, 20, xlen), ADD(T0, T0, S0),          \
			CSRW(FIRST_CSR + FRAMEBUFFER_ADDRESS, T0), SW(A0, 0, T0), CSRR(T0, FIRST_CSR + 6), J(-92),     \
	}

static const uint32_t draw64[] = DRAW(64), draw32[] = DRAW(32), rave64[] = RAVE(64), rave32[] = RAVE(32);

static struct bis_machine *begin(const char *isa)
{
	struct bis_machine *m = rig_create(isa, 1);

	rig_add(m, "modctl,slot=0");
	rig_add(m, "framebuffer,slot=5");
	bis_machine_set_entry(m, RIG_CODE, 0, 0);
	return m;
}

static struct bis_viewer *look(struct bis_machine *m)
{
	struct bis_viewer *v = NULL;

	assert_ok(bis_viewer_create(bis_display_find(m, "fb"), NULL, NULL, &v));
	return v;
}

/* Copies what has changed. */
static void follow(struct bis_viewer *v, struct bis_view *view, uint32_t *copy)
{
	bis_viewer_update(v, view);
	for (size_t i = 0; i < view->n_rects; i++) {
		const struct bis_rect *r = &view->rects[i];

		assert_ok(bis_viewer_read(v, r, copy + (size_t)r->y * SIDE + r->x, SIDE * 4));
	}
}

static void draw(const char *isa, const uint32_t *code, size_t size)
{
	struct bis_machine *m = begin(isa);
	struct bis_viewer *v = look(m);
	uint32_t *copy = calloc(SIDE, SIDE * 4), *whole = calloc(SIDE, SIDE * 4);
	struct bis_view view;

	rig_write(m, RIG_CODE, code, size);
	assert_ok(bis_machine_start(m));
	rig_wait_for((bis_viewer_update(v, &view), view.width == SIDE));
	bis_viewer_destroy(v);
	v = look(m);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 20; i++)
			follow(v, &view, copy);
		assert_ok(bis_machine_pause(m));
		follow(v, &view, copy);
		assert_ok(bis_viewer_read(v, &(struct bis_rect){0, 0, SIDE, SIDE}, whole, SIDE * 4));
		assert_memory_equal(copy, whole, SIDE * SIDE * 4);
		follow(v, &view, copy);
		assert_int_equal(view.n_rects, 0);
		assert_ok(bis_machine_resume(m));
	}
	bis_viewer_destroy(v);
	bis_machine_destroy(m);
	free(copy);
	free(whole);
}

static void no_pixel_that_a_hart_draws_is_missed(void **state)
{
	(void)state;
	draw("rv64", draw64, sizeof(draw64));
	draw("rv32", draw32, sizeof(draw32));
}

/* --- Everything at once --- */

struct watcher {
	struct bis_machine *m;
	_Atomic bool stop;
	_Atomic unsigned pictures;
};

static void *watch(void *arg)
{
	struct watcher *w = arg;
	uint32_t *to = malloc((size_t)SIDE * SIDE * 4);

	while (!atomic_load(&w->stop)) {
		struct bis_viewer *v = look(w->m);
		struct bis_view view;

		for (unsigned i = 0; i < 10; i++) {
			bis_viewer_update(v, &view);
			for (size_t k = 0; k < view.n_rects; k++) {
				int err = bis_viewer_read(v, &view.rects[k], to, SIDE * 4);

				assert_true(!err || err == -ERANGE);
			}
			atomic_fetch_add(&w->pictures, view.width > 0);
			bis_viewer_wish(v, 1 + i, 2 + i);
		}
		bis_viewer_destroy(v);
	}
	free(to);
	return NULL;
}

static void disturb(const char *isa, const uint32_t *code, size_t size)
{
	struct watcher w = {.m = begin(isa)};
	pthread_t threads[2];
	unsigned before;

	rig_write(w.m, RIG_CODE, code, size);
	assert_ok(bis_machine_start(w.m));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, watch, &w), 0);
	for (int round = 0; round < 30; round++) {
		before = atomic_load(&w.pictures);
		rig_wait_for(atomic_load(&w.pictures) > before);
		assert_ok(bis_machine_pause(w.m));
		if (round % 3 == 0)
			assert_ok(bis_machine_reset(w.m));
		assert_ok(bis_machine_resume(w.m));
		if (round % 5 == 0) {
			assert_ok(bis_machine_remove(w.m, bis_machine_find(w.m, "framebuffer")));
			rig_add(w.m, "framebuffer,slot=5");
		}
	}
	atomic_store(&w.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	bis_machine_destroy(w.m);
}

static void nothing_that_a_guest_does_disturbs_those_who_look(void **state)
{
	(void)state;
	disturb("rv64", rave64, sizeof(rave64));
	disturb("rv32", rave32, sizeof(rave32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_pixel_that_a_hart_draws_is_missed),
		cmocka_unit_test(nothing_that_a_guest_does_disturbs_those_who_look),
	};

	return cmocka_run_group_tests_name("display_run", tests, NULL, NULL);
}
