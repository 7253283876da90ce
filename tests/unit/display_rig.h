/* A display with a device that notes wishes, and a viewer of it. */
#ifndef BISCUIT_UNIT_DISPLAY_RIG_H
#define BISCUIT_UNIT_DISPLAY_RIG_H

#include <stdlib.h>

#include <biscuit/display.h>

#include "tests/unit/fake_machine.h"

#define BASE	 (BIS_RAM_BASE + 0x10000)
#define W	 64u
#define H	 48u
#define PITCH	 (W * 4)
#define PER_PAGE (4096 / PITCH) /* lines of a page */

struct fixture {
	struct bis_machine *m;
	struct bis_display *d;
	struct bis_viewer *v;
	struct bis_view view;
	unsigned notified;
	uint32_t wished[2];
	unsigned wishes, watched; /* how often it was told of them */
};

static inline void notify(void *arg)
{
	(*(unsigned *)arg)++;
}

static inline void wish(void *self, uint32_t width, uint32_t height)
{
	struct fixture *f = self;

	f->wished[0] = width;
	f->wished[1] = height;
	f->wishes++;
}

static inline void watched(void *self)
{
	((struct fixture *)self)->watched++;
}

static const struct bis_display_ops ops = {.wish = wish, .watched = watched};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = fake_create(1);
	assert_ok(bis_display_open(f->m, "fb", &f->d));
	assert_ok(bis_display_attach(f->d, &ops, f));
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	bis_viewer_destroy(f->v);
	fake_destroy(f->m);
	free(f);
	return 0;
}

static inline struct bis_surface in_guest(uint64_t base)
{
	return (struct bis_surface){.width = W,
				    .height = H,
				    .pitch = PITCH,
				    .format = BIS_PIXEL_XRGB8888,
				    .in_guest = true,
				    .base = {base}};
}

static inline void show(struct fixture *f, const struct bis_surface *s)
{
	assert_ok(bis_display_show(f->d, s));
}

/* A viewer that has seen everything. */
static inline void look(struct fixture *f)
{
	assert_ok(bis_viewer_create(f->d, notify, &f->notified, &f->v));
	bis_viewer_update(f->v, &f->view);
	f->notified = 0;
}

static inline const struct bis_view *update(struct fixture *f)
{
	bis_viewer_update(f->v, &f->view);
	return &f->view;
}

static inline void put(struct fixture *f, uint64_t off, uint32_t pixel)
{
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){BASE + off}, &pixel, sizeof(pixel)));
}

#define assert_rect(view, index, rx, ry, rw, rh)                                                                       \
	do {                                                                                                           \
		assert_int_equal((view)->rects[index].x, rx);                                                          \
		assert_int_equal((view)->rects[index].y, ry);                                                          \
		assert_int_equal((view)->rects[index].width, rw);                                                      \
		assert_int_equal((view)->rects[index].height, rh);                                                     \
	} while (0)

#define assert_whole(view, w, h)                                                                                       \
	do {                                                                                                           \
		assert_int_equal((view)->n_rects, 1);                                                                  \
		assert_rect(view, 0, 0, 0, w, h);                                                                      \
	} while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
