/*
 * Module "screen": looks at a display and types, as orders from outside say, in place of a person before a window. An
 * order is a line that is written to the FIFO `orders`; one line with the answer, which begins with "ok" or "no", comes
 * out of the FIFO `answers`:
 *
 *   rows N SECONDS          waits until at least N rows of text (16 lines of pixels) have something in them
 *   few N SECONDS           waits until at most N rows have
 *   size WIDTH HEIGHT SECONDS    waits until the display has that size
 *   wish WIDTH HEIGHT       asks the guest for that size
 *   watch ON                looks away (0), or looks on (1)
 *   type TEXT               presses the keys of a text on an American keyboard, and Enter; sends the text besides
 *   press NAME              presses the key of that name
 *   point X Y               moves the pointer to that pixel
 *   button NAME DOWN        presses (1) or releases (0) the button of that name
 *   pixel X Y RRGGBB SECONDS     waits until that pixel has this colour, to within 8 of 255
 *   ppm PATH                writes the picture as a PPM file
 *
 * The thread that looks is the module's own. It takes the device lock for what it is asked to do, so that the machine
 * must not end before the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/display.h>
#include <biscuit/input.h>
#include <biscuit/machine.h>

#include "modules/worker.h"

#define ROW	 16u
#define LINE_MAX 1024
#define POLL_MS	 10

extern const struct bis_module_class *const bis_module_classes[];

struct screen {
	struct bis_module *mod;
	struct bis_display *display;
	struct bis_viewer *viewer; /* the thread's while it runs */
	int orders, answers;	   /* -1: not open */
	int changed[2], quit[2];
	pthread_t thread;
	bool started;
	uint32_t *pixels;
	struct bis_view view;
};

static const struct bis_option screen_options[] = {
	{"display", BIS_OPTION_TEXT, "gpu", NULL, "name of the display"},
	{"orders", BIS_OPTION_TEXT, NULL, NULL, "FIFO to read orders from"},
	{"answers", BIS_OPTION_TEXT, NULL, NULL, "FIFO to write answers to"},
	{0},
};

/* --- Looking --- */

static void note_change(void *arg)
{
	const struct screen *s = arg;

	if (write(s->changed[1], "", 1) < 0)
		return; /* full: somebody is going to look anyway */
}

/* Fetches the picture as it is; false if nothing is shown. */
static bool look(struct screen *s)
{
	struct bis_rect all;
	uint32_t *pixels;

	bis_viewer_update(s->viewer, &s->view);
	if (!s->view.width)
		return false;
	all = (struct bis_rect){0, 0, s->view.width, s->view.height};
	pixels = realloc(s->pixels, (size_t)all.width * all.height * sizeof(*pixels));
	if (!pixels)
		return false;
	s->pixels = pixels;
	return !bis_viewer_read(s->viewer, &all, s->pixels, (size_t)all.width * sizeof(*pixels));
}

static unsigned count_rows(const struct screen *s)
{
	unsigned count = 0;

	for (uint32_t y = 0; y + ROW <= s->view.height; y += ROW) {
		const uint32_t *row = s->pixels + (size_t)y * s->view.width;
		size_t i = 0, n = (size_t)ROW * s->view.width;

		while (i < n && !(row[i] & 0xffffff))
			i++;
		count += i < n;
	}
	return count;
}

