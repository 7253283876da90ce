/*
 * Fuzz target: the virtqueue and the register window, with a device that uses every call of them: it copies what it can
 * read to where it can write, in queue 0 by bytes, in queue 1 through a file, and sometimes puts a chain back first.
 */
#include "tests/fuzz/virtio_fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define QUEUES 2u

struct echo {
	struct virtio virtio;
	uint8_t config[6];
	int fd;
	struct virtio_chain chain;
};

/* The cursors never give more than the parts hold, and tell the same as the lists of ranges. */
static void check(const struct virtio_chain *c)
{
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
	uint64_t readable = 0, writable = 0;
	int n = virtio_read_ranges(c, SIZE_MAX, ranges, VIRTIO_QUEUE_SIZE);

	for (int i = 0; i < n; i++)
		readable += ranges[i].len;
	n = virtio_write_ranges(c, SIZE_MAX, ranges, VIRTIO_QUEUE_SIZE);
	for (int i = 0; i < n; i++)
		writable += ranges[i].len;
	vf_require(n >= 0 && readable == c->readable && writable == c->writable, "cursor and ranges disagree");
}

static void echo_bytes(struct virtio_chain *c)
{
	uint8_t buf[300];
	size_t n, left = 50;

	virtio_skip(c, 3);
	while (left-- && (n = virtio_read(c, buf, sizeof(buf))) && virtio_write(c, buf, n) == n)
		check(c);
}

static void echo_file(struct virtio_chain *c, int fd)
{
	ssize_t n = virtio_read_to_fd(c, fd, 0, 5000);

	check(c);
	if (n > 0)
		vf_require(virtio_write_from_fd(c, fd, 0, (size_t)n) >= 0, "file to chain");
	check(c);
}

static void echo_notify(void *self, unsigned queue)
{
	struct echo *e = self;
	unsigned n = 0;

	do {
		virtio_want_notify(&e->virtio, queue, false);
		while (n < 1000 && virtio_pop(&e->virtio, queue, &e->chain)) {
			check(&e->chain);
			if (n++ % 4 == 3) {
				virtio_unpop(&e->chain);
				continue;
			}
			if (queue)
				echo_file(&e->chain, e->fd);
			else
				echo_bytes(&e->chain);
			virtio_push(&e->chain);
		}
		virtio_signal(&e->virtio, queue);
	} while (virtio_want_notify(&e->virtio, queue, true) && n < 1000);
}

static void echo_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct echo *e = self;

	virtio_lock(&e->virtio);
	memcpy(e->config + off, &value, size);
	virtio_unlock(&e->virtio);
	virtio_config_changed(&e->virtio);
}

static const struct virtio_ops echo_ops = {
	.device_id = 42,
	.queues = QUEUES,
	.config_size = 6,
	.notify = echo_notify,
	.write_config = echo_write_config,
};

static void echo_pause(void *self)
{
	virtio_pause(self);
}

static void echo_resume(void *self)
{
	virtio_resume(self);
}

static void echo_reset(void *self)
{
	virtio_reset(self);
}

static void echo_destroy(void *self)
{
	struct echo *e = self;

	virtio_fini(&e->virtio);
	close(e->fd);
	free(e);
}

static int echo_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct echo *e = calloc(1, sizeof(*e));

	(void)options;
	vf_require(e, "no memory");
	e->fd = memfd_create("echo", MFD_CLOEXEC);
	vf_require(e->fd >= 0, "no file");
	virtio_init(&e->virtio, mod, &echo_ops, e, e->config);
	*self = e;
	return 0;
}

static int echo_attach(struct bis_module *mod, void *self)
{
	(void)mod;
	return virtio_attach(self);
}

static const struct bis_module_class echo_class = {
	.abi = BIS_MODULE_ABI,
	.irqs = 1,
	.name = "echo",
	.summary = "copies what it is given",
	.create = echo_create,
	.attach = echo_attach,
	.pause = echo_pause,
	.resume = echo_resume,
	.reset = echo_reset,
	.destroy = echo_destroy,
};

static const struct bis_module_class *const classes[] = {&echo_class, NULL};
static const struct virtio_fuzz_target target = {.spec = "echo", .classes = classes, .queues = QUEUES};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return virtio_fuzz_run(&target, data, size);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
