/* The mount: made and taken away. Calls of the program's thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUSE_USE_VERSION 31
#include <fuse_lowlevel.h>

#include <biscuit/error.h>

#include "frontend/inspect/fuse_internal.h"

/* For those who read to the end of what the machine had to say. */
#define GRACE_MS 200

struct inspect_server {
	struct fuse_session *se;
	struct inspect_loop *loop;
	bool mounted;
};

/* What libfuse has to say becomes the message of the failure it belongs to. */
static void keep_message(enum fuse_log_level level, const char *fmt, va_list args)
{
	char text[400];

	(void)level;
	vsnprintf(text, sizeof(text), fmt, args);
	bis_fail(EIO, "%s", inspect_trim(text));
}

static int check_fuse(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int err = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (err == ENOENT || err == ENODEV || err == ENXIO)
		return bis_fail(ENODEV, "there is no /dev/fuse here: the kernel's FUSE is needed (modprobe fuse)");
	if (err == EACCES || err == EPERM)
		return bis_fail(EPERM, "this user may not open /dev/fuse");
	if (geteuid() != 0 && !inspect_have_fusermount())
		return bis_fail(EPERM, "there is no fusermount3, which mounts for ordinary users (Debian: fuse3)");
	return 0;
}

static int make_session(struct inspect *in, struct inspect_server *s)
{
	char options[160];
	char *argv[] = {"biscuit", "-o", options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	snprintf(options, sizeof(options), "fsname=biscuit,subtype=biscuit,default_permissions%s%s%s",
		 in->options.allow_other ? ",allow_other" : "", in->options.readonly ? ",ro" : "",
		 inspect_have_fusermount() ? ",auto_unmount" : "");
	s->se = fuse_session_new(&args, &inspect_fuse_ops, sizeof(inspect_fuse_ops), in);
	fuse_opt_free_args(&args);
	return s->se ? 0 : bis_fail_prefix(-ENOMEM, "cannot make a FUSE session");
}

static int serve(struct inspect_server *s, const char *mount_point)
{
	int flags;

	(void)bis_fail(EIO, "the mount was refused%s", geteuid() ? " (fusermount3 has said why)" : "");
	if (fuse_session_mount(s->se, mount_point))
		return bis_fail_prefix(-EPERM, "%s", mount_point);
	s->mounted = true;
	flags = fcntl(fuse_session_fd(s->se), F_GETFL);
	if (flags < 0 || fcntl(fuse_session_fd(s->se), F_SETFL, flags | O_NONBLOCK))
		return bis_fail(errno, "/dev/fuse: %s", strerror(errno));
	return inspect_loop_start(s->se, &s->loop);
}

int inspect_mount(struct debug *d, const char *mount_point, const struct inspect_options *options, struct inspect **out)
{
	struct inspect *in = NULL;
	char *real = NULL;
	int err = check_fuse();

	if (!err)
		err = inspect_prepare_mount_point(mount_point, &real);
	if (!err)
		err = inspect_create(d, options, &in);
	if (!err) {
		in->server = calloc(1, sizeof(*in->server));
		err = in->server ? 0 : bis_fail(ENOMEM, "no memory for the mount");
	}
	fuse_set_log_func(keep_message);
	if (!err)
		err = make_session(in, in->server);
	if (!err)
		err = serve(in->server, real);
	free(real);
	if (err) {
		inspect_unmount(in);
		return err;
	}
	*out = in;
	return 0;
}

void inspect_unmount(struct inspect *in)
{
	struct inspect_server *s = in ? in->server : NULL;

	if (!in)
		return;
	if (s) {
		if (s->loop) {
			inspect_end_streams(in, GRACE_MS);
			inspect_loop_stop(s->loop);
		}
		inspect_end_streams(in, 0);
		inspect_streams_stop(in);
		if (s->mounted)
			fuse_session_unmount(s->se);
		if (s->se)
			fuse_session_destroy(s->se);
		inspect_listings_close(in);
		free(s);
		in->server = NULL;
	}
	inspect_destroy(in);
}
