/*
 * What the files of frontend/inspect share: the tree of nodes and what a node does. Nothing of FUSE is known here;
 * fuse.c turns requests of the kernel into these calls.
 *
 * Locks, in the order in which they may be taken: the machine's control lock, its device lock, then one of in->lock
 * (lists, error text, sampled values) or in->stream_lock. Neither of the two is held while anything waits.
 */
#ifndef BISCUIT_INSPECT_INTERNAL_H
#define BISCUIT_INSPECT_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <biscuit/machine.h>
#include <biscuit/memory.h>

#include "frontend/debug/page_tables.h"
#include "frontend/inspect/inspect.h"
#include "frontend/inspect/text.h"

#define INSPECT_NAME_MAX  128
#define INSPECT_WRITE_MAX 65536u /* a text that is written at once */

struct inspect_node;
struct inspect_stream;
struct inspect_handle;
struct inspect_listing;

/* --- What there is --- */

/* What tells nodes of one type apart. A child has its parent's, unless the directory gives another. */
struct inspect_arg {
	unsigned hart;
	unsigned number; /* of a CSR, a breakpoint, …: the directory's matter */
	const void *row; /* of a constant table */
};

enum inspect_kind {
	INSPECT_DIR,
	INSPECT_TEXT,  /* made whole when it is opened; what is written takes effect write by write */
	INSPECT_LINK,  /* generate gives where it leads */
	INSPECT_BYTES, /* of a known size, read and written in place */
	INSPECT_STREAM /* read until it ends, waiting for more */
};

struct inspect_row {
	const char *name;
	const struct inspect_type *type;
	const char *help; /* for README; NULL: not mentioned there */
};

struct inspect_child {
	char name[INSPECT_NAME_MAX];
	const struct inspect_type *type;
	struct inspect_arg arg;
};

/* Takes the bytes that the pieces hold, which are valid during the call; 0 or a negative errno. */
typedef int (*inspect_use_fn)(void *arg, const struct iovec *pieces, int count);

/*
 * What a node is and does. Functions that are NULL cannot be done. They may be called on several threads at once,
 * without locks, and give 0 or a negative errno with bis_error_message.
 */
struct inspect_type {
	enum inspect_kind kind;
	bool fleeting; /* may be gone the next time */
	/* Each look-up gives a node of its own: the kernel lets one writer at a time have a node, and one that waits
	 * would keep the others waiting. */
	bool apart;

	/* Directories: rows, ended by a NULL name, then child(…, 0), child(…, 1), … until false. */
	const struct inspect_row *rows;
	bool (*child)(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out);

	/* Texts and links. `accept` gets one write without the newline at its end; with `lines` one line of it at a
	 * time. What it answers can be read at the same descriptor. */
	int (*generate)(struct inspect *in, const struct inspect_node *n, struct inspect_text *out);
	int (*accept)(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply);
	bool lines;
	/* The text's length is the file's while it is open, for programs that ask before they read. With `apart`. */
	bool sized;
	/* Whoever waits for an `accept` to end has been interrupted: lets it end early. */
	void (*interrupt)(struct inspect *in);
	/* Instead of accept: bytes as they come; how many were taken. */
	ssize_t (*accept_raw)(struct inspect *in, const struct inspect_node *n, const void *data, size_t len);
	/* Can this one be written? NULL: yes, where there is an accept. */
	bool (*writable)(struct inspect *in, const struct inspect_node *n);
	/* unlink */
	int (*remove)(struct inspect *in, const struct inspect_node *n);

	/* Bytes: `read`, or `vector`, which gives pieces of memory that hold them to use(arg, …) once. */
	uint64_t (*size)(struct inspect *in, const struct inspect_node *n);
	ssize_t (*read)(struct inspect *in, const struct inspect_node *n, uint64_t off, void *buf, size_t len);
	ssize_t (*write)(struct inspect *in, const struct inspect_node *n, uint64_t off, const void *buf, size_t len);
	int (*vector)(struct inspect *in, const struct inspect_node *n, uint64_t off, size_t len, inspect_use_fn use,
		      void *arg);

	/* Streams, and what has a file of the host behind it while it is open (*fd). */
	int (*open_stream)(struct inspect *in, const struct inspect_node *n, struct inspect_stream **out);
	int (*open_fd)(struct inspect *in, const struct inspect_node *n, int *fd);
};

/* A place in the tree that somebody knows of. Its name, type and arg never change. */
struct inspect_node {
	struct inspect_node *parent, *children, *next;
	const struct inspect_type *type;
	struct inspect_arg arg;
	uint64_t refs;		 /* by the kernel, by children, by open files; in->lock */
	_Atomic uint64_t length; /* of a `sized` text, as it was opened last */
	char name[];
};

/* --- The whole --- */

struct inspect_csr {
	unsigned number;
	bool described; /* it has fields */
	char name[32];
};

struct inspect_module {
	char *name;
	const struct bis_module_class *class;
	bool device;   /* the guest reaches it: registers, a slot, an interrupt line */
	char *chardev; /* its character device; NULL: it has none */
};

