/*
 * The viewers of a display: what each has seen of guest memory, which of them watch, wishes, and viewers that look
 * while the device changes what is shown.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/display_rig.h"

/* --- Guest memory --- */

static void the_first_look_sees_all_and_then_only_written_lines(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE);

	show(f, &s);
	assert_false(bis_display_has_viewers(f->d));
	assert_ok(bis_viewer_create(f->d, notify, &f->notified, &f->v));
	assert_true(bis_display_has_viewers(f->d));
	assert_whole(update(f), W, H);
	assert_true(f->view.poll && f->view.can_resize);
	assert_int_equal(update(f)->n_rects, 0);

	put(f, PITCH * PER_PAGE + 8, 5);
	assert_int_equal(update(f)->n_rects, 1);
	assert_rect(&f->view, 0, 0, PER_PAGE, W, PER_PAGE);
	assert_int_equal(update(f)->n_rects, 0);

	put(f, 0, 1);
	put(f, PITCH * (H - 1), 1);
	assert_int_equal(update(f)->n_rects, 1 + (H > 2 * PER_PAGE));
	put(f, PITCH * H, 1); /* behind the picture */
	assert_int_equal(update(f)->n_rects, 0);
	assert_int_equal(f->notified, 0); /* poll says so */
}

static void a_picture_in_the_middle_of_a_page_has_its_own_lines(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE + 4096 - 3 * PITCH);

	show(f, &s);
	look(f);
	put(f, 4096 - 3 * PITCH - 4, 1); /* before it, in its first page */
	assert_int_equal(update(f)->n_rects, 1);
	assert_rect(&f->view, 0, 0, 0, W, 3);
	put(f, 4096, 1);
	assert_int_equal(update(f)->n_rects, 1);
	assert_rect(&f->view, 0, 0, 3, W, PER_PAGE);
	/* A line over two pages belongs to both. */
	s = in_guest(BASE + 4096 - 8);
	show(f, &s);
	assert_whole(update(f), W, H);
	put(f, 4096 - 8, 1);
	assert_int_equal(update(f)->n_rects, 1);
	assert_rect(&f->view, 0, 0, 0, W, 1);
	put(f, 4096, 1);
	assert_int_equal(update(f)->n_rects, 1);
	assert_rect(&f->view, 0, 0, 0, W, PER_PAGE + 1);
}

static void a_page_flip_damages_all_and_the_same_picture_again_nothing(void **state)
{
	struct fixture *f = *state;
	struct bis_surface a = in_guest(BASE), b = in_guest(BASE + 0x10000);
	unsigned generation;

	show(f, &a);
	look(f);
	generation = f->view.generation;
	show(f, &b);
	assert_int_equal(f->notified, 1);
	show(f, &a);
	assert_int_equal(f->notified, 1); /* not looked meanwhile */
	assert_whole(update(f), W, H);
	assert_int_equal(f->view.generation, generation);
	show(f, &a);
	assert_int_equal(f->notified, 2);
	assert_int_equal(update(f)->n_rects, 0);
	put(f, 0, 9);
	show(f, &a);
	assert_int_equal(update(f)->n_rects, 1);
}

static void another_size_is_another_generation(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE);
	unsigned generation;

	show(f, &s);
	look(f);
	generation = f->view.generation;
	s.width = 32;
	show(f, &s);
	assert_whole(update(f), 32, H);
	assert_int_not_equal(f->view.generation, generation);
	generation = f->view.generation;
	show(f, NULL);
	assert_int_equal(f->notified, 2);
	assert_int_equal(update(f)->width, 0);
	assert_int_equal(f->view.height, 0);
	assert_int_equal(f->view.n_rects, 0);
	assert_false(f->view.poll);
	show(f, NULL);
	assert_int_equal(f->notified, 2);
	show(f, &s);
	assert_whole(update(f), 32, H);
	assert_int_not_equal(f->view.generation, generation);
}

