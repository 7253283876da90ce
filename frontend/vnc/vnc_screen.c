/*
 * From the machine's displays to the library's screen: which display is shown, what of it has changed, its size and its
 * pointer. Runs on the server's thread. Displays are watched only while there are clients, so that without one nothing
 * is done at all.
 */
#include "frontend/vnc/vnc_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <biscuit/error.h>

#define BLANK_WIDTH  640
#define BLANK_HEIGHT 480
#define BLANK_COLOUR 0xff20242cu

/* ms between looks: for memory that has changed lately; for memory that has been still for a while. */
enum { LOOK_LIVELY = 16, LOOK_STILL = 50, STILL_AFTER = 2000 };

#define BAND 16 /* lines whose changes are told together */

/* --- The library's screen --- */

/* Colours where XRGB8888 has them. Clients' translations are made anew. */
static void set_format(rfbScreenInfoPtr s)
{
	rfbClientIteratorPtr i;
	rfbClientPtr cl;

	s->serverFormat.redShift = 16;
	s->serverFormat.greenShift = 8;
	s->serverFormat.blueShift = 0;
	i = rfbGetClientIterator(s);
	while ((cl = rfbClientIteratorNext(i)))
		s->setTranslateFunction(cl);
	rfbReleaseClientIterator(i);
}

static int make_pixels(uint32_t width, uint32_t height, uint32_t **pixels, uint32_t **scratch)
{
	*pixels = malloc((size_t)width * height * sizeof(**pixels));
	*scratch = malloc((size_t)width * height * sizeof(**scratch));
	if (*pixels && *scratch)
		return 0;
	free(*pixels);
	free(*scratch);
	return bis_fail(ENOMEM, "VNC: no memory for a picture");
}

static void blank(struct vnc *v)
{
	for (size_t i = 0; i < (size_t)v->rfb->width * (size_t)v->rfb->height; i++)
		v->pixels[i] = BLANK_COLOUR;
}

/*
 * The library calls this before it sends a picture. A client that cannot be told of another size would take the new
 * picture for one of the old size: it has to go.
 */
static void drop_if_rigid(rfbClientPtr cl)
{
	if (cl->newFBSizePending && !cl->useNewFBSize)
		rfbCloseClient(cl);
}

int vnc_screen_create(struct vnc *v)
{
	int none = 0, err = make_pixels(BLANK_WIDTH, BLANK_HEIGHT, &v->pixels, &v->scratch);

	if (err)
		return err;
	v->rfb = rfbGetScreen(&none, NULL, BLANK_WIDTH, BLANK_HEIGHT, 8, 3, 4);
	if (!v->rfb)
		return bis_fail(ENOMEM, "VNC: no memory for a screen");
	v->rfb->frameBuffer = (char *)v->pixels;
	v->rfb->cursor = NULL;
	v->rfb->displayHook = drop_if_rigid;
	set_format(v->rfb);
	blank(v);
	return 0;
}

void vnc_screen_destroy(struct vnc *v)
{
	if (v->rfb)
		rfbScreenCleanup(v->rfb);
	free(v->pixels);
	free(v->scratch);
}

/*
 * All clients that know a size are told of the new one with the next picture that they ask for. Which of them can be
 * told is not known yet of one whose list of encodings is still to come.
 */
static void announce_size(struct vnc *v)
{
	rfbClientIteratorPtr i = rfbGetClientIterator(v->rfb);
	rfbClientPtr cl;

	while ((cl = rfbClientIteratorNext(i)))
		cl->newFBSizePending = cl->state == RFB_NORMAL;
	rfbReleaseClientIterator(i);
}

/* False without memory: all stays. */
static bool resize(struct vnc *v, uint32_t width, uint32_t height)
{
	uint32_t *pixels, *scratch;

	if ((uint32_t)v->rfb->width == width && (uint32_t)v->rfb->height == height)
		return true;
	if (make_pixels(width, height, &pixels, &scratch))
		return false;
	rfbNewFramebuffer(v->rfb, (char *)pixels, (int)width, (int)height, 8, 3, 4);
	announce_size(v);
	set_format(v->rfb);
	free(v->pixels);
	free(v->scratch);
	v->pixels = pixels;
	v->scratch = scratch;
	blank(v);
	return true;
}

