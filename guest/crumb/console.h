/* The console: characters out, characters in through an interrupt-driven buffer. printf() ends up here. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_NONE (-1) /* no byte waits */
#define CONSOLE_END  (-2) /* no byte will ever come */

#define KEY_CTRL(letter) ((letter)&0x1f)

/* A device that can be the console. */
struct console_driver {
	const char *name;
	/* Gets it going; from now on `input` is called, with interrupts disabled, when there is something to poll. */
	void (*start)(void (*input)(void));
	/* Is a person at the other end, who wants echo and line editing? */
	bool (*is_interactive)(void);
	/* Sends a byte; also before start(). */
	void (*put)(char c);
	/* The next byte, CONSOLE_NONE or CONSOLE_END. */
	int (*poll)(void);
	/* Lets the device interrupt for input, or not. */
	void (*enable_input)(bool enable);
};

extern const struct console_driver native_console, uart_console;

/* Chooses the driver and lets input come in. */
void console_start(void);

const struct console_driver *console_driver(void);
bool console_is_interactive(void);

/* Prints `len` bytes; into a file, if the task's output has been redirected. */
void console_write(const char *text, size_t len);

/* Waits for the next byte; CONSOLE_END at the end of the input. */
int console_read(void);

/* Does a byte wait already? */
bool console_has_input(void);

struct task;

/* Ctrl-C at an interactive console kills this task instead of being read; NULL: nobody. */
void console_set_foreground(struct task *task);

#endif
