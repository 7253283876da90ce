/* The edges of the fake machine: a device tree that is text, a console that keeps what it is given. See fake_machine.h.
 */
#include "tests/unit/fake_machine.h"

#include <stdio.h>

struct bis_dt {
	struct bis_module *mod;
	char *buf;
	size_t size, len;
};

/* --- Device tree --- */

static void dt_put(struct bis_dt *dt, const char *fmt, ...) BIS_PRINTF(2, 3);

static void dt_put(struct bis_dt *dt, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	dt->len += (size_t)vsnprintf(dt->buf + dt->len, dt->size - dt->len, fmt, ap);
	va_end(ap);
	assert_true(dt->len < dt->size);
}

const char *fake_dt(struct bis_module *mod, char *buf, size_t size)
{
	struct bis_dt dt = {.mod = mod, .buf = buf, .size = size};

	*buf = '\0';
	mod->class->dt(mod->self, &dt);
	return buf;
}

void bis_dt_u32(struct bis_dt *dt, const char *name, uint32_t value)
{
	dt_put(dt, "%s=%u\n", name, value);
}

void bis_dt_cells(struct bis_dt *dt, const char *name, const uint32_t *cells, size_t count)
{
	dt_put(dt, "%s=", name);
	for (size_t i = 0; i < count; i++)
		dt_put(dt, "%s%u", i ? " " : "", cells[i]);
	dt_put(dt, "\n");
}

void bis_dt_string(struct bis_dt *dt, const char *name, const char *value)
{
	dt_put(dt, "%s=%s\n", name, value);
}

void bis_dt_strings(struct bis_dt *dt, const char *name, const char *values, size_t size)
{
	dt_put(dt, "%s=", name);
	for (size_t i = 0; i < size; i += strlen(values + i) + 1)
		dt_put(dt, "%s%s", i ? "," : "", values + i);
	dt_put(dt, "\n");
}

void bis_dt_flag(struct bis_dt *dt, const char *name)
{
	dt_put(dt, "%s\n", name);
}

uint32_t bis_dt_hart_intc(struct bis_dt *dt, unsigned hart)
{
	(void)dt;
	return 100 + hart;
}

unsigned bis_dt_hart_count(struct bis_dt *dt)
{
	return dt->mod->machine->harts;
}

uint32_t bis_dt_phandle(struct bis_dt *dt)
{
	dt_put(dt, "phandle=7\n");
	return 7;
}

void bis_dt_begin(struct bis_dt *dt, const char *name)
{
	dt_put(dt, "%s{\n", name);
}

void bis_dt_end(struct bis_dt *dt)
{
	dt_put(dt, "}\n");
}

/* --- The fake console --- */

static size_t fake_console_write(void *self, const uint8_t *buf, size_t len)
{
	struct fake_console *f = self;
	size_t room = f->limit > f->len ? f->limit - f->len : 0;

	len = len < room ? len : room;
	assert_true(f->len + len <= sizeof(f->out));
	memcpy(f->out + f->len, buf, len);
	f->len += len;
	return len;
}

static void fake_console_destroy(void *self)
{
	struct fake_console *f = self;

	f->destroyed++;
}

void fake_console_plug(struct bis_machine *m, struct fake_console *f)
{
	static const struct bis_chardev_ops ops = {
		.write = fake_console_write, .destroy = fake_console_destroy, .interactive = true};

	f->len = 0;
	f->limit = SIZE_MAX;
	f->destroyed = 0;
	bis_machine_lock_devices(m);
	assert_ok(bis_chardev_create(m, "console", &ops, f, &f->chardev));
	bis_machine_unlock_devices(m);
}

void fake_console_accept(struct bis_machine *m, struct fake_console *f, size_t limit)
{
	bis_machine_lock_devices(m);
	f->limit = limit;
	bis_chardev_flush(f->chardev);
	bis_machine_unlock_devices(m);
}

void fake_console_type(struct bis_machine *m, struct fake_console *f, const char *text)
{
	bis_machine_lock_devices(m);
	assert_int_equal(bis_chardev_input(f->chardev, (const uint8_t *)text, strlen(text)), strlen(text));
	bis_machine_unlock_devices(m);
}

void fake_console_eof(struct bis_machine *m, struct fake_console *f)
{
	bis_machine_lock_devices(m);
	bis_chardev_input_eof(f->chardev);
	bis_machine_unlock_devices(m);
}
