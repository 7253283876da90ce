/*
 * UART 16550A over a character device (National Semiconductor PC16550D data sheet). Bytes move at once: the baud rate
 * is remembered and means nothing. The receive FIFO is a view of the character device's queue, at most 16 bytes deep;
 * the transmitter is empty whenever a full FIFO's worth of bytes could be sent without losing one. Runs with the device
 * lock held on a hart's thread or, when the character device has news, on the controller thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/chardev.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/modules.h"

/* Registers (PC16550D, table II) */
enum {
	UART_RBR = 0, /* read; DLAB 0 */
	UART_THR = 0, /* write; DLAB 0 */
	UART_DLL = 0, /* DLAB 1 */
	UART_IER = 1, /* DLAB 0 */
	UART_DLM = 1, /* DLAB 1 */
	UART_IIR = 2, /* read */
	UART_FCR = 2, /* write */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_MSR = 6,
	UART_SCR = 7,
	UART_REGISTERS = 8,
	UART_SIZE = 0x100,
	UART_FIFO = 16,
	UART_CLOCK_HZ = 3686400,
};

enum {
	IER_RDA = 0x01,
	IER_THRE = 0x02,
	IER_RLS = 0x04,
	IER_MASK = 0x0f,
	IIR_NONE = 0x01,
	IIR_THRE = 0x02,
	IIR_RDA = 0x04,
	IIR_RLS = 0x06,
	IIR_TIMEOUT = 0x0c,
	IIR_FIFOS = 0xc0,
	FCR_ENABLE = 0x01,
	FCR_CLEAR_RX = 0x02,
	FCR_TRIGGER_SHIFT = 6,
	LCR_DLAB = 0x80,
	MCR_DTR = 0x01,
	MCR_RTS = 0x02,
	MCR_OUT1 = 0x04,
	MCR_OUT2 = 0x08,
	MCR_LOOP = 0x10,
	MCR_MASK = 0x1f,
	LSR_DR = 0x01,
	LSR_OE = 0x02,
	LSR_THRE = 0x20,
	LSR_TEMT = 0x40,
	MSR_CTS = 0x10,
	MSR_DSR = 0x20,
	MSR_RI = 0x40,
	MSR_DCD = 0x80,
};

struct uart {
	struct bis_irq *irq;
	struct bis_chardev *chardev;
	uint16_t divisor;
	uint8_t ier, fcr, lcr, mcr, scr;
	bool thre_pending; /* the transmitter has become empty and nobody has read IIR since */
	bool reads_iir;	   /* the driver has read IIR since the reset */
	bool was_full;	   /* the transmitter was found without room */
	bool overrun;
	uint8_t loop_count;
	uint8_t loop[UART_FIFO]; /* bytes sent in loop-back mode */
};

static const struct bis_field uart_fields[] = {
	BIS_FIELD(struct uart, divisor, U16, 0, "baud-rate divisor (no effect)"),
	BIS_FIELD(struct uart, ier, U8, BIS_FIELD_HEX, "interrupt enable"),
	BIS_FIELD(struct uart, fcr, U8, BIS_FIELD_HEX, "FIFO control"),
	BIS_FIELD(struct uart, lcr, U8, BIS_FIELD_HEX, "line control"),
	BIS_FIELD(struct uart, mcr, U8, BIS_FIELD_HEX, "modem control"),
	BIS_FIELD(struct uart, scr, U8, BIS_FIELD_HEX, "scratch"),
	BIS_FIELD(struct uart, thre_pending, BOOL, 0, "transmitter-empty interrupt not yet read from IIR"),
	BIS_FIELD(struct uart, reads_iir, BOOL, 0, "the driver reads IIR"),
	BIS_FIELD(struct uart, was_full, BOOL, 0, "transmitter was found without room"),
	BIS_FIELD(struct uart, overrun, BOOL, 0, "overrun error not yet read from LSR"),
	BIS_FIELD(struct uart, loop_count, U8, BIS_FIELD_READONLY, "bytes waiting in loop-back mode"),
	BIS_FIELD_ARRAY(struct uart, loop, BYTES, UART_FIFO, BIS_FIELD_READONLY, "bytes sent in loop-back mode"),
	BIS_FIELD_END,
};

static const struct bis_option uart_options[] = {
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device behind it"},
	{0},
};

