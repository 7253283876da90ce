/*
 * Verbs: one line each, from whoever may take the control lock. What a verb says goes to its reply; a failure has a
 * message as everywhere.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/snapshot.h>

#include "frontend/debug/debug_internal.h"

struct verb {
	const char *name, *arguments, *help;
	bool needs_text; /* its argument must be there */
	int (*run)(struct debug *d, const char *text, FILE *reply);
};

static int pause_verb(struct debug *d, const char *text, FILE *reply)
{
	(void)text;
	(void)reply;
	return bis_machine_pause(d->m);
}

static int resume_verb(struct debug *d, const char *text, FILE *reply)
{
	(void)text;
	(void)reply;
	return bis_machine_resume(d->m);
}

struct places {
	struct debug *d;
	uint64_t pc[BIS_MAX_HARTS];
};

static int take_places(void *arg)
{
	struct places *p = arg;

	for (unsigned i = 0; i < bis_machine_harts(p->d->m); i++)
		p->pc[i] = bis_hart_pc(bis_machine_hart(p->d->m, i));
	return 0;
}

/* Without the control lock, so that others can look at the machine meanwhile, and pause it. */
static int step_verb(struct debug *d, const char *text, FILE *reply)
{
	struct places p = {.d = d};
	uint64_t count = 1;
	char where[320];
	int err;

	if (*text && (!debug_number(text, strlen(text), &count) || !count))
		return bis_fail(EINVAL, "step '%s': expected a number of instructions above 0", text);
	if (bis_machine_state(d->m) != BIS_PAUSED)
		return bis_fail(EBUSY, "stepping needs a paused machine");
	err = bis_machine_step(d->m, count);
	if (!err)
		err = bis_machine_at_safepoint(d->m, take_places, &p);
	for (unsigned i = 0; !err && i < bis_machine_harts(d->m); i++) {
		debug_format_address(d, p.pc[i], where, sizeof(where));
		fprintf(reply, "hart %u at %s\n", i, where);
	}
	return err;
}

static int until_verb(struct debug *d, const char *text, FILE *reply)
{
	struct bis_break b = {.kind = BIS_BREAK_PC, .once = true, .until_rest = true};
	int err = debug_parse_address(d, text, &b.address);
	unsigned id;

	(void)reply;
	if (err)
		return bis_fail_prefix(err, "until");
	bis_machine_lock_control(d->m);
	err = bis_break_add(d->m, &b, &id);
	if (!err && bis_machine_state(d->m) == BIS_PAUSED)
		err = bis_machine_resume(d->m);
	bis_machine_unlock_control(d->m);
	return err;
}

static int reset_verb(struct debug *d, const char *text, FILE *reply)
{
	(void)text;
	(void)reply;
	bis_machine_request_reset(d->m);
	return 0;
}

static int stop_verb(struct debug *d, const char *text, FILE *reply)
{
	uint64_t status = 0;

	(void)reply;
	if (*text && (!debug_number(text, strlen(text), &status) || status > 255))
		return bis_fail(EINVAL, "stop '%s': expected an exit status, 0 to 255", text);
	bis_machine_request_stop(d->m, BIS_STOP_HOST, (int)status);
	return 0;
}

static int snapshot_verb(struct debug *d, const char *text, FILE *reply)
{
	int err = bis_snapshot_save(d->m, text, NULL);

	if (!err)
		fprintf(reply, "written to %s\n", text);
	return err;
}

static int break_verb(struct debug *d, const char *text, FILE *reply)
{
	struct bis_break b;
	unsigned id;
	int err = debug_break_parse(d, text, &b);

	if (!err)
		err = bis_break_add(d->m, &b, &id);
	if (!err)
		fprintf(reply, "%u\n", id);
	return err;
}

static int breaks_verb(struct debug *d, const char *text, FILE *reply)
{
	struct bis_break b;
	char line[1024];
	unsigned id;

	(void)text;
	for (size_t i = 0; !bis_break_get(d->m, i, &id, &b); i++) {
		debug_break_format(d, &b, line, sizeof(line));
		fprintf(reply, "%u: %s (%" PRIu64 " hits)\n", id, line, b.hits);
	}
	return 0;
}

static int delete_verb(struct debug *d, const char *text, FILE *reply)
{
	uint64_t id;

	(void)reply;
	if (!debug_number(text, strlen(text), &id) || id > UINT32_MAX)
		return bis_fail(EINVAL, "delete '%s': expected the number of a breakpoint", text);
	return bis_break_remove(d->m, (unsigned)id);
}

static int help_verb(struct debug *d, const char *text, FILE *reply);

