/*
 * isa.c - ISA strings, for the generator and for both machines (unprivileged specification, "ISA Extension Naming
 * Conventions").
 */
#include <stdio.h>
#include <string.h>

#include "isa.h"

static bool parse_letter(char letter, struct isa *isa)
{
	switch (letter) {
	case 'i':
		return true;
	case 'g':
		isa->m = isa->a = isa->f = isa->d = isa->zifencei = true;
		return true;
	case 'm':
		return isa->m = true;
	case 'a':
		return isa->a = true;
	case 'f':
		return isa->f = true;
	case 'd':
		return isa->f = isa->d = true;
	case 'c':
		return isa->c = true;
	default:
		return false;
	}
}

static bool parse_word(const char *word, size_t len, struct isa *isa)
{
	const struct {
		const char *name;
		bool *flag;
	} words[] = {{"zba", &isa->zba}, {"zbb", &isa->zbb}, {"zbs", &isa->zbs}, {"zifencei", &isa->zifencei}};

	if (len == 5 && !memcmp(word, "zicsr", len)) /* the privileged architecture always has it */
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].name) == len && !memcmp(word, words[i].name, len))
			return *words[i].flag = true;
	return false;
}

bool isa_parse(const char *text, struct isa *out)
{
	struct isa isa = {.xlen = 0};
	const char *p = text + 4;

	if (strlen(text) >= sizeof(isa.name) || strlen(text) < 5)
		return false;
	memcpy(isa.name, text, strlen(text) + 1);
	if (!strncmp(text, "rv32", 4))
		isa.xlen = 32;
	else if (!strncmp(text, "rv64", 4))
		isa.xlen = 64;
	else
		return false;
	for (; *p && *p != '_'; p++)
		if (!parse_letter(*p, &isa))
			return false;
	while (*p == '_') {
		size_t len = 1 + strcspn(p + 1, "_");

		if (!parse_word(p + 1, len - 1, &isa))
			return false;
		p += len;
	}
	if (*p)
		return false;
	*out = isa;
	return true;
}

void isa_qemu_cpu(const struct isa *isa, char *out, size_t size)
{
	static const char *const off_on[] = {"off", "on"};

	snprintf(out, size,
		 "rv%u,g=off,m=%s,a=%s,f=%s,d=%s,c=%s,Zifencei=%s,zba=%s,zbb=%s,zbs=%s,zbc=off,h=off,sstc=off",
		 isa->xlen, off_on[isa->m], off_on[isa->a], off_on[isa->f], off_on[isa->d], off_on[isa->c],
		 off_on[isa->zifencei], off_on[isa->zba], off_on[isa->zbb], off_on[isa->zbs]);
}

bool isa_has(const struct isa *isa, const char *ext, bool *known)
{
	const struct {
		const char *name;
		bool on;
	} all[] = {
		{"i", true},
		{"m", isa->m},
		{"a", isa->a},
		{"f", isa->f},
		{"d", isa->d},
		{"zca", isa->c},
		{"zcf", isa->c && isa->f && isa->xlen == 32},
		{"zcd", isa->c && isa->d},
		{"zicsr", true},
		{"zifencei", isa->zifencei},
		{"zihintpause", true},
		{"priv", true},
		{"zba", isa->zba},
		{"zbb", isa->zbb},
		{"zbs", isa->zbs},
	};

	*known = true;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(ext, all[i].name))
			return all[i].on;
	*known = false;
	return false;
}