/* --- Watching --- */

static void notify(void *arg)
{
	struct vnc *v = arg;

	(void)eventfd_write(v->wake, 1);
}

static void find_displays(struct vnc *v)
{
	struct bis_display *d;

	while (v->n_sources < VNC_DISPLAYS_MAX && (d = bis_display_at(v->machine, v->n_sources)))
		v->sources[v->n_sources++] = (struct vnc_source){.display = d};
}

/* A display with too many viewers is left out until there is room. */
void vnc_screen_watch(struct vnc *v)
{
	find_displays(v);
	for (size_t i = 0; i < v->n_sources; i++) {
		struct vnc_source *s = &v->sources[i];

		if (!s->viewer && bis_viewer_create(s->display, notify, v, &s->viewer))
			s->viewer = NULL;
	}
}

void vnc_screen_unwatch(struct vnc *v)
{
	for (size_t i = 0; i < v->n_sources; i++) {
		struct vnc_source *s = &v->sources[i];

		bis_viewer_destroy(s->viewer);
		*s = (struct vnc_source){.display = s->display};
	}
	v->shown = NULL;
}

/* The display that began to show something last. */
static struct vnc_source *update_sources(struct vnc *v)
{
	struct vnc_source *latest = NULL;

	for (size_t i = 0; i < v->n_sources; i++) {
		struct vnc_source *s = &v->sources[i];

		if (!s->viewer)
			continue;
		bis_viewer_update(s->viewer, &s->view);
		if (s->view.width && (!latest || s->view.since > latest->view.since))
			latest = s;
	}
	return latest;
}

/* --- Pixels --- */

/* Takes a line over: the first and the last of its pixels that differ widen [*first, *end). */
static void take_line(uint32_t *to, const uint32_t *from, uint32_t width, uint32_t *first, uint32_t *end)
{
	uint32_t left = 0, right = width;

	if (!memcmp(to, from, width * sizeof(*to)))
		return;
	while (to[left] == from[left])
		left++;
	while (to[right - 1] == from[right - 1])
		right--;
	memcpy(to + left, from + left, (right - left) * sizeof(*to));
	if (left < *first)
		*first = left;
	if (right > *end)
		*end = right;
}

/* Takes a part of the display over and tells the clients what of it differs. */
static void take_part(struct vnc *v, const struct bis_rect *r)
{
	size_t pitch = (size_t)v->rfb->width;

	if (bis_viewer_read(v->shown->viewer, r, v->scratch, r->width * sizeof(*v->scratch)))
		return; /* it is another size by now, which the next look finds */
	for (uint32_t y = 0; y < r->height; y += BAND) {
		uint32_t lines = r->height - y < BAND ? r->height - y : BAND;
		uint32_t first = r->width, end = 0;

		for (uint32_t i = y; i < y + lines; i++)
			take_line(v->pixels + (r->y + i) * pitch + r->x, v->scratch + (size_t)i * r->width, r->width,
				  &first, &end);
		if (first < end) {
			rfbMarkRectAsModified(v->rfb, (int)(r->x + first), (int)(r->y + y), (int)(r->x + end),
					      (int)(r->y + y + lines));
			v->last_change = v->last_look;
		}
	}
}

static void show_blank(struct vnc *v)
{
	blank(v);
	rfbMarkRectAsModified(v->rfb, 0, 0, v->rfb->width, v->rfb->height);
}

/* Another display, or another size of it. */
static void change_source(struct vnc *v, struct vnc_source *s)
{
	struct bis_rect all = {0, 0, s->view.width, s->view.height};

	if (!resize(v, s->view.width, s->view.height))
		return;
	v->shown = s;
	v->generation = s->view.generation;
	v->cursor = s->view.cursor - 1; /* another than it is */
	take_part(v, &all);
}

/* --- The pointer's image --- */

/* For clients that know two colours alone: dark pixels black, others white. */
static void make_plain_cursor(rfbCursorPtr c, const struct bis_cursor *from)
{
	size_t pitch = (from->width + 7) / 8;

	for (uint32_t i = 0; i < from->width * from->height; i++) {
		uint32_t p = from->pixels[i], x = i % from->width, y = i / from->width;
		unsigned char bit = (unsigned char)(0x80 >> x % 8);

		if (p >> 24 >= 128)
			c->mask[y * pitch + x / 8] |= bit;
		if ((p >> 16 & 0xff) + (p >> 8 & 0xff) + (p & 0xff) < 384)
			c->source[y * pitch + x / 8] |= bit;
	}
}

