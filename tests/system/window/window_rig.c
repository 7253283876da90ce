/*
 * window_rig [WORD...]: a machine whose hart sleeps, a window, and in place of devices this program, which does what
 * standard input says and prints what the guest would get. Words: title=TEXT, size=WxH, scale=N, fullscreen,
 * guest=WxH (the picture at first), memory (the picture lies in guest memory), fixed (it cannot be resized), drop.
 * It says "ready" when the window is there ("instrumented" before, if figures mean nothing), and "done" after each
 * order:
 *
 *   mode WxH | none                another picture, a test pattern; none at all
 *   fill RRGGBB X Y WIDTH HEIGHT   a rectangle
 *   second RRGGBB                  another display, with a picture of 400x300 in that colour
 *   cursor SIZE | move X Y         an image of the pointer (0: none); where it is
 *   takes KIND...                  what the guest takes: key text button absolute relative wheel
 *   refuse on | refuse off         the guest takes nothing though it would
 *   lost | drop PATH | close       what SDL tells of: the renderer has lost its textures, a file, the close button
 *   broken N                       the renderer fails that often
 *   redraw SECONDS                 changes the whole picture 60 times a second
 *   still SECONDS                  does nothing; both say how much processor time everything but this thread took
 *   pause | end
 *
 * It says "watched" and "unwatched" when somebody begins to look at the picture and nobody does any more.
 */
#include <SDL.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/builtin.h>
#include <biscuit/display.h>
#include <biscuit/error.h>
#include <biscuit/input.h>
#include <biscuit/machine.h>

#include "frontend/window/window.h"
#include "tests/unit/asm.h"

#define PICTURE (BIS_RAM_BASE + 0x400000)
#define FPS	60

/* Built so that it finds mistakes and takes its time. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

static const uint32_t sleeps[] = {WFI, J(-4)};
static const char *const kind_names[BIS_INPUT_KINDS] = {"key", "text", "button", "absolute", "relative", "wheel"};

struct rig {
	struct bis_machine *machine;
	struct debug *debug;
	struct window *window;
	struct bis_display *display, *other;
	struct bis_surface surface;
	uint32_t *pixels, *other_pixels;
	struct bis_display_ops ops;
	pthread_mutex_t out; /* lines are whole */
	atomic_uint kinds;
	atomic_bool refuse;
	pthread_t joiner;
};

/* Counts what the window reads. Linked with --wrap. */
static atomic_ulong reads;
int __real_bis_viewer_read(struct bis_viewer *v, const struct bis_rect *rect, uint32_t *to, size_t pitch);
int __wrap_bis_viewer_read(struct bis_viewer *v, const struct bis_rect *rect, uint32_t *to, size_t pitch);
int __wrap_bis_viewer_read(struct bis_viewer *v, const struct bis_rect *rect, uint32_t *to, size_t pitch)
{
	atomic_fetch_add(&reads, 1);
	return __real_bis_viewer_read(v, rect, to, pitch);
}

/* Fails as often as it is told to, as if the renderer were gone. Linked with --wrap. */
static atomic_uint broken;
int __real_SDL_RenderFlush(SDL_Renderer *r);
int __wrap_SDL_RenderFlush(SDL_Renderer *r);
int __wrap_SDL_RenderFlush(SDL_Renderer *r)
{
	unsigned left = atomic_load(&broken);

	return left && atomic_fetch_sub(&broken, 1) ? -1 : __real_SDL_RenderFlush(r);
}

static void BIS_PRINTF(2, 3) say(struct rig *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&r->out);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&r->out);
	va_end(args);
}

/* --- The guest's input device --- */

static unsigned wanted(void *self)
{
	return atomic_load(&((struct rig *)self)->kinds);
}

static void print_event(struct rig *r, const struct bis_input_event *e)
{
	const char *name = kind_names[e->kind];

	switch (e->kind) {
	case BIS_INPUT_KEY:
	case BIS_INPUT_BUTTON:
		say(r, "%s %u %u", name, e->code, e->value);
		break;
	case BIS_INPUT_TEXT:
		say(r, "%s U+%04X", name, e->value);
		break;
	default:
		say(r, "%s %d %d", name, e->x, e->y);
		break;
	}
}

