/*
 * The guest's screen in the window: a viewer of a display and a streaming texture into which what has changed is read
 * directly. Surfaces whose changes are found by looking are looked at 60 times a second while they change, and ever
 * more seldom while they do not; while another view is shown nobody watches, so that the guest need not draw. On the
 * window's thread, except for `notice`.
 */
#include "frontend/window/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/keys.h"
#include "frontend/window/screen_internal.h"
#include "frontend/window/text.h"

enum {
	FRAME_US = 16667,   /* between two looks at what is shown */
	HIDDEN_US = 500000, /* the same while another view is; and how long it goes on watching then */
	SELDOM_US = 100000, /* between looks at what does not change */
};
static const uint64_t never = UINT64_MAX;

/* --- Finding out --- */

/* On any thread, with the display's lock held. */
static void notice(void *arg)
{
	struct screen *s = arg;

	atomic_store(&s->noticed, true);
	s->host->wake(s->host->arg);
}

/* Keeps what the texture does not have yet. */
static void keep_pending(struct screen *s, const struct bis_view *v)
{
	if (s->stale)
		return;
	if (s->n_pending + v->n_rects > BIS_VIEW_RECTS) {
		s->stale = true;
		return;
	}
	memcpy(&s->pending[s->n_pending], v->rects, v->n_rects * sizeof(v->rects[0]));
	s->n_pending += v->n_rects;
}

static bool cursor_differs(const struct bis_view *a, const struct bis_view *b)
{
	return a->cursor != b->cursor || a->cursor_shown != b->cursor_shown ||
	       (b->cursor_shown && (a->cursor_x != b->cursor_x || a->cursor_y != b->cursor_y));
}

static void place(struct screen *s)
{
	struct box area = {s->area.x, s->area.y, s->area.w, s->area.h};

	s->place = geometry_place(area, s->view.width, s->view.height, s->factor, s->fit);
}

/* True: there is something else to be seen. */
static bool look(struct screen *s)
{
	struct bis_view v;
	bool resized, cursor;

	bis_viewer_update(s->viewer, &v);
	resized = v.generation != s->view.generation || v.width != s->view.width || v.height != s->view.height;
	cursor = cursor_differs(&s->view, &v);
	if (resized)
		s->stale = true;
	keep_pending(s, &v);
	s->view = v;
	if (resized)
		place(s);
	if (resized || cursor)
		guest_cursor_update(s);
	return resized || cursor || v.n_rects > 0;
}

static unsigned next_interval(unsigned interval, bool changed)
{
	if (changed)
		return FRAME_US;
	interval += interval / 8 + 1;
	return interval < SELDOM_US ? interval : SELDOM_US;
}

/* Milliseconds until a moment, which has come when its millisecond has begun. */
static int until(uint64_t when, uint64_t now)
{
	if (when == never)
		return -1;
	return when / 1000 > now / 1000 ? (int)(when / 1000 - now / 1000) : 0;
}

