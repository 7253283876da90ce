/*
 * The way of a console's bytes. Output is heard on whatever thread makes it, with the device lock held: there it is
 * only put in a queue, which grows, and loses its oldest lines beyond a limit. What is typed waits for the guest to
 * read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/window/console_view_internal.h"

#define FEED_MAX   ((size_t)4 << 20)
#define TYPED_MAX  ((size_t)1 << 20)
#define WRITE_PART 4096u /* bytes between looks at the clock */
#define WRITE_MS   8u

/* Room for len more bytes. */
static bool grow(char **data, size_t len, size_t *room, size_t more, size_t max)
{
	size_t size = *room ? *room : 4096;
	char *bigger;

	if (len + more <= *room)
		return true;
	if (more > max || len > max - more)
		return false;
	while (size < len + more)
		size *= 2;
	bigger = realloc(*data, size);
	if (!bigger)
		return false;
	*data = bigger;
	*room = size;
	return true;
}

/* --- Output --- */

static uint64_t count_lines(const char *from, size_t len)
{
	const char *end = from + len;
	uint64_t n = 0;

	while (from < end && (from = memchr(from, '\n', (size_t)(end - from)))) {
		from++;
		n++;
	}
	return n;
}

/* Half of what waits, to the end of a line. */
static void drop_lines(struct console_feed *f)
{
	size_t half = f->len / 2;
	const char *end = f->len ? memchr(f->data + half, '\n', f->len - half) : NULL;
	size_t n = end ? (size_t)(end - f->data) + 1 : f->len;

	f->dropped += count_lines(f->data, n) + !end;
	memmove(f->data, f->data + n, f->len - n);
	f->len -= n;
}

void console_heard(void *arg, const uint8_t *buf, size_t len)
{
	struct console *c = arg;
	struct console_feed *f = &c->feed;
	bool first;

	if (!len)
		return;
	pthread_mutex_lock(&f->lock);
	first = !f->len;
	if (!grow(&f->data, f->len, &f->room, len, FEED_MAX))
		drop_lines(f);
	if (grow(&f->data, f->len, &f->room, len, FEED_MAX)) {
		memcpy(f->data + f->len, buf, len);
		f->len += len;
	} else {
		f->dropped += count_lines((const char *)buf, len) + 1;
	}
	pthread_mutex_unlock(&f->lock);
	if (first)
		c->host->wake(c->host->arg);
}

/* Takes all of the feed; the two buffers change places. Lines that were dropped before it. */
static uint64_t take_feed(struct console *c)
{
	struct console_feed *f = &c->feed;
	char *data = c->taken;
	size_t room = c->taken_room;
	uint64_t dropped;

	pthread_mutex_lock(&f->lock);
	c->taken = f->data;
	c->taken_len = f->len;
	c->taken_room = f->room;
	f->data = data;
	f->room = room;
	f->len = 0;
	dropped = f->dropped;
	f->dropped = 0;
	pthread_mutex_unlock(&f->lock);
	c->done = 0;
	return dropped;
}

/* Ends a sequence that was cut. */
static void note_dropped(struct console *c, uint64_t lines)
{
	char note[128];
	int n = snprintf(note, sizeof(note),
			 "\x18\x1b[m\r\n\x1b[7m %" PRIu64 " lines came too fast to be shown \x1b[m\r\n", lines);

	term_write(c->term, note, (size_t)n);
}

bool console_take_output(struct console *c)
{
	uint64_t until = SDL_GetTicks64() + WRITE_MS;

	for (;;) {
		if (c->done == c->taken_len) {
			uint64_t dropped = take_feed(c);

			if (dropped)
				note_dropped(c, dropped);
			if (!c->taken_len)
				return false;
			c->changed = true;
		}
		while (c->done < c->taken_len) {
			size_t n = c->taken_len - c->done < WRITE_PART ? c->taken_len - c->done : WRITE_PART;

			if (SDL_GetTicks64() >= until)
				return true;
			c->reading = true;
			term_write(c->term, c->taken + c->done, n);
			c->reading = false;
			c->done += n;
			c->changed = true;
		}
	}
}

/* --- Input --- */

/* Where standard input and output are a terminal, it has been asked, too. */
static bool is_answered(struct console *c)
{
	bool answered;

	bis_machine_lock_devices(c->machine);
	answered = bis_chardev_answers(c->chardev);
	bis_machine_unlock_devices(c->machine);
	return answered;
}

void console_type(void *arg, const char *bytes, size_t len)
{
	struct console *c = arg;

	if (c->reading && is_answered(c))
		return;
	if (!grow(&c->typed, c->typed_len, &c->typed_room, len, TYPED_MAX)) {
		if (!c->paste_lost)
			c->host->tell(c->host->arg, "The guest does not read what was typed: the rest is lost.");
		c->paste_lost = true;
		return;
	}
	memcpy(c->typed + c->typed_len, bytes, len);
	c->typed_len += len;
}

bool console_give_input(struct console *c)
{
	size_t n;

	if (!c->typed_len)
		return false;
	bis_machine_lock_devices(c->machine);
	n = bis_chardev_input(c->chardev, (const uint8_t *)c->typed, c->typed_len);
	bis_machine_unlock_devices(c->machine);
	memmove(c->typed, c->typed + n, c->typed_len - n);
	c->typed_len -= n;
	c->paste_lost = c->paste_lost && c->typed_len;
	return c->typed_len;
}
