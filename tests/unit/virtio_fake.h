/*
 * A virtio device without a mind of its own, for tests of the transport: it counts what is told to it, and the test
 * takes chains and gives them back as a device would.
 */
#ifndef BISCUIT_UNIT_VIRTIO_FAKE_H
#define BISCUIT_UNIT_VIRTIO_FAKE_H

#include "tests/unit/virtio_rig.h"

#define FAKE_QUEUES  2u
#define FAKE_CONFIG  12u
#define FAKE_FEATURE (UINT64_C(1) << 5)
#define FAKE_UPPER   (UINT64_C(1) << 40)

struct virtio_fake {
	struct virtio virtio;
	uint8_t config[FAKE_CONFIG];
	unsigned notified[FAKE_QUEUES];
	unsigned started, quiesced, resets;
	unsigned writes; /* of the configuration; the last one: */
	uint32_t off, value;
	unsigned size;
	struct virtio_chain *in_hand; /* what a worker gives back when it is told to become quiet */
};

static inline void virtio_fake_notify(void *self, unsigned queue)
{
	struct virtio_fake *f = self;

	f->notified[queue]++;
}

static inline void virtio_fake_driver_ok(void *self)
{
	struct virtio_fake *f = self;

	f->started++;
}

static inline void virtio_fake_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct virtio_fake *f = self;

	f->writes++;
	f->off = off;
	f->size = size;
	f->value = value;
}

static inline void virtio_fake_quiesce(void *self)
{
	struct virtio_fake *f = self;

	f->quiesced++;
	if (f->in_hand) {
		virtio_push(f->in_hand);
		virtio_signal(&f->virtio, f->in_hand->queue);
	}
	f->in_hand = NULL;
}

static inline void virtio_fake_reset(void *self)
{
	struct virtio_fake *f = self;

	assert_true(f->quiesced > 0);
	f->resets++;
}

static const struct virtio_ops virtio_fake_ops = {
	.device_id = 42,
	.queues = FAKE_QUEUES,
	.features = FAKE_FEATURE,
	.config_size = FAKE_CONFIG,
	.notify = virtio_fake_notify,
	.driver_ok = virtio_fake_driver_ok,
	.write_config = virtio_fake_write_config,
	.quiesce = virtio_fake_quiesce,
	.reset = virtio_fake_reset,
};

static inline int virtio_fake_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct virtio_fake *f = calloc(1, sizeof(*f));

	(void)options;
	assert_non_null(f);
	for (unsigned i = 0; i < FAKE_CONFIG; i++)
		f->config[i] = (uint8_t)(i + 1);
	virtio_init(&f->virtio, mod, &virtio_fake_ops, f, f->config);
	virtio_offer(&f->virtio, FAKE_UPPER);
	*self = f;
	return 0;
}

static inline int virtio_fake_attach(struct bis_module *mod, void *self)
{
	struct virtio_fake *f = self;

	(void)mod;
	return virtio_attach(&f->virtio);
}

static inline void virtio_fake_destroy(void *self)
{
	struct virtio_fake *f = self;

	virtio_fini(&f->virtio);
	free(f);
}

static inline void virtio_fake_module_pause(void *self)
{
	virtio_pause(self);
}

static inline void virtio_fake_module_resume(void *self)
{
	virtio_resume(self);
}

static inline void virtio_fake_module_reset(void *self)
{
	virtio_reset(self);
}

static const struct bis_field virtio_fake_fields[] = {
	VIRTIO_FIELDS(struct virtio_fake, virtio),
	BIS_FIELD_END,
};

static const struct bis_module_class virtio_fake_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.irqs = 1,
	.name = "virtio-fake",
	.summary = "counts what is told to it",
	.fields = virtio_fake_fields,
	.create = virtio_fake_create,
	.attach = virtio_fake_attach,
	.pause = virtio_fake_module_pause,
	.resume = virtio_fake_module_resume,
	.reset = virtio_fake_module_reset,
	.destroy = virtio_fake_destroy,
};

/* The device and its rig: a fixture for cmocka. */
struct virtio_test {
	struct vrig *r;
	struct virtio_fake *f;
	struct virtio *v;
};

static inline int virtio_test_setup(void **state)
{
	static const struct bis_module_class *const classes[] = {&bis_riscv_class, &virtio_fake_class, NULL};
	struct virtio_test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->r = vrig_open_with(classes, "virtio-fake");
	t->f = bis_module_self(t->r->mod);
	t->v = &t->f->virtio;
	*state = t;
	return 0;
}

static inline int virtio_test_teardown(void **state)
{
	struct virtio_test *t = *state;

	vrig_close(t->r);
	free(t);
	return 0;
}

#endif
