/*
 * Split virtqueues (virtio 1.2, section 2.7): the one implementation that all devices share. Everything in the rings is
 * hostile: each field is read once, checked, and used from the copy. Any thread; the device's struct virtio and its
 * chains are the device's, and the lock of struct virtio guards what is shared.
 */
#include <errno.h>
#include <inttypes.h>

#include "modules/virtio/internal.h"

/* Section 2.7.5: a descriptor, and the flags of it. */
struct desc {
	uint64_t address;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

/* Sections 2.7.6 and 2.7.8: both rings are flags, index, entries, and the other side's event index. */
enum { RING_FLAGS = 0, RING_INDEX = 2, RING_ENTRIES = 4, AVAIL_ENTRY = 2, USED_ENTRY = 8, RING_EVENT = 2 };
enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

/* --- Places --- */

static bool size_ok(uint16_t size)
{
	return size && size <= VIRTIO_QUEUE_SIZE && !(size & (size - 1));
}

const char *virtio_queue_flaw(const struct virtio *v, unsigned queue)
{
	uint64_t size = v->size[queue];

	if (!size_ok(v->size[queue]))
		return "its size is not a power of two from 1 to 512";
	if (v->desc[queue] % sizeof(struct desc) || v->avail[queue] % 2 || v->used[queue] % 4)
		return "a part of it is misaligned";
	if (!bis_mem_is_ram(v->memory, (bis_gpa){v->desc[queue]}, size * sizeof(struct desc)) ||
	    !bis_mem_is_ram(v->memory, (bis_gpa){v->avail[queue]}, RING_ENTRIES + size * AVAIL_ENTRY + RING_EVENT) ||
	    !bis_mem_is_ram(v->memory, (bis_gpa){v->used[queue]}, RING_ENTRIES + size * USED_ENTRY + RING_EVENT))
		return "a part of it is not in RAM";
	return NULL;
}

void virtio_queue_clear(struct virtio *v, unsigned queue)
{
	v->ready[queue] = false;
	v->quiet[queue] = false;
	v->next_avail[queue] = 0;
	v->next_used[queue] = 0;
	v->signalled_used[queue] = 0;
	v->generation[queue]++;
}

/* The size is looked at each time because a field table lets it be set from outside. */
static bool queue_live(const struct virtio *v, unsigned queue)
{
	return queue < v->ops->queues && virtio_live_locked(v) && v->ready[queue] && size_ok(v->size[queue]);
}

/* Chains may be taken from the queue. */
static bool queue_open(const struct virtio *v, unsigned queue)
{
	return queue_live(v, queue) && !v->held;
}

/* The queue gave this chain and has not been out of use since. */
static bool chain_valid(const struct virtio_chain *c)
{
	return queue_live(c->virtio, c->queue) && c->generation == c->virtio->generation[c->queue];
}

static uint64_t avail_entry(const struct virtio *v, unsigned queue, uint16_t index)
{
	return v->avail[queue] + RING_ENTRIES + (uint64_t)(index & (v->size[queue] - 1u)) * AVAIL_ENTRY;
}

static uint64_t used_entry(const struct virtio *v, unsigned queue, uint16_t index)
{
	return v->used[queue] + RING_ENTRIES + (uint64_t)(index & (v->size[queue] - 1u)) * USED_ENTRY;
}

/* The driver says behind the available ring when it wants an interrupt, the device behind the used ring when a
 * notification. */
static uint64_t used_event(const struct virtio *v, unsigned queue)
{
	return v->avail[queue] + RING_ENTRIES + (uint64_t)v->size[queue] * AVAIL_ENTRY;
}

static uint64_t avail_event(const struct virtio *v, unsigned queue)
{
	return v->used[queue] + RING_ENTRIES + (uint64_t)v->size[queue] * USED_ENTRY;
}

/* --- Words of the rings. They are RAM since the queue became ready, unless fields were set from outside. --- */

static bool load16(struct virtio *v, uint64_t at, uint16_t *out)
{
	uint64_t value;

	if (bis_mem_load(v->memory, (bis_gpa){at}, 2, &value)) {
		virtio_break_locked(v, "no word of a ring at 0x%" PRIx64, at);
		return false;
	}
	*out = (uint16_t)value;
	return true;
}

static bool store16(struct virtio *v, uint64_t at, uint16_t value)
{
	if (bis_mem_store(v->memory, (bis_gpa){at}, 2, value)) {
		virtio_break_locked(v, "no word of a ring at 0x%" PRIx64, at);
		return false;
	}
	return true;
}

/* --- Taking chains --- */

/* How many chains are available; 0 also after a broken rule. */
static unsigned waiting(struct virtio *v, unsigned queue)
{
	uint16_t index, ahead;

	if (!load16(v, v->avail[queue] + RING_INDEX, &index))
		return 0;
	ahead = (uint16_t)(index - v->next_avail[queue]);
	if (ahead > v->size[queue]) {
		virtio_break_locked(v, "queue %u: available index %u is %u ahead of the device in a ring of %u", queue,
				    index, ahead, v->size[queue]);
		return 0;
	}
	return ahead;
}

/* Orders what was stored before it before what is loaded after it. ThreadSanitizer knows no fences. */
static void full_fence(void)
{
#ifdef __SANITIZE_THREAD__
	uint32_t word = 0;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * Asks for a notification of the next chain. How many came before the driver could know of it: the fence stands between
 * the words of both sides that tell each other, as one between them stands in the driver.
 */
static unsigned ask_for_notification(struct virtio *v, unsigned queue)
{
	bool stored;

	if (virtio_has_locked(v, VIRTIO_F_EVENT_IDX))
		stored = store16(v, avail_event(v, queue), v->next_avail[queue]);
	else
		stored = store16(v, v->used[queue] + RING_FLAGS, 0);
	full_fence();
	return stored ? waiting(v, queue) : 0;
}

/* Where a walk over a chain is. */
struct walk {
	uint64_t table;
	uint32_t entries;
	uint32_t next;
	bool indirect; /* in an indirect table */
	bool writable; /* a device-writable range has been met */
};

static bool enter_indirect(struct virtio *v, unsigned queue, struct walk *w, const struct desc *d)
{
	const char *flaw = NULL;

	if (!virtio_has_locked(v, VIRTIO_F_INDIRECT_DESC))
		flaw = "the feature was not negotiated";
	else if (w->indirect)
		flaw = "it is inside another";
	else if (d->flags & DESC_NEXT)
		flaw = "a descriptor follows it";
	else if (d->len == 0 || d->len % sizeof(struct desc))
		flaw = "its length is not a multiple of 16";
	else if (!bis_mem_is_ram(v->memory, (bis_gpa){d->address}, d->len))
		flaw = "it is not in RAM";
	if (flaw) {
		virtio_break_locked(v, "queue %u: indirect table at 0x%" PRIx64 " of %u bytes: %s", queue, d->address,
				    d->len, flaw);
		return false;
	}
	w->table = d->address;
	w->entries = d->len / (uint32_t)sizeof(struct desc);
	w->next = 0;
	w->indirect = true;
	return true;
}

static bool add_range(struct virtio *v, struct virtio_chain *c, struct walk *w, const struct desc *d)
{
	bool writable = d->flags & DESC_WRITE;

	if (w->writable && !writable) {
		virtio_break_locked(v, "queue %u: chain %u has a readable range behind a writable one", c->queue,
				    c->head);
		return false;
	}
	w->writable = writable;
	if (d->len == 0)
		return true;
	if (!bis_mem_is_ram(v->memory, (bis_gpa){d->address}, d->len)) {
		virtio_break_locked(v, "queue %u: chain %u has %u bytes at 0x%" PRIx64 ", which are not all RAM",
				    c->queue, c->head, d->len, d->address);
		return false;
	}
	c->ranges[c->n_ranges++] = (struct bis_mem_range){{d->address}, d->len};
	if (writable) {
		c->writable += d->len;
	} else {
		c->readable += d->len;
		c->n_readable++;
	}
	return true;
}

/* Fills the chain from its head. At most as many ranges as the queue has entries, so that a loop comes to an end. */
static bool walk_chain(struct virtio *v, struct virtio_chain *c)
{
	struct walk w = {.table = v->desc[c->queue], .entries = v->size[c->queue], .next = c->head};
	unsigned left = v->size[c->queue];
	struct desc d;

	while (left) {
		if (w.next >= w.entries) {
			virtio_break_locked(v, "queue %u: chain %u names descriptor %u of %u", c->queue, c->head,
					    w.next, w.entries);
			return false;
		}
		if (bis_mem_read_obj(v->memory, (bis_gpa){w.table + (uint64_t)w.next * sizeof(d)}, &d)) {
			virtio_break_locked(v, "queue %u: the descriptors are not in RAM", c->queue);
			return false;
		}
		if (d.flags & DESC_INDIRECT) {
			if (!enter_indirect(v, c->queue, &w, &d))
				return false;
			continue;
		}
		if (!add_range(v, c, &w, &d))
			return false;
		if (!(d.flags & DESC_NEXT))
			return true;
		w.next = d.next;
		left--;
	}
	virtio_break_locked(v, "queue %u: chain %u is a loop, or longer than the queue of %u", c->queue, c->head,
			    v->size[c->queue]);
	return false;
}

/* How many chains are available. If there is none, the device hears of the next, unless it wants to be left alone. */
static unsigned waiting_or_awaited(struct virtio *v, unsigned queue)
{
	unsigned n = waiting(v, queue);

	if (!n && !v->quiet[queue] && virtio_live_locked(v) && virtio_has_locked(v, VIRTIO_F_EVENT_IDX))
		n = ask_for_notification(v, queue);
	return n;
}

static int pop_locked(struct virtio *v, unsigned queue, struct virtio_chain *c)
{
	unsigned n = waiting_or_awaited(v, queue);
	uint16_t head;

	if (!n || !load16(v, avail_entry(v, queue, v->next_avail[queue]), &head))
		return 0;
	c->virtio = v;
	c->queue = queue;
	c->head = head;
	c->generation = v->generation[queue];
	c->readable = c->writable = c->written = 0;
	c->n_readable = c->n_ranges = 0;
	if (!walk_chain(v, c))
		return 0;
	c->read_at = 0;
	c->write_at = c->n_readable;
	c->read_offset = c->write_offset = 0;
	v->next_avail[queue]++;
	return 1;
}

int virtio_pop(struct virtio *v, unsigned queue, struct virtio_chain *c)
{
	int got;

	virtio_lock(v);
	got = queue_open(v, queue) ? pop_locked(v, queue, c) : 0;
	virtio_unlock(v);
	return got;
}

void virtio_unpop(struct virtio_chain *c)
{
	virtio_lock(c->virtio);
	if (chain_valid(c))
		c->virtio->next_avail[c->queue]--;
	virtio_unlock(c->virtio);
}

bool virtio_available(struct virtio *v, unsigned queue)
{
	bool any;

	virtio_lock(v);
	any = queue_open(v, queue) && waiting_or_awaited(v, queue);
	virtio_unlock(v);
	return any;
}

bool virtio_want_notify(struct virtio *v, unsigned queue, bool wanted)
{
	bool any = false;

	virtio_lock(v);
	if (queue_live(v, queue)) {
		v->quiet[queue] = !wanted;
		if (wanted)
			any = ask_for_notification(v, queue) && !v->held;
		else if (!virtio_has_locked(v, VIRTIO_F_EVENT_IDX))
			store16(v, v->used[queue] + RING_FLAGS, USED_NO_NOTIFY);
	}
	virtio_unlock(v);
	return any;
}

/* --- Giving chains back --- */

void virtio_push(struct virtio_chain *c)
{
	struct virtio *v = c->virtio;
	uint64_t written = c->written < UINT32_MAX ? c->written : UINT32_MAX;
	uint64_t entry = c->head | written << 32;

	virtio_lock(v);
	if (chain_valid(c)) {
		bis_gpa at = {used_entry(v, c->queue, v->next_used[c->queue])};

		if (bis_mem_write_obj(v->memory, at, &entry))
			virtio_break_locked(v, "no entry of a used ring at 0x%" PRIx64, at.v);
		else if (store16(v, v->used[c->queue] + RING_INDEX, (uint16_t)(v->next_used[c->queue] + 1)))
			v->next_used[c->queue]++;
	}
	virtio_unlock(v);
}

/* Does the driver want an interrupt for used entries [old, now)? Section 2.7.7.2. */
static bool interrupt_wanted(struct virtio *v, unsigned queue, uint16_t old, uint16_t now)
{
	uint16_t word;

	full_fence();
	if (virtio_has_locked(v, VIRTIO_F_EVENT_IDX))
		return load16(v, used_event(v, queue), &word) && (uint16_t)(now - word - 1) < (uint16_t)(now - old);
	return load16(v, v->avail[queue] + RING_FLAGS, &word) && !(word & AVAIL_NO_INTERRUPT);
}

void virtio_signal(struct virtio *v, unsigned queue)
{
	virtio_lock(v);
	if (queue_live(v, queue) && v->signalled_used[queue] != v->next_used[queue]) {
		uint16_t old = v->signalled_used[queue];

		v->signalled_used[queue] = v->next_used[queue];
		if (interrupt_wanted(v, queue, old, v->next_used[queue]))
			virtio_interrupt_locked(v, VIRTIO_INTERRUPT_USED);
	}
	virtio_unlock(v);
}