static int sooner(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

/* When to look next: noticed things as soon as a frame has passed. */
static int next_look(struct screen *s, uint64_t now)
{
	uint64_t when = atomic_load(&s->noticed) ? s->next_look : s->next_polled;

	return until(when < s->next_look ? s->next_look : when, now);
}

/* Frames are counted from the last one's time, not from when the thread got to it, so that there are 60 a second. */
static void plan(struct screen *s, uint64_t now, bool shown)
{
	uint64_t frame = shown ? FRAME_US : HIDDEN_US;

	s->next_look = s->next_look + frame > now ? s->next_look + frame : now + frame;
	if (!shown || !s->view.poll)
		s->next_polled = never;
	else
		s->next_polled = s->interval > FRAME_US ? now + s->interval : s->next_look;
}

/* Guests may draw only for somebody who watches: a screen that shows nothing yet is waited for, shown or not. */
static void watch(struct screen *s, uint64_t now, bool shown)
{
	bool wanted = shown || !s->view.width;

	if (wanted || !s->watching)
		s->leave = never;
	else if (s->leave == never)
		s->leave = now + HIDDEN_US;
	wanted |= s->watching && now < s->leave;
	if (wanted == s->watching)
		return;
	bis_viewer_watch(s->viewer, wanted);
	s->watching = wanted;
	s->leave = never;
}

static bool update(void *self, bool shown, int *again_ms)
{
	struct screen *s = self;
	uint64_t now = SDL_GetTicks64() * 1000;
	bool changed = false;
	int paste;

	if (shown && !s->shown)
		s->next_look = s->next_polled = now;
	s->shown = shown;
	watch(s, now, shown);
	paste = guest_keys_paste_on(&s->keys, s->host, now / 1000);
	if (next_look(s, now) == 0) {
		atomic_store(&s->noticed, false);
		changed = look(s);
		watch(s, now, shown);
		s->interval = next_interval(s->interval, changed);
		plan(s, now, shown);
	}
	changed |= s->cursor.changed;
	s->cursor.changed = false;
	*again_ms = sooner(sooner(next_look(s, now), until(s->leave, now)), paste);
	return changed && shown;
}

/* Something was done to the guest, to which it may answer. */
static void look_soon(struct screen *s)
{
	s->interval = FRAME_US;
	if (s->next_polled != never && s->next_polled > s->next_look)
		s->next_polled = s->next_look;
}

/* --- Drawing --- */

static void forget_texture(struct screen *s)
{
	if (s->texture)
		SDL_DestroyTexture(s->texture);
	s->texture = NULL;
	s->stale = true;
}

/* The format is that of windows on most screens, so that the software renderer only copies. */
static bool have_texture(struct screen *s, SDL_Renderer *r)
{
	if (s->texture && s->texture_width == s->view.width && s->texture_height == s->view.height)
		return true;
	forget_texture(s);
	s->texture = SDL_CreateTexture(r, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING, (int)s->view.width,
				       (int)s->view.height);
	s->texture_width = s->view.width;
	s->texture_height = s->view.height;
	return s->texture != NULL;
}

static void upload(struct screen *s, const struct bis_rect *r)
{
	SDL_Rect part = {(int)r->x, (int)r->y, (int)r->width, (int)r->height};
	void *pixels;
	int pitch;

	if (r->x > s->texture_width || r->width > s->texture_width - r->x || r->y > s->texture_height ||
	    r->height > s->texture_height - r->y || !r->width || !r->height)
		return;
	if (SDL_LockTexture(s->texture, &part, &pixels, &pitch))
		return;
	/* A picture that has become another meanwhile is found at the next look. */
	(void)!bis_viewer_read(s->viewer, r, pixels, (size_t)pitch);
	SDL_UnlockTexture(s->texture);
}

static void upload_pending(struct screen *s)
{
	struct bis_rect all = {0, 0, s->texture_width, s->texture_height};

	if (s->stale)
		upload(s, &all);
	for (size_t i = 0; i < s->n_pending && !s->stale; i++)
		upload(s, &s->pending[i]);
	s->stale = false;
	s->n_pending = 0;
}

static void draw_nothing(const struct screen *s, const SDL_Rect *area)
{
	static const char line[] = "The guest shows no picture yet.";
	SDL_Color grey = {140, 140, 140, 255};
	int width = (int)(sizeof(line) - 1) * text_width(s->host->text);

	text_line(s->host->text, area->x + (area->w - width) / 2, area->y + (area->h - text_height(s->host->text)) / 2,
		  line, (int)sizeof(line) - 1, 0, grey);
}

static void draw(void *self, SDL_Renderer *r, const SDL_Rect *area)
{
	struct screen *s = self;
	SDL_Rect to = {s->place.x, s->place.y, s->place.width, s->place.height};

	if (to.w != area->w || to.h != area->h) {
		SDL_SetRenderDrawColor(r, 0, 0, 0, 255);
		SDL_RenderFillRect(r, area);
	}
	if (!s->view.width) {
		draw_nothing(s, area);
		return;
	}
	if (!have_texture(s, r))
		return;
	upload_pending(s);
	SDL_SetTextureScaleMode(s->texture, geometry_is_whole(s->place, s->view.width, s->view.height)
						    ? SDL_ScaleModeNearest
						    : SDL_ScaleModeLinear);
	SDL_RenderCopy(r, s->texture, NULL, &to);
	guest_cursor_draw(s, r);
}

/* --- What the window tells it --- */

static bool is_with_control_and_alt(const SDL_KeyboardEvent *k)
{
	return (k->keysym.mod & KMOD_CTRL) && (k->keysym.mod & KMOD_LALT);
}

static void paste(struct screen *s)
{
	char *text = SDL_GetClipboardText();

	if (text)
		guest_keys_paste(&s->keys, s->host, text);
	SDL_free(text);
	s->host->wake(s->host->arg);
}

static bool on_key(struct screen *s, const SDL_KeyboardEvent *k)
{
	bool down = k->type == SDL_KEYDOWN, mine = down && is_with_control_and_alt(k);
	uint16_t code = keys_code(k->keysym.scancode);

	if (mine && k->keysym.sym == SDLK_g) {
		if (!k->repeat)
			screen_grab(s, !screen_grabbed());
	} else if (mine && k->keysym.sym == SDLK_v) {
		if (!k->repeat)
			paste(s);
	} else if (code && down) {
		guest_keys_press(&s->keys, BIS_INPUT_KEY, code, k->repeat);
	} else if (code) {
		guest_keys_release(&s->keys, BIS_INPUT_KEY, code);
	}
	return true;
}

static bool event(void *self, const SDL_Event *e, const SDL_Rect *area)
{
	struct screen *s = self;

	(void)area;
	look_soon(s);
	switch (e->type) {
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		return on_key(s, &e->key);
	case SDL_TEXTINPUT:
		if (!(SDL_GetModState() & (KMOD_CTRL | KMOD_LALT | KMOD_GUI)))
			guest_keys_text(&s->keys, e->text.text);
		return true;
	default:
		return screen_pointer(s, e);
	}
}

static void resized(void *self, const SDL_Rect *area)
{
	struct screen *s = self;

	s->area = *area;
	place(s);
	guest_cursor_update(s);
}

static void renew(void *self)
{
	struct screen *s = self;

	forget_texture(s);
	guest_cursor_renew(&s->cursor);
}

static void focus(void *self, bool focused)
{
	struct screen *s = self;

	s->focused = focused;
	if (!focused) {
		screen_grab(s, false);
		guest_keys_let_go(&s->keys);
		s->dragging = s->inside = false;
	}
	guest_cursor_update(s);
	look_soon(s);
}

static void destroy(void *self)
{
	struct screen *s = self;

	focus(s, false);
	bis_viewer_destroy(s->viewer);
	guest_keys_paste_end(&s->keys);
	guest_cursor_destroy(&s->cursor);
	forget_texture(s);
	free(s);
}

static const struct view_ops ops = {
	.title = "screen",
	.update = update,
	.draw = draw,
	.event = event,
	.resized = resized,
	.renew = renew,
	.focus = focus,
	.destroy = destroy,
};

int screen_view(const struct view_host *host, struct bis_display *display, struct view *out)
{
	struct screen *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return bis_fail(ENOMEM, "no memory for a view of the display '%s'", bis_display_name(display));
	s->host = host;
	s->machine = s->keys.machine = debug_machine(host->debug);
	s->display = display;
	s->interval = FRAME_US;
	s->stale = s->watching = true;
	s->leave = never;
	atomic_init(&s->noticed, true);
	err = bis_viewer_create(display, notice, s, &s->viewer);
	if (err) {
		free(s);
		return err;
	}
	*out = (struct view){.ops = &ops, .self = s};
	snprintf(out->name, sizeof(out->name), "%s", bis_display_name(display));
	return 0;
}

/* --- What the window asks --- */

bool screen_is(const struct view *v)
{
	return v->ops == &ops;
}

struct bis_display *screen_display(const struct view *v)
{
	return ((struct screen *)v->self)->display;
}

bool screen_size(const struct view *v, uint32_t *width, uint32_t *height)
{
	const struct screen *s = v->self;

	*width = s->view.width;
	*height = s->view.height;
	return s->view.width > 0;
}

bool screen_can_resize(const struct view *v)
{
	return ((struct screen *)v->self)->view.can_resize;
}

void screen_wish(const struct view *v, uint32_t width, uint32_t height)
{
	bis_viewer_wish(((struct screen *)v->self)->viewer, width, height);
}

void screen_set_scale(const struct view *v, double factor, enum fit fit)
{
	struct screen *s = v->self;

	s->factor = factor;
	s->fit = fit;
	place(s);
	guest_cursor_update(s);
}

bool screen_needs_grab(const struct view *v)
{
	unsigned kinds = bis_input_kinds(((struct screen *)v->self)->machine);

	return (kinds & 1u << BIS_INPUT_RELATIVE) && !(kinds & 1u << BIS_INPUT_ABSOLUTE);
}