static bool write_ppm(const struct screen *s, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fprintf(f, "P6\n%u %u\n255\n", s->view.width, s->view.height);
	for (size_t i = 0; i < (size_t)s->view.width * s->view.height; i++) {
		fputc((int)(s->pixels[i] >> 16 & 255), f);
		fputc((int)(s->pixels[i] >> 8 & 255), f);
		fputc((int)(s->pixels[i] & 255), f);
	}
	return fclose(f) == 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits for a change, at most until then; false at the end. */
static bool wait_for_change(struct screen *s, int64_t until)
{
	struct pollfd fds[] = {{.fd = s->changed[0], .events = POLLIN}, {.fd = s->quit[0], .events = POLLIN}};
	int64_t left = until - now_ms();
	char drop[64];
	int ready;

	if (left <= 0)
		return false;
	/* Of changes in guest memory nobody tells. */
	ready = poll(fds, 2, (int)(s->view.poll && left > POLL_MS ? POLL_MS : left));
	if (ready < 0 || fds[1].revents)
		return false;
	return !ready || read(s->changed[0], drop, sizeof(drop)) >= 0;
}

/* --- Typing --- */

static void send_key(struct screen *s, uint16_t code, bool down)
{
	struct bis_input_event e = {.kind = BIS_INPUT_KEY, .code = code, .value = down};

	bis_input_send(bis_module_machine(s->mod), &e, 1);
}

static void press(struct screen *s, uint16_t code, bool shift)
{
	if (shift)
		send_key(s, BIS_KEY_LEFTSHIFT, true);
	send_key(s, code, true);
	send_key(s, code, false);
	if (shift)
		send_key(s, BIS_KEY_LEFTSHIFT, false);
}

static bool type_character(struct screen *s, char c)
{
	static const char plain[] = " -=[];'`\\,./1234567890", shifted[] = " _+{}:\"~|<>?!@#$%^&*()";
	static const uint16_t codes[] = {
		BIS_KEY_SPACE,	   BIS_KEY_MINUS,      BIS_KEY_EQUAL, BIS_KEY_LEFTBRACE, BIS_KEY_RIGHTBRACE,
		BIS_KEY_SEMICOLON, BIS_KEY_APOSTROPHE, BIS_KEY_GRAVE, BIS_KEY_BACKSLASH, BIS_KEY_COMMA,
		BIS_KEY_DOT,	   BIS_KEY_SLASH,      BIS_KEY_1,     BIS_KEY_2,	 BIS_KEY_3,
		BIS_KEY_4,	   BIS_KEY_5,	       BIS_KEY_6,     BIS_KEY_7,	 BIS_KEY_8,
		BIS_KEY_9,	   BIS_KEY_0,
	};
	const char *at = strchr(plain, c);
	bool shift = false;
	char name[2] = {c, 0};

	if (c >= 'A' && c <= 'Z') {
		name[0] = (char)(c - 'A' + 'a');
		shift = true;
	}
	if (name[0] >= 'a' && name[0] <= 'z') {
		press(s, bis_input_code_find(name), shift);
		return true;
	}
	if (!at) {
		at = strchr(shifted, c);
		shift = true;
	}
	if (!at)
		return false;
	press(s, codes[at - (shift ? shifted : plain)], shift);
	return true;
}

/* --- Orders --- */

static void answer(struct screen *s, bool ok)
{
	dprintf(s->answers, "%s: %ux%u, %u rows of text\n", ok ? "ok" : "no", s->view.width, s->view.height,
		s->view.width && s->pixels ? count_rows(s) : 0);
}

static bool wait_for_rows(struct screen *s, unsigned least, unsigned most, double seconds)
{
	int64_t until = now_ms() + (int64_t)(seconds * 1000);
	bool fits;

	do
		fits = look(s) && count_rows(s) >= least && count_rows(s) <= most;
	while (!fits && wait_for_change(s, until));
	return fits;
}

static bool wait_for_size(struct screen *s, unsigned width, unsigned height, double seconds)
{
	int64_t until = now_ms() + (int64_t)(seconds * 1000);
	bool fits;

	do
		fits = look(s) && s->view.width == width && s->view.height == height;
	while (!fits && wait_for_change(s, until));
	return fits;
}

static bool type(struct screen *s, const char *text)
{
	bool ok = true;

	for (; *text; text++) {
		struct bis_input_event e = {.kind = BIS_INPUT_TEXT, .value = (unsigned char)*text};

		ok = type_character(s, *text) && ok;
		bis_input_send(bis_module_machine(s->mod), &e, 1);
	}
	press(s, BIS_KEY_ENTER, false);
	return ok;
}

/* Where a pixel is, as a pointer says it. */
static int32_t scale(unsigned at, uint32_t end)
{
	return end > 1 ? (int32_t)(((uint64_t)at * BIS_INPUT_RANGE + end - 2) / (end - 1)) : 0;
}

static bool point(struct screen *s, unsigned x, unsigned y)
{
	struct bis_input_event e = {.kind = BIS_INPUT_ABSOLUTE};

	if (!look(s) || x >= s->view.width || y >= s->view.height)
		return false;
	e.x = scale(x, s->view.width);
	e.y = scale(y, s->view.height);
	return bis_input_send(bis_module_machine(s->mod), &e, 1) == 1;
}

static bool press_button(struct screen *s, const char *name, unsigned down)
{
	struct bis_input_event e = {.kind = BIS_INPUT_BUTTON, .code = bis_input_code_find(name), .value = down != 0};

	return e.code && bis_input_send(bis_module_machine(s->mod), &e, 1) == 1;
}

static bool is_near(uint32_t a, uint32_t b)
{
	for (unsigned shift = 0; shift < 24; shift += 8)
		if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > 8)
			return false;
	return true;
}

