/* The machine's log: filters by level and hands messages to the callback. Any thread. */
#include <stdarg.h>
#include <stdio.h>

#include "src/base/log_internal.h"
#include "src/machine/machine_internal.h"

static void emit(struct bis_machine *m, enum bis_log_level level, const char *module, const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	m->cfg.log(m->cfg.log_arg, level, module, text);
}

void bis_log(struct bis_machine *m, enum bis_log_level level, const char *module, const char *fmt, ...)
{
	va_list args;

	if (!m->cfg.log || level > m->cfg.log_level)
		return;
	va_start(args, fmt);
	emit(m, level, module, fmt, args);
	va_end(args);
}

void bis_log_limited(struct bis_machine *m, struct bis_log_limit *limit, enum bis_log_level level, const char *module,
		     const char *fmt, ...)
{
	uint32_t dropped = 0;
	va_list args;

	if (!m->cfg.log || level > m->cfg.log_level || !bis_log_limit_pass(limit, bis_host_ns(), &dropped))
		return;
	va_start(args, fmt);
	emit(m, level, module, fmt, args);
	va_end(args);
	if (dropped)
		bis_log(m, level, module, "%u more messages of this kind were held back", dropped);
}
