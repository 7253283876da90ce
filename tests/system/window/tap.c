/*
 * What a test does to the X server that takes more than xdotool. It loads libX11 and libXtst by itself and ends with
 * status 77 where they are missing.
 *
 *   tap time FILE COUNT   presses the key "a" COUNT times, each after FILE has been still for a while, and prints how
 *                         long it took until FILE grew, in which a guest's echo or what a rig was given ends up: the
 *                         median and the longest time
 *   tap close WINDOW      asks for the window of that number to be closed, as a window manager does
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 1000, STILL_US = 30000, PATIENCE_US = 5000000, LOOK_NS = 50000, LETTER = 'a', CLIENT_MESSAGE = 33 };

struct tap {
	void *display;
	unsigned char (*keycode)(void *display, unsigned long symbol);
	int (*press)(void *display, unsigned keycode, int down, unsigned long delay);
	int (*sync)(void *display, int discard);
	int file;
};

/* A message from one client to another, as Xlib has it, as large as any event. */
union message {
	struct {
		int type;
		unsigned long serial;
		int send_event;
		void *display;
		unsigned long window, kind;
		int format;
		long data[5];
	} client;
	long all[24];
};

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Waits until there is more in the file, at most that long; whether there is. */
static int grows(const struct tap *t, long most_us)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	long until = now_us() + most_us;
	char buf[4096];

	while (read(t->file, buf, sizeof(buf)) <= 0) {
		if (now_us() >= until)
			return 0;
		nanosleep(&look, NULL);
	}
	return 1;
}

static void *symbol(void *library, const char *name)
{
	void *at = library ? dlsym(library, name) : NULL;

	if (!at)
		exit(77);
	return at;
}

static void *open_display(struct tap *t)
{
	void *x11 = dlopen("libX11.so.6", RTLD_NOW);
	void *(*open_it)(const char *name);

	*(void **)&open_it = symbol(x11, "XOpenDisplay");
	*(void **)&t->sync = symbol(x11, "XSync");
	t->display = open_it(NULL);
	if (!t->display)
		exit(1);
	return x11;
}

/* Microseconds; -1: nothing came of it. */
static long tap(const struct tap *t)
{
	unsigned code = t->keycode(t->display, LETTER);
	long start, took = -1;

	while (grows(t, STILL_US))
		;
	start = now_us();
	t->press(t->display, code, 1, 0);
	t->sync(t->display, 0);
	if (grows(t, PATIENCE_US))
		took = now_us() - start;
	t->press(t->display, code, 0, 0);
	t->sync(t->display, 0);
	return took;
}

static int compare(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static int measure(struct tap *t, const char *path, int count)
{
	static long took[COUNT_MAX];

	if (count < 1 || count > COUNT_MAX)
		return 2;
	t->file = open(path, O_RDONLY | O_CLOEXEC);
	if (t->file < 0 || lseek(t->file, 0, SEEK_END) < 0)
		return 1;
	*(void **)&t->keycode = symbol(open_display(t), "XKeysymToKeycode");
	*(void **)&t->press = symbol(dlopen("libXtst.so.6", RTLD_NOW), "XTestFakeKeyEvent");
	for (int i = 0; i < count; i++) {
		took[i] = tap(t);
		if (took[i] < 0)
			return 1;
	}
	qsort(took, (size_t)count, sizeof(took[0]), compare);
	printf("%d keys: half within %ld us, all within %ld us\n", count, took[count / 2], took[count - 1]);
	return 0;
}

static int close_window(struct tap *t, unsigned long window)
{
	union message m = {.client = {.type = CLIENT_MESSAGE, .window = window, .format = 32}};
	unsigned long (*atom)(void *display, const char *name, int only_if_there);
	int (*send)(void *display, unsigned long window, int propagate, long mask, union message *event);
	void *x11 = open_display(t);

	*(void **)&atom = symbol(x11, "XInternAtom");
	*(void **)&send = symbol(x11, "XSendEvent");
	m.client.kind = atom(t->display, "WM_PROTOCOLS", 0);
	m.client.data[0] = (long)atom(t->display, "WM_DELETE_WINDOW", 0);
	send(t->display, window, 0, 0, &m);
	t->sync(t->display, 0);
	return 0;
}

int main(int argc, char **argv)
{
	struct tap t = {0};

	if (argc == 4 && !strcmp(argv[1], "time"))
		return measure(&t, argv[2], atoi(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "close"))
		return close_window(&t, strtoul(argv[2], NULL, 0));
	return 2;
}
