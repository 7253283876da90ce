/*
 * Displays: dev/NAME/frame.png, what a display shows, and dev/NAME/info for a display that no device has the name of.
 * A picture is taken when it is opened; looking is being a viewer for as long as that takes.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/display.h>
#include <biscuit/error.h>

#include "frontend/image/png.h"
#include "frontend/inspect/inspect_internal.h"

/* A guest that draws only while somebody looks has so long to begin. */
#define PATIENCE_MS 250

/* --- Waiting for a guest to show something --- */

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool told; /* lock */
};

static void tell(void *arg)
{
	struct waiting *w = arg;

	pthread_mutex_lock(&w->lock);
	w->told = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static struct timespec deadline(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += PATIENCE_MS * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static bool wait_told(struct waiting *w, const struct timespec *until)
{
	bool told;

	pthread_mutex_lock(&w->lock);
	while (!w->told && !pthread_cond_timedwait(&w->changed, &w->lock, until))
		;
	told = w->told;
	w->told = false;
	pthread_mutex_unlock(&w->lock);
	return told;
}

/*
 * Looks until something is shown, at most PATIENCE_MS; a machine at rest will show no more than it does. Then calls
 * `use` (which may be NULL) while it still looks: a guest that nobody looks at may show nothing any more.
 */
static int see(struct inspect *in, struct bis_display *d, struct bis_view *view,
	       int (*use)(struct bis_display *d, struct inspect_text *out), struct inspect_text *out)
{
	struct waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct timespec until = deadline();
	pthread_condattr_t attr;
	struct bis_viewer *v;
	int err;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w.changed, &attr);
	pthread_condattr_destroy(&attr);
	err = bis_viewer_create(d, tell, &w, &v);
	if (!err) {
		do
			bis_viewer_update(v, view);
		while (!view->width && bis_machine_state(in->machine) == BIS_RUNNING && wait_told(&w, &until));
		if (use)
			err = use(d, out);
		bis_viewer_destroy(v);
	}
	pthread_cond_destroy(&w.changed);
	pthread_mutex_destroy(&w.lock);
	return err;
}

/* --- The files --- */

/* Displays stay as long as the machine. */
static struct bis_display *display_of(struct inspect *in, const struct inspect_node *n)
{
	return bis_display_find(in->machine, n->parent->name);
}

static int put_frame(struct bis_display *d, struct inspect_text *out)
{
	size_t size = 0;
	void *data = NULL;
	int err = png_of_display(d, true, &data, &size);

	if (err == -ENODATA)
		return bis_fail(ENODATA, "the guest shows nothing on the display '%s'", bis_display_name(d));
	if (!err)
		inspect_put_bytes(out, data, size);
	free(data);
	return err;
}

static int generate_frame(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct bis_display *d = display_of(in, n);
	struct bis_view view;

	return d ? see(in, d, &view, put_frame, out) : bis_fail(ENODEV, "there is no display '%s'", n->parent->name);
}

static int generate_info(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct bis_display *d = display_of(in, n);
	struct bis_view view;
	int err = d ? see(in, d, &view, NULL, NULL) : bis_fail(ENODEV, "there is no display '%s'", n->parent->name);

	if (err)
		return err;
	inspect_put(out, "summary display: frame.png is what it shows\n");
	inspect_put(out, "size %ux%u\n", view.width, view.height);
	if (view.cursor_shown)
		inspect_put(out, "pointer %u,%u\n", view.cursor_x, view.cursor_y);
	return 0;
}

static const struct inspect_type frame_type = {
	.kind = INSPECT_TEXT, .apart = true, .sized = true, .generate = generate_frame};
static const struct inspect_type info_type = {.kind = INSPECT_TEXT, .generate = generate_info};

static const struct inspect_row frame_row = {"frame.png", &frame_type, NULL};
static const struct inspect_row rows[] = {
	{"info", &info_type, NULL},
	{"frame.png", &frame_type, NULL},
	{0},
};

static const struct inspect_type display_type = {.kind = INSPECT_DIR, .rows = rows};

/* --- Where they lie --- */

const struct inspect_row *inspect_display_row(struct inspect *in, const char *device)
{
	return bis_display_find(in->machine, device) ? &frame_row : NULL;
}

/* Is there a directory of that name already, or can there be none? */
static bool is_taken(struct inspect *in, const char *name)
{
	char device[INSPECT_NAME_MAX];

	for (size_t i = 0; inspect_module_name(in, true, i, device); i++)
		if (!strcmp(device, name))
			return true;
	return strlen(name) >= INSPECT_NAME_MAX || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..");
}

bool inspect_display_child(struct inspect *in, size_t index, struct inspect_child *out)
{
	struct bis_display *d;

	for (size_t i = 0; (d = bis_display_at(in->machine, i)); i++) {
		const char *name = bis_display_name(d);

		if (is_taken(in, name) || index--)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", name);
		out->type = &display_type;
		return true;
	}
	return false;
}