static const struct verb verbs[] = {
	{"pause", "", "stop every hart", false, pause_verb},
	{"resume", "", "let a paused machine go on", false, resume_verb},
	{"step", "[N]", "run each hart for N instructions (1), then pause", false, step_verb},
	{"until", "ADDRESS", "go on until a hart comes to ADDRESS, or something else stops the machine", true,
	 until_verb},
	{"break", "WHAT",
	 "set a breakpoint: 'pc main', 'write counter+8 hart 1', 'csr satp', 'trap ecall-u if a7 == 64'", true,
	 break_verb},
	{"breaks", "", "list the breakpoints", false, breaks_verb},
	{"delete", "ID", "remove a breakpoint", true, delete_verb},
	{"reset", "", "start the machine anew", false, reset_verb},
	{"stop", "[STATUS]", "end the machine with that exit status (0)", false, stop_verb},
	{"snapshot", "PATH", "write the machine's state to a file", true, snapshot_verb},
	{"help", "", "list the verbs", false, help_verb},
};

static int help_verb(struct debug *d, const char *text, FILE *reply)
{
	(void)d;
	(void)text;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(verbs); i++) {
		int n = fprintf(reply, "%s %s", verbs[i].name, verbs[i].arguments);

		fprintf(reply, "%*s%s\n", n < 18 ? 18 - n : 2, "", verbs[i].help);
	}
	fputs("MODULE VERB       a verb of a module\n", reply);
	return 0;
}

bool debug_verb_help(size_t index, const char **verb, const char **arguments, const char **help)
{
	if (index >= BIS_ARRAY_SIZE(verbs))
		return false;
	*verb = verbs[index].name;
	*arguments = verbs[index].arguments;
	*help = verbs[index].help;
	return true;
}

static int unknown_verb(struct debug *d, const char *word)
{
	const char *names[BIS_ARRAY_SIZE(verbs) + 64], *near;
	struct bis_module *mod;
	size_t n = 0;

	while (n < BIS_ARRAY_SIZE(verbs)) {
		names[n] = verbs[n].name;
		n++;
	}
	for (size_t i = 0; n < BIS_ARRAY_SIZE(names) && (mod = bis_machine_module(d->m, i)); i++)
		names[n++] = bis_module_name(mod);
	near = bis_nearest_name(word, names, n);
	if (near)
		return bis_fail(EINVAL, "unknown verb '%s' (did you mean '%s'?)", word, near);
	return bis_fail(EINVAL, "unknown verb '%s': 'help' lists them", word);
}

struct module_verb {
	struct bis_module *mod;
	const char *text;
	char reply[4096];
};

static int call_module(void *arg)
{
	struct module_verb *v = arg;

	return bis_module_class_of(v->mod)->ctl(bis_module_self(v->mod), v->text, v->reply, sizeof(v->reply));
}

/* A module's own verb; with the control lock, so that it does not go meanwhile. */
static int module_verb(struct debug *d, const char *word, const char *text, FILE *reply)
{
	struct module_verb v = {.text = text};
	int err;

	bis_machine_lock_control(d->m);
	v.mod = bis_machine_find(d->m, word);
	if (!v.mod)
		err = unknown_verb(d, word);
	else if (!bis_module_class_of(v.mod)->ctl)
		err = bis_fail(EINVAL, "the module '%s' has no verbs", word);
	else
		err = bis_machine_at_safepoint(d->m, call_module, &v);
	bis_machine_unlock_control(d->m);
	if (!err && v.reply[0])
		fprintf(reply, "%s%s", v.reply, v.reply[strlen(v.reply) - 1] == '\n' ? "" : "\n");
	return err;
}

static int known_verb(struct debug *d, const struct verb *v, const char *text, FILE *reply)
{
	if (v->needs_text && !*text)
		return bis_fail(EINVAL, "%s: expected %s", v->name, v->arguments);
	if (!*v->arguments && *text)
		return bis_fail(EINVAL, "%s takes no argument, not '%s'", v->name, text);
	return v->run(d, text, reply);
}

#define LINE_BYTES 4096

int debug_verb(struct debug *d, const char *line, FILE *reply)
{
	char word[LINE_BYTES], *text;
	size_t len;

	line += strspn(line, " \t\n");
	len = strlen(line);
	while (len && strchr(" \t\n\r", line[len - 1]))
		len--;
	if (!len || len >= sizeof(word))
		return bis_fail(EINVAL, "%s: 'help' lists the verbs", len ? "a line too long" : "an empty line");
	memcpy(word, line, len);
	word[len] = '\0';
	text = word + strcspn(word, " \t");
	if (*text)
		*text++ = '\0';
	text += strspn(text, " \t");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, word))
			return known_verb(d, &verbs[i], text, reply);
	return module_verb(d, word, text, reply);
}
