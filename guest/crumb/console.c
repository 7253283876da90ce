/*
 * The console, above whichever device it is.
 *
 * Input arrives by interrupt and waits in a ring buffer. When the buffer is full the device is told to stop
 * interrupting, and keeps the rest, until somebody has read: nothing is lost, however much is pasted or piped in.
 */
#include "console.h"
#include "interrupts.h"
#include "redirect.h"
#include "task.h"
#include "timer.h"
#include <native.h>
#include <stdio.h>

#define RING_SIZE 256U /* a power of two */

static struct {
	unsigned char bytes[RING_SIZE];
	unsigned head, tail; /* count up without end: head - tail bytes wait */
	bool ended;
	bool stopped; /* the device was told not to interrupt */
} ring;

static struct task *foreground;

const struct console_driver *console_driver(void)
{
	return native_present(CONSOLE_SLOT) ? &native_console : &uart_console;
}

bool console_is_interactive(void)
{
	return console_driver()->is_interactive();
}

/* Takes in what the device has; called by its interrupt. */
static void take_input(void)
{
	while (ring.head - ring.tail < RING_SIZE) {
		int c = console_driver()->poll();

		if (c == CONSOLE_NONE)
			break;
		if (c == CONSOLE_END) {
			ring.ended = true;
			break;
		}
		if (c == KEY_CTRL('C') && foreground && console_is_interactive())
			task_kill(foreground);
		else
			ring.bytes[ring.head++ % RING_SIZE] = (unsigned char)c;
	}
	ring.stopped = ring.ended || ring.head - ring.tail == RING_SIZE;
	if (ring.stopped)
		console_driver()->enable_input(false);
	task_wake(&ring);
}

void console_start(void)
{
	console_driver()->start(take_input);
	console_driver()->enable_input(true);
}

void console_set_foreground(struct task *task)
{
	foreground = task;
}

int console_read(void)
{
	bool enabled = interrupts_disable();
	int c = CONSOLE_END;

	while (ring.head == ring.tail && !ring.ended)
		task_wait(&ring, NEVER);
	if (ring.head != ring.tail)
		c = ring.bytes[ring.tail++ % RING_SIZE];
	if (ring.stopped && !ring.ended) {
		ring.stopped = false;
		console_driver()->enable_input(true);
	}
	interrupts_restore(enabled);
	return c;
}

bool console_has_input(void)
{
	return ring.head != ring.tail;
}

/* A terminal in raw mode wants to be told to go back to the first column. */
void console_write(const char *text, size_t len)
{
	const struct console_driver *driver = console_driver();
	bool interactive = driver->is_interactive();

	if (current && current->output) {
		redirect_write(current->output, text, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' && interactive)
			driver->put('\r');
		driver->put(text[i]);
	}
}

int putchar(int c)
{
	char byte = (char)c;

	console_write(&byte, 1);
	return (unsigned char)c;
}
