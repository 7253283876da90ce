/*
 * A hart's state: creation, reset, accessors for modules and frontends. Owned by the machine; see hart_internal.h for
 * which thread may touch what.
 */
#include <stdlib.h>
#include <string.h>

#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/machine/machine_internal.h"
#include "src/memory/memory_internal.h"
#include "src/translate/block_internal.h"

int bis_hart_create(struct bis_machine *m, unsigned id, const struct bis_isa_spec *isa, struct bis_hart **out)
{
	struct bis_hart *h = aligned_alloc(64, (sizeof(*h) + 63) / 64 * 64);
	pthread_condattr_t attr;
	int err;

	if (!h)
		return bis_fail(ENOMEM, "no memory for hart %u", id);
	memset(h, 0, sizeof(*h));
	h->id = id;
	h->machine = m;
	h->memory = m->memory;
	h->stretch_ram = bis_mem_find(m->memory, BIS_RAM_BASE);
	h->isa = *isa;
	h->has_f = bis_isa_has(isa, "f");
	h->has_sstc = bis_isa_has(isa, "sstc");
	h->xlen = isa->xlen;
	h->xmask = isa->xlen == 64 ? UINT64_MAX : UINT32_MAX;
	h->step_limit = UINT64_MAX;
	h->engine = m->engine;
	err = h->engine->create ? h->engine->create(h) : 0;
	if (!err)
		err = bis_block_cache_create(h, &h->cache);
	if (err) {
		if (h->engine_state)
			h->engine->destroy(h);
		free(h);
		return err;
	}
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->wake, &attr);
	pthread_condattr_destroy(&attr);
	atomic_store(&h->deadline, UINT64_MAX);
	bis_tlb_create(h);
	bis_hart_reset(h, BIS_RAM_BASE, 0, 0);
	*out = h;
	return 0;
}

void bis_hart_destroy(struct bis_hart *h)
{
	if (!h)
		return;
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->lock);
	bis_block_cache_destroy(h->cache);
	if (h->engine_state)
		h->engine->destroy(h);
	free(h);
}

void bis_hart_reset(struct bis_hart *h, uint64_t pc, uint64_t a1, uint64_t a2)
{
	memset(h->slots, 0, sizeof(h->slots)); /* and the CSRs among them */
	h->slots[10] = h->id;
	h->slots[11] = a1 & h->xmask;
	h->slots[12] = a2 & h->xmask;
	bis_hart_set_pc(h, pc);
	h->priv = BIS_PRIV_M;
	h->exception = h->sleeping = false;
	h->fp = (struct bis_fp_env){0};
	h->res_addr = RES_NONE;
	h->medeleg = h->mideleg = h->mie = h->mtvec = h->stvec = h->satp = h->senvcfg = 0;
	h->mip_soft = 0;
	h->stimer = false;
	h->mcounteren = h->scounteren = h->mcountinhibit = 0;
	h->menvcfg = bis_isa_has(&h->isa, "svadu") ? MENVCFG_ADUE : 0;
	h->stimecmp = UINT64_MAX;
	h->mcycle_offset = h->minstret_offset = -bis_hart_retired(h);
	h->paging = NULL;
	memset(h->pmpaddr, 0, sizeof(h->pmpaddr));
	memset(h->pmpcfg, 0, sizeof(h->pmpcfg));
	atomic_store(&h->halted, false);
	atomic_store(&h->launching, false);
	atomic_store(&h->lines, 0);
	atomic_store(&h->mtimecmp, UINT64_MAX);
	bis_pmp_update(h);
	bis_block_cache_flush(h->cache);
	h->unasked = 0;
	bis_hart_update_mode(h);
}

#define JUMP_EPOCH (UINT64_C(1) << 16) /* above privilege and block key */