static size_t take(void *self, const struct bis_input_event *events, size_t count)
{
	struct rig *r = self;

	if (atomic_load(&r->refuse))
		return 0;
	for (size_t i = 0; i < count; i++)
		print_event(r, &events[i]);
	return count;
}

static const struct bis_input_ops input_ops = {
	.kinds = (1u << BIS_INPUT_KINDS) - 1,
	.wanted = wanted,
	.take = take,
};

static void order_takes(struct rig *r, const char *words)
{
	unsigned kinds = 0;

	for (unsigned i = 0; i < BIS_INPUT_KINDS; i++)
		if (strstr(words, kind_names[i]))
			kinds |= 1u << i;
	atomic_store(&r->kinds, kinds);
}

/* --- The guest's picture --- */

static void wish(void *self, uint32_t width, uint32_t height)
{
	say(self, "wish %ux%u", width, height);
}

static void watched(void *self)
{
	struct rig *r = self;

	say(r, bis_display_has_viewers(r->display) ? "watched" : "unwatched");
}

static uint32_t pattern(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	if (x == 0 || y == 0 || x == width - 1 || y == height - 1)
		return 0xffffff;
	return x * 255 / width << 16 | y * 255 / height << 8 | ((x / 32 + y / 32) % 2 ? 160 : 0);
}

static void put(struct rig *r, uint32_t x, uint32_t y, const uint32_t *line, uint32_t count)
{
	size_t at = (size_t)y * r->surface.width + x;

	if (r->surface.in_guest)
		(void)!bis_mem_write(bis_machine_memory(r->machine), (bis_gpa){PICTURE + at * 4}, line, count * 4);
	else
		memcpy(&r->pixels[at], line, count * 4);
}

static void fill(struct rig *r, uint32_t color, const struct bis_rect *rect)
{
	uint32_t line[BIS_DISPLAY_SIDE_MAX];

	if (rect->x + rect->width > r->surface.width || rect->y + rect->height > r->surface.height)
		return;
	for (uint32_t x = 0; x < rect->width; x++)
		line[x] = color;
	bis_display_lock(r->display);
	for (uint32_t y = 0; y < rect->height; y++)
		put(r, rect->x, rect->y + y, line, rect->width);
	bis_display_unlock(r->display);
	if (!r->surface.in_guest)
		bis_display_damage(r->display, rect);
}

static int order_mode(struct rig *r, uint32_t width, uint32_t height)
{
	uint32_t line[BIS_DISPLAY_SIDE_MAX], *before = r->pixels;
	int err;

	if (!width || !height || width > BIS_DISPLAY_SIDE_MAX || height > BIS_DISPLAY_SIDE_MAX)
		return bis_fail(EINVAL, "no such size");
	r->pixels = calloc((size_t)width * height, 4);
	if (!r->pixels)
		return bis_fail(ENOMEM, "no memory for the picture");
	r->surface.width = width;
	r->surface.height = height;
	r->surface.pitch = width * 4;
	r->surface.base = (bis_gpa){PICTURE};
	r->surface.pixels = r->pixels;
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++)
			line[x] = pattern(x, y, width, height);
		put(r, 0, y, line, width);
	}
	err = bis_display_show(r->display, &r->surface);
	free(before);
	return err ? bis_fail(err, "the picture cannot be shown") : 0;
}

static int order_second(struct rig *r, uint32_t color)
{
	struct bis_surface s = {.width = 400, .height = 300, .pitch = 1600};
	int err = bis_display_open(r->machine, "other", &r->other);

	if (!r->other_pixels)
		r->other_pixels = calloc((size_t)s.width * s.height, 4);
	if (err || !r->other_pixels)
		return bis_fail(ENOMEM, "no memory for the picture");
	for (size_t i = 0; i < (size_t)s.width * s.height; i++)
		r->other_pixels[i] = color;
	s.pixels = r->other_pixels;
	return bis_display_show(r->other, &s);
}

