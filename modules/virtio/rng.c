/*
 * Entropy device (virtio 1.2, section 5.4): fills the driver's buffers with random bytes of the host, or with the same
 * ones in each run, for guests that are compared. Device lock held throughout; a driver that wants more than a fair
 * share gets the rest on the controller thread, while time goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "modules/modules.h"
#include "modules/virtio/virtio.h"

#define REQUEST_MAX 1024 /* bytes that one request gets at most; section 5.4.6.1: it may be fewer than asked for */
#define TURN_MAX    64	 /* requests at a time */

struct rng {
	struct virtio virtio;
	struct bis_timer *more;
	bool paused;
	struct virtio_chain chain; /* the one in hand */
	uint64_t seed;		   /* 0: the host's numbers; otherwise what the next ones are drawn from */
};

static const struct bis_option rng_options[] = {
	{"seed", BIS_OPTION_U64, "0", NULL, "the same numbers in each run, drawn from this one; 0: the host's"},
	{0},
};

static const struct bis_field rng_fields[] = {
	VIRTIO_FIELDS(struct rng, virtio),
	BIS_FIELD(struct rng, seed, U64, BIS_FIELD_HEX | BIS_FIELD_READONLY,
		  "what numbers are drawn from; 0: the host's"),
	BIS_FIELD_END,
};

/* Fills `buf`; how many bytes there are. Fewer only if the host gives none. */
static size_t take_random(uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = getrandom(buf + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* A counter whose bits are mixed until none shows its neighbours: it is odd, so never 0. */
static void draw(struct rng *r, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t mixed;

		r->seed += 2;
		mixed = (r->seed ^ r->seed >> 29) * UINT64_C(0xd6e8feb86659fd93);
		mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
		buf[i] = (uint8_t)(mixed >> 56);
	}
}

static void serve(struct rng *r, struct virtio_chain *c)
{
	uint8_t buf[REQUEST_MAX];
	size_t len = c->writable < sizeof(buf) ? (size_t)c->writable : sizeof(buf);

	if (r->seed)
		draw(r, buf, len);
	else
		len = take_random(buf, len);
	virtio_write(c, buf, len);
	virtio_push(c);
}

static void rng_notify(void *self, unsigned queue)
{
	struct rng *r = self;
	unsigned left = TURN_MAX;

	while (left && virtio_pop(&r->virtio, queue, &r->chain)) {
		serve(r, &r->chain);
		left--;
	}
	virtio_signal(&r->virtio, queue);
	if (!left)
		bis_timer_set(r->more, 0);
}

/* What is left when the machine pauses is looked at when it goes on. */
static void rng_more(void *self)
{
	struct rng *r = self;

	if (!r->paused)
		rng_notify(r, 0);
}

static const struct virtio_ops rng_ops = {
	.device_id = VIRTIO_ID_ENTROPY,
	.queues = 1,
	.notify = rng_notify,
};

static void rng_pause(void *self)
{
	struct rng *r = self;

	r->paused = true;
	virtio_pause(&r->virtio);
}

static void rng_resume(void *self)
{
	struct rng *r = self;

	r->paused = false;
	virtio_resume(&r->virtio);
}

static int rng_check(void *self)
{
	return virtio_check(self);
}

static void rng_reset(void *self)
{
	struct rng *r = self;

	virtio_reset(&r->virtio);
}

static void rng_destroy(void *self)
{
	struct rng *r = self;

	if (r->more)
		bis_timer_destroy(r->more);
	virtio_fini(&r->virtio);
	free(r);
}

static void rng_dt(void *self, struct bis_dt *dt)
{
	struct rng *r = self;

	virtio_dt(&r->virtio, dt);
}

static int rng_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	const char *name = bis_module_name(mod);
	struct rng *r;
	uint8_t probe;

	if (take_random(&probe, 1) != 1)
		return bis_fail(errno, "%s: the host gives no random numbers: %s", name, strerror(errno));
	r = calloc(1, sizeof(*r));
	if (!r)
		return bis_fail(ENOMEM, "no memory for %s", name);
	r->seed = bis_option_u64(options, "seed");
	r->seed = r->seed ? r->seed << 1 | 1 : 0; /* odd, and stays so */
	virtio_init(&r->virtio, mod, &rng_ops, r, NULL);
	*self = r;
	return 0;
}

static int rng_attach(struct bis_module *mod, void *self)
{
	struct rng *r = self;
	int err = bis_timer_create(mod, rng_more, &r->more);

	return err ? err : virtio_attach(&r->virtio);
}

const struct bis_module_class bis_virtio_rng_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-rng",
	.summary = "virtio entropy source: random numbers of the host",
	.options = rng_options,
	.fields = rng_fields,
	.create = rng_create,
	.attach = rng_attach,
	.pause = rng_pause,
	.resume = rng_resume,
	.reset = rng_reset,
	.destroy = rng_destroy,
	.check = rng_check,
	.dt_name = "virtio_mmio",
	.dt = rng_dt,
};
