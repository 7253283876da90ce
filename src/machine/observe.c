/* Telling a machine's observer what happens, <biscuit/trace.h>: off the fast paths. Hart's thread, but for the last. */
#include "src/machine/observe.h"

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/memory/bus_internal.h"

static const struct bis_observer *observer(const struct bis_hart *h)
{
	return &h->machine->cfg.observer;
}

/* --- Instructions and traps --- */

static uint64_t insn(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)a;
	(void)b;
	(void)imm;
	observer(h)->insn(observer(h)->arg, h);
	return 0;
}

const struct bis_helper bis_observe_insn_helper = {
	.name = "trace",
	.fn = insn,
	.flags = BIS_CALL_READS_REGS | BIS_CALL_SEES_COUNT,
};

void bis_observe_trap(struct bis_hart *h, uint64_t pc, enum bis_priv from, uint64_t cause, uint64_t tval,
		      bool interrupt, bool handled)
{
	struct bis_trap_seen seen = {
		.interrupt = interrupt,
		.handled = handled,
		.cause = cause,
		.tval = tval,
		.pc = pc,
		.from = from,
	};

	observer(h)->trap(observer(h)->arg, h, &seen);
}

/* --- Registers of devices --- */

static void tell_mmio(struct bis_hart *h, struct bis_mmio_seen *seen)
{
	seen->pc = h->pc;
	observer(h)->mmio(observer(h)->arg, h, seen);
}

/* Nothing where no device takes the access. */
static void tell_bus(struct bis_hart *h, uint64_t pa, unsigned size, bool write, uint64_t value)
{
	struct bis_mmio_seen seen = {.slot = -1, .address = pa, .width = size, .write = write};
	struct bis_bus_window window;

	seen.value = size < 8 ? value & ((UINT64_C(1) << (8 * size)) - 1) : value;
	bis_machine_lock_devices(h->machine);
	if (bis_bus_find(h->machine->bus, pa, size, write, &window)) {
		seen.module = window.name;
		seen.offset = pa - window.base;
		tell_mmio(h, &seen);
	}
	bis_machine_unlock_devices(h->machine);
}

enum bis_bus_result bis_observe_bus_read(struct bis_hart *h, uint64_t pa, unsigned size, uint64_t *value)
{
	enum bis_bus_result result = bis_bus_read(h->machine->bus, pa, size, value);

	if (result == BIS_BUS_OK)
		tell_bus(h, pa, size, false, *value);
	return result;
}

enum bis_bus_result bis_observe_bus_write(struct bis_hart *h, uint64_t pa, unsigned size, uint64_t value)
{
	tell_bus(h, pa, size, true, value);
	return bis_bus_write(h->machine->bus, pa, size, value);
}

static void tell_native(struct bis_hart *h, unsigned address, unsigned slot, unsigned reg, bool write, uint64_t value)
{
	struct bis_mmio_seen seen = {
		.slot = (int)slot,
		.offset = reg,
		.address = address,
		.width = h->xlen / 8,
		.write = write,
		.value = value,
	};

	bis_machine_lock_devices(h->machine);
	if (h->machine->slots[slot])
		seen.module = h->machine->slots[slot]->name;
	tell_mmio(h, &seen);
	bis_machine_unlock_devices(h->machine);
}

uint64_t bis_observe_native_read(struct bis_hart *h, unsigned address, unsigned slot, unsigned reg)
{
	uint64_t value = bis_devctl_read(h->machine, slot, reg) & h->xmask;

	tell_native(h, address, slot, reg, false, value);
	return value;
}

void bis_observe_native_write(struct bis_hart *h, unsigned address, unsigned slot, unsigned reg, uint64_t value)
{
	tell_native(h, address, slot, reg, true, value);
	bis_devctl_write(h->machine, slot, reg, value);
}

/* --- Samples --- */

bool bis_hart_ask_sample(struct bis_hart *h, void (*fn)(void *arg, struct bis_hart *h), void *arg)
{
	bool open;

	pthread_mutex_lock(&h->lock);
	open = h->sample != NULL;
	if (!open) {
		h->sample = fn;
		h->sample_arg = arg;
		atomic_fetch_or(&h->requests, REQ_SAMPLE);
	}
	pthread_mutex_unlock(&h->lock);
	return !open;
}

void bis_hart_forget_sample(struct bis_hart *h)
{
	pthread_mutex_lock(&h->lock);
	h->sample = NULL;
	atomic_fetch_and(&h->requests, ~(uint32_t)REQ_SAMPLE);
	pthread_mutex_unlock(&h->lock);
}

void bis_hart_give_sample(struct bis_hart *h)
{
	void (*fn)(void *arg, struct bis_hart *h);
	void *arg;

	pthread_mutex_lock(&h->lock);
	fn = h->sample;
	arg = h->sample_arg;
	h->sample = NULL;
	atomic_fetch_and(&h->requests, ~(uint32_t)REQ_SAMPLE);
	pthread_mutex_unlock(&h->lock);
	if (fn)
		fn(arg, h);
}

/* --- Shared file systems; any thread --- */

bool bis_machine_wants_fs(const struct bis_machine *m)
{
	return m->cfg.observer.fs != NULL;
}

void bis_machine_tell_fs(struct bis_machine *m, const struct bis_fs_seen *seen)
{
	if (m->cfg.observer.fs)
		m->cfg.observer.fs(m->cfg.observer.arg, seen);
}