static void viewers_see_what_each_has_not_seen(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE);
	struct bis_viewer *other, *more[8];
	struct bis_view seen;
	unsigned notified = 0;

	show(f, &s);
	look(f);
	assert_ok(bis_viewer_create(f->d, notify, &notified, &other));
	bis_viewer_update(other, &seen);
	assert_whole(&seen, W, H);
	put(f, 0, 1);
	assert_int_equal(update(f)->n_rects, 1);
	assert_int_equal(update(f)->n_rects, 0);
	bis_viewer_update(other, &seen);
	assert_int_equal(seen.n_rects, 1);
	assert_rect(&seen, 0, 0, 0, W, PER_PAGE);

	for (int i = 0; i < 6; i++)
		assert_ok(bis_viewer_create(f->d, NULL, NULL, &more[i]));
	assert_fails(bis_viewer_create(f->d, NULL, NULL, &more[6]), -ENOSPC, "fb");
	for (int i = 0; i < 6; i++)
		bis_viewer_destroy(more[i]);
	bis_viewer_destroy(other);
	bis_viewer_destroy(NULL);
	put(f, 0, 2);
	assert_int_equal(update(f)->n_rects, 1);
	bis_viewer_destroy(f->v);
	f->v = NULL;
	assert_false(bis_display_has_viewers(f->d));
	put(f, 0, 3);
	assert_ok(bis_viewer_create(f->d, NULL, NULL, &f->v));
	assert_whole(update(f), W, H);
}

static void without_a_dirty_reader_everything_counts_as_changed(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE);
	struct bis_dirty *taken[16];
	int n = 0;

	while (n < 16 && !bis_dirty_create(f->m->memory, &taken[n]))
		n++;
	show(f, &s);
	look(f);
	assert_whole(update(f), W, H);
	bis_dirty_destroy(taken[--n]);
	assert_whole(update(f), W, H); /* nobody has watched until now */
	assert_int_equal(update(f)->n_rects, 0);
	while (n--)
		bis_dirty_destroy(taken[n]);
}

/* --- Not watching --- */

static void nobody_watches_while_the_only_viewer_does_not(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE);
	struct bis_viewer *other;

	show(f, &s);
	look(f);
	assert_int_equal(f->watched, 1);
	bis_viewer_watch(f->v, true);
	assert_int_equal(f->watched, 1);
	bis_viewer_watch(f->v, false);
	assert_int_equal(f->watched, 2);
	assert_false(bis_display_has_viewers(f->d));
	assert_ok(bis_viewer_create(f->d, NULL, NULL, &other));
	assert_int_equal(f->watched, 3);
	bis_viewer_watch(f->v, true);
	bis_viewer_destroy(other);
	assert_int_equal(f->watched, 3);
	assert_true(bis_display_has_viewers(f->d));
	bis_viewer_watch(f->v, false);
	bis_viewer_destroy(f->v); /* it does not count twice */
	f->v = NULL;
	assert_int_equal(f->watched, 4);
	look(f);
	assert_true(bis_display_has_viewers(f->d));
}

static void a_viewer_that_does_not_watch_hears_only_of_what_is_shown(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE), flipped = in_guest(BASE + 0x10000);
	struct bis_cursor cursor = {.width = 1, .height = 1};

	show(f, &s);
	look(f);
	bis_viewer_watch(f->v, false);
	put(f, 0, 1);
	show(f, &flipped);
	show(f, &flipped);
	bis_display_damage(f->d, &(struct bis_rect){0, 0, 1, 1});
	bis_display_set_cursor(f->d, &cursor);
	bis_display_move_cursor(f->d, 1, 1);
	assert_int_equal(f->notified, 0);
	assert_int_equal(update(f)->n_rects, 0);
	assert_false(f->view.poll);
	assert_true(f->view.can_resize);
	assert_int_equal(f->view.width, W);

	s.width = 32;
	show(f, &s);
	assert_int_equal(f->notified, 1);
	assert_int_equal(update(f)->width, 32);
	show(f, NULL);
	assert_int_equal(f->notified, 2);
	assert_int_equal(update(f)->width, 0);
	show(f, &s);
	assert_int_equal(f->notified, 3);
	assert_int_equal(update(f)->n_rects, 0);
	bis_viewer_wish(f->v, 10, 20);
	assert_int_equal(f->wished[1], 20);

	bis_viewer_watch(f->v, true);
	assert_whole(update(f), 32, H);
	assert_int_equal(update(f)->n_rects, 0);
	put(f, 0, 2);
	assert_int_equal(update(f)->n_rects, 1);
}

/* --- Wishes --- */