void bis_hart_update_mode(struct bis_hart *h)
{
	static const uint8_t context[] = {TLB_U, TLB_S, TLB_M, TLB_M};
	unsigned data = bis_hart_data_priv(h), fs = (unsigned)(h->mstatus >> MSTATUS_FS_SHIFT) & 3, mode;

	if (fs == 1) /* initial is to translators what clean is */
		fs = 2;
	data = data == BIS_PRIV_S && (h->mstatus & MSTATUS_SUM) ? TLB_S_SUM : context[data];
	mode = data + (h->priv == BIS_PRIV_M && data != TLB_M ? TLB_CONTEXTS : 0); /* says both contexts */
	h->dtlb = h->tlb[data];
	h->ftlb = h->fetch[h->priv];
	h->block_key = (uint64_t)(fs | (unsigned)h->fp.rm << 2 | mode << 5) << BLOCK_KEY_SHIFT;
	h->jump_context = (h->jump_context & ~(JUMP_EPOCH - 1)) | h->block_key >> (BLOCK_KEY_SHIFT - 2) | h->priv;
}

void bis_hart_forget_jumps(struct bis_hart *h)
{
	h->jump_context += JUMP_EPOCH;
}

uint64_t bis_hart_retired(const struct bis_hart *h)
{
	return h->retired + (h->slice - (uint64_t)h->budget) - h->ahead;
}

void bis_hart_request(struct bis_hart *h, uint32_t bits)
{
	atomic_fetch_or(&h->requests, bits);
	if (atomic_load(&h->state) == HART_RUNNING)
		return;
	pthread_mutex_lock(&h->lock);
	pthread_cond_broadcast(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

unsigned bis_hart_id(const struct bis_hart *h)
{
	return h->id;
}

struct bis_machine *bis_hart_machine(const struct bis_hart *h)
{
	return h->machine;
}

const struct bis_isa_spec *bis_hart_isa(const struct bis_hart *h)
{
	return &h->isa;
}

const struct bis_decoder *bis_hart_decoder(const struct bis_hart *h)
{
	return h->machine->decoder;
}

const struct bis_reg_desc *bis_hart_reg_desc(const struct bis_hart *h, size_t index)
{
	const struct bis_isa_family *family = h->machine->family;

	return family && index < family->n_regs ? &family->regs[index] : NULL;
}

uint64_t bis_hart_reg(const struct bis_hart *h, unsigned slot)
{
	return slot < BIS_IR_MAX_GUEST_SLOTS ? h->slots[slot] : 0;
}

void bis_hart_set_reg(struct bis_hart *h, unsigned slot, uint64_t value)
{
	if (slot == 0 || slot >= BIS_IR_MAX_GUEST_SLOTS)
		return;
	h->slots[slot] = slot < 32 ? value & h->xmask : value;
}

uint64_t bis_hart_pc(const struct bis_hart *h)
{
	return h->pc;
}

void bis_hart_set_pc(struct bis_hart *h, uint64_t pc)
{
	h->pc = h->next_pc = pc & h->xmask & ~UINT64_C(1);
	h->passing = false;
}

enum bis_priv bis_hart_priv(const struct bis_hart *h)
{
	return (enum bis_priv)h->priv;
}

void bis_hart_set_priv(struct bis_hart *h, enum bis_priv priv)
{
	h->priv = (uint8_t)priv;
	bis_hart_update_mode(h);
}

uint64_t bis_hart_instret(const struct bis_hart *h)
{
	return atomic_load_explicit(&h->retired_public, memory_order_relaxed);
}

bool bis_hart_sleeping(const struct bis_hart *h)
{
	return atomic_load_explicit(&h->sleeping_public, memory_order_relaxed);
}

struct bis_fp_env *bis_hart_fp(struct bis_hart *h)
{
	return &h->fp;
}

void bis_hart_fs_dirty(struct bis_hart *h)
{
	h->mstatus |= MSTATUS_FS;
	bis_hart_update_mode(h);
}

void bis_hart_counters(const struct bis_hart *h, struct bis_hart_counters *out)
{
	struct bis_block_stats stats = bis_block_cache_stats(h->cache);

	out->instret = bis_hart_instret(h);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(out->traps); i++) {
		out->traps[i] = atomic_load_explicit(&h->traps[i], memory_order_relaxed);
		out->interrupts[i] = atomic_load_explicit(&h->interrupts[i], memory_order_relaxed);
	}
	out->tlb_fills = atomic_load_explicit(&h->tlb_fills, memory_order_relaxed);
	out->blocks_translated = stats.translated;
	out->traces_translated = stats.traces;
	out->blocks_dropped = stats.dropped;
	out->code_flushes = stats.flushes;
	out->code_bytes = stats.used_bytes;
}