/* The library frees it. NULL without memory. */
static rfbCursorPtr make_cursor(const struct bis_cursor *from)
{
	size_t pixels = (size_t)from->width * from->height, plain = (from->width + 7) / 8 * (size_t)from->height;
	rfbCursorPtr c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->cleanup = c->cleanupSource = c->cleanupMask = c->cleanupRichSource = TRUE;
	c->width = (unsigned short)from->width;
	c->height = (unsigned short)from->height;
	c->xhot = (unsigned short)from->hot_x;
	c->yhot = (unsigned short)from->hot_y;
	c->backRed = c->backGreen = c->backBlue = 0xffff;
	c->source = calloc(1, plain);
	c->mask = calloc(1, plain);
	c->richSource = malloc(pixels * 4);
	c->alphaSource = malloc(pixels);
	if (!c->source || !c->mask || !c->richSource || !c->alphaSource) {
		rfbFreeCursor(c);
		return NULL;
	}
	memcpy(c->richSource, from->pixels, pixels * 4);
	for (size_t i = 0; i < pixels; i++)
		c->alphaSource[i] = (unsigned char)(from->pixels[i] >> 24);
	make_plain_cursor(c, from);
	return c;
}

static void change_cursor(struct vnc *v)
{
	struct bis_cursor *image = v->cursor_shown ? malloc(sizeof(*image)) : NULL;
	rfbCursorPtr cursor = NULL;

	if (image)
		bis_viewer_cursor(v->shown->viewer, image);
	if (image && image->width)
		cursor = make_cursor(image);
	free(image);
	rfbSetCursor(v->rfb, cursor);
}

/* Who moves the pointer sees it where they have it; the others are told where the guest has it. */
static void move_cursor(struct vnc *v, int x, int y)
{
	rfbClientIteratorPtr i;
	rfbClientPtr cl;

	if (v->rfb->cursorX == x && v->rfb->cursorY == y)
		return;
	v->rfb->cursorX = x;
	v->rfb->cursorY = y;
	i = rfbGetClientIterator(v->rfb);
	while ((cl = rfbClientIteratorNext(i))) {
		struct vnc_client *c = cl->clientData;

		if (!c || abs(c->x - x) > 1 || abs(c->y - y) > 1)
			cl->cursorWasMoved = TRUE;
	}
	rfbReleaseClientIterator(i);
}

static void look_at_cursor(struct vnc *v)
{
	const struct bis_view *view = v->shown ? &v->shown->view : NULL;
	bool shown = view && view->cursor_shown;
	unsigned number = view ? view->cursor : v->cursor;

	if (shown != v->cursor_shown || number != v->cursor) {
		v->cursor_shown = shown;
		v->cursor = number;
		change_cursor(v);
	}
	if (shown)
		move_cursor(v, (int)view->cursor_x, (int)view->cursor_y);
}

/* --- Looking --- */

void vnc_screen_look(struct vnc *v)
{
	struct vnc_source *s;

	v->last_look = vnc_now();
	vnc_screen_watch(v);
	s = update_sources(v);
	if (!s) {
		if (v->shown)
			show_blank(v);
		v->shown = NULL;
	} else if (s != v->shown || s->view.generation != v->generation) {
		change_source(v, s);
	} else {
		for (size_t i = 0; i < s->view.n_rects; i++)
			take_part(v, &s->view.rects[i]);
	}
	look_at_cursor(v);
}

int vnc_screen_rest(const struct vnc *v)
{
	uint64_t now = vnc_now(), period = now - v->last_change < STILL_AFTER ? LOOK_LIVELY : LOOK_STILL;
	bool poll = false;

	for (size_t i = 0; i < v->n_sources; i++)
		poll |= v->sources[i].viewer && v->sources[i].view.poll;
	if (!poll)
		return -1;
	return now - v->last_look < period ? (int)(period - (now - v->last_look)) : 0;
}
