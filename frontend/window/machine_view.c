/* The machine in the window: what it does now, from the same tables as the inspection files; see view.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <biscuit/error.h>

#include "frontend/window/machine_view_internal.h"

enum { ASK_MS = 1000 };

static void on_news(void *arg)
{
	struct machine_view *v = arg;

	v->host->wake(v->host->arg);
}

static bool machine_update(void *self, bool shown, int *again_ms)
{
	struct machine_view *v = self;
	char reply[512];

	*again_ms = -1;
	if (!shown)
		return false;
	*again_ms = ASK_MS; /* the sampler wakes the window sooner */
	sampler_want(v->sampler, v->hart);
	if (sampler_reply(v->sampler, reply, sizeof(reply)))
		v->host->tell(v->host->arg, reply);
	if (!sampler_take(v->sampler, &v->now))
		return false;
	v->have = true;
	v->hart = v->hart < v->now.n_harts ? v->hart : 0;
	return true;
}

static void machine_view_draw(void *self, SDL_Renderer *r, const SDL_Rect *area)
{
	machine_draw(self, r, area);
}

/* --- Keyboard and mouse --- */

static void run_or_pause(struct machine_view *v)
{
	sampler_order(v->sampler, bis_machine_state(v->machine) == BIS_PAUSED ? "resume" : "pause");
}

static void choose_hart(struct machine_view *v, int hart)
{
	if (hart >= 0 && (unsigned)hart < bis_machine_harts(v->machine))
		v->hart = (unsigned)hart;
	sampler_want(v->sampler, v->hart);
}

static bool on_key(struct machine_view *v, const SDL_KeyboardEvent *k)
{
	SDL_Keycode sym = k->keysym.sym;

	if (k->keysym.mod & (KMOD_CTRL | KMOD_ALT))
		return false;
	if (sym == SDLK_SPACE || sym == SDLK_p)
		run_or_pause(v);
	else if (sym == SDLK_s)
		sampler_order(v->sampler, "step");
	else if (sym >= SDLK_0 && sym <= SDLK_9)
		choose_hart(v, sym - SDLK_0);
	else
		return false;
	return true;
}

static void on_click(struct machine_view *v, int x, int y)
{
	for (unsigned i = 0; i < v->n_buttons; i++) {
		int what = v->buttons[i].what;

		if (!pen_over(&v->buttons[i].rect, x, y))
			continue;
		if (what == BUTTON_RUN)
			run_or_pause(v);
		else if (what == BUTTON_STEP)
			sampler_order(v->sampler, "step");
		else
			choose_hart(v, what - BUTTON_HART);
		return;
	}
}

static bool machine_event(void *self, const SDL_Event *e, const SDL_Rect *area)
{
	struct machine_view *v = self;

	(void)area;
	switch (e->type) {
	case SDL_KEYDOWN:
		return on_key(v, &e->key);
	case SDL_MOUSEBUTTONDOWN:
		if (e->button.button == SDL_BUTTON_LEFT)
			on_click(v, e->button.x, e->button.y);
		return true;
	case SDL_MOUSEMOTION:
		v->pointer_x = e->motion.x;
		v->pointer_y = e->motion.y;
		return true;
	default:
		return false;
	}
}

static void machine_resized(void *self, const SDL_Rect *area)
{
	(void)self;
	(void)area;
}

static void machine_renew(void *self)
{
	(void)self;
}

static void machine_destroy(void *self)
{
	struct machine_view *v = self;

	sampler_destroy(v->sampler);
	free(v);
}

static const struct view_ops machine_ops = {
	.title = "machine",
	.update = machine_update,
	.draw = machine_view_draw,
	.event = machine_event,
	.resized = machine_resized,
	.renew = machine_renew,
	.destroy = machine_destroy,
};

int machine_view(const struct view_host *host, struct view *out)
{
	struct machine_view *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return bis_fail(ENOMEM, "no memory for the picture of the machine");
	v->host = host;
	v->machine = debug_machine(host->debug);
	v->pointer_x = v->pointer_y = -1;
	snprintf(v->engine, sizeof(v->engine), "%s", bis_machine_engine(v->machine));
	err = sampler_create(host->debug, on_news, v, &v->sampler);
	if (err) {
		free(v);
		return err;
	}
	out->ops = &machine_ops;
	out->self = v;
	out->name[0] = '\0';
	return 0;
}
