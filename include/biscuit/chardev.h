/*
 * Character devices: where a console's bytes come from and go to (terminal, pipe, pty, file, nothing). A character
 * device is a named meeting point of two halves, so that a test can put a fake on either side: front ends (UART, native
 * console) attach to it, and one back end is plugged into it. Either half may come first and may go while the machine
 * runs.
 *
 * Every function here is called with the device lock held: in lifecycle calls of a module, register accesses, and timer
 * and watch callbacks that is so already. A character device stays valid as long as the machine.
 */
#ifndef BISCUIT_CHARDEV_H
#define BISCUIT_CHARDEV_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_machine;
struct bis_chardev;

#define BIS_CHARDEV_QUEUE 65536u /* bytes that wait in each direction */

/* What a back end implements. All calls come with the device lock held. */
struct bis_chardev_ops {
	/*
	 * Takes up to len bytes, returns how many were taken; never blocks. After taking less than offered the back end
	 * calls bis_chardev_flush when it can take more.
	 */
	size_t (*write)(void *self, const uint8_t *buf, size_t len);
	/*
	 * Blocks until write would take bytes, so that nothing is lost when the device goes; false where waiting is
	 * pointless (hung up, interrupted). NULL: what write does not take at the end is dropped.
	 */
	bool (*wait_output)(void *self);
	/* Frees self. Called once, when the back end is unplugged or the machine goes. */
	void (*destroy)(void *self);
	bool interactive; /* a person sits at it: line editing and escape sequences are welcome */
};

/* Called when input, end of input or output space has appeared, or the terminal's size is another. */
typedef void (*bis_chardev_notify)(void *arg);

/* --- Both sides --- */

/* The character device of that name, made where there is none yet. "console" is the machine's first console. -ENOMEM.
 */
BIS_MUST_CHECK int bis_chardev_open(struct bis_machine *m, const char *name, struct bis_chardev **out);
/* The character device of that name; NULL if nobody opened or created it. */
struct bis_chardev *bis_chardev_find(struct bis_machine *m, const char *name);

/* --- Back-end side --- */

/*
 * Plugs a back end into the character device `name`. -EEXIST if it has one already, -ENOMEM; `self` is then still the
 * caller's, on success it belongs to the device until ops->destroy.
 */
BIS_MUST_CHECK int bis_chardev_create(struct bis_machine *m, const char *name, const struct bis_chardev_ops *ops,
				      void *self, struct bis_chardev **out);
/*
 * Unplugs the back end: delivers waiting output (see wait_output) and calls ops->destroy. A back end that lives in a
 * module calls this in the module's destroy. Nothing happens where no back end is plugged in, or for NULL.
 */
void bis_chardev_destroy(struct bis_chardev *c);

/* Offers input; returns how many bytes were taken: less than `len` when the queue is full (see bis_chardev_on_drain).
 */
size_t bis_chardev_input(struct bis_chardev *c, const uint8_t *buf, size_t len);
/* No more input will come. */
void bis_chardev_input_eof(struct bis_chardev *c);
/* Bytes that bis_chardev_input would take now. */
size_t bis_chardev_input_room(const struct bis_chardev *c);
/* `notify` is called when half of the input queue is free again after it was full. */
void bis_chardev_on_drain(struct bis_chardev *c, bis_chardev_notify notify, void *arg);
/* Hands waiting output to ops->write until it takes no more; returns how many bytes still wait. */
size_t bis_chardev_flush(struct bis_chardev *c);

/*
 * The terminal behind it has that many columns and rows; 0, 0: nobody knows. Front ends are notified when it is another
 * size. While there is a size, a person sits at it, whatever the back end is, and input has no end.
 */
void bis_chardev_set_size(struct bis_chardev *c, unsigned columns, unsigned rows);

/* --- Front-end side --- */

/*
 * Attaches a front end. Several may share one device (UART and native console): each byte goes to whoever reads it
 * first. -ENOSPC beyond 8 front ends.
 */
BIS_MUST_CHECK int bis_chardev_attach(struct bis_chardev *c, bis_chardev_notify notify, void *arg);
void bis_chardev_detach(struct bis_chardev *c, void *arg);
/* Takes up to len input bytes; returns how many there were. */
size_t bis_chardev_read(struct bis_chardev *c, uint8_t *buf, size_t len);
size_t bis_chardev_readable(const struct bis_chardev *c);
bool bis_chardev_at_eof(const struct bis_chardev *c); /* end of input reached and the queue is empty */
bool bis_chardev_interactive(const struct bis_chardev *c);
/* Is there a terminal behind the back end, which answers what the guest asks terminals? Others then keep quiet. */
bool bis_chardev_answers(const struct bis_chardev *c);
/* See bis_chardev_set_size. */
void bis_chardev_size(const struct bis_chardev *c, unsigned *columns, unsigned *rows);
/*
 * Output: bytes the back end does not take at once wait in a queue. Returns how many were accepted; less than `len`
 * means that the queue is full, and `notify` is called when half of it is free again. Without a back end output is
 * dropped.
 */
size_t bis_chardev_write(struct bis_chardev *c, const uint8_t *buf, size_t len);
/* Bytes that bis_chardev_write is sure to accept now. */
size_t bis_chardev_room(const struct bis_chardev *c);

/* --- Listeners --- */

/*
 * heard(arg, buf, len) is called with all output that is accepted, with or without a back end, in order; it may not
 * call anything of this page. -ENOSPC beyond 4 listeners. Until bis_chardev_unlisten with the same `arg`.
 */
BIS_MUST_CHECK int bis_chardev_listen(struct bis_chardev *c, void (*heard)(void *arg, const uint8_t *buf, size_t len),
				      void *arg);
void bis_chardev_unlisten(struct bis_chardev *c, void *arg);

#ifdef __cplusplus
}
#endif
#endif
