/*
 * The VNC server before a machine whose display and input device are the test's, and clients of libvncclient. Waiting
 * is for a condition, with a deadline that only a failure reaches.
 */
#ifndef BISCUIT_UNIT_VNC_RIG_H
#define BISCUIT_UNIT_VNC_RIG_H

#include <pthread.h>
#include <rfb/rfbclient.h>
#include <stdlib.h>

#include <biscuit/display.h>
#include <biscuit/input.h>

#include "frontend/vnc/vnc.h"
#include "tests/unit/rig.h"

enum { WIDTH = 64, HEIGHT = 48, EVENTS_MAX = 256 };

struct server {
	struct bis_machine *m;
	struct debug *debug;
	struct bis_display *display;
	struct vnc *vnc;
	int number; /* of the VNC display */
	uint32_t *pixels;
	uint32_t wished_width, wished_height;
	pthread_mutex_t lock;
	struct bis_input_event events[EVENTS_MAX];
	size_t n_events, n_read;
	unsigned kinds;
};

/* --- A machine with a display and an input device of the test's --- */

static inline void wish(void *self, uint32_t width, uint32_t height)
{
	struct server *s = self;

	pthread_mutex_lock(&s->lock);
	s->wished_width = width;
	s->wished_height = height;
	pthread_mutex_unlock(&s->lock);
}

static inline size_t take(void *self, const struct bis_input_event *events, size_t count)
{
	struct server *s = self;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < count && s->n_events < EVENTS_MAX; i++)
		s->events[s->n_events++] = events[i];
	pthread_mutex_unlock(&s->lock);
	return count;
}

static inline void show(struct server *s, uint32_t width, uint32_t height)
{
	uint32_t *old = s->pixels;

	s->pixels = malloc((size_t)width * height * 4);
	assert_non_null(s->pixels);
	for (uint32_t i = 0; i < width * height; i++)
		s->pixels[i] = i * 2654435761u;
	assert_ok(bis_display_show(s->display, &(struct bis_surface){.width = width,
								     .height = height,
								     .pitch = width * 4,
								     .format = BIS_PIXEL_XRGB8888,
								     .pixels = s->pixels}));
	free(old);
}

static const struct bis_display_ops display_ops = {.wish = wish};
static const unsigned all_kinds = (1u << BIS_INPUT_KINDS) - 1;

static inline struct server *serve_with(const char *password_file, unsigned kinds)
{
	static struct bis_input_ops input_ops = {.take = take};
	struct server *s = calloc(1, sizeof(*s));
	char address[16];
	int err = -EADDRINUSE;

	input_ops.kinds = kinds;
	pthread_mutex_init(&s->lock, NULL);
	s->m = rig_create("rv64imac_zicsr_zifencei", 1);
	assert_ok(debug_create(s->m, &s->debug));
	assert_ok(bis_display_open(s->m, "fb", &s->display));
	assert_ok(bis_display_attach(s->display, &display_ops, s));
	bis_machine_lock_devices(s->m);
	assert_ok(bis_input_attach(s->m, &input_ops, s));
	bis_machine_unlock_devices(s->m);
	for (s->number = 20; err == -EADDRINUSE && s->number < 99; s->number++) {
		struct vnc_options o = {.address = address, .password_file = password_file, .title = "test"};

		snprintf(address, sizeof(address), ":%d", s->number + 1);
		err = vnc_start(s->debug, &o, &s->vnc);
	}
	assert_ok(err);
	return s;
}

static inline struct server *serve(void)
{
	struct server *s = serve_with(NULL, all_kinds);

	show(s, WIDTH, HEIGHT);
	return s;
}

static inline void end(struct server *s)
{
	vnc_stop(s->vnc);
	bis_machine_lock_devices(s->m);
	bis_input_detach(s->m, s);
	bis_machine_unlock_devices(s->m);
	bis_display_detach(s->display, s);
	debug_destroy(s->debug);
	bis_machine_destroy(s->m);
	free(s->pixels);
	free(s);
}

/* --- Clients --- */

static inline char *secret(rfbClient *client)
{
	const char *password = rfbClientGetClientData(client, (void *)secret);

	return password ? strdup(password) : NULL;
}

static inline void count_cursor(rfbClient *client, int xhot, int yhot, int width, int height, int bytes_per_pixel)
{
	int *seen = rfbClientGetClientData(client, (void *)count_cursor);

	(void)bytes_per_pixel;
	if (seen) {
		seen[0] = xhot;
		seen[1] = yhot;
		seen[2] = width;
		seen[3] = height;
	}
}

static inline rfbBool make_picture(rfbClient *client)
{
	free(client->frameBuffer);
	client->frameBuffer = calloc((size_t)client->width * (size_t)client->height, 4);
	return client->frameBuffer != NULL;
}

/* NULL: the server has not let it in. */
static inline rfbClient *try_connect(const struct server *s, const char *password, int cursor[4])
{
	rfbClient *client = rfbGetClient(8, 3, 4);

	rfbEnableClientLogging = FALSE;
	free(client->serverHost);
	client->serverHost = strdup("127.0.0.1");
	client->serverPort = 5900 + s->number;
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	client->canHandleNewFBSize = TRUE;
	client->appData.useRemoteCursor = cursor != NULL;
	client->appData.encodingsString = "raw";
	client->MallocFrameBuffer = make_picture;
	client->GetPassword = secret;
	client->GotCursorShape = count_cursor;
	rfbClientSetClientData(client, (void *)secret, (void *)(uintptr_t)password);
	rfbClientSetClientData(client, (void *)count_cursor, cursor);
	return rfbInitClient(client, NULL, NULL) ? client : NULL;
}

static inline rfbClient *look(const struct server *s)
{
	rfbClient *client = try_connect(s, NULL, NULL);

	assert_non_null(client);
	return client;
}

static inline void leave(rfbClient *client)
{
	free(client->frameBuffer);
	free(client->rcSource);
	free(client->rcMask);
	client->frameBuffer = NULL;
	client->rcSource = client->rcMask = NULL;
	rfbClientCleanup(client);
}

/* Lets the client work for a moment. */
static inline void run(rfbClient *client)
{
	/* The library does not count what it has read from the socket already. */
	int ready = client->buffered ? 1 : WaitForMessage(client, 20000);

	assert_true(ready >= 0);
	if (ready)
		assert_true(HandleRFBServerMessage(client));
}

static inline bool sees_surface(const rfbClient *client, const struct server *s, uint32_t width, uint32_t height)
{
	const uint32_t *seen = (const uint32_t *)(const void *)client->frameBuffer;

	if ((uint32_t)client->width != width || (uint32_t)client->height != height || !seen)
		return false;
	for (size_t i = 0; i < (size_t)width * height; i++)
		if ((seen[i] ^ s->pixels[i]) & 0xffffff)
			return false;
	return true;
}

#define run_until(client, condition)                                                                                   \
	for (uint64_t run_start = rig_now_ms(); !(condition); run(client))                                             \
	assert_true(rig_now_ms() - run_start < RIG_DEADLINE_MS)

#endif
