/*
 * External interrupts through the interrupt controller at 0xc000000, raised by the UART's empty transmitter (source
 * 10): enable, priority, threshold, claim and completion, in the M-mode and the S-mode context, and their place before
 * all other interrupts.
 */
#include "guest.h"

enum { SOURCE = 10, UART_IER = 1, UART_IIR = 2, IER_THRE = 2 };
enum { CONTEXT_M = 0, CONTEXT_S = 1 };

#define PLIC_BASE 0xc000000ul

static volatile uint32_t *plic(ulong offset)
{
	return (volatile uint32_t *)(PLIC_BASE + offset);
}

static volatile uint32_t *priority(void)
{
	return plic(4 * SOURCE);
}

static volatile uint32_t *enable(ulong context)
{
	return plic(0x2000 + 0x80 * context);
}

static volatile uint32_t *threshold(ulong context)
{
	return plic(0x200000 + 0x1000 * context);
}

static volatile uint32_t *claim(ulong context)
{
	return plic(0x200004 + 0x1000 * context);
}

static volatile uint8_t *const uart = (volatile uint8_t *)UART_BASE;

static ulong pending(ulong irq)
{
	return csr_read(mip) & BIT(irq);
}

/* A line takes its time; far more than it may take is given. */
static ulong await(ulong irq)
{
	for (ulong i = 0; i < 100000 && !pending(irq); i++)
		;
	return pending(irq);
}

/* The transmitter is empty: enabling its interrupt raises the line, disabling it takes it down. */
static void line_up(void)
{
	uart[UART_IER] = 0;
	uart[UART_IER] = IER_THRE;
	while (!(*plic(0x1000) & BIT(SOURCE)))
		;
}

static void quiet(void)
{
	csr_clear(mstatus, STATUS_MIE);
	csr_write(mie, 0);
	csr_write(mideleg, 0);
	uart[UART_IER] = 0;
	(void)uart[UART_IIR];
	*enable(CONTEXT_M) = BIT(SOURCE);
	*enable(CONTEXT_S) = BIT(SOURCE);
	*priority() = 1;
	for (ulong context = CONTEXT_M; context <= CONTEXT_S; context++) {
		*threshold(context) = 0;
		while (*claim(context))
			;
		*claim(context) = SOURCE;
		*enable(context) = 0;
	}
	*priority() = 0;
	irqs_clear();
}

static void registers(void)
{
	*priority() = 7;
	check("priority", *priority(), 7);
	*enable(CONTEXT_M) = BIT(SOURCE);
	check("enable", *enable(CONTEXT_M), BIT(SOURCE));
	check("enable of the other context", *enable(CONTEXT_S), 0);
	*enable(CONTEXT_M) = -1u;
	check("source 0 does not exist", *enable(CONTEXT_M) & 1, 0);
	*threshold(CONTEXT_M) = 3;
	check("threshold", *threshold(CONTEXT_M), 3);
	check("claim of nothing", *claim(CONTEXT_M), 0);
	quiet();
}

/* A source reaches a context that enables it, if its priority is above the context's threshold. */
static void gating(void)
{
	quiet();
	line_up();
	check("priority 0 never interrupts", pending(IRQ_MEI), 0);
	*priority() = 2;
	check("not enabled", pending(IRQ_MEI), 0);
	*threshold(CONTEXT_M) = 2;
	*enable(CONTEXT_M) = BIT(SOURCE);
	check("priority at the threshold", pending(IRQ_MEI), 0);
	*threshold(CONTEXT_M) = 1;
	check("priority above the threshold", await(IRQ_MEI), BIT(IRQ_MEI));
	check("S-mode's context is apart", pending(IRQ_SEI), 0);
	check("claim", *claim(CONTEXT_M), SOURCE);
	check("claimed: no longer pending", pending(IRQ_MEI), 0);
	check("second claim", *claim(CONTEXT_M), 0);
	uart[UART_IER] = 0;
	*claim(CONTEXT_M) = SOURCE;
	check("completed with the line down", pending(IRQ_MEI), 0);
	quiet();
}

/* A line that is still up at completion interrupts again. */
static void level(void)
{
	quiet();
	*priority() = 1;
	*enable(CONTEXT_M) = BIT(SOURCE);
	line_up();
	check("the line interrupts", await(IRQ_MEI), BIT(IRQ_MEI));
	check("first claim", *claim(CONTEXT_M), SOURCE);
	*claim(CONTEXT_M) = SOURCE;
	check("and again after completion", await(IRQ_MEI), BIT(IRQ_MEI));
	check("second claim", *claim(CONTEXT_M), SOURCE);
	uart[UART_IER] = 0;
	*claim(CONTEXT_M) = SOURCE;
	check("with the line down", pending(IRQ_MEI), 0);
	quiet();
}

/* The external interrupt of M-mode goes before software and timer. */
static void first_of_all(void)
{
	quiet();
	*priority() = 1;
	*enable(CONTEXT_M) = BIT(SOURCE);
	line_up();
	*clint_msip(0) = 1;
	mtimecmp_write(0, 0);
	check("all are pending", await(IRQ_MEI) | await(IRQ_MSI) | await(IRQ_MTI), 0x888);
	csr_set(mie, 0x888);
	csr_set(mstatus, STATUS_MIE);
	csr_clear(mstatus, STATUS_MIE);
	check("all are taken", irqs.count, 3);
	check("external first", irqs.cause[0], IRQ_MEI);
	check("then software", irqs.cause[1], IRQ_MSI);
	check("then timer", irqs.cause[2], IRQ_MTI);
	*clint_msip(0) = 0;
	mtimecmp_write(0, UINT64_MAX);
	check("claim", *claim(CONTEXT_M), SOURCE);
	quiet();
}

static ulong nothing(ulong a, ulong b)
{
	return a + b;
}

/* S-mode's context drives SEIP, which M-mode's software bit does not take down. */
static void supervisor_context(void)
{
	quiet();
	*priority() = 1;
	*enable(CONTEXT_S) = BIT(SOURCE);
	line_up();
	check("the line interrupts", await(IRQ_SEI), BIT(IRQ_SEI));
	check("M-mode's context is apart", pending(IRQ_MEI), 0);
	csr_clear(mip, BIT(IRQ_SEI));
	check("the line outlives the software bit", pending(IRQ_SEI), BIT(IRQ_SEI));
	csr_write(mideleg, BIT(IRQ_SEI));
	csr_write(mie, BIT(IRQ_SEI));
	run_in(MODE_U, nothing, 0, 0);
	check("taken", irqs.count, 1);
	check("its cause", irqs.cause[0], IRQ_SEI);
	check("in S", irqs.mode[0], MODE_S);
	check("claim", *claim(CONTEXT_S), SOURCE);
	check("no longer pending", pending(IRQ_SEI), 0);
	csr_set(mip, BIT(IRQ_SEI));
	check("the software bit alone", pending(IRQ_SEI), BIT(IRQ_SEI));
	csr_clear(mip, BIT(IRQ_SEI));
	quiet();
}

int main(void)
{
	open_pmp();
	quiet();
	registers();
	gating();
	level();
	first_of_all();
	supervisor_context();
	return 0;
}