static bool wait_for_pixel(struct screen *s, unsigned x, unsigned y, unsigned colour, double seconds)
{
	int64_t until = now_ms() + (int64_t)(seconds * 1000);
	bool fits;

	do
		fits = look(s) && x < s->view.width && y < s->view.height &&
		       is_near(s->pixels[(size_t)y * s->view.width + x], colour);
	while (!fits && wait_for_change(s, until));
	return fits;
}

static bool obey(struct screen *s, const char *order)
{
	char name[32];
	unsigned c;

	unsigned a, b;
	double seconds;

	if (sscanf(order, "rows %u %lf", &a, &seconds) == 2)
		return wait_for_rows(s, a, UINT32_MAX, seconds);
	if (sscanf(order, "few %u %lf", &a, &seconds) == 2)
		return wait_for_rows(s, 0, a, seconds);
	if (sscanf(order, "size %u %u %lf", &a, &b, &seconds) == 3)
		return wait_for_size(s, a, b, seconds);
	if (sscanf(order, "wish %u %u", &a, &b) == 2) {
		bis_viewer_wish(s->viewer, a, b);
		return true;
	}
	if (sscanf(order, "watch %u", &a) == 1) {
		bis_viewer_watch(s->viewer, a);
		return true;
	}
	if (sscanf(order, "point %u %u", &a, &b) == 2)
		return point(s, a, b);
	if (sscanf(order, "button %31s %u", name, &a) == 2)
		return press_button(s, name, a);
	if (sscanf(order, "pixel %u %u %x %lf", &a, &b, &c, &seconds) == 4)
		return wait_for_pixel(s, a, b, c, seconds);
	if (!strncmp(order, "type ", 5))
		return type(s, order + 5);
	if (!strncmp(order, "press ", 6) && bis_input_code_find(order + 6)) {
		press(s, bis_input_code_find(order + 6), false);
		return true;
	}
	return !strncmp(order, "ppm ", 4) && look(s) && write_ppm(s, order + 4);
}

/* Reads a line; false at the end. */
static bool read_order(struct screen *s, char *line, size_t size)
{
	struct pollfd fds[] = {{.fd = s->orders, .events = POLLIN}, {.fd = s->quit[0], .events = POLLIN}};
	size_t n = 0;

	while (n + 1 < size) {
		if (poll(fds, 2, -1) < 0 || fds[1].revents || read(s->orders, line + n, 1) != 1)
			return false;
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = 0;
	return true;
}

static void *screen_main(void *arg)
{
	struct screen *s = arg;
	char line[LINE_MAX];

	if (bis_viewer_create(s->display, note_change, s, &s->viewer))
		return NULL;
	while (read_order(s, line, sizeof(line)))
		answer(s, obey(s, line));
	return NULL;
}

/* --- The module --- */

static void close_pipe(const int ends[2])
{
	if (ends[1] == 0)
		return;
	close(ends[0]);
	close(ends[1]);
}

static void screen_destroy(void *self)
{
	struct screen *s = self;

	if (s->started && write(s->quit[1], "", 1) == 1)
		pthread_join(s->thread, NULL);
	bis_viewer_destroy(s->viewer);
	if (s->orders >= 0)
		close(s->orders);
	if (s->answers >= 0)
		close(s->answers);
	close_pipe(s->changed);
	close_pipe(s->quit);
	free(s->pixels);
	free(s);
}

static int open_all(struct screen *s, const struct bis_options *options)
{
	int err = bis_display_open(bis_module_machine(s->mod), bis_option_text(options, "display"), &s->display);

	if (err)
		return err;
	if (pipe2(s->changed, O_CLOEXEC | O_NONBLOCK) || pipe2(s->quit, O_CLOEXEC))
		return bis_fail(errno, "screen: %s", strerror(errno));
	s->orders = open(bis_option_text(options, "orders"), O_RDWR | O_CLOEXEC);
	s->answers = open(bis_option_text(options, "answers"), O_RDWR | O_CLOEXEC);
	if (s->orders < 0 || s->answers < 0)
		return bis_fail(errno, "screen: a FIFO cannot be opened: %s", strerror(errno));
	err = worker_start("screen", &s->thread, screen_main, s);
	s->started = !err;
	return err;
}

static int screen_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct screen *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return bis_fail(ENOMEM, "screen: out of memory");
	s->mod = mod;
	s->orders = s->answers = -1;
	err = open_all(s, options);
	if (err) {
		screen_destroy(s);
		return err;
	}
	*self = s;
	return 0;
}

static const struct bis_module_class screen_class = {
	.abi = BIS_MODULE_ABI,
	.name = "screen",
	.summary = "looks at a display and types, for tests",
	.options = screen_options,
	.create = screen_create,
	.destroy = screen_destroy,
};

const struct bis_module_class *const bis_module_classes[] = {&screen_class, NULL};
