/*
 * vnc: a client of the VNC server, for tests.
 *
 *   vnc DISPLAY PASSWORD ORDER...
 *
 * Connects to this host's display of that number; PASSWORD may be empty. An order is one argument; all wait for at most
 * 20 seconds.
 *
 *   size WIDTH HEIGHT       the picture has that size
 *   pixel X Y RRGGBB        that pixel has this colour, to within 8 of 255
 *   point X Y BUTTONS       moves the pointer there, with these buttons held: 1 left, 2 middle, 4 right
 *   type TEXT               types a text
 *   key return              presses the return key
 *   wish WIDTH HEIGHT       asks for that size
 *   ppm PATH                writes the picture as a PPM file
 *   refused                 first and alone: the server does not let this client in
 *
 * Exit status 0 when all went well; otherwise a line says what did not. Single-threaded.
 */
#include <rfb/keysym.h>
#include <rfb/rfbclient.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PATIENCE 20 /* seconds */

static const char *password;

static char *get_password(rfbClient *client)
{
	(void)client;
	return strdup(password);
}

static rfbBool make_picture(rfbClient *client)
{
	free(client->frameBuffer);
	client->frameBuffer = calloc((size_t)client->width * (size_t)client->height, 4);
	return client->frameBuffer != NULL;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* NULL: it is not let in. */
static rfbClient *enter(int display)
{
	rfbClient *client = rfbGetClient(8, 3, 4);

	rfbEnableClientLogging = FALSE;
	free(client->serverHost);
	client->serverHost = strdup("127.0.0.1");
	client->serverPort = 5900 + display;
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	client->canHandleNewFBSize = TRUE;
	client->appData.encodingsString = "zrle tight raw";
	client->MallocFrameBuffer = make_picture;
	client->GetPassword = get_password;
	return rfbInitClient(client, NULL, NULL) ? client : NULL;
}

/* --- Orders --- */

static uint32_t pixel_at(const rfbClient *client, unsigned x, unsigned y)
{
	uint32_t pixel = 0;

	if (x < (unsigned)client->width && y < (unsigned)client->height)
		memcpy(&pixel, client->frameBuffer + ((size_t)y * (unsigned)client->width + x) * 4, 4);
	return pixel & 0xffffff;
}

static bool is_near(uint32_t a, uint32_t b)
{
	for (unsigned shift = 0; shift < 24; shift += 8)
		if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > 8)
			return false;
	return true;
}

/* What is waited for: a size, a pixel's colour, or a server that has said that it takes wishes. */
static bool is_so(rfbClient *client, const char *order)
{
	unsigned a, b, colour;

	if (!strncmp(order, "wish ", 5))
		return SupportsClient2Server(client, rfbSetDesktopSize);
	if (sscanf(order, "size %u %u", &a, &b) == 2)
		return (unsigned)client->width == a && (unsigned)client->height == b;
	return sscanf(order, "pixel %u %u %x", &a, &b, &colour) == 3 && is_near(pixel_at(client, a, b), colour);
}

static bool wait_until(rfbClient *client, const char *order)
{
	time_t end = now() + PATIENCE;

	while (!is_so(client, order)) {
		/* The library does not count what it has read from the socket already. */
		int ready = now() >= end ? -1 : client->buffered ? 1 : WaitForMessage(client, 100000);

		if (ready < 0 || (ready && !HandleRFBServerMessage(client)))
			return false;
	}
	return true;
}

static bool press(rfbClient *client, uint32_t key)
{
	return SendKeyEvent(client, key, TRUE) && SendKeyEvent(client, key, FALSE);
}

static bool type(rfbClient *client, const char *text)
{
	bool ok = true;

	for (; *text && ok; text++)
		ok = press(client, (uint8_t)*text);
	return ok;
}

static bool write_ppm(const rfbClient *client, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fprintf(f, "P6\n%d %d\n255\n", client->width, client->height);
	for (unsigned y = 0; y < (unsigned)client->height; y++) {
		for (unsigned x = 0; x < (unsigned)client->width; x++) {
			uint32_t pixel = pixel_at(client, x, y);

			fputc((int)(pixel >> 16), f);
			fputc((int)(pixel >> 8 & 255), f);
			fputc((int)(pixel & 255), f);
		}
	}
	return fclose(f) == 0;
}

static bool obey(rfbClient *client, const char *order)
{
	int x, y, buttons;

	if (sscanf(order, "point %d %d %d", &x, &y, &buttons) == 3)
		return SendPointerEvent(client, x, y, buttons);
	if (sscanf(order, "wish %d %d", &x, &y) == 2)
		return wait_until(client, order) && SendExtDesktopSize(client, (uint16_t)x, (uint16_t)y);
	if (!strncmp(order, "type ", 5))
		return type(client, order + 5);
	if (!strcmp(order, "key return"))
		return press(client, XK_Return);
	if (!strncmp(order, "ppm ", 4))
		return write_ppm(client, order + 4);
	return wait_until(client, order);
}

/* Until the server has closed the connection: it has read all orders then, which it would lose with one that breaks. */
static void leave(rfbClient *client)
{
	struct timeval patience = {.tv_sec = PATIENCE};
	char buf[65536];

	setsockopt(client->sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!SetBlocking(client->sock) || shutdown(client->sock, SHUT_WR))
		return;
	while (recv(client->sock, buf, sizeof(buf), 0) > 0)
		;
}

int main(int argc, char **argv)
{
	bool refused = argc == 4 && !strcmp(argv[3], "refused"), ok = true;
	rfbClient *client;

	if (argc < 4) {
		fprintf(stderr, "vnc: expected DISPLAY PASSWORD ORDER...\n");
		return 2;
	}
	password = argv[2];
	client = enter(atoi(argv[1]));
	if (!client || refused) {
		printf("vnc: %s\n", client ? "let in" : "not let in");
		return !client == refused ? 0 : 1;
	}
	for (int i = 3; i < argc && ok; i++) {
		ok = obey(client, argv[i]);
		if (!ok)
			printf("vnc: not so: %s\n", argv[i]);
	}
	leave(client);
	free(client->frameBuffer);
	client->frameBuffer = NULL;
	rfbClientCleanup(client);
	return ok ? 0 : 1;
}