/* A yellow square with a black edge whose hot spot is its middle. */
static void order_cursor(struct rig *r, unsigned size)
{
	struct bis_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->width = c->height = size;
	c->hot_x = c->hot_y = size / 2;
	for (unsigned i = 0; i < size * size && size <= BIS_DISPLAY_CURSOR_MAX; i++) {
		unsigned x = i % size, y = i / size;

		c->pixels[i] = !x || !y || x == size - 1 || y == size - 1 ? 0xff000000 : 0xffffff00;
	}
	bis_display_set_cursor(r->display, c);
	free(c);
}

/* --- Measuring --- */

static double thread_time(const char *task)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/schedstat", task);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return (double)ns / 1e9;
}

/* Processor seconds that all other threads have taken so far. */
static double others_time(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	double sum = 0;
	char self[24];

	snprintf(self, sizeof(self), "%d", gettid());
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, self) != 0)
			sum += thread_time(e->d_name);
	if (dir)
		closedir(dir);
	return sum;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_until(double when)
{
	struct timespec t = {.tv_sec = (time_t)when, .tv_nsec = (long)((when - (double)(time_t)when) * 1e9)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void measure(struct rig *r, const char *name, double length, bool redraw)
{
	struct bis_rect all = {0, 0, r->surface.width, r->surface.height};
	unsigned long frames = (unsigned long)(length * FPS), before = atomic_load(&reads);
	double start = seconds(), cpu = others_time(), took;

	for (unsigned long i = 0; i < frames; i++) {
		if (redraw)
			fill(r, 0x10101u * (uint32_t)(i % 256), &all);
		wait_until(start + (double)(i + 1) / FPS);
	}
	took = seconds() - start;
	cpu = others_time() - cpu;
	say(r, "%s: %.1f s, %.4f processor seconds a second, %.1f pictures a second", name, took, cpu / took,
	    (double)(atomic_load(&reads) - before) / took);
}

/* --- What SDL tells of --- */

static void order_lost(void)
{
	SDL_Event e = {.type = SDL_RENDER_DEVICE_RESET};

	SDL_PushEvent(&e);
}

static void order_drop(const char *path)
{
	SDL_Event e = {.type = SDL_DROPFILE};

	e.drop.file = SDL_strdup(path);
	SDL_PushEvent(&e);
}

static void order_close(void)
{
	SDL_Event e = {.type = SDL_WINDOWEVENT};

	e.window.event = SDL_WINDOWEVENT_CLOSE;
	SDL_PushEvent(&e);
}

static int take_drop(void *arg, const char *path, char *told, size_t size)
{
	say(arg, "dropped %s", path);
	snprintf(told, size, "copied %s", path);
	return 0;
}

/* --- Orders --- */

static bool is(const char *line, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line, word, len) && (!line[len] || line[len] == ' ');
}

static int with_numbers(struct rig *r, const char *line)
{
	struct bis_rect rect;
	unsigned a, b;
	double length;

	if (sscanf(line, "mode %ux%u", &a, &b) == 2)
		return order_mode(r, a, b);
	if (sscanf(line, "second %x", &a) == 1)
		return order_second(r, a);
	if (sscanf(line, "fill %x %u %u %u %u", &a, &rect.x, &rect.y, &rect.width, &rect.height) == 5)
		fill(r, a, &rect);
	else if (sscanf(line, "broken %u", &a) == 1)
		atomic_store(&broken, a);
	else if (sscanf(line, "cursor %u", &a) == 1)
		order_cursor(r, a);
	else if (sscanf(line, "move %u %u", &a, &b) == 2)
		bis_display_move_cursor(r->display, a, b);
	else if (sscanf(line, "redraw %lf", &length) == 1)
		measure(r, "redraw", length, true);
	else if (sscanf(line, "still %lf", &length) == 1)
		measure(r, "still", length, false);
	else
		return bis_fail(EINVAL, "'%s' is no order", line);
	return 0;
}

static int obey(struct rig *r, const char *line)
{
	if (is(line, "none"))
		return bis_display_show(r->display, NULL);
	if (is(line, "takes"))
		order_takes(r, line);
	else if (is(line, "refuse"))
		atomic_store(&r->refuse, !strcmp(line, "refuse on"));
	else if (is(line, "lost"))
		order_lost();
	else if (is(line, "drop"))
		order_drop(line + strlen("drop "));
	else if (is(line, "close"))
		order_close();
	else if (is(line, "pause"))
		bis_machine_request_pause(r->machine);
	else
		return with_numbers(r, line);
	return 0;
}

static void *join(void *arg)
{
	struct rig *r = arg;
	enum bis_stop_reason why;
	int status;

	while (!bis_machine_join(r->machine, -1, &why, &status) && why == BIS_STOP_RESET_REQUEST)
		;
	say(r, "stopped");
	return NULL;
}

/* --- Starting --- */

static int build(struct rig *r)
{
	struct bis_machine_config cfg = {.ram_size = 96u << 20, .classes = bis_builtin_modules};
	struct bis_module *mod;
	int err = bis_machine_create(&cfg, &r->machine);

	if (!err)
		err = bis_machine_add(r->machine, "riscv", &mod);
	if (err)
		return err;
	bis_machine_set_entry(r->machine, BIS_RAM_BASE, 0, 0);
	err = bis_mem_write(bis_machine_memory(r->machine), (bis_gpa){BIS_RAM_BASE}, sleeps, sizeof(sleeps));
	if (!err)
		err = bis_display_open(r->machine, "fb", &r->display);
	bis_machine_lock_devices(r->machine);
	if (!err)
		err = bis_display_attach(r->display, &r->ops, r);
	if (!err)
		err = bis_input_attach(r->machine, &input_ops, r);
	bis_machine_unlock_devices(r->machine);
	return err ? err : debug_create(r->machine, &r->debug);
}

static void take_down(struct rig *r)
{
	window_stop(r->window);
	if (r->machine) {
		bis_machine_lock_devices(r->machine);
		bis_input_detach(r->machine, r);
		bis_display_detach(r->display, r);
		bis_machine_unlock_devices(r->machine);
	}
	debug_destroy(r->debug);
	bis_machine_destroy(r->machine);
	free(r->pixels);
	free(r->other_pixels);
}

static int serve(struct rig *r, const struct window_options *options)
{
	char line[512];
	int err = bis_machine_start(r->machine);

	if (!err)
		err = window_start(r->debug, options, &r->window);
	if (err)
		return err;
	pthread_create(&r->joiner, NULL, join, r);
	if (INSTRUMENTED)
		say(r, "instrumented");
	say(r, "ready");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (is(line, "end"))
			break;
		if (obey(r, line))
			say(r, "error: %s", bis_error_message());
		say(r, "done");
	}
	bis_machine_request_stop(r->machine, BIS_STOP_HOST, 0);
	pthread_join(r->joiner, NULL);
	return 0;
}