static void wishes_are_cut_to_what_can_be(void **state)
{
	struct fixture *f = *state;

	look(f);
	bis_viewer_wish(f->v, 800, 600);
	assert_int_equal(f->wished[0], 800);
	assert_int_equal(f->wished[1], 600);
	bis_viewer_wish(f->v, UINT32_MAX, BIS_DISPLAY_SIDE_MAX + 1);
	assert_int_equal(f->wished[0], BIS_DISPLAY_SIDE_MAX);
	assert_int_equal(f->wished[1], BIS_DISPLAY_SIDE_MAX);
	bis_viewer_wish(f->v, 0, 5);
	bis_viewer_wish(f->v, 5, 0);
	assert_int_equal(f->wishes, 2);
	bis_display_detach(f->d, f);
	bis_viewer_wish(f->v, 5, 5);
	assert_int_equal(f->wishes, 2);
}

/* --- Threads --- */

struct watcher {
	struct bis_display *d;
	_Atomic bool stop;
	_Atomic unsigned looks;
};

/* Looks at everything that it is told of, and comes and goes. */
static void *watch(void *arg)
{
	struct watcher *w = arg;
	uint32_t *pixels = malloc((size_t)128 * 128 * 4);

	while (!atomic_load(&w->stop)) {
		struct bis_viewer *v;
		struct bis_view view;
		unsigned told = 0;

		assert_ok(bis_viewer_create(w->d, notify, &told, &v));
		for (int i = 0; i < 20; i++) {
			bis_viewer_watch(v, i % 4);
			bis_viewer_update(v, &view);
			assert_in_range(view.n_rects, 0, BIS_VIEW_RECTS);
			for (size_t k = 0; k < view.n_rects; k++) {
				int err = bis_viewer_read(v, &view.rects[k], pixels, 128 * 4);

				assert_true(!err || err == -ERANGE);
			}
			bis_viewer_wish(v, 100, 100);
			atomic_fetch_add(&w->looks, 1);
		}
		bis_viewer_destroy(v);
	}
	free(pixels);
	return NULL;
}

/* One step of a device that changes its mind, as a hart does it: with the device lock held. */
static void change(struct fixture *f, unsigned i)
{
	struct bis_surface s = in_guest(BASE + (i % 7) * 0x4000);
	uint32_t *own = NULL;

	bis_machine_lock_devices(f->m);
	s.width = 1 + i % 120;
	s.height = 1 + i / 3 % 120;
	s.pitch = s.width * 4;
	s.format = (enum bis_pixel_format)(i % 2);
	show(f, &s);
	put(f, i % 0x8000 & ~3u, i);
	if (i % 3 == 0) {
		own = calloc((size_t)s.width * s.height, 4);
		s.in_guest = false;
		s.pixels = own;
		show(f, &s);
		bis_display_lock(f->d);
		own[0] = i;
		bis_display_damage(f->d, &(struct bis_rect){0, 0, 1, 1});
		bis_display_unlock(f->d);
	}
	if (i % 5 == 0)
		show(f, NULL);
	if (i % 11 == 0) {
		bis_display_detach(f->d, f);
		assert_ok(bis_display_attach(f->d, &ops, f));
	}
	if (own)
		show(f, NULL);
	free(own);
	bis_machine_unlock_devices(f->m);
}

static void viewers_look_while_the_device_changes_what_is_shown(void **state)
{
	struct fixture *f = *state;
	struct watcher w = {.d = f->d};
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, watch, &w), 0);
	for (unsigned i = 0; i < 3000 || atomic_load(&w.looks) < 100; i++)
		change(f, i);
	atomic_store(&w.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_look_sees_all_and_then_only_written_lines),
		TEST(a_picture_in_the_middle_of_a_page_has_its_own_lines),
		TEST(a_page_flip_damages_all_and_the_same_picture_again_nothing),
		TEST(another_size_is_another_generation),
		TEST(viewers_see_what_each_has_not_seen),
		TEST(without_a_dirty_reader_everything_counts_as_changed),
		TEST(nobody_watches_while_the_only_viewer_does_not),
		TEST(a_viewer_that_does_not_watch_hears_only_of_what_is_shown),
		TEST(wishes_are_cut_to_what_can_be),
		TEST(viewers_look_while_the_device_changes_what_is_shown),
	};

	return cmocka_run_group_tests_name("display viewers", tests, NULL, NULL);
}
