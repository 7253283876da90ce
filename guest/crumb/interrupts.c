/*
 * Device interrupts come by two roads. Native devices share the local interrupt 16, and the module controller tells
 * which of them it was (docs/devices.md). The devices of the virt board go through the PLIC to the supervisor
 * external interrupt (RISC-V PLIC specification 1.0).
 */
#include "interrupts.h"
#include "kernel.h"
#include "space.h"
#include "task.h"
#include <native.h>

#define PLIC_BASE      0x0c000000UL
#define PLIC_INPUTS    32
#define PLIC_CONTEXT   1 /* S-mode of hart 0 */
#define PLIC_PRIORITY  PLIC_BASE
#define PLIC_ENABLE    (PLIC_BASE + 0x2000 + 0x80 * PLIC_CONTEXT)
#define PLIC_THRESHOLD (PLIC_BASE + 0x200000 + 0x1000 * PLIC_CONTEXT)

static void (*native_handlers[NATIVE_SLOTS])(void);
static void (*plic_handlers[PLIC_INPUTS])(void);

/* Mapped when the first device needs them. */
static volatile uint32_t *plic_priority, *plic_enable, *plic_threshold;
static volatile uint32_t *plic_claim;

void interrupts_init(void)
{
	csr_write(sie, 1UL << IRQ_S_TIMER | 1UL << IRQ_S_EXTERNAL | 1UL << IRQ_NATIVE);
}

void interrupts_attach_native(unsigned slot, void (*handler)(void))
{
	native_handlers[slot] = handler;
	modctl_enable_write(modctl_enable_read() | 1U << slot);
}

static void start_plic(void)
{
	plic_priority = device_map(PLIC_PRIORITY, 4 * PLIC_INPUTS);
	plic_enable = device_map(PLIC_ENABLE, 4);
	plic_threshold = device_map(PLIC_THRESHOLD, 8);
	if (!plic_priority || !plic_enable || !plic_threshold)
		panic("no room to map the PLIC");
	plic_claim = plic_threshold + 1;
	*plic_threshold = 0;
}

void interrupts_attach_plic(unsigned input, void (*handler)(void))
{
	if (!plic_claim)
		start_plic();
	plic_handlers[input] = handler;
	plic_priority[input] = 1;
	*plic_enable |= 1U << input;
}

static void handle_native(void)
{
	uint32_t slot;

	while ((slot = modctl_claim_read()) != 0) {
		if (slot < NATIVE_SLOTS && native_handlers[slot])
			native_handlers[slot]();
		modctl_claim_write(slot);
	}
}

static void handle_plic(void)
{
	uint32_t input;

	while (plic_claim && (input = *plic_claim) != 0) {
		if (input < PLIC_INPUTS && plic_handlers[input])
			plic_handlers[input]();
		*plic_claim = input;
	}
}

void interrupts_handle(unsigned long number)
{
	switch (number) {
	case IRQ_S_TIMER:
		tasks_timer();
		break;
	case IRQ_S_EXTERNAL:
		handle_plic();
		break;
	case IRQ_NATIVE:
		handle_native();
		break;
	default:
		panic("an interrupt that nobody enabled: %lu", number);
	}
}
