/*
 * The VNC server and sizes of the picture: clients follow them and ask for them; who cannot be told of another size is
 * sent away. What a client says when is up to the test where it matters: that one speaks over a plain socket (RFC
 * 6143).
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/unit/vnc_rig.h"

#define OTHER_WIDTH  132
#define OTHER_HEIGHT 77

/* What the library itself forgets when a client asks for a size. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:rfbGetClientIterator\n";
}

static void a_client_follows_another_size(void **state)
{
	struct server *s = serve();
	rfbClient *client = look(s);

	(void)state;
	run_until(client, sees_surface(client, s, WIDTH, HEIGHT));
	show(s, 133, 77);
	run_until(client, sees_surface(client, s, 133, 77));
	assert_ok(bis_display_show(s->display, NULL));
	run_until(client,
		  client->frameBuffer[0] != (char)s->pixels[0] && client->frameBuffer[4] == client->frameBuffer[0]);
	show(s, WIDTH, HEIGHT);
	run_until(client, sees_surface(client, s, WIDTH, HEIGHT));
	leave(client);
	end(s);
}

static bool has_wished(struct server *s, uint32_t width, uint32_t height)
{
	bool has;

	pthread_mutex_lock(&s->lock);
	has = s->wished_width == width && s->wished_height == height;
	pthread_mutex_unlock(&s->lock);
	return has;
}

static void a_client_can_ask_for_a_size(void **state)
{
	struct server *s = serve();
	rfbClient *client = look(s);

	(void)state;
	run_until(client, sees_surface(client, s, WIDTH, HEIGHT));
	assert_true(SendExtDesktopSize(client, 320, 200));
	run_until(client, has_wished(s, 320, 200));
	leave(client);
	end(s);
}

/* --- Clients over a plain socket --- */

static void say(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void hear(int fd, void *bytes, size_t len)
{
	assert_int_equal(recv(fd, bytes, len, MSG_WAITALL), len);
}

static int dial(const struct server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = RIG_DEADLINE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_port = htons((uint16_t)(5900 + s->number));
	assert_true(fd >= 0);
	assert_ok(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	assert_ok(connect(fd, (const struct sockaddr *)&in, sizeof(in)));
	return fd;
}

/* Up to the server's first message, which says the size. */
static int shake_hands(const struct server *s, uint16_t width, uint16_t height)
{
	uint8_t version[12], security[2], result[4], name[4];
	rfbServerInitMsg init;
	int fd = dial(s);

	hear(fd, version, sizeof(version));
	say(fd, "RFB 003.008\n", 12);
	hear(fd, security, sizeof(security));
	assert_memory_equal(security, "\1\1", 2);
	say(fd, "\1", 1);
	hear(fd, result, sizeof(result));
	assert_memory_equal(result, "\0\0\0", 4);
	say(fd, "\1", 1);
	hear(fd, &init, sz_rfbServerInitMsg);
	assert_int_equal(ntohs(init.framebufferWidth), width);
	assert_int_equal(ntohs(init.framebufferHeight), height);
	hear(fd, name, sizeof(name));
	assert_memory_equal(name, "test", 4);
	return fd;
}

static void list_encodings(int fd, const uint32_t *encodings, size_t n)
{
	rfbSetEncodingsMsg msg = {.type = rfbSetEncodings, .nEncodings = htons((uint16_t)n)};

	say(fd, &msg, sz_rfbSetEncodingsMsg);
	for (size_t i = 0; i < n; i++)
		say(fd, &(uint32_t){htonl(encodings[i])}, 4);
}

static void ask_for_picture(int fd, uint16_t width, uint16_t height, bool only_changes)
{
	rfbFramebufferUpdateRequestMsg msg = {.type = rfbFramebufferUpdateRequest,
					      .incremental = only_changes,
					      .w = htons(width),
					      .h = htons(height)};

	say(fd, &msg, sz_rfbFramebufferUpdateRequestMsg);
}

/* The first rectangle of the next picture. */
static void hear_rectangle(int fd, uint16_t width, uint16_t height, uint32_t encoding)
{
	rfbFramebufferUpdateRectHeader rect;
	rfbFramebufferUpdateMsg msg;

	hear(fd, &msg, sz_rfbFramebufferUpdateMsg);
	assert_int_equal(msg.type, rfbFramebufferUpdate);
	hear(fd, &rect, sz_rfbFramebufferUpdateRectHeader);
	assert_int_equal(ntohs(rect.r.w), width);
	assert_int_equal(ntohs(rect.r.h), height);
	assert_int_equal(ntohl(rect.encoding), encoding);
}

static void hear_the_end(int fd)
{
	uint8_t byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

/* The server has the other size as soon as one who looks sees it. */
static void change_size(struct server *s, rfbClient *witness, uint32_t width, uint32_t height)
{
	show(s, width, height);
	run_until(witness, sees_surface(witness, s, width, height));
}

static void a_size_that_changes_during_the_handshake_is_told(void **state)
{
	static const uint32_t encodings[] = {rfbEncodingRaw, rfbEncodingNewFBSize};
	struct server *s = serve();
	rfbClient *witness = look(s);
	int fd = shake_hands(s, WIDTH, HEIGHT);

	(void)state;
	change_size(s, witness, OTHER_WIDTH, OTHER_HEIGHT);
	list_encodings(fd, encodings, 2);
	ask_for_picture(fd, WIDTH, HEIGHT, false);
	hear_rectangle(fd, OTHER_WIDTH, OTHER_HEIGHT, rfbEncodingNewFBSize);
	close(fd);
	leave(witness);
	end(s);
}

/* One that lists its encodings, and one that never does. */
static void who_cannot_be_told_of_it_is_sent_away(void **state)
{
	static const uint32_t raw = rfbEncodingRaw;
	struct server *s = serve();
	rfbClient *witness = look(s);

	(void)state;
	for (unsigned lists = 0; lists < 2; lists++) {
		int fd = shake_hands(s, WIDTH, HEIGHT);

		change_size(s, witness, OTHER_WIDTH, OTHER_HEIGHT);
		if (lists)
			list_encodings(fd, &raw, 1);
		ask_for_picture(fd, WIDTH, HEIGHT, false);
		hear_the_end(fd);
		change_size(s, witness, WIDTH, HEIGHT);
	}
	leave(witness);
	end(s);
}

static void who_cannot_be_told_of_sizes_sees_the_first(void **state)
{
	static const uint32_t raw = rfbEncodingRaw;
	static uint32_t picture[WIDTH * HEIGHT];
	struct server *s = serve();
	int fd = shake_hands(s, WIDTH, HEIGHT);

	(void)state;
	list_encodings(fd, &raw, 1);
	ask_for_picture(fd, WIDTH, HEIGHT, false);
	hear_rectangle(fd, WIDTH, HEIGHT, rfbEncodingRaw);
	hear(fd, picture, sizeof(picture));
	for (size_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal((picture[i] ^ s->pixels[i]) & 0xffffff, 0);
	ask_for_picture(fd, WIDTH, HEIGHT, true);
	show(s, OTHER_WIDTH, OTHER_HEIGHT);
	hear_the_end(fd);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_follows_another_size),
		cmocka_unit_test(a_client_can_ask_for_a_size),
		cmocka_unit_test(a_size_that_changes_during_the_handshake_is_told),
		cmocka_unit_test(who_cannot_be_told_of_it_is_sent_away),
		cmocka_unit_test(who_cannot_be_told_of_sizes_sees_the_first),
	};

	return cmocka_run_group_tests_name("vnc_size", tests, NULL, NULL);
}