static bool looping(const struct uart *u)
{
	return u->mcr & MCR_LOOP;
}

/* Bytes in the receive FIFO. */
static size_t received(const struct uart *u)
{
	size_t waiting = looping(u) ? u->loop_count : bis_chardev_readable(u->chardev);

	return waiting < UART_FIFO ? waiting : UART_FIFO;
}

static bool transmitter_empty(const struct uart *u)
{
	return looping(u) || bis_chardev_room(u->chardev) >= UART_FIFO;
}

static size_t trigger_level(const struct uart *u)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return u->fcr & FCR_ENABLE ? levels[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/*
 * The interrupt of highest priority. Below the trigger level the time-out interrupt comes at once: no byte can follow
 * within four character times that is not there already.
 */
static uint8_t interrupt_id(const struct uart *u)
{
	if (u->ier & IER_RLS && u->overrun)
		return IIR_RLS;
	if (u->ier & IER_RDA && received(u))
		return received(u) >= trigger_level(u) ? IIR_RDA : IIR_TIMEOUT;
	if (u->ier & IER_THRE && u->thre_pending)
		return IIR_THRE;
	return IIR_NONE;
}

static void update(struct uart *u)
{
	if (u->was_full && transmitter_empty(u)) {
		u->was_full = false;
		u->thre_pending = true;
	}
	bis_irq_set(u->irq, interrupt_id(u) != IIR_NONE);
}

static void uart_notify(void *arg)
{
	update(arg);
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = 0;

	if (looping(u)) {
		if (u->loop_count) {
			byte = u->loop[0];
			memmove(u->loop, u->loop + 1, --u->loop_count);
		}
	} else if (bis_chardev_read(u->chardev, &byte, 1) == 0) {
		byte = 0;
	}
	update(u);
	return byte;
}

static void write_thr(struct uart *u, uint8_t byte)
{
	if (!looping(u)) {
		(void)bis_chardev_write(u->chardev, &byte, 1);
	} else if (u->loop_count < UART_FIFO) {
		u->loop[u->loop_count++] = byte;
	} else {
		u->overrun = true;
	}
	u->was_full = !transmitter_empty(u);
	u->thre_pending = !u->was_full;
	update(u);
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t id = interrupt_id(u);

	u->reads_iir = true;
	if (id == IIR_THRE) {
		u->thre_pending = false;
		update(u);
	}
	return id | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

/* Enabling the transmitter interrupt while the transmitter is empty asks for one at once. */
static void write_ier(struct uart *u, uint8_t val)
{
	bool thre_enabled = val & IER_THRE && !(u->ier & IER_THRE);

	u->ier = val & IER_MASK;
	if (thre_enabled) {
		u->was_full = !transmitter_empty(u);
		u->thre_pending = !u->was_full;
	}
	update(u);
}

/* Clearing the receive FIFO drops looped-back bytes alone: input still waits on the other side of the line. */
static void write_fcr(struct uart *u, uint8_t val)
{
	if (val & FCR_CLEAR_RX)
		u->loop_count = 0;
	u->fcr = val & FCR_ENABLE ? val & (FCR_ENABLE | 3 << FCR_TRIGGER_SHIFT) : 0;
	update(u);
}

/*
 * Drivers exist that never read IIR and look at LSR alone, xv6's among them. Where an interrupt of the PLIC follows a
 * line that stays high, theirs would never end; so for them a transmitter seen empty in LSR is one they know of.
 */
static uint8_t read_lsr(struct uart *u)
{
	uint8_t val = 0;

	if (received(u))
		val |= LSR_DR;
	if (u->overrun)
		val |= LSR_OE;
	if (transmitter_empty(u)) {
		val |= LSR_THRE | LSR_TEMT;
		u->thre_pending &= u->reads_iir;
	} else {
		u->was_full = true;
	}
	u->overrun = false;
	update(u);
	return val;
}

/* A line that is always ready; in loop-back mode the modem outputs come back as inputs. */
static uint8_t read_msr(const struct uart *u)
{
	uint8_t val = 0;

	if (!looping(u))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	if (u->mcr & MCR_DTR)
		val |= MSR_DSR;
	if (u->mcr & MCR_RTS)
		val |= MSR_CTS;
	if (u->mcr & MCR_OUT1)
		val |= MSR_RI;
	if (u->mcr & MCR_OUT2)
		val |= MSR_DCD;
	return val;
}

static void write_mcr(struct uart *u, uint8_t val)
{
	u->mcr = val & MCR_MASK;
	if (!looping(u))
		u->loop_count = 0;
	update(u);
}

static enum bis_bus_result uart_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct uart *u = self;
	bool dlab = u->lcr & LCR_DLAB;

	(void)size;
	switch (off) {
	case UART_RBR:
		*val = dlab ? u->divisor & 0xffu : read_rbr(u);
		break;
	case UART_IER:
		*val = dlab ? (unsigned)u->divisor >> 8 : u->ier;
		break;
	case UART_IIR:
		*val = read_iir(u);
		break;
	case UART_LCR:
		*val = u->lcr;
		break;
	case UART_MCR:
		*val = u->mcr;
		break;
	case UART_LSR:
		*val = read_lsr(u);
		break;
	case UART_MSR:
		*val = read_msr(u);
		break;
	case UART_SCR:
		*val = u->scr;
		break;
	default:
		return BIS_BUS_FAULT;
	}
	return BIS_BUS_OK;
}

static void write_divisor(struct uart *u, uint64_t off, uint8_t val)
{
	u->divisor = (uint16_t)(off == UART_DLL ? (u->divisor & 0xff00) | val : (u->divisor & 0xff) | val << 8);
}

/* LSR and MSR are read-only; writes to them are ignored. */
static enum bis_bus_result uart_write(void *self, uint64_t off, unsigned size, uint64_t value)
{
	struct uart *u = self;
	uint8_t val = (uint8_t)value;

	(void)size;
	if (off >= UART_REGISTERS)
		return BIS_BUS_FAULT;
	if (off <= UART_DLM && u->lcr & LCR_DLAB) {
		write_divisor(u, off, val);
		return BIS_BUS_OK;
	}
	switch (off) {
	case UART_THR:
		write_thr(u, val);
		break;
	case UART_IER:
		write_ier(u, val);
		break;
	case UART_FCR:
		write_fcr(u, val);
		break;
	case UART_LCR:
		u->lcr = val;
		break;
	case UART_MCR:
		write_mcr(u, val);
		break;
	case UART_SCR:
		u->scr = val;
		break;
	default:
		break;
	}
	return BIS_BUS_OK;
}

static void uart_reset(void *self)
{
	struct uart *u = self;

	*u = (struct uart){.irq = u->irq, .chardev = u->chardev, .divisor = 12};
	update(u);
}

static void uart_resume(void *self)
{
	update(self);
}

static int uart_check(void *self)
{
	const struct uart *u = self;

	if (u->loop_count > UART_FIFO)
		return bis_fail(EINVAL, "a UART with %u bytes in a FIFO of %u", u->loop_count, UART_FIFO);
	return 0;
}

static int uart_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct uart *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	u->irq = bis_module_irq(mod, 0);
	err = bis_chardev_open(bis_module_machine(mod), bis_option_text(options, "chardev"), &u->chardev);
	if (!err)
		err = bis_chardev_attach(u->chardev, uart_notify, u);
	if (err) {
		free(u);
		return err;
	}
	uart_reset(u);
	*self = u;
	return 0;
}

static int uart_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops ops = {
		.size = UART_SIZE, .min_access = 1, .max_access = 1, .read = uart_read, .write = uart_write};

	(void)self;
	return bis_attach_mmio(mod, &ops);
}

static void uart_destroy(void *self)
{
	struct uart *u = self;

	bis_chardev_detach(u->chardev, u);
	free(u);
}

static void uart_dt(void *self, struct bis_dt *dt)
{
	(void)self;
	bis_dt_string(dt, "compatible", "ns16550a");
	bis_dt_u32(dt, "clock-frequency", UART_CLOCK_HZ);
}

const struct bis_module_class bis_uart16550_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "uart16550",
	.summary = "16550A serial port",
	.options = uart_options,
	.fields = uart_fields,
	.create = uart_create,
	.attach = uart_attach,
	.resume = uart_resume,
	.reset = uart_reset,
	.destroy = uart_destroy,
	.check = uart_check,
	.dt_name = "serial",
	.dt = uart_dt,
};