struct inspect_console; /* what a character device has put out so far */

struct inspect {
	struct debug *debug;
	struct bis_machine *machine;
	struct inspect_options options;
	char *version;
	int64_t born; /* time(2) of creation: what files are dated */
	struct bis_listener *listener;

	pthread_mutex_t lock;
	/* Guarded by lock: */
	struct inspect_node *root;
	struct inspect_csr *csrs;
	size_t n_csrs;
	struct inspect_module *modules;
	size_t n_modules;
	char *error; /* the last failure in words; NULL: none yet */
	struct {
		uint64_t time, instret;
		double mips;
	} sample;
	struct inspect_walk_ask {
		uint64_t address;
		enum bis_access access;
	} walks[BIS_MAX_HARTS];
	struct inspect_text lookup; /* the answer of symbols/lookup */
	struct inspect_handle *handles;
	struct inspect_listing *listings; /* directories that are open through the mount */

	pthread_mutex_t stream_lock;
	pthread_cond_t rung, closed; /* closed: a stream was; of CLOCK_MONOTONIC */
	/* Guarded by stream_lock: */
	struct inspect_stream *streams;
	struct inspect_console *consoles;
	bool ringing, ending;
	char last_stop[256]; /* why the machine last came to rest */
	pthread_t bell;
	bool has_bell; /* the creator's thread alone */

	struct inspect_server *server; /* the mount; NULL: none */
};

/* Everything but the mount. */
BIS_MUST_CHECK int inspect_create(struct debug *d, const struct inspect_options *options, struct inspect **out);
/* Lets all who wait go: their reads end. Gives them that long to read what is left and close their files. */
void inspect_end_streams(struct inspect *in, unsigned grace_ms);
void inspect_destroy(struct inspect *in);

/* Keeps what bis_error_message says of `err` for errstr, with the node's path; n may be NULL. Gives err. */
int inspect_note(struct inspect *in, const struct inspect_node *n, int err);
/* Ends a step that is under way: what `interrupt` is for files that take verbs. */
void inspect_end_step(struct inspect *in);
/* -EBUSY with message while the machine runs. At a safepoint. */
BIS_MUST_CHECK int inspect_need_paused(struct inspect *in);
struct bis_hart *inspect_hart(struct inspect *in, const struct inspect_node *n);
unsigned inspect_xlen(struct inspect *in);
/* A CSR by name on the hart of n, 0 where it has none. At a safepoint. */
uint64_t inspect_csr_value(struct bis_hart *h, const char *name);

/* --- The tree (tree.c) --- */

extern const struct inspect_type inspect_root_type;

/* Child `index` of a directory, rows first; false beyond the last. */
bool inspect_child_at(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out);
/* The child of that name, with a reference; -ENOENT with the nearest name, -ENOTDIR. */
BIS_MUST_CHECK int inspect_lookup(struct inspect *in, struct inspect_node *dir, const char *name,
				  struct inspect_node **out);
/* The node at "cpu/0/pc"; links are not followed. */
BIS_MUST_CHECK int inspect_find(struct inspect *in, const char *path, struct inspect_node **out);
void inspect_ref(struct inspect *in, struct inspect_node *n);
void inspect_unref(struct inspect *in, struct inspect_node *n, uint64_t count);
/* Where n lies below the root. As snprintf. */
int inspect_path(const struct inspect_node *n, char *buf, size_t size);
/* S_IFREG | 0600 and so on. */
mode_t inspect_mode(struct inspect *in, const struct inspect_node *n);

/* --- Open files (handle.c) --- */

enum inspect_open { INSPECT_READ = 1, INSPECT_WRITE = 2 };

struct inspect_handle {
	struct inspect *in;
	struct inspect_node *node;
	struct inspect_handle *next, **place;
	struct inspect_stream *stream;
	int fd;		      /* -1: none */
	pthread_mutex_t lock; /* guards text and begin */
	struct inspect_text text;
	uint64_t begin; /* the offset of the text's first byte: a descriptor has moved on by what it wrote */
};

BIS_MUST_CHECK int inspect_open(struct inspect *in, struct inspect_node *n, unsigned how, struct inspect_handle **out);
void inspect_close(struct inspect_handle *h);
/* Bytes read, 0 at the end, or -errno; of a text, of bytes, or of a descriptor. */
BIS_MUST_CHECK ssize_t inspect_read(struct inspect_handle *h, void *buf, size_t len, uint64_t off);
/*
 * All of it is taken, or nothing and -errno; of a text of several commands the first ones, where a later one fails, and
 * of raw bytes as many as there is room for.
 */
BIS_MUST_CHECK ssize_t inspect_write(struct inspect_handle *h, const void *buf, size_t len, uint64_t off);

/* --- The parts of the tree, each in the file of its name --- */

extern const struct inspect_type inspect_harts_type;
extern const struct inspect_type inspect_regs_dir_type, inspect_regs_type, inspect_regs_json_type, inspect_pc_type,
	inspect_priv_type;
