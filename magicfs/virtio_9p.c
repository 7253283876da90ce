/*
 * Virtio 9P transport (virtio 1.2, device type 9): a share as a file system that Linux mounts with
 * `mount -t 9p -o trans=virtio,version=9p2000.L TAG DIRECTORY`. The module: options, configuration space and lifecycle;
 * requests are virtio_9p_queue.c's, which says what runs where. All functions here run with the device lock held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "magicfs/virtio_9p_queue.h"
#include "modules/modules.h"

#define DEVICE_ID	  9u
#define FEATURE_MOUNT_TAG UINT64_C(1)
#define CONFIG_SIZE	  256u /* tag_len[2] tag[tag_len] */
#define TAG_MAX		  (CONFIG_SIZE - 2)

struct p9_device {
	struct virtio virtio;
	struct p9_queue queue;
	struct p9_session session;
	uint8_t config[CONFIG_SIZE];
};

static const struct bis_field p9_fields[] = {
	VIRTIO_FIELDS(struct p9_device, virtio),
	BIS_FIELD(struct p9_device, session.msize, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
		  "bytes of a message at most; 0: not mounted"),
	BIS_FIELD(struct p9_device, session.n_fids, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "fids in use"),
	BIS_FIELD_END,
};

static const struct bis_option p9_options[] = {
	{"share", BIS_OPTION_TEXT, NULL, NULL, "name of the share"},
	{"tag", BIS_OPTION_TEXT, "", NULL, "what the guest calls it in `mount`; the share's name if not given"},
	{0},
};

static void p9_notify(void *self, unsigned queue)
{
	struct p9_device *d = self;

	(void)queue;
	p9_queue_run(&d->queue);
}

static void p9_quiesce(void *self)
{
	struct p9_device *d = self;

	p9_queue_drain(&d->queue);
}

static void p9_reset_device(void *self)
{
	struct p9_device *d = self;

	p9_session_restart(&d->session, 0);
}

/* Works on whatever p9_create has made so far. */
static void p9_destroy(void *self)
{
	struct p9_device *d = self;

	virtio_fini(&d->virtio);
	p9_queue_fini(&d->queue);
	p9_session_fini(&d->session);
	free(d);
}

static int set_tag(struct p9_device *d, const char *name, const char *tag)
{
	size_t len;

	if (!*tag)
		tag = d->session.fs->name;
	len = strlen(tag);
	if (len > TAG_MAX)
		return bis_fail(EINVAL, "%s: tag=%s: expected at most %u bytes", name, tag, TAG_MAX);
	d->config[0] = (uint8_t)len;
	memcpy(d->config + 2, tag, len);
	return 0;
}

static int p9_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct virtio_ops ops = {
		.device_id = DEVICE_ID,
		.queues = 1,
		.features = FEATURE_MOUNT_TAG,
		.config_size = CONFIG_SIZE,
		.notify = p9_notify,
		.quiesce = p9_quiesce,
		.reset = p9_reset_device,
	};
	const char *name = bis_module_name(mod);
	struct p9_device *d;
	struct mfs *fs;
	int err = mfs_find(bis_module_machine(mod), bis_option_text(options, "share"), &fs);

	if (err)
		return bis_fail_prefix(err, "%s", name);
	d = calloc(1, sizeof(*d));
	if (!d) {
		mfs_put(fs);
		return bis_fail(ENOMEM, "no memory for %s", name);
	}
	p9_session_init(&d->session, fs);
	p9_queue_init(&d->queue, &d->virtio, &d->session, name);
	virtio_init(&d->virtio, mod, &ops, d, d->config);
	err = set_tag(d, name, bis_option_text(options, "tag"));
	if (err) {
		p9_destroy(d);
		return err;
	}
	*self = d;
	return 0;
}

static int p9_attach_module(struct bis_module *mod, void *self)
{
	(void)mod;
	return virtio_attach(self);
}

static void p9_pause(void *self)
{
	virtio_pause(self);
}

static void p9_resume(void *self)
{
	virtio_resume(self);
}

static int p9_check(void *self)
{
	return virtio_check(self);
}

static int p9_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	struct p9_device *d = self;

	return p9_session_save(&d->session, d->virtio.module, put, arg);
}

static int p9_restore(void *self, const void *data, size_t len)
{
	struct p9_device *d = self;

	return p9_session_restore(&d->session, d->virtio.module, data, len);
}

static void p9_reset(void *self)
{
	virtio_reset(self);
}

static void p9_dt(void *self, struct bis_dt *dt)
{
	virtio_dt(self, dt);
}

const struct bis_module_class bis_virtio_9p_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-9p",
	.summary = "virtio 9P transport: a share that Linux mounts",
	.options = p9_options,
	.fields = p9_fields,
	.create = p9_create,
	.attach = p9_attach_module,
	.pause = p9_pause,
	.resume = p9_resume,
	.reset = p9_reset,
	.destroy = p9_destroy,
	.check = p9_check,
	.save = p9_save,
	.restore = p9_restore,
	.dt_name = "virtio_mmio",
	.dt = p9_dt,
};