static void understand(struct rig *r, struct window_options *o, const char *word, unsigned *width, unsigned *height)
{
	sscanf(word, "size=%ux%u", &o->width, &o->height);
	sscanf(word, "scale=%lf", &o->scale);
	sscanf(word, "guest=%ux%u", width, height);
	if (!strncmp(word, "title=", 6))
		o->title = word + 6;
	if (!strcmp(word, "fullscreen"))
		o->fullscreen = true;
	if (!strcmp(word, "memory"))
		r->surface.in_guest = true;
	if (!strcmp(word, "fixed"))
		r->ops.wish = NULL;
	if (!strcmp(word, "drop"))
		o->drop = take_drop;
}

int main(int argc, char **argv)
{
	struct rig r = {.ops = {.wish = wish, .watched = watched}, .out = PTHREAD_MUTEX_INITIALIZER};
	struct window_options options = {.drop_arg = &r};
	unsigned width = 0, height = 0;
	int err;

	order_takes(&r, "key text button absolute wheel");
	for (int i = 1; i < argc; i++)
		understand(&r, &options, argv[i], &width, &height);
	err = build(&r);
	if (!err && width)
		err = order_mode(&r, width, height);
	if (!err)
		err = serve(&r, &options);
	if (err)
		fprintf(stderr, "window_rig: %s\n", bis_error_message());
	take_down(&r);
	return err ? 1 : 0;
}