/* The letters that register names begin with, "x", "f": each is a directory. False beyond the last. */
bool inspect_reg_group(struct inspect *in, size_t index, char *letter);
extern const struct inspect_type inspect_csrs_type, inspect_csr_fields_type;
extern const struct inspect_type inspect_blocks_type;
extern const struct inspect_type inspect_vm_type, inspect_vm_map_type, inspect_vm_walk_type;
extern const struct inspect_type inspect_mem_type;
extern const struct inspect_type inspect_devices_type, inspect_modules_type, inspect_magicfs_type;
extern const struct inspect_type inspect_module_ctl_type;
extern const struct inspect_type inspect_console_in_type, inspect_console_out_type, inspect_console_log_type;
/* What the device of a display's name has besides; NULL: there is no display of that name. */
const struct inspect_row *inspect_display_row(struct inspect *in, const char *device);
/* Display `index` of those that no device has the name of; false beyond the last. */
bool inspect_display_child(struct inspect *in, size_t index, struct inspect_child *out);
extern const struct inspect_type inspect_breaks_type, inspect_symbols_type, inspect_snapshots_type, inspect_dt_type;
extern const struct inspect_type inspect_events_type, inspect_wait_type;

/* --- Lists that follow the machine (lists.c) --- */

/* Makes the lists of modules and CSRs anew. Control lock held. */
BIS_MUST_CHECK int inspect_list(struct inspect *in);
void inspect_lists_free(struct inspect *in);
/* The name of instance `index`, of all or of the devices; false beyond the last. */
bool inspect_module_name(struct inspect *in, bool devices, size_t index, char name[INSPECT_NAME_MAX]);
/* The class of an instance; NULL where it is gone. */
const struct bis_module_class *inspect_module_class(struct inspect *in, const char *instance);
/* The name of an instance's character device, malloc'ed; NULL where it has none. */
char *inspect_module_chardev(struct inspect *in, const char *instance);
/* Calls fn(arg, module) at a safepoint; -ENODEV where there is no instance of that name any more. */
BIS_MUST_CHECK int inspect_with_module(struct inspect *in, const char *instance,
				       int (*fn)(void *arg, struct bis_module *mod), void *arg);
/* The value of option `name` of an instance as it was given, malloc'ed; NULL: it was not. Control lock held. */
char *inspect_spec_value(const char *spec, const char *name);
/* The value of a field as text, without newline. */
void inspect_put_field(struct inspect_text *out, const struct bis_field *f, const void *self);

/* --- Streams (stream.c) --- */

enum inspect_stream_kind { INSPECT_EVENTS, INSPECT_WAIT, INSPECT_CONSOLE };

/* Somebody who waits for a stream to have something; owned by the caller. */
struct inspect_waiter {
	struct inspect_waiter *next;
	bool queued, cancelled; /* stream_lock */
	/* There is something, or the end. On a thread of the streams, without locks; the waiter is the callee's again.
	 */
	void (*ready)(struct inspect_waiter *w);
};

BIS_MUST_CHECK int inspect_stream_open(struct inspect *in, enum inspect_stream_kind kind, const void *source,
				       struct inspect_stream **out);
void inspect_stream_close(struct inspect *in, struct inspect_stream *s);
/*
 * Bytes read, 0 at the end. Where there is nothing yet: -EAGAIN, and w (may be NULL) is called when there is; -EINTR if
 * it was cancelled before.
 */
BIS_MUST_CHECK ssize_t inspect_stream_read(struct inspect *in, struct inspect_stream *s, void *buf, size_t size,
					   struct inspect_waiter *w);
/* Is there something, or the end? If not, w is called when there is. */
bool inspect_stream_ready(struct inspect *in, struct inspect_stream *s, struct inspect_waiter *w);
/* Takes w back: true if it was waiting and is the caller's now; it will not wait any more in either case. */
bool inspect_waiter_cancel(struct inspect *in, struct inspect_waiter *w);
/* Gives data to all streams of the kind and source; those of WAIT end with it. Any thread. */
void inspect_stream_put(struct inspect *in, enum inspect_stream_kind kind, const void *source, const void *data,
			size_t len);
int inspect_streams_start(struct inspect *in);
void inspect_streams_stop(struct inspect *in);

/* Called for each event of the machine, with the control lock. */
void inspect_event(struct inspect *in, const struct bis_event *event);

/* Begins to follow a character device. Device lock held. NULL without memory. */
struct inspect_console *inspect_console_of(struct inspect *in, const char *chardev);
void inspect_consoles_free(struct inspect *in);

/* --- Page tables (vm.c, vm_map.c) --- */

/* The scheme that satp selects, NULL: bare; *root: physical address of the first table. At a safepoint. */
const struct debug_scheme *inspect_scheme_of(struct bis_hart *h, uint64_t *root);

/* A flattened device tree as source text (dts.c). -EINVAL with message. */
BIS_MUST_CHECK int inspect_put_dts(struct inspect_text *out, const void *blob, size_t size);

#endif
